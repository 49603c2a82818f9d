from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skysweep.analysis.anonymous import Bucket, Grant, PublicAccessBlock, decide
from skysweep.analysis.policy import anonymous_actions, is_public, parse_policy

ALL_USERS = "http://acs.amazonaws.com/groups/global/AllUsers"
AUTHENTICATED = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
LOG_DELIVERY = "http://acs.amazonaws.com/groups/s3/LogDelivery"
OWNER = Grant(None, "FULL_CONTROL")
NO_BLOCK = PublicAccessBlock()
LIST = ["s3:ListBucket", "s3:ListBucketMultipartUploads", "s3:ListBucketVersions"]
ORG = {"StringEquals": {"aws:PrincipalOrgID": "o-abc123"}}


def allow(**elements: Any) -> dict[str, Any]:
    base = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}
    return {name: value for name, value in (base | elements).items() if value is not None}


def deny(**elements: Any) -> dict[str, Any]:
    return allow(Effect="Deny", **elements)


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def actions(*statements: dict[str, Any]) -> list[str]:
    return sorted(anonymous_actions(parse_policy(policy(*statements))))


@pytest.mark.parametrize(
    ("principal", "is_anonymous"),
    [
        ("*", True),
        ({"AWS": "*"}, True),
        ({"AWS": ["arn:aws:iam::111122223333:root", "*"]}, True),
        ({"AWS": "arn:aws:iam::111122223333:root"}, False),
        ({"AWS": "111122223333"}, False),
        ({"Service": "cloudfront.amazonaws.com"}, False),
        ({"Service": "*"}, False),
        ({"Federated": "*"}, False),
        ({"CanonicalUser": "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"}, False),
    ],
)
def test_principals(principal: Any, is_anonymous: bool) -> None:
    assert actions(allow(Principal=principal)) == (["s3:GetObject"] if is_anonymous else [])


