from __future__ import annotations

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulated import now, run, simulated
from skysweep.limits import ECHO_SECONDS, FLOOR, PURGE_AT, UNLISTED, Bucket, Limits, Pace, limits_of, page_size, table
from skysweep.plan import Target

HERE = Target("111111111111", "eu-west-1")
AT_ONCE = pytest.approx(0, abs=1e-3)  # the simulated clock ticks


async def _take_many(limits: Limits, count: int, service: str, operation: str, target: Target = HERE) -> None:
    for _ in range(count):
        await limits.take(target, service, operation)


@simulated
async def test_a_burst_is_free_and_then_the_rate_holds() -> None:
    limits = Limits(1.0)
    await _take_many(limits, 100, "ec2", "DescribeVpcs")
    assert now() == AT_ONCE
    await _take_many(limits, 200, "ec2", "DescribeVpcs")
    assert now() == pytest.approx(10)


@simulated
async def test_the_share_is_of_both_burst_and_rate() -> None:
    limits = Limits(0.5)
    await _take_many(limits, 50 + 100, "ec2", "DescribeVpcs")
    assert now() == pytest.approx(10)


@simulated
async def test_share_zero_paces_nothing() -> None:
    limits = Limits(0)
    await limits.throttled(HERE, "emr", "ListClusters")
    await _take_many(limits, 1000, "emr", "ListClusters")
    assert now() == AT_ONCE


@pytest.mark.parametrize(
    ("other", "operation"),
    [
        (Target("222222222222", "eu-west-1"), "DescribeVpcs"),
        (Target("111111111111", "eu-west-2"), "DescribeVpcs"),
        (HERE, "DescribeSubnets"),
    ],
)
@simulated
async def test_accounts_regions_and_actions_have_buckets_of_their_own(other: Target, operation: str) -> None:
    limits = Limits(1.0)
    await _take_many(limits, 100, "ec2", "DescribeVpcs")
    await _take_many(limits, 100, "ec2", operation, other)
    assert now() == AT_ONCE


@simulated
async def test_account_wide_buckets_are_one_for_all_regions() -> None:
    limits = Limits(1.0)
    await _take_many(limits, 12, "organizations", "ListAccounts")
    await _take_many(limits, 8, "organizations", "ListAccounts", Target(HERE.account, "us-east-1"))
    assert now() == pytest.approx(1)


@simulated
async def test_a_call_takes_of_the_shared_bucket_too() -> None:
    limits = Limits(1.0)
    await _take_many(limits, 25, "route53", "ListHostedZones")
    await _take_many(limits, 25, "route53", "ListHealthChecks")
    assert now() == AT_ONCE
    await _take_many(limits, 10, "route53", "ListTagsForResources")
    assert now() == pytest.approx(1)


@simulated
async def test_operations_of_one_class_share_a_bucket() -> None:
    limits = Limits(1.0)
    await _take_many(limits, 8, "organizations", "ListPolicies")
    await _take_many(limits, 5, "organizations", "ListTargetsForPolicy")
    assert now() == pytest.approx(1)


def test_a_throttle_cuts_the_pace_and_quiet_time_gives_it_back() -> None:
    once = Pace().cut(100)
    assert once.at(100) == pytest.approx(0.7)
    assert once.at(105) == pytest.approx(0.8)
    assert once.at(115) == once.at(1e6) == 1
    twice = once.cut(101)
    assert twice.at(101) == pytest.approx(0.72 * 0.7)


def test_throttles_of_calls_that_were_under_way_together_cut_once() -> None:
    once = pace = Pace().cut(100)
    for echo in range(20):
        pace = pace.cut(100 + echo * ECHO_SECONDS / 21)
    assert pace == once


@given(gaps=st.lists(st.floats(0, 100)))
def test_the_pace_never_leaves_its_bounds(gaps: list[float]) -> None:
    pace, time = Pace(), 0.0
    for gap in gaps:
        time += gap
        pace = pace.cut(time)
        assert FLOOR <= pace.at(time) <= 0.7 + 0.02 * ECHO_SECONDS


