"""Declarations → Cypher statements. Pure.

Nodes and edges carry what the engine needs: `firstseen` (milliseconds, of the sweep that made them), `lastupdated` (the
update tag of the sweep that last saw them), and the scope that owns them, `_account` and `_region`. Shared nodes have
no scope of their own; the edges that hold them have. A node with a known owner is the owner's, whoever else lists it;
until a sweep has been to the owner its `_account` is FOREIGN, and the greatest account that lists it (`_teller`) tells.

Parameters: $rows; $tag, the update tag; $limit, how many deletions a transaction takes; $scopes, `[{account, region}]`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from skysweep.catalogue import Catalogue, Type, mark
from skysweep.model import Edge
from skysweep.store import NodeType

STAMPS = "r.lastupdated = $tag, r._account = row.account, r._region = row.region"

TOGETHER = 40  # patterns in a statement that looks for several

FOREIGN = "foreign"
UNOWNED = f"coalesce(n._account, '{FOREIGN}') = '{FOREIGN}'"

# Where several scopes see one edge in one sweep, the greatest owns it, whichever is written last.
GREATEST = (
    "WHERE coalesce(r.lastupdated, 0) < $tag OR coalesce(r.lastupdated, 0) = $tag "
    "AND coalesce(r._account, '') + coalesce(r._region, '') <= row.account + row.region"
)


_DELETING = re.compile(r" WITH (\w) LIMIT \$limit (DETACH )?DELETE \1(?= RETURN)")

ENGINES = {"AWSAccount": ("Tenant",), "SkysweepState": (), "ModuleSyncMetadata": ("SyncMetadata",)}
"""The labels that the engine itself writes, whatever is selected, each with its further labels."""


def node_types(catalogue: Catalogue) -> list[NodeType]:
    """What the store must prepare: each label, edges' far ends too, with further labels and indexed properties."""
    also: dict[str, tuple[str, ...]] = dict(ENGINES)
    indexes: dict[str, dict[str, None]] = {}
    for type_ in catalogue.types:
        ends = [
            (cls, key) for edge in type_.edges for cls, key in ((edge.target, edge.on), (edge.start, edge.start_on))
        ]
        found = [(type_.cls, each.name) for each in type_.properties if each.index]
        for cls, key in ((type_.cls, "id"), *ends, *found):
            if cls is not None:
                also[cls.label] = cls.also
                indexes.setdefault(cls.label, {})[key] = None
    return [NodeType(label, also[label], tuple(k for k in indexes.get(label, ()) if k != "id")) for label in also]


def edge_types(catalogue: Catalogue) -> list[str]:
    """Every edge type of the catalogue, RESOURCE included."""
    return sorted({"RESOURCE", *(edge.kind for type_ in catalogue.types for edge in type_.edges)})


def upsert(type_: Type, *, labels_are_types: bool) -> str:
    """Rows `{id, props, account, region}` → nodes, each held by its account where the type is owned."""
    lines = [
        "UNWIND $rows AS row",
        f"MERGE (n:{_name(type_.label)} {{id: row.id}})",
        "ON CREATE SET n.firstseen = $tag * 1000",
        f"SET {', '.join(_assignments(type_, labels_are_types=labels_are_types))}",
    ]
    if type_.owned:
        lines += [
            "WITH n, row",
            "MATCH (a:AWSAccount {id: row.account})",
            "MERGE (n)<-[r:RESOURCE]-(a)",
            "ON CREATE SET r.firstseen = $tag * 1000",
            *(("WITH r, row", GREATEST) if type_.shared else ()),
            f"SET {STAMPS}",
        ]
    return "\n".join(lines)


def visit(type_: Type, *, labels_are_types: bool) -> str:
    """Rows `{id, props, account, region}` of what others own → nodes, held by these accounts, told of while unowned."""
    lines = [
        "UNWIND $rows AS row",
        f"MERGE (n:{_name(type_.label)} {{id: row.id}})",
        "ON CREATE SET n.firstseen = $tag * 1000",
    ]
    if type_.owned:
        lines += [
            "WITH n, row",
            "MATCH (a:AWSAccount {id: row.account})",
            "MERGE (n)<-[r:RESOURCE]-(a)",
            "ON CREATE SET r.firstseen = $tag * 1000",
            f"SET {STAMPS}",
        ]
    return "\n".join(
        (
            *lines,
            "WITH n, row",
            f"WHERE {UNOWNED}",
            "AND (coalesce(n.lastupdated, 0) < $tag OR coalesce(n._teller, '') <= row.account)",
            f"SET {', '.join(_assignments(type_, labels_are_types=labels_are_types, visits=True))}",
        )
    )


