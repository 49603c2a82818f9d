"""What the demo's organization has by the word of AWS's own API: each line says where the ids of a label are listed.

Nothing here is the catalogue's: boto's clients, and JMESPath.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any

import jmespath

from skysweep.demo.session import GLOBAL_REGION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from skysweep.demo.session import Account


@dataclass(frozen=True)
class Line:
    """Where a label's nodes are listed: the operation (`service.method`), the path of what names each, and its id.

    form: the id, made of the name found: `{}`, with `{region}` and `{account}`; empty where only the number is known.
    each: the listing that the operation is called for the items of: (method, path, parameter).
    statements: what is found is the text of a policy, each of whose statements is a node.
    """

    label: str
    operation: str
    path: str
    form: str = "{}"
    each: tuple[str, str, str] | None = None
    inputs: Mapping[str, Any] = field(default_factory=dict)
    statements: bool = False


COUNTED = ""
TABLES = ("list_tables", "TableNames[]", "TableName")
USERS = ("list_users", "Users[].UserName", "UserName")
ZONES = ("list_hosted_zones", "HostedZones[].Id", "HostedZoneId")
FUNCTIONS = ("list_functions", "Functions[].FunctionName", "FunctionName")
KEYS = ("list_keys", "Keys[].KeyId", "KeyId")
DEFAULT = {"PolicyName": "default"}
TOPICS = ("list_topics", "Topics[].TopicArn", "TopicArn")
QUEUES = ("list_queues", "QueueUrls[]", "QueueUrl")
BALANCERS = ("describe_load_balancers", "LoadBalancers[].LoadBalancerArn", "LoadBalancerArn")
INLINE = "[UserDetailList[].UserPolicyList, GroupDetailList[].GroupPolicyList, RoleDetailList[].RolePolicyList][][][]"
RULES = "SecurityGroups[].[IpPermissions, IpPermissionsEgress][][]"

REGIONAL = (
    Line("AWSVpc", "ec2.describe_vpcs", "Vpcs[].VpcId"),
    Line("AWSIpv4CidrBlock", "ec2.describe_vpcs", "Vpcs[].CidrBlockAssociationSet[]", COUNTED),
    Line("AWSIpv6CidrBlock", "ec2.describe_vpcs", "Vpcs[].Ipv6CidrBlockAssociationSet[]", COUNTED),
    Line("EC2Subnet", "ec2.describe_subnets", "Subnets[].SubnetId"),
    Line("EC2RouteTable", "ec2.describe_route_tables", "RouteTables[].RouteTableId"),
    Line("EC2Route", "ec2.describe_route_tables", "RouteTables[].Routes[]", COUNTED),
    Line(
        "EC2RouteTableAssociation",
        "ec2.describe_route_tables",
        "RouteTables[].Associations[].RouteTableAssociationId",
    ),
    Line("AWSVpcEndpoint", "ec2.describe_vpc_endpoints", "VpcEndpoints[].VpcEndpointId"),
    Line("AWSInternetGateway", "ec2.describe_internet_gateways", "InternetGateways[].InternetGatewayId"),
    Line("AWSNatGateway", "ec2.describe_nat_gateways", "NatGateways[?State!='deleted'].NatGatewayId"),
    Line("ElasticIPAddress", "ec2.describe_addresses", "Addresses[].PublicIp"),
    Line(
        "AWSPeeringConnection", "ec2.describe_vpc_peering_connections", "VpcPeeringConnections[].VpcPeeringConnectionId"
    ),
    Line(
        "EC2NetworkAcl",
        "ec2.describe_network_acls",
        "NetworkAcls[].NetworkAclId",
        "arn:aws:ec2:{region}:{account}:network-acl/{}",
    ),
    Line("EC2NetworkAclInboundRule", "ec2.describe_network_acls", "NetworkAcls[].Entries[?!Egress][]", COUNTED),
    Line("EC2NetworkAclEgressRule", "ec2.describe_network_acls", "NetworkAcls[].Entries[?Egress][]", COUNTED),
    Line("EC2SecurityGroup", "ec2.describe_security_groups", "SecurityGroups[].GroupId"),
    Line("AWSIpPermissionInbound", "ec2.describe_security_groups", "SecurityGroups[].IpPermissions[]", COUNTED),
    Line("AWSIpPermissionEgress", "ec2.describe_security_groups", "SecurityGroups[].IpPermissionsEgress[]", COUNTED),
    Line("AWSIpRange", "ec2.describe_security_groups", f"{RULES}.IpRanges[].CidrIp"),
    Line("AWSIpRange", "ec2.describe_security_groups", f"{RULES}.Ipv6Ranges[].CidrIpv6"),
    Line("EC2PrefixList", "ec2.describe_managed_prefix_lists", "PrefixLists[].PrefixListId"),
    Line("AWSNetworkInterface", "ec2.describe_network_interfaces", "NetworkInterfaces[].NetworkInterfaceId"),
    Line("EC2PrivateIp", "ec2.describe_network_interfaces", "NetworkInterfaces[].PrivateIpAddresses[]", COUNTED),
    Line("EC2Ipv6Address", "ec2.describe_network_interfaces", "NetworkInterfaces[].Ipv6Addresses[].Ipv6Address"),
    Line("EC2Reservation", "ec2.describe_instances", "Reservations[].ReservationId"),
    Line("EC2Instance", "ec2.describe_instances", "Reservations[].Instances[].InstanceId"),
    Line("EC2KeyPair", "ec2.describe_key_pairs", "KeyPairs[].KeyName", "arn:aws:ec2:{region}:{account}:key-pair/{}"),
    Line("EC2Image", "ec2.describe_images", "Images[].ImageId", "{}|{region}", inputs={"Owners": ["self"]}),
    Line("EBSVolume", "ec2.describe_volumes", "Volumes[].VolumeId"),
    Line("EBSSnapshot", "ec2.describe_snapshots", "Snapshots[].SnapshotId", inputs={"OwnerIds": ["self"]}),
    Line("LaunchTemplate", "ec2.describe_launch_templates", "LaunchTemplates[].LaunchTemplateId"),
    Line(
        "LaunchTemplateVersion",
        "ec2.describe_launch_template_versions",
        "LaunchTemplateVersions[]",
        COUNTED,
        ("describe_launch_templates", "LaunchTemplates[].LaunchTemplateId", "LaunchTemplateId"),
    ),
    Line("AutoScalingGroup", "autoscaling.describe_auto_scaling_groups", "AutoScalingGroups[].AutoScalingGroupARN"),
    Line(
        "LaunchConfiguration",
        "autoscaling.describe_launch_configurations",
        "LaunchConfigurations[].LaunchConfigurationARN",
    ),
    Line("AWSLoadBalancer", "elb.describe_load_balancers", "LoadBalancerDescriptions[].DNSName"),
    Line("ELBListener", "elb.describe_load_balancers", "LoadBalancerDescriptions[].ListenerDescriptions[]", COUNTED),
    Line("LoadBalancerV2", "elbv2.describe_load_balancers", "LoadBalancers[].DNSName"),
    Line("ELBV2Listener", "elbv2.describe_listeners", "Listeners[].ListenerArn", each=BALANCERS),
    Line("ELBV2TargetGroup", "elbv2.describe_target_groups", "TargetGroups[].TargetGroupArn"),
    Line("RDSInstance", "rds.describe_db_instances", "DBInstances[].DBInstanceArn"),
    Line("RDSCluster", "rds.describe_db_clusters", "DBClusters[].DBClusterArn"),
    Line("RDSSnapshot", "rds.describe_db_snapshots", "DBSnapshots[].DBSnapshotArn"),
    Line("AWSRDSClusterSnapshot", "rds.describe_db_cluster_snapshots", "DBClusterSnapshots[].DBClusterSnapshotArn"),
    Line(
        "DBSubnetGroup",
        "rds.describe_db_subnet_groups",
        "DBSubnetGroups[].DBSubnetGroupName",
        "arn:aws:rds:{region}:{account}:subgrp:{}",
    ),
    Line("DynamoDBTable", "dynamodb.describe_table", "Table.TableArn", each=TABLES),
    Line("DynamoDBBillingModeSummary", "dynamodb.describe_table", "Table.BillingModeSummary", COUNTED, TABLES),
    Line("DynamoDBGlobalSecondaryIndex", "dynamodb.describe_table", "Table.GlobalSecondaryIndexes[]", COUNTED, TABLES),
    Line("DynamoDBSSEDescription", "dynamodb.describe_table", "Table.SSEDescription", COUNTED, TABLES),
    Line("AWSLambda", "lambda.list_functions", "Functions[].FunctionArn"),
    Line(
        "AWSLambdaFunctionVersion",
        "lambda.list_versions_by_function",
        "Versions[?Version!='$LATEST'].FunctionArn",
        each=FUNCTIONS,
    ),
    Line("AWSLambdaFunctionAlias", "lambda.list_aliases", "Aliases[].AliasArn", each=FUNCTIONS),
    Line("AWSLambdaEventSourceMapping", "lambda.list_event_source_mappings", "EventSourceMappings[].UUID"),
    Line("KMSKey", "kms.list_keys", "Keys[].KeyId"),
    Line("KMSAlias", "kms.list_aliases", "Aliases[].AliasArn"),
    Line("KMSGrant", "kms.list_grants", "Grants[].GrantId", each=KEYS),
    Line("SNSTopic", "sns.list_topics", "Topics[].TopicArn"),
    Line("SNSTopicSubscription", "sns.list_subscriptions", "Subscriptions[]", COUNTED),
    Line("KMSPolicyStatement", "kms.get_key_policy", "Policy", COUNTED, KEYS, DEFAULT, statements=True),
    Line("SNSPolicyStatement", "sns.get_topic_attributes", "Attributes.Policy", COUNTED, TOPICS, statements=True),
    Line(
        "SQSPolicyStatement",
        "sqs.get_queue_attributes",
        "Attributes.Policy",
        COUNTED,
        QUEUES,
        {"AttributeNames": ["Policy"]},
        statements=True,
    ),
    Line("AWSEventBridgeEventBus", "events.list_event_buses", "EventBuses[].Arn"),
    Line("SQSQueue", "sqs.list_queues", "QueueUrls[]", COUNTED),
)

GLOBAL = (
    Line("AWSUser", "iam.list_users", "Users[].Arn"),
    Line("AWSGroup", "iam.list_groups", "Groups[].Arn"),
    Line("AWSRole", "iam.list_roles", "Roles[].Arn"),
    Line("AWSInstanceProfile", "iam.list_instance_profiles", "InstanceProfiles[].Arn"),
    Line("AccountAccessKey", "iam.list_access_keys", "AccessKeyMetadata[].AccessKeyId", each=USERS),
    Line("AWSMfaDevice", "iam.list_mfa_devices", "MFADevices[].SerialNumber", each=USERS),
    Line("AWSSAMLProvider", "iam.list_saml_providers", "SAMLProviderList[].Arn"),
    Line("AWSOIDCProvider", "iam.list_open_id_connect_providers", "OpenIDConnectProviderList[].Arn"),
    Line("AWSManagedPolicy", "iam.list_policies", "Policies[].Arn", inputs={"Scope": "Local"}),
    Line("AWSManagedPolicy", "iam.list_policies", "Policies[].Arn", inputs={"Scope": "AWS", "OnlyAttached": True}),
    Line(
        "AWSInlinePolicy",
        "iam.get_account_authorization_details",
        INLINE,
        COUNTED,
    ),
    Line("S3Bucket", "s3.list_buckets", "Buckets[].Name"),
    Line("AWSDNSZone", "route53.list_hosted_zones", "HostedZones[].Id"),
    Line("AWSDNSRecord", "route53.list_resource_record_sets", "ResourceRecordSets[]", COUNTED, ZONES),
    Line(
        "DNSAddress",
        "route53.list_resource_record_sets",
        "ResourceRecordSets[?Type=='A'].ResourceRecords[].Value",
        each=ZONES,
    ),
)


def _replies(account: Account, region: str, line: Line) -> Iterator[dict[str, Any]]:
    """What the line's operation answers, all its pages, for each item of its listing."""
    service, _, method = line.operation.partition(".")
    client = account.client(service, region)
    if line.each is None:
        yield _whole(client, method, line.inputs)
        return
    listing, path, parameter = line.each
    for value in jmespath.search(path, _whole(client, listing, {})) or ():
        yield _whole(client, method, {**line.inputs, parameter: value})


