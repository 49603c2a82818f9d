"""Accounts found through AWS Organizations, over the wire."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from skysweep.clients import AwsSettings, Clients
from skysweep.errors import BadCredentials, BadSettings
from skysweep.outcomes import Tally
from skysweep.targets import Found, find_accounts
from test_targets import assumed, caller, enabled
from wire import CALLER, Reply, Request, Wire, as_json, json_error, query_error

HUB = "111111111111"
ROOT, WORKLOADS, DATA = "r-root", "ou-root-workload1", "ou-root-database1"


def member(number: int, state: str | None = "ACTIVE", *, field: str = "State") -> dict[str, str]:
    told = {field: state} if state else {}
    return {"Id": f"{number:012}", "Name": f"account {number}", **told}


class Organization:
    """A scripted Organizations and STS. pages: those of ListAccounts. units, homes: what lies right under a parent."""

    def __init__(self, *pages: list[dict[str, str]]) -> None:
        self.pages = pages
        self.units: dict[str, list[str]] = {}
        self.homes: dict[str, list[str]] = {}
        self.error: Reply | None = None
        self.without_role: set[str] = set()

    def __call__(self, request: Request) -> Reply:
        if request.operation == "AssumeRole":
            account = request.form["RoleArn"].split(":")[4]
            denied = query_error("AccessDenied", "not trusted", 403)
            return denied if account in self.without_role else assumed(f"ASIA{account}", 3600)
        if request.operation == "GetCallerIdentity":
            account = request.key.removeprefix("ASIA")
            return CALLER if request.key == "AKIABASE" else caller(f"arn:aws:sts::{account}:assumed-role/Audit/s")
        if request.operation == "DescribeRegions":
            return enabled("eu-west-1")
        return self.error or self.listed(request.operation, json.loads(request.body))

    def listed(self, operation: str, inputs: dict[str, str]) -> Reply:
        if operation == "ListAccounts":
            page = int(inputs.get("NextToken", 0))
            token = {"NextToken": str(page + 1)} if page + 1 < len(self.pages) else {}
            return as_json({"Accounts": self.pages[page], **token})
        parent = inputs["ParentId"]
        if parent not in {ROOT, *self.units, *(each for units in self.units.values() for each in units)}:
            return json_error("ParentNotFoundException", "no such parent")
        if operation == "ListAccountsForParent":
            return as_json({"Accounts": [{"Id": each} for each in self.homes.get(parent, [])]})
        return as_json({"OrganizationalUnits": [{"Id": each} for each in self.units.get(parent, [])]})


async def find(fault: Wire, organization: Organization, **more: Any) -> Found:
    fault.handler = organization
    settings = AwsSettings(
        **{
            "endpoint_url": fault.url,
            "isolated": True,
            "access_key": "AKIABASE",
            "secret_key": "secret",
            "rate_share": 0,
            "organization": True,
            "role_name": "Audit",
            **more,
        }
    )
    async with Clients(settings, Tally()) as clients:
        return await find_accounts(settings, clients)


def ids(found: Found) -> list[int]:
    return [int(account.id) for account in found.accounts]


def three() -> Organization:
    return Organization([{**member(int(HUB)), "Name": "hub"}, member(2)], [], [member(3)])


async def test_the_active_accounts_by_the_role_and_the_callers_own_by_its_credentials(fault: Wire) -> None:
    found = await find(fault, three(), external_id="x-1")
    assert ids(found) == [2, 3, int(HUB)]
    assert [account.name for account in found.accounts] == ["account 2", "account 3", "hub"]
    assert [account.organization for account in found.accounts] == [None, None, True]
    assert found.failed == found.duplicates == []
    assumptions = [request.form for request in fault.requests if request.operation == "AssumeRole"]
    assert {form["RoleArn"].split(":")[4] for form in assumptions} == {f"{2:012}", f"{3:012}"}
    assert {form["ExternalId"] for form in assumptions} == {"x-1"}
    identities = [request.key for request in fault.requests if request.operation == "GetCallerIdentity"]
    assert sorted(identities) == ["AKIABASE", f"ASIA{2:012}", f"ASIA{3:012}"], "each is verified once"
    listings = [request for request in fault.requests if request.operation == "ListAccounts"]
    assert len(listings) == 3, "an empty page is not the last"
    assert {request.region for request in listings} == {"us-east-1"}


async def test_only_active_accounts_are_swept_whichever_member_says_so(fault: Wire) -> None:
    organization = Organization(
        [
            member(int(HUB)),
            member(2, "SUSPENDED"),
            member(3, "SUSPENDED", field="Status"),
            member(4, "ACTIVE", field="Status"),
            member(5, "PENDING_CLOSURE"),
            member(6, "CLOSED"),
            member(7, "PENDING_ACTIVATION"),
            member(8, None),
        ]
    )
    found = await find(fault, organization)
    assert ids(found) == [4, 8, int(HUB)]
    assert found.failed == []


async def test_a_role_that_is_not_there_fails_its_account_alone(fault: Wire) -> None:
    organization = three()
    organization.without_role = {f"{2:012}"}
    found = await find(fault, organization)
    assert ids(found) == [3, int(HUB)]
    ((account, why),) = found.failed
    assert account == f"{2:012}"
    assert "role/Audit: not trusted" in why


async def test_accounts_narrows_and_says_what_was_named_in_vain(fault: Wire) -> None:
    organization = Organization([member(int(HUB)), member(2), member(3, "SUSPENDED"), member(4)])
    named = tuple(f"{number:012}" for number in (2, 3, 4, 9))
    found = await find(fault, organization, accounts=named, exclude_accounts=frozenset({f"{4:012}"}))
    assert ids(found) == [2]
    assert found.failed == [
        (f"{3:012}", "its organization says that it is SUSPENDED"),
        (f"{9:012}", "it is not in the organization"),
    ]


async def test_what_lies_anywhere_under_an_excluded_unit_is_left_out(fault: Wire) -> None:
    organization = Organization([member(int(HUB)), *(member(number) for number in range(2, 6))])
    organization.units = {ROOT: [WORKLOADS], WORKLOADS: [DATA]}
    organization.homes = {ROOT: [HUB, f"{2:012}"], WORKLOADS: [f"{3:012}"], DATA: [f"{4:012}", f"{5:012}"]}
    assert ids(await find(fault, organization, exclude_units=(DATA,))) == [2, 3, int(HUB)]
    assert ids(await find(fault, organization, exclude_units=(WORKLOADS,))) == [2, int(HUB)]
    with pytest.raises(BadSettings, match="leave no account to sweep"):
        await find(fault, organization, exclude_units=(ROOT,))
    with pytest.raises(BadSettings, match="no 'ou-root-elsewhere': correct it") as caught:
        await find(fault, organization, exclude_units=(DATA, "ou-root-elsewhere"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (
            json_error("AccessDeniedException", "You don't have permissions to access this resource."),
            BadCredentials,
            r"--organization: arn:aws:iam::111111111111:user/u cannot list .*AccessDenied.*delegated administrator",
        ),
        (json_error("AWSOrganizationsNotInUseException", "no"), BadSettings, "in no organization: leave the option"),
    ],
)
async def test_an_organization_that_cannot_be_listed_is_one_line_with_the_mend(
    fault: Wire, error: Reply, kind: type[Exception], said: str
) -> None:
    organization = three()
    organization.error = error
    with pytest.raises(kind, match=said) as caught:
        await find(fault, organization)
    assert "\n" not in str(caught.value)


async def test_the_tree_is_read_through_the_accounts_that_are_named(fault: Wire) -> None:
    found = await find(fault, three(), organization_accounts=(f"{2:012}", f"{9:012}"))
    assert {int(account.id): account.organization for account in found.accounts} == {2: True, 3: False, int(HUB): False}
    ((account, why),) = found.failed
    assert account == f"{9:012}"
    assert "not swept" in why


async def test_an_account_costs_three_calls_and_a_page_of_them_one(fault: Wire) -> None:
    pages = [[member(number) for number in range(first, first + 20)] for first in range(1, 101, 20)]
    found = await find(fault, Organization([member(int(HUB))], *pages))
    assert len(found.accounts) == 101
    assert Counter(request.operation for request in fault.requests) == {
        "ListAccounts": 6,
        "AssumeRole": 100,
        "GetCallerIdentity": 101,
        "DescribeRegions": 101,
    }
