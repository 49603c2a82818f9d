"""Load balancers of both kinds, auto scaling groups, and what stands behind them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from skysweep.demo.network import DARK, GUARDED, PRIVATE, PUBLIC, named

if TYPE_CHECKING:
    from collections.abc import Mapping

    from skysweep.demo.compute import Launched
    from skysweep.demo.network import Network
    from skysweep.demo.session import Account


@dataclass(frozen=True)
class Balancer:
    """A load balancer to build. `exposed` is the truth: the internet reaches its listeners, because `why`."""

    name: str
    kind: str  # classic, application or network
    ports: tuple[int, ...]
    behind: tuple[str, ...]
    why: str
    exposed: bool = False
    group: str = ""
    internal: bool = False
    subnets: tuple[str, ...] = PUBLIC
    target: str = "instance"


CLASSIC = (
    Balancer(
        "elb-front", "classic", (80, 443), ("app-1", "web-2"), "facing the internet and open", exposed=True, group="web"
    ),
    Balancer("elb-back", "classic", (80,), ("back-1",), "internal", group="web", internal=True, subnets=PRIVATE),
    Balancer("elb-office", "classic", (22,), ("back-3",), "open to one office only", group="ssh-office"),
    Balancer(
        "elb-guarded",
        "classic",
        (22,),
        ("back-3",),
        "the network ACL denies it",
        group="ssh-anyone",
        subnets=(GUARDED,),
    ),
)

MODERN = (
    Balancer("alb-front", "application", (80, 443), ("app-2", "web-2"), "open and routed", exposed=True, group="web"),
    Balancer(
        "alb-by-ip", "application", (80,), ("app-3",), "the same, to addresses", exposed=True, group="web", target="ip"
    ),
    Balancer(
        "nlb-front", "network", (5000,), ("app-4",), "a network load balancer without security groups", exposed=True
    ),
    Balancer("alb-back", "application", (80,), ("back-2",), "internal", group="web", internal=True, subnets=PRIVATE),
    Balancer("alb-closed-port", "application", (8081,), ("back-3",), "the group opens other ports", group="web"),
    Balancer("alb-dark", "application", (80,), ("back-3",), "no route to the internet", group="web", subnets=DARK),
)

FLEET_BEHIND = "alb-front"


@dataclass(frozen=True)
class Built:
    """A built load balancer: what was asked for, its DNS name and hosted zone, and its target group's ARN (v2)."""

    asked: Balancer
    dns_name: str
    zone: str
    target_group: str = ""


def build_classic(account: Account, region: str, network: Network, launched: Mapping[str, Launched]) -> list[Built]:
    """Build the classic load balancers and register what is behind them."""
    elb = account.client("elb", region)
    built = []
    for balancer in CLASSIC:
        name = _unique(balancer, region)
        reply = elb.create_load_balancer(
            LoadBalancerName=name,
            Listeners=[{"Protocol": "TCP", "LoadBalancerPort": port, "InstancePort": 8080} for port in balancer.ports],
            Subnets=[network.subnets[name] for name in balancer.subnets],
            SecurityGroups=[network.groups[balancer.group]],
            Scheme="internal" if balancer.internal else "internet-facing",
        )
        instances = [{"InstanceId": launched[machine].id} for machine in balancer.behind]
        elb.register_instances_with_load_balancer(LoadBalancerName=name, Instances=instances)
        built.append(Built(balancer, reply["DNSName"], ""))
    return built


def build_modern(account: Account, region: str, network: Network, launched: Mapping[str, Launched]) -> list[Built]:
    """Build the application and network load balancers, a target group each and their listeners."""
    elbv2 = account.client("elbv2", region)
    return [_build_modern(elbv2, _unique(balancer, region), network, launched, balancer) for balancer in MODERN]


def _unique(balancer: Balancer, region: str) -> str:
    """Name it for its region too: AWS makes DNS names unique, moto makes them of the name alone."""
    return f"{balancer.name}-{region}"


def _build_modern(
    elbv2: Any, name: str, network: Network, launched: Mapping[str, Launched], balancer: Balancer
) -> Built:
    groups = {"SecurityGroups": [network.groups[balancer.group]]} if balancer.group else {}
    made = elbv2.create_load_balancer(
        Name=name,
        Type=balancer.kind,
        Scheme="internal" if balancer.internal else "internet-facing",
        Subnets=[network.subnets[name] for name in balancer.subnets],
        **groups,
    )["LoadBalancers"][0]
    protocol = "TCP" if balancer.kind == "network" else "HTTP"
    target_group = elbv2.create_target_group(
        Name=name, Protocol=protocol, Port=8080, VpcId=network.vpc, TargetType=balancer.target
    )["TargetGroups"][0]["TargetGroupArn"]
    by_ip = balancer.target == "ip"
    targets = [{"Id": launched[machine].private_ip if by_ip else launched[machine].id} for machine in balancer.behind]
    elbv2.register_targets(TargetGroupArn=target_group, Targets=targets)
    for port in balancer.ports:
        elbv2.create_listener(
            LoadBalancerArn=made["LoadBalancerArn"],
            Protocol=protocol,
            Port=port,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": target_group}],
        )
    return Built(balancer, made["DNSName"], made["CanonicalHostedZoneId"], target_group)


def build_fleets(
    account: Account, region: str, network: Network, image: str, target_group: str
) -> dict[str, list[str]]:
    """Build two auto scaling groups, and give their instance ids by name.

    `web-fleet`, from a launch template, stands behind the target group; `batch-fleet`, from a launch configuration,
    behind nothing.
    """
    group = [network.groups["app"]]
    account.client("ec2", region).create_launch_template(
        LaunchTemplateName="web-fleet",
        LaunchTemplateData={"ImageId": image, "InstanceType": "t3.small", "SecurityGroupIds": group},
        TagSpecifications=named("launch-template", "web-fleet"),
    )
    scaling = account.client("autoscaling", region)
    scaling.create_launch_configuration(
        LaunchConfigurationName="batch-fleet", ImageId=image, InstanceType="t3.small", SecurityGroups=group
    )
    common = {
        "MinSize": 1,
        "MaxSize": 4,
        "DesiredCapacity": 2,
        "VPCZoneIdentifier": ",".join(network.subnets[name] for name in PRIVATE),
    }
    scaling.create_auto_scaling_group(
        AutoScalingGroupName="web-fleet",
        LaunchTemplate={"LaunchTemplateName": "web-fleet", "Version": "$Latest"},
        TargetGroupARNs=[target_group],
        **common,
    )
    scaling.create_auto_scaling_group(
        AutoScalingGroupName="batch-fleet", LaunchConfigurationName="batch-fleet", **common
    )
    groups = scaling.describe_auto_scaling_groups()["AutoScalingGroups"]
    return {
        group["AutoScalingGroupName"]: [instance["InstanceId"] for instance in group["Instances"]] for group in groups
    }


def listener_rows(built: list[Built]) -> list[dict[str, object]]:
    """Give one row for each listener of each exposed load balancer."""
    return [
        {"dnsname": balancer.dns_name, "port": port}
        for balancer in built
        if balancer.asked.exposed
        for port in balancer.asked.ports
    ]