def link(type_: Type, edge: Edge, *, visits: bool = False) -> str:
    """Rows `{start, end, props, account, region}` → edges between nodes that are there.

    visits: told by others than the owner of the declaring node; the edges of an owned node are its owner's to tell.
    """
    (start, start_on), (end, end_on) = ends(type_, edge)
    unowned = "WITH {0} AS n, s, t, row WHERE " + UNOWNED
    # The declaring node has few edges, the one it points at may have many: ArcadeDB walks those of the first.
    pattern = f"(t)<-[r:{_name(edge.kind)}]-(s)" if edge.inbound else f"(s)-[r:{_name(edge.kind)}]->(t)"
    return "\n".join(
        (
            "UNWIND $rows AS row",
            f"MATCH (s:{_name(start)} {{{_name(start_on)}: row.start}})",
            f"MATCH (t:{_name(end)} {{{_name(end_on)}: row.end}})",
            *((unowned.format("t" if edge.inbound else "s"),) if visits else ()),
            f"MERGE {pattern}",
            "ON CREATE SET r.firstseen = $tag * 1000",
            "WITH r, row",
            GREATEST,
            f"SET r += row.props, {STAMPS}",
        )
    )


def ends(type_: Type, edge: Edge) -> tuple[tuple[str, str], tuple[str, str]]:
    """The start's and the end's label, each with the property that it is found by."""
    if edge.target is None:
        raise ValueError(f"{type_.name}.{edge.name} has no target")
    own = (edge.start.label, edge.start_on) if edge.start else (type_.label, "id")
    other = (edge.target.label, edge.on)
    return (other, own) if edge.inbound else (own, other)


def stale_nodes(type_: Type) -> str:
    """Deletes nodes of the scopes that this sweep has not seen."""
    return (
        f"UNWIND $scopes AS scope MATCH (n:{_name(type_.label)} {{_account: scope.account, _region: scope.region}}) "
        "WHERE n.lastupdated < $tag WITH n LIMIT $limit DETACH DELETE n RETURN count(*) AS deleted"
    )


def stale_edges(type_: Type, edge: Edge, *, foreign: bool = False, whatever: bool = False) -> str:
    """Deletes edges that the scopes declared and that this sweep has not seen; `foreign`: those of unowned nodes.

    whatever: all that leave the start, whatever they lead to.
    """
    (start, _), (end, _) = ends(type_, edge)
    target = "t" if whatever else f"t:{_name(end)}"
    rest = "WITH r LIMIT $limit DELETE r RETURN count(*) AS deleted"
    # Of an owned node every such edge is its owner's, whoever drew it before a sweep came there.
    drawn = "" if type_.owner and not foreign else "r._account = scope.account AND "
    drawn += "r._region = scope.region"
    if type_.shared or edge.start:  # whichever node declares it: all are looked at once, not once for each scope
        return (
            f"MATCH (s:{_name(start)})-[r:{_name(edge.kind)}]->({target}) WHERE r.lastupdated < $tag "
            f"AND any(scope IN $scopes WHERE {drawn}) {rest}"
        )
    account = f"'{FOREIGN}'" if foreign else "scope.account"
    scoped = " {_account: " + account + ", _region: scope.region}"
    start_scope, end_scope = ("", scoped) if edge.inbound else (scoped, "")
    if edge.of and is_marked(type_, edge):
        drawn += f" AND {'t' if edge.inbound else 's'}.{mark(edge.of)} = $tag"
    return (
        f"UNWIND $scopes AS scope MATCH (s:{_name(start)}{start_scope})-[r:{_name(edge.kind)}]->"
        f"({target}{end_scope}) WHERE r.lastupdated < $tag AND {drawn} {rest}"
    )


def is_marked(type_: Type, edge: Edge) -> bool:
    """Whether the declaring node, an end of the edge, says in which sweep the detail that tells of it was answered."""
    return bool(edge.of) and not type_.shared and not edge.start


def stale_holds(type_: Type) -> str:
    """Deletes RESOURCE edges to others' and shared nodes that the accounts saw last, unless something else holds them.

    $scopes: `[{account, regions}]`, so that an account's many edges are walked once.
    """
    others = "AND n._account <> scope.account " if type_.owner else ""
    return (
        "UNWIND $scopes AS scope MATCH (a:AWSAccount {id: scope.account})-[r:RESOURCE]->"
        f"(n:{_name(type_.label)}) WHERE r.lastupdated < $tag AND r._region IN scope.regions {others}AND NOT EXISTS {{ "
        "MATCH (n)-[x]-() WHERE x._account = scope.account AND type(x) <> 'RESOURCE' } "
        "WITH r LIMIT $limit DELETE r RETURN count(*) AS deleted"
    )


