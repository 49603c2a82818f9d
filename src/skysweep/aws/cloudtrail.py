"""CloudTrail: who wrote down what was asked of AWS, and where that record is kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime

from skysweep.aws._common import kms_key
from skysweep.aws.iam import AWSRole
from skysweep.aws.kms import KMSKey
from skysweep.aws.logs import CloudWatchLogGroup
from skysweep.aws.s3 import S3Bucket
from skysweep.aws.sns import SNSTopic
from skysweep.aws.tags import AWSTag, tagged_by_arn
from skysweep.model import Record, Resource, Unanswered, at, call, detail, to

# In its home region alone: elsewhere a trail of all regions is only its shadow.
TRAILS = call("cloudtrail", "DescribeTrails", "trailList[]", includeShadowTrails=False)
STATUS = detail("cloudtrail", "GetTrailStatus", on=TRAILS, Name="TrailARN")
SELECTORS = detail("cloudtrail", "GetEventSelectors", on=TRAILS, TrailName="TrailARN")


def its_account(trail: Record) -> str:
    """The account that the trail is of: the members of an organization see its trail as well."""
    return str(trail["TrailARN"]).split(":")[4]


def own_arn(trail: Record) -> str:
    """The ARN, of the account's own trail: the tags of an organization's are its management account's to ask for."""
    if its_account(trail) != trail.context.account:
        raise Unanswered
    return str(trail["TrailARN"])


def selectors(member: str) -> Callable[[Record], str]:
    """The function that reads a trail's selectors of one kind."""

    def text(trail: Record) -> str:
        return json.dumps(trail.reply(SELECTORS).get(member) or [])

    text.__doc__ = f"`{member}` as JSON."
    return text


class CloudTrailTrail(Resource):
    """A trail: what it leaves out, or does not log at all, nobody can tell afterwards."""

    also = ("AWSCloudTrailTrail",)
    source = TRAILS
    owned_by = staticmethod(its_account)

    id: str = at("TrailARN")
    arn: str = at("TrailARN", index=True)
    name: str = at("Name", index=True)
    home_region: str = at("HomeRegion")
    is_logging: bool = at("IsLogging", of=STATUS)
    is_multi_region_trail: bool = at("IsMultiRegionTrail")
    is_organization_trail: bool = at("IsOrganizationTrail")
    include_global_service_events: bool = at("IncludeGlobalServiceEvents", doc="IAM's, STS's and CloudFront's too")
    log_file_validation_enabled: bool = at("LogFileValidationEnabled", doc="a change of the files would be noticed")
    kms_key_id: str = at("KmsKeyId", doc="absent: encrypted with a key of S3's own")
    s3_bucket_name: str = at("S3BucketName")
    s3_key_prefix: str = at("S3KeyPrefix")
    sns_topic_arn: str = at("SnsTopicARN")
    cloudwatch_logs_log_group_arn: str = at("CloudWatchLogsLogGroupArn")
    cloudwatch_logs_role_arn: str = at("CloudWatchLogsRoleArn")
    has_custom_event_selectors: bool = at("HasCustomEventSelectors")
    has_insight_selectors: bool = at("HasInsightSelectors")
    event_selectors: str = at(selectors("EventSelectors"), of=SELECTORS)
    advanced_event_selectors: str = at(selectors("AdvancedEventSelectors"), of=SELECTORS)
    latest_delivery_time: datetime = at("LatestDeliveryTime", of=STATUS)
    latest_delivery_error: str = at("LatestDeliveryError", of=STATUS)
    start_logging_time: datetime = at("StartLoggingTime", of=STATUS)
    stop_logging_time: datetime = at("StopLoggingTime", of=STATUS)

    bucket: S3Bucket = to("LOGS_TO", "S3BucketName")
    group: CloudWatchLogGroup = to(
        "SENDS_LOGS_TO_CLOUDWATCH", lambda trail: (trail["CloudWatchLogsLogGroupArn"] or "").removesuffix(":*")
    )
    role: AWSRole = to("HAS_ROLE", "CloudWatchLogsRoleArn")
    topic: SNSTopic = to("NOTIFIES", "SnsTopicARN")
    key: KMSKey = to("ENCRYPTED_BY", kms_key("KmsKeyId"), on="arn")
    tagged: list[AWSTag] = tagged_by_arn(TRAILS, own_arn)
