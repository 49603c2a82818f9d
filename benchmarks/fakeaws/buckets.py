"""AWS's count of the calls: a token bucket for each account, region, service and action class, refilled continuously.

Which buckets a call takes a token of is the table's to say (`skysweep.limits.limits_of`, data/rate-limits.csv). The
arithmetic is the referee's own: it shares nothing with the pacing that it judges. A call for which one of its buckets
has less than a token is throttled and takes none.

Production is a client that asks, evenly in time, for a share of every bucket's rate. It is reckoned and sends no
requests: between two of our calls at most one of its own can be refused, for until the next a token or more flows in,
so that the others need no loop. Who comes first, gets the token.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Iterator
from functools import cache
from importlib.resources import files

from benchmarks.fakeaws.faults import Error, draw, overdrawn
from skysweep.limits import Limit, limits_of

Call = tuple[str, str, str, str]  # account, region, service, operation

HAIR = 1e-9  # of a token: what sums of floats may miss
FORGET_AT = 50_000  # buckets: those that are full again are as good as new
COUNTED = 10  # a bucket of which production asked for fewer tokens says nothing about its share


class Bucket:
    """One bucket, full at first. tokens: what it held at the time `at`. asked, got: by production."""

    __slots__ = ("_every", "_next", "asked", "at", "burst", "calls", "got", "rate", "throttled", "tokens")

    def __init__(self, burst: float, rate: float, now: float, *, production: float = 0.0, phase: float = 0.0) -> None:
        """`production`: the share of the rate it asks for, at most 1; it begins `phase` (of a turn) from now."""
        self.burst = self.tokens = max(burst, 1.0)
        self.rate = rate
        self.at = now
        self.calls = self.throttled = self.asked = self.got = 0
        self._every = 1 / (production * rate) if production else 0.0
        self._next = now + phase * self._every

    def advance(self, now: float) -> None:
        """Brings it to that time: it fills, and production takes what it asks for as far as it is there."""
        while self._every and self._next <= now:
            self._fill(self._next)
            self.asked += 1
            self._next += self._every
            if self.tokens >= 1 - HAIR:
                self.got += 1
                self.tokens -= 1
                self._undisturbed(now)
        self._fill(now)

    def _undisturbed(self, now: float) -> None:
        """Production's further turns until then: each finds what flowed in since the last, a token or more."""
        turns = int((now - self._next) / self._every) + 1 if self._next <= now else 0
        if turns:
            self.tokens = min(self.burst - 1, self.tokens + turns * (self._every * self.rate - 1))
            self.asked += turns
            self.got += turns
            self.at = self._next + (turns - 1) * self._every
            self._next += turns * self._every

    def _fill(self, now: float) -> None:
        self.tokens = min(self.burst, self.tokens + (now - self.at) * self.rate)
        self.at = now

    def full(self, now: float) -> bool:
        """Whether nothing would be missing from it by then."""
        return self.tokens + (now - self.at) * self.rate >= self.burst


class Buckets:
    """All buckets in use, with the table's figures times `times`. production: the share that it asks for, at most 1."""

    def __init__(
        self, times: float, *, production: float = 0.0, seed: int = 1, clock: Callable[[], float] = time.monotonic
    ) -> None:
        if not 0 <= production <= 1 or (production and not times):
            raise ValueError("production asks for a share of the buckets from 0 to 1, and there must be limits")
        self._times = times
        self._production = production
        self._seed = seed
        self._clock = clock  # the loop's
        self._forget_at = FORGET_AT
        self._all: dict[Call, Bucket] = {}  # by account, region or "", service and action class

    def clear(self) -> None:
        """All buckets are full again, and nothing was asked."""
        self._all.clear()

    def take(self, call: Call) -> bool:
        """Takes a token of each bucket of the call; False where it is throttled instead."""
        if not self._times:
            return True
        now = self._clock()
        if len(self._all) >= self._forget_at:
            self._forget(now)
        buckets = [self._bucket(call, limit, now) for limit in limits_of(call[2], call[3])]
        for bucket in buckets:
            bucket.advance(now)
        short = [bucket for bucket in buckets if bucket.tokens < 1 - HAIR]
        for bucket in short:
            bucket.throttled += 1
        for bucket in () if short else buckets:
            bucket.tokens -= 1
            bucket.calls += 1
        return not short

    def _bucket(self, call: Call, limit: Limit, now: float) -> Bucket:
        account, region, service, _ = call
        key = (account, region if limit.regional else "", service, limit.action)
        bucket = self._all.get(key)
        if bucket is None:
            bucket = self._all[key] = Bucket(
                limit.burst * self._times,
                limit.rate * self._times,
                now,
                production=self._production,
                phase=draw(self._seed, *key) if self._production else 0.0,
            )
        return bucket

    def _forget(self, now: float) -> None:
        """Drops what is full; where production is told of, nothing."""
        if not self._production:
            self._all = {key: bucket for key, bucket in self._all.items() if not bucket.full(now)}
        self._forget_at = len(self._all) + FORGET_AT

    def rows(self) -> Iterator[dict[str, str | float]]:
        """Each bucket in use: whose it is, our calls and throttles, what production asked and got."""
        for (account, region, service, action), each in self._all.items():
            yield {
                "account": account,
                "region": region,
                "service": service,
                "action": action,
                "burst": each.burst,
                "rate": each.rate,
                "calls": each.calls,
                "throttled": each.throttled,
                "asked": each.asked,
                "got": each.got,
            }

    def production(self) -> dict[str, float]:
        """What production asked and got in all, up to our last call of each bucket, and its least share of one."""
        held = self._all.values()
        shares = (each.got / each.asked for each in held if each.asked >= COUNTED)
        return {
            "asked": float(sum(each.asked for each in held)),
            "got": float(sum(each.got for each in held)),
            "least": min(shares, default=1.0),
        }


@cache
def refusal(service: str, operation: str) -> Error:
    """How the service says that it is called too fast, by the table's code."""
    codes = _codes()
    names = (operation, limits_of(service, operation)[0].action, "*", "*shared")
    return overdrawn(service, next((codes[service, name] for name in names if (service, name) in codes), None))


@cache
def _codes() -> dict[tuple[str, str], str]:
    """By service and action class, the first of the codes that the table knows: ``SlowDown|Throttling`` has two."""
    text = (files("skysweep") / "data/rate-limits.csv").read_text()
    return {
        (row["service"], row["operation_or_star"]): row["throttle_error_codes"].partition("|")[0].partition("(")[0]
        for row in csv.DictReader(text.splitlines())
    }
