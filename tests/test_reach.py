from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skysweep.analysis.networks import ANYWHERE, Family
from skysweep.analysis.reach import (
    ANY_PORT,
    OPEN_GROUP,
    AclRule,
    Door,
    IngressRule,
    PortRange,
    Protocol,
    Route,
    SecurityGroup,
    Subnet,
    any_of,
    reachable,
)

V4: frozenset[Family] = frozenset({4})
V6: frozenset[Family] = frozenset({6})
BOTH = V4 | V6
TO_IGW = Route(("0.0.0.0/0",), to_internet=True)
TO_IGW6 = Route(("::/0",), to_internet=True)
LOCAL = Route(("10.0.0.0/16",), to_internet=False)
ALLOW = AclRule(100, allow=True, protocol="-1", fromport=None, toport=None, cidr="0.0.0.0/0")
ALLOW6 = replace(ALLOW, number=101, cidr="::/0")
DENY = AclRule(32767, allow=False, protocol="-1", fromport=None, toport=None, cidr="0.0.0.0/0")
PUBLIC = Subnet((LOCAL, TO_IGW, TO_IGW6), (ALLOW, ALLOW6, DENY))


def ssh(*cidrs: str) -> IngressRule:
    return IngressRule("tcp", 22, 22, cidrs)


def door(*rules: IngressRule, subnet: Subnet = PUBLIC, families: frozenset[Family] = V4) -> Door:
    return Door(families, (rules,), subnet)


def acl(*rules: AclRule) -> Subnet:
    return replace(PUBLIC, acl=rules)


def routes(*rules: Route) -> Subnet:
    return replace(PUBLIC, routes=rules)


@pytest.mark.parametrize(
    "rule",
    [
        ssh("0.0.0.0/0"),
        ssh("0.0.0.0/1"),
        ssh("0.0.0.0/1", "128.0.0.0/1"),
        ssh("10.0.0.0/8", "52.0.0.0/8"),
        IngressRule("-1", None, None, ("0.0.0.0/0",)),
        IngressRule("-1", -1, -1, ("0.0.0.0/0",)),
        IngressRule("6", 0, 65535, ("0.0.0.0/0",)),
        IngressRule("udp", 53, 53, ("0.0.0.0/0",)),
        IngressRule("17", 53, 53, ("0.0.0.0/0",)),
    ],
)
def test_rules_that_let_the_internet_in(rule: IngressRule) -> None:
    assert reachable(door(rule)) is True


@pytest.mark.parametrize(
    "rule",
    [
        ssh(),  # only other groups
        ssh("10.0.0.0/8"),
        ssh("198.51.100.7/32"),
        ssh("52.20.0.0/16"),
        ssh("::/0"),  # the door has no IPv6
        IngressRule("icmp", -1, -1, ("0.0.0.0/0",)),
        IngressRule("icmp", 8, -1, ("0.0.0.0/0",)),
        IngressRule("1", None, None, ("0.0.0.0/0",)),
        IngressRule("50", None, None, ("0.0.0.0/0",)),
    ],
)
def test_rules_that_do_not(rule: IngressRule) -> None:
    assert reachable(door(rule)) is False


def test_ipv6_is_judged_by_itself() -> None:
    assert reachable(door(ssh("::/0"), families=V6)) is True
    assert reachable(door(ssh("0.0.0.0/0"), families=V6)) is False
    assert reachable(door(ssh("::/0"), families=BOTH, subnet=routes(TO_IGW))) is False
    assert reachable(door(ssh("::/0"), families=BOTH, subnet=acl(ALLOW))) is False
    assert reachable(door(ssh("::/0"), families=frozenset())) is False


def test_halves_of_the_internet_in_several_groups_add_up_on_the_same_port_only() -> None:
    quarter = [f"{n}.0.0.0/9" for n in (52, 54)]  # one /9 alone is too little
    groups: tuple[SecurityGroup, ...] = ((ssh(quarter[0]),), (ssh(quarter[1]),))
    assert reachable(Door(V4, groups, PUBLIC)) is True
    apart: tuple[SecurityGroup, ...] = ((ssh(quarter[0]),), (IngressRule("tcp", 80, 80, (quarter[1],)),))
    assert reachable(Door(V4, apart, PUBLIC)) is False
    other: tuple[SecurityGroup, ...] = ((ssh(quarter[0]),), (IngressRule("udp", 22, 22, (quarter[1],)),))
    assert reachable(Door(V4, other, PUBLIC)) is False


