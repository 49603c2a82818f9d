"""Every declaration against botocore's own API models: operations, inputs, paths, types, targets, permissions.

`problems(types)` answers with one line a problem, beginning with the declaration's name; nothing means all is well.
"""

from __future__ import annotations

import json
import re
import typing
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from functools import cache
from typing import Any

import botocore.exceptions
import botocore.loaders
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape

from skysweep import paths
from skysweep.catalogue import Type
from skysweep.model import Among, Call, Edge, Path, Property, Resource, Source

READ_ONLY = re.compile(r"(List|Get|Describe|Search|BatchGet|BatchDescribe)[A-Z]")
READ_ONLY_EXCEPTIONS: frozenset[tuple[str, str]] = frozenset()  # named when one is needed, with the reason
SECRETS = frozenset(
    {
        ("secretsmanager", "GetSecretValue"),
        ("secretsmanager", "BatchGetSecretValue"),
        ("ssm", "GetParameter"),
        ("ssm", "GetParameters"),
        ("ssm", "GetParametersByPath"),
        ("ec2", "GetPasswordData"),
        ("lambda", "GetFunction"),
        ("s3", "GetObject"),
        ("ecr", "GetAuthorizationToken"),
    }
)
RESERVED = frozenset({"lastupdated", "firstseen"})
SCALARS: Mapping[str, Any] = {
    "string": str,
    "character": str,
    "integer": int,
    "long": int,
    "float": float,
    "double": float,
    "boolean": bool,
    "timestamp": datetime,
}


class Problem(Exception):
    """What is wrong with a path, in a few words."""


def problems(types: Sequence[Type]) -> list[str]:
    """One line a problem over all these declarations; names that hide others come alone, for the rest misleads then."""
    hiding = [f"{type_.name}.{name}: {what}" for type_ in types for name, what in _hiding(type_)]
    if hiding:
        return hiding
    found = [f"{type_.name}{where}: {what}" for type_ in types for where, what in _of_type(type_)]
    return [*found, *_labels(types), *_edges_once(types), *_edge_names(types)]


@cache
def service_model(service: str) -> ServiceModel:
    """The botocore model of a service. Raises Problem for a service that it does not know."""
    try:
        document = botocore.loaders.create_loader().load_service_model(service, "service-2")
    except botocore.exceptions.UnknownServiceError:
        raise Problem(f"botocore knows no service {service!r}") from None
    return ServiceModel(document, service)


def operation_model(call: Call) -> OperationModel:
    """The botocore model of a call's operation. Raises Problem for one that it does not know."""
    service = service_model(call.service)
    if call.operation not in service.operation_names:
        raise Problem(f"{call.service} has no operation {call.operation}")
    return service.operation_model(call.operation)


WORDS = frozenset(Resource.__annotations__)  # what the model itself reads of a class


def _hiding(type_: Type) -> Iterator[tuple[str, str]]:
    """Members called like a word of the model's, or like what a later member meant to use."""
    above = [cls for cls in type_.cls.__mro__ if issubclass(cls, Resource) and cls is not Resource]
    members = {name: value for cls in reversed(above) for name, value in vars(cls).items()}
    annotated = {name for cls in above for name in vars(cls).get("__annotations__", ())}
    for name in sorted(WORDS):
        if name in annotated or isinstance(members.get(name), Property | Edge):
            yield name, f"is a word of the model's: call it {name}_, which is {name} in the graph"
    names = Counter(each.name for each in type_.properties)
    yield from ((name, f"is there twice, as {name} and as {name}_") for name, count in names.items() if count > 1)
    own = {id(value): name for name, value in members.items() if isinstance(value, Property | Edge)}
    parts: tuple[Property | Edge, ...] = (*type_.properties, *type_.edges)
    for part in parts:
        for name in dict.fromkeys(own[id(used)] for used in _used(part) if id(used) in own):
            yield part.name, f"uses the class's own {name}, declared above it, in place of what has that name outside"


def _used(part: Property | Edge) -> Iterator[Any]:
    """The paths, sources and functions that a member was declared with."""
    for each in fields(part):
        value = getattr(part, each.name)
        yield from (path for _, path in value) if each.name == "properties" else (value,)


def _of_type(type_: Type) -> Iterator[tuple[str, str]]:
    if not type_.description:
        yield "", "has no docstring that says what it is for"
    names = {each.name for each in type_.properties}
    if "id" not in names:
        yield "", "declares no id"
    for name in names & RESERVED | {name for name in names if name.startswith("_")}:
        yield f".{name}", "is the engine's"
    if "region" in names and type_.source.call.per == "region" and not type_.shared:
        yield ".region", "is the engine's for what is called in every region"
    for call in type_.calls:
        yield from ((f" ({call})", what) for what in _of_call(call))
    yield from _of_reads(type_)
    try:
        shapes = _item_shapes(type_.source)
    except Problem as problem:
        yield ".source", str(problem)
        return
    yield from _of_owner(type_, shapes)
    for part in type_.properties:
        yield from ((f".{part.name}", what) for what in _of_property(part, shapes))
    for edge in type_.edges:
        yield from ((f".{edge.name}", what) for what in _of_edge(edge, shapes))


