"""Every IAM action that the catalogue needs is one that AWS documents, by an independent list of them."""

from __future__ import annotations

import json
from importlib.metadata import distribution
from pathlib import Path

import botocore.session
import pytest

from skysweep import catalogue
from skysweep.cli.permissions import ALWAYS
from skysweep.permissions import EXCEPTIONS, PREFIXES, actions

# Read, not imported: the package leaves this file open when it is imported, and warnings are errors here.
LISTED = json.loads(Path(str(distribution("policyuniverse").locate_file("policyuniverse/data.json"))).read_text())
# Actions younger than that list (November 2023), each with the page of the Service Authorization Reference it is on.
_EKS = "https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelastickubernetesservice.html"
NEWER: dict[str, str] = {
    "eks:DescribeAccessEntry": _EKS,
    "eks:DescribeClusterVersions": _EKS,
    "eks:ListAccessEntries": _EKS,
    "eks:ListAssociatedAccessPolicies": _EKS,
}
REAL = {f"{service['prefix']}:{action}" for service in LISTED.values() for action in service["actions"]} | NEWER.keys()

CALLS = sorted({(call.service, call.operation) for type_ in catalogue.load().types for call in type_.calls})


@pytest.mark.parametrize("action", sorted({*ALWAYS, *catalogue.load().permissions()}))
def test_what_the_catalogue_needs_is_an_action_of_aws(action: str) -> None:
    assert action in REAL


@pytest.mark.parametrize(("service", "operation"), CALLS)
def test_an_action_is_named_like_its_operation_or_is_an_exception_because_there_is_none(
    service: str, operation: str
) -> None:
    plain = f"{PREFIXES.get(service, service)}:{operation}"
    assert ((service, operation) in EXCEPTIONS) != (plain in REAL)


@pytest.mark.parametrize(("service", "operation"), EXCEPTIONS)
def test_exceptions_are_of_operations_that_there_are(service: str, operation: str) -> None:
    assert operation in botocore.session.get_session().get_service_model(service).operation_names
    assert REAL.issuperset(actions(service, operation))


@pytest.mark.parametrize(
    ("service", "operation", "action"),
    [
        # Where a wrong name would be an action too, of something else: from the "Actions" tables of
        # https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
        ("s3", "ListBuckets", "s3:ListAllMyBuckets"),
        ("s3", "HeadBucket", "s3:ListBucket"),
        ("s3", "GetBucketEncryption", "s3:GetEncryptionConfiguration"),
        ("s3", "GetBucketNotificationConfiguration", "s3:GetBucketNotification"),
        ("s3", "GetPublicAccessBlock", "s3:GetBucketPublicAccessBlock"),
        ("s3control", "GetPublicAccessBlock", "s3:GetAccountPublicAccessBlock"),
        ("elb", "DescribeLoadBalancers", "elasticloadbalancing:DescribeLoadBalancers"),
        ("elbv2", "DescribeTargetHealth", "elasticloadbalancing:DescribeTargetHealth"),
        ("lambda", "ListFunctions", "lambda:ListFunctions"),
    ],
)
def test_the_action_of_an_operation(service: str, operation: str, action: str) -> None:
    assert actions(service, operation) == (action,)
