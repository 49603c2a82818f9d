from __future__ import annotations

from dataclasses import replace

import pytest

from skysweep.analysis.networks import ANYWHERE, Family
from skysweep.analysis.reach import AclRule, IngressRule, Route, Subnet
from skysweep.analysis.verdicts import (
    Balancer,
    Instance,
    Interface,
    Listener,
    Types,
    balancer_is_direct,
    instance_is_direct,
    instance_types,
    pool,
    settle,
)

ACL = tuple(AclRule(n, allow=True, protocol="-1", fromport=None, toport=None, cidr=c) for n, c in enumerate(ANYWHERE))
PUBLIC = Subnet((Route(ANYWHERE, to_internet=True),), ACL)
PRIVATE = Subnet((Route(("10.0.0.0/16",), to_internet=False),), ACL)
HTTPS = (IngressRule("tcp", 443, 443, ("0.0.0.0/0",)),)
HTTPS6 = (IngressRule("tcp", 443, 443, ("::/0",)),)
OFFICE = (IngressRule("tcp", 443, 443, ("198.51.100.0/24",)),)
V4: frozenset[Family] = frozenset({4})
DUAL: frozenset[Family] = frozenset({4, 6})

WEB = Instance("running", ("52.1.2.3",), (Interface(("52.1.2.3",), (HTTPS,), PUBLIC),))
ALB = Balancer("application", "internet-facing", V4, (Listener("HTTPS", 443),), (HTTPS,), (PUBLIC,))
NLB = replace(ALB, type="network", listeners=(Listener("TCP", 443),), groups=())


def interface(*addresses: str, subnet: Subnet = PUBLIC) -> Interface:
    return Interface(addresses, (HTTPS,), subnet)


@pytest.mark.parametrize(
    ("instance", "expected"),
    [
        (WEB, True),
        (replace(WEB, state="stopped"), True),
        (replace(WEB, state="terminated"), False),
        (replace(WEB, state="shutting-down"), False),
        (replace(WEB, state=None), None),  # only mentioned by a scaling group
        (replace(WEB, interfaces=()), None),
        (Instance("running", (), ()), None),  # every instance has an interface
        (replace(WEB, interfaces=(interface("52.1.2.3", subnet=PRIVATE),)), False),
        (replace(WEB, interfaces=(Interface(("52.1.2.3",), (OFFICE,), PUBLIC),)), False),
        (replace(WEB, interfaces=(Interface(("52.1.2.3",), (), PUBLIC),)), None),
        # An address of the instance that no interface shows may be any interface's.
        (replace(WEB, interfaces=(interface(), interface(subnet=PRIVATE))), True),
        # The public address is on the closed interface, the open one has none.
        (replace(WEB, interfaces=(interface("52.1.2.3", subnet=PRIVATE), interface())), False),
        (Instance("running", (), (interface(),)), False),
        (Instance("running", ("10.0.0.4",), (interface("10.0.0.4"),)), False),
        (Instance("running", (), (Interface(("2600:1f18::1",), (HTTPS6,), PUBLIC),)), True),
        (Instance("running", (), (Interface(("2600:1f18::1",), (HTTPS,), PUBLIC),)), False),
        (Instance("running", (), (Interface(("fd00::1",), (HTTPS6,), PUBLIC),)), False),
    ],
)
def test_instances(instance: Instance, expected: bool | None) -> None:
    assert instance_is_direct(instance) is expected


@pytest.mark.parametrize(
    ("balancer", "expected"),
    [
        (ALB, True),
        (replace(ALB, type="classic"), True),
        (replace(ALB, scheme="internal"), False),
        (replace(ALB, scheme=None), None),
        (replace(ALB, listeners=()), False),
        (replace(ALB, listeners=(Listener("HTTP", 80),)), False),
        (replace(ALB, listeners=(Listener("HTTP", 80), Listener("HTTPS", 443))), True),
        (replace(ALB, groups=(OFFICE,)), False),
        (replace(ALB, groups=(OFFICE, HTTPS)), True),
        (replace(ALB, groups=()), None),
        (replace(ALB, groups=(None,)), None),
        (replace(ALB, subnets=()), None),
        (replace(ALB, subnets=(PRIVATE,)), False),
        (replace(ALB, subnets=(PRIVATE, PUBLIC)), True),
        (replace(ALB, subnets=(replace(PUBLIC, acl=()),)), False),
        (replace(ALB, groups=(HTTPS6,)), False),
        (replace(ALB, groups=(HTTPS6,), families=DUAL), True),
        (NLB, True),
        (replace(NLB, groups=(HTTPS,)), True),
        (replace(NLB, groups=(OFFICE,)), False),
        (replace(NLB, listeners=(Listener("UDP", 443),), groups=(HTTPS,)), False),
        (replace(NLB, listeners=(Listener("TCP_UDP", 443),), groups=(HTTPS,)), True),
        (replace(NLB, subnets=(PRIVATE,)), False),
        (replace(NLB, type="gateway", listeners=(Listener("GENEVE", None),)), False),
        (replace(NLB, type="gateway", scheme=None, listeners=()), False),
    ],
)
def test_balancers(balancer: Balancer, expected: bool | None) -> None:
    assert balancer_is_direct(balancer) is expected


def test_instances_behind_balancers() -> None:
    private = Instance("running", (), (interface(subnet=PRIVATE),))
    assert instance_types(private, behind_elb=False, behind_elbv2=False, before=None) == ()
    assert instance_types(private, behind_elb=True, behind_elbv2=True, before=None) == ("elb", "elbv2")
    assert instance_types(WEB, behind_elb=False, behind_elbv2=True, before=None) == ("direct", "elbv2")
    gone = replace(WEB, state="terminated")
    assert instance_types(gone, behind_elb=True, behind_elbv2=None, before=("direct",)) == ()


@pytest.mark.parametrize(
    ("direct", "elb", "before", "expected"),
    [
        (True, False, None, ("direct",)),
        (False, False, ("direct",), ()),
        (None, False, None, None),
        (None, False, (), ()),
        (None, False, ("direct", "elb"), ("direct",)),  # the known part is corrected
        (None, True, None, ("elb",)),
        (None, True, ("direct",), ("direct", "elb")),
    ],
)
def test_unknown_stays_as_it_was(
    direct: bool | None, elb: bool | None, before: Types | None, expected: Types | None
) -> None:
    assert settle({"direct": direct, "elb": elb}, before) == expected


def test_scaling_groups_pool_their_members() -> None:
    assert pool([], None) == ()
    assert pool([(), ()], ("direct",)) == ()
    assert pool([("elb",), ("direct", "elb")], None) == ("direct", "elb")
    assert pool([None, ()], None) is None
    assert pool([None, ()], ("elbv2",)) == ("elbv2",)
    assert pool([None, ("elb",)], None) == ("elb",)
