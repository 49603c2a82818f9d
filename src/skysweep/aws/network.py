"""Network interfaces and their addresses: where everything in a VPC is plugged in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from skysweep.aws.ec2 import EC2Instance
from skysweep.aws.securitygroups import EC2SecurityGroup
from skysweep.aws.tags import AWSTag, tagged
from skysweep.aws.vpc import EC2Subnet
from skysweep.model import Record, Resource, arn, at, by, call, to

INTERFACES = call("ec2", "DescribeNetworkInterfaces", "NetworkInterfaces[]")


class AWSNetworkInterface(Resource):
    """A network card: addresses, subnet and firewall of an instance, a balancer, a function or another service."""

    also = ("NetworkInterface",)
    source = INTERFACES
    owned_by = "OwnerId"  # who shares a subnet lists the interfaces that others have in it

    id: str = at("NetworkInterfaceId")
    arn: str = at(arn("ec2", "network-interface/{NetworkInterfaceId}", account="{OwnerId}"))
    owner_id: str = at("OwnerId")
    description: str = at("Description")
    interface_type: str = at("InterfaceType")
    mac_address: str = at("MacAddress")
    private_dns_name: str = at("PrivateDnsName")
    private_ip_address: str = at("PrivateIpAddress")
    public_ip: str = at("Association.PublicIp", index=True)
    requester_id: str = at("RequesterId")
    requester_managed: bool = at("RequesterManaged")
    source_dest_check: bool = at("SourceDestCheck")
    status: str = at("Status")
    subnetid: str = at("SubnetId")
    subnet_id: str = at("SubnetId")
    vpc_id: str = at("VpcId")
    attach_time: datetime = at("Attachment.AttachTime")
    device_index: int = at("Attachment.DeviceIndex")
    security_group_ids: list[str] = at("Groups[].GroupId", doc="Its groups, those that were never seen as well")

    instance: EC2Instance = by("NETWORK_INTERFACE", "Attachment.InstanceId")
    subnet: EC2Subnet = to("PART_OF_SUBNET", "SubnetId")
    groups: list[EC2SecurityGroup] = to("MEMBER_OF_EC2_SECURITY_GROUP", "Groups[].GroupId")
    tagged: list[AWSTag] = tagged("TagSet")


def balancer_of(interface: Record, *, classic: bool) -> Iterator[dict[str, str]]:
    """The name in the ARN of the load balancer that an interface belongs to: only its description tells it."""
    if interface["OwnerId"] not in {None, interface.context.account}:
        return  # its owner tells
    kind, _, name = (interface["Description"] or "").partition(" ")
    # Anyone may describe his own interfaces like that: only those that AWS manages count.
    if interface["RequesterManaged"] and kind == "ELB" and name and ("/" not in name) == classic:
        yield {"name": name}


BALANCER_ARN = arn("elasticloadbalancing", "loadbalancer/{name}", account="{^OwnerId}")


class EC2PrivateIp(Resource):
    """A private IPv4 address of an interface, with the public one that is mapped to it."""

    also = ("AWSEC2PrivateIp",)
    source = INTERFACES["NetworkInterfaces[].PrivateIpAddresses[]"]
    owned_by = "^OwnerId"

    id: str = at("{^NetworkInterfaceId}:{PrivateIpAddress}")
    network_interface_id: str = at("^NetworkInterfaceId")
    primary: bool = at("Primary")
    private_ip_address: str = at("PrivateIpAddress", index=True)
    vpc_address: str = at("{^VpcId}/{PrivateIpAddress}", index=True, doc="VPC/address: what is unique of the address")
    public_ip: str = at("Association.PublicIp", index=True)
    ip_owner_id: str = at("Association.IpOwnerId")

    interface: AWSNetworkInterface = by("PRIVATE_IP_ADDRESS", "^NetworkInterfaceId")


def is_primary(address: Record) -> bool:
    """Whether it is the interface's primary IPv6 address."""
    return bool(address["IsPrimaryIpv6"])


class EC2Ipv6Address(Resource):
    """A global IPv6 address of an interface: public as soon as route and firewalls let it be."""

    also = ("AWSEC2Ipv6Address", "Ip")
    source = INTERFACES["NetworkInterfaces[].Ipv6Addresses[]"]
    owned_by = "^OwnerId"

    id: str = at("Ipv6Address")
    ipv6_address: str = at("Ipv6Address", index=True)
    network_interface_id: str = at("^NetworkInterfaceId")
    primary: bool = at(is_primary)

    interface: AWSNetworkInterface = by("IPV6_ADDRESS", "^NetworkInterfaceId")
