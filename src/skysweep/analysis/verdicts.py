"""What the flags of instances, balancers and auto scaling groups become, given which doors the internet reaches.

`reach` may be a cache of `reachable`: the interfaces of a fleet share their groups and subnets.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from skysweep.analysis.networks import Family, is_public_address
from skysweep.analysis.reach import OPEN_GROUP, Door, PortRange, SecurityGroup, Subnet, any_of, reachable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Reach: TypeAlias = Callable[[Door], bool | None]
Kind: TypeAlias = Literal["direct", "elb", "elbv2"]
Types: TypeAlias = tuple[str, ...]

GONE = frozenset({"shutting-down", "terminated"})
_LISTENERS: dict[str, tuple[Literal["tcp", "udp"], ...]] = {
    "HTTP": ("tcp",),
    "HTTPS": ("tcp",),
    "SSL": ("tcp",),
    "TCP": ("tcp",),
    "TLS": ("tcp",),
    "UDP": ("udp",),
    "QUIC": ("udp",),
    "TCP_UDP": ("tcp", "udp"),
    "TCP_QUIC": ("tcp", "udp"),
}


@dataclass(frozen=True, slots=True)
class Interface:
    """A network interface of an instance, with its addresses that claim to be public."""

    addresses: tuple[str, ...]
    groups: tuple[SecurityGroup, ...]
    subnet: Subnet


@dataclass(frozen=True, slots=True)
class Instance:
    """An instance; `addresses` are its own, which count for every interface when no interface shows any."""

    state: str | None
    addresses: tuple[str, ...]
    interfaces: tuple[Interface, ...]


@dataclass(frozen=True, slots=True)
class Listener:
    """A listener of a balancer, as AWS writes it (`HTTPS`, `TCP_UDP`); a gateway balancer's has no port."""

    protocol: str | None
    port: int | None


@dataclass(frozen=True, slots=True)
class Balancer:
    """A balancer of any kind: `type` is classic, application, network or gateway; listeners None: never seen."""

    type: str | None
    scheme: str | None
    families: frozenset[Family]
    listeners: tuple[Listener, ...] | None
    groups: tuple[SecurityGroup, ...]
    subnets: tuple[Subnet, ...]


def instance_is_direct(instance: Instance, reach: Reach = reachable) -> bool | None:
    """Tell whether the internet reaches an interface of the instance at an address of its own.

    A stopped instance is judged as it will be once started: an elastic address and open rules outlive the stop. One
    that is shutting down or terminated is not exposed. None when what decides it was never seen.
    """
    if instance.state in GONE:
        return False
    if instance.state is None:
        return None
    shown = any(interface.addresses for interface in instance.interfaces)
    if not instance.interfaces:  # every instance has one: none means not seen
        return None
    return any_of(
        reach(Door(families, interface.groups or (None,), interface.subnet))
        for interface in instance.interfaces
        if (families := _public_families(interface.addresses if shown else instance.addresses))
    )


def _public_families(addresses: Iterable[str]) -> frozenset[Family]:
    return frozenset[Family](6 if ":" in address else 4 for address in addresses if is_public_address(address))


def balancer_is_direct(balancer: Balancer, reach: Reach = reachable) -> bool | None:
    """Tell whether the internet reaches a listener of an internet-facing balancer, in any of its subnets.

    A network balancer without security groups filters nothing; the other kinds always have one, so that none means
    not seen. A gateway balancer never faces the internet.
    """
    if balancer.type == "gateway" or balancer.scheme == "internal":
        return False
    if balancer.listeners is None:
        return None
    ports = tuple(
        PortRange(protocol, listener.port, listener.port)
        for listener in balancer.listeners
        if listener.port is not None
        for protocol in _LISTENERS.get(listener.protocol or "", ())
    )
    if not ports:
        return False
    if balancer.scheme is None or not balancer.subnets:
        return None
    groups = balancer.groups or ((OPEN_GROUP,) if balancer.type == "network" else (None,))
    return any_of(reach(Door(balancer.families, groups, subnet, ports)) for subnet in balancer.subnets)


def instance_types(
    instance: Instance,
    behind_elb: bool | None,
    behind_elbv2: bool | None,
    before: Types | None,
    reach: Reach = reachable,
) -> Types | None:
    """Give the kinds of exposure of an instance: its own and those of exposed balancers that have it as a target."""
    if instance.state in GONE:
        return ()
    return settle({"direct": instance_is_direct(instance, reach), "elb": behind_elb, "elbv2": behind_elbv2}, before)


def settle(verdicts: Mapping[Kind, bool | None], before: Types | None) -> Types | None:
    """Give the sorted types of exposure; what is not known stays as before, and is None where nothing was."""
    types = {kind for kind, verdict in verdicts.items() if verdict}
    unknown = {kind for kind, verdict in verdicts.items() if verdict is None}
    if unknown and before is None and not types:
        return None
    return tuple(sorted(types | (unknown & set(before or ()))))


def none_or(verdict: bool | None, *, unseen: bool) -> bool | None:
    """Tell a verdict over what the graph holds: where not all of it was seen, none that is there proves nothing."""
    return verdict or None if unseen else verdict


def pool(members: Sequence[Types | None], before: Types | None) -> Types | None:
    """Give the types of an auto scaling group: all of its members'; with a member unknown, also those of before."""
    types = {kind for member in members if member for kind in member}
    if None in members:
        if before is None and not types:
            return None
        types |= set(before or ())
    return tuple(sorted(types))
