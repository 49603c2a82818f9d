"""The catalogue: every declaration, read once, with its edges' targets resolved and its calls in a tree.

`load()` imports the modules of `skysweep.aws`; a class there is a type, no registration. `lint.py` checks them against
botocore's models.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
import pkgutil
import typing
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache, partial
from types import ModuleType, new_class
from typing import Any

from skysweep import arns, aws
from skysweep.errors import BadSettings, Bug
from skysweep.model import UNREADABLE, Call, Edge, Item, Path, Property, Record, Resource, Source
from skysweep.paths import reader, records
from skysweep.permissions import actions
from skysweep.syncs import syncs


@dataclass(frozen=True, eq=False)
class Type:
    """A node type as the engine uses it: names, source, properties (`id` among them) and edges."""

    cls: type[Resource]
    label: str
    also: tuple[str, ...]
    description: str
    source: Source
    properties: tuple[Property, ...]
    edges: tuple[Edge, ...]
    teller: Type | None = None  # whose records tell of its nodes, where it has none of its own

    @property
    def extends(self) -> bool:
        """Whether its records only add to another declaration's nodes."""
        return self.cls.extends is not None

    @property
    def shared(self) -> bool:
        """Whether several accounts or regions may see the same node."""
        return self.cls.shared

    @property
    def owned(self) -> bool:
        """Whether the account that sees it points at it with RESOURCE."""
        return self.cls.owned

    @property
    def owner(self) -> Path | None:
        """The path of the account that owns a record, where others list it too."""
        return self.cls.owned_by

    @cached_property
    def name(self) -> str:
        """The class's name, unique in the catalogue (the label is not, where classes extend one another)."""
        return self.cls.__name__

    @cached_property
    def calls(self) -> tuple[Call, ...]:
        """Every call that its rows are made of, each after the one it hangs on."""
        used = [self.source, *self.reads]
        found: dict[Call, None] = {}
        for source in used:
            found.update(dict.fromkeys(_chain(source.call)))
        return tuple(found)

    @cached_property
    def reads(self) -> tuple[Source, ...]:
        """The detail calls that its properties and edges are read from."""
        parts: tuple[Property | Edge, ...] = (*self.properties, *self.edges)
        return tuple(dict.fromkeys(part.of for part in parts if part.of))

    @cached_property
    def made_of(self) -> frozenset[Call]:
        """The calls without which there is no record of it; the others only tell more of one."""
        return frozenset(_chain(self.source.call))

    @cached_property
    def marks(self) -> dict[str, tuple[Source, ...]]:
        """The properties that say which sweep last had the answers of these detail calls."""
        found: dict[str, tuple[Source, ...]] = {}
        for source in self.reads:
            found[mark(source)] = (*found.get(mark(source), ()), source)
        return found

    @cached_property
    def permissions(self) -> tuple[str, ...]:
        """The IAM actions that its calls need, sorted."""
        return tuple(sorted({action for call in self.calls for action in actions(call.service, call.operation)}))

    def __repr__(self) -> str:
        return f"<Type {self.name}>"


@dataclass(frozen=True, eq=False)
class Feed:
    """What is made of one list of a reply: the types its records become, and the detail calls made for each record."""

    source: Source
    types: list[Type] = field(default_factory=list)
    details: list[Branch] = field(default_factory=list)

    @property
    def every_type(self) -> Iterator[Type]:
        """The types of its records and of all that hangs on them."""
        yield from self.types
        for branch in self.details:
            if branch.call != self.source.call:  # its own, again: the same types
                yield from branch.types


@dataclass(frozen=True, eq=False)
class Branch:
    """A call and the feeds of its reply. merge: its pages are needed as one reply (a property is read `of` it)."""

    call: Call
    feeds: list[Feed] = field(default_factory=list)
    merge: bool = False

    @property
    def types(self) -> Iterator[Type]:
        """Every type that this call or a detail under it makes rows of."""
        for feed in self.feeds:
            yield from feed.every_type


