from __future__ import annotations

import anyio

from simulated import simulated
from skysweep.silence import LOST, LOST_SECONDS, PROBE_SECONDS, QUIET, QUIET_TIMEOUT, Silence


async def _miss(silence: Silence, place: str, times: int, seconds: float) -> None:
    for _ in range(times):
        silence.note(place, answered=False)
        await anyio.sleep(seconds)


@simulated
async def test_a_place_is_lost_after_many_misses_over_a_while() -> None:
    silence = Silence()
    await _miss(silence, "quick", 10 * LOST, 0.001)
    assert not silence.lost("quick"), "a moment is too short to tell"
    await _miss(silence, "rare", LOST - 1, LOST_SECONDS)
    assert not silence.lost("rare"), "as are a few calls"
    assert not silence.lost("never asked")
    assert not silence.lost("quick"), "the first is to try"
    assert silence.lost("quick")
    assert not silence.lost("rare")


@simulated
async def test_one_call_now_and_then_tries_a_lost_place_and_any_answer_brings_it_back() -> None:
    silence = Silence()
    await _miss(silence, "x", LOST, LOST_SECONDS / LOST)
    assert [silence.lost("x") for _ in range(3)] == [False, True, True]
    await anyio.sleep(PROBE_SECONDS)
    assert [silence.lost("x") for _ in range(3)] == [False, True, True]
    silence.note("x", answered=True)
    assert not silence.lost("x")


@simulated
async def test_a_quiet_place_has_less_time_until_it_answers() -> None:
    silence = Silence()
    await _miss(silence, "x", QUIET - 1, 1)
    assert silence.timeout("x", 120) == 120
    await _miss(silence, "x", 1, 1)
    assert silence.timeout("x", 120) == QUIET_TIMEOUT
    assert silence.timeout("x", 5) == 5
    assert silence.timeout("y", 120) == 120
    silence.note("x", answered=True)
    assert silence.timeout("x", 120) == 120


@simulated
async def test_only_what_has_answered_is_waited_for() -> None:
    silence = Silence()
    assert not silence.answering("x")
    silence.note("x", answered=False)
    assert not silence.answering("x")
    silence.note("x", answered=True)
    await anyio.sleep(1000)
    assert silence.answering("x")
    silence.note("x", answered=False)
    await anyio.sleep(LOST_SECONDS - 1)
    assert silence.answering("x")
    await anyio.sleep(1)
    assert not silence.answering("x")
