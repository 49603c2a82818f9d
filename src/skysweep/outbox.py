"""The rows of one unit on their way to the writers; the unit is finished when the last of them is committed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Protocol

from skysweep.catalogue import Type
from skysweep.model import Record
from skysweep.outcomes import Quarantined, UnitResult
from skysweep.plan import Unit
from skysweep.records import Maker, Unfit
from skysweep.writer import Batch, shown

ROWS = 200  # rows of one type that a unit gathers before it hands them over; the writers put them together
KEPT = 50_000  # ids of a label that are remembered in a sweep: some 6 MB
OWN = 5_000  # and in a unit


class Written:
    """Which nodes that many records tell of, tags above all, this sweep has written: nothing else is to tell of them.

    Bounded: what is forgotten is written once more, which changes nothing.
    """

    def __init__(self, most: int = KEPT) -> None:
        self._most = most
        self._ids: defaultdict[str, set[str]] = defaultdict(set)

    def has(self, label: str, name: str) -> bool:
        """Whether it is known that the node of that id is written."""
        return name in self._ids[label]

    def add(self, label: str, names: Iterable[str]) -> None:
        """The nodes of these ids are."""
        known = self._ids[label]
        if len(known) >= self._most:
            known.clear()
        known.update(names)


class Sink(Protocol):
    """Where rows go; aside: and records that cannot become rows."""

    aside: list[Quarantined]

    async def send(self, batch: Batch) -> None:
        """Takes a batch; waits while there is no room for it."""


class Outbox:
    """Makes rows of a unit's records and hands them over. finished: told the result once all rows are committed.

    written: what need not be handed over again, by whichever unit.
    """

    def __init__(
        self,
        unit: Unit,
        makers: Mapping[Type, Maker],
        sink: Sink,
        finished: Callable[[Unit, UnitResult], None],
        written: Written | None = None,
    ) -> None:
        self._unit = unit
        self._makers = makers
        self._sink = sink
        self._finished = finished
        self._written = written or Written()
        self._own = Written(OWN)
        self._open: dict[tuple[Type, str], Batch] = {}
        self._pending = 0
        self._result: UnitResult | None = None

    async def emit(self, type_: Type, record: Record) -> None:
        """Takes one record; hands a full batch over."""
        maker = self._makers[type_]
        if type_.teller and self._repeats(type_.label, maker.id(record)):
            return
        try:
            row = maker.row(record)
            links = list(maker.links(record, row["id"]))
        except Unfit as error:
            self._put_aside(type_, maker.id(record) or "", record, error)
            return
        owner = row.pop("owner", "")
        batch = self._open.get((type_, owner))
        if batch is None:
            where = self._unit.target.account, self._unit.target.region
            batch = self._open[type_, owner] = Batch(type_, *where, done=self._done, owner=owner)
            if type_.teller:
                batch.done = partial(self._told, batch)
        batch.rows.append(row)
        batch.links += links
        if len(batch.rows) >= ROWS:
            await self._hand_over(type_, owner)

    def unfit(self, type_: Type, record: Record, error: Exception) -> None:
        """Puts a record aside that records of this type would have been made of."""
        self._put_aside(type_, "", record, error)

    async def close(self, result: UnitResult) -> None:
        """No more records will come."""
        for type_, owner in list(self._open):
            await self._hand_over(type_, owner)
        self._result = result
        self._finish()

    def _put_aside(self, type_: Type, name: str, record: Record, error: Exception) -> None:
        # Never the record itself: it may hold what nobody asked for, environment variables or user data.
        target = self._unit.target
        where = target.account, target.region, str(self._unit.call), _number(record)
        self._sink.aside.append(Quarantined(type_.name, shown(name), *where, shown(error)))

    async def _hand_over(self, type_: Type, owner: str) -> None:
        batch = self._open.pop((type_, owner))
        self._pending += 1
        await self._sink.send(batch)

    def _repeats(self, label: str, name: str | None) -> bool:
        """Whether the node is written, or will be with the rest of this unit."""
        if name is None:
            return False
        if self._written.has(label, name) or self._own.has(label, name):
            return True
        self._own.add(label, (name,))
        return False

    def _told(self, batch: Batch) -> None:
        self._written.add(batch.type.label, (row["id"] for row in batch.rows))
        self._done()

    def _done(self) -> None:
        self._pending -= 1
        self._finish()

    def _finish(self) -> None:
        if self._result is not None and not self._pending:
            self._finished(self._unit, self._result)


def _number(record: Record | None) -> int:
    """Which item of the listing the record is, or hangs on; 0 where it hangs on none."""
    while record is not None and not record.number:
        record = record.up
    return record.number if record is not None else 0
