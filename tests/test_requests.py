"""A request by its form is the one that botocore would have signed, whoever signs it and whenever."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import pytest
from aiobotocore.credentials import AioCredentials
from botocore import xform_name
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError, ParamValidationError
from hypothesis import given
from hypothesis import strategies as st

from skysweep import calls, catalogue, requests
from skysweep.clients import AwsSettings, Clients
from skysweep.exchange import Exchanges, _Taken, form_of
from skysweep.model import Context
from skysweep.outcomes import Tally
from skysweep.plan import Target
from skysweep.requests import Form, Forms
from skysweep.transport import AIM, Aim
from wire import as_xml, ec2_error, wire

ONE, REGION = "111111111111", "eu-west-1"
NOW = datetime(2031, 2, 3, 4, 5, 6, tzinfo=UTC)
VOLUMES = as_xml("<DescribeVolumesResponse><volumeSet/></DescribeVolumesResponse>")
texts = st.text(st.characters(codec="ascii", exclude_characters=" \t\n\r\x0b\x0c\x1c\x1d\x1e\x1f,"), min_size=1)


@pytest.fixture
async def clients() -> AsyncIterator[Clients]:
    async with Clients(AwsSettings(endpoint_url="http://127.0.0.1:9", isolated=True), Tally()) as made:
        made.adopt(ONE, AioCredentials("AKIA", "secret"))
        yield made


async def made(clients: Clients, service: str, operation: str, inputs: Any, token: str | None = None) -> Form | None:
    client = await clients.client(service, ONE)
    reset = AIM.set(Aim(AioCredentials("AKIA", "secret", token), REGION, 30))
    try:
        return await form_of(client, operation, inputs)
    finally:
        AIM.reset(reset)


@pytest.mark.parametrize("token", [None, "token"])
async def test_every_listing_of_the_catalogue_has_a_form(clients: Clients, token: str | None) -> None:
    planned = catalogue.load().calls
    assert planned
    for call in planned:
        inputs = calls.literal(call, Context(ONE, REGION, "aws"))
        form = await made(clients, call.service, call.operation, inputs, token)
        assert form is not None, call


@pytest.mark.parametrize(
    "asked",
    [
        ("ec2", "DescribeVolumes", {"MaxResults": 500}),
        ("iam", "ListPolicies", {"Scope": "Local"}),
        ("dynamodb", "ListTables", {}),
        ("lambda", "ListFunctions", {"MaxItems": 50}),
        ("route53", "ListHostedZones", {}),
    ],
)
@pytest.mark.parametrize("token", [None, "a/token+of==many~words"])
async def test_a_form_signs_as_botocore_does(
    clients: Clients, monkeypatch: pytest.MonkeyPatch, asked: tuple[str, str, Any], token: str | None
) -> None:
    form = await made(clients, *asked, token)
    assert form is not None
    credentials = AioCredentials("AKIAOTHER", "another/secret", token and f"another {token}")
    ready = form.ready(credentials, (), NOW.strftime("%Y%m%dT%H%M%SZ"))
    unsigned = {name: value for name, value in ready.headers.items() if name.lower() in form.signed.split(";")}
    own = AWSRequest(ready.method, ready.url, unsigned, ready.body)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: NOW)
    region, name = form.scope
    SigV4Auth(credentials, name, region).add_auth(own)
    assert {**own.headers} == {key: ready.headers[key] for key in own.headers}


@given(access=texts, secret=texts, token=texts, shift=st.integers(0, 10**9))
def test_any_credentials_at_any_time(access: str, secret: str, token: str, shift: int) -> None:
    time = (NOW + timedelta(seconds=shift)).strftime("%Y%m%dT%H%M%SZ")
    credentials = AioCredentials("KEY", "SECRET", requests.TOKEN)
    form = Form.of(_signed(credentials, "20300101T000000Z").prepare(), credentials)
    assert form is not None
    others = AioCredentials(access, secret, token)
    assert form.ready(others, (), time).headers["Authorization"] == _signed(others, time).headers["Authorization"]


def _signed(credentials: AioCredentials, time: str) -> AWSRequest:
    """A request as botocore signs it at that time."""
    asked = AWSRequest("POST", "http://127.0.0.1:9/path?b=1&a=%20", {"Content-Type": "text/plain"}, b"body")
    signing: Any = SigV4Auth(credentials, "ec2", REGION)
    asked.context["timestamp"] = time
    signing._modify_request_before_signing(asked)
    signature = signing.signature(signing.string_to_sign(asked, signing.canonical_request(asked)), asked)
    signing._inject_signature_to_request(asked, signature)
    return asked


def test_what_botocore_signs_otherwise_has_no_form() -> None:
    credentials = AioCredentials("KEY", "SECRET")
    asked = _signed(credentials, "20300101T000000Z")
    assert Form.of(asked.prepare(), credentials) is not None
    asked.headers.replace_header("Authorization", asked.headers["Authorization"][:-4] + "0000")
    assert Form.of(asked.prepare(), credentials) is None
    asked.headers.replace_header("Authorization", "Bearer x")
    assert Form.of(asked.prepare(), credentials) is None


NAMED = [
    ("s3", "GetBucketPolicy", {"Bucket": "some-bucket"}),
    ("s3", "GetBucketAcl", {"Bucket": "b-0"}),
    ("iam", "ListAccessKeys", {"UserName": "alice@example.com"}),
    ("iam", "GetPolicyVersion", {"PolicyArn": "arn:aws:iam::1:policy/a/b c", "VersionId": "v2"}),
    ("elbv2", "DescribeListeners", {"LoadBalancerArn": f"arn:aws:elasticloadbalancing:{REGION}:{ONE}:a/b/c"}),
    ("kms", "GetKeyPolicy", {"KeyId": 'a "key"', "PolicyName": "default"}),
    ("dynamodb", "DescribeTable", {"TableName": "table.of_all-kinds"}),
    ("lambda", "ListAliases", {"FunctionName": "function_one", "MaxItems": 50}),
    ("iam", "GetAccountSummary", {}),
    ("ec2", "DescribeVolumes", {"NextToken": "a+b/c==", "MaxResults": 500}),
]
BOTOCORES = [
    ("s3", "GetBucketAcl", {"Bucket": "dots.in.it"}),
    ("s3", "GetBucketAcl", {"Bucket": "express--use1-az4--x-s3"}),
    ("lambda", "ListAliases", {"FunctionName": f"arn:aws:lambda:{REGION}:{ONE}:function:f"}),
    ("route53", "ListResourceRecordSets", {"HostedZoneId": "/hostedzone/Z1"}),
    ("s3", "GetBucketLocation", {"Bucket": "abc"}),
    ("sqs", "GetQueueAttributes", {"QueueUrl": "https://queue", "AttributeNames": ["All"]}),
]


@pytest.mark.parametrize("token", [None, "token"])
@pytest.mark.parametrize("asked", [*NAMED, *BOTOCORES], ids=lambda asked: asked[1])
async def test_a_named_things_request_is_botocores_own(
    clients: Clients, monkeypatch: pytest.MonkeyPatch, asked: tuple[str, str, dict[str, Any]], token: str | None
) -> None:
    service, operation, inputs = asked
    client = await clients.client(service, ONE)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: NOW)
    monkeypatch.setattr(requests, "datetime", Frozen)
    reset = AIM.set(Aim(AioCredentials("AKIA", "secret", token), REGION, 30))
    try:
        ours = await Exchanges()._request(client, operation, inputs, planned=False)
        theirs: list[Any] = []
        AIM.set(Aim(AioCredentials("AKIA", "secret", token), REGION, 30, taken=theirs))
        with pytest.raises(_Taken):
            await getattr(client, xform_name(operation))(**inputs)
    finally:
        AIM.reset(reset)
    assert (ours is None) == (asked in BOTOCORES)
    if ours is not None:
        [sent] = theirs
        body = sent.body.encode() if isinstance(sent.body, str) else sent.body or b""
        assert (ours.method, ours.url, ours.body) == (sent.method, sent.url, body)
        said = {name: value.decode() if isinstance(value, bytes) else value for name, value in sent.headers.items()}
        others = {"amz-sdk-invocation-id", "amz-sdk-request"}
        assert {**ours.headers} == {name: value for name, value in said.items() if name not in others}


class Frozen(datetime):
    """A clock that stands still."""

    @classmethod
    def now(cls, tz: Any = None) -> Self:
        return cls.fromtimestamp(NOW.timestamp(), tz)


async def test_what_aws_told_and_does_not_take_is_botocores_error(clients: Clients) -> None:
    client = await clients.client("dynamodb", ONE)
    reset = AIM.set(Aim(AioCredentials("AKIA", "secret"), REGION, 30))
    try:
        with pytest.raises(ParamValidationError, match="min length"):
            await Exchanges().ask(client, "ListTables", {"ExclusiveStartTableName": "t"}, planned=False)
    finally:
        AIM.reset(reset)


def test_the_forms_longest_unasked_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "KEPT", 2)
    forms = Forms()
    for key in ("a", "b"):
        forms.keep(key, None)
    assert forms["a"] is None
    forms.keep("c", None)
    assert [key in forms for key in ("a", "b", "c")] == [True, False, True]


async def test_inputs_that_the_operation_does_not_take_are_botocores_error(clients: Clients) -> None:
    with pytest.raises(ParamValidationError, match="Unknown parameter"):
        await made(clients, "ec2", "DescribeVolumes", {"Size": 1})


async def test_planned_calls_answer_and_fail_as_others_do() -> None:
    async with wire() as fault, Clients(AwsSettings(endpoint_url=fault.url, isolated=True), Tally()) as clients:
        clients.adopt(ONE, AioCredentials("AKIA", "secret", "token"))
        told, errors = [], []
        for planned in (True, True, False):
            fault.script(VOLUMES, ec2_error("RequestLimitExceeded"))
            told.append(await _asked(clients, planned=planned))
            with pytest.raises(ClientError) as caught:
                await _asked(clients, planned=planned)
            errors.append((type(caught.value), caught.value.response["Error"]))
    assert told == [{"Volumes": []}] * 3
    assert errors[0] == errors[1] == errors[2]


async def _asked(clients: Clients, *, planned: bool) -> dict[str, Any]:
    return await clients.send(Target(ONE, REGION), "ec2", "DescribeVolumes", {}, timeout=30, planned=planned)
