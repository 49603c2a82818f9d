"""What became of each unit, and the running tally that the progress display reads."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum


class Outcome(StrEnum):
    """What a unit's listing came to; only `complete` licenses cleanup."""

    COMPLETE = "complete"
    DENIED = "denied"
    ABSENT = "absent"
    FAILED = "failed"


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
        told = {Outcome.COMPLETE, Outcome.ABSENT}
        return self.outcome not in told or any(failure.outcome not in told for failure in self.details)


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
