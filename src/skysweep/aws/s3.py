"""S3: buckets, and everything that decides who may read them.

ListBuckets is one listing for the account; each bucket's own calls go to the bucket's region.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from skysweep.aws._common import kms_arn, listed
from skysweep.aws.kms import KMSKey
from skysweep.aws.resourcepolicies import STATEMENT, AdmittingStatement
from skysweep.aws.sns import SNSTopic
from skysweep.aws.tags import AWSTag, tagged_by_arn
from skysweep.model import Record, Resource, arn, at, by, call, detail, to
from skysweep.paths import getter, reader

BUCKETS = call("s3", "ListBuckets", "Buckets[]", per="account")
ARN = arn("s3", "{Name}", region="", account="")


def region_unknown(bucket: Record) -> bool:
    """AWS tells the region in the listing when it is asked page by page; not every endpoint does."""
    return not bucket["BucketRegion"]


LOCATION = detail("s3", "GetBucketLocation", on=BUCKETS, when=region_unknown, Bucket="Name")


def bucket_region(bucket: Record) -> str:
    """The bucket's region; AWS's oldest answers are null for us-east-1 and EU for eu-west-1."""
    known = bucket["BucketRegion"] or bucket.reply(LOCATION).get("LocationConstraint") or "us-east-1"
    return "eu-west-1" if known == "EU" else str(known)


def _of_bucket(operation: str, missing: str = "") -> Any:
    codes = [missing] if missing else []
    return detail("s3", operation, on=BUCKETS, Bucket="Name", region=bucket_region, after=LOCATION, missing=codes)


POLICY = _of_bucket("GetBucketPolicy", "NoSuchBucketPolicy")
ACL = _of_bucket("GetBucketAcl")
ENCRYPTION = _of_bucket("GetBucketEncryption", "ServerSideEncryptionConfigurationNotFoundError")
VERSIONING = _of_bucket("GetBucketVersioning")
BLOCK = _of_bucket("GetPublicAccessBlock", "NoSuchPublicAccessBlockConfiguration")
OWNERSHIP = _of_bucket("GetBucketOwnershipControls", "OwnershipControlsNotFoundError")
LOGGING = _of_bucket("GetBucketLogging")
NOTIFICATION = _of_bucket("GetBucketNotificationConfiguration")

_RULE = "ServerSideEncryptionConfiguration.Rules[0]"


def is_encrypted(bucket: Record) -> bool:
    """Whether the bucket has a default encryption."""
    return bool(bucket.reply(ENCRYPTION))


def is_logged(bucket: Record) -> bool:
    """Whether access to the bucket is logged."""
    return bool(bucket.reply(LOGGING).get("LoggingEnabled"))


def encryption_key(bucket: Record) -> str | None:
    """The ARN of the key that encrypts the bucket by default; a bare id is one of the bucket's own region."""
    key = getter(f"{_RULE}.ApplyServerSideEncryptionByDefault.KMSMasterKeyID")(bucket.reply(ENCRYPTION))
    return kms_arn(key, bucket.context, bucket_region(bucket)) if key else None


class S3Bucket(Resource):
    """A bucket: where it is, how it is encrypted and logged, and whom it lets in."""

    also = ("AWSS3Bucket", "ObjectStorage")
    source = BUCKETS

    id: str = at("Name")
    name: str = at("Name", index=True)
    arn: str = at(ARN, index=True)
    region: str = at(bucket_region, of=LOCATION)
    creationdate: str = at("CreationDate", then=str)
    owner_id: str = at("Owner.ID", of=ACL, doc="The owner's canonical user id; null where the ACL was never read")
    policy: str = at("Policy", of=POLICY)
    default_encryption: bool = at(is_encrypted, of=ENCRYPTION)
    encryption_algorithm: str = at(f"{_RULE}.ApplyServerSideEncryptionByDefault.SSEAlgorithm", of=ENCRYPTION)
    encryption_key_id: str = at(f"{_RULE}.ApplyServerSideEncryptionByDefault.KMSMasterKeyID", of=ENCRYPTION)
    bucket_key_enabled: bool = at(f"{_RULE}.BucketKeyEnabled", of=ENCRYPTION)
    versioning_status: str = at("Status", of=VERSIONING)
    mfa_delete: str = at("MFADelete", of=VERSIONING)
    block_public_acls: bool = at("PublicAccessBlockConfiguration.BlockPublicAcls", of=BLOCK)
    ignore_public_acls: bool = at("PublicAccessBlockConfiguration.IgnorePublicAcls", of=BLOCK)
    block_public_policy: bool = at("PublicAccessBlockConfiguration.BlockPublicPolicy", of=BLOCK)
    restrict_public_buckets: bool = at("PublicAccessBlockConfiguration.RestrictPublicBuckets", of=BLOCK)
    object_ownership: str = at("OwnershipControls.Rules[0].ObjectOwnership", of=OWNERSHIP)
    logging_enabled: bool = at(is_logged, of=LOGGING)
    logging_target_bucket: str = at("LoggingEnabled.TargetBucket", of=LOGGING)

    key: KMSKey = to("ENCRYPTED_BY", encryption_key, of=ENCRYPTION, on="arn")
    topics: list[SNSTopic] = to("NOTIFIES", "TopicConfigurations[].TopicArn", of=NOTIFICATION)
    tagged: list[AWSTag] = tagged_by_arn(BUCKETS, ARN, region=bucket_region, after=LOCATION)


