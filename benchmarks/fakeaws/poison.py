"""Records poisoned at the paths that skysweep's declarations read: which ones the seed and their identity decide.

A poisoned record keeps its id, and no other record of the reply reads what is poisoned, so that it alone is unfit.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from botocore import parsers

from benchmarks.fakeaws.bodies import JsonTree, Listing, Tree, protocol, service_model, walk
from benchmarks.fakeaws.faults import Change, Match, Seen, anything, draw
from skysweep import catalogue, paths
from skysweep.catalogue import Type
from skysweep.model import UNREADABLE, Among, Call, Context, Edge, Property, Record

Kind = Literal["type", "huge", "nul", "surrogate"]
KINDS: tuple[Kind, ...] = get_args(Kind)
HUGE = "x" * 5_000_000
_LEAF = re.compile(r"[A-Za-z0-9]+(\.[A-Za-z0-9]+)*\Z")
_NAMES = re.compile(r"[A-Za-z0-9]+(?:\.[A-Za-z0-9]+)*")


@dataclass(frozen=True, slots=True, order=True)
class Poisoned:
    """A record that was poisoned: where it was listed (region `global` for account-wide calls), its type's name and id.

    path: the member of the reply's item that was changed. kind: how.
    """

    account: str
    region: str
    service: str
    operation: str
    type: str
    id: str
    path: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Target:
    """A type whose records can be poisoned: the paths of the leaves for it, with the kinds that each can carry."""

    type: Type
    leaves: Mapping[str, tuple[Kind, ...]]

    def id(self, record: Record) -> Any:
        """The record's id."""
        [own] = [each for each in self.type.properties if each.name == "id"]
        found = paths.reader(own.path)(record)
        return found if own.then is None or found is None else own.then(found)


@dataclass(eq=False)
class Poison:
    """A plan that poisons one in so many records of the listings that match; `log` tells which, each once.

    kinds: `type` (in JSON an object instead of a scalar, in XML a text instead of a number or time), `huge` (a text of
    5 MB), and in JSON alone `nul` (a text with U+0000) and `surrogate` (a text with half a character).
    """

    seed: int
    one_in: int
    kinds: Sequence[Kind]
    match: Match
    log: set[Poisoned] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._targets = targets(self.kinds)
        self._calls = [call for call in catalogue.load().feeding if call.on is None]

    def __call__(self, seen: Seen) -> Change | None:
        """The plan."""
        found = self._targets.get((seen.service, seen.operation))
        found = [each for each in found or () if _asked(seen, each.type.source.call, self._calls)]
        if not found or not self.match(seen):
            return None
        return Change(lambda body: self._changed(seen, found, body))

    def _changed(self, seen: Seen, found: Iterable[Target], body: bytes) -> bytes:
        listing = Listing.of(seen.service, seen.operation)
        tree, reply = listing.tree(body), parsed(seen.service, seen.operation, body)
        done = [self._poison(seen, listing, tree, reply, target) for target in found]
        return tree.dump() if any(done) else body

    def _poison(self, seen: Seen, listing: Listing, tree: Tree, reply: Mapping[str, Any], target: Target) -> int:
        """Poisons records of one type; how many."""
        source, done = target.type.source, 0
        context = Context(seen.account, "global" if source.call.per == "account" else seen.region)
        records = paths.records(source.path, reply, context)
        for record, (node, shape) in zip(records, listing.nodes(tree, source.path), strict=True):
            key = target.id(record)
            chosen = (self.seed, seen.account, context.region, str(source.call), target.type.name, key)
            if draw(*chosen) * self.one_in >= 1 or not (options := _options(target, record)):
                continue
            kind, leaf = _picked(options, draw(*chosen, "kind"), draw(*chosen, "leaf"))
            *above, name = leaf.split(".")
            for parent, within in walk(tree, node, shape, above):
                tree.put(parent, within, name, _value(kind, tree, paths.getter(leaf)(record.item)))
            where = (seen.account, context.region, seen.service, seen.operation)
            self.log.add(Poisoned(*where, target.type.name, str(key), leaf, kind))
            done += 1
        return done


def poisoned(*, seed: int, one_in: int = 1000, kinds: Sequence[Kind] = KINDS, match: Match = anything) -> Poison:
    """A plan that poisons one record in `one_in`; after the run its `log` tells which were poisoned."""
    return Poison(seed, one_in, tuple(kinds), match)


def parsed(service: str, operation: str, body: bytes) -> Mapping[str, Any]:
    """A good reply as botocore reads it."""
    shape: Any = service_model(service).operation_model(operation).output_shape
    response = {"status_code": 200, "headers": {}, "body": body, "context": {"operation_name": operation}}
    reply: Mapping[str, Any] = parsers.create_parser(protocol(service)).parse(response, shape)
    return reply


