from __future__ import annotations

from typing import Annotated, Any

from rich.markup import escape
from typer import Option

from skysweep import catalogue
from skysweep.catalogue import Type
from skysweep.cli.options import Json, Syncs, names
from skysweep.cli.screen import print_json, show, table
from skysweep.model import Edge, Property
from skysweep.syncs import syncs as known_syncs


def schema(
    aws_requested_syncs: Syncs = None,
    syncs: Annotated[bool, Option("--syncs", help="List Cartography's sync names and the types of each.")] = False,
    json: Json = False,
) -> None:
    """Show labels, properties and edges, with what they mean."""
    if syncs:
        return _show_syncs(json)
    selected = catalogue.load(names(aws_requested_syncs)).types
    types = [
        described(type_) for type_ in selected if not (type_.teller and type_.extends)
    ]  # told by another: the same
    if json:
        return print_json({"types": types})
    for type_ in types:
        _show_type(type_)
    return None


def described(type_: Type) -> dict[str, Any]:
    """A type as `schema --json` has it."""
    return {
        "label": type_.label,
        "also": list(type_.also),
        "description": " ".join(type_.description.split()),
        "service": type_.source.call.service,
        "operation": type_.source.call.operation,
        "properties": [_property(each) for each in type_.properties],
        "edges": [_edge(each) for each in type_.edges],
        "permissions": list(type_.permissions),
    }


def _property(each: Property) -> dict[str, str]:
    return {"name": each.name, "type": _type_name(each.type), "description": each.description}


def _type_name(annotation: Any) -> str:
    return (
        annotation.__name__ if isinstance(annotation, type) and not hasattr(annotation, "__args__") else str(annotation)
    )


def _edge(each: Edge) -> dict[str, str]:
    target = each.target.label if each.target else ""
    return {"type": each.kind, "target": target, "direction": "in" if each.inbound else "out"}


def _show_type(type_: dict[str, Any]) -> None:
    also = f" (also {', '.join(type_['also'])})" if type_["also"] else ""
    rows = [(each["name"], each["type"], each["description"]) for each in type_["properties"]]
    for edge in type_["edges"]:
        arrow = f"<-[:{edge['type']}]-" if edge["direction"] == "in" else f"-[:{edge['type']}]->"
        rows.append((f"{arrow}({edge['target']})", "edge", ""))
    show(
        escape(f"\n{type_['label']}{also}: {type_['description']}"),
        escape(f"{type_['service']}:{type_['operation']}; needs {', '.join(type_['permissions'])}"),
        table(("property", "type", "description"), rows),
    )


def _show_syncs(json: bool) -> None:
    there = {type_.label for type_ in catalogue.load().types}
    found = {name: [label for label in labels if label in there] for name, labels in known_syncs().items()}
    if json:
        return print_json({"syncs": found})
    rows = [(name, ", ".join(labels) or "no types yet") for name, labels in found.items()]
    return show(table(("sync", "types"), rows))
