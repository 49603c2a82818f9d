"""The graph: a Neo4j somewhere, or ArcadeDB in a folder, behind one Bolt driver and one dialect of Cypher.

What differs between the two is here and nowhere else:

- Labels. Neo4j sets a node's further labels in the statement (`SET n:A:B`). ArcadeDB's labels are types: `prepare`
  makes them supertypes once, `SET n:A` fails, `MERGE` takes the primary label only (`Store.labels_are_types`).
- Writers. ArcadeDB's transactions conflict when two write one type, Neo4j's when they write one node (`Store.writers`).
- Edges. ArcadeDB walks all edges of the node that a MERGE pattern begins with: begin with the one that has few.
- Datetimes. Give aware ones to both, and comparisons in Cypher work on both. ArcadeDB keeps the instant and drops the
  zone, so that its driver answers with naive UTC values: read through `Store.run` or `native`, and both are equal.

The embedded graph belongs to the process that opened its folder first (see `arcadedb.py`).
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol
from urllib.parse import urlsplit

import anyio
import neo4j.time
from neo4j import READ_ACCESS, WRITE_ACCESS, AsyncGraphDatabase, AsyncManagedTransaction
from neo4j.exceptions import AuthError, ClientError, ConfigurationError, DriverError, IncompleteCommit, Neo4jError

from skysweep import arcadedb
from skysweep.address import StoreSettings, shown
from skysweep.errors import BadStore, Overtaken, StoreLost

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence

    from neo4j import AsyncBookmarkManager, AsyncDriver, AsyncSession

    Work = Callable[..., Awaitable[list[dict[str, Any]]]]

__all__ = ["NodeType", "Schema", "Store", "StoreSettings", "lost", "native", "open_store", "shown"]

NEO4J_WRITERS = 8
INDEX_SECONDS = 600  # how long new indexes of a graph that is full already may take
BUSY_SECONDS = 5.0  # for which the driver itself tries a transaction again, at ever longer intervals
SOON_SECONDS, AWAY_SECONDS = 0.02, 1.0  # between our attempts to reach a store that is away: the first, the longest
TERMINATED = frozenset(f"Neo.ClientError.Transaction.{why}" for why in ("Terminated", "LockClientStopped"))

FENCE = "MATCH (s:SkysweepState {id: 'sweep'}) RETURN s.fence AS fence"
"""The fence that stands now: whoever holds an older one must not write (`lease.py`)."""

# Without a handler Python prints the driver's warnings (each retried transaction is one) over the user's terminal.
logging.getLogger("neo4j").addHandler(logging.NullHandler())


@dataclass(frozen=True)
class NodeType:
    """A type of node. also: its further labels. indexes: names of properties to index besides the unique `id`."""

    label: str
    also: tuple[str, ...]
    indexes: tuple[str, ...]


class Schema(Protocol):
    """How a kind of store makes room for types."""

    async def prepare(self, store: Store, nodes: Sequence[NodeType], edges: Sequence[str]) -> None:
        """Makes what is missing of labels, constraints, indexes and edge types."""


@dataclass(frozen=True)
class Store:
    """An open graph. labels_are_types: further labels are set up by `prepare`, not by statements.

    writers: how many transactions may write at once without getting into each other's way.
    fence: the lease that `run` holds to: with another one in the graph it raises Overtaken, and nothing is changed.
    patience: seconds for which `run` outlives the store's absence, beyond the driver's own BUSY_SECONDS.
    gone: whether a store that is away is known never to come back.
    """

    kind: Literal["neo4j", "arcadedb"]
    driver: AsyncDriver
    database: str
    labels_are_types: bool
    writers: int
    read_only: bool
    schema: Schema
    bookmarks: AsyncBookmarkManager | None = None
    fence: int | None = None
    patience: float = 0.0
    gone: Callable[[], bool] = lambda: False

    async def prepare(self, nodes: Sequence[NodeType], edges: Sequence[str]) -> None:
        """Makes labels, edge types, the unique `id`, the listed indexes and (_account, _region), where missing.

        Raises BadStore where the graph refuses, for instance because it holds an id twice.
        """
        try:
            await self.schema.prepare(self, nodes, edges)
        except (Neo4jError, DriverError) as error:
            raise BadStore(f"the graph's schema cannot be prepared: {_line(error)}") from error

    async def run(self, query: str, **parameters: Any) -> list[dict[str, Any]]:
        """One managed transaction, tried again while the store is busy, or away for no longer than the patience.

        Rows are dicts of native Python values: nodes are dicts of properties, edges are (start, type, end), datetimes
        are aware, in UTC. Raises as `transact` does.
        """
        return await self.transact(_rows, query, parameters)

    async def gather(self, queries: Iterable[str], **parameters: Any) -> list[dict[str, Any]]:
        """The rows of several reads, which the store plans and answers side by side."""
        rows: list[dict[str, Any]] = []

        async def read(query: str) -> None:
            rows.extend(await self.run(query, **parameters))

        async with anyio.create_task_group() as reading:
            for query in queries:
                reading.start_soon(read, query)
        return rows

    async def transact(self, work: Work, *arguments: Any) -> list[dict[str, Any]]:
        """`work(transaction, *arguments)` in one managed transaction, behind the fence, with the same patience.

        It may be done twice: a commit whose answer was lost is tried again. Raises neo4j's errors, StoreLost when the
        patience is over, Overtaken behind another fence.
        """
        since, pause = None, SOON_SECONDS
        while True:
            try:
                return await self._once(work, *arguments)
            except (DriverError, Neo4jError, OSError) as error:
                if not self.patience or not _away(error):
                    raise
                since = since or time.monotonic()
                self._despair(time.monotonic() - since, error)
            await anyio.sleep(pause)
            pause = min(2 * pause, AWAY_SECONDS)

    async def _once(self, work: Work, *arguments: Any) -> list[dict[str, Any]]:
        async with self.session() as session:
            execute = session.execute_read if self.read_only else session.execute_write
            return await execute(_behind, self.fence, work, *arguments)

    def _despair(self, seconds: float, error: Exception) -> None:
        """Raises StoreLost where there is nothing to wait for any more."""
        if self.gone():
            why = "the embedded graph's process has ended"
        elif seconds >= self.patience:
            why = f"the graph has been away for {self.patience:.0f} s ({_line(_root(error))}): bring it back"
        else:
            return
        raise StoreLost(f"{why}; what is in it stays, and `skysweep sync --resume` does the rest") from error

    def session(self, **options: Any) -> AsyncSession:
        """A session of the driver on this store's database, for streams and transactions of one's own."""
        access = READ_ACCESS if self.read_only else WRITE_ACCESS
        defaults = {"database": self.database, "default_access_mode": access, "bookmark_manager": self.bookmarks}
        return self.driver.session(**{**defaults, **options})


@asynccontextmanager
async def open_store(settings: StoreSettings, *, start: bool = True, read_only: bool = False) -> AsyncIterator[Store]:
    """Opens the graph that the settings name; the embedded one is started, unless a process has it open already.

    start=False only connects to an embedded graph that is open. read_only: sessions are for reading (Neo4j enforces it,
    ArcadeDB does not), and an embedded graph that does not exist is not made. Raises BadStore, one line.
    """
    opened = _open_neo4j(settings, read_only) if settings.uri else _open_arcadedb(settings, start, read_only)
    async with opened as store:
        yield store


def native(value: Any) -> Any:
    """The driver's value as Python's own, the same from both stores: datetimes aware in UTC, dates, lists and dicts."""
    if isinstance(value, neo4j.time.DateTime):
        moment = value.to_native()
        return moment.astimezone(dt.UTC) if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    if isinstance(value, neo4j.time.Date):
        return value.to_native()
    if isinstance(value, (list, tuple)):
        return type(value)(map(native, value))
    if isinstance(value, dict):
        return {key: native(each) for key, each in value.items()}
    return value


def lost(error: BaseException) -> StoreLost | None:
    """What a refusal of the store means for a sweep; None where `error` holds none, or one that is our statement's."""
    if isinstance(error, BaseExceptionGroup):
        return next(filter(None, map(lost, error.exceptions)), None)
    ours = isinstance(error, Neo4jError) and (error.code or "").startswith("Neo.ClientError.Statement.")
    if ours or not isinstance(error, Neo4jError | DriverError):
        return None
    return StoreLost(
        f"the graph cannot be written any more: {_line(error)}; make room on its disk, or mend what it says, then "
        "`skysweep sync --resume` does the rest"
    )


