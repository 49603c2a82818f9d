"""The pages that are made, not written: docs/cli.md, docs/coverage.md, docs/questions.md and docs/schema/.

`nox -s docs` (`python -m generated`) writes them anew; tests/test_docs.py fails where one is stale.
"""

from __future__ import annotations

import inspect
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import covering
import diagrams
from skysweep import catalogue
from skysweep.analysis.questions import QUESTIONS
from skysweep.cli import COMMANDS, root
from skysweep.cli.schema import described

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from skysweep.catalogue import Type
    from skysweep.model import Edge, Property

DOCS = Path(__file__).resolve().parents[1] / "docs"
NOTE = "Made by `nox -s docs`; do not edit.\n"
GLOBAL = "account"
TOLD = "tags"  # the page of what no call lists: the records of others tell of it


def pages() -> dict[Path, str]:
    """The text of every generated page."""
    services, homes = placed(catalogue.load().types)
    every = [type_ for types in services.values() for type_ in types]
    made = {
        DOCS / "schema" / f"{service}.md": _service(service, types, every, homes) for service, types in services.items()
    }
    made[DOCS / "schema" / "index.md"] = _schema_index(services)
    made[DOCS / "cli.md"] = _cli()
    made[DOCS / "coverage.md"] = covering.page(catalogue.load(), NOTE)
    made[DOCS / "questions.md"] = _questions()
    return made


def placed(every: Iterable[Type]) -> tuple[dict[str, list[Type]], dict[str, str]]:
    """The types by the page that tells of them, and each label's page."""
    services: dict[str, list[Type]] = defaultdict(list)
    for type_ in every:
        if not type_.teller:
            services[type_.source.call.service].append(type_)
        elif not type_.extends:
            services[TOLD].append(type_)
    return services, {
        type_.label: service for service, types in services.items() for type_ in types if not type_.extends
    }


def main() -> None:
    """Writes every page, and removes schema pages of services that are gone."""
    made = pages()
    (DOCS / "schema").mkdir(exist_ok=True)
    for path in set((DOCS / "schema").glob("*.md")) - set(made):
        path.unlink()
    for path, text in made.items():
        path.write_text(text, encoding="utf-8")


def _schema_index(services: Mapping[str, Sequence[Type]]) -> str:
    rows = [(f"[{service}]({service}.md)", _labels(types)) for service, types in sorted(services.items())]
    every = [type_ for types in services.values() for type_ in types]
    told = [
        "# Schema",
        "",
        NOTE,
        (
            "A page a service: first a diagram of its neighbourhood, then type by type the calls that it comes of, the "
            "permissions that they need, the properties with the place in AWS's answer that each is read from, and the "
            "edges. The pages are made of the same declarations that a sweep runs on."
        ),
        "",
        (
            f"{sum(not each.extends for each in every)} node types of {len(services)} services, "
            f"{sum(len(each.properties) for each in every)} properties, {sum(len(each.edges) for each in every)} edges "
            "as declared. Every node and edge also has `firstseen` (epoch milliseconds of the sweep that made it) and "
            "`lastupdated` (the update tag of the last sweep that saw it). `(:AWSAccount)-[:RESOURCE]->()` leads from "
            "the account to what is in it. A node whose properties or edges come of further calls also has "
            "`_seen_<Operation>`: the update tag of the last sweep in which that call was answered for it. What comes "
            "of the call is as of then, and unknown where the property is missing. "
            "`skysweep schema --json` prints the same for programs."
        ),
        "",
        *_table(("service", "types"), rows),
    ]
    return "\n".join(told) + "\n"


def _labels(types: Sequence[Type]) -> str:
    own = [type_.label for type_ in types if not type_.extends]
    added = sorted({type_.label for type_ in types} - set(own))
    return "; ".join(part for part in (_codes(own), added and f"adds to {_codes(added)}") if part)


def _service(service: str, types: Sequence[Type], every: Iterable[Type], homes: Mapping[str, str]) -> str:
    parts = [f"# {service}", "", NOTE, *diagrams.diagram(service, types, every, homes)]
    for type_ in types:
        parts += _type(type_, homes)
    return "\n".join(parts).rstrip() + "\n"


