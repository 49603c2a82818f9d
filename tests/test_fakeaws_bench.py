"""The fake AWS as a bench: uniform estates, latencies, AWS's token buckets with a production client, real sizes."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import median, quantiles
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.fakeaws import Estate, Oracle, Server, identity, process, serving
from benchmarks.fakeaws import buckets as judged
from benchmarks.fakeaws.answers import Answers
from benchmarks.fakeaws.buckets import Bucket, Buckets, refusal
from benchmarks.fakeaws.estate import GLOBAL, WEIGHTS
from benchmarks.fakeaws.faults import Delay, Drip, Drop, Fault, Hang
from benchmarks.fakeaws.models import operation
from benchmarks.fakeaws.render import body
from benchmarks.fakeaws.server import latencies
from benchmarks.fakeaws.sizes import LACKING
from benchmarks.fakeaws.wheel import TICK, Wheel
from skysweep import retry
from skysweep.catalogue import Type
from skysweep.model import Record
from skysweep.retry import Class
from test_fakeaws import caller, catalogued

HUB, OTHER = "100000000000", "200000000000"
REGION, WEST = "us-east-1", "eu-west-1"
VOLUMES = "ec2:DescribeVolumes"


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


# Estates


def test_a_uniform_estate_is_the_same_everywhere_and_holds_nothing_else() -> None:
    held = Estate.uniform({VOLUMES: 3, "iam:ListRoles": 2, "ec2:DescribeVpcs": 0}, accounts=2, regions=2)
    told = {key: list(numbers) for key, numbers in held.listed()}
    assert told == {
        **{(account, region, VOLUMES): [0, 1, 2] for account in held.accounts for region in held.regions},
        **{(account, GLOBAL, "iam:ListRoles"): [0, 1] for account in held.accounts},
    }
    assert not held.suspended
    assert not held.items("999999999999", REGION, VOLUMES)
    assert not held.items(held.accounts[0], "mars-north-1", VOLUMES)
    held.put(held.accounts[1], REGION, VOLUMES, 7)
    held.remove(held.accounts[1], held.regions[1], VOLUMES, 0, 1, 2)
    assert list(held.items(held.accounts[1], REGION, VOLUMES)) == [0, 1, 2, 7]
    assert list(held.items(held.accounts[0], REGION, VOLUMES)) == [0, 1, 2]
    assert (held.accounts[1], held.regions[1], VOLUMES) not in dict(held.listed())


@given(st.lists(st.tuples(st.booleans(), st.sets(st.integers(0, 12), min_size=1, max_size=4)), max_size=8))
def test_an_estate_holds_what_was_put_and_not_removed(changes: list[tuple[bool, set[int]]]) -> None:
    held, wanted = Estate(1, (HUB,), (REGION,), {(HUB, REGION, VOLUMES): range(5)}), set(range(5))
    for puts, numbers in changes:
        (held.put if puts else held.remove)(HUB, REGION, VOLUMES, *numbers)
        wanted = wanted | numbers if puts else wanted - numbers
        assert list(held.items(HUB, REGION, VOLUMES)) == sorted(wanted)


def test_a_random_estate_of_an_organization_takes_as_much_room_as_it_has_listings() -> None:
    held = Estate.random(1, accounts=10_000, regions=30, resources=100_000)
    numbers = [each for _, each in held.listed()]
    assert sum(map(len, numbers)) == 100_000
    assert all(isinstance(each, range) for each in numbers)


async def test_an_organization_of_thousands_is_listed_by_pages() -> None:
    held = Estate.uniform({}, accounts=3000, regions=1)
    known = identity.Identity(held)
    first = known.accounts({}, held.accounts[0])
    assert len(first) == 3000
    assert known.accounts({}, held.accounts[0]) is first  # made once, not for each of its 150 pages
    assert sum(len(known.members({"ParentId": each}, held.accounts[0])) for each in _units(known, held)) == 3000
    held.suspended = frozenset({held.accounts[7]})
    assert known.accounts({}, held.accounts[0])[7]["State"] == "SUSPENDED"


def _units(known: identity.Identity, held: Estate) -> list[str]:
    found, below = [], [identity.ROOT]
    while below:
        found.append(below.pop())
        below += [each["Id"] for each in known.units({"ParentId": found[-1]}, held.accounts[0])]
    return found


@given(
    st.lists(st.sets(st.integers(0, 30), max_size=12), min_size=4, max_size=4),
    st.integers(1, 15),
    st.sets(st.integers(0, 30), max_size=6),
)
def test_the_pages_of_a_listing_are_the_listing(held: list[set[int]], size: int, gone: set[int]) -> None:
    lists = {
        f"iam:List{name}": numbers for name, numbers in zip(("Users", "Groups", "Roles", "Policies"), held, strict=True)
    }
    holds = Estate(1, (HUB,), (REGION,), {(HUB, GLOBAL, name): numbers for name, numbers in lists.items()})
    asked_for, answers = operation("iam", "GetAccountAuthorizationDetails"), Answers(holds, most=size)
    whole, _ = answers.reply(asked_for, {}, HUB, REGION, whole=True)
    page, count = answers.reply(asked_for, {}, HUB, REGION)
    pages, counts = [page], [count]
    while page["IsTruncated"]:
        page, count = answers.reply(asked_for, {"Marker": page["Marker"]}, HUB, REGION)
        pages.append(page)
        counts.append(count)
    for (name,) in asked_for.lists:
        assert [each for page in pages for each in page[name]] == whole[name]
    assert counts[:-1] == [size] * (len(counts) - 1)
    assert counts[-1] > 0 or len(counts) == 1
    if len(pages) > 1:  # what goes meanwhile is missing, and nothing else
        holds.remove(HUB, GLOBAL, "iam:ListUsers", *gone)
        rest, _ = answers.reply(asked_for, {"Marker": pages[0]["Marker"]}, HUB, REGION, whole=False)
        left = [each for each in whole["RoleDetailList"] if each not in pages[0]["RoleDetailList"]]
        assert left[: len(rest["RoleDetailList"])] == rest["RoleDetailList"]


# Latency


def test_latencies_are_log_normal_and_of_their_seed() -> None:
    told = sorted(latencies(0.03, spread=0.3, seed=4))
    assert median(told) == pytest.approx(0.03, rel=0.03)
    low, *_, high = quantiles(told, n=20)  # 5 and 95 of a hundred: e^(1.645 sigma) from the median
    assert low == pytest.approx(0.03 * 0.6105, rel=0.06)
    assert high == pytest.approx(0.03 * 1.638, rel=0.06)
    assert latencies(0.03, seed=4) == latencies(0.03, seed=4) != latencies(0.03, seed=5)
    assert set(latencies(0.03, spread=0)) == {0.03}
    assert latencies(0) == (0.0,)


HEAD = (
    b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\nAuthorization: AWS4-HMAC-SHA256 "
    b"Credential=hub/20250101/us-east-1/ec2/aws4_request, SignedHeaders=host, Signature=s\r\n\r\n%b"
)


def request(name: str) -> bytes:
    form = b"Action=%b&Version=2016-11-15" % name.encode()
    return HEAD % (len(form), form)


async def connected(server_: Server) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", int(server_.url.rpartition(":")[2]))


async def answer(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    return await reader.readexactly(int(head.partition(b"Content-Length: ")[2].split(b"\r\n")[0]))


PIPELINED = ["DescribeVolumes", "DescribeVpcs", "DescribeSubnets", "DescribeImages", "DescribeKeyPairs"]


@pytest.mark.parametrize("fault", [None, Delay(0.03), Drip(0.0001)], ids=["calm", "delayed", "dripping"])
async def test_the_replies_of_a_connection_keep_their_order_whatever_their_latency(fault: Fault | None) -> None:
    async with serving(Estate(1, (HUB,)), faults=lambda seen: fault if seen.number == 2 else None) as fake:
        fake.latencies = (0.001, 0.06, 0.001, 0.02, 0.0)
        reader, writer = await connected(fake)
        writer.write(b"".join(map(request, PIPELINED)))
        replies = [await answer(reader) for _ in PIPELINED]
        assert [reply.split(b"Response")[0].rpartition(b"<")[2].decode() for reply in replies] == PIPELINED
        writer.close()


async def test_many_requests_wait_at_once_and_each_takes_its_time() -> None:
    async with serving(Estate(1, (HUB,)), latency=0.3, spread=0.0) as fake:
        started = time.monotonic()

        async def one() -> float:
            reader, writer = await connected(fake)
            writer.write(request("DescribeVpcs"))
            await answer(reader)
            writer.close()
            return time.monotonic() - started

        took = await asyncio.gather(*(one() for _ in range(40)))
        assert min(took) >= 0.3 - TICK
        assert max(took) < 40 * 0.3 / 2  # one after another would take 12 s


@pytest.mark.parametrize("fault", [Hang(), Drop()])
async def test_nothing_follows_a_fault_that_ends_a_connection(fault: Fault) -> None:
    async with serving(
        Estate(1, (HUB,)), faults=lambda seen: fault if seen.number == 2 else None, latency=0.01
    ) as fake:
        reader, writer = await connected(fake)
        writer.write(b"".join(map(request, PIPELINED)))
        await answer(reader)
        if isinstance(fault, Drop):
            assert await reader.read() == b""
        else:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(reader.read(1), 0.1)
        assert fake.calls.total() == 2
        writer.close()


async def test_a_client_that_leaves_while_its_reply_waits_disturbs_nobody() -> None:
    async with serving(Estate(1, (HUB,)), latency=0.05) as fake:
        _, gone = await connected(fake)
        gone.write(request("DescribeVpcs"))
        gone.transport.abort()
        reader, writer = await connected(fake)
        writer.write(request("DescribeVpcs"))
        assert b"DescribeVpcsResponse" in await answer(reader)
        writer.close()


async def test_what_is_due_in_one_tick_is_called_in_the_order_it_was_given() -> None:
    wheel, seen, done = Wheel(), list[int](), asyncio.Event()
    loop = asyncio.get_running_loop()
    started = loop.time()
    for number in range(100):
        wheel.later(0.02, lambda number=number: seen.append(number))  # type: ignore[misc]
    wheel.later(0.04, done.set)
    await done.wait()
    assert seen == list(range(100))
    assert loop.time() - started >= 0.04 - TICK


async def test_one_that_fails_takes_no_other_of_its_tick_along() -> None:
    wheel, done, told = Wheel(), asyncio.Event(), list[dict[str, Any]]()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: told.append(context))
    try:
        wheel.later(0.01, iter(()).__next__)
        wheel.later(0.01, done.set)
        await asyncio.wait_for(done.wait(), 5)
    finally:
        loop.set_exception_handler(None)
    assert [type(each["exception"]) for each in told] == [StopIteration]


# AWS's token buckets

HUB_VOLUMES = (HUB, REGION, "ec2", "DescribeVolumes")  # 100 at once, 20 a second, each operation its own


def taken(buckets: Buckets, call: tuple[str, str, str, str], times: int) -> int:
    return sum(buckets.take(call) for _ in range(times))


def test_a_bucket_is_overdrawn_exactly_where_it_is_empty_and_fills_continuously() -> None:
    clock = Clock()
    buckets = Buckets(1.0, clock=clock)
    assert taken(buckets, HUB_VOLUMES, 150) == 100
    clock.now += 0.049
    assert taken(buckets, HUB_VOLUMES, 1) == 0  # 0.98 of a token; asking takes nothing
    clock.now += 0.001
    assert taken(buckets, HUB_VOLUMES, 2) == 1
    clock.now += 2
    assert taken(buckets, HUB_VOLUMES, 50) == 40
    clock.now += 3600
    assert taken(buckets, HUB_VOLUMES, 150) == 100  # no fuller than full
    [row] = buckets.rows()
    assert (row["calls"], row["throttled"]) == (241, 50 + 1 + 1 + 10 + 50)


@given(
    st.lists(st.floats(0, 0.3), min_size=1, max_size=200),
    st.sampled_from(["DescribeVolumes", "DescribeHostReservations"]),
)
def test_no_more_is_let_through_than_burst_and_rate_allow_and_no_less(pauses: list[float], name: str) -> None:
    clock = Clock()
    buckets, granted = Buckets(0.05, clock=clock), 0  # 5 at once and 1 a second; 1 and 0.1
    burst, rate = (5, 1.0) if name == "DescribeVolumes" else (1, 0.1)
    tokens = float(burst)
    for pause in pauses:
        clock.now += pause
        tokens = min(burst, tokens + pause * rate)
        allowed = buckets.take((HUB, REGION, "ec2", name))
        assert allowed is (tokens >= 1) or tokens == pytest.approx(1)
        tokens -= allowed
        granted += allowed
    assert granted <= burst + sum(pauses) * rate + 1e-6


def test_whose_bucket_it_is() -> None:
    buckets = Buckets(1.0, clock=Clock())
    assert taken(buckets, HUB_VOLUMES, 101) == 100
    for other in (
        (OTHER, REGION, "ec2", "DescribeVolumes"),
        (HUB, WEST, *HUB_VOLUMES[2:]),
        (*HUB_VOLUMES[:3], "DescribeVpcs"),
    ):
        assert taken(buckets, other, 101) == 100
    # A class shares one, IAM's is the whole account's, and its shared one (60 at once) is taken of by each.
    assert taken(buckets, (HUB, REGION, "sns", "GetTopicAttributes"), 20) == 20
    assert taken(buckets, (HUB, REGION, "sns", "GetSubscriptionAttributes"), 20) == 10
    assert (
        taken(buckets, (HUB, REGION, "iam", "ListRoles"), 9) + taken(buckets, (HUB, WEST, "iam", "ListRoles"), 9) == 15
    )
    names = ["ListUsers", "ListGroups", "ListMFADevices", "ListAccessKeys", "ListPolicies"]
    assert [taken(buckets, (HUB, REGION, "iam", name), 20) for name in names] == [15, 15, 15, 0, 0]


def test_full_buckets_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judged, "FORGET_AT", 10)
    clock = Clock()
    buckets = Buckets(1.0, clock=clock)
    for number in range(10):
        buckets.take((f"{number:012d}", *HUB_VOLUMES[1:]))
    clock.now += 0.04  # of 20 a second, 0.8 of the token
    taken(buckets, HUB_VOLUMES, 101)
    assert len(list(buckets.rows())) == 11
    clock.now += 0.05
    for number in range(20, 30):
        buckets.take((f"{number:012d}", *HUB_VOLUMES[1:]))
    assert {row["account"] for row in buckets.rows()} > {HUB}  # what was full is gone, what is empty is not
    assert len(list(buckets.rows())) == 11
    assert taken(buckets, HUB_VOLUMES, 2) == 1


@pytest.mark.parametrize("name", catalogued())
def test_a_throttled_call_is_told_in_a_word_that_clients_know(name: str) -> None:
    service, _, called = name.partition(":")
    told = refusal(service, called)
    reply: Any = {"Error": {"Code": told.code}, "ResponseMetadata": {"HTTPStatusCode": told.status}}
    error = ClientError(reply, called)
    assert retry.classify(error, service=service, operation=called) is Class.THROTTLED


async def test_a_client_gets_its_answer_when_the_bucket_has_filled() -> None:
    call = (HUB, REGION, "sqs", "ListQueues")  # 20 at once, then one each 100 ms
    async with serving(Estate(1, (HUB,)), limits=1.0) as fake, caller(fake) as client:
        assert fake.buckets is not None
        reply = await client("sqs:ListQueues")  # which makes the client
        taken(fake.buckets, call, 500)
        assert await client("sqs:ListQueues") == reply == {"QueueUrls": []}
        assert fake.calls[call] == fake.throttled[call] + 2 > 2


async def test_a_server_throttles_and_counts_what_is_overdrawn() -> None:
    async with serving(Estate(1, (HUB,)), limits=0.05) as fake:  # 5 at once, 1 a second
        reader, writer = await connected(fake)
        started = time.monotonic()
        writer.write(request("DescribeVolumes") * 12 + request("DescribeVpcs"))
        replies = [await answer(reader) for _ in range(13)]
        late = int(time.monotonic() - started)
        writer.close()
        told = [b"<Code>RequestLimitExceeded</Code>" in each for each in replies]
        assert told[:5] == [False] * 5
        assert told[12] is False
        assert 7 - late <= sum(told) <= 7
        assert fake.throttled == {HUB_VOLUMES: sum(told)}
        assert fake.calls[HUB_VOLUMES] == 12
        usage = fake.usage()
        assert (usage["calls"], usage["throttled"]) == (13, sum(told))
        assert usage["bytes"] > sum(map(len, replies))
        fake.reset()
        assert (fake.usage()["throttled"], fake.usage()["bytes"]) == (0, 0)
        assert fake.buckets is not None
        assert not list(fake.buckets.rows())


async def test_a_process_takes_all_options_and_tells_its_cost() -> None:
    sizes = {"ec2:DescribeInstances": 3, "iam:ListRoles": 2}
    with process(accounts=2, regions=1, sizes=sizes, latency=0.05, limits=0.05, production=0.5, real=True) as other:
        own = Server(Estate.uniform(sizes, accounts=2, regions=1))
        own.url = other.url
        before = await asyncio.to_thread(other.usage)
        async with caller(own) as client:
            started = time.monotonic()
            reply = await client("ec2:DescribeInstances")
            assert time.monotonic() - started > 0.05 * 0.3
            assert len(reply["Reservations"]) == 3
            assert "KernelId" not in reply["Reservations"][0]["Instances"][0]
            assert len((await client("iam:ListRoles"))["Roles"]) == 2  # of IAM's 0.75 at once: one
        told = {row["operation"]: row for row in await asyncio.to_thread(other.calls)}
        assert told["DescribeInstances"]["throttled"] == 0
        assert told["DescribeInstances"]["calls"] == 1
        usage = await asyncio.to_thread(other.usage)
        assert usage["calls"] == sum(int(row["calls"]) for row in told.values())
        assert usage["throttled"] == told["ListRoles"]["throttled"]
        assert usage["bytes"] > 3 * 2500
        assert usage["cpu_seconds"] > before["cpu_seconds"] > 0
        assert usage["production"]["asked"] >= usage["production"]["got"]
        buckets = {row["action"]: row for row in await asyncio.to_thread(other.buckets)}
        assert set(buckets) == {"DescribeInstances", "ListRoles", "*shared"}
        assert (buckets["DescribeInstances"]["burst"], buckets["DescribeInstances"]["rate"]) == (5, 1)


# Production


def simulated(bucket: Bucket, phase: float, share: float, moments: Sequence[float]) -> tuple[list[bool], int, int]:
    """One by one, what the bucket does in closed form: production's turns and our calls in the order of time."""
    tokens, at, turn, asked, got, ours = bucket.burst, 0.0, phase / (share * bucket.rate), 0, 0, []
    for moment in moments:
        while turn <= moment:
            tokens, at = min(bucket.burst, tokens + (turn - at) * bucket.rate), turn
            turn += 1 / (share * bucket.rate)
            asked += 1
            if tokens >= 1 - 1e-9:
                tokens, got = tokens - 1, got + 1
        tokens, at = min(bucket.burst, tokens + (moment - at) * bucket.rate), moment
        ours.append(tokens >= 1 - 1e-9)
        tokens -= ours[-1]
    return ours, asked, got


