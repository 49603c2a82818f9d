"""Random estates, changes and failures over several sweeps: a completed scope is the estate's, any other as it was.

A case is a small estate and two to four sweeps, each after changes, with troubles, and over all or a part of the
accounts, regions and types; some are stopped on their way and resumed, or left. After each the nodes of every scope are
compared with the model. A calm whole sweep closes the case: its graph equals that of a first sweep of the same estate.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import anyio
import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import settings as profile

import skysweep
from benchmarks.fakeaws import Estate, Server, serving
from benchmarks.fakeaws.estate import place_of
from benchmarks.fakeaws.faults import (
    Fault,
    Seen,
    calm,
)
from benchmarks.stores import empty
from gates import AtCall, Scope, Scopes, assert_equal, model, scoped, settings, snapshot, swept
from graphs import Graph
from model_cases import (
    ACCOUNTS,
    CHILDREN,
    DENIALS,
    PAGE,
    PHASES,
    REGIONS,
    WHOLE,
    WORLDS,
    Case,
    Change,
    Share,
    Step,
    Stop,
    Trouble,
    World,
    cases,
)
from skysweep import catalogue
from skysweep.analysis.answers import ANONYMOUS, EXPOSED
from skysweep.catalogue import Catalogue
from skysweep.cypher import FOREIGN
from skysweep.outcomes import DetailFailure, Tally, UnitResult
from skysweep.report import Report
from skysweep.store import Store, StoreSettings, open_store

ANSWERS = frozenset((*EXPOSED, *ANONYMOUS))

# What is expected


class Watch:
    """A plan of troubles that knows which calls it let fail for good: (account, place, service, operation)."""

    def __init__(self, troubles: Iterable[Trouble]) -> None:
        self.failed: set[tuple[str, str, str, str]] = set()
        self.denied: set[tuple[str, str, str, str]] = set()
        self._plans = [(trouble.kind, trouble.plan()) for trouble in troubles]

    def __call__(self, seen: Seen) -> Fault | None:
        """The first trouble's fault."""
        for kind, plan in self._plans:
            fault = plan(seen)
            if fault is not None:
                if kind != "throttled":
                    place = place_of(seen.region, f"{seen.service}:{seen.operation}")
                    call = seen.account, place, seen.service, seen.operation
                    self.failed.add(call)
                    if kind in DENIALS:
                        self.denied.add(call)
                return fault
        return None


class Watched(Tally):
    """A tally that does something when a phase begins."""

    def __init__(self, phase: object, action: Callable[[], object]) -> None:
        self._when, self._action = phase, action
        super().__init__()

    def __setattr__(self, name: str, value: object) -> None:
        super().__setattr__(name, value)
        if name == "phase" and value == self._when:
            self._action()


@dataclasses.dataclass
class Expected:
    """What a sweep may leave of each scope: at least what is in `least`, at most what is in `most`."""

    least: Scopes
    most: Scopes

    def check(self, found: Scopes) -> None:
        """Says which scopes are otherwise."""
        wrong = []
        for scope in sorted({*found, *self.least, *self.most}):
            there, least, most = (each.get(scope, set()) for each in (found, self.least, self.most))
            if not least <= there <= most:
                wrong.append(f"{' '.join(scope)}: missing {sorted(least - there)}, too much {sorted(there - most)}")
        assert not wrong, "\n".join(wrong)


def expected(
    now: Sequence[Scopes],
    last: Scopes,
    swept: Collection[Scope],
    failed: Collection[Scope],
    tried_again: Collection[Scope] = (),
) -> Expected:
    """What a sweep that came to its end leaves.

    now: the estates that it saw, one unless it changed on the way. swept: the scopes it went to; failed: those of them
    that some call of failed for good; tried_again: those of which a call failed before the sweep was stopped, and that
    the resumed sweep may have done again.
    """
    least, most = {}, {}
    for scope in {*last, *(scope for each in now for scope in each)}:
        old, seen = last.get(scope, set()), [each.get(scope, set()) for each in now]
        if scope not in swept:
            least[scope] = most[scope] = old
        elif scope in failed:
            least[scope], most[scope] = old, old.union(*seen)
        elif scope in tried_again:
            least[scope], most[scope] = old.intersection(*seen), old.union(*seen)
        else:
            least[scope], most[scope] = set.intersection(*seen), set.union(*seen)
    return Expected(least, most)


def scopes_of(types: Catalogue, step: Step) -> set[Scope]:
    """The scopes that a step goes to."""
    return {
        (account, place, type_.label)
        for account in ACCOUNTS
        if account != step.without
        for type_ in types.types
        if not type_.shared
        for place in (step.regions if type_.source.call.per == "region" else ("global",))
    }


