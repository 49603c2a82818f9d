"""How things are called and who names whom: the hand-written part of the content. All else comes from the shapes.

A *kind* is what one listing holds. A text ``kind|template`` is a reference: its template is filled with the number of
the item of that kind that is meant (an item's own kind: itself). ``kind!|…`` names something even where there is
nothing of the kind. A text with braces alone is filled with the item's own number. Keys are members, or
``Parent.Member``; a list of texts goes by the list's name. None leaves a member out; a tuple goes by turns of numbers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

KINDS: Mapping[str, str] = {
    "vpc": "ec2:DescribeVpcs",
    "subnet": "ec2:DescribeSubnets",
    "group": "ec2:DescribeSecurityGroups",
    "instance": "ec2:DescribeInstances",
    "volume": "ec2:DescribeVolumes",
    "snapshot": "ec2:DescribeSnapshots",
    "image": "ec2:DescribeImages",
    "interface": "ec2:DescribeNetworkInterfaces",
    "keypair": "ec2:DescribeKeyPairs",
    "routetable": "ec2:DescribeRouteTables",
    "igw": "ec2:DescribeInternetGateways",
    "nat": "ec2:DescribeNatGateways",
    "address": "ec2:DescribeAddresses",
    "acl": "ec2:DescribeNetworkAcls",
    "endpoint": "ec2:DescribeVpcEndpoints",
    "peering": "ec2:DescribeVpcPeeringConnections",
    "prefixlist": "ec2:DescribeManagedPrefixLists",
    "template": "ec2:DescribeLaunchTemplates",
    "classic": "elb:DescribeLoadBalancers",
    "balancer": "elbv2:DescribeLoadBalancers",
    "targets": "elbv2:DescribeTargetGroups",
    "asg": "autoscaling:DescribeAutoScalingGroups",
    "configuration": "autoscaling:DescribeLaunchConfigurations",
    "table": "dynamodb:ListTables",
    "key": "kms:ListKeys",
    "keyalias": "kms:ListAliases",
    "function": "lambda:ListFunctions",
    "mapping": "lambda:ListEventSourceMappings",
    "subnetgroup": "rds:DescribeDBSubnetGroups",
    "cluster": "rds:DescribeDBClusters",
    "database": "rds:DescribeDBInstances",
    "dbsnapshot": "rds:DescribeDBSnapshots",
    "clustersnapshot": "rds:DescribeDBClusterSnapshots",
    "zone": "route53:ListHostedZones",
    "bucket": "s3:ListBuckets",
    "topic": "sns:ListTopics",
    "subscription": "sns:ListSubscriptions",
    "queue": "sqs:ListQueues",
    "user": "iam:ListUsers",
    "team": "iam:ListGroups",
    "role": "iam:ListRoles",
    "policy": "iam:ListPolicies",
    "awspolicy": "iam:ListPolicies/AWS",
    "profile": "iam:ListInstanceProfiles",
    "saml": "iam:ListSAMLProviders",
    "oidc": "iam:ListOpenIDConnectProviders",
    "api": "apigateway:GetRestApis",
    "repository": "ecr:DescribeRepositories",
    "loggroup": "logs:DescribeLogGroups",
    "workspace": "workspaces:DescribeWorkspaces",
    "bundle": "workspaces:DescribeWorkspaceBundles",
}


def iam(resource: str) -> str:
    """The template of an ARN of IAM's."""
    return "arn:{partition}:iam::{account}:" + resource


def arn(service: str, resource: str) -> str:
    """The template of an ARN in the item's region."""
    return f"arn:{{partition}}:{service}:{{region}}:{{account}}:{resource}"


