"""`scale`: more and more accounts, then more and more resources: what each costs, and whether memory stays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.bench import NOWHERE, PACELESS, Effort, Say, alone, beside
from benchmarks.estates import Setup, fake
from benchmarks.rivals import ours
from benchmarks.stores import Held, Kind, held
from benchmarks.tables import Result, Table

ACCOUNTS = (1, 10, 100, 1_000, 10_000)
RESOURCES = (1_000, 10_000, 100_000, 1_000_000)
PLANNED_REGIONS = 30
FEW = 500  # resources in all, however many accounts there are


@dataclass(frozen=True, slots=True)
class Point:
    """One size, and what it took. items: accounts or resources."""

    items: int
    calls: int
    seconds: float
    cpu: float
    rss_mb: float
    nodes: int


async def scaled(
    setup: Setup,
    kind: Kind,
    result: Result,
    say: Say,
    *,
    effort: Effort,
    accounts: int,
    resources: int,
    plans: int,
) -> None:
    """Fills the result. accounts, resources, plans: up to so many accounts swept, resources swept, accounts planned."""
    empty = [replace(setup, accounts=each, resources=FEW) for each in ACCOUNTS if each <= accounts]
    full = [replace(setup, resources=each) for each in RESOURCES if each <= resources]
    async with held(kind) as store:
        result.machine = {**result.machine, "store": store.version}
        if effort.warm:
            await _sweep(replace(setup, resources=FEW), 0, store, effort, say)
        found = {
            "accounts": [await _sweep(each, each.accounts, store, effort, say) for each in empty],
            "resources": [await _sweep(each, each.resources, store, effort, say) for each in full],
        }
    found["planned accounts"] = [await _plan(setup, each, say) for each in ACCOUNTS if each <= plans]
    for name, points in found.items():
        if points:
            result.figures[name] = [document(before, point) for before, point in _pairs(points)]
            result.tables.append(_table(name, result.figures[name]))
    result.figures["estate"] = setup.options()


def _pairs(points: Sequence[Point]) -> list[tuple[Point | None, Point]]:
    return list(zip([None, *points], points, strict=False))


async def _sweep(setup: Setup, items: int, store: Held, effort: Effort, say: Say) -> Point:
    with beside(store, setup, effort, say) as at:
        name = f"{setup.accounts:,} accounts, {setup.resources:,} resources"
        run = await at.sync(name, *PACELESS)
        return Point(items, run.calls, run.seconds, run.cpu, run.rss_mb, run.nodes)


async def _plan(setup: Setup, accounts: int, say: Say) -> Point:

    planned = replace(setup, accounts=accounts, regions=PLANNED_REGIONS, resources=0)
    with fake(planned) as aws:
        say(f"plan of {accounts:,} accounts x {PLANNED_REGIONS} regions …")
        done = await alone(ours.plan(aws, NOWHERE), codes=ours.CODES)
        calls = sum(each["calls"] for each in aws.process.calls())
    return Point(accounts, calls, done.seconds, done.cpu, done.rss_mb, 0)


def document(before: Point | None, point: Point) -> dict[str, Any]:
    """A point with what each further item cost since the one before: CPU ms, ms of wall clock, kB of memory."""
    more = point.items - before.items if before else 0
    found: dict[str, Any] = {name: getattr(point, name) for name in Point.__slots__}
    if before and more:
        found |= {
            "ms_each": 1e3 * (point.seconds - before.seconds) / more,
            "cpu_ms_each": 1e3 * (point.cpu - before.cpu) / more,
            "kb_each": 1024 * (point.rss_mb - before.rss_mb) / more,
        }
    return found


def _table(name: str, rows: Sequence[dict[str, Any]]) -> Table:
    columns = ("items", "calls", "nodes", "seconds", "cpu", "rss_mb", "ms_each", "cpu_ms_each", "kb_each")
    heads = (name, "calls", "nodes", "s", "CPU s", "MiB", "ms each more", "CPU ms each more", "kB each more")
    return Table(f"More and more {name}", heads, [[row.get(column) for column in columns] for row in rows])
