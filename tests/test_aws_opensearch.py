"""What the opensearch API says otherwise than the `es` API, whose values Cartography writes."""

from __future__ import annotations

from typing import Any

import pytest

from skysweep.aws import opensearch
from skysweep.model import Context, Record


@pytest.mark.parametrize(
    ("told", "engine", "version"),
    [("Elasticsearch_7.10", "elasticsearch", "7.10"), ("OpenSearch_2.5", "opensearch", "OpenSearch_2.5")],
)
def test_the_version_tells_the_engine(told: str, engine: str, version: str) -> None:
    assert opensearch.engine(told) == engine
    assert opensearch.old_version(told) == version


def test_an_instance_type_is_told_as_the_older_api_tells_it() -> None:
    assert opensearch.old_instance_type("r6g.large.search") == "r6g.large.elasticsearch"
    assert opensearch.old_instance_type("r6g.large.elasticsearch") == "r6g.large.elasticsearch"


@pytest.mark.parametrize(
    ("told", "host"),
    [
        ({"Endpoint": "search-logs.example"}, "search-logs.example"),
        ({"Endpoints": {"vpc": "vpc-logs.example"}}, "vpc-logs.example"),
        ({"Endpoint": ""}, None),
        ({}, None),
    ],
)
def test_a_domain_answers_on_the_internet_or_within_its_vpc(told: dict[str, Any], host: str | None) -> None:
    assert opensearch.host(Record(told, Context("123456789012", "us-east-1"))) == host


def test_a_domain_writes_to_the_log_groups_of_what_is_switched_on() -> None:
    group = "arn:aws:logs:us-east-1:123456789012:log-group:/aes/logs"
    told = {
        "AUDIT_LOGS": {"Enabled": True, "CloudWatchLogsLogGroupArn": f"{group}:*"},
        "INDEX_SLOW_LOGS": {"Enabled": False, "CloudWatchLogsLogGroupArn": f"{group}/slow"},
    }
    domain = Record({"LogPublishingOptions": told}, Context("123456789012", "us-east-1"))
    assert opensearch.log_groups(domain) == [group]
