from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import anyio

from skysweep import catalogue
from skysweep.cli import options
from skysweep.cli.screen import print_json, say, show, table
from skysweep.clients import Clients
from skysweep.model import Call
from skysweep.outcomes import Tally
from skysweep.plan import Account, units
from skysweep.report import ExitCode
from skysweep.settings import CONCURRENCY, RATE_SHARE, Settings, from_options
from skysweep.targets import Found, find_accounts

LATENCY_SECONDS = 0.1  # a call's way to AWS and back
CPU_SECONDS = 0.001  # what a call costs this process at most


def plan(
    *,
    profile: options.Profile = None,
    aws_sync_all_profiles: options.AllProfiles = False,
    organization: options.Organization = False,
    accounts: options.Accounts = None,
    exclude_accounts: options.ExcludeAccounts = None,
    exclude_ou: options.ExcludeUnits = None,
    role_name: options.RoleName = None,
    external_id: options.ExternalId = None,
    aws_regions: options.Regions = None,
    aws_requested_syncs: options.Syncs = None,
    concurrency: options.Concurrency = CONCURRENCY,
    rate_share: options.RateShare = RATE_SHARE,
    json: options.Json = False,
) -> int:
    """Show the calls a sync would make; changes nothing."""
    settings = from_options(
        profiles=profile,
        all_profiles=aws_sync_all_profiles,
        organization=organization,
        accounts=accounts,
        exclude_accounts=exclude_accounts,
        exclude_units=exclude_ou,
        role_name=role_name,
        external_id=external_id,
        regions=aws_regions,
        syncs=aws_requested_syncs,
        concurrency=concurrency,
        rate_share=rate_share,
    )
    calls = catalogue.load(settings.syncs).calls
    found = anyio.run(_found, settings)
    document = summed(found.accounts, calls, concurrency)
    if json:
        print_json(document)
    else:
        _show(document, found)
    for name, account in found.duplicates:
        say(f"profile {name} leads to account {account} as well, which is swept once")
    for name, error in found.failed:
        say(f"{name} would not be swept: {error}")
    return ExitCode.INCOMPLETE if found.failed else ExitCode.COMPLETE


def summed(accounts: Sequence[Account], calls: Sequence[Call], concurrency: int) -> dict[str, Any]:
    """The plan in numbers, by account and service; `seconds` is what the listings alone take, details come on top."""
    counts = Counter((unit.target.account, unit.call.service) for unit in units(accounts, calls))
    names = {account.id: account for account in accounts}
    rows = [
        {
            "account": account,
            "name": names[account].name,
            "service": service,
            "regions": len(names[account].regions) if _regional(calls, service) else 0,
            "calls": number,
        }
        for (account, service), number in sorted(counts.items())
    ]
    total = counts.total()
    return {
        "accounts": len(accounts),
        "targets": sum(len(account.regions) for account in accounts),
        "calls": total,
        "seconds": round(total * max(LATENCY_SECONDS / concurrency, CPU_SECONDS), 1),
        "services": rows,
    }


def _regional(calls: Iterable[Call], service: str) -> bool:
    return any(call.per == "region" for call in calls if call.service == service)


async def _found(settings: Settings) -> Found:
    async with Clients(settings.aws, Tally()) as clients:
        return await find_accounts(settings.aws, clients)


def _show(document: dict[str, Any], found: Found) -> None:
    rows = [
        (f"{row['account']} {row['name']}".strip(), row["service"], row["regions"] or "global", row["calls"])
        for row in document["services"]
    ]
    show(table(("account", "service", "regions", "calls"), rows))
    say(
        f"{document['accounts']:,} accounts ({len(found.failed)} unreachable), {document['targets']:,} targets, "
        f"{document['calls']:,} calls and what details their records need; about {document['seconds']:.0f} s or more"
    )
