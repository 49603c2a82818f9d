from __future__ import annotations

from skysweep.analysis.derived import EDGES, derive
from skysweep.store import NodeType, Store

LABELS = ("AWSAccount", "EC2Instance", "AWSRole", "AWSInstanceProfile", "EC2NetworkAcl", "EC2Subnet", "LoadBalancerV2")
DRAWN = "MATCH (s)-[r]->(t) WHERE type(r) IN $kinds RETURN s.id AS s, type(r) AS kind, t.id AS t, r.lastupdated AS seen"
BUILT = """
CREATE (a:AWSAccount {id: '1', inscope: true}), (:AWSAccount {id: '2'}), (i:EC2Instance {id: 'i'}),
       (p:AWSInstanceProfile {id: 'p'}), (r:AWSRole {id: 'r'}), (n:EC2NetworkAcl {id: 'n'}), (s:EC2Subnet {id: 's'}),
       (l:LoadBalancerV2 {id: 'l'}), (a)-[:RESOURCE]->(i), (a)-[:RESOURCE]->(n), (i)-[:INSTANCE_PROFILE]->(p),
       (p)-[:ASSOCIATED_WITH]->(r), (n)-[:PART_OF_SUBNET]->(s), (l)-[:SUBNET]->(s)
"""


async def drawn(store: Store) -> set[tuple[str, str, str, int]]:
    rows = await store.run(DRAWN, kinds=[edge.kind for edge in EDGES])
    return {(row["s"], row["kind"], row["t"], row["seen"]) for row in rows}


async def test_derived_edges_follow_what_they_are_derived_from(store: Store) -> None:
    kinds = {"RESOURCE", "INSTANCE_PROFILE", "ASSOCIATED_WITH", "PART_OF_SUBNET", "SUBNET", *(e.kind for e in EDGES)}
    await store.prepare([NodeType(label, (), ()) for label in LABELS], sorted(kinds))
    await store.run(BUILT)
    for tag in (1, 2):
        await derive(store.run, tag, ["1"])
        assert await drawn(store) == {
            ("i", "ASSUMES", "r", tag),
            ("i", "STS_ASSUMEROLE_ALLOW", "r", tag),
            ("n", "PROTECTS", "l", tag),
        }
    await store.run("MATCH (:AWSInstanceProfile)-[r:ASSOCIATED_WITH]->() DELETE r")
    await derive(store.run, 3, ["1"])
    assert await drawn(store) == {("n", "PROTECTS", "l", 3)}


async def test_accounts_that_no_sweep_has_in_scope_are_foreign(store: Store) -> None:
    await store.prepare([NodeType(label, (), ()) for label in ("AWSAccount", "AWSRole")], [])
    await store.run("CREATE (:AWSAccount {id: '1', inscope: true, foreign: false}), (:AWSAccount {id: '2'})")
    await derive(store.run, 1, [])
    rows = await store.run("MATCH (a:AWSAccount) RETURN a.id AS id, a.foreign AS foreign")
    assert {row["id"]: row["foreign"] for row in rows} == {"1": False, "2": True}


async def test_a_role_known_by_a_session_alone_gives_way_to_the_one_with_the_path(store: Store) -> None:
    await store.prepare([NodeType(label, (), ()) for label in ("AWSAccount", "AWSRole")], ["TRUSTS_AWS_PRINCIPAL"])
    await store.run("CREATE (:AWSRole {id: 'role/b', pathless_arn: 'role/b'})")
    await store.run("CREATE (:AWSRole {id: 'role/c', pathless_arn: 'role/c', _account: '1'})")
    await derive(store.run, 1, [])
    roles = "MATCH (n:AWSRole) RETURN n.id AS id ORDER BY id"
    assert [row["id"] for row in await store.run(roles)] == ["role/b", "role/c"]
    await store.run("CREATE (:AWSRole {id: 'role/path/b', pathless_arn: 'role/b', _account: '2'})")
    await derive(store.run, 2, [])
    assert [row["id"] for row in await store.run(roles)] == ["role/c", "role/path/b"]
