"""Faults and their plans, read back through the parsers that skysweep's own clients use."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from benchmarks.fakeaws import faults, poison
from benchmarks.fakeaws.bodies import Listing, protocol, service_model, session
from benchmarks.fakeaws.faults import Change, Error, Fault, Hang, Plan, Seen, anything, where
from skysweep import catalogue, pagers, paths, retry
from skysweep.model import UNREADABLE, Context
from skysweep.records import Maker, Unfit
from skysweep.replies import ParserFactory
from skysweep.retry import Class

SEEN = Seen(1, "AKIA1", "111111111111", "eu-west-1", "ec2", "DescribeInstances")
OPERATIONS = {
    "ec2": "DescribeInstances",
    "iam": "ListUsers",
    "sns": "ListTopics",
    "s3": "ListBuckets",
    "route53": "ListHostedZones",
    "lambda": "ListFunctions",
    "kms": "ListAliases",
    "dynamodb": "ListTables",
    "sqs": "ListQueues",
}
PAGES = {
    "ec2": b'<DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><reservationSet><item>'
    b"<reservationId>r-1</reservationId></item></reservationSet></DescribeInstancesResponse>",
    "iam": b'<ListUsersResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><ListUsersResult><Users><member>'
    b"<UserName>u</UserName></member></Users><IsTruncated>false</IsTruncated></ListUsersResult></ListUsersResponse>",
    "s3": b"<ListAllMyBucketsResult><Buckets><Bucket><Name>b</Name></Bucket></Buckets></ListAllMyBucketsResult>",
    "route53": b"<ListHostedZonesResponse><HostedZones><HostedZone><Id>/hostedzone/Z</Id></HostedZone></HostedZones>"
    b"<IsTruncated>false</IsTruncated></ListHostedZonesResponse>",
    "lambda": b'{"Functions": [{"FunctionName": "f"}], "NextMarker": null}',
    "kms": b'{"Aliases": [{"AliasName": "alias/a"}], "Truncated": false}',
    "sqs": b'{"QueueUrls": ["http://q"]}',
}


def at(service: str, **changes: Any) -> Seen:
    return replace(SEEN, service=service, operation=OPERATIONS[service], **changes)


async def parsed(service: str, status: int, headers: Mapping[str, str], body: bytes) -> Any:
    """A reply as skysweep's clients read it."""
    operation = service_model(service).operation_model(OPERATIONS[service])
    response = {"status_code": status, "headers": {name.lower(): value for name, value in headers.items()}}
    response |= {"body": body, "context": {"operation_name": operation.name}}
    parser = ParserFactory().create_parser(protocol(service))
    return await parser.parse(response, operation.output_shape)


def changed(fault: Fault | None, body: bytes) -> bytes:
    assert isinstance(fault, Change)
    return fault.body(body)


def next_page(service: str, page: Mapping[str, Any]) -> Any:
    """What skysweep would ask for next."""
    operation = OPERATIONS[service]
    definition = session().get_paginator_model(service).get_paginator(operation)
    return pagers.pager(service, service_model(service).operation_model(operation), definition).token(page)


def items(page: Mapping[str, Any]) -> list[Any]:
    return [each for value in page.values() if isinstance(value, list) for each in value]


@pytest.mark.parametrize("service", OPERATIONS)
@pytest.mark.parametrize(
    ("plan", "means"),
    [
        (faults.denied(anything), Class.DENIED),
        (faults.scp(anything), Class.DENIED),
        (faults.expired(anything), Class.EXPIRED),
        (faults.throttling(1, seed=1), Class.THROTTLED),
        (faults.error500(anything), Class.TRANSIENT),
    ],
    ids=["denied", "scp", "expired", "throttled", "500"],
)
async def test_an_error_means_the_same_in_every_protocol(service: str, plan: Plan, means: Class) -> None:
    seen = at(service)
    fault = plan(seen)
    assert isinstance(fault, Error)
    status, headers, body = faults.rendered(fault, service)
    reply = await parsed(service, status, headers, body)
    error = ClientError(reply, seen.operation)
    assert (retry.code(error), retry.status(error)) == (fault.code, status)
    assert retry.classify(error, service=service, operation=seen.operation) is means


async def test_a_denial_by_a_service_control_policy_says_so_and_escapes_what_it_quotes() -> None:
    fault = faults.scp(anything)(at("iam"))
    assert isinstance(fault, Error)
    assert fault.message.endswith("to perform: iam:ListUsers with an explicit deny in a service control policy")
    reply = await parsed("iam", *faults.rendered(replace(fault, message="<a> & b"), "iam"))
    assert reply["Error"]["Message"] == "<a> & b"


