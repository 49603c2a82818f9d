from __future__ import annotations

import asyncio
import datetime as dt
import logging
import os
import signal
import socket
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from neo4j.exceptions import ClientError, ConstraintError, Neo4jError, ServiceUnavailable

from benchmarks.bolt import every
from gates import proxied, published
from skysweep.errors import BadStore, StoreLost
from skysweep.store import NodeType, Store, StoreSettings, lost, open_store

if TYPE_CHECKING:
    from pathlib import Path

    from neo4j_server import Neo4jServer

UTC = dt.UTC
INSTANCE = NodeType("EC2Instance", ("AWSEC2Instance", "ComputeInstance"), ("publicipaddress",))
GROUP = NodeType("EC2SecurityGroup", (), ("name",))
ACCOUNT = NodeType("AWSAccount", (), ())
EDGES = ("RESOURCE", "MEMBER_OF")
SCOPE = {"account": "111", "region": "eu-west-1"}


# --- both stores -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        "text",
        "",
        "é漢🙂\u0000",
        "x" * 100_000,
        0,
        2**63 - 1,
        -(2**63),
        1.5,
        2.0,
        True,
        False,
        dt.datetime(2024, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
        dt.datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC),
        dt.date(2024, 2, 29),
        ["a", "ü"],
        [1, 2**40],
        [True, False],
        [dt.datetime(2024, 1, 2, tzinfo=UTC)],
        [],
    ],
    ids=lambda value: repr(value)[:40],
)
async def test_a_value_comes_back_as_it_went_in(store: Store, value: Any) -> None:
    await store.run("UNWIND $rows AS row MERGE (n:Value {id: row.id}) SET n += row.props", rows=_rows(value))
    [row] = await store.run("MATCH (n:Value {id: 'v'}) RETURN n.value AS value, n")
    assert row["value"] == value
    assert type(row["value"]) is type(value)
    assert row["n"] == {"id": "v", "value": value}


def _rows(value: Any) -> list[dict[str, Any]]:
    return [{"id": "v", "props": {"value": value}}]


async def test_a_datetime_of_any_zone_comes_back_as_the_same_instant_in_utc(store: Store) -> None:
    moment = dt.datetime(2024, 1, 2, 3, 4, 5, tzinfo=dt.timezone(dt.timedelta(hours=5, minutes=30)))
    await store.run("MERGE (n:Value {id: 'v'}) SET n.value = $value", value=moment)
    [row] = await store.run("MATCH (n:Value {id: 'v'}) RETURN n.value AS value, n.value < datetime() AS past")
    assert row == {"value": moment, "past": True}
    assert row["value"].tzinfo is UTC


async def test_none_removes_a_property(store: Store) -> None:
    await store.run("MERGE (n:Value {id: 'v'}) SET n.value = 1, n.other = 2")
    await store.run("UNWIND $rows AS row MERGE (n:Value {id: row.id}) SET n += row.props", rows=_rows(None))
    assert await store.run("MATCH (n:Value) RETURN n") == [{"n": {"id": "v", "other": 2}}]


async def test_prepare_makes_ids_unique(store: Store) -> None:
    await store.prepare([INSTANCE], EDGES)
    await store.run("CREATE (:EC2Instance {id: 'i-1'})")
    with pytest.raises(ConstraintError):
        await store.run("CREATE (:EC2Instance {id: 'i-1'})")


async def test_prepare_takes_up_what_is_new_and_leaves_the_rest(store: Store) -> None:
    await store.prepare([NodeType("Later", ("First",), ("name",))], ["SEES"])
    await store.run(f"CREATE (n:Later {{id: '1', name: 'x'}}) {labels(store, 'First')}")
    await store.prepare([NodeType("Later", ("First", "Second"), ("name", "size"))], ["SEES", "KNOWS"])
    await store.prepare([NodeType("Later", ("First", "Second"), ("name", "size"))], ["SEES", "KNOWS"])
    await store.run(f"CREATE (n:Later {{id: '2', size: 3}}) {labels(store, 'First', 'Second')}")
    assert await store.run("MATCH (n:Second {id: '2'}) RETURN n.size AS size") == [{"size": 3}]
    assert await store.run("MATCH (n:First) RETURN count(n) AS count") == [{"count": 2}]
    with pytest.raises(ConstraintError):
        await store.run("CREATE (:Later {id: '2'})")


