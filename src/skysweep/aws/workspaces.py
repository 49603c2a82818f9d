"""WorkSpaces: desktops in the cloud, whose they are, when they were last used, and what they were made of."""

from __future__ import annotations

from datetime import datetime

from skysweep.aws._common import kms_key
from skysweep.aws.kms import KMSKey
from skysweep.aws.tags import AWSTag, tagged_by_arn
from skysweep.aws.vpc import EC2Subnet
from skysweep.model import Resource, arn, at, call, detail, to

WORKSPACES = call("workspaces", "DescribeWorkspaces", "Workspaces[]")
ARN = arn("workspaces", "workspace/{WorkspaceId}")
BUNDLE_ARN = arn("workspaces", "workspacebundle/{BundleId}")


class AWSWorkspacesBundle(Resource):
    """What desktops are made of: an image, the hardware and the size of the disks."""

    source = call("workspaces", "DescribeWorkspaceBundles", "Bundles[]")  # the account's own, without an Owner

    id: str = at(BUNDLE_ARN)
    arn: str = at(BUNDLE_ARN, index=True)
    bundle_id: str = at("BundleId", index=True)
    name: str = at("Name")
    owner: str = at("Owner", doc="AMAZON, or the account that made it")
    description: str = at("Description")
    image_id: str = at("ImageId")
    bundle_type: str = at("BundleType")
    state: str = at("State")
    compute_type: str = at("ComputeType.Name")
    root_storage_capacity: str = at("RootStorage.Capacity")
    user_storage_capacity: str = at("UserStorage.Capacity")
    creation_time: datetime = at("CreationTime")
    last_updated_time: datetime = at("LastUpdatedTime")


class UsedBundle(AWSWorkspacesBundle, extends=AWSWorkspacesBundle):
    """A bundle that a desktop was made of, which may be Amazon's: those of others are not listed with one's own."""

    source = detail(
        "workspaces", "DescribeWorkspaceBundles", "Bundles[]", on=WORKSPACES, batch=25, BundleIds="BundleId"
    )

    region: str = at("{region}")


class AWSWorkspace(Resource):
    """Somebody's desktop: where it stands, whether its disks are encrypted, and whether it runs."""

    source = WORKSPACES

    id: str = at(ARN)
    arn: str = at(ARN, index=True)
    workspace_id: str = at("WorkspaceId", index=True)
    name: str = at("WorkspaceName")
    user_name: str = at("UserName", index=True)
    directory_id: str = at("DirectoryId", index=True)
    computer_name: str = at("ComputerName")
    state: str = at("State")
    error_code: str = at("ErrorCode")
    error_message: str = at("ErrorMessage")
    ip_address: str = at("IpAddress", index=True, doc="Its private address; it has others that AWS manages it by")
    ipv6_address: str = at("Ipv6Address")
    subnet_id: str = at("SubnetId")
    bundle_id: str = at("BundleId")
    root_volume_encryption_enabled: bool = at("RootVolumeEncryptionEnabled")
    user_volume_encryption_enabled: bool = at("UserVolumeEncryptionEnabled")
    volume_encryption_key: str = at("VolumeEncryptionKey")
    root_volume_size_gib: int = at("WorkspaceProperties.RootVolumeSizeGib")
    user_volume_size_gib: int = at("WorkspaceProperties.UserVolumeSizeGib")
    running_mode: str = at("WorkspaceProperties.RunningMode")
    compute_type: str = at("WorkspaceProperties.ComputeTypeName")
    operating_system: str = at("WorkspaceProperties.OperatingSystemName")
    protocols: list[str] = at("WorkspaceProperties.Protocols")
    related_workspace_ids: list[str] = at("RelatedWorkspaces[].WorkspaceId", doc="Its standbys, or what it stands by")

    bundle: AWSWorkspacesBundle = to("USES", BUNDLE_ARN)
    subnet: EC2Subnet = to("PART_OF_SUBNET", "SubnetId")
    key: KMSKey = to("ENCRYPTED_BY", kms_key("VolumeEncryptionKey"), on="arn")
    tagged: list[AWSTag] = tagged_by_arn(WORKSPACES, ARN)


class WorkspaceUse(Resource, extends=AWSWorkspace):
    """When somebody was last at a desktop: one that nobody uses is still there to be broken into."""

    source = call("workspaces", "DescribeWorkspacesConnectionStatus", "WorkspacesConnectionStatus[]")

    id: str = at(ARN)
    connection_state: str = at("ConnectionState")
    connection_state_check_timestamp: datetime = at("ConnectionStateCheckTimestamp")
    last_known_user_connection_timestamp: datetime = at("LastKnownUserConnectionTimestamp", doc="Null: never")
