from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from skysweep import regions, targets
from skysweep.clients import USER_AGENT, AwsSettings, Clients
from skysweep.errors import BadCredentials, BadSettings, CallFailed
from skysweep.limits import Limits
from skysweep.outcomes import Tally
from skysweep.paging import ask
from skysweep.plan import GLOBAL, Target
from skysweep.targets import Found, find_accounts
from wire import CALLER, Reply, Request, Wire, as_xml, ec2_error, query_error

ONE, TWO, THREE = "111111111111", "222222222222", "333333333333"
MOTO = "123456789012"  # the account of moto's callers who assumed nothing


@pytest.fixture(autouse=True)
def files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An AWS config file of the test's own, and no credentials around it."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    (tmp_path / "credentials").write_text("[hub]\naws_access_key_id = AKIAHUB\naws_secret_access_key = secret\n")
    return tmp_path


async def find(**settings: Any) -> Found:
    made = AwsSettings(rate_share=0, **settings)
    async with Clients(made, Tally()) as clients:
        return await find_accounts(made, clients)


def isolated(url: str, **more: Any) -> dict[str, Any]:
    return {"endpoint_url": url, "isolated": True, "access_key": "AKIABASE", "secret_key": "secret", **more}


def enabled(*names: str) -> Reply:
    items = "".join(
        f"<item><regionName>{name.strip('!')}</regionName>"
        f"<optInStatus>{'not-opted-in' if '!' in name else 'opted-in'}</optInStatus></item>"
        for name in names
    )
    return as_xml(f"<DescribeRegionsResponse><regionInfo>{items}</regionInfo></DescribeRegionsResponse>")


def caller(arn: str) -> Reply:
    account = arn.split(":")[4]
    return as_xml(CALLER.body.decode().replace("arn:aws:iam::111111111111:user/u", arn).replace(ONE, account))


def answers(**replies: Reply) -> Any:
    return lambda request: replies[request.operation]


async def test_roles_in_each_account_over_the_real_stack(moto: str) -> None:
    settings = AwsSettings(**isolated(moto, accounts=(TWO, MOTO, ONE, ONE), role_name="Audit", rate_share=0))
    async with Clients(settings, Tally()) as clients:
        found = await find_accounts(settings, clients)
        for account in found.accounts:
            vpcs = await clients.send(Target(account.id, "eu-west-1"), "ec2", "DescribeVpcs", {}, timeout=30)
            assert {vpc["OwnerId"] for vpc in vpcs["Vpcs"]} == {account.id}
            who = await clients.send(Target(account.id, GLOBAL), "sts", "GetCallerIdentity", {}, timeout=30)
            assert ("assumed-role/Audit/skysweep" in who["Arn"]) == (account.id != MOTO)
    assert [account.id for account in found.accounts] == [ONE, MOTO, TWO]
    assert found.failed == found.duplicates == []
    for account in found.accounts:
        assert "eu-west-1" in account.regions
        assert all(regions.partition_of(region) == "aws" for region in account.regions)
    assert found.accounts[0].arn == f"arn:aws:iam::{ONE}:role/Audit"


async def test_a_profile_that_roles_are_assumed_from_names_its_own_account_alone(
    moto: str, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto)
    (files / "config").write_text("[profile hub]\nregion = eu-west-1\n")
    found = await find(
        profiles=("hub",),
        accounts=(ONE, MOTO),
        role_name="Audit",
        regions=("eu-west-1",),
        account_names=(("hub", "Hub"), *((f"p{number}", "x") for number in range(12))),
        production_accounts=("hub",),
    )
    assert found.names == {MOTO: "Hub"}
    assert found.production == {ONE: False, MOTO: True}
    (remark,) = found.remarks
    assert remark.endswith("p8, p9 and 2 more")
    silent = await find(**isolated(moto, regions=("eu-west-1",)))
    assert (silent.names, silent.production, silent.remarks) == ({}, {}, [])