def _whole(client: Any, method: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    reply: dict[str, Any]
    if client.can_paginate(method):
        reply = client.get_paginator(method).paginate(**inputs).build_full_result()
    else:
        reply = getattr(client, method)(**inputs)
    return reply


def listed(accounts: Sequence[Account], regions: Sequence[str]) -> tuple[dict[str, set[str]], dict[str, int]]:
    """The ids of all nodes by label, and the numbers of those whose ids only Cartography's rules tell."""
    ids: dict[str, set[str]] = {}
    numbers: dict[str, int] = {}
    places = [(REGIONAL, region) for region in regions] + [(GLOBAL, GLOBAL_REGION)]
    for account in accounts:
        for lines, region in places:
            for line in lines:
                found = [each for reply in _replies(account, region, line) for each in _found(line, reply)]
                if line.form == COUNTED:
                    numbers[line.label] = numbers.get(line.label, 0) + len(found)
                else:
                    made = {line.form.format(each, region=region, account=account.id) for each in found}
                    ids.setdefault(line.label, set()).update(made)
    return ids, numbers


def _found(line: Line, reply: dict[str, Any]) -> list[Any]:
    found = jmespath.search(line.path, reply)
    if line.statements:
        return json.loads(found)["Statement"] if found else []
    return found if isinstance(found, list) else [found] if found else []


def derived(accounts: Sequence[Account]) -> tuple[dict[str, set[str]], dict[str, int]]:
    """The same of what no operation lists: what trust policies, bucket policies and ACLs say."""
    policies = {bucket: policy for account in accounts for bucket, policy in _bucket_policies(account)}
    trusts, statements = _policies(accounts)
    allowed = [each for each in [*trusts, *chain(*policies.values())] if each["Effect"] == "Allow"]
    principals = _principals(allowed)
    roots = {f"arn:aws:iam::{account.id}:root" for account in accounts} | principals["root"]
    grants = {(account.id, grant) for account in accounts for grant in _grants(account)}
    ids = {
        "AWSAccount": {arn.split(":")[4] for arn in roots},
        "AWSRootPrincipal": roots,
        "AWSServicePrincipal": principals["Service"],
        "AWSFederatedPrincipal": principals["Federated"],
        "Everyone": principals["everyone"],
        "AWSS3BucketPolicy": {f"arn:aws:s3:::{bucket}/policy" for bucket in policies},
        "AWSNameServer": {name.removesuffix(".") for account in accounts for name in _name_servers(account)},
    }
    numbers = {
        "AWSPolicyStatement": statements,
        "S3PolicyStatement": sum(map(len, policies.values())),
        "S3Acl": len(grants),
    }
    return ids, numbers


def _principals(statements: Iterable[dict[str, Any]]) -> dict[str, set[str]]:
    """Whom the statements name, by kind."""
    found: dict[str, set[str]] = {"root": set(), "everyone": set(), "Service": set(), "Federated": set()}
    for statement in statements:
        principal = statement["Principal"]
        for kind, named in ({"AWS": "*"} if principal == "*" else principal).items():
            for each in [named] if isinstance(named, str) else named:
                found["everyone" if each == "*" else "root" if kind == "AWS" else kind].add(each)
    return found


def _policies(accounts: Sequence[Account]) -> tuple[list[dict[str, Any]], int]:
    """The statements of all roles' trust policies; and how many IAM's policies have, AWS's own counted once."""
    trusts: list[dict[str, Any]] = []
    documents: dict[str, list[Any]] = {}
    for account in accounts:
        iam = account.client("iam")
        told = iam.get_account_authorization_details()
        trusts += jmespath.search("RoleDetailList[].AssumeRolePolicyDocument.Statement[]", told)
        for number, document in enumerate(jmespath.search(f"{INLINE}.PolicyDocument", told)):
            documents[f"{account.id} {number}"] = document["Statement"]
        for scope, attached in (("Local", {}), ("AWS", {"OnlyAttached": True})):
            for policy in iam.list_policies(Scope=scope, **attached)["Policies"]:
                version = iam.get_policy_version(PolicyArn=policy["Arn"], VersionId=policy["DefaultVersionId"])
                documents[policy["Arn"]] = version["PolicyVersion"]["Document"]["Statement"]
    return trusts, sum(len(each) if isinstance(each, list) else 1 for each in documents.values())


def _bucket_policies(account: Account) -> Iterator[tuple[str, list[Any]]]:
    """The buckets that have a policy, each with its statements."""
    s3 = account.client("s3")
    for bucket in jmespath.search("Buckets[].Name", s3.list_buckets()):
        with suppress(s3.exceptions.from_code("NoSuchBucketPolicy")):
            yield bucket, json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"]


def _grants(account: Account) -> Iterator[str]:
    """What the ACLs of the account's buckets grant; equal grants on two buckets are one node."""
    s3 = account.client("s3")
    for bucket in jmespath.search("Buckets[].Name", s3.list_buckets()):
        for grant in s3.get_bucket_acl(Bucket=bucket)["Grants"]:
            yield json.dumps(grant, sort_keys=True)


def _name_servers(account: Account) -> Iterator[str]:
    """The name servers in NS records."""
    line = Line("", "route53.list_resource_record_sets", "", each=ZONES)
    for reply in _replies(account, GLOBAL_REGION, line):
        yield from jmespath.search("ResourceRecordSets[?Type=='NS'].ResourceRecords[].Value", reply)