def unheld(type_: Type) -> str:
    """Deletes nodes without an owner that nothing holds any more."""
    return (
        f"MATCH (n:{_name(type_.label)}) WHERE {UNOWNED} AND n.lastupdated < $tag AND NOT (n)--() "
        "WITH n LIMIT $limit DELETE n RETURN count(*) AS deleted"
    )


def counted(deletion: str) -> str:
    """Counts what a deletion has before it, with its parameters."""
    return _DELETING.sub("", deletion)


def seen_nodes(labels: Iterable[str]) -> list[str]:
    """Statements that count the nodes of each label that this sweep has seen; a label without any may be left out."""
    return _together(_of_labels(labels), "n.lastupdated = $tag RETURN '{0}' AS name, count(n) AS seen")


def seen_edges(catalogue: Catalogue, *, labels_are_types: bool) -> list[str]:
    """Statements that count the edges of each type that this sweep has seen, by parts; some may be left out."""
    patterns = _of_kinds(catalogue, labels_are_types=labels_are_types)
    return _together(patterns, "n.lastupdated = $tag RETURN '{0}' AS name, count(n) AS seen")


def stale(catalogue: Catalogue, *, labels_are_types: bool) -> list[str]:
    """Statements that name the labels (`:Label`) and edge types of which there is something this sweep has not seen."""
    labels = [(f":{label}", pattern) for label, pattern in _of_labels(sorted(catalogue.by_label))]
    patterns = [*labels, *_of_kinds(catalogue, labels_are_types=labels_are_types)]
    return _together(patterns, "n.lastupdated < $tag WITH n LIMIT 1 RETURN '{0}' AS name")


def _of_labels(labels: Iterable[str]) -> list[tuple[str, str]]:
    return [(label, f"(n:{_name(label)})") for label in labels]


def _of_kinds(catalogue: Catalogue, *, labels_are_types: bool) -> list[tuple[str, str]]:
    """Neo4j finds edges by their type; ArcadeDB, whose labels are types, walks from all nodes that may be the start."""
    starts = {(edge.kind, ends(type_, edge)[0][0]) for type_ in catalogue.types for edge in type_.edges}
    if labels_are_types:
        every = sorted({("RESOURCE", "AWSAccount"), *starts})
        return [(kind, f"(:{_name(start)})-[n:{_name(kind)}]->()") for kind, start in every]
    return [(kind, f"()-[n:{_name(kind)}]->()") for kind in edge_types(catalogue)]


def _together(patterns: Iterable[tuple[str, str]], rest: str) -> list[str]:
    """A round trip for each would be most of a small sweep's end; one statement for all would be long to plan."""
    each = [f"MATCH {pattern} WHERE {rest.format(name)}" for name, pattern in patterns]
    return ["\nUNION ALL\n".join(each[first : first + TOGETHER]) for first in range(0, len(each), TOGETHER)]


LAST_TAG = "MATCH (s:SkysweepState {id: 'sweep'}) RETURN s.update_tag AS tag"


def engines(label: str, *, labels_are_types: bool) -> str:
    """Rows `{id, props}` → nodes of one of the engine's own labels, whether or not a type of that label is swept."""
    labels = "" if labels_are_types else f"n:{':'.join(map(_name, ENGINES[label]))}, "
    return (
        f"UNWIND $rows AS row MERGE (n:{label} {{id: row.id}}) ON CREATE SET n.firstseen = $tag * 1000 "
        f"SET {labels}n += row.props, n.lastupdated = $tag"
    )


def _assignments(type_: Type, *, labels_are_types: bool, visits: bool = False) -> list[str]:
    labels = "".join(f":{_name(label)}" for label in type_.also)
    made = [f"n{labels}"] if labels and not labels_are_types else []
    made.append("n += row.props")
    if type_.extends:
        return [*made, f"n.lastupdated = CASE WHEN {UNOWNED} THEN $tag ELSE n.lastupdated END"]
    made.append("n.lastupdated = $tag")
    if not type_.shared:
        made += [f"n._account = '{FOREIGN}'" if visits else "n._account = row.account", "n._region = row.region"]
        if type_.source.call.per == "region":
            made.append("n.region = row.region")
    if type_.owner:
        made.append(f"n._teller = {'row.account' if visits else 'null'}")
    return made


def _name(name: str) -> str:
    return name if name.isidentifier() else f"`{name}`"
