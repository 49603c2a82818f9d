"""Whom the account's roles trust, where that is no user or role of ours: accounts, services, providers, everyone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from skysweep.aws._common import always
from skysweep.aws._iam import AUTHORIZATIONS, foreign_accounts, named
from skysweep.aws.account import AWSAccount
from skysweep.model import Record, Resource, arn, at, by
from skysweep.paths import reader


class TrustedAccount(Resource, extends=AWSAccount):
    """An account whose principals a role here trusts; whether it is one of ours, the sweep of it tells."""

    source = AUTHORIZATIONS.each(foreign_accounts)

    id: str = at("@")


_roots = named("root")
_own_root = reader(arn("iam", "root", region=""))


def roots(page: Record) -> Iterator[dict[str, Any]]:
    """The account's own root, and those of the accounts that a page's roles trust."""
    own = _own_root(page)
    yield {"Arn": own, "Account": page.context.account}
    yield from (root for root in _roots(page) if root["Arn"] != own)


class AWSRootPrincipal(Resource):
    """An account as a principal: who trusts it trusts whomever that account's administrators let in."""

    also = ("AWSPrincipal",)
    source = AUTHORIZATIONS.each(roots)
    shared = True
    owned = False  # by the account that sees it: it is its own account's

    id: str = at("Arn")
    arn: str = at("Arn", index=True)

    account: AWSAccount = by("RESOURCE", "Account")


class AWSServicePrincipal(Resource):
    """A service of AWS that roles let act for them."""

    also = ("AWSPrincipal", "ServiceAccount")
    source = AUTHORIZATIONS.each(named("service"))
    shared = True
    owned = False

    id: str = at("Arn")
    arn: str = at("Arn", index=True, doc="its name: a service has no ARN")
    type: str = at(always("Service"))


class AWSFederatedPrincipal(Resource):
    """An identity provider as a principal: whoever signs in there may assume the roles that trust it."""

    also = ("AWSPrincipal",)
    source = AUTHORIZATIONS.each(named("federated"))
    shared = True  # AWS's built-in providers are the same for every account

    id: str = at("Arn")
    arn: str = at("Arn", index=True, doc="the provider's ARN, or the name of a built-in one")
    type: str = at(always("Federated"))


class Everyone(Resource):
    """Anybody at all, in any account or none: what ``*`` means as a principal."""

    source = AUTHORIZATIONS.each(named("everyone"))
    shared = True
    owned = False

    id: str = at("Arn")
