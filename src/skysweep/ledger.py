"""What is done: sweeps, their units, and the spool of links that wait for both ends. SQLite, in the state directory.

One process writes a ledger at a time; the calls are short and synchronous, and the async side runs them in a thread.
"""

from __future__ import annotations

import fcntl
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import orjson

from skysweep.errors import BadStore
from skysweep.outcomes import DetailFailure, Outcome, UnitResult

FILE = "ledger.sqlite"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS sweeps (
    id TEXT PRIMARY KEY, update_tag INTEGER NOT NULL, started REAL NOT NULL, status TEXT NOT NULL, report TEXT);
CREATE TABLE IF NOT EXISTS units (
    sweep TEXT NOT NULL, account TEXT NOT NULL, region TEXT NOT NULL, service TEXT NOT NULL, operation TEXT NOT NULL,
    literal TEXT NOT NULL, outcome TEXT NOT NULL, records INTEGER NOT NULL, calls INTEGER NOT NULL,
    seconds REAL NOT NULL, error TEXT, details TEXT NOT NULL,
    PRIMARY KEY (sweep, account, region, service, operation, literal)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS links (
    account TEXT NOT NULL, edge TEXT NOT NULL, start TEXT NOT NULL, "end" TEXT NOT NULL,
    region TEXT NOT NULL, properties TEXT NOT NULL,
    PRIMARY KEY (account, edge, start, "end")) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Past:
    """A sweep that was: its id, update tag, epoch seconds of its start, and status."""

    id: str
    update_tag: int
    started: float
    status: str


class Ledger:
    """The file of what is done; a context manager. Raises BadStore where it cannot be opened or is no ledger."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(self.path, check_same_thread=False, isolation_level=None)
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = NORMAL")
            self._database.executescript(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise BadStore(
                f"the ledger {self.path} cannot be opened: {error}; name another folder with --store"
            ) from error
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """While the block runs no other sweep keeps its books here. Raises BadStore where one does."""
        with self.path.with_name("sweep.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise BadStore(
                    f"another sweep is under way with the ledger {self.path}: wait for its end, or name another --store"
                ) from None
            yield

    def begin(self, sweep: str, update_tag: int, started: float) -> None:
        """Opens a sweep and empties the spool of the one before."""
        with self._lock, self._database:
            self._database.execute("BEGIN")
            self._database.execute("DELETE FROM links")
            self._database.execute("INSERT INTO sweeps VALUES (?, ?, ?, 'running', NULL)", (sweep, update_tag, started))

    def finish(self, sweep: str, status: str, report: Mapping[str, Any] | None) -> None:
        """Closes a sweep with its status and its report as a JSON document."""
        text = orjson.dumps(report).decode() if report is not None else None
        with self._lock:
            self._database.execute("UPDATE sweeps SET status = ?, report = ? WHERE id = ?", (status, text, sweep))

    def record(self, sweep: str, results: Iterable[tuple[UnitResult, str]]) -> None:
        """Notes units as done: each result with the call's literal inputs."""
        rows = [
            (
                *(sweep, each.account, each.region, each.service, each.operation, literal, each.outcome.value),
                *(each.records, each.calls, each.seconds, each.error, orjson.dumps(each.details).decode()),
            )
            for each, literal in results
        ]
        with self._lock, self._database:
            self._database.execute("BEGIN")
            self._database.executemany("INSERT OR REPLACE INTO units VALUES (?,?,?,?,?,?,?,?,?,?,?,?)", rows)

    def spool(self, links: Iterable[tuple[str, str, str, str, str, str]]) -> None:
        """Keeps links (account, edge, start, end, region, properties as JSON) until both ends are in."""
        with self._lock, self._database:
            self._database.execute("BEGIN")
            # An edge that two records tell of differently is told the same way in every sweep.
            self._database.executemany(
                "INSERT INTO links VALUES (?,?,?,?,?,?) ON CONFLICT DO UPDATE SET "
                "region = max(region, excluded.region), properties = max(properties, excluded.properties)",
                links,
            )

    def spooled(self) -> list[tuple[str, str]]:
        """The (account, edge) pairs that wait."""
        with self._lock, closing(self._database.execute("SELECT DISTINCT account, edge FROM links")) as rows:
            return rows.fetchall()

    def links(self, account: str, edge: str, after: tuple[str, str], limit: int) -> list[tuple[str, str, str, str]]:
        """The next links (start, end, region, properties) of an account and edge, in the order of their keys."""
        query = (
            'SELECT start, "end", region, properties FROM links WHERE account = ? AND edge = ? '
            'AND (start, "end") > (?, ?) ORDER BY start, "end" LIMIT ?'
        )
        with self._lock, closing(self._database.execute(query, (account, edge, *after, limit))) as rows:
            return rows.fetchall()

    def empty_spool(self) -> None:
        """Forgets the links: they are written."""
        with self._lock:
            self._database.execute("DELETE FROM links")

    def sweeps(self) -> list[Past]:
        """Past sweeps, the latest first."""
        query = "SELECT id, update_tag, started, status FROM sweeps ORDER BY started DESC, update_tag DESC"
        with self._lock, closing(self._database.execute(query)) as rows:
            return [Past(*row) for row in rows]

    def report(self, sweep: str | None = None) -> dict[str, Any] | None:
        """A past sweep's report document (the latest's without `sweep`); None where there is none."""
        query = (
            "SELECT report FROM sweeps WHERE report IS NOT NULL AND (id = ? OR ? IS NULL) ORDER BY started DESC LIMIT 1"
        )
        with self._lock, closing(self._database.execute(query, (sweep, sweep))) as rows:
            row = rows.fetchone()
        return orjson.loads(row[0]) if row else None

    def units(self, sweep: str) -> Iterator[UnitResult]:
        """All units of a sweep, in the order of account, region and call; streamed."""
        query = (
            "SELECT account, region, service, operation, outcome, records, calls, seconds, error, details "
            "FROM units WHERE sweep = ?"
        )
        rows: Sequence[Any]
        with closing(self._database.execute(query, (sweep,))) as cursor:
            for *rows, error, details in cursor:
                account, region, service, operation, outcome, records, calls, seconds = rows
                failures = tuple(
                    DetailFailure(**{**d, "outcome": Outcome(d["outcome"])}) for d in orjson.loads(details)
                )
                yield UnitResult(
                    *(account, region, service, operation, Outcome(outcome), records, calls, seconds, error, failures)
                )
