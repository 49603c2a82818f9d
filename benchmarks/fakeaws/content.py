"""What an item says: every member of its shape, made of its number and place. A shape is compiled once into functions.

Identifiers hold their numbers, so that the reply about one thing is made from the name that the request gives.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from ipaddress import IPv4Address
from typing import Any

from benchmarks.fakeaws.estate import GLOBAL, Estate
from benchmarks.fakeaws.kinds import CIDR, IPV6_RANGE, KINDS, MEMBERS, Text
from benchmarks.fakeaws.later import LATER
from benchmarks.fakeaws.sizes import LACKING

MOMENT = datetime(2024, 1, 1, tzinfo=UTC)
DEPTH = 4  # structures within structures that are filled, counted from the item
FIRST_ADDRESS = int(IPv4Address("11.0.0.0"))
_MEMBERS = {**MEMBERS, **{key: {**MEMBERS.get(key, {}), **told} for key, told in LATER.items()}}
OF_LISTING = {listing: kind for kind, listing in KINDS.items()}

_HEX = re.compile(r"[0-9a-f]{8}([0-9a-f]{8})(?![0-9a-f])", re.IGNORECASE)
_UUID = re.compile(r"[0-9a-f]{8}-0000-4000-8000-([0-9a-f]{12})")
_DECIMAL = re.compile(r"-(\d+)(?!.*-\d)")


@dataclass(slots=True)
class About:
    """The item that is told about: its number, where it is, and the numbers of its own kinds."""

    estate: Estate
    account: str
    region: str
    number: int
    own: Mapping[str, int]
    parent: int = 0
    home: str = ""  # the region, where the place is the whole account
    known: dict[str, dict[str, Any] | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        regions = self.estate.regions
        self.home = regions[self.number % len(regions)] if self.region == GLOBAL else self.region

    def holes(self, kind: str) -> dict[str, Any] | None:
        """What fills a template about the thing of that kind which the item refers to; None where there is none."""
        if kind not in self.known:
            number = self._meant(kind.rstrip("!"))
            if number is None and kind.endswith("!"):
                number = self.number
            self.known[kind] = None if number is None else self._filling(number)
        return self.known[kind]

    def _meant(self, kind: str) -> int | None:
        if not kind:
            return self.number
        if kind in self.own:
            return self.own[kind]
        return self.estate.near(self.account, self.home, KINDS[kind], self.number)

    def _filling(self, number: int) -> dict[str, Any]:
        mark, first = self.estate.place(self.account, self.region if self.region == GLOBAL else self.home)
        regional = self.estate.place(self.account, self.home)[0]
        return {
            "n": number,
            "hex": f"0{regional}{number:08x}",
            "uuid": f"{regional}-0000-4000-8000-{number:012x}",
            "place": mark,
            "place_v6": f"{regional[:4]}:{regional[4:]}",
            "address": str(IPv4Address(FIRST_ADDRESS + first + number)),
            "low": number % 8,
            "high": number % 250,
            "account": self.account,
            "region": self.home,
            "partition": self.estate.partition,
            "parent": self.parent,
        }


def numbered(identifier: str) -> int | None:
    """The number that an identifier was made of; None where it holds none."""
    match = _UUID.search(identifier) or _HEX.search(identifier)
    if match:
        return int(match[1], 16)
    match = _DECIMAL.search(identifier)
    return int(match[1]) if match else None


def number_in(identifier: str) -> int:
    """The number that an identifier was made of; 0 where it holds none."""
    return numbered(identifier) or 0


Filler = Callable[[About], Any]


def referred(key: str, member: str) -> str | None:
    """The kind of thing that a member of that name refers to, in an operation or listing; None for other members."""
    told = _told(_tables(key), member, "")
    return told.partition("|")[0].rstrip("!") if isinstance(told, str) and "|" in told else None


@cache
def filler(key: str, shape: Any, path: tuple[str, ...], *, real: bool = False) -> Filler:
    """What fills `shape`, met at `path` of the output of operation or listing `key`; real: but what real ones lack."""
    tables = _tables(key)
    if real:
        tables = (dict.fromkeys(LACKING.get(key.partition("/")[0], ())), *tables)
    return _filler(tables, shape, path[-1] if path else "", path[-2] if len(path) > 1 else "", DEPTH)


def _tables(key: str) -> tuple[Mapping[str, Any], ...]:
    service, operation = key.split(":")
    names = (key, f"{service}:{operation.partition('/')[0]}", service, "*")
    return tuple(_MEMBERS[name] for name in dict.fromkeys(names) if name in _MEMBERS)


_ABSENT = object()


def _told(tables: Iterable[Mapping[str, Any]], name: str, parent: str) -> Any:
    for table in tables:
        for each in (f"{parent}.{name}", name):
            if each in table:
                return table[each]
    return _ABSENT


def _filler(tables: Any, shape: Any, name: str, parent: str, depth: int) -> Filler:
    """`name` is the member's, `parent` the member's that the structure stands in."""
    told = _told(tables, name, parent) if name else _ABSENT
    if told is None:
        return _nothing
    match shape.type_name:
        case "structure":
            return _structure(tables, shape, name, depth)
        case "list":
            return _list(tables, shape, name, parent, depth)
        case "map":
            return _map(tables, shape, name, told, depth)
        case _:
            return _typed(told, shape) if told is not _ABSENT else _scalar(shape, name)


def _nothing(about: About) -> None:
    del about


def _structure(tables: Any, shape: Any, name: str, depth: int) -> Filler:
    if depth == 0:
        return _nothing
    parts = [
        (member, _filler(tables, each, member, name, depth - 1))
        for member, each in shape.members.items()
        if "location" not in each.serialization  # headers and the status are not written
    ]
    parts = [(member, fill) for member, fill in parts if fill is not _nothing]
    if shape.is_tagged_union:
        parts = parts[:1]  # it is one of them

    def fill(about: About) -> dict[str, Any]:
        made = {}
        for member, part in parts:
            value = part(about)
            if value is not None:
                made[member] = value
        return made

    return fill


def _list(tables: Any, shape: Any, name: str, parent: str, depth: int) -> Filler:
    one = _filler(tables, shape.member, name, parent, depth)
    if one is _nothing:
        return _nothing

    def fill(about: About) -> list[Any]:
        value = one(about)
        return [] if value is None else [value]

    return fill


def _map(tables: Any, shape: Any, name: str, told: Any, depth: int) -> Filler:
    if isinstance(told, dict):
        written = {key: _value(value) for key, value in told.items()}
        return lambda about: {key: value(about) for key, value in written.items()}
    one = _filler(tables, shape.value, "", name, depth - 1) if depth else _nothing
    if one is _nothing:
        return _nothing
    keys = getattr(shape.key, "enum", None) or [f"{name}-key"]

    def fill(about: About) -> dict[str, Any]:
        value = one(about)
        return {} if value is None else dict.fromkeys(keys, value)

    return fill


def _typed(told: Any, shape: Any) -> Filler:
    """The told value, unless the member of that name is of another type here."""
    wanted = {"boolean": bool, "integer": int, "long": int, "string": str}.get(shape.type_name)
    if wanted is None or not isinstance(told[0] if isinstance(told, tuple) else told, wanted):
        return _scalar(shape, "")
    return _value(told)


def _value(told: Any) -> Filler:
    if isinstance(told, tuple):
        fills = [_value(each) for each in told]
        return lambda about: fills[about.number % len(fills)](about)
    if not isinstance(told, str) or isinstance(told, Text) or "{" not in told:
        return _always(str(told) if isinstance(told, Text) else told)
    kind, _, template = told.rpartition("|")
    fill = template.format_map

    def value(about: About) -> str | None:
        holes = about.holes(kind)
        return None if holes is None else fill(holes)

    return value


def _always(value: Any) -> Filler:
    def fill(_: About) -> Any:
        return value

    return fill


_BY_TYPE: Mapping[str, Filler] = {
    "timestamp": _always(MOMENT),
    "boolean": lambda about: about.number % 2 == 0,
    "integer": lambda about: about.number % 100,
    "long": lambda about: about.number % 100,
    "float": lambda about: about.number % 100 + 0.5,
    "double": lambda about: about.number % 100 + 0.5,
    "blob": _always(b"blob"),
}


def _scalar(shape: Any, name: str) -> Filler:
    return _text(shape, name) if shape.type_name in {"string", "character"} else _BY_TYPE[shape.type_name]


def _text(shape: Any, name: str) -> Filler:
    if getattr(shape, "enum", None):
        return _always(shape.enum[0])
    if re.search(r"(Date|Time|Timestamp|Modified|[a-z]At)$", name):
        return _always(MOMENT.strftime("%Y-%m-%dT%H:%M:%S.000Z"))
    if arn := re.fullmatch(r"(.*?)(?:a[rR][nN]|A[rR][nN]s?)", name):
        kind = arn[1].lower() or "thing"
        return _value("arn:{partition}:fake:{region}:{account}:" + f"{kind}/{kind}-{{n}}")
    if "Cidr" in name:
        return _value(IPV6_RANGE if "v6" in name else CIDR)
    word = re.sub(r"(?<!^)(?=[A-Z])", "-", name or shape.name).lower()
    if re.search(r"(^i|I)ds?$", name):
        return _value(word.removesuffix("s") + "-{place}-{n}")
    return lambda about: f"{word}-{about.number}"
