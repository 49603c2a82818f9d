"""Nothing is deleted unless a completed call licensed it: on both stores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.bolt import every, never
from gates import proxied
from skysweep.store import Store, StoreSettings
from world import EAST, MARK, ONE, TWO, WEST, Told, World


@pytest.fixture
def world(store: Store, tmp_path: Path) -> World:
    return World(store, tmp_path)


def network(account: str, region: str, *ids: str) -> Told:
    return Told("Network", account, region, {key: {"arn": f"arn:{key}", "name": key} for key in ids})


def ranges(account: str, region: str, *ids: str) -> Told:
    return Told("Range", account, region, {key: {} for key in ids})


def machine(account: str, region: str, key: str, *, of: str, lets_in: tuple[str, ...] = ()) -> Told:
    links: dict[str, dict[str, Iterable[str]]] = {"network": {key: [f"arn:{of}"]}, "ranges": {key: lets_in}}
    return Told("Machine", account, region, {key: {"state": "running"}}, links)


async def test_nodes_carry_labels_scope_and_the_accounts_edge(world: World) -> None:
    await world.sweep(network(ONE, EAST, "n1"))
    [row] = await world.store.run(
        "MATCH (a:AWSAccount)-[r:RESOURCE]->(n:VirtualNetwork) RETURN a.id AS account, labels(n) AS labels, n, "
        "r.lastupdated AS seen, r._region AS at"
    )
    assert row["account"] == ONE
    assert {"Network", "Seen", "VirtualNetwork"} <= set(row["labels"])
    assert {name: row["n"][name] for name in ("id", "region", "_account", "_region", "lastupdated", "firstseen")} == {
        "id": "n1",
        "region": EAST,
        "_account": ONE,
        "_region": EAST,
        "lastupdated": 1,
        "firstseen": 1000,
    }
    assert (row["seen"], row["at"]) == (1, EAST)


async def test_a_second_equal_sweep_changes_lastupdated_alone(world: World) -> None:
    everything = (
        network(ONE, EAST, "n1"),
        ranges(ONE, EAST, "10.0.0.0/8"),
        machine(ONE, EAST, "m1", of="n1", lets_in=("10.0.0.0/8",)),
    )
    whole = "MATCH (n) OPTIONAL MATCH (n)-[r]->(t) RETURN n, type(r) AS kind, properties(r) AS edge, t.id AS target"

    async def told() -> list[str]:
        rows = await world.store.run(whole)
        for row in rows:
            for part in (row["n"], row["edge"] or {}):
                part.pop("lastupdated", None)
                part.pop("update_tag", None)
        return sorted(map(str, rows))

    await world.sweep(*everything)
    before = await told()
    deleted = await world.sweep(*everything)
    assert await told() == before
    assert not +deleted.nodes
    assert not +deleted.edges


async def test_what_a_licensed_scope_no_longer_saw_goes(world: World) -> None:
    await world.sweep(network(ONE, EAST, "n1", "n2"), machine(ONE, EAST, "m1", of="n1"))
    assert await world.edges("IN") == {("m1", "n1")}
    deleted = await world.sweep(network(ONE, EAST, "n1", "n2"), machine(ONE, EAST, "m1", of="n2"))
    assert await world.edges("IN") == {("m1", "n2")}
    assert +deleted.edges == {"IN": 1}
    deleted = await world.sweep(network(ONE, EAST, "n2"))
    assert await world.ids("Network") == {"n2"}
    assert await world.ids("Machine") == set()
    assert +deleted.nodes == {"Network": 1, "Machine": 1}


async def test_what_was_not_seen_whole_loses_nothing(world: World) -> None:
    first = (
        network(ONE, EAST, "n1"),
        network(ONE, WEST, "n2"),
        network(TWO, EAST, "n3"),
        machine(ONE, WEST, "m2", of="n2"),
    )
    await world.sweep(*first)
    missing = {"Network": [(ONE, WEST), (TWO, EAST)], "Machine": [(ONE, WEST)]}
    deleted = await world.sweep(missing=missing)
    assert await world.ids("Network") == {"n2", "n3"}
    assert await world.ids("Machine") == {"m2"}
    assert await world.edges("IN") == {("m2", "n2")}
    assert +deleted.nodes == {"Network": 1}


async def test_an_account_or_region_that_is_not_swept_loses_nothing(world: World) -> None:
    await world.sweep(network(ONE, EAST, "n1"), network(TWO, WEST, "n2"), network(TWO, EAST, "n3"))
    world.accounts = (world.accounts[0], type(world.accounts[1])(TWO, regions=(EAST,)))
    await world.sweep()
    assert await world.ids("Network") == {"n2"}


async def test_a_shared_node_goes_when_nothing_holds_it(world: World) -> None:
    sees = (ranges(ONE, EAST, "10.0.0.0/8"), ranges(TWO, WEST, "10.0.0.0/8", "0.0.0.0/0"))
    await world.sweep(*sees, network(ONE, EAST, "n1"), machine(ONE, EAST, "m1", of="n1", lets_in=("10.0.0.0/8",)))
    assert await world.edges("REACHES") == {("10.0.0.0/8", "m1")}
    await world.sweep(sees[1], network(ONE, EAST, "n1"))
    assert await world.ids("Range") == {"10.0.0.0/8", "0.0.0.0/0"}
    assert await world.edges("REACHES") == set()
    assert await world.edges("RESOURCE") == {(ONE, "n1"), (TWO, "10.0.0.0/8"), (TWO, "0.0.0.0/0")}
    await world.sweep(network(ONE, EAST, "n1"), missing={"Range": [(TWO, WEST)]})
    assert await world.ids("Range") == {"10.0.0.0/8", "0.0.0.0/0"}, "the region that saw it did not tell"
    deleted = await world.sweep(network(ONE, EAST, "n1"))
    assert await world.ids("Range") == set()
    assert +deleted.nodes == {"Range": 2}


async def test_a_shared_node_is_held_from_a_region_that_failed(world: World) -> None:
    wests = (network(ONE, WEST, "n2"), machine(ONE, WEST, "m2", of="n2", lets_in=("10.0.0.0/8",)))
    await world.sweep(ranges(ONE, WEST, "10.0.0.0/8"), *wests)
    both = (ranges(ONE, WEST, "10.0.0.0/8"), ranges(ONE, EAST, "10.0.0.0/8"))
    await world.sweep(*both, *wests)
    failed = {name: [(ONE, WEST)] for name in ("Network", "Range", "Machine")}
    await world.sweep(missing=failed)  # the east, which saw it last, sees it no more
    assert await world.edges("RESOURCE") == {(ONE, "n2"), (ONE, "m2"), (ONE, "10.0.0.0/8")}
    await world.sweep()
    assert await world.ids("Range") == set()


async def test_a_node_known_by_name_is_kept_by_its_edges_and_never_outlives_or_hides_its_owner(world: World) -> None:
    person = Told("Person", TWO, "global", {"arn:ann": {"name": "ann"}})
    known = Told(
        "KnownPerson",
        ONE,
        "global",
        {"arn:ann": {"nick": "a", "name": None}, "arn:eve": {"nick": "e"}},
        {"friend": {"arn:eve": ["arn:ann"]}},
    )
    await world.sweep(known, person)
    assert await world.ids("Person") == {"arn:ann", "arn:eve"}
    [ann] = await world.store.run("MATCH (n:Person {id: 'arn:ann'}) RETURN n.name AS name, n.nick AS nick")
    assert ann == {"name": "ann", "nick": "a"}, "what adds to a node takes nothing from it"
    assert await world.edges("KNOWS") == {("arn:eve", "arn:ann")}
    await world.sweep(known)
    assert await world.ids("Person") == {"arn:eve"}, "the owner says that ann is gone, whoever names her"
    await world.sweep()
    assert await world.ids("Person") == set()


def lan(account: str, zone: str, *gates: str) -> tuple[Told, Told]:
    """What an account tells of the network that ONE owns, and of the gates at its border."""
    owner = "" if account == ONE else ONE
    rows: dict[str, dict[str, object]] = {gate: {} for gate in gates}
    links = {"lan": {gate: ["lan"] for gate in gates}}
    return (
        Told("Lan", account, EAST, {"lan": {"zone": zone}}, owner=owner),
        Told("Gate", account, EAST, rows, links, owner=owner),
    )


async def zones(world: World) -> list[dict[str, object]]:
    return await world.store.run("MATCH (n:Lan) RETURN n.zone AS zone, n._account AS owner, n.region AS region")


ABOUT = {"things_Network": "n1", "things_Person": "ann", "range": "10.0.0.0/8"}
BOTH_SEE = {("111111111111", "lan"), ("222222222222", "lan"), ("111111111111", "g1"), ("222222222222", "g1")}


@pytest.mark.parametrize("first", [ONE, TWO], ids=["owner first", "participant first"])
async def test_of_what_is_shared_with_others_the_owners_word_counts(world: World, first: str) -> None:
    told = sorted((ONE, TWO), key=lambda account: account != first)
    await world.sweep(*(each for account in told for each in lan(account, f"zone of {account}", "g1")))
    assert await zones(world) == [{"zone": f"zone of {ONE}", "owner": ONE, "region": EAST}]
    assert await world.edges("RESOURCE") == BOTH_SEE
    [edge] = await world.store.run("MATCH (:Gate)-[r:GUARDS]->(:Lan) RETURN r._account AS account")
    assert edge["account"] == ONE


async def test_nothing_of_the_owners_is_lost_when_it_is_denied_and_others_see_it_no_more(world: World) -> None:
    await world.sweep(*lan(ONE, "a", "g1"), *lan(TWO, "b", "g1"))
    denied = {"Lan": [(ONE, EAST)], "Gate": [(ONE, EAST)]}
    await world.sweep(missing=denied)
    assert (await world.ids("Lan"), await world.ids("Gate")) == ({"lan"}, {"g1"})
    assert await world.edges("GUARDS") == {("g1", "lan")}
    assert await world.edges("RESOURCE") == {(ONE, "lan"), (ONE, "g1")}
    await world.sweep(*lan(TWO, "b", "g1", "g2"), missing=denied)
    assert (await zones(world))[0]["zone"] == "a", "the last known word of the owner"
    assert await world.edges("GUARDS") == {("g1", "lan"), ("g2", "lan")}, "the owner has not told of g2 yet"
    await world.sweep(*lan(ONE, "a", "g2"), *lan(TWO, "b", "g2"))
    assert await world.edges("GUARDS") == {("g2", "lan")}


async def test_what_others_see_no_more_stays_the_owners(world: World) -> None:
    await world.sweep(*lan(ONE, "a", "g1"), *lan(TWO, "b", "g1"))
    await world.sweep(*lan(ONE, "a", "g1"))
    assert await world.edges("RESOURCE") == {(ONE, "lan"), (ONE, "g1")}
    assert await world.edges("GUARDS") == {("g1", "lan")}
    await world.sweep(*lan(ONE, "a", "g1"), *lan(TWO, "b", "g1"))
    assert await world.edges("RESOURCE") == BOTH_SEE
    await world.sweep(*lan(ONE, "a", "g1"), missing={"Lan": [(TWO, EAST)], "Gate": [(TWO, EAST)]})
    assert await world.edges("RESOURCE") == BOTH_SEE, "the participant was denied: it may see it still"
    await world.sweep()
    assert (await world.ids("Lan"), await world.ids("Gate")) == (set(), set())


async def test_what_nobody_who_was_swept_owns_is_held_by_those_who_see_it(world: World) -> None:
    everyone, world.accounts = world.accounts, world.accounts[1:]
    await world.sweep(*lan(TWO, "b", "g1", "g2"))
    assert await zones(world) == [{"zone": "b", "owner": "foreign", "region": EAST}]
    assert await world.edges("GUARDS") == {("g1", "lan"), ("g2", "lan")}
    await world.sweep(*lan(TWO, "b", "g1"))
    assert await world.ids("Gate") == {"g1"}
    await world.sweep(missing={"Lan": [(TWO, EAST)], "Gate": [(TWO, EAST)]})
    assert await world.ids("Gate") == {"g1"}
    world.accounts = everyone
    await world.sweep(*lan(ONE, "a", "g3"), *lan(TWO, "b", "g1", "g3"))
    assert await zones(world) == [{"zone": "a", "owner": ONE, "region": EAST}]
    assert await world.edges("GUARDS") == {("g1", "lan"), ("g3", "lan")}
    await world.sweep(*lan(ONE, "a", "g3"), *lan(TWO, "b", "g3"))
    assert await world.ids("Gate") == {"g3"}
    world.accounts = everyone[1:]
    await world.sweep()
    assert await world.ids("Lan") == {"lan"}, "its owner was not swept"
    assert await world.edges("RESOURCE") == {(ONE, "lan"), (ONE, "g3")}
    world.accounts = everyone
    await world.sweep()
    assert (await world.ids("Lan"), await world.ids("Gate")) == (set(), set())


async def test_of_those_who_see_what_is_foreign_the_greatest_tells_in_any_order(world: World) -> None:
    one, two = (Told("Lan", each, EAST, {"lan": {"zone": each}}, owner="333333333333") for each in (ONE, TWO))
    for told in ((one, two), (two, one)):
        await world.sweep(*told)
        assert (await zones(world))[0]["zone"] == TWO


async def test_edges_go_where_the_detail_that_tells_of_them_was_answered(world: World) -> None:
    people = Told("Person", ONE, "global", {"ann": {}, "eve": {}})

    def boxes(tag: int, *, of: str, unanswered: str = "") -> tuple[Told, ...]:
        answered: dict[str, dict[str, Any]] = {key: {MARK: tag} for key in ("b1", "b2") if key != unanswered}
        links = {"opened": {key: [of] for key in answered}}
        rows = answered | {unanswered: {}} if unanswered else answered
        return people, Told("Box", ONE, "global", rows, links)

    await world.sweep(*boxes(1, of="ann"))
    world.unread = {"Box": {(ONE, "global")}}
    await world.sweep(*boxes(2, of="eve", unanswered="b1"))
    assert await world.edges("OPENED_BY") == {("b1", "ann"), ("b2", "eve")}
    assert await world.store.run(f"MATCH (n:Box) RETURN n.id AS id, n.{MARK} AS seen ORDER BY id") == [
        {"id": "b1", "seen": 1},
        {"id": "b2", "seen": 2},
    ]
    await world.sweep(people, Told("Box", ONE, "global", {"b1": {}}))
    assert await world.ids("Box") == {"b1"}, "every box was listed, whatever its details"
    assert await world.edges("OPENED_BY") == {("b1", "ann")}
    world.unread = {}
    await world.sweep(people, Told("Box", ONE, "global", {"b1": {MARK: 4}}))
    assert await world.edges("OPENED_BY") == set()


async def test_edges_to_whatever_arns_tell_go_where_the_scope_no_longer_tells_of_them(world: World) -> None:
    there = (network(ONE, EAST, "n1"), ranges(ONE, EAST, "10.0.0.0/8"), Told("Person", ONE, "global", {"ann": {}}))

    def finding(account: str, *names: str) -> Told:
        links = {name: {account: [to]} for name, to in ABOUT.items() if name in names}
        return Told("Finding", account, EAST, {account: {}}, links)

    await world.sweep(*there, finding(ONE, *ABOUT), finding(TWO, "things_Person"))
    assert await world.edges("ABOUT") == {(ONE, "n1"), (ONE, "ann"), (ONE, "10.0.0.0/8"), (TWO, "ann")}
    await world.sweep(*there, finding(ONE, "things_Person"), missing={"Finding": [(ONE, EAST), (TWO, EAST)]})
    assert len(await world.edges("ABOUT")) == 4
    deleted = await world.sweep(*there, finding(ONE, "things_Person"), finding(TWO, "things_Person"))
    assert await world.edges("ABOUT") == {(ONE, "ann"), (TWO, "ann")}
    assert +deleted.edges == {"ABOUT": 2}


async def test_deletions_are_more_than_one_transaction(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("skysweep.cleanup.LIMIT", 10)
    monkeypatch.setattr("skysweep.cleanup.SCOPES", 1)
    await world.sweep(network(ONE, EAST, *(f"n{number}" for number in range(45))))
    deleted = await world.sweep()
    assert +deleted.nodes == {"Network": 45}
    assert await world.ids("Network") == set()


async def test_deletions_whose_answers_are_lost_are_counted_all_the_same(
    store_settings: StoreSettings, tmp_path: Path
) -> None:
    async with proxied(store_settings, tmp_path / "behind", 60.0) as (proxy, store):
        world = World(store, tmp_path)
        await world.sweep(network(ONE, EAST, *map(str, range(30))), machine(ONE, EAST, "m", of="0"))
        proxy.cut_after_commit = every(2)
        deleted = await world.sweep(network(ONE, EAST, *map(str, range(10))))
        proxy.cut_after_commit = never
        assert (+deleted.nodes, +deleted.edges) == (Counter(Network=20, Machine=1), Counter(IN=1))
        assert await world.ids("Network") == set(map(str, range(10)))
