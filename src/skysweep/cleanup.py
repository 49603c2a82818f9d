"""Delete what a licensed scope no longer saw; nothing else, ever.

A scope (a type in an account and region) is licensed when every unit that can feed the type there has completed, with
all its details, in this sweep. Deletions go in bounded transactions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from skysweep import cypher
from skysweep.catalogue import Catalogue, Type
from skysweep.model import Call, Edge
from skysweep.outcomes import Deleted, Outcome, UnitResult
from skysweep.plan import GLOBAL, Account
from skysweep.store import Store

LIMIT = 1_000  # deletions a transaction
SCOPES = 500  # scopes a statement

Scope = tuple[str, str]  # account, region


@dataclass(slots=True)
class Licence:
    """What may be cleaned up: all planned scopes of a type, less those that something was missing of."""

    accounts: Sequence[Account]
    missing: dict[str, set[Scope]] = field(default_factory=dict)  # by type name
    unread: dict[str, set[Scope]] = field(default_factory=dict)  # the same: records are there, details of some are not
    unknown: dict[str, set[Scope]] = field(default_factory=dict)  # the same: not even AWS's word that it is absent

    def withhold(self, types: Iterable[Type], account: str, region: str, outcome: Outcome = Outcome.FAILED) -> None:
        """Something that feeds these types was not seen whole there."""
        for type_ in types:
            self.missing.setdefault(type_.name, set()).add((account, region))
            if outcome is not Outcome.ABSENT:
                self.unknown.setdefault(type_.name, set()).add((account, region))

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
        return (account, region) not in self.unknown.get(type_.name, ())

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
            self.unread.setdefault(type_.name, set()).add((account, region))
            if outcome is not Outcome.ABSENT:
                self.unknown.setdefault(type_.name, set()).add((account, region))

    def unseen(self, catalogue: Catalogue, label: str, account: str, region: str) -> bool:
        """Whether this sweep cannot tell which nodes of a label are there: not selected, denied or failed."""
        type_ = catalogue.by_label.get(label)
        return type_ is None or (account, region) in self.unknown.get(type_.name, ())

    def scopes(self, type_: Type) -> list[dict[str, str]]:
        """The type's licensed scopes."""
        missing = self.missing.get(type_.name, set())
        return [
            {"account": account.id, "region": region}
            for account in self.accounts
            for region in _regions(type_, account)
            if (account.id, region) not in missing
        ]

    def shared_scopes(self, types: Sequence[Type], *, read: bool = False) -> list[dict[str, str]]:
        """The scopes in which every one of these types that can be seen there was seen whole; `read`: details too."""
        missing = set().union(*(self.missing.get(type_.name, set()) for type_ in types))
        if read:
            missing = missing.union(*(self.unread.get(type_.name, set()) for type_ in types))
        scopes = {(each["account"], each["region"]): each for type_ in types for each in self.scopes(type_)}
        return [each for key, each in scopes.items() if key not in missing]


async def clean(store: Store, catalogue: Catalogue, licence: Licence, tag: int, deleted: Deleted) -> None:
    """Removes what the licensed scopes no longer saw: edges first, then nodes, then what nothing holds any more.

    `deleted` is counted up as it goes.
    """
    for declared in _edges(catalogue):
        type_, edge = min(declared, key=lambda each: not each[0].shared)  # a shared one asks of all nodes
        read = any(edge.of and (len(declared) > 1 or not cypher.is_marked(type_, edge)) for type_, edge in declared)
        scopes = licence.shared_scopes([type_ for type_, _ in declared], read=read)
        deleted.edges[edge.kind] += await _all(store, cypher.stale_edges(type_, edge), tag, scopes)
        if type_.owner:
            foreign = cypher.stale_edges(type_, edge, foreign=True)
            deleted.edges[edge.kind] += await _all(store, foreign, tag, scopes)
    for type_ in catalogue.types:
        scopes = licence.scopes(type_)
        if not type_.shared:
            deleted.nodes[type_.label] += await _all(store, cypher.stale_nodes(type_), tag, scopes)
        if type_.owned and (type_.shared or type_.owner):
            deleted.edges["RESOURCE"] += await _all(store, cypher.stale_holds(type_), tag, _by_account(scopes))
    for type_ in catalogue.types:
        if type_.shared or type_.owner:
            deleted.nodes[type_.label] += await _drain(store, cypher.unheld(type_), {"tag": tag})


def _edges(catalogue: Catalogue) -> list[list[tuple[Type, Edge]]]:
    """Each edge (labels and type) with the declarations that draw it: a type and those that extend it may share one."""
    drawn: dict[tuple[str, str, str], list[tuple[Type, Edge]]] = {}
    for type_ in catalogue.types:
        for edge in type_.edges:
            (start, _), (end, _) = cypher.ends(type_, edge)
            drawn.setdefault((start, edge.kind, end), []).append((type_, edge))
    return list(drawn.values())


def _by_account(scopes: Iterable[Mapping[str, str]]) -> list[dict[str, Any]]:
    regions: dict[str, list[str]] = {}
    for scope in scopes:
        regions.setdefault(scope["account"], []).append(scope["region"])
    return [{"account": account, "regions": named} for account, named in regions.items()]


async def _all(store: Store, statement: str, tag: int, scopes: Sequence[Mapping[str, Any]]) -> int:
    count = 0
    for first in range(0, len(scopes), SCOPES):
        count += await _drain(store, statement, {"tag": tag, "scopes": list(scopes[first : first + SCOPES])})
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


def _regions(type_: Type, account: Account) -> Sequence[str]:
    return account.regions if type_.source.call.per == "region" else (GLOBAL,)
