"""What the IAM modules read together: one call tells users, groups, roles, own policies and who has which."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from skysweep.aws._policies import Kind, Principal, Trust, terms, trusts
from skysweep.model import Link, Record, call

# Without the filter all of AWS's own policies come with every version, 1,400 of them, whether attached or not.
AUTHORIZATIONS = call(
    "iam",
    "GetAccountAuthorizationDetails",
    per="account",
    Filter=["User", "Role", "Group", "LocalManagedPolicy"],
)
USERS = AUTHORIZATIONS["UserDetailList[]"]
GROUPS = AUTHORIZATIONS["GroupDetailList[]"]
ROLES = AUTHORIZATIONS["RoleDetailList[]"]


def inline_policy_id(principal: str, name: str) -> str:
    """The id of an inline policy, which has no ARN of its own."""
    return f"{principal}/inline_policy/{name}"


def trusted(kind: Kind) -> Callable[[Record], list[Link]]:
    """The edges of a role to the principals of that kind, each with what it may do and on which condition."""

    def links(role: Record) -> list[Link]:
        by_key: dict[str, list[Trust]] = {}
        for trust in trusts(role["AssumeRolePolicyDocument"], role.context.partition):
            if trust.principal.kind == kind:
                by_key.setdefault(trust.principal.pathless or trust.principal.key, []).append(trust)
        return [Link(key, terms(given)) for key, given in by_key.items()]

    return links


def named(kind: Kind, *, foreign: bool = False) -> Callable[[Record], Iterator[dict[str, Any]]]:
    """The principals of that kind that a page's roles trust, each once; `foreign`: those of other accounts alone.

    A role known by a session of it has the ARN of one without a path, and no path: the session does not tell it.
    """

    def principals(page: Record) -> Iterator[dict[str, Any]]:
        for each in _principals(page):
            if each.kind == kind and not (foreign and each.account == page.context.account):
                arn = each.key or each.pathless
                told = {"Arn": arn, "Account": each.account, "Pathless": each.pathless, **_of_path(arn)}
                yield told if each.key else {**told, "Path": None}

    return principals


def foreign_accounts(page: Record) -> Iterator[str]:
    """The other accounts whose principals a page's roles trust."""
    accounts = dict.fromkeys(each.account for each in _principals(page))
    yield from (account for account in accounts if account not in {"", page.context.account})


def _principals(page: Record) -> dict[Principal, None]:
    roles = page["RoleDetailList"] or []
    documents = [role["AssumeRolePolicyDocument"] for role in roles if role.get("AssumeRolePolicyDocument")]
    return dict.fromkeys(each.principal for text in documents for each in trusts(text, page.context.partition))


def _of_path(arn: str) -> dict[str, str]:
    """The name and the path in the ARN of a role or user: ``…:role/a/b/name`` → ``name`` and ``/a/b/``."""
    _, _, rest = arn.partition("/")
    path, _, name = rest.rpartition("/")
    return {"Name": name, "Path": f"/{path}/" if path else "/"}
