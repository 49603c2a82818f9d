from __future__ import annotations

import random
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any, Self

import anyio
import anyio.lowlevel
import pytest
from aiobotocore.credentials import AioCredentials, AioDeferredRefreshableCredentials
from aiobotocore.regions import AioEndpointRulesetResolver
from aiohttp import ClientConnectionError
from aiohttp.resolver import DefaultResolver
from botocore.exceptions import CredentialRetrievalError, EndpointResolutionError

from simulated import now, simulated
from skysweep import paging
from skysweep.aws import guardduty, inspector2, securityhub
from skysweep.clients import AwsSettings, Clients
from skysweep.errors import Bug, CallFailed
from skysweep.limits import Limits
from skysweep.model import Call, Source, call, detail
from skysweep.outcomes import Tally
from skysweep.paging import pages
from skysweep.plan import GLOBAL, Target
from skysweep.retry import DOUBTS
from wire import CALLER, DROP, HANG, Reply, Request, Wire, as_json, as_xml, ec2_error, json_error, query_error, wire

ONE = "111111111111"
HERE = Target(ONE, "eu-west-1")
VPCS = call("ec2", "DescribeVpcs").call
TABLES = call("dynamodb", "ListTables").call
SUBNETS = call("ec2", "DescribeSubnets").call
NO_VPCS = as_xml("<DescribeVpcsResponse><vpcSet/></DescribeVpcsResponse>")
NO_SUBNETS = as_xml("<DescribeSubnetsResponse><subnetSet/></DescribeSubnetsResponse>")


