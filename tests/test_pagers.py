from __future__ import annotations

from typing import Any

import pytest
from botocore.model import ServiceModel
from botocore.session import get_session

from skysweep.pagers import Pager, pager


@pytest.fixture(scope="module")
def models() -> dict[str, tuple[ServiceModel, dict[str, Any]]]:
    session = get_session()
    loader = session.get_component("data_loader")
    services = ("autoscaling", "dynamodb", "ec2", "elbv2", "iam", "lambda", "rds", "route53", "s3", "sns", "sqs")
    return {
        name: (session.get_service_model(name), loader.load_service_model(name, "paginators-1")["pagination"])
        for name in services
    }


def _pager(models: dict[str, tuple[ServiceModel, dict[str, Any]]], service: str, operation: str) -> Pager:
    model, definitions = models[service]
    return pager(service, model.operation_model(operation), definitions.get(operation))


@pytest.mark.parametrize(
    ("service", "operation", "expected"),
    [
        ("ec2", "DescribeInstances", {"MaxResults": 200}),
        ("ec2", "DescribeVpcs", {"MaxResults": 1000}),
        ("ec2", "DescribeVolumes", {"MaxResults": 500}),
        ("ec2", "DescribeRouteTables", {"MaxResults": 100}),
        ("ec2", "DescribeKeyPairs", {}),
        ("iam", "GetAccountAuthorizationDetails", {"MaxItems": 1000}),
        ("lambda", "ListFunctions", {"MaxItems": 50}),
        ("rds", "DescribeDBInstances", {"MaxRecords": 100}),
        ("route53", "ListHostedZones", {"MaxItems": "100"}),
        ("s3", "ListBuckets", {"MaxBuckets": 1000}),
        ("sqs", "ListQueues", {"MaxResults": 1000}),
        ("elbv2", "DescribeLoadBalancers", {"PageSize": 400}),
        ("autoscaling", "DescribeAutoScalingGroups", {"MaxRecords": 100}),
        ("sns", "ListTopics", {}),
    ],
)
def test_the_largest_sensible_page(
    models: dict[str, tuple[ServiceModel, dict[str, Any]]], service: str, operation: str, expected: dict[str, Any]
) -> None:
    assert _pager(models, service, operation).first({}) == expected


def test_the_call_has_the_last_word_on_its_page(models: dict[str, tuple[ServiceModel, dict[str, Any]]]) -> None:
    made = _pager(models, "ec2", "DescribeInstances")
    assert made.first({"MaxResults": 5}) == {"MaxResults": 5}
    assert made.first({"InstanceIds": ["i-1"]}) == {"InstanceIds": ["i-1"]}
    assert made.first({"Filters": []}) == {"Filters": [], "MaxResults": 200}


def test_several_tokens_go_together_and_old_ones_go(models: dict[str, tuple[ServiceModel, dict[str, Any]]]) -> None:
    made = _pager(models, "route53", "ListResourceRecordSets")
    page = {"IsTruncated": True, "NextRecordName": "b.", "NextRecordType": "A"}
    token = made.token(page)
    assert token == {"StartRecordName": "b.", "StartRecordType": "A"}
    before = {"HostedZoneId": "Z", "StartRecordName": "a.", "StartRecordIdentifier": "x"}
    assert made.next(before, token) == {"HostedZoneId": "Z", "StartRecordName": "b.", "StartRecordType": "A"}
    assert made.token({"IsTruncated": False, "NextRecordName": ""}) is None


def test_operations_without_a_paginator_are_followed_by_hand() -> None:
    session = get_session()
    model = session.get_service_model("apigatewayv2").operation_model("GetApis")
    made = pager("apigatewayv2", model, None)
    assert made.token({"Items": [], "NextToken": "t"}) == {"NextToken": "t"}
    assert made.token({"Items": []}) is None
