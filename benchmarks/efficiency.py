"""`sweep`: one configuration, its figures, and its efficiency: the bound over the time."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from benchmarks import bound, compare, decode, writing
from benchmarks.bench import NOWHERE, Bench, Effort, Run, Say, alone, bench
from benchmarks.bound import Bound
from benchmarks.estates import Setup, fake
from benchmarks.rivals import ours
from benchmarks.stores import Kind
from benchmarks.tables import Result, Table, ratio
from skysweep import catalogue


async def swept(
    setup: Setup, kind: Kind, result: Result, say: Say, *, effort: Effort, share: float, options: Sequence[str] = ()
) -> None:
    """Fills the result with a sweep at that share of AWS's rates, and what bounds it."""
    async with bench(setup, kind, effort, say) as at:
        result.machine = {**result.machine, "store": at.held.version}
        await at.warm()
        units = at.home / "units.ndjson"
        run = await at.sync("skysweep", "--rate-share", f"{share:g}", "--report", str(units), *options)
        with units.open(encoding="utf-8") as lines:
            records = ours.records(lines)
        written = await _written(at)
    bounds = await _bounds(setup, run, share, written, at)
    report = ours.report(run.told.out)
    numbers = _numbers(run, report, records, bounds, written)
    result.figures |= {"estate": setup.options(), "share": share, "run": run.document(), "sweep": numbers}
    result.figures |= {"bounds": [asdict(each) for each in bounds], "writing": written}
    result.tables += _tables(setup, run, numbers, bounds, written)
    calls = report["calls"]
    result.remarks.append(
        f"The sweep ended {report['status']}: {report['unit_totals']}, {calls['failed']:,} calls failed."
    )
    if setup.production:
        result.remarks.append(f"The production client: {dict(run.production)}.")


async def _written(at: Bench) -> dict[str, float]:
    """What the writer alone takes for the same rows, and statements by hand."""
    await at.held.empty()
    at.say("the writer alone, and by hand …")
    effort = at.effort
    program = writing.program(at.fake, at.held, at.home, syncs=effort.syncs, times=min(2, effort.times))
    found: dict[str, float] = json.loads((await alone(program)).out)
    return found


async def _bounds(setup: Setup, run: Run, share: float, written: Mapping[str, float], at: Bench) -> list[Bound]:
    """The four bounds; a bare call and the replies are measured here and now, without latency."""
    calm = replace(setup, latency=0.0, limits=0.0, production=0.0)
    at.say("bare calls, and taking replies apart …")
    with fake(replace(calm, sizes={}, resources=0)) as empty:
        tries = [
            await compare.one(empty, compare.many(empty, at.effort.calls), "aiobotocore")
            for _ in range(at.effort.times)
        ]
    call = min(compare.figures(each)["cpu_ms"] for each in tries) / 1e3
    with fake(calm) as full:
        costs = json.loads((await alone(decode.program(full, NOWHERE, run.wanted))).out)
    return [
        bound.buckets(run.counts, share, setup.limits or 1.0),
        bound.cpu(run.calls, call, bound.decoding(run.counts, costs)),
        bound.store(int(written["rows"] + written["links"]), written["writer_seconds"]),
        bound.latency(run.counts, catalogue.load(), setup.latency),
    ]


def _numbers(
    run: Run, report: Mapping[str, Any], records: int, bounds: Sequence[Bound], written: Mapping[str, float]
) -> dict[str, float | None]:
    """The figures of the sweep, by what they are called in the table."""
    seconds, rows = report["seconds"], written["rows"] + written["links"]
    return {
        "seconds": seconds,
        "seconds with start and end": run.seconds,
        "calls/s": run.calls / seconds,
        "throttled share": ratio(run.throttled, run.calls),
        "records/s": records / seconds,
        "rows and links/s": rows / seconds,
        "CPU ms a call": 1e3 * run.cpu / run.calls,
        "peak MiB": run.rss_mb,
        "the store's CPU s": run.store_cpu,
        "the fake's CPU s": run.fake_cpu,
        "the fake's CPU of ours": ratio(run.fake_cpu, run.cpu),
        "efficiency": max(each.seconds for each in bounds) / seconds,
        "of the writer's rate": written["writer_seconds"] / seconds,
        "the writer of UNWIND by hand": written["hand_seconds"] / written["writer_seconds"],
    }


def _tables(
    setup: Setup, run: Run, numbers: Mapping[str, float | None], bounds: Sequence[Bound], written: Mapping[str, float]
) -> list[Table]:
    largest = max(bounds, key=lambda each: each.seconds)
    title = f"{setup.accounts} accounts x {setup.regions} regions, {setup.expected() or setup.resources:,} items"
    shown = [(name, value) for name, value in numbers.items()]
    rows = int(written["rows"] + written["links"])
    by_whom = [
        (name, rows, written[f"{key}_seconds"], rows / written[f"{key}_seconds"], int(written[f"{key}_nodes"]))
        for name, key in (("the writer alone", "writer"), ("UNWIND by hand", "hand"))
    ]
    return [
        Table(f"{title}: {run.calls:,} calls", ("figure", "value"), shown),
        Table(
            f"What bounds it: {largest.name}",
            ("bound", "s", "why"),
            [(each.name, each.seconds, each.why) for each in bounds],
        ),
        Table("The same rows into the same store", ("who", "rows and links", "s", "a second", "nodes"), by_whom),
    ]
