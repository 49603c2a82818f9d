"""A store that goes away, comes back or refuses: no row is lost, none doubled, and nothing hopeless is waited for."""

from __future__ import annotations

import os
import resource
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

import anyio
import pytest
import pytest_asyncio

from benchmarks.bolt import BoltProxy, bolt_proxy, every, never
from benchmarks.fakeaws import Estate, Server, serving
from benchmarks.fakeaws.faults import Fault, Seen, calm
from benchmarks.stores import empty
from conftest import Stops, neo4j_settings
from gates import AtCall, Sync, assert_equal, at_commit, behind, held, published, snapshot, swept, sync
from graphs import Graph
from neo4j_server import Neo4j, neo4j_of_ones_own
from skysweep.ledger import Ledger
from skysweep.store import StoreSettings, open_store

pytestmark = [pytest.mark.timeout(1800), pytest.mark.neo4j]
SEED = 20261122
GROWTH_MB = 64
CUT = 3  # every so many commits an answer is lost
SILENCE = 5.0  # seconds without a call after which a sweep stands still
STANDSTILL = 300.0
VOLUMES = "ec2:DescribeVolumes"
CHANGED = ("ec2:DescribeVolumes", "ec2:DescribeInstances", "iam:ListRoles", "rds:DescribeDBInstances", "s3:ListBuckets")

Counts = dict[str, Any]


@dataclass
class Bench:
    """A Neo4j of its own behind a proxy, a fake AWS with two states, and what a sweep of each must leave and tell."""

    neo4j: Neo4j
    server: Server
    proxy: BoltProxy
    home: Path
    syncs: tuple[str, ...]
    graphs: dict[bool, Graph] = field(default_factory=dict)
    counts: dict[bool, Counts] = field(default_factory=dict)
    calls: int = 0
    commits: int = 0
    more: bool = False

    @property
    def direct(self) -> StoreSettings:
        """The Neo4j itself."""
        return replace(neo4j_settings(self.neo4j.server), folder=self.home / "ledger")

    @property
    def proxied(self) -> StoreSettings:
        """The Neo4j through the proxy, with the same ledger."""
        return replace(self.direct, uri=self.proxy.url)

    def sync(self, store: StoreSettings, *options: str, **variables: str) -> AbstractAsyncContextManager[Sync]:
        """A sweep as a process."""
        return sync(self.server, store, self.home, *selected(self.syncs), *options, **variables)

    def turn(self) -> None:
        """The estate gains things, or loses them again."""
        self.more = not self.more
        turn(self.server.estate, self.more)
        self.server.reset()

    async def assert_undisturbed(self, report: Counts) -> None:
        """The graph is what a sweep that nothing disturbed leaves, and the report tells what that one told."""
        assert_equal(await snapshot(self.direct), self.graphs[self.more])
        assert counts(report) == self.counts[self.more]
        assert report["status"] == "complete", report["units"]


def turn(estate: Estate, more: bool) -> None:
    change: Callable[..., None] = estate.put if more else estate.remove
    for account in estate.accounts:
        for listing in CHANGED:
            for region in estate.regions:
                change(account, region, listing, 900, 901, 902)


def selected(syncs: tuple[str, ...]) -> list[str]:
    """The command line's words for a selection."""
    return ["--aws-requested-syncs", ",".join(syncs)] if syncs else []


def counts(report: Counts) -> Counts:
    """How many nodes and edges of each kind were written and deleted, and what was put aside."""
    return {name: report[name] for name in ("nodes", "edges", "quarantined")}


@pytest_asyncio.fixture(scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory, store_syncs: tuple[str, ...]) -> AsyncIterator[Bench]:
    with neo4j_of_ones_own() as neo4j:
        estate = Estate.random(SEED, accounts=3, regions=2, resources=400)
        async with serving(estate) as server, held(bolt_proxy("127.0.0.1", neo4j.port)) as proxy:
            made = Bench(neo4j, server, proxy, tmp_path_factory.mktemp("store"), store_syncs)
            async with made.sync(made.direct) as first:
                await first.report()
            for _ in range(2):
                made.turn()
                before = proxy.commits
                async with made.sync(made.proxied) as undisturbed:
                    made.counts[made.more] = counts(await undisturbed.report())
                made.calls, made.commits = sum(server.calls.values()), proxy.commits - before
                made.graphs[made.more] = await snapshot(made.direct)
            yield made


