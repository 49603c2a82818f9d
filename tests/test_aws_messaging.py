"""What SNS and SQS say as texts, or do not say at all."""

from __future__ import annotations

import json

import pytest

from skysweep.aws import sns, sqs
from skysweep.model import Context, Record

TOPIC = "arn:aws:sns:us-east-1:123456789012:alerts"


def subscription(arn: str) -> Record:
    told = {"SubscriptionArn": arn, "TopicArn": TOPIC, "Protocol": "email", "Endpoint": "ops@example.com"}
    return Record(told, Context("123456789012", "us-east-1"))


@pytest.mark.parametrize("told", ["PendingConfirmation", "Deleted"])
def test_a_subscription_without_an_arn_is_known_by_what_it_asks_for(told: str) -> None:
    assert sns.subscription_arn(subscription(told)) is None
    assert sns.subscription_id(subscription(told)) == f"{TOPIC}/email/ops@example.com"


def test_a_confirmed_subscription_is_known_by_its_arn() -> None:
    assert sns.subscription_id(subscription(f"{TOPIC}:1")) == f"{TOPIC}:1"


@pytest.mark.parametrize("count", [5, "5"])
def test_a_receive_limit_is_a_number_however_it_is_written(count: object) -> None:
    assert sqs.receive_limit(json.dumps({"maxReceiveCount": count})) == 5


def test_a_redrive_policy_may_leave_either_part_out() -> None:
    assert sqs.receive_limit("{}") is None
    assert sqs.dead_letter_queue("{}") is None


@pytest.mark.parametrize("text", ["1711111111", "1711111111.628"])
def test_a_time_is_whole_seconds(text: str) -> None:
    assert sqs.seconds(text) == 1711111111
