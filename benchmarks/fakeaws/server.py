"""From a request to the bytes of its reply: who asks what, counted, with its fault; replies are rendered once and kept.

What a request asks is looked up by its bytes, and the reply by that, the account and the region. An empty reply is the
same for everybody, so that estates of any size keep one for each operation.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import count
from random import Random
from typing import Any, NamedTuple

import orjson

from benchmarks.fakeaws import render
from benchmarks.fakeaws.answers import Answers
from benchmarks.fakeaws.buckets import Buckets, Call, refusal
from benchmarks.fakeaws.estate import Estate
from benchmarks.fakeaws.faults import Error, Fault, Plan, Raw, Seen, calm, expired, rendered
from benchmarks.fakeaws.heads import Head
from benchmarks.fakeaws.identity import HOUR, Refused, account_of, expiry_of
from benchmarks.fakeaws.models import Inputs, Operation, Request, Unknown, asked

KEPT_REQUESTS = 250_000  # what so many different requests ask is remembered
KEPT_BYTES = 512 * 1024 * 1024  # of replies; what comes when they are full is made anew each time
ENTRY_BYTES = 400  # of a reply's place among them
OWN = b" /_fake/"  # GET calls, usage, buckets; reset: calls, and all is counted from nothing
SPREAD = 0.3  # sigma of the latencies
LATENCIES = 4093  # different ones; the next prime below a power of two meets no rhythm of the requests

COLUMNS = ("account", "region", "service", "operation", "calls", "throttled")


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """What a request asks, whoever sends it."""

    operation: Operation
    inputs: Inputs
    token: str
    known: bool  # it is found again when it is asked again
    listings: tuple[str, ...]  # where none of them has an item, the reply is the empty one
    empty: dict[str, bytes]  # the reply when nothing is there: the same for everybody


class Answer(NamedTuple):
    """A whole HTTP reply, how many seconds it takes until it is sent, and the fault to perform on it."""

    reply: bytes
    wait: float = 0.0
    fault: Fault | None = None


class Server:
    """A fake AWS. url: where it is. faults: the plan, asked for every request. calls: how many of each there were.

    throttled: those of them that the buckets refused. sent: bytes of replies. latencies: seconds until replies are
    sent, one after another. real: items hold what real ones do, not every member.
    """

    def __init__(
        self,
        estate: Estate,
        *,
        faults: Plan = calm,
        lifetime: float = HOUR,
        latencies: tuple[float, ...] = (0.0,),
        buckets: Buckets | None = None,
        real: bool = False,
    ) -> None:
        self.url = ""
        self.estate = estate
        self.faults = faults
        self.latencies = latencies
        self.buckets = buckets
        self.calls: Counter[Call] = Counter()
        self.throttled: Counter[Call] = Counter()
        self.sent = 0
        self.answers = Answers(estate, lifetime=lifetime, real=real)
        self._number = count(1)
        self._asked: dict[tuple[Any, ...], _Asked] = {}
        self._kept: dict[tuple[Any, ...], tuple[int, bytes]] = {}
        self._kept_bytes = 0

    def reset(self) -> None:
        """Forgets the calls: requests are counted from 1 again, and the buckets are full."""
        self.calls.clear()
        self.throttled.clear()
        self.sent = 0
        self._number = count(1)
        if self.buckets:
            self.buckets.clear()

    def answer(self, head: Head, body: bytes) -> Answer:
        """What comes back for one request."""
        if OWN in head.line:
            return Answer(self._own(head.target()[1]))
        signed = head.caller()
        if signed is None:
            return Answer(http(403, {}, b"unsigned"))
        try:
            found = self._what(head, body, signed.service)
        except Unknown as error:
            return Answer(http(404, {}, f"no such operation: {error}".encode()))
        service, name = found.operation.service, found.operation.name
        account, ends = _signer(signed.key, self.estate.accounts[0])
        call = (account, signed.region, service, name)
        self.calls[call] += 1
        number = next(self._number)
        fault: Fault | None = None
        if self.buckets and not self.buckets.take(call):
            self.throttled[call] += 1
            reply = _refusal(service, name)
        else:
            late = ends is not None and ends < time.time()
            if late or self.faults is not calm:
                seen = Seen(number, signed.key, *call, self.calls[call], found.token, found.inputs)
                fault = self.faults(seen) or (_EXPIRED(seen) if late else None)
            reply = _instead(fault, service) or self._reply(found, account, signed.region)
        self.sent += len(reply)
        return Answer(reply, self.latencies[number % len(self.latencies)], fault)

    def _what(self, head: Head, body: bytes, signed_for: str) -> _Asked:
        host = head.field(b"host") if signed_for == "s3" else b""
        key = (head.line, head.field(b"x-amz-target"), body, signed_for, head.field(b"x-amz-account-id"), host)
        found = self._asked.get(key)
        if found is None:
            operation, inputs = asked(Request(*head.target(), head.fields(), body), signed_for)
            token = next((str(inputs[name]) for name, _ in operation.tokens if name in inputs), "")
            listings = self.answers.listings(operation, inputs)
            found = _Asked(operation, inputs, token, len(self._asked) < KEPT_REQUESTS, listings, {})
            if found.known:
                self._asked[key] = found
        return found

    def _reply(self, found: _Asked, account: str, region: str) -> bytes:
        operation, version = found.operation, self.estate.version.get(account, 0)
        if found.empty and found.listings and not self._any(found.listings, account, region):
            return found.empty[""]
        key = (found, account, region)
        kept = self._kept.get(key)
        if kept is not None and kept[0] == version:
            return kept[1]
        try:
            reply, items = self.answers.reply(operation, found.inputs, account, region)
        except Refused as refused:
            return http(*rendered(refused.error, operation.service))
        if not items and found.empty:
            return found.empty[""]
        made = http(200, {"Content-Type": render.content_type(operation)}, render.body(operation, reply))
        if not items:
            found.empty[""] = made
        elif found.known and operation.key != "sts:AssumeRole":
            self._keep(key, version, made)
        return made

    def _any(self, listings: tuple[str, ...], account: str, region: str) -> bool:
        """Whether there is an item in one of the listings."""
        return any(self.estate.shown(account, region, each) for each in listings)

    def _keep(self, key: tuple[Any, ...], version: int, made: bytes) -> None:
        before = self._kept.get(key)
        size = self._kept_bytes + len(made) + (ENTRY_BYTES if before is None else -len(before[1]))
        if size <= KEPT_BYTES:
            self._kept[key] = (version, made)
            self._kept_bytes = size

    def _own(self, target: str) -> bytes:
        told = target.removeprefix("/_fake/")
        if told == "usage":
            rows: Any = self.usage()
        elif told == "buckets":
            rows = list(self.buckets.rows()) if self.buckets else []
        else:
            counted = ((*call, number, self.throttled[call]) for call, number in self.calls.items())
            rows = [dict(zip(COLUMNS, row, strict=True)) for row in counted]
        if told == "reset":
            self.reset()
        return http(200, {"Content-Type": "application/json"}, orjson.dumps(rows))

    def usage(self) -> dict[str, Any]:
        """The CPU of this process since it began, and since the last reset: calls, throttles, bytes, production."""
        return {
            "cpu_seconds": time.process_time(),
            "calls": self.calls.total(),
            "throttled": self.throttled.total(),
            "bytes": self.sent,
            "production": self.buckets.production() if self.buckets else {"asked": 0.0, "got": 0.0, "least": 1.0},
        }


def latencies(median: float, *, spread: float = SPREAD, seed: int = 1) -> tuple[float, ...]:
    """Seconds by a log-normal distribution with that median; `spread` is its sigma."""
    random = Random(seed)  # noqa: S311 - no secret
    return tuple(median * random.lognormvariate(0.0, spread) for _ in range(LATENCIES)) if median else (0.0,)


@lru_cache(maxsize=65_536)
def _signer(key: str, hub: str) -> tuple[str, float | None]:
    """Whose key it is, and when it ends."""
    return account_of(key, hub), expiry_of(key)


def _instead(fault: Fault | None, service: str) -> bytes | None:
    """What is said instead of the answer; None where the answer is."""
    if isinstance(fault, Error):
        return http(*rendered(fault, service))
    return http(fault.status, fault.headers, fault.body) if isinstance(fault, Raw) else None


@cache
def _refusal(service: str, operation: str) -> bytes:
    return http(*rendered(refusal(service, operation), service))


_EXPIRED = expired(lambda _: True)


def http(status: int, headers: Mapping[str, str], body: bytes) -> bytes:
    """A whole HTTP reply. It has no Date: the clock of a reply that is kept would stand still."""
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} Fake\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
