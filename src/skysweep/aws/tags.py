"""Tags: what a company calls its resources, whose they are and what they are for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from skysweep.model import Edge, Path, Record, Resource, at
from skysweep.paths import reader


class AWSTag(Resource):
    """A tag, one node for all that have it: environment, team, cost centre."""

    also = ("Tag",)
    shared = True
    owned = False

    id: str = at("id", doc="key:value")
    key: str = at("key", index=True)
    value: str = at("value", index=True)


def pairs(found: Any) -> Iterator[tuple[str, str]]:
    """Keys and values of tags in any of AWS's forms: a map, or a list whose members are called as the service likes."""
    if isinstance(found, dict):
        yield from found.items()
        return
    for each in found or ():
        named = {name.lower().removeprefix("tag"): value for name, value in each.items()}
        yield named["key"], named.get("value") or ""


def tagged(path: Path) -> Any:
    """The edges of a type's nodes to their tags, which stand at `path` of its records."""
    read = reader(path)

    def told(record: Record) -> list[dict[str, str]]:
        return [{"id": f"{key}:{value}", "key": key, "value": value} for key, value in pairs(read(record))]

    def ids(record: Record) -> list[str]:
        return [tag["id"] for tag in told(record)]

    return Edge("TAGGED", ids, tells=told)
