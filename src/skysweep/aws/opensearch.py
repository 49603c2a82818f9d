"""OpenSearch and Elasticsearch domains: who reaches them, and how they let users in.

The opensearch API tells both engines' domains; values are told as the older `es` API tells them, as Cartography does.
"""

from __future__ import annotations

from skysweep.aws._common import kms_key, log_group_arn
from skysweep.aws.acm import ACMCertificate
from skysweep.aws.iam import AWSRole
from skysweep.aws.kms import KMSKey
from skysweep.aws.logs import CloudWatchLogGroup
from skysweep.aws.resourcepolicies import PolicyStatement, statements_of
from skysweep.aws.securitygroups import EC2SecurityGroup
from skysweep.aws.tags import AWSTag, tagged_by_arn
from skysweep.aws.vpc import AWSVpc, EC2Subnet
from skysweep.model import Record, Resource, at, by, call, detail, to

NAMES = call("opensearch", "ListDomainNames", "DomainNames[]")
DOMAINS = detail(
    "opensearch", "DescribeDomains", "DomainStatusList[]", on=NAMES, batch=5, DomainNames="DomainName"
)  # AWS takes no more names at once


def old_version(version: str) -> str:
    """The version as the `es` API has it: ``7.10`` of Elasticsearch, but ``OpenSearch_2.5``."""
    return version.removeprefix("Elasticsearch_")


def engine(version: str) -> str:
    """Which of the two it is, of a version that begins with it."""
    return version.partition("_")[0].lower()


def old_instance_type(name: str) -> str:
    """The instance type as the `es` API has it: ``r6g.large.elasticsearch``, whichever the engine."""
    return name.removesuffix("search") + "elasticsearch" if name.endswith(".search") else name


def host(domain: Record) -> str | None:
    """The name that a domain answers at: on the internet, or else within its VPC."""
    found = domain["Endpoint"] or (domain["Endpoints"] or {}).get("vpc")
    return str(found) if found else None


def log_groups(domain: Record) -> list[str]:
    """The ARNs of the log groups that it writes to, of the kinds of log that are switched on."""
    told = (domain["LogPublishingOptions"] or {}).values()
    groups = (each.get("CloudWatchLogsLogGroupArn") for each in told if each.get("Enabled"))
    return [log_group_arn(group, domain.context) for group in groups if group]


