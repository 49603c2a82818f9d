"""The organization's tree: its root, its units within units, and the accounts in them, suspended ones too.

It is read through the management account, or through an account that the settings name: a member that asked would be
denied, and an organization of a thousand accounts lets all of them ask no more than a few times a second.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from skysweep.aws.account import ORGANIZATION, AWSAccount
from skysweep.model import Record, Resource, Unanswered, at, by, detail, to


def reads_tree(organization: Record) -> bool:
    """Whether the tree is read through this account; raises Unanswered where that is another account's to do."""
    here = organization.context
    if here.organization or (here.organization is None and organization["MasterAccountId"] == here.account):
        return True
    raise Unanswered


def read_here(organization: Record) -> Iterator[Mapping[str, Any]]:
    """The organization itself, where its tree is read."""
    try:
        if reads_tree(organization):
            yield organization.item
    except Unanswered:
        return


ROOTS = detail("organizations", "ListRoots", "Roots[]", on=ORGANIZATION, when=reads_tree)
UNITS = detail(
    "organizations",
    "ListOrganizationalUnitsForParent",
    "OrganizationalUnits[]",
    on=ROOTS,
    again=True,
    ParentId="Id",
)
IN_ROOT = detail("organizations", "ListAccountsForParent", "Accounts[]", on=ROOTS, ParentId="Id")
IN_UNIT = detail("organizations", "ListAccountsForParent", "Accounts[]", on=UNITS, ParentId="Id")


def above(record: Record) -> Record:
    """The record that this one was listed under."""
    if record.up is None:
        raise LookupError(f"{record!r} hangs on nothing")
    return record.up


def is_root(parent: Record) -> bool:
    """Whether it is a root, not a unit."""
    return str(parent["Id"]).startswith("r-")


def organization_id(record: Record) -> str:
    """The id of the organization that a root, a unit or an account was found in."""
    while not str(record["Id"]).startswith("o-"):
        record = above(record)
    return str(record["Id"])


def node_id(record: Record) -> str:
    """The id of a root's or a unit's node: unique among organizations."""
    return f"{organization_id(record)}/{record['Id']}"


def its_root(unit: Record) -> str:
    """The id of the root that a unit lies under, at whatever depth."""
    parent = above(unit)
    while not is_root(parent):
        parent = above(parent)
    return node_id(parent)


def its_parent(record: Record) -> str:
    """The id of what a unit or an account lies in."""
    return node_id(above(record))


def its_root_above(unit: Record) -> str | None:
    """The id of the root that a unit lies in directly."""
    return its_parent(unit) if is_root(above(unit)) else None


def its_unit_above(unit: Record) -> str | None:
    """The id of the unit that a unit lies in."""
    return None if is_root(above(unit)) else its_parent(unit)


def manager(account: Record) -> str | None:
    """The account that manages the organization; none for that account itself."""
    record = account
    while not record["MasterAccountId"]:
        record = above(record)
    found = str(record["MasterAccountId"])
    return None if found == account["Id"] else found


def its_state(account: Record) -> str | None:
    """The account's state, from the member that AWS has retired where the new one is missing."""
    found: str | None = account["State"] or account["Status"]
    return found


class AWSOrganization(Resource):
    """An organization: the accounts that one management account pays for and rules."""

    also = ("Tenant",)
    source = ORGANIZATION.each(read_here)
    shared = True
    owned = False

    id: str = at("Id")
    arn: str = at("Arn", index=True)
    feature_set: str = at("FeatureSet", doc="ALL: service control policies can be in force")
    management_account_arn: str = at("MasterAccountArn")
    management_account_id: str = at("MasterAccountId", index=True)
    management_account_email: str = at("MasterAccountEmail")


class AWSOrganizationRoot(Resource):
    """The root of an organization's tree: what is attached to it holds for every member."""

    source = ROOTS
    shared = True
    owned = False

    id: str = at(node_id)
    root_id: str = at("Id", index=True)
    arn: str = at("Arn", index=True)
    name: str = at("Name")
    org_id: str = at(organization_id)

    organization: AWSOrganization = to("PARENT", organization_id)
    held_by: AWSOrganization = by("RESOURCE", organization_id)


class AWSOrganizationalUnit(Resource):
    """A folder of accounts and of further folders, up to five deep."""

    source = UNITS
    shared = True
    owned = False

    id: str = at(node_id)
    ou_id: str = at("Id", index=True)
    arn: str = at("Arn", index=True)
    name: str = at("Name")
    org_id: str = at(organization_id)
    root_id: str = at(its_root)
    parent_root_id: str = at(its_root_above)
    parent_ou_id: str = at(its_unit_above)

    root: AWSOrganizationRoot = by("RESOURCE", its_root)
    in_root: AWSOrganizationRoot = to("PARENT", its_root_above)
    in_unit: AWSOrganizationalUnit = to("PARENT", its_unit_above)
    held_by: AWSOrganizationalUnit = by("RESOURCE", its_unit_above)


class OrganizationAccount(Resource):
    """An account as its organization knows it: whose it is, and whether it is active."""

    id: str = at("Id")
    name: str = at("Name")
    arn: str = at("Arn")
    email: str = at("Email")
    state: str = at(its_state, doc="ACTIVE, or why it is not swept: SUSPENDED, PENDING_CLOSURE …")
    status: str = at("Status")
    joined_method: str = at("JoinedMethod")
    joined_timestamp: datetime = at("JoinedTimestamp")
    org_id: str = at(organization_id)
    in_organization: bool = at(lambda account: bool(account["Id"]))

    managed_by: AWSAccount = by("HAS_MEMBER_ACCOUNT", manager)


class AccountInRoot(OrganizationAccount, extends=AWSAccount):
    """An account that lies in no unit."""

    source = IN_ROOT

    parent: AWSOrganizationRoot = to("PARENT", its_parent)
    held_by: AWSOrganizationRoot = by("RESOURCE", its_parent)


class AccountInUnit(OrganizationAccount, extends=AWSAccount):
    """An account in an organizational unit."""

    source = IN_UNIT

    parent: AWSOrganizationalUnit = to("PARENT", its_parent)
    held_by: AWSOrganizationalUnit = by("RESOURCE", its_parent)
