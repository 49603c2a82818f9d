"""What may go wrong on the wire, and plans that say when: pure functions of a request, deterministic by seed.

The server asks its plan about every request, before it answers, and performs the fault it gets. For the plans to be
deterministic it fills all of `Seen`; a pagination token that it does not know gets the listing's first page (plans
that tamper with tokens count on it).

No plan refuses a connection: point a client at a closed port for that. `Drop` is the nearest.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any
from xml.sax.saxutils import escape

from benchmarks.fakeaws.bodies import Listing, protocol, service_model

AFTER_NOTHING = "after-nothing"  # the token of a first page that `empty_first` has emptied
REQUEST_ID = "00000000-0000-4000-8000-000000000000"


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as the server knows it before it answers.

    number: it is the n-th of the run, from 1. nth: the n-th of its account, region, service and operation, from 1.
    account: whose key signed it. service: botocore's name. token: the pagination token that it brings, empty on a
    first page. inputs: what is asked (of AssumeRole the RoleArn, say), as far as the server has parsed it.
    """

    number: int
    key: str
    account: str
    region: str
    service: str
    operation: str
    nth: int = 1
    token: str = ""
    inputs: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def kind(self) -> tuple[str, str, str, str]:
        """What is called where: the calls that `nth` counts."""
        return self.account, self.region, self.service, self.operation


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
    """The answer's last `missing` bytes (at most all of its body) are promised and not sent; then the end."""

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


def rendered(error: Error, service: str) -> tuple[int, dict[str, str], bytes]:
    """The status, headers (all but Content-Length) and body of an error as `service` words it."""
    model, kind = service_model(service), protocol(service)
    headers = {"x-amzn-RequestId": REQUEST_ID}
    if kind in {"json", "rest-json"}:
        headers |= {"Content-Type": f"application/x-amz-json-{model.metadata.get('jsonVersion', '1.1')}"}
        headers |= {"x-amzn-ErrorType": error.code} if kind == "rest-json" else {}
        if model.metadata.get("awsQueryCompatible") is not None:
            headers["x-amzn-query-error"] = f"{error.code};Sender"
        body = json.dumps({"__type": error.code, "message": error.message})
    else:
        headers["Content-Type"] = "text/xml"
        body = '<?xml version="1.0" encoding="UTF-8"?>\n' + _xml(error, kind, service)
    return error.status, headers | dict(error.headers), body.encode()


def _xml(error: Error, kind: str, service: str) -> str:
    said = f"<Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message>"
    if kind == "ec2":
        return f"<Response><Errors><Error>{said}</Error></Errors><RequestID>{REQUEST_ID}</RequestID></Response>"
    if service == "s3":
        return f"<Error>{said}<RequestId>{REQUEST_ID}</RequestId></Error>"
    space = service_model(service).metadata.get("xmlNamespace", "")
    named = f' xmlns="{space}"' if space else ""
    return (
        f"<ErrorResponse{named}><Error><Type>Sender</Type>{said}</Error>"
        f"<RequestId>{REQUEST_ID}</RequestId></ErrorResponse>"
    )


def draw(seed: int, *parts: object) -> float:
    """A number in [0, 1) that the seed and the parts decide, in every process the same."""
    digest = blake2b(repr((seed, *parts)).encode(errors="surrogatepass"), digest_size=7).digest()
    return float(int.from_bytes(digest) / 2**56)


# Matches: which requests.

Names = str | Collection[str] | None


def anything(seen: Seen) -> bool:
    """Every request."""
    del seen
    return True


def where(
    *,
    account: Names = None,
    region: Names = None,
    service: Names = None,
    operation: Names = None,
    key: Names = None,
    inputs: Mapping[str, str] | None = None,
) -> Match:
    """Requests that fit all that is given: a name or one of several names. inputs: texts that the inputs contain."""
    given = {"account": account, "region": region, "service": service, "operation": operation, "key": key}
    wanted = {name: {value} if isinstance(value, str) else set(value) for name, value in given.items() if value}
    contained = dict(inputs or {})

    def matches(seen: Seen) -> bool:
        if any(getattr(seen, name) not in names for name, names in wanted.items()):
            return False
        return all(text in str(seen.inputs.get(name, "")) for name, text in contained.items())

    return matches


def every(n: int) -> Match:
    """Every n-th call of an account, region, service and operation."""
    return lambda seen: seen.nth % n == 0


def share(part: float, *, seed: int) -> Match:
    """That part of the calls, as the seed, what is called and the how manieth such call it is decide."""
    return lambda seen: draw(seed, *seen.kind, seen.nth) < part


def before(number: int) -> Match:
    """The first `number - 1` requests of the run."""
    return lambda seen: seen.number < number


def during(flag: Callable[[], bool]) -> Match:
    """Requests that come while the flag is set: `during(event.is_set)`."""
    return lambda _: flag()


def within(seconds: float, *, clock: Callable[[], float] = time.monotonic) -> Match:
    """Requests in the first seconds from now; the one match that the clock decides."""
    end = clock() + seconds
    return lambda _: clock() < end


def both(*matches: Match) -> Match:
    """Requests that all of them match."""
    return lambda seen: all(match(seen) for match in matches)


