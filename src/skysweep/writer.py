"""Batches → Bolt. Each writer takes what waits in its stream, groups it by type, and commits it together.

Accounts are dealt to writers, so no two transactions race for an account's nodes; what several accounts share goes
through the first writer alone. Rows are sorted by key. A row that the store refuses is found by bisection and
reported; the rest of its batch goes in.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf
from typing import TYPE_CHECKING, Any, Self

import anyio
import orjson
from anyio.streams.memory import MemoryObjectReceiveStream
from neo4j.exceptions import Neo4jError

from skysweep import cypher
from skysweep.catalogue import Catalogue, Type
from skysweep.ledger import Ledger
from skysweep.model import Edge
from skysweep.outcomes import Quarantined, Tally
from skysweep.records import Linked, Row
from skysweep.store import Store

if TYPE_CHECKING:
    from neo4j import AsyncManagedTransaction

ROWS = 4_000  # rows a transaction takes at most, about
WAITING = 8_000  # rows that are handed over and not committed yet, about: more would only be memory
_REFUSALS = re.compile(
    r"Neo\.ClientError\.(Statement\.(TypeError|ArgumentError)|Schema\.ConstraintValidationFailed).*"
    r"|.*(too large to index|Transaction error on commit)",  # Neo4j's and ArcadeDB's word for a value beyond an index
    re.DOTALL,
)
_ON_COMMIT = "Transaction error on commit"  # which is all that ArcadeDB says of a full disk, too
INDEXED_BYTES = 250_000  # what ArcadeDB's indexes hold of a value, almost: 262,144
UNFIT = (ValueError, TypeError, OverflowError)  # what the driver cannot put on the wire


@dataclass(slots=True)
class Batch:
    """Rows and links of one type, from one unit. done: called once they are committed and spooled.

    owner: the account that owns them, where that is not the one that saw them.
    """

    type: Type
    account: str
    region: str
    rows: list[Row] = field(default_factory=list)
    links: list[Linked] = field(default_factory=list)
    owner: str = ""
    done: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True)
class _Piece:
    """Rows for one statement, of one type; name: what a row is called where it is told of."""

    statement: str
    type: Type
    rows: list[Row]
    name: Callable[[Row], str]

    @classmethod
    def of_links(cls, drawn: tuple[Type, Edge, bool], rows: list[Row]) -> Self:
        """Links of one edge. drawn: by which type, and whether by visits."""
        type_, edge, visits = drawn
        statement = cypher.link(type_, edge, visits=visits)
        return cls(statement, type_, rows, lambda row: f"{edge.kind} {row['start']} -> {row['end']}")


async def _all(tx: AsyncManagedTransaction, pieces: Sequence[_Piece], tag: int) -> list[dict[str, Any]]:
    for piece in pieces:
        query: Any = piece.statement  # the driver wants a LiteralString; ours are built from the declarations
        await (await tx.run(query, rows=piece.rows, tag=tag)).consume()
    return []


class Room:
    """Room for so many rows, or one batch more; whoever comes when it is full waits for its turn."""

    def __init__(self, rows: int) -> None:
        self._free = rows
        self._turn = anyio.Lock()
        self._left = anyio.Event()

    async def enter(self, rows: int) -> None:
        """Takes room for a batch."""
        async with self._turn:
            while self._free <= 0:
                self._left = anyio.Event()
                await self._left.wait()
            self._free -= rows

    def leave(self, rows: int) -> None:
        """Gives it back."""
        self._free += rows
        self._left.set()


class Writer:
    """The writers of one sweep, a context manager: `send` takes batches, `run` writes them until `close`.

    aside: where the rows and links go that the store refuses.
    """

    def __init__(
        self,
        store: Store,
        ledger: Ledger,
        sweep: str,
        tag: int,
        tally: Tally,
        *,
        aside: list[Quarantined] | None = None,
    ) -> None:
        self._count = store.writers
        self._store = store
        self._ledger = ledger
        self._sweep = sweep
        self._tag = tag
        self._tally = tally
        self._streams = [anyio.create_memory_object_stream[Batch](inf) for _ in range(self._count)]
        self._room = Room(WAITING)
        self.aside = [] if aside is None else aside

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        for stream in self._streams:
            stream[1].close()

    async def send(self, batch: Batch) -> None:
        """Hands a batch over; waits while the writers lag."""
        await self._room.enter(len(batch.rows))
        number = 0 if _is_alone(batch.type) else zlib.crc32((batch.owner or batch.account).encode()) % self._count
        self._streams[number][0].send_nowait(batch)

    def close(self) -> None:
        """No more batches will come."""
        for send, _ in self._streams:
            send.close()

    async def run(self) -> None:
        """Writes until all streams are closed and empty."""
        async with anyio.create_task_group() as tasks:
            for _, receive in self._streams:
                tasks.start_soon(self._work, receive)

    async def accounts(self, rows: Sequence[Row]) -> None:
        """Makes sure of the account nodes `{id, props}` that all else hangs on."""
        statement = cypher.engines("AWSAccount", labels_are_types=self._store.labels_are_types)
        for first in range(0, len(rows), ROWS):
            await self._store.run(statement, rows=list(rows[first : first + ROWS]), tag=self._tag)

    async def links(self, catalogue: Catalogue) -> None:
        """Writes the spooled links, accounts dealt to the writers; edges that several accounts see by one alone."""
        edges = {
            _key(type_, edge, visits=visits): (type_, edge, visits)
            for type_ in catalogue.types
            for edge in type_.edges
            for visits in (False, True)
        }
        lots = iter(await anyio.to_thread.run_sync(self._lots, edges))

        async def work() -> None:
            gathered: dict[str, list[Row]] = {}  # small accounts have few links of each kind: theirs go together
            for lot in lots:  # shared by the writers: each takes the next one
                for account, key in ((account, key) for account, keys in lot for key in keys):
                    async for rows in self._waiting(account, key):
                        gathered.setdefault(key, []).extend(rows)
                        if sum(map(len, gathered.values())) >= ROWS:
                            await self._link(gathered, edges)
            await self._link(gathered, edges)

        async with anyio.create_task_group() as tasks:
            for _ in range(self._count):
                tasks.start_soon(work)

    def _lots(self, edges: Mapping[str, tuple[Type, Edge, bool]]) -> list[list[tuple[str, list[str]]]]:
        """Whose links of which edges wait, by who writes them: first what several see, then each account's.

        Links of edges that are none of these wait on: another version may have drawn them.
        """
        kept = {key: key for key in edges}  # the spool's words are another object each time
        shared, own = dict[str, list[str]](), dict[str, list[str]]()
        for account, key in self._ledger.spooled(self._sweep):
            if key in edges:
                type_, _, visits = edges[key]
                (shared if type_.shared or visits else own).setdefault(account, []).append(kept[key])
        return [[*shared.items()], *([each] for each in own.items())]

    async def _waiting(self, account: str, key: str) -> AsyncIterator[list[Row]]:
        """The links of an account and edge that wait, in parts."""
        after = "", ""
        while rows := await anyio.to_thread.run_sync(self._ledger.links, self._sweep, account, key, after, ROWS):
            after = rows[-1][0], rows[-1][1]
            yield [
                {"start": start, "end": end, "props": orjson.loads(properties), "account": account, "region": region}
                for start, end, region, properties in rows
            ]

    async def _link(self, gathered: dict[str, list[Row]], edges: Mapping[str, tuple[Type, Edge, bool]]) -> None:
        """Writes links by their edges, and forgets them."""
        pieces = [_Piece.of_links(edges[key], rows) for key, rows in gathered.items()]
        gathered.clear()
        await self._commit(pieces)
        self._tally.links += sum(len(piece.rows) for piece in pieces)

    async def _work(self, receive: MemoryObjectReceiveStream[Batch]) -> None:
        async with receive:
            async for first in receive:
                taken = [first, *_waiting(receive, ROWS - len(first.rows))]
                own: list[_Piece] = []
                lots = [own]
                for (type_, visits), rows in _by_type(taken).items():
                    piece = self._piece(type_, rows, visits=visits)
                    if visits or _is_alone(type_):
                        lots.append([piece])  # alone: with more in hand it might wait for a writer that waits for it
                    else:
                        own.append(piece)
                for lot in lots:
                    await self._commit(lot)
                spooled = [each for batch in taken for each in _spooled(batch)]
                if spooled:
                    await anyio.to_thread.run_sync(self._ledger.spool, self._sweep, spooled)
                count = sum(len(batch.rows) for batch in taken)
                self._tally.rows += count
                self._room.leave(count)
                for batch in taken:
                    batch.done()

    def _piece(self, type_: Type, rows: list[Row], *, visits: bool) -> _Piece:
        form = cypher.visit if visits else cypher.upsert
        statement = form(type_, labels_are_types=self._store.labels_are_types)
        return _Piece(statement, type_, rows, lambda row: str(row["id"]))

    async def _commit(self, pieces: Sequence[_Piece]) -> None:
        """Writes all in one transaction; where the store refuses something, each for itself, and it by halves."""
        try:
            if pieces:
                await self._store.transact(_all, pieces, self._tag)
        except (Neo4jError, *UNFIT) as error:
            if not refused(error):
                raise
            if len(pieces) > 1:
                for piece in pieces:
                    await self._commit([piece])
            else:
                await self._halve(pieces[0], error)

    async def _halve(self, piece: _Piece, error: Exception) -> None:
        rows = piece.rows
        if len(rows) > 1:
            half = len(rows) // 2
            for part in (rows[:half], rows[half:]):
                await self._commit([replace(piece, rows=part)])
        elif _to_blame(rows[0], error):
            self._put_aside(piece.type, piece.name(rows[0]), rows[0], error)
        else:
            raise error

    def _put_aside(self, type_: Type, name: str, row: Row, error: Exception) -> None:
        reason = shown(f"{type(error).__name__}: {error}")
        call = str(type_.source.call.root)
        self.aside.append(Quarantined(type_.name, shown(name), row["account"], row["region"], call, 0, reason))


def _is_alone(type_: Type) -> bool:
    """Whether several accounts may write such nodes, so that one writer must write them all."""
    return type_.shared or type_.extends


def refused(error: Exception) -> bool:
    """Whether the store refuses what a row holds; all else is no row's fault, and stops the sweep."""
    return not isinstance(error, Neo4jError) or _REFUSALS.match(f"{error.code} {error.message}") is not None