@given(
    # All of them floats without a rounding error, so that both ways see the same moments.
    st.lists(st.sampled_from([0.0, 0.0078125, 0.0625, 0.3125, 4.0]), min_size=1, max_size=120),
    st.sampled_from([1.0, 0.5, 0.25]),
    st.sampled_from([0.0, 0.375, 0.9375]),
    st.sampled_from([(1.0, 2.0), (5.0, 16.0), (100.0, 16.0), (8.0, 0.5)]),
)
def test_productions_turns_are_what_they_would_be_one_by_one(
    pauses: list[float], share: float, phase: float, figures: tuple[float, float]
) -> None:
    bucket = Bucket(*figures, 0.0, production=share, phase=phase)
    moments = [sum(pauses[: number + 1]) for number in range(len(pauses))]
    ours = []
    for moment in moments:
        bucket.advance(moment)
        ours.append(bucket.tokens >= 1 - judged.HAIR)
        bucket.tokens -= ours[-1]
    assert (ours, bucket.asked, bucket.got) == simulated(bucket, phase, share, moments)


def test_production_alone_gets_all_and_leaves_the_rest() -> None:
    clock = Clock()
    buckets = Buckets(1.0, production=0.5, clock=clock)
    granted = 0
    for _ in range(600):  # a minute of ten calls a second, of twenty
        granted += buckets.take(HUB_VOLUMES)
        clock.now += 0.1
    assert granted == 600
    told = buckets.production()
    assert told["asked"] == told["got"] == pytest.approx(600, abs=2)
    assert told["least"] == 1.0


