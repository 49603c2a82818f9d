"""The comparison as people read it: a table for the terminal, and docs/compatibility.md."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oracle.compare import compare
from oracle.explain import REASONS, explain, read_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from oracle.compare import Difference
    from oracle.dump import Graph
    from oracle.explain import Row, Verdict

ONTOLOGY = "_ont_"


@dataclass
class Tally:
    """What one type of Cartography's has in its graph, and how much of that ours has the same."""

    nodes: int = 0
    nodes_same: int = 0
    values: int = 0
    values_same: int = 0
    edges: int = 0
    edges_same: int = 0
    explained: int = 0
    unlisted: int = 0


def judge(theirs: Graph, ours: Graph) -> tuple[dict[str, Tally], Verdict]:
    """Compare by the hand-written table: the counts by type, and what is explained and what is not."""
    differences = compare(theirs, ours)
    verdict = explain(differences, read_table())
    return tally(theirs, differences, verdict), verdict


def tally(theirs: Graph, differences: Sequence[Difference], verdict: Verdict) -> dict[str, Tally]:
    """Count by type; an edge is its source's, and what hangs on a node that we lack is lacking too."""
    types: dict[str, Tally] = defaultdict(Tally)
    lacking = {(difference.type, difference.id) for difference in differences if difference.kind == "node"}
    for key, node in theirs.nodes.items():
        names = [name for name in node.properties if not name.startswith(ONTOLOGY)]
        types[key.type].nodes += 1
        types[key.type].values += len(names)
        if key not in lacking:
            types[key.type].nodes_same += 1
            types[key.type].values_same += len(names)
    for link in theirs.edges:
        types[link.source.type].edges += 1
        types[link.source.type].edges_same += link.source not in lacking and link.target not in lacking
    for difference in differences:
        types[difference.type].values_same -= difference.kind == "property" and not difference.name.startswith(ONTOLOGY)
        types[difference.type].edges_same -= difference.kind == "edge"
    for difference in verdict.unlisted:
        types[difference.type].unlisted += 1
    for explained in verdict.explained.values():
        for difference in explained:
            types[difference.type].explained += 1
    return dict(sorted(types.items()))


def lines(types: dict[str, Tally]) -> list[str]:
    """The terminal's table: a line a type, what is the same of what Cartography has."""
    head = f"{'type':38}{'nodes':>12}{'values':>14}{'edges':>14}{'explained':>11}{'unlisted':>10}"
    rows = [
        f"{name:38}{f'{t.nodes_same}/{t.nodes}':>12}{f'{t.values_same}/{t.values}':>14}"
        f"{f'{t.edges_same}/{t.edges}':>14}{t.explained or '':>11}{t.unlisted or '':>10}"
        for name, t in types.items()
    ]
    return [head, *rows]


def complaints(verdict: Verdict) -> list[str]:
    """What fails the comparison: unlisted differences, alike ones together with an example, and stale rows."""
    alike: dict[tuple[str, ...], list[Difference]] = defaultdict(list)
    for difference in verdict.unlisted:
        alike[difference.kind, difference.how, difference.type, difference.name, difference.target].append(difference)
    told = [f"unlisted: {_place(*place)} x{len(found)}: {_example(found[0])}" for place, found in alike.items()]
    return told + [
        f"stale: {_place(row.kind, row.how, row.type, row.name, row.target)} ({row.why})" for row in verdict.stale
    ]


def _place(kind: str, how: str, type_: str, name: str, target: str) -> str:
    where = {
        "node": f"({type_})",
        "label": f"({type_}:{name})",
        "property": f"{type_}.{name}",
        "edge": f"({type_})-[{name}]->({target})",
    }
    return f"{how} {kind} {where.get(kind, f'{type_} {name} {target}')}"


def _example(difference: Difference) -> str:
    ours = "" if difference.how == "lacks" else f", ours {difference.ours!r}"
    theirs = "" if difference.kind in {"node", "label"} else f": theirs {difference.theirs!r}"
    return f"{difference.id}{theirs}{ours}"


INTRODUCTION = """\
# Compatibility with Cartography {cartography}

Where Cartography has a type, skysweep's has the same labels, ids, property names, edge types and directions, so that
queries written for Cartography run unchanged. This page is not a promise but a measurement: the demo's organization,
in an emulated AWS (moto {moto}), is swept by Cartography {cartography} and by skysweep into two Neo4j databases, and
every node, label, property and edge of Cartography's is looked for in ours.
A difference that the table `tests/oracle/explained.csv` does not explain fails the tests, and so does an explanation
that explains nothing any more. Made by `nox -s oracle`; do not edit.

What counts is what is in Cartography's graph after its `aws` stage, without its bookkeeping (`firstseen`,
`lastupdated`, `_module_*`): all syncs but those that moto fails (reserved instances, Bedrock, SSM, Cognito), those that
read what no AWS API tells (`ecr:image_layers`) and `permission_relationships`. skysweep has more than is counted here.
"""


def page(theirs: Graph, types: dict[str, Tally], verdict: Verdict) -> str:
    """The text of docs/compatibility.md."""
    parts = [INTRODUCTION.format(**theirs.made_by), *_types_section(types)]
    for reason in REASONS:
        rows = [(row, found) for row, found in verdict.explained.items() if row.reason == reason]
        parts += _reason_section(reason, rows)
    return "\n".join(parts) + "\n"


def _types_section(types: dict[str, Tally]) -> list[str]:
    total = Counter[str]()
    for one in types.values():
        total.update(vars(one))
    rows = [f"| `{name}` | {_shares(vars(one))} |" for name, one in types.items()]
    return [
        "## Type by type",
        "",
        "The same of all that Cartography has; `_ont_*` copies are not counted among the property values.",
        "",
        "| type | nodes | property values | edges from it |",
        "| --- | --- | --- | --- |",
        *rows,
        f"| **all {len(types)}** | {_shares(total)} |",
        "",
    ]


def _shares(counts: Mapping[str, int]) -> str:
    return " | ".join(_share(counts[f"{what}_same"], counts[what]) for what in ("nodes", "values", "edges"))


def _share(same: int, whole: int) -> str:
    if not whole:
        return ""
    return f"all {whole}" if same == whole else f"{same} of {whole}"


def _reason_section(reason: str, rows: Iterable[tuple[Row, list[Difference]]]) -> list[str]:
    told = sorted(f"| {_cell(row)} | {len(found)} | {row.why} |" for row, found in rows)
    head = [f"## Different: {reason}", "", "| what | times | why |", "| --- | --- | --- |"]
    return [*head, *told, ""] if told else []


def _cell(row: Row) -> str:
    where = f"`{_place(row.kind, row.how, row.type, row.name, row.target)}`"
    return where if row.id == "*" else f"{where} at `{row.id}`"
