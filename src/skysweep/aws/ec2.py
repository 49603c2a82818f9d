"""EC2: virtual machines, how they were started, and the keys that open them."""

from __future__ import annotations

from datetime import datetime

from skysweep.aws.securitygroups import EC2SecurityGroup
from skysweep.aws.vpc import EC2Subnet
from skysweep.model import Record, Resource, arn, at, call, to

INSTANCES = call("ec2", "DescribeInstances", "Reservations[].Instances[]")


class EC2Reservation(Resource):
    """One launch: the instances that were started together, and who asked for them."""

    also = ("AWSEC2Reservation",)
    source = INSTANCES["Reservations[]"]

    id: str = at("ReservationId")
    reservationid: str = at("ReservationId", index=True)
    ownerid: str = at("OwnerId")
    requesterid: str = at("RequesterId")


def _primary_ipv6(record: Record) -> str | None:
    """The IPv6 address of the first interface: its primary one, else the first."""
    for interface in record["NetworkInterfaces"] or ():
        addresses = interface.get("Ipv6Addresses")
        if addresses and interface.get("Attachment", {}).get("DeviceIndex") == 0:
            primary = [each for each in addresses if each.get("IsPrimaryIpv6")]
            return str((primary or addresses)[0]["Ipv6Address"])
    return None


def _eks_cluster(record: Record) -> str | None:
    """The EKS cluster that an instance's tags name."""
    for tag in record["Tags"] or ():
        if tag["Key"] in {"eks:cluster-name", "alpha.eksctl.io/cluster-name"} and tag.get("Value"):
            return str(tag["Value"])
        if tag["Key"].startswith("kubernetes.io/cluster/"):
            return str(tag["Key"].removeprefix("kubernetes.io/cluster/"))
    return None


class EC2Instance(Resource):
    """A virtual machine: where it sits, what it runs as, who can reach it."""

    also = ("AWSEC2Instance", "ComputeInstance")
    source = INSTANCES

    id: str = at("InstanceId")
    instanceid: str = at("InstanceId", index=True)
    arn: str = at(arn("ec2", "instance/{InstanceId}"), index=True)
    state: str = at("State.Name")
    publicdnsname: str = at("PublicDnsName", index=True)
    publicipaddress: str = at("PublicIpAddress", index=True)
    privateipaddress: str = at("PrivateIpAddress", index=True)
    ipv6address: str = at(_primary_ipv6, doc="The primary IPv6 address of its first interface")
    vpc_id: str = at("VpcId")
    subnet_id: str = at("SubnetId")
    imageid: str = at("ImageId", index=True)
    instancetype: str = at("InstanceType")
    instancelifecycle: str = at("InstanceLifecycle", doc="spot or scheduled; absent for on-demand")
    launchtime: datetime = at("LaunchTime")
    launchtimeunix: str = at("LaunchTime", then=lambda time: f"{int(time.timestamp())}.0")
    key_name: str = at("KeyName")
    iaminstanceprofile: str = at("IamInstanceProfile.Arn")
    monitoringstate: str = at("Monitoring.State")
    availabilityzone: str = at("Placement.AvailabilityZone")
    tenancy: str = at("Placement.Tenancy")
    hostresourcegrouparn: str = at("Placement.HostResourceGroupArn")
    platform: str = at("Platform")
    architecture: str = at("Architecture")
    bootmode: str = at("BootMode")
    ebsoptimized: bool = at("EbsOptimized")
    hibernationoptions: bool = at("HibernationOptions.Configured")
    metadatahttptokens: str = at("MetadataOptions.HttpTokens")
    metadatahttpputresponsehoplimit: int = at("MetadataOptions.HttpPutResponseHopLimit")
    metadatahttpendpoint: str = at("MetadataOptions.HttpEndpoint")
    metadatahttpprotocolipv6: str = at("MetadataOptions.HttpProtocolIpv6")
    metadatainstancetags: str = at("MetadataOptions.InstanceMetadataTags")
    imdsaccessmode: str = at("MetadataOptions.HttpTokens", then={"required": "v2_only", "optional": "v1_or_v2"}.get)
    imdsv1enabled: bool = at("MetadataOptions.HttpTokens", then=lambda tokens: tokens == "optional")
    imdsv2required: bool = at("MetadataOptions.HttpTokens", then=lambda tokens: tokens == "required")
    eks_cluster_name: str = at(_eks_cluster)

    reservation: EC2Reservation = to("MEMBER_OF_EC2_RESERVATION", "^ReservationId")
    subnet: EC2Subnet = to("PART_OF_SUBNET", "SubnetId")
    groups: list[EC2SecurityGroup] = to("MEMBER_OF_EC2_SECURITY_GROUP", "SecurityGroups[].GroupId")
