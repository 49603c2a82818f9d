"""One VPC with everything that decides who can reach what is in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from skysweep.demo.session import Account

ANYONE = "0.0.0.0/0"
ANYONE_V6 = "::/0"
LOWER_HALF = "0.0.0.0/1"
UPPER_HALF = "128.0.0.0/1"

TCP = 6

PUBLIC = ("public-a", "public-b")
PRIVATE = ("private-a", "private-b")
DARK = ("dark-a", "dark-b")
GUARDED = "guarded-a"

SECOND_OCTETS = {
    ("hub", "us-east-1"): 10,
    ("shop", "us-east-1"): 20,
    ("shop", "eu-west-1"): 30,
    ("data", "eu-west-1"): 40,
    ("data", "ap-southeast-2"): 50,
}
"""N of the network 10.N.0.0/16, by account name and region."""

ELASTIC_ADDRESSES = ("nat", "idle", "fixed", "bastion")
"""The names of elastic IPs, in the order of their last octet."""

GROUPS: dict[str, tuple[str, list[dict[str, Any]]]] = {
    "web": (
        "HTTP and HTTPS from anyone",
        [{"port": 80, "v4": [ANYONE]}, {"port": 443, "v4": [ANYONE]}],
    ),
    "web-v6": ("HTTPS from anyone who has IPv6, and from nobody else", [{"port": 443, "v6": [ANYONE_V6]}]),
    "ssh-anyone": ("SSH from anyone", [{"port": 22, "v4": [ANYONE]}]),
    "ssh-half": (
        "SSH from half of the internet, which no search for 0.0.0.0/0 finds",
        [{"port": 22, "v4": [LOWER_HALF]}],
    ),
    "rdp-split": ("RDP from anyone, said in two halves", [{"port": 3389, "v4": [LOWER_HALF, UPPER_HALF]}]),
    "admin-listed": ("An admin page for a prefix list that holds half of the internet", [{"port": 8443, "list": True}]),
    "ssh-office": ("SSH from one office", [{"port": 22, "v4": ["203.0.113.0/24"]}]),
    "internal": ("Anything from the private range 10.0.0.0/8", [{"protocol": "-1", "v4": ["10.0.0.0/8"]}]),
    "app": ("The application's port from the web group only", [{"port": 8080, "group": "web"}]),
    "database": ("PostgreSQL from the application group only", [{"port": 5432, "group": "app"}]),
}
"""Security groups by name: what they are for, and their ingress rules."""


@dataclass(frozen=True)
class Network:
    """A built VPC: its id, and the ids of its subnets, security groups and route tables by name."""

    vpc: str
    cidr: str
    subnets: dict[str, str] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    route_tables: dict[str, str] = field(default_factory=dict)


def named(kind: str, name: str) -> list[dict[str, Any]]:
    """Give the TagSpecifications that name a new EC2 resource of this kind."""
    return [{"ResourceType": kind, "Tags": [{"Key": "Name", "Value": name}]}]


def allocate_address(ec2: Any, network: Network, name: str) -> str:
    """Allocate an elastic IP, 54.210.N.x for a network 10.N.0.0/16, and give its allocation id.

    The address is asked for: those that moto picks are in 127.0.0.0/8, which no internet reaches.
    """
    second_octet = network.cidr.split(".")[1]
    address = f"54.210.{second_octet}.{ELASTIC_ADDRESSES.index(name) + 1}"
    reply = ec2.allocate_address(Domain="vpc", Address=address, TagSpecifications=named("elastic-ip", name))
    return str(reply["AllocationId"])


def build_network(account: Account, region: str) -> Network:
    """Build the account's VPC with public, private, dark and guarded subnets, and every security group of GROUPS.

    Public subnets route to the internet gateway, private ones to a NAT gateway. Dark ones hand out public addresses
    but have only the VPC's main route table, which leads nowhere. The guarded one is public, yet its network ACL
    denies SSH.
    """
    ec2 = account.client("ec2", region)
    name = f"{account.name}-{region}"
    second_octet = SECOND_OCTETS[account.name, region]
    cidr = f"10.{second_octet}.0.0/16"
    vpc = ec2.create_vpc(CidrBlock=cidr, AmazonProvidedIpv6CidrBlock=True, TagSpecifications=named("vpc", name))["Vpc"]
    ec2.modify_vpc_attribute(VpcId=vpc["VpcId"], EnableDnsHostnames={"Value": True})
    network = Network(vpc["VpcId"], cidr)
    _subnets(ec2, network, region, second_octet, vpc["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"])
    _routes(ec2, network)
    _open_to_ipv6(ec2, network)
    _guard(ec2, network)
    _groups(ec2, network)
    _endpoints(ec2, network, region)
    _leave_idle(ec2, network)
    return network


def open_default_network(account: Account, region: str) -> Network:
    """Connect the region's default VPC to the internet by its main route table, as AWS makes it and moto does not."""
    ec2 = account.client("ec2", region)
    vpc = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]
    in_vpc = {"Name": "vpc-id", "Values": [vpc["VpcId"]]}
    main = ec2.describe_route_tables(Filters=[in_vpc, {"Name": "association.main", "Values": ["true"]}])
    igw = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=igw, VpcId=vpc["VpcId"])
    table = main["RouteTables"][0]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock=ANYONE, GatewayId=igw)
    zones = {
        subnet["AvailabilityZone"][-1]: subnet["SubnetId"]
        for subnet in ec2.describe_subnets(Filters=[in_vpc])["Subnets"]
    }
    subnets = {f"default-{letter}": subnet for letter, subnet in zones.items()}
    wizard = "launch-wizard-1"
    group = ec2.create_security_group(
        GroupName=wizard, Description=f"{wizard} created by the console", VpcId=vpc["VpcId"]
    )
    network = Network(vpc["VpcId"], vpc["CidrBlock"], subnets, {wizard: group["GroupId"]})
    permission = _permission({"port": 22, "v4": [ANYONE]}, network, "")
    ec2.authorize_security_group_ingress(GroupId=group["GroupId"], IpPermissions=[permission])
    return network


