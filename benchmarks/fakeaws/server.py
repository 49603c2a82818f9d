"""From a request to the bytes of its reply: who asks what, counted, with its fault; replies are rendered once and kept.

What a request asks is looked up by its bytes, and the reply by that, the account and the region. An empty reply is the
same for everybody, so that estates of any size keep one for each operation.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

import orjson

from benchmarks.fakeaws import render
from benchmarks.fakeaws.answers import Answers
from benchmarks.fakeaws.estate import Estate
from benchmarks.fakeaws.faults import Error, Fault, Plan, Raw, Seen, calm, expired, rendered
from benchmarks.fakeaws.identity import HOUR, Refused, account_of, expiry_of
from benchmarks.fakeaws.models import Inputs, Operation, Request, Unknown, asked

KEPT_REQUESTS = 200_000  # what so many different requests ask is remembered
KEPT_BYTES = 512 * 1024 * 1024
OWN = "/_fake/"  # GET calls: how many there were of each; POST reset

COLUMNS = ("account", "region", "service", "operation", "calls")

Call = tuple[str, str, str, str]  # account, region, service, operation


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """What a request asks, whoever sends it."""

    operation: Operation
    inputs: Inputs
    token: str
    empty: dict[str, bytes]  # the reply when nothing is there: the same for everybody


class Server:
    """A fake AWS. url: where it is. faults: the plan, asked for every request. calls: how many of each there were."""

    def __init__(self, estate: Estate, *, faults: Plan = calm, lifetime: float = HOUR) -> None:
        self.url = ""
        self.estate = estate
        self.faults = faults
        self.calls: Counter[Call] = Counter()
        self.answers = Answers(estate, lifetime=lifetime)
        self._number = count(1)
        self._asked: dict[tuple[Any, ...], _Asked] = {}
        self._kept: dict[tuple[Any, ...], tuple[int, bytes]] = {}
        self._kept_bytes = 0

    def reset(self) -> None:
        """Forgets the calls: requests are counted from 1 again."""
        self.calls.clear()
        self._number = count(1)

    def reply(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> tuple[bytes, Fault | None]:
        """The bytes of the reply to one request, and the fault to perform on them."""
        if target.startswith(OWN):
            return self._own(target), None
        scope = headers.get("authorization", "").partition("Credential=")[2].partition(",")[0].split("/")
        if len(scope) < 5:  # noqa: PLR2004 - key, date, region, service, aws4_request
            return http(403, {}, b"unsigned"), None
        key, _, region, signed_for, _ = scope[-5:]
        try:
            found = self._what(method, target, headers, body, signed_for)
        except Unknown as error:
            return http(404, {}, f"no such operation: {error}".encode()), None
        operation = found.operation
        account = account_of(key, self.estate.accounts[0])
        call = (account, region, operation.service, operation.name)
        self.calls[call] += 1
        seen = Seen(next(self._number), key, *call, self.calls[call], found.token, found.inputs)
        fault = self.faults(seen) or _past(seen)
        if isinstance(fault, Error):
            return http(*rendered(fault, operation.service)), fault
        if isinstance(fault, Raw):
            return http(fault.status, fault.headers, fault.body), fault
        return self._answer(found, account, region), fault

    def _what(self, method: str, target: str, headers: Mapping[str, str], body: bytes, signed_for: str) -> _Asked:
        host = headers.get("host", "") if signed_for == "s3" else ""
        key = (method, target, headers.get("x-amz-target"), body, signed_for, headers.get("x-amz-account-id"), host)
        found = self._asked.get(key)
        if found is None:
            operation, inputs = asked(Request(method, target, headers, body), signed_for)
            token = next((str(inputs[name]) for name, _ in operation.tokens if name in inputs), "")
            if len(self._asked) >= KEPT_REQUESTS:
                self._asked.clear()
            found = self._asked[key] = _Asked(operation, inputs, token, {})
        return found

    def _answer(self, found: _Asked, account: str, region: str) -> bytes:
        operation, version = found.operation, self.estate.version.get(account, 0)
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
        elif operation.key != "sts:AssumeRole":
            self._keep(key, version, made)
        return made

    def _keep(self, key: tuple[Any, ...], version: int, made: bytes) -> None:
        if self._kept_bytes > KEPT_BYTES:
            self._kept.clear()
            self._kept_bytes = 0
        self._kept[key] = (version, made)
        self._kept_bytes += len(made)

    def _own(self, target: str) -> bytes:
        counted = [dict(zip(COLUMNS, (*call, number), strict=True)) for call, number in self.calls.items()]
        if target.endswith("reset"):
            self.reset()
        return http(200, {"Content-Type": "application/json"}, orjson.dumps(counted))


def _past(seen: Seen) -> Fault | None:
    """The error for credentials that have ended."""
    ends = expiry_of(seen.key)
    return _EXPIRED(seen) if ends is not None and ends < time.time() else None


_EXPIRED = expired(lambda _: True)


def http(status: int, headers: Mapping[str, str], body: bytes) -> bytes:
    """A whole HTTP reply. It has no Date: the clock of a reply that is kept would stand still."""
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} Fake\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
