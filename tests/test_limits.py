from __future__ import annotations

import asyncio

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skysweep.limits import PURGE_AT, UNLISTED, Bucket, Limits, limits_of, page_size, table
from skysweep.plan import Target

HERE = Target("111111111111", "eu-west-1")


class Time:
    """A clock that sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        assert self.now + seconds > self.now, "a sleep that the clock does not see"
        self.now += seconds
        await asyncio.sleep(0)


async def _take_many(limits: Limits, count: int, service: str, operation: str, target: Target = HERE) -> None:
    for _ in range(count):
        await limits.take(target, service, operation)


async def test_a_burst_is_free_and_then_the_rate_holds() -> None:
    time = Time()
    limits = Limits(1.0, clock=time.clock, sleep=time.sleep)
    await _take_many(limits, 100, "ec2", "DescribeVpcs")
    assert time.now == 0
    await _take_many(limits, 200, "ec2", "DescribeVpcs")
    assert time.now == pytest.approx(10)


async def test_the_share_is_of_both_burst_and_rate() -> None:
    time = Time()
    limits = Limits(0.5, clock=time.clock, sleep=time.sleep)
    await _take_many(limits, 50 + 100, "ec2", "DescribeVpcs")
    assert time.now == pytest.approx(10)


async def test_share_zero_paces_nothing() -> None:
    time = Time()
    limits = Limits(0, clock=time.clock, sleep=time.sleep)
    limits.throttled(HERE, "emr", "ListClusters")
    await _take_many(limits, 1000, "emr", "ListClusters")
    assert time.now == 0


@pytest.mark.parametrize(
    ("other", "operation"),
    [
        (Target("222222222222", "eu-west-1"), "DescribeVpcs"),
        (Target("111111111111", "eu-west-2"), "DescribeVpcs"),
        (HERE, "DescribeSubnets"),
    ],
)
async def test_accounts_regions_and_actions_have_buckets_of_their_own(other: Target, operation: str) -> None:
    time = Time()
    limits = Limits(1.0, clock=time.clock, sleep=time.sleep)
    await _take_many(limits, 100, "ec2", "DescribeVpcs")
    await _take_many(limits, 100, "ec2", operation, other)
    assert time.now == 0


async def test_account_wide_buckets_are_one_for_all_regions() -> None:
    time = Time()
    limits = Limits(1.0, clock=time.clock, sleep=time.sleep)
    await _take_many(limits, 12, "organizations", "ListAccounts")
    await _take_many(limits, 8, "organizations", "ListAccounts", Target(HERE.account, "us-east-1"))
    assert time.now == pytest.approx(1)


async def test_a_call_takes_of_the_shared_bucket_too() -> None:
    time = Time()
    limits = Limits(1.0, clock=time.clock, sleep=time.sleep)
    await _take_many(limits, 25, "route53", "ListHostedZones")
    await _take_many(limits, 25, "route53", "ListHealthChecks")
    assert time.now == 0
    await _take_many(limits, 10, "route53", "ListTagsForResources")
    assert time.now == pytest.approx(1)


async def test_operations_of_one_class_share_a_bucket() -> None:
    time = Time()
    limits = Limits(1.0, clock=time.clock, sleep=time.sleep)
    await _take_many(limits, 8, "organizations", "ListPolicies")
    await _take_many(limits, 5, "organizations", "ListTargetsForPolicy")
    assert time.now == pytest.approx(1)


async def test_throttles_slow_down_and_quiet_time_gives_back() -> None:
    time = Time()
    bucket = Bucket(10, 10, time.clock, time.sleep)
    for second in range(3):
        time.now = float(second)
        bucket.cut()
        bucket.cut()  # of the same second: the same event
    assert bucket.rate == pytest.approx(10 * 0.7**3, rel=0.2)
    before = time.now
    await bucket.take()
    assert time.now > before, "a throttled bucket has no burst left"
    time.now += 60
    assert bucket.rate == 10


async def test_a_throttle_slows_those_who_wait_already() -> None:
    time = Time()
    bucket = Bucket(1, 1, time.clock, time.sleep)
    await bucket.take()
    taken: list[float] = []

    async def wait() -> None:
        await bucket.take()
        taken.append(time.now)

    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(wait)
        await asyncio.sleep(0)
        bucket.cut()
    assert taken[-1] > 3


async def test_without_adaptation_a_throttle_changes_nothing() -> None:
    time = Time()
    limits = Limits(1.0, adaptive=False, clock=time.clock, sleep=time.sleep)
    limits.throttled(HERE, "ec2", "DescribeVpcs")
    await _take_many(limits, 100, "ec2", "DescribeVpcs")
    assert time.now == 0


async def test_waiters_are_served_in_turn_and_a_cancelled_one_harms_nobody() -> None:
    time = Time()
    bucket = Bucket(1, 1, time.clock, time.sleep)
    await bucket.take()
    served: list[int] = []

    async def wait(number: int) -> None:
        await bucket.take()
        served.append(number)

    async with anyio.create_task_group() as tasks, anyio.create_task_group() as first:
        first.start_soon(wait, 99)
        await asyncio.sleep(0)
        for number in range(5):
            tasks.start_soon(wait, number)
        first.cancel_scope.cancel()
    assert served == [0, 1, 2, 3, 4]


async def test_full_buckets_are_forgotten() -> None:
    time = Time()
    limits = Limits(1.0, clock=time.clock, sleep=time.sleep)
    for number in range(PURGE_AT):
        await limits.take(Target(f"{number:012}", "eu-west-1"), "ec2", "DescribeVpcs")
    time.now += 60
    await limits.take(HERE, "ec2", "DescribeVpcs")
    assert len(limits._buckets) == 1


@given(burst=st.floats(1, 1000), rate=st.floats(0.01, 1000), gaps=st.lists(st.floats(0, 10), max_size=40))
def test_no_span_sees_more_than_burst_and_rate_allow(burst: float, rate: float, gaps: list[float]) -> None:
    time = Time()
    taken: list[float] = []

    async def run() -> None:
        bucket = Bucket(burst, rate, time.clock, time.sleep)
        for gap in gaps:
            time.now += gap
            await bucket.take()
            taken.append(time.now)

    asyncio.run(run())
    for first, start in enumerate(taken):
        for last, end in enumerate(taken[first:], first):
            assert last - first + 1 <= burst + (end - start) * rate + 1e-3


def test_every_row_of_the_table_is_sane() -> None:
    assert len(table()) > 300
    for (service, operation), limit in table().items():
        assert limit.burst > 0, (service, operation)
        assert limit.rate > 0, (service, operation)
    assert limits_of("nosuchservice", "ListThings") == (UNLISTED,)
    assert page_size("rds", "DescribeDBInstances") == 100
    assert page_size("ec2", "DescribeVolumes") == 500
    assert page_size("nosuchservice", "ListThings") is None