def _subnets(ec2: Any, network: Network, region: str, second_octet: int, ipv6: str) -> None:
    """Create the subnets: two zones, IPv6 on all, public addresses on launch everywhere but in the private ones."""
    prefix = ipv6.removesuffix("00::/56")
    for number, name in enumerate((*PUBLIC, *PRIVATE, *DARK, GUARDED)):
        subnet = ec2.create_subnet(
            VpcId=network.vpc,
            CidrBlock=f"10.{second_octet}.{number}.0/24",
            Ipv6CidrBlock=f"{prefix}{number:02x}::/64",
            AvailabilityZone=f"{region}{name[-1]}",
            TagSpecifications=named("subnet", name),
        )["Subnet"]["SubnetId"]
        network.subnets[name] = subnet
        if name not in PRIVATE:
            ec2.modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": True})


def _routes(ec2: Any, network: Network) -> None:
    """Route the public and guarded subnets to an internet gateway and the private ones to a NAT gateway."""
    gateway = ec2.create_internet_gateway(TagSpecifications=named("internet-gateway", "igw"))
    igw = gateway["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=igw, VpcId=network.vpc)
    allocation = allocate_address(ec2, network, "nat")
    nat = ec2.create_nat_gateway(
        SubnetId=network.subnets[PUBLIC[0]],
        AllocationId=allocation,
        TagSpecifications=named("natgateway", "nat"),
    )["NatGateway"]["NatGatewayId"]
    public = _route_table(ec2, network, "public", (*PUBLIC, GUARDED))
    ec2.create_route(RouteTableId=public, DestinationCidrBlock=ANYONE, GatewayId=igw)
    ec2.create_route(RouteTableId=public, DestinationIpv6CidrBlock=ANYONE_V6, GatewayId=igw)
    private = _route_table(ec2, network, "private", PRIVATE)
    ec2.create_route(RouteTableId=private, DestinationCidrBlock=ANYONE, NatGatewayId=nat)


def _route_table(ec2: Any, network: Network, name: str, subnets: Iterable[str]) -> str:
    reply = ec2.create_route_table(VpcId=network.vpc, TagSpecifications=named("route-table", name))
    table = str(reply["RouteTable"]["RouteTableId"])
    network.route_tables[name] = table
    for subnet in subnets:
        ec2.associate_route_table(RouteTableId=table, SubnetId=network.subnets[subnet])
    return table


def _open_to_ipv6(ec2: Any, network: Network) -> None:
    """Let IPv6 through the default network ACL: AWS adds this rule itself to a VPC with IPv6, moto does not."""
    filters = [{"Name": "vpc-id", "Values": [network.vpc]}, {"Name": "default", "Values": ["true"]}]
    acl = ec2.describe_network_acls(Filters=filters)["NetworkAcls"][0]["NetworkAclId"]
    for egress in (False, True):
        ec2.create_network_acl_entry(
            NetworkAclId=acl,
            RuleNumber=101,
            Egress=egress,
            Protocol="-1",
            RuleAction="allow",
            Ipv6CidrBlock=ANYONE_V6,
        )


def _guard(ec2: Any, network: Network) -> None:
    """Give the guarded subnet a network ACL that denies SSH from anyone before it allows all."""
    reply = ec2.create_network_acl(VpcId=network.vpc, TagSpecifications=named("network-acl", "no-ssh"))
    acl = reply["NetworkAcl"]["NetworkAclId"]
    everything = {"Protocol": "-1", "RuleAction": "allow", "CidrBlock": ANYONE}
    ssh = {"Protocol": str(TCP), "RuleAction": "deny", "CidrBlock": ANYONE, "PortRange": {"From": 22, "To": 22}}
    ec2.create_network_acl_entry(NetworkAclId=acl, RuleNumber=90, Egress=False, **ssh)
    ec2.create_network_acl_entry(NetworkAclId=acl, RuleNumber=100, Egress=False, **everything)
    ec2.create_network_acl_entry(NetworkAclId=acl, RuleNumber=100, Egress=True, **everything)
    subnet = network.subnets[GUARDED]
    holders = ec2.describe_network_acls(Filters=[{"Name": "association.subnet-id", "Values": [subnet]}])
    association = next(
        held["NetworkAclAssociationId"]
        for held in holders["NetworkAcls"][0]["Associations"]
        if held["SubnetId"] == subnet
    )
    ec2.replace_network_acl_association(AssociationId=association, NetworkAclId=acl)


def _groups(ec2: Any, network: Network) -> None:
    """Create the security groups of GROUPS, first all, then their rules, which name one another."""
    for name, (description, _) in GROUPS.items():
        group = ec2.create_security_group(
            GroupName=name,
            Description=description,
            VpcId=network.vpc,
            TagSpecifications=named("security-group", name),
        )
        network.groups[name] = group["GroupId"]
    entries = [{"Cidr": LOWER_HALF, "Description": "partners, they said"}]
    prefix_list = ec2.create_managed_prefix_list(
        PrefixListName="partners", Entries=entries, MaxEntries=10, AddressFamily="IPv4"
    )["PrefixList"]["PrefixListId"]
    for name, (_, rules) in GROUPS.items():
        permissions = [_permission(rule, network, prefix_list) for rule in rules]
        ec2.authorize_security_group_ingress(GroupId=network.groups[name], IpPermissions=permissions)


def _permission(rule: dict[str, Any], network: Network, prefix_list: str) -> dict[str, Any]:
    """Say one rule of GROUPS as the API's IpPermission."""
    permission: dict[str, Any] = {"IpProtocol": rule.get("protocol", "tcp")}
    if "port" in rule:
        permission |= {"FromPort": rule["port"], "ToPort": rule["port"]}
    if "v4" in rule:
        permission["IpRanges"] = [{"CidrIp": cidr} for cidr in rule["v4"]]
    if "v6" in rule:
        permission["Ipv6Ranges"] = [{"CidrIpv6": cidr} for cidr in rule["v6"]]
    if "group" in rule:
        permission["UserIdGroupPairs"] = [{"GroupId": network.groups[rule["group"]]}]
    if "list" in rule:
        permission["PrefixListIds"] = [{"PrefixListId": prefix_list}]
    return permission


def _endpoints(ec2: Any, network: Network, region: str) -> None:
    """Reach S3 through a gateway endpoint and STS through an interface endpoint."""
    ec2.create_vpc_endpoint(
        VpcId=network.vpc,
        VpcEndpointType="Gateway",
        ServiceName=f"com.amazonaws.{region}.s3",
        RouteTableIds=[network.route_tables["private"]],
        TagSpecifications=named("vpc-endpoint", "s3"),
    )
    ec2.create_vpc_endpoint(
        VpcId=network.vpc,
        VpcEndpointType="Interface",
        ServiceName=f"com.amazonaws.{region}.sts",
        SubnetIds=[network.subnets[name] for name in PRIVATE],
        SecurityGroupIds=[network.groups["internal"]],
        TagSpecifications=named("vpc-endpoint", "sts"),
    )


def _leave_idle(ec2: Any, network: Network) -> None:
    """Leave behind what people leave behind: an elastic IP and an interface of nobody."""
    allocate_address(ec2, network, "idle")
    ec2.create_network_interface(
        SubnetId=network.subnets[PRIVATE[0]],
        Groups=[network.groups["internal"]],
        TagSpecifications=named("network-interface", "idle"),
    )


def connect(requester: Account, accepter: Account, region: str, ours: Network, theirs: Network) -> None:
    """Peer two accounts' VPCs of one region, and route their private subnets to each other."""
    ec2 = requester.client("ec2", region)
    request = ec2.create_vpc_peering_connection(
        VpcId=ours.vpc,
        PeerVpcId=theirs.vpc,
        PeerOwnerId=accepter.id,
        TagSpecifications=named("vpc-peering-connection", f"{requester.name}-{accepter.name}"),
    )
    peering = request["VpcPeeringConnection"]["VpcPeeringConnectionId"]
    other = accepter.client("ec2", region)
    other.accept_vpc_peering_connection(VpcPeeringConnectionId=peering)
    for client, here, there in ((ec2, ours, theirs), (other, theirs, ours)):
        table = here.route_tables["private"]
        client.create_route(RouteTableId=table, DestinationCidrBlock=there.cidr, VpcPeeringConnectionId=peering)