@pytest.mark.parametrize(
    ("match", "fits"),
    [
        (where(), True),
        (where(service="ec2", region="eu-west-1"), True),
        (where(service={"ec2", "rds"}), True),
        (where(service="rds"), False),
        (where(account="111111111111", operation="DescribeVolumes"), False),
        (where(key="AKIA1"), True),
        (where(inputs={"RoleArn": ":222222222222:"}), False),
        (faults.before(2), True),
        (faults.before(1), False),
        (faults.during(lambda: False), False),
        (faults.both(where(service="ec2"), where(region="us-east-1")), False),
        (faults.both(), True),
    ],
)
def test_a_match_fits_all_that_it_names(match: faults.Match, fits: bool) -> None:
    assert match(SEEN) is fits


def test_a_match_looks_into_the_inputs() -> None:
    seen = replace(SEEN, inputs={"RoleArn": "arn:aws:iam::222222222222:role/r"})
    assert where(inputs={"RoleArn": ":222222222222:"})(seen)


def test_within_ends_by_its_clock() -> None:
    times = iter([10.0, 11.9, 12.0])
    match = faults.within(2, clock=lambda: next(times))
    assert [match(SEEN), match(SEEN)] == [True, False]


def test_every_counts_calls_of_one_kind() -> None:
    match = faults.every(3)
    assert [nth for nth in range(1, 10) if match(replace(SEEN, nth=nth))] == [3, 6, 9]


def test_the_first_plan_with_a_fault_decides() -> None:
    rds, every = faults.denied(where(service="rds")), faults.timeout(anything)
    plan = faults.first_of(faults.calm, rds, every)
    assert plan(SEEN) == Hang()
    assert isinstance(plan(replace(SEEN, service="rds")), Error)
    assert faults.first_of(rds)(SEEN) is None


def test_a_share_depends_on_the_seed_and_the_call_and_on_nothing_else() -> None:
    calls = [replace(SEEN, account=str(account), nth=nth) for account in range(100) for nth in range(1, 101)]
    match = faults.share(0.3, seed=7)
    chosen = [match(seen) for seen in calls]
    assert 2_800 < sum(chosen) < 3_200
    later = [replace(seen, number=9_999, key="AKIA2", inputs={"a": "b"}) for seen in reversed(calls)]
    assert [faults.share(0.3, seed=7)(seen) for seen in later] == chosen[::-1]
    assert [faults.share(0.3, seed=8)(seen) for seen in calls] != chosen
    assert faults.draw(1, "a") == 0.9055822480570409  # in every process, today and later


@pytest.mark.parametrize("service", set(PAGES))
async def test_endless_and_repeated_tokens_lead_on(service: str) -> None:
    tokens = []
    for plan in (faults.endless(anything), faults.repeated(anything)):
        for number in (1, 2):
            page = await parsed(service, 200, {}, changed(plan(at(service, number=number)), PAGES[service]))
            assert items(page) == items(await parsed(service, 200, {}, PAGES[service]))
            tokens.append(next_page(service, page))
    assert all(tokens)
    assert tokens[0] != tokens[1]
    assert tokens[2] == tokens[3]


@pytest.mark.parametrize("service", set(PAGES))
async def test_an_empty_first_page_has_a_token_and_the_listing_follows(service: str) -> None:
    plan = faults.empty_first(anything)
    page = await parsed(service, 200, {}, changed(plan(at(service)), PAGES[service]))
    assert items(page) == []
    assert next_page(service, page)
    assert plan(at(service, token=faults.AFTER_NOTHING)) is None


def test_an_operation_without_pages_has_none_to_tamper_with() -> None:
    seen = replace(SEEN, service="sts", operation="GetCallerIdentity")
    assert [plan(anything)(seen) for plan in (faults.endless, faults.repeated, faults.empty_first)] == [None] * 3
    with pytest.raises(ValueError, match="sts:GetCallerIdentity has no pages"):
        Listing.of("sts", "GetCallerIdentity").with_token(b"<GetCallerIdentityResponse/>", "again")


@pytest.mark.parametrize("service", set(PAGES))
async def test_half_a_body_is_no_reply(service: str) -> None:
    body = changed(faults.shortened(anything)(at(service)), PAGES[service])
    with pytest.raises(ResponseParserError):
        await parsed(service, 200, {}, body)


# Poison

FUNCTIONS = [
    {
        "FunctionName": f"f{number}",
        "FunctionArn": f"arn:aws:lambda:eu-west-1:111111111111:function:f{number}",
        "Runtime": "python3.12",
        "Handler": "main.handle",
        "Timeout": 3,
        "MemorySize": 128,
        "State": "Active",
    }
    for number in range(3000)
]


def functions(low: int = 0, high: int = 3000) -> bytes:
    return json.dumps({"Functions": FUNCTIONS[low:high]}).encode()


