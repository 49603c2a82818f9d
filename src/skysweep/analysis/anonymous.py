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
    """What decides on a bucket: policy JSON (None: it has none), grants (None: never seen), ownership, own block.

    block: None where it was never seen. policy_seen, ownership_seen: whether AWS ever told of them.
    """

    policy: str | None = None
    grants: tuple[Grant, ...] | None = None
    object_ownership: str | None = None
    block: PublicAccessBlock | None = PublicAccessBlock()
    policy_seen: bool = True
    ownership_seen: bool = True


def acl_actions(grants: tuple[Grant, ...]) -> frozenset[str]:
    """Give the actions that an ACL grants to everyone or to any authenticated user, as s3 action names."""
    return frozenset(action for grant in grants if grant.uri in _GROUPS for action in _GRANTS.get(grant.permission, ()))


def decide(bucket: Bucket, account: PublicAccessBlock | None, before: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """Give the sorted actions open to everyone; what is not known stays as before, and is None where nothing was.

    Not known is what a part never seen would decide: ACL, policy (or one that is unreadable), ownership, or a block
    (`account` is None where that one was never seen). An ACL without grants lets nobody in.
    """
    blocks = [theirs | own for theirs in _readings(account) for own in _readings(bucket.block)]
    answers = {_decide(bucket, block, before) for block in blocks}
    return answers.pop() if len(answers) == 1 else before


def _readings(block: PublicAccessBlock | None) -> tuple[PublicAccessBlock, ...]:
    """What a block may be: one that was never seen may block nothing, or everything."""
    return (PublicAccessBlock(), PublicAccessBlock(True, True)) if block is None else (block,)  # noqa: FBT003 - both on


def _decide(bucket: Bucket, block: PublicAccessBlock, before: tuple[str, ...] | None) -> tuple[str, ...] | None:
    statements = _statements(bucket.policy) if bucket.policy_seen else None
    restricted = block.restrict_public_buckets and statements is not None and is_public(statements)
    # S3 closes the whole bucket, ACL included, when it restricts one with a public policy.
    if restricted or (block.restrict_public_buckets and block.ignore_public_acls):
        return ()
    by_policy = anonymous_actions(statements) if statements is not None else None
    by_acl = _by_acl(bucket, block)
    known = (by_policy or frozenset()) | (by_acl or frozenset())
    if by_policy is not None and by_acl is not None:
        return tuple(sorted(known))
    if before is None:
        return tuple(sorted(known)) or None
    # An ACL can only have given what ACLs give: the rest of what stood there came from a policy that is known now.
    kept = before if by_policy is None else frozenset(before) & frozenset(_GRANTS["FULL_CONTROL"])
    return tuple(sorted(known.union(kept)))


def _by_acl(bucket: Bucket, block: PublicAccessBlock) -> frozenset[str] | None:
    """Give the actions open by the ACL; None when what decides it was never seen."""
    if block.ignore_public_acls or bucket.object_ownership == "BucketOwnerEnforced":
        return frozenset()
    granted = None if bucket.grants is None else acl_actions(bucket.grants)
    return granted if bucket.ownership_seen or not granted else None


def _statements(policy: str | None) -> tuple[Statement, ...] | None:
    try:
        return parse_policy(policy) if policy else ()
    except ValueError:  # S3 stores only valid policies: what cannot be read is not known, and never "private"
        return None
