"""EBS: the disks of instances and their snapshots."""

from __future__ import annotations

from datetime import datetime

from skysweep.aws._common import always
from skysweep.aws.ec2 import EC2Instance
from skysweep.aws.kms import KMSKey
from skysweep.aws.tags import AWSTag, tagged
from skysweep.model import Record, Resource, arn, at, call, detail, to

VOLUMES = call("ec2", "DescribeVolumes", "Volumes[]")
SNAPSHOTS = call("ec2", "DescribeSnapshots", "Snapshots[]", OwnerIds=["self"])


def _may_be_public(snapshot: Record) -> bool:
    """Whether a snapshot's permissions are worth a call: AWS lets no one publish an encrypted one."""
    return not snapshot["Encrypted"] and snapshot["OwnerId"] == snapshot.context.account


PERMISSIONS = detail(
    "ec2",
    "DescribeSnapshotAttribute",
    on=SNAPSHOTS,
    when=_may_be_public,
    SnapshotId="SnapshotId",
    Attribute=always("createVolumePermission"),
)


def _is_public(snapshot: Record) -> bool | None:
    """Whether every AWS account may make a volume of it; None for a snapshot of somebody else."""
    if snapshot["OwnerId"] != snapshot.context.account:
        return None
    permissions = snapshot.reply(PERMISSIONS).get("CreateVolumePermissions") or ()
    return any(each.get("Group") == "all" for each in permissions)


class EBSSnapshot(Resource):
    """A copy of a disk: whoever may make a volume of it reads everything on it."""

    also = ("AWSEBSSnapshot", "Snapshot")
    source = SNAPSHOTS

    id: str = at("SnapshotId")
    snapshotid: str = at("SnapshotId", index=True)
    arn: str = at(arn("ec2", "snapshot/{SnapshotId}", account=""))
    description: str = at("Description")
    ownerid: str = at("OwnerId")
    ispublic: bool = at(_is_public, of=PERMISSIONS)
    shared_with: list[str] = at(
        "CreateVolumePermissions[].UserId", of=PERMISSIONS, doc="The accounts an unencrypted snapshot is shared with"
    )
    encrypted: bool = at("Encrypted")
    kmskeyid: str = at("KmsKeyId")
    dataencryptionkeyid: str = at("DataEncryptionKeyId")
    progress: str = at("Progress")
    starttime: datetime = at("StartTime")
    state: str = at("State")
    statemessage: str = at("StateMessage")
    storage_tier: str = at("StorageTier")
    volumeid: str = at("VolumeId", index=True)
    volumesize: int = at("VolumeSize")
    outpostarn: str = at("OutpostArn")

    # Snapshot to the volume it was taken of. Cartography draws this edge from the volume's SnapshotId, which is the
    # other fact: see RESTORED_FROM.
    volume: EBSVolume = to("CREATED_FROM", "VolumeId")
    key: KMSKey = to("ENCRYPTED_BY", "KmsKeyId", on="arn")
    tagged: list[AWSTag] = tagged("Tags")


def _attached(volume: Record) -> list[str]:
    """The instances that a volume is attached to (several, where it is multi-attach); what AWS manages has none."""
    attached = (each for each in volume["Attachments"] or () if each.get("State") == "attached")
    return [each["InstanceId"] for each in attached if "InstanceId" in each]


class EBSVolume(Resource):
    """A disk, where it is attached, and whether it is encrypted."""

    also = ("AWSEBSVolume", "BlockStorage")
    source = VOLUMES

    id: str = at("VolumeId")
    volumeid: str = at("VolumeId", index=True)
    arn: str = at(arn("ec2", "volume/{VolumeId}"))
    availabilityzone: str = at("AvailabilityZone")
    createtime: datetime = at("CreateTime")
    encrypted: bool = at("Encrypted")
    kmskeyid: str = at("KmsKeyId")
    size: int = at("Size")
    state: str = at("State")
    type: str = at("VolumeType")
    iops: int = at("Iops")
    throughput: int = at("Throughput")
    fastrestored: bool = at("FastRestored")
    multiattachenabled: bool = at("MultiAttachEnabled")
    deleteontermination: bool = at("Attachments[0].DeleteOnTermination")
    snapshotid: str = at("SnapshotId")
    outpostarn: str = at("OutpostArn")

    instances: list[EC2Instance] = to("ATTACHED_TO", _attached)
    snapshot: EBSSnapshot = to("RESTORED_FROM", "SnapshotId")
    key: KMSKey = to("ENCRYPTED_BY", "KmsKeyId", on="arn")
    tagged: list[AWSTag] = tagged("Tags")
