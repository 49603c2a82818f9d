from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from skysweep import catalogue, lint, probe
from skysweep.catalogue import Catalogue
from skysweep.cli import COMMANDS
from skysweep.clients import AwsSettings
from skysweep.doctor import MENDS, examine, refused, until
from skysweep.findings import Check, verdict, worst
from skysweep.plan import Account
from skysweep.probe import Refusal, principal
from skysweep.report import ExitCode
from skysweep.settings import Settings
from skysweep.store import StoreSettings
from wire import CALLER, HANG, Reply, Request, Wire, as_json, as_xml, ec2_error, json_error, query_error

ONE, TWO, HUB = "111111111111", "222222222222", "999999999999"
CHEAP = Catalogue(
    tuple(each for each in catalogue.load().types if each.name == "AWSVpc" or each.source.call.service == "sqs")
)
ACTIONS = {*CHEAP.permissions()}
READS = {("iam", "SimulatePrincipalPolicy"), ("sts", "AssumeRole")}  # what the names do not say is a read
SCP = "explicit deny in a service control policy"


def nothing(_: Request) -> Reply | None:
    return None


@dataclass
class Cloud:
    """A scripted AWS: the caller's ARN, the enabled regions, decisions by action, and operations answered otherwise."""

    arn: str = f"arn:aws:iam::{HUB}:user/team/ann"
    regions: tuple[str, ...] = ("eu-west-1", "us-east-1")
    decisions: dict[str, str] = field(default_factory=dict)
    instead: dict[str, Callable[[Request], Reply | None]] = field(default_factory=dict)
    date: datetime | None = None

    def __call__(self, request: Request) -> Reply:
        special = self.instead.get(request.operation, nothing)(request)
        reply = special or self.usual(request)
        date = {"Date": format_datetime(self.date, usegmt=True)} if self.date else {}
        return replace(reply, headers={**reply.headers, **date})

    def usual(self, request: Request) -> Reply:
        answer: Callable[[Request], Reply] = getattr(self, request.operation, self.listing)
        return answer(request)

    def GetCallerIdentity(self, request: Request) -> Reply:  # noqa: N802 - AWS's name
        account = request.key.removeprefix("ASIA")
        arn = f"arn:aws:sts::{account}:assumed-role/Audit/skysweep" if account.isdigit() else self.arn
        text = CALLER.body.decode().replace("arn:aws:iam::111111111111:user/u", arn)
        return as_xml(text.replace(ONE, arn.split(":")[4]))

    def DescribeRegions(self, _: Request) -> Reply:  # noqa: N802 - AWS's name
        items = "".join(
            f"<item><regionName>{name}</regionName><optInStatus>opted-in</optInStatus></item>" for name in self.regions
        )
        return as_xml(f"<DescribeRegionsResponse><regionInfo>{items}</regionInfo></DescribeRegionsResponse>")

    def AssumeRole(self, request: Request) -> Reply:  # noqa: N802 - AWS's name
        key = f"ASIA{request.form['RoleArn'].split(':')[4]}"
        later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
        return as_xml(
            f"<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>s"
            f"</SecretAccessKey><SessionToken>t</SessionToken><Expiration>{later}</Expiration></Credentials>"
            "</AssumeRoleResult></AssumeRoleResponse>"
        )

    def SimulatePrincipalPolicy(self, request: Request) -> Reply:  # noqa: N802 - AWS's name
        names = [value for name, value in request.form.items() if name.startswith("ActionNames.member")]
        told = "".join(
            f"<member><EvalActionName>{name}</EvalActionName>"
            f"{self.decisions.get(name, '<EvalDecision>allowed</EvalDecision>')}</member>"
            for name in names
        )
        return as_xml(
            "<SimulatePrincipalPolicyResponse><SimulatePrincipalPolicyResult><IsTruncated>false</IsTruncated>"
            f"<EvaluationResults>{told}</EvaluationResults>"
            "</SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>"
        )

    def listing(self, request: Request) -> Reply:
        """An empty listing, in the protocol that was asked in."""
        if "x-amz-target" in request.headers:
            return as_json({"QueueUrls": []})
        return as_xml(f"<{request.operation}Response><requestId>r</requestId></{request.operation}Response>")


