from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from typing import Any

import anyio

from simulated import now, simulated
from skysweep import catalogue
from skysweep.model import call
from skysweep.shelf import GIVEN_SECONDS, PAGE, SMALL, Shelf, fits, items

ONE, TWO = call("ec2", "DescribeInstances").call, call("ec2", "DescribeVolumes").call
Page = Mapping[str, Any]


def test_items_are_what_the_lists_of_a_page_hold() -> None:
    assert items({"Volumes": [1, 2], "NextToken": "x"}) == 2
    assert items({"DistributionList": {"Items": [1], "Marker": ""}, "More": []}) == 1
    assert items({}) == 0


async def listing(sizes: list[int], asked: list[int], seconds: float = 1.0) -> AsyncIterator[Page]:
    for size in sizes:
        asked.append(size)
        await anyio.sleep(seconds)
        yield {"Things": [0] * size}


async def walked(shelf: Shelf, sizes: list[int], asked: list[int], *, each: float, seconds: float = 1.0) -> None:
    """Walks a listing whose pages come after so many seconds and are walked for `each` more."""
    async for _ in shelf.pages(ONE, listing(sizes, asked, seconds)):
        await anyio.sleep(each)


@simulated
async def test_full_pages_wait_until_others_have_been_walked() -> None:
    shelf, asked = Shelf(3 * PAGE), list[int]()
    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(lambda: walked(shelf, [PAGE] * 2, asked, each=10.0))
        await anyio.sleep(5)
        assert len(asked) == 3
        await anyio.sleep(11)
        assert len(asked) == 6
    assert len(asked) == 40, "all have their turn"


@simulated
async def test_small_pages_wait_for_nothing() -> None:
    shelf, asked = Shelf(3 * PAGE), list[int]()
    for _ in range(8):  # by then it is known that they are small
        await walked(shelf, [SMALL - 1], asked, each=0.0)
    asked.clear()
    async with anyio.create_task_group() as tasks:
        for _ in range(200):
            tasks.start_soon(lambda: walked(shelf, [SMALL - 1], asked, each=100.0))
        await anyio.sleep(0.5)
        assert len(asked) == 200


@simulated
async def test_a_page_that_does_not_come_gives_its_room_back() -> None:
    shelf, silent, asked = Shelf(PAGE), list[int](), list[int]()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: walked(shelf, [PAGE], silent, each=0.0, seconds=60.0))
        await anyio.sleep(0.1)
        await walked(shelf, [PAGE], asked, each=0.0)
        assert GIVEN_SECONDS + 1 <= now() < 10
    async with anyio.create_task_group() as tasks:  # and what it gave back it does not give twice
        for _ in range(5):
            tasks.start_soon(lambda: walked(shelf, [PAGE], asked, each=30.0))
        await anyio.sleep(20)
        assert len(asked) == 2


@simulated
async def test_a_listing_that_ends_before_its_time_leaves_nothing_behind() -> None:
    shelf, asked = Shelf(PAGE), list[int]()
    for _ in range(5):
        async with aclosing(shelf.pages(TWO, listing([PAGE, PAGE], asked))) as coming:  # type: ignore[type-var]
            async for _page in coming:
                break
    with anyio.fail_after(5):
        await walked(shelf, [PAGE], asked, each=0.0)


def test_listings_whose_records_need_calls_do_not_wait() -> None:
    whole = catalogue.load()
    waiting = {call.operation for call in whole.calls if fits(whole.branches[call])}
    assert {"DescribeInstances", "DescribeVolumes", "DescribeNetworkInterfaces"} <= waiting
    assert not {"ListBuckets", "ListTopics", "ListKeys"} & waiting
