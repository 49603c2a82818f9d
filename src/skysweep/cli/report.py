from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from skysweep.cli import options
from skysweep.cli.screen import ndjson, print_json, show, table
from skysweep.errors import BadSettings
from skysweep.ledger import FILE, Ledger, Past
from skysweep.report import ExitCode, Report
from skysweep.settings import store_settings


def report(
    *,
    sweep: Annotated[str | None, Argument(help="A sweep's id. [else the latest]")] = None,
    units: Annotated[
        bool, Option("--units", help="Print every unit of the sweep, a JSON object a line; the last five have them.")
    ] = False,
    listed: Annotated[bool, Option("--list", help="List the past sweeps, the latest first.")] = False,
    json: options.Json = False,
    store: options.Store = None,
    neo4j_uri: options.Neo4jUri = None,
    neo4j_database: options.Neo4jDatabase = None,
) -> int:
    """Show a past sweep: what was covered and what was not."""
    folder = store_settings(uri=neo4j_uri, database=neo4j_database, folder=store, with_password=False).folder
    if not (folder / FILE).exists():
        raise BadSettings(
            f"there is no sweep in {folder} yet: run `skysweep sync`, or name another folder with --store"
        )
    with Ledger(folder) as ledger:
        if listed:
            _list(ledger.sweeps(), json)
        elif units:
            _units(ledger, folder, sweep)
        else:
            _show(ledger, folder, sweep, json)
    return ExitCode.COMPLETE


def _show(ledger: Ledger, folder: Path, sweep: str | None, json: bool) -> None:
    document = ledger.report(sweep)
    if document is None:
        past = {each.id: each for each in ledger.sweeps()}
        if sweep is None or sweep in past:
            status = f" (it is {past[sweep].status})" if sweep else ""
            raise BadSettings(f"that sweep has left no report{status}: `skysweep report --list` shows all")
        raise BadSettings(f"there is no sweep {sweep!r} in {folder}: `skysweep report --list` shows all")
    if json:
        print_json(document)
    else:
        show(Report.from_dict(document))


def _units(ledger: Ledger, folder: Path, sweep: str | None) -> None:
    past = [each.id for each in ledger.sweeps()]
    if sweep not in (None, *past):
        raise BadSettings(f"there is no sweep {sweep!r} in {folder}: `skysweep report --list` shows all")
    for each in [sweep] if sweep else past[:1]:
        sys.stdout.buffer.writelines(ndjson(ledger.units(each)))


def _list(sweeps: list[Past], json: bool) -> None:
    rows = [
        {
            "sweep": each.id,
            "update_tag": each.update_tag,
            "status": each.status,
            "started": datetime.fromtimestamp(each.started, UTC).isoformat(timespec="seconds"),
        }
        for each in sweeps
    ]
    if json:
        print_json({"sweeps": rows})
    else:
        show(table(("sweep", "update tag", "status", "started"), [tuple(row.values()) for row in rows]))
