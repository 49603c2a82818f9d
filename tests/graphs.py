"""A graph as a value, so that two can be compared: without the sweep's own marks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from skysweep.store import Store

MARKS = {"lastupdated", "firstseen", "_analysed"}
Graph = tuple[dict[str, tuple[tuple[str, ...], dict[str, Any]]], dict[tuple[str, str, str], dict[str, Any]]]


async def graph(store: Store, *, marks: set[str] = MARKS) -> Graph:
    """Nodes by label and id with their labels and properties; edges by ends and type with their properties."""
    query = "MATCH (n) WHERE NOT n:SkysweepState RETURN labels(n) AS labels, properties(n) AS props"
    nodes = {}
    for row in await store.run(query):
        labels, props = tuple(sorted(row["labels"])), _unmarked(row["props"], marks)
        key = f"{'|'.join(labels)} {props['id']}"
        assert key not in nodes, f"{key} is there twice"
        nodes[key] = (labels, props)
    query = (
        "MATCH (s)-[r]->(t) RETURN labels(s) AS a, s.id AS s, type(r) AS kind, properties(r) AS props, "
        "labels(t) AS b, t.id AS t"
    )
    edges = {}
    for row in await store.run(query):
        ends = [f"{'|'.join(sorted(row[label]))} {row[key]}" for label, key in (("a", "s"), ("b", "t"))]
        edge = (ends[0], row["kind"], ends[1])
        assert edge not in edges, f"{edge} is there twice"
        edges[edge] = _unmarked(row["props"], marks)
    return nodes, edges


def differences(one: Graph, other: Graph) -> list[str]:
    """One line each for what only one graph has, or has otherwise; at most 40."""
    return sorted([*_differing(one[0], other[0]), *_differing(one[1], other[1])])[:40]


def _differing(one: Mapping[Any, Any], other: Mapping[Any, Any]) -> Iterator[str]:
    for key in one.keys() | other.keys():
        mine, theirs = one.get(key), other.get(key)
        if mine is None or theirs is None:
            yield f"{key}: only in the {'second' if mine is None else 'first'}"
        elif mine != theirs:
            before, after = (dict(each if isinstance(each, dict) else each[1]) for each in (mine, theirs))
            names = [name for name in before.keys() | after.keys() if before.get(name) != after.get(name)]
            yield f"{key}: {', '.join(f'{name}: {before.get(name)!r} != {after.get(name)!r}' for name in names)}"


def _unmarked(props: dict[str, Any], marks: set[str]) -> dict[str, Any]:
    return {name: value for name, value in props.items() if name not in marks and not name.startswith("_seen_")}
