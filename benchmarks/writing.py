"""What the store takes: the rows of a sweep once more, by the writer alone, and by an UNWIND written by hand.

A sweep in this process fills the store while its batches are kept; then the store is emptied and each writes the same
rows and links again. Order (JSON on standard input): url, accounts, regions, syncs, times, store.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import anyio
import orjson

import skysweep
from benchmarks.estates import KEY, ROLE, Fake
from benchmarks.measure import Program
from benchmarks.rivals import environ
from benchmarks.stores import Held, Kind, empty
from skysweep import catalogue, cypher
from skysweep import settings as configuration
from skysweep.ledger import Ledger
from skysweep.outcomes import Tally
from skysweep.settings import Settings
from skysweep.store import Store, StoreSettings, open_store
from skysweep.writer import Batch, Writer

ROWS = 1_000  # of an UNWIND by hand: more was not faster
TAG = 1


async def kept(settings: Settings) -> list[Batch]:
    """The batches that a sweep of these settings hands to its writer."""
    batches: list[Batch] = []
    send = Writer.send

    async def keep(self: Writer, batch: Batch) -> None:
        batches.append(dataclasses.replace(batch, rows=[*batch.rows], links=[*batch.links], done=_nothing))
        await send(self, batch)

    Writer.send = keep  # type: ignore[method-assign]  # for the one sweep
    try:
        await skysweep.sweep(settings)
    finally:
        Writer.send = send  # type: ignore[method-assign]
    return batches


def _nothing() -> None:
    """Rows are in."""


async def by_writer(store: Store, batches: Sequence[Batch], accounts: Sequence[str]) -> float:
    """Seconds for the writer, spool and links included."""
    with tempfile.TemporaryDirectory() as folder, Ledger(Path(folder)) as ledger:
        began = time.perf_counter()
        with Writer(store, ledger, "alone", TAG, Tally()) as writer:
            await writer.accounts([{"id": each, "props": {"id": each}} for each in accounts])
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(writer.run)
                for batch in batches:
                    await writer.send(batch)
                writer.close()
            await writer.links(catalogue.load())
        return time.perf_counter() - began


async def by_hand(store: Store, batches: Sequence[Batch], accounts: Sequence[str]) -> float:
    """Seconds for statements as one writes them, one after another, that leave the same graph.

    MERGE by id, SET all properties, MERGE the edges; nothing is asked of who owns what or has seen it last.
    """
    nodes, edges = _grouped(batches)
    began = time.perf_counter()
    await store.run("UNWIND $rows AS id MERGE (n:AWSAccount {id: id})", rows=list(accounts))
    for (label, also, owned), rows in nodes.items():
        labels = "" if store.labels_are_types or not also else f"n:{':'.join(also)}, "
        statement = f"UNWIND $rows AS row MERGE (n:{label} {{id: row.id}}) SET {labels}n += row.props"
        if owned:
            statement += (
                " WITH n, row MATCH (a:AWSAccount {id: row.account}) MERGE (n)<-[r:RESOURCE]-(a) SET r += row.stamps"
            )
        await _each(store, statement, rows)
    for (start, start_on, kind, end, end_on), rows in edges.items():
        statement = (
            f"UNWIND $rows AS row MATCH (s:{start} {{{start_on}: row.start}}) MATCH (t:{end} {{{end_on}: row.end}}) "
            f"MERGE (s)-[r:{kind}]->(t) SET r += row.props"
        )
        await _each(store, statement, rows)
    return time.perf_counter() - began


def _grouped(batches: Iterable[Batch]) -> tuple[dict[Any, list[Any]], dict[Any, list[Any]]]:
    nodes: dict[Any, list[Any]] = {}
    edges: dict[Any, list[Any]] = {}
    for batch in batches:
        of_type = nodes.setdefault((batch.type.label, batch.type.also, batch.type.owned), [])
        stamps = {"firstseen": TAG * 1000, "lastupdated": TAG, "_account": batch.account, "_region": batch.region}
        of_node = {"firstseen": TAG * 1000, "lastupdated": TAG} if batch.type.shared else stamps
        of_type += [
            {"id": row["id"], "props": {**row["props"], **of_node}, "account": batch.account, "stamps": stamps}
            for row in batch.rows
        ]
        for link in batch.links:
            edge = batch.type.edges[link.edge]
            (start, start_on), (end, end_on) = cypher.ends(batch.type, edge)
            props = orjson.loads(orjson.dumps(link.properties))
            row = {"start": link.start, "end": link.end, "props": {**props, **stamps}}
            edges.setdefault((start, start_on, edge.kind, end, end_on), []).append(row)
    return nodes, edges


async def _each(store: Store, statement: str, rows: Iterable[Any]) -> None:
    for some in _some(rows):
        await store.run(statement, rows=some)


def _some(rows: Iterable[Any]) -> Iterator[list[Any]]:
    left = iter(rows)
    while some := list(islice(left, ROWS)):
        yield some


async def measured(order: Mapping[str, Any], folder: Path) -> dict[str, float]:
    """Rows (of nodes), links, nodes and edges that came of them, and the seconds of both."""
    settings = _settings(order, folder)
    batches = await kept(settings)
    found: dict[str, float] = {
        "rows": sum(len(batch.rows) for batch in batches),
        "links": sum(len(batch.links) for batch in batches),
    }
    async with open_store(settings.store) as opened:
        ways = (("writer", by_writer), ("hand", by_hand))
        for name, how in ways * order["times"]:  # the last one counts: the store knows the words by then
            await empty(opened)
            found[f"{name}_seconds"] = await how(opened, batches, order["accounts"])
            [row] = await opened.run("MATCH (n) RETURN count(n) AS nodes")
            [edges] = await opened.run("MATCH ()-[r]->() RETURN count(r) AS edges")
            found |= {f"{name}_nodes": row["nodes"], f"{name}_edges": edges["edges"]}
    return found


def _settings(order: Mapping[str, Any], folder: Path) -> Settings:
    store = StoreSettings(**order["store"] | {"folder": Path(order["store"]["folder"])})
    demo = configuration.demo(
        order["url"],
        accounts=tuple(order["accounts"]),
        role_name=ROLE,
        regions=tuple(order["regions"]),
        folder=folder,
        key=KEY,
    )
    aws = dataclasses.replace(demo.aws, connections=configuration.CONCURRENCY)
    own: dict[str, Any] = {"store": store, "aws": aws, "syncs": tuple(order["syncs"])}
    return dataclasses.replace(demo, concurrency=configuration.CONCURRENCY, **own)


def program(fake: Fake, held: Held, home: Path, *, syncs: str = "", times: int = 2) -> Program:
    """This script, for a sweep of the fake AWS into the store, of these syncs; each writes so many times."""
    told = held.settings if held.kind is Kind.EMBEDDED else held.bolt
    store = dataclasses.asdict(told) | {"folder": str(told.folder)}
    order: dict[str, Any] = {"url": fake.url, "accounts": fake.accounts, "regions": fake.regions, "store": store}
    order |= {"syncs": [name for name in syncs.split(",") if name], "times": times}
    return Program([sys.executable, "-m", __name__], environ(fake.url, home), json.dumps(order))


async def _main() -> None:
    with tempfile.TemporaryDirectory(prefix="skysweep-writing-") as folder:
        print(json.dumps(await measured(json.load(sys.stdin), Path(folder))))


if __name__ == "__main__":
    asyncio.run(_main())
