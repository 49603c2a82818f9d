"""One unit: its listing page by page, the detail calls of every record, and the records that come of them.

How a call is sent (limits, retries, pages) is `paging.py`'s; here is what is asked for, in which order, and what a
failure means. A listing's failure is the unit's outcome; a detail's failure is counted and leaves the record without
that reply.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Any

import anyio
import orjson

from skysweep import paths
from skysweep.catalogue import Branch, Feed, Type
from skysweep.errors import CallFailed
from skysweep.model import UNREADABLE, Among, Call, Context, Record, Unanswered
from skysweep.outcomes import DetailFailure, Outcome
from skysweep.plan import Target, Unit
from skysweep.retry import forgotten
from skysweep.turns import Turns

Reply = Mapping[str, Any]
Ask = Callable[[Target, Call, Mapping[str, Any], str | None], AsyncIterator[Reply]]
"""Sends one call (target, call, inputs, another region or None) and yields its pages. Raises CallFailed."""
Emit = Callable[[Type, Record], Awaitable[None]]
Unfit = Callable[[Type, Record, Exception], None]
"""Told of a record that a declaration's own function could not read, once for each type it would have fed."""

DEEPEST = 16  # records above one another: what is called again and again must end
WINDOW = 100  # records of one list whose details are under way at once: bounds memory, not speed (paging bounds that)

_OUTCOMES = {"denied": Outcome.DENIED, "absent": Outcome.ABSENT}


