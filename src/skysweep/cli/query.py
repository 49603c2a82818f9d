from __future__ import annotations

import csv as csv_format
import difflib
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import anyio
from neo4j.exceptions import DriverError, Neo4jError
from neo4j.graph import Node, Path, Relationship
from typer import Argument, Option

from skysweep.analysis.questions import QUESTIONS
from skysweep.cli import options
from skysweep.cli.screen import print_json, say, show, table, text
from skysweep.errors import BadSettings
from skysweep.readonly import why_not
from skysweep.report import ExitCode
from skysweep.settings import store_settings
from skysweep.store import Store, StoreSettings, native, open_store


@dataclass(frozen=True)
class Answer:
    """The columns and rows that came back; values are what JSON can say."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]

    def dicts(self) -> list[dict[str, Any]]:
        """The rows by column."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def query(
    *,
    question: Annotated[str | None, Argument(help="A saved question's name, or Cypher that only reads.")] = None,
    listed: Annotated[bool, Option("--list", help="List the saved questions.")] = False,
    csv: Annotated[bool, Option("--csv", help="Print CSV.")] = False,
    json: options.Json = False,
    fail_on: Annotated[bool, Option("--fail-on", help="Exit with 3 when rows come back.")] = False,
    store: options.Store = None,
    neo4j_uri: options.Neo4jUri = None,
    neo4j_user: options.Neo4jUser = None,
    neo4j_password_env_var: options.Neo4jPassword = None,
    neo4j_database: options.Neo4jDatabase = None,
) -> int:
    """Ask the graph: a saved question by its name, or Cypher."""
    if json and csv:
        raise BadSettings("--json and --csv exclude each other: leave one out")
    if listed:
        return _list(json)
    if question is None:
        raise BadSettings("name a question (`skysweep query --list` shows them) or write Cypher")
    cypher, columns = meant(question)
    graph = store_settings(
        uri=neo4j_uri,
        user=neo4j_user,
        password_variable=neo4j_password_env_var,
        database=neo4j_database,
        folder=store,
    )
    answer = anyio.run(_asked, graph, cypher, columns)
    _print(answer, json=json, csv=csv)
    return ExitCode.FOUND if fail_on and answer.rows else ExitCode.COMPLETE


def meant(question: str) -> tuple[str, tuple[str, ...]]:
    """The Cypher and columns of a saved question, or the question itself where it is Cypher that only reads.

    Raises BadSettings for an unknown name, with the nearest, and for Cypher that could write.
    """
    if question in QUESTIONS:
        return QUESTIONS[question].cypher, QUESTIONS[question].columns
    if re.fullmatch(r"[\w-]+", question):
        near = difflib.get_close_matches(question, QUESTIONS, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]}? " if near else ""
        raise BadSettings(f"there is no question {question!r}; {hint}`skysweep query --list` shows all")
    reason = why_not(question)
    if reason:
        raise BadSettings(f"this query is refused: {reason}; `query` only reads")
    return question, ()


async def ask(store: Store, cypher: Any, columns: Sequence[str] = ()) -> Answer:
    """Runs reading Cypher; nodes and relationships become objects. Raises BadSettings where the store refuses it.

    columns: of an answer without rows, for which ArcadeDB names none.
    """
    try:
        async with store.session() as session:
            result = await session.run(cypher)
            names = tuple(result.keys()) or tuple(columns)
            return Answer(names, [tuple(map(plain, record.values())) async for record in result])
    except (Neo4jError, DriverError) as error:
        raise BadSettings(f"the graph refuses this query: {getattr(error, 'message', None) or error}") from error


def plain(value: Any) -> Any:
    """A value from the driver as what JSON can say: a node is its labels and properties, a path its nodes and edges."""
    if isinstance(value, Node):
        return {"labels": sorted(value.labels), **_properties(value)}
    if isinstance(value, Relationship):
        ends = {name: node.get("id") for name, node in (("start", value.start_node), ("end", value.end_node)) if node}
        return {"type": value.type, **ends, **_properties(value)}
    if isinstance(value, Path):
        return {"nodes": plain(list(value.nodes)), "relationships": plain(list(value.relationships))}
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    return native(value)


def _properties(entity: Node | Relationship) -> dict[str, Any]:
    return {name: plain(entity[name]) for name in sorted(entity) if not name.startswith("_")}


async def _asked(graph: StoreSettings, cypher: str, columns: Sequence[str]) -> Answer:
    async with open_store(graph, read_only=True) as store:
        return await ask(store, cypher, columns)


def _print(answer: Answer, *, json: bool, csv: bool) -> None:
    if json:
        print_json({"columns": answer.columns, "rows": answer.dicts()})
    elif csv:
        _print_csv(answer.columns, answer.rows)
    else:
        show(table(answer.columns, answer.rows))
        say(f"{len(answer.rows):,} row{'' if len(answer.rows) == 1 else 's'}")


def _print_csv(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    writer = csv_format.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([text(value) for value in row] for row in rows)


def _list(json: bool) -> int:
    if json:
        print_json(
            {"questions": [{"name": q.name, "sentence": q.sentence, "cypher": q.cypher} for q in QUESTIONS.values()]}
        )
    else:
        show(table(("name", "question"), [(q.name, q.sentence) for q in QUESTIONS.values()]))
    return ExitCode.COMPLETE
