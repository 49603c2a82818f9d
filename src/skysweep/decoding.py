"""Decoders compiled from botocore's shapes: what its parsers make of a reply, in a fraction of the time.

botocore asks the model anew for every value of every reply. Here each shape becomes a function once, and a structure's
values are told apart by one look-up each. What a decoder makes equals what `replies.py`'s parsers make, marks of what
cannot be read included; shapes that are seldom met (unions, maps in XML, attributes) are left to those.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from botocore.handlers import decode_quoted_jsondoc
from botocore.utils import ensure_boolean, parse_timestamp

from skysweep.paths import Spoiled
from skysweep.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Decode = Callable[[Any], Any]

POLICY = "policyDocumentType"  # IAM's: JSON in a URL's encoding, read as objects by botocore as well


def timestamp(value: Any) -> datetime:
    """A timestamp of any AWS protocol, aware, in UTC where it says nothing; 28-200 times faster than botocore's."""
    try:
        if not isinstance(value, str):
            moment = datetime.fromtimestamp(value, UTC)
        elif value[4:5] == "-":
            moment = datetime.fromisoformat(value)
        else:  # RFC 822, or a number
            moment = parse_timestamp(value)
    except (ValueError, TypeError, OverflowError, OSError):
        moment = parse_timestamp(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def words(node: Any) -> str:
    """The beginning of what stood there."""
    found: Any = node[0] if isinstance(node, list) and node else node
    text = "".join(found.itertext()) if hasattr(found, "itertext") else str(found)
    return text[:80]


def tag_of(node: Any) -> str:
    """An element's name without its namespace."""
    return str(node.tag).rpartition("}")[2]


class _Compiler:
    """Compiles the shapes of one reply. slow: botocore's way for one shape, as `replies.py` keeps it strict."""

    def __init__(self, slow: Callable[[Any, Any], Any]) -> None:
        self._slow = slow
        self._known: dict[tuple[str, str], list[Decode]] = {}

    def decode(self, shape: Any) -> Decode:
        """The shape's decoder; one that is being compiled further up is looked up when it is used."""
        key = shape.name, repr(sorted(shape.serialization.items()))
        if key in self._known:
            cell = self._known[key]
            return cell[0] if cell else partial(_later, cell)
        cell = self._known[key] = []
        made = self._made(shape)
        cell.append(partial(_policy, made) if shape.name == POLICY else made)
        return cell[0]

    def _made(self, shape: Any) -> Decode:
        raise NotImplementedError

    def _left(self, shape: Any) -> Decode:
        return partial(self._slow, shape)

    def lists(self, shape: Any) -> dict[str, tuple[str, Decode]]:
        """The lists among a structure's members, by what they are called in a reply: name and decoder of an item."""
        every = ((name, each) for name, each in shape.members.items() if each.type_name == "list")
        plain = ((name, each) for name, each in every if not each.serialization.get("flattened"))
        return {each.serialization.get("name", name): (name, self.decode(each.member)) for name, each in plain}


@dataclass(frozen=True, slots=True)
class Whole:
    """The decoder of a reply's outermost structure, and those of the items of its lists."""

    decode: Decode
    lists: Mapping[str, tuple[str, Decode]]

    async def in_turns(self, node: Any) -> Any:
        """As `decode` does, and lets others run after some items."""
        turns, parts = Turns(), {}
        for name, item, items in _taken(node, self.lists):
            made = parts[name] = list[Any]()
            for each in items:
                made.append(item(each))
                await turns.next()
        parsed = self.decode(node)
        return parsed | parts if isinstance(parsed, dict) else parsed


def _taken(node: Any, lists: Mapping[str, tuple[str, Decode]]) -> list[tuple[str, Decode, list[Any]]]:
    """Takes the lists out of a reply: each one's name, the decoder of its items, and those."""
    if isinstance(node, dict):
        found = [key for key in lists.keys() & node.keys() if type(node[key]) is list]
        return [(*lists[key], node.pop(key)) for key in found]
    tags = [tag_of(child) for child in node]
    found = [child for child, tag in zip(node, tags, strict=True) if tag in lists and tags.count(tag) == 1]
    filled = [child for child in found if len(child)]
    for child in filled:
        node.remove(child)
    return [(*lists[tag_of(child)], list(child)) for child in filled]


class Json(_Compiler):
    """The JSON protocols' decoders: functions of what the JSON parser has made."""

    leaves: ClassVar[Mapping[str, Decode]] = {}

    def _made(self, shape: Any) -> Decode:
        kind = shape.type_name
        if kind == "structure":
            return self._left(shape) if shape.is_tagged_union or shape.is_document_type else self.structure(shape)
        if kind == "list":
            return _json_list(self.decode(shape.member))
        if kind == "map":
            return _json_map(self.decode(shape.key), self.decode(shape.value))
        return self.leaves.get(kind, _same)

    def structure(self, shape: Any) -> Decode:
        """A structure's decoder."""
        members = shape.members.items()
        table = {each.serialization.get("name", name): (name, self.decode(each)) for name, each in members}
        if len(table) < len(members):
            return self._left(shape)
        look_up = table.get

        def structure(value: Any) -> Any:
            if type(value) is not dict:
                return None if value is None else Spoiled(words(value))
            parsed = {}
            for key, raw in value.items():
                member = look_up(key)
                if member is not None and raw is not None:
                    name, decode = member
                    parsed[name] = raw if decode is _same else decode(raw)
            return parsed

        return structure


def _later(cell: Sequence[Decode], value: Any) -> Any:
    return cell[0](value)


def _same(value: Any) -> Any:
    return value


def _json_list(item: Decode) -> Decode:
    def every(value: Any) -> Any:
        if type(value) is not list:  # else it would list letters, or keys
            return Spoiled(words(value))
        return value if item is _same else [item(each) for each in value]

    return every


def _json_map(key: Decode, value: Decode) -> Decode:
    def mapping(node: Any) -> Any:
        if type(node) is not dict:
            return Spoiled(words(node))
        try:
            return {key(name): value(each) for name, each in node.items()}
        except TypeError:  # a key that cannot be read
            return Spoiled(words(node))

    return mapping


def _leaf(read: Decode) -> Decode:
    def leaf(value: Any) -> Any:
        try:
            return read(value)
        except Exception:  # noqa: BLE001 - whatever an odd value does inside a parser
            return Spoiled(words(value))

    return leaf


def _typed(kind: type, read: Decode) -> Decode:
    """Leaves a value of the type as it is."""
    other = _leaf(read)
    return lambda value: value if type(value) is kind else other(value)


Json.leaves = {"timestamp": _leaf(timestamp), "blob": _leaf(b64decode)}


class RestJson(Json):
    """The decoders of the protocol whose numbers and booleans botocore converts."""

    leaves: ClassVar[Mapping[str, Decode]] = {
        **Json.leaves,
        **dict.fromkeys(("integer", "long"), _typed(int, int)),
        **dict.fromkeys(("float", "double"), _typed(float, float)),
        "boolean": _typed(bool, ensure_boolean),
    }


class Xml(_Compiler):
    """The XML protocols' decoders: functions of an element, or of a list of those that repeat."""

    def _made(self, shape: Any) -> Decode:
        kind = shape.type_name
        if kind == "structure":
            return self._left(shape) if shape.is_tagged_union else self.structure(shape)
        if kind == "list":
            item = self.decode(shape.member)
            return _flattened(item) if shape.serialization.get("flattened") else _xml_list(item)
        if kind == "map":
            return self._left(shape)
        return _xml_leaf(_READ.get(kind, _same))

    def structure(self, shape: Any, *, root: bool = False) -> Decode:
        """A structure's decoder; a reply's outermost may hold a text where the model has members, as S3's do."""
        table: Table = {}
        for name, each in shape.members.items():
            said, key = each.serialization, _key(name, each)
            if key in table or said.get("xmlAttribute") or said.get("eventheader"):
                return self._left(shape)
            if "location" not in said:
                table[key] = (name, self.decode(each), each.type_name == "list" and bool(said.get("flattened")))
        return _xml_structure(table, root=root)


Table = dict[str, tuple[str, Decode, bool]]
"""The members of a structure by their elements' names: the member's name, its decoder, whether it may stand twice."""


def _xml_structure(table: Table, *, root: bool) -> Decode:
    met: dict[str, tuple[str, Decode, bool]] = {}  # by the names with their namespaces
    look_up = met.get

    def structure(node: Any) -> Any:
        if type(node) is list:
            node = node[0]
        parsed: dict[str, Any] = {}
        for child in node:
            member = look_up(child.tag)
            if member is None:
                member = table.get(tag_of(child))
                if member is None:
                    continue
                met[child.tag] = member
            met.setdefault(child.tag, member)
            name, decode, several = member
            if several:
                parsed.setdefault(name, []).extend(decode(child))
            elif name in parsed:
                return _again(node, table)
            else:
                parsed[name] = decode(child)
        return parsed if parsed or root or not is_text(node) else Spoiled(words(node))

    return structure


def is_text(node: Any) -> bool:
    """Whether an element holds a text and no others."""
    return not len(node) and bool(node.text) and not node.text.isspace()


def _key(name: str, shape: Any) -> str:
    """The element's name that a member has: of a flattened list its items'."""
    if shape.type_name == "list" and shape.serialization.get("flattened"):
        name = shape.member.serialization.get("name") or name
    return str(shape.serialization.get("name", name))


def _again(node: Any, table: Table) -> dict[str, Any]:
    """A structure in which something stands twice that should not."""
    found: dict[str, list[Any]] = {}
    for child in node:
        found.setdefault(tag_of(child), []).append(child)
    parsed = {}
    for tag, nodes in found.items():
        member = table.get(tag)
        if member is not None:
            name, decode, _ = member
            parsed[name] = decode(nodes if len(nodes) > 1 else nodes[0])
    return parsed


def _xml_list(item: Decode) -> Decode:
    def every(node: Any) -> Any:
        if type(node) is not list and is_text(node):
            return Spoiled(words(node))
        return [item(each) for each in node]

    return every


def _flattened(item: Decode) -> Decode:
    def every(node: Any) -> list[Any]:
        return [item(each) for each in (node if type(node) is list else (node,))]

    return every


def _xml_leaf(read: Decode) -> Decode:
    if read is _same:

        def text(node: Any) -> Any:
            if type(node) is list or len(node):
                return Spoiled(words(node))
            return node.text or ""

        return text

    def leaf(node: Any) -> Any:
        if type(node) is list or len(node):
            return Spoiled(words(node))
        try:
            return read(node.text or "")
        except Exception:  # noqa: BLE001 - whatever an odd text does inside a parser
            return Spoiled(words(node))

    return leaf


def boolean(text: str) -> bool:
    """An XML boolean. Raises ValueError for what is none."""
    if text.lower() not in {"true", "false", "1", "0", ""}:
        raise ValueError(text)
    return text == "true"  # as botocore


_READ: Mapping[str, Decode] = {
    **dict.fromkeys(("integer", "long"), int),
    **dict.fromkeys(("float", "double"), float),
    "boolean": boolean,
    "timestamp": timestamp,
    "blob": b64decode,
}


def _policy(decode: Decode, node: Any) -> Any:
    value = decode(node)
    try:
        return decode_quoted_jsondoc(value)
    except Exception:  # noqa: BLE001 - whatever an odd document does inside botocore's
        return Spoiled(words(node))
