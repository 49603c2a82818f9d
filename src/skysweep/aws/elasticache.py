"""ElastiCache: caches of Memcached, Redis and Valkey, the groups that replicate them, and who is told of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from skysweep.aws._common import kms_key, log_group_arn
from skysweep.aws.kms import KMSKey
from skysweep.aws.logs import CloudWatchLogGroup
from skysweep.aws.securitygroups import EC2SecurityGroup
from skysweep.aws.sns import SNSTopic
from skysweep.aws.tags import AWSTag, tagged_by_arn
from skysweep.aws.vpc import AWSVpc, EC2Subnet
from skysweep.model import Record, Resource, arn, at, by, call, detail, to
from skysweep.paths import reader

REPLICATION_GROUPS = call("elasticache", "DescribeReplicationGroups", "ReplicationGroups[]")
LOG_GROUPS = "LogDeliveryConfigurations[].DestinationDetails.CloudWatchLogsDetails.LogGroup"


def log_group_arns(cache: Record) -> list[str]:
    """The ARNs of the log groups that slow commands, or all that the engine says, are written to."""
    return [log_group_arn(name, cache.context) for name in reader(LOG_GROUPS)(cache) or ()]


class AWSElasticacheReplicationGroup(Resource):
    """A Redis or Valkey cluster: whether it asks for a password, and encrypts what it holds and what it sends."""

    source = REPLICATION_GROUPS

    id: str = at("ARN")
    arn: str = at("ARN", index=True)
    replication_group_id: str = at("ReplicationGroupId", index=True)
    description: str = at("Description")
    status: str = at("Status")
    engine: str = at("Engine")
    cache_node_type: str = at("CacheNodeType")
    create_time: datetime = at("ReplicationGroupCreateTime")
    auth_token_enabled: bool = at("AuthTokenEnabled", doc="Whether clients need its password")
    auth_token_last_modified_date: datetime = at("AuthTokenLastModifiedDate")
    user_group_ids: list[str] = at("UserGroupIds", doc="Whose users may log in")
    transit_encryption_enabled: bool = at("TransitEncryptionEnabled")
    transit_encryption_mode: str = at("TransitEncryptionMode", doc="preferred lets clients in without TLS")
    at_rest_encryption_enabled: bool = at("AtRestEncryptionEnabled")
    kms_key_id: str = at("KmsKeyId", doc="Null where a key that AWS owns encrypts it")
    cluster_enabled: bool = at("ClusterEnabled")
    cluster_mode: str = at("ClusterMode")
    configuration_endpoint_address: str = at("ConfigurationEndpoint.Address")
    configuration_endpoint_port: int = at("ConfigurationEndpoint.Port")
    primary_endpoints: list[str] = at("NodeGroups[].PrimaryEndpoint.Address")
    reader_endpoints: list[str] = at("NodeGroups[].ReaderEndpoint.Address")
    network_type: str = at("NetworkType")
    multi_az: str = at("MultiAZ")
    automatic_failover: str = at("AutomaticFailover")
    auto_minor_version_upgrade: bool = at("AutoMinorVersionUpgrade")
    snapshot_retention_limit: int = at("SnapshotRetentionLimit", doc="Days that snapshots are kept; 0: none are made")
    snapshot_window: str = at("SnapshotWindow")
    log_types: list[str] = at("LogDeliveryConfigurations[].LogType")
    log_groups: list[str] = at(LOG_GROUPS)
    global_replication_group_id: str = at("GlobalReplicationGroupInfo.GlobalReplicationGroupId")
    global_replication_group_member_role: str = at("GlobalReplicationGroupInfo.GlobalReplicationGroupMemberRole")

    key: KMSKey = to("ENCRYPTED_BY", kms_key("KmsKeyId"), on="arn")
    logs: list[CloudWatchLogGroup] = to("LOGS_TO", log_group_arns)
    tagged: list[AWSTag] = tagged_by_arn(REPLICATION_GROUPS, "ARN")


# Without ShowCacheNodeInfo the endpoints of the nodes are not told.
CLUSTERS = call("elasticache", "DescribeCacheClusters", "CacheClusters[]", ShowCacheNodeInfo=True)
SUBNETS = detail(
    "elasticache",
    "DescribeCacheSubnetGroups",
    "CacheSubnetGroups[]",
    on=CLUSTERS,
    batch=1,
    whose="CacheSubnetGroupName",
    missing="CacheSubnetGroupNotFoundFault",
    CacheSubnetGroupName="CacheSubnetGroupName",
)
GROUP_OF = arn("elasticache", "replicationgroup:{ReplicationGroupId}")


class ElasticacheCluster(Resource):
    """A cache: a Memcached cluster with its nodes, or one node of a Redis or Valkey cluster; `engine` tells."""

    also = ("AWSElasticacheCluster",)
    source = CLUSTERS

    id: str = at("ARN")
    arn: str = at("ARN", index=True)
    cache_cluster_id: str = at("CacheClusterId", index=True)
    cache_node_type: str = at("CacheNodeType")
    engine: str = at("Engine")
    engine_version: str = at("EngineVersion")
    cache_cluster_status: str = at("CacheClusterStatus")
    cache_cluster_create_time: datetime = at("CacheClusterCreateTime")
    num_cache_nodes: int = at("NumCacheNodes")
    replication_group_id: str = at("ReplicationGroupId", doc="Null for Memcached, and for Redis that stands alone")
    configuration_endpoint_address: str = at("ConfigurationEndpoint.Address")
    configuration_endpoint_port: int = at("ConfigurationEndpoint.Port")
    endpoint_addresses: list[str] = at("CacheNodes[].Endpoint.Address")
    endpoint_ports: list[int] = at("CacheNodes[].Endpoint.Port")
    cache_subnet_group_name: str = at("CacheSubnetGroupName")
    vpc_id: str = at("VpcId", of=SUBNETS)
    network_type: str = at("NetworkType")
    preferred_availability_zone: str = at("PreferredAvailabilityZone", doc="Multiple where its nodes are in several")
    preferred_maintenance_window: str = at("PreferredMaintenanceWindow")
    auto_minor_version_upgrade: bool = at("AutoMinorVersionUpgrade")
    snapshot_retention_limit: int = at("SnapshotRetentionLimit")
    snapshot_window: str = at("SnapshotWindow")
    auth_token_enabled: bool = at("AuthTokenEnabled")
    auth_token_last_modified_date: datetime = at("AuthTokenLastModifiedDate")
    transit_encryption_enabled: bool = at("TransitEncryptionEnabled")
    transit_encryption_mode: str = at("TransitEncryptionMode")
    at_rest_encryption_enabled: bool = at("AtRestEncryptionEnabled")
    topic_arn: str = at("NotificationConfiguration.TopicArn")
    log_types: list[str] = at("LogDeliveryConfigurations[].LogType")
    log_groups: list[str] = at(LOG_GROUPS)

    group: AWSElasticacheReplicationGroup = by("CONTAINS", GROUP_OF)
    vpc: AWSVpc = to("MEMBER_OF_AWS_VPC", "VpcId", of=SUBNETS)
    subnets: list[EC2Subnet] = to("PART_OF_SUBNET", "Subnets[].SubnetIdentifier", of=SUBNETS)
    security_groups: list[EC2SecurityGroup] = to("MEMBER_OF_EC2_SECURITY_GROUP", "SecurityGroups[].SecurityGroupId")
    topic: SNSTopic = to("NOTIFIES", "NotificationConfiguration.TopicArn")
    logs: list[CloudWatchLogGroup] = to("LOGS_TO", log_group_arns)
    tagged: list[AWSTag] = tagged_by_arn(CLUSTERS, "ARN")


def notification(cluster: Record) -> Iterator[Mapping[str, Any]]:
    """The topic that a cluster's events are published to, where it has one."""
    told = cluster["NotificationConfiguration"]
    if told and told.get("TopicArn"):
        yield told


class ElasticacheTopic(Resource):
    """An SNS topic as caches see it: who listens to it learns when they fail over, grow or are changed."""

    also = ("AWSElasticacheTopic",)
    source = CLUSTERS.each(notification)

    id: str = at("TopicArn")
    arn: str = at("TopicArn", index=True)
    status: str = at("TopicStatus")

    cluster: ElasticacheCluster = to("CACHE_CLUSTER", "^ARN")
