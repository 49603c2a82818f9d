"""What a sweep came to: the numbers, the gaps, the exit code; as a table and as JSON (docs/report.schema.json)."""

from __future__ import annotations

import dataclasses
import resource
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Literal, Self, TypedDict, get_args

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

from skysweep.outcomes import DetailFailure, Outcome, UnitResult

Status = Literal["complete", "incomplete", "interrupted"]
STATUSES: tuple[Status, ...] = get_args(Status)
SHOWN_GAPS = 20
SHOWN_TEXT = 120  # characters of the reason that a record was put aside for


class ExitCode(IntEnum):
    """What the process ends with."""

    COMPLETE = 0
    UNUSABLE = 1  # it could not run; usage errors too
    INCOMPLETE = 2  # it swept, but not everything: the report says what
    FOUND = 3  # `query --fail-on` found rows
    INTERRUPTED = 130


class Calls(TypedDict):
    """Calls sent, retries and details included; those throttled, sent again, and ended without an answer."""

    total: int
    throttled: int
    retried: int
    failed: int


class Change(TypedDict):
    """Distinct nodes or edges of a type seen by this sweep, and those that its cleanup deleted."""

    written: int
    deleted: int


class AccountResult(TypedDict):
    """An account or a profile: swept, failed with the error (a profile's account is then empty), or a duplicate.

    duplicate: a profile that leads to an account that another one is swept by.
    """

    account: str
    name: str
    status: Literal["swept", "failed", "duplicate"]
    error: str | None


@dataclass(slots=True)
class Report:
    """One sweep, told.

    seconds: wall clock. targets: accounts in regions. units: those neither complete nor absent, and those with failed
    details. quarantined: records and links that are not in the graph, with the reason. peak_rss_mb: of this process,
    in MiB.
    """

    sweep: str
    update_tag: int
    status: Status = "complete"
    seconds: float = 0.0
    targets: int = 0
    calls: Calls = field(default_factory=lambda: Calls(total=0, throttled=0, retried=0, failed=0))
    nodes: dict[str, Change] = field(default_factory=dict)
    edges: dict[str, Change] = field(default_factory=dict)
    unit_totals: dict[str, int] = field(default_factory=dict)
    units: list[UnitResult] = field(default_factory=list)
    quarantined: list[dict[str, Any]] = field(default_factory=list)
    accounts: list[AccountResult] = field(default_factory=list)
    peak_rss_mb: float = 0.0

    @property
    def failed_accounts(self) -> list[AccountResult]:
        """The accounts and profiles that could not be swept at all."""
        return [account for account in self.accounts if account["status"] == "failed"]

    @property
    def gaps(self) -> bool:
        """Whether anything that should have been swept was not, or could not be written."""
        return bool(self.failed_accounts or self.units or self.quarantined) or self.status != "complete"

    @property
    def exit_code(self) -> ExitCode:
        """Complete only where nothing is missing."""
        if self.status == "interrupted":
            return ExitCode.INTERRUPTED
        return ExitCode.INCOMPLETE if self.gaps else ExitCode.COMPLETE

    def to_dict(self) -> dict[str, Any]:
        """The document that `sync --json` prints; `from_dict` reads it back."""
        document = {each.name: getattr(self, each.name) for each in dataclasses.fields(self)}
        rounded = {"seconds": round(self.seconds, 3), "peak_rss_mb": round(self.peak_rss_mb, 1)}
        return document | rounded | {"units": [unit_dict(unit) for unit in self.units]}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        """The report that `to_dict` made `document` of. Raises KeyError or ValueError for anything else."""
        fields: dict[str, Any] = {each.name: document[each.name] for each in dataclasses.fields(cls)}
        fields["units"] = [unit_from_dict(unit) for unit in document["units"]]
        return cls(**fields)

    def __rich__(self) -> RenderableType:
        """The report for a terminal: what changed, then what is missing, then one line that sums up."""
        tables = [_changes("Nodes", self.nodes), _changes("Edges", self.edges)]
        if self.failed_accounts:
            tables.append(_failed_accounts(self.failed_accounts))
        if self.units:
            tables.append(_gaps(self.units))
        if self.quarantined:
            tables.append(_quarantined(self.quarantined))
        return Group(*tables, self.summary())

    def summary(self) -> str:
        """One line: status, targets, calls, nodes, edges, seconds."""
        nodes, edges = (sum(each["written"] for each in changes.values()) for changes in (self.nodes, self.edges))
        deleted = sum(each["deleted"] for changes in (self.nodes, self.edges) for each in changes.values())
        return (
            f"Sweep {self.sweep}: {self.status}; {self.targets:,} targets, {self.calls['total']:,} calls "
            f"({self.calls['throttled']:,} throttled, {self.calls['failed']:,} failed), {nodes:,} nodes, {edges:,} "
            f"edges, {deleted:,} deleted, in {self.seconds:.1f} s"
        )


