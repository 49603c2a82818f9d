from __future__ import annotations

import asyncio
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import anyio
import pytest
from aiobotocore.credentials import AioCredentials
from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError, ReadTimeoutError
from botocore.parsers import ResponseParserError
from botocore.utils import parse_timestamp
from hypothesis import given
from hypothesis import strategies as st

from skysweep.clients import DUMMY, USER_AGENT, AwsSettings, Clients
from skysweep.decoding import timestamp
from skysweep.errors import BadSettings, Bug
from skysweep.outcomes import Tally
from skysweep.plan import GLOBAL, Target
from skysweep.transport import loopback
from wire import CALLER, DROP, HANG, Reply, Wire, as_xml, ec2_error, query_error, wire

ONE, TWO = "111111111111", "222222222222"
REGIONS = ("eu-west-1", "us-west-2")
EMPTY_VPCS = as_xml("<DescribeVpcsResponse><vpcSet/></DescribeVpcsResponse>")


def isolated(url: str, **more: Any) -> AwsSettings:
    return AwsSettings(endpoint_url=url, isolated=True, **more)


def keys(account: str) -> AioCredentials:
    return AioCredentials(f"AKIA{account}", "secret", f"token-{account}")


async def assumed(clients: Clients, account: str) -> AioCredentials:
    clients.adopt("base", keys("0"))
    inputs = {"RoleArn": f"arn:aws:iam::{account}:role/Audit", "RoleSessionName": "test"}
    given = (await clients.send(Target("base", GLOBAL), "sts", "AssumeRole", inputs, timeout=30))["Credentials"]
    return AioCredentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])


async def test_one_client_sees_each_accounts_own_things(moto: str) -> None:
    async with Clients(isolated(moto), Tally()) as clients:
        for account in (ONE, TWO):
            clients.adopt(account, await assumed(clients, account))

        async def ask(account: str, region: str, service: str, operation: str, **inputs: Any) -> dict[str, Any]:
            return await clients.send(Target(account, region), service, operation, inputs, timeout=30)

        async def make(account: str, region: str) -> None:
            name = f"of-{account}-{region}"
            place = {"CreateBucketConfiguration": {"LocationConstraint": region}}
            await ask(account, region, "s3", "CreateBucket", Bucket=name, **place)
            await ask(account, region, "sqs", "CreateQueue", QueueName=name)
            database = {"DBInstanceIdentifier": name, "DBInstanceClass": "db.t3.micro", "Engine": "mysql"}
            login = {"MasterUsername": "u", "MasterUserPassword": "p" * 9}
            await ask(account, region, "rds", "CreateDBInstance", **database, **login)

        async def check(account: str, region: str) -> None:
            name = f"of-{account}-{region}"
            vpcs = await ask(account, region, "ec2", "DescribeVpcs")
            assert {vpc["OwnerId"] for vpc in vpcs["Vpcs"]} == {account}
            queues = await ask(account, region, "sqs", "ListQueues", MaxResults=10)
            assert [url.split("/")[-2:] for url in queues["QueueUrls"]] == [[account, name]]
            databases = await ask(account, region, "rds", "DescribeDBInstances")
            (database,) = databases["DBInstances"]
            assert database["DBInstanceArn"] == f"arn:aws:rds:{region}:{account}:db:{name}"
            where = await ask(account, region, "s3", "GetBucketLocation", Bucket=name)
            assert where == {"LocationConstraint": region}
            buckets = await ask(account, GLOBAL, "s3", "ListBuckets")
            assert {each["Name"] for each in buckets["Buckets"]} == {f"of-{account}-{r}" for r in REGIONS}
            users = await ask(account, GLOBAL, "iam", "ListUsers")
            assert [user["Arn"] for user in users["Users"]] == [f"arn:aws:iam::{account}:user/only"]

        for account in (ONE, TWO):
            await ask(account, GLOBAL, "iam", "CreateUser", UserName="only")
        for work in (make, check):
            async with anyio.create_task_group() as tasks:
                for place in [(account, region) for account in (ONE, TWO) for region in REGIONS]:
                    tasks.start_soon(work, *place)
        names = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
        block = dict.fromkeys(names, True)
        await ask(ONE, GLOBAL, "s3control", "PutPublicAccessBlock", AccountId=ONE, PublicAccessBlockConfiguration=block)
        got = await ask(ONE, GLOBAL, "s3control", "GetPublicAccessBlock", AccountId=ONE)
        assert got == {"PublicAccessBlockConfiguration": block}
        with pytest.raises(ClientError, match="NoSuchPublicAccessBlockConfiguration"):
            await ask(TWO, GLOBAL, "s3control", "GetPublicAccessBlock", AccountId=TWO)


