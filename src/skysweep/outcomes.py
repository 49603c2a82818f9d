"""What became of each unit, and the running tally that the progress display reads."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum


class Outcome(StrEnum):
    """What a unit's listing came to; only `complete` licenses cleanup."""

    COMPLETE = "complete"
    DENIED = "denied"
    ABSENT = "absent"
    FAILED = "failed"


TOLD = frozenset((Outcome.COMPLETE, Outcome.ABSENT))
"""What leaves no gap."""


@dataclass(frozen=True, slots=True)
class DetailFailure:
    """Detail calls of one operation that did not answer under their unit: how many, and the first error."""

    service: str
    operation: str
    outcome: Outcome
    count: int
    error: str


@dataclass(frozen=True, slots=True)
class UnitResult:
    """One unit's end: its outcome, items listed, calls sent (details and retries included), seconds and first error."""

    account: str
    region: str
    service: str
    operation: str
    outcome: Outcome
    records: int = 0
    calls: int = 0
    seconds: float = 0.0
    error: str | None = None
    details: tuple[DetailFailure, ...] = ()

    @property
    def missing(self) -> bool:
        """Whether something that is there was not seen: what AWS says is absent is not missing."""
        return self.outcome not in TOLD or any(failure.outcome not in TOLD for failure in self.details)


@dataclass(frozen=True, slots=True)
class Gap:
    """What was not covered, of one operation and outcome: in how many units, which is the first, and its error.

    calls: of a detail, how many of them did not answer; 0: the units' own listing did not.
    """

    service: str
    operation: str
    outcome: Outcome
    units: int
    calls: int
    account: str
    region: str
    error: str


def gaps(units: Iterable[UnitResult]) -> list[Gap]:
    """What these units did not give, those of one operation and outcome together, by name."""
    found: dict[tuple[str, str, str, bool], Gap] = {}
    for unit in units:
        listing = DetailFailure(unit.service, unit.operation, unit.outcome, 0, unit.error or "")
        for part in (listing, *unit.details):
            if part.outcome in TOLD:
                continue
            key = part.service, part.operation, part.outcome.value, part.count > 0
            known = found.get(key) or Gap(*key[:2], part.outcome, 0, 0, unit.account, unit.region, part.error)
            found[key] = replace(known, units=known.units + 1, calls=known.calls + part.count)
    return [found[key] for key in sorted(found)]


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A record or link that is not in the graph: its type and id, where it was seen, and why it was put aside.

    call: the listing that it came of. item: which of its items, from 1 (of those at the
    path that the type reads); 0 where the id tells it.
    """

    type: str
    id: str
    account: str
    region: str
    call: str
    item: int
    reason: str


@dataclass(slots=True)
class Deleted:
    """How many nodes of each label and edges of each type a cleanup has removed."""

    nodes: Counter[str] = field(default_factory=Counter)
    edges: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Tally:
    """Counts of a running sweep; written by the engine, read by the progress display at its own pace."""

    started: float = field(default_factory=time.monotonic)
    phase: str = "finding accounts"
    accounts: int = 0
    accounts_done: int = 0
    units: int = 0
    units_done: int = 0
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    calls: int = 0
    throttled: int = 0
    retried: int = 0
    failed: int = 0
    rows: int = 0
    links: int = 0
    running: dict[str, float] = field(default_factory=dict)  # "account region service:Operation" -> monotonic start
    left: Counter[str] = field(default_factory=Counter)  # units to do, by account

    def planned(self, units: Mapping[str, int]) -> None:
        """Takes the plan's size: units by account."""
        self.accounts, self.left = len(units), Counter(units)
        self.units = self.left.total()

    def tell(self, result: UnitResult) -> None:
        """Counts a unit as done."""
        self.units_done += 1
        self.outcomes[result.outcome] += 1
        self.left[result.account] -= 1
        self.accounts_done += not self.left[result.account]

    def add(self, calls: Tally) -> None:
        """Adds another's calls."""
        self.calls += calls.calls
        self.throttled += calls.throttled
        self.retried += calls.retried
        self.failed += calls.failed
