"""The nodes that tell when a sync was last completed."""

from __future__ import annotations

from typing import Any

from skysweep import cypher
from skysweep.catalogue import Catalogue, load
from skysweep.cleanup import Licence
from skysweep.freshness import CARTOGRAPHYS, completed, tell
from skysweep.outcomes import Outcome
from skysweep.plan import GLOBAL, Account
from skysweep.store import Store
from skysweep.syncs import syncs
from world import CATALOGUE, EAST, ONE, TYPES, WEST

ACCOUNT = Account(ONE, regions=(EAST, WEST))
SYNCS = {"net": ("Network", "Machine"), "people": ("Person",), "mixed": ("Network", "Person"), "none": ()}


def told(licence: Licence, catalogue: Catalogue = CATALOGUE) -> set[tuple[str, str]]:
    rows = completed(catalogue, licence, SYNCS)
    return {(row["props"]["syncedtype"], row["props"]["region"]) for row in rows}


def test_each_region_has_the_syncs_that_are_whole_there() -> None:
    whole = {("net", EAST), ("net", WEST), ("people", GLOBAL), ("mixed", EAST), ("mixed", WEST), ("mixed", GLOBAL)}
    licence = Licence([ACCOUNT])
    assert told(licence) == whole
    licence.withhold([TYPES["Machine"]], ONE, WEST)
    assert told(licence) == whole - {("net", WEST)}
    licence.withhold([TYPES["KnownPerson"]], ONE, GLOBAL)
    assert told(licence) == whole - {("net", WEST), ("people", GLOBAL), ("mixed", GLOBAL)}


def test_what_aws_says_is_not_there_was_told() -> None:
    licence = Licence([ACCOUNT])
    licence.withhold([TYPES["Machine"]], ONE, WEST, Outcome.ABSENT)
    assert ("net", WEST) in told(licence)
    licence.withhold([TYPES["Machine"]], ONE, WEST, Outcome.DENIED)
    assert ("net", WEST) not in told(licence)


def test_where_the_sweep_did_not_go_nothing_is_seen() -> None:
    licence = Licence([Account(ONE, regions=(EAST,)), Account("222222222222", regions=(WEST,))])
    assert not licence.unseen(CATALOGUE, "Machine", ONE, EAST)
    assert licence.unseen(CATALOGUE, "Machine", ONE, WEST), "only the other account was asked there"
    assert licence.unseen(CATALOGUE, "Machine", "333333333333", EAST)
    assert licence.unseen(CATALOGUE, "Nothing", ONE, EAST)
    assert not licence.unseen(CATALOGUE, "Person", ONE, GLOBAL)


def test_a_selection_completes_only_what_it_has_all_types_of() -> None:
    some = Catalogue(tuple(type_ for type_ in CATALOGUE.types if type_.label != "Machine"))
    assert told(Licence([ACCOUNT]), some) == {("people", GLOBAL), ("mixed", EAST), ("mixed", WEST), ("mixed", GLOBAL)}


def test_what_policies_somewhere_tell_of_roles_is_no_listing_of_roles() -> None:
    rows = completed(load(), Licence([ACCOUNT]), {"roles": ("AWSRole",)})
    assert {row["props"]["region"] for row in rows if row["props"]["syncedtype"] == "roles"} == {GLOBAL}


def test_cartographys_own_are_ids_of_its_form_and_once_an_account() -> None:
    every = load()
    licence = Licence([ACCOUNT])
    rows = {row["id"]: row["props"] for row in completed(every, licence, syncs())}
    there = {label for type_ in every.types for label in (type_.label, *type_.also)}
    assert {f"AWSAccount_{ONE}_{name}" for name in CARTOGRAPHYS if name in there} <= rows.keys()
    assert rows[f"AWSAccount_{ONE}_AWSS3Bucket"] == {
        "grouptype": "AWSAccount",
        "groupid": ONE,
        "syncedtype": "AWSS3Bucket",
        "region": GLOBAL,
    }
    tables = next(type_ for type_ in every.types if type_.label == "DynamoDBTable")
    licence.withhold([tables], ONE, WEST)
    assert f"AWSAccount_{ONE}_AWSDynamoDBTable" not in {row["id"] for row in completed(every, licence, syncs())}


async def test_a_sync_that_was_not_completed_keeps_its_last_time(store: Store) -> None:
    await store.prepare(cypher.node_types(CATALOGUE), cypher.edge_types(CATALOGUE))
    licence = Licence([ACCOUNT])
    await tell(store, CATALOGUE, licence, SYNCS, 1)
    licence.withhold([TYPES["Machine"]], ONE, WEST)
    await tell(store, CATALOGUE, licence, SYNCS, 2)
    rows: list[dict[str, Any]] = await store.run(
        "MATCH (n:SyncMetadata) WHERE n.syncedtype = 'net' RETURN n.id AS id, n.lastupdated AS tag, "
        "'ModuleSyncMetadata' IN labels(n) AS labelled ORDER BY id"
    )
    assert rows == [
        {"id": f"AWSAccount_{ONE}_{WEST}_net", "tag": 1, "labelled": True},
        {"id": f"AWSAccount_{ONE}_{EAST}_net", "tag": 2, "labelled": True},
    ]