@dataclass(frozen=True, eq=False)
class Catalogue:
    """The selected types and the tree of calls that feed them."""

    types: tuple[Type, ...]

    @cached_property
    def by_label(self) -> dict[str, Type]:
        """The type that owns each primary label."""
        return {type_.label: type_ for type_ in self.types if not type_.extends}

    @cached_property
    def branches(self) -> dict[Call, Branch]:
        """The tree of every root call."""
        return {call: self._branch(call) for call in self.calls}

    @cached_property
    def calls(self) -> tuple[Call, ...]:
        """The root calls, each once, in the order of the declarations."""
        return tuple(dict.fromkeys(call.root for type_ in self.types for call in type_.calls))

    @cached_property
    def feeding(self) -> dict[Call, tuple[Type, ...]]:
        """The types that each call, root or detail, feeds."""
        fed: dict[Call, list[Type]] = {}
        for type_ in self.types:
            for call in type_.calls:
                fed.setdefault(call, []).append(type_)
        return {call: tuple(types) for call, types in fed.items()}

    def permissions(self) -> tuple[str, ...]:
        """The IAM actions that the selection needs, sorted."""
        return tuple(sorted({action for type_ in self.types for action in type_.permissions}))

    def _branch(self, call: Call) -> Branch:
        used = {each for type_ in self.types for each in type_.calls}
        feeds: dict[Source, Feed] = {}
        for type_ in self.types:
            if type_.source.call == call:
                feeds.setdefault(type_.source, Feed(type_.source)).types.append(type_)
        details = [each for each in _in_order(used) if each.on is not None and each.on.call == call]
        for each in details:
            on = typing.cast("Source", each.on)
            feeds.setdefault(on, Feed(on)).details.append(self._branch(each))
        # A reply that no type is made of is there to be read whole.
        merge = not feeds or any(source.call == call for type_ in self.types for source in type_.reads)
        own = Source(call, call.again)
        again = feeds.setdefault(own, Feed(own)) if call.again else None
        branch = Branch(call, list(feeds.values()), merge)
        if again:
            again.details.append(branch)
        return branch


def mark(source: Source) -> str:
    """The property that says which sweep last had the answer of a detail call: an update tag."""
    return f"_seen_{source.call.operation}"


def load(names: Sequence[str] = ()) -> Catalogue:
    """The catalogue of the types that `names` stand for (Cartography's sync names, our labels); all when empty.

    With them come the types that their edges point at, one step and no further: those have their own edges only among
    what is there. So have edges whose ends ARNs tell: what a finding may be about is nearly everything.

    Raises BadSettings for a name that is neither, with the nearest one.
    """
    every = _read_once(tuple(_modules()))
    if not names:
        return Catalogue(_with_told(every))
    wanted = {label for name in names for label in _meant(name, _with_told(every))}
    if not wanted:
        raise BadSettings(f"--aws-requested-syncs: there are no types yet for {', '.join(names)}; name others too")
    tellers = {
        type_.label
        for type_ in every
        for edge in type_.edges
        if edge.tells and not _adds(edge) and _ends(edge) & wanted
    }
    if not tellers & wanted:  # of nothing that was named: then of all
        wanted |= tellers
    return Catalogue(_with_told(tuple(_with_ends(every, wanted))))


def read(modules: Iterable[ModuleType]) -> tuple[Type, ...]:
    """The declarations of these modules, in the order they are written. Raises Bug for one that cannot be read."""
    classes = (
        value
        for module in modules
        for value in vars(module).values()
        if inspect.isclass(value) and issubclass(value, Resource) and value.__module__ == module.__name__
    )
    return tuple(declared(cls) for cls in classes if "source" in vars(cls))


@lru_cache(maxsize=8)
def _with_told(types: tuple[Type, ...]) -> tuple[Type, ...]:
    """These types, and those of the nodes that their records tell of: a label's first is its own, the others add."""
    told: dict[type[Resource], Type] = {}
    added: list[Type] = []
    for teller, edge in ((type_, edge) for type_ in types for edge in type_.edges):
        if not edge.tells or not edge.target:
            continue
        cls = edge.target
        told_in = _told_in(teller, edge)
        source = Source(told_in.call, make=partial(_far_ends, told_in, edge.tells))
        if cls in told:
            adding = new_class(f"{cls.__name__}Of{teller.name}", (cls,), {"extends": cls})
            added.append(replace(told[cls], cls=adding, source=source, teller=teller))
        else:
            told[cls] = replace(declared(cls, source), teller=teller)
            added.append(told[cls])
    return (*types, *added)


def _told_in(teller: Type, edge: Edge) -> Source:
    """Where the records are that `edge.tells` is asked of: the type's own, or the replies of its detail call."""
    if edge.of is None:
        return teller.source
    return edge.of if edge.of.call.whose else edge.of["@"]


def _far_ends(source: Source, tells: Callable[[Record], Iterable[Item]], page: Record) -> Iterable[Item]:
    """What the records of a page say of the nodes that they point at, each node once."""
    found: dict[str, Item] = {}
    for item in records(source.path, page.item, page.context, page.up):
        made = (Record(each, item.context, item) for each in source.make(item)) if source.make else (item,)
        for record in made:
            try:
                found.update((each["id"], each) for each in tells(record))
            except UNREADABLE:
                continue  # told of where its edges are made
    return found.values()


