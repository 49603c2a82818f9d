"""The pace of the calls: token buckets by account, region, service and action class, as AWS keeps them.

The figures are AWS's documented or observed ones (data/rate-limits.csv), at a share of them; aiolimiter paces by them.
On top a throttle slows its buckets down and empties them, and quiet time gives the pace back (additive increase,
multiplicative decrease): docs/decisions/0006.
"""

from __future__ import annotations

import csv
from asyncio import get_running_loop
from functools import cache
from importlib.resources import files
from math import inf
from typing import TYPE_CHECKING, NamedTuple

import anyio
from aiolimiter import AsyncLimiter

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from skysweep.plan import Target

CUT = 0.7  # what a throttle leaves of a bucket's pace
FLOOR = 0.05  # the least pace that a bucket keeps
RECOVERY = 0.02  # of its full pace, given back by each second since the throttle
ECHO_SECONDS = 1.0  # throttles so soon after a cut are of calls that were under way before it
HAIR = 0.01  # of a token
PURGE_AT = 4096  # buckets; beyond this the full ones are dropped now and then


class Limit(NamedTuple):
    """One bucket of AWS's: its action class, calls at once, calls per second, and whether it is per region."""

    action: str
    burst: float
    rate: float
    regional: bool
    page: int | None


APART = frozenset({("lambda", "GetFunction"), ("lambda", "GetPolicy")})
"""Operations that do not count in their service's shared bucket: Lambda's is for the "rest of the control plane"."""

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
    shared = known.get((service, "*shared")) if (service, operation) not in APART else None
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


class Pace(NamedTuple):
    """Which share of its rate a bucket runs at: what the last cut left, and when that was (the loop's seconds)."""

    left: float = 1.0
    since: float = -inf

    def at(self, now: float) -> float:
        """The share at a time after the cut, between FLOOR and 1."""
        return min(1.0, self.left + (now - self.since) * RECOVERY)

    def cut(self, now: float) -> Pace:
        """The pace after a throttle; the same one when it is an echo of the last."""
        return self if now - self.since < ECHO_SECONDS else Pace(max(self.at(now) * CUT, FLOOR), now)


class Bucket:
    """A token bucket that can be slowed down while calls wait; they are served first come, first served.

    burst: calls at once. rate: calls per second. Each call costs a token, or as many more as the pace is below 1.
    """

    def __init__(self, burst: float, rate: float) -> None:
        self._burst = max(burst, 1.0)
        self._rate = rate
        self._limiter = AsyncLimiter(self._burst, self._burst / rate)
        self._pace = Pace()
        self._owed = 0.0  # tokens: below 1 between calls, less than nothing where a cancelled call has paid
        # The limiter alone lets a newcomer pass those whom it has just woken.
        self._turn = anyio.Lock(fast_acquire=True)

    @property
    def rate(self) -> float:
        """Calls per second at present."""
        return self._rate * self._pace.at(_now())

    @property
    def idle(self) -> bool:
        """Whether it is as good as new."""
        return not self._turn.locked() and self._pace.at(_now()) == 1.0 and self._limiter.has_capacity(self._burst)

    async def take(self) -> None:
        """Waits in turn until there is room for a call."""
        async with self._turn:
            price = 1.0 / self._pace.at(_now())
            self._owed += price
            try:
                while self._owed >= 1.0:  # one by one: a burst may be 1, and a price is seldom whole
                    await self._limiter.acquire()
                    self._owed -= 1.0
            except BaseException:  # cancelled: there is no call to pay for
                self._owed -= price
                raise

    async def cut(self) -> None:
        """Slows down and empties the bucket, for AWS has throttled a call; never waits."""
        before, self._pace = self._pace, self._pace.cut(_now())
        if self._pace is before:
            return
        amount = self._burst
        while amount >= HAIR:  # halves find what is left, of a burst of 40,000 in 22 steps
            if self._limiter.has_capacity(amount):
                await self._limiter.acquire(amount)
            amount /= 2


class Limits:
    """All buckets in use. Nothing is paced at a share of 0; nothing slows down after throttles unless `adaptive`."""

    def __init__(self, share: float, *, adaptive: bool = True) -> None:
        self._share = share
        self._adaptive = adaptive
        self._buckets: dict[tuple[str, str, str, str], Bucket] = {}
        self._purge_at = PURGE_AT

    async def take(self, target: Target, service: str, operation: str) -> None:
        """Waits until AWS has room for one more such call of this account there, by our reckoning."""
        for bucket in self._of(target, service, operation):
            await bucket.take()

    async def throttled(self, target: Target, service: str, operation: str) -> None:
        """Slows such calls down, for AWS has refused one; never waits."""
        if self._adaptive:
            for bucket in self._of(target, service, operation):
                await bucket.cut()

    def _of(self, target: Target, service: str, operation: str) -> Iterator[Bucket]:
        if self._share > 0:
            for limit in limits_of(service, operation):
                region = target.region if limit.regional else ""
                yield self._bucket((target.account, region, service, limit.action), limit)

    def _bucket(self, key: tuple[str, str, str, str], limit: Limit) -> Bucket:
        bucket = self._buckets.get(key)
        if bucket is None:
            if len(self._buckets) >= self._purge_at:
                self._buckets = {key: bucket for key, bucket in self._buckets.items() if not bucket.idle}
                self._purge_at = max(PURGE_AT, 2 * len(self._buckets))
            bucket = self._buckets[key] = Bucket(limit.burst * self._share, limit.rate * self._share)
        return bucket


def _now() -> float:
    return get_running_loop().time()  # aiolimiter's clock
