"""One sweep: settings → targets → plan → calls → records → [bounded streams] → writer → cleanup → analysis → report.

Workers take units from the plan and walk them; rows go to the writers as they come; a unit is noted as done once its
rows are committed. When all nodes are in, the links are written, then what licensed scopes no longer saw is removed,
then the analysis says what it means.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

import anyio

from skysweep import catalogue, cypher, plan
from skysweep.analysis import derive, expose
from skysweep.calls import Walk
from skysweep.catalogue import Catalogue, Type
from skysweep.cleanup import Deleted, Licence, clean
from skysweep.clients import Clients
from skysweep.errors import BadSettings, CallFailed
from skysweep.ledger import Ledger
from skysweep.limits import Limits
from skysweep.model import Call, Record
from skysweep.outcomes import Outcome, Tally, UnitResult
from skysweep.paging import pages
from skysweep.plan import Account, Target, Unit
from skysweep.records import Maker, Unfit
from skysweep.report import AccountResult, Calls, Change, Report, peak_rss_mb
from skysweep.settings import Settings
from skysweep.store import Store, open_store
from skysweep.targets import Found, find_accounts
from skysweep.writer import Batch, Quarantined, Writer, shown

ROWS = 1_000  # rows of one type that a unit gathers before it hands them over
NOTED = 64  # finished units that one ledger transaction notes


async def sweep(settings: Settings, *, tally: Tally | None = None) -> Report:
    """Sweeps what `settings` reach into their graph, and tells what was covered.

    `tally` is counted up as it goes, for whoever shows progress. Raises Unusable where it cannot start; whatever fails
    later is in the report.
    """
    tally = tally or Tally()
    whole = catalogue.load(settings.syncs)
    async with Clients(settings.aws, tally) as clients:
        found = await find_accounts(settings.aws, clients)
        async with open_store(settings.store) as store:
            with Ledger(settings.state) as ledger, ledger.alone():
                return await _Sweep(settings, whole, found, clients, store, ledger, tally).run()


@dataclass(eq=False)
class _Sweep:
    """What the steps of one sweep share."""

    settings: Settings
    catalogue: Catalogue
    found: Found
    clients: Clients
    store: Store
    ledger: Ledger
    tally: Tally
    tag: int = 0
    id: str = ""
    gaps: list[UnitResult] = field(default_factory=list)
    dead: dict[str, str] = field(default_factory=dict)  # account -> why its credentials are gone
    noted: list[tuple[UnitResult, str]] = field(default_factory=list)
    unfit: list[Quarantined] = field(default_factory=list)

    async def run(self) -> Report:
        started, aws = time.time(), self.settings.aws
        accounts = [each for each in self.found.accounts if each.id not in self.settings.exclude_accounts]
        if not accounts:
            raise BadSettings("--exclude-accounts leaves no account to sweep: leave one out of it")
        self.licence = Licence(accounts)
        self.makers = {type_: Maker(type_) for type_ in self.catalogue.types}
        self.limits = Limits(aws.rate_share, adaptive=aws.retry_mode == "adaptive")
        await self.store.prepare(cypher.node_types(self.catalogue), cypher.edge_types(self.catalogue))
        self.tag = await _next_tag(self.store, self.settings.update_tag)
        self.id = f"{datetime.fromtimestamp(started, UTC):%Y%m%dT%H%M%SZ}-{self.tag}"
        self.ledger.begin(self.id, self.tag, started)
        try:
            with Writer(self.store, self.ledger, self.tag, self.tally) as self.writer:
                await self._collect(accounts)
                deleted = await self._settle(accounts)
                report = await self._report(deleted)
        except BaseException as error:
            interrupted = isinstance(error, anyio.get_cancelled_exc_class() | KeyboardInterrupt)
            self.ledger.finish(self.id, "interrupted" if interrupted else "failed", None)
            raise
        self.ledger.finish(self.id, report.status, report.to_dict())
        return report

    async def _collect(self, accounts: list[Account]) -> None:
        """Workers walk units, writers commit what they find; ends when the plan is done and the streams are empty."""
        self.tally.phase = "sweeping"
        self.tally.accounts = len(accounts)
        self.left = Counter(unit.target.account for unit in plan.units(accounts, self.catalogue.calls))
        self.tally.units = self.left.total()
        units = plan.units(accounts, self.catalogue.calls)
        await self.writer.accounts([_account_row(each) for each in accounts])
        async with anyio.create_task_group() as writing:
            writing.start_soon(self.writer.run)
            async with anyio.create_task_group() as walking:
                for _ in range(min(2 * self.settings.concurrency, max(1, self.tally.units))):
                    walking.start_soon(self._work, units)
            self.writer.close()
        await self._note()

    async def _work(self, units: Iterator[Unit]) -> None:
        for unit in units:  # shared by the workers: each takes the next one
            outbox = _Outbox(self, unit)
            name = f"{unit} {unit.call.literal}".removesuffix(" {}")
            self.tally.running[name] = time.monotonic()
            await self._unit(unit, outbox)
            del self.tally.running[name]
            if len(self.noted) >= NOTED:
                await self._note()

    async def _unit(self, unit: Unit, outbox: _Outbox) -> None:
        started, mine = time.monotonic(), Tally()
        target, call = unit.target, unit.call
        walk = Walk(unit, self.catalogue.branches[call], self._asker(started, mine), outbox.emit, outbox.unfit)
        outcome, error = Outcome.FAILED, self.dead.get(target.account)
        if error is None:
            try:
                outcome, error = await walk.run()
            except CallFailed as dead:
                outcome, error = Outcome.FAILED, str(dead)
                self.dead[target.account] = error
        result = UnitResult(
            *(target.account, target.region, call.service, call.operation, outcome),
            *(walk.records, mine.calls, time.monotonic() - started, error, walk.details),
        )
        if outcome is not Outcome.COMPLETE:
            self.licence.withhold(self.catalogue.branches[call].types, target.account, target.region)
        for failed in walk.failed_calls:
            self.licence.withhold(self.catalogue.feeding[failed], target.account, target.region)
        await outbox.close(result)

    def _asker(self, started: float, mine: Tally) -> Any:
        """`calls.Ask` for one unit: its own tally, added to the sweep's as pages come, and its deadline."""
        deadline = started + self.settings.unit_deadline

        async def ask(
            target: Target, call: Call, inputs: Mapping[str, Any], region: str | None
        ) -> AsyncIterator[Mapping[str, Any]]:
            asked = Tally()
            try:
                async for page in pages(
                    self.clients, self.limits, target, call, inputs, deadline=deadline, tally=asked, region=region
                ):
                    yield page
            finally:
                for each in (mine, self.tally):
                    each.calls += asked.calls
                    each.throttled += asked.throttled
                    each.retried += asked.retried
                    each.failed += asked.failed

        return ask

    def finished(self, unit: Unit, result: UnitResult) -> None:
        """A unit has ended and its rows are committed."""
        self.noted.append((result, unit.call.literal))
        self.tally.units_done += 1
        self.tally.outcomes[result.outcome] += 1
        self.left[result.account] -= 1
        self.tally.accounts_done += not self.left[result.account]
        if result.missing:
            self.gaps.append(result)

    async def _note(self) -> None:
        noted, self.noted = self.noted, []
        await anyio.to_thread.run_sync(self.ledger.record, self.id, noted)

    async def _settle(self, accounts: list[Account]) -> Deleted:
        """All nodes are in: the links, the cleanup, the analysis."""
        self.tally.phase = "linking"
        await self.writer.links(self.catalogue)
        self._withhold_quarantined()
        self.tally.phase = "cleaning up"
        deleted = await clean(self.store, self.catalogue, self.licence, self.tag)
        self.ledger.empty_spool()
        self.tally.phase = "analysing"
        seen = [each.id for each in accounts if each.id not in self.dead]
        await derive(self.store.run, self.tag, seen)
        await expose(self.store.run, self.tag, seen)
        return deleted

    def _withhold_quarantined(self) -> None:
        """A row that did not go in was seen all the same: its scope must not be cleaned of it."""
        by_name = {type_.name: type_ for type_ in self.catalogue.types}
        for each in (*self.unfit, *self.writer.quarantined):
            self.licence.withhold([by_name[each.type]], each.account, each.region)

    async def _report(self, deleted: Deleted) -> Report:
        self.tally.phase = "reporting"
        nodes, edges = {}, {}
        for label in sorted(self.catalogue.by_label):
            seen = await self.store.run(cypher.seen_nodes(label), tag=self.tag)
            nodes[label] = Change(written=seen[0]["seen"], deleted=deleted.nodes[label])
        for kind in cypher.edge_types(self.catalogue):
            seen = await self.store.run(cypher.seen_edges(kind), tag=self.tag)
            edges[kind] = Change(written=seen[0]["seen"], deleted=deleted.edges[kind])
        report = Report(
            sweep=self.id,
            update_tag=self.tag,
            seconds=time.monotonic() - self.tally.started,
            targets=sum(len(account.regions) for account in self.licence.accounts),
            calls=Calls(
                total=self.tally.calls,
                throttled=self.tally.throttled,
                retried=self.tally.retried,
                failed=self.tally.failed,
            ),
            nodes={label: change for label, change in nodes.items() if any(change.values())},
            edges={kind: change for kind, change in edges.items() if any(change.values())},
            unit_totals={outcome.value: self.tally.outcomes[outcome] for outcome in Outcome},
            units=sorted(
                self.gaps, key=lambda unit: (unit.account, unit.region, unit.service, unit.operation, str(unit.error))
            ),
            quarantined=sorted((asdict(each) for each in (*self.unfit, *self.writer.quarantined)), key=str),
            accounts=self._accounts(),
            peak_rss_mb=peak_rss_mb(),
        )
        lost = self.left.total()  # units that were planned and never finished: none, or a fault of ours
        report.status = "incomplete" if report.gaps or lost else "complete"
        return report

    def _accounts(self) -> list[AccountResult]:
        """The accounts swept, those whose credentials died on the way, and the names that led to none."""
        swept = [
            AccountResult(
                account=each.id,
                name=each.name,
                status="failed" if each.id in self.dead else "swept",
                error=self.dead.get(each.id),
            )
            for each in self.licence.accounts
        ]
        lost = [AccountResult(account="", name=name, status="failed", error=why) for name, why in self.found.failed]
        return swept + lost