@pytest.mark.parametrize("burst", [1, 2.5, 10, 40_000])
@simulated
async def test_a_throttled_bucket_is_empty_and_slow(burst: float) -> None:
    bucket = Bucket(burst, 10)
    await bucket.cut()
    assert bucket.rate == pytest.approx(7)
    assert now() == AT_ONCE, "a throttle is noted without waiting"
    await bucket.take()
    assert now() == pytest.approx(0.1, abs=0.01)  # its 1.43 tokens: one now, the rest is owed by the next call
    await bucket.take()
    await bucket.take()
    assert now() == pytest.approx(0.4, abs=0.03)


@pytest.mark.parametrize("burst", [1, 10])
@simulated
async def test_calls_of_a_slow_bucket_come_at_its_pace_to_the_fraction(burst: float) -> None:
    bucket = Bucket(burst, 1000)  # fast, so that little pace comes back meanwhile
    await bucket.cut()
    for _ in range(700):
        await bucket.take()
    assert now() == pytest.approx(1, rel=0.02)


@simulated
async def test_quiet_time_gives_back_pace_and_burst() -> None:
    bucket = Bucket(10, 10)
    for _ in range(3):
        await bucket.cut()
        await anyio.sleep(1)
    assert bucket.rate < 5
    assert not bucket.idle
    await anyio.sleep(60)
    assert bucket.rate == 10
    assert bucket.idle
    before = now()
    for _ in range(10):
        await bucket.take()
    assert now() - before == AT_ONCE


@simulated
async def test_a_throttle_slows_those_who_wait_already() -> None:
    bucket = Bucket(1, 1)
    await bucket.take()
    taken: list[float] = []

    async def wait() -> None:
        await bucket.take()
        taken.append(now())

    async with anyio.create_task_group() as tasks:
        for _ in range(10):
            tasks.start_soon(wait)
        await anyio.sleep(0.5)
        await bucket.cut()
    assert taken[0] == pytest.approx(1.5, abs=0.02)  # what had dripped in by then is gone
    assert 12 < taken[-1] < 14


@simulated
async def test_no_throttled_caller_is_starved() -> None:
    """Two are throttled again and again while newcomers keep coming: whoever asks first is served first."""
    bucket = Bucket(2, 10)
    asked: list[str] = []
    served: list[str] = []

    async def call(name: str) -> None:
        asked.append(name)
        await bucket.take()
        served.append(name)

    async def unlucky(name: str) -> None:
        for attempt in range(5):
            await call(f"{name}, attempt {attempt}")
            await bucket.cut()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(unlucky, "first")
        tasks.start_soon(unlucky, "second")
        for number in range(200):
            tasks.start_soon(call, f"newcomer {number}")
            await anyio.sleep(0.01)
    assert len(served) == 210
    assert served == asked


@simulated
async def test_without_adaptation_a_throttle_changes_nothing() -> None:
    limits = Limits(1.0, adaptive=False)
    await limits.throttled(HERE, "ec2", "DescribeVpcs")
    await _take_many(limits, 100, "ec2", "DescribeVpcs")
    assert now() == AT_ONCE


@simulated
async def test_waiters_are_served_in_turn_and_a_cancelled_one_harms_nobody() -> None:
    bucket = Bucket(1, 1)
    await bucket.take()
    served: list[int] = []

    async def wait(number: int) -> None:
        await bucket.take()
        served.append(number)

    async with anyio.create_task_group() as tasks, anyio.create_task_group() as first:
        first.start_soon(wait, 99)
        await anyio.sleep(0.1)
        for number in range(5):
            tasks.start_soon(wait, number)
        first.start_soon(wait, 98)
        await anyio.sleep(0.5)
        first.cancel_scope.cancel()
    assert served == [0, 1, 2, 3, 4]
    assert now() == pytest.approx(5)


