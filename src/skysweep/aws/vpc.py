"""VPC: private networks, their address blocks and their subnets.

What AWS RAM shares with another account (VPCs, subnets and what is attached to them) both list, and each its own way:
an availability zone has another name in every account. What the owner says of it counts.
"""

from __future__ import annotations

from skysweep.aws.tags import AWSTag, tagged
from skysweep.model import Resource, arn, at, by, call, to

VPCS = call("ec2", "DescribeVpcs", "Vpcs[]")
SUBNETS = call("ec2", "DescribeSubnets", "Subnets[]")


class AWSVpc(Resource):
    """A private network: the outer border that subnets, gateways and security groups live in."""

    also = ("VirtualNetwork",)
    source = VPCS
    owned_by = "OwnerId"

    id: str = at("VpcId")
    vpcid: str = at("VpcId", index=True)
    arn: str = at(arn("ec2", "vpc/{VpcId}", account="{OwnerId}"))
    owner_id: str = at("OwnerId")
    primary_cidr_block: str = at("CidrBlock")
    instance_tenancy: str = at("InstanceTenancy")
    state: str = at("State")
    is_default: bool = at("IsDefault")
    dhcp_options_id: str = at("DhcpOptionsId")

    tagged: list[AWSTag] = tagged("Tags")


class AWSIpv4CidrBlock(Resource):
    """An IPv4 address block of a VPC."""

    also = ("AWSCidrBlock",)
    source = VPCS["Vpcs[].CidrBlockAssociationSet[]"]
    owned_by = "^OwnerId"
    owned = False

    id: str = at("{^VpcId}|{CidrBlock}")
    vpcid: str = at("^VpcId")
    association_id: str = at("AssociationId")
    cidr_block: str = at("CidrBlock")
    block_state: str = at("CidrBlockState.State")
    block_state_message: str = at("CidrBlockState.StatusMessage")

    vpc: AWSVpc = by("BLOCK_ASSOCIATION", "^VpcId")


class AWSIpv6CidrBlock(Resource):
    """An IPv6 address block of a VPC: what is in it is reachable from outside unless something forbids it."""

    also = ("AWSCidrBlock",)
    source = VPCS["Vpcs[].Ipv6CidrBlockAssociationSet[]"]
    owned_by = "^OwnerId"
    owned = False

    id: str = at("{^VpcId}|{Ipv6CidrBlock}")
    vpcid: str = at("^VpcId")
    association_id: str = at("AssociationId")
    cidr_block: str = at("Ipv6CidrBlock")
    block_state: str = at("Ipv6CidrBlockState.State")
    block_state_message: str = at("Ipv6CidrBlockState.StatusMessage")
    ipv6_pool: str = at("Ipv6Pool")
    network_border_group: str = at("NetworkBorderGroup")

    vpc: AWSVpc = by("BLOCK_ASSOCIATION", "^VpcId")


class EC2Subnet(Resource):
    """A part of a VPC in one availability zone; its route table decides whether the internet reaches it."""

    also = ("AWSEC2Subnet", "Subnet")
    source = SUBNETS
    owned_by = "OwnerId"

    id: str = at("SubnetId")
    subnetid: str = at("SubnetId", index=True)
    subnet_id: str = at("SubnetId", index=True)
    arn: str = at("SubnetArn")
    subnet_arn: str = at("SubnetArn")
    owner_id: str = at("OwnerId")
    name: str = at("CidrBlock", doc="The IPv4 block, as Cartography has it")
    cidr_block: str = at("CidrBlock")
    ipv6_cidr_blocks: list[str] = at("Ipv6CidrBlockAssociationSet[].Ipv6CidrBlock")
    available_ip_address_count: int = at("AvailableIpAddressCount")
    default_for_az: bool = at("DefaultForAz")
    map_customer_owned_ip_on_launch: bool = at("MapCustomerOwnedIpOnLaunch")
    map_public_ip_on_launch: bool = at("MapPublicIpOnLaunch")
    assignipv6addressoncreation: bool = at("AssignIpv6AddressOnCreation")
    state: str = at("State")
    availability_zone: str = at("AvailabilityZone")
    availability_zone_id: str = at("AvailabilityZoneId")
    vpc_id: str = at("VpcId", index=True)

    vpc: AWSVpc = to("MEMBER_OF_AWS_VPC", "VpcId")
    tagged: list[AWSTag] = tagged("Tags")
