"""Sets of IP addresses, and when such a set is the internet.

A set of one family is a sorted tuple of disjoint, inclusive integer intervals: `0.0.0.0/1` and `128.0.0.0/1` together
are exactly `0.0.0.0/0`, whatever number of rules they came in.
"""

from __future__ import annotations

from ipaddress import IPv4Network, ip_network
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

Family: TypeAlias = Literal[4, 6]
Ranges: TypeAlias = tuple[tuple[int, int], ...]

FAMILIES: tuple[Family, ...] = (4, 6)
NOTHING: Ranges = ()
EVERYTHING: dict[Family, Ranges] = {4: ((0, 2**32 - 1),), 6: ((0, 2**128 - 1),)}
ANYWHERE = ("0.0.0.0/0", "::/0")


def union(intervals: Iterable[tuple[int, int]]) -> Ranges:
    """Give the disjoint, sorted form of any intervals; neighbours melt together."""
    merged: list[tuple[int, int]] = []
    for low, high in sorted(intervals):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return tuple(merged)


def intersect(left: Ranges, right: Ranges) -> Ranges:
    """Give the addresses that are in both sets."""
    common: list[tuple[int, int]] = []
    i = j = 0
    while i < len(left) and j < len(right):
        low, high = max(left[i][0], right[j][0]), min(left[i][1], right[j][1])
        if low <= high:
            common.append((low, high))
        if left[i][1] < right[j][1]:
            i += 1
        else:
            j += 1
    return tuple(common)


def subtract(left: Ranges, right: Ranges) -> Ranges:
    """Give the addresses of `left` that are not in `right`."""
    if not left:
        return NOTHING
    fences = ((-1, left[0][0] - 1), *right, (left[-1][1] + 1, left[-1][1] + 1))
    gaps = tuple((before[1] + 1, after[0] - 1) for before, after in pairwise(union(fences)))
    return intersect(left, gaps)


def size(ranges: Ranges) -> int:
    """Count the addresses of a set."""
    return sum(high - low + 1 for low, high in ranges)


def parse(family: Family, cidrs: Iterable[str]) -> Ranges:
    """Read the CIDRs of one family and leave out the other's; raises ValueError for what is no CIDR."""
    networks = (ip_network(cidr, strict=False) for cidr in cidrs)
    return union((int(net.network_address), int(net.broadcast_address)) for net in networks if net.version == family)


def readable(cidrs: Iterable[str]) -> list[str]:
    """Leave out what is no CIDR: a graph may hold any text, and one must not stop the analysis of all others."""
    return [cidr for cidr in cidrs if _is_cidr(cidr)]


def _is_cidr(text: str) -> bool:
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def family_of(cidr: str) -> Family:
    """Tell whether a CIDR or an address is IPv4 or IPv6; raises ValueError for what is neither."""
    return 4 if isinstance(ip_network(cidr, strict=False), IPv4Network) else 6


# IANA's special-purpose registries (RFC 6890 and successors): addresses that never come from the internet.
_NEVER_ROUTED = (
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/3",
)
INTERNET: dict[Family, Ranges] = {
    4: subtract(EVERYTHING[4], parse(4, _NEVER_ROUTED)),
    6: parse(6, ["2000::/3"]),
}
# As much as IANA hands to a whole regional registry at a time: a /8 of IPv4, a /12 of IPv6. Three quarters of the /8,
# because special-purpose blocks take up to a quarter out of a public one (100.64.0.0/10 out of 100.0.0.0/8).
ENOUGH: dict[Family, int] = {4: 3 * 2**22, 6: 2**116}


def is_internet(family: Family, ranges: Ranges) -> bool:
    """Tell whether a set holds so much public address space that only "the internet" describes it.

    True from a public /8 of IPv4 or a /12 of IPv6 on, in one piece or in many; private space never counts; an
    office's /32, a company's /16 or a provider's /9 does not either.
    """
    return size(intersect(ranges, INTERNET[family])) >= ENOUGH[family]


def is_public_address(address: str) -> bool:
    """Tell whether one address can be reached from the internet at all; what is no address cannot."""
    if not _is_cidr(address):
        return False
    family = family_of(address)
    return bool(intersect(parse(family, [address]), INTERNET[family]))
