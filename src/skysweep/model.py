"""The vocabulary of declarations: a class says which leaf, which identity, which edge; botocore's model says the rest.

A *source* is where a type's records come from: a call, the path of its items, and (rarely) a function that makes
records of one item. A *detail* is a call made once for each record of another source, so sources form a tree whose
roots are the units of a sweep. Calls are values: equal calls of a target are sent once.

Paths (see `paths.py`) read one record: ``A.B[].C`` walks down, ``@`` is the item itself, and each leading ``^`` climbs
to the record that this one was found in (the outer list's item, or the record that a detail was called for).
A text with braces is a template: ``"{account}/{^GroupId}"``; account, region and partition are the target's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, NamedTuple

import orjson

Item = Any  # one item of a reply: a mapping, or a text in a list of texts
Per = Literal["region", "account"]
UNREADABLE = (AttributeError, LookupError, TypeError, ValueError)  # what functions of records raise on odd data


@dataclass(frozen=True, slots=True)
class Context:
    """Where a record was seen: the account's id, its region (``global`` for account-wide calls) and its partition.

    organization: whether the organization's tree is read through this account; None: if it manages the organization.
    """

    account: str
    region: str
    partition: str = "aws"
    organization: bool | None = None


class Unanswered(Exception):
    """Raised when what a record's property needs was not answered, or not asked: the property stays unwritten.

    A `when` that raises it says that the call is another account's to make: nothing that it feeds is licensed here.
    """


class Record:
    """One item of a reply, with the record it was found in, its target and the replies of its detail calls."""

    __slots__ = ("context", "failed", "item", "number", "replies", "up")

    def __init__(self, item: Item, context: Context, up: Record | None = None) -> None:
        self.item = item
        self.context = context
        self.up = up
        self.replies: dict[Call, Mapping[str, Any]] = {}
        self.failed: set[Call] = set()
        self.number = 0  # which of the listing's items at its path it is, from 1; 0 for what hangs on one

    def __getitem__(self, name: str) -> Any:
        """The member of that name, or None where AWS did not send it."""
        return self.item.get(name)

    def reply(self, source: Source) -> Mapping[str, Any]:
        """What the detail call of `source` answered for this record; empty where AWS says there is no such thing.

        Raises Unanswered where the call failed.
        """
        record: Record | None = self
        while record is not None:
            if source.call in record.failed:
                raise Unanswered(source.call)
            if source.call in record.replies:
                return record.replies[source.call]
            record = record.up
        return {}

    def __repr__(self) -> str:
        return f"<Record {self.context.account}/{self.context.region} {str(self.item)[:80]}>"


Function = Callable[[Record], Any]
Path = str | Function  # a path, a template, or a function of the record


class Link(NamedTuple):
    """An end of an edge that a path cannot tell: the target's key, the edge's own properties, another start's key."""

    key: str
    properties: Mapping[str, Any] = {}
    start: str | None = None


@dataclass(frozen=True, slots=True)
class Among:
    """A batched detail's input: ``[{"Name": name, "Values": [...]}]``, AWS's filter over the values of `path`."""

    name: str
    path: str


@dataclass(frozen=True, slots=True)
class Call:
    """One AWS operation with its inputs; hashable, so that equal calls are one.

    literal: the fixed inputs as JSON; texts in it are templates of account, region and partition.
    on, inputs: for a detail call, the source whose records it is made for and the paths that fill its inputs.
    missing: error codes that mean "this record has no such thing": an empty reply.
    when: only for the records it accepts. after: another detail of the same record that must answer first.
    region: which region to ask for this record (a function of it; None: the target's own).
    batch: how many distinct values of the first input go into one call (0: a call a record; 1: the value itself, not a
    list of it). Records with the same further inputs share calls; `^` of what is listed then has only those inputs.
    again: the list in its own reply whose records get the same call again, level by level ("": none).
    whose: where a batch tells of each record apart, its list and the member there that has the record's own value: that
    item is the record's reply, and where there is none AWS has nothing to tell of it.
    """

    service: str
    operation: str
    literal: str = "{}"
    per: Per = "region"
    on: Source | None = None
    inputs: tuple[tuple[str, Path | Among], ...] = ()
    missing: frozenset[str] = frozenset()
    when: Function | None = None
    after: Call | None = None
    region: Function | None = None
    batch: int = 0
    again: str = ""
    whose: tuple[str, str] | None = None

    @property
    def root(self) -> Call:
        """The listing that this call hangs on, itself where it is one."""
        return self if self.on is None else self.on.call.root

    def __str__(self) -> str:
        return f"{self.service}:{self.operation}"


