"""The sweep, end to end: emulated accounts over real signed HTTP, into the embedded graph and into Neo4j."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

import skysweep
from benchmarks.stores import empty
from conftest import neo4j_settings
from graphs import Graph, differences, graph
from neo4j_server import Neo4jServer
from proxy import EC2_DENIED, QUERY_DENIED, S3_DENIED, Proxy, Seen, proxy
from skysweep import settings as configuration
from skysweep.analysis.questions import QUESTIONS
from skysweep.demo.estate import Estate, build
from skysweep.demo.server import aws
from skysweep.demo.session import DUMMY, Account, Clients, Keys
from skysweep.outcomes import Outcome
from skysweep.report import ExitCode, Report
from skysweep.settings import Settings
from skysweep.store import Store, StoreSettings, open_store

pytestmark = pytest.mark.timeout(300)
TIMES = {"lastupdated", "lastuseddate", "latest_restorable_time"}  # the latter two move by themselves, or by our calls
MADE = {"firstseen", "_analysed"}  # when it was done: two stores cannot agree on it
LOOSE = TIMES | {"_region"}  # what several regions see is marked with one of those that saw it this time
SEED = Path(__file__).parent / "data" / "seed_queries.md"


@dataclasses.dataclass
class Emulated:
    """The emulated organization: where it is built, what it holds, and the proxy that the sweeps go through."""

    endpoint: str
    estate: Estate
    proxy: Proxy

    def settings(self, store: StoreSettings, folder: Path, **changes: Any) -> Settings:
        made = configuration.demo(
            self.proxy.url,
            accounts=tuple(self.estate.accounts),
            role_name=self.estate.role_name,
            regions=self.estate.regions,
            folder=folder,
            key=DUMMY,
        )
        made = dataclasses.replace(made, store=store, **changes)
        return dataclasses.replace(made, aws=dataclasses.replace(made.aws, max_attempts=1))


@pytest.fixture(scope="module")
def built() -> Iterator[tuple[str, Estate]]:
    with aws() as endpoint:
        yield endpoint, build(endpoint)


@pytest_asyncio.fixture(scope="module")
async def emulated(built: tuple[str, Estate]) -> AsyncIterator[Emulated]:
    async with proxy(built[0]) as passing:
        yield Emulated(*built, passing)


@dataclasses.dataclass
class Swept:
    """A store that holds the estate, the report and the graph of its first whole sweep, and how to sweep it again.

    A test leaves it as the estate has it: what is later than a test's own sweep may be another test's.
    """

    store: Store
    settings: Settings
    report: Report
    first: Graph

    async def again(self, **changes: Any) -> Report:
        return await skysweep.sweep(dataclasses.replace(self.settings, **changes))


Sweeps = Callable[[StoreSettings], Awaitable[Swept]]


@pytest_asyncio.fixture(scope="module")
async def sweeps(emulated: Emulated, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sweeps]:
    """What sweeps a store for the first time, once for all tests: it takes as long as most of them together."""
    made: dict[StoreSettings, Swept] = {}
    async with AsyncExitStack() as opened:

        async def swept(store_settings: StoreSettings) -> Swept:
            if store_settings not in made:
                store = await opened.enter_async_context(open_store(store_settings))
                await empty(store)
                settings = emulated.settings(store_settings, tmp_path_factory.mktemp("swept"))
                report = await skysweep.sweep(settings)
                made[store_settings] = Swept(store, settings, report, await graph(store, marks=TIMES | MADE))
            return made[store_settings]

        yield swept


@pytest_asyncio.fixture
async def swept(emulated: Emulated, sweeps: Sweeps, store_settings: StoreSettings) -> AsyncIterator[Swept]:
    emulated.proxy.rule = lambda _: None
    yield await sweeps(store_settings)
    emulated.proxy.rule = lambda _: None


async def test_a_sweep_is_complete_and_says_so(swept: Swept) -> None:
    report = swept.report
    assert (report.status, report.exit_code, report.units, report.quarantined) == (
        "complete",
        ExitCode.COMPLETE,
        [],
        [],
    )
    assert report.targets == 9
    off = {"absent": report.targets}  # Security Hub's findings: nobody has it on
    assert report.unit_totals == {"complete": report.unit_totals["complete"], "denied": 0, "failed": 0, **off}
    assert report.calls["failed"] == report.calls["throttled"] == 0
    for label, change in report.nodes.items():
        [found] = await swept.store.run(f"MATCH (n:{label}) RETURN count(n) AS nodes")
        assert found["nodes"] == change["written"], label


async def test_the_questions_answers_are_those_known_by_construction(swept: Swept, emulated: Emulated) -> None:
    for name, expected in emulated.estate.answers.items():
        rows = await swept.store.run(QUESTIONS[name].cypher)
        found = [{column: row[column] for column in QUESTIONS[name].columns} for row in rows]
        assert _sorted(found) == _sorted(expected), name


async def test_the_seeds_queries_run_as_they_are_written(swept: Swept, emulated: Emulated) -> None:
    answers = emulated.estate.answers
    queries = re.findall(r"```\n(.*?)```", SEED.read_text(), re.DOTALL)
    expected = [
        answers["rds_instances"],
        answers["unencrypted_rds_instances"],
        answers["exposed_instances"],
        answers["internet_facing_elbs"],
        answers["internet_facing_elbv2s"],
        answers["anonymous_buckets"],
        answers["unencrypted_rds_per_account"],
    ]
    assert len(queries) == len(expected)
    for query, rows in zip(queries, expected, strict=True):
        assert len(await swept.store.run(query)) == len(rows), query
    [per_account] = [query for query in queries if "count(rds)" in query]
    counted = {tuple(row.values()) for row in await swept.store.run(per_account)}
    assert counted == {(row["account"], row["instances"]) for row in answers["unencrypted_rds_per_account"]}


async def test_a_second_sweep_of_an_unchanged_estate_changes_nothing(swept: Swept) -> None:
    first = await swept.again()  # whole: another test's may have been of a part
    before = await graph(swept.store, marks=TIMES)
    report = await swept.again()
    assert differences(before, await graph(swept.store, marks=TIMES)) == []
    assert report.update_tag > first.update_tag
    assert not [label for label, change in {**report.nodes, **report.edges}.items() if change["deleted"]]


async def test_what_is_deleted_in_aws_goes_and_what_is_added_comes(swept: Swept, emulated: Emulated) -> None:
    shop = next(key for key, name in emulated.estate.accounts.items() if name == "shop")
    hub = Account(emulated.estate.management_account_id, "hub", Clients(emulated.endpoint), Keys(DUMMY, DUMMY))
    ec2 = hub.assume(shop, "shop").client("ec2", "us-east-1")
    made = ec2.create_security_group(GroupName="made-between-sweeps", Description="x")["GroupId"]
    try:
        await swept.again()
        assert await swept.store.run("MATCH (g:EC2SecurityGroup {id: $id}) RETURN g.name AS name", id=made) == [
            {"name": "made-between-sweeps"}
        ]
        before = await graph(swept.store)
    finally:
        ec2.delete_security_group(GroupId=made)
        report = await swept.again()
    gone = before[0].keys() - (await graph(swept.store))[0].keys()
    assert [key for key in gone if key.endswith(made)]
    assert all(made in key for key in gone), gone
    assert report.nodes["EC2SecurityGroup"]["deleted"] == 1


def _denies(service: str, region: str, denied: tuple[int, str, str], operation: str = "") -> Any:
    def rule(seen: Seen) -> tuple[int, str, str] | None:
        return denied if (seen.service, seen.region) == (service, region) and operation in seen.operation else None

    return rule


@pytest.mark.parametrize(
    ("rule", "outcome"),
    [
        (_denies("ec2", "eu-west-1", EC2_DENIED), Outcome.DENIED),
        (_denies("rds", "ap-southeast-2", QUERY_DENIED), Outcome.DENIED),
        (_denies("ec2", "us-east-1", (500, "text/xml", "oh no")), Outcome.FAILED),
    ],
    ids=["ec2 denied in a region", "rds denied in a region", "ec2 broken in a region"],
)
async def test_what_is_denied_or_fails_loses_nothing(
    swept: Swept, emulated: Emulated, rule: Any, outcome: Outcome
) -> None:
    before = await graph(swept.store, marks=LOOSE)
    emulated.proxy.rule = lambda seen: None if seen.operation == "DescribeRegions" else rule(seen)
    report = await swept.again()
    assert (report.status, report.exit_code) == ("incomplete", ExitCode.INCOMPLETE)
    assert report.units
    listings = {(unit.outcome, bool(unit.error)) for unit in report.units if unit.outcome is not Outcome.COMPLETE}
    details = {(failure.outcome, bool(failure.error)) for unit in report.units for failure in unit.details}
    assert listings == {(outcome, True)}
    assert details <= listings
    assert differences(before, await graph(swept.store, marks=LOOSE)) == []


async def test_a_denied_bucket_policy_leaves_the_last_known_one(swept: Swept, emulated: Emulated) -> None:
    seen = "MATCH (b:S3Bucket) RETURN DISTINCT b._seen_GetBucketPolicy AS policy, b._seen_GetBucketAcl AS acl"
    before = await graph(swept.store, marks=LOOSE)
    [told] = await swept.store.run(seen)

    def rule(seen: Seen) -> tuple[int, str, str] | None:
        return S3_DENIED if seen.service == "s3" and "?policy" in seen.operation else None

    emulated.proxy.rule = rule
    report = await swept.again()
    assert report.exit_code is ExitCode.INCOMPLETE
    assert {(failure.operation, failure.outcome) for unit in report.units for failure in unit.details} == {
        ("GetBucketPolicy", Outcome.DENIED)
    }
    assert await swept.store.run(seen) == [{"policy": told["policy"], "acl": report.update_tag}]
    assert report.update_tag > told["acl"] >= told["policy"] >= swept.report.update_tag
    assert differences(before, await graph(swept.store, marks=LOOSE)) == []


async def test_a_selection_touches_nothing_else(swept: Swept) -> None:
    before = await graph(swept.store, marks=LOOSE)
    report = await swept.again(syncs=("s3", "RDSInstance"))
    assert {"S3Bucket", "RDSInstance"} <= set(report.nodes)
    assert "EC2Instance" not in report.nodes
    assert differences(before, await graph(swept.store, marks=LOOSE)) == []


async def test_both_stores_hold_the_same_graph(
    emulated: Emulated, sweeps: Sweeps, embedded: StoreSettings, neo4j_uri: Neo4jServer
) -> None:
    emulated.proxy.rule = lambda _: None
    graphs = [(await sweeps(each)).first for each in (embedded, neo4j_settings(neo4j_uri))]
    assert len(graphs[0][0]) > 1000
    assert differences(*graphs) == []


def _sorted(rows: list[dict[str, Any]]) -> list[str]:
    return sorted(str(sorted(row.items())) for row in rows)
