"""One sweep writes a graph at a time, in both stores."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import anyio
import pytest
from neo4j import AsyncManagedTransaction

from benchmarks.bolt import every
from gates import proxied
from skysweep.errors import BadSettings, BadStore, Overtaken, StoreLost
from skysweep.lease import EXPIRES_SECONDS, Lease, Wish, granted, take
from skysweep.store import NodeType, Store, StoreSettings

NOW = 1_700_000_000
WISH = Wish("mine", NOW)
BEAT = 5_000_000  # milliseconds
HELD = {"holder": "other", "host": "far", "fence": 3, "update_tag": NOW - 10, "beat": BEAT}


async def prepared(store: Store) -> Store:
    await store.prepare([NodeType("SkysweepState", (), ()), NodeType("Thing", (), ())], [])
    return store


async def state(store: Store) -> dict[str, Any]:
    [row] = await store.run("MATCH (s:SkysweepState) RETURN properties(s) AS state")
    return dict(row["state"])


def test_a_new_graph_grants_the_first_fence() -> None:
    assert granted({}, 0, WISH) == {"holder": "mine", "fence": 1, "update_tag": NOW}


def test_a_live_holder_is_named_to_the_second() -> None:
    with pytest.raises(BadStore, match=r"sweep other on far writes this graph \(last sign of life 7 s ago\)"):
        granted(HELD, BEAT + 7_000, WISH)


@pytest.mark.parametrize(
    "wish",
    [WISH, dataclasses.replace(WISH, dead={"other"}.__contains__)],
    ids=["silent for too long", "known to be dead"],
)
def test_a_dead_holder_is_overtaken(wish: Wish) -> None:
    now = BEAT + (0 if wish.dead("other") else round(1000 * EXPIRES_SECONDS))
    assert granted(HELD, now, wish)["fence"] == 4


@pytest.mark.parametrize(("clock", "tag"), [(NOW, NOW), (NOW - 11, NOW - 9), (0, NOW - 9)])
def test_update_tags_only_go_up_whatever_the_clock_says(clock: int, tag: int) -> None:
    free = {**HELD, "holder": None}
    assert granted(free, 0, dataclasses.replace(WISH, now=clock))["update_tag"] == tag


def test_a_wanted_tag_must_be_above_the_last() -> None:
    free = {**HELD, "holder": None}
    assert granted(free, 0, dataclasses.replace(WISH, tag=NOW - 9))["update_tag"] == NOW - 9
    with pytest.raises(BadSettings, match="--update-tag"):
        granted(free, 0, dataclasses.replace(WISH, tag=NOW - 10))


def test_a_resumed_sweep_keeps_its_tag_in_the_graph_that_it_was_the_last_of() -> None:
    free = {**HELD, "holder": None}
    assert granted(free, 0, dataclasses.replace(WISH, resumed=NOW - 10))["update_tag"] == NOW - 10
    for other in (NOW - 11, NOW - 9):  # another came after it; this graph was restored, or is another
        with pytest.raises(BadSettings, match="is not this graph's last one"):
            granted(free, 0, dataclasses.replace(WISH, resumed=other))


def test_a_grant_whose_answer_was_lost_is_granted_again() -> None:
    wish = dataclasses.replace(WISH, tag=NOW + 5)
    lost = {**granted({**HELD, "holder": None}, BEAT, wish), "beat": BEAT}
    assert granted(lost, BEAT, wish) == {"holder": "mine", "fence": 5, "update_tag": NOW + 5}


async def test_two_sweeps_in_one_second_have_different_tags(store: Store) -> None:
    await prepared(store)
    first = await take(store, WISH)
    await first.release()
    second = await take(store, dataclasses.replace(WISH, sweep="next"))
    assert second.tag == first.tag + 1


async def test_of_two_that_ask_at_once_one_is_refused(store: Store) -> None:
    await prepared(store)
    taken: list[Lease] = []
    refused: list[str] = []

    async def ask(name: str) -> None:
        try:
            taken.append(await take(store, dataclasses.replace(WISH, sweep=name)))
        except BadStore as error:
            refused.append(str(error))

    async with anyio.create_task_group() as tasks:
        for name in ("one", "two"):
            tasks.start_soon(ask, name)
    assert (len(taken), len(refused)) == (1, 1)
    assert "writes this graph" in refused[0]


async def test_a_zombie_cannot_write(store: Store) -> None:
    await prepared(store)
    zombie = await take(store, dataclasses.replace(WISH, sweep="zombie"))
    await zombie.store.run("CREATE (:Thing {id: 'before'})")
    await take(store, dataclasses.replace(WISH, dead={"zombie"}.__contains__))
    with pytest.raises(Overtaken):
        await zombie.store.run("CREATE (:Thing {id: 'after'})")
    with pytest.raises(Overtaken):
        await zombie.release()
    assert await store.run("MATCH (n:Thing) RETURN n.id AS id") == [{"id": "before"}]
    assert (await state(store))["holder"] == "mine"


async def test_what_a_zombie_had_begun_to_write_does_not_go_in(store: Store) -> None:
    await prepared(store)
    zombie = await take(store, dataclasses.replace(WISH, sweep="zombie"))
    await zombie.store.run("CREATE (:Thing {id: 'known', seen: 'before'})")

    async def work(tx: AsyncManagedTransaction) -> list[dict[str, Any]]:
        await (await tx.run("MERGE (n:Thing {id: 'known'}) SET n.seen = 'zombie'")).consume()
        await take(store, dataclasses.replace(WISH, dead={"zombie"}.__contains__))
        return []

    with pytest.raises(Overtaken):
        await zombie.store.transact(work)
    assert await store.run("MATCH (n:Thing) RETURN n.seen AS seen") == [{"seen": "before"}]


async def test_a_lease_beats_until_it_is_given_back(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("skysweep.lease.BEAT_SECONDS", 0.01)
    await prepared(store)
    lease = await take(store, WISH)
    first = (await state(store))["beat"]
    async with anyio.create_task_group() as beating:
        beating.start_soon(lease.beat)
        with anyio.fail_after(20):
            while (await state(store))["beat"] == first:
                await anyio.lowlevel.checkpoint()
        beating.cancel_scope.cancel()
    await lease.release()
    assert "holder" not in await state(store)


async def test_a_lease_is_taken_beats_and_is_given_back_while_answers_are_lost(
    store_settings: StoreSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("skysweep.lease.BEAT_SECONDS", 0.01)
    async with proxied(store_settings, tmp_path, 60.0) as (proxy, store):
        await prepared(store)
        proxy.cut_after_commit = every(2)
        proxy.commits = 1  # the very next
        lease = await take(store, dataclasses.replace(WISH, tag=NOW))
        assert (lease.tag, (await state(lease.store))["fence"]) == (NOW, 2)
        cuts = proxy.cuts
        async with anyio.create_task_group() as beating:
            beating.start_soon(lease.beat)
            with anyio.fail_after(60):
                await proxy.committed(proxy.commits + 10)
            beating.cancel_scope.cancel()
        assert proxy.cuts > cuts > 0
        await lease.release()
        assert "holder" not in await state(lease.store)


async def test_a_lease_that_is_taken_while_the_store_is_away_waits_for_it(
    store_settings: StoreSettings, tmp_path: Path
) -> None:
    async with proxied(store_settings, tmp_path, 60.0) as (proxy, store):
        await prepared(store)
        proxy.away = True
        with pytest.raises(StoreLost, match="bring it back"):
            await take(dataclasses.replace(store, patience=0.1), WISH)
        async with anyio.create_task_group() as tasks:

            async def ask() -> None:
                lease = await take(store, WISH)
                assert lease.tag == NOW

            tasks.start_soon(ask)
            await anyio.sleep(0.3)
            proxy.away = False
