"""How many listed items may be in memory at once: full pages of a hundred listings would take a gigabyte."""

from __future__ import annotations

from asyncio import TimerHandle, get_running_loop
from collections.abc import AsyncIterator, Mapping
from typing import Any

from skysweep.catalogue import Branch
from skysweep.model import Call
from skysweep.writer import Room

ITEMS = 10_000  # of pages that have come and are not walked yet, or may be about to come
PAGE = 1_000  # items on a page of a listing that nothing is known of
SMALL = 50  # a page of fewer waits for nothing
GIVEN_SECONDS = 2.0  # for which a page that does not come keeps its place


class Shelf:
    """Room for the pages of all listings; whoever comes when it is full waits for its turn."""

    def __init__(self, items: int = ITEMS) -> None:
        self._room = Room(items)
        self._sizes: dict[Call, int] = {}

    async def pages(self, call: Call, coming: AsyncIterator[Mapping[str, Any]]) -> AsyncIterator[Mapping[str, Any]]:
        """The pages as they come, each asked for once there is room for one as large as those before it."""
        place = _Place(self._room)
        try:
            while True:
                expected = self._sizes.get(call, PAGE)
                if expected >= SMALL:
                    await place.take(expected)
                page = await anext(coming, None)
                if page is None:
                    return
                size = items(page)
                self._sizes[call] = max(size, expected // 4)
                place.keep(size if size >= SMALL else 0)
                yield page
                del page
                place.keep(0)
        finally:
            place.keep(0)


class _Place:
    """What one listing takes of the room."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._taken = 0
        self._timer: TimerHandle | None = None

    async def take(self, count: int) -> None:
        """Takes room for a page that is to come; where it does not come soon, others have it."""
        await self._room.enter(count)
        self._taken = count
        self._timer = get_running_loop().call_later(GIVEN_SECONDS, self.keep, 0)

    def keep(self, count: int) -> None:
        """Takes as much as that in place of what it had."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if count != self._taken:
            self._room.leave(self._taken - count)
            self._taken = count


def fits(branch: Branch) -> bool:
    """Whether a listing's pages wait for room.

    Not where its records need calls of their own: a page is kept until the last has answered, by then others would
    have waited for nothing; and it is those calls that pace such listings.
    """
    return all(detail.call.batch for feed in branch.feeds for detail in feed.details)


def items(page: Mapping[str, Any]) -> int:
    """How many items a page lists, about."""
    lists = [value for value in page.values() if isinstance(value, list)]
    inner = [each for value in page.values() if isinstance(value, dict) for each in value.values()]
    return sum(map(len, [*lists, *(each for each in inner if isinstance(each, list))]))
