"""Load balancers of both generations: which group, which interface, which targets, each by what is unique of it."""

from __future__ import annotations

from typing import Any

import pytest

from skysweep import catalogue
from skysweep.aws import elb, elbv2
from skysweep.aws.elb import AWSLoadBalancer
from skysweep.aws.elbv2 import ELBV2Listener, ELBV2TargetGroup, LoadBalancerV2
from skysweep.model import Context, Record, Resource, Source
from skysweep.records import Linked, Maker

CONTEXT = Context("123456789012", "us-east-1")
TYPES = {each.cls: each for each in catalogue.read([elb, elbv2])}
BALANCER = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/shop/50dc6c495c0c9188"
OTHER = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/net/front/60dc6c495c0c9188"


def row(cls: type[Resource], item: dict[str, Any]) -> dict[str, Any]:
    properties: dict[str, Any] = Maker(TYPES[cls]).row(Record(item, CONTEXT))["props"]
    return properties


def links(cls: type[Resource], name: str, record: Record) -> list[Linked]:
    """The links of one declared edge."""
    numbers = [number for number, edge in enumerate(TYPES[cls].edges) if edge.name == name]
    assert len(numbers) == 1
    return [link for link in Maker(TYPES[cls]).links(record, "self") if link.edge == numbers[0]]


def made(source: Source, item: dict[str, Any]) -> list[Any]:
    """The records that a source makes of one item."""
    assert source.make is not None
    return list(source.make(Record(item, CONTEXT)))


def classic(groups: list[str], found: list[str] | None = None) -> Record:
    record = Record({"VPCId": "vpc-1", "SourceSecurityGroup": {"GroupName": "web"}, "SecurityGroups": groups}, CONTEXT)
    if found is not None:
        record.replies[elb.NAMED.call] = {"SecurityGroups": [{"GroupId": each} for each in found]}
    return record


@pytest.mark.parametrize(
    ("balancer", "ends"),
    [
        (classic([]), []),
        (classic(["sg-1"]), ["sg-1"]),
        (classic(["sg-1", "sg-2"], ["sg-2"]), ["sg-2"]),
        (classic(["sg-1", "sg-2"], []), []),
    ],
    ids=["none", "one needs no call", "EC2 knows the name", "EC2 no longer knows the name"],
)
def test_the_source_group_is_found_by_its_name_in_the_balancers_vpc(balancer: Record, ends: list[str]) -> None:
    assert [link.end for link in links(AWSLoadBalancer, "source_group", balancer)] == ends


def test_the_name_is_asked_for_only_where_there_are_several_groups() -> None:
    when, (_, filters) = elb.NAMED.call.when, elb.NAMED.call.inputs[0]
    assert when is not None
    assert callable(filters)
    assert not when(classic(["sg-1"]))
    assert when(classic(["sg-1", "sg-2"]))
    assert filters(classic(["sg-1", "sg-2"])) == [
        {"Name": "vpc-id", "Values": ["vpc-1"]},
        {"Name": "group-name", "Values": ["web"]},
    ]
    assert filters(Record({"SecurityGroups": ["sg-1", "sg-2"], "SourceSecurityGroup": None}, CONTEXT)) is None


@pytest.mark.parametrize(
    ("description", "managed", "first", "second"),
    [
        ("ELB legacy", True, "legacy", None),
        ("ELB app/shop/50dc6c495c0c9188", True, None, "app/shop/50dc6c495c0c9188"),
        ("ELB app/shop/50dc6c495c0c9188", False, None, None),
        ("ELB legacy", False, None, None),
        ("ELB", True, None, None),
        ("", True, None, None),
        ("VPC Endpoint Interface vpce-1/x", True, None, None),
    ],
)
def test_only_aws_can_say_that_an_interface_is_a_balancers(
    description: str, *, managed: bool, first: str | None, second: str | None
) -> None:
    interface = {"Description": description, "RequesterManaged": managed}
    assert made(elb.AWSNetworkInterfaceOfElb.source, interface) == ([{"name": first}] if first else [])
    assert made(elbv2.AWSNetworkInterfaceOfElbv2.source, interface) == ([{"name": second}] if second else [])


def test_a_balancer_without_a_dns_name_is_known_by_its_arn() -> None:
    assert row(LoadBalancerV2, {"LoadBalancerArn": BALANCER})["id"] == BALANCER
    named = row(LoadBalancerV2, {"LoadBalancerArn": BALANCER, "DNSName": "Shop-1.elb.amazonaws.com"})
    assert (named["id"], named["dnsname"]) == ("Shop-1.elb.amazonaws.com", "shop-1.elb.amazonaws.com")