@pytest.fixture(autouse=True)
def _no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The jitter comes out as nothing: retries follow at once."""
    monkeypatch.setattr(random, "random", lambda: 0.0)


class Sweep:
    """What `pages` needs, against one endpoint."""

    def __init__(self, url: str, **settings: Any) -> None:
        self.tally = Tally()
        self.settings = AwsSettings(endpoint_url=url, isolated=True, **settings)
        self.limits = Limits(0)
        self.clients = Clients(self.settings, self.tally)

    async def __aenter__(self) -> Self:
        await self.clients.__aenter__()
        self.clients.adopt(ONE, AioCredentials("AKIAONE", "secret", "token"))
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.clients.__aexit__(*error)

    async def ask(
        self, what: Call, target: Target = HERE, seconds: float = 60, region: str | None = None, **inputs: Any
    ) -> list[dict[str, Any]]:
        deadline = time.monotonic() + seconds
        flow = pages(
            self.clients, self.limits, target, what, inputs, deadline=deadline, tally=self.tally, region=region
        )
        return [page async for page in flow]


async def test_a_listing_is_followed_to_its_end(fault: Wire) -> None:
    fault.script(
        as_json({"TableNames": ["aaa"], "LastEvaluatedTableName": "aaa"}),
        as_json({"TableNames": [], "LastEvaluatedTableName": "bbb"}),
        as_json({"TableNames": ["ccc"]}),
    )
    async with Sweep(fault.url) as sweep:
        found = await sweep.ask(TABLES)
    assert [page["TableNames"] for page in found] == [["aaa"], [], ["ccc"]]
    assert [request.body for request in fault.requests] == [
        b'{"Limit": 100}',
        b'{"Limit": 100, "ExclusiveStartTableName": "aaa"}',
        b'{"Limit": 100, "ExclusiveStartTableName": "bbb"}',
    ]
    assert (sweep.tally.calls, sweep.tally.retried, sweep.tally.failed) == (3, 0, 0)


async def test_an_endless_token_is_seen(fault: Wire) -> None:
    fault.handler = lambda _: as_json({"TableNames": ["aaa"], "LastEvaluatedTableName": "aaa"})
    async with Sweep(fault.url) as sweep:
        with pytest.raises(CallFailed, match="RepeatedToken") as caught:
            await sweep.ask(TABLES)
    assert caught.value.why == "failed"
    assert len(fault.requests) == 2


async def test_tokens_without_end_are_bounded(fault: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "MAX_PAGES", 5)
    fault.handler = lambda _: as_json({"TableNames": ["aaa"], "LastEvaluatedTableName": f"table{len(fault.requests)}"})
    async with Sweep(fault.url) as sweep:
        with pytest.raises(CallFailed, match="EndlessListing"):
            await sweep.ask(TABLES)
    assert len(fault.requests) == 5


async def test_more_without_a_token_is_no_end(fault: Wire) -> None:
    fault.script(as_json({"Keys": [], "Truncated": True}))
    async with Sweep(fault.url) as sweep:
        with pytest.raises(CallFailed, match="MissingToken"):
            await sweep.ask(call("kms", "ListKeys").call)


DENIED = "User: arn:aws:sts::111111111111:assumed-role/audit/x is not authorized to perform: it"
DETECTOR_GONE = "The request is rejected because the input detectorId is not owned by the current account."


@pytest.mark.parametrize(
    ("source", "inputs", "error", "why"),
    [
        (inspector2.FINDINGS, {}, ("AccessDeniedException", "Invoking account is not enabled.", 403), "absent"),
        (inspector2.FINDINGS, {}, ("AccessDeniedException", DENIED, 403), "denied"),
        (
            securityhub.AWSSecurityHubFinding.source,
            {},
            ("InvalidAccessException", "Account 111111111111 is not subscribed to AWS Security Hub", 401),
            "absent",
        ),
        (securityhub.AWSSecurityHubFinding.source, {}, ("AccessDeniedException", DENIED, 403), "denied"),
        (guardduty.DETECTOR, {"DetectorId": "d"}, ("BadRequestException", DETECTOR_GONE, 400), "absent"),
        (guardduty.DETECTOR, {"DetectorId": "d"}, ("BadRequestException", "Something else", 400), "failed"),
    ],
)
async def test_a_service_that_is_off_is_absent_and_a_denial_is_none_of_that(
    fault: Wire, source: Source, inputs: dict[str, Any], error: tuple[str, str, int], why: str
) -> None:
    fault.script(json_error(*error))
    async with Sweep(fault.url) as sweep:
        with pytest.raises(CallFailed) as caught:
            await sweep.ask(source.call, **inputs)
    assert caught.value.why == why


@pytest.mark.parametrize(
    "trouble",
    [
        ec2_error("RequestLimitExceeded", status=503),
        ec2_error("Anything", status=429),
        ec2_error("InternalError", status=500),
        Reply(b"<html/>", 502),
        Reply(b"<html", 200),
        Reply(b"", 200),
        Reply(NO_VPCS.body, cut=7),
        DROP,
    ],
)
async def test_trouble_that_passes_is_outlived(fault: Wire, trouble: Reply) -> None:
    fault.script(trouble, trouble, NO_VPCS)
    async with Sweep(fault.url) as sweep:
        assert await sweep.ask(VPCS) == [{"Vpcs": []}]
    assert (sweep.tally.calls, sweep.tally.retried, sweep.tally.failed) == (3, 2, 0)


@pytest.mark.parametrize(
    ("trouble", "attempts", "why"),
    [
        (ec2_error("InternalError", status=500), 3, "failed"),
        (Reply(b"<html", 200), 3, "failed"),
        (ec2_error("UnauthorizedOperation", status=403), 1, "denied"),
        (ec2_error("OptInRequired", status=403), 1, "absent"),
        (ec2_error("InvalidVpcID.NotFound"), 1, "raced"),
        (ec2_error("InvalidParameterValue"), 1, "failed"),
    ],
)
async def test_trouble_that_stays_ends_the_call(fault: Wire, trouble: Reply, attempts: int, why: str) -> None:
    fault.handler = lambda _: trouble
    async with Sweep(fault.url) as sweep:
        with pytest.raises(CallFailed) as caught:
            await sweep.ask(VPCS)
    assert caught.value.why == why
    assert len(fault.requests) == attempts
    assert sweep.tally.failed == (why == "failed")


async def test_standard_mode_gives_up_on_throttles_as_on_all_else(fault: Wire) -> None:
    fault.handler = lambda _: ec2_error("RequestLimitExceeded", status=503)
    async with Sweep(fault.url, retry_mode="standard", max_attempts=4) as sweep:
        with pytest.raises(CallFailed):
            await sweep.ask(VPCS)
    assert len(fault.requests) == sweep.tally.throttled == 4


@simulated
async def test_adaptive_mode_gives_up_on_throttles_at_the_deadline_alone() -> None:
    async with wire() as fault, Sweep(fault.url) as sweep:
        fault.handler = lambda _: (
            ec2_error("RequestLimitExceeded", status=503) if len(fault.requests) <= 200 else ec2_error("InternalError")
        )
        with pytest.raises(CallFailed, match="InternalError"):
            await sweep.ask(VPCS, seconds=1e9)
    assert sweep.tally.throttled == 200
    assert len(fault.requests) == 200 + 3, "no throttle was an attempt"


async def test_throttles_without_end_are_left_at_the_deadline(fault: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random, "random", lambda: 0.01)
    fault.handler = lambda _: ec2_error("RequestLimitExceeded", status=503)
    async with Sweep(fault.url) as sweep:
        with pytest.raises(CallFailed, match="DeadlineExceeded: no answer in time, after RequestLimitExceeded"):
            await sweep.ask(VPCS, seconds=0.5)
    assert len(fault.requests) > 3


@pytest.mark.parametrize(("header", "value"), [("Retry-After", "7200"), ("x-amz-retry-after", "3000")])
async def test_a_wait_that_aws_asks_for_is_kept(fault: Wire, header: str, value: str) -> None:
    """Longer than the call may take: it ends at once, and asks no more."""
    fault.handler = lambda _: replace(ec2_error("RequestLimitExceeded", status=503), headers={header: value})
    async with Sweep(fault.url) as sweep:
        with pytest.raises(CallFailed, match="DeadlineExceeded: no answer in time, after RequestLimitExceeded"):
            await sweep.ask(VPCS, seconds=2)
    assert len(fault.requests) == 1


async def test_a_chinese_region_that_throttles_what_it_does_not_have(fault: Wire) -> None:
    fault.handler = lambda _: json_error("ThrottlingException")
    async with Sweep(fault.url) as sweep:
        with pytest.raises(CallFailed, match="ThrottlingException") as caught:
            await sweep.ask(call("workspaces", "DescribeWorkspaces").call, Target(ONE, "cn-north-1", "aws-cn"))
    assert caught.value.why == "absent"
    assert len(fault.requests) == 3


@pytest.mark.parametrize(("settings", "attempts"), [({}, 2), ({"max_attempts": 5}, 5)])
async def test_lambdas_calls_end_sooner_unless_the_settings_say_otherwise(
    fault: Wire, settings: dict[str, int], attempts: int
) -> None:
    fault.handler = lambda _: json_error("ServiceException", status=500)
    async with Sweep(fault.url, **settings) as sweep:
        with pytest.raises(CallFailed):
            await sweep.ask(call("lambda", "ListFunctions").call)
    assert len(fault.requests) == attempts


async def test_a_throttle_slows_the_bucket_of_its_call_alone(fault: Wire) -> None:
    fault.script(ec2_error("RequestLimitExceeded", status=503), NO_VPCS)
    async with Sweep(fault.url) as sweep:
        sweep.limits = Limits(1.0)
        await sweep.limits.take(Target(ONE, "eu-west-2"), "ec2", "DescribeVpcs")
        await sweep.ask(VPCS)
        rates = {key[1]: bucket.rate for key, bucket in sweep.limits._buckets.items()}
    assert rates["eu-west-1"] < 20
    assert rates["eu-west-2"] == 20


@simulated
async def test_a_sweep_outlives_a_time_of_throttles() -> None:
    """AWS refuses every second request until it has refused forty; nothing is lost, and nothing gives up."""
    refused = 0

    def handle(request: Request) -> Reply:
        nonlocal refused
        if len(served.requests) % 2 and refused < 40:
            refused += 1
            return ec2_error("RequestLimitExceeded", status=503)
        return NO_VPCS if request.operation == "DescribeVpcs" else NO_SUBNETS

    regions = ("eu-west-1", "eu-west-2")
    found: list[list[dict[str, Any]]] = []

    async def ask(what: Call, region: str) -> None:
        found.append(await sweep.ask(what, Target(ONE, region), seconds=1e6))

    async with wire() as served, Sweep(served.url) as sweep:
        served.handler = handle
        sweep.limits = Limits(0.8)
        async with anyio.create_task_group() as tasks:
            for _ in range(50):
                for what, region in product((VPCS, SUBNETS), regions):
                    tasks.start_soon(ask, what, region)
        slowest = min(bucket.rate for bucket in sweep.limits._buckets.values())
    assert sorted(map(str, found)) == ["[{'Subnets': []}]"] * 100 + ["[{'Vpcs': []}]"] * 100
    assert refused == 40
    assert (sweep.tally.calls, sweep.tally.throttled, sweep.tally.retried, sweep.tally.failed) == (240, 40, 40, 0)
    assert slowest < 16
    assert now() < 60, "the pace came down to a crawl"


@simulated
async def test_a_storm_of_throttles_costs_calls_and_pace_but_no_unit() -> None:
    """AWS refuses half of all calls for two minutes: R2 of the peers' table."""
    storm, calm = 120.0, 2 * 130
    toss = random.Random(4)  # noqa: S311 - a storm that is the same every time
    pace: list[float] = []

    def handle(_: Request) -> Reply:
        if now() < storm and toss.getrandbits(1):
            return ec2_error("RequestLimitExceeded", status=503)
        return NO_VPCS

    async def look(at: float) -> None:
        await anyio.sleep(at - now())
        pace.extend(bucket.rate / 16 for bucket in sweep.limits._buckets.values())

    async with wire() as served, Sweep(served.url) as sweep:
        served.handler = handle
        sweep.limits = Limits(0.8)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(look, storm)
            tasks.start_soon(look, storm + 60)
            for _ in range(calm // 2):
                for region in ("eu-west-1", "eu-west-2"):
                    tasks.start_soon(sweep.ask, VPCS, Target(ONE, region), 1e9)
    assert sweep.tally.failed == 0
    assert sweep.tally.calls == len(served.requests) == calm + sweep.tally.throttled
    assert sweep.tally.throttled > 100, "there was a storm"
    assert sweep.tally.calls <= 2.2 * calm
    assert max(pace[:2]) < 0.7
    assert min(pace[2:]) >= 0.9


@simulated
async def test_an_endpoint_that_never_answers_holds_nobody_for_long() -> None:
    """Accepts and never answers: the first calls wait for it, the others end at once, and another region goes on."""
    ends: list[str] = []
    dead = Target(ONE, "eu-west-2")

    async def ask() -> None:
        with pytest.raises(CallFailed) as caught:
            await sweep.ask(VPCS, dead, 1e9)
        ends.append(caught.value.code)

    async def several() -> None:
        for _ in range(20):
            await ask()

    async with wire() as served, Sweep(served.url) as sweep:
        served.handler = lambda request: HANG if request.region == "eu-west-2" else NO_VPCS
        async with anyio.create_task_group() as tasks:
            for _ in range(10):
                tasks.start_soon(several)
        took, sent = now(), len(served.requests)
        assert await sweep.ask(VPCS, HERE, 1e9) == [{"Vpcs": []}]
        served.handler = lambda _: NO_VPCS
        await anyio.sleep(31)
        assert await sweep.ask(VPCS, dead, 1e9) == [{"Vpcs": []}], "it has come back"
        assert await sweep.ask(VPCS, dead, 1e9) == [{"Vpcs": []}]
    assert len(ends) == 200
    assert set(ends) == {"ReadTimeoutError", "NoAnswer"}
    assert took < 240, "200 calls of three attempts of 120 s each"
    assert sent < 60


@simulated
async def test_an_endpoint_that_is_away_for_a_moment_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random, "random", lambda: 0.5)
    async with wire() as served, Sweep(served.url) as sweep:
        served.handler = lambda _: NO_VPCS
        await sweep.ask(VPCS, HERE, 1e9)
        there, sweep.clients._pool._session = sweep.clients._pool._session, None
        sweep.clients._pool.open(ssl_context=False)
        away = sweep.clients._pool._session
        assert away is not None
        assert there is not None
        started = now()

        async def refuse(*_: Any, **__: Any) -> Any:
            if now() - started > 30:
                return await there.request(*_, **__)
            raise ClientConnectionError

        away._request = refuse
        assert await sweep.ask(VPCS, HERE, 1e9) == [{"Vpcs": []}]
        await there.close()
    assert now() - started > 30


