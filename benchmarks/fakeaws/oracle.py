"""What a sweep of an estate must find: the declarations applied to the fake's answers, without a wire, pages or time.

It walks the tree of calls as the engine does, but one after another, each listing as one page and nothing ever failing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from benchmarks.fakeaws.answers import Answers
from benchmarks.fakeaws.estate import Estate
from benchmarks.fakeaws.identity import Refused
from benchmarks.fakeaws.models import operation
from skysweep import calls, catalogue, paths, plan, regions
from skysweep.catalogue import Branch, Catalogue, Feed, Type
from skysweep.model import Context, Record, Unanswered
from skysweep.records import Maker


class Oracle:
    """The graph ids that sweeps must find in an estate as it is now."""

    def __init__(self, estate: Estate, *, types: Catalogue | None = None) -> None:
        self.catalogue = types or catalogue.load()
        self._answers = Answers(estate)
        self._makers = {type_: Maker(type_) for type_ in self.catalogue.types}

    def ids(self, account: str, region: str) -> dict[str, set[str]]:
        """By label, the ids of the nodes that a sweep of the account in the region (or ``global``) tells of.

        What is shared with the account is its owner's to tell of.
        """
        found: dict[str, set[str]] = {}
        context = Context(account, region, self._answers.estate.partition)
        for call in self.catalogue.calls:
            if (call.per == "account") == (region == plan.GLOBAL):
                self._branch(self.catalogue.branches[call], calls.literal(call, context), context, None, found)
        return found

    def every(self) -> dict[str, set[str]]:
        """By label, the ids of all accounts that are not suspended, in all regions; the accounts' own among them."""
        found: dict[str, set[str]] = {}
        estate = self._answers.estate
        alive = [account for account in estate.accounts if account not in estate.suspended]
        for account in alive:
            for region in (plan.GLOBAL, *estate.regions):
                for label, ids in self.ids(account, region).items():
                    found.setdefault(label, set()).update(ids)
        return found

    def _branch(
        self,
        branch: Branch,
        inputs: dict[str, Any],
        context: Context,
        up: Record | None,
        found: dict[str, set[str]],
        *,
        asker: Record | None = None,
    ) -> dict[str, Any]:
        """Calls for `asker`, and tells what comes of the reply's records; the reply, for those who read it whole."""
        call = branch.call
        region = call.region(asker) if call.region and asker else context.region
        place = regions.home(call.service, context.partition) if region == plan.GLOBAL else region
        asked_for = operation(call.service, call.operation)
        reply, _ = self._answers.reply(asked_for, inputs, context.account, place, whole=True)
        if up is not None and branch.merge:
            up.replies[call] = reply
        for feed in branch.feeds:
            for record in _records(feed, reply, context, up):
                self._record(feed, record, found)
        return reply

    def _record(self, feed: Feed, record: Record, found: dict[str, set[str]]) -> None:
        for branch in feed.details:
            try:
                self._detail(branch, record, found)
            except (Unanswered, Refused):
                record.failed.add(branch.call)
        for type_ in feed.types:
            if self._makers[type_]._owner_of(record) in {None, record.context.account}:  # noqa: SLF001 - as for _id
                found.setdefault(type_.label, set()).add(self._id(type_, record))

    def _detail(self, branch: Branch, record: Record, found: dict[str, set[str]]) -> None:
        call = branch.call
        if call.when is not None and not call.when(record):
            return
        if call.batch:
            self._batch(branch, record, found)
            return
        inputs = calls._inputs(call, record)  # noqa: SLF001 - what the engine asks with
        if inputs is not None:
            self._branch(branch, inputs, record.context, record, found, asker=record)

    def _batch(self, branch: Branch, record: Record, found: dict[str, set[str]]) -> None:
        """A batch of one: what comes of it hangs on the inputs that a whole one shares."""
        call, context = branch.call, record.context
        asked_for = calls._value(call, record)  # noqa: SLF001 - as above
        if asked_for is None:
            return
        others = orjson.loads(asked_for[0])
        inputs = {**calls.literal(call, context), **others, **calls._several(call, [asked_for[1]])}  # noqa: SLF001 - too
        reply = self._branch(branch, inputs, context, Record(others, context), found, asker=record)
        if call.whose:
            path, member = call.whose
            told = (each.item for each in paths.records(path, reply, context) if each[member] == asked_for[1])
            record.replies[call] = next(told, {})

    def _id(self, type_: Type, record: Record) -> str:
        return str(self._makers[type_]._id(record))  # noqa: SLF001 - rows would read all the rest as well


def _records(feed: Feed, reply: dict[str, Any], context: Context, up: Record | None) -> Iterator[Record]:
    for record in paths.records(feed.source.path, reply, context, up):
        if feed.source.make is None:
            yield record
        else:
            yield from (Record(item, context, record) for item in feed.source.make(record))
