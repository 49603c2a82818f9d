"""Can it work? What a sweep needs, looked at in the order of its steps: each thing a finding, and how to mend it.

Only reads: of AWS, of the graph, of the ledger, of the disk.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import anyio

from skysweep import regions, storage
from skysweep.clients import Clients
from skysweep.errors import BadCredentials, BadSettings
from skysweep.findings import Check, Status, short
from skysweep.limits import Limits
from skysweep.outcomes import Tally
from skysweep.probe import Prober, Refusal
from skysweep.targets import AT_ONCE, Found, find_accounts

if TYPE_CHECKING:
    from skysweep.catalogue import Catalogue
    from skysweep.clients import AwsSettings
    from skysweep.plan import Account
    from skysweep.settings import Settings

CLOCK_WARNS, CLOCK_FAILS = 60.0, 240.0  # seconds; AWS refuses signatures that are 300 s off


async def examine(settings: Settings, catalogue: Catalogue) -> list[Check]:
    """Every check, in the order of a sweep's steps; what fails is a finding, nothing is raised for it."""
    checks = await _aws(settings, catalogue)
    checks += await storage.graph(settings.store)
    checks += [storage.space(settings.state), await storage.ledger(settings.state)]
    return checks


# AWS


class Clock:
    """Hears the time that AWS's replies tell; `off` is how far the local clock is ahead, in seconds."""

    def __init__(self) -> None:
        self.off: float | None = None

    def hear(self, headers: Mapping[str, str]) -> None:
        """Takes what the headers of a reply say, errors' among them."""
        try:
            told = parsedate_to_datetime(headers.get("date", ""))
        except (TypeError, ValueError):
            return
        off = datetime.now(UTC).timestamp() - (told if told.tzinfo else told.replace(tzinfo=UTC)).timestamp()
        # A reply that was long on its way seems late: the nearest is the truest.
        self.off = off if self.off is None else min(self.off, off, key=abs)

    def check(self) -> Check:
        """What the clock is like."""
        mend = "set the clock, and let NTP keep it: AWS refuses what is signed five minutes off"
        if self.off is None:
            return Check("clock", "", "warning", "no reply of AWS's told the time", "compare it with NTP's")
        detail = f"{abs(self.off):.0f} s {'ahead of' if self.off > 0 else 'behind'} AWS's"
        if abs(self.off) <= CLOCK_WARNS:
            return Check("clock", "", "ok", detail)
        return Check("clock", "", "failed" if abs(self.off) > CLOCK_FAILS else "warning", detail, mend)


async def _aws(settings: Settings, catalogue: Catalogue) -> list[Check]:
    clock = Clock()
    checks: list[Check] = []
    try:
        async with Clients(settings.aws, Tally()) as clients:
            await _reach(settings, clients, catalogue, clock, checks)
    except BadSettings as error:
        mend = "correct the option, the variable or the AWS file that it names"
        checks.append(Check("settings", "", "failed", short(error), mend, fatal=True))
    except BadCredentials as error:
        checks.append(Check("credentials", "", "failed", short(error), _mend(str(error)), fatal=True))
    return [*checks, clock.check()]


async def _reach(settings: Settings, clients: Clients, catalogue: Catalogue, clock: Clock, checks: list[Check]) -> None:
    """Adds the findings about credentials, roles, regions and permissions. Raises BadSettings, BadCredentials."""
    aws = settings.aws
    clients.listen(clock.hear)
    base = found = await find_accounts(_base(aws), clients)
    checks.append(Check("settings", "", "ok", _settings(aws, clients)))
    checks += credentials(base, clients)
    if aws.role_name:
        try:
            found = await find_accounts(aws, clients)
        except BadCredentials as error:  # the base ones are good: what fails is every role, or the list of accounts
            what, arn = ("organization" if "--organization" in str(error) else "role"), base.accounts[0].arn
            checks.append(Check(what, "", "failed", short(error), _mend(str(error), arn), fatal=True))
            return
        checks += roles(found, aws, base.accounts[0].arn)
    checks += [Check("settings", "", "warning", each, "name an account that is swept") for each in found.remarks]
    checks += [check for account in found.accounts for check in where(account, aws.regions)]
    checks += _lost(found)
    checks += await _permissions(found.accounts, Prober(clients, Limits(aws.rate_share), catalogue))


def _base(aws: AwsSettings) -> AwsSettings:
    """The settings that find who the base credentials are, and go no further."""
    if not aws.role_name:
        return aws
    return replace(
        aws,
        role_name=None,
        external_id=None,
        organization=False,
        accounts=(),
        exclude_accounts=frozenset(),
        exclude_units=(),
        organization_accounts=(),
        # Named regions may stay unknown: it is the members' that count. The main ones are asked first.
        regions=tuple(sorted(regions.all_regions(), key=lambda name: name not in regions.MAIN.values())),
    )


def _settings(aws: AwsSettings, clients: Clients) -> str:
    profiles = f"{len(clients.profiles())} profiles in the AWS files; " if not aws.isolated else ""
    return f"{profiles}{aws.retry_mode} retries, {aws.max_attempts} attempts, {aws.read_timeout:g} s for a reply"


