from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from random import Random

import anyio
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from benchmarks.fakeaws import Estate, serving
from benchmarks.fakeaws.faults import Fault, Seen
from benchmarks.stores import empty
from gates import settings, swept
from skysweep import books, plan
from skysweep.collector import Feed
from skysweep.ledger import Ledger, Past
from skysweep.order import DEALT, OPEN, Deal, Lot, Order, dearest
from skysweep.outcomes import Outcome, Tally, UnitResult
from skysweep.plan import Account, Target, Unit
from skysweep.store import StoreSettings, open_store
from world import CATALOGUE, EAST, ONE, TWO, WEST

CALLS = CATALOGUE.calls


def lots(costs: Sequence[Sequence[float]]) -> list[Lot]:
    """A lot for each account, with a unit in a region of its own for each cost."""
    return [
        [(cost, Unit(Target(str(number), str(place)), CALLS[0])) for place, cost in enumerate(each)]
        for number, each in enumerate(costs)
    ]


def swept_by(workers: int, share: int, made: list[Lot]) -> tuple[float, list[Unit]]:
    """How long so many workers take if each unit takes what it costs; the units in the order that they were begun."""
    cost = {unit: each for lot in made for each, unit in lot}
    order, now, tie = Order(iter([list(lot) for lot in made]), share=share), 0.0, count()
    busy: list[tuple[float, int, Unit]] = []
    begun: list[Unit] = []
    taking: Iterator[Unit] = order
    while True:
        while len(busy) < workers and (unit := next(taking, None)) is not None:
            begun.append(unit)
            heapq.heappush(busy, (now + cost[unit], next(tie), unit))
        if not busy:
            return now, begun
        now, _, ended = heapq.heappop(busy)
        order.over(ended)


costs = st.lists(st.lists(st.floats(1, 1e6), max_size=9), max_size=2 * OPEN)


@hypothesis_settings(deadline=None)
@given(costs=costs, workers=st.integers(1, 20), share=st.integers(1, 9))
def test_every_unit_is_taken_once_and_nobody_waits_for_one(costs: list[list[float]], workers: int, share: int) -> None:
    made = lots(costs)
    every = [each for lot in costs for each in lot]
    seconds, begun = swept_by(workers, share, made)
    assert Counter(begun) == Counter(unit for lot in made for _, unit in lot)
    # Graham's bound, which holds as long as no worker is idle while a unit is left.
    assert seconds <= (sum(every) / workers + max(every, default=0)) * (1 + 1e-9)


@given(costs=costs.filter(any))
def test_the_dearest_account_begins_with_its_dearest_unit(costs: list[list[float]]) -> None:
    costs = sorted(costs, key=sum, reverse=True)
    first = next(Order(iter(lots(costs)), share=1))
    assert (int(first.target.account), costs[0][int(first.target.region)]) == (0, max(costs[0]))


@hypothesis_settings(deadline=None)
@given(costs=costs, share=st.integers(1, 5), random=st.randoms(use_true_random=True))
def test_beyond_its_share_an_account_lets_others_pass(costs: list[list[float]], share: int, random: Random) -> None:
    running, left = Counter[str](), {str(n): len(lot) for n, lot in enumerate(costs) if lot}
    order, under_way = Order(iter(lots(costs)), share=share), list[Unit]()
    for unit in order:
        mine = unit.target.account
        opened = list(left)[:OPEN]  # of the others none has been touched
        others = [each for each in opened if running[each] < share]
        assert mine in left
        assert running[mine] < share or not others, f"{mine} has {running[mine]} of {share}; {others} have less"
        running[mine] += 1
        under_way.append(unit)
        left[mine] -= 1
        if not left[mine]:
            del left[mine]
        while under_way and random.random() < 0.4:
            ended = under_way.pop(random.randrange(len(under_way)))
            running[ended.target.account] -= 1
            order.over(ended)


