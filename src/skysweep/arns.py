"""From any ARN to the node that it is about: its label, and the key that the node is found by. Pure; one table.

A row is a resource part as AWS writes it, the label, and how the node's id comes of the ARN. In the resource part ``*``
stands for a name without ``/`` and ``:``, ``**`` for all that follows, ``#`` for a number; in a key ``{1}`` is what the
first of them stood for, ``{arn}`` the whole ARN and ``{stem}`` what stands before its resource part. The first row that
fits is taken, so what is told apart by its form stands above what is not.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

ARN = "{arn}"


class Arn(NamedTuple):
    """An ARN's parts; region and account are empty where AWS leaves them out."""

    partition: str
    service: str
    region: str
    account: str
    resource: str


class Named(NamedTuple):
    """A node that an ARN is about: its label, and the value of the property (`on`) that it is found by."""

    label: str
    key: str
    on: str = "id"


class Row(NamedTuple):
    """One kind of resource: the form of its ARN's resource part, its label, its node's key and where that is kept."""

    form: str
    label: str
    key: str = ARN
    on: str = "id"


TABLE: dict[str, tuple[Row, ...]] = {
    "access-analyzer": (Row("analyzer/*", "AWSAccessAnalyzer"),),
    "acm": (Row("certificate/*", "ACMCertificate"),),
    "apigateway": (
        Row("/restapis/*/stages/*", "APIGatewayStage", on="arn"),  # its id is Cartography's
        Row("/restapis/*/resources/*", "APIGatewayResource", "{2}"),
        Row("/restapis/*", "APIGatewayRestAPI", "{1}"),
        Row("/apis/*", "APIGatewayV2API", "{1}"),
        Row("/apis/*/**", "APIGatewayV2API", "{1}"),  # its stages and routes are no nodes
        Row("/clientcertificates/*", "APIGatewayClientCertificate", "{1}"),
    ),
    "autoscaling": (
        Row("autoScalingGroup:*:autoScalingGroupName/**", "AutoScalingGroup"),
        Row("launchConfiguration:*:launchConfigurationName/**", "LaunchConfiguration"),
    ),
    "batch": (
        Row("compute-environment/*", "AWSBatchComputeEnvironment"),
        Row("job-definition/*:#", "AWSBatchJobDefinition"),
        Row("job-queue/*", "AWSBatchJobQueue"),
        Row("job/*", "AWSBatchJob"),
    ),
    "cloudformation": (Row("stack/*/*", "CloudFormationStack"),),
    "cloudfront": (Row("distribution/*", "CloudFrontDistribution"),),
    "cloudtrail": (Row("trail/*", "CloudTrailTrail"),),
    "cloudwatch": (Row("alarm:**", "CloudWatchMetricAlarm"),),
    "config": (
        Row("config-rule/**", "AWSConfigRule"),
        Row("configuration-recorder/**", "AWSConfigurationRecorder", on="arn"),
    ),
    "dynamodb": (
        Row("table/*/index/*", "DynamoDBGlobalSecondaryIndex"),
        Row("table/*/stream/**", "DynamoDBStream"),
        Row("table/*", "DynamoDBTable"),
    ),
    "ec2": (
        Row("elastic-ip/*", "ElasticIPAddress", "{1}", on="allocation_id"),
        Row("eip-allocation/*", "ElasticIPAddress", "{1}", on="allocation_id"),  # Shield's and Security Hub's
        Row("image/*", "EC2Image", "{1}|{region}"),
        Row("instance/*", "EC2Instance", "{1}"),
        Row("internet-gateway/*", "AWSInternetGateway", "{1}"),
        Row("key-pair/**", "EC2KeyPair"),
        Row("launch-template/*", "LaunchTemplate", "{1}"),
        Row("natgateway/*", "AWSNatGateway", "{1}"),
        Row("network-acl/*", "EC2NetworkAcl"),
        Row("network-interface/*", "AWSNetworkInterface", "{1}"),
        Row("prefix-list/*", "EC2PrefixList", "{1}"),
        Row("route-table/*", "EC2RouteTable", "{1}"),
        Row("security-group/*", "EC2SecurityGroup", "{1}"),
        Row("snapshot/*", "EBSSnapshot", "{1}"),
        Row("subnet/*", "EC2Subnet", "{1}"),
        Row("volume/*", "EBSVolume", "{1}"),
        Row("vpc-endpoint/*", "AWSVpcEndpoint", "{1}"),
        Row("vpc-flow-log/*", "AWSVpcFlowLog"),
        Row("vpc-peering-connection/*", "AWSPeeringConnection", "{1}"),
        Row("vpc/*", "AWSVpc", "{1}"),
        Row("vpn-gateway/*", "AWSVpnGateway", "{1}"),
    ),
    "ecr": (
        Row("repository/**/sha256:*", "ECRImage", "sha256:{2}"),  # Inspector's; to ECR an image has no ARN
        Row("repository/**", "ECRRepository"),
    ),
    "ecs": (
        Row("cluster/*", "ECSCluster"),
        Row("container-instance/**", "ECSContainerInstance"),
        Row("container/**", "ECSContainer"),
        Row("service/**", "ECSService"),
        Row("task-definition/*:#", "ECSTaskDefinition"),
        Row("task/**", "ECSTask"),
    ),
    "eks": (
        Row("cluster/*", "EKSCluster"),
        Row("access-entry/**", "EKSAccessEntry", on="arn"),
    ),
    "elasticache": (
        Row("cluster:*", "ElasticacheCluster"),
        Row("replicationgroup:*", "AWSElasticacheReplicationGroup"),
    ),
    "elasticfilesystem": (
        Row("access-point/*", "EfsAccessPoint"),
        Row("file-system/*", "EfsFileSystem", "{1}"),
    ),
    "elasticloadbalancing": (
        Row("listener/**", "ELBV2Listener"),
        Row("targetgroup/**", "ELBV2TargetGroup"),
        Row("loadbalancer/*/**", "LoadBalancerV2", on="arn"),
        Row("loadbalancer/*", "AWSLoadBalancer", on="arn"),
    ),
    "es": (Row("domain/*", "ESDomain", "{account}/{1}"),),
    "events": (
        Row("event-bus/**", "AWSEventBridgeEventBus"),
        Row("rule/**", "EventBridgeRule"),
    ),
    "guardduty": (
        Row("detector/*/finding/*", "GuardDutyFinding", "{2}"),
        Row("detector/*", "GuardDutyDetector", "{1}"),
    ),
    "iam": (
        Row("group/**", "AWSGroup"),
        Row("instance-profile/**", "AWSInstanceProfile"),
        Row("mfa/**", "AWSMfaDevice"),
        Row("oidc-provider/**", "AWSOIDCProvider"),
        Row("policy/**", "AWSManagedPolicy"),
        Row("role/**", "AWSRole"),
        Row("root", "AWSRootPrincipal"),
        Row("saml-provider/*", "AWSSAMLProvider"),
        Row("user/**", "AWSUser"),
    ),
    "inspector2": (Row("finding/*", "AWSInspectorFinding"),),
    "kms": (
        Row("alias/**", "KMSAlias"),
        Row("key/*", "KMSKey", on="arn"),  # a replica's id is its ARN
    ),
    "lambda": (
        Row("event-source-mapping:*", "AWSLambdaEventSourceMapping", "{1}"),
        Row("function:*:#", "AWSLambdaFunctionVersion"),
        Row("function:*:$LATEST", "AWSLambda", "{stem}function:{1}"),
        Row("function:*:*", "AWSLambdaFunctionAlias"),
        Row("function:*", "AWSLambda"),
        Row("layer:*:#", "AWSLambdaLayer"),
    ),
    "logs": (
        Row("log-group:**:log-stream:**", "CloudWatchLogGroup", "{stem}log-group:{1}"),
        Row("log-group:**:*", "CloudWatchLogGroup", "{stem}log-group:{1}"),
        Row("log-group:**", "CloudWatchLogGroup"),
    ),
    "organizations": (
        Row("account/*/#", "AWSAccount", "{2}"),
        Row("organization/*", "AWSOrganization", "{1}"),
        Row("ou/*/*", "AWSOrganizationalUnit", "{1}/{2}"),
        Row("root/*/*", "AWSOrganizationRoot", "{1}/{2}"),
    ),
    "rds": (
        Row("cluster-snapshot:**", "AWSRDSClusterSnapshot"),
        Row("cluster:*", "RDSCluster"),
        Row("db:*", "RDSInstance"),
        Row("snapshot:**", "RDSSnapshot"),
        Row("subgrp:*", "DBSubnetGroup"),
    ),
    "redshift": (Row("cluster:*", "RedshiftCluster"),),
    "route53": (Row("hostedzone/*", "AWSDNSZone", "/hostedzone/{1}"),),
    "s3": (
        Row("*/**", "S3Bucket", "{1}"),  # an object, or a prefix that something is delivered to
        Row("*", "S3Bucket", "{1}"),
    ),
    "securityhub": (
        Row("hub/default", "SecurityHub"),
        Row("subscription/**", "AWSSecurityHubStandard"),
    ),
    "sns": (
        Row("*:*", "SNSTopicSubscription"),
        Row("*", "SNSTopic"),
    ),
    "sqs": (Row("*", "SQSQueue"),),
    "transfer": (
        Row("server/*", "AWSTransferServer"),
        Row("user/*/*", "AWSTransferUser"),
    ),
    "wafv2": (
        Row("regional/webacl/**", "AWSWAFRegionalACL"),
        Row("global/webacl/**", "AWSWAFCloudFrontACL"),
    ),
    "workspaces": (
        Row("workspace/*", "AWSWorkspace"),
        Row("workspacebundle/*", "AWSWorkspacesBundle"),
    ),
}
ON = {row.label: row.on for rows in TABLE.values() for row in rows}
"""The property that nodes of each label are found by; it is one and the same in all rows of a label."""

