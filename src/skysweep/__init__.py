"""skysweep: every account and region of an AWS organization, as a security graph in Neo4j.

    report = await skysweep.sweep(settings)

`settings` is a `Settings`, most easily made by `skysweep.from_options(...)`; the answer is a `Report`. Errors are the
tree of `skysweep.errors`. What is named here is the public interface; it is imported when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from skysweep.engine import sweep
    from skysweep.errors import SkysweepError, Unusable
    from skysweep.outcomes import Outcome, Tally, UnitResult
    from skysweep.report import ExitCode, Report
    from skysweep.settings import Settings, from_options

__all__ = [
    "ExitCode",
    "Outcome",
    "Report",
    "Settings",
    "SkysweepError",
    "Tally",
    "UnitResult",
    "Unusable",
    "from_options",
    "sweep",
]

_HOMES = {
    "ExitCode": "report",
    "Outcome": "outcomes",
    "Report": "report",
    "Settings": "settings",
    "SkysweepError": "errors",
    "Tally": "outcomes",
    "UnitResult": "outcomes",
    "Unusable": "errors",
    "from_options": "settings",
    "sweep": "engine",
}


def __getattr__(name: str) -> Any:
    """Imports a public name when it is first asked for, so that the command line starts without AWS's client."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
