"""Redshift: data warehouses, who reaches them, and where they say who asked them what."""

from __future__ import annotations

from datetime import datetime

from skysweep.aws._common import kms_key
from skysweep.aws.acm import ACMCertificate
from skysweep.aws.gateways import ElasticIPAddress
from skysweep.aws.iam import AWSRole
from skysweep.aws.kms import KMSKey
from skysweep.aws.s3 import S3Bucket
from skysweep.aws.securitygroups import EC2SecurityGroup
from skysweep.aws.tags import AWSTag, tagged
from skysweep.aws.vpc import AWSVpc
from skysweep.model import Resource, arn, at, call, detail, to

CLUSTERS = call("redshift", "DescribeClusters", "Clusters[]")
LOGGING = detail("redshift", "DescribeLoggingStatus", on=CLUSTERS, ClusterIdentifier="ClusterIdentifier")
ARN = arn("redshift", "cluster:{ClusterIdentifier}")


class RedshiftCluster(Resource):
    """A data warehouse: whether it is on the internet, encrypted, and logs its users and their queries."""

    also = ("AWSRedshiftCluster",)
    source = CLUSTERS

    id: str = at(ARN)
    arn: str = at(ARN, index=True)
    cluster_identifier: str = at("ClusterIdentifier", index=True)
    cluster_namespace_arn: str = at("ClusterNamespaceArn")
    cluster_status: str = at("ClusterStatus")
    cluster_availability_status: str = at("ClusterAvailabilityStatus")
    cluster_create_time: str = at("ClusterCreateTime", then=str)
    cluster_version: str = at("ClusterVersion")
    cluster_revision_number: str = at("ClusterRevisionNumber")
    allow_version_upgrade: bool = at("AllowVersionUpgrade")
    db_name: str = at("DBName")
    master_username: str = at("MasterUsername")
    master_password_secret_arn: str = at("MasterPasswordSecretArn")
    master_password_secret_kms_key_id: str = at("MasterPasswordSecretKmsKeyId")
    node_type: str = at("NodeType")
    number_of_nodes: int = at("NumberOfNodes")
    endpoint_address: str = at("Endpoint.Address", index=True)
    endpoint_port: int = at("Endpoint.Port")
    publicly_accessible: bool = at("PubliclyAccessible")
    elastic_ip: str = at("ElasticIpStatus.ElasticIp")
    public_ip_addresses: list[str] = at("ClusterNodes[].PublicIPAddress")
    private_ip_addresses: list[str] = at("ClusterNodes[].PrivateIPAddress")
    custom_domain_name: str = at("CustomDomainName")
    custom_domain_certificate_arn: str = at("CustomDomainCertificateArn")
    enhanced_vpc_routing: bool = at("EnhancedVpcRouting", doc="Whether COPY and UNLOAD stay within the VPC")
    vpc_id: str = at("VpcId")
    cluster_subnet_group_name: str = at("ClusterSubnetGroupName")
    availability_zone: str = at("AvailabilityZone")
    multi_az: str = at("MultiAZ")
    encrypted: bool = at("Encrypted")
    kms_key_id: str = at("KmsKeyId")
    default_iam_role_arn: str = at("DefaultIamRoleArn")
    parameter_groups: list[str] = at("ClusterParameterGroups[].ParameterGroupName", doc="Where require_ssl is set")
    automated_snapshot_retention_period: int = at("AutomatedSnapshotRetentionPeriod")
    snapshot_copy_region: str = at("ClusterSnapshotCopyStatus.DestinationRegion")
    preferred_maintenance_window: str = at("PreferredMaintenanceWindow")
    maintenance_track_name: str = at("MaintenanceTrackName")
    logging_enabled: bool = at("LoggingEnabled", of=LOGGING)
    logging_destination_type: str = at("LogDestinationType", of=LOGGING)
    logging_bucket_name: str = at("BucketName", of=LOGGING)
    logging_s3_key_prefix: str = at("S3KeyPrefix", of=LOGGING)
    logging_exports: list[str] = at("LogExports", of=LOGGING)
    logging_last_successful_delivery_time: datetime = at("LastSuccessfulDeliveryTime", of=LOGGING)
    logging_last_failure_time: datetime = at("LastFailureTime", of=LOGGING)
    logging_last_failure_message: str = at("LastFailureMessage", of=LOGGING)

    vpc: AWSVpc = to("MEMBER_OF_AWS_VPC", "VpcId")
    groups: list[EC2SecurityGroup] = to("MEMBER_OF_EC2_SECURITY_GROUP", "VpcSecurityGroups[].VpcSecurityGroupId")
    roles: list[AWSRole] = to("STS_ASSUMEROLE_ALLOW", "IamRoles[].IamRoleArn")
    key: KMSKey = to("ENCRYPTED_BY", kms_key("KmsKeyId"), on="arn")
    logs: S3Bucket = to("LOGS_TO", "BucketName", of=LOGGING)
    address: ElasticIPAddress = to("ELASTIC_IP_ADDRESS", "ElasticIpStatus.ElasticIp")
    certificate: ACMCertificate = to("USES_CERTIFICATE", "CustomDomainCertificateArn")
    tagged: list[AWSTag] = tagged("Tags")