def credentials(base: Found, clients: Clients) -> Iterator[Check]:
    """Who the base credentials are, and until when; the profiles that lead nowhere, or where another leads."""
    for account in base.accounts:
        name = account.profile or account.id
        yield Check("credentials", name, "ok", f"{account.arn}{until(clients.credentials(account.id))}")
    for name, account_id in base.duplicates:
        yield Check(
            "credentials", name, "ok", f"leads to account {account_id}, which another profile leads to: swept once"
        )
    for name, why in base.failed:
        if not _unknown_regions(why):
            yield Check("credentials", name, "failed", why, _mend(why))


def roles(found: Found, aws: AwsSettings, base: str) -> Iterator[Check]:
    """Whether each account's role lets the base identity in."""
    for account in found.accounts:
        detail = (
            f"role {aws.role_name}" if account.arn.endswith(f":role/{aws.role_name}") else "the caller's own account"
        )
        yield Check("role", account.id, "ok", detail)
    for name, why in found.failed:
        if _unknown_regions(why):
            yield Check("role", name, "ok", f"role {aws.role_name}")
        else:
            yield Check("role", name, "failed", why, _mend(why, base))


def where(account: Account, named: Sequence[str]) -> Iterator[Check]:
    """How many regions of the account a sweep would see, and which of the named ones are off there."""
    off = [name for name in named if name not in account.regions]
    mend = "turn them on in the account, or leave them out of --aws-regions"
    count = f"{len(account.regions)} region{'' if len(account.regions) == 1 else 's'}"
    if off:
        yield Check("regions", account.id, "warning", f"{count}; off there: {', '.join(off)}", mend)
    else:
        yield Check("regions", account.id, "ok", count)


def _lost(found: Found) -> Iterator[Check]:
    for name, why in found.failed:
        if _unknown_regions(why):
            mend = "allow ec2:DescribeRegions (`skysweep permissions` prints what allows it), or name --aws-regions"
            yield Check("regions", name, "failed", why, mend)


async def _permissions(accounts: Sequence[Account], prober: Prober) -> list[Check]:
    found: dict[str, list[Check]] = {}
    at_once = anyio.CapacityLimiter(AT_ONCE)

    async def look(account: Account) -> None:
        async with at_once:
            probed = await prober.probe(account)
        found[account.id] = list(refused(account, probed.refusals)) or [
            Check("permissions", account.id, "ok", probed.how)
        ]

    async with anyio.create_task_group() as tasks:
        for account in accounts:
            tasks.start_soon(look, account)
    return [check for account in accounts for check in found[account.id]]


def refused(account: Account, refusals: Iterable[Refusal]) -> Iterator[Check]:
    """A line for each action that the account's caller may not do."""
    who = account.arn.partition("::")[2].partition(":")[2]
    mends = {
        "policy": f"attach all that `skysweep permissions` prints to {who}",
        "organization": f"let the organization's policies exempt {who}: no policy in the account can allow it",
        "boundary": f"let the permissions boundary of {who} allow it as well",
        "condition": "look at the policy's conditions: the sweep's calls must meet them",
        "failed": "see whether AWS is reached from here (network, proxy, endpoint), then try again",
    }
    for each in refusals:
        status: Status = "warning" if each.kind == "condition" else "failed"
        what = "cannot be told" if each.kind in {"condition", "failed"} else "denied"
        yield Check("permissions", account.id, status, f"{each.action}: {what}: {each.why}", mends[each.kind])


def _unknown_regions(why: str) -> bool:
    return why.startswith("its regions are unknown")


def until(found: Any) -> str:
    """When credentials expire, where that is known; botocore keeps it to itself."""
    expiry = getattr(found, "_expiry_time", None)
    if isinstance(expiry, datetime):
        return f", until {expiry.astimezone(UTC):%Y-%m-%d %H:%M} UTC, then renewed"
    return ", temporary, until nobody knows when" if getattr(found, "token", None) else ""


MENDS = (
    ("service control policy", "let the organization's service control policies allow sts:AssumeRole there"),
    (
        "AssumeRole",
        "let the role trust {base} (`skysweep permissions --trust`), {base} assume it (`skysweep permissions --hub`)",
    ),
    ("no AWS credentials", "run `aws configure` or `aws sso login`, or set AWS_PROFILE"),
    ("xpired", "log in again (`aws sso login`), renew the keys, or set the clock"),
    ("SSO", "log in again: `aws sso login`"),
    ("InvalidClientTokenId", "correct the access key: AWS does not know it"),
    ("SignatureDoesNotMatch", "correct the secret key, or the clock"),
    ("MFA", "get a session with the MFA code first, and name its profile"),
    ("RegionDisabled", "turn STS on for that region, or set the profile's region to one that is on"),
    ("regions are unknown", "allow ec2:DescribeRegions, or name --aws-regions"),
    ("cannot list the accounts", "let {base} list the organization: `skysweep permissions --hub` prints the policy"),
    ("no profile leads to it", "add a profile that does, or leave it out of --accounts"),
    ("its organization says", "leave it out of --accounts"),
    ("not in the organization", "leave it out of --accounts"),
    ("tree of its organization", "sweep it too, or leave it out of --aws-organization-account-ids"),
    ("leads to account", "correct the profile or the endpoint: another account answers"),
)
"""Words of an identity's error, and how to mend it; the first that fits."""


def _mend(why: str, base: str = "the caller") -> str:
    found = next((mend for words, mend in MENDS if words in why), "see whether AWS is reached from here, then the keys")
    return found.format(base=base)
