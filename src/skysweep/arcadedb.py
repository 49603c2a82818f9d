"""The embedded graph: ArcadeDB in a child process, found or started by its folder.

The process that opened the folder first owns the server, which ends with it. Where it listens and its random password
stand in `<folder>/server.json` (mode 0600) while it runs; that it runs is told by the lock on `<folder>/server.lock`,
which the kernel drops when the child dies, however it dies. Others that open the folder connect to it; when the owner
leaves, they are disconnected.
"""

from __future__ import annotations

import fcntl
import importlib.util
import json
import os
import secrets
import subprocess
import sys
from base64 import b64encode
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import anyio
import anyio.to_thread
from neo4j import AsyncGraphDatabase
from neo4j.exceptions import ServiceUnavailable, SessionExpired

from skysweep.errors import BadStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from anyio.abc import ByteReceiveStream, ByteSendStream, Process

    from skysweep.store import NodeType

DATABASE = "skysweep"
CHILD = Path(__file__).with_name("_embedded.py")
START_SECONDS = 120  # it takes 2; a machine that is busy or recovers a graph takes longer
STOP_SECONDS = 60
HTTP_SECONDS = 600  # an index over a graph that is full already
ANSWER_SECONDS = 10
POLL_SECONDS = 0.05  # how often to look whether another process is done starting or stopping
SMALLEST_HEAP, LARGEST_HEAP = 512, 4096  # MiB


@dataclass(frozen=True)
class Server:
    """A running server: its loopback ports and the password of `root`."""

    bolt: int
    http: int
    password: str = field(repr=False)

    @property
    def uri(self) -> str:
        """The Bolt address."""
        return f"bolt://127.0.0.1:{self.bolt}"

    @property
    def auth(self) -> tuple[str, str]:
        """User and password."""
        return "root", self.password


@asynccontextmanager
async def running(folder: Path, *, start: bool, create: bool) -> AsyncIterator[Server]:
    """The server of this folder, started unless a process has it open; stopped at the end by who started it.

    create: make the graph where there is none. Raises BadStore.
    """
    try:
        folder = _made(folder, create=create)
        server, child = await _find_or_start(folder, start=start)
    except OSError as error:
        raise BadStore(
            f"the folder {folder} cannot hold a graph: {error.strerror}; name another with --store"
        ) from error
    try:
        yield server
    finally:
        if child is not None:
            await _stop(child)


def serves(folder: Path, server: Server) -> bool:
    """Whether it is still this server that has the folder open."""
    return _owned(folder) and _published(folder) == server


def _made(folder: Path, *, create: bool) -> Path:
    folder = folder.absolute()  # the child has another working directory
    if not create and not (folder / "databases" / DATABASE).is_dir():
        raise BadStore(f"there is no graph in {folder} yet: run `skysweep sync`, or name another folder with --store")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


async def _find_or_start(folder: Path, *, start: bool) -> tuple[Server, Process | None]:
    deadline = anyio.current_time() + START_SECONDS
    while anyio.current_time() < deadline:
        if _owned(folder):
            server = _published(folder)
            if server and await _answers(server):
                return server, None
        elif not start:
            raise BadStore(f"no process has the graph in {folder} open: start one with `skysweep serve`")
        elif started := await _start(folder):
            return started
        await anyio.sleep(POLL_SECONDS)
    raise BadStore(
        f"another process holds {folder / 'server.lock'} but serves no graph: end it, or name another --store"
    )


def _owned(folder: Path) -> bool:
    """Whether a process has the folder open, be it still starting or already stopping."""
    try:
        with (folder / "server.lock").open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _published(folder: Path) -> Server | None:
    """The server that the folder's owner has published; None while it has not, or if it is a dead one's."""
    try:
        said = json.loads((folder / "server.json").read_text(encoding="utf-8"))
        for pid in (said["pid"], said["owner"]):  # one whose owner has died is about to go
            os.kill(pid, 0)
    except (FileNotFoundError, ProcessLookupError):
        return None
    return Server(said["bolt"], said["http"], said["password"])


async def _answers(server: Server) -> bool:
    """Whether Bolt is there: of a server that is going the lock may last longer."""
    async with AsyncGraphDatabase.driver(server.uri, auth=server.auth, connection_timeout=ANSWER_SECONDS) as driver:
        try:
            await driver.verify_connectivity()
        except (ServiceUnavailable, SessionExpired):
            return False
    return True


