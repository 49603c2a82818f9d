"""RDS snapshots: copies of whole databases, which can be given to other accounts, or to everyone."""

from __future__ import annotations

from functools import partial
from typing import Any

from skysweep.aws.rds import RDSCluster, RDSInstance
from skysweep.aws.tags import AWSTag, tagged
from skysweep.model import Record, Resource, Source, at, call, detail, to
from skysweep.paths import getter

SNAPSHOTS = call("rds", "DescribeDBSnapshots", "DBSnapshots[]")
CLUSTER_SNAPSHOTS = call("rds", "DescribeDBClusterSnapshots", "DBClusterSnapshots[]")


def is_manual(snapshot: Record) -> bool:
    """Whether a user made the snapshot: RDS shares no others."""
    return bool(snapshot["SnapshotType"] == "manual")


SHARING = detail(
    "rds",
    "DescribeDBSnapshotAttributes",
    on=SNAPSHOTS,
    when=is_manual,
    DBSnapshotIdentifier="DBSnapshotIdentifier",
)
CLUSTER_SHARING = detail(
    "rds",
    "DescribeDBClusterSnapshotAttributes",
    on=CLUSTER_SNAPSHOTS,
    when=is_manual,
    DBClusterSnapshotIdentifier="DBClusterSnapshotIdentifier",
)


def restorers(sharing: Source, path: str, snapshot: Record) -> list[str]:
    """The accounts that may restore the snapshot, ``all`` for everyone; none where it cannot be shared."""
    attributes: list[dict[str, Any]] = getter(path)(snapshot.reply(sharing)) or []
    found = (each.get("AttributeValues", ()) for each in attributes if each["AttributeName"] == "restore")
    return [account for accounts in found for account in accounts]


def restorable_by(snapshot: Record) -> list[str]:
    """Accounts that may restore it; all: everyone."""
    return restorers(SHARING, "DBSnapshotAttributesResult.DBSnapshotAttributes", snapshot)


def cluster_restorable_by(snapshot: Record) -> list[str]:
    """Accounts that may restore it; all: everyone."""
    return restorers(CLUSTER_SHARING, "DBClusterSnapshotAttributesResult.DBClusterSnapshotAttributes", snapshot)


def is_public(snapshot: Record) -> bool:
    """Whether everyone may restore it."""
    return "all" in restorable_by(snapshot)


def is_public_cluster(snapshot: Record) -> bool:
    """Whether everyone may restore it."""
    return "all" in cluster_restorable_by(snapshot)


def copied_from(kind: str, name: str, original: str, snapshot: Record) -> str:
    """The ARN of the database that a snapshot is of: a copied one's is where the original snapshot was taken."""
    here = snapshot.context
    told = snapshot[original] or ""
    _, _, _, region, account, *_ = told.split(":") if told.startswith("arn:") else [""] * 5
    region = region or snapshot["SourceRegion"] or here.region
    return f"arn:{here.partition}:rds:{region}:{account or here.account}:{kind}:{snapshot[name]}"


class RDSSnapshot(Resource):
    """A snapshot of a database: all of its data, for whoever may restore it."""

    also = ("AWSRDSSnapshot", "Snapshot")
    source = SNAPSHOTS

    id: str = at("DBSnapshotArn")
    arn: str = at("DBSnapshotArn", index=True)
    db_snapshot_identifier: str = at("DBSnapshotIdentifier", index=True)
    ispublic: bool = at(is_public, of=SHARING)
    restorable_by: list[str] = at(restorable_by, of=SHARING)
    snapshot_type: str = at("SnapshotType")
    status: str = at("Status")
    encrypted: bool = at("Encrypted")
    kms_key_id: str = at("KmsKeyId")
    db_instance_identifier: str = at("DBInstanceIdentifier")
    dbi_resource_id: str = at("DbiResourceId", index=True)
    engine: str = at("Engine")
    engine_version: str = at("EngineVersion")
    master_username: str = at("MasterUsername")
    iam_database_authentication_enabled: bool = at("IAMDatabaseAuthenticationEnabled")
    port: int = at("Port")
    availability_zone: str = at("AvailabilityZone")
    vpc_id: str = at("VpcId")
    instance_create_time: str = at("InstanceCreateTime", then=str)
    snapshot_create_time: str = at("SnapshotCreateTime", then=str)
    original_snapshot_create_time: str = at("OriginalSnapshotCreateTime", then=str)
    snapshot_database_time: str = at("SnapshotDatabaseTime", then=str)
    snapshot_target: str = at("SnapshotTarget")
    source_region: str = at("SourceRegion")
    source_db_snapshot_identifier: str = at("SourceDBSnapshotIdentifier")
    allocated_storage: int = at("AllocatedStorage")
    storage_type: str = at("StorageType")
    storage_throughput: int = at("StorageThroughput")
    iops: int = at("Iops")
    percent_progress: int = at("PercentProgress")
    license_model: str = at("LicenseModel")
    option_group_name: str = at("OptionGroupName")
    processor_features: str = at("ProcessorFeatures", then=str)
    tde_credential_arn: str = at("TdeCredentialArn")
    timezone: str = at("Timezone")

    instance: RDSInstance = to(
        "IS_SNAPSHOT_SOURCE", partial(copied_from, "db", "DBInstanceIdentifier", "SourceDBSnapshotIdentifier")
    )
    tagged: list[AWSTag] = tagged("TagList")


class AWSRDSClusterSnapshot(Resource):
    """A snapshot of a database cluster: all of its data, for whoever may restore it."""

    also = ("Snapshot",)
    source = CLUSTER_SNAPSHOTS

    id: str = at("DBClusterSnapshotArn")
    arn: str = at("DBClusterSnapshotArn", index=True)
    db_cluster_snapshot_identifier: str = at("DBClusterSnapshotIdentifier", index=True)
    ispublic: bool = at(is_public_cluster, of=CLUSTER_SHARING)
    restorable_by: list[str] = at(cluster_restorable_by, of=CLUSTER_SHARING)
    snapshot_type: str = at("SnapshotType")
    status: str = at("Status")
    storage_encrypted: bool = at("StorageEncrypted")
    kms_key_id: str = at("KmsKeyId")
    db_cluster_identifier: str = at("DBClusterIdentifier")
    db_cluster_resource_id: str = at("DbClusterResourceId", index=True)
    engine: str = at("Engine")
    engine_version: str = at("EngineVersion")
    engine_mode: str = at("EngineMode")
    master_username: str = at("MasterUsername")
    iam_database_authentication_enabled: bool = at("IAMDatabaseAuthenticationEnabled")
    port: int = at("Port")
    availability_zones: list[str] = at("AvailabilityZones")
    vpc_id: str = at("VpcId")
    cluster_create_time: str = at("ClusterCreateTime", then=str)
    snapshot_create_time: str = at("SnapshotCreateTime", then=str)
    source_db_cluster_snapshot_arn: str = at("SourceDBClusterSnapshotArn")
    allocated_storage: int = at("AllocatedStorage")
    storage_type: str = at("StorageType")
    percent_progress: int = at("PercentProgress")
    license_model: str = at("LicenseModel")

    cluster: RDSCluster = to(
        "IS_SNAPSHOT_SOURCE", partial(copied_from, "cluster", "DBClusterIdentifier", "SourceDBClusterSnapshotArn")
    )
    tagged: list[AWSTag] = tagged("TagList")