def test_who_asks_without_end_takes_from_production() -> None:
    clock = Clock()
    buckets = Buckets(1.0, production=0.5, clock=clock)
    greedy = 0
    for _ in range(60_000):  # a minute of a thousand calls a second
        greedy += buckets.take(HUB_VOLUMES)
        clock.now += 0.001
    told = buckets.production()
    assert told["asked"] == pytest.approx(600, abs=2)
    assert told["got"] < 0.2 * told["asked"]
    assert told["least"] == told["got"] / told["asked"]
    assert greedy + told["got"] == pytest.approx(100 + 60 * 20, abs=3)  # nothing is lost


@pytest.mark.parametrize(("limits", "production"), [(1.0, 1.5), (1.0, -0.5), (0.0, 0.5)])
def test_a_production_that_cannot_be_is_refused(limits: float, production: float) -> None:
    with pytest.raises(ValueError, match="a share of the buckets"):
        Buckets(limits, production=production)


# Real sizes


class Rows(Oracle):
    """What a sweep makes of an estate: all rows and links, not the ids alone."""

    def __init__(self, estate: Estate, *, real: bool) -> None:
        super().__init__(estate)
        self._answers = Answers(estate, real=real)
        self.made: list[tuple[str, Any, list[Any]]] = []

    def _id(self, type_: Type, record: Record) -> str:
        found = super()._id(type_, record)
        maker = self._makers[type_]
        self.made.append((type_.label, maker.row(record), list(maker.links(record, found))))
        return found


