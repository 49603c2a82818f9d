"""One sweep by several processes: each asks AWS of accounts of its own; this one alone writes graph and ledger.

Accounts are dealt as processes have room. A collecting process sends rows as they come, and each unit's end after them;
where the writers lag, it is not read, and waits. It has neither the graph's address nor the ledger's, and it makes its
own credentials from the same profile or role: none of them is sent (but those that the settings themselves hold), and
nothing is on a command line, in the environment or in a file. It ends when its socket does. docs/decisions/0012.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import anyio
from anyio.abc import Process

from skysweep.address import StoreSettings
from skysweep.catalogue import Catalogue
from skysweep.channel import GONE, Channel
from skysweep.errors import Bug, ProcessLost
from skysweep.order import Deal, Lot
from skysweep.outbox import Sink
from skysweep.outcomes import DetailFailure, Outcome, Quarantined, Tally, UnitResult
from skysweep.plan import Account, Unit
from skysweep.records import Linked
from skysweep.settings import Settings
from skysweep.writer import Batch

Name = tuple[str, str, int]  # a unit's: account, region, number of the call
ENDS_SECONDS = 10.0  # in which a process that is done has to end


class Brief(NamedTuple):
    """What a collecting process is told first: settings without a graph, the sweep's update tag, what it collects.

    Later on a number stands for a type or a root call: its place in the catalogue.
    """

    settings: Settings
    tag: int
    fingerprint: str


class Given(NamedTuple):
    """An account to collect: its units by cost, region and number of the call; dead: why it cannot be entered."""

    account: Account
    units: list[tuple[float, str, int]]
    dead: str | None


class Rows(NamedTuple):
    """A batch of one unit: the number of its type, its rows and links, and who owns them."""

    unit: Name
    type: int
    rows: list[Any]
    links: list[Any]
    owner: str


class Ended(NamedTuple):
    """A unit's end, after its rows: the fields of its result."""

    unit: Name
    outcome: str
    records: int
    calls: int
    seconds: float
    error: str | None
    details: tuple[DetailFailure, ...]


class Told(NamedTuple):
    """What is new: units that have ended, what was put aside until then, which accounts' credentials are gone, and why.

    calls: since it told last: all, throttled, retried, failed. slowest: the unit that began first, with its seconds.
    """

    ended: list[Ended]
    aside: list[Quarantined]
    dead: dict[str, str]
    calls: tuple[int, int, int, int]
    slowest: tuple[str, float] | None
    peak_rss_mb: float


class Failed(NamedTuple):
    """Why a process cannot go on."""

    error: str


@dataclass(slots=True)
class _Dealt:
    """A unit that was given out: how many of its batches are with the writers, and its result once it has ended."""

    unit: Unit
    batches: int = 0
    result: UnitResult | None = None


@dataclass(eq=False, slots=True)
class _Hand:
    """A collecting process."""

    number: int
    process: Process
    channel: Channel
    slowest: str = ""
    peak_rss_mb: float = 0.0