def rss(process: int, what: str = "VmRSS") -> int:
    """Resident memory of a process in bytes; VmHWM: its peak."""
    [line] = [each for each in Path(f"/proc/{process}/status").read_text().splitlines() if each.startswith(what)]
    return int(line.split()[1]) * 1024


class Blocked:
    """What a sweep's memory grows by from now on, at its peak."""

    def __init__(self, sweep: Sync) -> None:
        self.process = sweep.process.pid
        Path(f"/proc/{self.process}/clear_refs").write_text("5")  # the peak is counted from now
        self.before = rss(self.process)

    def growth(self) -> float:
        """MB."""
        return (rss(self.process, "VmHWM") - self.before) / 1e6


# Neo4j stopped and started


async def test_neo4j_stopped_and_started_in_the_middle_is_waited_for(bench: Bench, stops: Stops) -> None:
    bench.turn()
    due = anyio.Event()

    def stop() -> None:
        bench.neo4j.signal(signal.SIGTERM)
        due.set()

    bench.server.faults = AtCall(bench.calls // 2, stop)
    async with bench.sync(bench.direct) as sweep, anyio.create_task_group() as tasks:
        tasks.start_soon(_restarted, bench, sweep, due, stops.seconds)
        report = await sweep.report()
    bench.server.faults = calm
    await bench.assert_undisturbed(report)


async def _restarted(bench: Bench, sweep: Sync | None, due: anyio.Event, seconds: float) -> None:
    """Waits for the end of Neo4j, keeps it away, starts it again; the sweep must neither end nor grow meanwhile."""
    await due.wait()
    blocked = Blocked(sweep) if sweep else None
    await anyio.to_thread.run_sync(bench.neo4j.ended)
    await anyio.sleep(seconds)
    if sweep and blocked:
        assert sweep.process.returncode is None, "the sweep has ended without its store"
        grown = blocked.growth()
        print(f"{grown:.0f} MB more memory while Neo4j was away")  # noqa: T201 - quoted by the soak
        assert grown <= GROWTH_MB
    await anyio.to_thread.run_sync(bench.neo4j.start)


async def test_neo4j_may_be_stopped_or_killed_any_number_of_times(bench: Bench, stops: Stops) -> None:
    bench.turn()
    async with bench.sync(bench.proxied) as sweep, anyio.create_task_group() as tasks:
        tasks.start_soon(_stopping, bench, sweep, stops.times)
        report = await sweep.report()
    bench.proxy.cut_after_commit = never
    await bench.assert_undisturbed(report)


async def _stopping(bench: Bench, sweep: Sync, times: int) -> None:
    """Kills and stops Neo4j in turn, whenever so many more writes are committed, and starts it again."""
    random = Random(SEED)  # noqa: S311 - moments
    for number in range(times):
        due, how = anyio.Event(), (signal.SIGKILL, signal.SIGTERM)[number % 2]
        moment = random.randrange(1, bench.commits // (times + 1))

        def stop(due: anyio.Event = due, how: signal.Signals = how) -> None:
            bench.neo4j.signal(how)
            due.set()

        at_commit(bench.proxy, moment, stop)
        await _restarted(bench, sweep, due, 0)
        print(f"{how.name} at the {moment}. further commit of {bench.commits}")  # noqa: T201 - quoted by the soak


# Commits whose answer is lost


async def test_commits_whose_answer_is_lost_are_done_once_in_neo4j(bench: Bench) -> None:
    bench.turn()
    proxy = bench.proxy
    cuts, commits = proxy.cuts, proxy.commits
    bench.proxy.cut_after_commit = every(CUT)
    try:
        report = await swept(bench.server, bench.proxied, bench.home / "ledger", syncs=bench.syncs)
    finally:
        bench.proxy.cut_after_commit = never
    assert proxy.cuts - cuts >= (proxy.commits - commits) // CUT > 0
    await bench.assert_undisturbed(report.to_dict())


@dataclass
class Embedded:
    """An embedded graph that is open, what an undisturbed sweep leaves in it, and how many calls that takes."""

    store: StoreSettings
    server: Server
    syncs: tuple[str, ...]
    graph: Graph
    counts: Counts
    calls: int


@pytest_asyncio.fixture(scope="module")
async def undisturbed(
    embedded: StoreSettings, tmp_path_factory: pytest.TempPathFactory, store_syncs: tuple[str, ...]
) -> AsyncIterator[Embedded]:
    async with serving(Estate.random(SEED, accounts=3, regions=2, resources=400)) as server:
        async with open_store(embedded) as opened:
            await empty(opened)
        report = await swept(server, embedded, tmp_path_factory.mktemp("undisturbed"), syncs=store_syncs)
        told, calls = counts(report.to_dict()), sum(server.calls.values())
        yield Embedded(embedded, server, store_syncs, await snapshot(embedded), told, calls)


async def test_commits_whose_answer_is_lost_are_done_once_in_the_embedded_graph(
    undisturbed: Embedded, tmp_path: Path
) -> None:
    async with open_store(undisturbed.store) as opened:
        await empty(opened)
    async with bolt_proxy("127.0.0.1", published(undisturbed.store)["bolt"]) as proxy:
        proxy.cut_after_commit = every(CUT)
        with behind(proxy, undisturbed.store, tmp_path / "behind") as store:
            report = await swept(undisturbed.server, store, tmp_path, syncs=undisturbed.syncs)
        assert proxy.cuts >= proxy.commits // CUT
    assert counts(report.to_dict()) == undisturbed.counts
    assert_equal(await snapshot(undisturbed.store), undisturbed.graph)


# Stores that do not come back, or refuse


def assert_one_line(sweep: Sync, code: int, *words: str) -> None:
    """It has ended with 1, and its last words are one line that says these and how to go on."""
    said = sweep.stderr.decode()
    lines = [line for line in said.splitlines() if line.startswith("skysweep: ")]
    assert code == 1, said
    assert "Traceback" not in said
    assert [all(word in line for word in (*words, "`skysweep sync --resume`")) for line in lines] == [True], said


async def test_at_the_end_of_its_patience_a_sweep_says_so_and_is_resumed(bench: Bench) -> None:
    bench.turn()

    def leave() -> None:
        bench.proxy.away = True

    at_commit(bench.proxy, bench.commits // 3, leave)
    async with bench.sync(bench.proxied, SKYSWEEP_STORE_PATIENCE="2") as sweep:
        assert_one_line(sweep, await sweep.ended(), "has been away for 2 s")
    bench.proxy.cut_after_commit, bench.proxy.away = never, False
    async with bench.sync(bench.proxied, "--resume") as resumed:
        await bench.assert_undisturbed(await resumed.report())


async def test_a_neo4j_that_refuses_writes_stops_the_sweep_and_puts_nothing_aside(bench: Bench) -> None:
    bench.turn()
    due = anyio.Event()

    def stop() -> None:
        bench.neo4j.signal(signal.SIGKILL)
        due.set()

    at_commit(bench.proxy, bench.commits // 3, stop)
    bench.neo4j.read_only = True
    async with bench.sync(bench.proxied) as sweep:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_restarted, bench, None, due, 0)
            code = await sweep.ended()
        assert_one_line(sweep, code, "read-only")
    bench.proxy.cut_after_commit, bench.neo4j.read_only = never, False
    _assert_nothing_aside(bench.direct.folder)
    bench.neo4j.kill()
    await anyio.to_thread.run_sync(bench.neo4j.start)
    async with bench.sync(bench.proxied, "--resume") as resumed:
        await bench.assert_undisturbed(await resumed.report())


def _assert_nothing_aside(folder: Path) -> None:
    with Ledger(folder) as ledger:
        past = ledger.unfinished()
        assert past is not None, "it can be resumed"
        assert ledger.quarantined(past.id) == []


def killed(process: int) -> None:
    os.kill(process, signal.SIGKILL)


def full(process: int) -> None:
    """No file of it may grow, as on a full disk."""
    resource.prlimit(process, resource.RLIMIT_FSIZE, (4096, 4096))


@pytest.mark.parametrize(
    ("harm", "says"),
    [(killed, "the embedded graph's process has ended"), (full, "the graph cannot be written any more")],
    ids=["killed", "full"],
)
async def test_an_embedded_graph_that_is_lost_stops_the_sweep_at_once_and_is_resumed(
    undisturbed: Embedded, tmp_path: Path, harm: Callable[[int], None], says: str
) -> None:
    store, server = replace(undisturbed.store, folder=tmp_path / "own"), undisturbed.server
    server.reset()
    server.faults = AtCall(undisturbed.calls // 2, lambda: harm(published(store)["pid"]))
    options = selected(undisturbed.syncs)
    async with sync(server, store, tmp_path, *options) as sweep:
        started = time.monotonic()
        assert_one_line(sweep, await sweep.ended(), says)
        took = time.monotonic() - started
    server.faults = calm
    assert took < 120, f"it took {took:.0f} s to see that the graph is lost"
    _assert_nothing_aside(store.folder)
    async with sync(server, store, tmp_path, *options, "--resume") as resumed:
        assert counts(await resumed.report()) == undisturbed.counts
    assert_equal(await snapshot(store), undisturbed.graph)


# Memory


@dataclass(eq=False)
class Reads:
    """A plan without faults that counts the pages of volumes, and does something at the first."""

    number: int = 0
    first: Callable[[], None] = lambda: None
    blocked: Blocked | None = None
    _read: anyio.Event = field(default_factory=anyio.Event)

    def __call__(self, seen: Seen) -> Fault | None:
        """The plan."""
        if seen.operation == "DescribeVolumes":
            self.number += 1
            if self.number == 1:
                self.first()
        self._read.set()
        return None

    async def standstill(self) -> None:
        """Waits until volumes have been read, and then nothing for SILENCE seconds."""
        while True:
            self._read = anyio.Event()
            with anyio.move_on_after(SILENCE) as silent:
                await self._read.wait()
            if silent.cancelled_caught and self.number:
                return


async def test_a_sweep_that_waits_for_its_store_stops_reading(bench: Bench, tmp_path: Path, volumes: int) -> None:
    accounts, regions = [f"{number}00000000000" for number in range(1, 9)], ("us-east-1", "eu-west-1")
    sizes = {(account, region, VOLUMES): range(volumes) for account in accounts for region in regions}
    store = replace(bench.proxied, folder=tmp_path / "ledger")
    reads = Reads()
    async with (
        serving(Estate(SEED, accounts, regions, sizes), faults=reads) as server,
        sync(server, store, tmp_path, "--aws-requested-syncs", "EBSVolume") as sweep,
    ):

        def leave() -> None:
            bench.proxy.away = True
            reads.blocked = Blocked(sweep)

        reads.first = leave
        with anyio.fail_after(STANDSTILL):
            await reads.standstill()
        kept, grown = reads.number, reads.blocked.growth() if reads.blocked else 0.0
        bench.proxy.away = False
        report = await sweep.report()
    told = f"{kept} of {reads.number} pages read while the store was away, and {grown:.0f} MB more memory"
    print(told, f"(peak {report['peak_rss_mb']} MB, {report['nodes']})")  # noqa: T201 - quoted by the soak
    assert report["nodes"]["EBSVolume"]["written"] == len(sizes) * volumes
    assert kept < reads.number, told
    assert grown <= GROWTH_MB, told
