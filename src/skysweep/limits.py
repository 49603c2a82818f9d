"""The pace of the calls: token buckets by account, region, service and action class, as AWS keeps them.

The figures are AWS's documented or observed ones (data/rate-limits.csv), at a share of them. A throttle cuts a bucket's
rate by 0.7 and empties it; quiet time gives it back (additive increase, multiplicative decrease).
"""

from __future__ import annotations

import csv
import time
from collections.abc import Awaitable, Callable
from functools import cache
from importlib.resources import files
from math import inf
from typing import TYPE_CHECKING, NamedTuple

import anyio

if TYPE_CHECKING:
    from collections.abc import Mapping

    from skysweep.plan import Target

CUT = 0.7  # what a throttle leaves of the rate
FLOOR = 0.05  # the least share of its rate that a bucket keeps
RECOVERY = 0.02  # the share of its full rate that each second without throttles gives back
HAIR = 1e-6  # of a token
PURGE_AT = 4096  # buckets; beyond this the full ones are dropped now and then

Clock = Callable[[], float]
Sleep = Callable[[float], Awaitable[None]]


class Limit(NamedTuple):
    """One bucket of AWS's: its action class, calls at once, calls per second, and whether it is per region."""

    action: str
    burst: float
    rate: float
    regional: bool
    page: int | None


UNLISTED = Limit("*", 10, 10, regional=True, page=None)
"""For a service that the table does not have."""


@cache
def table() -> Mapping[tuple[str, str], Limit]:
    """The shipped limits by (service, operation), with `*` for the others' own and `*shared` for all together."""
    limits: dict[tuple[str, str], Limit] = {}
    text = (files("skysweep") / "data/rate-limits.csv").read_text()
    for row in csv.DictReader(text.splitlines()):
        actions = row["operation_or_star"]
        page = int(row["max_page_size"]) if row["max_page_size"] else None
        limit = Limit(actions, float(row["bucket_size"]), float(row["refill_per_s"]), row["scope"] != "account", page)
        for operation in actions.split("|"):
            limits[row["service"], operation] = limit
    return limits


@cache
def limits_of(service: str, operation: str) -> tuple[Limit, ...]:
    """The buckets that a call takes a token of: the service's shared one and its own (or its class's)."""
    known = table()
    own = known.get((service, operation))
    shared = known.get((service, "*shared"))
    if own is None and (other := known.get((service, "*"))) is not None:
        own = other._replace(action=operation)
    found = tuple(limit for limit in (own, shared) if limit is not None)
    return found or (UNLISTED,)


def page_size(service: str, operation: str) -> int | None:
    """The most items that AWS gives on a page, where the table knows it."""
    known = table()
    for name in (operation, "*", "*shared"):
        limit = known.get((service, name))
        if limit is not None and (limit.page or name == operation):
            return limit.page
    return None


class Bucket:
    """A token bucket whose rate can change while calls wait; they are served first come, first served."""

    def __init__(self, burst: float, rate: float, clock: Clock, sleep: Sleep) -> None:
        self._burst = max(burst, 1.0)
        self._full_rate = self._rate = rate
        self._clock = clock
        self._sleep = sleep
        self._level = self._burst
        self._seen = clock()
        self._turn = anyio.Lock()
        self._waiting = 0
        self._last_cut = -inf

    @property
    def rate(self) -> float:
        """Tokens per second at present."""
        self._refill()
        return self._rate

    async def take(self) -> None:
        """Takes a token, waiting in turn until there is one."""
        if self._waiting == 0 and self._seconds_to_wait() <= 0:
            self._level -= 1
            return
        self._waiting += 1
        try:
            async with self._turn:
                while (seconds := self._seconds_to_wait()) > 0:
                    await self._sleep(seconds)
                self._level -= 1
        finally:
            self._waiting -= 1

    def cut(self) -> None:
        """Slows down, for AWS has throttled a call of this bucket; throttles within a second are one."""
        self._refill()
        if self._seen - self._last_cut >= 1.0:
            self._rate = max(self._rate * CUT, self._full_rate * FLOOR)
            self._last_cut = self._seen
        self._level = min(self._level, 0.0)

    @property
    def idle(self) -> bool:
        """Whether it is as good as new."""
        self._refill()
        return self._waiting == 0 and self._level >= self._burst and self._rate >= self._full_rate

    def _seconds_to_wait(self) -> float:
        self._refill()
        lacking = 1.0 - self._level
        # A hair less than a token is a token: so short a sleep would not move the clock, and never end.
        return lacking / self._rate if lacking > HAIR else 0.0

    def _refill(self) -> None:
        now = self._clock()
        passed = max(now - self._seen, 0.0)
        self._seen = now
        self._level = min(self._burst, self._level + passed * self._rate)
        self._rate = min(self._full_rate, self._rate + passed * self._full_rate * RECOVERY)


class Limits:
    """All buckets in use. Nothing is paced at a share of 0; nothing slows down after throttles unless `adaptive`."""

    def __init__(
        self, share: float, *, adaptive: bool = True, clock: Clock = time.monotonic, sleep: Sleep = anyio.sleep
    ) -> None:
        self._share = share
        self._adaptive = adaptive
        self._clock = clock
        self._sleep = sleep
        self._buckets: dict[tuple[str, str, str, str], Bucket] = {}
        self._purge_at = PURGE_AT

    async def take(self, target: Target, service: str, operation: str) -> None:
        """Waits until AWS has room for one more such call of this account there, by our reckoning."""
        for bucket in self._of(target, service, operation):
            await bucket.take()

    def throttled(self, target: Target, service: str, operation: str) -> None:
        """Slows such calls down, for AWS has refused one."""
        if self._adaptive:
            for bucket in self._of(target, service, operation):
                bucket.cut()

    def _of(self, target: Target, service: str, operation: str) -> list[Bucket]:
        if self._share <= 0:
            return []
        limits = limits_of(service, operation)
        return [
            self._bucket((target.account, target.region if x.regional else "", service, x.action), x) for x in limits
        ]

    def _bucket(self, key: tuple[str, str, str, str], limit: Limit) -> Bucket:
        bucket = self._buckets.get(key)
        if bucket is None:
            if len(self._buckets) >= self._purge_at:
                self._buckets = {key: bucket for key, bucket in self._buckets.items() if not bucket.idle}
                self._purge_at = max(PURGE_AT, 2 * len(self._buckets))
            bucket = Bucket(limit.burst * self._share, limit.rate * self._share, self._clock, self._sleep)
            self._buckets[key] = bucket
        return bucket