def _of_reads(type_: Type) -> Iterator[tuple[str, str]]:
    for call in (source.call for source in type_.reads):
        if call.batch and not call.whose:
            yield f" ({call})", "is read `of` and is a batch without `whose`: its reply is no record's own"


def _of_owner(type_: Type, shapes: Sequence[Shape | None]) -> Iterator[tuple[str, str]]:
    if type_.owner is None:
        return
    if type_.shared:
        yield ".owned_by", "names an owner, and `shared` says that there is none"
    try:
        shape, _ = _walk(type_.owner, shapes)
    except Problem as problem:
        yield ".owned_by", str(problem)
        return
    if shape is not None and shape.type_name != "string":
        yield ".owned_by", f"an account is a string, but the path ends in a {shape.type_name}"


def _of_call(call: Call) -> Iterator[str]:
    try:
        operation = operation_model(call)
        shapes = _item_shapes(call.on) if call.on else []
    except Problem as problem:
        yield str(problem)
        return
    name = (call.service, call.operation)
    if name in SECRETS:
        yield "reads a secret's value, which skysweep never does"
    elif not READ_ONLY.match(call.operation) and name not in READ_ONLY_EXCEPTIONS:
        yield "is not List, Get, Describe, Search or a named exception"
    members = operation.input_shape.members if operation.input_shape else {}
    given = {*json.loads(call.literal), *(key for key, _ in call.inputs)}
    yield from (f"has no input {key}" for key in sorted(given - set(members)))
    required = set(operation.input_shape.required_members) if operation.input_shape else set()
    yield from (f"requires the input {key}" for key in sorted(required - given))
    for above in (shapes, _item_shapes(Source(call, call.again))) if call.again else (shapes,):
        for key, path in call.inputs:
            try:
                _walk(path.path if isinstance(path, Among) else path, above)
            except Problem as problem:
                yield f"input {key}: {problem}"
    if call.whose:
        yield from _of_items(call, *call.whose)


def _of_items(call: Call, path: str, member: str) -> Iterator[str]:
    if not call.batch:
        yield "says whose its items are, and is no batch"
    try:
        shape = _descend(_item_shapes(Source(call, path))[-1], member)
    except Problem as problem:
        yield f"whose: {problem}"
        return
    if shape is None or shape.type_name != "string":
        yield f"whose: {member} is no text"


def _of_property(part: Property, shapes: Sequence[Shape | None]) -> Iterator[str]:
    try:
        shape, many = _walk(part.path, _reply_shapes(part.of) if part.of and not callable(part.path) else shapes)
    except Problem as problem:
        yield str(problem)
        return
    if part.type is None:
        yield "has no annotation"
    elif part.type not in _ALLOWED:
        yield f"is declared {_name(part.type)}, which no graph property can be"
    elif part.name == "id" and part.type is not str:
        yield "is an id and must be declared str"
    elif shape is not None and part.then is None:
        yield from _compare(part.type, shape, many)


_ALLOWED = (str, int, float, bool, datetime, list[str], list[int], list[float])


def _compare(declared: Any, shape: Shape, many: bool) -> Iterator[str]:
    if isinstance(shape, ListShape) and not many:
        shape, many = shape.member, True
    sent: Any = SCALARS.get(shape.type_name)
    if sent is None:
        yield f"declared {_name(declared)}, but the path ends in a {shape.type_name}"
        return
    sent = list[sent] if many else sent
    if sent != declared and not (declared is float and sent is int):
        yield f"declared {_name(declared)}, but AWS sends {_name(sent)}"


def _of_edge(edge: Edge, shapes: Sequence[Shape | None]) -> Iterator[str]:
    if not re.fullmatch(r"[A-Z][A-Z0-9_]*", edge.kind):
        yield f"the edge type {edge.kind!r} is not in capitals"
    if edge.target is None:
        yield "is an edge and must be annotated with a declared type (or a list of one)"
        return
    for cls, key in ((edge.target, edge.on), (edge.start, edge.start_on)):
        found = getattr(cls, key, None)
        if cls and not isinstance(found, Property):
            yield f"{cls.__name__} has no property {key} to be found by"
        elif cls and key != "id" and not getattr(found, "index", False):
            yield f"{cls.__name__}.{key} needs index=True to be found by"
    for path in (edge.arns or "@", *(path for _, path in edge.properties)):
        try:
            _walk(path, shapes)
        except Problem as problem:
            yield str(problem)
    try:
        shape, many = _walk(edge.path, _reply_shapes(edge.of) if edge.of and not callable(edge.path) else shapes)
    except Problem as problem:
        yield str(problem)
        return
    yield from _key(edge, shape, many)


