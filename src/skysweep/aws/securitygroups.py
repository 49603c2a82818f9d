"""Security groups: who may talk to whom, on which ports.

AWS returns a permission (protocol and ports) with all its sources; each permission is a rule here, and its sources are
nodes of their own: address ranges of both families, prefix lists and other groups.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from skysweep.aws.tags import AWSTag, tagged
from skysweep.aws.vpc import AWSVpc
from skysweep.model import Record, Resource, arn, at, by, call, detail, to

GROUPS = call("ec2", "DescribeSecurityGroups", "SecurityGroups[]")
PREFIX_LISTS = call("ec2", "DescribeManagedPrefixLists", "PrefixLists[]")


class EC2SecurityGroup(Resource):
    """A stateful firewall around network interfaces: what may come in and go out."""

    also = ("AWSEC2SecurityGroup", "NetworkAccessControl")
    source = GROUPS
    owned_by = "OwnerId"

    id: str = at("GroupId")
    groupid: str = at("GroupId", index=True)
    arn: str = at(arn("ec2", "security-group/{GroupId}", account="{OwnerId}"))
    name: str = at("GroupName", index=True)
    description: str = at("Description")
    owner_id: str = at("OwnerId")
    vpc_id: str = at("VpcId", index=True)

    vpc: AWSVpc = by("MEMBER_OF_EC2_SECURITY_GROUP", "VpcId")
    allows_from: list[EC2SecurityGroup] = to("ALLOWS_TRAFFIC_FROM", "IpPermissions[].UserIdGroupPairs[].GroupId")
    allows_to: list[EC2SecurityGroup] = to("ALLOWS_TRAFFIC_TO", "IpPermissionsEgress[].UserIdGroupPairs[].GroupId")
    tagged: list[AWSTag] = tagged("Tags")


class EC2PrefixList(Resource):
    """A named list of address ranges that rules and routes refer to: opening one opens every range in it."""

    also = ("AWSManagedPrefixList",)
    source = PREFIX_LISTS
    shared = True

    # AWS's own lists hold the addresses of its services, and there are a dozen of them in every region: only the
    # entries of customers' lists are worth a call each.
    entries = detail(
        "ec2",
        "GetManagedPrefixListEntries",
        on=PREFIX_LISTS,
        when=lambda record: record["OwnerId"] != "AWS",
        PrefixListId="PrefixListId",
    )

    id: str = at("PrefixListId")
    arn: str = at("PrefixListArn")
    region: str = at("{region}")
    name: str = at("PrefixListName", index=True)
    owner_id: str = at("OwnerId", doc="The account that keeps the list, or AWS")
    state: str = at("State")
    address_family: str = at("AddressFamily")
    max_entries: int = at("MaxEntries")
    version: int = at("Version")
    cidrs: list[str] = at("Entries[].Cidr", of=entries, doc="Its ranges; AWS's own lists are not asked for theirs")

    tagged: list[AWSTag] = tagged("Tags")


def _rules(direction: str, record: Record) -> Iterator[dict[str, Any]]:
    """The permissions of a group in one direction, each with its id.

    Ids are Cartography's: ports without a separator. So 443-443 and 4-43443 read the same; the narrowest keeps that
    id, and the others say their ports apart.
    """
    taken: dict[str, tuple[int | None, int | None]] = {}
    for rule in sorted(record[direction] or (), key=_width):
        ports, protocol = (rule.get("FromPort"), rule.get("ToPort")), rule["IpProtocol"]
        key = f"{record['GroupId']}/{direction}/{ports[0]}{ports[1]}{protocol}"
        if taken.setdefault(key, ports) != ports:
            key = f"{record['GroupId']}/{direction}/{ports[0]}-{ports[1]}{protocol}"
        yield {**rule, "id": key}


def _width(rule: dict[str, Any]) -> tuple[int, int]:
    first, last = rule.get("FromPort") or 0, rule.get("ToPort") or 0
    return last - first, first


def _ranges(rule: dict[str, Any]) -> list[str]:
    """The address ranges of a permission, of both families."""
    v4 = [each["CidrIp"] for each in rule.get("IpRanges") or ()]
    return v4 + [each["CidrIpv6"] for each in rule.get("Ipv6Ranges") or ()]


def _every_range(record: Record) -> Iterator[dict[str, str]]:
    permissions = (record["IpPermissions"] or []) + (record["IpPermissionsEgress"] or [])
    for cidr in dict.fromkeys(cidr for rule in permissions for cidr in _ranges(rule)):
        yield {"cidr": cidr}


class AWSIpRange(Resource):
    """A range of addresses, of either family, that some rule lets in or out."""

    also = ("IpRange",)
    source = GROUPS.each(_every_range)
    shared = True

    id: str = at("cidr")
    range: str = at("cidr", index=True)


class _Rule(Resource):
    """What a security group lets through: a protocol, its ports, and the other ends."""

    owned_by = "^OwnerId"

    id: str = at("id")
    ruleid: str = at("id", index=True)
    groupid: str = at("^GroupId", index=True)
    protocol: str = at("IpProtocol")
    fromport: int = at("FromPort")
    toport: int = at("ToPort")
    prefix_list_ids: list[str] = at("PrefixListIds[].PrefixListId", doc="Those that were never seen as well")

    group: EC2SecurityGroup = to("MEMBER_OF_EC2_SECURITY_GROUP", "^GroupId")
    ranges: list[AWSIpRange] = by("MEMBER_OF_IP_RULE", lambda rule: _ranges(rule.item))
    prefix_lists: list[EC2PrefixList] = by("MEMBER_OF_IP_RULE", "PrefixListIds[].PrefixListId")
    groups: list[EC2SecurityGroup] = by("MEMBER_OF_IP_RULE", "UserIdGroupPairs[].GroupId")


class AWSIpPermissionInbound(_Rule):
    """What a security group lets in: a protocol, its ports, and from where."""

    also = ("IpPermissionInbound", "AWSIpRule", "IpRule")
    source = GROUPS.each(partial(_rules, "IpPermissions"))


class AWSIpPermissionEgress(_Rule):
    """What a security group lets out: a protocol, its ports, and where to."""

    also = ("AWSIpRule", "IpRule")
    source = GROUPS.each(partial(_rules, "IpPermissionsEgress"))
