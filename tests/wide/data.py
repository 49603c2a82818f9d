"""Where data lies: EFS, ElastiCache, OpenSearch, Redshift, DynamoDB's further parts, Transfer, WorkSpaces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wide.ground import TAG_LIST

if TYPE_CHECKING:
    from wide.ground import Ground

PASSWORD = "Not-a-secret-1"  # noqa: S105 - services ask for one; nothing is behind it


def build_files(ground: Ground) -> None:
    """A file system with a mount target and an access point, and a file server for others."""
    efs = ground.client("efs")
    system = efs.create_file_system(CreationToken="wide", Encrypted=True, KmsKeyId=ground.key, Tags=TAG_LIST)[
        "FileSystemId"
    ]
    ground.node("EfsFileSystem", system, ("ENCRYPTED_BY", ground.key.rpartition("/")[2]))
    arn = ground.arn("elasticfilesystem", f"file-system/{system}")
    policy = ground.policy("EfsPolicyStatement", arn, {"AWS": "*"}, "elasticfilesystem:ClientMount")
    efs.put_file_system_policy(FileSystemId=system, Policy=policy)
    target = efs.create_mount_target(FileSystemId=system, SubnetId=ground.subnets[0], SecurityGroups=[ground.group])
    ground.node(
        "EfsMountTarget", target["MountTargetId"], ("ATTACHED_TO", system), ("PART_OF_SUBNET", ground.subnets[0])
    )
    point = efs.create_access_point(
        ClientToken="wide", FileSystemId=system, PosixUser={"Uid": 1000, "Gid": 1000}, Tags=TAG_LIST
    )
    ground.node("EfsAccessPoint", point["AccessPointArn"], ("ACCESS_POINT_OF", system))
    server = ground.client("transfer").create_server(
        Domain="S3",
        EndpointType="PUBLIC",
        IdentityProviderType="SERVICE_MANAGED",
        LoggingRole=ground.role,
        Protocols=["SFTP"],
    )["ServerId"]
    ground.node("AWSTransferServer", ground.arn("transfer", f"server/{server}"), ("HAS_ROLE", ground.role))


def build_caches(ground: Ground) -> None:
    """A Memcached cluster that tells a topic, and a Redis replication group."""
    caches = ground.client("elasticache")
    cluster = caches.create_cache_cluster(
        CacheClusterId="sessions",
        Engine="memcached",
        CacheNodeType="cache.t3.micro",
        NumCacheNodes=1,
        NotificationTopicArn=ground.topic,
        Tags=TAG_LIST,
    )["CacheCluster"]
    ground.node("ElasticacheCluster", cluster["ARN"])
    group = caches.create_replication_group(
        ReplicationGroupId="carts",
        ReplicationGroupDescription="carts",
        Engine="redis",
        CacheNodeType="cache.t3.micro",
        TransitEncryptionEnabled=True,
        AtRestEncryptionEnabled=True,
        Tags=TAG_LIST,
    )["ReplicationGroup"]
    ground.node("AWSElasticacheReplicationGroup", group["ARN"])


def build_search(ground: Ground) -> None:
    """A search domain on the internet."""
    policy = ground.policy("ESPolicyStatement", ground.arn("es", "domain/wide"), {"AWS": "*"}, "es:ESHttpGet")
    status = ground.client("opensearch").create_domain(
        DomainName="wide",
        EngineVersion="OpenSearch_2.5",
        ClusterConfig={"InstanceType": "t3.small.search", "InstanceCount": 1},
        EBSOptions={"EBSEnabled": True, "VolumeType": "gp3", "VolumeSize": 10},
        EncryptionAtRestOptions={"Enabled": True, "KmsKeyId": ground.key},
        AccessPolicies=policy,
        NodeToNodeEncryptionOptions={"Enabled": True},
        TagList=TAG_LIST,
    )["DomainStatus"]
    ground.node("ESDomain", status["DomainId"])


def build_warehouse(ground: Ground) -> None:
    """A Redshift cluster in the VPC."""
    redshift = ground.client("redshift")
    redshift.create_cluster_subnet_group(ClusterSubnetGroupName="wide", Description="wide", SubnetIds=ground.subnets)
    redshift.create_cluster(
        ClusterIdentifier="wide",
        DBName="wide",
        NodeType="ra3.xlplus",
        ClusterType="single-node",
        MasterUsername="root",
        MasterUserPassword=PASSWORD,
        ClusterSubnetGroupName="wide",
        VpcSecurityGroupIds=[ground.group],
        IamRoles=[ground.role],
        Encrypted=True,
        KmsKeyId=ground.key,
        PubliclyAccessible=True,
        Tags=TAG_LIST,
    )
    cluster = ground.arn("redshift", "cluster:wide")
    ground.node("RedshiftCluster", cluster, ("MEMBER_OF_EC2_SECURITY_GROUP", ground.group))


def build_tables(ground: Ground) -> None:
    """A table with a stream, and one restored from its backup."""
    dynamodb = ground.client("dynamodb")
    made = dynamodb.create_table(
        TableName="changes",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
        Tags=TAG_LIST,
    )["TableDescription"]
    ground.node("DynamoDBStream", made["LatestStreamArn"])
    backup = dynamodb.create_backup(TableName="changes", BackupName="monthly")["BackupDetails"]["BackupArn"]
    dynamodb.restore_table_from_backup(TargetTableName="changes-restored", BackupArn=backup)
    restored = f"{ground.arn('dynamodb', 'table/changes-restored')}/restore"
    ground.node("DynamoDBRestoreSummary", restored, ("RESTORED_FROM_BACKUP", ground.node("DynamoDBBackup", backup)))


def build_desktops(ground: Ground) -> None:
    """A directory, and a desktop for somebody in it."""
    directory = ground.client("ds").create_directory(
        Name="corp.example.com",
        Password=PASSWORD,
        Size="Small",
        VpcSettings={"VpcId": ground.vpc, "SubnetIds": ground.subnets},
    )["DirectoryId"]
    workspaces = ground.client("workspaces")
    workspaces.register_workspace_directory(DirectoryId=directory, SubnetIds=ground.subnets, EnableSelfService=False)
    desktop = workspaces.create_workspaces(
        Workspaces=[{"DirectoryId": directory, "UserName": "mia", "BundleId": "wsb-0123456789"}]
    )["PendingRequests"][0]["WorkspaceId"]
    ground.node("AWSWorkspace", ground.arn("workspaces", f"workspace/{desktop}"))


BUILDERS = (build_files, build_caches, build_search, build_warehouse, build_tables, build_desktops)
