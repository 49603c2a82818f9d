"""A sweep that is asked to end does so within 10 s, in any phase, says how to resume, and is whole once resumed."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from benchmarks.bolt import BoltProxy, bolt_proxy, unwatched
from benchmarks.fakeaws import Estate, Server, serving
from benchmarks.fakeaws.faults import calm, timeout
from benchmarks.stores import empty
from gates import AtCall, assert_equal, behind, published, snapshot, sync
from graphs import Graph
from skysweep.report import ExitCode
from skysweep.store import Store, StoreSettings, open_store
from test_gate_faults import AFTER, BEFORE, HUB, IRELAND, MEMBER, VIRGINIA, change

pytestmark = [pytest.mark.timeout(1800)]

SEED = 20261122
OPTIONS = ("--aws-requested-syncs", "dynamodb,kms,sns,sqs", "--concurrency", "8")
STOPPED = 10.0  # seconds, at most
PHASES = {  # what the statements of a phase have in them
    "sweeping": b"ON CREATE SET n.firstseen",
    "linking": b"ON CREATE SET r.firstseen",
    "cleaning up": b"UNWIND $scopes AS scope",
    "reporting": b" AS name, count(",
}


class Moments:
    """Does something once, at the n-th statement of a phase; counts those of every phase."""

    def __init__(self, phase: str = "", number: int = 0, action: Callable[[], object] = list) -> None:
        self.counts = dict.fromkeys(PHASES, 0)
        self._due = phase, number
        self._action = action

    def __call__(self, statement: bytes) -> None:
        """What the proxy tells of."""
        for phase, words in PHASES.items():
            if words in statement and (phase != "linking" or b"MATCH (s:" in statement):
                self.counts[phase] += 1
                if (phase, self.counts[phase]) == self._due:
                    self._action()


@dataclass
class Bench:
    """The embedded graph behind a proxy, a fake AWS, and what the graph is in each state of its estate.

    counts: statements of an undisturbed sweep, by phase. calls: its calls.
    """

    server: Server
    proxy: BoltProxy
    direct: Store
    store: StoreSettings
    home: Path
    graphs: dict[bool, Graph]
    counts: dict[str, int]
    calls: int

    def turn(self, more: bool) -> None:
        """Puts the estate into one of its two states."""
        change(self.server.estate, AFTER if more else BEFORE)
        self.server.reset()


@asynccontextmanager
async def benched(embedded: StoreSettings, tmp_path: Path) -> AsyncIterator[Bench]:
    """The bench, ready; no fixture, whose end runs in another task than the proxy's begin."""
    estate = Estate(seed=4, accounts=(HUB, MEMBER), regions=(VIRGINIA, IRELAND))
    async with (
        open_store(embedded) as direct,
        serving(estate) as server,
        bolt_proxy("127.0.0.1", published(embedded)["bolt"]) as proxy,
    ):
        await empty(direct)
        with behind(proxy, embedded, tmp_path / "store") as store:
            made = Bench(server, proxy, direct, store, tmp_path, {}, {}, 0)
            for more in (True, False):
                made.turn(more)
                proxy.watch = moments = Moments()
                async with sync(server, store, tmp_path, *OPTIONS) as undisturbed:
                    assert (await undisturbed.report())["status"] == "complete"
                made.graphs[more] = await snapshot(direct)
                made.counts, made.calls = moments.counts, server.calls.total()
            yield made


async def test_an_interrupted_sweep_ends_soon_and_is_whole_once_resumed(
    embedded: StoreSettings, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    random = Random(SEED)  # noqa: S311 - moments
    rounds = 4 if pytestconfig.option.soak else 1
    async with benched(embedded, tmp_path) as bench:
        assert all(bench.counts.values()), bench.counts
        for number, phase in enumerate([*PHASES, "asking", "asking in vain", "without its store"] * rounds):
            more = number % 2 == 0
            bench.turn(more)
            await interrupted(bench, phase, (signal.SIGINT, signal.SIGTERM)[number % 2], random)
            async with sync(bench.server, bench.store, bench.home, *OPTIONS, "--resume") as resumed:
                assert (await resumed.report())["status"] == "complete"
            assert_equal(await snapshot(bench.direct), bench.graphs[more])


async def interrupted(bench: Bench, phase: str, how: signal.Signals, random: Random) -> None:
    """A sweep that gets the signal at some moment of that phase, and what it leaves to be seen."""
    signalled: list[float] = []
    async with sync(bench.server, bench.store, bench.home, *OPTIONS) as stopped:

        def stop() -> None:
            signalled.append(time.monotonic())
            stopped.stop(how)

        moment = aimed(bench, phase, random, stop)
        code = await stopped.ended()
    seconds = time.monotonic() - signalled[0]
    bench.proxy.away, bench.proxy.watch, bench.server.faults = False, unwatched, calm
    told = stopped.stderr.decode()
    print(f"{how.name} {phase}, {moment}: {seconds:.1f} s")  # noqa: T201 - quoted by the soak
    assert code == ExitCode.INTERRUPTED, f"{phase}, {moment}: exit {code}: {told}"
    assert json.loads(stopped.stdout)["status"] == "interrupted"
    assert "--resume" in told
    assert "Traceback" not in told
    assert seconds <= STOPPED


def aimed(bench: Bench, phase: str, random: Random, stop: Callable[[], None]) -> str:
    """Has `stop` called at a moment of that phase; says which."""
    call = random.randrange(bench.calls // 4, bench.calls // 2)
    if phase in bench.counts:
        number = random.randrange(1, bench.counts[phase] + 1)
        bench.proxy.watch = Moments(phase, number, stop)
        return f"statement {number} of {bench.counts[phase]}"

    def leave() -> None:
        bench.proxy.away = True
        stop()

    action = leave if phase == "without its store" else stop
    silent = timeout(lambda seen: seen.number > call - 8)  # as many as are under way at once
    bench.server.faults = AtCall(call, action, silent if phase == "asking in vain" else calm)
    return f"call {call} of {bench.calls}"
