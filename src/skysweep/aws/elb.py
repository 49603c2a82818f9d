"""ELB: classic load balancers, their listeners and the interfaces they are plugged in with."""

from __future__ import annotations

from functools import partial
from typing import Any

from skysweep.aws.ec2 import EC2Instance
from skysweep.aws.network import BALANCER_ARN, INTERFACES, AWSNetworkInterface, balancer_of
from skysweep.aws.securitygroups import EC2SecurityGroup
from skysweep.aws.tags import AWSTag, tagged_by_arn
from skysweep.aws.vpc import EC2Subnet
from skysweep.model import Record, Resource, arn, at, by, call, detail, to

BALANCERS = call("elb", "DescribeLoadBalancers", "LoadBalancerDescriptions[]")
ARN = arn("elasticloadbalancing", "loadbalancer/{LoadBalancerName}")


def _has_several_groups(balancer: Record) -> bool:
    return len(balancer["SecurityGroups"] or ()) > 1


def _by_name(balancer: Record) -> list[dict[str, Any]] | None:
    """The filter that finds the source group; None where there is none to find."""
    name = (balancer["SourceSecurityGroup"] or {}).get("GroupName")
    if not name or not balancer["VPCId"]:
        return None
    return [{"Name": "vpc-id", "Values": [balancer["VPCId"]]}, {"Name": "group-name", "Values": [name]}]


# AWS names the source group, and names are unique only in a VPC: of several groups EC2 must say which one it is.
NAMED = detail("ec2", "DescribeSecurityGroups", on=BALANCERS, when=_has_several_groups, Filters=_by_name)


def _source_group(balancer: Record) -> str | None:
    """The id of the group that the balancer's own traffic comes from."""
    if not _has_several_groups(balancer):
        return next(iter(balancer["SecurityGroups"] or ()), None)
    found = balancer.reply(NAMED).get("SecurityGroups")
    return str(found[0]["GroupId"]) if found else None


class AWSLoadBalancer(Resource):
    """A classic load balancer: a public door to the instances behind it, whatever their own addresses are."""

    also = ("LoadBalancer",)
    source = BALANCERS

    id: str = at("DNSName")
    arn: str = at(ARN, index=True)
    name: str = at("LoadBalancerName", index=True)
    dnsname: str = at("DNSName", then=str.lower, index=True, doc="In small letters, as DNS records name it")
    canonicalhostedzonename: str = at("CanonicalHostedZoneName")
    canonicalhostedzonenameid: str = at("CanonicalHostedZoneNameID")
    scheme: str = at("Scheme", doc="internet-facing or internal")
    createdtime: str = at("CreatedTime", then=str)
    vpc_id: str = at("VPCId")
    availability_zones: list[str] = at("AvailabilityZones")
    security_group_ids: list[str] = at("SecurityGroups", doc="Its groups, those that were never seen as well")

    groups: list[EC2SecurityGroup] = to("MEMBER_OF_EC2_SECURITY_GROUP", "SecurityGroups")
    source_group: EC2SecurityGroup = to("SOURCE_SECURITY_GROUP", _source_group, of=NAMED)
    subnets: list[EC2Subnet] = to("SUBNET", "Subnets")
    part_of: list[EC2Subnet] = to("PART_OF_SUBNET", "Subnets")
    instances: list[EC2Instance] = to("EXPOSE", "Instances[].InstanceId")
    tagged: list[AWSTag] = tagged_by_arn(BALANCERS, ARN)


class ELBListener(Resource):
    """A port that a classic load balancer listens on, and the one of the instances that it passes traffic to."""

    also = ("AWSELBListener", "Endpoint")
    source = BALANCERS["LoadBalancerDescriptions[].ListenerDescriptions[]"]

    id: str = at("{^DNSName}{Listener.LoadBalancerPort}{Listener.Protocol}")
    port: int = at("Listener.LoadBalancerPort")
    protocol: str = at("Listener.Protocol")
    instance_port: int = at("Listener.InstancePort")
    instance_protocol: str = at("Listener.InstanceProtocol")
    policy_names: list[str] = at("PolicyNames")
    ssl_certificate_arn: str = at("Listener.SSLCertificateId")

    balancer: AWSLoadBalancer = by("ELB_LISTENER", "^DNSName")


class AWSNetworkInterfaceOfElb(Resource, extends=AWSNetworkInterface):
    """An interface of a classic load balancer: its addresses are the balancer's."""

    source = INTERFACES.each(partial(balancer_of, classic=True))

    id: str = at("^NetworkInterfaceId")
    balancer: AWSLoadBalancer = by("NETWORK_INTERFACE", BALANCER_ARN, on="arn")