def volumes() -> bytes:
    listed = "".join(
        f"<item><volumeId>vol-{number}</volumeId><size>8</size><status>in-use</status>"
        f"<createTime>2026-01-01T00:00:00.000Z</createTime></item>"
        for number in range(3000)
    )
    return f"<DescribeVolumesResponse><volumeSet>{listed}</volumeSet></DescribeVolumesResponse>".encode()


LAMBDA, VOLUMES = at("lambda"), replace(SEEN, operation="DescribeVolumes")


def unfit(service: str, operation: str, reply: Any) -> dict[str, set[str]]:
    """What of a reply skysweep cannot make a row of: ids by the type's name, of all types that read the reply."""
    found: dict[str, set[str]] = {}
    for type_ in catalogue.load().types:
        source = type_.source
        if (source.call.service, source.call.operation) == (service, operation) and source.make is None:
            maker = Maker(type_)
            for record in paths.records(source.path, reply, Context("111111111111", "eu-west-1")):
                try:
                    row = maker.row(record)
                    json.dumps(row["props"], default=str, ensure_ascii=False).encode()
                except (Unfit, *UNREADABLE):
                    found.setdefault(type_.name, set()).add(record["FunctionArn"])
    return found


def test_poison_is_in_the_log_and_nowhere_else() -> None:
    plan = poison.poisoned(seed=3, one_in=100, kinds=("type", "surrogate"))
    reply = json.loads(changed(plan(LAMBDA), functions()))
    assert 15 < len(plan.log) < 50
    assert {(each.account, each.region, each.operation) for each in plan.log} == {
        ("111111111111", "eu-west-1", "ListFunctions")
    }
    assert unfit("lambda", "ListFunctions", reply) == {"AWSLambda": {each.id for each in plan.log}}
    pairs = zip(FUNCTIONS, reply["Functions"], strict=True)
    assert {before["FunctionArn"] for before, after in pairs if before != after} == {each.id for each in plan.log}


def test_poison_finds_the_same_records_whatever_page_they_are_on() -> None:
    whole, paged, other = (poison.poisoned(seed=seed, one_in=100, kinds=("type", "nul")) for seed in (3, 3, 4))
    changed(whole(LAMBDA), functions())
    for low in (2000, 0, 1000, 0):
        changed(paged(replace(LAMBDA, number=low, nth=7)), functions(low, low + 1000))
    changed(other(LAMBDA), functions())
    assert whole.log == paged.log
    assert whole.log != other.log


def test_each_kind_of_poison_is_what_it_says() -> None:
    plan = poison.poisoned(seed=2, one_in=150)
    reply = {each["FunctionArn"]: each for each in json.loads(changed(plan(LAMBDA), functions()))["Functions"]}
    signs: dict[str, Callable[[Any], bool]] = {
        "type": lambda value: value == {"poisoned": True},
        "huge": lambda value: len(value) == 5_000_000,
        "nul": lambda value: value.endswith("\0"),
        "surrogate": lambda value: value.endswith("\ud800"),
    }
    kinds = Counter(each.kind for each in plan.log)
    assert set(kinds) == set(poison.KINDS)
    for each in plan.log:
        assert signs[each.kind](reply[each.id][each.path]), each


def test_poison_in_xml_is_a_huge_text_or_no_number() -> None:
    plan = poison.poisoned(seed=1, one_in=500)
    body = changed(plan(VOLUMES), volumes())
    kinds = Counter(each.kind for each in plan.log)
    assert set(kinds) == {"type", "huge"}
    assert body.count(b">poisoned<") == kinds["type"]
    assert body.count(b"x" * 5_000_000) == kinds["huge"]
    assert {each.type for each in plan.log} == {"EBSVolume"}
    assert all(f"<volumeId>{each.id}</volumeId>".encode() in body for each in plan.log)
    assert body.count(b"<item>") == 3000


def test_what_holds_no_poison_is_as_it_was() -> None:
    plan = poison.poisoned(seed=1, match=where(region="us-east-1"))
    assert plan(LAMBDA) is None
    assert plan(replace(LAMBDA, region="us-east-1", operation="GetPolicy")) is None
    body = functions(0, 1)
    assert changed(poison.poisoned(seed=1, one_in=10**9)(LAMBDA), body) is body


def test_account_wide_listings_are_logged_as_global() -> None:
    plan = poison.poisoned(seed=1, one_in=1)
    seen = replace(SEEN, service="route53", operation="ListHostedZones", region="us-east-1")
    page = b"<ListHostedZonesResponse><HostedZones><HostedZone><Id>/hostedzone/Z</Id><Name>z.</Name>"
    page += b"<ResourceRecordSetCount>2</ResourceRecordSetCount></HostedZone></HostedZones></ListHostedZonesResponse>"
    changed(plan(seen), page)
    [found] = plan.log
    assert (found.region, found.type, found.kind, found.path) == (
        "global",
        "AWSDNSZone",
        "type",
        "ResourceRecordSetCount",
    )