@dataclass(frozen=True, slots=True)
class Source:
    """Where records come from: a call, the path of its items, and a function that makes records of one item."""

    call: Call
    path: str = "@"
    make: Function | None = None

    def __getitem__(self, path: str) -> Source:
        """Another list of the same reply."""
        return replace(self, path=path, make=None)

    def each(self, make: Callable[[Record], Iterable[Item]]) -> Source:
        """The records that `make` yields of each item; ``^`` climbs back to the item."""
        return replace(self, make=make)


def call(
    service: str,
    operation: str,
    path: str = "@",
    *,
    per: Per = "region",
    missing: str | Sequence[str] = (),
    **inputs: Any,
) -> Source:
    """A listing: one call a region (or an account) with these literal inputs, followed page by page.

    missing: error codes that say that there is nothing to list.
    """
    return Source(Call(service, operation, _json(inputs), per, missing=_codes(missing)), path)


def detail(
    service: str,
    operation: str,
    path: str = "@",
    *,
    on: Source,
    missing: str | Sequence[str] = (),
    when: Function | None = None,
    after: Source | None = None,
    region: Function | None = None,
    batch: int = 0,
    again: bool = False,
    whose: str = "",
    **inputs: Any,
) -> Source:
    """A call for each record of `on`; read its reply with `at(..., of=...)`, or use it as another type's source.

    again: its own records get the same call, and so on down: folders in folders; `calls.DEEPEST` bounds it.
    whose: the member of a batch's items that has the value that a record was asked for with: `of` reads its item.
    Inputs: a text is a path or template over the record, a function is called with it, all else is literal.
    """
    varying = {k: v for k, v in inputs.items() if isinstance(v, str | Among) or callable(v)}
    fixed = {k: v for k, v in inputs.items() if k not in varying}
    made = Call(
        service,
        operation,
        _json(fixed),
        on.call.per,
        on,
        tuple(varying.items()),
        _codes(missing),
        when,
        after.call if after else None,
        region,
        batch,
        path if again else "",
        (path, whose) if whose else None,
    )
    return Source(made, path)


@dataclass(slots=True)
class Property:
    """A declared property: a path and what becomes of its value."""

    path: Path
    of: Source | None = None
    then: Callable[[Any], Any] | None = None
    index: bool = False
    name: str = ""
    type: Any = None
    description: str = ""


@dataclass(slots=True)
class Edge:
    """A declared edge: its type, the path of the other end's key, and which way it points.

    arns: where ARNs tell which nodes are its ends, their path; `path` then picks the keys of one type's nodes.
    tells: what a record says of the nodes at its other ends, where only such records do: their items, with an `id`; a
    record of the reply, where `of` names a detail call.
    keeps: the node's own property for the keys of the other ends, sorted: what is there without a further step.
    """

    kind: str
    path: Path
    of: Source | None = None
    on: str = "id"
    inbound: bool = False
    start: type[Resource] | None = None
    start_on: str = "id"
    properties: tuple[tuple[str, Path], ...] = ()
    name: str = ""
    target: type[Resource] | None = None
    many: bool = False
    arns: Path = ""
    tells: Callable[[Record], Iterable[Mapping[str, Any]]] | None = None
    keeps: str = ""