async def test_an_index_leaves_values_their_type(store: Store) -> None:
    await store.prepare([NodeType("Indexed", (), ("value",))], [])
    values = [5, 1.5, True, "5", ["a"], dt.datetime(2024, 1, 2, tzinfo=UTC)]
    for number, value in enumerate(values):
        await store.run("CREATE (:Indexed {id: $id, value: $value})", id=str(number), value=value)
        assert await store.run(
            "MATCH (n:Indexed {value: $value}) RETURN n.id AS id, n.value AS value", value=value
        ) == [{"id": str(number), "value": value}]


async def test_prepare_refuses_a_graph_that_holds_an_id_twice(store: Store) -> None:
    await store.run("CREATE (:Twice {id: '1'}), (:Twice {id: '1'})")
    with pytest.raises(BadStore, match="Twice"):
        await store.prepare([NodeType("Twice", (), ())], [])
    await store.run("MATCH (n:Twice) DETACH DELETE n")


def labels(store: Store, *also: str) -> str:
    return "" if store.labels_are_types else f"SET n:{':'.join(also)}"


async def fill(store: Store, tag: int, instances: int, region: str = SCOPE["region"]) -> None:
    """Instances i-0, i-1, … in security group `sg` of account 111, as the writer would put them there."""
    await store.prepare([ACCOUNT, INSTANCE, GROUP], EDGES)
    await store.run("MERGE (:AWSAccount {id: '111'}) MERGE (:EC2SecurityGroup {id: 'sg'})")
    ids = [f"{region}-i-{number}" for number in range(instances)]
    await store.run(
        "UNWIND $rows AS row MERGE (n:EC2Instance {id: row.id}) ON CREATE SET n.firstseen = $tag "
        "SET n += row.props, n.lastupdated = $tag, n._account = $account, n._region = $region "
        f"{labels(store, *INSTANCE.also)} "
        "WITH n, row MATCH (a:AWSAccount {id: $account}) MERGE (n)<-[r:RESOURCE]-(a) ON CREATE SET r.firstseen = $tag "
        "SET r.lastupdated = $tag, r._account = $account, r._region = $region",
        rows=[{"id": each, "props": {"state": "running", "gone": None}} for each in ids],
        tag=tag,
        account="111",
        region=region,
    )
    await store.run(
        "UNWIND $rows AS row MATCH (s:EC2Instance {id: row.s}) MATCH (t:EC2SecurityGroup {id: row.t}) "
        "MERGE (s)-[r:MEMBER_OF]->(t) ON CREATE SET r.firstseen = $tag "
        "SET r.lastupdated = $tag, r._account = $account, r._region = $region RETURN count(*) AS count",
        rows=[{"s": each, "t": "sg"} for each in ids],
        tag=tag,
        account="111",
        region=region,
    )


async def test_writing_twice_changes_only_lastupdated(store: Store) -> None:
    everything = (
        "MATCH (n:EC2Instance)-[r]-(o) "
        "RETURN n.id AS id, properties(n) AS n, type(r) AS kind, properties(r) AS r, o.id AS o ORDER BY id, kind"
    )
    await fill(store, tag=1, instances=20)
    before = await store.run(everything)
    await fill(store, tag=2, instances=20)
    after = await store.run(everything)
    assert len(before) == len(after) == 40
    for row in before:
        row["n"]["lastupdated"] = row["r"]["lastupdated"] = 2
    assert after == before
    assert {row["n"]["firstseen"] for row in after} == {row["r"]["firstseen"] for row in after} == {1}


async def test_cleanup_takes_the_scopes_stale_nodes_in_bounded_portions(store: Store) -> None:
    await fill(store, tag=1, instances=25)
    await fill(store, tag=1, instances=5, region="other")
    await fill(store, tag=2, instances=3)
    stale = (
        "UNWIND $scopes AS scope MATCH (n:EC2Instance {_account: scope.account, _region: scope.region}) "
        "WHERE n.lastupdated <> $tag WITH n LIMIT $limit DETACH DELETE n RETURN count(*) AS count"
    )
    counts = [(await store.run(stale, scopes=[SCOPE], tag=2, limit=10))[0]["count"] for _ in range(4)]
    assert counts == [10, 10, 2, 0]
    left = await store.run(
        "MATCH (n:EC2Instance)<-[:RESOURCE]-() RETURN n._region AS region, count(*) AS count ORDER BY region"
    )
    assert left == [{"region": "eu-west-1", "count": 3}, {"region": "other", "count": 5}]