def _key(edge: Edge, shape: Shape | None, many: bool) -> Iterator[str]:
    if isinstance(shape, ListShape):
        shape, many = shape.member, True
    if shape is None:
        return
    if shape.type_name != "string":
        yield f"an edge's key is a string, but the path ends in a {shape.type_name}"
    elif many != edge.many:
        yield f"the path gives {'a list' if many else 'one value'}: annotate it {'list[…]' if many else 'without list'}"


def _reply_shapes(source: Source) -> list[Shape | None]:
    """The shape of what `of` reads: the reply, or a record's own item of a batch's."""
    if source.call.whose:
        return _item_shapes(Source(source.call, source.call.whose[0]))[-1:]
    return [operation_model(source.call).output_shape]


def _item_shapes(source: Source) -> list[Shape | None]:
    """The shapes that a record of `source` can climb, outermost first; None where a function makes the item."""
    operation = operation_model(source.call)
    above: list[Shape | None] = _item_shapes(source.call.on) if source.call.on else []
    if source.call.batch:  # what a batch tells hangs on no record, but on the inputs that the batch shares
        above = [operation.input_shape]
    shape: Shape | None = operation.output_shape
    for part in source.path.split("[]") if source.path != "@" else ():
        shape = _descend(shape, part.removeprefix("."))
        if isinstance(shape, ListShape) and "[]" in source.path:
            shape = shape.member
            above = [*above, shape]
    if "[]" not in source.path:
        above = [*above, shape]
    elif not source.path.endswith("[]"):
        raise Problem(f"{source.path!r} must end in []")
    return [*above, None] if source.make else above


def _walk(path: Path, shapes: Sequence[Shape | None]) -> tuple[Shape | None, bool]:
    """The shape a path ends in and whether it gives a list; None for what only running can tell."""
    if callable(path):
        return None, False
    if "{" in path:
        for hole in paths.holes(path):
            if hole not in {"account", "region", "partition"}:
                _walk(hole, shapes)
        return None, False
    up, rest = paths.climb(path)
    if up >= len(shapes):
        raise Problem(f"{path!r} climbs above the reply")
    return _descend(shapes[-1 - up], rest), "[]" in rest


def _descend(shape: Shape | None, path: str) -> Shape | None:
    if path in {"@", ""} or shape is None:
        return shape
    try:
        parsed = paths.steps(path)
    except ValueError as error:
        raise Problem(str(error)) from None
    for name, index, every in parsed:
        if isinstance(shape, StructureShape):
            if name not in shape.members:
                raise Problem(f"{shape.name} has no {name}")
            shape = shape.members[name]
        elif isinstance(shape, MapShape):
            shape = shape.value
        else:
            raise Problem(f"{shape.name} is a {shape.type_name}: it has no {name}")
        if every or index is not None:
            if not isinstance(shape, ListShape):
                raise Problem(f"{name} is a {shape.type_name}, not a list")
            shape = shape.member
    return shape


def _labels(types: Sequence[Type]) -> Iterator[str]:
    owners = [type_ for type_ in types if not type_.extends]
    counts = Counter(type_.label for type_ in owners)
    yield from (f"{label}: is the label of {count} declarations" for label, count in counts.items() if count > 1)
    for type_ in owners:
        for label in type_.also:
            if label in counts:
                yield f"{type_.name}: its further label {label} is another type's own"


def _edges_once(types: Sequence[Type]) -> Iterator[str]:
    seen: dict[tuple[str, str, str], str] = {}
    for type_ in types:
        for edge in type_.edges:
            if edge.target is None or (type_.cls.extends and _declared_as(edge) not in vars(type_.cls)):
                continue  # the latter is inherited: the same edge, told by another record
            start, end = edge.start.label if edge.start else type_.label, edge.target.label
            triple = (end, edge.kind, start) if edge.inbound else (start, edge.kind, end)
            other = seen.setdefault(triple, f"{type_.name}.{edge.name}")
            if other != f"{type_.name}.{edge.name}":
                yield f"{type_.name}.{edge.name}: {other} declares the same edge"


def _declared_as(edge: Edge) -> str:
    """The name of the class's member: one whose ends ARNs tell makes an edge for each type."""
    return edge.name.removesuffix(f"_{edge.target.label}") if edge.arns and edge.target else edge.name


def _edge_names(types: Sequence[Type]) -> Iterator[str]:
    """ArcadeDB keeps labels and edge types in one namespace."""
    labels = {label for type_ in types for label in (type_.label, *type_.also)}
    for type_ in types:
        for edge in type_.edges:
            if edge.kind in labels:
                yield f"{type_.name}.{edge.name}: the edge type {edge.kind} is a label too"


def _name(type_: Any) -> str:
    return str(type_) if typing.get_origin(type_) else getattr(type_, "__name__", str(type_))
