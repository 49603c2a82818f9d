"""What the settings say of accounts, their names and which are in production, is what the graph says of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import skysweep
from skysweep import settings as configuration
from skysweep.demo.session import DUMMY, GLOBAL_REGION, Clients, Keys
from skysweep.report import ExitCode, Report
from skysweep.store import Store, StoreSettings

pytestmark = pytest.mark.timeout(300)
HUB, SHOP, OTHER = "123456789012", "111111111111", "222222222222"
ASK = "MATCH (a:AWSAccount) WHERE a.inscope RETURN a.id AS id, a.name AS name, a.production AS production ORDER BY id"


@pytest.fixture(scope="module")
def organized(moto: str) -> str:
    """Where an AWS answers whose first account has an organization."""
    Clients(moto).make("organizations", GLOBAL_REGION, Keys()).create_organization(FeatureSet="ALL")
    return moto


async def test_the_settings_name_accounts_and_flag_production(
    organized: str, store: Store, store_settings: StoreSettings, tmp_path: Path
) -> None:
    made = configuration.demo(
        organized, accounts=(HUB, SHOP), role_name="reader", regions=(GLOBAL_REGION,), folder=tmp_path, key=DUMMY
    )

    async def swept(**said: Any) -> Report:
        aws = replace(made.aws, **said)
        return await skysweep.sweep(replace(made, aws=aws, store=store_settings, syncs=("AWSAccount",)))

    async def told() -> dict[str, tuple[Any, Any]]:
        return {row["id"]: (row["name"], row["production"]) for row in await store.run(ASK)}

    await swept()
    before = await told()
    (called, production) = before[HUB]
    assert called, "Organizations names it"
    assert (production, before[SHOP]) == (None, (None, None))

    report = await swept(account_names=((HUB, "Hub"), (OTHER, "Data")), production_accounts=(SHOP,))
    assert await told() == {HUB: ("Hub", False), SHOP: (None, True)}
    assert report.exit_code is ExitCode.COMPLETE, report.units
    assert report.remarks == [f"--account-names: no account that is swept now: {OTHER}"]
    assert {account["name"] for account in report.accounts} == {"Hub", ""}

    await swept()
    assert await told() == before