@dataclass
class Doctor:
    """Examines against a cloud; `fault` holds what came in, `folder` is the store's."""

    fault: Wire
    folder: Path

    async def __call__(self, cloud: Cloud, **aws: Any) -> list[Check]:
        self.fault.handler = cloud
        made = {"endpoint_url": self.fault.url, "isolated": True, "access_key": "AKIABASE", "secret_key": "secret"}
        return await examine(
            Settings(
                StoreSettings(uri=None, user=None, password=None, database=None, folder=self.folder),
                AwsSettings(rate_share=0, max_attempts=1, **{**made, **aws}),
                state=self.folder,
            ),
            CHEAP,
        )

    def asked(self, operation: str) -> list[Request]:
        return [request for request in self.fault.requests if request.operation == operation]


@pytest.fixture
def doctor(fault: Wire, tmp_path: Path) -> Doctor:
    return Doctor(fault, tmp_path / "store")


MEMBERS = {"accounts": (ONE, TWO), "role_name": "Audit"}


def of(checks: list[Check], name: str) -> list[Check]:
    return [check for check in checks if check.check == name]


def denied(details: str = "", decision: str = "implicitDeny") -> str:
    return f"<EvalDecision>{decision}</EvalDecision>{details}"


async def test_all_is_well_and_nothing_is_written(doctor: Doctor, tmp_path: Path) -> None:
    checks = await doctor(Cloud(date=datetime.now(UTC)), **MEMBERS)
    assert [(check.check, check.subject, check.status) for check in checks] == [
        ("settings", "", "ok"),
        ("credentials", HUB, "ok"),
        ("role", ONE, "ok"),
        ("role", TWO, "ok"),
        ("regions", ONE, "ok"),
        ("regions", TWO, "ok"),
        ("permissions", ONE, "ok"),
        ("permissions", TWO, "ok"),
        ("clock", "", "ok"),
        ("store", str(doctor.folder), "ok"),
        ("disk", str(doctor.folder), "ok"),
        ("ledger", str(doctor.folder / "ledger.sqlite"), "ok"),
    ]
    assert {check.mend for check in checks} == {""}
    assert of(checks, "credentials")[0].detail == f"arn:aws:iam::{HUB}:user/team/ann"
    assert (verdict(checks), worst(checks)) == (ExitCode.COMPLETE, "ok")
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - ASYNC240 will not have iterdir
    simulated = {name for request in doctor.asked("SimulatePrincipalPolicy") for name in request.form.values()}
    assert simulated >= ACTIONS
    assert f"arn:aws:iam::{ONE}:role/Audit" in simulated


async def test_what_is_said_of_an_account_that_is_not_swept_is_a_line(doctor: Doctor) -> None:
    checks = await doctor(Cloud(date=datetime.now(UTC)), **MEMBERS, production_accounts=(ONE, HUB))
    [check] = [check for check in of(checks, "settings") if check.status == "warning"]
    assert check.detail == f"--production-accounts: no account that is swept now: {HUB}"
    assert verdict(checks) is ExitCode.COMPLETE


async def test_every_call_is_a_read(doctor: Doctor, fault: Wire) -> None:
    refusing = Cloud(instead={"SimulatePrincipalPolicy": lambda _: query_error("AccessDenied", status=403)})
    await doctor(refusing, **MEMBERS)
    await doctor(Cloud(arn=f"arn:aws:sts::{HUB}:assumed-role/Audit/ann", instead={"SimulatePrincipalPolicy": unknown}))
    named = {operation for _, operation in READS}
    sent = {request.operation for request in fault.requests}
    assert sent >= {"SimulatePrincipalPolicy", "GetRole", "ListQueues", "AssumeRole", "DescribeRegions"}
    assert [name for name in sent if not lint.READ_ONLY.match(name) and name not in named] == []
    assert lint.READ_ONLY.match(probe.GET_ROLE.operation)
    assert (probe.SIMULATE.service, probe.SIMULATE.operation) in READS


def unknown(_: Request) -> Reply:
    return query_error("NoSuchEntity", "no such principal", 404)


