"""Long work in the event loop, in turns with everybody else's: nothing holds it for longer than a slice."""

from __future__ import annotations

from time import perf_counter

from anyio.lowlevel import checkpoint

SLICE = 0.01  # seconds
COLLECTIONS = (50_000, 20, 50)
"""Thresholds of `gc` for a process that is a sweep's own: by Python's, it walks the models' million objects often."""


class Turns:
    """Lets others run whenever a slice has passed since they last could."""

    __slots__ = ("_due",)

    def __init__(self) -> None:
        self._due = perf_counter() + SLICE

    async def next(self) -> None:
        """To be awaited between two steps of the work."""
        if perf_counter() >= self._due:
            await checkpoint()
            self._due = perf_counter() + SLICE
