from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import signal
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from neo4j.exceptions import ServiceUnavailable

from skysweep.errors import BadStore
from skysweep.store import StoreSettings, open_store

if TYPE_CHECKING:
    from pathlib import Path


def folder_settings(folder: Path) -> StoreSettings:
    return StoreSettings(uri=None, user=None, password=None, database=None, folder=folder)


async def test_who_comes_second_shares_the_open_graph(tmp_path: Path) -> None:
    settings = folder_settings(tmp_path / "graph")
    published = settings.folder / "server.json"
    async with open_store(settings) as first:
        assert stat.S_IMODE(published.stat().st_mode) == 0o600
        assert stat.S_IMODE(settings.folder.stat().st_mode) == 0o700
        await first.run("CREATE (:Kept {id: '1'})")
        async with open_store(settings, start=False, read_only=True) as second:
            assert await second.run("MATCH (n:Kept) RETURN n.id AS id") == [{"id": "1"}]
        assert await first.run("RETURN 1 AS x") == [{"x": 1}], "the first goes on when the second leaves"
        password = json.loads(published.read_text())["password"]
    assert not published.exists()
    with pytest.raises(BadStore, match="skysweep serve"):
        async with open_store(settings, start=False):
            pytest.fail("it opened")
    async with open_store(settings) as again:
        assert json.loads(published.read_text())["password"] != password
        assert await again.run("MATCH (n:Kept) RETURN n.id AS id") == [{"id": "1"}]


async def test_of_two_at_once_one_starts_it_and_both_use_it(tmp_path: Path) -> None:
    settings, together = folder_settings(tmp_path), asyncio.Barrier(2)

    async def use(name: str) -> int:
        async with open_store(settings) as store:
            await store.run("CREATE (:Kept {id: $name})", name=name)
            await together.wait()
            return int(json.loads((tmp_path / "server.json").read_text())["pid"])

    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        pids = [tasks.create_task(use(name)) for name in ("a", "b")]
    assert pids[0].result() == pids[1].result()


OWNER = """
import asyncio, sys
from pathlib import Path
from skysweep.store import StoreSettings, open_store
async def main():
    settings = StoreSettings(None, None, None, None, Path(sys.argv[1]))
    async with open_store(settings) as store:
        await store.run("CREATE (:Kept {id: '1'})")
        print("written", flush=True)
        await asyncio.sleep(3600)
asyncio.run(main())
"""


def runs(pid: int) -> bool:
    """Whether a process is there and has not ended; an ended one waits as a zombie until somebody asks for it."""
    done = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)  # noqa: S603, S607 - POSIX's own, and a number
    return done.stdout.strip()[:1] not in {"", "Z"}


@pytest.mark.parametrize("victim", ["owner", "server"])
async def test_a_killed_process_leaves_a_graph_that_opens_again(tmp_path: Path, victim: str) -> None:
    owner = subprocess.Popen([sys.executable, "-c", OWNER, str(tmp_path)], stdout=subprocess.PIPE, text=True)  # noqa: ASYNC220, S603 - ours
    assert owner.stdout is not None
    try:
        assert await asyncio.to_thread(owner.stdout.readline) == "written\n"
        server = json.loads((tmp_path / "server.json").read_text())["pid"]
        os.kill(owner.pid if victim == "owner" else server, signal.SIGKILL)
        if victim == "owner":
            owner.wait()
        async with asyncio.timeout(60), open_store(folder_settings(tmp_path)) as store:
            assert await store.run("MATCH (n:Kept) RETURN n.id AS id") == [{"id": "1"}]
            assert json.loads((tmp_path / "server.json").read_text())["pid"] != server
        assert not runs(server)
    finally:
        owner.kill()
        owner.communicate()


async def test_a_cancelled_opening_leaves_no_process(tmp_path: Path) -> None:
    async def use() -> None:
        async with open_store(folder_settings(tmp_path)):
            pytest.fail("it opened")

    task = asyncio.create_task(use())
    while not (tmp_path / "server.lock").exists():  # noqa: ASYNC110 - another process makes it
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with open_store(folder_settings(tmp_path)) as store:  # which waits for the lock of a child that lives
        assert await store.run("RETURN 1 AS x") == [{"x": 1}]


async def test_a_lost_server_is_an_error_and_no_hang(tmp_path: Path) -> None:
    async with open_store(folder_settings(tmp_path)) as store:
        os.kill(json.loads((tmp_path / "server.json").read_text())["pid"], signal.SIGKILL)
        async with store.session() as session:
            with pytest.raises(ServiceUnavailable):
                await (await session.run("RETURN 1")).consume()


async def test_a_reader_makes_no_graph(tmp_path: Path) -> None:
    with pytest.raises(BadStore, match=r"there is no graph in .*: run `skysweep sync`"):
        async with open_store(folder_settings(tmp_path / "new"), read_only=True):
            pytest.fail("it opened")
    assert not (tmp_path / "new").exists()


async def test_a_folder_that_cannot_be_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    for folder in (tmp_path / "file", tmp_path / "file" / "below", tmp_path / ("x" * 300)):
        with pytest.raises(BadStore, match="cannot hold a graph") as caught:
            async with open_store(folder_settings(folder)):
                pytest.fail("it opened")
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("broken", ["schema*.json", "dictionary*"])
async def test_a_broken_graph_is_one_clear_line(tmp_path: Path, broken: str) -> None:
    async with open_store(folder_settings(tmp_path)) as store:
        await store.run("CREATE (:Kept {id: '1'})")
    for file in (tmp_path / "databases" / "skysweep").glob(broken):
        file.write_bytes(b"\xff" * file.stat().st_size)
    with pytest.raises(BadStore, match="does not open: ") as caught:
        async with open_store(folder_settings(tmp_path)):
            pytest.fail("it opened")
    assert "\n" not in str(caught.value)


async def test_without_the_package_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(BadStore, match=r"pip install 'skysweep\[embedded\]'"):
        async with open_store(folder_settings(tmp_path)):
            pytest.fail("it opened")
