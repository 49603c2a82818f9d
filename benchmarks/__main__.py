"""`python -m benchmarks COMMAND`: what a sweep costs, against others and against what bounds it.

Every program that is measured runs in a process of its own, the fake AWS and the store in others. Times depend on the
machine; ratios are of one run on one machine.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import anyio
import typer
from typer import Option

from benchmarks import machine
from benchmarks.measure import Failed
from benchmarks.tables import Result

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__, pretty_exceptions_enable=False)


class StoreKind(StrEnum):
    """Where the graph is."""

    EMBEDDED = "embedded"
    NEO4J = "neo4j"


Accounts = Annotated[int, Option("--accounts", help="Accounts of the estate.")]
Regions = Annotated[int, Option("--regions", help="Regions of each account.")]
Resources = Annotated[
    int, Option("--resources", help="Items of a skewed estate, half of them in one account. [else the uniform one]")
]
Latency = Annotated[float, Option("--latency", help="Seconds that AWS takes to answer, the median.")]
RateLimits = Annotated[float, Option("--limits", help="AWS's token buckets times this; 0 for none.")]
Production = Annotated[float, Option("--production", help="Share of every bucket that another client asks for.")]
Real = Annotated[bool, Option("--real/--full", help="Items as true ones are, or with every member.")]
Store = Annotated[StoreKind, Option("--store", help="The store that is written to.")]
Smoke = Annotated[bool, Option("--smoke", help="A tiny estate: whether it works at all.")]
Json = Annotated[Path | None, Option("--json", help="Write the figures to this file.")]
Markdown = Annotated[Path | None, Option("--markdown", help="Put the tables between their markers on this page.")]
Section = Annotated[str, Option("--section", help="Which part of the page that is. [else the command's]")]
Plot = Annotated[Path | None, Option("--plot", help="Draw them to this SVG or PNG.")]
SYNCS = Annotated[str, Option("--aws-requested-syncs", help="Only these, as of `skysweep sync`.")]


@app.command()
def compare(
    *,
    accounts: Accounts = 3,
    regions: Regions = 4,
    latency: Latency = 0.03,
    real: Real = True,
    store: Store = StoreKind.NEO4J,
    cartography: Annotated[
        Path | None, Option("--cartography", help="Folder of Cartography's environment. [else one is made, once]")
    ] = None,
    without: Annotated[bool, Option("--without-cartography", help="Leave Cartography out.")] = False,
    smoke: Smoke = False,
    json: Json = None,
    markdown: Markdown = None,
    section: Section = "",
    plot: Plot = None,
) -> None:
    """Sweep one estate by skysweep, by Cartography and by an afternoon's script; then send the calls alone."""
    from benchmarks import compare as command  # noqa: PLC0415 - each command has its own imports

    setup = _setup(smoke, accounts=accounts, regions=regions, latency=latency, real=real)
    result = _result(section or "compare", json, markdown)
    effort, kind = _effort(smoke), _kind(store)
    _run(result, command.compared, setup, kind, effort=effort, folder=cartography, all_rivals=not without)
    if plot:
        runs = result.figures["runs"]
        panels = {"seconds": [run["seconds"] for run in runs], "CPU seconds": [run["cpu"] for run in runs]}
        _plots().bars(plot, "One estate, swept in turn", [run["name"] for run in runs], panels)


@app.command()
def sweep(
    *,
    accounts: Accounts = 3,
    regions: Regions = 4,
    resources: Resources = 0,
    latency: Latency = 0.03,
    limits: RateLimits = 0.0,
    production: Production = 0.0,
    real: Real = True,
    store: Store = StoreKind.EMBEDDED,
    rate_share: Annotated[float, Option("--rate-share", help="As of `skysweep sync`; 0 paces nothing.")] = 0.0,
    concurrency: Annotated[int, Option("--concurrency", help="As of `skysweep sync`.")] = 100,
    option: Annotated[list[str] | None, Option("--option", help="A further word for `skysweep sync`.")] = None,
    smoke: Smoke = False,
    json: Json = None,
    markdown: Markdown = None,
    section: Section = "",
    plot: Plot = None,
) -> None:
    """Sweep once: its figures, what bounds it, and its efficiency, which is the bound over the time."""
    from benchmarks import efficiency as command  # noqa: PLC0415 - each command has its own imports

    chosen: dict[str, Any] = {"latency": latency, "limits": limits, "production": production, "real": real}
    setup = _setup(smoke, accounts=accounts, regions=regions, resources=resources, **chosen)
    result = _result(section or "sweep", json, markdown)
    words = ("--concurrency", str(concurrency), *(option or ()))
    chosen = {"effort": _effort(smoke), "share": rate_share, "options": words}
    _run(result, command.swept, setup, _kind(store), **chosen)
    if plot:
        bounds = [*result.figures["bounds"], {"name": "the sweep", "seconds": result.figures["sweep"]["seconds"]}]
        names = [each["name"] for each in bounds]
        _plots().bars(plot, "What bounds a sweep", names, {"seconds": [each["seconds"] for each in bounds]})


