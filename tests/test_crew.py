"""One sweep by several processes: the graph of one, whatever happens to them on the way."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import anyio
import pytest

from benchmarks.fakeaws import Estate, serving
from benchmarks.fakeaws.faults import denied, where
from benchmarks.fakeaws.server import Server
from benchmarks.stores import empty
from gates import AtCall, assert_equal, settings, snapshot, swept, sync
from graphs import Graph
from skysweep.crew import without_graph
from skysweep.errors import ProcessLost
from skysweep.ledger import Ledger
from skysweep.report import ExitCode, Report
from skysweep.store import StoreSettings, open_store

pytestmark = pytest.mark.timeout(600)
SYNCS = ("iam", "s3", "ec2:instance", "ec2:subnet")
STOPPED = 10.0  # seconds in which an interrupted sweep ends


def estate() -> Estate:
    return Estate.random(5, accounts=5, regions=2, resources=400)


def counted(report: Report) -> tuple[object, ...]:
    return report.status, report.nodes, report.edges, report.unit_totals, report.gaps, report.calls["failed"]


def collecting(parent: int = os.getpid()) -> list[int]:
    """The processes that collect, of this one or of one of its children."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            command = (path / "cmdline").read_bytes().split(b"\0")
            above = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            if b"skysweep._collecting" in command and above == parent:
                found.append(int(path.name))
    return found


async def undisturbed(server: Server, store: StoreSettings, folder: Path) -> tuple[Graph, Report]:
    """The graph and the report of a sweep of the empty graph by one process."""
    async with open_store(store) as opened:
        await empty(opened)
    report = await swept(server, store, folder / "alone", syncs=SYNCS)
    return await snapshot(store), report


async def test_two_processes_make_the_graph_and_the_report_of_one(embedded: StoreSettings, tmp_path: Path) -> None:
    async with serving(estate()) as server, open_store(embedded) as store:
        server.faults = denied(where(account=server.estate.accounts[1], operation=("ListRoles", "GetBucketPolicy")))
        graph, alone = await undisturbed(server, embedded, tmp_path)
        calls = dict(server.calls)
        server.reset()
        await empty(store)
        together = await swept(server, embedded, tmp_path / "together", syncs=SYNCS, processes=2)
        assert_equal(await snapshot(store), graph)
        assert alone.status == "incomplete"
        assert counted(together) == counted(alone)
        assert together.calls["total"] == server.calls.total()
        assert together.peak_rss_mb > alone.peak_rss_mb + 100
        assumed = {key: count for key, count in server.calls.items() if key[3] in {"AssumeRole", "GetCallerIdentity"}}
        once = {key: count for key, count in calls.items() if key[3] in {"AssumeRole", "GetCallerIdentity"}}
        assert sum(assumed.values()) <= sum(once.values()) + len(server.estate.accounts), "each is assumed once more"
        assert collecting() == []


async def test_a_process_that_is_killed_stops_the_sweep_and_resuming_does_the_rest(
    embedded: StoreSettings, tmp_path: Path
) -> None:
    async with serving(estate()) as server, open_store(embedded) as store:
        graph, whole = await undisturbed(server, embedded, tmp_path)
        await empty(store)

        def kill() -> None:
            os.kill(collecting()[0], signal.SIGKILL)

        server.reset()
        server.faults = AtCall(whole.calls["total"] // 2, kill)
        with pytest.raises(ExceptionGroup) as stopped:
            await swept(server, embedded, tmp_path, syncs=SYNCS, processes=2)
        [lost] = leaves(stopped.value)
        assert isinstance(lost, ProcessLost)
        assert "by SIGKILL; `skysweep sync --resume`" in str(lost)
        assert collecting() == []
        with Ledger(tmp_path) as ledger:
            past = ledger.unfinished()
            assert past is not None
            done = sum(ledger.outcomes(past.id).values())
        server.reset()
        resumed = await swept(server, embedded, tmp_path, syncs=SYNCS, processes=2, resume=True)
        assert (resumed.sweep, resumed.status) == (past.id, "complete")
        assert 0 < done < sum(resumed.unit_totals.values())
        assert_equal(await snapshot(store), graph)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
async def test_an_interrupted_sweep_ends_its_processes_and_is_whole_once_resumed(
    embedded: StoreSettings, tmp_path: Path, how: signal.Signals
) -> None:
    options = ("--processes", "2", "--aws-requested-syncs", ",".join(SYNCS))
    async with serving(estate()) as server, open_store(embedded) as store:
        graph, whole = await undisturbed(server, embedded, tmp_path)
        await empty(store)
        server.reset()
        signalled: list[float] = []
        others: list[int] = []
        async with sync(server, embedded, tmp_path, *options) as stopped:

            def stop() -> None:
                others.extend(collecting(stopped.process.pid))
                signalled.append(time.monotonic())
                stopped.stop(how)

            server.faults = AtCall(whole.calls["total"] // 2, stop)
            code = await stopped.ended()
        assert time.monotonic() - signalled[0] < STOPPED
        assert code == ExitCode.INTERRUPTED, stopped.stderr.decode()
        assert "Traceback" not in stopped.stderr.decode()
        assert len(others) == 2
        assert not any(map(alive, others))
        async with sync(server, embedded, tmp_path, *options, "--resume") as resumed:
            assert (await resumed.report())["status"] == "complete"
        assert_equal(await snapshot(store), graph)


async def test_processes_end_with_a_sweep_that_is_killed(embedded: StoreSettings, tmp_path: Path) -> None:
    options = ("--processes", "2", "--aws-requested-syncs", ",".join(SYNCS))
    async with serving(estate()) as server, open_store(embedded):
        others: list[int] = []
        async with sync(server, embedded, tmp_path, *options) as killed:

            def kill() -> None:
                others.extend(collecting(killed.process.pid))
                killed.kill()

            server.faults = AtCall(60, kill)
            assert await killed.ended() == -signal.SIGKILL
        assert len(others) == 2
        with anyio.fail_after(20):
            while any(map(alive, others)):  # noqa: ASYNC110 - nothing tells of another process's end
                await anyio.sleep(0.05)


def alive(process: int) -> bool:
    with suppress(OSError):
        return (Path("/proc") / str(process) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def leaves(error: BaseException) -> list[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        return [leaf for each in error.exceptions for leaf in leaves(each)]
    return [error]


def test_a_collecting_process_is_told_nothing_of_the_graph(tmp_path: Path) -> None:
    graph = StoreSettings("bolt://h:7687", "somebody", "s3cret", "db", tmp_path)
    server = Server(Estate())
    server.url = "http://127.0.0.1:1"
    told = without_graph(settings(server, graph, tmp_path, processes=9, concurrency=10), 4)
    assert told.store == StoreSettings(None, None, None, None, tmp_path)
    assert (told.concurrency, told.aws.connections, told.processes) == (2, 2, 1)
