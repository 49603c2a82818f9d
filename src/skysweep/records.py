"""Records → rows and links. Pure; each type's declaration is compiled once into readers.

A row is ``{"id": str, "props": {name: value | None}}``: a None removes the property from the graph, a property whose
detail call failed is left out, so that the graph keeps what it last knew. ``_seen_<Operation>`` is the update tag of
the last sweep in which a detail call answered, or had not to be asked: what comes of it is as of then. A row of what
another account owns names it as ``"owner"``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from skysweep import arns, paths
from skysweep.catalogue import Type
from skysweep.model import UNREADABLE, Edge, Link, Path, Property, Record, Source, Unanswered

LONGEST = 1 << 20  # characters of a text; AWS's own longest are templates of that size
Row = dict[str, Any]
Read = Callable[[Record], Any]
End = tuple[int, Edge, str | Link]  # which edge of the type, and its other end


class Unfit(Exception):
    """Raised when a record cannot become a row: its text says which property and why."""


@dataclass(frozen=True, slots=True)
class Linked:
    """One edge to write: which declared edge of the type, its ends' keys, and its own properties."""

    edge: int
    start: str
    end: str
    properties: dict[str, Any]


class Maker:
    """What turns the records of one type into rows and links, in the sweep of that update tag."""

    __slots__ = ("_edges", "_id", "_marks", "_owner", "_properties", "_tag", "type")

    def __init__(self, type_: Type, tag: int = 0) -> None:
        self.type = type_
        self._tag = tag
        self._marks = list(type_.marks.items())
        properties = [(each.name, _property(each)) for each in type_.properties]
        self._id = dict(properties)["id"]
        self._owner = paths.reader(type_.owner) if type_.owner else None
        self._properties = properties
        self._edges = [
            (edge.name, read, [(name, paths.reader(path)) for name, path in edge.properties])
            for edge, read in _drawn(type_.edges)
        ]

    def id(self, record: Record) -> str | None:
        """The id that the record's node has; None where it cannot be told."""
        try:
            found: str | None = self._id(record)
        except (Unanswered, *UNREADABLE):
            return None
        return found

    def row(self, record: Record) -> Row:
        """The record's row. Raises Unfit where a value is not what its declaration says."""
        values: dict[str, Any] = {}
        for name, read in self._properties:
            try:
                values[name] = read(record)
            except Unanswered:
                continue
            except UNREADABLE as error:
                raise Unfit(f"{name}: {error}") from error
        if not values.get("id"):
            raise Unfit("id: there is none")
        values.update((name, self._tag) for name, sources in self._marks if _answered(record, sources))
        row = {"id": values["id"], "props": values}
        owner = self._owner_of(record)
        return row if owner in {None, record.context.account} else {**row, "owner": owner}

    def _owner_of(self, record: Record) -> str | None:
        try:
            found: str | None = _text(self._owner(record)) if self._owner else None
        except UNREADABLE as error:
            raise Unfit(f"owner: {error}") from error
        return found

    def links(self, record: Record, own: str) -> Iterator[Linked]:
        """The record's edges; `own` is its node's id. Raises Unfit where an end's key is no text."""
        for edge_name, read, properties in self._edges:
            try:
                ends = read(record)
                extra = {name: get(record) for name, get in properties} if ends else {}
            except Unanswered:
                continue
            except UNREADABLE as error:
                raise Unfit(f"{edge_name}: {error}") from error
            for number, edge, end in ends:
                yield _link(number, edge, end, own, extra)


def _answered(record: Record, sources: Iterable[Source]) -> bool:
    try:
        for source in sources:
            record.reply(source)
    except Unanswered:
        return False
    return True


def _drawn(edges: Sequence[Edge]) -> Iterator[tuple[Edge, Callable[[Record], list[End]]]]:
    """What reads the ends of each edge; of those that the same ARNs tell, of all of them at once."""
    told: dict[tuple[str, Path, Source | None], dict[str, tuple[int, Edge]]] = {}
    for number, edge in enumerate(edges):
        if edge.arns and edge.target:
            told.setdefault((edge.kind, edge.arns, edge.of), {})[edge.target.label] = (number, edge)
        else:
            yield edge, _one(number, edge)
    for by_label in told.values():
        edge = next(iter(by_label.values()))[1]
        yield edge, _by_arn(by_label, _of(edge.path, edge.of))