def targets(kinds: Sequence[Kind]) -> dict[tuple[str, str], list[Target]]:
    """The types that listings feed, by the listing's service and operation, as far as they can be poisoned so."""
    whole = catalogue.load()
    by_operation: dict[tuple[str, str], list[Type]] = {}
    for type_ in whole.types:
        call = type_.source.call
        by_operation.setdefault((call.service, call.operation), []).append(type_)
    inputs = {
        name
        for call in whole.feeding
        for _, given in call.inputs
        for name in _names(given.path if isinstance(given, Among) else given)
    }
    found: dict[tuple[str, str], list[Target]] = {}
    for operation, types in by_operation.items():
        for type_ in filter(_listed, types):
            others = {name for other in types if other is not type_ for name in _read(other)}
            leaves = dict(_leaves(type_, others | inputs, kinds))
            if leaves:
                found.setdefault(operation, []).append(Target(type_, leaves))
    return found


def _listed(type_: Type) -> bool:
    source = type_.source
    if type_.extends or source.make or source.call.on or not source.path.endswith("[]"):
        return False
    output: Any = service_model(source.call.service).operation_model(source.call.operation).output_shape
    return "payload" not in output.serialization  # whose body is but a part of what paths lead through


def _leaves(type_: Type, taken: set[str], kinds: Sequence[Kind]) -> Iterator[tuple[str, tuple[Kind, ...]]]:
    """The plain paths of a type's properties that nothing else reads, with the kinds that each can carry."""
    for each in type_.properties:
        path = each.path
        if not isinstance(path, str) or not _LEAF.match(path) or each.of or each.then or path in taken:
            continue
        carried = _carried(type_, path)
        if fit := tuple(kind for kind in kinds if kind in carried):
            yield path, fit


def _carried(type_: Type, leaf: str) -> set[Kind]:
    """The kinds of poison that a leaf can carry in its protocol, so that botocore or the declaration stumbles on it."""
    call = type_.source.call
    shape: Any = Listing.of(call.service, call.operation).shape
    for step in [*type_.source.path.split("."), *leaf.split(".")]:
        name, every, _ = step.partition("[]")
        shape = shape.members[name].member if every else shape.members[name]
    by_type = _JSON if protocol(call.service).endswith("json") else _XML
    return by_type.get(shape.type_name, set())


_JSON: dict[str, set[Kind]] = {"string": set(KINDS), "integer": {"type"}, "long": {"type"}, "boolean": {"type"}}
_XML: dict[str, set[Kind]] = {
    "string": {"huge"},
    **{name: {"type"} for name in ("integer", "long", "float", "double", "timestamp")},
}


def _read(type_: Type) -> Iterator[str]:
    """The names in all paths that a type reads."""
    yield from _names(type_.owner)
    parts: tuple[Property | Edge, ...] = (*type_.properties, *type_.edges)
    for part in parts:
        yield from _names(part.path)
        for _, path in getattr(part, "properties", ()):
            yield from _names(path)


def _names(path: Any) -> list[str]:
    return _NAMES.findall(path) if isinstance(path, str) else []


def _keeps_id(target: Target, record: Record, leaf: str) -> bool:
    """Whether the record's id is the same whatever the leaf is."""
    item = copy.deepcopy(record.item)
    *above, name = leaf.split(".")
    parent = item
    for step in above:
        parent = parent[step]
    parent[name] = HUGE
    try:
        return bool(target.id(Record(item, record.context, record.up)) == target.id(record))
    except UNREADABLE:
        return False


def _asked(seen: Seen, call: Call, calls: Iterable[Call]) -> bool:
    """Whether the request is this call: of those of its operation, the one with the most fixed inputs that it has."""

    def agreeing(each: Call) -> int:
        fixed = json.loads(each.literal)
        context = Context(seen.account, seen.region)
        same = all(str(seen.inputs.get(name)) == paths.fill(str(value), context) for name, value in fixed.items())
        return len(fixed) if same else -1

    rivals = [each for each in calls if (each.service, each.operation) == (seen.service, seen.operation)]
    return agreeing(call) == max(map(agreeing, rivals)) >= 0


def _options(target: Target, record: Record) -> dict[Kind, list[str]]:
    """The leaves that this record has and its id does not need, by the kinds they can carry."""
    options: dict[Kind, list[str]] = {}
    for leaf, kinds in target.leaves.items():
        if paths.getter(leaf)(record.item) is not None and _keeps_id(target, record, leaf):
            for kind in kinds:
                options.setdefault(kind, []).append(leaf)
    return options


def _picked(options: Mapping[Kind, Sequence[str]], by_kind: float, by_leaf: float) -> tuple[Kind, str]:
    kind = sorted(options)[int(by_kind * len(options))]
    return kind, options[kind][int(by_leaf * len(options[kind]))]


def _value(kind: Kind, tree: Tree, was: Any) -> Any:
    if kind == "type":
        return {"poisoned": True} if isinstance(tree, JsonTree) else "poisoned"
    return {"huge": HUGE, "nul": f"{was}\0", "surrogate": f"{was}\ud800"}[kind]