# Plans: which fault.


def calm(seen: Seen) -> None:
    """The plan of a fine day: every request is answered."""
    del seen


def when(match: Match, fault: Fault) -> Plan:
    """That fault for the requests that match."""
    return lambda seen: fault if match(seen) else None


def first_of(*plans: Plan) -> Plan:
    """The first of the plans that has a fault decides."""
    return lambda seen: next((fault for plan in plans if (fault := plan(seen)) is not None), None)


def denied(match: Match) -> Plan:
    """No permission, in the service's own words."""
    return lambda seen: _denial(seen, "") if match(seen) else None


def scp(match: Match) -> Plan:
    """Denied by a service control policy."""
    return lambda seen: _denial(seen, " with an explicit deny in a service control policy") if match(seen) else None


def _denial(seen: Seen, why: str) -> Error:
    user = f"arn:aws:sts::{seen.account}:assumed-role/skysweep/session"
    action = f"{service_model(seen.service).signing_name}:{seen.operation}"
    code, intro = _worded(seen.service, _DENIED)
    return Error(403, code, f"{intro}User: {user} is not authorized to perform: {action}{why}")


def expired(match: Match) -> Plan:
    """Credentials past their time."""

    def plan(seen: Seen) -> Error | None:
        if not match(seen):
            return None
        code, message = _worded(seen.service, _EXPIRED)
        return Error(400 if code == "RequestExpired" else 403, code, message)

    return plan


def throttling(part: float, *, seed: int, match: Match = anything) -> Plan:
    """That part of the matching calls is refused as too fast; `both(match, before(5000))` and the like end it."""
    chosen = both(match, share(part, seed=seed))

    def plan(seen: Seen) -> Error | None:
        return overdrawn(seen.service) if chosen(seen) else None

    return plan


def overdrawn(service: str, code: str | None = None) -> Error:
    """A call that comes too fast, as the service says so; `code`: in another word of its own."""
    usual, message = _worded(service, _THROTTLED)
    return Error(_STATUS.get(code or usual, 400), code or usual, message)


def timeout(match: Match) -> Plan:
    """Accepted and never answered."""
    return when(match, Hang())


def dropped(match: Match) -> Plan:
    """The connection closes without an answer."""
    return when(match, Drop())


def error500(match: Match) -> Plan:
    """AWS's own failure."""
    return when(match, Error(500, "InternalFailure", "An internal error occurred"))


def truncated(match: Match, missing: int = 10) -> Plan:
    """The body's last bytes never come."""
    return when(match, Cut(missing))


def shortened(match: Match) -> Plan:
    """Half a body, with a length that says it is whole."""
    return when(match, Change(lambda body: body[: len(body) // 2]))


def endless(match: Match) -> Plan:
    """Every page has a further token, never the same; what AWS does not tell in pages is left alone."""
    return _pages(match, lambda listing, seen, body: listing.with_token(body, f"endless-{seen.number}"))


def repeated(match: Match) -> Plan:
    """Every page has the same further token; what AWS does not tell in pages is left alone."""
    return _pages(match, lambda listing, _, body: listing.with_token(body, "again"))


def empty_first(match: Match) -> Plan:
    """A first page without records that has a token; then the listing as it is."""
    return _pages(
        lambda seen: not seen.token and match(seen),
        lambda listing, _, body: listing.with_token(listing.emptied(body), AFTER_NOTHING),
    )


def _pages(match: Match, change: Callable[[Listing, Seen, bytes], bytes]) -> Plan:
    def plan(seen: Seen) -> Fault | None:
        if not match(seen):
            return None
        listing = Listing.of(seen.service, seen.operation)
        return Change(lambda body: change(listing, seen, body)) if listing.tokens else None

    return plan


_Words = Mapping[str, tuple[str, str]]
_DENIED: _Words = {
    "ec2": ("UnauthorizedOperation", "You are not authorized to perform this operation. "),
    "query": ("AccessDenied", ""),
    "rest-xml": ("AccessDenied", ""),
    "json": ("AccessDeniedException", ""),
    "rest-json": ("AccessDeniedException", ""),
}
_EXPIRED: _Words = {
    "ec2": ("RequestExpired", "Request has expired."),
    "query": ("ExpiredToken", "The security token included in the request is expired"),
    "rest-xml": ("ExpiredToken", "The provided token has expired."),
    "json": ("ExpiredTokenException", "The security token included in the request is expired"),
    "rest-json": ("ExpiredTokenException", "The security token included in the request is expired"),
}
_THROTTLED: _Words = {
    "ec2": ("RequestLimitExceeded", "Request limit exceeded."),
    "query": ("Throttling", "Rate exceeded"),
    "rest-xml": ("Throttling", "Rate exceeded"),
    "s3": ("SlowDown", "Please reduce your request rate."),
    "json": ("ThrottlingException", "Rate exceeded"),
    "rest-json": ("TooManyRequestsException", "Rate exceeded"),
}
_STATUS = {"RequestLimitExceeded": 503, "SlowDown": 503, "TooManyRequestsException": 429}


def _worded(service: str, words: _Words) -> tuple[str, str]:
    """The code and text for a service, or for its protocol."""
    return words.get(service) or words[protocol(service)]
