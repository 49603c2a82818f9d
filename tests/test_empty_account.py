"""What an account costs that has nothing in it: every declared call once for each target, and little beside."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

import skysweep
from benchmarks.fakeaws import Estate, serving
from benchmarks.fakeaws.estate import REGIONS
from benchmarks.fakeaws.faults import Error, Seen
from benchmarks.fakeaws.models import SIZES, operation
from skysweep import calls, catalogue
from skysweep.model import Call, Context
from skysweep.plan import GLOBAL
from skysweep.regions import home
from skysweep.store import StoreSettings
from test_fakeaws_sweep import settings

pytestmark = pytest.mark.timeout(300)

ALWAYS_ON = REGIONS[:17]  # what an account has that never asked for a region
DISCOVERY = {
    "sts:GetCallerIdentity": {},  # whose the credentials are
    "ec2:DescribeRegions": {"AllRegions": False},  # which regions the account has
}
"""What is asked once, with these inputs, before the first declared call."""
OF_ITSELF = ("iam:ListAccountAliases", "iam:GetAccountSummary", "organizations:DescribeOrganization")
"""Details of the account, which is there even when nothing is in it; it is in no organization."""

Asked = tuple[str, str, str]  # region, service:Operation, the inputs in one form


async def test_each_declared_call_is_sent_once_a_target_and_nothing_else_is(
    embedded: StoreSettings, tmp_path: Path
) -> None:
    estate, sent = Estate(1, regions=ALWAYS_ON), list[Seen]()
    [account] = estate.accounts

    def no_organization(seen: Seen) -> Error | None:
        sent.append(seen)
        lonely = seen.operation == "DescribeOrganization"
        return Error(400, "AWSOrganizationsNotInUseException", "the account is in none") if lonely else None

    async with serving(estate, faults=no_organization) as server:
        report = await skysweep.sweep(settings(server.url, estate, embedded, tmp_path))

    assert (report.status, report.units) == ("complete", [])
    found = Counter(_asked(seen.region, f"{seen.service}:{seen.operation}", seen.inputs) for seen in sent)
    discovered = Counter(_asked("us-east-1", name, inputs) for name, inputs in DISCOVERY.items())
    declared = Counter(_declared(catalogue.load().calls, account))
    assert set(declared.values()) == {1}
    assert found == declared + discovered
    assert {seen.account for seen in sent} == {account}
    assert report.calls["total"] == len(sent)
    regional = sum(call.per == "region" for call in catalogue.load().calls)
    once = declared.total() - regional * len(ALWAYS_ON)
    sys.stdout.write(
        f"\nan empty account in {len(ALWAYS_ON)} regions: {len(sent)} calls (Cartography: 1,277); {regional} are of "
        f"each region, {once} of the account, {discovered.total()} find the way\n"
    )


def _declared(listings: Iterable[Call], account: str) -> Iterable[Asked]:
    """Every listing on each of its targets, with what it says; and what is asked of the account itself."""
    for call in listings:
        for region in ALWAYS_ON if call.per == "region" else (GLOBAL,):
            inputs = calls.literal(call, Context(account, region))
            yield _asked(home(call.service, "aws") if region == GLOBAL else region, str(call), inputs)
    yield from (_asked("us-east-1", name, {}) for name in OF_ITSELF)


def _asked(region: str, name: str, inputs: Mapping[str, Any]) -> Asked:
    """The call as one value, without its page size: protocols write one input in many ways."""
    sizes = {*SIZES, (operation(*name.split(":")).paginator or {}).get("limit_key")}
    return region, name, json.dumps(_plain({key: each for key, each in inputs.items() if key not in sizes}))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(value[name]) for name in sorted(value)}
    return [_plain(each) for each in value] if isinstance(value, list) else str(value).lower()