def _with_ends(every: Iterable[Type], wanted: set[str]) -> Iterator[Type]:
    """The types of these labels, and all types of the labels that their edges need."""
    edges = [edge for type_ in every if type_.label in wanted for edge in type_.edges if not _adds(edge)]
    there = wanted.union(*(_ends(edge) for edge in edges if not edge.arns))
    for type_ in every:
        if type_.label in there:
            yield replace(type_, edges=tuple(edge for edge in type_.edges if _ends(edge) <= there))


def _adds(edge: Edge) -> bool:
    """Whether what it tells of its ends only adds to nodes that another type has: it asks for none of them."""
    return bool(edge.tells and edge.target and edge.target.extends)


def _ends(edge: Edge) -> set[str]:
    return {cls.label for cls in (edge.target, edge.start) if cls}


@lru_cache(maxsize=2)
def _read_once(modules: tuple[ModuleType, ...]) -> tuple[Type, ...]:
    return read(modules)


def _modules() -> list[ModuleType]:
    return [importlib.import_module(f"{aws.__name__}.{each.name}") for each in pkgutil.iter_modules(aws.__path__)]


def _meant(name: str, every: Sequence[Type]) -> Iterable[str]:
    labels = {label: type_.label for type_ in every for label in (*type_.also, type_.label)}
    known = syncs()
    if name in labels:
        return (labels[name],)
    if name in known:
        return tuple(known[name])
    near = difflib.get_close_matches(name, [*known, *labels], n=1, cutoff=0.4)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise BadSettings(
        f"--aws-requested-syncs: {name!r} is no sync and no label{hint} (`skysweep schema --syncs` lists them)"
    )


def declared(cls: type[Resource], source: Source | None = None) -> Type:
    """One class, read; `source`: where its records come from, if it does not say. Raises Bug for a wrong annotation."""
    try:
        hints = typing.get_type_hints(cls)
    except NameError as error:
        raise Bug(f"{cls.__module__}.{cls.__name__}: {error}") from error
    properties: list[Property] = []
    edges: list[Edge] = []
    for name, value in _members(cls).items():
        if isinstance(value, Property):
            value.name, value.type = name.removesuffix("_"), hints.get(name)
            properties.append(value)
        elif isinstance(value, Edge):
            edges += _edges(name, value, hints.get(name))
    properties += _kept(edges, {each.name for each in properties})
    return Type(
        cls, cls.label, cls.also, inspect.getdoc(cls) or "", source or cls.source, tuple(properties), tuple(edges)
    )


def _kept(edges: Iterable[Edge], names: Collection[str]) -> Iterator[Property]:
    """The properties in which edges keep the keys of their other ends, but those that the type declares itself."""
    for edge in edges:
        if edge.keeps and edge.keeps not in names:
            label = edge.target.label if edge.target else ""
            doc = f"The ids of its {label} nodes; empty where it has none"
            yield Property(edge.path, edge.of, then=sorted, name=edge.keeps, type=list[str], description=doc)


def _members(cls: type[Resource]) -> dict[str, Any]:
    """Its own members, and before them those it inherits: of what it extends, and of bases that have no source."""
    bases = [base for base in cls.__mro__[:0:-1] if issubclass(base, Resource) and base is not Resource]
    inherited = [vars(base) for base in bases if base is cls.extends or "source" not in vars(base)]
    return {name: value for members in [*inherited, vars(cls)] for name, value in members.items()}


def _edges(name: str, edge: Edge, hint: Any) -> Iterator[Edge]:
    """The edge; one for each type that its other end may be, where ARNs tell which."""
    many = typing.get_origin(hint) is list
    target = typing.get_args(hint)[0] if many else hint
    if not edge.arns or isinstance(edge.arns, Property | Edge):  # the latter is a mistake that lint tells of
        yield replace(edge, name=name, target=_resource(target), many=many)
        return
    for each in map(_resource, typing.get_args(target) or (target,)):
        label = each.label if each else ""
        on = arns.ON.get(label, "id")
        yield replace(edge, name=f"{name}_{label}", path=reader(edge.arns), on=on, target=each, many=True)


def _resource(hint: Any) -> type[Resource] | None:
    return hint if inspect.isclass(hint) and issubclass(hint, Resource) else None


def _chain(call: Call) -> Iterator[Call]:
    if call.on is not None:
        yield from _chain(call.on.call)
    if call.after is not None:
        yield call.after
    yield call


def _in_order(calls: Iterable[Call]) -> list[Call]:
    """Details that others wait for come first."""
    return sorted(calls, key=lambda call: (call.after is not None, call.service, call.operation, call.literal))