async def test_each_request_is_signed_for_its_own_account_and_region(fault: Wire) -> None:
    fault.handler = lambda _: EMPTY_VPCS
    async with Clients(isolated(fault.url), Tally()) as clients:
        places = [(f"{n:012}", region) for n in range(20) for region in ("eu-west-1", "ap-south-1", "cn-north-1")]
        async with anyio.create_task_group() as tasks:
            for account, region in places:
                clients.adopt(account, keys(account))
                target = Target(account, region)

                async def send(target: Target = target) -> None:
                    await clients.send(target, "ec2", "DescribeVpcs", {}, timeout=30)

                tasks.start_soon(send)
    assert sorted((request.key, request.region) for request in fault.requests) == sorted(
        (f"AKIA{account}", region) for account, region in places
    )
    for request in fault.requests:
        assert request.headers["x-amz-security-token"] == f"token-{request.key[4:]}"
        assert request.headers["user-agent"] == USER_AGENT


@pytest.mark.parametrize(
    ("partition", "service", "operation", "region"),
    [
        ("aws", "iam", "ListUsers", "us-east-1"),
        ("aws-cn", "iam", "ListUsers", "cn-north-1"),
        ("aws-us-gov", "iam", "ListUsers", "us-gov-west-1"),
        ("aws", "organizations", "ListAccounts", "us-east-1"),
        ("aws-cn", "organizations", "ListAccounts", "cn-northwest-1"),
        ("aws-cn", "route53", "ListHostedZones", "cn-northwest-1"),
        ("aws", "globalaccelerator", "ListAccelerators", "us-west-2"),
        ("aws", "ecr-public", "DescribeRepositories", "us-east-1"),
        ("aws", "s3", "ListBuckets", "us-east-1"),
    ],
)
async def test_account_wide_calls_go_to_the_services_home(
    fault: Wire, partition: str, service: str, operation: str, region: str
) -> None:
    fault.handler = lambda _: query_error("AccessDenied", status=403)
    async with Clients(isolated(fault.url), Tally()) as clients:
        clients.adopt(ONE, keys(ONE))
        with pytest.raises(ClientError):
            await clients.send(Target(ONE, GLOBAL, partition), service, operation, {}, timeout=30)
    assert [request.region for request in fault.requests] == [region]


async def test_another_region_can_be_asked_for_one_call(fault: Wire) -> None:
    fault.handler = lambda _: EMPTY_VPCS
    async with Clients(isolated(fault.url), Tally()) as clients:
        clients.adopt(ONE, keys(ONE))
        await clients.send(Target(ONE, GLOBAL), "ec2", "DescribeVpcs", {}, timeout=30, region="sa-east-1")
    assert fault.requests[0].region == "sa-east-1"


async def test_a_client_without_an_aim_calls_nobody(fault: Wire) -> None:
    async with Clients(isolated(fault.url), Tally()) as clients:
        clients.adopt(ONE, keys(ONE))
        client = await clients.client("ec2", ONE)
        with pytest.raises(Bug):
            await client.describe_vpcs()
        assert client._request_signer._credentials.access_key == DUMMY
        with pytest.raises(Bug, match="no credentials"):
            await clients.send(Target(TWO, "eu-west-1"), "ec2", "DescribeVpcs", {}, timeout=30)
    assert fault.requests == []


async def test_faults_come_out_as_they_are_after_one_exchange(fault: Wire) -> None:
    cases: list[tuple[Reply, type[Exception]]] = [
        (ec2_error("InternalError", status=500), ClientError),
        (DROP, ConnectionClosedError),
        (Reply(EMPTY_VPCS.body, cut=5), ConnectionClosedError),
        (Reply(EMPTY_VPCS.body[:-9]), ResponseParserError),
        (Reply(b""), ResponseParserError),
        (Reply(b"", 302, {"Location": "http://192.0.2.1/"}), ResponseParserError),
    ]
    async with Clients(isolated(fault.url), Tally()) as clients:
        clients.adopt(ONE, keys(ONE))
        for count, (reply, expected) in enumerate(cases, 1):
            fault.script(reply)
            with pytest.raises(expected):
                await clients.send(Target(ONE, "eu-west-1"), "ec2", "DescribeVpcs", {}, timeout=30)
            assert len(fault.requests) == count