def test_real_items_tell_the_declarations_what_whole_ones_do() -> None:
    held = Estate.uniform(dict.fromkeys(WEIGHTS, 4), accounts=1, regions=1)
    whole, real = Rows(held, real=False), Rows(held, real=True)
    for each in (whole, real):
        each.every()
    assert {label for label, _, _ in whole.made} == set(whole.catalogue.by_label)
    for told, meant in zip(real.made, whole.made, strict=True):
        assert told == meant


def test_what_real_items_lack_whole_ones_have() -> None:
    held = Estate.uniform(dict.fromkeys(WEIGHTS, 2), accounts=1, regions=1)
    for name, lacking in LACKING.items():
        asked_for = operation(*name.split(":"))
        whole, real = (
            Counter(_members(Answers(held, real=real).reply(asked_for, {}, held.accounts[0], REGION)[0]))
            for real in (False, True)
        )
        assert {each for each in lacking if not whole[each]} == set(), name
        assert {each for each in lacking if real[each]} == set(), name


def _members(value: Any, parent: str = "") -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from _members(each, parent)
    elif isinstance(value, dict):
        for name, each in value.items():
            yield from (name, f"{parent}.{name}")
            yield from _members(each, name)


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("ec2:DescribeInstances", 2500, 3000),
        ("ec2:DescribeNetworkInterfaces", 1200, 2000),
        ("ec2:DescribeVolumes", 600, 1000),
        ("ec2:DescribeSubnets", 900, 1400),
        ("ec2:DescribeSecurityGroups", 800, 1500),
        ("lambda:ListFunctions", 1200, 1900),
        ("rds:DescribeDBInstances", 3000, 5000),
    ],
)
def test_real_items_are_as_large_as_aws_has_them(name: str, low: int, high: int) -> None:
    held = Estate.uniform(dict.fromkeys(WEIGHTS, 50), accounts=1, regions=1)
    asked_for = operation(*name.split(":"))
    reply, count = Answers(held, real=True).reply(asked_for, {}, held.accounts[0], REGION, whole=True)
    assert count == 50
    assert low <= len(body(asked_for, reply)) / count <= high
