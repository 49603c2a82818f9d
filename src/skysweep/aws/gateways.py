"""Ways out of a VPC and in: internet, NAT and VPN gateways, elastic addresses and peerings."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from skysweep.aws.account import AWSAccount
from skysweep.aws.ec2 import EC2Instance
from skysweep.aws.network import AWSNetworkInterface
from skysweep.aws.tags import AWSTag, tagged
from skysweep.aws.vpc import AWSIpv4CidrBlock, AWSVpc, EC2Subnet
from skysweep.model import Function, Record, Resource, Unanswered, arn, at, by, call, to

PEERINGS = call("ec2", "DescribeVpcPeeringConnections", "VpcPeeringConnections[]")


def _gateway_owner(gateway: Record) -> str:
    """The account a gateway belongs to: a shared VPC's owner, else the one that was asked."""
    return str(gateway["OwnerId"] or gateway.context.account)


def _gateway_arn(gateway: Record) -> str:
    where = f"{gateway.context.partition}:ec2:{gateway.context.region}:{_gateway_owner(gateway)}"
    return f"arn:{where}:internet-gateway/{gateway['InternetGatewayId']}"


class AWSInternetGateway(Resource):
    """The door between a VPC and the internet: a subnet routed to it is public."""

    source = call("ec2", "DescribeInternetGateways", "InternetGateways[]")
    owned_by = "OwnerId"

    id: str = at("InternetGatewayId")
    arn: str = at(_gateway_arn)
    ownerid: str = at(_gateway_owner)

    vpcs: list[AWSVpc] = to("ATTACHED_TO", "Attachments[].VpcId")
    tagged: list[AWSTag] = tagged("Tags")


class ElasticIPAddress(Resource):
    """A public IPv4 address that an account keeps, and what it leads to."""

    also = ("AWSElasticIPAddress",)
    source = call("ec2", "DescribeAddresses", "Addresses[]")

    id: str = at("PublicIp")
    public_ip: str = at("PublicIp", index=True)
    arn: str = at(arn("ec2", "elastic-ip/{AllocationId}"))
    allocation_id: str = at("AllocationId", index=True)
    association_id: str = at("AssociationId")
    instance_id: str = at("InstanceId")
    network_interface_id: str = at("NetworkInterfaceId")
    network_interface_owner_id: str = at("NetworkInterfaceOwnerId")
    private_ip_address: str = at("PrivateIpAddress")
    domain: str = at("Domain")
    public_ipv4_pool: str = at("PublicIpv4Pool")
    network_border_group: str = at("NetworkBorderGroup")
    customer_owned_ip: str = at("CustomerOwnedIp")
    customer_owned_ipv4_pool: str = at("CustomerOwnedIpv4Pool")
    carrier_ip: str = at("CarrierIp")

    instance: EC2Instance = by("ELASTIC_IP_ADDRESS", "InstanceId")
    interface: AWSNetworkInterface = by("ELASTIC_IP_ADDRESS", "NetworkInterfaceId")
    tagged: list[AWSTag] = tagged("Tags")


class AWSNatGateway(Resource):
    """A one-way door: private subnets reach the internet through it, and nothing comes back unasked."""

    # Deleted gateways stay listed for a while, so the states are named.
    source = call(
        "ec2",
        "DescribeNatGateways",
        "NatGateways[]",
        Filter=[{"Name": "state", "Values": ["pending", "failed", "available", "deleting"]}],
    )

    id: str = at("NatGatewayId")
    arn: str = at(arn("ec2", "natgateway/{NatGatewayId}"))
    state: str = at("State")
    connectivity_type: str = at("ConnectivityType", doc="public, or private where it leads to other networks only")
    create_time: datetime = at("CreateTime")
    vpc_id: str = at("VpcId")
    subnet_id: str = at("SubnetId")
    public_ips: list[str] = at("NatGatewayAddresses[].PublicIp")

    vpc: AWSVpc = to("MEMBER_OF_AWS_VPC", "VpcId")
    subnet: EC2Subnet = to("PART_OF_SUBNET", "SubnetId")
    interfaces: list[AWSNetworkInterface] = to("NETWORK_INTERFACE", "NatGatewayAddresses[].NetworkInterfaceId")
    addresses: list[ElasticIPAddress] = to("ELASTIC_IP_ADDRESS", "NatGatewayAddresses[].PublicIp")
    tagged: list[AWSTag] = tagged("Tags")


def _kept(gateway: Record) -> list[dict[str, Any]]:
    """The gateway, unless it is one of those that AWS still lists a while after they were deleted."""
    return [] if gateway["State"] == "deleted" else [gateway.item]


def attached(gateway: Record) -> list[str]:
    """The VPCs that it is attached to: AWS still names one that it was detached from."""
    return [each["VpcId"] for each in gateway["VpcAttachments"] or () if each.get("State") == "attached"]


