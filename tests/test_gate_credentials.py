"""Credentials that end every few seconds cost nothing where they can be renewed; else their account ends alone."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from botocore.credentials import SSOProvider

import skysweep
from benchmarks.fakeaws import Estate, Server, serving
from benchmarks.fakeaws.faults import (
    Delay,
    Drop,
    Fault,
    Seen,
    both,
    error500,
    expired,
    first_of,
    share,
    throttling,
    when,
    where,
)
from benchmarks.fakeaws.identity import key_of
from benchmarks.stores import empty
from gates import assert_scopes, model, owning, scoped, settings, struck, swept
from skysweep.outcomes import Outcome
from skysweep.report import ExitCode
from skysweep.store import StoreSettings, open_store
from test_gate_faults import HUB, IRELAND, MEMBER, VIRGINIA, change

pytestmark = [pytest.mark.timeout(1800)]

THIRD, FOURTH = "300000000000", "400000000000"
ACCOUNTS = (HUB, MEMBER, THIRD, FOURTH)
SYNCS = ("dynamodb", "kms", "sns", "sqs")
LIFETIME = 3.0  # seconds; a calm sweep of these delays takes a multiple
REFRESH = where(service="sts", operation="AssumeRole")
MARKED = 30.0  # seconds after which no call of an account is sent whose credentials have ended


def estate(numbers: Sequence[int]) -> Estate:
    made = Estate(seed=4, accounts=ACCOUNTS, regions=(VIRGINIA, IRELAND))
    change(made, numbers)
    return made


@dataclass
class Watched:
    """A plan that keeps when each account was last heard, and lets every call but those to STS take its time."""

    seconds: float
    quick: Sequence[str] = ()  # accounts that are answered at once
    last: dict[str, float] = field(default_factory=dict)
    renewed: int = 0

    def __call__(self, seen: Seen) -> Fault | None:
        self.last[seen.account] = time.monotonic()
        self.renewed += seen.operation == "AssumeRole"
        return None if seen.service == "sts" or seen.account in self.quick else Delay(self.seconds)


async def test_no_unit_is_lost_to_credentials_that_can_be_renewed(
    embedded: StoreSettings, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    """One try at a call, so that a renewal that meets a fault has failed; of all renewals one in five does."""
    numbers = range(12 if pytestconfig.option.soak else 4)
    async with open_store(embedded) as store, serving(estate(numbers), lifetime=LIFETIME) as server:
        await empty(store)
        watched = Watched(0.2)
        faults = (
            error500(both(REFRESH, share(0.08, seed=1))),
            throttling(0.06, seed=2, match=REFRESH),
            when(both(REFRESH, share(0.06, seed=3)), Drop()),
        )
        failed = 0

        def stumbling(seen: Seen) -> Fault | None:
            nonlocal failed
            fault = first_of(*faults)(seen)
            failed += fault is not None
            return watched(seen) if fault is None else fault

        server.faults = stumbling
        report = await swept(server, embedded, tmp_path, syncs=SYNCS, connections=4, concurrency=4, max_attempts=1)
        assert (report.status, report.units, report.failed_accounts) == ("complete", [], [])
        assert_scopes(await scoped(store), model(server.estate, owning(*SYNCS)), {})
        lives = report.seconds / LIFETIME
        print(f"{report.seconds:.0f} s, {watched.renewed + failed} renewals, {failed} failed")  # noqa: T201 - quoted by the soak
        assert lives > 3, "it is to outlive several sessions"
        assert watched.renewed >= 2 * len(ACCOUNTS[1:]), "each role's credentials are to be renewed on the way"
        assert failed >= 0.1 * watched.renewed


@pytest.mark.parametrize("midst", [MEMBER, THIRD])
async def test_a_base_session_that_is_dead_for_good_ends_its_accounts_alone(
    embedded: StoreSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, midst: str
) -> None:
    """Profiles: the hub's; a member's with a session that ends; accounts by a role from that session, and the hub's.

    It ends in the midst of the units of the account itself, or of the one whose role is assumed from it.
    """
    async with open_store(embedded) as store, serving(estate(range(10)), lifetime=LIFETIME) as server:
        await empty(store)
        files(server, tmp_path, monkeypatch)
        changes: dict[str, Any] = {
            "accounts": (),
            "role_name": None,
            "isolated": False,
            "access_key": None,
            "secret_key": None,
        }
        changes |= {"all_profiles": True, "endpoint_url": server.url, "connections": 4}
        aims = settings(server, embedded, tmp_path / "ledger", syncs=SYNCS, concurrency=4, **changes)
        assert (await skysweep.sweep(aims)).status == "complete"
        before = await scoped(store)
        change(server.estate, range(2, 12))
        ended: list[float] = []
        watched = Watched(0.4, quick=(HUB, FOURTH))  # so that the units of one account take longer than a session
        dead = expired(where(key=key_of(MEMBER)))

        def plan(seen: Seen) -> Fault | None:
            if not ended and server.calls[midst, IRELAND, "dynamodb", "ListTables"]:
                ended.append(time.monotonic())
            late = watched(seen)
            return (dead(seen) if ended else None) or late

        server.reset()
        server.faults = plan
        report = await skysweep.sweep(aims)

        assert (report.status, report.exit_code) == ("incomplete", ExitCode.INCOMPLETE)
        told = {each["account"]: each["error"] for each in report.failed_accounts}
        assert {midst, THIRD} <= set(told) <= {MEMBER, THIRD}
        assert all("ExpiredToken" in (error or "") for error in told.values()), told
        for account in told:
            silent = watched.last[account] - ended[0]
            print(f"{account}: its last call was {silent:.1f} s after its session had ended")  # noqa: T201 - for the soak
            assert silent < MARKED
        assert {unit.account for unit in report.units} == set(told)
        assert {unit.outcome for unit in report.units} <= {Outcome.FAILED, Outcome.COMPLETE}
        lost = {
            (unit.account, unit.region, unit.service, operation)
            for unit in report.units
            for operation in (unit.operation, *(each.operation for each in unit.details))
        }
        failed = struck(server.estate, lambda seen: seen.kind in lost, syncs=SYNCS)
        assert_scopes(await scoped(store), model(server.estate, owning(*SYNCS)), before, failed)


def files(server: Server, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS files of the test's own, and nothing of the machine's environment."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(SSOProvider, "_SSO_TOKEN_CACHE_DIR", str(folder))  # the home's, read when it is imported
    monkeypatch.setenv("AWS_CONFIG_FILE", str(folder / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(folder / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    keys = "aws_access_key_id = {}\naws_secret_access_key = fake\n"
    session = f"{keys.format(key_of(MEMBER))}aws_session_token = session\n"
    (folder / "credentials").write_text(f"[hub]\n{keys.format(key_of(HUB))}[member]\n{session}")
    role = "[profile {0}]\nrole_arn = arn:aws:iam::{1}:role/skysweep\nsource_profile = {2}\n"
    (folder / "config").write_text(role.format("third", THIRD, "member") + role.format("fourth", FOURTH, "hub"))
