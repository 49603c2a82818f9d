"""Who watches: trails, logs, alarms, rules, findings, flow logs; and what changes things by itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from skysweep.demo.identity import OUTSIDER
from wide.ground import REGION, TAG_LIST

if TYPE_CHECKING:
    from wide.ground import Ground

SEEN = "2026-01-02T03:04:05.000Z"


def build_trail(ground: Ground) -> None:
    """A trail into the bucket."""
    trail = ground.client("cloudtrail")
    arn = trail.create_trail(
        Name="wide",
        S3BucketName=ground.bucket,
        IsMultiRegionTrail=True,
        EnableLogFileValidation=True,
        TagsList=TAG_LIST,
    )["TrailARN"]
    trail.start_logging(Name="wide")
    ground.node("CloudTrailTrail", arn, ("LOGS_TO", ground.bucket))


def build_alarms(ground: Ground) -> None:
    """A pattern counted in the log group, and an alarm on an instance that tells the topic."""
    ground.client("logs").put_metric_filter(
        logGroupName="/wide/app",
        filterName="errors",
        filterPattern="ERROR",
        metricTransformations=[{"metricName": "errors", "metricNamespace": "wide", "metricValue": "1"}],
    )
    ground.node(
        "CloudWatchLogMetricFilter",
        f"{ground.account.id}/{REGION}//wide/app/errors",
        ("METRIC_FILTER_OF", ground.log_group),
    )
    watch = ground.client("cloudwatch")
    watch.put_metric_alarm(
        AlarmName="busy",
        MetricName="CPUUtilization",
        Namespace="AWS/EC2",
        Statistic="Average",
        Dimensions=[{"Name": "InstanceId", "Value": ground.instance}],
        Period=300,
        EvaluationPeriods=2,
        Threshold=90.0,
        ComparisonOperator="GreaterThanThreshold",
        ActionsEnabled=True,
        AlarmActions=[ground.topic],
    )
    ground.node(
        "CloudWatchMetricAlarm",
        ground.arn("cloudwatch", "alarm:busy"),
        ("MONITORS", ground.instance),
        ("NOTIFIES", ground.topic),
    )


def build_events(ground: Ground) -> None:
    """A bus that others may send to; a rule on either bus: one sets off the queue, one the function by a schedule."""
    events = ground.client("events")
    default = ground.arn("events", "event-bus/default")
    bus = events.create_event_bus(Name="wide")["EventBusArn"]
    events.put_permission(EventBusName="wide", StatementId="wide", Action="events:PutEvents", Principal=OUTSIDER)
    ground.node("EventBusPolicyStatement", f"{bus}/policy_statement/wide")
    ground.node("AWSEventBridgeEventBus", default)
    ground.node("AWSEventBridgeEventBus", bus)
    rules = (
        ("wide", bus, {"EventPattern": json.dumps({"source": ["shop"]})}, ground.queue),
        ("default", default, {"ScheduleExpression": "rate(1 hour)"}, ground.function),
    )
    for name, its_bus, when, target in rules:
        rule = events.put_rule(Name=f"on-{name}", EventBusName=name, State="ENABLED", **when)["RuleArn"]
        events.put_targets(Rule=f"on-{name}", EventBusName=name, Targets=[{"Id": "1", "Arn": target}])
        ground.node("EventBridgeRule", rule, ("TRIGGERS", target), ("PART_OF_EVENT_BUS", its_bus))
        ground.node("EventBridgeTarget", f"{rule}/target/1", ("LINKED_TO_RULE", rule))


def build_recorder(ground: Ground) -> None:
    """AWS Config, recording everything into the bucket, with a rule."""
    config = ground.client("config")
    recording = {"allSupported": True, "includeGlobalResourceTypes": True}
    config.put_configuration_recorder(
        ConfigurationRecorder={"name": "wide", "roleARN": ground.role, "recordingGroup": recording}
    )
    config.put_delivery_channel(DeliveryChannel={"name": "wide", "s3BucketName": ground.bucket})
    config.start_configuration_recorder(ConfigurationRecorderName="wide")
    identifier = f"wide:{ground.account.id}:{REGION}"
    ground.node("AWSConfigurationRecorder", identifier, ("ASSOCIATED_WITH", ground.role))
    ground.node("AWSConfigDeliveryChannel", identifier, ("DELIVERS_TO", ground.bucket))
    source = {"Owner": "AWS", "SourceIdentifier": "S3_BUCKET_VERSIONING_ENABLED"}
    config.put_config_rule(
        ConfigRule={
            "ConfigRuleName": "versioned",
            "Scope": {"ComplianceResourceTypes": ["AWS::S3::Bucket"]},
            "Source": source,
        }
    )
    ground.node("AWSConfigRule", config.describe_config_rules()["ConfigRules"][0]["ConfigRuleArn"])


def build_findings(ground: Ground) -> None:
    """GuardDuty on, Security Hub with a finding of the bucket, Inspector with a vulnerability of the instance."""
    detector = ground.client("guardduty").create_detector(Enable=True, FindingPublishingFrequency="ONE_HOUR")
    ground.node("GuardDutyDetector", detector["DetectorId"])
    hub = ground.client("securityhub")
    hub.enable_security_hub()
    ground.node("SecurityHub", hub.describe_hub()["HubArn"])
    finding = {
        "SchemaVersion": "2018-10-08",
        "Id": ground.arn("securityhub", "wide/finding/1"),
        "ProductArn": f"arn:aws:securityhub:{REGION}:{ground.account.id}:product/{ground.account.id}/default",
        "GeneratorId": "wide",
        "AwsAccountId": ground.account.id,
        "Types": ["Software and Configuration Checks"],
        "CreatedAt": SEEN,
        "UpdatedAt": SEEN,
        "Severity": {"Label": "HIGH"},
        "Title": "The bucket is not versioned",
        "Description": "Who deletes something, deletes it for good.",
        "Resources": [{"Type": "AwsS3Bucket", "Id": f"arn:aws:s3:::{ground.bucket}"}],
        "RecordState": "ACTIVE",
        "Workflow": {"Status": "NEW"},
    }
    hub.batch_import_findings(Findings=[finding])
    ground.node("AWSSecurityHubFinding", str(finding["Id"]), ("AFFECTS", ground.bucket))
    _build_inspector(ground)


def _build_inspector(ground: Ground) -> None:
    """What Inspector found; moto hands each entry of the list to one set of parameters, so there is one for each."""
    arn = ground.arn("inspector2", "finding/0123456789abcdef0123456789abcdef")
    package = {
        "name": "openssl",
        "version": "3.0.7",
        "release": "1.el9",
        "arch": "X86_64",
        "epoch": 1,
        "packageManager": "OS",
    }
    finding = {
        "findingArn": arn,
        "awsAccountId": ground.account.id,
        "type": "PACKAGE_VULNERABILITY",
        "description": "openssl",
        "title": "CVE-2026-0001 - openssl",
        "status": "ACTIVE",
        "severity": "HIGH",
        "firstObservedAt": SEEN,
        "lastObservedAt": SEEN,
        "updatedAt": SEEN,
        "remediation": {"recommendation": {"text": "update"}},
        "resources": [{"type": "AWS_EC2_INSTANCE", "id": ground.instance, "partition": "aws", "region": REGION}],
        "packageVulnerabilityDetails": {
            "vulnerabilityId": "CVE-2026-0001",
            "source": "NVD",
            "sourceUrl": "https://nvd.example.com/CVE-2026-0001",
            "cvss": [
                {"baseScore": 7.5, "scoringVector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", "source": "NVD"}
            ],
            "vulnerablePackages": [package],
        },
    }
    ground.tell_moto(
        "static/inspector2/findings-results",
        {"account_id": ground.account.id, "region": REGION, "results": [[finding]] * 20},
    )
    ground.node("AWSInspectorFinding", arn, ("AFFECTS", ground.instance))
    found = ground.node("AWSInspectorPackage", "openssl|1:3.0.7-1.el9.X86_64")
    ground.edge(arn, "HAS", found)


def build_network(ground: Ground) -> None:
    """A VPN gateway on the VPC, and its traffic written down in the bucket and in the log group."""
    ec2 = ground.client("ec2")
    gateway = ec2.create_vpn_gateway(Type="ipsec.1", AmazonSideAsn=64512)["VpnGateway"]["VpnGatewayId"]
    ec2.attach_vpn_gateway(VpnGatewayId=gateway, VpcId=ground.vpc)
    ground.node("AWSVpnGateway", gateway, ("ATTACHED_TO", ground.vpc))
    destinations = (
        (ground.bucket, {"LogDestinationType": "s3", "LogDestination": f"arn:aws:s3:::{ground.bucket}"}),
        (ground.log_group, {"LogGroupName": "/wide/app", "DeliverLogsPermissionArn": ground.role}),
    )
    for target, destination in destinations:
        made = ec2.create_flow_logs(ResourceType="VPC", ResourceIds=[ground.vpc], TrafficType="ALL", **destination)[
            "FlowLogIds"
        ][0]
        log = ground.node("AWSVpcFlowLog", ground.arn("ec2", f"vpc-flow-log/{made}"), ("LOGS_TO", target))
        ground.edge(ground.vpc, "HAS_FLOW_LOG", log)


def build_stack(ground: Ground) -> None:
    """A stack that has made a queue."""
    template = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "stacked"}}}}
    stack = ground.client("cloudformation").create_stack(
        StackName="wide",
        TemplateBody=json.dumps(template),
        RoleARN=ground.role,
        NotificationARNs=[ground.topic],
        Tags=TAG_LIST,
    )["StackId"]
    ground.node("CloudFormationStack", stack, ("HAS_EXECUTION_ROLE", ground.role), ("NOTIFIES", ground.topic))


BUILDERS = (
    build_trail,
    build_alarms,
    build_events,
    build_recorder,
    build_findings,
    build_network,
    build_stack,
)
