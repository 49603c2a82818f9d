"""The hand-written table of why a difference is right, and which rows explain which differences."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from oracle.compare import Difference

TABLE = Path(__file__).with_name("explained.csv")
REASONS = ("Cartography's fault", "later issue", "cannot be represented")


@dataclass(frozen=True)
class Row:
    """One explanation. Every column but the last two is a pattern (`*`), matched with its namesake of a difference."""

    kind: str
    how: str
    type: str
    name: str
    target: str
    id: str
    reason: str
    why: str

    def covers(self, difference: Difference) -> bool:
        """Whether this row explains that difference."""
        names = ("kind", "how", "type", "name", "target", "id")
        return all(fnmatchcase(getattr(difference, name), getattr(self, name)) for name in names)


@dataclass(frozen=True)
class Verdict:
    """Differences by the first row that explains them, those that none does, and the rows that explain nothing."""

    explained: dict[Row, list[Difference]] = field(default_factory=dict)
    unlisted: list[Difference] = field(default_factory=list)
    stale: list[Row] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether the table says exactly what is so."""
        return not self.unlisted and not self.stale


def read_table(path: Path = TABLE) -> list[Row]:
    """Read the table; raises ValueError for a row without a known reason or a why."""
    with path.open(newline="", encoding="utf-8") as lines:
        rows = [Row(**row) for row in csv.DictReader(lines)]
    for row in rows:
        if row.reason not in REASONS or not row.why:
            raise ValueError(f"{path.name}: {row} needs a why and one of these reasons: {', '.join(REASONS)}")
    return rows


def explain(differences: Iterable[Difference], rows: Sequence[Row]) -> Verdict:
    """Give every difference to the first row that covers it."""
    verdict = Verdict()
    for difference in differences:
        row = next((row for row in rows if row.covers(difference)), None)
        if row is None:
            verdict.unlisted.append(difference)
        else:
            verdict.explained.setdefault(row, []).append(difference)
    verdict.stale.extend(row for row in rows if row not in verdict.explained)
    return verdict
