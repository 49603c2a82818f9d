"""Whom to sweep and where: the accounts that the credentials reach, and the regions that each of them has on."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, TypeVar

import anyio
from botocore import exceptions

from skysweep import members, regions, retry
from skysweep.entry import NO_CREDENTIALS, SECONDS, Entry, key
from skysweep.errors import BadCredentials, BadSettings, Bug, CallFailed
from skysweep.limits import Limits
from skysweep.paging import pages
from skysweep.plan import GLOBAL, Account, Target
from skysweep.settings import agree

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping

    from skysweep.clients import AwsSettings, Clients
    from skysweep.model import Call

LISTING_SECONDS = 900.0  # for an organization's accounts: 10,000 are 500 pages at 8 a second
AT_ONCE = 32  # accounts looked at together
NAMED = 10  # accounts that a remark names
BASE = "the base credentials"

Item = TypeVar("Item")

_BROKEN_SETTINGS = (exceptions.ProfileNotFound, exceptions.ConfigParseError)


@dataclass(slots=True)
class Found:
    """The accounts to sweep; the names that led to none, with the reason; profiles of an account already found.

    names: what the settings call accounts, by id. production: which of the accounts to sweep are, by id, where the
    settings say. remarks: what of the settings is of no use.
    """

    accounts: list[Account] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)
    duplicates: list[tuple[str, str]] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    production: dict[str, bool] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)


async def find_accounts(settings: AwsSettings, clients: Clients) -> Found:
    """Finds the accounts, adopts their credentials, and asks each which regions it has on.

    Raises BadSettings for a region, profile or file that cannot be meant, BadCredentials when nothing leads anywhere.
    """
    regions.check(settings.regions)
    agree(settings)
    try:
        return await _Finder(settings, clients).find()
    except ExceptionGroup as errors:  # accounts are looked at together, and may meet the same wrong setting
        wrong = errors.subgroup(BadSettings)
        if wrong is None:
            raise
        raise wrong.exceptions[0] from None


@dataclass(frozen=True, slots=True)
class _Caller:
    """Who some credentials turned out to be."""

    account: str
    partition: str
    arn: str


class _Finder:
    def __init__(self, settings: AwsSettings, clients: Clients) -> None:
        self._settings = settings
        self._clients = clients
        self._limits = Limits(settings.rate_share)
        self._entry = Entry(settings, clients, self._limits)
        self._alike: dict[tuple[str, ...], tuple[str, ...]] = {}  # most accounts have the same regions
        self._of_profile: dict[str, str] = {}  # the account that a profile's credentials belong to

    async def find(self) -> Found:
        found = Found()
        if self._settings.organization:
            await self._by_organization(found)
        elif self._settings.role_name:
            base, caller = await self._one_identity()
            wanted = (each for each in self._settings.accounts if each not in self._settings.exclude_accounts)
            await self._by_role(found, base, caller, dict.fromkeys(wanted, base or ""))
        else:
            await self._by_profile(found)
        await self._regions(found)
        self._readers(found)
        self._named(found)
        if not found.accounts:
            if not found.failed:
                raise BadSettings(
                    "--exclude-accounts and --exclude-ou leave no account to sweep: leave one out of them"
                )
            raise BadCredentials(
                "no account can be swept: " + "; ".join(f"{name}: {why}" for name, why in found.failed)
            )
        return found

    def _readers(self, found: Found) -> None:
        """Notes through which accounts the settings want the tree of their organization read."""
        named = self._settings.organization_accounts
        if named:
            found.accounts = [replace(account, organization=account.id in named) for account in found.accounts]
        swept = {account.id for account in found.accounts}
        found.failed += [
            (account, "it is not swept, so that the tree of its organization is not read")
            for account in named
            if account not in swept
        ]

    def _named(self, found: Found) -> None:
        """Notes what the settings say of the accounts: their names, and which are in production."""
        names, production = dict(self._settings.account_names), self._settings.production_accounts
        swept = {account.id for account in found.accounts}
        meant = {key: key if key in swept else self._of_profile.get(key, key) for key in (*names, *production)}
        by_id_last = sorted(names, key=swept.__contains__)  # an id says more than a profile that leads to it
        found.names = {meant[key]: names[key] for key in by_id_last if meant[key] in swept}
        if found.names:
            found.accounts = [replace(each, name=found.names.get(each.id, each.name)) for each in found.accounts]
        if production:
            chosen = {meant[key] for key in production}
            found.production = {account: account in chosen for account in swept}
        failed = {name for name, _ in found.failed}
        for option, keys in (("--account-names", names), ("--production-accounts", production)):
            unused = [key for key in keys if meant[key] not in swept and key not in failed]
            if unused:
                more = f" and {len(unused) - NAMED} more" if len(unused) > NAMED else ""
                found.remarks.append(f"{option}: no account that is swept now: {', '.join(unused[:NAMED])}{more}")

    # Accounts

    async def _by_profile(self, found: Found) -> None:
        """The account of the ambient credentials, or of each profile; the first by name wins an account."""
        names = self._profiles()
        callers: dict[str, _Caller | str] = {}

        async def look(name: str | None) -> None:
            callers[name or ""] = await self._caller(name)

        await _each(names, look)
        owners: dict[str, str] = {}
        for name, caller in sorted(callers.items()):
            if isinstance(caller, str):
                found.failed.append((name or BASE, caller))
                continue
            self._of_profile[name] = caller.account
            if caller.account in owners:
                found.duplicates.append((name, caller.account))
            else:
                owners[caller.account] = name
                self._entry.adopt(caller.account, name or None)
                found.accounts.append(_account(caller, name))
        self._narrow(found)

    def _narrow(self, found: Found) -> None:
        """Keeps of the accounts found those that the settings name, if any, and do not leave out."""
        named, out = self._settings.accounts, self._settings.exclude_accounts
        known = {account.id for account in found.accounts}
        found.accounts = [each for each in found.accounts if each.id not in out and (not named or each.id in named)]
        found.failed += [(account, "no profile leads to it") for account in named if account not in known | out]

    async def _by_organization(self, found: Found) -> None:
        """The active accounts of the caller's organization by the role, but for those that the settings leave out."""
        base, caller = await self._one_identity()

        def listing(call: Call, inputs: Mapping[str, Any]) -> AsyncIterator[Mapping[str, Any]]:
            target = Target(key(base), GLOBAL, caller.partition)
            return pages(
                *(self._clients, self._limits, target, call, inputs),
                deadline=time.monotonic() + LISTING_SECONDS,
                tally=self._clients.tally,
            )

        try:
            listed = await members.members(listing)
            out = await members.under(listing, self._settings.exclude_units)
        except CallFailed as error:
            raise members.unlisted(error, caller.arn) from error
        out |= self._settings.exclude_accounts
        wanted, found.failed = members.chosen(listed, self._settings.accounts, out)
        await self._by_role(found, base, caller, wanted)
        found.accounts = [
            replace(account, organization=True) if account.id == caller.account else account
            for account in found.accounts
        ]

    async def _one_identity(self) -> tuple[str | None, _Caller]:
        """The profile that roles are assumed from (None: the ambient credentials), and whose it is."""
        (base,) = self._profiles()
        caller = await self._caller(base)
        if isinstance(caller, str):
            raise BadCredentials(f"{base or BASE}: {caller}")
        self._of_profile[base or ""] = caller.account
        return base, caller

    async def _by_role(self, found: Found, base: str | None, caller: _Caller, named: Mapping[str, str]) -> None:
        """Each of the accounts, with its name, by the role; the caller's own by the caller's credentials."""

        async def look(account: str) -> None:
            error = await self._assume(account, caller, base)
            if error:
                found.failed.append((account, error))
            else:
                arn = caller.arn if account == caller.account else self._entry.role(caller.partition, account)
                made = _account(replace(caller, account=account, arn=arn), base or "")
                found.accounts.append(replace(made, name=named[account]))

        await _each(named, look)
        found.accounts.sort(key=lambda account: account.id)
        found.failed.sort()

    def _profiles(self) -> list[str | None]:
        """The profiles to start from; None stands for the ambient credentials."""
        settings = self._settings
        try:
            known = self._clients.profiles()
            if not (settings.profiles or settings.all_profiles):
                self._clients.session()  # raises where AWS_PROFILE names none
        except _BROKEN_SETTINGS as error:
            raise BadSettings(retry.text(error)) from error
        if settings.all_profiles:
            if not known:
                raise BadSettings("--aws-sync-all-profiles: there is no profile in the AWS files")
            return [*known]
        for name in settings.profiles:
            if name not in known:
                near = get_close_matches(name, known, n=1)
                raise BadSettings(
                    f"there is no AWS profile {name!r}" + (f"; did you mean {near[0]!r}?" if near else "")
                )
        return list(settings.profiles) or [None]

    async def _caller(self, profile: str | None) -> _Caller | str:
        """Who the credentials of a profile belong to, or why they belong to nobody."""
        try:
            with anyio.fail_after(SECONDS):  # a credential_process may hang
                if not await self._entry.adopt_base(profile):
                    return NO_CREDENTIALS
            region = self._entry.region(profile)
            home = Target(key(profile), region, regions.partition_of(region))
            who = await self._entry.ask(home, "sts", "GetCallerIdentity", {})
        except (CallFailed, Bug) as error:
            return str(error) + _login(str(error), profile)
        except BadSettings as error:
            if self._clients.own_endpoints(profile):
                return str(error)
            raise
        except TimeoutError:
            return f"no credentials within {SECONDS:g} seconds"
        except Exception as error:  # noqa: BLE001 - a profile may run any program, read any file, ask any service
            return f"{retry.code(error)}: {retry.text(error)}"
        return _Caller(who["Account"], who["Arn"].split(":")[1], who["Arn"])

    async def _assume(self, account: str, caller: _Caller, base: str | None) -> str | None:
        """Adopts the account's role, or the caller's own credentials where it is the caller's; the error, if any."""
        entry = self._entry
        if account == caller.account:
            entry.adopt(account, base)
            return None
        home = Target(key(base), entry.region(base), caller.partition)
        await entry.adopt_role(account, base, home)
        try:
            who = await entry.ask(Target(account, home.region, home.partition), "sts", "GetCallerIdentity", {})
        except CallFailed as error:
            return str(error)
        if who["Account"] == account:
            return None
        return f"{entry.role(caller.partition, account)} leads to account {who['Account']}"

    # Regions

    async def _regions(self, found: Found) -> None:
        """Puts each account's regions in place; one that does not tell them fails, unless the settings name some."""
        asked: dict[str, tuple[str, ...] | str] = {}

        async def look(account: Account) -> None:
            asked[account.id] = await self._enabled(account)

        await _each(found.accounts, look)
        named = self._settings.regions
        swept: list[Account] = []
        on: set[str] = set()
        for account in found.accounts:
            enabled = asked[account.id]
            if isinstance(enabled, str) and not named:
                hint = "name regions with --aws-regions, or allow ec2:DescribeRegions"
                found.failed.append((account.id, f"its regions are unknown: {enabled}; {hint}"))
                continue
            if isinstance(enabled, str):
                enabled = tuple(region for region in named if regions.partition_of(region) == account.partition)
            swept.append(replace(account, regions=self._same(x for x in enabled if not named or x in named)))
            on |= {*enabled}
        if named and swept and not any(account.regions for account in swept):
            there = ", ".join(sorted(on)) or "none"
            raise BadSettings(f"--aws-regions: {', '.join(named)}: on in no account; what is on: {there}")
        found.accounts = swept

    async def _enabled(self, account: Account) -> tuple[str, ...] | str:
        """The account's enabled regions by its own word, or the error; one region after another may be asked."""
        error = "no region to ask"
        for region in self._homes(account):
            target = Target(account.id, region, account.partition)
            try:
                reply = await self._entry.ask(target, "ec2", "DescribeRegions", {"AllRegions": False})
            except CallFailed as failure:
                error = str(failure)
            except BadSettings as failure:
                if not self._clients.own_endpoints(account.profile or None):
                    raise
                return str(failure)
            else:
                on = (each["RegionName"] for each in reply["Regions"] if each.get("OptInStatus") != "not-opted-in")
                # Credentials do not cross partitions, whatever the answer names.
                return self._same(sorted(name for name in on if regions.partition_of(name) == account.partition))
        return error

    def _same(self, names: Iterable[str]) -> tuple[str, ...]:
        """The names, as the object that other accounts have of them, too."""
        made = tuple(names)
        return self._alike.setdefault(made, made)

    def _homes(self, account: Account) -> list[str]:
        """Where to ask: organizations deny what lies outside their regions, often the main one."""
        wanted = (*self._settings.regions, self._entry.region(account.profile or None))
        own = [name for name in wanted if regions.partition_of(name) == account.partition]
        return list(dict.fromkeys([*own[:1], *own[-1:], regions.home("ec2", account.partition)]))


async def _each(items: Iterable[Item], look: Callable[[Item], Awaitable[None]]) -> None:
    """Looks at each of them, AT_ONCE together."""
    left = iter(items)

    async def work() -> None:
        for item in left:  # shared: each takes the next one
            await look(item)

    async with anyio.create_task_group() as tasks:
        for _ in range(AT_ONCE):
            tasks.start_soon(work)


def _login(error: str, profile: str | None) -> str:
    """The mend, where it is a login that is missing."""
    return f"; run `aws sso login{f' --profile {profile}' if profile else ''}`" if "SSOToken" in error else ""


def _account(caller: _Caller, profile: str) -> Account:
    return Account(caller.account, name=profile, partition=caller.partition, profile=profile, arn=caller.arn)