ORGANIZATION = (
    "<OrganizationsDecisionDetail><AllowedByOrganizations>false</AllowedByOrganizations></OrganizationsDecisionDetail>"
)
BOUNDARY = (
    "<PermissionsBoundaryDecisionDetail><AllowedByPermissionsBoundary>false</AllowedByPermissionsBoundary>"
    "</PermissionsBoundaryDecisionDetail>"
)
MISSING = "<MissingContextValues><member>aws:RequestedRegion</member></MissingContextValues>"
MATCHED = "<MatchedStatements><member><SourcePolicyId>NoQueues</SourcePolicyId></member></MatchedStatements>"


@pytest.mark.parametrize(
    ("decision", "status", "detail", "mend"),
    [
        (denied(), "failed", "no policy allows it", "`skysweep permissions` prints to role/Audit"),
        (denied(MATCHED, "explicitDeny"), "failed", "denied by NoQueues", "`skysweep permissions`"),
        (denied(ORGANIZATION), "failed", "service control policy", "organization's policies exempt role/Audit"),
        (denied(BOUNDARY), "failed", "permissions boundary", "boundary of role/Audit"),
        (denied(MISSING, "explicitDeny"), "warning", "aws:RequestedRegion", "conditions"),
    ],
)
async def test_a_denied_action_is_a_line(doctor: Doctor, decision: str, status: str, detail: str, mend: str) -> None:
    cloud = Cloud(decisions={"sqs:GetQueueAttributes": decision})
    cloud.instead["SimulatePrincipalPolicy"] = lambda request: (
        None if ONE in request.form["PolicySourceArn"] else Cloud().SimulatePrincipalPolicy(request)
    )
    checks = await doctor(cloud, **MEMBERS)
    bad, good = of(checks, "permissions")
    assert (bad.subject, bad.status, good.subject, good.status) == (ONE, status, TWO, "ok")
    assert bad.detail.startswith("sqs:GetQueueAttributes: ")
    assert detail in bad.detail
    assert mend in bad.mend
    assert verdict(checks) == (ExitCode.INCOMPLETE if status == "failed" else ExitCode.COMPLETE)


async def test_an_assumed_roles_path_is_looked_up(doctor: Doctor) -> None:
    whole = f"arn:aws:iam::{HUB}:role/aws-reserved/sso/Audit"
    cloud = Cloud(arn=f"arn:aws:sts::{HUB}:assumed-role/Audit/ann", decisions={"sqs:ListQueues": denied()})
    cloud.instead["SimulatePrincipalPolicy"] = lambda request: (
        None if request.form["PolicySourceArn"] == whole else unknown(request)
    )
    cloud.instead["GetRole"] = lambda request: as_xml(
        f"<GetRoleResponse><GetRoleResult><Role><Path>/</Path><RoleName>{request.form['RoleName']}</RoleName><RoleId>r"
        f"</RoleId><Arn>{whole}</Arn><CreateDate>2024-01-01T00:00:00Z</CreateDate></Role></GetRoleResult></GetRoleResponse>"
    )
    (check,) = of(await doctor(cloud), "permissions")
    assert check.detail == "sqs:ListQueues: denied: no policy allows it for all resources"
    assert doctor.asked("GetRole")[0].form["RoleName"] == "Audit"


async def test_where_no_simulation_is_allowed_each_service_is_asked_once_with_its_smallest_page(doctor: Doctor) -> None:
    cloud = Cloud(regions=("eu-west-1", "eu-west-3"))
    cloud.instead["SimulatePrincipalPolicy"] = lambda _: query_error("AccessDenied", status=403)
    checks = await doctor(cloud)
    (check,) = of(checks, "permissions")
    assert check.status == "ok"
    assert check.detail.startswith("2 services asked once each")
    assert "iam:SimulatePrincipalPolicy" in check.detail
    (vpcs,) = doctor.asked("DescribeVpcs")
    assert (vpcs.form["MaxResults"], vpcs.region) == ("5", "eu-west-1")
    assert len(doctor.asked("ListQueues")) == 1


