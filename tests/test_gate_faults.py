"""Whatever a service answers, or does not: its scopes stay as they were, all else is swept, and the report says so."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from yarl import URL

from benchmarks.fakeaws import Estate, Server, serving
from benchmarks.fakeaws.faults import (
    Match,
    Plan,
    Seen,
    before,
    calm,
    denied,
    endless,
    error500,
    first_of,
    scp,
    shortened,
    throttling,
    timeout,
    truncated,
    where,
)
from benchmarks.fakeaws.identity import account_of
from benchmarks.stores import empty
from gates import (
    Links,
    Scopes,
    assert_equal,
    assert_links,
    assert_scopes,
    declared,
    linked,
    model,
    owning,
    scoped,
    snapshot,
    struck,
    swept,
)
from graphs import Graph
from skysweep.ledger import Ledger
from skysweep.outcomes import Outcome, UnitResult
from skysweep.plan import GLOBAL
from skysweep.report import ExitCode, Report
from skysweep.settings import RATE_SHARE
from skysweep.store import Store, StoreSettings, open_store
from skysweep.syncs import syncs
from skysweep.transport import Pool, aim

pytestmark = [pytest.mark.timeout(1800)]

HUB, MEMBER = "100000000000", "200000000000"
VIRGINIA, IRELAND, OREGON = "us-east-1", "eu-west-1", "us-west-2"
SYNCS = ("dynamodb", "kms", "lambda_function", "rds", "sns", "sqs")
BEFORE, AFTER = (0, 1, 2), (0, 2, 5)
DEADLINE = 15.0
LATE = 3.0  # how much later than its deadline a unit of a busy machine may say that it has ended
MOST_CALLS = 2.2  # times those of a calm sweep
SHORT = {"unit_deadline": DEADLINE, "read_timeout": 3, "connect_timeout": 3, "syncs": SYNCS}


End = tuple[Outcome, frozenset[str]]  # of a unit, and of those of its details that were not answered


@dataclass(frozen=True)
class Spot:
    """A fault and where it strikes; refused: connections to there are refused, which no plan can do."""

    name: str
    where: dict[str, Any]
    fault: Callable[[Match], Plan]
    outcome: Outcome = Outcome.FAILED
    refused: bool = False

    @property
    def match(self) -> Match:
        return where(**self.where)


def nothing(_: Match) -> Plan:
    return calm


def spot(name: str, fault: Callable[[Match], Plan], account: str, region: str, service: str, **more: Any) -> Spot:
    place = {"account": account, "region": region, "service": service, **more}
    outcome = Outcome.DENIED if fault in {denied, scp} else Outcome.FAILED
    return Spot(name, place, fault, outcome)


SPOTS = (
    spot("AccessDenied", denied, HUB, VIRGINIA, "lambda"),
    spot("a service control policy", scp, HUB, IRELAND, "sqs"),
    spot("a timeout", timeout, MEMBER, VIRGINIA, "sns"),
    spot("a 500", error500, MEMBER, IRELAND, "rds"),
    spot("a truncated body", truncated, HUB, VIRGINIA, "kms"),
    spot("half a body", shortened, MEMBER, VIRGINIA, "dynamodb"),
    spot("an endless token", endless, HUB, IRELAND, "dynamodb", operation="ListTables"),
    spot("a detail denied", denied, MEMBER, IRELAND, "sqs", operation="GetQueueAttributes"),
    spot("a detail that only tells more", error500, MEMBER, IRELAND, "kms", operation="GetKeyPolicy"),
    Spot("a region that refuses", {"account": HUB, "region": OREGON}, nothing, refused=True),
    Spot("a region that never answers", {"account": MEMBER, "region": OREGON}, timeout),
)


def estate() -> Estate:
    made = Estate(seed=4, accounts=(HUB, MEMBER), regions=(VIRGINIA, IRELAND, OREGON))
    change(made, BEFORE)
    return made


def change(made: Estate, numbers: Sequence[int]) -> None:
    """Everywhere, these items are all there is."""
    listings = {str(call) for call in declared(*SYNCS).calls} | {"iam:ListUsers", "iam:ListGroups", "iam:ListPolicies"}
    for account in made.accounts:
        for region in made.regions:
            for listing in listings:
                made.remove(account, region, listing, *made.items(account, region, listing))
                made.put(account, region, listing, *numbers)


@contextmanager
def refusing(match: Match) -> Iterator[None]:
    """Calls that match meet a closed port."""
    through = Pool.request

    async def request(pool: Pool, method: str, *, url: URL, **arguments: Any) -> aiohttp.ClientResponse:
        there = account_of(aim().credentials.access_key, HUB), aim().region
        if match(Seen(0, "", *there, "", "")):
            url = url.with_port(closed.getsockname()[1])
        return await through(pool, method, url=url, **arguments)

    with socket.socket() as closed, pytest.MonkeyPatch.context() as patch:
        closed.bind(("127.0.0.1", 0))  # and does not listen
        patch.setattr(Pool, "request", request)
        yield


@dataclass
class State:
    """A graph in all the ways in which it is compared."""

    graph: Graph
    scopes: Scopes
    links: Links


async def state(store: Store) -> State:
    return State(await snapshot(store), await scoped(store), await linked(store))


async def test_each_fault_costs_its_own_scope_alone(
    embedded: StoreSettings, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    async with open_store(embedded) as store, serving(estate()) as server:
        await empty(store)
        before = await whole(server, embedded, store, tmp_path, BEFORE)
        after = await whole(server, embedded, store, tmp_path, AFTER)
        for spots in (SPOTS, *((each,) for each in SPOTS if pytestconfig.option.soak)):
            again = await whole(server, embedded, store, tmp_path, BEFORE)
            assert_equal(again.graph, before.graph)
            change(server.estate, AFTER)
            with ExitStack() as stack:
                for each in spots:
                    if each.refused:
                        stack.enter_context(refusing(each.match))
                server.faults = first_of(*(each.fault(each.match) for each in spots))
                report = await swept(server, embedded, tmp_path, **SHORT)
            server.faults = calm
            assert_reported(report, spots)
            assert_in_time(report, tmp_path)
            assert_kept(server.estate, spots, await state(store), before=before, after=after)
            await assert_freshness(store, report, server.estate, spots)


async def whole(server: Server, settings: StoreSettings, store: Store, folder: Path, numbers: Sequence[int]) -> State:
    """The graph after an undisturbed sweep of the estate with these items: what the model says."""
    change(server.estate, numbers)
    report = await swept(server, settings, folder, syncs=SYNCS)
    assert (report.status, report.units) == ("complete", [])
    found = await state(store)
    assert_scopes(found.scopes, model(server.estate, owning(*SYNCS)), {})
    return found


def assert_reported(report: Report, spots: Sequence[Spot]) -> None:
    """Exactly the units that a fault strikes are named, with what became of them."""
    assert (report.status, report.exit_code, report.quarantined) == ("incomplete", ExitCode.INCOMPLETE, [])
    assert not report.failed_accounts
    wanted = {unit: end for each in spots for unit, end in missing(each).items()}
    found = {(unit.account, unit.region, unit.service, unit.operation): ended(unit) for unit in report.units}
    assert found == wanted, "\n".join(
        f"{key}: {found.get(key)} is reported, {wanted.get(key)} is true"
        for key in sorted(found.keys() | wanted.keys())
        if found.get(key) != wanted.get(key)
    )
    assert all(unit.error or unit.details for unit in report.units)


def ended(unit: UnitResult) -> End:
    if unit.outcome is not Outcome.COMPLETE:  # its details may have ended with it
        return unit.outcome, frozenset()
    return unit.outcome, frozenset(f"{failure.operation} {failure.outcome}" for failure in unit.details)


def missing(each: Spot) -> dict[tuple[str, str, str, str], End]:
    """The units that a fault keeps from being whole: what became of each, and of which of its details."""
    account, region = each.where["account"], each.where["region"]
    found: dict[tuple[str, str, str, str], End] = {}
    for call in declared(*SYNCS).feeding:
        if call.root.per != "region" or not each.match(Seen(0, "", account, region, call.service, call.operation)):
            continue
        unit = (account, region, call.root.service, call.root.operation)
        if call.on is None:
            found[unit] = (each.outcome, frozenset())
        elif unit not in found:
            found[unit] = (Outcome.COMPLETE, frozenset({f"{call.operation} {each.outcome}"}))
    return found


def assert_in_time(report: Report, folder: Path) -> None:
    with Ledger(folder) as ledger:
        longest = max(ledger.units(report.sweep), key=lambda unit: unit.seconds)
    print(f"{len(report.units)} units named; the longest took {longest.seconds:.1f} of {DEADLINE:.0f} s")  # noqa: T201 - quoted by the soak
    assert longest.seconds <= DEADLINE + LATE, f"beyond its deadline: {longest}"


def assert_kept(made: Estate, spots: Sequence[Spot], found: State, *, before: State, after: State) -> None:
    """Scopes that a fault strikes have their last state, all else is as an undisturbed sweep leaves it."""
    failed = {scope for each in spots for scope in struck(made, each.match, syncs=SYNCS)}
    told = {scope for each in spots for scope in struck(made, each.match, syncs=SYNCS, told=True)}
    whole = [each for each in spots if "operation" not in each.where]
    silent = {scope for each in whole for scope in struck(made, each.match, syncs=SYNCS)}
    assert_scopes(found.scopes, after.scopes, before.scopes, failed, silent=silent)
    assert_links(found.links, after.links, before.links, failed, told)


async def assert_freshness(store: Store, report: Report, made: Estate, spots: Sequence[Spot]) -> None:
    """The graph's own word on which syncs this sweep has completed."""
    rows = await store.run(
        "MATCH (n:ModuleSyncMetadata) WHERE n.lastupdated = $tag AND n.region <> $region "
        "RETURN n.groupid AS account, n.region AS region, n.syncedtype AS sync",
        tag=report.update_tag,
        region=GLOBAL,
    )
    told = {scope for each in spots for scope in struck(made, each.match, syncs=SYNCS, told=True)}
    wanted = {
        (account, region, sync)
        for account in made.accounts
        for region in made.regions
        for sync in SYNCS
        if not told & {(account, region, label) for label in syncs()[sync]}
    }
    assert {(row["account"], row["region"], row["sync"]) for row in rows if row["sync"] in SYNCS} == wanted


async def test_a_time_of_throttles_costs_no_unit_and_few_calls(
    embedded: StoreSettings, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    """Half of the replies are refusals, until twice as many requests have come as a calm sweep sends."""
    share = RATE_SHARE if pytestconfig.option.soak else 0.0
    async with open_store(embedded) as store, serving(estate()) as server:
        await empty(store)
        undisturbed = await whole(server, embedded, store, tmp_path, BEFORE)
        calm_calls = server.calls.total()
        await empty(store)
        server.reset()
        server.faults = throttling(0.5, seed=6, match=before(2 * calm_calls))
        report = await swept(server, embedded, tmp_path, syncs=SYNCS, rate_share=share)
        calls = server.calls.total()
        print(f"{calm_calls} calls calmly, {calls} with {report.calls['throttled']} throttles, {report.seconds:.0f} s")  # noqa: T201 - quoted by the soak
        assert (report.status, report.units) == ("complete", [])
        assert_equal(await snapshot(store), undisturbed.graph)
        assert report.calls["throttled"] >= 0.4 * calm_calls
        assert calls <= MOST_CALLS * calm_calls
