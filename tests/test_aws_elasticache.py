"""Where caches write to, and whom they tell."""

from __future__ import annotations

from typing import Any

import pytest

from skysweep.aws import elasticache
from skysweep.model import Context, Record

HERE = Context("123456789012", "cn-north-1", "aws-cn")


def test_log_groups_are_known_by_their_arns_and_streams_of_firehose_are_none() -> None:
    to_logs = {"DestinationDetails": {"CloudWatchLogsDetails": {"LogGroup": "/slow"}}}
    to_firehose = {"DestinationDetails": {"KinesisFirehoseDetails": {"DeliveryStream": "slow"}}}
    cache = Record({"LogDeliveryConfigurations": [to_firehose, to_logs]}, HERE)
    assert elasticache.log_group_arns(cache) == ["arn:aws-cn:logs:cn-north-1:123456789012:log-group:/slow"]
    assert elasticache.log_group_arns(Record({}, HERE)) == []


@pytest.mark.parametrize("told", [{}, {"NotificationConfiguration": {"TopicStatus": "inactive"}}])
def test_a_cache_without_a_topic_tells_nobody(told: dict[str, Any]) -> None:
    assert list(elasticache.notification(Record(told, HERE))) == []
