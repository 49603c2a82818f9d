"""RDS: databases, the clusters they belong to, the subnets they stand in.

DescribeDBInstances and DescribeDBClusters list Neptune's and DocumentDB's as well: `engine` tells.
"""

from __future__ import annotations

from skysweep.aws.kms import KMSKey
from skysweep.aws.securitygroups import EC2SecurityGroup
from skysweep.aws.tags import AWSTag, tagged, tagged_by_arn
from skysweep.aws.vpc import EC2Subnet
from skysweep.model import Record, Resource, arn, at, call, to

SUBNET_GROUPS = call("rds", "DescribeDBSubnetGroups", "DBSubnetGroups[]")
SUBNET_GROUP_ARN = arn("rds", "subgrp:{DBSubnetGroupName}")


class DBSubnetGroup(Resource):
    """The subnets that databases may be placed in: public ones make a database reachable from outside."""

    also = ("AWSDBSubnetGroup",)
    source = SUBNET_GROUPS

    id: str = at(SUBNET_GROUP_ARN)
    arn: str = at(SUBNET_GROUP_ARN, index=True)
    name: str = at("DBSubnetGroupName", index=True)
    vpc_id: str = at("VpcId")
    description: str = at("DBSubnetGroupDescription")
    status: str = at("SubnetGroupStatus")

    subnets: list[EC2Subnet] = to("RESOURCE", "Subnets[].SubnetIdentifier")
    tagged: list[AWSTag] = tagged_by_arn(SUBNET_GROUPS, SUBNET_GROUP_ARN)


class RDSCluster(Resource):
    """A database cluster: the storage that its instances share, and the endpoints in front of them."""

    also = ("AWSRDSCluster",)
    source = call("rds", "DescribeDBClusters", "DBClusters[]")

    id: str = at("DBClusterArn")
    arn: str = at("DBClusterArn", index=True)
    db_cluster_identifier: str = at("DBClusterIdentifier", index=True)
    db_cluster_resource_id: str = at("DbClusterResourceId", index=True)
    database_name: str = at("DatabaseName")
    status: str = at("Status")
    engine: str = at("Engine")
    engine_version: str = at("EngineVersion")
    engine_mode: str = at("EngineMode")
    endpoint: str = at("Endpoint", index=True)
    reader_endpoint: str = at("ReaderEndpoint")
    port: int = at("Port")
    hosted_zone_id: str = at("HostedZoneId")
    publicly_accessible: bool = at("PubliclyAccessible", doc="Only told of Multi-AZ clusters")
    http_endpoint_enabled: bool = at("HttpEndpointEnabled", doc="Whether the Data API answers on the internet")
    storage_encrypted: bool = at("StorageEncrypted")
    kms_key_id: str = at("KmsKeyId")
    iam_database_authentication_enabled: bool = at("IAMDatabaseAuthenticationEnabled")
    master_username: str = at("MasterUsername")
    master_user_secret_arn: str = at("MasterUserSecret.SecretArn")
    deletion_protection: bool = at("DeletionProtection")
    enabled_cloudwatch_logs_exports: list[str] = at("EnabledCloudwatchLogsExports")
    allocated_storage: int = at("AllocatedStorage")
    availability_zones: list[str] = at("AvailabilityZones")
    multi_az: bool = at("MultiAZ")
    character_set_name: str = at("CharacterSetName")
    db_parameter_group: str = at("DBClusterParameterGroup")
    clone_group_id: str = at("CloneGroupId")
    cluster_create_time: str = at("ClusterCreateTime", then=str)
    backup_retention_period: int = at("BackupRetentionPeriod")
    earliest_restorable_time: str = at("EarliestRestorableTime", then=str)
    latest_restorable_time: str = at("LatestRestorableTime", then=str)
    preferred_backup_window: str = at("PreferredBackupWindow")
    preferred_maintenance_window: str = at("PreferredMaintenanceWindow")
    earliest_backtrack_time: str = at("EarliestBacktrackTime", then=str)
    backtrack_window: int = at("BacktrackWindow")
    backtrack_consumed_change_records: int = at("BacktrackConsumedChangeRecords")
    capacity: int = at("Capacity")
    scaling_configuration_info_min_capacity: int = at("ScalingConfigurationInfo.MinCapacity")
    scaling_configuration_info_max_capacity: int = at("ScalingConfigurationInfo.MaxCapacity")
    scaling_configuration_info_auto_pause: bool = at("ScalingConfigurationInfo.AutoPause")

    key: KMSKey = to("ENCRYPTED_BY", "KmsKeyId", on="arn")
    tagged: list[AWSTag] = tagged("TagList")