@app.command()
def tune(
    *,
    accounts: Accounts = 3,
    regions: Regions = 4,
    resources: Resources = 0,
    latency: Latency = 0.03,
    limits: RateLimits = 0.0,
    real: Real = True,
    store: Store = StoreKind.EMBEDDED,
    concurrency: Annotated[str, Option("--concurrency", help="Values to try.")] = "25,50,100,200",
    processes: Annotated[str, Option("--processes", help="Values to try.")] = "1",
    rows: Annotated[str, Option("--rows", help="Rows of a transaction to try.")] = "1000,4000,16000",
    writers: Annotated[str, Option("--writers", help="Writers to try, of a Neo4j.")] = "2,8",
    shares: Annotated[str, Option("--rate-shares", help="Rate shares to try.")] = "0",
    smoke: Smoke = False,
    json: Json = None,
    markdown: Markdown = None,
    section: Section = "",
    plot: Plot = None,
) -> None:
    """Sweep with every combination of these values, and tell the best and why."""
    from benchmarks import tune as command  # noqa: PLC0415 - each command has its own imports

    setup = _setup(
        smoke, accounts=accounts, regions=regions, resources=resources, latency=latency, limits=limits, real=real
    )
    whole = [[int(each) for each in text.split(",")] for text in (concurrency, processes, rows, writers)]
    grid = command.Grid(whole[0], whole[1], whole[2], whole[3], [float(each) for each in shares.split(",")])
    result = _result(section or "tune", json, markdown)
    _run(result, command.tuned, setup, _kind(store), grid, effort=_effort(smoke))
    if plot:
        points = result.figures["points"]
        panels = {"seconds": [point["seconds"] for point in points]}
        _plots().bars(plot, "Grid", [point["point"] for point in points], panels)


@app.command()
def scale(
    *,
    up_to_accounts: Annotated[int, Option("--up-to-accounts", help="0 leaves this curve out.")] = 1_000,
    up_to_resources: Annotated[int, Option("--up-to-resources", help="0 leaves this curve out.")] = 100_000,
    up_to_plans: Annotated[int, Option("--up-to-plans", help="Accounts planned; 0 leaves this curve out.")] = 10_000,
    accounts: Accounts = 3,
    regions: Regions = 2,
    latency: Latency = 0.0,
    real: Real = True,
    store: Store = StoreKind.EMBEDDED,
    syncs: SYNCS = "",
    smoke: Smoke = False,
    json: Json = None,
    markdown: Markdown = None,
    section: Section = "",
    plot: Plot = None,
) -> None:
    """Sweep more and more accounts, then more and more resources: the cost of each, and whether memory stays."""
    from benchmarks import scale as command  # noqa: PLC0415 - each command has its own imports
    from benchmarks.estates import Setup  # noqa: PLC0415 - the same

    limits = (1, 1_000, 10) if smoke else (up_to_accounts, up_to_resources, up_to_plans)
    up_to = dict(zip(("accounts", "resources", "plans"), limits, strict=True))
    setup = Setup(accounts=accounts, regions=1 if smoke else regions, latency=latency, real=real)
    result = _result(section or "scale", json, markdown)
    effort = _effort(smoke)
    chosen = replace(effort, syncs=syncs or effort.syncs)
    _run(result, command.scaled, setup, _kind(store), effort=chosen, **up_to)
    if plot:
        for name in ("accounts", "resources", "planned accounts"):
            if points := result.figures.get(name):
                panels = {each: [point[each] for point in points] for each in ("seconds", "cpu", "rss_mb")}
                own = plot.with_stem(f"{plot.stem}-{name.replace(' ', '-')}")
                _plots().curves(own, f"More and more {name}", [point["items"] for point in points], panels, name)


@app.command()
def micro(
    *,
    items: Annotated[int, Option("--items", help="Items of the replies.")] = 1_000,
    real: Real = True,
    smoke: Smoke = False,
    json: Json = None,
    markdown: Markdown = None,
    section: Section = "",
    plot: Plot = None,
) -> None:
    """Measure the steps of a sweep by the piece: replies, records, Cypher, ledger, pace."""
    from benchmarks import micro as command  # noqa: PLC0415 - each command has its own imports

    result = _result(section or "micro", json, markdown)
    _run(result, command.done, effort=_effort(smoke), items=20 if smoke else items, real=real)
    if plot:
        steps = result.figures["steps"]
        _plots().bars(plot, "Steps", [*steps], {"us each": [each["us"] for each in steps.values()]})


def _setup(smoke: bool, **chosen: Any) -> Any:
    """The estate that the options mean."""
    from benchmarks.estates import SMALL, TYPICAL, Setup  # noqa: PLC0415 - the fake AWS's models take a second

    if smoke:
        return Setup(**chosen | {"accounts": 2, "regions": 1, "resources": 0, "sizes": SMALL})
    return Setup(**chosen, sizes=None if chosen.get("resources") else TYPICAL)


def _effort(smoke: bool) -> Any:
    from benchmarks.bench import SMOKE, Effort  # noqa: PLC0415 - it brings the driver

    return SMOKE if smoke else Effort()


def _kind(store: StoreKind) -> Any:
    from benchmarks.stores import Kind  # noqa: PLC0415 - it brings the driver

    return Kind(store.value)


def _result(name: str, json: Path | None, markdown: Path | None) -> Result:
    return Result(name, " ".join(["python -m benchmarks", *sys.argv[1:]]), machine.facts(), json, markdown)


def _run(result: Result, command: Callable[..., Awaitable[None]], *arguments: Any, **options: Any) -> None:
    """Runs a command and tells its result, also of one that failed half way."""

    async def run() -> None:
        await command(*arguments, result=result, say=_say, **options)

    try:
        anyio.run(run)
    except Failed as error:
        result.remarks.append(f"It ended before its time: {error}")
        raise typer.Exit(1) from error
    finally:
        result.tell()


def _plots() -> Any:
    return importlib.import_module("benchmarks.plots")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    app()