@pytest.mark.parametrize(
    ("reply", "detail", "mend"),
    [
        (json_error("AccessDenied", "no", 403), "sqs:ListQueues: denied: AccessDenied", "`skysweep permissions`"),
        (json_error("AccessDenied", f"no, {SCP}", 403), "sqs:ListQueues: denied: AccessDenied", "organization's"),
        (json_error("AccessDenied", "no permissions boundary allows", 403), "sqs:ListQueues: denied", "boundary of"),
        (as_json({}, 500), "sqs:ListQueues: cannot be told", "try again"),
    ],
)
async def test_a_service_that_refuses_is_a_line(doctor: Doctor, reply: Reply, detail: str, mend: str) -> None:
    cloud = Cloud(instead={"SimulatePrincipalPolicy": lambda _: query_error("AccessDenied", status=403)})
    cloud.instead["ListQueues"] = lambda _: reply
    checks = await doctor(cloud)
    (check,) = of(checks, "permissions")
    assert check.status == "failed"
    assert check.detail.startswith(detail)
    assert mend in check.mend
    assert verdict(checks) == ExitCode.INCOMPLETE


async def test_a_service_that_is_not_there_refuses_nothing(doctor: Doctor) -> None:
    cloud = Cloud(instead={"SimulatePrincipalPolicy": lambda _: query_error("AccessDenied", status=403)})
    cloud.instead["ListQueues"] = lambda _: json_error("OptInRequired", "not subscribed")
    (check,) = of(await doctor(cloud), "permissions")
    assert check.status == "ok"


async def test_an_account_that_hangs_ends_at_its_deadline(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "SECONDS", 0.5)
    (check,) = of(
        await doctor(Cloud(instead=dict.fromkeys(("SimulatePrincipalPolicy", "ListQueues"), hang))), "permissions"
    )
    assert (check.subject, check.status) == (HUB, "failed")
    assert "DeadlineExceeded" in check.detail


def hang(_: Request) -> Reply:
    return HANG


async def test_a_role_that_lets_nobody_in_is_named_and_the_rest_goes_on(doctor: Doctor) -> None:
    why = f"User: arn:aws:iam::{HUB}:user/team/ann is not authorized to perform: sts:AssumeRole on resource"
    cloud = Cloud()
    cloud.instead["AssumeRole"] = lambda request: (
        query_error("AccessDenied", why, 403) if TWO in request.form["RoleArn"] else None
    )
    checks = await doctor(cloud, **MEMBERS)
    good, bad = of(checks, "role")
    assert (good.subject, good.status, bad.subject, bad.status) == (ONE, "ok", TWO, "failed")
    assert f"arn:aws:iam::{TWO}:role/Audit" in bad.detail
    assert f"arn:aws:iam::{HUB}:user/team/ann" in bad.mend
    assert "`skysweep permissions --trust`" in bad.mend
    assert [check.subject for check in of(checks, "permissions")] == [ONE]
    assert verdict(checks) == ExitCode.INCOMPLETE


async def test_roles_that_let_nobody_in_anywhere_stop_a_sweep(doctor: Doctor) -> None:
    cloud = Cloud(instead={"AssumeRole": lambda _: query_error("AccessDenied", f"sts:AssumeRole: {SCP}", 403)})
    checks = await doctor(cloud, **MEMBERS)
    (bad,) = of(checks, "role")
    assert (bad.status, bad.fatal) == ("failed", True)
    assert "service control policies" in bad.mend
    assert verdict(checks) == ExitCode.UNUSABLE
    assert [check.check for check in checks] == ["settings", "credentials", "role", "clock", "store", "disk", "ledger"]


ACCOUNTS = [{"Id": ONE, "State": "ACTIVE"}, {"Id": HUB, "State": "ACTIVE"}, {"Id": TWO, "State": "SUSPENDED"}]


async def test_an_organizations_active_accounts_are_looked_at(doctor: Doctor) -> None:
    cloud = Cloud(instead={"ListAccounts": lambda _: as_json({"Accounts": ACCOUNTS})})
    checks = await doctor(cloud, organization=True, role_name="Audit", accounts=(ONE, TWO, HUB))
    lines = {check.subject: check for check in of(checks, "role")}
    assert {name: check.status for name, check in lines.items()} == {ONE: "ok", TWO: "failed", HUB: "ok"}
    assert lines[HUB].detail == "the caller's own account"
    assert lines[TWO].mend == "leave it out of --accounts"
    assert {check.subject for check in of(checks, "permissions")} == {ONE, HUB}


