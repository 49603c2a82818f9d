"""Buckets' regions and keys, the statements of their policies, and the grants of their ACLs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from skysweep.aws import s3
from skysweep.model import Context, Record, Unanswered

HERE = Context("123456789012", "global")
ALIAS = "arn:aws:kms:eu-west-1:123456789012:alias/shop"


def bucket(**told: Any) -> Record:
    return Record({"Name": "orders", **told}, HERE)


@pytest.mark.parametrize(
    ("location", "region"),
    [
        ({"LocationConstraint": "ap-south-1"}, "ap-south-1"),
        ({"LocationConstraint": "EU"}, "eu-west-1"),
        ({}, "us-east-1"),
    ],
)
def test_the_region_is_asked_for_where_the_listing_does_not_tell_it(location: dict[str, str], region: str) -> None:
    old = bucket()
    old.replies[s3.LOCATION.call] = location
    assert s3.region_unknown(old)
    assert s3.bucket_region(old) == region


def test_the_region_that_the_listing_tells_is_taken() -> None:
    assert not s3.region_unknown(bucket(BucketRegion="eu-west-1"))
    assert s3.bucket_region(bucket(BucketRegion="eu-west-1")) == "eu-west-1"


def test_a_bucket_whose_region_could_not_be_had_is_not_taken_for_one_of_us_east_1() -> None:
    denied = bucket()
    denied.failed.add(s3.LOCATION.call)
    with pytest.raises(Unanswered):
        s3.bucket_region(denied)


@pytest.mark.parametrize(
    ("told", "arn"),
    [
        ("1234abcd", "arn:aws:kms:eu-west-1:123456789012:key/1234abcd"),
        ("alias/shop", ALIAS),
        (ALIAS, ALIAS),
        (None, None),
    ],
)
def test_a_key_named_by_its_id_is_one_of_the_buckets_own_region(told: str | None, arn: str | None) -> None:
    encrypted = bucket(BucketRegion="eu-west-1")
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": told}}
    encrypted.replies[s3.ENCRYPTION.call] = {"ServerSideEncryptionConfiguration": {"Rules": [rule]}}
    assert s3.encryption_key(encrypted) == arn


def test_statements_are_numbered_from_one_and_a_single_one_needs_no_list() -> None:
    alone = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": "*"}}
    several = {"Statement": [{"Sid": "Read", "Effect": "Allow"}, {"Effect": "Deny"}]}
    assert _ids(alone) == ["orders/policy_statement/1"]
    assert _ids(several) == ["orders/policy_statement/1/Read", "orders/policy_statement/2"]


def _ids(policy: dict[str, Any]) -> list[str]:
    reply = Record({"Policy": json.dumps(policy)}, HERE, bucket())
    return [s3.statement_id(Record(each, HERE, reply)) for each in s3.statements(reply)]


OWNER = "75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a"
EVERYONE = "http://acs.amazonaws.com/groups/global/AllUsers"


@pytest.mark.parametrize(
    ("account", "grant", "digest"),
    [
        (
            "123456789012",
            {"Grantee": {"Type": "CanonicalUser", "ID": OWNER}, "Permission": "FULL_CONTROL"},
            "f6e8458639bf4a611ad1c5b49a10ad68863285f6f5bf62f6a692903516659eff",
        ),
        (
            "250800877099",
            {"Grantee": {"Type": "Group", "URI": EVERYONE}, "Permission": "READ"},
            "d6d178f3b870ac45fac76c48cfb1136712e3b07e89392dd3d71d0821c4fd41bb",
        ),
    ],
)
def test_a_grants_id_is_the_one_that_cartography_wrote(account: str, grant: dict[str, Any], digest: str) -> None:
    there = Context(account, "global")
    acl = Record({"Owner": {"DisplayName": "webfile", "ID": OWNER}, "Grants": [grant]}, there, bucket())
    (made,) = s3.grants(acl)
    assert s3.grant_id(Record(made, there, acl)) == digest