async def _start(folder: Path) -> tuple[Server, Process] | None:
    """Starts the child; None when another process was faster."""
    if importlib.util.find_spec("arcadedb_embedded") is None:
        raise BadStore("the embedded graph needs a package: pip install 'skysweep[embedded]', or name a --neo4j-uri")
    child = await anyio.open_process(
        # -P: the script's folder, this package's, is no place to import top-level modules from.
        [sys.executable, "-P", str(CHILD)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=None,
        start_new_session=True,  # a Ctrl-C in the terminal is ours to handle, and the graph is needed until the end
    )
    try:
        answer = await _order(child, folder)
    except BaseException:
        await _stop(child)
        raise
    if "bolt" in answer:
        return Server(answer["bolt"], answer["http"], answer["password"]), child
    await _stop(child)
    if "error" in answer:
        raise BadStore(f"the graph in {folder} does not open: {answer['error']}; see {folder / 'log' / 'server.log'}")
    return None


async def _order(child: Process, folder: Path) -> dict[str, Any]:
    """Tells the child what to serve; its answer."""
    stdin, stdout = cast("ByteSendStream", child.stdin), cast("ByteReceiveStream", child.stdout)
    order = {"folder": str(folder), "password": secrets.token_urlsafe(24), "heap": _heap()}
    received = b""
    try:
        with anyio.fail_after(START_SECONDS):
            await stdin.send(json.dumps(order).encode() + b"\n")
            while not received.endswith(b"\n"):
                received += await stdout.receive()
    except (anyio.EndOfStream, anyio.BrokenResourceError):
        return {"error": "its process died at the start"}
    except TimeoutError:
        return {"error": f"it is not up after {START_SECONDS} s"}
    answer: dict[str, Any] = json.loads(received)
    return answer


async def _stop(child: Process) -> None:
    """Lets the child close its files and go; kills it if it does not."""
    with anyio.CancelScope(shield=True):
        await cast("ByteSendStream", child.stdin).aclose()
        with anyio.move_on_after(STOP_SECONDS):
            await child.wait()
        if child.returncode is None:
            child.kill()
        await child.aclose()


def _heap() -> str:
    """A quarter of the machine's memory, within reason."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
    return f"{min(max(memory // 4, SMALLEST_HEAP), LARGEST_HEAP)}m"


@dataclass(frozen=True)
class Schema:
    """Types and indexes of ArcadeDB, through its HTTP API: Cypher has no words for supertypes."""

    server: Server

    async def prepare(self, store: object, nodes: Sequence[NodeType], edges: Sequence[str]) -> None:
        """Makes what is missing. Raises BadStore."""
        del store
        await anyio.to_thread.run_sync(self._prepare, nodes, edges)

    def _prepare(self, nodes: Sequence[NodeType], edges: Sequence[str]) -> None:
        there = {row["name"]: row for row in self._command("sql", "SELECT FROM schema:types")}
        script = [line for node in nodes for line in _type(node, there)]
        script += [f"CREATE EDGE TYPE `{edge}` IF NOT EXISTS;" for edge in edges if edge not in there]
        if script:
            self._command("sqlscript", "\n".join(script))
        for node in nodes:
            for name in node.indexes:
                if (name,) not in _indexed(there.get(node.label)):
                    # In Cypher: SQL wants the property's type first, and would make every value one of it.
                    self._command("cypher", f"CREATE INDEX IF NOT EXISTS FOR (n:`{node.label}`) ON (n.`{name}`)")

    def _command(self, language: str, command: str) -> list[dict[str, Any]]:
        token = b64encode(":".join(self.server.auth).encode()).decode()
        body = json.dumps({"language": language, "command": command})
        connection = HTTPConnection("127.0.0.1", self.server.http, timeout=HTTP_SECONDS)
        try:
            connection.request("POST", f"/api/v1/command/{DATABASE}", body, {"Authorization": f"Basic {token}"})
            response = connection.getresponse()
            answer = json.loads(response.read())
        except (OSError, HTTPException, ValueError) as error:
            raise BadStore(f"the embedded graph does not answer: {error}") from error
        finally:
            connection.close()
        if "result" not in answer:
            reason = answer.get("detail") or answer.get("error")
            raise BadStore(f"the embedded graph refuses {command.splitlines()[0]!r}: {reason}")
        rows: list[dict[str, Any]] = answer["result"]
        return rows


def _type(node: NodeType, there: dict[str, dict[str, Any]]) -> Iterator[str]:
    """SQL that makes what is missing of a type."""
    label, known = f"`{node.label}`", there.get(node.label)
    for also in node.also:
        if also not in there:
            yield f"CREATE VERTEX TYPE `{also}` IF NOT EXISTS;"
    if known is None:
        extends = f" EXTENDS {', '.join(f'`{also}`' for also in node.also)}" if node.also else ""
        yield f"CREATE VERTEX TYPE {label} IF NOT EXISTS{extends};"
    for also in node.also:
        if known is not None and also not in known["parentTypes"]:
            yield f"ALTER TYPE {label} SUPERTYPE +`{also}`;"
    for properties, kind in ((("id",), "UNIQUE"), (("_account", "_region"), "NOTUNIQUE")):
        if properties not in _indexed(known):
            yield from (f"CREATE PROPERTY {label}.`{name}` IF NOT EXISTS STRING;" for name in properties)
            yield f"CREATE INDEX IF NOT EXISTS ON {label} ({', '.join(f'`{name}`' for name in properties)}) {kind};"


def _indexed(known: dict[str, Any] | None) -> set[tuple[str, ...]]:
    return {tuple(index["properties"]) for index in known["indexes"]} if known else set()