def weights(*pairs: tuple[str, int]) -> dict[str, Any]:
    groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in pairs]
    return {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}


@pytest.mark.parametrize(
    ("actions", "group"),
    [
        ([{"Type": "forward", "TargetGroupArn": "a"}], "a"),
        ([{"Type": "authenticate-oidc"}, {"Type": "forward", "TargetGroupArn": "a"}], "a"),
        ([weights(("a", 10), ("b", 90))], "b"),
        ([weights(("a", 50), ("b", 50))], "a"),
        ([{"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301"}}], None),
        ([], None),
    ],
    ids=["forward", "after a login", "the heaviest", "the first of equals", "redirect", "none"],
)
def test_a_listeners_target_group_is_its_default_actions(actions: list[dict[str, Any]], group: str | None) -> None:
    assert row(ELBV2Listener, {"ListenerArn": "l", "DefaultActions": actions})["targetgrouparn"] == group


def group(kind: str, *health: tuple[str, int | None, str], balancers: tuple[str, ...] = (BALANCER,)) -> Record:
    record = Record(
        {
            "TargetGroupArn": "tg",
            "TargetType": kind,
            "VpcId": "vpc-1",
            "Port": 80,
            "Protocol": "HTTP",
            "LoadBalancerArns": list(balancers),
        },
        CONTEXT,
    )
    record.replies[elbv2.HEALTH.call] = {
        "TargetHealthDescriptions": [
            {"Target": {"Id": id_} | ({"Port": port} if port else {}), "TargetHealth": {"State": state}}
            for id_, port, state in health
        ]
    }
    return record


FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:checkout"


@pytest.mark.parametrize(
    ("kind", "target", "edge", "key"),
    [
        ("instance", "i-1", "instances", "i-1"),
        ("ip", "10.0.0.7", "addresses", "vpc-1/10.0.0.7"),
        ("ip", "2001:db8::7", "ipv6_addresses", "2001:db8::7"),
        ("lambda", FUNCTION, "functions", FUNCTION),
        ("lambda", f"{FUNCTION}:live", "functions", FUNCTION),
        ("alb", BALANCER, "inner", BALANCER),
    ],
)
def test_a_target_is_found_by_what_is_unique_of_its_kind(kind: str, target: str, edge: str, key: str) -> None:
    record = group(kind, (target, 80, "healthy"))
    declared = TYPES[ELBV2TargetGroup].edges
    targets = [link for link in Maker(TYPES[ELBV2TargetGroup]).links(record, "tg") if link.start == "tg"]
    assert [(declared[link.edge].name, link.end) for link in targets] == [(edge, key)]
    exposures = links(ELBV2TargetGroup, {"inner": "exposed_balancers"}.get(edge, f"exposed_{edge}"), record)
    assert [(link.start, link.end) for link in exposures] == [(BALANCER, key)]
    assert exposures[0].properties == {"port": 80, "protocol": "HTTP", "target_group_arn": "tg"}


def test_a_target_on_several_ports_is_one_edge_and_healthy_where_one_port_is() -> None:
    record = group("instance", ("i-1", 80, "unhealthy"), ("i-1", 81, "healthy"), ("i-2", None, "draining"))
    assert [(link.end, link.properties) for link in links(ELBV2TargetGroup, "instances", record)] == [
        ("i-1", {"health": "healthy", "ports": [80, 81]}),
        ("i-2", {"health": "draining"}),
    ]


def test_every_balancer_in_front_of_a_group_exposes_its_targets() -> None:
    record = group("instance", ("i-1", 80, "healthy"), balancers=(BALANCER, OTHER))
    starts = [(link.start, link.end) for link in links(ELBV2TargetGroup, "exposed_instances", record)]
    assert starts == [(BALANCER, "i-1"), (OTHER, "i-1")]
    idle = group("instance", ("i-1", 80, "healthy"), balancers=())
    assert links(ELBV2TargetGroup, "exposed_instances", idle) == []


def test_where_health_could_not_be_asked_for_the_targets_are_left_as_they_were() -> None:
    record = group("instance")
    record.replies.clear()
    record.failed.add(elbv2.HEALTH.call)
    maker = Maker(TYPES[ELBV2TargetGroup])
    assert "target_ids" not in maker.row(record)["props"]
    kinds = {TYPES[ELBV2TargetGroup].edges[link.edge].kind for link in maker.links(record, "tg")}
    assert kinds == {"ELBV2_TARGET_GROUP"}
