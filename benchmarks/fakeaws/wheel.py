"""One timer for all that is due at about the same time: each sleep of the loop costs more than the reply it ends in."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

TICK = 0.002  # seconds; moments are rounded to the nearest


class Wheel:
    """Calls functions later, those of one tick in the order in which they were given."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._due: dict[int, deque[Callable[[], None]]] = {}

    def later(self, seconds: float, then: Callable[[], None]) -> None:
        """Calls it about so many seconds from now; it cannot be taken back."""
        tick = round((self._loop.time() + seconds) / TICK)
        due = self._due.get(tick)
        if due is None:
            due = self._due[tick] = deque()
            self._loop.call_at(tick * TICK, self._turn, tick)
        due.append(then)

    def _turn(self, tick: int) -> None:
        self._call(self._due.pop(tick))

    def _call(self, due: deque[Callable[[], None]]) -> None:
        try:
            while due:
                due.popleft()()
        finally:
            if due:  # one has failed, which the loop tells; the others are called all the same
                self._loop.call_soon(self._call, due)
