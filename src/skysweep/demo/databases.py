"""Databases and storage volumes: encrypted, plain, and shared with everyone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from skysweep.demo.network import PRIVATE, named

if TYPE_CHECKING:
    from skysweep.demo.network import Network
    from skysweep.demo.session import Account

PASSWORD = "not-a-secret-at-all"  # noqa: S105 - RDS asks for one; nothing is behind it


@dataclass(frozen=True)
class Database:
    """An RDS instance to build."""

    name: str
    engine: str
    encrypted: bool
    public: bool = False
    cluster: bool = False


STOREFRONT = (
    Database("orders", "postgres", encrypted=True),
    Database("sessions", "mysql", encrypted=False),
)
WAREHOUSE = (
    Database("warehouse", "postgres", encrypted=True),
    Database("legacy-crm", "mysql", encrypted=False),
    Database("reporting", "postgres", encrypted=False, public=True),
    Database("ledger", "aurora-postgresql", encrypted=True, cluster=True),
    Database("scratch", "aurora-mysql", encrypted=False, cluster=True),
)


def build_databases(
    account: Account, region: str, network: Network, databases: tuple[Database, ...]
) -> list[tuple[str, bool]]:
    """Build RDS instances, each with a snapshot, in a subnet group; give (DB instance ARN, encrypted) of each."""
    rds = account.client("rds", region)
    rds.create_db_subnet_group(
        DBSubnetGroupName="private",
        DBSubnetGroupDescription="the private subnets",
        SubnetIds=[network.subnets[name] for name in PRIVATE],
    )
    return [(_build(rds, network, database), database.encrypted) for database in databases]


def _build(rds: Any, network: Network, database: Database) -> str:
    """Build one RDS instance, its cluster before it where it has one, and a snapshot of what holds the data."""
    common = {
        "Engine": database.engine,
        "DBSubnetGroupName": "private",
        "VpcSecurityGroupIds": [network.groups["database"]],
    }
    secrets = {"MasterUsername": "root", "MasterUserPassword": PASSWORD}
    cluster = f"{database.name}-cluster"
    if database.cluster:
        rds.create_db_cluster(DBClusterIdentifier=cluster, StorageEncrypted=database.encrypted, **common, **secrets)
        rds.create_db_cluster_snapshot(
            DBClusterIdentifier=cluster, DBClusterSnapshotIdentifier=f"{database.name}-monthly"
        )
    own = {"DBClusterIdentifier": cluster} if database.cluster else {"AllocatedStorage": 20, **secrets}
    instance = rds.create_db_instance(
        DBInstanceIdentifier=database.name,
        DBInstanceClass="db.r6g.large" if database.cluster else "db.t3.medium",
        StorageEncrypted=database.encrypted,
        PubliclyAccessible=database.public,
        **common,
        **own,
    )["DBInstance"]
    if not database.cluster:
        rds.create_db_snapshot(DBInstanceIdentifier=database.name, DBSnapshotIdentifier=f"{database.name}-monthly")
    return str(instance["DBInstanceArn"])


def database_rows(account: Account, databases: list[tuple[str, bool]]) -> dict[str, list[dict[str, object]]]:
    """Give the rows of the two questions that list RDS instances."""
    return {
        "rds_instances": [{"account": account.name, "id": arn} for arn, _ in databases],
        "unencrypted_rds_instances": [
            {"account": account.name, "id": arn} for arn, encrypted in databases if not encrypted
        ],
    }


def build_volumes(account: Account, region: str, instance: str) -> None:
    """Build volumes with snapshots: encrypted and attached to the instance, plain and idle; one snapshot is public."""
    ec2 = account.client("ec2", region)
    zone = f"{region}a"
    for name, encrypted in (("files", True), ("scratch", False), ("old-crm", False)):
        volume = ec2.create_volume(
            AvailabilityZone=zone,
            Size=20,
            VolumeType="gp3",
            Encrypted=encrypted,
            TagSpecifications=named("volume", name),
        )["VolumeId"]
        if encrypted:
            ec2.attach_volume(VolumeId=volume, InstanceId=instance, Device="/dev/sdf")
        snapshot = ec2.create_snapshot(
            VolumeId=volume, Description=f"{name}, monthly", TagSpecifications=named("snapshot", name)
        )["SnapshotId"]
        if name == "old-crm":
            ec2.modify_snapshot_attribute(
                SnapshotId=snapshot, Attribute="createVolumePermission", OperationType="add", GroupNames=["all"]
            )
