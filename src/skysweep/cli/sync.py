from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import anyio
import typer
from typer import Option

import skysweep
from skysweep.cli import options
from skysweep.cli.screen import ndjson, print_json, say, show
from skysweep.errors import BadSettings
from skysweep.ledger import FILE, Ledger
from skysweep.outcomes import Tally
from skysweep.progress import LogFormat, shown
from skysweep.report import Report
from skysweep.settings import CONCURRENCY, RATE_SHARE, Settings, from_options
from skysweep.turns import COLLECTIONS

UnitsFile = Annotated[Path | None, Option("--report", help="Write every unit to this file, a JSON object a line.")]
Log = Annotated[LogFormat | None, Option("--log-format", help="Log lines instead of the live display.")]
BestEffort = Annotated[
    bool, Option("--aws-best-effort-mode", help="Cartography's; here an account never stops another.")
]
Jobs = Annotated[Path | None, Option("--analysis-job-directory", help="Cartography's; not used yet, a remark says so.")]
Rules = Annotated[
    Path | None, Option("--permission-relationships-file", help="Cartography's; not used yet, a remark says so.")
]
Resume = Annotated[
    bool, Option("--resume", help="Go on with the last sweep where it ended before its time; else sweep anew.")
]


def sync(
    *,
    neo4j_uri: options.Neo4jUri = None,
    neo4j_user: options.Neo4jUser = None,
    neo4j_password_env_var: options.Neo4jPassword = None,
    neo4j_database: options.Neo4jDatabase = None,
    store: options.Store = None,
    resume: Resume = False,
    update_tag: Annotated[int | None, Option("--update-tag", help="Epoch seconds. [else now]")] = None,
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
    aws_best_effort_mode: BestEffort = False,
    aws_organization_account_ids: options.OrganizationAccounts = None,
    analysis_job_directory: Jobs = None,
    permission_relationships_file: Rules = None,
    concurrency: options.Concurrency = CONCURRENCY,
    processes: options.Processes = 1,
    rate_share: options.RateShare = RATE_SHARE,
    report: UnitsFile = None,
    log_format: Log = None,
    json: options.Json = False,
) -> int:
    """Sweep AWS accounts into the graph."""
    del aws_best_effort_mode  # what it asks for is how it always is
    settings = from_options(
        neo4j_uri=neo4j_uri,
        neo4j_user=neo4j_user,
        neo4j_password_env_var=neo4j_password_env_var,
        neo4j_database=neo4j_database,
        store=store,
        update_tag=update_tag,
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
        processes=processes,
        rate_share=rate_share,
    )
    _remark_unused(
        {
            "--analysis-job-directory": analysis_job_directory,
            "--permission-relationships-file": permission_relationships_file,
        }
    )
    settings = replace(settings, resume=resume or _wanted(settings))
    with _units_file(report) as write:
        done = _done(settings, log_format)
        write(settings.state, done.sweep)
    if json:
        print_json(done.to_dict())
    else:
        show(done)
    return done.exit_code


async def swept(settings: Settings, log_format: LogFormat | None, tally: Tally | None = None) -> Report:
    """A sweep that shows its progress on stderr."""
    tally = tally or Tally()
    async with shown(tally, log_format):
        return await skysweep.sweep(settings, tally=tally)


def _done(settings: Settings, log_format: LogFormat | None) -> Report:
    """The sweep's report; of one that was interrupted, what it left."""
    tally = Tally()
    gc.set_threshold(*COLLECTIONS)
    try:
        return anyio.run(swept, settings, log_format, tally)
    except KeyboardInterrupt:
        with Ledger(settings.state) as ledger:
            past = ledger.unfinished()
            left = ledger.report(past.id) if past else None
        if left is None or not tally.units:  # it had not begun
            raise
        say("`skysweep sync --resume` with the same options does the rest")
        return Report.from_dict(left)


def _wanted(settings: Settings) -> bool:
    """Whether a sweep that ended before its time is to be gone on with: asks who can answer, tells who cannot."""
    if not (settings.state / FILE).exists():
        return False
    with Ledger(settings.state) as ledger:
        past = ledger.unfinished()
    if past is None:
        return False
    begun = datetime.fromtimestamp(past.started, UTC).isoformat(timespec="seconds")
    told = f"the last sweep, of {begun}, ended before its time"
    if sys.stdin.isatty() and sys.stderr.isatty():
        return typer.confirm(f"{told}: go on with it? (else a new one begins)", default=True, err=True)
    say(f"{told}; a new one begins (--resume would have gone on with it)")
    return False


@contextmanager
def _units_file(path: Path | None) -> Iterator[Any]:
    """What writes a sweep's units to `path`, opened first: a path that cannot be written must not cost a sweep."""
    if path is None:
        yield lambda *_: None
        return
    try:
        file = path.open("wb")
    except OSError as error:
        raise BadSettings(f"--report: {str(path)!r} cannot be written: {error.strerror}") from None
    with file:

        def write(state: Path, sweep_id: str) -> None:
            with Ledger(state) as ledger:
                file.writelines(ndjson(ledger.units(sweep_id)))

        yield write


def _remark_unused(given: dict[str, Any]) -> None:
    for name, value in given.items():
        if isinstance(value, Path) and not value.exists():
            raise BadSettings(f"{name}: there is no {str(value)!r}")
        if value:
            say(f"{name} is accepted for Cartography's sake and not used yet")