class Walk:
    """The work of one unit; after `run`, `records` counts the items listed and `details` says what did not answer."""

    def __init__(self, unit: Unit, branch: Branch, ask: Ask, emit: Emit, unfit: Unfit) -> None:
        self.records = 0
        self._unit = unit
        self._branch = branch
        self._ask = ask
        self._emit = emit
        self._unfit = unfit
        self._context = Context(
            unit.target.account, unit.target.region, unit.target.partition, unit.target.organization
        )
        self._listed: Counter[Feed] = Counter()
        self._failures: dict[Call, DetailFailure] = {}
        self._unasked: set[Call] = set()
        self._batched: dict[tuple[Call, str], set[str]] = {}  # what was asked for already, by call and other inputs
        self._dead: CallFailed | None = None
        self._turns = Turns()

    @property
    def details(self) -> tuple[DetailFailure, ...]:
        """The detail operations that did not answer for some record, or were another account's to ask (`absent`)."""
        unasked = (
            DetailFailure(call.service, call.operation, Outcome.ABSENT, 1, "not asked here")
            for call in self._unasked
            if call not in self._failures
        )
        return (*self._failures.values(), *unasked)

    async def run(self) -> tuple[Outcome, str | None]:
        """Does the unit: its outcome, and the error of its listing. Raises CallFailed only for dead credentials."""
        try:
            await _anew(self._listing)
        except CallFailed as error:
            if error.why == "dead":
                raise
            if error.why == "missing":
                return Outcome.COMPLETE, None
            return _OUTCOMES.get(error.why, Outcome.FAILED), str(error)
        return Outcome.COMPLETE, None

    async def _listing(self) -> None:
        call = self._branch.call
        self.records = 0
        self._listed.clear()
        async for page in self._ask(self._unit.target, call, literal(call, self._context), None):
            await self._reply(self._branch, page, None)

    async def _reply(self, branch: Branch, reply: Reply, up: Record | None) -> None:
        for feed in branch.feeds:
            found = self._found(feed, reply, up)
            listed = up is None and not any(type_.teller for type_ in feed.types)
            while window := list(islice(found, WINDOW)):
                if listed:
                    self.records += len(window)
                await self._window(feed, window)

    def _found(self, feed: Feed, reply: Reply, up: Record | None) -> Iterator[Record]:
        try:
            found = paths.records(feed.source.path, reply, self._context, up)
        except UNREADABLE as error:
            raise CallFailed("failed", "SpoiledReply", f"{feed.source.path}: {error}") from error
        for record in found:
            if up is None:
                self._listed[feed] += 1
                record.number = self._listed[feed]
            if feed.source.make is None:
                yield record
                continue
            try:
                made = list(feed.source.make(record))
            except UNREADABLE as error:
                for type_ in feed.every_type:
                    self._unfit(type_, record, error)
                continue
            yield from (Record(item, self._context, record) for item in made)

    async def _window(self, feed: Feed, window: Sequence[Record]) -> None:
        """The details of these records, and their rows: those are made once each has its own answers."""
        each = [branch for branch in feed.details if not branch.call.batch]
        told = [branch for branch in feed.details if branch.call.whose]
        last = [branch for branch in told if branch.call.after]
        for branch in told:
            if branch not in last:
                await self._answers(branch, window)
        there = list(window) if not each else []
        if each:
            async with anyio.create_task_group() as tasks:
                for record in window:
                    tasks.start_soon(self._record, feed, each, record, there if last else None)
            self._still_alive()
        for branch in last:
            await self._answers(branch, there)
        for record in there:
            await self._rows(feed, record)
            await self._turns.next()  # making rows never waits: a large page would hold everybody up
        for branch in feed.details:
            if branch.call.batch and not branch.call.whose:
                await self._batches(branch, window)

    async def _record(
        self, feed: Feed, details: Sequence[Branch], record: Record, there: list[Record] | None = None
    ) -> None:
        """Asks for a record's details, and makes its rows; there: puts it among those that wait for more, instead."""
        try:
            for branch in details:
                await self._detail(branch, record)
        except CallFailed as error:
            if error.why == "dead":  # raised once the window's other records have ended
                self._dead = error
            return  # raced: the thing was deleted after it was listed
        if there is None:
            await self._rows(feed, record)
        else:
            there.append(record)

    def _still_alive(self) -> None:
        if self._dead:
            raise self._dead

    async def _rows(self, feed: Feed, record: Record) -> None:
        for type_ in feed.types:
            await self._emit(type_, record)

    async def _detail(self, branch: Branch, record: Record) -> None:
        call = branch.call
        try:
            if call.when is not None and not call.when(record):
                return
            inputs = _inputs(call, record)
            region = call.region(record) if call.region else None
        except Unanswered:
            record.failed.add(call)
            self._unasked.add(call)
            return
        except UNREADABLE as error:
            record.failed.add(call)
            self._count(call, CallFailed("failed", type(error).__name__, str(error)))
            return
        if inputs is None:
            return
        try:
            pages = partial(self._ask, self._unit.target, call, inputs, region)
            await _anew(lambda: self._told(branch, pages(), record))
        except CallFailed as error:
            if error.why in {"raced", "dead"}:
                raise
            if error.why == "missing":
                record.replies[call] = {}
            else:
                record.failed.add(call)
                self._count(call, error)

    async def _told(self, branch: Branch, pages: AsyncIterator[Reply], record: Record) -> None:
        """Walks what a detail call answers for the record."""
        call = branch.call
        if call.again and _depth(record) > DEEPEST:
            raise CallFailed("failed", "TooDeep", f"{call} goes deeper than {DEEPEST} levels")
        if branch.merge:
            reply = merged([page async for page in pages])
            if paths.spoiled(reply):
                raise CallFailed("failed", "SpoiledReply", f"{call} answered what cannot be read")
            record.replies[call] = reply
            await self._reply(branch, reply, record)
        else:
            async for page in pages:
                await self._reply(branch, page, record)

    async def _answers(self, branch: Branch, window: Sequence[Record]) -> None:
        """Calls for many records at once, by region and other inputs, whose reply tells of each record apart."""
        call = branch.call
        asked: dict[tuple[str | None, str], dict[str, list[Record]]] = {}
        for record in window:
            try:
                found = _value(call, record)
                region = call.region(record) if call.region and found else None
            except Unanswered:
                record.failed.add(call)
                self._unasked.add(call)
                continue
            except UNREADABLE as error:
                record.failed.add(call)
                self._count(call, CallFailed("failed", type(error).__name__, str(error)))
                continue
            if found:
                others, value = found
                asked.setdefault((region, others), {}).setdefault(value, []).append(record)
        async with anyio.create_task_group() as tasks:
            for (region, others), records in asked.items():
                given = iter(records.items())
                while chunk := dict(islice(given, call.batch)):
                    tasks.start_soon(self._answer, branch, orjson.loads(others), region, chunk)
        self._still_alive()

    async def _answer(
        self, branch: Branch, others: Mapping[str, Any], region: str | None, asked: Mapping[str, Sequence[Record]]
    ) -> None:
        """One such call: the records by the values that are asked for."""
        call = branch.call
        inputs = {**literal(call, self._context), **others, **_several(call, list(asked))}
        pages = partial(self._ask, self._unit.target, call, inputs, region)
        told: dict[str, Reply] = {}
        try:
            await _anew(lambda: self._told_apart(branch, pages(), others, told))
        except CallFailed as error:
            if error.why == "dead":  # raised once the others have ended
                self._dead = error
                return
            if error.why != "missing":
                for record in (record for records in asked.values() for record in records):
                    record.failed.add(call)
                self._count(call, error)
                return
        for value, records in asked.items():
            for record in records:
                record.replies[call] = told.get(value, {})

    async def _told_apart(
        self, branch: Branch, pages: AsyncIterator[Reply], others: Mapping[str, Any], told: dict[str, Reply]
    ) -> None:
        call = branch.call
        several = Record(others, self._context)
        path, member = call.whose or ("@", "")
        async for page in pages:
            if paths.spoiled(page):
                raise CallFailed("failed", "SpoiledReply", f"{call} answered what cannot be read")
            told.update((record[member], record.item) for record in paths.records(path, page, self._context))
            await self._reply(branch, page, several)

    async def _batches(self, branch: Branch, window: Sequence[Record]) -> None:
        """Calls for many values at once, by their other inputs: each distinct value is asked for once in the unit."""
        call = branch.call
        asked: dict[str, dict[str, None]] = {}
        for record in window:
            try:
                found = _value(call, record)
            except UNREADABLE as error:
                self._count(call, CallFailed("failed", type(error).__name__, str(error)))
                continue
            if found:
                others, value = found
                asked.setdefault(others, {})[value] = None
        for others, values in asked.items():
            before = self._batched.setdefault((call, others), set())
            given = iter([value for value in values if value not in before])
            before.update(values)
            while chunk := list(islice(given, call.batch)):
                await self._batch(branch, orjson.loads(others), chunk)

    async def _batch(self, branch: Branch, others: Mapping[str, Any], values: list[str]) -> None:
        call = branch.call
        inputs = {**literal(call, self._context), **others, **_several(call, values)}
        pages = partial(self._ask, self._unit.target, call, inputs, None)
        try:
            await _anew(lambda: self._batched_reply(branch, pages(), others))
        except CallFailed as error:
            if error.why == "dead":
                raise
            gone = error.why == "missing" or (error.why == "raced" and call.batch == 1)
            if not gone:
                self._count(call, error)

    async def _batched_reply(self, branch: Branch, pages: AsyncIterator[Reply], others: Mapping[str, Any]) -> None:
        several = Record(others, self._context)  # what they hang on: none of the window's records alone
        async for page in pages:
            await self._reply(branch, page, several)

    def _count(self, call: Call, error: CallFailed) -> None:
        seen = self._failures.get(call)
        outcome = _OUTCOMES.get(error.why, Outcome.FAILED)
        self._failures[call] = (
            DetailFailure(call.service, call.operation, seen.outcome, seen.count + 1, seen.error)
            if seen
            else DetailFailure(call.service, call.operation, outcome, 1, str(error))
        )