async def test_cleanup_takes_the_scopes_stale_edges_and_then_orphans(store: Store) -> None:
    await fill(store, tag=1, instances=3)
    await fill(store, tag=1, instances=2, region="other")
    stale = (
        "MATCH (n:EC2Instance)-[r:MEMBER_OF]->() WHERE r._account = $account AND r._region = $region "
        "AND r.lastupdated <> $tag WITH r LIMIT 1000 DELETE r RETURN count(*) AS count"
    )
    orphans = "MATCH (n:EC2SecurityGroup) WHERE NOT (n)--() WITH n LIMIT 1000 DELETE n RETURN count(*) AS count"
    assert await store.run(stale, **SCOPE, tag=2) == [{"count": 3}]
    assert await store.run(orphans) == [{"count": 0}]
    assert await store.run(stale, account="111", region="other", tag=2) == [{"count": 2}]
    assert await store.run(orphans) == [{"count": 1}]


async def test_a_stub_is_made_once(store: Store) -> None:
    await fill(store, tag=1, instances=2)
    stub = (
        "UNWIND $rows AS row MATCH (s:EC2Instance {id: row.s}) MERGE (t:EC2SecurityGroup {id: row.t}) "
        "ON CREATE SET t.firstseen = $tag MERGE (s)-[r:MEMBER_OF]->(t) RETURN count(*) AS count"
    )
    rows = [{"s": f"eu-west-1-i-{number}", "t": "stub"} for number in range(2)]
    for tag in (1, 2):
        assert await store.run(stub, rows=rows, tag=tag) == [{"count": 2}]
    found = await store.run(
        "MATCH (t:EC2SecurityGroup {id: 'stub'})<-[r]-() RETURN t.firstseen AS tag, count(r) AS count"
    )
    assert found == [{"tag": 1, "count": 2}]


READS: dict[str, tuple[str, list[dict[str, Any]]]] = {
    "also label": ("MATCH (n:AWSEC2Instance) RETURN count(n) AS x", [{"x": 3}]),
    "two labels": ("MATCH (n:EC2Instance:ComputeInstance) RETURN count(n) AS x", [{"x": 3}]),
    "one of labels": ("MATCH (n:ComputeInstance|AWSAccount) RETURN count(n) AS x", [{"x": 4}]),
    "label predicate": ("MATCH (n) WHERE NOT n:ComputeInstance RETURN count(n) AS x", [{"x": 2}]),
    "optional": (
        "MATCH (a:AWSAccount) OPTIONAL MATCH (a)-[:NOTHING]->(n) RETURN a.id AS x, n, collect(n.id) AS ids",
        [{"x": "111", "n": None, "ids": []}],
    ),
    "case": ("MATCH (a:AWSAccount) RETURN CASE WHEN a.name IS NULL THEN a.id ELSE 'y' END AS x", [{"x": "111"}]),
    "count": ("MATCH (g:EC2SecurityGroup) RETURN COUNT { (g)<-[:MEMBER_OF]-(:EC2Instance) } AS x", [{"x": 3}]),
    "exists": (
        "MATCH (n) WHERE EXISTS { MATCH (n)-[:MEMBER_OF]->(g) WHERE g.id STARTS WITH 's' } RETURN count(n) AS x",
        [{"x": 3}],
    ),
    "variable length": (
        "MATCH p = (:AWSAccount)-[:RESOURCE|MEMBER_OF*1..2]->(:EC2SecurityGroup) RETURN count(p) AS x",
        [{"x": 3}],
    ),
    "subquery": (
        "MATCH (a:AWSAccount) CALL (a) { MATCH (a)-[r:RESOURCE]->() RETURN count(r) AS x } RETURN x",
        [{"x": 3}],
    ),
    "strings": (
        "MATCH (n:EC2Instance) WHERE n.id CONTAINS 'west' AND n.id ENDS WITH '2' AND n.id =~ 'eu.*' RETURN n.id AS x",
        [{"x": "eu-west-1-i-2"}],
    ),
    "map projection": ("MATCH (a:AWSAccount) RETURN a {.id, y: 1} AS x", [{"x": {"id": "111", "y": 1}}]),
    "union": ("RETURN 1 AS x UNION RETURN 1 AS x", [{"x": 1}]),
    "edge": (
        "MATCH (n {id: 'eu-west-1-i-0'})-[r:MEMBER_OF]->(g) RETURN type(r) AS x, startNode(r).id AS y, g.id AS z",
        [{"x": "MEMBER_OF", "y": "eu-west-1-i-0", "z": "sg"}],
    ),
}


