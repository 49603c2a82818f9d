"""CloudWatch: alarms, what they watch and whom they tell."""

from __future__ import annotations

from datetime import datetime

from skysweep.aws.ec2 import EC2Instance
from skysweep.aws.lambda_ import AWSLambda
from skysweep.aws.sns import SNSTopic
from skysweep.aws.tags import AWSTag, tagged_by_arn
from skysweep.model import Record, Resource, about, at, call, to

ALARMS = call("cloudwatch", "DescribeAlarms", "MetricAlarms[]", AlarmTypes=["MetricAlarm", "CompositeAlarm"])
COMPOSITE_ALARMS = ALARMS["CompositeAlarms[]"]


def actions(alarm: Record) -> list[str]:
    """The ARNs of all that the alarm sets off, in whichever state."""
    listed = (alarm[name] or () for name in ("AlarmActions", "OKActions", "InsufficientDataActions"))
    return [arn for arns in listed for arn in arns]


def dimensions(alarm: Record) -> list[dict[str, str]]:
    """What its metric is of, or the metrics that it reckons with."""
    metrics = ((each.get("MetricStat") or {}).get("Metric") or {} for each in alarm["Metrics"] or ())
    return [
        each
        for listed in (alarm["Dimensions"], *(metric.get("Dimensions") for metric in metrics))
        for each in listed or ()
    ]


def metric_of(alarm: Record) -> list[str]:
    """What the metric is of: each dimension as Name=Value."""
    return list(dict.fromkeys(f"{each['Name']}={each['Value']}" for each in dimensions(alarm)))


def watched(alarm: Record) -> list[str]:
    """The instances among its dimensions."""
    return [each["Value"] for each in dimensions(alarm) if each["Name"] == "InstanceId"]


class Alarm(Resource):
    """What both kinds of alarm have."""

    id: str = at("AlarmArn")
    arn: str = at("AlarmArn", index=True)
    alarm_name: str = at("AlarmName", index=True)
    alarm_description: str = at("AlarmDescription")
    state_value: str = at("StateValue", doc="OK, ALARM or INSUFFICIENT_DATA")
    state_reason: str = at("StateReason")
    state_updated: datetime = at("StateUpdatedTimestamp")
    configuration_updated: datetime = at("AlarmConfigurationUpdatedTimestamp")
    actions_enabled: bool = at("ActionsEnabled", doc="false: it tells nobody")
    alarm_actions: list[str] = at("AlarmActions")

    notifies: list[SNSTopic] = about("NOTIFIES", actions)
    triggers: list[AWSLambda] = about("TRIGGERS", actions)


class CloudWatchMetricAlarm(Alarm):
    """An alarm on one metric: what would be noticed, and who would hear of it."""

    also = ("AWSCloudWatchMetricAlarm",)
    source = ALARMS

    comparison_operator: str = at("ComparisonOperator")
    threshold: float = at("Threshold")
    metric_name: str = at("MetricName", index=True)
    namespace: str = at("Namespace")
    statistic: str = at("Statistic")
    dimensions: list[str] = at(metric_of, doc="Name=Value")
    period: int = at("Period")
    evaluation_periods: int = at("EvaluationPeriods")
    treat_missing_data: str = at("TreatMissingData")

    instances: list[EC2Instance] = to("MONITORS", watched)
    tagged: list[AWSTag] = tagged_by_arn(ALARMS, "AlarmArn")


class AWSCloudWatchCompositeAlarm(Alarm):
    """An alarm on other alarms: it is quiet while its suppressor is not."""

    source = COMPOSITE_ALARMS

    alarm_rule: str = at("AlarmRule")
    actions_suppressor: str = at("ActionsSuppressor")
    actions_suppressed_by: str = at("ActionsSuppressedBy")

    tagged: list[AWSTag] = tagged_by_arn(COMPOSITE_ALARMS, "AlarmArn")