def _away(error: BaseException) -> bool:
    """Whether the store may be back later. A commit whose answer was lost is among them: our writes may be repeated."""
    if isinstance(error, DriverError | Neo4jError):
        stopping = isinstance(error, Neo4jError) and error.code in TERMINATED
        return error.is_retryable() or stopping or isinstance(error, IncompleteCommit)
    return isinstance(error, OSError)


async def _behind(tx: AsyncManagedTransaction, fence: int | None, work: Work, *arguments: Any) -> list[dict[str, Any]]:
    """The fence comes last: until the end of the transaction nobody else can write what it has written.

    Looked at first, it would let through what is written after the lease has passed on.
    """
    done = await work(tx, *arguments)
    if fence is not None:
        found = await _rows(tx, FENCE, {})
        if [row["fence"] for row in found] != [fence]:
            raise Overtaken("another sweep has taken this graph over: this one stops, and changes nothing more")
    return done


# The driver wants LiteralStrings; ours are built from the declarations, and from what the user of `query` types: Any.
async def _rows(tx: AsyncManagedTransaction, query: Any, parameters: dict[str, Any]) -> list[dict[str, Any]]:
    result = await tx.run(query, parameters)
    return [native(record.data()) async for record in result]


@asynccontextmanager
async def _open_arcadedb(settings: StoreSettings, start: bool, read_only: bool) -> AsyncIterator[Store]:
    async with arcadedb.running(settings.folder, start=start, create=not read_only) as server:
        # Conflicts of transactions are over in no time: the driver's first wait of 1 s would be most of the run.
        driver = AsyncGraphDatabase.driver(
            server.uri, auth=server.auth, initial_retry_delay=0.05, max_transaction_retry_time=BUSY_SECONDS
        )
        async with driver:
            yield Store(
                kind="arcadedb",
                driver=driver,
                database=arcadedb.DATABASE,
                labels_are_types=True,
                writers=1,
                read_only=read_only,
                schema=arcadedb.Schema(server),
                gone=lambda: not arcadedb.serves(settings.folder, server),
            )