@pytest.mark.parametrize("form", READS)
async def test_cypher_that_questions_use(store: Store, form: str) -> None:
    await fill(store, tag=1, instances=3)
    query, expected = READS[form]
    assert await store.run(query) == expected


async def test_labels_answer_alike(store: Store) -> None:
    await fill(store, tag=1, instances=1)
    [row] = await store.run("MATCH (n:EC2Instance) RETURN labels(n) AS labels")
    assert sorted(row["labels"]) == ["AWSEC2Instance", "ComputeInstance", "EC2Instance"]
    [row] = await store.run("CALL db.labels() YIELD label RETURN collect(label) AS labels")
    assert {"AWSAccount", "AWSEC2Instance", "ComputeInstance", "EC2Instance", "EC2SecurityGroup"} <= set(row["labels"])


async def test_transactions_that_collide_are_tried_again(store: Store) -> None:
    await store.prepare([ACCOUNT], [])
    await store.run("MERGE (a:AWSAccount {id: '111'}) SET a.count = 0")
    async with asyncio.TaskGroup() as tasks:
        for _ in range(8):
            tasks.create_task(store.run("MATCH (a:AWSAccount {id: '111'}) SET a.lock = 1 SET a.count = a.count + 1"))
    assert await store.run("MATCH (a:AWSAccount) RETURN a.count AS count") == [{"count": 8}]


async def test_the_driver_keeps_its_warnings_to_itself(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="neo4j.notifications"):
        assert await store.run("MATCH (n:NoSuchLabel), (m:NoSuchLabel) RETURN n.nothing, m") == []
    assert caplog.records == []
    assert logging.getLogger("neo4j").handlers, "without one Python prints warnings to stderr"


async def test_an_error_says_what_is_wrong(store: Store) -> None:
    with pytest.raises(ClientError, match=r"NONSENSE|SyntaxError"):
        await store.run("NONSENSE")


# --- both stores, away ------------------------------------------------------------------------------------------------

ONCE_MORE = "MERGE (n:Value {id: 'v'}) ON CREATE SET n.count = 0 SET n.value = $value RETURN n.value AS value"


async def test_a_store_that_comes_back_has_been_waited_for(store_settings: StoreSettings, tmp_path: Path) -> None:
    async with proxied(store_settings, tmp_path, 60.0) as (proxy, store):
        await store.run(ONCE_MORE, value=1)
        proxy.away = True
        refusals = proxy.connections
        async with anyio.create_task_group() as tasks:

            async def write() -> None:
                assert await store.run(ONCE_MORE, value=2) == [{"value": 2}]

            tasks.start_soon(write)
            await anyio.sleep(0.5)
            assert proxy.connections == refusals
            proxy.away = False
        assert await store.run("MATCH (n:Value) RETURN n.value AS value") == [{"value": 2}]


async def test_patience_ends_with_a_line_that_says_how_to_go_on(store_settings: StoreSettings, tmp_path: Path) -> None:
    async with proxied(store_settings, tmp_path, 0.2) as (proxy, store):
        proxy.away = True
        with pytest.raises(StoreLost, match=r"away for 0 s .*bring it back; .*`skysweep sync --resume`") as caught:
            await store.run("RETURN 1")
        assert "\n" not in str(caught.value)


async def test_without_patience_the_drivers_own_error_is_raised(store_settings: StoreSettings, tmp_path: Path) -> None:
    async with proxied(store_settings, tmp_path, 0.0) as (proxy, store):
        proxy.away = True
        with pytest.raises(ServiceUnavailable):
            await store.run("RETURN 1")


async def test_commits_whose_answers_are_lost_are_repeated_and_leave_no_connection_behind(
    store_settings: StoreSettings, tmp_path: Path
) -> None:
    async with proxied(store_settings, tmp_path, 60.0) as (proxy, store):
        proxy.cut_after_commit = every(2)
        await store.prepare([NodeType("Value", (), ())], [])
        await store.prepare([NodeType("Value", (), ("value",))], [])
        for number in range(40):
            assert await store.run(ONCE_MORE, value=number) == [{"value": number}]
        assert proxy.cuts >= 20
        assert await store.run("MATCH (n:Value) RETURN n.value AS value") == [{"value": 39}]
        pool = store.driver._pool
        assert sum(map(len, pool.connections.values())) <= 1
        assert not any(connection.in_use for each in pool.connections.values() for connection in each)