def _several(call: Call, values: Sequence[str]) -> dict[str, Any]:
    """The input of a batched call that says what it is asked about."""
    name, path = call.inputs[0]
    if isinstance(path, Among):
        return {name: [{"Name": path.name, "Values": values}]}
    return {name: values[0] if call.batch == 1 else values}


def _value(call: Call, record: Record) -> tuple[str, str] | None:
    """What a record adds to a batched call: the other inputs, as JSON, and one value; None where it adds nothing."""
    (_, path), *others = call.inputs
    if call.when is not None and not call.when(record):
        return None
    value = paths.reader(path.path if isinstance(path, Among) else path)(record)
    if value is not None and not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    inputs = _inputs(replace(call, inputs=tuple(others)), record) if others else {}
    return (orjson.dumps(inputs).decode(), value) if value and inputs is not None else None


async def _anew(read: Callable[[], Awaitable[None]]) -> None:
    """Reads a listing; again from its first page, once, where AWS has forgotten its pagination token on the way."""
    try:
        await read()
    except CallFailed as error:
        if not forgotten(error.code, error.message):
            raise
        await read()


def literal(call: Call, context: Context) -> dict[str, Any]:
    """The call's fixed inputs, with the target's account, region and partition put into their texts."""
    return _filled(orjson.loads(call.literal), context)  # type: ignore[no-any-return]  # an object by construction


def merged(pages: Sequence[Reply]) -> Reply:
    """Pages as one reply: lists and maps are joined, all else is the first page's."""
    if len(pages) == 1:
        return pages[0]
    whole: dict[str, Any] = {}
    for page in pages:
        for name, value in page.items():
            known = whole.setdefault(name, value)
            if known is value:
                continue
            if isinstance(known, list):
                whole[name] = [*known, *value]
            elif isinstance(known, dict):
                whole[name] = {**known, **value}
    return whole


def _depth(record: Record | None) -> int:
    depth = 0
    while record is not None:
        depth, record = depth + 1, record.up
    return depth


def _inputs(call: Call, record: Record) -> dict[str, Any] | None:
    """The inputs of a detail call for this record; None where the record lacks one."""
    inputs = literal(call, record.context)
    for name, path in call.inputs:
        value = paths.reader(path.path if isinstance(path, Among) else path)(record)
        if value is None:
            return None
        inputs[name] = [{"Name": path.name, "Values": [value]}] if isinstance(path, Among) else value
    return inputs


def _filled(value: Any, context: Context) -> Any:
    if isinstance(value, str):
        return paths.fill(value, context)
    if isinstance(value, list):
        return [_filled(each, context) for each in value]
    if isinstance(value, dict):
        return {key: _filled(each, context) for key, each in value.items()}
    return value
