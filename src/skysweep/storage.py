"""Can a sweep be kept? The graph, the ledger and the disk, looked at without writing.

A Neo4j also begins a write and rolls it back; the ledger is opened read-only.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from typing import TYPE_CHECKING, Any

import anyio.to_thread
from neo4j import WRITE_ACCESS
from neo4j.exceptions import DriverError, Neo4jError

from skysweep.arcadedb import DATABASE
from skysweep.errors import BadStore
from skysweep.findings import Check, short
from skysweep.ledger import FILE
from skysweep.store import Store, StoreSettings, open_store, shown

if TYPE_CHECKING:
    from pathlib import Path

DISK_WARNS, DISK_FAILS = 1 << 30, 100 << 20  # bytes
LEDGER_SECONDS = 60.0  # for looking through it
LEDGER_STEPS = 100_000  # of SQLite's machine, between two looks at the clock


async def graph(settings: StoreSettings) -> list[Check]:
    """Whether the graph can be reached and written; an embedded one that is not there yet is fine."""
    if settings.uri:
        subject, mend = shown(settings.uri), "start the Neo4j, or correct its address, user, password and database"
    else:
        subject = str(settings.folder)
        mend = "name another folder with --store, or a --neo4j-uri"
        if not (settings.folder / "databases" / DATABASE).is_dir():
            return [_fresh(settings.folder)]
    try:
        async with open_store(settings, read_only=settings.uri is None) as store:
            return [check async for check in _opened(store, subject)]
    except BadStore as error:
        return [Check("store", subject, "failed", short(error), mend, fatal=True)]


async def _opened(store: Store, subject: str) -> AsyncIterator[Check]:
    version = (await store.driver.get_server_info()).agent
    yield Check("store", subject, "ok", f"{version}, database {store.database}")
    if store.kind == "neo4j":
        yield await attempt("writing", subject, lambda: rolled_back(store, "CREATE ()"))
        yield await attempt("constraints", subject, lambda: _constraints(store))


async def attempt(what: str, subject: str, work: Callable[[], Awaitable[str]]) -> Check:
    """Whether the graph lets the work be done."""
    try:
        return Check("store", subject, "ok", f"{what}: {await work()}")
    except (Neo4jError, DriverError) as error:
        told = f"{what}: {short(getattr(error, 'message', None) or error)}"
        mend = "give the user the right to write and to make constraints, on the server that leads the database"
        return Check("store", subject, "failed", told, mend, fatal=True)


async def rolled_back(store: Store, *statements: Any) -> str:
    """Runs them and takes them back: whatever they make is gone, and no name of ours stays behind."""
    async with store.session(default_access_mode=WRITE_ACCESS) as session:
        transaction = await session.begin_transaction()
        try:
            for statement in statements:
                await (await transaction.run(statement)).consume()
        finally:
            await transaction.rollback()
    return "allowed"


async def _constraints(store: Store) -> str:
    """Asks for a constraint that is there already: it makes none, and is refused to whom may make none."""
    rows = await store.run(
        "SHOW CONSTRAINTS YIELD type, labelsOrTypes, properties WHERE type = 'UNIQUENESS' AND properties = ['id'] "
        "RETURN labelsOrTypes[0] AS label LIMIT 1"
    )
    if not rows:
        return "none yet; the first sweep makes them"
    label = rows[0]["label"].replace("`", "``")
    return await rolled_back(store, f"CREATE CONSTRAINT IF NOT EXISTS FOR (n:`{label}`) REQUIRE n.id IS UNIQUE")


def _fresh(folder: Path) -> Check:
    subject = str(folder)
    if importlib.util.find_spec("arcadedb_embedded") is None:
        mend = "pip install 'skysweep[embedded]', or name a --neo4j-uri"
        return Check("store", subject, "failed", "the embedded graph's package is missing", mend, fatal=True)
    if why := _unwritable(folder):
        return Check("store", subject, "failed", why, "name another folder with --store", fatal=True)
    return Check("store", subject, "ok", "no graph yet; the first sweep makes it")


def space(folder: Path) -> Check:
    """Whether the disk of the state folder has room."""
    if why := _unwritable(folder):
        return Check("disk", str(folder), "failed", why, "name another folder with --store", fatal=True)
    return room(folder, shutil.disk_usage(_nearest(folder)).free)


def room(folder: Path, free: int) -> Check:
    """What so many free bytes mean."""
    mend = "make room, or name a folder on another disk with --store"
    detail = f"{free / (1 << 30):,.1f} GiB free"
    if free >= DISK_WARNS:
        return Check("disk", str(folder), "ok", detail)
    failed = free < DISK_FAILS
    return Check("disk", str(folder), "failed" if failed else "warning", detail, mend, fatal=failed)


async def ledger(folder: Path) -> Check:
    """Whether the ledger is intact; SQLite looks through it, at most LEDGER_SECONDS."""
    path = folder / FILE
    if not path.exists():
        return Check("ledger", str(path), "ok", "none yet; the first sweep makes it")
    try:
        problem = await anyio.to_thread.run_sync(_quick_check, path)
    except sqlite3.Error as error:
        if "interrupted" in str(error):
            return Check("ledger", str(path), "ok", f"opens; too large to look through in {LEDGER_SECONDS:g} s")
        problem = str(error)
    if problem == "ok":
        return Check("ledger", str(path), "ok", "intact")
    mend = "move it away: the next sweep begins a new one; only the past reports are in it"
    return Check("ledger", str(path), "failed", problem, mend, fatal=True)


def _quick_check(path: Path) -> str:
    # A ledger at rest has no WAL file, and opening it in the usual way would make one.
    at_rest = not path.with_name(f"{path.name}-wal").exists()
    address = f"{path.absolute().as_uri()}?{'immutable=1' if at_rest else 'mode=ro'}"
    deadline = time.monotonic() + LEDGER_SECONDS
    with closing(sqlite3.connect(address, uri=True)) as database:
        database.set_progress_handler(lambda: time.monotonic() > deadline, LEDGER_STEPS)
        return str(database.execute("PRAGMA quick_check(1)").fetchone()[0])


def _unwritable(folder: Path) -> str:
    """Why nothing can be written in the folder, or in what it would be made in; empty where it can."""
    at = _nearest(folder)
    if not at.is_dir():
        return f"{at} is no folder"
    return "" if os.access(at, os.W_OK | os.X_OK) else f"{at} cannot be written by this user"


def _nearest(folder: Path) -> Path:
    """The folder, or the first above it that exists."""
    return next(at for at in (folder.absolute(), *folder.absolute().parents) if at.exists())
