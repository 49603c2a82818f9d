"""docs/coverage.md: what JupiterOne's AWS integration sees, row by row, and what shows it in this graph.

The rows are the tables in tests/data; tests/data/coverage.toml says which type or edge covers each, or why none does.
"""

from __future__ import annotations

import csv
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from skysweep.catalogue import Catalogue, Type
from skysweep.model import Edge

DATA = Path(__file__).resolve().parent / "data"
TABLES = {"entities": "aws-entities", "relationships": "aws-relationships", "generated": "aws-generated-nodes"}
OWNED = "RESOURCE"  # the account's edge, which the engine draws
NOT_YET = "not yet: "

Row = Mapping[str, str]


class Unknown(Exception):
    """Raised for a label or an edge that the catalogue does not have."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What covers a row: names of labels or edges, or the reason why nothing does."""

    names: tuple[str, ...] = ()
    reason: str = ""

    @property
    def missing(self) -> bool:
        """Whether the row could be covered and is not."""
        return not self.names and self.reason.startswith(NOT_YET)


def rows(table: str) -> list[Row]:
    """The rows of a table of JupiterOne's."""
    with (DATA / f"{TABLES[table]}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def keys(table: str) -> list[str]:
    """What coverage.toml calls each row of a table."""
    every = rows(table)
    if table != "relationships":
        return [row["j1_type" if table == "entities" else "label"] for row in every]
    triples = [f"{row['j1_source']} {row['j1_verb']} {row['j1_target']}" for row in every]
    count = Counter(triples)
    return [
        f"{triple} ({row['rel_type']} {row['target_label']})" if count[triple] > 1 else triple
        for triple, row in zip(triples, every, strict=True)
    ]


def answers() -> dict[str, dict[str, Answer]]:
    """The entries of coverage.toml, by table and key."""
    told = tomllib.loads((DATA / "coverage.toml").read_text(encoding="utf-8"))
    return {table: {key: _answer(value) for key, value in entries.items()} for table, entries in told.items()}


def types(catalogue: Catalogue, label: str) -> list[Type]:
    """The type of that label and those that add to its nodes, but not what others merely tell of them.

    Raises Unknown where there is none.
    """
    if label not in catalogue.by_label:
        raise Unknown(f"no type has the label {label!r}")
    own = (type_ for type_ in catalogue.types if type_.label == label)
    return [type_ for type_ in own if not (type_.teller and type_.extends)]


def edges(catalogue: Catalogue, name: str) -> list[tuple[Type, Edge | None]]:
    """The edges declared as `Type.edge`, one for each type that its other end may be; None is the account's own.

    Raises Unknown where there is none.
    """
    of, _, wanted = name.partition(".")
    declaring = [type_ for type_ in catalogue.types if type_.name == of]
    if wanted == OWNED:
        found: list[tuple[Type, Edge | None]] = [(type_, None) for type_ in declaring if type_.owned]
    else:
        found = [(type_, edge) for type_ in declaring for edge in type_.edges if _is_named(edge, wanted)]
    if not found:
        raise Unknown(f"no type declares {name!r}")
    return found


def ends(type_: Type, edge: Edge | None) -> tuple[str, str, str]:
    """An edge's start, kind and end."""
    if edge is None:
        return "AWSAccount", OWNED, type_.label
    start = edge.start.label if edge.start else type_.label
    end = edge.target.label if edge.target else ""
    return (end, edge.kind, start) if edge.inbound else (start, edge.kind, end)


def page(catalogue: Catalogue, note: str) -> str:
    """The text of docs/coverage.md."""
    told = answers()
    parts = [
        *("# Coverage", "", note),
        "What JupiterOne's AWS integration sees, and what shows it in this graph. "
        + " ".join(f"{_count(table, told[table])}." for table in TABLES),
        *("", "## Entities", ""),
        *_table(("JupiterOne", "type there", "here", "calls", "permissions"), _entities(catalogue, told["entities"])),
        *("", "## Relationships", ""),
        "Several edges on a line are those of further types, or the hops from the one to the other.",
        "",
        *_table(("JupiterOne", "edge", "declared as"), _relationships(catalogue, told["relationships"])),
        *("", "## Nodes that no API lists", ""),
        *_table(("node", "made of", "here"), _generated(told["generated"])),
    ]
    return "\n".join(parts) + "\n"


def _entities(catalogue: Catalogue, told: Mapping[str, Answer]) -> Iterator[Sequence[str]]:
    for row, key in zip(rows("entities"), keys("entities"), strict=True):
        found = [type_ for label in told[key].names for type_ in types(catalogue, label)]
        calls = dict.fromkeys(str(call) for type_ in found for call in type_.calls)
        needed = sorted({action for type_ in found for action in type_.permissions})
        name = row["j1_resource"] if row["j1_resource"] != "n/a" else "Account"
        yield name, f"`{key}`", _shown(told[key]), _codes(calls), _codes(needed)


def _relationships(catalogue: Catalogue, told: Mapping[str, Answer]) -> Iterator[Sequence[str]]:
    for key in keys("relationships"):
        answer = told[key]
        drawn: dict[tuple[str, str, str], None] = {}
        for name in answer.names:
            drawn.update(dict.fromkeys(ends(type_, edge) for type_, edge in edges(catalogue, name)))
        yield f"`{key}`", _drawn(drawn) or answer.reason, _codes(answer.names)


def _generated(told: Mapping[str, Answer]) -> Iterator[Sequence[str]]:
    for row, key in zip(rows("generated"), keys("generated"), strict=True):
        yield f"`{key}`", row["made_from"], _shown(told[key])


def _drawn(triples: Mapping[tuple[str, str, str], None]) -> str:
    """Edges as Cypher draws them; those that differ only in where they end are one."""
    ends: dict[tuple[str, str], list[str]] = {}
    for start, kind, end in triples:
        ends.setdefault((start, kind), []).append(end)
    return ", ".join(f"`(:{start})-[:{kind}]->(:{'|'.join(of)})`" for (start, kind), of in ends.items())


def _is_named(edge: Edge, wanted: str) -> bool:
    """Whether the edge is the one declared so, or one of those that a declaration with ARNs is."""
    return edge.name == wanted or bool(edge.arns and edge.target and edge.name == f"{wanted}_{edge.target.label}")


def _count(table: str, told: Mapping[str, Answer]) -> str:
    covered = sum(bool(answer.names) for answer in told.values())
    missing = sum(answer.missing for answer in told.values())
    name = "nodes that no API lists" if table == "generated" else table
    return (
        f"Of {len(told)} {name} {covered} are covered, {len(told) - covered - missing} cannot be, {missing} are not yet"
    )


def _answer(value: object) -> Answer:
    if isinstance(value, dict):
        return Answer(reason=value["reason"])
    return Answer(names=(value,) if isinstance(value, str) else tuple(value))  # type: ignore[arg-type]


def _shown(answer: Answer) -> str:
    return _codes(answer.names) or answer.reason


def _codes(names: Sequence[str] | Mapping[str, None]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _table(head: Sequence[str], rows: Iterator[Sequence[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return [f"| {' | '.join(line)} |".replace("|  |", "| |") for line in lines]