@asynccontextmanager
async def _open_neo4j(settings: StoreSettings, read_only: bool) -> AsyncIterator[Store]:
    driver = _driver(settings)
    async with driver:
        database = await _home(driver, settings)
        yield Store(
            kind="neo4j",
            driver=driver,
            database=database,
            labels_are_types=False,
            writers=NEO4J_WRITERS,
            read_only=read_only,
            schema=Neo4jSchema(),
            bookmarks=AsyncGraphDatabase.bookmark_manager(),
        )


def _driver(settings: StoreSettings) -> AsyncDriver:
    uri = settings.uri or ""
    auth = (settings.user, settings.password or "") if settings.user else None
    wrong = BadStore(f"{shown(uri)} is no Bolt address: use bolt://HOST:7687, neo4j://HOST or neo4j+s://HOST")
    parts = urlsplit(uri)
    if parts.scheme.partition("+")[0] not in {"bolt", "neo4j"} or not parts.hostname:  # the driver would try http, too
        raise wrong
    try:
        return AsyncGraphDatabase.driver(
            uri,
            auth=auth,
            connection_timeout=10,
            # Its waits double: with the default of 30 s it would look 16 s too late whether the store is back.
            max_transaction_retry_time=BUSY_SECONDS,
            notifications_min_severity="OFF",
        )
    except (ConfigurationError, ValueError) as error:
        raise wrong from error


async def _home(driver: AsyncDriver, settings: StoreSettings) -> str:
    """Asks the server for a sign of life; the name of the database that answered."""
    where = shown(settings.uri)
    try:
        async with driver.session(database=settings.database, default_access_mode=READ_ACCESS) as session:
            summary = await (await session.run("RETURN 1")).consume()
    except AuthError as error:
        who = f"user {settings.user!r}" if settings.user else "anyone without a name"
        raise BadStore(f"{where} does not let {who} in: check the user and the password ({error.code})") from error
    except ClientError as error:
        if error.code == "Neo.ClientError.Database.DatabaseNotFound":
            raise BadStore(f"{where} has no database {settings.database!r}: create it, or name another") from error
        raise BadStore(f"{where} refuses: {_line(error)}") from error
    except ConfigurationError as error:
        raise BadStore(f"{where} is too old, Neo4j 5.7 or later is needed: {_line(error)}") from error
    except (DriverError, Neo4jError, OSError, ValueError) as error:
        raise BadStore(
            f"no Neo4j answers at {where}: check the address, and that it is up ({_line(_root(error))})"
        ) from error
    return summary.database or settings.database or "neo4j"


def _root(error: BaseException) -> BaseException:
    """What lies under the driver's wrapping: the refused connection, the unknown host."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def _line(error: BaseException) -> str:
    text = getattr(error, "message", None) or str(error) or type(error).__name__
    return " ".join(str(text).split())[:300]


class Neo4jSchema:
    """Constraints and indexes of Neo4j."""

    async def prepare(self, store: Store, nodes: Sequence[NodeType], edges: Sequence[str]) -> None:
        """Makes what is missing, in one transaction; waits until the indexes are online."""
        del edges  # edge types need no preparation
        rows = await store.run(
            "SHOW INDEXES YIELD type, labelsOrTypes, properties, owningConstraint WHERE type = 'RANGE' "
            "RETURN labelsOrTypes[0] AS label, properties, owningConstraint IS NOT NULL AS unique"
        )
        there = {(row["label"], *row["properties"]): row["unique"] for row in rows}
        missing = [make for make, key in _wanted(nodes) if key not in there]
        if missing:
            await store.transact(_each, missing)
            await store.run("CALL db.awaitIndexes($seconds)", seconds=INDEX_SECONDS)


def _wanted(nodes: Sequence[NodeType]) -> list[tuple[str, tuple[str, ...]]]:
    """Statements with the (label, *properties) that each makes room for."""
    wanted: list[tuple[str, tuple[str, ...]]] = []
    for node in nodes:
        label = f"`{node.label}`"
        unique = f"CREATE CONSTRAINT IF NOT EXISTS FOR (n:{label}) REQUIRE n.id IS UNIQUE"
        wanted.append((unique, (node.label, "id")))
        scope = f"CREATE INDEX IF NOT EXISTS FOR (n:{label}) ON (n._account, n._region)"
        wanted.append((scope, (node.label, "_account", "_region")))
        for name in node.indexes:
            index = f"CREATE INDEX IF NOT EXISTS FOR (n:{label}) ON (n.`{name}`)"
            wanted.append((index, (node.label, name)))
    return wanted


async def _each(tx: AsyncManagedTransaction, statements: Sequence[Any]) -> list[dict[str, Any]]:
    for statement in statements:
        await (await tx.run(statement)).consume()
    return []