@pytest.mark.parametrize(
    ("subnet", "expected"),
    [
        (routes(LOCAL), False),
        (routes(LOCAL, TO_IGW), True),
        (routes(Route(("0.0.0.0/0",), to_internet=False)), False),  # a NAT gateway, or a blackhole
        (routes(Route(("0.0.0.0/1",), to_internet=True)), True),
        (routes(Route(("52.20.0.0/16",), to_internet=True)), False),
        # The longer prefix wins: both halves go elsewhere, so nothing is left for the gateway.
        (routes(TO_IGW, Route(("0.0.0.0/1", "128.0.0.0/1"), to_internet=False)), False),
        (routes(TO_IGW, Route(("0.0.0.0/1",), to_internet=False)), True),
        (routes(TO_IGW6), False),
        (routes(TO_IGW, Route(None, to_internet=False)), True),  # the gateway endpoint of S3
    ],
)
def test_routes(subnet: Subnet, expected: bool) -> None:
    assert reachable(door(ssh("0.0.0.0/0"), subnet=subnet)) is expected


def test_rules_and_routes_must_overlap() -> None:
    assert reachable(door(ssh("0.0.0.0/1"), subnet=routes(Route(("128.0.0.0/1",), to_internet=True)))) is False


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ((), False),
        ((DENY,), False),
        ((ALLOW, DENY), True),
        ((DENY, replace(ALLOW, number=32768)), False),  # numbers decide, not the order they came in
        ((replace(ALLOW, number=200), replace(DENY, number=100)), False),
        ((replace(DENY, number=200), replace(ALLOW, number=100)), True),
        ((replace(DENY, number=50, protocol="6", fromport=22, toport=22), ALLOW), False),
        ((replace(DENY, number=50, protocol="6", fromport=80, toport=80), ALLOW), True),
        ((replace(DENY, number=50, protocol="17"), ALLOW), True),
        ((replace(DENY, number=50, protocol="1"), ALLOW), True),
        ((replace(DENY, number=50, cidr="203.0.113.0/24"), ALLOW), True),
        ((replace(DENY, number=50, cidr="0.0.0.0/1"), replace(DENY, number=51, cidr="128.0.0.0/1"), ALLOW), False),
        ((replace(ALLOW, cidr="10.0.0.0/8"), DENY), False),
        ((replace(ALLOW, protocol="6", fromport=1024, toport=65535), DENY), False),
        ((replace(ALLOW, protocol="6", fromport=0, toport=1023), DENY), True),
        ((ALLOW6,), False),
    ],
)
def test_network_acls(rules: tuple[AclRule, ...], expected: bool) -> None:
    assert reachable(door(ssh("0.0.0.0/0"), subnet=acl(*rules))) is expected


def test_one_port_that_group_and_acl_both_let_through_is_enough() -> None:
    wide = IngressRule("tcp", 20, 443, ("0.0.0.0/0",))
    only_https = replace(ALLOW, protocol="6", fromport=443, toport=500)
    assert reachable(door(wide, subnet=acl(only_https))) is True
    assert reachable(door(replace(wide, toport=442), subnet=acl(only_https))) is False
    low = replace(DENY, number=1, protocol="6", fromport=0, toport=99)
    high = replace(DENY, number=2, protocol="6", fromport=101, toport=65535)
    assert reachable(door(wide, subnet=acl(low, high, ALLOW))) is True  # port 100, where no rule begins
    assert reachable(door(wide, subnet=acl(low, replace(high, fromport=100), ALLOW))) is False


