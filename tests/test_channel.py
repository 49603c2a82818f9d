from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import anyio
import pytest

from skysweep.channel import GONE, Channel


@asynccontextmanager
async def pair() -> AsyncIterator[tuple[Channel, Channel]]:
    one, other = [await Channel.of(each) for each in socket.socketpair()]
    try:
        yield one, other
    finally:
        await one.aclose()
        await other.aclose()
        await anyio.sleep(0.01)  # for the loop to let go of them


async def send_all(channel: Channel, messages: Iterable[Any]) -> None:
    for message in messages:
        await channel.send(message)


async def test_messages_come_whole_and_in_their_order() -> None:
    async with pair() as (one, other):
        sent = [None, {"when": datetime(2026, 1, 1, tzinfo=UTC)}, b"x" * 1_000_000, ("a", [1, 2.5, None]), ""]
        got = []

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(send_all, one, sent)
            got += [await other.receive() for _ in sent]
        assert got == sent


async def test_senders_at_once_do_not_mix_their_messages() -> None:
    async with pair() as (one, other):
        async with anyio.create_task_group() as tasks:
            for number in range(20):
                tasks.start_soon(one.send, str(number) * 100_000)
            got = {await other.receive() for _ in range(20)}
        assert got == {str(number) * 100_000 for number in range(20)}


async def test_a_sender_waits_for_one_who_does_not_read() -> None:
    async with pair() as (one, other):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(other.receive)  # a process begins with reading, and stops when it is busy
            await anyio.wait_all_tasks_blocked()
            await one.send("first")
        sent = 0
        with anyio.move_on_after(0.5):
            for _ in range(1_000):
                await one.send(b"x" * 1_000_000)
                sent += 1
        assert sent < 20


async def test_the_end_of_the_other_side_is_told() -> None:
    async with pair() as (one, other):
        await other.aclose()
        with pytest.raises(GONE):
            await one.receive()
        with pytest.raises(GONE):
            await send_all(one, [b"x" * 100_000] * 100)
