"""EC2: what the declarations' own functions make of telling records."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from skysweep import catalogue
from skysweep.aws import ebs, ec2, gateways, launchtemplates, routes, securitygroups
from skysweep.aws.ec2 import EC2Image, EC2ImageOfInstance, EC2Instance
from skysweep.catalogue import Catalogue
from skysweep.model import Context, Record, Resource
from skysweep.records import Maker

CONTEXT = Context("123456789012", "us-east-1")
TYPES = {each.cls: each for each in catalogue.read([ec2, ebs, gateways, launchtemplates, routes, securitygroups])}


def row(cls: type[Resource], item: dict[str, Any]) -> dict[str, Any]:
    properties: dict[str, Any] = Maker(TYPES[cls]).row(Record(item, CONTEXT))["props"]
    return properties


def made(cls: type[Resource], item: dict[str, Any]) -> list[dict[str, Any]]:
    """The records that a type's source makes of one item."""
    make: Callable[[Record], Any] | None = cls.source.make
    assert make is not None
    return list(make(Record(item, CONTEXT)))


@pytest.mark.parametrize(
    ("interfaces", "address"),
    [
        ([], None),
        ([{"Attachment": {"DeviceIndex": 0}, "Ipv6Addresses": []}], None),
        ([{"Attachment": {"DeviceIndex": 1}, "Ipv6Addresses": [{"Ipv6Address": "2001:db8::1"}]}], None),
        ([{"Attachment": {"DeviceIndex": 0}, "Ipv6Addresses": [{"Ipv6Address": "2001:db8::1"}]}], "2001:db8::1"),
    ],
    ids=["no interface", "no address", "second interface", "none is primary"],
)
def test_the_ipv6_address_of_an_instance_is_its_first_interfaces(
    interfaces: list[dict[str, Any]], address: str | None
) -> None:
    assert row(EC2Instance, {"InstanceId": "i-1", "NetworkInterfaces": interfaces})["ipv6address"] == address


@pytest.mark.parametrize(
    ("tags", "cluster"),
    [
        ([{"Key": "Name", "Value": "web"}], None),
        ([{"Key": "eks:cluster-name", "Value": "prod"}], "prod"),
        ([{"Key": "alpha.eksctl.io/cluster-name", "Value": "prod"}], "prod"),
        ([{"Key": "kubernetes.io/cluster/prod", "Value": "owned"}], "prod"),
        ([{"Key": "kubernetes.io/cluster-autoscaler/enabled", "Value": "true"}], None),
    ],
)
def test_the_cluster_of_an_instance_is_in_its_tags(tags: list[dict[str, str]], cluster: str | None) -> None:
    assert row(EC2Instance, {"InstanceId": "i-1", "Tags": tags})["eks_cluster_name"] == cluster


@pytest.mark.parametrize(
    ("tokens", "mode", "version_1", "version_2_only"),
    [("optional", "v1_or_v2", True, False), ("required", "v2_only", False, True), (None, None, None, None)],
)
def test_the_metadata_service_is_read_off_http_tokens(
    tokens: str | None, mode: str | None, version_1: bool | None, version_2_only: bool | None
) -> None:
    read = row(EC2Instance, {"InstanceId": "i-1", "MetadataOptions": {"HttpTokens": tokens}})
    assert (read["imdsaccessmode"], read["imdsv1enabled"], read["imdsv2required"]) == (mode, version_1, version_2_only)


def test_an_image_in_use_has_the_properties_of_an_image_and_owns_nothing() -> None:
    own, used = TYPES[EC2Image], TYPES[EC2ImageOfInstance]
    assert used.properties == own.properties
    assert (used.label, used.also, used.owned) == ("EC2Image", own.also, False)
    assert Catalogue((own, used)).by_label == {"EC2Image": own}


def test_rules_whose_ports_read_alike_are_told_apart_in_any_order() -> None:
    ports = [(4, 43443), (443, 443), (44, 3443)]
    rules = [{"IpProtocol": "tcp", "FromPort": first, "ToPort": last} for first, last in ports]
    for order in (rules, rules[::-1]):
        found = made(securitygroups.AWSIpPermissionInbound, {"GroupId": "sg-1", "IpPermissions": order})
        assert {(each["FromPort"], each["ToPort"]): each["id"] for each in found} == {
            (443, 443): "sg-1/IpPermissions/443443tcp",
            (44, 3443): "sg-1/IpPermissions/44-3443tcp",
            (4, 43443): "sg-1/IpPermissions/4-43443tcp",
        }