class _Outbox:
    """The rows of one unit on their way to the writers; the unit is finished when the last of them is committed."""

    def __init__(self, sweep: _Sweep, unit: Unit) -> None:
        self._sweep = sweep
        self._unit = unit
        self._open: dict[tuple[Type, str], Batch] = {}
        self._pending = 0
        self._result: UnitResult | None = None

    async def emit(self, type_: Type, record: Record) -> None:
        """Takes one record; hands a full batch over."""
        maker = self._sweep.makers[type_]
        try:
            row = maker.row(record)
            links = list(maker.links(record, row["id"]))
        except Unfit as error:
            self.unfit(type_, record, error)
            return
        owner = row.pop("owner", "")
        batch = self._open.get((type_, owner))
        if batch is None:
            where = self._unit.target.account, self._unit.target.region
            batch = self._open[type_, owner] = Batch(type_, *where, done=self._done, owner=owner)
        batch.rows.append(row)
        batch.links += links
        if len(batch.rows) >= ROWS:
            await self._hand_over(type_, owner)

    def unfit(self, type_: Type, record: Record, error: Exception) -> None:
        """Puts a record aside that cannot become a row."""
        target = self._unit.target
        what = Quarantined(type_.name, shown(record), target.account, target.region, shown(error))
        self._sweep.unfit.append(what)

    async def close(self, result: UnitResult) -> None:
        """No more records will come."""
        for type_, owner in list(self._open):
            await self._hand_over(type_, owner)
        self._result = result
        self._finish()

    async def _hand_over(self, type_: Type, owner: str) -> None:
        batch = self._open.pop((type_, owner))
        self._pending += 1
        await self._sweep.writer.send(batch)

    def _done(self) -> None:
        self._pending -= 1
        self._finish()

    def _finish(self) -> None:
        if self._result is not None and not self._pending:
            self._sweep.finished(self._unit, self._result)


async def _next_tag(store: Store, wanted: int | None) -> int:
    """The sweep's update tag: the one wanted or the clock's, and always above the last one in the store."""
    rows = await store.run(cypher.LAST_TAG)
    last = rows[0]["tag"] if rows else 0
    if wanted is not None and wanted <= last:
        raise BadSettings(f"--update-tag: {wanted} is not above {last}, the last sweep's in this graph; leave it out")
    tag = wanted or max(int(time.time()), last + 1)
    await store.run(cypher.TAKE_TAG, tag=tag)
    return tag


def _account_row(account: Account) -> dict[str, Any]:
    props = {"id": account.id, "inscope": True, "foreign": False}
    return {"id": account.id, "props": props | ({"name": account.name} if account.name else {})}
