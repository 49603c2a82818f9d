"""Route tables and VPC endpoints: where a subnet's traffic goes, and so whether the internet can answer."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from skysweep.aws.gateways import AWSInternetGateway, AWSNatGateway, AWSPeeringConnection, AWSVpnGateway
from skysweep.aws.network import AWSNetworkInterface
from skysweep.aws.securitygroups import EC2SecurityGroup
from skysweep.aws.tags import AWSTag, tagged
from skysweep.aws.vpc import AWSVpc, EC2Subnet
from skysweep.model import Record, Resource, arn, at, by, call, to

TABLES = call("ec2", "DescribeRouteTables", "RouteTables[]")


def is_main(table: Record) -> bool:
    """Whether it is the main table of its VPC: an association says so."""
    return any(each.get("Main") for each in table["Associations"] or ())


class EC2RouteTable(Resource):
    """The routes of the subnets that are associated with it; the main one serves all the others of its VPC."""

    also = ("AWSEC2RouteTable", "AWSRouteTable")
    source = TABLES
    owned_by = "OwnerId"

    id: str = at("RouteTableId")
    route_table_id: str = at("RouteTableId", index=True)
    arn: str = at(arn("ec2", "route-table/{RouteTableId}", account="{OwnerId}"))
    owner_id: str = at("OwnerId")
    vpc_id: str = at("VpcId", index=True)
    main: bool = at(is_main)

    vpc: AWSVpc = to("MEMBER_OF_AWS_VPC", "VpcId")
    subnets: list[EC2Subnet] = by("ROUTES_THROUGH", "Associations[].SubnetId")
    vpn_gateways: list[AWSVpnGateway] = to("CONNECTED_TO", "PropagatingVgws[].GatewayId")
    tagged: list[AWSTag] = tagged("Tags")


class AWSVpcEndpoint(Resource):
    """A private way from a VPC to a service; its policy says who may reach what through it."""

    source = call("ec2", "DescribeVpcEndpoints", "VpcEndpoints[]")
    owned_by = "OwnerId"

    id: str = at("VpcEndpointId")
    vpc_endpoint_id: str = at("VpcEndpointId", index=True)
    arn: str = at(arn("ec2", "vpc-endpoint/{VpcEndpointId}", account="{OwnerId}"))
    vpc_id: str = at("VpcId", index=True)
    service_name: str = at("ServiceName")
    service_region: str = at("ServiceRegion")
    vpc_endpoint_type: str = at("VpcEndpointType")
    state: str = at("State")
    policy_document: str = at("PolicyDocument")
    route_table_ids: list[str] = at("RouteTableIds")
    subnet_ids: list[str] = at("SubnetIds")
    network_interface_ids: list[str] = at("NetworkInterfaceIds")
    dns_entries: str = at("DnsEntries", then=lambda entries: json.dumps(entries) if entries else None)
    private_dns_enabled: bool = at("PrivateDnsEnabled")
    requester_managed: bool = at("RequesterManaged")
    ip_address_type: str = at("IpAddressType")
    owner_id: str = at("OwnerId")
    creation_timestamp: str = at("CreationTimestamp", then=datetime.isoformat)

    vpc: AWSVpc = to("MEMBER_OF_AWS_VPC", "VpcId")
    subnets: list[EC2Subnet] = to("USES_SUBNET", "SubnetIds")
    groups: list[EC2SecurityGroup] = to("MEMBER_OF_SECURITY_GROUP", "Groups[].GroupId")
    tables: list[EC2RouteTable] = to("ROUTES_THROUGH", "RouteTableIds")
    interfaces: list[AWSNetworkInterface] = to("NETWORK_INTERFACE", "NetworkInterfaceIds")
    tagged: list[AWSTag] = tagged("Tags")


# What Cartography names a route by: the first of these that it has.
NAMING = (
    "DestinationCidrBlock",
    "DestinationIpv6CidrBlock",
    "GatewayId",
    "InstanceId",
    "NatGatewayId",
    "TransitGatewayId",
    "LocalGatewayId",
    "CarrierGatewayId",
    "NetworkInterfaceId",
    "VpcPeeringConnectionId",
    "EgressOnlyInternetGatewayId",
    "CoreNetworkArn",
)


def _routes(table: Record) -> Iterator[dict[str, Any]]:
    """The routes of a table, each with its id and what Cartography takes for its target.

    Ids are Cartography's, but a route to a prefix list is named by its gateway there: where a gateway serves several
    lists, the list's id follows.
    """
    routes = table["Routes"] or ()
    named = [next((route[key] for key in NAMING if route.get(key)), None) for route in routes]
    taken = Counter(named)
    for route, name in zip(routes, named, strict=True):
        parts = [table["RouteTableId"], name, route.get("DestinationPrefixListId") if taken[name] > 1 else None]
        yield {**route, "id": "|".join(part for part in parts if part), "target": name}


def gateway_of(route: Record) -> str | None:
    """The internet gateway that a route leads to."""
    return _gateway("igw-", route)


def vpn_gateway_of(route: Record) -> str | None:
    """The VPN gateway that a route leads to."""
    return _gateway("vgw-", route)


def endpoint_of(route: Record) -> str | None:
    """The gateway endpoint that a route leads to: AWS calls it a gateway."""
    return _gateway("vpce-", route)


def _gateway(kind: str, route: Record) -> str | None:
    gateway = route["GatewayId"] or ""
    return gateway if gateway.startswith(kind) else None


class EC2Route(Resource):
    """One line of a route table: where packets for a range of addresses are sent."""

    also = ("AWSEC2Route",)
    source = TABLES.each(_routes)
    owned_by = "^OwnerId"

    id: str = at("id")
    target: str = at("target", doc="The destination, or the gateway where that is a prefix list, as Cartography has it")
    route_table_id: str = at("^RouteTableId", index=True)
    destination_cidr_block: str = at("DestinationCidrBlock")
    destination_ipv6_cidr_block: str = at("DestinationIpv6CidrBlock")
    destination_prefix_list_id: str = at("DestinationPrefixListId")
    state: str = at("State", doc="blackhole where the target is gone")
    origin: str = at("Origin")
    gateway_id: str = at("GatewayId")
    vpc_endpoint_id: str = at(endpoint_of)
    nat_gateway_id: str = at("NatGatewayId")
    instance_id: str = at("InstanceId")
    instance_owner_id: str = at("InstanceOwnerId")
    network_interface_id: str = at("NetworkInterfaceId")
    egress_only_internet_gateway_id: str = at("EgressOnlyInternetGatewayId")
    transit_gateway_id: str = at("TransitGatewayId")
    vpc_peering_connection_id: str = at("VpcPeeringConnectionId")
    local_gateway_id: str = at("LocalGatewayId")
    carrier_gateway_id: str = at("CarrierGatewayId")
    core_network_arn: str = at("CoreNetworkArn")

    table: EC2RouteTable = by("ROUTE", "^RouteTableId")
    internet_gateway: AWSInternetGateway = to("ROUTES_TO_GATEWAY", gateway_of)
    vpn_gateway: AWSVpnGateway = to("ROUTES_TO_GATEWAY", vpn_gateway_of)
    endpoint: AWSVpcEndpoint = to("ROUTES_TO_VPC_ENDPOINT", endpoint_of)
    nat_gateway: AWSNatGateway = to("ROUTES_TO_NAT_GATEWAY", "NatGatewayId")
    peering: AWSPeeringConnection = to("ROUTES_TO_PEERING_CONNECTION", "VpcPeeringConnectionId")


def used_by(association: Record) -> str:
    """The subnet or gateway that uses the table, or main: every subnet that has no table of its own."""
    return str(association["SubnetId"] or association["GatewayId"] or "main")


def is_of_main(association: Record) -> bool:
    """Whether it makes the table the main one of its VPC."""
    return bool(association["Main"])


class EC2RouteTableAssociation(Resource):
    """What a route table is used by: a subnet, a gateway, or (as main table) every subnet without one of its own."""

    also = ("AWSEC2RouteTableAssociation",)
    source = TABLES["RouteTables[].Associations[]"]
    owned_by = "^OwnerId"

    id: str = at("RouteTableAssociationId")
    route_table_association_id: str = at("RouteTableAssociationId", index=True)
    route_table_id: str = at("^RouteTableId")
    target: str = at(used_by)
    subnet_id: str = at("SubnetId", index=True)
    gateway_id: str = at("GatewayId")
    main: bool = at(is_of_main)
    association_state: str = at("AssociationState.State")
    association_state_message: str = at("AssociationState.StatusMessage")

    table: EC2RouteTable = by("ASSOCIATION", "^RouteTableId")
    subnet: EC2Subnet = to("ASSOCIATED_SUBNET", "SubnetId")
    internet_gateway: AWSInternetGateway = to("ASSOCIATED_IGW_FOR_INGRESS", "GatewayId")