def _to_blame(row: Row, error: Exception) -> bool:
    """Whether it is this row, and not the store's disk, that keeps it from being committed."""
    if _ON_COMMIT not in str(error):
        return True
    values = row.get("id"), *row["props"].values()
    return any(len(value.encode(errors="replace")) > INDEXED_BYTES for value in values if isinstance(value, str))


def shown(value: object) -> str:
    """The beginning of a value for a report: what UTF-8 cannot hold is replaced."""
    return str(value)[:200].encode(errors="replace").decode()


def _waiting(receive: MemoryObjectReceiveStream[Batch], rows: int) -> Iterable[Batch]:
    """What is in the stream already, until `rows` are together."""
    while rows > 0:
        try:
            batch = receive.receive_nowait()
        except (anyio.WouldBlock, anyio.EndOfStream):
            return
        rows -= len(batch.rows)
        yield batch


def _by_type(batches: Iterable[Batch]) -> dict[tuple[Type, bool], list[Row]]:
    """Rows with their scope, by type (and whether another account owns them) and sorted by id.

    Of equal ids the latest row counts, and the greatest region.
    """
    grouped: dict[tuple[Type, bool], dict[str, Row]] = {}
    for batch in batches:
        rows = grouped.setdefault((batch.type, bool(batch.owner)), {})
        several = batch.type.shared or batch.owner
        for row in batch.rows:
            key = f"{row['id']} {batch.account}" if several else row["id"]
            region = max(batch.region, rows[key]["region"]) if key in rows else batch.region
            rows[key] = {**_owned(batch.type, row), "account": batch.account, "region": region}
    return {group: [rows[key] for key in sorted(rows)] for group, rows in grouped.items() if rows}


def _owned(type_: Type, row: Row) -> Row:
    """Rows that extend another's node say what they know, and never that something is not there."""
    if not type_.extends:
        return row
    return {"id": row["id"], "props": {name: value for name, value in row["props"].items() if value is not None}}


def _spooled(batch: Batch) -> Iterable[tuple[str, str, str, str, str, str]]:
    for link in batch.links:
        edge = _key(batch.type, batch.type.edges[link.edge], visits=bool(batch.owner))
        yield batch.account, edge, link.start, link.end, batch.region, orjson.dumps(link.properties).decode()


def _key(type_: Type, edge: Edge, *, visits: bool) -> str:
    """What the spool calls an edge; those of what another account owns are told apart."""
    return f"{type_.name}.{edge.name}{' of another' if visits else ''}"
