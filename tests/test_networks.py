from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skysweep.analysis.networks import (
    EVERYTHING,
    INTERNET,
    Family,
    Ranges,
    intersect,
    is_internet,
    is_public_address,
    parse,
    size,
    subtract,
    union,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

small = st.integers(0, 40)
intervals = st.lists(st.tuples(small, small).map(lambda ends: (min(ends), max(ends))), max_size=6)


def members(ranges: Iterable[tuple[int, int]]) -> set[int]:
    return {n for low, high in ranges for n in range(low, high + 1)}


@given(intervals)
def test_union_is_canonical(parts: list[tuple[int, int]]) -> None:
    ranges = union(parts)
    assert members(ranges) == members(parts)
    assert all(before[1] + 1 < after[0] for before, after in pairwise(ranges))
    assert size(ranges) == len(members(parts))


@given(intervals, intervals)
def test_set_algebra_is_that_of_sets(left: list[tuple[int, int]], right: list[tuple[int, int]]) -> None:
    a, b = union(left), union(right)
    assert members(intersect(a, b)) == members(a) & members(b)
    assert members(subtract(a, b)) == members(a) - members(b)
    assert union(subtract(a, b)) == subtract(a, b)


@pytest.mark.parametrize("bits", range(9))
def test_any_split_of_everything_is_the_internet(bits: int) -> None:
    step = 2 ** (32 - bits)
    cidrs = [f"{IPv4Address(i * step)}/{bits}" for i in range(2**bits)]
    assert parse(4, cidrs) == EVERYTHING[4]
    assert is_internet(4, parse(4, cidrs))


@pytest.mark.parametrize(
    ("family", "cidrs"),
    [
        (4, ["0.0.0.0/0"]),
        (4, ["0.0.0.0/1"]),
        (4, ["128.0.0.0/1"]),
        (4, ["0.0.0.0/1", "128.0.0.0/1"]),
        (4, ["52.0.0.0/8"]),
        (4, ["100.0.0.0/8"]),  # a quarter of it is carrier-grade NAT
        (4, ["172.0.0.0/8"]),
        (4, ["192.0.0.0/8"]),
        (4, ["52.0.0.0/9", "52.128.0.0/9"]),
        (4, [f"52.{n}.0.0/16" for n in range(256)]),
        (6, ["::/0"]),
        (6, ["2000::/3"]),
        (6, ["::/1"]),
        (6, ["2600::/12"]),
    ],
)
def test_wide_sets_are_the_internet(family: Family, cidrs: list[str]) -> None:
    assert is_internet(family, parse(family, cidrs))


@pytest.mark.parametrize(
    ("family", "cidrs"),
    [
        (4, []),
        (4, ["::/0"]),
        (4, ["10.0.0.0/8"]),
        (4, ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8"]),
        (4, ["224.0.0.0/3"]),
        (4, ["8.8.8.8/32"]),
        (4, ["52.20.0.0/16"]),
        (4, ["52.0.0.0/9"]),
        (6, ["0.0.0.0/0"]),
        (6, ["fc00::/7"]),
        (6, ["fe80::/10"]),
        (6, ["2001:db8::/32"]),
        (6, ["2600::/13"]),
        (6, ["2600:1f00::/24"]),
        (6, ["8000::/1"]),
    ],
)
def test_private_and_narrow_sets_are_not(family: Family, cidrs: list[str]) -> None:
    assert not is_internet(family, parse(family, cidrs))


@given(st.sets(st.integers(0, 255), max_size=40), st.integers(0, 255))
def test_more_addresses_never_close(blocks: set[int], more: int) -> None:
    before = parse(4, [f"{block}.0.0.0/9" for block in blocks])
    after = parse(4, [f"{block}.0.0.0/9" for block in {*blocks, more}])
    assert is_internet(4, after) >= is_internet(4, before)


def test_host_bits_are_forgiven_and_nonsense_is_not() -> None:
    assert parse(4, ["10.1.2.3/8"]) == parse(4, ["10.0.0.0/8"])
    with pytest.raises(ValueError, match="nonsense"):
        parse(4, ["nonsense"])


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("52.1.2.3", True),
        ("10.0.0.1", False),
        ("100.64.1.1", False),
        ("2600:1f18::1", True),
        ("fd12::1", False),
        ("fe80::1", False),
    ],
)
def test_public_addresses(address: str, public: bool) -> None:
    assert is_public_address(address) is public


def test_the_internet_is_canonical() -> None:
    expected: Ranges = union(INTERNET[4])
    assert expected == INTERNET[4]
    assert int(IPv4Address("172.16.0.1")) not in {low for low, _ in expected}
    assert intersect(INTERNET[6], parse(6, [str(IPv6Address("2600::"))])) != ()
