"""CloudWatch Logs: where logs are kept, for how long and under which key, and what is counted in them."""

from __future__ import annotations

from skysweep.aws.kms import KMSKey
from skysweep.aws.tags import AWSTag, tagged_by_arn
from skysweep.model import Resource, arn, at, call, to

GROUPS = call("logs", "DescribeLogGroups", "logGroups[]")
GROUP_ARN = arn("logs", "log-group:{logGroupName}")


class CloudWatchLogGroup(Resource):
    """A group of log streams: its key says who can read it, its retention how far back one can look."""

    also = ("AWSCloudWatchLogGroup",)
    source = GROUPS

    id: str = at("logGroupArn")
    arn: str = at("logGroupArn", index=True)
    log_group_arn: str = at("logGroupArn")
    log_group_name: str = at("logGroupName", index=True)
    log_group_class: str = at("logGroupClass")
    creation_time: int = at("creationTime", doc="milliseconds since 1970")
    retention_in_days: int = at("retentionInDays", doc="absent: logs never expire")
    stored_bytes: int = at("storedBytes")
    metric_filter_count: int = at("metricFilterCount")
    kms_key_id: str = at("kmsKeyId", doc="absent: encrypted with a key of AWS's own")
    data_protection_status: str = at("dataProtectionStatus")
    inherited_properties: list[str] = at("inheritedProperties")

    key: KMSKey = to("ENCRYPTED_BY", "kmsKeyId", on="arn")
    tagged: list[AWSTag] = tagged_by_arn(GROUPS, "logGroupArn")


class CloudWatchLogMetricFilter(Resource):
    """A pattern that is counted in a log group: what an alarm on a log line hangs on."""

    also = ("AWSCloudWatchLogMetricFilter",)
    source = call("logs", "DescribeMetricFilters", "metricFilters[]")

    id: str = at("{account}/{region}/{logGroupName}/{filterName}")
    arn: str = at("{logGroupName}:{filterName}", doc="Group and filter, as Cartography writes it: filters have no ARN")
    filter_name: str = at("filterName", index=True)
    filter_pattern: str = at("filterPattern")
    log_group_name: str = at("logGroupName", index=True)
    metric_name: str = at("metricTransformations[0].metricName")
    metric_namespace: str = at("metricTransformations[0].metricNamespace")
    metric_value: str = at("metricTransformations[0].metricValue")

    group: CloudWatchLogGroup = to("METRIC_FILTER_OF", GROUP_ARN)