def at(
    path: Path,
    *,
    of: Source | None = None,
    then: Callable[[Any], Any] | None = None,
    index: bool = False,
    doc: str = "",
) -> Any:
    """A property read at `path` of the record, or of the reply `of` its detail call; `then` is applied to a value.

    A missing value is null in the graph and `then` is not called for it. `index` asks for an index in the graph.
    """
    return Property(path, of, then, index, description=doc)


def arn(service: str, resource: str, *, region: str = "{region}", account: str = "{account}") -> str:
    """The template of an ARN that the API does not return: use it in `at`, `to` or another template."""
    return f"arn:{{partition}}:{service}:{region}:{account}:{resource}"


def to(
    kind: str,
    path: Path,
    *,
    of: Source | None = None,
    on: str = "id",
    start: type[Resource] | None = None,
    start_on: str = "id",
    **properties: Path,
) -> Any:
    """An edge from this node to those whose key (`on`) is the value at `path`; annotate it with the target's class.

    The value may be a text, a list of texts, or `Link`s. `start` makes the edge leave another node than this record's
    (each `Link` then names it). Further keywords are the edge's own properties, as paths of the record.
    """
    return Edge(kind, path, of, on, inbound=False, start=start, start_on=start_on, properties=tuple(properties.items()))


def by(kind: str, path: Path, *, of: Source | None = None, on: str = "id", **properties: Path) -> Any:
    """The same edge the other way: from those nodes to this one."""
    return Edge(kind, path, of, on, inbound=True, properties=tuple(properties.items()))


def about(kind: str, path: Path, *, of: Source | None = None, **properties: Path) -> Any:
    """An edge to the nodes that the ARNs at `path` are about: annotate it with all classes that those may be of.

    ``affected: EC2Instance | S3Bucket = about("AFFECTS", "resource")``. Paths are of the record, not of the reply `of`
    its detail call; `arns.py` says which ARN is which type's. An ARN of another type, or of none, gives no edge.
    """
    return Edge(kind, path, of, properties=tuple(properties.items()), arns=path)


class Resource:
    """A node type. Subclass it: the docstring says what the thing is for; `catalogue.py` reads, checks and names it.

    also: further labels on the same node (Cartography's names, the ontology's).
    source: where its records come from.
    extends: (class keyword) the type whose nodes these records only add to: a role known by a trust policy, say. Such
    rows never own the node: they make it where it is missing, set their properties, and license no deletion.
    A class that also inherits from the type it extends (`class UsedImage(Image, extends=Image)`) has its properties.
    A base without a source is no type: what it declares is that of the types made of it. Nor is what `tells` of an edge
    leads to: its nodes are made of the records that point at them.
    shared: several accounts or regions may see the same node; it goes only when nothing holds it any more.
    owned: whether the account points at the node with RESOURCE.
    owned_by: the path of the account that a record belongs to, where AWS lets others list it too (a VPC shared by RAM).
    What those tell counts only while no sweep has been to the owner; they point at the node all the same.
    A property that is called like one of these has ``_`` behind its name here: `source_` is `source` in the graph.
    """

    also: ClassVar[tuple[str, ...]] = ()
    source: ClassVar[Source]
    shared: ClassVar[bool] = False
    owned: ClassVar[bool] = True
    owned_by: ClassVar[Path | None] = None
    label: ClassVar[str]
    extends: ClassVar[type[Resource] | None] = None

    def __init_subclass__(cls, *, extends: type[Resource] | None = None, label: str = "", **kwargs: Any) -> None:
        """Names the type: its class name, another label, or that of the type it extends."""
        super().__init_subclass__(**kwargs)
        cls.label = label or (extends.label if extends else cls.__name__)
        cls.extends = extends
        if extends:
            cls.also, cls.shared, cls.owned, cls.owned_by = extends.also, True, False, None


def _codes(missing: str | Sequence[str]) -> frozenset[str]:
    return frozenset([missing] if isinstance(missing, str) else missing)


def _json(inputs: Mapping[str, Any]) -> str:
    return orjson.dumps(inputs, option=orjson.OPT_SORT_KEYS).decode()