@simulated
async def test_credentials_of_seconds_with_a_source_that_stumbles_lose_no_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """They expire every three seconds, and every fifth refresh fails: R6 of the peers' table."""
    monkeypatch.setattr(random, "random", lambda: 0.5)
    expiry: dict[str, float] = {}
    tries = 0

    def clock() -> datetime:
        return datetime(2026, 11, 21, tzinfo=UTC) + timedelta(seconds=now())

    async def refresh() -> dict[str, str]:
        nonlocal tries
        tries += 1
        await anyio.sleep(0.05)
        if not tries % 5:
            raise [ConnectionResetError(), TimeoutError(), CallFailed("failed", "Throttling", "")][tries // 5 % 3]
        key = f"ASIA{tries}"
        expiry[key] = now() + 3
        until = (clock() + timedelta(seconds=3)).isoformat()
        return {"access_key": key, "secret_key": "secret", "token": "token", "expiry_time": until}

    async def renew() -> Any:
        return AioDeferredRefreshableCredentials(refresh, "assume-role", clock)

    def handle(request: Request) -> Reply:
        return NO_VPCS if now() < expiry[request.key] else ec2_error("RequestExpired")

    async with wire() as served, Sweep(served.url, connections=5) as sweep:
        served.handler = handle
        sweep.limits = Limits(0.2)
        sweep.clients.adopt(ONE, await renew(), renew)
        async with anyio.create_task_group() as tasks:
            for _ in range(20 + 4 * 60):  # a minute's worth
                tasks.start_soon(sweep.ask, VPCS, HERE, 1e9)
    assert sweep.tally.failed == 0
    assert now() >= 60
    assert 60 / 3 <= len(expiry) <= 60 / 1.5


async def test_many_empty_pages_are_normal_and_endless_ones_are_not(
    fault: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "MAX_EMPTY", 20)

    def handle(_: Request) -> Reply:
        number = len(fault.requests)
        return as_json({"TableNames": [] if number % 20 else ["a"], "LastEvaluatedTableName": f"table{number}"})

    fault.handler = handle
    async with Sweep(fault.url) as sweep:
        deadline = time.monotonic() + 60
        flow = pages(sweep.clients, sweep.limits, HERE, TABLES, {}, deadline=deadline, tally=sweep.tally)
        found = [(await anext(flow))["TableNames"] for _ in range(60)]
        assert sum(map(len, found)) == 3
        await flow.aclose()  # type: ignore[attr-defined]
        fault.handler = lambda _: as_json({"TableNames": [], "LastEvaluatedTableName": f"table{len(fault.requests)}"})
        before = len(fault.requests)
        with pytest.raises(CallFailed, match="20 empty pages"):
            await sweep.ask(TABLES)
    assert len(fault.requests) - before == 20


async def test_a_token_that_the_operation_does_not_take_fails_its_listing_alone(fault: Wire) -> None:
    fault.handler = lambda _: as_json({"TableNames": ["a"], "LastEvaluatedTableName": "t"})
    async with Sweep(fault.url) as sweep:
        with pytest.raises(CallFailed, match="ParamValidationError"):
            await sweep.ask(TABLES)
    assert len(fault.requests) == 1


async def test_a_byte_now_and_then_is_no_answer(fault: Wire) -> None:
    fault.handler = lambda _: replace(NO_VPCS, drip=0.05)
    async with Sweep(fault.url, read_timeout=0.2, connect_timeout=0.1, max_attempts=2) as sweep:
        with pytest.raises(CallFailed, match="Timeout") as caught:
            await sweep.ask(VPCS)
        assert caught.value.why == "failed"
    async with Sweep(fault.url) as sweep:
        with pytest.raises(CallFailed, match="DeadlineExceeded"):
            await sweep.ask(VPCS, seconds=1)
    assert len(fault.requests) == 3


async def test_a_name_server_that_hangs_is_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang(*_: Any, **__: Any) -> Any:
        await anyio.sleep_forever()

    monkeypatch.setattr(DefaultResolver, "resolve", hang)
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    settings = AwsSettings(endpoint_url="http://aws.invalid", connect_timeout=0.05)
    async with Clients(settings, Tally()) as clients:
        clients.adopt(ONE, AioCredentials("AKIAONE", "secret", "token"))
        deadline = time.monotonic() + 60
        with pytest.raises(CallFailed) as caught:
            await anext(pages(clients, Limits(0), HERE, VPCS, {}, deadline=deadline, tally=Tally()))
    assert caught.value.why == "failed"
    assert "Timeout" in caught.value.code


async def test_a_page_that_failed_is_asked_for_again_not_the_whole(fault: Wire) -> None:
    fault.script(
        as_json({"TableNames": ["aaa"], "LastEvaluatedTableName": "aaa"}),
        json_error("InternalServerError", status=500),
        as_json({"TableNames": ["bbb"]}),
    )
    async with Sweep(fault.url) as sweep:
        found = await sweep.ask(TABLES)
    assert [page["TableNames"] for page in found] == [["aaa"], ["bbb"]]
    assert fault.requests[1].body == fault.requests[2].body


async def test_the_missing_thing_is_missing(fault: Wire) -> None:
    fault.script(as_xml("<Error><Code>NoSuchBucketPolicy</Code><Message>none</Message></Error>", 404))
    buckets = call("s3", "ListBuckets", "Buckets[]", per="account")
    policy = detail("s3", "GetBucketPolicy", on=buckets, Bucket="Name", missing="NoSuchBucketPolicy").call
    async with Sweep(fault.url) as sweep:
        with pytest.raises(CallFailed) as caught:
            await sweep.ask(policy, Target(ONE, GLOBAL), region="eu-west-3", Bucket="abc")
    assert caught.value.why == "missing"
    assert fault.requests[0].region == "eu-west-3"


async def test_a_hanging_server_is_left_at_the_deadline(fault: Wire) -> None:
    fault.handler = lambda _: HANG
    async with Sweep(fault.url) as sweep:
        with pytest.raises(CallFailed, match="DeadlineExceeded") as caught:
            await sweep.ask(VPCS, seconds=0.05)
    assert caught.value.why == "failed"


async def test_a_slow_server_fails_by_its_read_timeout(fault: Wire) -> None:
    fault.handler = lambda _: HANG
    async with Sweep(fault.url, read_timeout=0.02, connect_timeout=0.02, max_attempts=2) as sweep:
        with pytest.raises(CallFailed, match="ReadTimeoutError") as caught:
            await sweep.ask(VPCS)
    assert caught.value.why == "failed"
    assert len(fault.requests) == 2


async def test_no_wait_goes_beyond_the_deadline(fault: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random, "random", lambda: 1e6)
    fault.handler = lambda _: ec2_error("InternalError", status=500)
    async with Sweep(fault.url) as sweep:
        with pytest.raises(CallFailed, match="DeadlineExceeded: no answer in time, after InternalError"):
            await sweep.ask(VPCS)


async def test_refused_connections_fail_and_are_not_absent(unused_tcp_port: int) -> None:
    async with Sweep(f"http://127.0.0.1:{unused_tcp_port}") as sweep:
        for what, where in ((VPCS, HERE), (call("health", "DescribeEvents").call, HERE)):
            with pytest.raises(CallFailed) as caught:
                await sweep.ask(what, where)
            assert caught.value.why == "failed"


async def test_expired_credentials_are_renewed_once(fault: Wire) -> None:
    fresh = AioCredentials("AKIAFRESH", "secret", "token")

    async def renew() -> AioCredentials:
        return fresh

    fault.handler = lambda request: NO_VPCS if request.key == "AKIAFRESH" else ec2_error("RequestExpired")
    async with Sweep(fault.url) as sweep:
        sweep.clients.adopt(ONE, AioCredentials("AKIAOLD", "secret", "token"), renew)
        assert await sweep.ask(VPCS) == [{"Vpcs": []}]
        fault.handler = lambda _: ec2_error("RequestExpired")
        with pytest.raises(CallFailed) as caught:
            await sweep.ask(VPCS)
    assert caught.value.why == "dead"


async def test_a_renewal_that_hangs_is_left_at_the_deadline(fault: Wire) -> None:
    fault.handler = lambda _: ec2_error("RequestExpired")
    async with Sweep(fault.url) as sweep:
        sweep.clients.adopt(ONE, AioCredentials("AKIAOLD", "secret", "token"), anyio.sleep_forever)
        with pytest.raises(CallFailed, match=r"DeadlineExceeded.*RequestExpired") as caught:
            await sweep.ask(VPCS, seconds=3)
    assert caught.value.why == "failed"


async def test_expired_credentials_that_cannot_be_renewed_are_dead(fault: Wire) -> None:
    async def renew() -> AioCredentials:
        raise OSError("the token file is gone")

    fault.handler = lambda _: ec2_error("RequestExpired")
    async with Sweep(fault.url) as sweep:
        with pytest.raises(CallFailed, match="RequestExpired") as first:
            await sweep.ask(VPCS)
        sweep.clients.adopt(ONE, AioCredentials("AKIAOLD", "secret", "token"), renew)
        with pytest.raises(CallFailed, match="the token file is gone") as second:
            await sweep.ask(VPCS)
    assert first.value.why == second.value.why == "dead"


async def _all_die(sweep: Sweep, calls: int = 20) -> set[str]:
    """How so many calls at once end, and then one more."""
    ends: list[CallFailed] = []

    async def ask(region: str) -> None:
        with pytest.raises(CallFailed) as caught:
            await sweep.ask(VPCS, Target(ONE, region))
        ends.append(caught.value)

    async with anyio.create_task_group() as tasks:
        for _ in range(calls):
            tasks.start_soon(ask, "af-south-1")
    await ask("eu-west-1")
    assert len(ends) == calls + 1
    assert {end.why for end in ends} == {"dead"}
    return {str(end) for end in ends}


async def test_the_calls_of_a_dead_account_end_unsent(fault: Wire) -> None:
    renewals = 0

    async def renew() -> AioCredentials:
        nonlocal renewals
        renewals += 1
        raise OSError("the token file is gone")

    fault.handler = lambda _: ec2_error("RequestExpired")
    async with Sweep(fault.url, connections=5) as sweep:
        sweep.clients.adopt(ONE, AioCredentials("AKIAOLD", "secret", "token"), renew)
        sweep.clients.adopt("222222222222", AioCredentials("AKIATWO", "secret", "token"))
        assert await _all_die(sweep) == {"OSError: the token file is gone"}
        assert renewals == DOUBTS
        assert len(fault.requests) <= 10  # those under way when it was seen, and who took their slots meanwhile
        fault.handler = lambda _: NO_VPCS
        assert await sweep.ask(VPCS, Target("222222222222", "eu-west-1")) == [{"Vpcs": []}]
        sweep.clients.adopt(ONE, AioCredentials("AKIANEW", "secret", "token"))
        assert await sweep.ask(VPCS) == [{"Vpcs": []}]


async def test_a_refresh_that_fails_is_tried_once_for_all_calls(fault: Wire) -> None:
    refreshes = 0

    async def refresh() -> dict[str, str]:
        nonlocal refreshes
        refreshes += 1
        await anyio.lowlevel.checkpoint()
        raise CredentialRetrievalError(provider="sso", error_msg="log in again")

    async with Sweep(fault.url) as sweep:
        sweep.clients.adopt(ONE, AioDeferredRefreshableCredentials(refresh, "sso"))
        (end,) = await _all_die(sweep)
    assert "log in again" in end
    assert refreshes == DOUBTS
    assert fault.requests == []


async def test_bad_keys_are_asked_about_once(fault: Wire) -> None:
    bad = query_error("InvalidClientTokenId", status=403)
    fault.handler = lambda request: (
        bad if request.operation == "GetCallerIdentity" else ec2_error("AuthFailure", status=401)
    )
    async with Sweep(fault.url) as sweep:
        await _all_die(sweep)
    assert [request.operation for request in fault.requests].count("GetCallerIdentity") == 1


@pytest.mark.parametrize(
    ("region", "main", "why"),
    [
        ("af-south-1", CALLER, "absent"),  # an opt-in region that is off
        ("eu-west-1", CALLER, "failed"),  # a region that is never off
        ("af-south-1", query_error("InvalidClientTokenId", status=403), "dead"),
        ("af-south-1", query_error("InternalFailure", status=500), "failed"),
    ],
)
async def test_unrecognized_keys_mean_a_region_that_is_off_or_bad_keys(
    fault: Wire, region: str, main: Reply, why: str
) -> None:
    def handle(request: Request) -> Reply:
        return main if request.operation == "GetCallerIdentity" else ec2_error("AuthFailure", status=401)

    fault.handler = handle
    async with Sweep(fault.url) as sweep:
        with pytest.raises(CallFailed, match="AuthFailure") as caught:
            await sweep.ask(VPCS, Target(ONE, region))
    assert caught.value.why == why
    tries = 1 if main.status < 500 else 3
    assert [request.region for request in fault.requests] == [region, "us-east-1"] * tries


async def test_our_own_mistakes_are_bugs(fault: Wire) -> None:
    async with Sweep(fault.url) as sweep:
        with pytest.raises(Bug, match="DescribeVpcs"):
            await sweep.ask(VPCS, Nonsense=1)
        with pytest.raises(Bug, match="DescribeNothing"):
            await sweep.ask(call("ec2", "DescribeNothing").call)
        with pytest.raises(Bug, match="nosuchservice"):
            await sweep.ask(call("nosuchservice", "ListThings").call)
    assert fault.requests == []


async def test_a_records_odd_value_fails_its_detail_call_alone(fault: Wire) -> None:
    policy = detail("s3", "GetBucketPolicy", on=call("s3", "ListBuckets", "Buckets[]"), Bucket="Name").call
    async with Sweep(fault.url) as sweep:
        with pytest.raises(CallFailed, match="ParamValidationError") as caught:
            await sweep.ask(policy, Bucket="no/bucket at all")
    assert caught.value.why == "failed"
    assert fault.requests == []


@pytest.mark.parametrize("error", [RuntimeError("Credentials were refreshed, but still expired"), KeyError("Token")])
async def test_a_source_of_credentials_that_breaks_is_dead_and_no_bug(fault: Wire, error: Exception) -> None:
    async def refresh() -> dict[str, str]:
        raise error

    async with Sweep(fault.url) as sweep:
        sweep.clients.adopt(ONE, AioDeferredRefreshableCredentials(refresh, "process"))
        with pytest.raises(CallFailed, match=type(error).__name__) as caught:
            await sweep.ask(VPCS)
    assert caught.value.why == "dead"
    assert fault.requests == []


@pytest.mark.parametrize(
    ("service", "operation", "why"), [("ec2", "DescribeVpcs", "failed"), ("apprunner", "ListServices", "absent")]
)
async def test_no_endpoint_means_wrong_settings_where_the_service_is(
    fault: Wire, monkeypatch: pytest.MonkeyPatch, service: str, operation: str, why: str
) -> None:
    async def none(*_: Any, **__: Any) -> None:
        raise EndpointResolutionError(msg="FIPS and custom endpoint are not supported")

    monkeypatch.setattr(AioEndpointRulesetResolver, "construct_endpoint", none)
    async with Sweep(fault.url) as sweep:
        with pytest.raises(CallFailed, match="FIPS") as caught:
            await sweep.ask(call(service, operation).call, Target(ONE, "eu-north-1"))
    assert caught.value.why == why
    assert fault.requests == []


async def test_a_bad_endpoint_of_one_service_or_profile_fails_its_calls_alone(
    fault: Wire, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "config").write_text(
        f"[default]\nendpoint_url = {fault.url}\n"
        "[profile bad]\nservices = mine\n[services mine]\nec2 =\n  endpoint_url = odd:1\n"
    )
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", "localhost:4566")
    fault.handler = lambda _: NO_VPCS
    tally = Tally()
    two = Target("222222222222", "eu-west-1")
    async with Clients(AwsSettings(rate_share=0), tally) as clients:
        clients.adopt(ONE, AioCredentials("AKIAONE", "secret", "token"))
        clients.adopt(two.account, AioCredentials("AKIATWO", "secret", "token"), profile="bad")

        async def first(what: Call, target: Target) -> dict[str, Any]:
            deadline = time.monotonic() + 60
            return await anext(pages(clients, Limits(0), target, what, {}, deadline=deadline, tally=tally))

        with pytest.raises(CallFailed, match="localhost:4566"):
            await first(TABLES, HERE)
        assert await first(VPCS, HERE) == {"Vpcs": []}
        with pytest.raises(CallFailed, match="odd:1") as caught:
            await first(VPCS, two)
    assert caught.value.why == "failed"


async def test_exchanges_under_way_are_bounded(fault: Wire) -> None:
    fault.handler = lambda _: NO_VPCS
    async with Sweep(fault.url, connections=3) as sweep, anyio.create_task_group() as tasks:
        for _ in range(30):
            tasks.start_soon(sweep.ask, VPCS)
    assert len(fault.requests) == 30
    assert fault.most_under_way <= 3


async def test_a_listing_left_half_way_holds_nothing(fault: Wire) -> None:
    fault.handler = lambda _: as_json({"TableNames": ["aaa"], "LastEvaluatedTableName": f"table{len(fault.requests)}"})
    async with Sweep(fault.url, connections=1) as sweep:
        deadline = time.monotonic() + 60
        flow = pages(sweep.clients, sweep.limits, HERE, TABLES, {}, deadline=deadline, tally=sweep.tally)
        await anext(flow)
        assert sweep.clients.slots.borrowed_tokens == 0


async def test_no_credentials_in_the_error(fault: Wire) -> None:
    fault.handler = lambda _: ec2_error("AccessDenied", "AKIAIOSFODNN7EXAMPLE may not", status=403)
    async with Sweep(fault.url) as sweep:
        with pytest.raises(CallFailed) as caught:
            await sweep.ask(VPCS)
    assert "AKIA" not in str(caught.value)


async def test_real_pages_of_moto(moto: str) -> None:
    key = {"AttributeName": "id"}
    schema = {"KeySchema": [{**key, "KeyType": "HASH"}], "AttributeDefinitions": [{**key, "AttributeType": "S"}]}
    names = [f"table{number}" for number in range(7)]
    async with Sweep(moto) as sweep:
        for name in names:
            inputs = {"TableName": name, "BillingMode": "PAY_PER_REQUEST", **schema}
            await sweep.clients.send(HERE, "dynamodb", "CreateTable", inputs, timeout=30)
        small = await sweep.ask(TABLES, Limit=3)
        large = await sweep.ask(TABLES)
    assert [page["TableNames"] for page in small] == [names[:3], names[3:6], names[6:]]
    assert [page["TableNames"] for page in large] == [names]
