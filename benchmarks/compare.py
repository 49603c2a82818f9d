"""`compare`: the same estate swept in turn by skysweep, Cartography and an afternoon's script; then the calls alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.bench import NOWHERE, PACELESS, Bench, Effort, Run, Say, alone, bench
from benchmarks.estates import Fake, Setup, fake
from benchmarks.rivals import bare, cartography, naive
from benchmarks.stores import Kind
from benchmarks.tables import Result, Table, ratio

OURS = "skysweep, pacing off"
FULL = {"ec2:DescribeInstances": 1_000}  # a page's most


async def compared(
    setup: Setup,
    kind: Kind,
    result: Result,
    say: Say,
    *,
    effort: Effort,
    folder: Path | None = None,
    all_rivals: bool = True,
) -> None:
    """Fills the result. folder: Cartography's environment, when not the cache's; all_rivals: whether it runs at all."""
    runs: list[Run] = []
    async with bench(setup, kind, effort, say, anew=True) as at:
        result.machine = {**result.machine, "store": at.held.version}
        await at.warm()
        try:
            await _swept(at, folder, runs, result, all_rivals=all_rivals)
        finally:  # one that fails takes no other's figures along
            _tell(setup, runs, result)
    calm = replace(setup, latency=0.0, limits=0.0, production=0.0)
    for replies, estate, wanted in (
        ("the sweep's replies", calm, lambda _: runs[0].wanted),
        ("empty replies", replace(calm, sizes={}, resources=0), lambda aws: many(aws, effort.calls)),
        ("full pages", replace(calm, sizes=FULL, accounts=2, regions=2), lambda aws: full(aws, effort.pages)),
    ):
        result.figures["calls"] += await _alone(replies, estate, wanted, effort, say)
    result.tables.append(_calls_table(result.figures["calls"]))


def _tell(setup: Setup, runs: Sequence[Run], result: Result) -> None:
    result.figures |= {"estate": setup.options() | {"items": setup.expected()}, "calls": []}
    result.figures["runs"] = [run.document() for run in runs]
    result.figures["ratios"] = ratios(runs)
    result.tables.append(_table(setup, runs))


async def _swept(at: Bench, folder: Path | None, runs: list[Run], result: Result, *, all_rivals: bool) -> None:
    runs.append(await at.sync(OURS, *PACELESS))
    runs.append(await at.sync(f"{OURS}, again", *PACELESS, again=True))
    runs.append(await at.sync("skysweep, defaults"))
    runs.append(await at.run("boto3, 64 threads", naive.sync(at.fake, at.held, at.home)))
    if not all_rivals or at.held.kind is not Kind.NEO4J:
        why = "it writes to a Neo4j alone (--store neo4j)" if all_rivals else "it was left out"
        result.remarks.append(f"Cartography {cartography.VERSION} is not among them: {why}.")
        return
    program = cartography.sync(at.fake, at.held, at.home, folder)
    for name, again in ((f"Cartography {cartography.VERSION}", False), ("Cartography, again", True)):
        runs.append(await at.run(name, program, codes=(0, 1), again=again))


def ratios(runs: Sequence[Run]) -> dict[str, dict[str, float | None]]:
    """By rival: how many times skysweep's seconds, calls, CPU and memory it takes, and has of its nodes."""
    return {
        run.name: {
            "seconds": ratio(run.seconds, own.seconds),
            "calls": ratio(run.calls, own.calls),
            "cpu": ratio(run.cpu, own.cpu),
            "rss": ratio(run.rss_mb, own.rss_mb),
            "nodes": ratio(run.same, own.same),
        }
        for run, own in _beside(runs)
    }


def _beside(runs: Sequence[Run]) -> Iterator[tuple[Run, Run]]:
    """Each run with the first of its kind, which is ours: of first sweeps, or of those of a graph that has it all."""
    own = {run.again: run for run in reversed(runs)}
    return ((run, own[run.again]) for run in runs)


def _table(setup: Setup, runs: Sequence[Run]) -> Table:
    columns = ("who", "s", "times ours", "calls", "throttled", "CPU s", "MiB", "nodes of the estate", "nodes", "edges")
    rows = [
        (
            *(run.name + (" (with errors)" if run.code == 1 else ""), run.seconds, ratio(run.seconds, own.seconds)),
            *(run.calls, run.throttled, run.cpu, run.rss_mb, run.same, run.nodes, run.edges),
        )
        for run, own in _beside(runs)
    ]
    title = (
        f"{setup.accounts} accounts x {setup.regions} regions, {setup.expected() or setup.resources:,} items, "
        f"{1e3 * setup.latency:.0f} ms latency"
    )
    return Table(title, columns, rows)


# The calls alone


async def _alone(
    replies: str, setup: Setup, wanted: Callable[[Fake], Sequence[Sequence[Any]]], effort: Effort, say: Say
) -> list[dict[str, Any]]:
    """These calls without latency, by both; in turn, the fastest counts."""
    found: list[dict[str, Any]] = []
    with fake(setup) as aws:
        sent = wanted(aws)
        for by, name in (("aiobotocore", "bare aiobotocore"), ("skysweep", "skysweep's asking")):
            say(f"{replies}, {name} …")
            tries = [await one(aws, sent, by) for _ in range(effort.times)]
            best = min(tries, key=lambda each: each["seconds"])
            best |= {name: min(each[name] for each in tries) for name in ("cpu", "longest_ms")}
            found.append({"replies": replies, "by": name} | figures(best))
    for each in found:
        each["speed"] = each["calls_per_second"] / found[0]["calls_per_second"]
        each["thrift"] = found[0]["cpu_ms"] / each["cpu_ms"]
    return found


async def one(aws: Fake, wanted: Sequence[Sequence[Any]], by: str) -> dict[str, float]:
    """One run of these calls: seconds, CPU seconds, calls."""
    told: dict[str, float] = json.loads((await alone(bare.program(aws, NOWHERE, wanted, by=by))).out)
    return told


def figures(told: dict[str, float]) -> dict[str, float]:
    """A run's figures by the call; failed ones cost as much."""
    calls = told.get("calls", 0) + told.get("failed", 0)
    return told | {"calls_per_second": calls / told["seconds"], "cpu_ms": 1e3 * told["cpu"] / calls}


def many(aws: Fake, least: int) -> list[bare.Some]:
    """Every listing of an empty estate, so often that beginnings do not count."""
    once = bare.listings(aws)
    times = -(-least // sum(each.calls for each in once))
    return [each._replace(calls=each.calls * times) for each in once]


def full(aws: Fake, least: int) -> list[bare.Some]:
    """Pages of instances, as many on each as AWS allows."""
    places = [(account, region) for account in aws.accounts for region in aws.regions]
    return [bare.Some(*place, "ec2", "DescribeInstances", -(-least // len(places))) for place in places]


def _calls_table(calls: Sequence[dict[str, Any]]) -> Table:
    columns = (
        "the same calls, answers thrown away",
        "calls",
        "s",
        "calls/s",
        "CPU ms a call",
        "speed",
        "thrift",
        "longest ms",
    )
    return Table("Calls alone, no latency (speed, thrift: times the bare loop's)", columns, [*_rows(calls)])


def _rows(calls: Sequence[dict[str, Any]]) -> Iterator[Any]:
    for each in calls:
        sent = each.get("calls", 0) + each.get("failed", 0)
        names = ("seconds", "calls_per_second", "cpu_ms", "speed", "thrift", "longest_ms")
        yield (f"{each['replies']}: {each['by']}", sent, *(each[name] for name in names))
