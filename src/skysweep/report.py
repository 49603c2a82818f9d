"""What a sweep came to: the numbers, the gaps, the exit code; as a table and as JSON (docs/report.schema.json)."""

from __future__ import annotations

import dataclasses
import resource
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Any, Literal, Self, TypedDict, get_args

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

from skysweep.outcomes import DetailFailure, Gap, Outcome, UnitResult, gaps

Status = Literal["complete", "incomplete", "interrupted"]
STATUSES: tuple[Status, ...] = get_args(Status)
LISTED = 1_000  # units that are not whole, and records put aside, that a report names; the ledger has the others
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


class LeftOut(TypedDict):
    """How many more there are than the report names."""

    units: int
    quarantined: int


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

    seconds: wall clock. targets: accounts in regions. gaps: what was not covered, by operation and outcome. units:
    those neither complete nor absent, and those with failed details, the first LISTED. quarantined: records and links
    that are not in the graph, with the reason, the first LISTED. left_out: how many more of both there are.
    remarks: what of the settings was of no use. peak_rss_mb: of its processes together, in MiB.
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
    gaps: list[Gap] = field(default_factory=list)
    units: list[UnitResult] = field(default_factory=list)
    quarantined: list[dict[str, Any]] = field(default_factory=list)
    left_out: LeftOut = field(default_factory=lambda: LeftOut(units=0, quarantined=0))
    accounts: list[AccountResult] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    peak_rss_mb: float = 0.0

    @property
    def failed_accounts(self) -> list[AccountResult]:
        """The accounts and profiles that could not be swept at all."""
        return [account for account in self.accounts if account["status"] == "failed"]

    @property
    def incomplete(self) -> bool:
        """Whether anything that should have been swept was not, or could not be written."""
        return bool(self.failed_accounts or self.units or self.quarantined) or self.status != "complete"

    @property
    def exit_code(self) -> ExitCode:
        """Complete only where nothing is missing."""
        if self.status == "interrupted":
            return ExitCode.INTERRUPTED
        return ExitCode.INCOMPLETE if self.incomplete else ExitCode.COMPLETE

    def to_dict(self) -> dict[str, Any]:
        """The document that `sync --json` prints; `from_dict` reads it back."""
        document = {each.name: getattr(self, each.name) for each in dataclasses.fields(self)}
        rounded = {"seconds": round(self.seconds, 3), "peak_rss_mb": round(self.peak_rss_mb, 1)}
        lists = {
            "gaps": [dataclasses.asdict(gap) for gap in self.gaps],
            "units": [unit_dict(unit) for unit in self.units],
        }
        return document | rounded | lists

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        """The report that `to_dict` made `document` of. Raises KeyError or ValueError for anything else.

        An older one has no remarks, or all units and no gaps: they are made of them.
        """
        units = [unit_from_dict(unit) for unit in document["units"]]
        document = {**Report("", 0, gaps=gaps(units)).to_dict(), **document} if "gaps" not in document else document
        document = {"remarks": [], **document}
        fields: dict[str, Any] = {each.name: document[each.name] for each in dataclasses.fields(cls)}
        fields["gaps"] = [Gap(**each | {"outcome": Outcome(each["outcome"])}) for each in document["gaps"]]
        fields["units"] = units
        return cls(**fields)

    def __rich__(self) -> RenderableType:
        """The report for a terminal: what changed, then what is missing, then one line that sums up."""
        tables = [_changes("Nodes", self.nodes), _changes("Edges", self.edges)]
        if self.failed_accounts:
            tables.append(_failed_accounts(self.failed_accounts))
        if self.gaps:
            tables.append(_gaps(self.gaps))
        if self.quarantined:
            tables.append(_quarantined(self.quarantined, self.left_out["quarantined"]))
        return Group(*tables, *map(escape, self.remarks), self.summary())

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
    if sys.platform == "linux":  # where ru_maxrss begins with what the process that started this one held
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return int(status.partition("VmHWM:")[2].split(maxsplit=1)[0]) / 1024
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


def _gaps(found: Sequence[Gap]) -> Table:
    table = Table("what", "outcome", "where", "first error", title="Not covered", title_justify="left")
    for gap in found[:SHOWN_GAPS]:
        outcome = f"{gap.outcome.value} x {gap.calls:,}" if gap.calls else gap.outcome.value
        more = f" and {gap.units - 1:,} more" if gap.units > 1 else ""
        where = f"{gap.account} {gap.region}{more}"
        table.add_row(escape(f"{gap.service}:{gap.operation}"), outcome, where, escape(gap.error))
    if len(found) > SHOWN_GAPS:
        table.add_row(f"… {len(found) - SHOWN_GAPS:,} more", "", "`skysweep report --json` lists them", "")
    return table


def _quarantined(rows: Sequence[Mapping[str, Any]], left_out: int) -> Table:
    """Records and links that are not in the graph; `#3` is the third of the items that the call lists."""
    table = Table("what", "where", "reason", title="Put aside", title_justify="left")
    table.columns[0].overflow = "fold"  # an id is of use only as a whole
    for row in rows[:SHOWN_GAPS]:
        item = f" #{row['item']}" if row["item"] else ""
        where = f"{row['account']} {row['region']} {row['call']}{item}"
        table.add_row(escape(f"{row['type']} {row['id']}"), escape(where), escape(row["reason"][:SHOWN_TEXT]))
    if len(rows) > SHOWN_GAPS:
        more = len(rows) + left_out - SHOWN_GAPS
        table.add_row(f"… {more:,} more", "", f"`skysweep report --json` lists {'some of them' if left_out else 'all'}")
    return table
