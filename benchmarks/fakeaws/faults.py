"""What may go wrong on the wire, and plans that say when: pure functions of a request, deterministic by seed.

The server asks its plan about every request, before it answers, and performs the fault it gets. For the plans to be
deterministic it fills all of `Seen`; a pagination token that it does not know gets the listing's first page (plans
that tamper with tokens count on it).

No plan refuses a connection: point a client at a closed port for that. `Drop` is the nearest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as the server knows it before it answers.

    number: it is the n-th of the run, from 1. nth: the n-th of its account, region, service and operation, from 1.
    token: the pagination token that it brings, empty on a first page.
    """

    number: int
    key: str
    account: str
    region: str
    service: str
    operation: str
    nth: int = 1
    token: str = ""


@dataclass(frozen=True, slots=True)
class Error:
    """AWS's error instead of the answer; `rendered` says how it looks in the service's protocol."""

    status: int
    code: str
    message: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Raw:
    """Any reply instead of the answer: a load balancer's page, say."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Hang:
    """The request is read and never answered; the connection stays open until the client closes it."""


@dataclass(frozen=True, slots=True)
class Drop:
    """The connection is closed instead of an answer."""


@dataclass(frozen=True, slots=True)
class Cut:
    """The answer's last `missing` bytes (at least one, at most all of the body) are promised and not sent; then close."""

    missing: int


@dataclass(frozen=True, slots=True)
class Drip:
    """The answer's head, then its body one byte every `seconds`."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Delay:
    """The whole answer, `seconds` late."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Change:
    """The answer with another body: what `body` makes of the true one (its length is promised rightly).

    An answer that is an error stays as it is.
    """

    body: Callable[[bytes], bytes]


Fault = Error | Raw | Hang | Drop | Cut | Drip | Delay | Change
Plan = Callable[[Seen], Fault | None]
Match = Callable[[Seen], bool]


def calm(seen: Seen) -> None:
    """The plan of a fine day: every request is answered."""
    del seen


def rendered(error: Error, service: str) -> tuple[int, dict[str, str], bytes]:
    """The status, headers (all but Content-Length) and body of an error as `service` words it."""
    raise NotImplementedError(error, service)
