"""The fake AWS through skysweep's own clients: what it answers, by pages, to whom; its faults on raw sockets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio
from aiobotocore.credentials import AioCredentials
from aiohttp import ClientSession

from benchmarks.fakeaws import Estate, Server, process, serving
from benchmarks.fakeaws import content as contents
from benchmarks.fakeaws import faults as on_the_wire
from benchmarks.fakeaws.answers import SAME, SEVERAL
from benchmarks.fakeaws.content import MOMENT, About, number_in
from benchmarks.fakeaws.estate import GLOBAL, WEIGHTS, place_of
from benchmarks.fakeaws.faults import Change, Cut, Delay, Drip, Drop, Error, Fault, Hang, Raw, Seen, rendered
from benchmarks.fakeaws.identity import INNER, ROOT, account_of, expiry_of, key_of
from benchmarks.fakeaws.kinds import KINDS
from benchmarks.fakeaws.models import operation
from skysweep import catalogue
from skysweep.clients import AwsSettings, Clients
from skysweep.errors import CallFailed
from skysweep.limits import Limits
from skysweep.model import Call
from skysweep.outcomes import Tally
from skysweep.paging import ask, pages
from skysweep.plan import Target

HUB, MEMBER, CLOSED = "100000000000", "200000000000", "300000000000"
REGION, OTHER = "us-east-1", "eu-west-1"


def estate(*listings: str, numbers: range = range(2), account: str = HUB, seed: int = 1) -> Estate:
    sizes = {(account, place_of(REGION, each), each): numbers for each in listings}
    accounts = (HUB, MEMBER, CLOSED)
    return Estate(seed, accounts, (REGION, OTHER), sizes, suspended=frozenset({CLOSED}))


@asynccontextmanager
async def caller(server: Server, key: str = "hub") -> AsyncIterator[Caller]:
    settings = AwsSettings(endpoint_url=server.url, isolated=True, max_attempts=1)
    async with Clients(settings, Tally()) as clients:
        clients.adopt("caller", AioCredentials(key, "s"))
        yield Caller(clients)


class Caller:
    """skysweep's clients with one account's key."""

    def __init__(self, clients: Clients) -> None:
        self.clients = clients

    async def __call__(self, name: str, /, region: str = REGION, **inputs: Any) -> dict[str, Any]:
        service, _, called = name.partition(":")
        return await ask(
            self.clients,
            Limits(0),
            Target("caller", region),
            service=service,
            operation=called,
            inputs=inputs,
            deadline=time.monotonic() + 20,
            tally=Tally(),
        )

    async def listed(self, name: str, **inputs: Any) -> list[dict[str, Any]]:
        """Every page, as the engine asks for them."""
        service, _, called = name.partition(":")
        call, target, deadline = Call(service, called), Target("caller", REGION), time.monotonic() + 20
        told = pages(self.clients, Limits(0), target, call, inputs, deadline=deadline, tally=Tally())
        return [page async for page in told]


# Every operation that skysweep calls


def catalogued() -> list[str]:
    calls = {call for type_ in catalogue.load().types for call in type_.calls}
    return sorted({f"{call.service}:{call.operation}" for call in calls})


def inputs_for(name: str, held: Estate) -> dict[str, Any]:
    """The inputs that a declaration would take from the item number 1."""
    inputs: dict[str, Any] = {}
    about = About(held, HUB, REGION, 1, dict.fromkeys(KINDS, 1), 1)
    for member in sorted({*_required(name), *_declared(name)}):
        shape: Any = operation(*name.split(":")).takes[member]
        told = contents._told(contents._tables(name), member, "")
        if member == "AccountId":
            inputs[member] = HUB
        elif member == "ParentId":
            inputs[member] = ROOT
        elif isinstance(told, str):
            value = contents._value(told)(about)
            inputs[member] = [value] if shape.type_name == "list" else value
        else:
            inputs[member] = _some(shape)
    return inputs


def _declared(name: str) -> set[str]:
    """The inputs that come of records."""
    calls = (call for type_ in catalogue.load().types for call in type_.calls if str(call) == name and call.on)
    return {member for call in calls for member, _ in call.inputs}


def _some(shape: Any) -> Any:
    """Any input of that shape; texts have a number, as the names of things have."""
    if shape.type_name == "structure":
        return {name: _some(each) for name, each in shape.members.items()}
    if shape.type_name == "list":
        return [_some(shape.member)]
    least = max(shape.metadata.get("min", 0), 1)
    return shape.enum[0] if getattr(shape, "enum", None) else "-1".rjust(least, "x")


def _required(name: str) -> list[str]:
    shape = operation(*name.split(":")).model.input_shape
    return list(shape.required_members) if shape else []


def comparable(value: Any) -> Any:
    """A reply without what botocore makes of policy documents, and without what is empty."""
    if isinstance(value, Mapping):
        made = {name: comparable(each) for name, each in value.items() if "Document" not in name}
        return {name: each for name, each in made.items() if each not in ({}, [], "", None)}
    return [comparable(each) for each in value] if isinstance(value, list) else value


@pytest_asyncio.fixture(scope="module")
async def full() -> AsyncIterator[tuple[Server, Caller]]:
    async with serving(estate(*WEIGHTS)) as server, caller(server) as call:
        yield server, call


@pytest.mark.parametrize("name", catalogued())
async def test_every_operation_that_skysweep_calls_reads_back_as_it_was_meant(
    name: str, full: tuple[Server, Caller]
) -> None:
    server, call = full
    inputs = inputs_for(name, server.estate)
    reply = await call(name, **inputs)
    meant, _ = server.answers.reply(operation(*name.split(":")), inputs, HUB, REGION)
    assert comparable(reply) == comparable(meant)
    assert comparable(reply)


def test_every_listing_of_the_catalogue_has_a_place_in_estates() -> None:
    listings = {f"{call.service}:{call.operation}" for call in catalogue.load().calls}
    single = {
        "iam:GetAccountPasswordPolicy",
        "s3control:GetPublicAccessBlock",
        "securityhub:DescribeHub",
        "sts:GetCallerIdentity",
    }
    assert listings - set(WEIGHTS) - set(SEVERAL) - set(SAME) == single
    assert set(SAME.values()) <= set(WEIGHTS)


@pytest.mark.parametrize(
    "name",
    [
        "ecs:ListClusters",  # json
        "eks:ListClusters",  # rest-json
        "efs:DescribeFileSystems",  # signs as elasticfilesystem
        "cloudfront:ListDistributions",  # rest-xml, with its lists one level down
        "cloudwatch:DescribeAlarms",  # signs as monitoring
        "redshift:DescribeClusters",  # query
        "ec2:DescribeFleets",
        "wafv2:ListWebACLs",
        "cloudtrail:DescribeTrails",
    ],
)
async def test_other_operations_are_answered_by_their_models_alone(name: str) -> None:
    key = operation(*name.split(":")).key
    async with serving(estate(key)) as server, caller(server) as call:
        inputs = {"Scope": "REGIONAL"} if "waf" in name else {}
        meant, items = server.answers.reply(operation(*name.split(":")), inputs, HUB, REGION)
        assert items == 2
        assert comparable(await call(name, **inputs)) == comparable(meant)


# Pages


@pytest.mark.parametrize(
    ("name", "size", "member"),
    [
        ("ec2:DescribeVolumes", {"MaxResults": 7}, "Volumes"),
        ("rds:DescribeDBInstances", {"MaxRecords": 20}, "DBInstances"),
        ("dynamodb:ListTables", {"Limit": 9}, "TableNames"),
        ("lambda:ListFunctions", {"MaxItems": 8}, "Functions"),
        ("kms:ListKeys", {"Limit": 10}, "Keys"),
        ("s3:ListBuckets", {"MaxBuckets": 11}, "Buckets"),
        ("sqs:ListQueues", {"MaxResults": 12}, "QueueUrls"),
        ("iam:ListRoles", {"MaxItems": 13}, "Roles"),
        ("route53:ListHostedZones", {"MaxItems": "14"}, "HostedZones"),
    ],
)
async def test_pages_are_as_long_as_asked_and_hold_each_item_once(name: str, size: dict[str, Any], member: str) -> None:
    async with serving(estate(name, numbers=range(50))) as server, caller(server) as call:
        found = await call.listed(name, **size)
        lengths = [len(page[member]) for page in found]
        wanted = int(next(iter(size.values())))
        assert lengths[:-1] == [wanted] * (49 // wanted)
        items = [repr(item) for page in found for item in page[member]]
        assert len(set(items)) == len(items) == 50


async def test_the_lists_of_one_listing_follow_each_other() -> None:
    held = estate("iam:ListUsers", "iam:ListRoles", numbers=range(5))
    async with serving(held) as server, caller(server) as call:
        found = await call.listed("iam:GetAccountAuthorizationDetails", MaxItems=4)
        assert [(len(page["UserDetailList"]), len(page["RoleDetailList"])) for page in found] == [
            (4, 0),
            (1, 3),
            (0, 2),
        ]


async def test_what_is_removed_while_a_listing_goes_on_shifts_nothing() -> None:
    name, held = "ec2:DescribeVolumes", estate("ec2:DescribeVolumes", numbers=range(10))
    async with serving(held) as server, caller(server) as call:
        first = await call(name, MaxResults=5)
        held.remove(HUB, REGION, name, 0, 1, 4)
        second = await call(name, MaxResults=5, NextToken=first["NextToken"])
        assert [number_in(each["VolumeId"]) for each in second["Volumes"]] == [5, 6, 7, 8, 9]
        assert "NextToken" not in second


async def test_an_unknown_token_is_the_beginning() -> None:
    async with serving(estate("kms:ListKeys", numbers=range(5))) as server, caller(server) as call:
        assert await call("kms:ListKeys", Limit=2, Marker="what") == await call("kms:ListKeys", Limit=2)


async def test_filters_and_chosen_identifiers_choose() -> None:
    async with serving(estate("ec2:DescribeImages", numbers=range(5))) as server, caller(server) as call:
        images = (await call("ec2:DescribeImages"))["Images"]
        wanted = [images[3]["ImageId"], "ami-0123456789abcdef0"]
        by_filter = await call("ec2:DescribeImages", Filters=[{"Name": "image-id", "Values": wanted}])
        assert by_filter["Images"] == [images[3]]


# Estates


def test_a_seed_is_an_estate() -> None:
    one, same, other = (Estate.random(seed, accounts=4, regions=3, resources=900) for seed in (1, 1, 2))
    assert dict(one.listed()) == dict(same.listed())
    assert dict(one.listed()) != dict(other.listed())
    assert sum(len(numbers) for _, numbers in one.listed()) == 900


def test_real_estates_are_skewed() -> None:
    held = Estate.random(3, accounts=20, regions=10, resources=5000)
    by_account, places = dict.fromkeys(held.accounts, 0), set()
    for (account, region, _), numbers in held.listed():
        by_account[account] += len(numbers)
        places |= {(account, region)} if region != GLOBAL else set()
    assert max(by_account.values()) > 0.4 * sum(by_account.values())
    assert len(places) < 0.25 * len(held.accounts) * len(held.regions)
    assert {account for account, count in by_account.items() if not count} == held.suspended


async def test_changes_are_answered_at_once() -> None:
    name, held = "sns:ListTopics", estate("sns:ListTopics", numbers=range(1))
    async with serving(held) as server, caller(server) as call:
        assert len((await call(name))["Topics"]) == 1
        held.put(HUB, REGION, name, 5, 3, 5)
        topics = (await call(name))["Topics"]
        assert [each["TopicArn"][-1] for each in topics] == ["0", "3", "5"]
        held.remove(HUB, REGION, name, 0, 3, 5)
        assert (await call(name))["Topics"] == []
        held.put(HUB, OTHER, name, 1)
        assert [(await call(name, region))["Topics"] != [] for region in (REGION, OTHER)] == [False, True]


async def test_what_an_item_refers_to_is_there() -> None:
    names = ("DescribeInstances", "DescribeSubnets", "DescribeVpcs", "DescribeSecurityGroups", "DescribeVolumes")
    held = estate(*(f"ec2:{name}" for name in names), numbers=range(3, 30, 4))
    async with serving(held) as server, caller(server) as call:
        subnets = {each["SubnetId"]: each for each in (await call("ec2:DescribeSubnets"))["Subnets"]}
        vpcs = {each["VpcId"] for each in (await call("ec2:DescribeVpcs"))["Vpcs"]}
        groups = {each["GroupId"] for each in (await call("ec2:DescribeSecurityGroups"))["SecurityGroups"]}
        volumes = {each["VolumeId"] for each in (await call("ec2:DescribeVolumes"))["Volumes"]}
        for reservation in (await call("ec2:DescribeInstances"))["Reservations"]:
            [instance] = reservation["Instances"]
            assert instance["SubnetId"] in subnets
            assert instance["VpcId"] in vpcs
            assert {each["GroupId"] for each in instance["SecurityGroups"]} <= groups
            assert {each["Ebs"]["VolumeId"] for each in instance["BlockDeviceMappings"]} <= volumes
            assert "KeyName" not in instance  # there is no key pair to name


def test_removing_an_item_moves_only_the_references_to_it() -> None:
    held = estate("ec2:DescribeSubnets", numbers=range(16))
    before = [held.near(HUB, REGION, "ec2:DescribeSubnets", number) for number in range(100)]
    held.remove(HUB, REGION, "ec2:DescribeSubnets", 5)
    after = [held.near(HUB, REGION, "ec2:DescribeSubnets", number) for number in range(100)]
    assert {old for old, new in zip(before, after, strict=True) if old != new} == {5}


async def test_identifiers_and_addresses_differ_between_accounts_and_regions() -> None:
    held = Estate(1, (HUB, MEMBER), (REGION, OTHER))
    for account in held.accounts:
        for region in held.regions:
            held.put(account, region, "ec2:DescribeAddresses", 0, 1)
    async with serving(held) as server:
        found = set()
        for account in held.accounts:
            async with caller(server, key_of(account)) as call:
                for region in held.regions:
                    for each in (await call("ec2:DescribeAddresses", region))["Addresses"]:
                        found |= {each["PublicIp"], each["AllocationId"]}
        assert len(found) == 16


# Identity


async def test_what_is_shared_is_listed_by_others_as_its_owners() -> None:
    listing, held = "ec2:DescribeSubnets", estate("ec2:DescribeSubnets", numbers=range(3))
    held.put(MEMBER, REGION, listing, 1)
    held.share(HUB, REGION, listing, 2, to=MEMBER)
    held.share(HUB, REGION, listing, 7, to=MEMBER)  # that is not there
    async with serving(held) as server, caller(server) as hub, caller(server, key_of(MEMBER)) as member:
        server.answers.most = 1
        own = [each["SubnetId"] for page in await hub.listed(listing) for each in page["Subnets"]]

        async def told() -> list[tuple[str, str]]:
            return [
                (each["OwnerId"], each["SubnetId"]) for page in await member.listed(listing) for each in page["Subnets"]
            ]

        [mine, theirs] = await told()
        assert (mine[0], theirs) == (MEMBER, (HUB, own[2]))
        held.unshare(HUB, REGION, listing, 2, to=MEMBER)
        assert await told() == [mine]
        held.share(HUB, REGION, listing, 0, to=MEMBER)
        assert await told() == [mine, (HUB, own[0])]
        held.remove(HUB, REGION, listing, 0)
        assert await told() == [mine]


async def test_a_role_is_assumed_in_its_account_and_ends() -> None:
    async with serving(estate("ec2:DescribeVpcs", account=MEMBER), lifetime=-1) as server, caller(server) as call:
        given = (await call("sts:AssumeRole", RoleArn=f"arn:aws:iam::{MEMBER}:role/x", RoleSessionName="me"))[
            "Credentials"
        ]
        assert account_of(given["AccessKeyId"], HUB) == MEMBER
        assert expiry_of(given["AccessKeyId"]) == pytest.approx(given["Expiration"].timestamp(), abs=1)
        async with caller(server, given["AccessKeyId"]) as late:
            for name in ("sts:GetCallerIdentity", "ec2:DescribeVpcs", "kms:ListKeys", "s3:ListBuckets"):
                with pytest.raises(CallFailed, match="expired"):
                    await late(name)
        async with caller(server, key_of(MEMBER)) as member:
            assert (await member("sts:GetCallerIdentity"))["Account"] == MEMBER
            assert len((await member("ec2:DescribeVpcs"))["Vpcs"]) == 2
        assert (await call("ec2:DescribeVpcs"))["Vpcs"] == []


@pytest.mark.parametrize("account", [CLOSED, "999999999999"])
async def test_nobody_is_let_into_a_closed_or_unknown_account(account: str) -> None:
    async with serving(estate()) as server, caller(server) as call:
        with pytest.raises(CallFailed, match="AccessDenied"):
            await call("sts:AssumeRole", RoleArn=f"arn:aws:iam::{account}:role/x", RoleSessionName="me")


async def test_the_organization_is_a_tree_that_the_hub_alone_may_see() -> None:
    names = (*(f"{number}00000000000" for number in range(1, 10)), "111111111111")
    held = Estate(1, names, (REGION,), suspended=frozenset({names[2]}))
    async with serving(held) as server, caller(server) as call:
        found, below = {}, [ROOT]
        while below:
            parent = below.pop()
            units = await call("organizations:ListOrganizationalUnitsForParent", ParentId=parent)
            below += [each["Id"] for each in units["OrganizationalUnits"]]
            for each in (await call("organizations:ListAccountsForParent", ParentId=parent))["Accounts"]:
                found[each["Id"]] = (parent, each["Status"])
        assert set(found) == set(names)
        assert {account for account, (_, status) in found.items() if status == "SUSPENDED"} == {names[2]}
        assert [account for account, (parent, _) in found.items() if parent == INNER] == [names[9]]
        async with caller(server, key_of(names[1])) as member:
            assert (await member("organizations:DescribeOrganization"))["Organization"]["MasterAccountId"] == names[0]
            with pytest.raises(CallFailed, match="AccessDenied"):
                await member("organizations:ListRoots")


# Counters


async def test_calls_are_counted_by_account_region_service_and_operation() -> None:
    seen: list[Seen] = []
    async with serving(estate("kms:ListKeys", numbers=range(3))) as server, caller(server) as call:
        server.faults = seen.append
        await call.listed("kms:ListKeys", Limit=2)
        await call("elbv2:DescribeLoadBalancers", OTHER)
        assert server.calls == {(HUB, REGION, "kms", "ListKeys"): 2, (HUB, OTHER, "elbv2", "DescribeLoadBalancers"): 1}
        assert [(each.number, each.nth, each.token != "", each.operation) for each in seen] == [
            (1, 1, False, "ListKeys"),
            (2, 2, True, "ListKeys"),
            (3, 1, False, "DescribeLoadBalancers"),
        ]
        async with ClientSession() as client, client.get(f"{server.url}/_fake/calls") as reply:
            assert {each["calls"] for each in await reply.json()} == {1, 2}
        server.reset()
        assert server.calls == {}


async def test_a_process_of_its_own_serves_and_counts() -> None:
    with process(seed=5, accounts=2, regions=1, resources=100) as other:
        held = Estate.random(5, accounts=2, regions=1, resources=100)
        own = Server(held)
        own.url = other.url
        async with caller(own, key_of(held.accounts[1])) as call:
            roles = (await call("iam:ListRoles"))["Roles"]
        assert len(roles) == len(held.items(held.accounts[1], GLOBAL, "iam:ListRoles"))
        [counted] = await asyncio.to_thread(lambda: other.calls(reset=True))
        assert (counted["account"], counted["operation"], counted["calls"]) == (held.accounts[1], "ListRoles", 1)
        assert await asyncio.to_thread(other.calls) == []


# Faults on the wire

HEAD = (
    b"POST / HTTP/1.1\r\nHost: h\r\nX-Amz-Target: TrentService.ListKeys\r\nContent-Length: 2\r\n"
    b"Authorization: AWS4-HMAC-SHA256 Credential=k/20250101/us-east-1/kms/aws4_request, Signature=s\r\n\r\n{}"
)


async def sent(fault: Fault | None, *, then: bytes = b"", seconds: float = 5) -> bytes:
    """All that comes back on one connection until it ends, or until nothing more comes."""
    async with serving(estate("kms:ListKeys"), faults=lambda _: fault) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(server.url.rpartition(":")[2]))
        try:
            writer.write(HEAD + then)
            return await asyncio.wait_for(_until_end(reader, whole=fault is None or isinstance(fault, WHOLE)), seconds)
        finally:
            writer.close()


WHOLE = (Error, Raw, Delay, Change, Drip)


async def _until_end(reader: asyncio.StreamReader, *, whole: bool) -> bytes:
    if not whole:
        return await reader.read()
    head = await reader.readuntil(b"\r\n\r\n")
    return head + await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]))


async def test_a_hanging_request_is_never_answered() -> None:
    with pytest.raises(TimeoutError):
        await sent(Hang(), seconds=0.2)


async def test_a_dropped_connection_ends_without_a_byte() -> None:
    assert await sent(Drop()) == b""


async def test_a_cut_reply_promises_more_than_it_sends() -> None:
    calm, cut = await sent(None), await sent(Cut(7))
    assert calm.startswith(cut)
    assert len(calm) - len(cut) == 7
    assert (await sent(Cut(10**6))).endswith(b"\r\n\r\n")


async def test_slow_replies_are_whole_in_the_end() -> None:
    calm = await sent(None)
    started = time.monotonic()
    assert await sent(Delay(0.1)) == calm
    assert time.monotonic() - started >= 0.1
    assert await sent(Drip(0.0001)) == calm


async def test_other_bodies_have_their_right_length() -> None:
    reply = await sent(Change(lambda body: body.replace(b"Keys", b"Locksmiths")))
    head, _, body = reply.partition(b"\r\n\r\n")
    assert b"Locksmiths" in body
    assert b"Content-Length: %d" % len(body) in head
    assert await sent(Raw(502, b"<html>", {"X-From": "proxy"})) == (
        b"HTTP/1.1 502 Fake\r\nX-From: proxy\r\nContent-Length: 6\r\n\r\n<html>"
    )


async def test_an_error_is_worded_as_its_service_does() -> None:
    reply = await sent(Error(400, "DisabledException", "it is off"))
    assert reply.startswith(b"HTTP/1.1 400 ")
    assert reply.endswith(rendered(Error(400, "DisabledException", "it is off"), "kms")[2])


async def test_a_connection_serves_one_request_after_another() -> None:
    async with serving(estate("kms:ListKeys"), faults=lambda seen: Delay(0.01) if seen.number == 2 else None) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(server.url.rpartition(":")[2]))
        writer.write(HEAD[:40])
        await writer.drain()
        writer.write(HEAD[40:] + HEAD + HEAD)
        replies = [await _until_end(reader, whole=True) for _ in range(3)]
        assert replies[0] == replies[1] == replies[2]
        writer.close()


async def test_what_is_no_call_is_refused() -> None:
    async with serving(estate()) as server, ClientSession() as client:
        async with client.get(f"{server.url}/") as unsigned:
            assert unsigned.status == 403
        scope = {"Authorization": "AWS4-HMAC-SHA256 Credential=k/20250101/us-east-1/lambda/aws4_request, Signature=s"}
        async with client.get(f"{server.url}/no/such", headers=scope) as unknown:
            assert unknown.status == 404


def test_moments_are_of_one_time_and_numbers_come_back_from_identifiers() -> None:
    assert MOMENT.tzinfo is not None
    about = About(estate(), HUB, REGION, 77, dict.fromkeys(KINDS, 77), 77)
    for kind in KINDS:
        holes = about.holes(kind)
        assert holes is not None
        for template in ("vpc-{hex}", "{uuid}", "arn:aws:lambda:us-east-1:{account}:function:function-{n}:live"):
            assert number_in(template.format_map(holes)) == 77
    assert on_the_wire.calm(Seen(1, "k", HUB, REGION, "ec2", "x")) is None  # type: ignore[func-returns-value]