async def test_a_bucket_elsewhere_is_followed_to_its_region_as_the_same_account(fault: Wire) -> None:
    moved = "<Error><Code>PermanentRedirect</Code><Message>there</Message></Error>"
    redirect = Reply(moved.encode(), 301, {"x-amz-bucket-region": "eu-central-1"})
    fault.script(redirect, redirect, Reply(b"{}"))
    async with Clients(isolated(fault.url), Tally()) as clients:
        clients.adopt(ONE, keys(ONE))
        got = await clients.send(Target(ONE, "eu-west-1"), "s3", "GetBucketPolicy", {"Bucket": "abc"}, timeout=30)
    assert got == {"Policy": "{}"}
    assert [(request.key, request.region) for request in fault.requests] == [
        (f"AKIA{ONE}", "eu-west-1"),
        (f"AKIA{ONE}", "eu-west-1"),  # once more, by botocore, who follows
        (f"AKIA{ONE}", "eu-central-1"),
    ]


async def test_the_timeout_is_the_calls_own(fault: Wire) -> None:
    fault.script(HANG)
    async with Clients(isolated(fault.url, connect_timeout=0.02), Tally()) as clients:
        clients.adopt(ONE, keys(ONE))
        with pytest.raises(ReadTimeoutError):
            await clients.send(Target(ONE, "eu-west-1"), "ec2", "DescribeVpcs", {}, timeout=0.02)


async def test_a_refused_connection(unused_tcp_port: int) -> None:
    async with Clients(isolated(f"http://127.0.0.1:{unused_tcp_port}"), Tally()) as clients:
        clients.adopt(ONE, keys(ONE))
        with pytest.raises(EndpointConnectionError):
            await clients.send(Target(ONE, "eu-west-1"), "ec2", "DescribeVpcs", {}, timeout=30)


@pytest.mark.parametrize(
    ("service", "operation", "inputs", "body"),
    [
        ("dynamodb", "ListTables", {}, b'{"TableNames": ["a", "b'),
        ("dynamodb", "ListTables", {}, b""),
        ("dynamodb", "ListTables", {}, b'["TableNames"]'),
        ("dynamodb", "ListTables", {}, b"null"),
        ("dynamodb", "ListTables", {}, b"\xff\xfe"),
        ("lambda", "ListFunctions", {}, b'{"Functions": ['),
        ("lambda", "ListFunctions", {}, b""),
        ("s3", "ListBuckets", {}, b""),
        ("iam", "ListUsers", {}, b"<html></html>"),
        ("ec2", "DescribeInstances", {}, b"<html><body>hi</body></html>"),
        ("ec2", "DescribeInstances", {}, b"<Response><Errors><Error><Code>X</Code></Error></Errors></Response>"),
        ("ec2", "DescribeInstances", {}, b"<DescribeVpcsResponse/>"),
        ("s3", "ListBuckets", {}, b"<html/>"),
        ("s3", "GetBucketEncryption", {"Bucket": "abc"}, b"<html/>"),
        ("route53", "ListHostedZones", {}, b"<html/>"),
        ("dynamodb", "ListTables", {}, b'{"message": "no"}'),
        ("dynamodb", "ListTables", {}, b'{"tableNames": []}'),
        ("lambda", "ListFunctions", {}, b'{"message": "no"}'),
    ],
)
async def test_half_a_reply_is_never_an_empty_listing(
    fault: Wire, service: str, operation: str, inputs: dict[str, Any], body: bytes
) -> None:
    fault.script(Reply(body))
    async with Clients(isolated(fault.url), Tally()) as clients:
        clients.adopt(ONE, keys(ONE))
        with pytest.raises(ResponseParserError):
            await clients.send(Target(ONE, "eu-west-1"), service, operation, inputs, timeout=30)


