"""The errors, named by what follows from them.

SkysweepError
├── Unusable       the run cannot start: one clear line, exit 1, nothing written
│   ├── BadSettings    an option, variable or file that is wrong
│   ├── BadCredentials no identity to begin with
│   └── BadStore       the graph cannot be reached, opened or used
├── Stopped        a sweep that had begun cannot go on; what it has done is kept, and `--resume` finishes it
│   ├── StoreLost      the graph went away for longer than our patience, or refuses to be written
│   ├── LedgerLost     the ledger cannot be written, or read: a full disk, a damaged file
│   ├── ProcessLost    one of its processes has ended before its time
│   └── Overtaken      another sweep writes the graph now
├── CallFailed     one AWS call has ended without an answer; `why` says what its unit becomes
└── Bug            ours: stops the sweep
"""

from __future__ import annotations

from typing import Literal


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


class Stopped(SkysweepError):
    """Raised when a sweep cannot go on: what it has done is in the ledger, and `--resume` does the rest."""


class StoreLost(Stopped):
    """Raised when the graph is away for longer than our patience, or cannot be written any more."""


class LedgerLost(Stopped):
    """Raised when the ledger cannot be written or read: a full disk, a damaged file."""


class ProcessLost(Stopped):
    """Raised when a process that collects for the sweep has ended before its time."""


class Overtaken(Stopped):
    """Raised when another sweep has taken the graph over, so that this one must not write."""


Why = Literal["denied", "absent", "missing", "raced", "failed", "dead"]


class CallFailed(SkysweepError):
    """Raised when an AWS call has ended, after its retries, without an answer.

    why: denied (no permission) · absent (AWS says that service or region is not there for this account) · missing (the
    record has no such thing: one of the call's `missing` codes) · raced (the parent was deleted meanwhile) · failed
    (anything else that outlived its retries or its deadline) · dead (the account's credentials are gone for good).
    code: AWS's error code or the exception's name. message: AWS's text, free of credentials.
    """

    def __init__(self, why: Why, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}" if message else code)
        self.why: Why = why
        self.code = code
        self.message = message


class Bug(SkysweepError):
    """Raised when our own request or declaration is wrong: the sweep stops."""


def leaves(error: BaseException) -> list[BaseException]:
    """The errors of a group, and of the groups in it; of what is none, itself."""
    if not isinstance(error, BaseExceptionGroup):
        return [error]
    return [leaf for each in error.exceptions for leaf in leaves(each)]