_WILD = {"**": "(.+)", "*": "([^/:]+)", "#": r"(\d+)"}


def parse(text: str) -> Arn | None:
    """An ARN's parts; None for what is none."""
    parts = text.split(":", 5)
    if len(parts) < 6 or parts[0] != "arn" or not all((parts[1], parts[2], parts[5])):  # noqa: PLR2004 - ARN's colons
        return None
    return Arn(*parts[1:])


@lru_cache(maxsize=1024)  # many findings are about the same
def node(text: str) -> Named | None:
    """The node that an ARN is about; None for what is no ARN and for what the graph has no type for."""
    arn = parse(text)
    if arn is None:
        return None
    for row, form in _forms(arn.service):
        match = form.fullmatch(arn.resource)
        if match:
            stem = text.removesuffix(arn.resource)
            key = row.key.format(text, *match.groups(), arn=text, stem=stem, **arn._asdict())
            return Named(row.label, key, row.on)
    return None


@lru_cache(maxsize=256)
def _forms(service: str) -> tuple[tuple[Row, re.Pattern[str]], ...]:
    return tuple((row, _pattern(row.form)) for row in TABLE.get(service, ()))


def _pattern(form: str) -> re.Pattern[str]:
    return re.compile("".join(_WILD.get(part) or re.escape(part) for part in re.split(r"(\*\*|\*|#)", form)))
