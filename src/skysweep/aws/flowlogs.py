"""VPC flow logs: whose traffic is written down, and where to."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from skysweep.aws.iam import AWSRole
from skysweep.aws.logs import CloudWatchLogGroup
from skysweep.aws.network import AWSNetworkInterface
from skysweep.aws.s3 import S3Bucket
from skysweep.aws.tags import AWSTag, tagged
from skysweep.aws.vpc import AWSVpc, EC2Subnet
from skysweep.model import Link, Record, Resource, arn, at, by, call, to

FLOW_LOG_ARN = arn("ec2", "vpc-flow-log/{FlowLogId}")


def of_kind(prefix: str, log: Record) -> str | None:
    """What the flow log is of, if its id begins so."""
    found = str(log["ResourceId"] or "")
    return found if found.startswith(prefix) else None


def group_arn(log: Record) -> str | None:
    """The log group that the flow log is written to; an account of its own may hold it."""
    if log["LogDestinationType"] == "cloud-watch-logs" and log["LogDestination"]:
        return str(log["LogDestination"]).removesuffix(":*")
    place = log.context
    name = log["LogGroupName"]
    return f"arn:{place.partition}:logs:{place.region}:{place.account}:log-group:{name}" if name else None


def bucket(log: Record) -> str | None:
    """The bucket that the flow log is written to."""
    if log["LogDestinationType"] != "s3" or not log["LogDestination"]:
        return None
    return str(log["LogDestination"]).rpartition(":")[2].partition("/")[0]


def vpc_to_group(log: Record) -> list[Link]:
    """From the VPC itself to the log group."""
    vpc, group = of_kind("vpc-", log), group_arn(log)
    return [Link(group, start=vpc)] if vpc and group else []


def vpc_to_bucket(log: Record) -> list[Link]:
    """From the VPC itself to the bucket."""
    vpc, name = of_kind("vpc-", log), bucket(log)
    return [Link(name, start=vpc)] if vpc and name else []


class AWSVpcFlowLog(Resource):
    """A flow log: where there is none, nobody can tell afterwards who spoke to whom."""

    source = call("ec2", "DescribeFlowLogs", "FlowLogs[]")

    id: str = at(FLOW_LOG_ARN)
    arn: str = at(FLOW_LOG_ARN, index=True)
    flow_log_id: str = at("FlowLogId", index=True)
    resource_id: str = at("ResourceId", index=True)
    status: str = at("FlowLogStatus")
    deliver_logs_status: str = at("DeliverLogsStatus", doc="FAILED: nothing arrives")
    deliver_logs_error: str = at("DeliverLogsErrorMessage")
    deliver_logs_role_arn: str = at("DeliverLogsPermissionArn")
    traffic_type: str = at("TrafficType", doc="ACCEPT, REJECT or ALL")
    destination_type: str = at("LogDestinationType")
    destination: str = at("LogDestination")
    log_group_name: str = at("LogGroupName")
    log_format: str = at("LogFormat")
    creation_time: datetime = at("CreationTime")

    vpc: AWSVpc = by("HAS_FLOW_LOG", partial(of_kind, "vpc-"))
    subnet: EC2Subnet = by("HAS_FLOW_LOG", partial(of_kind, "subnet-"))
    interface: AWSNetworkInterface = by("HAS_FLOW_LOG", partial(of_kind, "eni-"))
    role: AWSRole = to("ASSOCIATED_WITH", "DeliverLogsPermissionArn", on="arn")
    group: CloudWatchLogGroup = to("LOGS_TO", group_arn)
    bucket: S3Bucket = to("LOGS_TO", bucket)
    vpc_group: list[CloudWatchLogGroup] = to("LOGS_TO", vpc_to_group, start=AWSVpc)
    vpc_bucket: list[S3Bucket] = to("LOGS_TO", vpc_to_bucket, start=AWSVpc)
    tagged: list[AWSTag] = tagged("Tags")
