"""How a running sweep is shown: a live display in a terminal, log lines in a pipe; both read the same tally."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TextIO

import anyio
import structlog
from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from skysweep.outcomes import Tally

LogFormat = Literal["json", "text"]
WINDOW_SECONDS = 10.0  # how far back rates look
LIVE_SECONDS = 0.25
LOG_SECONDS = 10.0


class Sample(NamedTuple):
    """The counts of a tally at one moment (monotonic seconds)."""

    at: float
    calls: int
    rows: int
    units: int


@dataclass
class Rates:
    """Rates over the last seconds, from samples added as time goes."""

    samples: deque[Sample] = field(default_factory=deque)

    def add(self, tally: Tally, now: float) -> None:
        """Notes where the tally stands, and forgets what is older than the window."""
        self.samples.append(Sample(now, tally.calls, tally.rows, tally.units_done))
        while len(self.samples) > 2 and now - self.samples[1].at >= WINDOW_SECONDS:  # noqa: PLR2004 - two make a rate
            self.samples.popleft()

    def of(self, name: Literal["calls", "rows", "units"]) -> float:
        """That count per second over the window; 0 before there are two samples."""
        if not self.samples:
            return 0.0
        first, last = self.samples[0], self.samples[-1]
        seconds = last.at - first.at
        return (getattr(last, name) - getattr(first, name)) / seconds if seconds > 0 else 0.0


def state(tally: Tally, rates: Rates, now: float) -> dict[str, Any]:
    """What is worth telling of a sweep at this moment; `seconds_left` and `slowest` are None where there is none."""
    done, left = tally.units_done, tally.units - tally.units_done
    speed = rates.of("units") or (done / (now - tally.started) if now > tally.started else 0.0)
    slowest = min(list(tally.running.items()), key=lambda unit: unit[1], default=None)
    return {
        "phase": tally.phase,
        "accounts": tally.accounts,
        "units": f"{done}/{tally.units}",
        "calls": tally.calls,
        "calls_per_second": round(rates.of("calls"), 1),
        "throttled": tally.throttled,
        "failed": tally.failed,
        "rows": tally.rows,
        "rows_per_second": round(rates.of("rows"), 1),
        "slowest": f"{slowest[0]} ({now - slowest[1]:.0f} s)" if slowest else None,
        "seconds": round(now - tally.started, 1),
        "seconds_left": round(left / speed) if speed and left > 0 else None,
    }


def view(told: dict[str, Any]) -> Table:
    """A state as a terminal shows it."""
    table = Table.grid(padding=(0, 2))
    left = "" if told["seconds_left"] is None else f", about {_span(told['seconds_left'])} left"
    table.add_row("[bold]" + escape(told["phase"]), f"{_span(told['seconds'])}{left}")
    table.add_row("accounts", f"{told['accounts']:,}   units {told['units']}")
    table.add_row("calls", f"{told['calls']:,}   {told['calls_per_second']:,.0f}/s   throttled {told['throttled']:,}")
    table.add_row("rows", f"{told['rows']:,}   {told['rows_per_second']:,.0f}/s")
    table.add_row("slowest", escape(told["slowest"] or ""))
    return table


@asynccontextmanager
async def shown(
    tally: Tally,
    log_format: LogFormat | None = None,
    *,
    stream: TextIO | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> AsyncIterator[None]:
    """Shows the tally while the block runs: live on a terminal, else as log lines; a log format asks for lines."""
    out: TextIO = stream or sys.stderr
    live = log_format is None and out.isatty()
    display = _live if live else _lines
    async with anyio.create_task_group() as group:
        group.start_soon(display, tally, log_format or "text", out, clock)
        try:
            yield
        finally:
            group.cancel_scope.cancel()


async def _live(tally: Tally, _: LogFormat, stream: TextIO, clock: Callable[[], float]) -> None:
    rates = Rates()
    with Live(console=Console(file=stream), auto_refresh=False, transient=True) as live:
        while True:
            rates.add(tally, clock())
            live.update(view(state(tally, rates, clock())), refresh=True)
            await anyio.sleep(LIVE_SECONDS)


async def _lines(tally: Tally, log_format: LogFormat, stream: TextIO, clock: Callable[[], float]) -> None:
    """A line whenever the phase changes, and every few seconds in between; none for a run that fails at once."""
    log, rates = logger(log_format, stream), Rates()
    phase, said = tally.phase, clock()
    while True:
        now = clock()
        rates.add(tally, now)
        if tally.phase != phase or now - said >= LOG_SECONDS:
            phase, said = tally.phase, now
            told = state(tally, rates, now)
            log.info(told.pop("phase"), **{name: value for name, value in told.items() if value is not None})
        await anyio.sleep(LIVE_SECONDS)


def logger(log_format: LogFormat, stream: TextIO | None = None) -> Any:
    """A structlog logger of its own, with time and level, writing lines of JSON or text on stderr."""
    renderer: Any = structlog.processors.JSONRenderer()
    if log_format == "text":
        renderer = structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0)
    return structlog.wrap_logger(
        structlog.PrintLogger(stream or sys.stderr),
        processors=[structlog.processors.add_log_level, structlog.processors.TimeStamper(fmt="iso"), renderer],
        wrapper_class=structlog.make_filtering_bound_logger(0),
    )


def _span(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