def failing(types: Catalogue, failed: Collection[tuple[str, str, str, str]]) -> set[Scope]:
    """The scopes whose nodes are made of calls that failed; what extends nodes tells more of them, and owns none."""
    return {
        (account, place, type_.label)
        for account, place, service, operation in failed
        for type_ in types.types
        if not type_.extends and any((call.service, call.operation) == (service, operation) for call in type_.made_of)
    }


# Running a case


@dataclasses.dataclass
class Run:
    """A case under way: the estate's server, the graph, and what was in it after the last sweep."""

    world: World
    server: Server
    graph: Store
    store: StoreSettings
    folder: Path
    told: Counter[str]
    last: Scopes = dataclasses.field(default_factory=dict)

    async def step(self, step: Step) -> None:
        """Sweeps as the step says, and compares."""
        estate, types = self.server.estate, catalogue.load(step.labels)
        _make(step.changes, estate)
        now, watch = [self._model()], Watch(step.troubles)
        phase, report = await self._sweep(step, watch, step.stop)
        failed, before = failing(types, watch.failed), set[Scope]()
        if report is None and step.stop and step.stop.resumed:
            _make(step.stop.changes, estate)
            now.append(self._model())
            again = Watch(() if step.stop.healed else step.troubles)
            stopped_in = phase
            phase, report = await self._sweep(step, again, None, resume=True)
            # What was denied is not tried again, once it is noted.
            stays = failing(types, watch.denied) if stopped_in != "sweeping" else set()
            failed, before = failing(types, again.failed) | stays, failed
        elif report is not None:
            gaps = _gaps(report)
            assert gaps.keys() == watch.failed, f"reported: {gaps}; failed: {watch.failed - gaps.keys()}"
        where_to = scopes_of(types, step)
        found = await self._owned()
        if report is None:
            cleaned = phase in PHASES[PHASES.index("cleaning up") :]
            open_to = where_to - failed if cleaned else set()
            _stopped(now[0], self.last, where_to, open_to).check(found)
        else:
            assert not report.quarantined, report.quarantined
            expected(now, self.last, where_to, failed, before - failed).check(found)
        check_holds(await snapshot(self.graph))
        self.told += Counter(
            {
                "sweeps": 1,
                "sweeps stopped": phase != "reporting" or len(now) > 1,
                "sweeps resumed": len(now) > 1,
                "sweeps of a part": where_to != scopes_of(catalogue.load(self.world.labels), WHOLE),
                "calls failed for good": len(watch.failed),
                "scopes whole": len(where_to - failed) if report else 0,
                "scopes failed": len(where_to & failed) if report else 0,
            }
        )
        self.last = found

    async def close(self) -> None:
        """A calm whole sweep: the graph is what a first sweep makes of the estate as it is."""
        whole = dataclasses.replace(WHOLE, labels=self.world.labels)
        _, report = await self._sweep(whole, Watch(()), None)
        assert report
        assert not _gaps(report), f"calm, and reported: {_gaps(report)}"
        assert (report.status, report.quarantined) == ("complete", [])
        everything = self._model()
        Expected(everything, everything).check(await scoped(self.graph))  # and nothing whose owner is not known
        last = await snapshot(self.graph)
        check_holds(last)
        await empty(self.graph)
        first = await swept(self.server, self.store, self.folder / "first", **_narrowed(whole))
        assert first.status == "complete"
        anew = await snapshot(self.graph)
        assert_equal(_without_memory(last, anew), anew)

    async def _sweep(
        self, step: Step, watch: Watch, stop: Stop | None, *, resume: bool = False
    ) -> tuple[str, Report | None]:
        """The phase in which a sweep ended, and its report; none where it was stopped."""
        report, moment = None, stop.moment if stop else None
        self.server.reset()
        with anyio.CancelScope() as scope:
            tally = Watched(moment, scope.cancel)
            self.server.faults = AtCall(moment, scope.cancel, watch) if isinstance(moment, int) else watch
            made = settings(self.server, self.store, self.folder / "state", **_narrowed(step), resume=resume)
            report = await skysweep.sweep(made, tally=tally)
        self.server.faults = calm
        return tally.phase, report

    async def _owned(self) -> Scopes:
        """What is in the graph by the scopes that own it; what is shared by an account not yet swept has no owner."""
        return {scope: ids for scope, ids in (await scoped(self.graph)).items() if scope[0] in ACCOUNTS}

    def _model(self) -> Scopes:
        every = catalogue.load(self.world.labels).types
        return model(self.server.estate, Catalogue(tuple(type_ for type_ in every if not type_.shared)))


def _make(changes: Iterable[Change | Share], estate: Estate) -> None:
    for change in changes:
        change(estate)