def test_a_rule_for_all_traffic_has_no_ports() -> None:
    (rule,) = made(
        securitygroups.AWSIpPermissionEgress, {"GroupId": "sg-1", "IpPermissionsEgress": [{"IpProtocol": "-1"}]}
    )
    assert rule["id"] == "sg-1/IpPermissionsEgress/NoneNone-1"


def test_a_range_is_one_node_however_many_rules_have_it() -> None:
    group = {
        "GroupId": "sg-1",
        "IpPermissions": [
            {"IpRanges": [{"CidrIp": "0.0.0.0/0"}], "Ipv6Ranges": [{"CidrIpv6": "::/0"}]},
            {"IpRanges": [{"CidrIp": "0.0.0.0/0"}]},
        ],
        "IpPermissionsEgress": [{"IpRanges": [{"CidrIp": "0.0.0.0/0"}]}],
    }
    assert made(securitygroups.AWSIpRange, group) == [{"cidr": "0.0.0.0/0"}, {"cidr": "::/0"}]


def test_routes_to_prefix_lists_through_one_gateway_are_told_apart() -> None:
    table = {
        "RouteTableId": "rtb-1",
        "Routes": [
            {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1"},
            {"DestinationPrefixListId": "pl-1", "GatewayId": "vpce-1"},
            {"DestinationPrefixListId": "pl-2", "TransitGatewayId": "tgw-1"},
            {"DestinationPrefixListId": "pl-3", "TransitGatewayId": "tgw-1"},
        ],
    }
    assert [each["id"] for each in made(routes.EC2Route, table)] == [
        "rtb-1|0.0.0.0/0",
        "rtb-1|vpce-1",
        "rtb-1|tgw-1|pl-2",
        "rtb-1|tgw-1|pl-3",
    ]


@pytest.mark.parametrize(
    ("owner", "permissions", "public"),
    [
        ("123456789012", [{"Group": "all"}], True),
        ("123456789012", [{"UserId": "210987654321"}], False),
        ("123456789012", None, False),
        ("801119661308", None, None),
    ],
    ids=["everyone", "one account", "nobody, or encrypted", "not ours to ask"],
)
def test_a_snapshot_is_public_when_everyone_may_make_a_volume_of_it(
    owner: str, permissions: list[dict[str, str]] | None, public: bool | None
) -> None:
    snapshot = Record({"SnapshotId": "snap-1", "OwnerId": owner}, CONTEXT)
    snapshot.replies[ebs.PERMISSIONS.call] = {"CreateVolumePermissions": permissions} if permissions else {}
    assert Maker(TYPES[ebs.EBSSnapshot]).row(snapshot)["props"]["ispublic"] is public


def test_the_permissions_of_encrypted_and_foreign_snapshots_are_not_asked_for() -> None:
    when = ebs.PERMISSIONS.call.when
    assert when is not None
    snapshots = [
        {"SnapshotId": "snap-1", "OwnerId": "123456789012", "Encrypted": False},
        {"SnapshotId": "snap-2", "OwnerId": "123456789012", "Encrypted": True},
        {"SnapshotId": "snap-3", "OwnerId": "801119661308", "Encrypted": False},
    ]
    assert [when(Record(each, CONTEXT)) for each in snapshots] == [True, False, False]


def test_a_peering_that_has_lost_an_end_tells_of_the_other() -> None:
    peering = {
        "VpcPeeringConnectionId": "pcx-1",
        "RequesterVpcInfo": {"VpcId": "vpc-1", "OwnerId": "123456789012", "Region": "us-east-1"},
        "AccepterVpcInfo": {"OwnerId": "210987654321", "Region": "us-east-1"},
    }
    assert [each["VpcId"] for each in made(gateways.PeeredVpc, peering)] == ["vpc-1"]
    assert made(gateways.PeeredCidrBlock, peering) == []
    record = Record(peering, CONTEXT)
    assert [each.end for each in Maker(TYPES[gateways.AWSPeeringConnection]).links(record, "pcx-1")] == ["vpc-1"]


def test_no_call_and_no_property_reads_user_data() -> None:
    for type_ in TYPES.values():
        assert not [each.name for each in type_.properties if "userdata" in str(each.path).lower()]
        assert not [call for call in type_.calls if call.operation == "DescribeInstanceAttribute"]


def test_a_volume_of_what_aws_manages_is_attached_to_no_instance() -> None:
    maker = Maker(TYPES[ebs.EBSVolume])
    attachments = [{"State": "attached", "InstanceId": "i-1"}, {"State": "attached", "AssociatedResource": "arn:task"}]
    volume = Record({"VolumeId": "vol-1", "Attachments": [*attachments, {"InstanceId": "i-2"}]}, CONTEXT)
    assert [link.end for link in maker.links(volume, "vol-1")] == ["i-1"]
