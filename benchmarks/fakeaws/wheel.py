"""One timer for all that is due at about the same time: each sleep of the loop costs more than the reply it ends in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

TICK = 0.002  # seconds; moments are rounded to the nearest


class Wheel:
    """Calls functions later, those of one tick in the order in which they were given."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._due: dict[int, list[Callable[[], None]]] = {}

    def later(self, seconds: float, then: Callable[[], None]) -> None:
        """Calls it about so many seconds from now; it cannot be taken back."""
        tick = round((self._loop.time() + seconds) / TICK)
        due = self._due.get(tick)
        if due is None:
            self._due[tick] = [then]
            self._loop.call_at(tick * TICK, self._turn, tick)
        else:
            due.append(then)

    def _turn(self, tick: int) -> None:
        for then in self._due.pop(tick):
            self._loop.call_soon(then)  # the loop's own way with one that fails: the others are called all the same
