from __future__ import annotations

import csv
import io
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from subprocess import PIPE, CompletedProcess
from typing import NamedTuple

import anyio
import pytest
import pytest_asyncio
from anyio.streams.text import TextReceiveStream

from skysweep.cli.query import ask
from skysweep.errors import BadSettings
from skysweep.report import ExitCode
from skysweep.store import Store, StoreSettings, open_store

GRAPH = """CREATE (a:AWSAccount {id: '1', name: 'hub', lastupdated: 7, _account: '1'})
CREATE (a)-[:RESOURCE {lastupdated: 7}]->(:RDSInstance {id: 'db-1', storage_encrypted: false, ports: [1, 2]})"""


class Graph(NamedTuple):
    """An embedded graph with an account and an unencrypted database, open in this process."""

    store: Store
    folder: str


@pytest_asyncio.fixture(scope="module")
async def graph(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Graph]:
    folder = tmp_path_factory.mktemp("graph")
    async with open_store(StoreSettings(None, None, None, None, folder)) as store:
        await store.run(GRAPH)
        yield Graph(store, str(folder))


async def outside(*arguments: str, graph: Graph) -> CompletedProcess[bytes]:
    """The real command in a process of its own."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "NEO4J_"))}
    command = [sys.executable, "-m", "skysweep.cli", *arguments, "--store", graph.folder]
    return await anyio.run_process(command, env=environ, check=False)


class TestQuery:
    async def test_a_saved_question_is_answered_by_name(self, graph: Graph) -> None:
        done = await outside("query", "unencrypted_rds_instances", "--json", graph=graph)
        assert json.loads(done.stdout) == {"columns": ["account", "id"], "rows": [{"account": "hub", "id": "db-1"}]}
        assert (done.returncode, done.stderr) == (0, b"")

    async def test_fail_on_is_3_where_rows_come_back(self, graph: Graph) -> None:
        assert (
            await outside("query", "unencrypted_rds_instances", "--fail-on", graph=graph)
        ).returncode == ExitCode.FOUND
        assert (await outside("query", "anonymous_buckets", "--fail-on", graph=graph)).returncode == ExitCode.COMPLETE

    async def test_csv_is_csv(self, graph: Graph) -> None:
        done = await outside("query", "MATCH (r:RDSInstance) RETURN r.id AS id, r.ports AS ports", "--csv", graph=graph)
        assert list(csv.reader(io.StringIO(done.stdout.decode()))) == [["id", "ports"], ["db-1", "[1,2]"]]

    async def test_the_table_and_nothing_else_is_on_stdout(self, graph: Graph) -> None:
        done = await outside("query", "rds_instances", graph=graph)
        assert "│ hub     │ db-1 │" in done.stdout.decode()
        assert done.stderr == b"1 row\n"

    async def test_nodes_and_edges_become_objects(self, graph: Graph) -> None:
        answer = await ask(graph.store, "MATCH (a:AWSAccount)-[r:RESOURCE]->(d) RETURN a, r, [d.id, null] AS list")
        (row,) = answer.dicts()
        assert row["a"] == {"labels": ["AWSAccount"], "id": "1", "lastupdated": 7, "name": "hub"}
        assert row["r"]["type"] == "RESOURCE"
        assert row["list"] == ["db-1", None]

    async def test_a_saved_question_has_its_columns_without_rows(self, graph: Graph) -> None:
        done = await outside("query", "anonymous_buckets", "--json", graph=graph)
        assert json.loads(done.stdout) == {"columns": ["bucket", "anonymous_actions"], "rows": []}

    async def test_what_the_graph_does_not_understand_is_one_line(self, graph: Graph) -> None:
        with pytest.raises(BadSettings, match="refuses this query"):
            await ask(graph.store, "MATCH (n RETURN n")


async def test_serve_says_where_and_leaves_cleanly_on_ctrl_c(graph: Graph) -> None:
    command = [sys.executable, "-m", "skysweep.cli", "serve", "--json", "--store", graph.folder]
    async with await anyio.open_process(command, stdout=PIPE, stderr=PIPE) as server:
        assert server.stdout
        assert server.stderr
        where = json.loads(await TextReceiveStream(server.stdout).receive())
        assert where["uri"].startswith("bolt://127.0.0.1:")
        published = await anyio.Path(where["password_file"]).stat()
        assert published.st_mode & 0o777 == 0o600
        assert "serving" in await TextReceiveStream(server.stderr).receive()
        server.send_signal(signal.SIGINT)
        assert await server.wait() == ExitCode.COMPLETE
