"""ELBv2: application, network and gateway load balancers, what they listen to and where they send it.

Everything is found by ARN, because a gateway load balancer has no DNS name to be known by.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from skysweep.aws._common import function_arn
from skysweep.aws.ec2 import EC2Instance
from skysweep.aws.lambda_ import AWSLambda
from skysweep.aws.network import (
    BALANCER_ARN,
    INTERFACES,
    AWSNetworkInterface,
    EC2Ipv6Address,
    EC2PrivateIp,
    balancer_of,
)
from skysweep.aws.securitygroups import EC2SecurityGroup
from skysweep.aws.tags import AWSTag, tagged_by_arn
from skysweep.aws.vpc import EC2Subnet
from skysweep.model import Link, Record, Resource, at, by, call, detail, to

BALANCERS = call("elbv2", "DescribeLoadBalancers", "LoadBalancers[]")
GROUPS = call("elbv2", "DescribeTargetGroups", "TargetGroups[]")
HEALTH = detail("elbv2", "DescribeTargetHealth", on=GROUPS, TargetGroupArn="TargetGroupArn")


def name_or_arn(balancer: Record) -> str:
    """The DNS name, or the ARN of a gateway load balancer, which has none."""
    return str(balancer["DNSName"] or balancer["LoadBalancerArn"])


class LoadBalancerV2(Resource):
    """A load balancer of the second generation: a door to what is behind it; its type and scheme say how open."""

    also = ("AWSLoadBalancerV2", "LoadBalancer")
    source = BALANCERS

    id: str = at(name_or_arn)
    arn: str = at("LoadBalancerArn", index=True)
    name: str = at("LoadBalancerName", index=True)
    dnsname: str = at("DNSName", then=str.lower, index=True, doc="In small letters, as DNS records name it")
    canonicalhostedzonenameid: str = at("CanonicalHostedZoneId")
    type: str = at("Type", doc="application, network or gateway")
    scheme: str = at("Scheme", doc="internet-facing or internal")
    ip_address_type: str = at("IpAddressType", doc="ipv4, dualstack or dualstack-without-public-ipv4")
    ip_addresses: list[str] = at(
        "AvailabilityZones[].LoadBalancerAddresses[].IpAddress", doc="The elastic addresses of a network load balancer"
    )
    createdtime: str = at("CreatedTime", then=str)
    state: str = at("State.Code")
    security_group_ids: list[str] = at("SecurityGroups", doc="Its groups, those that were never seen as well")
    vpc_id: str = at("VpcId")
    enforce_security_group_inbound_rules_on_private_link_traffic: str = at(
        "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic", doc="off: who comes by PrivateLink meets no firewall"
    )

    groups: list[EC2SecurityGroup] = to("MEMBER_OF_EC2_SECURITY_GROUP", "SecurityGroups")
    subnets: list[EC2Subnet] = to("SUBNET", "AvailabilityZones[].SubnetId")
    part_of: list[EC2Subnet] = to("PART_OF_SUBNET", "AvailabilityZones[].SubnetId")
    tagged: list[AWSTag] = tagged_by_arn(BALANCERS, "LoadBalancerArn")


def _default_group(listener: Record) -> str | None:
    """Where traffic goes that no rule of the listener takes: the heaviest group where there are several."""
    for action in listener["DefaultActions"] or ():
        if action.get("TargetGroupArn"):
            return str(action["TargetGroupArn"])
        groups = action.get("ForwardConfig", {}).get("TargetGroups")
        if groups:
            return str(max(groups, key=lambda group: group.get("Weight", 0))["TargetGroupArn"])
    return None


class ELBV2Listener(Resource):
    """A port that a load balancer listens on, with the TLS that it asks for."""

    also = ("AWSELBV2Listener", "Endpoint")
    source = detail("elbv2", "DescribeListeners", "Listeners[]", on=BALANCERS, LoadBalancerArn="LoadBalancerArn")

    id: str = at("ListenerArn")
    arn: str = at("ListenerArn")
    port: int = at("Port")
    protocol: str = at("Protocol")
    ssl_policy: str = at("SslPolicy")
    certificate_arn: str = at("Certificates[0].CertificateArn", doc="The default certificate; rules of SNI add others")
    targetgrouparn: str = at(_default_group)
    default_action_types: list[str] = at("DefaultActions[].Type", doc="A port that only redirects serves nothing")
    mutual_authentication_mode: str = at("MutualAuthentication.Mode")
    trust_store_arn: str = at("MutualAuthentication.TrustStoreArn")
    ignore_client_certificate_expiry: bool = at("MutualAuthentication.IgnoreClientCertificateExpiry")
    trust_store_association_status: str = at("MutualAuthentication.TrustStoreAssociationStatus")
    advertise_trust_store_ca_names: str = at("MutualAuthentication.AdvertiseTrustStoreCaNames")

    balancer: LoadBalancerV2 = by("ELBV2_LISTENER", "LoadBalancerArn", on="arn")


def _registered(group: Record) -> dict[str, dict[str, Any]]:
    """Each target's id with its ports and its health; one registered on several ports is healthy if one of them is."""
    found: dict[str, dict[str, Any]] = {}
    for each in group.reply(HEALTH).get("TargetHealthDescriptions") or ():
        target, health = each["Target"], each.get("TargetHealth", {}).get("State")
        known = found.setdefault(target["Id"], {"health": health})
        if health == "healthy":
            known["health"] = health
        if "Port" in target:
            known["ports"] = [*known.get("ports", ()), target["Port"]]
    return found


