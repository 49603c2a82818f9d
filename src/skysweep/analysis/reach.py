"""Whether the internet gets to a door: an address or balancer node in a subnet, behind security groups and an ACL.

Everything is decided per address family, protocol and port, on sets of source addresses: what an internet gateway
routes, what a security group lets in and what the network ACL does not stop must overlap in an internet-sized set on
at least one port. A part that was never seen is None, and the answer is None only where that part would decide it.

- Only TCP and UDP have ports: ICMP and other protocols alone expose nothing; protocol -1 is both.
- The ACL's egress rules are not asked. A blocked return path breaks replies, not the packet that comes in.
- A route that is a blackhole still wins by its prefix and leads nowhere. An egress-only gateway lets nothing in.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from ipaddress import ip_network
from typing import TYPE_CHECKING, Literal, TypeAlias

from skysweep.analysis.networks import (
    ANYWHERE,
    EVERYTHING,
    FAMILIES,
    NOTHING,
    Family,
    Ranges,
    intersect,
    is_internet,
    parse,
    readable,
    subtract,
    union,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

Protocol: TypeAlias = Literal["tcp", "udp"]

MAX_PORT = 65535
_PROTOCOLS: dict[str, frozenset[Protocol]] = {
    "-1": frozenset({"tcp", "udp"}),
    "all": frozenset({"tcp", "udp"}),
    "tcp": frozenset({"tcp"}),
    "6": frozenset({"tcp"}),
    "udp": frozenset({"udp"}),
    "17": frozenset({"udp"}),
}


@dataclass(frozen=True, slots=True)
class PortRange:
    """Ports of one protocol, both ends included."""

    protocol: Protocol
    first: int = 0
    last: int = MAX_PORT


ANY_PORT = (PortRange("tcp"), PortRange("udp"))


@dataclass(frozen=True, slots=True)
class IngressRule:
    """An inbound permission of a security group; `cidrs` of both families, None when a prefix list is unread."""

    protocol: str
    fromport: int | None
    toport: int | None
    cidrs: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class AclRule:
    """An inbound entry of a network ACL."""

    number: int
    allow: bool
    protocol: str
    fromport: int | None
    toport: int | None
    cidr: str


@dataclass(frozen=True, slots=True)
class Route:
    """A route: destinations of both families (None: an unread prefix list), and whether a live igw- is its target."""

    cidrs: tuple[str, ...] | None
    to_internet: bool


@dataclass(frozen=True, slots=True)
class Subnet:
    """What stands around a subnet; None for a route table or an ACL that was never seen."""

    routes: tuple[Route, ...] | None
    acl: tuple[AclRule, ...] | None


SecurityGroup: TypeAlias = tuple[IngressRule, ...] | None

OPEN_GROUP: SecurityGroup = (IngressRule("-1", None, None, ANYWHERE),)
UNSEEN_SUBNET = Subnet(None, None)


@dataclass(frozen=True, slots=True)
class Door:
    """A place that packets can arrive at: its public families, groups (None: never seen), subnet and wanted ports."""

    families: frozenset[Family]
    groups: tuple[SecurityGroup, ...]
    subnet: Subnet
    ports: tuple[PortRange, ...] = ANY_PORT


def any_of(verdicts: Iterable[bool | None]) -> bool | None:
    """Combine verdicts by "or": True wins, then None (not known), then False."""
    unknown = False
    for verdict in verdicts:
        if verdict:
            return True
        unknown |= verdict is None
    return None if unknown else False


def reachable(door: Door) -> bool | None:
    """Tell whether the internet reaches the door: None when parts never seen would make the difference."""
    return any_of(_verdict(family, door) for family in FAMILIES if family in door.families)


def _verdict(family: Family, door: Door) -> bool | None:
    least, most = _assume(door, everything=False), _assume(door, everything=True)
    if _passes(family, least):
        return True
    return None if most != least and _passes(family, most) else False


def _assume(door: Door, *, everything: bool) -> Door:
    """Fill what was never seen with all that it could let in, or with nothing."""
    cidrs = ANYWHERE if everything else ()
    return replace(
        door,
        groups=tuple(_filled_group(group, cidrs) for group in door.groups),
        subnet=Subnet(
            routes=tuple(replace(r, cidrs=cidrs) if r.cidrs is None else r for r in door.subnet.routes)
            if door.subnet.routes is not None
            else (Route(cidrs, to_internet=True),),
            acl=door.subnet.acl
            if door.subnet.acl is not None
            else tuple(AclRule(1, allow=True, protocol="-1", fromport=None, toport=None, cidr=cidr) for cidr in cidrs),
        ),
    )


def _filled_group(group: SecurityGroup, cidrs: tuple[str, ...]) -> SecurityGroup:
    if group is None:
        return (IngressRule("-1", None, None, cidrs),)
    return tuple(replace(rule, cidrs=cidrs) if rule.cidrs is None else rule for rule in group)


@dataclass(frozen=True, slots=True)
class _Span:
    """A rule of either kind, for one family and protocol."""

    first: int
    last: int
    sources: Ranges
    allow: bool = True

    def covers(self, port: int) -> bool:
        return self.first <= port <= self.last


def _passes(family: Family, door: Door) -> bool:
    routed = _routed(family, door.subnet.routes or ())
    if not is_internet(family, routed):
        return False
    rules = [rule for group in door.groups for rule in group or ()]
    return any(
        _passes_port(family, port, routed, groups, acl)
        for wanted in door.ports
        if (groups := _group_spans(family, wanted.protocol, rules))
        for acl in [_acl_spans(family, wanted.protocol, door.subnet.acl or ())]
        for port in _turning_points(wanted, [*groups, *acl])
    )


def _passes_port(family: Family, port: int, routed: Ranges, groups: list[_Span], acl: list[_Span]) -> bool:
    admitted = intersect(routed, union(r for span in groups if span.covers(port) for r in span.sources))
    return is_internet(family, admitted) and is_internet(family, intersect(admitted, _allowed(family, port, acl)))


def _turning_points(wanted: PortRange, spans: Iterable[_Span]) -> list[int]:
    """Give the ports at which the answer can change: where a rule begins, and just behind where one ends."""
    edges = {wanted.first} | {edge for span in spans for edge in (span.first, span.last + 1)}
    return sorted(edge for edge in edges if wanted.first <= edge <= wanted.last)


def _group_spans(family: Family, protocol: Protocol, rules: Iterable[IngressRule]) -> list[_Span]:
    spans = (
        _Span(*_port_span(rule.fromport, rule.toport), parse(family, readable(rule.cidrs or ())))
        for rule in rules
        if protocol in _PROTOCOLS.get(rule.protocol, ())
    )
    return [span for span in spans if span.sources]


def _acl_spans(family: Family, protocol: Protocol, rules: Iterable[AclRule]) -> list[_Span]:
    return [
        _Span(*_port_span(rule.fromport, rule.toport), parse(family, readable([rule.cidr])), rule.allow)
        for rule in sorted(rules, key=lambda rule: rule.number)
        if protocol in _PROTOCOLS.get(rule.protocol, ())
    ]


def _port_span(fromport: int | None, toport: int | None) -> tuple[int, int]:
    # AWS leaves the ports out of "all traffic"; -1 is its older way of saying the same.
    if fromport is None or toport is None or fromport < 0:
        return (0, MAX_PORT)
    return (fromport, toport)


def _allowed(family: Family, port: int, acl: Iterable[_Span]) -> Ranges:
    """Give the sources that an ACL admits on a port: the first rule that matches decides, the last resort denies."""
    undecided, allowed = EVERYTHING[family], NOTHING
    for span in acl:
        if not span.covers(port):
            continue
        if span.allow:
            allowed = union((*allowed, *intersect(undecided, span.sources)))
        undecided = subtract(undecided, span.sources)
    return allowed


def _routed(family: Family, routes: Iterable[Route]) -> Ranges:
    """Give the addresses whose longest matching route leads to an internet gateway."""
    destinations = sorted(
        (
            (net.prefixlen, route.to_internet, cidr)
            for route in routes
            for cidr in readable(route.cidrs or ())
            if (net := ip_network(cidr, strict=False)).version == family
        ),
        reverse=True,
    )
    undecided, routed = EVERYTHING[family], NOTHING
    for _, to_internet, cidr in destinations:
        ranges = parse(family, [cidr])
        if to_internet:
            routed = union((*routed, *intersect(undecided, ranges)))
        undecided = subtract(undecided, ranges)
    return routed