def test_allow_with_not_principal_is_nearly_everyone() -> None:
    assert actions(allow(Principal=None, NotPrincipal={"AWS": "arn:aws:iam::111122223333:root"})) == ["s3:GetObject"]


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {"aws:SourceVpce": "vpce-1a2b3c4d"}},
        {"StringEquals": {"AWS:sourcevpc": ["vpc-1", "vpc-2"]}},
        ORG,
        {"StringLike": {"aws:PrincipalOrgID": "o-abc123"}},
        {"ForAnyValue:StringEquals": {"aws:PrincipalOrgPaths": "o-abc123/r-1/ou-1/"}},
        {"StringEquals": {"aws:SourceAccount": "111122223333"}},
        {"StringEquals": {"aws:PrincipalAccount": 111122223333}},
        {"ArnEquals": {"aws:SourceArn": "arn:aws:cloudfront::111122223333:distribution/E1"}},
        {"ArnLike": {"aws:SourceArn": "arn:aws:sns:us-east-1:111122223333:*"}},
        {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/*"}},
        {"StringLike": {"s3:DataAccessPointArn": "arn:aws:s3:us-east-1:111122223333:accesspoint/*"}},
        {"StringEquals": {"s3:DataAccessPointAccount": "111122223333"}},
        {"StringLike": {"aws:userid": "AROAEXAMPLEID:*"}},
        {"IpAddress": {"aws:SourceIp": "198.51.100.0/24"}},
        {"IpAddress": {"aws:SourceIp": ["52.0.0.0/8", "2600:1f18::/32"]}},
        {"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "172.16.0.0/12"]}},
        {"IpAddressIfExists": {"aws:SourceIp": "198.51.100.7"}},
        # Clauses are and-ed: one that stops strangers is enough.
        {"Bool": {"aws:SecureTransport": "true"}, "StringEquals": {"aws:SourceVpc": "vpc-1"}},
    ],
)
def test_conditions_that_hold_access_to_fixed_values(condition: dict[str, Any]) -> None:
    assert actions(allow(Condition=condition)) == []
    assert not is_public(parse_policy(policy(allow(Condition=condition))))


@pytest.mark.parametrize(
    "condition",
    [
        {},
        {"Bool": {"aws:SecureTransport": "true"}},
        {"StringEquals": {"aws:Referer": "https://example.com/"}},
        {"StringLike": {"aws:UserAgent": "secret"}},
        {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}},
        {"StringEquals": {"s3:ExistingObjectTag/public": "yes"}},
        {"StringEquals": {"tomorrow:SomeKey": "fixed"}},
        {"StringLike": {"aws:PrincipalOrgID": "o-*"}},
        {"StringEquals": {"aws:SourceVpc": ["vpc-1", "*"]}},
        {"StringEquals": {"aws:SourceVpc": "${aws:username}"}},
        {"StringEquals": {"aws:SourceVpc": []}},
        {"ArnLike": {"aws:SourceArn": "arn:aws:sns:us-east-1:*:topic"}},
        {"StringLike": {"aws:SourceArn": "arn:aws:sns:*:111122223333:topic"}},
        {"StringLike": {"s3:DataAccessPointArn": "arn:aws:s3:*:*:accesspoint/*"}},
        {"StringLike": {"aws:userid": "AROA*:*"}},
        {"StringNotEquals": {"aws:SourceVpc": "vpc-1"}},
        {"NotIpAddress": {"aws:SourceIp": "198.51.100.0/24"}},
        {"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}},
        {"IpAddress": {"aws:SourceIp": ["198.51.100.0/24", "52.0.0.0/7"]}},
        {"IpAddress": {"aws:SourceIp": ["0.0.0.0/1", "128.0.0.0/1"]}},
        {"IpAddress": {"aws:SourceIp": [f"{n}.0.0.0/8" for n in range(256)]}},
        {"IpAddress": {"aws:SourceIp": "2600::/31"}},
        {"IpAddress": {"aws:SourceIp": "*"}},
        {"Null": {"aws:PrincipalOrgID": "false"}},
        # An absent key passes these: a stranger has none.
        {"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-abc123"}},
        {"ForAllValues:StringEquals": {"aws:PrincipalOrgPaths": "o-abc123/*"}},
        {"ForAllValues:StringEquals": {"aws:SourceVpce": "vpce-1"}},
    ],
)
def test_conditions_that_do_not(condition: dict[str, Any]) -> None:
    assert actions(allow(Condition=condition)) == ["s3:GetObject"]


def test_actions_are_as_written() -> None:
    assert actions(allow(Action=["s3:Get*", "s3:PutObject"]), allow(Action="s3:*")) == [
        "s3:*",
        "s3:Get*",
        "s3:PutObject",
    ]
    assert actions(allow(Action=None, NotAction="s3:DeleteBucket")) == ["s3:*"]
    assert actions(allow(Principal={"AWS": "111122223333"}, Action="s3:*"), allow()) == ["s3:GetObject"]


@pytest.mark.parametrize(
    ("statement", "left"),
    [
        (deny(), ["s3:PutObject"]),
        (deny(Action="s3:*"), []),
        (deny(Action="*"), []),
        (deny(Action="S3:getobject"), ["s3:PutObject"]),
        (deny(Action="s3:Get*", Resource="*"), ["s3:PutObject"]),
        (deny(Action=None, NotAction="s3:GetObject"), ["s3:GetObject"]),
        (deny(Action="s3:*", Resource="arn:aws:s3:::b/secret/*"), ["s3:GetObject", "s3:PutObject"]),
        (deny(Action="s3:*", Resource="arn:aws:s3:::b/?"), ["s3:GetObject", "s3:PutObject"]),
        (deny(Action="s3:*", Resource=None, NotResource="arn:aws:s3:::b/open/*"), ["s3:GetObject", "s3:PutObject"]),
        (deny(Action="s3:*", Principal={"AWS": "111122223333"}), ["s3:GetObject", "s3:PutObject"]),
        (deny(Action="s3:*", Principal=None, NotPrincipal={"AWS": "111122223333"}), []),
        (deny(Action="s3:*", Condition={"Bool": {"aws:SecureTransport": "false"}}), ["s3:GetObject", "s3:PutObject"]),
        # All but our own network or organization: every stranger is denied.
        (deny(Action="s3:*", Condition={"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}), []),
        (deny(Action="s3:*", Condition={"NotIpAddress": {"aws:SourceIp": "198.51.100.0/24"}}), []),
        (deny(Action="s3:*", Condition={"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-abc123"}}), []),
        (
            deny(Action="s3:*", Condition={"NotIpAddress": {"aws:SourceIp": "0.0.0.0/1"}}),
            ["s3:GetObject", "s3:PutObject"],
        ),
        (
            deny(
                Action="s3:*",
                Condition={"StringNotEquals": {"aws:SourceVpc": "vpc-1"}, "Bool": {"aws:SecureTransport": "false"}},
            ),
            ["s3:GetObject", "s3:PutObject"],
        ),
        (
            deny(Action="s3:*", Condition={"ForAnyValue:StringNotEquals": {"aws:PrincipalOrgPaths": "o-1/r-1/"}}),
            ["s3:GetObject", "s3:PutObject"],
        ),
    ],
)
def test_denies(statement: dict[str, Any], left: list[str]) -> None:
    assert actions(allow(Action=["s3:GetObject", "s3:PutObject"]), statement) == left


def test_a_deny_takes_only_what_it_covers_whole() -> None:
    everything = allow(Action="s3:*", Resource=["arn:aws:s3:::b", "arn:aws:s3:::b/*"])
    assert actions(everything, deny(Action="s3:Delete*")) == ["s3:*"]
    assert actions(everything, deny(Action="s3:*")) == ["s3:*"]  # listing the bucket itself is left
    assert actions(everything, deny(Action="s3:*"), deny(Action="s3:*", Resource="arn:aws:s3:::b")) == []


def test_a_public_policy_stays_public_whatever_it_denies() -> None:
    assert is_public(parse_policy(policy(allow(), deny(Action="s3:*"))))


@given(
    st.permutations(
        [allow(), allow(Action="s3:*", Condition=ORG), deny(Action="s3:Put*"), allow(Action="s3:PutObject")]
    )
)
def test_the_order_of_statements_does_not_matter(statements: list[dict[str, Any]]) -> None:
    assert actions(*statements) == ["s3:GetObject"]


@pytest.mark.parametrize("text", ["", "{", "[]", '"x"', '{"Statement": ["x"]}', '{"Statement": {"Effect": "Maybe"}}'])
def test_broken_policies_are_value_errors(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_policy(text)


@pytest.mark.parametrize("condition", [["x"], "x", {"StringEquals": "x"}])
def test_broken_conditions_are_value_errors(condition: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_policy(policy(allow(Condition=condition)))


def test_a_single_statement_needs_no_list() -> None:
    assert anonymous_actions(parse_policy(json.dumps({"Statement": allow()}))) == {"s3:GetObject"}


@pytest.mark.parametrize(
    ("grants", "expected"),
    [
        ([], []),
        ([Grant(ALL_USERS, "READ")], LIST),
        ([Grant(AUTHENTICATED, "READ")], LIST),
        ([Grant(ALL_USERS, "WRITE")], ["s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutObject"]),
        ([Grant(ALL_USERS, "READ_ACP")], ["s3:GetBucketAcl"]),
        ([Grant(ALL_USERS, "WRITE_ACP")], ["s3:PutBucketAcl"]),
        (
            [Grant(ALL_USERS, "FULL_CONTROL")],
            sorted(
                [
                    *LIST,
                    "s3:DeleteObject",
                    "s3:DeleteObjectVersion",
                    "s3:PutObject",
                    "s3:GetBucketAcl",
                    "s3:PutBucketAcl",
                ]
            ),
        ),
        ([Grant(ALL_USERS, "READ"), Grant(AUTHENTICATED, "READ_ACP")], ["s3:GetBucketAcl", *LIST]),
        ([Grant(LOG_DELIVERY, "WRITE")], []),
    ],
)
def test_acls(grants: list[Grant], expected: list[str]) -> None:
    assert decide(Bucket(grants=(OWNER, *grants)), NO_BLOCK, None) == tuple(expected)


IGNORE = PublicAccessBlock(ignore_public_acls=True)
RESTRICT = PublicAccessBlock(restrict_public_buckets=True)
BY_BOTH = Bucket(policy(allow()), (OWNER, Grant(ALL_USERS, "READ")))


@pytest.mark.parametrize(
    ("bucket_block", "account_block", "expected"),
    [
        (NO_BLOCK, NO_BLOCK, ("s3:GetObject", *LIST)),
        (IGNORE, NO_BLOCK, ("s3:GetObject",)),
        (NO_BLOCK, IGNORE, ("s3:GetObject",)),
        (RESTRICT, NO_BLOCK, ()),  # a restricted bucket is closed whole
        (NO_BLOCK, RESTRICT, ()),
        (IGNORE, RESTRICT, ()),
    ],
)
def test_public_access_blocks(
    bucket_block: PublicAccessBlock, account_block: PublicAccessBlock, expected: tuple[str, ...]
) -> None:
    bucket = Bucket(BY_BOTH.policy, BY_BOTH.grants, None, bucket_block)
    assert decide(bucket, account_block, None) == expected


def test_restricting_public_buckets_leaves_acls_alone_where_the_policy_is_not_public() -> None:
    assert decide(Bucket(None, BY_BOTH.grants), RESTRICT, None) == tuple(LIST)
    assert decide(Bucket(policy(allow(Condition=ORG)), BY_BOTH.grants), RESTRICT, None) == tuple(LIST)


def test_bucket_owner_enforced_disables_acls() -> None:
    assert decide(Bucket(None, BY_BOTH.grants, "BucketOwnerEnforced"), NO_BLOCK, None) == ()
    assert decide(Bucket(None, BY_BOTH.grants, "BucketOwnerPreferred"), NO_BLOCK, None) == tuple(LIST)
    assert decide(Bucket(BY_BOTH.policy, (), "BucketOwnerEnforced"), NO_BLOCK, None) == ("s3:GetObject",)


@pytest.mark.parametrize(
    ("bucket", "before", "expected"),
    [
        (Bucket(), None, None),  # its ACL was never seen
        (Bucket(grants=()), None, ()),  # it was, and lets in nobody
        (Bucket(), ("s3:ListBucket",), ("s3:ListBucket",)),
        (Bucket(), ("s3:GetObject", "s3:ListBucket"), ("s3:ListBucket",)),  # no ACL gives GetObject on a bucket
        (Bucket(), (), ()),
        (Bucket(policy(allow())), None, ("s3:GetObject",)),
        (Bucket("{", (OWNER,)), None, None),
        (Bucket("{", (OWNER,)), ("s3:GetObject",), ("s3:GetObject",)),
        (Bucket("{", BY_BOTH.grants), None, tuple(LIST)),
        (Bucket("{", (OWNER,), None, IGNORE | RESTRICT), ("s3:GetObject",), ()),
    ],
)
def test_what_is_not_known_stays_as_it_was(
    bucket: Bucket, before: tuple[str, ...] | None, expected: tuple[str, ...] | None
) -> None:
    assert decide(bucket, NO_BLOCK, before) == expected