def _kind(group: Record, target: str) -> str:
    """The group's target type, but that addresses of both families are one type to AWS."""
    return "ipv6" if group["TargetType"] == "ip" and ":" in target else str(group["TargetType"])


def _key(kind: str, group: Record, target: str) -> str:
    """What a target's node is found by."""
    if kind == "lambda":
        return function_arn(target)
    return f"{group['VpcId']}/{target}" if kind == "ip" else target


def targets(kind: str, group: Record) -> list[Link]:
    """A target group's targets of this kind, with their health."""
    registered = _registered(group).items()
    return [Link(_key(kind, group, target), about) for target, about in registered if _kind(group, target) == kind]


def exposed(kind: str, group: Record) -> list[Link]:
    """The same targets, each from every load balancer that sends traffic to the group."""
    keys = [target.key for target in targets(kind, group)]
    return [Link(key, start=balancer) for balancer in group["LoadBalancerArns"] or () for key in keys]


def _expose(kind: str) -> Any:
    return to(
        "EXPOSE",
        partial(exposed, kind),
        of=HEALTH,
        on={"ip": "vpc_address", "alb": "arn"}.get(kind, "id"),
        start=LoadBalancerV2,
        start_on="arn",
        port="Port",
        protocol="Protocol",
        target_group_arn="TargetGroupArn",
    )


class ELBV2TargetGroup(Resource):
    """Where load balancers send traffic: instances, addresses, functions or another load balancer."""

    also = ("AWSELBV2TargetGroup",)
    source = GROUPS

    id: str = at("TargetGroupArn")
    arn: str = at("TargetGroupArn", index=True)
    name: str = at("TargetGroupName")
    target_type: str = at("TargetType", doc="instance, ip, lambda or alb")
    protocol: str = at("Protocol")
    protocol_version: str = at("ProtocolVersion")
    ip_address_type: str = at("IpAddressType")
    port: int = at("Port")
    vpc_id: str = at("VpcId")
    target_ids: list[str] = at(
        "TargetHealthDescriptions[].Target.Id", of=HEALTH, doc="Its targets, those outside the graph as well"
    )

    balancers: list[LoadBalancerV2] = by("ELBV2_TARGET_GROUP", "LoadBalancerArns", on="arn")
    instances: list[EC2Instance] = to("TARGETS", partial(targets, "instance"), of=HEALTH)
    addresses: list[EC2PrivateIp] = to("TARGETS", partial(targets, "ip"), of=HEALTH, on="vpc_address")
    ipv6_addresses: list[EC2Ipv6Address] = to("TARGETS", partial(targets, "ipv6"), of=HEALTH)
    functions: list[AWSLambda] = to("TARGETS", partial(targets, "lambda"), of=HEALTH)
    inner: list[LoadBalancerV2] = to("TARGETS", partial(targets, "alb"), of=HEALTH, on="arn")
    exposed_instances: list[EC2Instance] = _expose("instance")
    exposed_addresses: list[EC2PrivateIp] = _expose("ip")
    exposed_ipv6_addresses: list[EC2Ipv6Address] = _expose("ipv6")
    exposed_functions: list[AWSLambda] = _expose("lambda")
    exposed_balancers: list[LoadBalancerV2] = _expose("alb")
    tagged: list[AWSTag] = tagged_by_arn(GROUPS, "TargetGroupArn")


class AWSNetworkInterfaceOfElbv2(Resource, extends=AWSNetworkInterface):
    """An interface of a load balancer: its addresses are the balancer's."""

    source = INTERFACES.each(partial(balancer_of, classic=False))

    id: str = at("^NetworkInterfaceId")
    balancer: LoadBalancerV2 = by("NETWORK_INTERFACE", BALANCER_ARN, on="arn")
