"""EC2: virtual machines, the images they were made of, and the keys that open them."""

from __future__ import annotations

from datetime import datetime

from skysweep.aws.iam import AWSInstanceProfile
from skysweep.aws.securitygroups import EC2SecurityGroup
from skysweep.aws.tags import AWSTag, tagged
from skysweep.aws.vpc import EC2Subnet
from skysweep.model import Among, Record, Resource, Source, arn, at, by, call, detail, to

INSTANCES = call("ec2", "DescribeInstances", "Reservations[].Instances[]")
IMAGE_ID = "{ImageId}|{region}"
KEY_PAIR_ARN = arn("ec2", "key-pair/{KeyName}")


class EC2Reservation(Resource):
    """One launch: the instances that were started together, and who asked for them."""

    also = ("AWSEC2Reservation",)
    source = INSTANCES["Reservations[]"]

    id: str = at("ReservationId")
    reservationid: str = at("ReservationId", index=True)
    ownerid: str = at("OwnerId")
    requesterid: str = at("RequesterId")


class EC2Image(Resource):
    """A machine image that this account made: what its instances start from, and whether the world may start it too."""

    also = ("AWSEC2Image",)
    source = call("ec2", "DescribeImages", "Images[]", Owners=["self"], IncludeDeprecated=True, IncludeDisabled=True)
    shared = True

    id: str = at(IMAGE_ID)
    imageid: str = at("ImageId", index=True)
    arn: str = at(arn("ec2", "image/{ImageId}", account=""))
    region: str = at("{region}")
    name: str = at("Name")
    description: str = at("Description")
    creationdate: str = at("CreationDate")
    deprecation_time: str = at("DeprecationTime")
    architecture: str = at("Architecture")
    location: str = at("ImageLocation")
    type: str = at("ImageType")
    ispublic: bool = at("Public", doc="Whether every AWS account may start it and read its disks")
    platform: str = at("Platform")
    platform_details: str = at("PlatformDetails")
    usageoperation: str = at("UsageOperation")
    state: str = at("State")
    enasupport: bool = at("EnaSupport")
    hypervisor: str = at("Hypervisor")
    imds_support: str = at("ImdsSupport", doc="v2.0 where instances of it take IMDSv2 only, unless told otherwise")
    rootdevicename: str = at("RootDeviceName")
    rootdevicetype: str = at("RootDeviceType")
    virtualizationtype: str = at("VirtualizationType")
    sriov_net_support: str = at("SriovNetSupport")
    bootmode: str = at("BootMode")
    owner: str = at("OwnerId")
    image_owner_alias: str = at("ImageOwnerAlias")
    kernel_id: str = at("KernelId")
    ramdisk_id: str = at("RamdiskId")

    tagged: list[AWSTag] = tagged("Tags")


def images_named(on: Source, path: str) -> Source:
    """The images whose ids stand at `path` of other records, as far as the account may see them."""
    # A filter, because asking for ids by name fails whole where one of them is deregistered.
    named = Among("image-id", path)
    return detail("ec2", "DescribeImages", "Images[]", on=on, IncludeDeprecated=True, Filters=named, batch=200)


class EC2ImageOfInstance(EC2Image, extends=EC2Image):
    """An image that an instance was started from, whoever owns it, as long as it can be seen."""

    source = images_named(INSTANCES, "ImageId")


class EC2KeyPair(Resource):
    """An SSH key that instances are started with: who has its private half can log in."""

    also = ("AWSEC2KeyPair", "KeyPair")
    source = call("ec2", "DescribeKeyPairs", "KeyPairs[]")

    id: str = at(KEY_PAIR_ARN)
    arn: str = at(KEY_PAIR_ARN)
    keyname: str = at("KeyName", index=True)
    keypairid: str = at("KeyPairId")
    keyfingerprint: str = at("KeyFingerprint", index=True)
    keytype: str = at("KeyType")
    create_time: datetime = at("CreateTime")

    tagged: list[AWSTag] = tagged("Tags")


class EC2KeyPairOfInstance(Resource, extends=EC2KeyPair):
    """A key that an instance was started with: it opens the instance even when EC2 has forgotten the key."""

    source = INSTANCES.each(lambda record: [{"KeyName": record["KeyName"]}] if record["KeyName"] else [])

    id: str = at(KEY_PAIR_ARN)
    arn: str = at(KEY_PAIR_ARN)
    region: str = at("{region}")
    keyname: str = at("KeyName", index=True)


def _primary_ipv6(record: Record) -> str | None:
    """The IPv6 address of the first interface: its primary one, else the first."""
    for interface in record["NetworkInterfaces"] or ():
        addresses = interface.get("Ipv6Addresses")
        if addresses and interface.get("Attachment", {}).get("DeviceIndex") == 0:
            primary = [each for each in addresses if each.get("IsPrimaryIpv6")]
            return str((primary or addresses)[0]["Ipv6Address"])
    return None


def eks_cluster(record: Record) -> str | None:
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
    eks_cluster_name: str = at(eks_cluster)

    reservation: EC2Reservation = to("MEMBER_OF_EC2_RESERVATION", "^ReservationId")
    profile: AWSInstanceProfile = to("INSTANCE_PROFILE", "IamInstanceProfile.Arn")
    subnet: EC2Subnet = to("PART_OF_SUBNET", "SubnetId")
    groups: list[EC2SecurityGroup] = to("MEMBER_OF_EC2_SECURITY_GROUP", "SecurityGroups[].GroupId")
    image: EC2Image = to("HAS_IMAGE", IMAGE_ID)
    key: EC2KeyPair = by("SSH_LOGIN_TO", KEY_PAIR_ARN)
    tagged: list[AWSTag] = tagged("Tags")