class ESDomain(Resource):
    """A search domain: its policy and its own users are all that guards one that stands on the internet."""

    also = ("AWSESDomain", "Database")
    source = DOMAINS

    id: str = at("DomainId")
    domainid: str = at("DomainId", index=True)
    arn: str = at("ARN", index=True)
    name: str = at("DomainName", index=True)
    created: bool = at("Created")
    deleted: bool = at("Deleted")
    processing_status: str = at("DomainProcessingStatus")
    engine: str = at("EngineVersion", then=engine, doc="opensearch or elasticsearch")
    elasticsearch_version: str = at("EngineVersion", then=old_version)
    service_software_version: str = at("ServiceSoftwareOptions.CurrentVersion")
    service_software_update_available: bool = at("ServiceSoftwareOptions.UpdateAvailable")
    auto_software_update_enabled: bool = at("SoftwareUpdateOptions.AutoSoftwareUpdateEnabled")
    endpoint: str = at("Endpoint", doc="Null for a domain within a VPC")
    endpoint_v2: str = at("EndpointV2")
    vpc_endpoint: str = at("Endpoints.vpc")
    host: str = at(host, index=True, doc="The name that it answers at: `endpoint`, or else `vpc_endpoint`")
    custom_endpoint: str = at("DomainEndpointOptions.CustomEndpoint")
    custom_endpoint_certificate_arn: str = at("DomainEndpointOptions.CustomEndpointCertificateArn")
    enforce_https: bool = at("DomainEndpointOptions.EnforceHTTPS")
    tls_security_policy: str = at("DomainEndpointOptions.TLSSecurityPolicy")
    access_policies: str = at("AccessPolicies", doc="The domain's access policy, as JSON")
    vpc_id: str = at("VPCOptions.VPCId")
    ip_address_type: str = at("IPAddressType")
    elasticsearch_cluster_config_instancetype: str = at("ClusterConfig.InstanceType", then=old_instance_type)
    elasticsearch_cluster_config_instancecount: int = at("ClusterConfig.InstanceCount")
    elasticsearch_cluster_config_dedicatedmasterenabled: bool = at("ClusterConfig.DedicatedMasterEnabled")
    elasticsearch_cluster_config_zoneawarenessenabled: bool = at("ClusterConfig.ZoneAwarenessEnabled")
    elasticsearch_cluster_config_dedicatedmastertype: str = at(
        "ClusterConfig.DedicatedMasterType", then=old_instance_type
    )
    elasticsearch_cluster_config_dedicatedmastercount: int = at("ClusterConfig.DedicatedMasterCount")
    ebs_options_ebsenabled: bool = at("EBSOptions.EBSEnabled")
    ebs_options_volumetype: str = at("EBSOptions.VolumeType")
    ebs_options_volumesize: int = at("EBSOptions.VolumeSize")
    ebs_options_iops: int = at("EBSOptions.Iops")
    encryption_at_rest_options_enabled: bool = at("EncryptionAtRestOptions.Enabled")
    encryption_at_rest_options_kms_key_id: str = at("EncryptionAtRestOptions.KmsKeyId")
    node_to_node_encryption_enabled: bool = at("NodeToNodeEncryptionOptions.Enabled")
    advanced_security_enabled: bool = at("AdvancedSecurityOptions.Enabled", doc="Whether it has users of its own")
    internal_user_database_enabled: bool = at("AdvancedSecurityOptions.InternalUserDatabaseEnabled")
    anonymous_auth_enabled: bool = at("AdvancedSecurityOptions.AnonymousAuthEnabled")
    saml_enabled: bool = at("AdvancedSecurityOptions.SAMLOptions.Enabled")
    cognito_enabled: bool = at("CognitoOptions.Enabled")
    cognito_user_pool_id: str = at("CognitoOptions.UserPoolId")
    log_publishing_index_slow_logs_enabled: bool = at("LogPublishingOptions.INDEX_SLOW_LOGS.Enabled")
    log_publishing_index_slow_logs_arn: str = at("LogPublishingOptions.INDEX_SLOW_LOGS.CloudWatchLogsLogGroupArn")
    log_publishing_search_slow_logs_enabled: bool = at("LogPublishingOptions.SEARCH_SLOW_LOGS.Enabled")
    log_publishing_search_slow_logs_arn: str = at("LogPublishingOptions.SEARCH_SLOW_LOGS.CloudWatchLogsLogGroupArn")
    log_publishing_es_application_logs_enabled: bool = at("LogPublishingOptions.ES_APPLICATION_LOGS.Enabled")
    log_publishing_es_application_logs_arn: str = at(
        "LogPublishingOptions.ES_APPLICATION_LOGS.CloudWatchLogsLogGroupArn"
    )
    log_publishing_audit_logs_enabled: bool = at("LogPublishingOptions.AUDIT_LOGS.Enabled")
    log_publishing_audit_logs_arn: str = at("LogPublishingOptions.AUDIT_LOGS.CloudWatchLogsLogGroupArn")

    vpc: AWSVpc = to("MEMBER_OF_AWS_VPC", "VPCOptions.VPCId")
    subnets: list[EC2Subnet] = to("PART_OF_SUBNET", "VPCOptions.SubnetIds")
    groups: list[EC2SecurityGroup] = to("MEMBER_OF_EC2_SECURITY_GROUP", "VPCOptions.SecurityGroupIds")
    key: KMSKey = to("ENCRYPTED_BY", kms_key("EncryptionAtRestOptions.KmsKeyId"), on="arn")
    logs: list[CloudWatchLogGroup] = to("LOGS_TO", log_groups)
    cognito_role: AWSRole = to("HAS_ROLE", "CognitoOptions.RoleArn")
    certificate: ACMCertificate = to("USES_CERTIFICATE", "DomainEndpointOptions.CustomEndpointCertificateArn")
    tagged: list[AWSTag] = tagged_by_arn(DOMAINS, "ARN")


class ESPolicyStatement(PolicyStatement):
    """One statement of a search domain's access policy: who may read and change what is in it."""

    source = DOMAINS.each(statements_of("AccessPolicies", "ARN"))

    domain: ESDomain = by("POLICY_STATEMENT", "^DomainId")