def _narrowed(step: Step) -> dict[str, Any]:
    without = frozenset({step.without} if step.without else ())
    # One attempt: what fails fails at once.
    return {"syncs": step.labels, "regions": step.regions, "exclude_accounts": without, "max_attempts": 1}


def _stopped(now: Scopes, last: Scopes, swept_to: Collection[Scope], cleaned: Collection[Scope]) -> Expected:
    """What a sweep leaves that is stopped half way, and perhaps had begun to clean these scopes."""
    least, most = dict(last), dict(last)
    for scope in swept_to:
        old, new = last.get(scope, set()), now.get(scope, set())
        least[scope], most[scope] = old & new if scope in cleaned else old, old | new
    return Expected(least, most)


def _without_memory(last: Graph, first: Graph) -> Graph:
    """The graph without answers that a first sweep cannot give: where what decides is not known, the last one stays."""
    nodes, edges = last
    unknown = {key: ANSWERS - first[0][key][1].keys() for key in nodes.keys() & first[0].keys()}
    kept = {
        key: (labels, {name: props[name] for name in props.keys() - unknown.get(key, set())})
        for key, (labels, props) in nodes.items()
    }
    return kept, edges


def _gaps(report: Report) -> dict[tuple[str, str, str, str], str | None]:
    """The calls that the report says are missing, with their errors."""
    gaps = {}
    for unit in report.units:
        calls: list[UnitResult | DetailFailure] = [unit, *unit.details]
        for each in calls:
            if each.outcome not in {"complete", "absent"}:
                gaps[unit.account, unit.region, each.service, each.operation] = each.error
    return gaps


def check_holds(graph: Graph) -> None:
    """No edge lacks an end; every owned node is pointed at by its account, from its scope; and by others if shared."""
    nodes, edges = graph
    wrong = [f"{edge} lacks an end" for edge in edges if edge[0] not in nodes or edge[2] not in nodes]
    held: dict[str, set[tuple[Any, Any]]] = {}
    for (start, kind, end), props in edges.items():
        if kind == "RESOURCE" and "AWSAccount" in nodes[start][0] and "_account" in nodes[end][1]:
            held.setdefault(end, set()).add((props["_account"], props["_region"]))
            if nodes[start][1]["id"] != props["_account"]:
                wrong.append(f"{start} holds {end} for {props['_account']}")
    types = [type_ for type_ in catalogue.load().types if type_.owned and not type_.extends]
    owned, shareable = {type_.label for type_ in types}, {type_.label for type_ in types if type_.owner}
    for key, (labels, props) in nodes.items():
        if "_account" in props and owned.intersection(labels):
            own, by = (props["_account"], props["_region"]), held.get(key, set())
            right = own in by or (own[0] == FOREIGN and by) if shareable.intersection(labels) else by == {own}
            if not right:
                wrong.append(f"{key} of {' '.join(own)} is held by {by}")
    assert not wrong, "\n".join(wrong[:40])


@pytest_asyncio.fixture(scope="module")
async def graph(embedded: StoreSettings) -> AsyncIterator[Store]:
    # Hundreds of sweeps full of errors would wait most of the time.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("skysweep.retry.BACKOFF_CAP", 0.05)
        async with open_store(embedded) as opened:
            yield opened


@pytest.fixture(scope="module")
def told() -> Iterator[Counter[str]]:
    """What the cases were made of, printed for the soak's report."""
    counted: Counter[str] = Counter()
    yield counted
    print("\n" + ", ".join(f"{number} {name}" for name, number in counted.items()))  # noqa: T201


@pytest.mark.timeout(7200)
@profile(profile.get_profile("gate"))
@given(case=cases())
async def test_a_completed_scope_is_the_estate_and_any_other_its_last_state(
    graph: Store, embedded: StoreSettings, tmp_path_factory: pytest.TempPathFactory, told: Counter[str], case: Case
) -> None:
    await play(graph, embedded, tmp_path_factory.mktemp("model"), told, case)


async def play(graph: Store, store: StoreSettings, folder: Path, told: Counter[str], case: Case) -> None:
    """Runs a case from its beginning, in an empty graph."""
    sizes = {(*place, listing): numbers for place, listing, numbers in case.estate}
    estate = Estate(1, ACCOUNTS, REGIONS, children=CHILDREN)
    for (account, region, listing), numbers in sizes.items():
        estate.put(account, region, listing, *numbers)
    await empty(graph)
    async with serving(estate) as server:
        server.answers.most = PAGE
        run = Run(WORLDS[case.world], server, graph, store, folder, told)
        for step in case.steps:
            await run.step(step)
        await run.close()
    told["cases"] += 1
