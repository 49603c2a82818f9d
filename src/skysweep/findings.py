"""What a look before the sweep has found: a line each, and how to mend it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from skysweep.report import ExitCode

Status = Literal["ok", "warning", "failed"]
TEXT = 600  # characters of one error


@dataclass(frozen=True, slots=True)
class Check:
    """One finding: what was looked at, on whom or where, how it is, and how to mend it.

    fatal: no sweep can run at all while it has failed.
    """

    check: str
    subject: str
    status: Status
    detail: str
    mend: str = ""
    fatal: bool = False

    def to_dict(self) -> dict[str, str]:
        """As `doctor --json` prints it."""
        names = ("check", "subject", "status", "detail", "mend")
        return {name: getattr(self, name) for name in names}


def verdict(checks: Sequence[Check]) -> ExitCode:
    """0 where a sweep would see everything, 1 where none could run, 2 where parts would be missing."""
    failed = [check for check in checks if check.status == "failed"]
    if any(check.fatal for check in failed):
        return ExitCode.UNUSABLE
    return ExitCode.INCOMPLETE if failed else ExitCode.COMPLETE


def worst(checks: Iterable[Check]) -> Status:
    """The worst status among them."""
    statuses = {check.status for check in checks}
    if "failed" in statuses:
        return "failed"
    return "warning" if "warning" in statuses else "ok"


def short(error: object) -> str:
    """An error's text as one line of bearable length."""
    text = " ".join(str(error).split())
    return text if len(text) <= TEXT else f"{text[:TEXT]}…"
