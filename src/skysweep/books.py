"""One sweep's books: which sweep it is, new or resumed, what of it is done, and what its report will need.

What is noted is committed: a unit's rows before its line, so that a sweep killed at any moment loses no more than the
units in flight.
"""

from __future__ import annotations

import secrets
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import version

import anyio

from skysweep import plan
from skysweep.catalogue import Branch, Catalogue
from skysweep.errors import BadSettings
from skysweep.ledger import Key, Ledger, Past
from skysweep.model import Call
from skysweep.order import Lot, Order, dearest
from skysweep.outcomes import Deleted, Quarantined, Tally, UnitResult
from skysweep.plan import Account, Unit

GUESS = 5  # records of a listing in an account that has never been swept


@dataclass(eq=False)
class Books:
    """The books of the sweep `id`. resumed: its line from before, where it goes on. tag: known once it has begun."""

    ledger: Ledger
    tally: Tally
    id: str
    accounts: Sequence[Account]
    fingerprint: str
    resumed: Past | None = None
    tag: int = 0
    aside: list[Quarantined] = field(default_factory=list)  # put aside since the last note
    deleted: Deleted = field(default_factory=Deleted)
    _finished: list[tuple[UnitResult, str]] = field(default_factory=list)
    _news: anyio.Event = field(default_factory=anyio.Event)

    def begin(self, tag: int) -> None:
        """Opens the sweep in the ledger, or opens it again with the counts it had."""
        self.tag = tag
        if self.resumed is None:
            self.ledger.begin(Past(self.id, tag, time.time(), "running", self.fingerprint), self.accounts)
            return
        self.ledger.resume(self.id)
        counts, tally = self.ledger.counts(self.id), self.tally
        tally.calls, tally.throttled, tally.retried, tally.failed = counts.get("calls", (0, 0, 0, 0))
        tally.started -= counts.get("seconds", 0.0)
        self.deleted = Deleted(Counter(counts.get("nodes")), Counter(counts.get("edges")))

    def to_do(self, catalogue: Catalogue, share: int = 1) -> Order:
        """The units of the lots; share: how many of one account may be under way before others come first."""
        return Order((lot for _, lot in self.lots(catalogue)), share=share)

    def lots(self, catalogue: Catalogue) -> Iterator[tuple[Account, Lot]]:
        """The plan, less what is done, by account, the dearest first by what the last sweeps' units took.

        What is done is told to the tally as its account comes.
        """
        accounts = dearest(self.accounts, self.ledger.costs())
        guess = {call: 1.0 + GUESS * _details(catalogue.branches[call]) for call in catalogue.calls}
        return ((each, self._lot(each, guess)) for each in accounts)

    def _lot(self, account: Account, guess: Mapping[Call, float]) -> Lot:
        """What is to do in an account, with the calls that it took of late; guessed where it has never been swept."""
        done = self.ledger.done(self.id, account.id) if self.resumed else {}
        known = self.ledger.dear(account.id)
        lot: Lot = []
        for unit in plan.units([account], list(guess)):
            key = Key.of(unit)
            if key in done:
                self.tally.tell(done[key])
            else:
                lot.append((known.get(key, 1.0) if known else guess[unit.call], unit))
        return lot

    def finished(self, unit: Unit, result: UnitResult) -> None:
        """A unit has ended and its rows are committed."""
        self._finished.append((result, unit.call.literal))
        self.tally.tell(result)
        self._news.set()

    async def keep(self) -> None:
        """Notes what has ended, all that came together in one transaction, until cancelled."""
        while True:
            await self._news.wait()
            self._news = anyio.Event()
            await self.note()

    async def note(self) -> None:
        """Notes what has ended since the last time, and the counts."""
        finished, aside = self._finished[:], self.aside[:]
        await anyio.to_thread.run_sync(self.ledger.record, self.id, finished, aside, self._counts())
        # Only now: what a cancelled or failed note had in hand is the next one's.
        del self._finished[: len(finished)]
        del self.aside[: len(aside)]

    def finish(self, status: str, report: dict[str, object]) -> None:
        """Closes the sweep; one that is not done stays open to be resumed."""
        self.ledger.finish(self.id, status, report)

    def _counts(self) -> dict[str, object]:
        tally = self.tally
        calls = tally.calls, tally.throttled, tally.retried, tally.failed
        seconds = time.monotonic() - tally.started
        return {"calls": calls, "seconds": seconds, "nodes": self.deleted.nodes, "edges": self.deleted.edges}


def new(ledger: Ledger, tally: Tally, accounts: Sequence[Account], catalogue: Catalogue) -> Books:
    """The books of a sweep that has not begun."""
    name = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"
    return Books(ledger, tally, name, accounts, fingerprint(catalogue))


def resumable(past: Past, last_tag: int) -> bool:
    """Whether an unfinished sweep can be gone on with: by the version that began it, in the graph whose last it was.

    last_tag: the update tag of the graph's last sweep. A higher one is another host's, and a graph with a lower one has
    never had the sweep's rows: it is another graph, or was emptied or restored since.
    """
    return past.update_tag == last_tag and past.fingerprint.partition(" ")[0] == version("skysweep")


def again(ledger: Ledger, tally: Tally, past: Past, catalogue: Catalogue) -> Books:
    """The books of an unfinished sweep. Raises BadSettings where it was a sweep of another selection."""
    found = fingerprint(catalogue)
    if past.fingerprint != found:
        raise BadSettings(
            f"--resume: sweep {past.id} was begun with another selection; give the same --aws-requested-syncs, or "
            "leave --resume out to start anew"
        )
    return Books(ledger, tally, past.id, ledger.accounts(past.id), found, past)


def _details(branch: Branch) -> int:
    """How many calls it takes to tell all of one record."""
    each = [detail for feed in branch.feeds for detail in feed.details if detail is not branch]
    return sum(1 + _details(detail) for detail in each if not detail.call.batch)


def fingerprint(catalogue: Catalogue) -> str:
    """What tells whether two sweeps have the same calls and types: the version, and a digest of them."""
    parts = [*map(repr, catalogue.types), *(f"{call} {call.literal}" for call in catalogue.calls)]
    digest = sha256("\n".join(parts).encode()).hexdigest()
    return f"{version('skysweep')} {digest[:16]}"