class Crew:
    """Collects by several processes. finished, dead: as in `Collector`. peak_rss_mb: theirs together, at the end."""

    def __init__(
        self,
        catalogue: Catalogue,
        tally: Tally,
        *,
        sink: Sink,
        finished: Callable[[Unit, UnitResult], None],
        dead: dict[str, str],
    ) -> None:
        self.peak_rss_mb = 0.0
        self._types = catalogue.types
        self._calls = {call: number for number, call in enumerate(catalogue.calls)}
        self._tally = tally
        self._sink = sink
        self._finished = finished
        self._dead = dead
        self._dealt: dict[Name, _Dealt] = {}
        self._hands: list[_Hand] = []

    async def run(self, brief: Brief, lots: Iterable[tuple[Account, Lot]], processes: int) -> None:
        """Collects all of the lots. Raises ProcessLost where a process ends before its time."""
        self._deal, self._ended = Deal(lots, processes), False
        async with _hired(processes) as self._hands:
            async with anyio.create_task_group() as hearing:
                for hand in self._hands:
                    hearing.start_soon(self._hear, hand)
                for hand in self._hands:
                    await _send(hand, brief)
                await self._hand_out()
            with anyio.move_on_after(ENDS_SECONDS):
                for hand in self._hands:
                    await hand.process.wait()
        self.peak_rss_mb = sum(hand.peak_rss_mb for hand in self._hands)

    async def _hand_out(self) -> None:
        """Gives accounts to those that have room; tells all once there is nothing left to do."""
        while (dealt := self._deal.next()) is not None:
            number, account, lot = dealt
            given = Given(account, [], self._dead.get(account.id))
            for cost, unit in lot:
                name = account.id, unit.target.region, self._calls[unit.call]
                self._dealt[name] = _Dealt(unit)
                given.units.append((cost, *name[1:]))
            await _send(self._hands[number], given)
        if self._deal.done and not self._ended:
            self._ended = True
            for hand in self._hands:
                await _send(hand, None)

    async def _hear(self, hand: _Hand) -> None:
        """Takes what a process tells, to its end."""
        while (message := await _receive(hand)) is not None:
            if isinstance(message, Rows):
                await self._rows(message)
            elif isinstance(message, Told):
                self._told(hand, message)
                await self._hand_out()
            else:
                raise Bug(f"a process of the sweep failed: {message.error}")
        self._tally.running.pop(hand.slowest, None)

    async def _rows(self, message: Rows) -> None:
        dealt = self._dealt[message.unit]
        dealt.batches += 1

        def done() -> None:
            dealt.batches -= 1
            self._settle(message.unit)

        account, region, _ = message.unit
        links = [Linked(*link) for link in message.links]
        await self._sink.send(
            Batch(self._types[message.type], account, region, message.rows, links, owner=message.owner, done=done)
        )

    def _settle(self, name: Name) -> None:
        """A unit has ended once it says so and all of its rows are committed."""
        dealt = self._dealt[name]
        if dealt.result is not None and not dealt.batches:
            del self._dealt[name]
            self._finished(dealt.unit, dealt.result)

    def _told(self, hand: _Hand, message: Told) -> None:
        tally = self._tally
        calls, throttled, retried, failed = message.calls
        tally.add(Tally(calls=calls, throttled=throttled, retried=retried, failed=failed))
        tally.running.pop(hand.slowest, None)
        if message.slowest is not None:
            hand.slowest, seconds = message.slowest
            tally.running[hand.slowest] = time.monotonic() - seconds
        hand.peak_rss_mb = message.peak_rss_mb
        self._sink.aside.extend(message.aside)
        self._dead.update(message.dead)
        for ended in message.ended:
            self._over(hand, ended)

    def _over(self, hand: _Hand, ended: Ended) -> None:
        dealt = self._dealt[ended.unit]
        target, call = dealt.unit.target, dealt.unit.call
        dealt.result = UnitResult(
            *(target.account, target.region, call.service, call.operation, Outcome(ended.outcome)),
            *(ended.records, ended.calls, ended.seconds, ended.error, ended.details),
        )
        self._deal.over(hand.number, dealt.unit)
        self._settle(ended.unit)


def without_graph(settings: Settings, processes: int) -> Settings:
    """The settings as one of so many processes gets them: its part of the exchanges, and nothing of the graph."""
    concurrency = max(1, settings.concurrency // processes)
    nowhere = StoreSettings(None, None, None, None, settings.state)
    aws = replace(settings.aws, connections=concurrency)
    return replace(settings, store=nowhere, aws=aws, concurrency=concurrency, processes=1)


@asynccontextmanager
async def _hired(count: int) -> AsyncIterator[list[_Hand]]:
    """So many processes, which are killed with the block: they hold nothing that could be lost."""
    hands: list[_Hand] = []
    try:
        for number in range(count):
            ours, theirs = socket.socketpair()
            with theirs:
                process = await anyio.open_process(
                    [sys.executable, "-m", "skysweep._collecting", str(theirs.fileno())],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=None,
                    start_new_session=True,  # Ctrl-C is this process's to answer
                    pass_fds=[theirs.fileno()],
                )
            hands.append(_Hand(number, process, await Channel.of(ours)))
        yield hands
    finally:
        with anyio.CancelScope(shield=True):
            for hand in hands:
                await hand.channel.aclose()
                await _end(hand.process)


async def _send(hand: _Hand, message: Any) -> None:
    try:
        await hand.channel.send(message)
    except GONE as error:
        raise await _lost(hand) from error


async def _receive(hand: _Hand) -> Any:
    try:
        return await hand.channel.receive()
    except GONE as error:
        raise await _lost(hand) from error


async def _lost(hand: _Hand) -> ProcessLost:
    """The error of a process that has ended before its time."""
    code = await _end(hand.process)  # it may be that only its socket is gone
    how = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
    return ProcessLost(
        f"a process of the sweep has ended before its time, {how}; `skysweep sync --resume` does the rest"
    )


async def _end(process: Process) -> int:
    """Kills the process where it has not ended yet; its exit code."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)  # `process.kill` asks for the exit code first: asyncio would miss it
    return await process.wait()
