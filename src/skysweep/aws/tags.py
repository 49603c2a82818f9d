"""Tags: what a company calls its resources, whose they are and what they are for.

A type says in one line where its tags are told. Each is an edge to a node that all share, and one text of the node's
own property `tags`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from skysweep.model import Edge, Function, Path, Record, Resource, Source, at, detail
from skysweep.paths import reader
from skysweep.regions import home


class AWSTag(Resource):
    """A tag, one node for all that have it: environment, team, cost centre."""

    also = ("Tag",)
    shared = True
    owned = False

    id: str = at("id", doc="key:value")
    key: str = at("key", index=True)
    value: str = at("value", index=True)


_FORMS = (("Key", "Value"), ("key", "value"), ("TagKey", "TagValue"), ("tagKey", "tagValue"))


def pairs(found: Any) -> Iterator[tuple[str, str]]:
    """Keys and values of tags in any of AWS's forms: a map, or a list whose members are called as the service likes."""
    if isinstance(found, dict):
        yield from found.items()
        return
    for each in found or ():
        key, value = next(((key, value) for key, value in _FORMS if key in each), _FORMS[0])
        yield each[key], each.get(value) or ""


def tagged(path: Path, *, of: Source | None = None) -> Any:
    """The edges of a type's nodes to their tags, which stand at `path` of its records, or of a detail call's reply."""
    read = reader(path)

    def told(record: Record) -> list[dict[str, str]]:
        return [{"id": f"{key}:{value}", "key": key, "value": value} for key, value in pairs(read(record))]

    def ids(record: Record) -> list[str]:
        """The texts `key:value` of its tags."""
        teller = record if of is None else Record(record.reply(of), record.context, record)
        return [f"{key}:{value}" for key, value in pairs(read(teller))]

    return Edge("TAGGED", ids, of, tells=told, keeps="tags")


def tagged_by_arn(on: Source, arn: Path, *, region: Function | None = None, after: Source | None = None) -> Any:
    """The same edges where AWS lists `on` without their tags: the tagging API is asked, for 100 ARNs at once.

    AWS does not tell of what never had a tag: it has none. region: which has the resources, where it is not the call's
    own; after: the detail of `on` that the region is known by.
    """
    if region is None and on.call.per == "account":
        region = partial(_home, on.call.service)
    asked = detail(
        "resourcegroupstaggingapi",
        "GetResources",
        "ResourceTagMappingList[]",
        on=on,
        after=after,
        region=region,
        batch=100,
        whose="ResourceARN",
        ResourceARNList=arn,
    )
    return tagged("Tags", of=asked)


def _home(service: str, record: Record) -> str:
    """The region that knows the tags of what the service has for the whole account."""
    return home(service, record.context.partition)
