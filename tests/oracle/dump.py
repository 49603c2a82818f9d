"""A Neo4j database as a plain value that can be saved, and compared with another sweep's."""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from neo4j import GraphDatabase
from neo4j.time import DateTime

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from neo4j_server import Neo4jServer

BOOKKEEPING = frozenset(
    {
        "firstseen",
        "lastupdated",
        "_account",
        "_module_name",
        "_module_version",
        "_region",
        "_sub_resource_id",
        "_sub_resource_label",
    }
)
"""What either collector writes for itself: when, by which version, for which cleanup."""

ASKED_WHEN_SWEPT = frozenset({"latest_restorable_time", "size_in_bytes_timestamp"})
"""Properties that AWS computes at the moment of the call: only their format can be compared."""

SHARED = frozenset({"AWSCidrBlock", "AWSIpRule", "AWSPolicy", "AWSPrincipal"})
"""Labels of several types: where another label of AWS' stands beside one of these, that one is the type."""

DRAWN_BY_CHANCE = frozenset({"keyfingerprint"})
"""Properties that no seed decides: moto makes real key pairs."""

ENDPOINT = re.compile(r"http://(?:localhost|127\.0\.0\.1):\d+")
TIMES = re.compile(
    r"20\d\d-\d\d-\d\d[T -]\d\d[:-]\d\d(?:[:-]\d\d)?(?:\.\d+)?"  # ISO 8601, and the names of automated snapshots
    r"|\b1[5-9]\d{8}\b|\b2\d{9}\b"  # seconds since 1970, 2017 to 2065
    r"|\b0?1[5-9]\d{11}\b"  # milliseconds, and those in the ARNs of backups
)
DIGIT = re.compile(r"\d")


NODES = "MATCH (n) RETURN elementId(n) AS element, labels(n) AS labels, properties(n) AS properties"
EDGES = """
MATCH (a)-[r]->(b) RETURN elementId(a) AS a, type(r) AS type, elementId(b) AS b, properties(r) AS properties
"""


class Key(NamedTuple):
    """What identifies a node in both graphs: its type (a label of Cartography's) and its id."""

    type: str
    id: str


@dataclass(frozen=True)
class Node:
    """A node; datetimes are `{"datetime": ISO 8601 in UTC}`, everything else is as JSON has it."""

    labels: frozenset[str]
    properties: Mapping[str, Any]


class Link(NamedTuple):
    """What identifies an edge."""

    source: Key
    type: str
    target: Key


@dataclass(frozen=True)
class Graph:
    """A whole database, and what is known about its making (versions of Cartography and moto, the seed)."""

    made_by: Mapping[str, str]
    nodes: Mapping[Key, Node]
    edges: Mapping[Link, Mapping[str, Any]]


def read(server: Neo4jServer, made_by: Mapping[str, str]) -> Graph:
    """Read a server's database, bookkeeping left out; raises ValueError when two nodes have one key."""
    with GraphDatabase.driver(server.uri, auth=(server.user, server.password)) as driver, driver.session() as session:
        nodes = {record["element"]: _node(record["labels"], record["properties"]) for record in session.run(NODES)}
        keys = {element: _key(node) for element, node in nodes.items()}
        edges = {
            Link(keys[record["a"]], record["type"], keys[record["b"]]): _plain_properties(record["properties"])
            for record in session.run(EDGES)
        }
    by_key = {keys[element]: node for element, node in nodes.items()}
    if len(by_key) < len(nodes):
        twice = sorted(key for key in by_key if list(keys.values()).count(key) > 1)
        raise ValueError(f"two nodes have the same type and id: {twice[:10]}")
    return Graph(made_by, by_key, edges)


def type_of(labels: Iterable[str]) -> str:
    """The one label of a node that names its type: AWS' own, and the narrower one."""
    named = [label for label in labels if label.startswith("AWS")] or list(labels)
    return min([label for label in named if label not in SHARED] or named)


def _key(node: Node) -> Key:
    return Key(type_of(node.labels), str(node.properties["id"]))


def _node(labels: list[str], properties: Mapping[str, Any]) -> Node:
    return Node(frozenset(labels), _plain_properties(properties))


def _plain_properties(properties: Mapping[str, Any]) -> dict[str, Any]:
    plain = {name: _plain(value) for name, value in properties.items() if name not in BOOKKEEPING}
    return plain | {name: masked(plain[name]) for name in ASKED_WHEN_SWEPT & plain.keys()}


def _plain(value: Any) -> Any:
    """A value of the driver's as JSON has it; the emulator's address, spelt differently by either sweep, as a word."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, DateTime):
        value = value.to_native()
    if isinstance(value, datetime):
        return {"datetime": value.astimezone(UTC).isoformat(timespec="microseconds")}
    return ENDPOINT.sub("http://aws", value) if isinstance(value, str) else value


def masked(value: Any) -> Any:
    """The value with the digits of every point in time made 0, its format kept: estates are not built at one time."""
    if isinstance(value, list):
        return [masked(item) for item in value]
    if isinstance(value, dict):
        return {name: masked(item) for name, item in value.items()}
    if isinstance(value, str):
        return TIMES.sub(lambda match: DIGIT.sub("0", match[0]), value)
    if isinstance(value, int) and not isinstance(value, bool) and TIMES.fullmatch(str(value)):
        return 0
    return value


def timeless(graph: Graph) -> Graph:
    """The graph with every point in time masked, in ids too."""

    def key(old: Key) -> Key:
        return Key(old.type, masked(old.id))

    def properties(old: Mapping[str, Any]) -> dict[str, Any]:
        return {name: "…" if name in DRAWN_BY_CHANCE else masked(value) for name, value in old.items()}

    nodes = {key(old): Node(node.labels, properties(node.properties)) for old, node in graph.nodes.items()}
    edges = {
        Link(key(link.source), link.type, key(link.target)): properties(values) for link, values in graph.edges.items()
    }
    return Graph(graph.made_by, nodes, edges)


def save(graph: Graph, path: Path) -> None:
    """Write the graph as gzipped NDJSON, the same bytes for the same graph: how it was made, nodes, edges."""
    lines: list[dict[str, Any]] = [{"made_by": dict(graph.made_by)}]
    lines += [
        {"id": key.id, "labels": sorted(node.labels), "properties": dict(node.properties)}
        for key, node in sorted(graph.nodes.items(), key=lambda item: item[0])
    ]
    lines += [
        {"source": link.source, "type": link.type, "target": link.target, "properties": dict(properties)}
        for link, properties in sorted(graph.edges.items(), key=lambda item: item[0])
    ]
    text = "".join(json.dumps(line, sort_keys=True, ensure_ascii=False) + "\n" for line in lines)
    path.write_bytes(gzip.compress(text.encode(), mtime=0))


def load(path: Path) -> Graph:
    """Read what `save` wrote."""
    made_by, *lines = map(json.loads, gzip.decompress(path.read_bytes()).decode().splitlines())
    nodes = [Node(frozenset(line["labels"]), line["properties"]) for line in lines if "labels" in line]
    edges = {
        Link(Key(*line["source"]), line["type"], Key(*line["target"])): line["properties"]
        for line in lines
        if "source" in line
    }
    return Graph(made_by["made_by"], {_key(node): node for node in nodes}, edges)
