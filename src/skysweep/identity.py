"""One account's credentials: fetched when they are needed, refreshed before they expire, in one place.

botocore refreshes within 15 minutes of the expiry, which for credentials of a few seconds means at every call, and it
raises whatever its source raises. Here the first third of the time that is left decides when, one call refreshes for
all, and a source that stumbles is asked again for as long as the call may wait.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from math import inf
from typing import Any

import anyio
from aiobotocore.credentials import AioCredentials
from aiobotocore.session import AioSession

from skysweep import retry
from skysweep.errors import BadSettings, Bug, CallFailed
from skysweep.retry import Renewal

EARLY_SECONDS = 900.0  # before the expiry, at most: botocore refreshes nothing before
TRY_SECONDS = 60.0  # for one try at getting credentials, which may hang
PATIENCE_SECONDS = 300.0  # with a source that does nothing but stumble; then calls fail …
PAUSE_SECONDS = 30.0  # … at once, but for one in so many that asks again

Renew = Callable[[], Awaitable[Any]]


@dataclass(slots=True)
class Identity:
    """An account's credentials, how to get new ones, and the session whose endpoints its calls use.

    trouble: why its credentials could not be had of late. dead: how they ended, if they have.
    """

    credentials: Any
    renew: Renew | None
    session: AioSession
    trouble: str = ""
    dead: CallFailed | None = None
    recognized: float = -inf
    _troubled: float = inf  # since when
    _resting: float = -inf  # until when
    recognizing: anyio.Lock = field(default_factory=anyio.Lock)
    _frozen: AioCredentials | None = None  # what calls are signed with: nothing refreshes while a slot is held
    _due: float = -inf
    _expires: float = -inf
    _renewing: anyio.Lock = field(default_factory=anyio.Lock)
    _refreshing: anyio.Lock = field(default_factory=lambda: anyio.Lock(fast_acquire=True))

    def check(self) -> None:
        """Raises CallFailed once the credentials are dead."""
        if self.dead:
            raise CallFailed("dead", self.dead.code, self.dead.message)

    @property
    def current(self) -> AioCredentials | None:
        """What calls are signed with; None where there is nothing yet or it has expired."""
        return self._frozen if anyio.current_time() < self._expires else None

    async def ready(self) -> AioCredentials:
        """What calls are signed with, refreshed where that is due; the old ones serve until they expire.

        Raises CallFailed, `dead` where the source of the credentials says or shows that there are none any more.
        """
        current = self.current
        if current is not None and (anyio.current_time() < self._due or self._refreshing.locked()):
            return current
        async with self._refreshing:  # so that those who wait for a refresh that fails do not try it as well
            self.check()
            if anyio.current_time() < self._resting:
                raise CallFailed("failed", "NoCredentials", self.trouble)
            if self.current is None or anyio.current_time() >= self._due:
                await self._obtain(self._same)
        assert self._frozen is not None  # noqa: S101 - _obtain sets it or raises; this is for the type checker
        return self._frozen

    async def replace(self, refused: AioCredentials) -> bool:
        """Replaces the credentials that AWS refused, once for all calls that met it; False when there is no way to."""
        async with self._renewing:
            self.check()
            if self._frozen is refused:
                if self.renew is None:
                    return False
                async with self._refreshing:
                    self._expires = -inf
                    await self._obtain(self.renew)
        return True

    async def _same(self) -> Any:
        return self.credentials

    async def _obtain(self, get: Renew) -> None:
        """Gets credentials and takes them; again and again while what fails may pass, unless the old ones still do."""
        failures = doubts = 0
        while True:
            try:
                with anyio.fail_after(TRY_SECONDS):
                    made = await get()
                    frozen = await made.get_frozen_credentials()  # before others see it: they may hold slots it needs
                if frozen is None:
                    raise ValueError("the source of the credentials gave none")  # noqa: TRY301 - one handler for all
            except (Bug, BadSettings):
                raise
            except Exception as error:  # noqa: BLE001 - whatever a source of credentials may raise
                if self.current is not None:
                    self._due = _soon(self._expires)
                    return
                doubts = doubts + 1 if retry.renewal(error) is Renewal.DOUBTFUL else 0
                self._endure(error, doubts)
            else:
                self._take(made, frozen)
                return
            failures += 1
            await anyio.sleep(retry.backoff(failures, "adaptive", random.random))

    def _endure(self, error: Exception, doubts: int) -> None:
        """Takes note of a failed try; raises CallFailed where another makes no sense."""
        now = anyio.current_time()
        self.trouble = f"{retry.code(error)}: {retry.text(error)}"
        self._troubled = min(self._troubled, now)
        if retry.renewal(error) is Renewal.FINAL or doubts >= retry.DOUBTS:
            message = error.message if isinstance(error, CallFailed) else retry.text(error)
            raise CallFailed("dead", retry.code(error), message) from error
        if now - self._troubled >= PATIENCE_SECONDS:
            self._resting = now + PAUSE_SECONDS
            raise CallFailed("failed", "NoCredentials", self.trouble) from error

    def _take(self, made: Any, frozen: Any) -> None:
        self.credentials, self.trouble, self._troubled = made, "", inf
        known = self._frozen
        if known is None or (known.access_key, known.token) != (frozen.access_key, frozen.token):
            self._frozen = AioCredentials(frozen.access_key, frozen.secret_key, frozen.token)
        remaining = getattr(made, "_seconds_remaining", None)  # botocore decides by it, and tells it nobody
        self._expires = anyio.current_time() + (remaining() if remaining else inf)
        self._due = _soon(self._expires)


def _soon(expires: float) -> float:
    """When to refresh next: with a third of the time left, and not before botocore would."""
    now = anyio.current_time()
    left = expires - now
    return inf if left == inf else now + max(left - min(left / 3, EARLY_SECONDS), 0.2)