async def test_an_organization_that_may_not_be_listed_stops_a_sweep(doctor: Doctor) -> None:
    cloud = Cloud(instead={"ListAccounts": lambda _: json_error("AccessDeniedException", "no")})
    checks = await doctor(cloud, organization=True, role_name="Audit")
    (check,) = of(checks, "organization")
    assert (check.status, check.fatal) == ("failed", True)
    assert "`skysweep permissions --hub`" in check.mend
    assert verdict(checks) == ExitCode.UNUSABLE


async def test_a_hub_whose_own_regions_are_unknown_may_do_for_its_members(doctor: Doctor) -> None:
    cloud = Cloud()
    cloud.instead["DescribeRegions"] = lambda request: (
        None if request.key.startswith("ASIA") else ec2_error("UnauthorizedOperation", status=403)
    )
    checks = await doctor(cloud, **MEMBERS)
    assert verdict(checks) == ExitCode.COMPLETE


async def test_excluded_accounts_are_not_looked_at(doctor: Doctor) -> None:
    cloud = Cloud()
    cloud.instead["AssumeRole"] = lambda request: (
        query_error("AccessDenied", status=403) if TWO in request.form["RoleArn"] else None
    )
    checks = await doctor(cloud, **MEMBERS, exclude_accounts=frozenset({TWO}))
    assert [check for check in checks if check.subject == TWO] == []
    assert verdict(checks) == ExitCode.COMPLETE


async def test_regions_that_are_off_are_named(doctor: Doctor) -> None:
    (check,) = of(await doctor(Cloud(), regions=("eu-west-1", "eu-south-1", "af-south-1")), "regions")
    assert (check.status, check.detail) == ("warning", "1 region; off there: eu-south-1, af-south-1")
    assert "--aws-regions" in check.mend


async def test_regions_that_are_not_told_are_a_gap(doctor: Doctor) -> None:
    cloud = Cloud()
    cloud.instead["DescribeRegions"] = lambda request: (
        ec2_error("UnauthorizedOperation", status=403) if request.key == f"ASIA{TWO}" else None
    )
    checks = await doctor(cloud, **MEMBERS)
    assert [(check.subject, check.status) for check in of(checks, "role")] == [(ONE, "ok"), (TWO, "ok")]
    assert [(check.subject, check.status) for check in of(checks, "regions")] == [(ONE, "ok"), (TWO, "failed")]
    assert "ec2:DescribeRegions" in of(checks, "regions")[1].mend
    assert verdict(checks) == ExitCode.INCOMPLETE


@pytest.mark.parametrize(
    ("seconds", "status", "words"),
    [(30, "ok", "ahead"), (-100, "warning", "behind"), (100, "warning", "ahead"), (280, "failed", "ahead")],
)
async def test_the_clock_is_compared_with_aws(doctor: Doctor, seconds: int, status: str, words: str) -> None:
    checks = await doctor(Cloud(date=datetime.now(UTC) - timedelta(seconds=seconds)))
    (check,) = of(checks, "clock")
    assert check.status == status
    assert re.fullmatch(rf"\d+ s {words} \S+ AWS's|\d+ s {words} AWS's", check.detail)
    assert abs(int(check.detail.split()[0]) - abs(seconds)) < 20
    assert ("NTP" in check.mend) == (status != "ok")


async def test_a_clock_so_wrong_that_aws_refuses_all_is_told(doctor: Doctor) -> None:
    cloud = Cloud(date=datetime.now(UTC) - timedelta(hours=1))
    cloud.instead["GetCallerIdentity"] = lambda _: query_error("SignatureDoesNotMatch", "Signature expired", 403)
    checks = await doctor(cloud)
    assert (of(checks, "clock")[0].status, of(checks, "credentials")[0].status) == ("failed", "failed")
    assert verdict(checks) == ExitCode.UNUSABLE