@hypothesis_settings(deadline=None, max_examples=30)
@given(random=st.randoms(use_true_random=True))
def test_half_of_everything_in_one_account_leaves_no_tail(random: Random) -> None:
    big = [random.paretovariate(1.2) for _ in range(300)]
    part = sum(big) / 99
    small = [[random.random() * part / 15 for _ in range(30)] for _ in range(99)]
    costs = sorted([big, *small], key=sum, reverse=True)
    assert costs[0] is big
    seconds, _ = swept_by(40, 10, lots(costs))
    whole = sum(map(sum, costs))
    assert seconds <= 1.2 * max(whole / 40, *big)


@given(count=st.integers(2, OPEN), units=st.integers(2, 6))
def test_equal_accounts_take_turns(count: int, units: int) -> None:
    order = Order(iter(lots([[1.0] * units] * count)), share=99)
    rounds = [[next(order).target.account for _ in range(count)] for _ in range(units)]
    assert rounds == [[str(number) for number in range(count)]] * units
    assert next(order, None) is None


def test_of_equal_cost_units_keep_the_plans_order_and_few_accounts_are_open() -> None:
    opened = []

    def coming() -> Iterator[Lot]:
        for lot in lots([[1.0] * 3] * (3 * OPEN)):
            opened.append(lot)
            yield lot

    order = Order(coming(), share=99)
    regions = [unit.target.region for unit in order if unit.target.account == "0" or len(opened) > OPEN + 1]
    assert regions[:3] == ["0", "1", "2"]
    order = Order(coming(), share=99)
    opened.clear()
    next(order)
    assert len(opened) == OPEN


def test_accounts_that_nothing_is_known_of_are_in_the_middle() -> None:
    accounts = [Account(name) for name in "abcdef"]
    order = dearest(accounts, {"a": 1.0, "b": 9.0, "d": 5.0})
    assert [each.id for each in order] == ["b", "c", "d", "e", "f", "a"]
    assert dearest(accounts, {}) == accounts


# What it costs, by the ledger


def test_the_plan_begins_with_what_took_most_calls_of_late(tmp_path: Path) -> None:
    accounts = [Account(ONE, regions=(EAST, WEST)), Account(TWO, regions=(EAST, WEST))]

    def took(account: str, region: str, operation: str, calls: int) -> tuple[UnitResult, str]:
        return UnitResult(account, region, "ec2", operation, Outcome.COMPLETE, calls=calls), "{}"

    with Ledger(tmp_path) as ledger:
        for number in range(3):
            ledger.begin(Past(f"sweep {number}", number + 1, 1.0, "running"), accounts)
            wide = took(TWO, WEST, "DescribeInstances", 40 - number)
            ledger.record(
                f"sweep {number}", [took(ONE, EAST, "DescribeVpcs", 30), wide, took(TWO, EAST, "DescribeVpcs", number)]
            )
        made = books.new(ledger, Tally(), accounts, CATALOGUE)
        made.begin(9)
        assert ledger.costs() == {ONE: 30, TWO: 40}
        begun = [(*_place(unit), unit.call.operation) for unit in made.to_do(CATALOGUE, share=100)]
        assert begun[:2] == [(TWO, WEST, "DescribeInstances"), (ONE, EAST, "DescribeVpcs")]
        assert (TWO, EAST, "DescribeVpcs") in begun[2:4]
        assert len(begun) == len(set(begun)) == sum(plan.count(each, CALLS) for each in accounts)