async def test_regions_are_those_enabled_narrowed_by_the_settings(moto: str) -> None:
    found = await find(**isolated(moto, regions=("us-west-2", "eu-west-1")))
    assert [(account.id, account.regions) for account in found.accounts] == [(MOTO, ("eu-west-1", "us-west-2"))]


async def test_profiles_each_by_their_own_chain(moto: str, files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto)
    role = "source_profile = hub\nregion = eu-central-1\nrole_arn = arn:aws:iam"
    (files / "config").write_text(
        f"[profile hub]\nregion = eu-west-1\n"
        f"[profile beta]\n{role}::{ONE}:role/Audit\n"
        f"[profile alpha]\n{role}::{ONE}:role/Audit\n"
        f"[profile gamma]\n{role}::{TWO}:role/Audit\nexternal_id = x1234\n"
        f"[profile lost]\nrole_arn = arn:aws:iam::{THREE}:role/Audit\nsource_profile = nobody\n"
        f"[profile broken]\ncredential_process = /nonexistent/process\n"
    )
    found = await find(all_profiles=True, regions=("eu-west-1",))
    assert [(account.profile, account.id) for account in found.accounts] == [
        ("alpha", ONE),
        ("gamma", TWO),
        ("hub", MOTO),
    ]
    assert found.duplicates == [("beta", ONE)]
    assert [name for name, _ in found.failed] == ["broken", "lost"]
    assert "nobody" in dict(found.failed)["lost"]
    noted = await find(
        all_profiles=True,
        regions=("eu-west-1",),
        account_names=((TWO, "by its id"), ("beta", "Shop"), ("gamma", "by its profile"), ("lost", "x"), ("none", "y")),
        production_accounts=("beta", "hub", THREE),
    )
    names = {account.id: account.name for account in noted.accounts}
    assert names == {ONE: "Shop", TWO: "by its id", MOTO: "hub"}
    assert noted.names == {ONE: "Shop", TWO: "by its id"}
    assert noted.production == {ONE: True, TWO: False, MOTO: True}
    assert noted.remarks == [
        "--account-names: no account that is swept now: none",
        f"--production-accounts: no account that is swept now: {THREE}",
    ]
    assert noted.failed == found.failed
    chosen = await find(profiles=("gamma",), regions=("eu-west-1",))
    assert [(account.profile, account.id) for account in chosen.accounts] == [("gamma", TWO)]