def unit_dict(unit: UnitResult) -> dict[str, Any]:
    """A unit as in the report and in each line of `--report FILE`."""
    return dataclasses.asdict(unit) | {
        "seconds": round(unit.seconds, 3),
        "details": [dataclasses.asdict(failure) for failure in unit.details],
    }


def unit_from_dict(document: Mapping[str, Any]) -> UnitResult:
    """The unit that `unit_dict` made `document` of."""
    details = tuple(DetailFailure(**each | {"outcome": Outcome(each["outcome"])}) for each in document["details"])
    return UnitResult(**{**document, "outcome": Outcome(document["outcome"]), "details": details})


def peak_rss_mb() -> float:
    """The most memory this process has held, in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)  # bytes on macOS, KiB elsewhere


def _changes(title: str, changes: Mapping[str, Change]) -> Table:
    table = Table("", "written", "deleted", title=title, title_justify="left")
    for column in table.columns[1:]:
        column.justify = "right"
    for name, change in sorted(changes.items()):
        table.add_row(escape(name), f"{change['written']:,}", f"{change['deleted']:,}" if change["deleted"] else "")
    return table


def _failed_accounts(accounts: Iterable[AccountResult]) -> Table:
    table = Table("account", "error", title="Accounts not swept", title_justify="left", title_style="bold red")
    for account in accounts:
        name = " ".join(part for part in (account["account"], account["name"]) if part)
        table.add_row(escape(name), escape(account["error"] or ""))
    return table


def _gaps(units: Iterable[UnitResult]) -> Table:
    """Units that are not whole, those of one outcome and operation on one line."""
    table = Table("what", "outcome", "where", "first error", title="Not covered", title_justify="left")
    alike: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for unit in units:
        for what, outcome, error in _missing(unit):
            alike.setdefault((what, outcome), []).append((f"{unit.account} {unit.region}", error))
    for (what, outcome), places in list(alike.items())[:SHOWN_GAPS]:
        more = f" and {len(places) - 1:,} more" if len(places) > 1 else ""
        table.add_row(escape(what), outcome, f"{places[0][0]}{more}", escape(places[0][1]))
    if len(alike) > SHOWN_GAPS:
        table.add_row(f"… {len(alike) - SHOWN_GAPS:,} more", "", "`skysweep report --json` lists all", "")
    return table


def _missing(unit: UnitResult) -> Iterable[tuple[str, str, str]]:
    """What a unit did not give: (service:Operation, outcome, error) of its listing and of its details."""
    if unit.outcome not in (Outcome.COMPLETE, Outcome.ABSENT):
        yield f"{unit.service}:{unit.operation}", unit.outcome.value, unit.error or ""
    for failure in unit.details:
        if failure.outcome is not Outcome.ABSENT:
            yield (
                f"{failure.service}:{failure.operation}",
                f"{failure.outcome.value} x {failure.count:,}",
                failure.error,
            )


def _quarantined(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Records and links that are not in the graph; `#3` is the third of the items that the call lists."""
    table = Table("what", "where", "reason", title="Put aside", title_justify="left")
    table.columns[0].overflow = "fold"  # an id is of use only as a whole
    for row in rows[:SHOWN_GAPS]:
        item = f" #{row['item']}" if row["item"] else ""
        where = f"{row['account']} {row['region']} {row['call']}{item}"
        table.add_row(escape(f"{row['type']} {row['id']}"), escape(where), escape(row["reason"][:SHOWN_TEXT]))
    if len(rows) > SHOWN_GAPS:
        table.add_row(f"… {len(rows) - SHOWN_GAPS:,} more", "", "`skysweep report --json` lists all")
    return table
