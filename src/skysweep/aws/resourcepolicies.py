"""Resource policies: what a policy that hangs on a thing lets others do with it, statement by statement, and whom.

Each service's own module says where its policies are read; S3's statements have what Cartography writes of them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from skysweep.aws._common import always, listed
from skysweep.aws._policies import Kind, Principal, admitted, resource_statements
from skysweep.aws.account import AWSAccount
from skysweep.aws.iam import AWSRole, AWSUser
from skysweep.aws.iam_principals import AWSRootPrincipal, AWSServicePrincipal, Everyone
from skysweep.model import Edge, Path, Record, Resource, at
from skysweep.paths import reader

STATEMENT = "AWSResourcePolicyStatement"  # what statements of all services are


def statements_of(policy: Path, arn: Path) -> Callable[[Record], Iterable[dict[str, Any]]]:
    """The function that gives the statements of the policy at that path of a record, where there is one.

    arn: the path of the ARN of the thing that the policy hangs on, which the statements' ids are made of.
    """
    read, owner = reader(policy), reader(arn)

    def made(record: Record) -> Iterable[dict[str, Any]]:
        text = read(record)
        return resource_statements(owner(record), text) if text else ()

    return made


class NamedRole(Resource, extends=AWSRole):
    """A role of another account that a resource's policy lets in."""

    id: str = at("id")
    arn: str = at("id")
    pathless_arn: str = at("pathless", index=True)
    name: str = at("name")


class NamedUser(Resource, extends=AWSUser):
    """A user of another account that a resource's policy lets in."""

    id: str = at("id")
    arn: str = at("id")
    name: str = at("name")


class NamedRoot(Resource, extends=AWSRootPrincipal):
    """Another account that a resource's policy lets in: whomever its administrators choose."""

    id: str = at("id")
    arn: str = at("id")


class NamedAccount(Resource, extends=AWSAccount):
    """Another account that a resource's policy lets in; whether it is one of ours, the sweep of it tells."""

    id: str = at("id")


class NamedService(Resource, extends=AWSServicePrincipal):
    """A service of AWS that a resource's policy lets in."""

    id: str = at("id")
    arn: str = at("id")
    type: str = at(always("Service"))


class Anybody(Resource, extends=Everyone):
    """Anybody at all, whom a resource's policy lets in."""

    id: str = at("id")


def _admits(kind: Kind) -> Any:
    """The edges of a statement to the principals of that kind that it lets in, and what it tells of other accounts'."""

    def principals(statement: Record) -> list[Principal]:
        found = admitted(statement.item, statement.context.partition)
        return [each for each in found if each.kind == kind]

    def keys(statement: Record) -> list[str]:
        return [each.pathless or each.key for each in principals(statement)]

    def told(statement: Record) -> Iterator[dict[str, str]]:
        for each in principals(statement):
            if each.account != statement.context.account:
                arn = each.key or each.pathless
                yield {"id": arn, "pathless": each.pathless, "name": arn.rpartition("/")[2]}

    keys.__doc__ = f"The principals of kind {kind} that an allowing statement lets in."
    # A session's ARN does not tell its role's path: roles are found by account and name.
    return Edge("ALLOWS_ACCESS_FROM", keys, on="pathless_arn" if kind == "role" else "id", tells=told)


def foreign_accounts(statement: Record) -> list[str]:
    """The other accounts that an allowing statement lets in as a whole."""
    found = admitted(statement.item, statement.context.partition)
    return [each.account for each in found if each.kind == "root" and each.account != statement.context.account]


def _admits_accounts() -> Any:
    """The edges of a statement to those accounts, and what it tells of them."""

    def told(statement: Record) -> list[dict[str, str]]:
        return [{"id": each} for each in foreign_accounts(statement)]

    return Edge("ALLOWS_ACCESS_FROM", foreign_accounts, tells=told)


class AdmittingStatement(Resource):
    """Whom a statement of a resource's policy lets in; no type itself."""

    roles: list[NamedRole] = _admits("role")
    users: list[NamedUser] = _admits("user")
    roots: list[NamedRoot] = _admits("root")
    accounts: list[NamedAccount] = _admits_accounts()
    services: list[NamedService] = _admits("service")
    everyone: list[Anybody] = _admits("everyone")


class PolicyStatement(AdmittingStatement):
    """One statement of a resource's policy; no type itself."""

    also = (STATEMENT,)

    id: str = at("id")
    sid: str = at("Sid")
    effect: str = at("Effect")
    action: list[str] = at("Action", then=listed)
    notaction: list[str] = at("NotAction", then=listed)
    resource: list[str] = at("Resource", then=listed)
    notresource: list[str] = at("NotResource", then=listed)
    principal: str = at("Principal", then=json.dumps, doc="JSON")
    notprincipal: str = at("NotPrincipal", then=json.dumps, doc="JSON")
    condition: str = at("Condition", then=json.dumps, doc="JSON")
