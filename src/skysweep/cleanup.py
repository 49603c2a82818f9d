"""Delete what a licensed scope no longer saw; nothing else, ever.

A scope (a type in an account and region) is licensed when every unit that can feed the type there has completed, with
all its details, in this sweep. Deletions go in bounded transactions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, islice
from operator import itemgetter
from typing import Any

from skysweep import cypher
from skysweep.catalogue import Catalogue, Type
from skysweep.model import Call, Edge
from skysweep.outcomes import Deleted, Outcome, UnitResult
from skysweep.plan import GLOBAL, Account
from skysweep.store import Store

LIMIT = 1_000  # deletions a transaction
SCOPES = 500  # scopes a statement

Scope = dict[str, str]  # of an "account" in a "region", as the statements take it


class Scopes:
    """A set of scopes in some accounts, a bit for each: an organization has millions, and may deny them all."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._bits = bytearray(places.size // 8 + 1)

    def add(self, account: str, region: str) -> None:
        """Puts a scope in; one that is none of these accounts' stays out."""
        place = self._places.of(account, region)
        if place is not None:
            self._bits[place >> 3] |= 1 << (place & 7)

    def has(self, account: str, region: str) -> bool:
        """Whether the scope is in."""
        place = self._places.of(account, region)
        return place is not None and bool(self._bits[place >> 3] & 1 << (place & 7))


class Places:
    """The numbers of the scopes of some accounts, from 0; `size`: how many there are."""

    def __init__(self, accounts: Sequence[Account]) -> None:
        self._rows = {account.id: row for row, account in enumerate(accounts)}
        names = dict.fromkeys(region for account in accounts for region in account.regions)
        self._columns = {name: column for column, name in enumerate((GLOBAL, *names))}
        self.size = len(self._rows) * len(self._columns)

    def of(self, account: str, region: str) -> int | None:
        """The number of a scope; None where it is none of these accounts'."""
        row, column = self._rows.get(account), self._columns.get(region)
        return None if row is None or column is None else row * len(self._columns) + column


@dataclass(slots=True)
class Licence:
    """What may be cleaned up: all planned scopes of a type, less those that something was missing of.

    missing, by the type's name: scopes not seen whole. unread: records are there, details of some are not. unknown: not
    even AWS's word that it is absent.
    """

    accounts: Sequence[Account]
    missing: dict[str, Scopes] = field(default_factory=dict)
    unread: dict[str, Scopes] = field(default_factory=dict)
    unknown: dict[str, Scopes] = field(default_factory=dict)
    _places: Places = field(init=False)
    _regions: dict[str, tuple[str, ...]] = field(init=False)

    def __post_init__(self) -> None:
        self._places = Places(self.accounts)
        self._regions = {account.id: account.regions for account in self.accounts}

    def withhold(self, types: Iterable[Type], account: str, region: str, outcome: Outcome = Outcome.FAILED) -> None:
        """Something that feeds these types was not seen whole there."""
        for type_ in types:
            self._note(self.missing, type_, account, region)
            if outcome is not Outcome.ABSENT:
                self._note(self.unknown, type_, account, region)

    def judge(self, catalogue: Catalogue, call: Call, result: UnitResult) -> None:
        """Withholds what this unit of `call` should have fed and did not, or not wholly."""
        if result.outcome is not Outcome.COMPLETE:
            self.withhold(catalogue.branches[call].types, result.account, result.region, result.outcome)
        for failure in result.details:
            for each, fed in catalogue.feeding.items():
                if (each.root, each.service, each.operation) == (call, failure.service, failure.operation):
                    self.unanswered(each, fed, result.account, result.region, failure.outcome)

    def known(self, type_: Type, account: str, region: str) -> bool:
        """Whether all was told of the type in that scope, which is one of its own: seen whole, or absent by AWS's word.

        What another account is to ask counts as told: the organization's tree is read through one of its members.
        """
        return not _in(self.unknown, type_, account, region)

    def unanswered(
        self, call: Call, types: Iterable[Type], account: str, region: str, outcome: Outcome = Outcome.FAILED
    ) -> None:
        """A detail call of these types failed there for some record: what is made of it was not seen whole.

        Of a type that only reads it every record was seen; what the call tells of some was not.
        """
        for type_ in types:
            if call in type_.made_of:
                self.withhold([type_], account, region, outcome)
                continue
            self._note(self.unread, type_, account, region)
            if outcome is not Outcome.ABSENT:
                self._note(self.unknown, type_, account, region)

    def unseen(self, catalogue: Catalogue, label: str, account: str, region: str) -> bool:
        """Whether this sweep cannot tell which nodes of a label are there: not asked there, denied or failed."""
        type_ = catalogue.by_label.get(label)
        asked = region == GLOBAL or region in self._regions.get(account, ())
        return type_ is None or not asked or _in(self.unknown, type_, account, region)

    def scopes(self, type_: Type) -> Iterator[Scope]:
        """The type's licensed scopes, those of an account together."""
        return self.shared_scopes([type_])

    def shared_scopes(self, types: Sequence[Type], *, read: bool = False) -> Iterator[Scope]:
        """The scopes in which every one of these types that can be seen there was seen whole; `read`: details too."""
        kinds = (self.missing, self.unread) if read else (self.missing,)
        kept = [sets[type_.name] for sets in kinds for type_ in types if type_.name in sets]
        once = any(type_.source.call.per != "region" for type_ in types)
        regional = any(type_.source.call.per == "region" for type_ in types)
        for account in self.accounts:
            for region in (*((GLOBAL,) if once else ()), *(account.regions if regional else ())):
                if not any(scopes.has(account.id, region) for scopes in kept):
                    yield {"account": account.id, "region": region}

    def _note(self, sets: dict[str, Scopes], type_: Type, account: str, region: str) -> None:
        if type_.name not in sets:
            sets[type_.name] = Scopes(self._places)
        sets[type_.name].add(account, region)