def _type(type_: Type, homes: Mapping[str, str]) -> list[str]:
    told = described(type_)
    title = f"{type_.label}: what `{type_.name}` adds" if type_.extends else type_.label
    facts = [f"- Further labels: {_codes(type_.also)}"] if type_.also else []
    if type_.teller:
        facts.append("- No call of its own: it is told by the records of the types that have edges to it.")
    else:
        facts += [f"- Calls: {_codes(dict.fromkeys(map(str, type_.calls)))} {_where(type_)}"]
        facts += [f"- Permissions: {_codes(type_.permissions)}"]
    if type_.shared and not type_.extends:
        facts.append("- Several accounts or regions may see the same node; it goes when none does.")
    if type_.owner:
        facts.append("- Others than its owner may list it; the owner's word counts.")
    if type_.marks:
        facts.append(f"- Last answered: {_codes(type_.marks)}")
    properties = [
        (f"`{each.name}`", row["type"], _origin(each), each.description)
        for each, row in zip(type_.properties, told["properties"], strict=True)
    ]
    edges = [f"- {_edge(type_, edge, homes)}" for edge in type_.edges]
    return [
        *(f"## {title}", "", told["description"], "", *facts, ""),
        *(*_table(("property", "type", "from", ""), properties), ""),
        *((*edges, "") if edges else ()),
    ]


def _origin(part: Property) -> str:
    """Where the value comes from: the path in AWS's reply, or what the function that finds it says of itself."""
    reply = f" of `{part.of.call.operation}`" if part.of else ""
    if callable(part.path):
        return (inspect.getdoc(part.path) or f"`{part.path.__name__}`").partition("\n")[0]
    return f"`{part.path}`{reply}"


def _where(type_: Type) -> str:
    return "once an account" if type_.source.call.per == GLOBAL else "in every region"


def _edge(type_: Type, edge: Edge, homes: Mapping[str, str]) -> str:
    start, kind, end = diagrams.arrow(type_, edge)
    return f"{_node(start, homes)} `-[:{kind}]->` {_node(end, homes)}"


def _node(label: str, homes: Mapping[str, str]) -> str:
    return f"[`{label}`]({homes[label]}.md#{label.lower()})"


def _codes(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _cli() -> str:
    parts = ["# Command line", "", NOTE, "```", "skysweep COMMAND [OPTIONS]", "```", ""]
    for name, sentence in COMMANDS.items():
        parts += [f"## skysweep {name}", "", sentence, "", *_options(name), ""]
    parts += [
        "## Exit codes",
        "",
        *_table(
            ("code", "means"),
            [
                ("0", "complete"),
                ("1", "could not run; usage errors too"),
                ("2", "swept, but not everything: the report says what"),
                ("3", "`query --fail-on` found rows"),
                ("130", "interrupted"),
            ],
        ),
    ]
    return "\n".join(parts) + "\n"


def _options(name: str) -> list[str]:
    rows = [(_option(each), each.help or "", _default(each)) for each in command(name).params]
    return _table(("option", "", "default"), rows)


def command(name: str) -> Any:
    """The real command of that name."""
    group = root()
    return group.resolve_command(group.make_context("skysweep", [name]), [name])[1]


def _option(each: Any) -> str:
    if each.param_type_name == "argument":
        return f"`{each.name.upper()}`"
    return ", ".join(f"`{option}`" for option in each.opts)


def _default(each: Any) -> str:
    return "" if each.default is None or each.default is False else f"{each.default}"


def _questions() -> str:
    parts = [
        *("# Saved questions", "", NOTE),
        "`skysweep query NAME` asks one of these; `skysweep query --fail-on NAME` ends with 3 when rows come back.",
        "",
        (
            "To ask only of some accounts, begin with them, `MATCH (a:AWSAccount {production: true})-[:RESOURCE]->…`: "
            "`--production-accounts` says which those are. [What the graph holds](graph.md) has more to ask."
        ),
        "",
    ]
    for question in QUESTIONS.values():
        parts += [f"## {question.name}", "", question.sentence, "", "```cypher", question.cypher, "```", ""]
    return "\n".join(parts).rstrip() + "\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return [f"| {' | '.join(line)} |".replace("|  |", "| |") for line in lines]


if __name__ == "__main__":
    main()
