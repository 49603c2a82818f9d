"""The store that everything measured writes to: started once beforehand, emptied before every run."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from benchmarks.measure import ROOT, cpu_of
from skysweep.arcadedb import DATABASE
from skysweep.store import Store, StoreSettings, open_store


class Kind(StrEnum):
    """Which store: ArcadeDB in a folder, or a Neo4j 5.26 of ours."""

    EMBEDDED = "embedded"
    NEO4J = "neo4j"


@dataclass(frozen=True, slots=True)
class Held:
    """A store that is up. settings: what leads there, whatever program asks. folder: the ledger's."""

    kind: Kind
    settings: StoreSettings
    store: Store
    bolt: StoreSettings
    version: str
    pid: int

    @property
    def folder(self) -> Path:
        """Where the ledger lies, and the embedded graph."""
        return self.settings.folder

    def cpu(self) -> float:
        """The CPU seconds that it has used so far."""
        return cpu_of(self.pid)

    async def empty(self, *, schema: bool = False) -> None:
        """Deletes what is in the graph, and the ledger; with `schema` a Neo4j's constraints and indexes as well."""
        for left in self.folder.glob("ledger.sqlite*"):
            left.unlink()
        if schema and self.kind is Kind.NEO4J:
            from neo4j_server import drop_schema  # noqa: PLC0415 - its packages are there for a Neo4j alone

            await drop_schema(self.store.driver, self.store.database)
        await empty(self.store)

    async def nodes(self) -> dict[str, int]:
        """How many nodes there are, by label, and of all under an empty label."""
        [whole] = await self.store.run("MATCH (n) RETURN count(n) AS found")
        rows = await self.store.run("MATCH (n) UNWIND labels(n) AS label RETURN label, count(*) AS found")
        return {"": whole["found"]} | {row["label"]: row["found"] for row in rows}

    async def edges(self) -> int:
        """How many edges there are."""
        [whole] = await self.store.run("MATCH ()-[r]->() RETURN count(r) AS found")
        return int(whole["found"])


async def empty(store: Store) -> None:
    """Deletes all nodes and edges. What was prepared stays: without it Neo4j would plan each statement anew."""
    while (await store.run("MATCH (n) WITH n LIMIT 2000 DETACH DELETE n RETURN count(*) AS gone"))[0]["gone"]:
        pass


@asynccontextmanager
async def held(kind: Kind) -> AsyncIterator[Held]:
    """An empty store in a folder of its own, both gone at the end."""
    with tempfile.TemporaryDirectory(prefix="skysweep-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        if kind is Kind.NEO4J:
            with _neo4j(folder) as (settings, pid):
                async with open_store(settings) as store:
                    yield Held(kind, settings, store, settings, await _version(store), pid)
            return
        settings = StoreSettings(uri=None, user=None, password=None, database=None, folder=folder)
        async with open_store(settings) as store:
            said = json.loads((folder / "server.json").read_text(encoding="utf-8"))
            bolt = StoreSettings(f"bolt://127.0.0.1:{said['bolt']}", "root", said["password"], DATABASE, folder)
            yield Held(kind, settings, store, bolt, await _version(store), said["pid"])


@contextmanager
def _neo4j(folder: Path) -> Iterator[tuple[StoreSettings, int]]:
    if (tests := str(ROOT / "tests")) not in sys.path:  # the server is the tests'
        sys.path.append(tests)
    from neo4j_server import neo4j_of_ones_own  # noqa: PLC0415 - its packages are there for a Neo4j alone

    with neo4j_of_ones_own() as neo4j:
        uri, user, password = neo4j.server
        pid = neo4j.child.pid if neo4j.child else 0
        yield StoreSettings(uri, user, password, "neo4j", folder), pid


async def _version(store: Store) -> str:
    return str((await store.driver.get_server_info()).agent)