def test_only_wanted_ports_count() -> None:
    https = (PortRange("tcp", 443, 443),)
    assert reachable(replace(door(ssh("0.0.0.0/0")), ports=https)) is False
    assert reachable(replace(door(IngressRule("tcp", 1, 1000, ANYWHERE)), ports=https)) is True
    assert reachable(replace(door(IngressRule("udp", 443, 443, ANYWHERE)), ports=https)) is False
    assert reachable(replace(door(IngressRule("tcp", 1, 1000, ANYWHERE)), ports=())) is False


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (Door(V4, (None,), PUBLIC), None),
        (Door(V4, (None, (ssh("0.0.0.0/0"),)), PUBLIC), True),  # the unseen group cannot close what another opens
        (Door(V4, (None,), routes(LOCAL)), False),  # nor open what has no route
        (Door(V4, (OPEN_GROUP,), Subnet(None, (ALLOW,))), None),
        (Door(V4, (OPEN_GROUP,), Subnet((TO_IGW,), None)), None),
        (Door(V4, (OPEN_GROUP,), Subnet(None, (DENY,))), False),
        (Door(V4, ((ssh("10.0.0.0/8"),),), Subnet(None, None)), False),
        (Door(V4, ((IngressRule("tcp", 22, 22, None),),), PUBLIC), None),
        (Door(V4, ((IngressRule("tcp", 22, 22, None), ssh("0.0.0.0/0")),), PUBLIC), True),
        (Door(V4, (OPEN_GROUP,), routes(LOCAL, Route(None, to_internet=True))), None),
        (Door(V6, (OPEN_GROUP,), routes(TO_IGW)), False),
    ],
)
def test_what_was_never_seen_is_unknown_only_where_it_decides(where: Door, expected: bool | None) -> None:
    assert reachable(where) is expected


def test_any_of() -> None:
    assert any_of([]) is False
    assert any_of([False, None]) is None
    assert any_of([None, True]) is True


# A reference that reads the definitions naively, packet by packet, on whole /8 blocks.
blocks = st.sampled_from(["0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "64.0.0.0/2", "52.0.0.0/8", "10.0.0.0/8"])
protocols = st.sampled_from(["-1", "tcp", "udp", "icmp"])
ports = st.sampled_from([(None, None), (0, 65535), (22, 22), (20, 80), (80, 443), (1024, 65535)])
ingress = st.builds(
    lambda proto, span, cidrs: IngressRule(proto, span[0], span[1], tuple(cidrs)),
    protocols,
    ports,
    st.lists(blocks, max_size=2),
)
acl_rules = st.builds(
    lambda number, allow, proto, span, cidr: AclRule(number, allow, proto, span[0], span[1], cidr),
    st.integers(1, 9),
    st.booleans(),
    protocols,
    ports,
    blocks,
)
PROBED = (0, 20, 22, 23, 80, 81, 443, 444, 1024, 65535)
SOURCES = [n for n in range(1, 224) if n not in {10, 127}]


def matches(rule: IngressRule | AclRule, protocol: Protocol, port: int) -> bool:
    same = rule.protocol in {"-1", protocol}
    return same and (rule.fromport is None or rule.toport is None or rule.fromport <= port <= rule.toport)


def holds(cidr: str, first_octet: int) -> bool:
    address, _, bits = cidr.partition("/")
    shift = 8 - int(bits)
    return int(address.split(".")[0]) >> shift == first_octet >> shift


def packet_passes(source: int, protocol: Protocol, port: int, group: list[IngressRule], entries: list[AclRule]) -> bool:
    admitted = any(matches(r, protocol, port) and any(holds(c, source) for c in r.cidrs or ()) for r in group)
    first = next((r for r in entries if matches(r, protocol, port) and holds(r.cidr, source)), None)
    return admitted and first is not None and first.allow


@given(st.lists(ingress, max_size=3), st.lists(acl_rules, max_size=4, unique_by=lambda rule: rule.number))
def test_agrees_with_single_packets(group: list[IngressRule], entries: list[AclRule]) -> None:
    ordered = sorted(entries, key=lambda rule: rule.number)
    expected = any(
        packet_passes(source, wanted.protocol, port, group, ordered)
        for wanted in ANY_PORT
        for port in PROBED
        for source in SOURCES
    )
    assert reachable(Door(V4, (tuple(group),), Subnet((TO_IGW,), tuple(entries)))) is expected


def test_what_is_no_cidr_is_left_out_and_stops_nothing() -> None:
    odd = routes(TO_IGW, Route(("destination-1",), to_internet=False))
    assert reachable(door(ssh("somewhere", "0.0.0.0/0"), subnet=odd)) is True
    assert reachable(door(ssh("somewhere"), subnet=odd)) is False
    assert reachable(door(ssh("0.0.0.0/0"), subnet=acl(ALLOW, replace(DENY, number=1, cidr="nowhere")))) is True
