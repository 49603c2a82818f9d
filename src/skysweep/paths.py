"""``A.B[].C`` → a function. The dotted subset of JMESPath, plus ``^`` (the record above) and templates.

    @                     the item itself
    State.Name            a member of a member
    Groups[].GroupId      that member of each; lists in lists are flattened
    Placements[0].Zone    that member of the first
    ^OwnerId              a member of the record that this one was found in; ^^ two up
    {account}/{GroupId}   a template: account, region, partition, and paths; null where any part is

A step into what is not there gives None, and `[]` drops the Nones, as JMESPath does. A step into what is there and is
something else, or could not be read, raises TypeError: what AWS sent in a wrong shape is not absent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from skysweep.model import Context, Item, Path, Record

Getter = Callable[[Any], Any]
Reader = Callable[[Record], Any]

_STEP = re.compile(r"(?P<name>[A-Za-z0-9_\-]+)(?P<index>\[\d*\])?\Z")
_HOLE = re.compile(r"\{([^{}]*)\}")
_CONTEXT = frozenset({"account", "region", "partition"})


class Spoiled:
    """What stands in a reply for a part that cannot be read. Whoever uses it as a value gets a TypeError."""

    __slots__ = ("text",)
    __hash__ = None  # type: ignore[assignment]  # no key, no member of a set

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return f"<unreadable {self.text!r}>"

    def _refuse(self, *_: object) -> Any:
        raise TypeError(f"{self!r} cannot be read")

    __bool__ = __eq__ = __ne__ = __format__ = __iter__ = __contains__ = __len__ = _refuse


def steps(path: str) -> list[tuple[str, int | None, bool]]:
    """The parsed steps of a path without ``^``: (member, index of one item, whether all items). Raises ValueError."""
    if path == "@":
        return []
    parsed = []
    for part in path.split("."):
        match = _STEP.match(part)
        if match is None:
            raise ValueError(f"{path!r} is no path: {part!r} is not understood")
        index = match["index"]
        parsed.append((match["name"], int(index[1:-1]) if index and index != "[]" else None, index == "[]"))
    return parsed


def climb(path: str) -> tuple[int, str]:
    """How many records up a path begins, and the rest of it."""
    rest = path.lstrip("^")
    return len(path) - len(rest), rest


def holes(template: str) -> list[str]:
    """The names and paths in a template's braces."""
    return _HOLE.findall(template)


@cache
def getter(path: str) -> Getter:
    """The function of an item that a path (without ``^``) is."""
    current: Getter = _itself
    for name, index, every in reversed(steps(path)):
        current = _every(name, current) if every else _member(name, index, current)
    return current


@cache
def reader(path: Path) -> Reader:
    """The function of a record that a path, a template or a function is."""
    if callable(path):
        return path
    if "{" in path:
        return _template(path)
    up, rest = climb(path)
    get = getter(rest)
    if not up:
        return lambda record: get(record.item)

    def above(record: Record) -> Any:
        for _ in range(up):
            if record.up is None:
                raise ValueError(f"{path!r} climbs above {record!r}")
            record = record.up
        return get(record.item)

    return above


def fill(template: str, context: Context) -> str:
    """A literal text with the target's account, region and partition put in."""
    for name in _CONTEXT:
        template = template.replace("{" + name + "}", getattr(context, name))
    return template


def records(path: str, reply: Item, context: Context, up: Record | None = None) -> Iterator[Record]:
    """The items at a source's path, each a record that can climb through the lists it was found in.

    A list of lists that is none in one place gives a record there that nothing can be read of. Raises TypeError where
    the reply's own list is none.
    """
    head, every, rest = path.partition("[]")
    found = getter(head)(reply) if head != "@" else reply
    if found is None:
        return iter(())
    if not every:
        return iter((Record(found, context, up),))
    return _records(rest.removeprefix("."), _items(found), context, up)


def _records(rest: str, items: list[Any], context: Context, up: Record | None) -> Iterator[Record]:
    for item in items:
        record = Record(item, context, up)
        if not rest:
            yield record
            continue
        try:
            inner = records(rest, item, context, record)
        except TypeError:
            yield Record(Spoiled(str(item)[:80]), context, record)
        else:
            yield from inner


def spoiled(value: Any) -> bool:
    """Whether any part of a reply could not be read."""
    if isinstance(value, dict):
        return any(map(spoiled, value.values()))
    return any(map(spoiled, value)) if isinstance(value, list) else type(value) is Spoiled


def _items(found: Any) -> list[Any]:
    if isinstance(found, list):
        return found
    raise TypeError(f"{str(found)[:80]!r} is no list")


def _itself(item: Any) -> Any:
    if type(item) is Spoiled:
        raise TypeError(f"{item!r} cannot be read")
    return item


def _step(item: Any, name: str) -> Any:
    """A member of an item; None where there is neither."""
    if isinstance(item, dict):
        return item.get(name)
    if item is None:
        return None
    raise TypeError(f"{str(item)[:80]!r} has no {name}")


def _member(name: str, index: int | None, then: Getter) -> Getter:
    def get(item: Any) -> Any:
        found = _step(item, name)
        if index is not None and found is not None:
            listed = _items(found)
            found = listed[index] if len(listed) > index else None
        return None if found is None else then(found)

    return get


def _every(name: str, then: Getter) -> Getter:
    def get(item: Any) -> Any:
        found = _step(item, name)
        if found is None:
            return None
        values: list[Any] = []
        for each in _items(found):
            value = then(each)
            if isinstance(value, list):
                values += value
            elif value is not None:
                values.append(value)
        return values

    return get


def _template(text: str) -> Reader:
    parts = _HOLE.split(text)  # text, hole, text, hole, …, text
    readers = [
        (lambda record, name=name: getattr(record.context, name)) if name in _CONTEXT else reader(name)
        for name in parts[1::2]
    ]
    texts = parts[::2]

    def build(record: Record) -> str | None:
        built = [texts[0]]
        for read, after in zip(readers, texts[1:], strict=True):
            value = read(record)
            if value is None:
                return None
            built += [str(value), after]
        return "".join(built)

    return build
