from __future__ import annotations

import io
import json

import anyio
import pytest
from rich.console import Console

from skysweep.outcomes import Tally
from skysweep.progress import Rates, logger, shown, state, view


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def halfway() -> Tally:
    tally = Tally(
        started=100.0, phase="sweeping", accounts=3, units=400, units_done=100, calls=250, throttled=7, rows=9000
    )
    tally.running = {"111111111111 us-east-1 ec2:DescribeVpcs": 140.0, "222222222222 global iam:ListUsers": 121.0}
    return tally


def test_rates_look_at_the_last_seconds_only() -> None:
    rates, tally = Rates(), Tally(started=0.0)
    for second in range(61):
        tally.calls = second * (5 if second <= 40 else 50)
        rates.add(tally, float(second))
    assert rates.of("calls") == pytest.approx(50)
    assert len(rates.samples) <= 12
    assert rates.of("rows") == 0


def test_there_is_no_rate_before_there_are_two_moments() -> None:
    rates = Rates()
    assert rates.of("calls") == 0
    rates.add(Tally(calls=9), 1.0)
    assert rates.of("calls") == 0


def test_the_slowest_unit_is_the_one_that_began_first() -> None:
    told = state(halfway(), Rates(), 150.0)
    assert told["slowest"] == "222222222222 global iam:ListUsers (29 s)"


def test_the_time_left_follows_from_the_units_done() -> None:
    assert state(halfway(), Rates(), 150.0)["seconds_left"] == 150  # 100 units took 50 s, 300 are left


def test_there_is_no_time_left_before_the_first_unit_or_after_the_last() -> None:
    assert state(Tally(started=0.0, units=9), Rates(), 5.0)["seconds_left"] is None
    assert state(Tally(started=0.0, units=9, units_done=9), Rates(), 5.0)["seconds_left"] is None


def test_the_view_tells_what_a_terminal_shall_show() -> None:
    console = Console(width=120, file=io.StringIO())
    with console.capture() as capture:
        console.print(view(state(halfway(), Rates(), 150.0)))
    text = capture.get()
    for told in ("sweeping", "0:50, about 2:30 left", "units 100/400", "250", "throttled 7", "9,000", "iam:ListUsers"):
        assert told in text


def test_long_times_have_hours() -> None:
    tally = Tally(started=0.0, units=2, units_done=1)
    console = Console(width=120, file=io.StringIO())
    with console.capture() as capture:
        console.print(view(state(tally, Rates(), 3723.0)))
    assert "1:02:03" in capture.get()


class Clock:
    """A clock that tells these moments, and then the last for ever."""

    def __init__(self, *moments: float) -> None:
        self.moments = list(moments)

    def __call__(self) -> float:
        return self.moments.pop(0) if len(self.moments) > 1 else self.moments[0]


async def until(stream: io.StringIO, told: str) -> str:
    """What the stream holds once `told` stands in it."""
    with anyio.fail_after(20):
        while told not in stream.getvalue():
            await anyio.lowlevel.checkpoint()
    return stream.getvalue()


async def test_a_pipe_gets_a_line_for_each_new_phase() -> None:
    tally, stream = Tally(phase="finding accounts"), io.StringIO()
    async with shown(tally, stream=stream):
        await anyio.wait_all_tasks_blocked()
        assert stream.getvalue() == ""
        tally.phase = "sweeping"
        await until(stream, "sweeping")
        tally.phase = "linking"
        written = await until(stream, "linking")
    assert len(written.splitlines()) == 2
    assert "calls=0" in written
    assert "\x1b" not in written


async def test_a_pipe_gets_a_line_now_and_then() -> None:
    stream = io.StringIO()
    async with shown(halfway(), stream=stream, clock=Clock(150, 161)):
        assert "calls=250" in await until(stream, "\n")


async def test_json_lines_are_json_even_on_a_terminal() -> None:
    stream = Terminal()
    async with shown(halfway(), "json", stream=stream, clock=Clock(150, 161)):
        line = json.loads((await until(stream, "\n")).splitlines()[0])
    assert (line["event"], line["level"], line["calls"], line["units"]) == ("sweeping", "info", 250, "100/400")
    assert line["timestamp"]


async def test_a_terminal_gets_the_live_display() -> None:
    stream = Terminal()
    async with shown(halfway(), stream=stream):
        assert "throttled 7" in await until(stream, "iam:ListUsers")


async def test_an_error_in_the_block_comes_through_and_ends_the_display() -> None:
    with pytest.RaisesGroup(KeyError):
        async with shown(Tally(), stream=io.StringIO()):
            raise KeyError("x")


def test_a_logger_writes_to_its_stream_only(capsys: pytest.CaptureFixture[str]) -> None:
    stream = io.StringIO()
    logger("text", stream).warning("careful", account="1")
    assert "careful" in stream.getvalue()
    assert capsys.readouterr() == ("", "")
