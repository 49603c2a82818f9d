from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import anyio

from skysweep import catalogue
from skysweep.cli import options
from skysweep.cli.screen import print_json_rows, say, show, table
from skysweep.clients import Clients
from skysweep.model import Call
from skysweep.outcomes import Tally
from skysweep.plan import Account, count
from skysweep.report import ExitCode
from skysweep.settings import CONCURRENCY, RATE_SHARE, Settings, from_options
from skysweep.targets import Found, find_accounts

LATENCY_SECONDS = 0.1  # a call's way to AWS and back
CPU_SECONDS = 0.001  # what a call costs this process at most
SHOWN_ACCOUNTS = 100  # a table of more is summed by service; JSON names all


def plan(
    *,
    profile: options.Profile = None,
    aws_sync_all_profiles: options.AllProfiles = False,
    organization: options.Organization = False,
    accounts: options.Accounts = None,
    exclude_accounts: options.ExcludeAccounts = None,
    exclude_ou: options.ExcludeUnits = None,
    account_names: options.AccountNames = None,
    production_accounts: options.ProductionAccounts = None,
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
        account_names=account_names,
        production_accounts=production_accounts,
        role_name=role_name,
        external_id=external_id,
        regions=aws_regions,
        syncs=aws_requested_syncs,
        concurrency=concurrency,
        rate_share=rate_share,
    )
    calls = catalogue.load(settings.syncs).calls
    found = anyio.run(_found, settings)
    total = summed(found.accounts, calls, concurrency)
    if json:
        print_json_rows(total, "services", by_service(found.accounts, calls))
    else:
        _show(total, found, calls)
    for name, account in found.duplicates:
        say(f"profile {name} leads to account {account} as well, which is swept once")
    for name, error in found.failed:
        say(f"{name} would not be swept: {error}")
    for remark in found.remarks:
        say(remark)
    return ExitCode.INCOMPLETE if found.failed else ExitCode.COMPLETE


def summed(accounts: Sequence[Account], calls: Sequence[Call], concurrency: int) -> dict[str, Any]:
    """The plan in numbers; `seconds` is what the listings alone take, details come on top."""
    total = sum(count(account, calls) for account in accounts)
    return {
        "accounts": len(accounts),
        "targets": sum(len(account.regions) for account in accounts),
        "calls": total,
        "seconds": round(total * max(LATENCY_SECONDS / concurrency, CPU_SECONDS), 1),
    }


def by_service(accounts: Iterable[Account], calls: Iterable[Call]) -> Iterator[dict[str, Any]]:
    """The plan by account and service, both in order: how many regions and calls."""
    services: dict[str, list[Call]] = {}
    for call in sorted(calls, key=lambda call: call.service):
        services.setdefault(call.service, []).append(call)
    for account in sorted(accounts, key=lambda account: account.id):
        for service, its in services.items():
            regional = any(call.per == "region" for call in its)
            if number := count(account, its):
                yield {
                    "account": account.id,
                    "name": account.name,
                    "service": service,
                    "regions": len(account.regions) if regional else 0,
                    "calls": number,
                }


async def _found(settings: Settings) -> Found:
    async with Clients(settings.aws, Tally()) as clients:
        return await find_accounts(settings.aws, clients)


def _show(total: Mapping[str, Any], found: Found, calls: Sequence[Call]) -> None:
    several = len(found.accounts) > SHOWN_ACCOUNTS
    rows = _of_all(found.accounts, calls) if several else by_service(found.accounts, calls)
    cells = [
        (f"{row['account']} {row['name']}".strip(), row["service"], row["regions"] or "global", row["calls"])
        for row in rows
    ]
    show(table(("account", "service", "regions", "calls"), cells))
    say(
        f"{total['accounts']:,} accounts ({len(found.failed)} unreachable), {total['targets']:,} targets, "
        f"{total['calls']:,} calls and what details their records need; about {total['seconds']:.0f} s or more"
    )


def _of_all(accounts: Sequence[Account], calls: Iterable[Call]) -> list[dict[str, Any]]:
    """The plan by service alone: of all accounts together."""
    summed: dict[str, dict[str, Any]] = {}
    for row in by_service(accounts, calls):
        all_ = summed.setdefault(row["service"], {**row, "account": f"all {len(accounts):,}", "name": "", "calls": 0})
        all_["calls"] += row["calls"]
        all_["regions"] = max(all_["regions"], row["regions"])
    return list(summed.values())