@pytest.mark.parametrize(
    ("service", "operation", "inputs", "body"),
    [
        (
            "ec2",
            "DescribeInstances",
            {},
            b'<DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"/>',
        ),
        ("s3", "ListBuckets", {}, b"<ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>"),
        ("s3", "GetBucketVersioning", {"Bucket": "abc"}, b'<VersioningConfiguration xmlns="http://s3/"/>'),
        ("s3", "GetBucketVersioning", {"Bucket": "abc"}, b"<GetBucketVersioningResponse/>"),  # moto's
        ("s3", "GetBucketNotificationConfiguration", {"Bucket": "abc"}, b"<GetBucketNotificationResponse/>"),
        ("s3", "GetBucketLocation", {"Bucket": "abc"}, b"<LocationConstraint/>"),
        ("s3", "GetBucketLifecycleConfiguration", {"Bucket": "abc"}, b"<X><Rule><ID>a</ID></Rule></X>"),
        ("s3", "GetPublicAccessBlock", {"Bucket": "abc"}, b"<PublicAccessBlockConfiguration/>"),
        ("sqs", "ListQueues", {}, b"{}"),  # SQS's own word for none
        ("lambda", "ListFunctions", {}, b'{"Functions": []}'),
        ("lambda", "GetPolicy", {"FunctionName": "f"}, b'{"Policy": "{}", "New": 1}'),
    ],
)
async def test_an_empty_reply_of_aws_is_an_answer(
    fault: Wire, service: str, operation: str, inputs: dict[str, Any], body: bytes
) -> None:
    fault.script(Reply(body))
    async with Clients(isolated(fault.url), Tally()) as clients:
        clients.adopt(ONE, keys(ONE))
        reply = await clients.send(Target(ONE, "eu-west-1"), service, operation, inputs, timeout=30)
    assert isinstance(reply, dict)


async def test_half_a_reply_of_s3_is_refused(fault: Wire) -> None:
    fault.script(Reply(b"<ListAllMyBucketsResult><Buckets>"))
    async with Clients(isolated(fault.url), Tally()) as clients:
        clients.adopt(ONE, keys(ONE))
        with pytest.raises(ResponseParserError, match="no element found"):
            await clients.send(Target(ONE, GLOBAL), "s3", "ListBuckets", {}, timeout=30)


async def test_a_text_reply_may_be_empty_and_errors_need_no_json(fault: Wire) -> None:
    async with Clients(isolated(fault.url), Tally()) as clients:
        clients.adopt(ONE, keys(ONE))
        target = Target(ONE, "eu-west-1")
        fault.script(Reply(b""))
        assert await clients.send(target, "s3", "GetBucketPolicy", {"Bucket": "abc"}, timeout=30) == {"Policy": ""}
        fault.script(Reply(b"<html>busy</html>", 503))
        with pytest.raises(ClientError) as caught:
            await clients.send(target, "dynamodb", "ListTables", {}, timeout=30)
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503


