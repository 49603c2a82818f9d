"""IAM policies: who may do what, as the documents say. Statements are nodes, so that a query can ask for one action."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from skysweep.aws._common import always
from skysweep.aws._iam import AUTHORIZATIONS, inline_policy_id
from skysweep.aws._policies import statements
from skysweep.aws.tags import AWSTag, tagged_by_arn
from skysweep.model import Item, Record, Resource, at, by, call, detail, to

# AWS's own policies, only those that something here is attached to; their documents are a call each.
AWS_POLICIES = call("iam", "ListPolicies", "Policies[]", per="account", Scope="AWS", OnlyAttached=True)
AWS_DOCUMENTS = detail(
    "iam", "GetPolicyVersion", "PolicyVersion", on=AWS_POLICIES, PolicyArn="Arn", VersionId="DefaultVersionId"
)

POLICIES = AUTHORIZATIONS["Policies[]"]


class AWSManagedPolicy(Resource):
    """A policy of its own, which any number of users, groups and roles may have."""

    also = ("AWSPolicy",)
    source = POLICIES

    id: str = at("Arn")
    arn: str = at("Arn", index=True)
    name: str = at("PolicyName", index=True)
    type: str = at(always("managed"))
    path: str = at("Path")
    policy_id: str = at("PolicyId")
    description: str = at("Description")
    default_version_id: str = at("DefaultVersionId")
    attachment_count: int = at("AttachmentCount", doc="of this account's users, groups and roles")
    permissions_boundary_usage_count: int = at("PermissionsBoundaryUsageCount")
    is_attachable: bool = at("IsAttachable")
    create_date: datetime = at("CreateDate")
    update_date: datetime = at("UpdateDate")

    tagged: list[AWSTag] = tagged_by_arn(POLICIES, "Arn")


class AttachedAWSPolicy(Resource, extends=AWSManagedPolicy):
    """A policy that AWS wrote and keeps, the same in every account."""

    source = AWS_POLICIES

    id: str = at("Arn")
    arn: str = at("Arn")
    name: str = at("PolicyName")
    type: str = at(always("managed"))
    path: str = at("Path")
    policy_id: str = at("PolicyId")
    default_version_id: str = at("DefaultVersionId")
    is_attachable: bool = at("IsAttachable")
    create_date: datetime = at("CreateDate")
    update_date: datetime = at("UpdateDate")


def boundary_policies(page: Record) -> Iterator[dict[str, str]]:
    """AWS's own policies that bound a page's users and roles: as boundaries alone they do not count as attached."""
    principals = [*(page["UserDetailList"] or ()), *(page["RoleDetailList"] or ())]
    arns = (each.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn") for each in principals)
    for arn in dict.fromkeys(arns):
        if arn and ":iam::aws:policy/" in arn:
            yield {"Arn": arn, "PolicyName": arn.rpartition("/")[2]}


class BoundaryAWSPolicy(Resource, extends=AWSManagedPolicy):
    """A policy of AWS's that bounds what a user or role may do, known by its ARN."""

    source = AUTHORIZATIONS.each(boundary_policies)

    id: str = at("Arn")
    arn: str = at("Arn")
    name: str = at("PolicyName")
    type: str = at(always("managed"))


_OWNERS = (
    ("UserDetailList", "UserPolicyList"),
    ("GroupDetailList", "GroupPolicyList"),
    ("RoleDetailList", "RolePolicyList"),
)


def inline_policies(page: Record) -> Iterator[dict[str, Any]]:
    """The inline policies of a page's users, groups and roles."""
    for principals, policies in _OWNERS:
        for principal in page[principals] or ():
            for policy in principal.get(policies) or ():
                yield {**policy, "Id": inline_policy_id(principal["Arn"], policy["PolicyName"])}


def statement_ids(policy: Record) -> list[str]:
    """The ids of an inline policy's statements."""
    return [statement["id"] for statement in statements(policy["Id"], policy["PolicyDocument"])]


class AWSInlinePolicy(Resource):
    """A policy that is part of one user, group or role and goes with it."""

    also = ("AWSPolicy",)
    source = AUTHORIZATIONS.each(inline_policies)

    id: str = at("Id")
    name: str = at("PolicyName", index=True)
    type: str = at(always("inline"))

    statements: list[AWSPolicyStatement] = to("STATEMENT", statement_ids)


def own_statements(page: Record) -> Iterator[Item]:
    """The statements of a page's inline policies, and of the versions in force of its managed ones."""
    for policy in inline_policies(page):
        yield from statements(policy["Id"], policy["PolicyDocument"])
    for policy in page["Policies"] or ():
        for version in policy.get("PolicyVersionList") or ():
            if version["IsDefaultVersion"]:
                for statement in statements(policy["Arn"], version["Document"]):
                    yield {**statement, "Managed": policy["Arn"]}


class AWSPolicyStatement(Resource):
    """One statement of a policy: these actions on these resources, allowed or denied, on this condition."""

    source = AUTHORIZATIONS.each(own_statements)
    owned = False

    id: str = at("id")
    sid: str = at("Sid")
    effect: str = at("Effect")
    action: list[str] = at("Action")
    notaction: list[str] = at("NotAction")
    resource: list[str] = at("Resource")
    notresource: list[str] = at("NotResource")
    condition: str = at("Condition", doc="JSON, a list of one")

    policy: AWSManagedPolicy = by("STATEMENT", "Managed")


def aws_statements(version: Record) -> Iterator[Item]:
    """The statements of a version of one of AWS's own policies."""
    policy = version.up["Arn"] if version.up else ""
    for statement in statements(policy, version["Document"]):
        yield {**statement, "Managed": policy}


class AWSPolicyStatementOfAWS(AWSPolicyStatement, extends=AWSPolicyStatement):
    """One statement of a policy that AWS wrote and keeps."""

    source = AWS_DOCUMENTS.each(aws_statements)
