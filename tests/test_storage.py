from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from conftest import neo4j_settings
from neo4j_server import Neo4jServer
from skysweep import storage
from skysweep.findings import Check, worst
from skysweep.ledger import FILE, Ledger
from skysweep.storage import DISK_FAILS, DISK_WARNS, attempt, graph, ledger, rolled_back, room, space
from skysweep.store import NodeType, StoreSettings, open_store
from wire import Wire, wire


def embedded_in(folder: Path) -> StoreSettings:
    return StoreSettings(uri=None, user=None, password=None, database=None, folder=folder)


def tree(folder: Path) -> dict[str, float]:
    """Every file below, with when it was last written."""
    return {str(path): path.stat().st_mtime for path in folder.rglob("*")}


# The disk


@pytest.mark.parametrize(
    ("free", "status"),
    [
        (DISK_WARNS, "ok"),
        (DISK_WARNS - 1, "warning"),
        (DISK_FAILS, "warning"),
        (DISK_FAILS - 1, "failed"),
        (0, "failed"),
    ],
)
def test_what_free_space_means(tmp_path: Path, free: int, status: str) -> None:
    check = room(tmp_path, free)
    assert (check.status, check.fatal) == (status, status == "failed")
    assert bool(check.mend) == (status != "ok")


def test_the_space_of_a_folder_that_is_not_there_is_that_of_the_one_above(tmp_path: Path) -> None:
    assert space(tmp_path / "a" / "b").detail.endswith("GiB free")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    check = space(tmp_path / "file" / "state")
    assert (check.status, check.fatal) == ("failed", True)
    assert f"{tmp_path / 'file'} is no folder" in check.detail
    assert "--store" in check.mend


@contextmanager
def unprivileged() -> Iterator[None]:
    """As somebody who is not root, for whom modes mean nothing."""
    root = os.geteuid() == 0
    if root:
        os.setresuid(65534, 65534, 0)
    try:
        yield
    finally:
        if root:
            os.setresuid(0, 0, 0)


def test_a_folder_that_may_not_be_written() -> None:
    with TemporaryDirectory() as folder:  # pytest's own folders are closed to others
        Path(folder).chmod(0o555)
        with unprivileged():
            assert "cannot be written" in space(Path(folder) / "state").detail


# The ledger


async def test_a_ledger_at_rest_is_looked_at_and_left_alone(tmp_path: Path) -> None:
    with Ledger(tmp_path) as book:
        assert book.sweeps() == []
    before = tree(tmp_path)
    assert (await ledger(tmp_path)).detail == "intact"
    assert tree(tmp_path) == before


async def test_a_ledger_in_use_is_intact(tmp_path: Path) -> None:
    with Ledger(tmp_path):
        assert tmp_path.joinpath(f"{FILE}-wal").exists()
        assert (await ledger(tmp_path)).detail == "intact"


async def test_no_ledger_yet_is_fine_and_none_is_made(tmp_path: Path) -> None:
    assert (await ledger(tmp_path / "state")).status == "ok"
    assert tree(tmp_path) == {}


def damage(path: Path) -> None:
    """Overwrites the pages behind the first."""
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE filler (text)")
        database.executemany("INSERT INTO filler VALUES (?)", [("x" * 1000,)] * 100)
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with path.open("r+b") as file:
        file.seek(8 * 4096)
        file.write(b"\xff" * 16 * 4096)


async def test_a_damaged_ledger_is_told(tmp_path: Path) -> None:
    with Ledger(tmp_path):
        pass
    damage(tmp_path / FILE)
    check = await ledger(tmp_path)
    assert (check.status, check.fatal) == ("failed", True)
    assert "move it away" in check.mend


async def test_what_is_no_ledger_is_told(tmp_path: Path) -> None:
    tmp_path.joinpath(FILE).write_bytes(b"no database at all" * 100)
    check = await ledger(tmp_path)
    assert check.status == "failed"
    assert "not a database" in check.detail