async def test_a_profile_that_wants_an_mfa_code_fails_alone_and_asks_nobody(
    fault: Wire, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", fault.url)
    (files / "config").write_text(
        f"[profile mfa]\nrole_arn = arn:aws:iam::{ONE}:role/Audit\nsource_profile = hub\n"
        f"mfa_serial = arn:aws:iam::{ONE}:mfa/me\n"
    )
    fault.handler = answers(GetCallerIdentity=CALLER, DescribeRegions=enabled("eu-west-1"))
    found = await find(profiles=("hub", "mfa"))
    assert [account.profile for account in found.accounts] == ["hub"]
    ((name, why),) = found.failed
    assert name == "mfa"
    assert "MFA" in why
    assert "\n" not in why


async def test_a_credential_process_that_hangs_fails_its_profile_alone(
    fault: Wire, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", fault.url)
    monkeypatch.setattr(targets, "SECONDS", 5.0)
    (files / "config").write_text("[profile slow]\ncredential_process = sleep 7\n")
    fault.handler = answers(GetCallerIdentity=CALLER, DescribeRegions=enabled("eu-west-1"))
    found = await find(profiles=("hub", "slow"))
    assert [account.profile for account in found.accounts] == ["hub"]
    assert found.failed == [("slow", "no credentials within 5 seconds")]


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_EC2"])
async def test_an_endpoint_without_scheme_is_one_clear_line(
    fault: Wire, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", fault.url)
    monkeypatch.setenv(variable, "localhost:4566")
    fault.handler = answers(GetCallerIdentity=CALLER)
    with pytest.raises(BadSettings, match=r"localhost:4566.*AWS_ENDPOINT_URL.*http://") as caught:
        await find(profiles=("hub",))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("option", ["endpoint_url = localhost:4566", "endpoint_url = {url}\nservices = mine"])
async def test_a_profiles_own_bad_endpoint_fails_it_alone(fault: Wire, files: Path, option: str) -> None:
    (files / "config").write_text(
        f"[profile bad]\n{option.format(url=fault.url)}\naws_access_key_id = AKIABAD\naws_secret_access_key = secret\n"
        f"[profile good]\nendpoint_url = {fault.url}\naws_access_key_id = AKIAGOOD\naws_secret_access_key = secret\n"
        "[services mine]\nec2 =\n  endpoint_url = localhost:4566\n"
    )
    others = caller(f"arn:aws:iam::{TWO}:user/u")

    def handle(request: Request) -> Reply:
        if request.operation == "GetCallerIdentity":
            return others if request.key == "AKIABAD" else CALLER
        return enabled("eu-west-1")

    fault.handler = handle
    found = await find(profiles=("bad", "good"))
    assert [account.profile for account in found.accounts] == ["good"]
    ((_, why),) = found.failed
    assert "localhost:4566" in why


async def test_a_chosen_profile_needs_none_of_the_environment(
    fault: Wire, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", fault.url)
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    (files / "config").write_text(f"[profile role]\nrole_arn = arn:aws:iam::{ONE}:role/Audit\nsource_profile = hub\n")
    fault.handler = answers(
        AssumeRole=assumed("ASIAROLE", 3600), GetCallerIdentity=CALLER, DescribeRegions=enabled("eu-west-1")
    )
    found = await find(profiles=("role",))
    assert [(account.id, account.profile) for account in found.accounts] == [(ONE, "role")]
    assert [request.key for request in fault.requests] == ["AKIAHUB", "ASIAROLE", "ASIAROLE"]
    agents = {request.headers["user-agent"].split()[0] for request in fault.requests}
    assert agents == {USER_AGENT}, "the profile's own chain names us too"


async def test_the_ambient_credentials(moto: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAAMBIENT")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    found = await find(regions=("eu-west-1",))
    assert [(account.id, account.profile, account.name) for account in found.accounts] == [(MOTO, "", "")]


async def test_no_credentials_at_all() -> None:
    with pytest.raises(BadCredentials, match="no AWS credentials") as caught:
        await find()
    assert "\n" not in str(caught.value)


async def test_a_denied_role_fails_its_account_alone(fault: Wire) -> None:
    def handle(request: Request) -> Reply:
        if request.operation == "AssumeRole":
            return query_error("AccessDenied", "AKIABASE1234567890 may not assume it", 403)
        return {"GetCallerIdentity": CALLER, "DescribeRegions": enabled("eu-west-1")}[request.operation]

    fault.handler = handle
    found = await find(**isolated(fault.url, accounts=(ONE, TWO), role_name="Audit"))
    assert [account.id for account in found.accounts] == [ONE]
    ((name, why),) = found.failed
    assert name == TWO
    assert why.startswith(f"AccessDenied: arn:aws:iam::{TWO}:role/Audit: ")
    assert "AKIABASE" not in why


async def test_a_role_that_leads_elsewhere_is_refused(fault: Wire) -> None:
    fault.handler = answers(
        GetCallerIdentity=CALLER,
        AssumeRole=assumed("ASIAROLE", 3600),
        DescribeRegions=enabled("eu-west-1", "us-east-1!"),
    )
    found = await find(**isolated(fault.url, accounts=(ONE, TWO), role_name="Audit", external_id="x-1"))
    assert found.failed == [(TWO, f"arn:aws:iam::{TWO}:role/Audit leads to account {ONE}")]
    assert [account.regions for account in found.accounts] == [("eu-west-1",)]
    (assume,) = (request for request in fault.requests if request.operation == "AssumeRole")
    assert assume.form["ExternalId"] == "x-1"
    assert assume.form["RoleArn"] == f"arn:aws:iam::{TWO}:role/Audit"


@pytest.mark.parametrize(
    ("arn", "partition", "home"),
    [
        (f"arn:aws-cn:iam::{ONE}:user/u", "aws-cn", "cn-north-1"),
        (f"arn:aws-us-gov:sts::{ONE}:assumed-role/r/s", "aws-us-gov", "us-gov-west-1"),
    ],
)
async def test_the_partition_is_the_callers(fault: Wire, arn: str, partition: str, home: str) -> None:
    fault.handler = answers(GetCallerIdentity=caller(arn), DescribeRegions=enabled("us-east-1", home))
    (account,) = (await find(**isolated(fault.url))).accounts
    assert account.partition == partition
    assert account.regions == (home,)
    assert fault.requests[-1].region == home


async def test_regions_are_asked_where_the_organization_allows(fault: Wire) -> None:
    def handle(request: Request) -> Reply:
        if request.operation == "GetCallerIdentity":
            return CALLER
        allowed = request.region == "us-east-1"
        return enabled("eu-west-1", "us-east-1") if allowed else ec2_error("UnauthorizedOperation", "SCP", 403)

    fault.handler = handle
    (account,) = (await find(**isolated(fault.url, regions=("eu-west-1",)))).accounts
    assert account.regions == ("eu-west-1",)
    assert [request.region for request in fault.requests if request.operation == "DescribeRegions"] == [
        "eu-west-1",
        "us-east-1",
    ]


async def test_unknown_regions_fail_the_account_unless_some_are_named(fault: Wire) -> None:
    fault.handler = answers(GetCallerIdentity=CALLER, DescribeRegions=ec2_error("UnauthorizedOperation", "no", 403))
    with pytest.raises(BadCredentials, match=r"regions are unknown: UnauthorizedOperation: no; name regions with"):
        await find(**isolated(fault.url))
    (account,) = (await find(**isolated(fault.url, regions=("eu-west-1", "cn-north-1")))).accounts
    assert account.regions == ("eu-west-1",)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"regions": ("eu-wst-1",)}, "no AWS region 'eu-wst-1'; did you mean 'eu-west-1'"),
        ({"profiles": ("hup",)}, "no AWS profile 'hup'; did you mean 'hub'"),
        ({"role_name": "Audit"}, "--role-name needs"),
        ({"accounts": (ONE,)}, "--accounts needs --role-name"),
        ({"organization": True}, "--organization needs --role-name"),
    ],
)
async def test_what_cannot_be_meant(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(BadSettings, match=said):
        await find(**settings)


async def test_a_broken_file_and_an_unknown_profile_of_the_environment(
    files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(BadSettings, match="nobody"):
        await find()
    monkeypatch.delenv("AWS_PROFILE")
    (files / "config").write_text("[profile broken\nregion = x")
    with pytest.raises(BadSettings, match="config"):
        await find()


async def test_a_role_lost_on_the_way_ends_its_account_not_the_call(fault: Wire) -> None:
    def handle(request: Request) -> Reply:
        if request.operation == "AssumeRole":
            return assumed("ASIA1", 3600) if not lost else query_error("AccessDenied", "no more", 403)
        if request.operation == "GetCallerIdentity":
            return CALLER if request.key == "AKIABASE" else caller(f"arn:aws:sts::{TWO}:assumed-role/Audit/s")
        return ec2_error("RequestExpired") if lost else enabled("eu-west-1")

    lost = False
    fault.handler = handle
    settings = AwsSettings(**isolated(fault.url, accounts=(TWO,), role_name="Audit", rate_share=0))
    async with Clients(settings, Tally()) as clients:
        await find_accounts(settings, clients)
        lost = True
        target = Target(TWO, "eu-west-1")
        what: dict[str, Any] = {"service": "ec2", "operation": "DescribeVpcs"}
        with pytest.raises(CallFailed, match="no more") as caught:
            await ask(clients, Limits(0), target, **what, inputs={}, deadline=time.monotonic() + 60, tally=Tally())
    assert caught.value.why == "dead"


def assumed(key: str, seconds: float) -> Reply:
    expiry = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))
    return as_xml(
        f"<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>{key}</AccessKeyId>"
        f"<SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>{expiry}</Expiration>"
        "</Credentials></AssumeRoleResult></AssumeRoleResponse>"
    )