def _in(sets: Mapping[str, Scopes], type_: Type, account: str, region: str) -> bool:
    return type_.name in sets and sets[type_.name].has(account, region)


async def clean(store: Store, catalogue: Catalogue, licence: Licence, tag: int, deleted: Deleted) -> None:
    """Removes what the licensed scopes no longer saw: edges first, then nodes, then what nothing holds any more.

    `deleted` is counted up as it goes. After most sweeps there is nothing to remove of most types: a few statements
    find of which there is, before any is asked about scope by scope.
    """
    rows = await store.gather(cypher.stale(catalogue, labels_are_types=store.labels_are_types), tag=tag)
    stale_ones = {row["name"] for row in rows}
    for declared in _edges(catalogue):
        whatever = any(edge.arns for _, edge in declared)
        # A shared one asks of all nodes, and an edge to whatever ARNs tell is asked of its start.
        type_, edge = min(declared, key=lambda each: (whatever and each[1].inbound, not each[0].shared))
        if edge.kind not in stale_ones:
            continue
        several = len({(type_.name, edge.of) for type_, edge in declared}) > 1
        read = any(edge.of and (several or not cypher.is_marked(type_, edge)) for type_, edge in declared)
        for foreign in (False, True) if type_.owner else (False,):
            scopes = licence.shared_scopes([type_ for type_, _ in declared], read=read)
            stale = cypher.stale_edges(type_, edge, foreign=foreign, whatever=whatever)
            deleted.edges[edge.kind] += await _all(store, stale, tag, scopes)
    for type_ in catalogue.types:
        if not type_.shared and f":{type_.label}" in stale_ones:
            deleted.nodes[type_.label] += await _all(store, cypher.stale_nodes(type_), tag, licence.scopes(type_))
        if type_.owned and (type_.shared or type_.owner) and "RESOURCE" in stale_ones:
            held = _by_account(licence.scopes(type_))
            deleted.edges["RESOURCE"] += await _all(store, cypher.stale_holds(type_), tag, held)
    for type_ in {type_.label: type_ for type_ in catalogue.types if type_.shared or type_.owner}.values():
        if f":{type_.label}" in stale_ones:
            deleted.nodes[type_.label] += await _drain(store, cypher.unheld(type_), {"tag": tag})


def _edges(catalogue: Catalogue) -> list[list[tuple[Type, Edge]]]:
    """Each edge (labels and type) with the declarations that draw it: a type and those that extend it may share one.

    Where ARNs tell the ends, all of the start's edges of that type are one: they may lead to dozens of types.
    """
    each = [(type_, edge, *cypher.ends(type_, edge)) for type_ in catalogue.types for edge in type_.edges]
    told = {(start, edge.kind) for _, edge, (start, _), _ in each if edge.arns}
    drawn: dict[tuple[str, str, str], list[tuple[Type, Edge]]] = {}
    for type_, edge, (start, _), (end, _) in each:
        key = (start, edge.kind, "" if (start, edge.kind) in told else end)
        drawn.setdefault(key, []).append((type_, edge))
    return list(drawn.values())


def _by_account(scopes: Iterable[Scope]) -> Iterator[dict[str, Any]]:
    for account, its in groupby(scopes, key=itemgetter("account")):
        yield {"account": account, "regions": [each["region"] for each in its]}


async def _all(store: Store, statement: str, tag: int, scopes: Iterator[Mapping[str, Any]]) -> int:
    count = 0
    while some := list(islice(scopes, SCOPES)):
        count += await _drain(store, statement, {"tag": tag, "scopes": some})
    return count


async def _drain(store: Store, statement: str, parameters: Mapping[str, object]) -> int:
    """Runs a bounded deletion until it finds nothing more; how much there was.

    It is counted first: a deletion whose answer is lost is run again, and tells only of what was left then.
    """
    count = await _told(store, cypher.counted(statement), parameters)
    if count:
        while await _told(store, statement, {**parameters, "limit": LIMIT}) == LIMIT:
            pass
    return count


async def _told(store: Store, statement: str, parameters: Mapping[str, object]) -> int:
    answer = await store.run(statement, **parameters)
    return int(answer[0]["deleted"]) if answer else 0