async def test_a_ledger_too_large_for_the_time_is_said_to_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Ledger(tmp_path):
        pass
    monkeypatch.setattr(storage, "LEDGER_SECONDS", -1.0)
    monkeypatch.setattr(storage, "LEDGER_STEPS", 1)
    check = await ledger(tmp_path)
    assert check.status == "ok"
    assert "too large" in check.detail


# The graph


async def test_no_embedded_graph_yet_is_fine_and_none_is_made(tmp_path: Path) -> None:
    (check,) = await graph(embedded_in(tmp_path / "store"))
    assert (check.status, check.detail) == ("ok", "no graph yet; the first sweep makes it")
    assert tree(tmp_path) == {}


async def test_an_embedded_graph_that_can_have_no_folder(tmp_path: Path) -> None:
    tmp_path.joinpath("file").touch()
    (check,) = await graph(embedded_in(tmp_path / "file" / "store"))
    assert (check.status, check.fatal) == ("failed", True)


async def test_an_embedded_graph_that_is_open(embedded: StoreSettings) -> None:
    (check,) = await graph(embedded)
    assert check.status == "ok"
    assert "database skysweep" in check.detail


def spoil(folder: Path) -> None:
    for path in folder.rglob("schema*.json"):
        path.write_text("{")


async def test_an_embedded_graph_that_is_broken(tmp_path: Path) -> None:
    async with open_store(embedded_in(tmp_path)) as store:
        await store.prepare([NodeType("Thing", (), ())], [])
    spoil(tmp_path)
    (check,) = await graph(embedded_in(tmp_path))
    assert (check.status, check.fatal) == ("failed", True)
    assert "--store" in check.mend


async def test_a_neo4j_that_can_be_written_is_left_as_it_was(neo4j_uri: Neo4jServer) -> None:
    settings = neo4j_settings(neo4j_uri)
    async with open_store(settings) as store:
        for label in ("Odd`Label", "Thing"):
            await store.prepare([NodeType(label.replace("`", "``"), (), ())], [])
        asked = "CALL db.labels() YIELD label RETURN collect(label) AS labels, COUNT { () } AS nodes"
        before = await store.run(asked)
        checks = await graph(settings)
        assert await store.run(asked) == before
    assert [check.status for check in checks] == ["ok"] * 3
    assert [check.detail.partition(":")[0] for check in checks[1:]] == ["writing", "constraints"]
    assert "Neo4j/5" in checks[0].detail
    assert {check.subject for check in checks} == {neo4j_uri.uri}


async def test_a_refused_write_stops_a_sweep(neo4j_uri: Neo4jServer) -> None:
    async with open_store(neo4j_settings(neo4j_uri)) as store:
        check = await attempt("writing", "there", lambda: rolled_back(store, "CREATE (n {x: 1 / 0})"))
    assert (check.status, check.fatal, check.detail) == ("failed", True, "writing: / by zero")


async def refused(settings: StoreSettings) -> Check:
    (check,) = await graph(settings)
    assert (check.status, check.fatal) == ("failed", True)
    assert "user, password and database" in check.mend
    return check


async def test_a_neo4j_with_another_password_or_database(neo4j_uri: Neo4jServer, tmp_path: Path) -> None:
    uri, user, _ = neo4j_uri
    wrong = await refused(StoreSettings(uri, user, "wrong", None, tmp_path))
    assert "does not let user 'neo4j' in" in wrong.detail
    other = await refused(StoreSettings(*neo4j_uri, "elsewhere", tmp_path))
    assert "no database 'elsewhere'" in other.detail


async def test_an_address_where_no_neo4j_answers(tmp_path: Path) -> None:
    async with wire() as fault:
        fault.handler = Wire().handler
        address = fault.url.replace("http", "bolt")
    check = await refused(StoreSettings(address, "neo4j", "secret", None, tmp_path))
    assert address in check.detail
    assert worst([check]) == "failed"
