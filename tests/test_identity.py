"""Credentials that expire, stumble and die; the clock is simulated, what they are fetched from is not ours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import pytest
from aiobotocore.credentials import AioCredentials, AioDeferredRefreshableCredentials
from aiobotocore.session import AioSession
from botocore.exceptions import ClientError, CredentialRetrievalError

from simulated import now, simulated
from skysweep.errors import CallFailed
from skysweep.identity import PATIENCE_SECONDS, PAUSE_SECONDS, TRY_SECONDS, Identity
from skysweep.retry import DOUBTS


def clock() -> datetime:
    """The wall's time, which goes as the loop's does."""
    return datetime(2026, 11, 21, tzinfo=UTC) + timedelta(seconds=now())


class Source:
    """Where an account's credentials come from: each of so many seconds, but for the tries that fail."""

    def __init__(self, seconds: float, *failures: Exception | None) -> None:
        self.seconds = seconds
        self.failures = list(failures)
        self.tries: list[float] = []
        self.made = 0
        self.hangs = False

    async def refresh(self) -> dict[str, Any]:
        self.tries.append(now())
        await anyio.sleep(0.05)
        if self.hangs:
            await anyio.sleep_forever()
        failure = self.failures.pop(0) if self.failures else None
        if failure is not None:
            raise failure
        self.made += 1
        expiry = clock() + timedelta(seconds=self.seconds)
        keys = {"access_key": f"ASIA{self.made}", "secret_key": "s", "token": "t"}
        return keys | {"expiry_time": expiry.isoformat()}

    def identity(self) -> Identity:
        made = AioDeferredRefreshableCredentials(self.refresh, "assume-role", clock)

        async def again() -> AioDeferredRefreshableCredentials:
            return AioDeferredRefreshableCredentials(self.refresh, "assume-role", clock)

        return Identity(made, again, AioSession())


def answer(code: str, status: int) -> ClientError:
    response: Any = {"Error": {"Code": code, "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "AssumeRole")


STUMBLE = answer("InternalFailure", 500)


@simulated
async def test_credentials_of_hours_are_fetched_once_for_many_calls() -> None:
    source = Source(3600)
    identity = source.identity()
    async with anyio.create_task_group() as tasks:
        for _ in range(100):
            tasks.start_soon(identity.ready)
    await anyio.sleep(2500)
    await identity.ready()
    assert source.made == 1
    await anyio.sleep(300)  # within fifteen minutes of the expiry
    await identity.ready()
    assert source.made == 2


@simulated
async def test_credentials_of_seconds_are_refreshed_with_a_third_left_and_not_at_every_call() -> None:
    source = Source(3)
    identity = source.identity()
    for _ in range(3000):
        ready = await identity.ready()
        assert identity.current is ready
        await anyio.sleep(0.01)
    assert 30 / 3 < source.made < 30 / 1.5


@simulated
async def test_nobody_waits_for_a_refresh_while_the_old_ones_serve() -> None:
    source = Source(300)
    identity = source.identity()
    first = await identity.ready()
    source.hangs = True
    await anyio.sleep(250)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(identity.ready)
        await anyio.sleep(1)
        with anyio.fail_after(0.1):
            assert await identity.ready() is first
        tasks.cancel_scope.cancel()


@simulated
async def test_a_source_that_stumbles_is_asked_again() -> None:
    source = Source(3600, *[STUMBLE, TimeoutError(), CallFailed("failed", "ServiceUnavailable", "")] * 4)
    assert (await source.identity().ready()).access_key == "ASIA1"
    assert len(source.tries) == 13


@simulated
async def test_the_old_ones_serve_until_they_expire_whatever_the_source_says() -> None:
    source = Source(300, None, *[answer("AccessDenied", 403)] * 1000)
    identity = source.identity()
    first = await identity.ready()
    await anyio.sleep(290)
    assert await identity.ready() is first
    await anyio.sleep(10)
    with pytest.raises(CallFailed, match="AccessDenied") as caught:
        await identity.ready()
    assert caught.value.why == "dead"


@simulated
async def test_a_definite_answer_ends_them_at_once() -> None:
    for code in ("AccessDenied", "ExpiredToken", "InvalidClientTokenId"):
        source = Source(3600, *[answer(code, 403)] * 5)
        with pytest.raises(CallFailed, match=code) as caught:
            await source.identity().ready()
        assert caught.value.why == "dead"
        assert len(source.tries) == 1


@simulated
async def test_a_doubtful_failure_is_tried_a_few_times() -> None:
    failure = CredentialRetrievalError(provider="process", error_msg="exit 1")
    assert (await Source(3600, failure, failure).identity().ready()).access_key == "ASIA1"
    source = Source(3600, *[failure] * 10)
    with pytest.raises(CallFailed, match="exit 1") as caught:
        await source.identity().ready()
    assert caught.value.why == "dead"
    assert len(source.tries) == DOUBTS
    assert now() < 30


@simulated
async def test_a_source_that_hangs_ends_the_calls_and_not_the_account() -> None:
    source = Source(3600)
    source.hangs = True
    identity = source.identity()
    with pytest.raises(CallFailed, match="TimeoutError") as caught:
        await identity.ready()
    assert caught.value.why == "failed"
    assert PATIENCE_SECONDS <= now() <= PATIENCE_SECONDS + 2 * TRY_SECONDS
    before = now()
    with pytest.raises(CallFailed, match="TimeoutError"):
        await identity.ready()
    assert now() - before < 1, "the others need not find out for themselves"
    source.hangs = False
    await anyio.sleep(PAUSE_SECONDS)
    assert (await identity.ready()).access_key == "ASIA1"
    assert identity.trouble == ""


@simulated
async def test_what_aws_refused_is_replaced_once_for_all_who_met_it() -> None:
    source = Source(3600, None, STUMBLE)
    identity = source.identity()
    refused = await identity.ready()
    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(identity.replace, refused)
    assert (await identity.ready()).access_key == "ASIA2"
    assert len(source.tries) == 3
    static = Identity(AioCredentials("AKIA", "s", None), None, AioSession())
    assert not await static.replace(await static.ready())