async def test_without_credentials_the_rest_is_looked_at(doctor: Doctor) -> None:
    checks = await doctor(Cloud(), access_key=None, secret_key=None)
    (check,) = of(checks, "credentials")
    assert (check.status, check.fatal) == ("failed", True)
    assert "no AWS credentials" in check.detail
    assert "`aws configure`" in check.mend
    assert of(checks, "clock")[0].status == "warning"
    assert of(checks, "store")[0].status == "ok"
    assert verdict(checks) == ExitCode.UNUSABLE


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fault: Wire) -> Path:
    """AWS files of the test's own, whose calls go to the fault server."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", fault.url)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return tmp_path / "config"


def write(path: Path, text: str) -> None:
    path.write_text(text)


BY_FILES = {"endpoint_url": None, "isolated": False, "access_key": None, "secret_key": None}


async def test_profiles_each_have_their_line(doctor: Doctor, files: Path) -> None:
    write(
        files,
        "[profile alpha]\naws_access_key_id = AKIABASE\naws_secret_access_key = s\n"
        "[profile beta]\naws_access_key_id = AKIABASE\naws_secret_access_key = s\n"
        f"[profile gamma]\nrole_arn = arn:aws:iam::{ONE}:role/Audit\nsource_profile = alpha\n"
        "[profile broken]\ncredential_process = /nonexistent/process\n",
    )
    checks = await doctor(Cloud(date=datetime.now(UTC)), **BY_FILES, all_profiles=True)
    lines = {check.subject: check for check in of(checks, "credentials")}
    assert {name: check.status for name, check in lines.items()} == {
        "alpha": "ok",
        "beta": "ok",
        "gamma": "ok",
        "broken": "failed",
    }
    assert "swept once" in lines["beta"].detail
    assert re.search(r"until \d{4}-\d\d-\d\d \d\d:\d\d UTC", lines["gamma"].detail)
    assert "4 profiles" in of(checks, "settings")[0].detail
    assert of(checks, "clock")[0].status == "ok"
    assert verdict(checks) == ExitCode.INCOMPLETE


@pytest.mark.parametrize(
    ("text", "aws", "words"),
    [
        ("[broken", {}, "config"),
        ("[broken", {"all_profiles": True}, "config"),
        ("[profile alpha]\n", {"profiles": ("alhpa",)}, "did you mean 'alpha'"),
        ("", {"regions": ("mars-north-1",)}, "mars-north-1"),
    ],
)
async def test_settings_that_cannot_be_meant_are_a_line(
    doctor: Doctor, files: Path, text: str, aws: dict[str, Any], words: str
) -> None:
    write(files, text)
    checks = await doctor(Cloud(), **BY_FILES, **aws)
    assert (checks[0].check, checks[0].status, checks[0].fatal) == ("settings", "failed", True)
    assert words in checks[0].detail
    assert verdict(checks) == ExitCode.UNUSABLE


def test_a_session_token_of_ones_own_tells_no_end() -> None:
    @dataclass
    class Given:
        token: str | None

    assert "temporary" in until(Given("t"))
    assert until(Given(None)) == ""


@pytest.mark.parametrize(
    ("arn", "source"),
    [
        (f"arn:aws:iam::{ONE}:user/team/ann", f"arn:aws:iam::{ONE}:user/team/ann"),
        (f"arn:aws-cn:sts::{ONE}:assumed-role/Audit/ann@x", f"arn:aws-cn:iam::{ONE}:role/Audit"),
        (f"arn:aws:iam::{ONE}:role/path/Audit", f"arn:aws:iam::{ONE}:role/path/Audit"),
        (f"arn:aws:iam::{ONE}:root", None),
        (f"arn:aws:sts::{ONE}:federated-user/ann", None),
    ],
)
def test_whom_a_simulation_takes(arn: str, source: str | None) -> None:
    assert principal(arn) == source


def test_commands_that_mends_name_are_there() -> None:
    account = Account(ONE, arn=f"arn:aws:iam::{ONE}:role/Audit")
    kinds: list[Any] = ["policy", "organization", "boundary", "condition", "failed"]
    mends = [mend for _, mend in MENDS]
    mends += [check.mend for check in refused(account, [Refusal("a:B", "", kind) for kind in kinds])]
    named = [command for mend in mends for command in re.findall(r"`(skysweep [^`]+)`", mend)]
    assert named
    assert [command for command in named if shlex.split(command)[1] not in COMMANDS] == []


def test_a_check_as_json() -> None:
    check = Check("clock", "", "failed", "300 s ahead", "set it", fatal=True)
    assert json.loads(json.dumps(check.to_dict())) == {
        "check": "clock",
        "subject": "",
        "status": "failed",
        "detail": "300 s ahead",
        "mend": "set it",
    }