def statements(reply: Record) -> Iterator[dict[str, Any]]:
    """The statements of a bucket's policy, each with its number and its policy's id and version."""
    policy = json.loads(reply["Policy"])
    for number, statement in enumerate(listed(policy.get("Statement")), 1):
        yield {**statement, "number": number, "policy": policy.get("Id"), "version": policy.get("Version")}


def statement_id(statement: Record) -> str:
    """Cartography's id: bucket, number, and the Sid where there is one."""
    bucket = reader("^^Name")(statement)
    sid = f"/{statement['Sid']}" if "Sid" in statement.item else ""
    return f"{bucket}/policy_statement/{statement['number']}{sid}"


class S3PolicyStatement(AdmittingStatement):
    """One statement of a bucket's policy: who may do what with which objects, and under which condition."""

    also = ("AWSS3PolicyStatement", STATEMENT)
    source = POLICY.each(statements)

    id: str = at(statement_id)
    policy_id: str = at("policy")
    policy_version: str = at("version")
    bucket: str = at("^^Name")
    sid: str = at("Sid")
    effect: str = at("Effect")
    action: list[str] = at("Action", then=listed)
    resource: list[str] = at("Resource", then=listed)
    principal: str = at("Principal", then=json.dumps)
    condition: str = at("Condition", then=json.dumps)
    notaction: list[str] = at("NotAction", then=listed)
    notresource: list[str] = at("NotResource", then=listed)
    notprincipal: str = at("NotPrincipal", then=json.dumps)

    of_bucket: S3Bucket = by("POLICY_STATEMENT", "^^Name")


def read_policies(reply: Record) -> Iterator[dict[str, Any]]:
    """A bucket's policy, parsed, with its text and the ids of its statements."""
    policy = json.loads(reply["Policy"])
    made = [Record(each, reply.context, reply) for each in statements(reply)]
    yield {"text": reply["Policy"], **policy, "statements": [statement_id(each) for each in made]}


class AWSS3BucketPolicy(Resource):
    """A bucket's policy as a whole: what its owner says of everybody's access, in one document."""

    source = POLICY.each(read_policies)

    id: str = at(arn("s3", "{^^Name}/policy", region="", account=""))
    bucket: str = at("^^Name", index=True)
    policy: str = at("text")
    policy_id: str = at("Id")
    policy_version: str = at("Version")

    of_bucket: S3Bucket = by("POLICY", "^^Name")
    statements: list[S3PolicyStatement] = to("STATEMENT", "statements")


def grants(acl: Record) -> Iterator[dict[str, Any]]:
    """The grants of an ACL, flat; a grantee known by e-mail alone has no id that Cartography could write."""
    owner = acl["Owner"] or {}
    for grant in acl["Grants"] or []:
        grantee = grant.get("Grantee") or {}
        group = grantee.get("Type") == "Group"
        yield {
            "owner": owner.get("DisplayName"),
            "ownerid": owner.get("ID"),
            "type": grantee.get("Type"),
            "displayname": None if group else grantee.get("DisplayName"),
            "granteeid": None if group else grantee.get("ID"),
            "uri": grantee.get("URI") if group else None,
            "permission": grant.get("Permission"),
        }


def grant_id(grant: Record) -> str:
    """Cartography's id, a digest of the account and the grant: equal grants on two buckets are one node."""
    fields = ("owner", "ownerid", "type", "displayname", "granteeid", "uri", "permission")
    told = ":".join(str(value) for value in (grant.context.account, *(grant[name] for name in fields)))
    return hashlib.sha256(told.encode()).hexdigest()


class S3Acl(Resource):
    """A grant of an access control list: to whom, and what; `uri` names AWS's groups, everyone among them."""

    also = ("AWSS3Acl",)
    source = ACL.each(grants)

    id: str = at(grant_id)
    owner: str = at("owner")
    ownerid: str = at("ownerid")
    type: str = at("type")
    displayname: str = at("displayname")
    granteeid: str = at("granteeid")
    uri: str = at("uri")
    permission: str = at("permission")

    bucket: S3Bucket = to("APPLIES_TO", "^^Name")


class S3AccountPublicAccessBlock(Resource):
    """The account's own public access block: it overrules every bucket's policy and ACL."""

    also = ("AWSS3AccountPublicAccessBlock",)
    source = call(
        "s3control",
        "GetPublicAccessBlock",
        "PublicAccessBlockConfiguration",
        per="account",
        missing="NoSuchPublicAccessBlockConfiguration",
        AccountId="{account}",
    )

    id: str = at("{account}:{region}")
    account_id: str = at("{account}", index=True)
    block_public_acls: bool = at("BlockPublicAcls")
    ignore_public_acls: bool = at("IgnorePublicAcls")
    block_public_policy: bool = at("BlockPublicPolicy")
    restrict_public_buckets: bool = at("RestrictPublicBuckets")