def test_what_a_store_refuses_stops_a_sweep_unless_it_is_our_statement() -> None:
    full = Neo4jError._hydrate_neo4j(
        code="Neo.DatabaseError.Transaction.TransactionLogError", message="Could not append\ntransaction"
    )
    wrong = Neo4jError._hydrate_neo4j(code="Neo.ClientError.Statement.SyntaxError", message="NONSENSE")
    said = lost(ExceptionGroup("", [KeyError("x"), ExceptionGroup("", [full])]))
    assert said is not None
    assert str(said).startswith("the graph cannot be written any more: Could not append transaction; make room")
    assert "`skysweep sync --resume`" in str(said)
    assert [lost(each) for each in (wrong, KeyError("x"), ExceptionGroup("", [wrong]), StoreLost("told"))] == [None] * 4


async def test_an_embedded_graph_whose_process_has_died_is_not_waited_for(tmp_path: Path) -> None:
    settings = StoreSettings(None, None, None, None, tmp_path)
    async with open_store(settings) as opened:
        store = replace(opened, patience=3600.0)
        await store.run("CREATE (:Value {id: 'v'})")
        os.kill(published(settings)["pid"], signal.SIGKILL)
        with pytest.raises(StoreLost, match="the embedded graph's process has ended; what is in it stays"):
            await store.run("RETURN 1")
    async with open_store(settings) as again:
        assert await again.run("MATCH (n:Value) RETURN n.id AS id") == [{"id": "v"}]


# --- Neo4j -----------------------------------------------------------------------------------------------------------


def refused_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"uri": "http://127.0.0.1:7474"}, "http://127.0.0.1:7474 is no Bolt address"),
        ({"uri": "localhost"}, "localhost is no Bolt address"),
        ({"uri": "bolt://nosuch.invalid"}, "no Neo4j answers at bolt://nosuch.invalid"),
        ({"uri": f"bolt://127.0.0.1:{refused_port()}"}, "no Neo4j answers at bolt://127.0.0.1"),
        ({"uri": f"neo4j://127.0.0.1:{refused_port()}"}, "no Neo4j answers at neo4j://127.0.0.1"),
        ({"uri": "bolt://me:s3cret-word@127.0.0.1"}, "bolt://127.0.0.1 is no Bolt address"),
        ({"password": "s3cret-word"}, "does not let user 'neo4j' in"),
        ({"user": None}, "does not let anyone without a name in"),
        ({"database": "nowhere"}, "has no database 'nowhere'"),
    ],
    ids=lambda each: "-".join(each) + str(each.get("uri", ""))[:12] if isinstance(each, dict) else "",
)
async def test_a_neo4j_that_cannot_be_used_is_one_clear_line(
    neo4j_uri: Neo4jServer, change: dict[str, Any], says: str
) -> None:
    settings = {"uri": neo4j_uri.uri, "user": neo4j_uri.user, "password": neo4j_uri.password, "database": None}
    with pytest.raises(BadStore) as caught:
        async with open_store(StoreSettings(**{**settings, **change}, folder=None)):  # type: ignore[arg-type]
            pytest.fail("it opened")
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "s3cret-word" not in str(caught.value)


async def test_neo4j_keeps_a_reader_from_writing(neo4j_uri: Neo4jServer) -> None:
    settings = StoreSettings(*neo4j_uri, database="neo4j", folder=None)  # type: ignore[arg-type]
    async with open_store(settings, read_only=True) as store:
        assert await store.run("RETURN 1 AS x") == [{"x": 1}]
        with pytest.raises(ClientError, match=r"[Ww]rit"):
            await store.run("CREATE (:Anything)")


async def test_neo4j_is_reached_by_its_routing_scheme(neo4j_uri: Neo4jServer) -> None:
    uri = neo4j_uri.uri.replace("bolt://", "neo4j://")
    settings = StoreSettings(uri, neo4j_uri.user, neo4j_uri.password, database=None, folder=None)  # type: ignore[arg-type]
    async with open_store(settings) as store:
        assert store.database == "neo4j"
        assert await store.run("RETURN 1 AS x") == [{"x": 1}]


async def test_settings_do_not_show_the_password(neo4j_uri: Neo4jServer) -> None:
    settings = StoreSettings("bolt://me:s3cret@h", "u", "s3cret", None, None)  # type: ignore[arg-type]
    assert repr(settings) == "StoreSettings(uri='bolt://h', database=None)"
    assert neo4j_uri.password not in repr(StoreSettings(*neo4j_uri, None, None))  # type: ignore[arg-type]
