"""An event loop whose clock moves only by waiting: an hour's wait takes no time, and takes an hour of the loop's."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import Any

TICK = 1e-9  # seconds that each turn of the loop takes: a clock that stands still would spin on rounded-off waits
GRACE = 0.002  # real seconds in which a socket may still have something to say, before the clock jumps


class _Selector(selectors.DefaultSelector):
    """Waits on sockets for no more than a moment, then lets the clock jump to the next timer."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        events = super().select(0)
        sockets = len(self.get_map()) > 1  # the first is the loop's own
        if not events and sockets and timeout != 0:
            events = super().select(GRACE if timeout is not None else 10 * GRACE)
        if not events and timeout is None:
            raise AssertionError("the loop waits for nothing that could happen")
        self.now += TICK if events else max(timeout or 0.0, TICK)
        return events


class Loop(asyncio.SelectorEventLoop):
    """The loop; its time starts at 0. Sockets work, within one process."""

    def __init__(self) -> None:
        self._clock = _Selector()
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.now


def run(work: Awaitable[None]) -> None:
    """Runs a coroutine to its end in a loop of its own."""

    async def main() -> None:
        await work

    with asyncio.Runner(loop_factory=Loop) as runner:
        runner.run(main())


def simulated(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Makes a test run in simulated time."""

    @wraps(test)
    def in_its_loop(**arguments: Any) -> None:
        run(test(**arguments))

    return in_its_loop


def now() -> float:
    """The running loop's seconds."""
    return asyncio.get_running_loop().time()
