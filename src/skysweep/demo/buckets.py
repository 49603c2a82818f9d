"""S3 buckets: public in every way, and saved in every way."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from skysweep.demo.session import GLOBAL_REGION

if TYPE_CHECKING:
    from skysweep.demo.session import Account

LIST_ACTIONS = ("s3:ListBucket", "s3:ListBucketMultipartUploads", "s3:ListBucketVersions")
"""What READ in a bucket's ACL grants, in S3's actions."""

ALL_BLOCKED = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}


@dataclass(frozen=True)
class Bucket:
    """A bucket to build. `anonymous` is the truth: what anyone may do with it, because `why`."""

    name: str
    region: str
    why: str
    anonymous: tuple[str, ...] = ()
    acl: str = "private"
    ownership: str = "BucketOwnerPreferred"
    allow: tuple[str, ...] = ()  # these actions to everyone, on the bucket and its objects
    condition: str = ""  # … under this one of CONDITIONS
    deny: tuple[str, ...] = ()  # these actions from everyone
    blocked: bool = False
    kms: bool = False
    versioned: bool = False


US, EU, AP = GLOBAL_REGION, "eu-west-1", "ap-southeast-2"

ACL_ON, ACL_OFF = "ObjectWriter", "BucketOwnerEnforced"

BUCKETS: dict[str, tuple[Bucket, ...]] = {
    "hub": (
        Bucket("hub-logs", US, "where the others log", versioned=True),
        Bucket("hub-terraform-state", US, "private", kms=True, versioned=True, ownership=ACL_OFF),
        Bucket("hub-org-artifacts", EU, "for principals of the organization", allow=("s3:GetObject",), condition="org"),
        Bucket("hub-cloudtrail", EU, "private, and blocked too", blocked=True, kms=True, ownership=ACL_OFF),
    ),
    "shop": (
        Bucket("shop-website", EU, "meant to be public", ("s3:GetObject",), allow=("s3:GetObject",)),
        Bucket("shop-uploads", EU, "everyone may list it by ACL", LIST_ACTIONS, acl="public-read", ownership=ACL_ON),
        Bucket(
            "shop-partners",
            US,
            "anyone with any AWS account may list it",
            LIST_ACTIONS,
            acl="authenticated-read",
            ownership=ACL_ON,
        ),
        Bucket(
            "shop-dropbox",
            US,
            "listed by ACL, written by policy",
            tuple(sorted((*LIST_ACTIONS, "s3:PutObject"))),
            acl="public-read",
            ownership=ACL_ON,
            allow=("s3:PutObject",),
        ),
        Bucket(
            "shop-half-denied",
            AP,
            "a denial takes back one of two public actions",
            ("s3:GetObject",),
            allow=("s3:GetObject", "s3:ListBucket"),
            deny=("s3:ListBucket",),
        ),
        Bucket("shop-backups", EU, "a public policy behind its block", allow=("s3:GetObject",), blocked=True),
        Bucket("shop-old-acl", EU, "a public ACL behind its block", acl="public-read", ownership=ACL_ON, blocked=True),
        Bucket("shop-endpoint-only", US, "for one VPC endpoint", allow=("s3:GetObject",), condition="vpce"),
        Bucket("shop-private", EU, "private, and where the website logs", versioned=True),
    ),
    "data": (
        Bucket("data-lake", EU, "a public policy behind the account's block", allow=("s3:GetObject",), kms=True),
        Bucket("data-exports", AP, "a public ACL behind the account's block", acl="public-read", ownership=ACL_ON),
        Bucket("data-warehouse", AP, "private", kms=True, versioned=True, ownership=ACL_OFF),
    ),
}
"""The buckets by account name."""

ACCOUNTS_BLOCKED = ("data",)
"""Accounts with an account-wide public access block."""

LOG_BUCKETS = {"shop-website": "shop-private", "hub-terraform-state": "hub-logs"}


def build_buckets(account: Account, organization: str) -> list[dict[str, object]]:
    """Build the account's buckets, and give the rows of `anonymous_buckets`."""
    s3 = account.client("s3")
    for bucket in BUCKETS[account.name]:
        _build(s3, bucket, organization)
    for source, target in LOG_BUCKETS.items():
        if source.startswith(account.name):
            _log(s3, account.id, source, target)
    if account.name in ACCOUNTS_BLOCKED:
        account.client("s3control").put_public_access_block(
            AccountId=account.id, PublicAccessBlockConfiguration=ALL_BLOCKED
        )
    return [
        {"bucket": bucket.name, "anonymous_actions": list(bucket.anonymous)}
        for bucket in BUCKETS[account.name]
        if bucket.anonymous
    ]


def _build(s3: Any, bucket: Bucket, organization: str) -> None:
    """Create one bucket; its block comes last, as it would refuse what it is there to save from."""
    name = bucket.name
    where = {} if bucket.region == US else {"CreateBucketConfiguration": {"LocationConstraint": bucket.region}}
    s3.create_bucket(Bucket=name, ObjectOwnership=bucket.ownership, **where)
    if bucket.acl != "private":
        s3.put_bucket_acl(Bucket=name, ACL=bucket.acl)
    if bucket.allow:
        s3.put_bucket_policy(Bucket=name, Policy=json.dumps(_policy(bucket, organization)))
    algorithm = (
        {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/aws/s3"} if bucket.kms else {"SSEAlgorithm": "AES256"}
    )
    rules = [{"ApplyServerSideEncryptionByDefault": algorithm, "BucketKeyEnabled": bucket.kms}]
    s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": rules})
    if bucket.versioned:
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    if bucket.blocked:
        s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=ALL_BLOCKED)


def _policy(bucket: Bucket, organization: str) -> dict[str, Any]:
    """Write a bucket policy that allows and denies everyone what the bucket's line says."""
    conditions = {
        "org": {"StringEquals": {"aws:PrincipalOrgID": organization}},
        "vpce": {"StringEquals": {"aws:SourceVpce": "vpce-0123456789abcdef0"}},
    }
    common = {"Principal": "*", "Resource": [f"arn:aws:s3:::{bucket.name}", f"arn:aws:s3:::{bucket.name}/*"]}
    allow: dict[str, Any] = {"Sid": "Everyone", "Effect": "Allow", "Action": list(bucket.allow), **common}
    if bucket.condition:
        allow["Condition"] = conditions[bucket.condition]
    statements = [allow]
    if bucket.deny:
        statements.append({"Sid": "ButNot", "Effect": "Deny", "Action": list(bucket.deny), **common})
    return {"Version": "2012-10-17", "Statement": statements}


def _log(s3: Any, account_id: str, source: str, target: str) -> None:
    """Log a bucket's requests into another, which lets S3's log delivery write there."""
    delivery = {
        "Sid": "LogDelivery",
        "Effect": "Allow",
        "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{target}/*",
        "Condition": {"StringEquals": {"aws:SourceAccount": account_id}},
    }
    s3.put_bucket_policy(Bucket=target, Policy=json.dumps({"Version": "2012-10-17", "Statement": [delivery]}))
    logging = {"LoggingEnabled": {"TargetBucket": target, "TargetPrefix": f"{source}/"}}
    s3.put_bucket_logging(Bucket=source, BucketLoggingStatus=logging)
