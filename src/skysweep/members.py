"""Who is in an organization: the accounts that it lists, and which of them lie anywhere under a root or a unit."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import anyio

from skysweep.errors import BadCredentials, BadSettings, CallFailed, Unusable
from skysweep.model import Call, call

ACCOUNTS = call("organizations", "ListAccounts").call
ACCOUNTS_UNDER = call("organizations", "ListAccountsForParent", missing="ParentNotFoundException").call
UNITS_UNDER = call("organizations", "ListOrganizationalUnitsForParent", missing="ParentNotFoundException").call

Pages = Callable[[Call, Mapping[str, Any]], AsyncIterator[Mapping[str, Any]]]
"""Sends a call from the account that may list the organization; yields its pages, empty ones too. Raises CallFailed."""


@dataclass(frozen=True, slots=True)
class Member:
    """An account as its organization lists it. state: AWS's State, or the Status that it has retired, or ""."""

    id: str
    name: str
    state: str

    @property
    def active(self) -> bool:
        """Whether it can be swept: not suspended, closed or still pending. AWS may say nothing at all."""
        return self.state in {"ACTIVE", ""}


async def members(pages: Pages) -> list[Member]:
    """Every account of the organization. Raises CallFailed."""
    return [
        Member(each["Id"], each.get("Name", ""), each.get("State") or each.get("Status") or "")
        async for page in pages(ACCOUNTS, {})
        for each in page.get("Accounts", ())
    ]


async def under(pages: Pages, parents: Iterable[str]) -> set[str]:
    """The ids of the accounts anywhere under these roots and units.

    Raises BadSettings for one that the organization does not have, CallFailed where a listing does not end well.
    """
    accounts: set[str] = set()
    seen: set[str] = set()
    level = set(parents)
    while level:
        seen |= level
        level = await _children(pages, level, accounts) - seen
    return accounts


async def _children(pages: Pages, parents: Iterable[str], accounts: set[str]) -> set[str]:
    """The units right under `parents`, whose accounts are added to `accounts`."""
    units: set[str] = set()
    errors: list[BadSettings | CallFailed] = []

    async def look(parent: str, listing: Call, key: str, into: set[str]) -> None:
        try:
            async for page in pages(listing, {"ParentId": parent}):
                into.update(each["Id"] for each in page.get(key, ()))
        except CallFailed as error:
            unknown = BadSettings(f"--exclude-ou: the organization has no {parent!r}: correct it or leave it out")
            errors.append(unknown if error.why == "missing" else error)

    async with anyio.create_task_group() as tasks:
        for parent in parents:
            tasks.start_soon(look, parent, ACCOUNTS_UNDER, "Accounts", accounts)
            tasks.start_soon(look, parent, UNITS_UNDER, "OrganizationalUnits", units)
    if errors:
        raise errors[0]
    return units


def chosen(
    listed: Iterable[Member], named: Sequence[str], out: Container[str]
) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """The names of the members to sweep, by id: those active, of those `named` if any are, but for those left `out`.

    Also the ids that are named in vain, each with the reason.
    """
    by_id = {member.id: member for member in listed}
    vain = [
        (
            id_,
            f"its organization says that it is {by_id[id_].state}" if id_ in by_id else "it is not in the organization",
        )
        for id_ in named
        if id_ not in out and not (id_ in by_id and by_id[id_].active)
    ]
    wanted = (by_id[id_] for id_ in (named or by_id) if id_ in by_id and id_ not in out)
    return {member.id: member.name for member in wanted if member.active}, vain


def unlisted(error: CallFailed, caller: str) -> Unusable:
    """What to say where `caller` (an ARN) cannot list its organization."""
    if error.why == "absent":
        return BadSettings(f"--organization: the account of {caller} is in no organization: leave the option out")
    mend = "; start from the management account or a delegated administrator, with organizations:List* allowed"
    told = f"--organization: {caller} cannot list the accounts: {error}"
    return BadCredentials(told + (mend if error.why == "denied" else ""))
