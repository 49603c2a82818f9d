"""SQS: queues, who may send to them, and where their undeliverable messages go."""

from __future__ import annotations

import json

from skysweep.aws._common import is_true, last_part
from skysweep.aws.resourcepolicies import PolicyStatement, statements_of
from skysweep.aws.tags import AWSTag, tagged_by_arn
from skysweep.model import Record, Resource, at, by, call, detail, to

# Without MaxResults the list ends at 1,000 queues and gives no token.
QUEUES = call("sqs", "ListQueues", "QueueUrls[]", MaxResults=1000)
ATTRIBUTES = detail("sqs", "GetQueueAttributes", "Attributes", on=QUEUES, QueueUrl="@", AttributeNames=["All"])


def arn_of(queue: Record) -> str:
    """The ARN, made of the account and name that its URL ends in."""
    account, name = queue.item.rsplit("/", 2)[1:]
    return f"arn:{queue.context.partition}:sqs:{queue.context.region}:{account}:{name}"


def seconds(text: str) -> int:
    """Whole seconds since 1970 of an attribute, which may have a fraction."""
    return int(float(text))


def dead_letter_queue(redrive: str) -> str | None:
    """The ARN that a redrive policy sends undeliverable messages to."""
    target = json.loads(redrive).get("deadLetterTargetArn")
    return str(target) if target else None


def receive_limit(redrive: str) -> int | None:
    """How often a message is tried before a redrive policy moves it; AWS says it as a number or as a text."""
    count = json.loads(redrive).get("maxReceiveCount")
    return None if count is None else int(count)


class SQSQueue(Resource):
    """A message queue: whoever may send to it starts work, whoever may receive from it reads what is asked for."""

    also = ("AWSSQSQueue",)
    source = ATTRIBUTES

    id: str = at("QueueArn")
    arn: str = at("QueueArn", index=True)
    name: str = at("QueueArn", then=last_part, index=True)
    url: str = at("^@")
    policy: str = at("Policy", doc="The queue's access policy, as JSON")
    sqs_managed_sse_enabled: bool = at("SqsManagedSseEnabled", then=is_true)
    kms_master_key_id: str = at("KmsMasterKeyId")
    kms_data_key_reuse_period_seconds: str = at("KmsDataKeyReusePeriodSeconds")
    redrive_policy_dead_letter_target_arn: str = at("RedrivePolicy", then=dead_letter_queue)
    redrive_policy_max_receive_count: int = at("RedrivePolicy", then=receive_limit)
    created_timestamp: int = at("CreatedTimestamp", then=seconds)
    last_modified_timestamp: int = at("LastModifiedTimestamp", then=seconds)
    delay_seconds: str = at("DelaySeconds")
    maximum_message_size: str = at("MaximumMessageSize")
    message_retention_period: str = at("MessageRetentionPeriod")
    receive_message_wait_time_seconds: str = at("ReceiveMessageWaitTimeSeconds")
    visibility_timeout: str = at("VisibilityTimeout")
    fifo_queue: str = at("FifoQueue")
    content_based_deduplication: str = at("ContentBasedDeduplication")
    deduplication_scope: str = at("DeduplicationScope")
    fifo_throughput_limit: str = at("FifoThroughputLimit")

    dead_letters: SQSQueue = to(
        "HAS_DEADLETTER_QUEUE",
        lambda queue: dead_letter_queue(queue["RedrivePolicy"]) if queue["RedrivePolicy"] else None,
    )
    tagged: list[AWSTag] = tagged_by_arn(QUEUES, arn_of)


class SQSPolicyStatement(PolicyStatement):
    """One statement of a queue's policy: who may send to it, or receive from it."""

    source = ATTRIBUTES.each(statements_of("Policy", "QueueArn"))

    queue: SQSQueue = by("POLICY_STATEMENT", "^QueueArn")