def _policy(principal: Any = None) -> dict[str, Any]:
    statement = {"Sid": "Fake", "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["*"]}
    who = {} if principal is None else {"Principal": principal}
    return {"Version": "2012-10-17", "Statement": [statement | who]}


class Text(str):
    """A text to be sent as it is, braces and all."""

    __slots__ = ()


DOCUMENT = Text(quote(json.dumps(_policy()), safe=""))
TRUST = tuple(
    Text(quote(json.dumps(_policy(principal)), safe=""))
    for principal in (
        {"Service": "lambda.amazonaws.com"},
        {"AWS": "arn:aws:iam::999988887777:root"},
        {"Federated": "cognito-identity.amazonaws.com"},
        {"AWS": "*"},  # "*" alone means the same, and is more than Cartography can read
    )
)
OPEN = Text(json.dumps(_policy({"AWS": "*"})))

KMS_KEY = "key|" + arn("kms", "key/{uuid}")
ROLE = "role|" + iam("role/role-{n}")
TARGETS = arn("elasticloadbalancing", "targetgroup/targets-{n}/{place}{n:08x}")
BALANCER = "balancer|" + arn("elasticloadbalancing", "loadbalancer/app/balancer-{n}/{place}{n:08x}")
FUNCTION = arn("lambda", "function:function-{n}")
QUEUE = arn("sqs", "queue-{n}")
TOPIC = arn("sns", "topic-{n}")
CLUSTER = "cluster|cluster-{n}"
ADDRESS = "address|{address}"
GROUP_IDS = "group|sg-{hex}"
SUBNET_IDS = "subnet|subnet-{hex}"
CIDR = "10.{low}.0.0/16"
IPV6_RANGE = "2600:1f00:{place_v6}::/56"
IPV6 = "2600:1f00:{place_v6}::{n:x}"

MEMBERS: Mapping[str, Mapping[str, Any]] = {
    "*": {
        "OwnerId": "{account}",
        "AccountId": "{account}",
        "Tags.Key": "Name",
        "Tags.Value": "thing-{n}",
        "TagList.Key": "Name",
        "Port": 443,
        "FromPort": 443,
        "ToPort": 443,
        "AvailabilityZone": "{region}a",
        "AvailabilityZones": "{region}a",
        "VpcId": "vpc|vpc-{hex}",
        "SubnetId": SUBNET_IDS,
        "SubnetIds": SUBNET_IDS,
        "Subnets": SUBNET_IDS,
        "SecurityGroups": GROUP_IDS,
        "SecurityGroupIds": GROUP_IDS,
        "InstanceId": "instance|i-{hex}",
        "ImageId": "image|ami-{hex}",
        "NextToken": None,
    },
    "ec2": {
        "GroupId": GROUP_IDS,
        "GroupName": "group|group-{n}",
        "VolumeId": "volume|vol-{hex}",
        "SnapshotId": "snapshot|snap-{hex}",
        "NetworkInterfaceId": "interface|eni-{hex}",
        "NetworkInterfaceIds": "interface|eni-{hex}",
        "KeyName": "keypair|key-{n}",
        "KeyPairId": "keypair|key-{hex}",
        "RouteTableId": "routetable|rtb-{hex}",
        "RouteTableIds": "routetable|rtb-{hex}",
        "InternetGatewayId": "igw|igw-{hex}",
        "GatewayId": "igw|igw-{hex}",
        "NatGatewayId": "nat|nat-{hex}",
        "PublicIp": ADDRESS,
        "AllocationId": "address|eipalloc-{hex}",
        "NetworkAclId": "acl|acl-{hex}",
        "VpcEndpointId": "endpoint|vpce-{hex}",
        "VpcPeeringConnectionId": "peering|pcx-{hex}",
        "PrefixListId": "prefixlist|pl-{hex}",
        "PrefixListArn": "prefixlist|" + arn("ec2", "prefix-list/pl-{hex}"),
        "LaunchTemplateId": "template|lt-{hex}",
        "LaunchTemplateName": "template|template-{n}",
        "HostResourceGroupArn": arn("fake", "hosts-{n}"),
        "RequesterId": "{account}",
        "ReservationId": "r-{hex}",
        "UserIdGroupPairs.UserId": "{account}",
        "RouteTableAssociationId": "rtbassoc-{hex}",
        "NetworkAclAssociationId": "aclassoc-{hex}",
        "SubnetArn": "subnet|" + arn("ec2", "subnet/subnet-{hex}"),
        "KmsKeyId": KMS_KEY,
        "IamInstanceProfile.Arn": "profile|" + iam("instance-profile/profile-{n}"),
        "PublicIpAddress": ADDRESS,
        "PrivateIpAddress": "10.{low}.{high}.7",
        "Ipv6Address": IPV6,
        "DestinationCidrBlock": "0.0.0.0/0",
        "DestinationIpv6CidrBlock": None,
        "IpProtocol": "tcp",
        "Protocol": "6",
        "DestinationPrefixListId": None,
        "Associations.GatewayId": None,
        "CreateVolumePermissions.Group": None,
        "CreateVolumePermissions.UserId": "{account}",
        "Attachments.State": "attached",
        "State.Name": "running",
        "OptInStatus": "opt-in-not-required",
        "AccepterVpcInfo.Region": "{region}",
        "RequesterVpcInfo.Region": "{region}",
        "PolicyDocument": OPEN,
        "Description": "thing {n}",
        "UserData": None,
    },
    "ec2:DescribeImages": {"State": "available", "OwnerId": "{account}"},
    "ec2:DescribeNetworkAcls": {"RuleNumber": 100, "Egress": (False, True)},
    "ec2:DescribeLaunchTemplateVersions": {"VersionNumber": 1},
    "ec2:DescribeSnapshots": {"State": "completed"},
    "elb": {
        "LoadBalancerName": "classic|classic-{n}",
        "DNSName": "classic|classic-{n}-{place}.{region}.elb.amazonaws.com",
        "VPCId": "vpc|vpc-{hex}",
        "Protocol": "HTTPS",
        "LoadBalancerPort": 443,
        "InstancePort": 8443,
        "Scheme": "internet-facing",
    },
    "elbv2": {
        "LoadBalancerArn": BALANCER,
        "LoadBalancerArns": BALANCER,
        "LoadBalancerName": "balancer|balancer-{n}",
        "DNSName": "balancer|balancer-{n}-{place}.{region}.elb.amazonaws.com",
        "TargetGroupArn": f"targets!|{TARGETS}",
        "TargetGroupName": "targets|targets-{n}",
        "ListenerArn": arn("elasticloadbalancing", "listener/app/balancer-{n}/{place}{n:08x}/{n:016x}"),
        "Scheme": "internet-facing",
        "Target.Id": "instance!|i-{hex}",
    },
    "autoscaling": {
        "LaunchConfigurationName": "configuration|configuration-{n}",
        "LaunchConfigurationARN": "configuration|"
        + arn("autoscaling", "launchConfiguration:{uuid}:launchConfigurationName/configuration-{n}"),
        "AutoScalingGroupName": "asg|asg-{n}",
        "AutoScalingGroupARN": "asg|" + arn("autoscaling", "autoScalingGroup:{uuid}:autoScalingGroupName/asg-{n}"),
        "LaunchTemplateId": "template|lt-{hex}",
        "LaunchTemplateName": "template|template-{n}",
        "VPCZoneIdentifier": SUBNET_IDS,
        "TargetGroupARNs": f"targets|{TARGETS}",
        "LoadBalancerNames": "classic|classic-{n}",
        "KeyName": "keypair|key-{n}",
        "MixedInstancesPolicy": None,
        "UserData": None,
    },
    "dynamodb": {
        "TableNames": "table|table-{n}",
        "TableName": "table|table-{n}",
        "TableArn": "table|" + arn("dynamodb", "table/table-{n}"),
        "IndexName": "index-{n}",
        "IndexArn": "table|" + arn("dynamodb", "table/table-{n}/index/index-{n}"),
        "LatestStreamArn": "table|" + arn("dynamodb", "table/table-{n}/stream/2024-01-01T00:00:00.000"),
        "KMSMasterKeyArn": KMS_KEY,
        "SourceTableArn": None,
    },
    "kms": {
        "KeyId": "key|{uuid}",
        "KeyArn": "key|" + arn("kms", "key/{uuid}"),
        "KeyMetadata.Arn": "key|" + arn("kms", "key/{uuid}"),
        "TargetKeyId": "key|{uuid}",
        "AliasName": "alias/name-{n}",
        "AliasArn": arn("kms", "alias/name-{n}"),
        "GrantId": "{place}{n:056x}",
        "KeyManager": "CUSTOMER",
        "KeySpec": "SYMMETRIC_DEFAULT",
        "Origin": "AWS_KMS",
        "MultiRegion": False,
        "MultiRegionConfiguration": None,
        "Policy": OPEN,
    },
    "lambda": {
        "FunctionName": "function|function-{n}",
        "FunctionArn": f"function|{FUNCTION}",
        "Version": "$LATEST",
        "FunctionVersion": "1",
        "AliasArn": f"function|{FUNCTION}:live",
        "Name": "live",
        "Role": ROLE,
        "KMSKeyArn": KMS_KEY,
        "Layers.Arn": arn("lambda", "layer:layer-{low}:1"),
        "UUID": "{uuid}",
        "EventSourceMappingArn": arn("lambda", "event-source-mapping:{uuid}"),
        "EventSourceArn": f"queue|{QUEUE}",
        "Policy": OPEN,
    },
    "lambda:ListFunctions/ALL": {"Version": "1", "FunctionArn": f"function|{FUNCTION}:1"},
    "lambda:ListEventSourceMappings": {"FunctionArn": f"function|{FUNCTION}"},
    "rds": {
        "DBInstanceIdentifier": "database!|database-{n}",
        "DBInstanceArn": "database|" + arn("rds", "db:database-{n}"),
        "DbiResourceId": "database|db-{place}{n:08X}",
        "DBClusterIdentifier": "cluster!|cluster-{n}",
        "DBInstances.DBClusterIdentifier": CLUSTER,
        "DBClusterArn": "cluster|" + arn("rds", "cluster:cluster-{n}"),
        "DBSubnetGroupName": "subnetgroup|subnets-{n}",
        "DBSubnetGroupArn": "subnetgroup|" + arn("rds", "subgrp:subnets-{n}"),
        "SubnetIdentifier": SUBNET_IDS,
        "VpcSecurityGroupId": GROUP_IDS,
        "KmsKeyId": KMS_KEY,
        "DBSnapshotIdentifier": "dbsnapshot|snapshot-{n}",
        "DBSnapshotArn": "dbsnapshot|" + arn("rds", "snapshot:snapshot-{n}"),
        "DBClusterSnapshotIdentifier": "clustersnapshot|snapshot-{n}",
        "DBClusterSnapshotArn": "clustersnapshot|" + arn("rds", "cluster-snapshot:snapshot-{n}"),
        "SnapshotType": "manual",
        "SourceRegion": "{region}",
        "AttributeName": "restore",
        "AttributeValues": "{account}",
        "ReadReplicaSourceDBInstanceIdentifier": None,
        "SourceDBSnapshotIdentifier": None,
        "SourceDBClusterSnapshotArn": None,
    },
    "route53": {
        "Id": "zone|/hostedzone/Z{place:.8}{n:08X}",
        "HostedZones.Name": "zone|zone-{n}.example.com.",
        "ResourceRecordSets.Name": "www-{n}.zone-{parent}.example.com.",
        "HostedZoneId": "zone|/hostedzone/Z{place:.8}{n:08X}",
        "Type": ("A", "NS", "CNAME"),
        "ResourceRecords.Value": ("{address}", "ns-{low}.example.net.", "host-{low}.example.org."),
        "AliasTarget": None,
        "SetIdentifier": None,
        "LinkedService": None,
    },
    "s3": {
        "Bucket": "bucket|bucket-{account}-{n}",
        "Buckets.Name": "bucket|bucket-{account}-{n}",
        "BucketRegion": "{region}",
        "BucketArn": None,
        "Policy": OPEN,
        "Owner.ID": "{place}{place}{n:048x}",
        "Grantee.ID": "{place}{place}{n:048x}",
        "Grantee.Type": "CanonicalUser",
        "Grantee.URI": None,
        "KMSMasterKeyID": None,
        "SSEAlgorithm": "AES256",
        "LocationConstraint": "{region}",
        "TopicArn": f"topic|{TOPIC}",
        "QueueConfigurations": None,
        "LambdaFunctionConfigurations": None,
    },
    "sns": {
        "TopicArn": f"topic!|{TOPIC}",
        "SubscriptionArn": arn("sns", "topic-{n}:{uuid}"),
        "Protocol": "sqs",
        "Endpoint": f"queue!|{QUEUE}",
        "Owner": "{account}",
        "Attributes": {
            "TopicArn": TOPIC,
            "Owner": "{account}",
            "Policy": OPEN,
            "SubscriptionsPending": "0",
            "SubscriptionsConfirmed": "1",
            "SubscriptionsDeleted": "0",
        },
    },
    "sqs": {
        "QueueUrl": "queue|https://sqs.{region}.amazonaws.com/{account}/queue-{n}",
        "QueueUrls": "queue|https://sqs.{region}.amazonaws.com/{account}/queue-{n}",
        "Attributes": {
            "QueueArn": QUEUE,
            "Policy": OPEN,
            "SqsManagedSseEnabled": "true",
            "CreatedTimestamp": "1704067200",
            "LastModifiedTimestamp": "1704067200",
            "DelaySeconds": "0",
            "MaximumMessageSize": "262144",
            "MessageRetentionPeriod": "345600",
            "ReceiveMessageWaitTimeSeconds": "0",
            "VisibilityTimeout": "30",
        },
    },
    "iam": {
        "AccountAliases": "alias-{account}",
        "Path": "/",
        "UserName": "user|user-{n}",
        "UserId": "user|AIDA{place:.8}{n:08X}",
        "GroupName": "team|group-{n}",
        "GroupList": "team|group-{n}",
        "GroupId": "team|AGPA{place:.8}{n:08X}",
        "RoleName": "role|role-{n}",
        "RoleId": "role|AROA{place:.8}{n:08X}",
        "UserDetailList.Arn": "user|" + iam("user/user-{n}"),
        "Users.Arn": "user|" + iam("user/user-{n}"),
        "GroupDetailList.Arn": "team|" + iam("group/group-{n}"),
        "Groups.Arn": "team|" + iam("group/group-{n}"),
        "RoleDetailList.Arn": ROLE,
        "Roles.Arn": ROLE,
        "Policies.Arn": "policy|" + iam("policy/policy-{n}"),
        "Policies.PolicyName": "policy|policy-{n}",
        "PolicyArn": "policy|" + iam("policy/policy-{n}"),
        "AttachedManagedPolicies.PolicyName": "policy|policy-{n}",
        "PermissionsBoundaryArn": "policy|" + iam("policy/policy-{n}"),
        "PolicyName": "inline-{n}",
        "PolicyId": "ANPA{place:.8}{n:08X}",
        "InstanceProfiles.Arn": "profile|" + iam("instance-profile/profile-{n}"),
        "InstanceProfileName": "profile|profile-{n}",
        "InstanceProfileId": "profile|AIPA{place:.8}{n:08X}",
        "InstanceProfileList": None,
        "SAMLProviderList.Arn": "saml|" + iam("saml-provider/saml-{n}"),
        "OpenIDConnectProviderList.Arn": "oidc|" + iam("oidc-provider/oidc-{n}.example.com"),
        "OpenIDConnectProviderArn": "oidc|" + iam("oidc-provider/oidc-{n}.example.com"),
        "AccessKeyId": "AKIA{account}{n:04d}",
        "SerialNumber": iam("mfa/user-{n}"),
        "AssumeRolePolicyDocument": TRUST,
        "PolicyDocument": DOCUMENT,
        "Document": DOCUMENT,
        "IsDefaultVersion": True,
        "DefaultVersionId": "v1",
        "VersionId": "v1",
    },
    "iam:ListPolicies/AWS": {
        "Policies.Arn": "arn:{partition}:iam::aws:policy/Managed-{n}",
        "Policies.PolicyName": "Managed-{n}",
        "PolicyId": "ANPAMANAGED{n:09d}",
    },
    "iam:GetPolicyVersion": {"Document": DOCUMENT},
}
"""By listing or operation, by service, and for all (in this order): member to reference, text or value."""

SINGULAR = {
    "BundleIds": "BundleId",
    "GroupIds": "GroupId",
    "InstanceIds": "InstanceId",
    "VpcIds": "VpcId",
    "image-id": "ImageId",
}
"""Inputs and filters that choose things by their identifiers."""