async def test_isolated_reads_no_variable_and_no_file(
    fault: Wire, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = tmp_path / "config"
    config.write_text("[default]\nendpoint_url = http://192.0.2.1:1\nregion = nowhere\n[broken")
    for name, value in {
        "AWS_CONFIG_FILE": str(config),
        "AWS_SHARED_CREDENTIALS_FILE": str(config),
        "AWS_PROFILE": "nobody",
        "AWS_ENDPOINT_URL": "http://192.0.2.1:1",
        "AWS_ENDPOINT_URL_EC2": "http://192.0.2.1:1",
        "AWS_ACCESS_KEY_ID": "AKIAREAL",
        "AWS_SECRET_ACCESS_KEY": "real",
        "AWS_USE_FIPS_ENDPOINT": "true",
        "HTTP_PROXY": "http://192.0.2.1:1",
        "http_proxy": "http://192.0.2.1:1",
    }.items():
        monkeypatch.setenv(name, value)
    fault.script(EMPTY_VPCS)
    async with Clients(isolated(fault.url), Tally()) as clients:
        clients.adopt(ONE, keys(ONE))
        await clients.send(Target(ONE, "eu-west-1"), "ec2", "DescribeVpcs", {}, timeout=30)
    assert fault.requests[0].key == f"AKIA{ONE}"


@pytest.mark.parametrize("url", [None, "https://ec2.amazonaws.com", "http://10.0.0.1", "http://localhost.example.com"])
def test_isolated_refuses_all_but_this_machine(url: str | None) -> None:
    with pytest.raises(BadSettings, match="on this machine"):
        Clients(AwsSettings(endpoint_url=url, isolated=True), Tally())


def test_loopback() -> None:
    assert all(map(loopback, ("localhost", "127.0.0.1", "::1", "a.localhost", "123.127.0.0.1", "LOCALHOST")))
    assert not any(map(loopback, (None, "", "localhost.com", "127.0.0.1.nip.io", "10.0.0.1", "xlocalhost")))


async def test_the_standard_variables_are_honoured(fault: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", fault.url)
    fault.script(EMPTY_VPCS)
    async with Clients(AwsSettings(), Tally()) as clients:
        clients.adopt(ONE, keys(ONE))
        await clients.send(Target(ONE, "eu-west-1"), "ec2", "DescribeVpcs", {}, timeout=30)
    assert len(fault.requests) == 1


async def test_a_profiles_own_endpoint_serves_its_account_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = tmp_path / "config"
    async with wire() as first, wire() as second:
        first.handler = second.handler = lambda _: EMPTY_VPCS
        config.write_text(
            f"[profile one]\nendpoint_url = {first.url}\n[profile two]\nendpoint_url = {second.url}\n"
            f"[profile three]\nendpoint_url = {second.url}\n"
        )
        monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
        async with Clients(AwsSettings(), Tally()) as clients:
            for number, profile in enumerate(("one", "two", "three"), 1):
                account = str(number) * 12
                clients.adopt(account, keys(account), profile=profile)
                await clients.send(Target(account, "eu-west-1"), "ec2", "DescribeVpcs", {}, timeout=30)
            assert await clients.client("ec2", "2" * 12) is await clients.client("ec2", "3" * 12)
        assert [request.key for request in first.requests] == ["AKIA" + "1" * 12]
        assert [request.key for request in second.requests] == ["AKIA" + "2" * 12, "AKIA" + "3" * 12]


async def test_credentials_are_renewed_once_for_all_who_met_the_refusal(fault: Wire) -> None:
    made: list[AioCredentials] = []

    async def renew() -> AioCredentials:
        await asyncio.sleep(0)
        made.append(keys("9" * 12))
        return made[-1]

    async with Clients(isolated(fault.url), Tally()) as clients:
        clients.adopt(ONE, keys(ONE), renew)
        refused = await clients.ready(ONE)
        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(clients.renew, ONE, refused)
        assert len(made) == 1
        assert (await clients.ready(ONE)).access_key == "AKIA" + "9" * 12
        clients.adopt(TWO, keys(TWO))
        assert not await clients.renew(TWO, await clients.ready(TWO))


async def test_recognition_is_asked_for_once_a_minute(fault: Wire) -> None:
    fault.script(CALLER)
    async with Clients(isolated(fault.url), Tally()) as clients:
        clients.adopt(ONE, keys(ONE))
        for _ in range(3):
            await clients.recognized(Target(ONE, "af-south-1"))
    assert [request.region for request in fault.requests] == ["us-east-1"]


async def test_the_libraries_warnings_stay_off_the_terminal() -> None:
    code = """if True:
        import logging, skysweep.clients
        for name in ("botocore.credentials", "aiobotocore.x", "aioboto3", "boto3", "aiohttp.client", "asyncio"):
            logging.getLogger(name).warning("AKIA")
    """
    done = await anyio.run_process([sys.executable, "-c", code])
    assert done.stderr == b""


def test_settings_show_no_secret() -> None:
    shown = repr(AwsSettings(access_key="k", secret_key="s3cret", token="t0ken", external_id="3xternal"))  # noqa: S106 - dummies
    assert not any(secret in shown for secret in ("s3cret", "t0ken", "3xternal"))


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-21T12:00:00Z",
        "2026-11-21T12:00:00.123Z",
        "2026-11-21T12:00:00+02:00",
        "2026-11-21T12:00:00.123456789Z",
        "Sat, 21 Nov 2026 12:00:00 GMT",
        "1763726400",
        1763726400,
        1763726400.5,
        -1,
    ],
)
def test_timestamps_are_botocores(value: Any) -> None:
    assert abs(timestamp(value) - parse_timestamp(value)) < timedelta(microseconds=1)
    assert timestamp(value).tzinfo is not None


@given(seconds=st.integers(86400, 7_000_000_000), micros=st.integers(0, 999_999), hours=st.integers(-12, 14))
def test_timestamps_round_trip(seconds: int, micros: int, hours: int) -> None:
    moment = datetime.fromtimestamp(seconds, timezone(timedelta(hours=hours))).replace(microsecond=micros)
    assert timestamp(moment.isoformat()) == moment == parse_timestamp(moment.isoformat())
    assert abs(timestamp(moment.timestamp()) - moment) < timedelta(milliseconds=1)
