"""EFS: file systems that many machines mount at once, the doors to them in a VPC, and who may go in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from skysweep.aws._common import kms_key
from skysweep.aws.kms import KMSKey
from skysweep.aws.network import INTERFACES, AWSNetworkInterface
from skysweep.aws.resourcepolicies import PolicyStatement, statements_of
from skysweep.aws.securitygroups import EC2SecurityGroup
from skysweep.aws.tags import AWSTag, tagged
from skysweep.aws.vpc import EC2Subnet
from skysweep.model import Record, Resource, at, by, call, detail, to

FILE_SYSTEMS = call("efs", "DescribeFileSystems", "FileSystems[]")
POLICY = detail(
    "efs", "DescribeFileSystemPolicy", on=FILE_SYSTEMS, missing="PolicyNotFound", FileSystemId="FileSystemId"
)
BACKUP = detail("efs", "DescribeBackupPolicy", on=FILE_SYSTEMS, missing="PolicyNotFound", FileSystemId="FileSystemId")


class EfsFileSystem(Resource):
    """A network file system: without a policy, whoever reaches one of its mount targets may read and write it."""

    also = ("AWSEfsFileSystem", "FileStorage")
    source = FILE_SYSTEMS

    id: str = at("FileSystemId")
    arn: str = at("FileSystemArn", index=True)
    owner_id: str = at("OwnerId")
    creation_token: str = at("CreationToken")
    creation_time: datetime = at("CreationTime")
    lifecycle_state: str = at("LifeCycleState")
    name: str = at("Name")
    number_of_mount_targets: int = at("NumberOfMountTargets")
    size_in_bytes_value: int = at("SizeInBytes.Value")
    size_in_bytes_timestamp: datetime = at("SizeInBytes.Timestamp")
    performance_mode: str = at("PerformanceMode")
    encrypted: bool = at("Encrypted")
    kms_key_id: str = at("KmsKeyId")
    throughput_mode: str = at("ThroughputMode")
    availability_zone_name: str = at("AvailabilityZoneName", doc="Of a file system in one zone only")
    availability_zone_id: str = at("AvailabilityZoneId")
    file_system_protection: str = at(
        "FileSystemProtection.ReplicationOverwriteProtection", doc="REPLICATING: it is another's copy"
    )
    policy: str = at("Policy", of=POLICY, doc="Who may mount it, as JSON; null: everybody who reaches it")
    backup_policy_status: str = at("BackupPolicy.Status", of=BACKUP, doc="Whether AWS Backup saves it every day")

    key: KMSKey = to("ENCRYPTED_BY", kms_key("KmsKeyId"), on="arn")
    tagged: list[AWSTag] = tagged("Tags")


class EfsPolicyStatement(PolicyStatement):
    """One statement of a file system's policy: who may mount it, and whether as root."""

    source = POLICY.each(statements_of("Policy", "^FileSystemArn"))

    file_system: EfsFileSystem = by("POLICY_STATEMENT", "^^FileSystemId")


def is_mounted(file_system: Record) -> bool:
    """Whether a file system has mount targets to ask for."""
    return bool(file_system["NumberOfMountTargets"] != 0)


class EfsMountTarget(Resource):
    """A door to a file system in a subnet: its address, and the firewall before it."""

    also = ("AWSEfsMountTarget",)
    source = detail(
        "efs",
        "DescribeMountTargets",
        "MountTargets[]",
        on=FILE_SYSTEMS,
        when=is_mounted,
        FileSystemId="FileSystemId",
    )

    id: str = at("MountTargetId")
    arn: str = at("MountTargetId", index=True, doc="Its id: a mount target has no ARN")
    mount_target_id: str = at("MountTargetId")
    fileSystem_id: str = at("FileSystemId")  # noqa: N815 - Cartography's name
    owner_id: str = at("OwnerId")
    lifecycle_state: str = at("LifeCycleState")
    subnet_id: str = at("SubnetId")
    vpc_id: str = at("VpcId")
    availability_zone_id: str = at("AvailabilityZoneId")
    availability_zone_name: str = at("AvailabilityZoneName")
    ip_address: str = at("IpAddress")
    ipv6_address: str = at("Ipv6Address")
    network_interface_id: str = at("NetworkInterfaceId")

    file_system: EfsFileSystem = to("ATTACHED_TO", "FileSystemId")
    interface: AWSNetworkInterface = to("NETWORK_INTERFACE", "NetworkInterfaceId")
    subnet: EC2Subnet = to("PART_OF_SUBNET", "SubnetId")


_TARGET = re.compile(r"\bfsmt-[0-9a-f]+\b")


def target_of(interface: Record) -> Iterator[dict[str, str]]:
    """The mount target that an interface belongs to: only its description tells it, and EFS made the interface."""
    found = _TARGET.search(interface["Description"] or "")
    if found and interface["RequesterManaged"] and interface["OwnerId"] in {None, interface.context.account}:
        yield {"MountTargetId": found[0]}


class EfsMountTargetOfInterface(Resource, extends=EfsMountTarget):
    """The firewall of a mount target is its interface's: no call for each target is needed to know it."""

    source = INTERFACES.each(target_of)

    id: str = at("MountTargetId")

    groups: list[EC2SecurityGroup] = to("MEMBER_OF_EC2_SECURITY_GROUP", "^Groups[].GroupId")


class EfsAccessPoint(Resource):
    """A way into a file system that sets whom a client counts as there, and which directory it sees as the root."""

    also = ("AWSEfsAccessPoint",)
    source = call("efs", "DescribeAccessPoints", "AccessPoints[]")

    id: str = at("AccessPointArn")
    arn: str = at("AccessPointArn", index=True)
    access_point_id: str = at("AccessPointId", index=True)
    file_system_id: str = at("FileSystemId")
    lifecycle_state: str = at("LifeCycleState")
    name: str = at("Name")
    owner_id: str = at("OwnerId")
    posix_gid: int = at("PosixUser.Gid")
    posix_uid: int = at("PosixUser.Uid", doc="0: whoever comes in is root")
    root_directory_path: str = at("RootDirectory.Path")

    file_system: EfsFileSystem = to("ACCESS_POINT_OF", "FileSystemId")
    tagged: list[AWSTag] = tagged("Tags")
