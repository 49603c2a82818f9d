"""`python -m skysweep._collecting FD`: a process of a sweep, which collects what it is told through that socket."""

from __future__ import annotations

import gc
import signal
import socket
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

import anyio

from skysweep import books, catalogue
from skysweep.catalogue import Type
from skysweep.channel import GONE, Channel
from skysweep.clients import Clients
from skysweep.collector import Collector, Feed, share, workers
from skysweep.crew import Brief, Ended, Failed, Given, Name, Rows, Told
from skysweep.entry import Entry
from skysweep.errors import Bug, leaves
from skysweep.limits import Limits
from skysweep.order import Lot, Order
from skysweep.outcomes import Quarantined, Tally, UnitResult
from skysweep.plan import Target, Unit
from skysweep.report import peak_rss_mb
from skysweep.turns import COLLECTIONS
from skysweep.writer import Batch

TELLS_SECONDS = 0.05


class Collecting:
    """The process: what it is given, what it collects and tells."""

    def __init__(self, channel: Channel, brief: Brief) -> None:
        self._aside: list[Quarantined] = []
        self._channel = channel
        self._settings = brief.settings
        self._tag = brief.tag
        self._catalogue = catalogue.load(brief.settings.syncs)
        if books.fingerprint(self._catalogue) != brief.fingerprint:
            raise Bug("it has other declarations than the sweep's own: skysweep was changed meanwhile")
        self._types = {type_: number for number, type_ in enumerate(self._catalogue.types)}
        self._calls = {call: number for number, call in enumerate(self._catalogue.calls)}
        self._tally = Tally()
        self._ended: list[Ended] = []
        self._dead: dict[str, str] = {}
        self._feed = Feed(Order(share=share(self._settings)))

    async def run(self) -> None:
        """Collects until there is nothing left to do."""
        async with Clients(self._settings.aws, self._tally) as clients:
            collector = Collector(
                self._settings,
                self._catalogue,
                clients,
                self._tag,
                self._tally,
                sink=lambda unit: _Rows(self._channel, self._name(unit), self._types, self._aside),
                finished=self._over,
                dead=self._dead,
            )
            async with anyio.create_task_group() as telling:
                telling.start_soon(self._tell_often)
                async with anyio.create_task_group() as hearing:
                    hearing.start_soon(self._hear, Entry(self._settings.aws, clients, Limits(0)))
                    await collector.run(self._feed, workers(self._settings))
                telling.cancel_scope.cancel()
        await self._tell()
        await self._channel.send(None)

    async def _hear(self, entry: Entry) -> None:
        """Takes accounts as they come, and enters them."""
        while (given := await self._channel.receive()) is not None:
            account = given.account
            if why := given.dead or await entry.again(account):
                self._dead[account.id] = why
            self._feed.add(self._lot(given))
        self._feed.close()

    def _lot(self, given: Given) -> Lot:
        account, calls = given.account, self._catalogue.calls
        return [
            (cost, Unit(Target(account.id, region, account.partition, account.organization), calls[number]))
            for cost, region, number in given.units
        ]

    def _name(self, unit: Unit) -> Name:
        return unit.target.account, unit.target.region, self._calls[unit.call]

    async def _tell_often(self) -> None:
        while True:
            await anyio.sleep(TELLS_SECONDS)
            await self._tell()

    async def _tell(self) -> None:
        """Tells the units that have ended, what was put aside until then, and the calls, since it was last told."""
        tally = self._tally
        calls = tally.calls, tally.throttled, tally.retried, tally.failed
        tally.calls = tally.throttled = tally.retried = tally.failed = 0
        slowest = min(tally.running.items(), key=lambda unit: unit[1], default=None)
        since = (slowest[0], time.monotonic() - slowest[1]) if slowest else None
        ended, self._ended = self._ended, []
        aside = self._aside[:]
        self._aside.clear()
        with anyio.CancelScope(shield=True):  # once they are taken, they are told
            await self._channel.send(Told(ended, aside, dict(self._dead), calls, since, peak_rss_mb()))

    def _over(self, unit: Unit, result: UnitResult) -> None:
        self._ended.append(
            Ended(
                *(self._name(unit), result.outcome.value, result.records, result.calls, result.seconds, result.error),
                result.details,
            )
        )


@dataclass(eq=False, slots=True)
class _Rows:
    """A `Sink` for the rows of one unit: the process that writes."""

    channel: Channel
    unit: Name
    types: Mapping[Type, int]
    aside: list[Quarantined]

    async def send(self, batch: Batch) -> None:
        """Sends the rows; waits while they are not read."""
        links = [(each.edge, each.start, each.end, each.properties) for each in batch.links]
        await self.channel.send(Rows(self.unit, self.types[batch.type], batch.rows, links, batch.owner))
        batch.done()


async def collect(descriptor: int) -> int:
    """Collects what comes through the socket; the exit code. Ends when the socket does."""
    channel = await Channel.of(socket.socket(fileno=descriptor))
    try:
        await Collecting(channel, await channel.receive()).run()
    except Exception as error:  # noqa: BLE001 - whatever it is, the sweep's own process tells it
        found = leaves(error)
        if not any(isinstance(leaf, GONE) for leaf in found):
            with suppress(*GONE):
                await channel.send(Failed(f"{type(found[0]).__name__}: {found[0]}"))
                await channel.receive()  # to be killed once it is read
        return 1
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # both are the sweep's own process's to answer
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    gc.set_threshold(*COLLECTIONS)
    sys.exit(anyio.run(collect, int(sys.argv[1])))