def test_where_nothing_is_known_listings_with_details_come_first(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        made = books.new(ledger, Tally(), [Account(ONE, regions=(EAST, WEST))], CATALOGUE)
        made.begin(9)
        assert next(made.to_do(CATALOGUE)).call.operation == "ListBuckets"


def _place(unit: Unit) -> tuple[str, str]:
    return unit.target.account, unit.target.region


class Watch:
    """A plan without faults that keeps the accounts and operations of the first requests."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []

    def __call__(self, seen: Seen) -> Fault | None:
        self.seen.append(seen)
        return None


@pytest.mark.parametrize("concurrency", [4])
async def test_the_big_account_begins_at_once_in_the_sweep_after_its_first(
    embedded: StoreSettings, tmp_path: Path, concurrency: int
) -> None:
    estate = Estate.random(3, accounts=6, regions=2, resources=900)
    async with serving(estate) as server:
        async with open_store(embedded) as opened:
            await empty(opened)
        made = settings(server, embedded, tmp_path, syncs=("iam", "s3", "ec2:instance"), concurrency=concurrency)
        first = await swept(server, embedded, tmp_path, syncs=made.syncs, concurrency=concurrency)
        with Ledger(tmp_path) as ledger:
            units = sorted(ledger.units(first.sweep), key=lambda unit: -unit.calls)
            spent = ledger.costs()
        server.faults = watch = Watch()
        await swept(server, embedded, tmp_path, syncs=made.syncs, concurrency=concurrency)
    big = max(spent, key=lambda account: spent[account])
    dearest_unit = next(unit for unit in units if unit.account == big)
    listings = [seen for seen in watch.seen if seen.service not in {"sts", "organizations"}]
    listings = [seen for seen in listings if seen.operation != "DescribeRegions"]
    assert spent[big] > sum(spent.values()) / 3, "one account has much of everything"
    assert (listings[0].account, listings[0].operation) == (big, dearest_unit.operation)


# Dealt to processes


@hypothesis_settings(deadline=None)
@given(costs=costs, processes=st.integers(1, 4), random=st.randoms(use_true_random=True))
def test_each_account_is_dealt_once_to_one_process_alone(
    costs: list[list[float]], processes: int, random: Random
) -> None:
    made = lots(costs)
    deal = Deal(((Account(str(number)), lot) for number, lot in enumerate(made)), processes)
    holders: dict[str, int] = {}
    under_way: list[tuple[int, Unit]] = []
    ended: list[Unit] = []
    while not deal.done:
        while (dealt := deal.next()) is not None:
            number, account, lot = dealt
            assert account.id not in holders
            holders[account.id] = number
            under_way += [(number, unit) for _, unit in lot]
            assert len({unit.target.account for holder, unit in under_way if holder == number}) <= DEALT
        if under_way:
            number, unit = under_way.pop(random.randrange(len(under_way)))
            deal.over(number, unit)
            ended.append(unit)
    assert Counter(ended) == Counter(unit for lot in made for _, unit in lot)
    assert deal.next() is None


def test_the_dearest_account_has_a_process_and_the_others_share_the_rest() -> None:
    made = lots([[9.0, 9.0], [5.0], [4.0], [3.0]])
    deal = Deal(((Account(str(number)), lot) for number, lot in enumerate(made)), 2)
    dealt = [deal.next() for _ in range(4)]
    assert [(each[1].id, each[0]) for each in dealt if each] == [("0", 0), ("1", 1), ("2", 1), ("3", 1)]
    assert deal.next() is None
    assert not deal.done


def test_a_process_is_dealt_more_once_an_account_of_its_own_is_over() -> None:
    made = lots([[1.0, 1.0]] * (2 * DEALT + 1))
    deal = Deal(((Account(str(number)), lot) for number, lot in enumerate(made)), 2)
    given_first = list(iter(deal.next, None))
    assert Counter(number for number, _, _ in given_first) == {0: DEALT, 1: DEALT}
    number, _, [(_, one), (_, other)] = given_first[0]
    deal.over(number, one)
    assert deal.next() is None
    deal.over(number, other)
    more = deal.next()
    assert more is not None
    assert more[0] == number


def test_what_a_process_was_not_given_it_cannot_end() -> None:
    made = lots([[1.0], [1.0]])
    deal = Deal(((Account(str(number)), lot) for number, lot in enumerate(made)), 2)
    assert [deal.next(), deal.next()]
    with pytest.raises(KeyError):
        deal.over(0, made[1][0][1])


# For workers that wait


async def test_workers_wait_for_what_is_still_to_come_and_end_with_it() -> None:
    feed, taken = Feed(Order(share=2)), list[Unit]()

    async def work() -> None:
        while (unit := await feed.next()) is not None:
            taken.append(unit)
            feed.over(unit)

    first, second = lots([[1.0, 2.0], [3.0]])
    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(work)
        await anyio.wait_all_tasks_blocked()
        feed.add(first)
        await anyio.wait_all_tasks_blocked()
        assert len(taken) == 2
        feed.add(second)
        feed.close()
    assert Counter(taken) == Counter(unit for _, unit in [*first, *second])
