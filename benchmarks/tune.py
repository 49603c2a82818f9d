"""`tune`: a grid over concurrency, processes, batch rows, writers and rate share; the best, and why."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from benchmarks.bench import Bench, Effort, Run, Say, bench
from benchmarks.estates import Setup
from benchmarks.measure import Program
from benchmarks.rivals import ours
from benchmarks.stores import Kind
from benchmarks.tables import Result, Table
from benchmarks.tuned import VARIABLE

VARIED = ("concurrency", "processes", "rows", "writers", "share")
ALIKE = 1.05  # what is within so much of the best is as good


@dataclass(frozen=True, slots=True)
class Grid:
    """The values to try of each; an embedded graph has one writer, whatever is asked."""

    concurrency: Sequence[int]
    processes: Sequence[int]
    rows: Sequence[int]
    writers: Sequence[int]
    shares: Sequence[float]

    def points(self, kind: Kind) -> list[Point]:
        """Every combination."""
        writers = self.writers if kind is Kind.NEO4J else (1,)
        return [Point(*each) for each in product(self.concurrency, self.processes, self.rows, writers, self.shares)]


@dataclass(frozen=True, slots=True)
class Point:
    """One combination."""

    concurrency: int
    processes: int
    rows: int
    writers: int
    share: float

    def __str__(self) -> str:
        crew = f"{self.processes} processes, " if self.processes > 1 else ""
        return f"{self.concurrency} at once, {crew}{self.rows:,} rows, {self.writers} writers, share {self.share:g}"


async def tuned(setup: Setup, kind: Kind, grid: Grid, result: Result, say: Say, *, effort: Effort) -> None:
    """Fills the result with a sweep for each point."""
    async with bench(setup, kind, effort, say) as at:
        result.machine = {**result.machine, "store": at.held.version}
        await at.warm()
        done = [(point, await at.run(str(point), _program(at, point), codes=ours.CODES)) for point in grid.points(kind)]
    rows = [_row(point, run) for point, run in done]
    best = min(rows, key=lambda row: row["seconds"])
    result.figures |= {"estate": setup.options(), "points": rows, "best": best, "why": why(rows, best)}
    columns = (*VARIED, "seconds", "calls", "throttled", "cpu", "rss_mb", "store_cpu")
    result.tables.append(Table("Grid", columns, [[row[name] for name in columns] for row in rows]))
    result.remarks.append(f"Best: {best['point']}. {result.figures['why']}")


def _program(at: Bench, point: Point) -> Program:
    options = ("--concurrency", str(point.concurrency), "--rate-share", f"{point.share:g}")
    crew = ("--processes", str(point.processes)) if point.processes > 1 else ()
    made = at.command(*options, *crew)
    _, _, _, *words = made.words  # python -m skysweep.cli
    changes = {"rows": point.rows, "writers": point.writers}
    return Program([sys.executable, "-m", "benchmarks.tuned", *words], {**made.environ, VARIABLE: json.dumps(changes)})


def _row(point: Point, run: Run) -> dict[str, Any]:
    names = ("seconds", "calls", "throttled", "cpu", "rss_mb", "store_cpu")
    own = {name: getattr(point, name) for name in VARIED}
    return {"point": str(point), **own, **{name: getattr(run, name) for name in names}}


def why(rows: Sequence[dict[str, Any]], best: dict[str, Any]) -> str:
    """What made the difference: for each value that was varied, what its other values cost, all else as in the best."""
    said = []
    for name in VARIED:
        others = [each for each in VARIED if each != name]
        along = [row for row in rows if row[name] != best[name] and all(row[x] == best[x] for x in others)]
        if along:
            told = ", ".join(f"{row[name]:g}: {row['seconds'] / best['seconds']:.2f}" for row in along)
            how = "hardly matters" if all(row["seconds"] <= best["seconds"] * ALIKE for row in along) else "matters"
            said.append(f"{name} {best[name]:g} {how} (times its seconds at {told})")
    return "; ".join(said) or "There was nothing to compare it with."