@simulated
async def test_what_a_cancelled_call_has_paid_is_the_next_ones() -> None:
    bucket = Bucket(1, 1)
    for _ in range(12):
        await bucket.cut()
        await anyio.sleep(ECHO_SECONDS)
    assert bucket.rate < 0.2  # a call costs more than five tokens
    started = now()
    with anyio.move_on_after(4.0):
        await bucket.take()
    assert now() - started == pytest.approx(4.0)
    with anyio.fail_after(4.0):
        await bucket.take()


@simulated
async def test_full_buckets_are_forgotten() -> None:
    limits = Limits(1.0)
    for number in range(PURGE_AT):
        await limits.take(Target(f"{number:012}", "eu-west-1"), "ec2", "DescribeVpcs")
    await anyio.sleep(60)
    await limits.take(HERE, "ec2", "DescribeVpcs")
    assert len(limits._buckets) == 1


@simulated
async def test_buckets_in_use_are_kept() -> None:
    limits = Limits(1.0)
    for number in range(PURGE_AT + 10):
        await limits.take(Target(f"{number:012}", "eu-west-1"), "ec2", "DescribeVpcs")
    assert len(limits._buckets) == PURGE_AT + 10


@given(burst=st.floats(1, 1000), rate=st.floats(0.01, 1000), gaps=st.lists(st.floats(0, 10), max_size=40))
def test_no_span_sees_more_than_burst_and_rate_allow(burst: float, rate: float, gaps: list[float]) -> None:
    taken: list[float] = []

    async def work() -> None:
        bucket = Bucket(burst, rate)
        for gap in gaps:
            await anyio.sleep(gap)
            await bucket.take()
            taken.append(now())

    run(work())
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


class Aws:
    """A token bucket as AWS keeps it: `refused` counts the calls that came too soon."""

    def __init__(self, burst: float, rate: float) -> None:
        self.burst, self.rate = burst, rate
        self.tokens, self.seen = burst, 0.0
        self.calls = self.refused = 0

    def call(self) -> bool:
        self.tokens = min(self.burst, self.tokens + (now() - self.seen) * self.rate)
        self.seen, self.calls = now(), self.calls + 1
        if self.tokens < 1:
            self.refused += 1
            return False
        self.tokens -= 1
        return True


@pytest.mark.parametrize(
    ("service", "operation"),
    [("ec2", "DescribeVpcs"), ("iam", "ListUsers"), ("organizations", "ListAccounts"), ("emr", "ListClusters")],
)
@simulated
async def test_a_true_bucket_at_our_share_refuses_less_than_one_in_a_hundred(service: str, operation: str) -> None:
    (limit, *_) = limits_of(service, operation)
    aws, limits = Aws(limit.burst, limit.rate), Limits(0.8)

    async def call() -> None:
        while True:
            await limits.take(HERE, service, operation)
            if aws.call():
                return
            await limits.throttled(HERE, service, operation)

    async with anyio.create_task_group() as tasks:
        for _ in range(600):
            tasks.start_soon(call)
    assert aws.calls - aws.refused == 600
    assert aws.refused < 0.01 * aws.calls


@simulated
async def test_a_bucket_half_as_large_as_we_think_is_found_out() -> None:
    aws, limits = Aws(50, 10), Limits(0.8)
    done = 0

    async def call() -> None:
        nonlocal done
        while True:
            await limits.take(HERE, "ec2", "DescribeVpcs")
            if aws.call():
                done += 1
                return
            await limits.throttled(HERE, "ec2", "DescribeVpcs")

    async with anyio.create_task_group() as tasks:
        for _ in range(600):
            tasks.start_soon(call)
    assert done == 600
    assert aws.refused < 0.15 * aws.calls
    assert now() < 2 * 600 / aws.rate


def test_lambdas_shared_bucket_is_for_the_rest_of_its_control_plane() -> None:
    assert [limit.action for limit in limits_of("lambda", "GetPolicy")] == ["GetPolicy"]
    assert [limit.action for limit in limits_of("lambda", "ListAliases")] == ["*shared"]
