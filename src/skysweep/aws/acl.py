"""Network ACLs: the stateless firewalls around subnets. Rules are tried in the order of their numbers."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from skysweep.aws.tags import AWSTag, tagged
from skysweep.aws.vpc import AWSVpc, EC2Subnet
from skysweep.model import Record, Resource, arn, at, call, to

ACLS = call("ec2", "DescribeNetworkAcls", "NetworkAcls[]")


class EC2NetworkAcl(Resource):
    """What may enter and leave a subnet, before any security group is asked."""

    also = ("AWSEC2NetworkAcl",)
    source = ACLS
    owned_by = "OwnerId"

    id: str = at(arn("ec2", "network-acl/{NetworkAclId}", account="{OwnerId}"))
    arn: str = at(arn("ec2", "network-acl/{NetworkAclId}", account="{OwnerId}"))
    network_acl_id: str = at("NetworkAclId", index=True)
    is_default: bool = at("IsDefault")
    vpc_id: str = at("VpcId", index=True)
    owner_id: str = at("OwnerId")

    vpc: AWSVpc = to("MEMBER_OF_AWS_VPC", "VpcId")
    subnets: list[EC2Subnet] = to("PART_OF_SUBNET", "Associations[].SubnetId")
    tagged: list[AWSTag] = tagged("Tags")


def _entries(record: Record, *, egress: bool) -> Iterator[dict[str, Any]]:
    """The entries of one direction, each with its id."""
    direction = "egress" if egress else "inbound"
    for entry in record["Entries"] or ():
        if entry["Egress"] == egress:
            yield {**entry, "id": f"{record['NetworkAclId']}/{direction}/{entry['RuleNumber']}"}


class _Rule(Resource):
    """One numbered line of a network ACL."""

    owned_by = "^OwnerId"

    id: str = at("id")
    network_acl_id: str = at("^NetworkAclId")
    rulenumber: int = at("RuleNumber")
    ruleaction: str = at("RuleAction")
    egress: bool = at("Egress")
    protocol: str = at("Protocol", doc="An IANA protocol number, -1 for all")
    fromport: int = at("PortRange.From")
    toport: int = at("PortRange.To")
    cidrblock: str = at("CidrBlock")
    ipv6cidrblock: str = at("Ipv6CidrBlock")

    acl: EC2NetworkAcl = to("MEMBER_OF_NACL", arn("ec2", "network-acl/{^NetworkAclId}", account="{^OwnerId}"))


class EC2NetworkAclInboundRule(_Rule):
    """One numbered line of a network ACL about what comes in."""

    also = ("AWSEC2NetworkAclRule", "EC2NetworkAclRule", "IpPermissionInbound")
    source = ACLS.each(partial(_entries, egress=False))


class EC2NetworkAclEgressRule(_Rule):
    """One numbered line of a network ACL about what goes out."""

    also = ("AWSEC2NetworkAclRule", "EC2NetworkAclRule", "IpPermissionEgress")
    source = ACLS.each(partial(_entries, egress=True))
