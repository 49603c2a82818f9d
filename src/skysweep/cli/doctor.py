from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import anyio
from rich.text import Text

from skysweep import catalogue
from skysweep.cli import options
from skysweep.cli.screen import print_json, show
from skysweep.doctor import examine
from skysweep.findings import Check, verdict, worst
from skysweep.settings import CONCURRENCY, RATE_SHARE, from_options

COLOURS = {"ok": "green", "warning": "yellow", "failed": "red"}
NAMED = 10  # subjects that one line names


def doctor(
    *,
    neo4j_uri: options.Neo4jUri = None,
    neo4j_user: options.Neo4jUser = None,
    neo4j_password_env_var: options.Neo4jPassword = None,
    neo4j_database: options.Neo4jDatabase = None,
    store: options.Store = None,
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
    aws_organization_account_ids: options.OrganizationAccounts = None,
    concurrency: options.Concurrency = CONCURRENCY,
    rate_share: options.RateShare = RATE_SHARE,
    json: options.Json = False,
) -> int:
    """Check that a sync can work, and say how to mend it."""
    settings = from_options(
        neo4j_uri=neo4j_uri,
        neo4j_user=neo4j_user,
        neo4j_password_env_var=neo4j_password_env_var,
        neo4j_database=neo4j_database,
        store=store,
        profiles=profile,
        all_profiles=aws_sync_all_profiles,
        organization=organization,
        organization_accounts=aws_organization_account_ids,
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
    checks = anyio.run(examine, settings, catalogue.load(settings.syncs))
    if json:
        print_json({"checks": [check.to_dict() for check in checks], "status": worst(checks)})
    else:
        show(*map(line, summed(checks)))
    return verdict(checks)


def summed(checks: Iterable[Check]) -> Iterator[Check]:
    """Equal findings as one: those that are fine by their number, the others by name."""
    groups: dict[Check, list[str]] = {}
    for check in checks:
        groups.setdefault(replace(check, subject=""), []).append(check.subject)
    for check, subjects in groups.items():
        yield replace(check, subject=_subjects(check, subjects))


def line(check: Check) -> Text:
    """A finding as one line."""
    subject = f" {check.subject}" if check.subject else ""
    mend = f" -> {check.mend}" if check.mend else ""
    return Text.assemble((f"{check.status:<8}", COLOURS[check.status]), f"{check.check}{subject}: {check.detail}{mend}")


def _subjects(check: Check, subjects: list[str]) -> str:
    if len(subjects) > 1 and check.status == "ok":
        return f"{len(subjects):,} accounts"
    more = f" and {len(subjects) - NAMED:,} more" if len(subjects) > NAMED else ""
    return f"{', '.join(subjects[:NAMED])}{more}"
