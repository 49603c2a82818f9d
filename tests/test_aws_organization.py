from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

import answers
from skysweep import catalogue
from skysweep.aws import organization
from skysweep.aws.account import IDENTITY
from skysweep.calls import Walk
from skysweep.catalogue import Catalogue, Type
from skysweep.model import Call, Context, Record
from skysweep.outcomes import Outcome
from skysweep.plan import GLOBAL, Target, Unit
from skysweep.records import Maker

CATALOGUE = Catalogue(tuple(type_ for type_ in catalogue.load().types if type_.source.call.root == IDENTITY.call))
HUB, MEMBER = "123456789012", "111111111111"  # the stored organization's management account, and another
ROOT, WORKLOADS, DATA, SUSPENDED = (
    f"o-exampleorg1/{each}"
    for each in (
        "r-examplerootid111",
        "ou-examplerootid111-exampleouid111",
        "ou-examplerootid111-exampleouid222",
        "ou-examplerootid111-exampleouid333",
    )
)


class Swept:
    """What one account's walk makes: rows by label and id, edges; what was asked, and what did not answer."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, dict[str, Any]]] = {}
        self.edges: set[tuple[str, str, str]] = set()
        self.asked: list[str] = []
        self.untold: dict[str, Outcome] = {}

    async def ask(
        self, target: Target, call: Call, inputs: Mapping[str, Any], region: str | None
    ) -> AsyncIterator[Mapping[str, Any]]:
        self.asked.append(call.operation)
        async for page in answers.ask(target, call, inputs, region):
            yield page

    async def emit(self, type_: Type, record: Record) -> None:
        maker = Maker(type_)
        row = maker.row(record)
        self.rows.setdefault(type_.label, {}).setdefault(row["id"], {}).update(row["props"])
        for link in maker.links(record, row["id"]):
            self.edges.add((link.start, type_.edges[link.edge].kind, link.end))


async def sweep(account: str, *, tree: bool | None = None) -> Swept:
    swept, root = Swept(), IDENTITY.call
    unit = Unit(Target(account, GLOBAL, "aws", tree), root)
    walk = Walk(unit, CATALOGUE.branches[root], swept.ask, swept.emit, lambda *_: None)
    assert await walk.run() == (Outcome.COMPLETE, None)
    swept.untold = {failure.operation: failure.outcome for failure in walk.details}
    return swept


async def test_the_tree_has_cartographys_labels_ids_and_edges() -> None:
    swept = await sweep(HUB)
    (whole,) = swept.rows["AWSOrganization"].values()
    assert (whole["id"], whole["management_account_id"], whole["feature_set"]) == ("o-exampleorg1", HUB, "ALL")
    (root,) = swept.rows["AWSOrganizationRoot"].values()
    assert (root["id"], root["root_id"], root["org_id"]) == (ROOT, "r-examplerootid111", "o-exampleorg1")
    units = swept.rows["AWSOrganizationalUnit"]
    assert {key: (unit["parent_root_id"], unit["parent_ou_id"], unit["root_id"]) for key, unit in units.items()} == {
        WORKLOADS: (ROOT, None, ROOT),
        SUSPENDED: (ROOT, None, ROOT),
        DATA: (None, WORKLOADS, ROOT),
    }
    places = {HUB: ROOT, "444444444444": ROOT, MEMBER: WORKLOADS, "222222222222": DATA, "333333333333": SUSPENDED}
    assert swept.edges == {
        (ROOT, "PARENT", "o-exampleorg1"),
        ("o-exampleorg1", "RESOURCE", ROOT),
        *((unit, "PARENT", ROOT) for unit in (WORKLOADS, SUSPENDED)),
        (DATA, "PARENT", WORKLOADS),
        (WORKLOADS, "RESOURCE", DATA),
        *((ROOT, "RESOURCE", unit) for unit in units),
        *((account, "PARENT", place) for account, place in places.items()),
        *((place, "RESOURCE", account) for account, place in places.items()),
        *((HUB, "HAS_MEMBER_ACCOUNT", account) for account in places if account != HUB),
    }
    assert swept.untold == {}


async def test_suspended_accounts_are_nodes_with_their_state() -> None:
    accounts = (await sweep(HUB)).rows["AWSAccount"]
    assert accounts["333333333333"]["state"] == "SUSPENDED"
    assert accounts[MEMBER]["state"] == "ACTIVE"
    assert {account["org_id"] for account in accounts.values()} == {"o-exampleorg1"}


@pytest.mark.parametrize("item", [{"State": "SUSPENDED"}, {"Status": "SUSPENDED"}])
def test_the_state_is_read_from_either_member(item: dict[str, str]) -> None:
    assert organization.its_state(Record(item, Context(HUB, GLOBAL))) == "SUSPENDED"


@pytest.mark.parametrize(("account", "tree"), [(MEMBER, None), (MEMBER, False), (HUB, False)])
async def test_an_account_that_does_not_read_the_tree_asks_nothing_and_licenses_nothing(
    account: str, tree: bool | None
) -> None:
    swept = await sweep(account, tree=tree)
    assert set(swept.rows) == {"AWSAccount"}
    assert swept.rows["AWSAccount"][account]["org_id"] == "o-exampleorg1"
    assert {name for name in swept.asked if name.startswith("List")} == {"ListAccountAliases"}
    assert swept.untold == {"ListRoots": Outcome.ABSENT}


async def test_a_delegated_administrator_reads_the_tree_when_it_is_told_to() -> None:
    assert set((await sweep(MEMBER, tree=True)).rows["AWSOrganizationalUnit"]) == {WORKLOADS, DATA, SUSPENDED}
