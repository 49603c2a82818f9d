"""The Bolt proxy between the real driver and the embedded graph."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import anyio
import pytest
from neo4j import AsyncDriver, AsyncGraphDatabase, AsyncManagedTransaction
from neo4j.exceptions import IncompleteCommit, ServiceUnavailable, SessionExpired

from benchmarks.bolt import BoltProxy, Chunks, bolt_proxy, every, never
from neo4j_server import Neo4jServer
from skysweep.arcadedb import DATABASE
from skysweep.store import StoreSettings

COUNT = "MERGE (n:Counted {id: $id}) SET n.seen = coalesce(n.seen, 0) + 1"


@pytest.fixture
def upstream(embedded: StoreSettings) -> dict[str, Any]:
    """Where the embedded graph listens, and its password."""
    said: dict[str, Any] = json.loads((embedded.folder / "server.json").read_text(encoding="utf-8"))
    return said


@asynccontextmanager
async def connected(upstream: dict[str, Any]) -> AsyncIterator[tuple[BoltProxy, AsyncDriver]]:
    """A proxy, a driver behind it that is quick to try again, and no node yet."""
    auth = ("root", upstream["password"])
    async with (
        bolt_proxy("127.0.0.1", upstream["bolt"]) as proxy,
        AsyncGraphDatabase.driver(proxy.url, auth=auth, initial_retry_delay=0.01) as driver,
    ):
        async with driver.session(database=DATABASE) as session:
            await (await session.run("MATCH (n:Counted) DETACH DELETE n")).consume()
        proxy.commits = 0
        yield proxy, driver


async def write(driver: AsyncDriver, number: int) -> int:
    """One managed transaction, begun again when nobody knows whether it was committed; how often its work was begun.

    The driver leaves that one case to its user, who must know that a repetition does no harm.
    """
    attempts = 0

    async def work(tx: AsyncManagedTransaction) -> None:
        nonlocal attempts
        attempts += 1
        await (await tx.run(COUNT, id=str(number))).consume()

    async with driver.session(database=DATABASE) as session:
        try:
            await session.execute_write(work)
        except IncompleteCommit:
            await session.execute_write(work)
    return attempts


async def seen(driver: AsyncDriver) -> dict[str, int]:
    async def work(tx: AsyncManagedTransaction) -> dict[str, int]:
        result = await tx.run("MATCH (n:Counted) RETURN n.id AS id, n.seen AS seen")
        return {record["id"]: record["seen"] async for record in result}

    async with driver.session(database=DATABASE, default_access_mode="READ") as session:
        return await session.execute_read(work)


async def test_it_passes_bytes_on_and_counts_writes_alone(upstream: dict[str, Any]) -> None:
    async with connected(upstream) as (proxy, driver):
        assert [await write(driver, number) for number in range(3)] == [1, 1, 1]
        assert await seen(driver) == {"0": 1, "1": 1, "2": 1}
        assert (proxy.commits, proxy.cuts) == (3, 0)


async def test_a_commit_whose_answer_is_cut_is_there_and_tried_again(upstream: dict[str, Any]) -> None:
    async with connected(upstream) as (proxy, driver):
        proxy.cut_after_commit = every(3)
        attempts = [await write(driver, number) for number in range(6)]
        # Commits 3 and 6 are cut, and 4 and 7 are their repetitions.
        assert attempts == [1, 1, 2, 1, 2, 1]
        proxy.cut_after_commit = never
        assert await seen(driver) == {"0": 1, "1": 1, "2": 2, "3": 1, "4": 2, "5": 1}
        assert (proxy.commits, proxy.cuts) == (8, 2)


async def test_a_write_without_a_transaction_is_cut_as_well(upstream: dict[str, Any]) -> None:
    async with connected(upstream) as (proxy, driver):
        proxy.cut_after_commit = every(1)
        async with driver.session(database=DATABASE) as session:
            with pytest.raises((ServiceUnavailable, SessionExpired)):
                await (await session.run(COUNT, id="0")).consume()
        proxy.cut_after_commit = never
        assert await seen(driver) == {"0": 1}


async def test_a_result_of_many_pulls_commits_once(upstream: dict[str, Any]) -> None:
    async with connected(upstream) as (proxy, driver):
        async with driver.session(database=DATABASE, fetch_size=2) as session:
            result = await session.run("UNWIND range(1, 7) AS x MERGE (n:Counted {id: toString(x)}) RETURN n.id AS id")
            assert len([record async for record in result]) == 7
        assert proxy.commits == 1


async def test_while_it_is_away_nobody_connects_and_then_work_goes_on(upstream: dict[str, Any]) -> None:
    async with connected(upstream) as (proxy, driver):
        await write(driver, 0)
        proxy.away = True
        with pytest.raises(ServiceUnavailable):
            await driver.verify_connectivity()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(write, driver, 1)
            with anyio.move_on_after(0.2):
                await proxy.committed(2)
            assert proxy.commits == 1
            proxy.away = False
        assert await seen(driver) == {"0": 1, "1": 1}


async def test_it_listens_at_the_same_address_after_being_away(upstream: dict[str, Any]) -> None:
    async with connected(upstream) as (proxy, driver):
        for number in range(5):
            proxy.away = True
            proxy.away = False
            await write(driver, number)
        assert set((await seen(driver)).values()) == {1}


async def test_answers_come_late(upstream: dict[str, Any]) -> None:
    async with connected(upstream) as (proxy, driver):
        proxy.delay = 0.05
        before = anyio.current_time()
        await write(driver, 0)
        assert anyio.current_time() - before >= 0.05


async def test_a_commit_can_be_waited_for(upstream: dict[str, Any]) -> None:
    async with connected(upstream) as (proxy, driver), anyio.create_task_group() as tasks:
        tasks.start_soon(write, driver, 0)
        with anyio.fail_after(30):
            await proxy.committed(1)


async def test_neo4js_handshake_passes_as_well(neo4j_uri: Neo4jServer) -> None:
    uri, user, password = neo4j_uri
    address = urlsplit(uri)
    async with (
        bolt_proxy(address.hostname or "", address.port or 0) as proxy,
        AsyncGraphDatabase.driver(proxy.url, auth=(user, password), initial_retry_delay=0.01) as driver,
    ):
        proxy.cut_after_commit = every(2)
        async with driver.session() as session:
            await session.execute_write(_merge)
            with pytest.raises(IncompleteCommit):
                await session.execute_write(_merge)
            assert await session.execute_read(_rows) == [1]
        assert (proxy.commits, proxy.cuts) == (2, 1)


async def _merge(tx: AsyncManagedTransaction) -> None:
    await (await tx.run("MERGE (n:Proxied {id: 'x'}) SET n.y = 1")).consume()


async def _rows(tx: AsyncManagedTransaction) -> list[int]:
    result = await tx.run("MATCH (n:Proxied) RETURN count(n) AS nodes")
    return [record["nodes"] async for record in result]


@pytest.mark.parametrize("step", [1, 2, 3, 7, 4096])
def test_messages_are_put_together_of_chunks_however_they_are_sent(step: int) -> None:
    sent = b"\x00\x02\xb0\x12\x00\x00" + b"\x00\x00" + b"\x00\x02\xb1\x10\x08\x00" + b"x" * 2048 + b"\x00\x00"
    chunks = Chunks()
    messages = [message for at in range(0, len(sent), step) for message in chunks.feed(sent[at : at + step])]
    assert messages == [b"\xb0\x12", b"\xb1\x10" + b"x" * 1022]
