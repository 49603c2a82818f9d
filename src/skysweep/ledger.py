"""What is done: sweeps, their units, what was put aside, and the spool of links that wait for both ends.

SQLite in WAL mode, in the state directory: what a killed process had committed is there. One process writes a ledger
at a time; the calls are short and synchronous, and the async side runs them in a thread.
"""

from __future__ import annotations

import fcntl
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, Self

import orjson

from skysweep.errors import BadStore, LedgerLost
from skysweep.outcomes import DetailFailure, Gap, Outcome, Quarantined, UnitResult
from skysweep.plan import Account, Unit

FILE = "ledger.sqlite"
VERSION = 3
ASKING = "asking"  # for its lease: it has written nothing yet
UNFINISHED = ("running", "interrupted", "failed")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS sweeps (
    id TEXT PRIMARY KEY, update_tag INTEGER NOT NULL, started REAL NOT NULL, status TEXT NOT NULL, report TEXT,
    fingerprint TEXT NOT NULL DEFAULT '', counts TEXT NOT NULL DEFAULT '{}');
CREATE TABLE IF NOT EXISTS accounts (
    sweep TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, partition TEXT NOT NULL, regions TEXT NOT NULL,
    PRIMARY KEY (sweep, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS units (
    sweep TEXT NOT NULL, account TEXT NOT NULL, region TEXT NOT NULL, service TEXT NOT NULL, operation TEXT NOT NULL,
    literal TEXT NOT NULL, outcome TEXT NOT NULL, records INTEGER NOT NULL, calls INTEGER NOT NULL,
    seconds REAL NOT NULL, error TEXT, details TEXT NOT NULL,
    PRIMARY KEY (sweep, account, region, service, operation, literal)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS gaps ON units (sweep) WHERE outcome IN ('denied', 'failed') OR details <> '[]';
CREATE INDEX IF NOT EXISTS dear ON units (sweep, account, calls) WHERE calls > 1;
CREATE TABLE IF NOT EXISTS quarantined (
    sweep TEXT NOT NULL, type TEXT NOT NULL, id TEXT NOT NULL, account TEXT NOT NULL, region TEXT NOT NULL,
    call TEXT NOT NULL, item INTEGER NOT NULL, reason TEXT NOT NULL,
    PRIMARY KEY (sweep, account, region, type, call, item, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS links (
    sweep TEXT NOT NULL, account TEXT NOT NULL, edge TEXT NOT NULL, start TEXT NOT NULL, "end" TEXT NOT NULL,
    region TEXT NOT NULL, properties TEXT NOT NULL,
    PRIMARY KEY (sweep, account, edge, start, "end")) WITHOUT ROWID;
"""
KEPT = 5  # sweeps whose units are kept beside the one that begins; reports always are
_WALKED = (
    "EXISTS (SELECT 1 FROM units AS u WHERE u.sweep = quarantined.sweep AND u.account = quarantined.account "
    "AND u.region = quarantined.region AND u.service || ':' || u.operation = quarantined.call)"
)
_OPEN = "(outcome IN ('denied', 'failed') OR details <> '[]')"  # as the index `gaps` has it
_LACKING = f"FROM units INDEXED BY gaps WHERE sweep = ? AND {_OPEN}"
_NOT_TOLD = f"""
SELECT service, operation, outcome, account, region, error, 0 AS calls, 0 AS detail
FROM units INDEXED BY gaps WHERE sweep = :sweep AND {_OPEN}
UNION ALL
SELECT json_extract(value, '$.service'), json_extract(value, '$.operation'), json_extract(value, '$.outcome'),
    account, region, json_extract(value, '$.error'), json_extract(value, '$.count'), 1
FROM units INDEXED BY gaps, json_each(details) WHERE sweep = :sweep AND {_OPEN}
"""  # noqa: S608 - ours
# SQLite takes a group's bare columns from the row that has the minimum.
_GAPS = f"""
SELECT service, operation, outcome, count(*), sum(calls), account, region, coalesce(error, ''), min(account || region)
FROM ({_NOT_TOLD}) WHERE outcome IN ('denied', 'failed')
GROUP BY service, operation, outcome, detail ORDER BY service, operation, outcome, detail
"""  # noqa: S608 - ours
_UNIT = "account, region, service, operation, literal, outcome, records, calls, seconds, error, details"


@dataclass(frozen=True, slots=True)
class Past:
    """A sweep that was: its id, update tag, epoch seconds of its start, status, and what it was a sweep of."""

    id: str
    update_tag: int
    started: float
    status: str
    fingerprint: str = ""


class Key(NamedTuple):
    """What a unit is called within its sweep and account."""

    region: str
    service: str
    operation: str
    literal: str

    @classmethod
    def of(cls, unit: Unit) -> Self:
        """The unit's."""
        return cls(unit.target.region, unit.call.service, unit.call.operation, unit.call.literal)


class Ledger:
    """The file of what is done; a context manager. Raises BadStore where it cannot be opened or is no ledger.

    Every method that writes raises LedgerLost where the disk does not take it.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # what it tells of the estate is its owner's
            self._database = sqlite3.connect(self.path, check_same_thread=False, isolation_level=None)
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = NORMAL")
            _upgrade(self._database)
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

    # A sweep and its plan

    def announce(self, sweep: str) -> None:
        """Knows a sweep by its id before it asks for its lease, and from then on."""
        with self._writing() as database:
            database.execute(
                "INSERT INTO sweeps (id, update_tag, started, status) VALUES (?, 0, ?, ?)", (sweep, time.time(), ASKING)
            )

    def ids(self) -> frozenset[str]:
        """Every sweep that has asked for a lease by this ledger, whether or not it got one."""
        return frozenset(row[0] for row in self._rows("SELECT id FROM sweeps"))

    def begin(self, sweep: Past, accounts: Iterable[Account]) -> None:
        """Opens a sweep of these accounts, and forgets what only the one before needed."""
        rows = [(sweep.id, each.id, each.name, each.partition, " ".join(each.regions)) for each in accounts]
        with self._writing() as database:
            database.execute("DELETE FROM links")
            database.execute("DELETE FROM accounts")
            database.execute("DELETE FROM sweeps WHERE status = ?", (ASKING,))
            for table in ("units", "quarantined"):
                database.execute(f"DELETE FROM {table} WHERE sweep NOT IN ({_latest(KEPT)})")  # noqa: S608 - literals of ours
            database.execute(
                "INSERT INTO sweeps (id, update_tag, started, status, fingerprint) VALUES (?, ?, ?, 'running', ?)",
                (sweep.id, sweep.update_tag, sweep.started, sweep.fingerprint),
            )
            database.executemany("INSERT INTO accounts VALUES (?, ?, ?, ?, ?)", rows)

    def resume(self, sweep: str) -> None:
        """Opens a sweep again; its units that failed will be tried again."""
        with self._writing() as database:
            database.execute("UPDATE sweeps SET status = 'running' WHERE id = ?", (sweep,))
            again = "sweep = ? AND (outcome = 'failed' OR details LIKE '%\"failed\"%')"
            database.execute(f"DELETE FROM units WHERE {again}", (sweep,))  # noqa: S608 - a literal of ours
            # What is walked again puts its own records aside: those of before may be well by now.
            database.execute(f"DELETE FROM quarantined WHERE sweep = ? AND NOT {_WALKED}", (sweep,))  # noqa: S608 - ours

    def finish(self, sweep: str, status: str, report: Mapping[str, Any] | None) -> None:
        """Closes a sweep with its status and its report as a JSON document."""
        text = orjson.dumps(report).decode() if report is not None else None
        with self._writing() as database:
            database.execute("UPDATE sweeps SET status = ?, report = ? WHERE id = ?", (status, text, sweep))
            if status not in UNFINISHED:
                database.execute("DELETE FROM links")
                database.execute("DELETE FROM accounts")

    def unfinished(self) -> Past | None:
        """The last sweep, where it was interrupted, killed or stopped before its end."""
        last = next(iter(self.sweeps()), None)
        return last if last is not None and last.status in UNFINISHED else None

    def accounts(self, sweep: str) -> list[Account]:
        """The accounts that an unfinished sweep set out to sweep, with their regions."""
        regions_of = cache(lambda text: tuple(text.split()))  # most accounts have the same
        query = "SELECT id, name, partition, regions FROM accounts WHERE sweep = ? ORDER BY id"
        return [
            Account(id=account, name=name, partition=partition, regions=regions_of(regions))
            for account, name, partition, regions in self._rows(query, sweep)
        ]

    def count(self, sweep: str, counts: Mapping[str, Any]) -> None:
        """Keeps further counts of the sweep, by name."""
        with self._writing() as database:
            _count(database, sweep, counts)

    def counts(self, sweep: str) -> dict[str, Any]:
        """The counts kept so far."""
        [[text]] = self._rows("SELECT counts FROM sweeps WHERE id = ?", sweep)
        counts: dict[str, Any] = orjson.loads(text)
        return counts

    # Units

    def record(
        self,
        sweep: str,
        results: Iterable[tuple[UnitResult, str]],
        aside: Iterable[Quarantined] = (),
        counts: Mapping[str, Any] | None = None,
    ) -> None:
        """Notes units as done, each result with the call's literal inputs, and with them the records put aside.

        counts: the sweep's counts so far (of calls, seconds), which its report will need after a resume.
        """
        rows = [
            (
                *(sweep, each.account, each.region, each.service, each.operation, literal, each.outcome.value),
                *(each.records, each.calls, each.seconds, each.error, orjson.dumps(each.details).decode()),
            )
            for each, literal in results
        ]
        put = [(sweep, *asdict(each).values()) for each in aside]
        with self._writing() as database:
            database.executemany("INSERT OR REPLACE INTO units VALUES (?,?,?,?,?,?,?,?,?,?,?,?)", rows)
            database.executemany("INSERT OR REPLACE INTO quarantined VALUES (?,?,?,?,?,?,?,?)", put)
            _count(database, sweep, counts or {})

    def done(self, sweep: str, account: str) -> dict[Key, UnitResult]:
        """The account's units that are noted."""
        query = f"SELECT {_UNIT} FROM units WHERE sweep = ? AND account = ?"  # noqa: S608 - our own column names
        return {Key(row[1], row[2], row[3], row[4]): _unit(row) for row in self._rows(query, sweep, account)}

    def units(self, sweep: str) -> Iterator[UnitResult]:
        """All units of a sweep, in the order of account, region and call; streamed."""
        query = f"SELECT {_UNIT} FROM units WHERE sweep = ?"  # noqa: S608 - our own column names
        yield from map(_unit, self._stream(query, sweep))

    def lacking(self, sweep: str, limit: int) -> list[UnitResult]:
        """The first units of a sweep that are not whole, at most so many."""
        found = map(_unit, self._stream(f"SELECT {_UNIT} {_LACKING}", sweep))
        return list(islice((unit for unit in found if unit.missing), limit))

    def count_lacking(self, sweep: str) -> int:
        """How many units of a sweep are not whole."""
        detail = " OR ".join(f'details LIKE \'%"outcome":"{outcome}"%\'' for outcome in ("denied", "failed"))
        query = f"SELECT count(*) {_LACKING} AND (outcome IN ('denied', 'failed') OR {detail})"
        return int(self._rows(query, sweep)[0][0])

    def gaps(self, sweep: str) -> list[Gap]:
        """What a sweep's units did not give, as `outcomes.gaps` puts it together."""
        return [
            Gap(service, operation, Outcome(outcome), *rest)
            for service, operation, outcome, *rest, _ in self._rows(_GAPS, sweep)
        ]

    def costs(self) -> dict[str, float]:
        """How many calls each account took, at most, in the sweeps that are kept; units of one call do not count."""
        each = "SELECT account, sum(calls) AS calls FROM units WHERE calls > 1 GROUP BY sweep, account"
        return dict(self._rows(f"SELECT account, max(calls) FROM ({each}) GROUP BY account"))  # noqa: S608 - ours

    def dear(self, account: str) -> dict[Key, float]:
        """How many calls the account's units took, at most, in the sweeps that are kept; those of more than one."""
        query = (
            "SELECT region, service, operation, literal, max(calls) FROM units "  # noqa: S608 - ours
            f"WHERE sweep IN ({_latest(KEPT + 1)}) AND account = ? AND calls > 1 "
            "GROUP BY region, service, operation, literal"
        )
        return {Key(*key): calls for *key, calls in self._rows(query, account)}

    def outcomes(self, sweep: str) -> dict[Outcome, int]:
        """How many units of a sweep came to each outcome."""
        query = "SELECT outcome, count(*) FROM units WHERE sweep = ? GROUP BY outcome"
        return {Outcome(outcome): count for outcome, count in self._rows(query, sweep)}

    def quarantined(self, sweep: str, limit: int = -1) -> list[Quarantined]:
        """The records that a sweep put aside."""
        query = "SELECT type, id, account, region, call, item, reason FROM quarantined WHERE sweep = ? LIMIT ?"
        return [Quarantined(*row) for row in self._rows(query, sweep, limit)]

    def count_quarantined(self, sweep: str) -> int:
        """How many they are."""
        return int(self._rows("SELECT count(*) FROM quarantined WHERE sweep = ?", sweep)[0][0])

    def scopes_put_aside(self, sweep: str) -> Iterator[tuple[str, str, str]]:
        """The (type, account, region) that a sweep put records of aside; streamed."""
        yield from self._stream("SELECT DISTINCT type, account, region FROM quarantined WHERE sweep = ?", sweep)

    # Links

    def spool(self, sweep: str, links: Iterable[tuple[str, str, str, str, str, str]]) -> None:
        """Keeps links (account, edge, start, end, region, properties as JSON) until both ends are in."""
        with self._writing() as database:
            # An edge that two records tell of differently is told the same way in every sweep.
            database.executemany(
                "INSERT INTO links VALUES (?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET "
                "region = max(region, excluded.region), properties = max(properties, excluded.properties)",
                ((sweep, *link) for link in links),
            )

    def spooled(self, sweep: str) -> Iterator[tuple[str, str]]:
        """The (account, edge) pairs that wait, in this order; one look into the table for each."""
        account_query = "SELECT account FROM links WHERE sweep = ? AND account > ? ORDER BY account LIMIT 1"
        edge_query = "SELECT edge FROM links WHERE sweep = ? AND account = ? AND edge > ? ORDER BY edge LIMIT 1"
        account = ""
        while accounts := self._rows(account_query, sweep, account):
            [[account]], edge = accounts, ""
            while edges := self._rows(edge_query, sweep, account, edge):
                [[edge]] = edges
                yield account, edge

    def links(
        self, sweep: str, account: str, edge: str, after: tuple[str, str], limit: int
    ) -> list[tuple[str, str, str, str]]:
        """The next links (start, end, region, properties) of an account and edge, in the order of their keys."""
        query = (
            'SELECT start, "end", region, properties FROM links WHERE sweep = ? AND account = ? AND edge = ? '
            'AND (start, "end") > (?, ?) ORDER BY start, "end" LIMIT ?'
        )
        return self._rows(query, sweep, account, edge, *after, limit)

    # Past sweeps

    def sweeps(self) -> list[Past]:
        """Past sweeps, the latest first."""
        # The clock may have been set back between them.
        query = "SELECT id, update_tag, started, status, fingerprint FROM sweeps WHERE status <> ? ORDER BY rowid DESC"
        return [Past(*row) for row in self._rows(query, ASKING)]

    def report(self, sweep: str | None = None) -> dict[str, Any] | None:
        """A past sweep's report document (the latest's without `sweep`); None where there is none."""
        query = (
            "SELECT report FROM sweeps WHERE report IS NOT NULL AND (id = ? OR ? IS NULL) ORDER BY rowid DESC LIMIT 1"
        )
        rows = self._rows(query, sweep, sweep)
        return orjson.loads(rows[0][0]) if rows else None

    def _stream(self, query: str, *parameters: Any) -> Iterator[Any]:
        """Rows as they are read; nobody may write meanwhile."""
        with self._whole(), closing(self._database.execute(query, parameters)) as rows:
            yield from rows

    def _rows(self, query: str, *parameters: Any) -> list[Any]:
        with self._lock, self._whole(), closing(self._database.execute(query, parameters)) as rows:
            return rows.fetchall()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction. Raises LedgerLost where the disk does not take it."""
        with self._lock, self._whole(), self._database:
            self._database.execute("BEGIN IMMEDIATE")
            yield self._database

    @contextmanager
    def _whole(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise LedgerLost(
                f"the ledger {self.path} cannot be written: {error}; make room on its disk, then "
                "`skysweep sync --resume`"
            ) from error
        except sqlite3.DatabaseError as error:
            if type(error) is not sqlite3.DatabaseError:  # the others are mistakes of ours
                raise
            raise LedgerLost(
                f"the ledger {self.path} is damaged: {error}; move it away and sweep anew, the graph needs no mend"
            ) from error


def _upgrade(database: sqlite3.Connection) -> None:
    """Makes the tables; a ledger of an older version keeps its sweeps and units."""
    [version] = database.execute("PRAGMA user_version").fetchone()
    [older] = database.execute("SELECT count(*) FROM sqlite_master WHERE name = 'sweeps'").fetchone()
    if version > VERSION:
        raise sqlite3.DatabaseError("it was made by a newer skysweep")
    if older and version < 2:  # noqa: PLR2004 - the first
        database.executescript(
            "DROP TABLE IF EXISTS links;"
            "ALTER TABLE sweeps ADD COLUMN fingerprint TEXT NOT NULL DEFAULT '';"
            "ALTER TABLE sweeps ADD COLUMN counts TEXT NOT NULL DEFAULT '{}';"
            "UPDATE sweeps SET status = 'interrupted (before an upgrade)' WHERE status IN ('running', 'interrupted')"
        )
    if version != VERSION:
        database.executescript(f"{_SCHEMA} PRAGMA user_version = {VERSION}")


def _latest(count: int) -> str:
    return f"SELECT id FROM sweeps ORDER BY rowid DESC LIMIT {count}"  # noqa: S608 - a number of ours


def _count(database: sqlite3.Connection, sweep: str, counts: Mapping[str, Any]) -> None:
    text = orjson.dumps(counts).decode()
    database.execute("UPDATE sweeps SET counts = json_patch(counts, ?) WHERE id = ?", (text, sweep))


def _unit(row: Sequence[Any]) -> UnitResult:
    account, region, service, operation, _, outcome, records, calls, seconds, error, details = row
    failures = tuple(DetailFailure(**{**each, "outcome": Outcome(each["outcome"])}) for each in orjson.loads(details))
    return UnitResult(
        *(account, region, service, operation, Outcome(outcome), records, calls, seconds, error, failures)
    )
