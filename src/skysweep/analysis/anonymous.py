"""What everyone can do with a bucket: its ACL and its policy together, after the public access blocks.

`anonymous_access` counts everyone and AWS's "authenticated users" (any account of anybody), as Cartography does. Of the
four switches of a public access block two act on requests: IgnorePublicAcls and RestrictPublicBuckets. BlockPublicAcls
and BlockPublicPolicy only refuse new ones and say nothing of what is there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from skysweep.analysis.policy import anonymous_actions, is_public, parse_policy

if TYPE_CHECKING:
    from skysweep.analysis.policy import Statement

_GROUPS = (
    "http://acs.amazonaws.com/groups/global/AllUsers",
    "http://acs.amazonaws.com/groups/global/AuthenticatedUsers",
)
_READ = ("s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads")
_WRITE = ("s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion")
_GRANTS = {
    "READ": _READ,
    "WRITE": _WRITE,
    "READ_ACP": ("s3:GetBucketAcl",),
    "WRITE_ACP": ("s3:PutBucketAcl",),
    "FULL_CONTROL": (*_READ, *_WRITE, "s3:GetBucketAcl", "s3:PutBucketAcl"),
}


@dataclass(frozen=True, slots=True)
class Grant:
    """A grant of a bucket's ACL: the grantee's group URI (None for an account) and the permission."""

    uri: str | None
    permission: str


@dataclass(frozen=True, slots=True)
class PublicAccessBlock:
    """The two switches that act on requests; several blocks add up to the strictest."""

    ignore_public_acls: bool = False
    restrict_public_buckets: bool = False

    def __or__(self, other: PublicAccessBlock) -> PublicAccessBlock:
        return PublicAccessBlock(
            self.ignore_public_acls or other.ignore_public_acls,
            self.restrict_public_buckets or other.restrict_public_buckets,
        )


@dataclass(frozen=True, slots=True)
class Bucket:
    """What decides on a bucket: policy JSON (None: it has none), grants (None: never seen), ownership, own block."""

    policy: str | None = None
    grants: tuple[Grant, ...] | None = None
    object_ownership: str | None = None
    block: PublicAccessBlock = PublicAccessBlock()


def acl_actions(grants: tuple[Grant, ...]) -> frozenset[str]:
    """Give the actions that an ACL grants to everyone or to any authenticated user, as s3 action names."""
    return frozenset(action for grant in grants if grant.uri in _GROUPS for action in _GRANTS.get(grant.permission, ()))


def decide(bucket: Bucket, account: PublicAccessBlock, before: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """Give the sorted actions open to everyone; what is not known stays as before, and is None where nothing was.

    Not known is the answer of an ACL never seen and of an unreadable policy; an ACL without grants lets nobody in.
    """
    block = account | bucket.block
    statements = _statements(bucket.policy)
    restricted = block.restrict_public_buckets and statements is not None and is_public(statements)
    # S3 closes the whole bucket, ACL included, when it restricts one with a public policy.
    if restricted or (block.restrict_public_buckets and block.ignore_public_acls):
        return ()
    by_policy = anonymous_actions(statements) if statements is not None else None
    acl_counts = not block.ignore_public_acls and bucket.object_ownership != "BucketOwnerEnforced"
    by_acl = frozenset[str]() if not acl_counts else None if bucket.grants is None else acl_actions(bucket.grants)
    known = (by_policy or frozenset()) | (by_acl or frozenset())
    if by_policy is not None and by_acl is not None:
        return tuple(sorted(known))
    if before is None:
        return tuple(sorted(known)) or None
    # An ACL can only have given what ACLs give: the rest of what stood there came from a policy that is known now.
    kept = before if by_policy is None else frozenset(before) & frozenset(_GRANTS["FULL_CONTROL"])
    return tuple(sorted(known.union(kept)))


def _statements(policy: str | None) -> tuple[Statement, ...] | None:
    try:
        return parse_policy(policy) if policy else ()
    except ValueError:  # S3 stores only valid policies: what cannot be read is not known, and never "private"
        return None