class AWSVpnGateway(Resource):
    """Amazon's end of VPN connections and of Direct Connect: what is behind them is on the VPC's network."""

    source = call("ec2", "DescribeVpnGateways", "VpnGateways[]").each(_kept)

    id: str = at("VpnGatewayId")
    arn: str = at(arn("ec2", "vpn-gateway/{VpnGatewayId}"))
    state: str = at("State")
    type: str = at("Type")
    amazon_side_asn: int = at("AmazonSideAsn")
    availability_zone: str = at("AvailabilityZone")
    attachment_states: list[str] = at("VpcAttachments[].State")

    vpcs: list[AWSVpc] = to("ATTACHED_TO", attached)
    tagged: list[AWSTag] = tagged("Tags")


def _sides(peering: Record) -> Iterator[dict[str, Any]]:
    """What a peering tells of the VPCs at its ends."""
    for side in ("AccepterVpcInfo", "RequesterVpcInfo"):
        if (peering[side] or {}).get("VpcId"):
            yield peering[side]


def _blocks(peering: Record) -> Iterator[dict[str, Any]]:
    """The IPv4 blocks of both ends, each with its VPC."""
    for side in _sides(peering):
        for block in side.get("CidrBlockSet") or ():
            yield {"VpcId": side["VpcId"], **block}


def _block_ids(side: str, peering: Record) -> list[str]:
    info = peering[side] or {}
    return [f"{info['VpcId']}|{block['CidrBlock']}" for block in info.get("CidrBlockSet") or () if "VpcId" in info]


class PeeredVpc(Resource, extends=AWSVpc):
    """A VPC at the other end of a peering, in another account or region perhaps."""

    source = PEERINGS.each(_sides)

    id: str = at("VpcId")
    vpcid: str = at("VpcId", index=True)
    owner_id: str = at("OwnerId")
    region: str = at("Region")


class PeeredAccount(Resource, extends=AWSAccount):
    """An account at an end of a peering: perhaps one that nobody here sweeps."""

    source = PEERINGS.each(_sides)

    id: str = at("OwnerId")


class PeeredCidrBlock(Resource, extends=AWSIpv4CidrBlock):
    """An address block that a peering makes reachable."""

    source = PEERINGS.each(_blocks)

    id: str = at("{VpcId}|{CidrBlock}")
    vpcid: str = at("VpcId")
    cidr_block: str = at("CidrBlock")


# Both ends see the connection, and neither may write it otherwise than the other.
PEERING_ARN = arn(
    "ec2",
    "vpc-peering-connection/{VpcPeeringConnectionId}",
    region="{RequesterVpcInfo.Region}",
    account="{RequesterVpcInfo.OwnerId}",
)


def _requesters(option: str) -> Function:
    """What the requester's side of a peering allows: only the requester is told, so only its word is written."""

    def allowed(peering: Record) -> Any:
        side, here = peering["RequesterVpcInfo"] or {}, peering.context
        if (side.get("OwnerId"), side.get("Region", here.region)) != (here.account, here.region):
            raise Unanswered(option)
        return side.get("PeeringOptions", {}).get(option)

    allowed.__doc__ = f"`RequesterVpcInfo.PeeringOptions.{option}`, as the requester is told."
    return allowed


class AWSPeeringConnection(Resource):
    """A private link between two VPCs, of other accounts and regions too: a way around the front door."""

    source = PEERINGS
    shared = True

    id: str = at("VpcPeeringConnectionId")
    arn: str = at(PEERING_ARN, doc="The requester's; the accepter's account has one of its own")
    status_code: str = at("Status.Code")
    status_message: str = at("Status.Message")
    allow_dns_resolution_from_remote_vpc: bool = at(_requesters("AllowDnsResolutionFromRemoteVpc"))
    allow_egress_from_local_classic_link_to_remote_vpc: bool = at(
        _requesters("AllowEgressFromLocalClassicLinkToRemoteVpc")
    )
    allow_egress_from_local_vpc_to_remote_classic_link: bool = at(
        _requesters("AllowEgressFromLocalVpcToRemoteClassicLink")
    )
    requester_region: str = at("RequesterVpcInfo.Region")
    requester_owner_id: str = at("RequesterVpcInfo.OwnerId")
    accepter_region: str = at("AccepterVpcInfo.Region")
    accepter_owner_id: str = at("AccepterVpcInfo.OwnerId")

    requester: AWSVpc = to("REQUESTER_VPC", "RequesterVpcInfo.VpcId")
    accepter: AWSVpc = to("ACCEPTER_VPC", "AccepterVpcInfo.VpcId")
    requester_blocks: list[AWSIpv4CidrBlock] = to("REQUESTER_CIDR", lambda each: _block_ids("RequesterVpcInfo", each))
    accepter_blocks: list[AWSIpv4CidrBlock] = to("ACCEPTER_CIDR", lambda each: _block_ids("AccepterVpcInfo", each))
    tagged: list[AWSTag] = tagged("Tags")
