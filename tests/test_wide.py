"""A sweep of everything that moto offers finds what was put in, type by type."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

import skysweep
from benchmarks.stores import empty
from skysweep import settings as configuration
from skysweep.catalogue import load
from skysweep.demo.estate import Estate, build
from skysweep.demo.server import aws
from skysweep.demo.session import DUMMY, Account, Clients, Keys
from skysweep.report import Report
from skysweep.store import Store, StoreSettings, open_store
from wide import build_wide
from wide.ground import Made
from wide.listed import derived, listed

pytestmark = pytest.mark.timeout(300)

UNSHOWN = {
    "AWSAccessAnalyzer",  # moto has no Access Analyzer
    "AWSAccessAnalyzerFinding",
    "APIGatewayClientCertificate",  # nor operations that list these
    "AWSCloudWatchCompositeAlarm",  # nor one that makes these
    "AWSSecurityHubStandard",
    "AWSTransferUser",
    "AWSWorkspacesBundle",
    "DynamoDBArchivalSummary",  # nothing there lacks its key
    "ECRPullThroughCacheRule",
    "EKSAccessEntry",
    "ElasticacheTopic",  # what a cache tells, and to whom, is not told back
    "GuardDutyFinding",
}
"""The types of the catalogue that no estate of moto's shows."""

AMONG_OTHERS = {"AWSTag"}
"""Of these it is told what there is at least: tags are everywhere."""


@dataclasses.dataclass
class Swept:
    """What is in the estate: ids by label, numbers where no ids are known, edges; and the sweep of it."""

    made: Made
    ids: dict[str, set[str]]
    numbers: dict[str, int]
    report: Report
    store: Store


@pytest.fixture(scope="module")
def built() -> Iterator[tuple[str, Estate, Made]]:
    with aws() as endpoint:
        estate = build(endpoint)
        yield endpoint, estate, build_wide(endpoint, estate)


@pytest_asyncio.fixture(scope="module")
async def swept(
    built: tuple[str, Estate, Made], embedded: StoreSettings, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Swept]:
    endpoint, estate, made = built
    root = Account(estate.management_account_id, "", Clients(endpoint), Keys())
    accounts = [root.assume(number, name) for number, name in estate.accounts.items()]
    ids, numbers = listed(accounts, estate.regions)
    further, more = derived(accounts)
    for found in (made.ids, further):
        for label, each in found.items():
            ids.setdefault(label, set()).update(each)
    settings = configuration.demo(
        endpoint,
        accounts=tuple(estate.accounts),
        role_name=estate.role_name,
        regions=estate.regions,
        folder=tmp_path_factory.mktemp("wide"),
        key=DUMMY,
    )
    settings = dataclasses.replace(settings, store=embedded)
    async with open_store(embedded) as store:
        await empty(store)
        report = await skysweep.sweep(settings)
        yield Swept(made, ids, numbers | more, report, store)


def test_the_sweep_is_complete(swept: Swept) -> None:
    assert (swept.report.status, swept.report.units, swept.report.quarantined) == ("complete", [], [])


def test_every_type_is_expected_or_cannot_be_shown(swept: Swept) -> None:
    known = swept.ids.keys() | swept.numbers.keys()
    assert known & UNSHOWN == set()
    assert set(load().by_label) - known == UNSHOWN
    assert known <= set(load().by_label)


async def test_each_type_has_what_was_put_in(swept: Swept) -> None:
    wrong = {}
    for label in load().by_label:
        found = {row["id"] for row in await swept.store.run(f"MATCH (n:{label}) RETURN n.id AS id")}
        wanted = swept.ids.get(label, set())
        if label in swept.numbers:
            if len(found) != swept.numbers[label]:
                wrong[label] = f"{len(found)} instead of {swept.numbers[label]}"
        elif wanted - found or (found - wanted and label not in AMONG_OTHERS):
            wrong[label] = f"lacks {wanted - found}, has {found - wanted}"
    assert wrong == {}


async def test_edges_that_were_made_are_there(swept: Swept) -> None:
    rows = await swept.store.run("MATCH (s)-[r]->(t) RETURN s.id AS source, type(r) AS kind, t.id AS target")
    found = {(row["source"], row["kind"], row["target"]) for row in rows}
    assert swept.made.edges - found == set()
