"""The part of a sweep that asks AWS: units are taken, walked, and what they give is handed over.

It may run in the process of the sweep or in several others (`crew.py`): it knows neither graph nor ledger.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import anyio

from skysweep.calls import Ask, Walk
from skysweep.catalogue import Catalogue
from skysweep.clients import Clients
from skysweep.errors import CallFailed
from skysweep.limits import Limits
from skysweep.model import Call
from skysweep.order import Lot, Order
from skysweep.outbox import Outbox, Sink, Written
from skysweep.outcomes import Outcome, Tally, UnitResult
from skysweep.paging import pages
from skysweep.plan import Target, Unit
from skysweep.records import Maker
from skysweep.settings import Settings
from skysweep.shelf import Shelf, fits

WORKERS = 2  # units under way for each exchange that may be: some wait for their buckets, some for the writers
SHARE = 4  # an account lets others pass once it has this part of the workers


def workers(settings: Settings) -> int:
    """How many units may be under way at once."""
    return WORKERS * settings.concurrency


def share(settings: Settings) -> int:
    """How many of one account, before others come first."""
    return max(1, workers(settings) // SHARE)


class Feed:
    """The units of an order, for workers that wait while there are none; more may come until it is closed."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._news = anyio.Event()
        self._closed = False

    async def next(self) -> Unit | None:
        """The next unit; None where no more will come."""
        while True:
            unit = next(self._order, None)
            if unit is not None or self._closed:
                return unit
            await self._news.wait()

    def over(self, unit: Unit) -> None:
        """A unit that was taken has ended."""
        self._order.over(unit)

    def add(self, lot: Lot) -> None:
        """More units, of a further account."""
        self._order.add(lot)
        self._tell()

    def close(self) -> None:
        """No more will come."""
        self._closed = True
        self._tell()

    def _tell(self) -> None:
        self._news.set()
        self._news = anyio.Event()


@dataclass(eq=False)
class Collector:
    """Walks units by workers.

    sink: where a unit's rows go. finished: told of each unit once they are where they belong. dead: by account, why its
    credentials are gone; its units fail at once.
    """

    settings: Settings
    catalogue: Catalogue
    clients: Clients
    tag: int
    tally: Tally
    sink: Callable[[Unit], Sink]
    finished: Callable[[Unit, UnitResult], None]
    dead: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._makers = {type_: Maker(type_, self.tag) for type_ in self.catalogue.types}
        self._shelf = Shelf()
        self._written = Written()
        self._limits = Limits(self.settings.aws.rate_share, adaptive=self.settings.aws.retry_mode == "adaptive")

    async def run(self, feed: Feed, count: int) -> None:
        """Walks all units of the feed, by so many workers."""
        async with anyio.create_task_group() as walking:
            for _ in range(count):
                walking.start_soon(self._work, feed)

    async def _work(self, feed: Feed) -> None:
        while (unit := await feed.next()) is not None:
            outbox = Outbox(unit, self._makers, self.sink(unit), self.finished, self._written)
            name = f"{unit} {unit.call.literal}".removesuffix(" {}")
            self.tally.running[name] = time.monotonic()
            await self._unit(unit, outbox)
            del self.tally.running[name]
            feed.over(unit)

    async def _unit(self, unit: Unit, outbox: Outbox) -> None:
        started, mine = time.monotonic(), Tally()
        target, call = unit.target, unit.call
        branch = self.catalogue.branches[call]
        walk = Walk(unit, branch, self._asker(started, mine, waits=fits(branch)), outbox.emit, outbox.unfit)
        outcome, error = Outcome.FAILED, self.dead.get(target.account)
        if error is None:
            try:
                outcome, error = await walk.run()
            except CallFailed as dead:
                outcome, error = Outcome.FAILED, str(dead)
                self.dead[target.account] = error
        result = UnitResult(
            *(target.account, target.region, call.service, call.operation, outcome),
            *(walk.records, mine.calls, time.monotonic() - started, error, walk.details),
        )
        await outbox.close(result)

    def _asker(self, started: float, mine: Tally, *, waits: bool) -> Ask:
        """`calls.Ask` for one unit: its own tally, added to the sweep's as pages come, and its deadline.

        waits: whether its listing's pages wait for room.
        """
        deadline = started + self.settings.unit_deadline

        async def ask(
            target: Target, call: Call, inputs: Mapping[str, Any], region: str | None
        ) -> AsyncIterator[Mapping[str, Any]]:
            asked = Tally()
            coming: AsyncIterator[Mapping[str, Any]] = pages(
                self.clients, self._limits, target, call, inputs, deadline=deadline, tally=asked, region=region
            )
            if waits and call.on is None:
                coming = self._shelf.pages(call, coming)
            try:
                async for page in coming:
                    yield page
            finally:
                mine.add(asked)
                self.tally.add(asked)

        return ask
