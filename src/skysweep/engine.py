"""One sweep: settings → targets → plan → calls → records → [bounded streams] → writer → cleanup → analysis → report.

Workers take units from the plan and walk them; rows go to the writers as they come; a unit is noted in the ledger once
its rows are committed. When all nodes are in, the links are written, then what licensed scopes no longer saw goes, then
the analysis says what it means. Each step may be done again: a sweep that ended half way is resumed with its
update tag, less the units that the ledger has.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Any

import anyio
from neo4j.exceptions import DriverError, Neo4jError

from skysweep import books, catalogue, cypher, freshness, plan
from skysweep.analysis import derive, expose
from skysweep.audit import audit
from skysweep.books import Books
from skysweep.catalogue import Catalogue
from skysweep.cleanup import clean
from skysweep.clients import Clients
from skysweep.collector import Collector, Feed, share, workers
from skysweep.crew import Brief, Crew, without_graph
from skysweep.errors import BadSettings, Stopped
from skysweep.lease import Lease, Wish, take
from skysweep.ledger import Ledger, Past
from skysweep.outcomes import Outcome, Tally
from skysweep.plan import Account
from skysweep.report import LISTED, AccountResult, Calls, Change, LeftOut, Report, Status, peak_rss_mb
from skysweep.settings import Settings
from skysweep.store import Store, lost, open_store
from skysweep.syncs import syncs
from skysweep.targets import Found, find_accounts
from skysweep.writer import Writer

STOP_SECONDS = 5.0  # for closing the books of a sweep that ends before its time


async def sweep(settings: Settings, *, tally: Tally | None = None) -> Report:
    """Sweeps what `settings` reach into their graph, and tells what was covered.

    `tally` is counted up as it goes, for whoever shows progress. Raises Unusable where it cannot start, Stopped where
    it cannot go on; whatever else fails is in the report.
    """
    tally = tally or Tally()
    whole = catalogue.load(settings.syncs)
    async with Clients(settings.aws, tally) as clients:
        found = await find_accounts(settings.aws, clients)
        async with open_store(settings.store) as opened:
            store = replace(opened, patience=settings.store_patience)
            with Ledger(settings.state) as ledger, ledger.alone():
                return await _Sweep(settings, whole, found, clients, store, ledger, tally).run()


@dataclass(eq=False)
class _Sweep:
    """What the steps of one sweep share. store: behind the fence, once the lease is taken."""

    settings: Settings
    catalogue: Catalogue
    found: Found
    clients: Clients
    store: Store
    ledger: Ledger
    tally: Tally
    dead: dict[str, str] = field(default_factory=dict)  # account -> why its credentials are gone
    others_mb: float = 0.0  # the most memory that its other processes have held

    async def run(self) -> Report:
        await self.store.prepare(cypher.node_types(self.catalogue), cypher.edge_types(self.catalogue))
        self.past = await self._unfinished()
        self.books = self._books()
        lease = await self._lease()
        self.store, self.tag = lease.store, lease.tag
        try:
            async with anyio.create_task_group() as beating:
                beating.start_soon(lease.beat)
                self.report = await self._steps()
                beating.cancel_scope.cancel()
            self.books.finish(self.report.status, self.report.to_dict())
        except BaseException as error:
            with anyio.move_on_after(STOP_SECONDS, shield=True):
                await self._stopped(error, lease)
            if refused := lost(error):
                raise refused from error
            raise
        # It is done: a store that is away now need not be waited for, and a lease runs out by itself.
        with anyio.move_on_after(STOP_SECONDS), suppress(Stopped, DriverError, Neo4jError):
            await lease.release()
        return self.report

    # Its place

    async def _unfinished(self) -> Past | None:
        """The last sweep, where it ended before its time and no other has been in the graph since."""
        rows = await self.store.run(cypher.LAST_TAG)
        past = self.ledger.unfinished()
        return past if past and books.resumable(past, rows[0]["tag"] if rows else 0) else None

    def _books(self) -> Books:
        """The books of a new sweep of the accounts found, or of the last one where it is to be resumed."""
        past = self.past if self.settings.resume else None
        if past is None:
            accounts = [each for each in self.found.accounts if each.id not in self.settings.exclude_accounts]
            if not accounts:
                raise BadSettings("--exclude-accounts leaves no account to sweep: leave one out of it")
            return books.new(self.ledger, self.tally, accounts, self.catalogue)
        resumed = books.again(self.ledger, self.tally, past, self.catalogue)
        reached = {each.id: each for each in self.found.accounts}
        gone = (each.id for each in resumed.accounts if each.id not in reached)
        self.dead |= dict.fromkeys(gone, "neither the settings nor any credentials lead to it any more")
        # Its plan stays what it was: regions that have been turned on or off since are the next sweep's.
        resumed.accounts = [
            replace(reached[each.id], regions=each.regions) if each.id in reached else each
            for each in resumed.accounts
            if each.id not in self.settings.exclude_accounts
        ]
        return resumed

    async def _lease(self) -> Lease:
        """The graph's lease. Whoever holds it by a sweep of this ledger is dead, for the ledger is ours alone."""
        if not self.books.resumed:
            self.ledger.announce(self.books.id)
        ours = self.ledger.ids()
        resumed = self.books.resumed
        tag, going_on = (None, resumed.update_tag) if resumed else (self.settings.update_tag, None)
        wish = Wish(self.books.id, int(time.time()), tag=tag, resumed=going_on, dead=ours.__contains__)
        return await take(self.store, wish)

    async def _leave_the_last(self) -> None:
        """A sweep that nobody resumes has nodes in the graph whose links still wait: they are written first."""
        past = self.past
        if past and not self.books.resumed:
            with Writer(self.store, self.ledger, past.id, past.update_tag, Tally(), aside=self.books.aside) as writer:
                await writer.links(catalogue.load())

    async def _stopped(self, error: BaseException, lease: Lease) -> None:
        """What a sweep leaves that ends before its time: its units noted, a report of them, the lease given back."""
        interrupted = isinstance(error, anyio.get_cancelled_exc_class() | KeyboardInterrupt)

        async def close() -> None:
            await self.books.note()
            self.books.finish("interrupted" if interrupted else "failed", self._told("interrupted").to_dict())

        for step in (close, lease.release):  # a full disk must not keep the lease
            try:
                await step()
            except Exception as second:  # noqa: BLE001 - the first error is the one to raise
                error.add_note(f"and when its books were closed: {second}")

    # Its steps

    async def _steps(self) -> Report:
        await self._leave_the_last()
        self.books.begin(self.tag)
        with Writer(
            self.store, self.ledger, self.books.id, self.tag, self.tally, aside=self.books.aside
        ) as self.writer:
            await self._collect()
            await self._settle()
        return await self._report()

    async def _collect(self) -> None:
        """Workers walk units, writers commit what they find; ends when the plan is done and the streams are empty."""
        self.tally.phase = "sweeping"
        self.tally.planned({each.id: plan.count(each, self.catalogue.calls) for each in self.books.accounts})
        await self.writer.accounts([self._account_row(each) for each in self.books.accounts])
        async with anyio.create_task_group() as keeping:
            keeping.start_soon(self.books.keep)
            async with anyio.create_task_group() as writing:
                writing.start_soon(self.writer.run)
                processes = min(self.settings.processes, len(self.books.accounts))  # an account is one's alone
                if processes > 1:
                    await self._crew(processes)
                else:
                    await self._alone()
                self.writer.close()
            keeping.cancel_scope.cancel()
        await self.books.note()

    def _account_row(self, account: Account) -> dict[str, Any]:
        """What is known of an account before it is asked anything."""
        props: dict[str, Any] = {"id": account.id, "inscope": True, "foreign": False}
        if account.name:
            props["name"] = account.name
        if account.id not in self.dead:  # where nothing leads to it any more, the settings cannot tell of it
            props["production"] = self.found.production.get(account.id)
        return {"id": account.id, "props": props}

    async def _alone(self) -> None:
        """Collects in this process."""
        collector = Collector(
            self.settings,
            self.catalogue,
            self.clients,
            self.tag,
            self.tally,
            sink=lambda _: self.writer,
            finished=self.books.finished,
            dead=self.dead,
        )
        order = await anyio.to_thread.run_sync(self.books.to_do, self.catalogue, share(self.settings))
        feed = Feed(order)
        feed.close()
        await collector.run(feed, min(workers(self.settings), max(1, self.tally.units)))

    async def _crew(self, processes: int) -> None:
        """Collects by other processes."""
        crew = Crew(self.catalogue, self.tally, sink=self.writer, finished=self.books.finished, dead=self.dead)
        brief = Brief(without_graph(self.settings, processes), self.tag, self.books.fingerprint)
        lots = await anyio.to_thread.run_sync(self.books.lots, self.catalogue)
        await crew.run(brief, lots, processes)
        self.others_mb = crew.peak_rss_mb

    async def _settle(self) -> None:
        """All nodes are in: the links, the cleanup, the analysis."""
        # Organizations has named its accounts by now; who named one in the settings means it.
        named = [each for each in self.books.accounts if each.id in self.found.names]
        await self.writer.accounts([self._account_row(each) for each in named])
        self.tally.phase = "linking"
        await self.writer.links(self.catalogue)
        await self.books.note()
        self.tally.phase = "cleaning up"
        licence = await anyio.to_thread.run_sync(audit, self.ledger, self.books.id, self.books.accounts, self.catalogue)
        await clean(self.store, self.catalogue, licence, self.tag, self.books.deleted)
        await self.books.note()
        await freshness.tell(self.store, self.catalogue, licence, syncs(), self.tag)
        self.tally.phase = "analysing"
        seen = [each.id for each in self.books.accounts if each.id not in self.dead]
        await derive(self.store.run, self.tag, seen)
        await expose(self.store.run, self.tag, seen, partial(licence.unseen, self.catalogue))

    # What it tells

    async def _report(self) -> Report:
        self.tally.phase = "reporting"
        report = await anyio.to_thread.run_sync(self._told, "complete")
        deleted = self.books.deleted
        whole, typed = self.catalogue, self.store.labels_are_types
        report.nodes = await self._changes(cypher.seen_nodes(sorted(whole.by_label)), deleted.nodes)
        report.edges = await self._changes(cypher.seen_edges(whole, labels_are_types=typed), deleted.edges)
        report.status = "incomplete" if report.incomplete else "complete"
        return report

    async def _changes(self, counting: Sequence[str], deleted: Mapping[str, int]) -> dict[str, Change]:
        """What this sweep has written and deleted of each label or edge type, where that is anything."""
        seen: Counter[str] = Counter()
        for row in await self.store.gather(counting, tag=self.tag):
            seen[row["name"]] += row["seen"]
        names = sorted({*seen, *deleted})
        changes = {name: Change(written=seen[name], deleted=deleted.get(name, 0)) for name in names}
        return {name: change for name, change in changes.items() if any(change.values())}

    def _told(self, status: Status) -> Report:
        """The report as far as the ledger knows it: without the graph's counts."""
        tally, sweep, ledger = self.tally, self.books.id, self.ledger
        totals = ledger.outcomes(sweep)
        units, aside = ledger.lacking(sweep, LISTED), ledger.quarantined(sweep, LISTED)
        return Report(
            sweep=sweep,
            update_tag=self.tag,
            status=status,
            seconds=time.monotonic() - tally.started,
            targets=sum(len(account.regions) for account in self.books.accounts),
            calls=Calls(total=tally.calls, throttled=tally.throttled, retried=tally.retried, failed=tally.failed),
            unit_totals={outcome.value: totals.get(outcome, 0) for outcome in Outcome},
            gaps=ledger.gaps(sweep),
            units=units,
            quarantined=[asdict(each) for each in aside],
            left_out=LeftOut(
                units=ledger.count_lacking(sweep) - len(units), quarantined=ledger.count_quarantined(sweep) - len(aside)
            ),
            accounts=self._accounts(),
            remarks=self.found.remarks,
            peak_rss_mb=peak_rss_mb() + self.others_mb,
        )

    def _accounts(self) -> list[AccountResult]:
        """The accounts swept, those whose credentials died on the way, and names that led to one of them or to none."""
        swept = [
            AccountResult(
                account=each.id,
                name=each.name,
                status="failed" if each.id in self.dead else "swept",
                error=self.dead.get(each.id),
            )
            for each in self.books.accounts
        ]
        lost = [AccountResult(account="", name=name, status="failed", error=why) for name, why in self.found.failed]
        again = [
            AccountResult(account=account, name=name, status="duplicate", error=None)
            for name, account in self.found.duplicates
        ]
        return swept + again + lost
