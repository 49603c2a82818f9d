"""AWS Config: what is recorded, where the record goes, and which rules it is held against.

Compliance is asked for in bulk; only of a rule that something breaks it is asked what does.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial

from skysweep.aws._common import always
from skysweep.aws._governed import Governed
from skysweep.aws.account import AWSAccount
from skysweep.aws.iam import AWSRole, AWSUser
from skysweep.aws.kms import KMSKey
from skysweep.aws.lambda_ import AWSLambda
from skysweep.aws.rds import RDSInstance
from skysweep.aws.s3 import S3Bucket
from skysweep.aws.sns import SNSTopic
from skysweep.aws.tags import AWSTag, tagged_by_arn
from skysweep.model import Context, Record, Resource, about, at, call, detail, to
from skysweep.paths import getter

RULES = call("config", "DescribeConfigRules", "ConfigRules[]")
COMPLIANCE = detail(
    "config",
    "DescribeComplianceByConfigRule",
    "ComplianceByConfigRules[]",
    on=RULES,
    batch=25,
    whose="ConfigRuleName",
    ConfigRuleNames="ConfigRuleName",
)


def is_broken(rule: Record) -> bool:
    """Whether something breaks the rule."""
    compliance = rule.reply(COMPLIANCE).get("Compliance") or {}
    return bool(compliance.get("ComplianceType") == "NON_COMPLIANT")


BREACHES = detail(
    "config",
    "GetComplianceDetailsByConfigRule",
    "EvaluationResults[]",
    on=RULES,
    after=COMPLIANCE,
    when=is_broken,
    ConfigRuleName="ConfigRuleName",
    ComplianceTypes=["NON_COMPLIANT"],
)
RECORDER_ID = "{name}:{account}:{region}"


class AWSConfigurationRecorder(Resource):
    """What writes down how resources change; what it does not record, no rule sees."""

    source = call("config", "DescribeConfigurationRecorders", "ConfigurationRecorders[]")

    id: str = at(RECORDER_ID)
    arn: str = at("arn", index=True)
    name: str = at("name")
    role_arn: str = at("roleARN")
    recording_group_all_supported: bool = at("recordingGroup.allSupported")
    recording_group_include_global_resource_types: bool = at("recordingGroup.includeGlobalResourceTypes")
    recording_group_resource_types: list[str] = at("recordingGroup.resourceTypes")
    excluded_resource_types: list[str] = at("recordingGroup.exclusionByResourceTypes.resourceTypes")
    recording_strategy: str = at("recordingGroup.recordingStrategy.useOnly")
    recording_frequency: str = at("recordingMode.recordingFrequency")

    role: AWSRole = to("ASSOCIATED_WITH", "roleARN", on="arn")


class AWSConfigurationRecorderStatus(Resource, extends=AWSConfigurationRecorder):
    """Whether a recorder is on, and whether it works."""

    source = call("config", "DescribeConfigurationRecorderStatus", "ConfigurationRecordersStatus[]")

    id: str = at(RECORDER_ID)
    recording: bool = at("recording", doc="false: nothing is written down")
    last_status: str = at("lastStatus")
    last_status_change: datetime = at("lastStatusChangeTime")
    last_error_code: str = at("lastErrorCode")


class AWSConfigDeliveryChannel(Resource):
    """Where AWS Config's history goes."""

    source = call("config", "DescribeDeliveryChannels", "DeliveryChannels[]")

    id: str = at(RECORDER_ID)
    name: str = at("name")
    s3_bucket_name: str = at("s3BucketName")
    s3_key_prefix: str = at("s3KeyPrefix")
    s3_kms_key_arn: str = at("s3KmsKeyArn")
    sns_topic_arn: str = at("snsTopicARN")
    config_snapshot_delivery_properties_delivery_frequency: str = at(
        "configSnapshotDeliveryProperties.deliveryFrequency"
    )

    bucket: S3Bucket = to("DELIVERS_TO", "s3BucketName")
    key: KMSKey = to("ENCRYPTED_BY", "s3KmsKeyArn", on="arn")
    topic: SNSTopic = to("NOTIFIES", "snsTopicARN")


def _whole_account(rule: Record) -> str | None:
    """The account, unless the rule is for one resource."""
    return None if (rule["Scope"] or {}).get("ComplianceResourceId") else rule.context.account


class AWSConfigRule(Resource):
    """A rule that the account's resources are held against, and whether they hold."""

    source = RULES

    id: str = at("ConfigRuleArn")
    arn: str = at("ConfigRuleArn", index=True)
    name: str = at("ConfigRuleName", index=True)
    rule_id: str = at("ConfigRuleId")
    description: str = at("Description")
    state: str = at("ConfigRuleState")
    scope_compliance_resource_types: list[str] = at("Scope.ComplianceResourceTypes")
    scope_tag_key: str = at("Scope.TagKey")
    scope_tag_value: str = at("Scope.TagValue")
    scope_tag_compliance_resource_id: str = at("Scope.ComplianceResourceId")
    source_owner: str = at("Source.Owner", doc="AWS, CUSTOM_LAMBDA or CUSTOM_POLICY")
    source_identifier: str = at("Source.SourceIdentifier", doc="A managed rule's name, or the function's ARN")
    source_details: list[str] = at("Source.SourceDetails", then=lambda details: [str(each) for each in details])
    input_parameters: str = at("InputParameters")
    maximum_execution_frequency: str = at("MaximumExecutionFrequency")
    created_by: str = at("CreatedBy", doc="The service that made it: Security Hub, say")
    compliance_type: str = at(
        "Compliance.ComplianceType", of=COMPLIANCE, doc="COMPLIANT, NON_COMPLIANT or INSUFFICIENT_DATA"
    )
    noncompliant_resources: int = at(
        "Compliance.ComplianceContributorCount.CappedCount", of=COMPLIANCE, doc="AWS counts to 25"
    )

    account: AWSAccount = to("EVALUATES", _whole_account)
    function: AWSLambda = about("USES", "Source.SourceIdentifier")
    tagged: list[AWSTag] = tagged_by_arn(RULES, "ConfigRuleArn")


