"""What has stopped answering: endpoints that take no connection or send no reply, so that calls stop waiting there.

A dead region would otherwise hold each of its thousands of calls for minutes. Whatever answers at all, be it with an
error, is heard and has its full patience again.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from math import inf

import anyio

QUIET = 3  # misses in a row after which a reply must come sooner
QUIET_TIMEOUT = 20.0  # seconds for such a reply
LOST = 10  # misses in a row …
LOST_SECONDS = 60.0  # … over so many seconds, after which calls end unsent
PROBE_SECONDS = 30.0  # but for one in so many


@dataclass(slots=True)
class _Place:
    heard: float = -inf
    misses: int = 0
    missed: float = inf  # the first of them
    probed: float = -inf


class Silence:
    """Which places have not answered, and since when; a place is any value that names one. Times are the loop's."""

    def __init__(self) -> None:
        self._places: dict[Hashable, _Place] = {}

    def note(self, place: Hashable, *, answered: bool) -> None:
        """Notes how an exchange with the place has ended."""
        known = self._places.setdefault(place, _Place())
        now = anyio.current_time()
        if answered:
            known.heard, known.misses, known.missed = now, 0, inf
        else:
            known.misses += 1
            known.missed = min(known.missed, now)

    def answering(self, place: Hashable) -> bool:
        """Whether the place has answered before, and has not been silent for long."""
        known = self._places.get(place)
        return known is not None and known.heard > -inf and anyio.current_time() - known.missed < LOST_SECONDS

    def timeout(self, place: Hashable, seconds: float) -> float:
        """How many of so many seconds to wait for its reply."""
        known = self._places.get(place)
        return min(seconds, QUIET_TIMEOUT) if known is not None and known.misses >= QUIET else seconds

    def lost(self, place: Hashable) -> bool:
        """Whether a call should end unsent; False for the one that is to try whether the place has come back."""
        known = self._places.get(place)
        now = anyio.current_time()
        if known is None or known.misses < LOST or now - known.missed < LOST_SECONDS:
            return False
        if now - known.probed < PROBE_SECONDS:
            return True
        known.probed = now
        return False
