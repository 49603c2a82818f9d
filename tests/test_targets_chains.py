"""Every way a profile may come by its credentials, over the wire; and where STS is asked."""

from __future__ import annotations

import hashlib
import json
import stat
import sys
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

import aiohttp
import anyio
import pytest
from aiobotocore.credentials import AioCredentials
from botocore.credentials import SSOProvider
from botocore.exceptions import EndpointConnectionError
from yarl import URL

from skysweep.clients import AwsSettings, Clients
from skysweep.errors import BadSettings
from skysweep.outcomes import Tally
from skysweep.plan import Target
from skysweep.targets import Found, find_accounts
from skysweep.transport import Pool
from test_targets import ONE, TWO, assumed, caller, enabled
from wire import CALLER, Reply, Request, Wire, as_json, as_xml, wire

BEARER = "the cache's"
HUB_KEYS = "aws_access_key_id = AKIAHUB\naws_secret_access_key = secret\n"


@pytest.fixture(autouse=True)
def files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """AWS files of the test's own, and nothing of the machine's environment."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(SSOProvider, "_SSO_TOKEN_CACHE_DIR", str(tmp_path))  # the home's, read when it is imported
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    (tmp_path / "credentials").write_text(f"[hub]\n{HUB_KEYS}")
    return tmp_path


@pytest.fixture
async def fault(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Wire]:
    """Answers by key: AKIAHUB and AKIAENV are the hub's (ONE), all others the spoke's (TWO)."""
    async with wire() as made:
        monkeypatch.setenv("AWS_ENDPOINT_URL", made.url)
        made.handler = answer
        yield made


def answer(request: Request) -> Reply:
    if request.path.startswith("/federation/credentials"):
        assert request.headers["x-amz-sso_bearer_token"] == BEARER
        expiration = int((time.time() + 3600) * 1000)
        keys = {"accessKeyId": "ASIASSO", "secretAccessKey": "s", "sessionToken": "t", "expiration": expiration}
        return as_json({"roleCredentials": keys})
    if request.operation == "AssumeRoleWithWebIdentity":
        assert request.form["WebIdentityToken"] == "token of the pod"
        return as_xml(assumed("ASIAWEB", 3600).body.decode().replace("AssumeRole", "AssumeRoleWithWebIdentity"))
    if request.operation == "AssumeRole":
        return assumed(f"ASIA{request.key}", 3600)
    if request.operation == "GetCallerIdentity":
        hub = request.key in {"AKIAHUB", "AKIAENV"}
        return CALLER if hub else caller(f"arn:aws:sts::{TWO}:assumed-role/Audit/s")
    return enabled("eu-west-1")


async def find(**settings: Any) -> Found:
    made = AwsSettings(rate_share=0, **settings)
    async with Clients(made, Tally()) as clients:
        return await find_accounts(made, clients)


def sso(folder: Path) -> str:
    expires = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
    token = {"accessToken": BEARER, "expiresAt": expires, "startUrl": "https://d.example.com/start"}
    name = hashlib.sha1(b"https://d.example.com/start").hexdigest()  # noqa: S324 - the file name that the CLI gives it
    (folder / f"{name}.json").write_text(json.dumps(token))
    return (
        "sso_start_url = https://d.example.com/start\nsso_region = eu-west-1\n"
        f"sso_account_id = {TWO}\nsso_role_name = Audit\n"
    )


def logged_out(folder: Path) -> str:
    declared = sso(folder)
    for token in folder.glob("*.json"):
        token.unlink()
    return declared


def web_identity(folder: Path) -> str:
    (folder / "token").write_text("token of the pod")
    return f"role_arn = arn:aws:iam::{TWO}:role/Audit\nweb_identity_token_file = {folder / 'token'}\n"


def process(folder: Path) -> str:
    script = folder / "credentials.sh"
    keys = {"Version": 1, "AccessKeyId": "AKIAPROCESS", "SecretAccessKey": "s"}
    script.write_text(f"#!/bin/sh\necho '{json.dumps(keys)}'\n")
    script.chmod(stat.S_IRWXU)
    return f"credential_process = {script}\n"


def source_profile(_: Path) -> str:
    return f"role_arn = arn:aws:iam::{TWO}:role/Audit\nsource_profile = hub\nexternal_id = x-1\n"


def credential_source(_: Path) -> str:
    return f"role_arn = arn:aws:iam::{TWO}:role/Audit\ncredential_source = Environment\n"


@pytest.mark.parametrize(
    ("declare", "key"),
    [
        (sso, "ASIASSO"),
        (web_identity, "ASIAWEB"),
        (process, "AKIAPROCESS"),
        (source_profile, "ASIAAKIAHUB"),
        (credential_source, "ASIAAKIAENV"),
    ],
)
async def test_a_profile_by_its_own_chain(
    fault: Wire, files: Path, monkeypatch: pytest.MonkeyPatch, declare: Any, key: str
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENV")  # the hub's: to be used where it is asked for, and nowhere else
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    (files / "config").write_text(f"[profile spoke]\n{declare(files)}region = eu-west-1\n")
    found = await find(profiles=("spoke",))
    assert found.failed == []
    assert [(account.id, account.profile) for account in found.accounts] == [(TWO, "spoke")]
    (identity,) = (request for request in fault.requests if request.operation == "GetCallerIdentity")
    assert identity.key == key
    external = {request.form.get("ExternalId") for request in fault.requests if request.operation == "AssumeRole"}
    assert external <= {"x-1" if declare is source_profile else None}


@pytest.mark.usefixtures("fault")
async def test_an_sso_login_that_is_not_there_fails_its_profile_with_the_mend(files: Path) -> None:
    (files / "config").write_text(f"[profile spoke]\n{logged_out(files)}")
    found = await find(all_profiles=True)
    assert [account.profile for account in found.accounts] == ["hub"]
    ((name, why),) = found.failed
    assert name == "spoke"
    assert why.endswith("; run `aws sso login --profile spoke`")


@pytest.mark.usefixtures("fault")
async def test_a_profile_named_after_a_spoke_that_leads_to_the_hub_is_the_hub(files: Path) -> None:
    (files / "config").write_text(f"[profile {TWO}]\n{HUB_KEYS}[profile zeta]\n{source_profile(files)}")
    found = await find(all_profiles=True)
    assert {account.id: account.profile for account in found.accounts} == {ONE: TWO, TWO: "zeta"}
    assert found.duplicates == [("hub", ONE)]


@pytest.mark.usefixtures("fault")
async def test_the_plan_says_which_profiles_lead_to_one_account(files: Path) -> None:
    (files / "config").write_text(f"[profile alpha]\n{HUB_KEYS}")
    done = await anyio.run_process(
        [sys.executable, "-m", "skysweep.cli", "plan", "--aws-sync-all-profiles", "--aws-requested-syncs", "sqs"],
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert f"profile hub leads to account {ONE} as well, which is swept once" in done.stderr.decode()
    assert f"{ONE} alpha" in done.stdout.decode()


@pytest.mark.usefixtures("fault")
async def test_accounts_narrows_what_profiles_lead_to(files: Path) -> None:
    (files / "config").write_text(f"[profile zeta]\n{source_profile(files)}")
    found = await find(all_profiles=True, accounts=(TWO, "3" * 12))
    assert [account.id for account in found.accounts] == [TWO]
    assert found.failed == [("3" * 12, "no profile leads to it")]
    found = await find(all_profiles=True, exclude_accounts=frozenset({TWO}))
    assert [account.id for account in found.accounts] == [ONE]
    with pytest.raises(BadSettings, match="leave no account to sweep"):
        await find(all_profiles=True, exclude_accounts=frozenset({ONE, TWO}))


@pytest.mark.parametrize(
    ("region", "partition", "home"),
    [("cn-northwest-1", "aws-cn", "cn-north-1"), ("us-gov-east-1", "aws-us-gov", "us-gov-west-1")],
)
async def test_a_partition_is_that_of_the_profiles_region(
    fault: Wire, files: Path, region: str, partition: str, home: str
) -> None:
    arn = f"arn:{partition}:iam::{ONE}:user/u"

    def handle(request: Request) -> Reply:
        return caller(arn) if request.operation == "GetCallerIdentity" else enabled(region, home, "us-east-1")

    fault.handler = handle
    (files / "config").write_text(f"[profile hub]\nregion = {region}\n")
    (account,) = (await find(profiles=("hub",))).accounts
    assert (account.partition, account.arn) == (partition, arn)
    assert set(account.regions) == {region, home}
    assert {request.region for request in fault.requests} == {region}, "no credentials leave their partition"


@pytest.mark.usefixtures("fault")
async def test_regions_that_are_on_nowhere_are_one_line() -> None:
    with pytest.raises(
        BadSettings, match="--aws-regions: me-south-1, il-central-1: on in no account; what is on: eu-w"
    ):
        await find(profiles=("hub",), regions=("me-south-1", "il-central-1"))
    (account,) = (await find(profiles=("hub",), regions=("me-south-1", "eu-west-1"))).accounts
    assert account.regions == ("eu-west-1",)


@pytest.mark.parametrize(
    "case",
    [
        ("", "eu-west-1", "sts.eu-west-1.amazonaws.com", "eu-west-1"),
        ("", "us-east-1", "sts.us-east-1.amazonaws.com", "us-east-1"),
        ("regional", "eu-west-1", "sts.eu-west-1.amazonaws.com", "eu-west-1"),
        ("legacy", "eu-west-1", "sts.amazonaws.com", "us-east-1"),
        ("legacy", "af-south-1", "sts.af-south-1.amazonaws.com", "af-south-1"),
        ("legacy", "cn-north-1", "sts.cn-north-1.amazonaws.com.cn", "cn-north-1"),
    ],
)
@pytest.mark.parametrize("where", ["variable", "profile"])
async def test_sts_is_asked_where_the_settings_say(
    files: Path, monkeypatch: pytest.MonkeyPatch, where: str, case: tuple[str, str, str, str]
) -> None:
    said, region, host, signed = case
    sent: list[tuple[str | None, str]] = []

    async def request(_: Pool, method: str, *, url: URL, headers: Mapping[str, str], **_more: object) -> NoReturn:
        """In the place of the wire: where it would go, and the region that was signed for."""
        assert method == "POST"
        sent.append((url.host, headers["Authorization"].split("/")[2]))
        raise aiohttp.ClientConnectionError

    monkeypatch.setattr(Pool, "request", request)
    if said and where == "variable":
        monkeypatch.setenv("AWS_STS_REGIONAL_ENDPOINTS", said)
    option = f"sts_regional_endpoints = {said}\n" if said and where == "profile" else ""
    (files / "config").write_text(f"[profile hub]\n{option}[profile other]\n")
    async with Clients(AwsSettings(), Tally()) as clients:
        for account, profile in ((TWO, "other"), (ONE, "hub")):
            clients.adopt(account, AioCredentials("AKIAHUB", "secret"), profile=profile)
        with pytest.raises(EndpointConnectionError):
            await clients.send(Target(ONE, region), "sts", "GetCallerIdentity", {}, timeout=1)
    assert sent == [(host, signed)]