# What an ARN is made of where Config names a resource by less: `{}` is its own id.
_ARNS = {
    "AWS::CloudFront::Distribution": "cloudfront::{account}:distribution/{}",
    "AWS::CloudTrail::Trail": "cloudtrail:{region}:{account}:trail/{}",
    "AWS::DynamoDB::Table": "dynamodb:{region}:{account}:table/{}",
    "AWS::EC2::EIP": "ec2:{region}:{account}:elastic-ip/{}",
    "AWS::EC2::Instance": "ec2:{region}:{account}:instance/{}",
    "AWS::EC2::InternetGateway": "ec2:{region}:{account}:internet-gateway/{}",
    "AWS::EC2::LaunchTemplate": "ec2:{region}:{account}:launch-template/{}",
    "AWS::EC2::NatGateway": "ec2:{region}:{account}:natgateway/{}",
    "AWS::EC2::NetworkAcl": "ec2:{region}:{account}:network-acl/{}",
    "AWS::EC2::NetworkInterface": "ec2:{region}:{account}:network-interface/{}",
    "AWS::EC2::RouteTable": "ec2:{region}:{account}:route-table/{}",
    "AWS::EC2::SecurityGroup": "ec2:{region}:{account}:security-group/{}",
    "AWS::EC2::Subnet": "ec2:{region}:{account}:subnet/{}",
    "AWS::EC2::VPC": "ec2:{region}:{account}:vpc/{}",
    "AWS::EC2::VPCEndpoint": "ec2:{region}:{account}:vpc-endpoint/{}",
    "AWS::EC2::VPCPeeringConnection": "ec2:{region}:{account}:vpc-peering-connection/{}",
    "AWS::EC2::VPNGateway": "ec2:{region}:{account}:vpn-gateway/{}",
    "AWS::EC2::Volume": "ec2:{region}:{account}:volume/{}",
    "AWS::ECR::Repository": "ecr:{region}:{account}:repository/{}",
    "AWS::EFS::FileSystem": "elasticfilesystem:{region}:{account}:file-system/{}",
    "AWS::EKS::Cluster": "eks:{region}:{account}:cluster/{}",
    "AWS::ElasticLoadBalancing::LoadBalancer": "elasticloadbalancing:{region}:{account}:loadbalancer/{}",
    "AWS::KMS::Key": "kms:{region}:{account}:key/{}",
    "AWS::Lambda::Function": "lambda:{region}:{account}:function:{}",
    "AWS::RDS::DBSubnetGroup": "rds:{region}:{account}:subgrp:{}",
    "AWS::Redshift::Cluster": "redshift:{region}:{account}:cluster:{}",
    "AWS::S3::Bucket": "s3:::{}",
}
_QUALIFIER = "EvaluationResultIdentifier.EvaluationResultQualifier"
_kind = getter(f"{_QUALIFIER}.ResourceType")
_name = getter(f"{_QUALIFIER}.ResourceId")


def arn_of(kind: str, name: str, context: Context) -> str | None:
    """The ARN of a resource by Config's type and id; None where Config's id is no part of it."""
    if name.startswith("arn:"):
        return name
    form = _ARNS.get(kind)
    return form and f"arn:{context.partition}:" + form.format(name, region=context.region, account=context.account)


def broken_by(result: Record) -> str | None:
    """The ARN of the resource that breaks the rule, as far as Config's id tells it."""
    return arn_of(_kind(result.item), _name(result.item), result.context)


def of_kind(wanted: str, result: Record) -> str | None:
    """The id that Config has for the resource, if it is of that type."""
    return str(_name(result.item)) if _kind(result.item) == wanted else None


NON_COMPLIANT = always("NON_COMPLIANT")


class AWSConfigBreach(Resource, extends=AWSConfigRule):
    """A resource that breaks a rule: one record each, because a rule may be broken by tens of thousands."""

    source = BREACHES

    id: str = at("^ConfigRuleArn")

    broken_by: Governed = about("EVALUATES", broken_by, compliance=NON_COMPLIANT)
    user: AWSUser = to("EVALUATES", partial(of_kind, "AWS::IAM::User"), on="userid", compliance=NON_COMPLIANT)
    role: AWSRole = to("EVALUATES", partial(of_kind, "AWS::IAM::Role"), on="roleid", compliance=NON_COMPLIANT)
    database: RDSInstance = to(
        "EVALUATES", partial(of_kind, "AWS::RDS::DBInstance"), on="dbi_resource_id", compliance=NON_COMPLIANT
    )
