"""What Cartography's graph has that ours lacks, or has otherwise. Pure: two graphs in, differences out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from oracle.dump import Key, Link

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from oracle.dump import Graph, Node

Kind = Literal["node", "label", "property", "edge"]
How = Literal["lacks", "differs"]


@dataclass(frozen=True)
class Difference:
    """One thing of Cartography's that ours lacks or has otherwise, at one node."""

    kind: Kind
    how: How
    type: str
    """Cartography's label of the node; of an edge, of its source."""
    name: str
    """The label, property or edge type; empty for a node."""
    target: str
    """Of an edge, its target's label; else empty."""
    id: str
    """Of the node; of an edge, of its source."""
    theirs: Any = None
    ours: Any = None


def compare(theirs: Graph, ours: Graph) -> list[Difference]:
    """All differences, in order. An edge of a node that we lack follows from that and is not told again."""
    same = counterparts(theirs, ours)
    found: list[Difference] = []
    for key, node in sorted(theirs.nodes.items(), key=lambda item: item[0]):
        counterpart = same.get(key)
        if counterpart is None:
            found.append(Difference("node", "lacks", key.type, "", "", key.id))
        else:
            found += _node_differences(key, node, ours.nodes[counterpart])
    return found + list(_edge_differences(theirs, ours, same))


def counterparts(theirs: Graph, ours: Graph) -> dict[Key, Key]:
    """Our node for each of theirs that has one: the same type and id, else any label in common and the same id."""
    by_label = {Key(label, key.id): key for key, node in ours.nodes.items() for label in sorted(node.labels)}
    same = {}
    for key, node in theirs.nodes.items():
        tries = [key, *(Key(label, key.id) for label in sorted(node.labels))]
        match = next((by_label[candidate] for candidate in tries if candidate in by_label), None)
        if match is not None:
            same[key] = match
    return same


def _node_differences(key: Key, theirs: Node, ours: Node) -> Iterator[Difference]:
    for label in sorted(theirs.labels - ours.labels):
        yield Difference("label", "lacks", key.type, label, "", key.id)
    for name, value in sorted(theirs.properties.items()):
        if name not in ours.properties:
            yield Difference("property", "lacks", key.type, name, "", key.id, value)
        elif not equal(value, ours.properties[name]):
            yield Difference("property", "differs", key.type, name, "", key.id, value, ours.properties[name])


def _edge_differences(theirs: Graph, ours: Graph, same: Mapping[Key, Key]) -> Iterator[Difference]:
    for link, properties in sorted(theirs.edges.items(), key=lambda item: item[0]):
        if link.source not in same or link.target not in same:
            continue
        place = (link.source.type, link.type, link.target.type, link.source.id)
        mine = ours.edges.get(Link(same[link.source], link.type, same[link.target]))
        if mine is None:
            yield Difference("edge", "lacks", *place, theirs=link.target.id)
        elif any(name not in mine or not equal(value, mine[name]) for name, value in properties.items()):
            yield Difference("edge", "differs", *place, theirs=dict(properties), ours=dict(mine))


def equal(theirs: Any, ours: Any) -> bool:
    """Whether a query could not tell the values apart: of one type, and lists in any order (both read sets)."""
    return _text(theirs) == _text(ours)


def _text(value: Any) -> str:
    if isinstance(value, list):
        return json.dumps(sorted(map(_text, value)))
    return json.dumps(value, sort_keys=True)
