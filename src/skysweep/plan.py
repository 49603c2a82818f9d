"""The plan: which call goes to which target. Pure; a generator, for there may be millions of units."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from skysweep.model import Call

GLOBAL = "global"


@dataclass(frozen=True, slots=True)
class Account:
    """An account to sweep: its id, name, partition, enabled regions, and the profile that its calls follow.

    organization: whether its organization's tree is read through it; None: if it is the management account.
    """

    id: str
    name: str = ""
    partition: str = "aws"
    regions: tuple[str, ...] = ()
    profile: str = ""
    arn: str = ""  # the caller's, from GetCallerIdentity
    organization: bool | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """One account in one region, or (region `global`) an account as a whole; `organization` as in Account."""

    account: str
    region: str
    partition: str = "aws"
    organization: bool | None = None


@dataclass(frozen=True, slots=True)
class Unit:
    """One listing on one target, with its detail calls: what is scheduled, recorded, retried and resumed."""

    target: Target
    call: Call

    def __str__(self) -> str:
        return f"{self.target.account} {self.target.region} {self.call}"


def targets(account: Account, call: Call) -> Iterator[Target]:
    """Where `call` goes in `account`: every region of it, or once."""
    for region in account.regions if call.per == "region" else (GLOBAL,):
        yield Target(account.id, region, account.partition, account.organization)


def units(accounts: Iterable[Account], calls: Sequence[Call]) -> Iterator[Unit]:
    """Every unit, neighbours on different targets: for each account and call the regions in turn."""
    for account in accounts:
        for call in calls:
            for target in targets(account, call):
                yield Unit(target, call)


def count(account: Account, calls: Sequence[Call]) -> int:
    """How many units the account has."""
    return sum(len(account.regions) if call.per == "region" else 1 for call in calls)