def _one(number: int, edge: Edge) -> Callable[[Record], list[End]]:
    read = _of(edge.path, edge.of)
    return lambda record: [(number, edge, end) for end in _ends(read(record))]


def _by_arn(edges: Mapping[str, tuple[int, Edge]], read: Read) -> Callable[[Record], list[End]]:
    """Looks an ARN up once, however many types it may lead to."""

    def ends(record: Record) -> list[End]:
        nodes = dict.fromkeys(map(arns.node, _listed(read(record) or ())))
        return [(*edges[node.label], node.key) for node in nodes if node and node.label in edges]

    return ends


def _link(number: int, edge: Edge, end: str | Link, own: str, extra: dict[str, Any]) -> Linked:
    link = end if isinstance(end, Link) else Link(end)
    start = link.start if edge.start else own
    if link.key is None or start is None:
        raise Unfit(f"{edge.name}: a link without its {'start' if link.key else 'key'}")
    properties = {**extra, **link.properties}
    try:
        key, start = _text(link.key), _text(start)
        for value in properties.values():
            _own(value)
    except UNREADABLE as error:
        raise Unfit(f"{edge.name}: {error}") from error
    both = (key, start) if edge.inbound else (start, key)
    return Linked(number, *both, properties)


def _own(value: Any) -> None:
    """Raises what says that a value is none for an edge's property."""
    if isinstance(value, str):
        _text(value)
    elif isinstance(value, list | tuple):
        for each in value:
            _own(each)
    elif isinstance(value, paths.Spoiled):
        raise TypeError(f"{value!r} cannot be read")


def _ends(found: Any) -> Iterable[str | Link]:
    if not found:
        return ()
    return dict.fromkeys(found) if isinstance(found, list) and not isinstance(found[0], Link) else _listed(found)


def _listed(found: Any) -> Iterable[str | Link]:
    return (found,) if isinstance(found, str | Link) else found


def _of(path: Path, source: Source | None) -> Read:
    """A reader of the record, or of the reply of its detail call."""
    if source is None:
        return paths.reader(path)
    if callable(path):
        function = path

        def called(record: Record) -> Any:
            record.reply(source)  # raises Unanswered before the function guesses
            return function(record)

        return called
    if "{" in path:
        raise ValueError(f"{path!r}: a template cannot be read of a detail call")
    get = paths.getter(path)
    return lambda record: get(record.reply(source))


def _property(part: Property) -> Read:
    read = _of(part.path, part.of)
    then, fit = part.then, _FIT[part.type]

    def value(record: Record) -> Any:
        found = read(record)
        if found is None:
            return None
        return fit(found if then is None else then(found))

    return value


def _scalar(kind: type) -> Callable[[Any], Any]:
    def fit(value: Any) -> Any:
        if value is None or type(value) is kind:
            return value
        raise TypeError(f"{str(value)[:80]!r} is no {kind.__name__}")

    return fit


def _float(value: Any) -> Any:
    return float(value) if type(value) is int else _scalar(float)(value)


def _datetime(value: Any) -> Any:
    if value is None or isinstance(value, datetime):
        return value
    raise TypeError(f"{str(value)[:80]!r} is no datetime")


def _list(fit: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def fits(value: Any) -> Any:
        if value is None:
            return None
        if not isinstance(value, list | tuple):
            raise TypeError(f"{str(value)[:80]!r} is no list")
        return [fit(each) for each in value if each is not None]

    return fits


def _integer(value: Any) -> Any:
    if type(value) is int and not -(2**63) <= value < 2**63:
        raise ValueError(f"{value} does not fit into 64 bits")
    return _scalar(int)(value)


def _text(value: Any) -> Any:
    """A text that the graph can hold: not long, without NUL and without half a character."""
    if value is None:
        return None
    if type(value) is not str:
        raise TypeError(f"{str(value)[:80]!r} is no str")
    if len(value) > LONGEST:
        raise ValueError(f"{len(value)} characters are more than {LONGEST}: {value[:40]!r}…")
    if "\0" in value:
        raise ValueError(f"{value[:80]!r} holds a NUL")
    if not value.isascii():
        value.encode()  # raises for half a surrogate pair
    return value


_FIT: dict[Any, Callable[[Any], Any]] = {
    str: _text,
    int: _integer,
    bool: _scalar(bool),
    float: _float,
    datetime: _datetime,
    list[str]: _list(_text),
    list[int]: _list(_integer),
    list[float]: _list(_float),
}
