"""Rows into both stores: what cannot go in is named, the rest goes in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from skysweep.aws.account import AWSAccount
from skysweep.store import Store
from world import EAST, ONE, TWO, Told, World


@pytest.fixture
def world(store: Store, tmp_path: Path) -> World:
    return World(store, tmp_path)


async def test_refused_rows_are_found_and_the_rest_goes_in(world: World) -> None:
    rows: dict[str, dict[str, Any]] = {f"n{number}": {"name": f"name {number}"} for number in range(300)}
    rows["n77"] = {"name": {"a": "map"}}  # no property can hold it
    rows["n200"] = {"name": 2**70}  # more than 64 bits
    await world.sweep(Told("Network", ONE, EAST, rows))
    assert len(await world.ids("Network")) == 298
    assert world.writer is not None
    refused = world.writer.aside
    assert sorted(each.id for each in refused) == ["n200", "n77"]
    assert {(each.type, each.account, each.region) for each in refused} == {("Network", ONE, EAST)}
    assert all(each.reason for each in refused)


async def test_equal_ids_of_one_batch_are_one_node_and_the_last_tells(world: World) -> None:
    await world.sweep(
        Told("Network", ONE, EAST, {"n1": {"name": "old"}}),
        Told("Network", ONE, EAST, {"n1": {"name": "new"}}),
        Told("Range", ONE, EAST, {"10.0.0.0/8": {}}),
        Told("Range", TWO, EAST, {"10.0.0.0/8": {}}),
    )
    rows = await world.store.run("MATCH (n:Network) RETURN n.name AS name")
    assert rows == [{"name": "new"}]
    assert await world.edges("RESOURCE") == {(ONE, "n1"), (ONE, "10.0.0.0/8"), (TWO, "10.0.0.0/8")}


async def test_a_null_removes_a_property_and_a_missing_one_stays(world: World) -> None:
    await world.sweep(Told("Network", ONE, EAST, {"n1": {"name": "a", "arn": "arn:n1"}}))
    await world.sweep(Told("Network", ONE, EAST, {"n1": {"name": None}}))
    rows = await world.store.run("MATCH (n:Network) RETURN n.name AS name, n.arn AS arn")
    assert rows == [{"name": None, "arn": "arn:n1"}]


async def test_links_to_what_is_not_there_are_not_drawn(world: World) -> None:
    links = {"network": {"m1": ["arn:n1", "arn:nowhere"]}}
    await world.sweep(
        Told("Network", ONE, EAST, {"n1": {"arn": "arn:n1"}}),
        Told("Machine", ONE, EAST, {"m1": {}}, links),
    )
    assert await world.edges("IN") == {("m1", "n1")}


async def test_many_rows_and_links_of_many_scopes(world: World) -> None:
    told = []
    for account in (ONE, TWO):
        for region in world.accounts[0].regions:
            where = f"{account}/{region}"
            told.append(Told("Network", account, region, {f"{where}/n": {"arn": f"{where}/n"}}))
            machines = {f"{where}/m{number}": {"state": "running"} for number in range(1500)}
            told.append(
                Told("Machine", account, region, machines, {"network": {key: [f"{where}/n"] for key in machines}})
            )
    await world.sweep(*told)
    [count] = await world.store.run("MATCH (:Machine)-[r:IN]->(:Network) RETURN count(r) AS edges")
    assert count["edges"] == 6000


async def test_an_account_has_its_further_labels_whatever_is_swept(world: World) -> None:
    await world.sweep(Told("Network", ONE, EAST, {"n1": {}}))
    [account] = await world.store.run("MATCH (a:AWSAccount {id: $id}) RETURN labels(a) AS labels", id=ONE)
    assert set(account["labels"]) == {AWSAccount.label, *AWSAccount.also}