CLUSTER_OF = arn("rds", "cluster:{DBClusterIdentifier}")
SUBNET_GROUP_OF = arn("rds", "subgrp:{DBSubnetGroup.DBSubnetGroupName}")


def replicated_from(instance: Record) -> str | None:
    """The ARN of the instance that this one is a read replica of: AWS gives its name where both share a region."""
    name = instance["ReadReplicaSourceDBInstanceIdentifier"]
    if not name or name.startswith("arn:"):
        return str(name) if name else None
    here = instance.context
    return f"arn:{here.partition}:rds:{here.region}:{here.account}:db:{name}"


class RDSInstance(Resource):
    """A database server: whether it is encrypted, who reaches it, how it lets users in."""

    also = ("AWSRDSInstance", "Database")
    source = call("rds", "DescribeDBInstances", "DBInstances[]")

    id: str = at("DBInstanceArn")
    arn: str = at("DBInstanceArn", index=True)
    db_instance_identifier: str = at("DBInstanceIdentifier", index=True)
    dbi_resource_id: str = at("DbiResourceId", index=True)
    db_instance_class: str = at("DBInstanceClass")
    db_instance_status: str = at("DBInstanceStatus")
    db_name: str = at("DBName")
    db_cluster_identifier: str = at("DBClusterIdentifier")
    engine: str = at("Engine")
    engine_version: str = at("EngineVersion")
    publicly_accessible: bool = at("PubliclyAccessible")
    endpoint_address: str = at("Endpoint.Address", index=True)
    endpoint_hostedzoneid: str = at("Endpoint.HostedZoneId")
    endpoint_port: int = at("Endpoint.Port")
    vpc_id: str = at("DBSubnetGroup.VpcId")
    availability_zone: str = at("AvailabilityZone")
    multi_az: bool = at("MultiAZ")
    storage_encrypted: bool = at("StorageEncrypted")
    kms_key_id: str = at("KmsKeyId")
    performance_insights_enabled: bool = at("PerformanceInsightsEnabled")
    performance_insights_kms_key_id: str = at("PerformanceInsightsKMSKeyId")
    master_username: str = at("MasterUsername")
    master_user_secret_arn: str = at("MasterUserSecret.SecretArn")
    iam_database_authentication_enabled: bool = at("IAMDatabaseAuthenticationEnabled")
    ca_certificate_identifier: str = at("CACertificateIdentifier")
    enhanced_monitoring_resource_arn: str = at("EnhancedMonitoringResourceArn")
    monitoring_role_arn: str = at("MonitoringRoleArn")
    enabled_cloudwatch_logs_exports: list[str] = at("EnabledCloudwatchLogsExports")
    deletion_protection: bool = at("DeletionProtection")
    auto_minor_version_upgrade: bool = at("AutoMinorVersionUpgrade")
    instance_create_time: str = at("InstanceCreateTime", then=str)
    backup_retention_period: int = at("BackupRetentionPeriod")
    latest_restorable_time: str = at("LatestRestorableTime", then=str)
    preferred_backup_window: str = at("PreferredBackupWindow")
    preferred_maintenance_window: str = at("PreferredMaintenanceWindow")

    key: KMSKey = to("ENCRYPTED_BY", "KmsKeyId", on="arn")
    cluster: RDSCluster = to("IS_CLUSTER_MEMBER_OF", CLUSTER_OF)
    replica_of: RDSInstance = to("IS_READ_REPLICA_OF", replicated_from)
    groups: list[EC2SecurityGroup] = to("MEMBER_OF_EC2_SECURITY_GROUP", "VpcSecurityGroups[].VpcSecurityGroupId")
    subnet_group: DBSubnetGroup = to("MEMBER_OF_DB_SUBNET_GROUP", SUBNET_GROUP_OF)
    tagged: list[AWSTag] = tagged("TagList")
