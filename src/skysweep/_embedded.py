"""The child process that holds the embedded graph open: ArcadeDB on loopback Bolt and HTTP.

Run as a script by `arcadedb.py`, never imported, and free of skysweep, whose start-up it need not pay. One JSON line
comes in, `{"folder", "password", "heap"}`; one goes out, `{"bolt", "http", "password", "pid", "owner"}` once it serves,
`{"busy": true}` when another process has the folder, or `{"error": "…"}`. Then it serves until its stdin closes, which
the death of its parent, the owner, also does.
"""

from __future__ import annotations

import fcntl
import json
import os
import random
import sys
from pathlib import Path
from typing import Any, NoReturn, TextIO

DATABASE = "skysweep"
MAX_MESSAGE_BYTES = 256 << 20  # ArcadeDB's own 16 MB is less than 5,000 rows of policies
HTTP_PORTS = range(20_000, 60_000)


def main() -> None:
    """Reads the order, serves, answers, and lives until stdin closes."""
    order = json.loads(sys.stdin.readline())
    folder = Path(order["folder"])
    answer_to = _redirect_output(folder / "log" / "server.log")
    with (folder / "server.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _answer(answer_to, {"busy": True})
            return
        published = folder / "server.json"
        _forget_last_server(folder, published)
        try:
            _check_schema(folder / "databases" / DATABASE)
            server, ports = _serve(order)
        except Exception as error:  # noqa: BLE001 - whatever it is, the parent tells the user
            _answer(answer_to, {"error": str(error)})
            _end()
        answer = {**ports, "password": order["password"], "pid": os.getpid(), "owner": os.getppid()}
        _publish(published, answer)
        _answer(answer_to, answer)
        sys.stdin.read()
        published.unlink(missing_ok=True)  # first, so that nobody connects to a server that is going
        server.stop()
        _end()


def _redirect_output(log: Path) -> TextIO:
    """Sends this process' output, the JVM's included, to the log; gives back the way to the parent."""
    log.parent.mkdir(exist_ok=True)
    parent = os.fdopen(os.dup(1), "w", encoding="utf-8")
    with log.open("wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    return parent


def _answer(parent: TextIO, answer: dict[str, Any]) -> None:
    parent.write(json.dumps(answer) + "\n")
    parent.flush()


def _end() -> NoReturn:
    """Ends the process at once: after `stop` the files are closed, and the JVM's own exit only takes time."""
    os._exit(0)


def _forget_last_server(folder: Path, published: Path) -> None:
    published.unlink(missing_ok=True)
    # The root password is read from here before the configuration: each start has a new one.
    (folder / "config" / "server-users.jsonl").unlink(missing_ok=True)


def _check_schema(database: Path) -> None:
    """Raises ValueError where ArcadeDB would take a graph whose schema is unreadable for an empty one."""
    for schema in (database / "schema.json", database / "schema.prev.json"):
        try:
            json.loads(schema.read_bytes())
        except (FileNotFoundError, ValueError):
            continue
        return
    if any(database.glob("*.bucket")):
        raise ValueError(f"{database / 'schema.json'} is missing or broken")


def _publish(path: Path, server: dict[str, Any]) -> None:
    """Writes where the server listens and its password, readable by this user alone, in one step."""
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(server, file)
    draft.replace(path)


def _serve(order: dict[str, Any]) -> tuple[Any, dict[str, int]]:
    """Boots ArcadeDB with its one database; gives the server and its ports."""
    from arcadedb_embedded import ArcadeDBServer  # noqa: PLC0415 - its failure to load is one of the answers

    os.chdir(order["folder"])  # ArcadeDB logs to ./log
    first = random.choice(HTTP_PORTS)  # noqa: S311 - where to begin looking, not a secret
    config = {
        "host": "127.0.0.1",
        "http_port": f"{first}-{first + 200}",  # it takes the first that is free and says which; of port 0 it does not
        "server_plugins": "Bolt:com.arcadedb.bolt.BoltProtocolPlugin",
        "bolt_port": 0,
        "bolt_maxMessageSize": MAX_MESSAGE_BYTES,
        "opencypher_loadCsv_allowFileUrls": False,
        "opencypher_loadCsv_allowRemoteUrls": False,
        "mode": "development",  # in "production" an error's text stays in the server's log
    }
    server = ArcadeDBServer(order["folder"], order["password"], config, {"heap_size": order["heap"]})
    server.start()
    java: Any = server._java_server  # noqa: SLF001 - the wrapper hides the ports that were bound
    if not java.existsDatabase(DATABASE):
        server.create_database(DATABASE)
    java.getDatabase(DATABASE)  # a database that does not open fails here, not at the first query
    bolt = next(plugin for plugin in java.getPlugins() if "bolt" in str(plugin.getName()).lower())
    return server, {"bolt": int(bolt.getPort()), "http": int(java.getHttpServer().getPort())}


if __name__ == "__main__":
    main()
