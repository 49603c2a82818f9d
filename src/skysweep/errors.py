"""The errors, named by what follows from them.

SkysweepError
├── Unusable       the run cannot start: one clear line, exit 1, nothing written
│   ├── BadSettings    an option, variable or file that is wrong
│   ├── BadCredentials no identity to begin with
│   └── BadStore       the graph cannot be reached, opened or used
├── CallFailed     one AWS call has ended without an answer; its unit has an outcome
└── Bug            ours: stops the sweep
"""

from __future__ import annotations


class SkysweepError(Exception):
    """Anything this package raises on purpose; its text is one line for the user."""


class Unusable(SkysweepError):
    """Raised when a run cannot start: names the thing, the place and the mend."""


class BadSettings(Unusable):
    """Raised when an option, an environment variable or a file holds what cannot be meant."""


class BadCredentials(Unusable):
    """Raised when there is no AWS identity to begin with."""


class BadStore(Unusable):
    """Raised when the graph cannot be reached, opened or used."""


class Bug(SkysweepError):
    """Raised when our own request or declaration is wrong: the sweep stops."""
