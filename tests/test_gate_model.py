"""Random estates, changes and failures over several sweeps: a completed scope is the estate's, any other as it was.

A case is a small estate and two to four sweeps, each after changes, with troubles, and over all or a part of the
accounts, regions and types; some are stopped on their way and resumed, or left. After each the nodes of every scope are
compared with the model. A calm whole sweep closes the case: its graph equals that of a first sweep of the same estate.
"""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import anyio
import pytest
import pytest_asyncio
from benchmarks.fakeaws import Estate, Server, serving
from benchmarks.fakeaws.estate import place_of
from benchmarks.fakeaws.faults import (
    Fault,
    Match,
    Plan,
    Seen,
    calm,
    denied,
    dropped,
    error500,
    repeated,
    scp,
    shortened,
    throttling,
    truncated,
    where,
)
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

import skysweep
from conftest import empty
from gates import AtCall, Scope, Scopes, assert_equal, model, scoped, settings, snapshot, swept
from graphs import Graph
from skysweep import catalogue
from skysweep.catalogue import Catalogue
from skysweep.outcomes import Tally
from skysweep.report import Report
from skysweep.store import Store, StoreSettings, open_store

ACCOUNTS = ("100000000000", "200000000000")
REGIONS = ("us-east-1", "eu-west-1")
PLACES = tuple((account, region) for account in ACCOUNTS for region in REGIONS)
PAGE = 2  # items: most listings have several pages
NUMBERS = 5  # items that a listing can have
THROTTLED = 2  # calls of a kind that are refused as too fast, before they are answered


@dataclasses.dataclass(frozen=True)
class World:
    """What a case is about: the labels selected for a whole sweep, and the listings that change."""

    labels: tuple[str, ...]
    listings: tuple[str, ...]


WORLDS = {
    "disks": World(
        ("EBSVolume", "EBSSnapshot"),
        ("ec2:DescribeVolumes", "ec2:DescribeSnapshots", "ec2:DescribeInstances", "kms:ListKeys"),
    ),
    "queues": World(
        ("SNSTopicSubscription", "SQSQueue", "DynamoDBTable"),
        ("sns:ListTopics", "sns:ListSubscriptions", "sqs:ListQueues", "dynamodb:ListTables", "kms:ListKeys"),
    ),
    "networks": World(
        ("EC2SecurityGroup", "AWSIpPermissionInbound", "EC2Subnet", "AWSIpv4CidrBlock"),
        ("ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs", "ec2:DescribeManagedPrefixLists"),
    ),
    "people": World(
        ("AWSInstanceProfile", "AWSRole", "AWSPolicyStatement"),
        ("iam:ListRoles", "iam:ListUsers", "iam:ListPolicies", "iam:ListPolicies/AWS", "iam:ListInstanceProfiles"),
    ),
    "buckets": World(("S3Bucket", "S3Acl", "S3PolicyStatement"), ("s3:ListBuckets", "sns:ListTopics", "kms:ListKeys")),
    "balancers": World(
        ("ELBV2TargetGroup", "ELBV2Listener"),
        (
            *("elbv2:DescribeLoadBalancers", "elbv2:DescribeTargetGroups", "ec2:DescribeInstances"),
            *("ec2:DescribeNetworkInterfaces", "lambda:ListFunctions"),
        ),
    ),
    "functions": World(
        ("AWSLambdaFunctionAlias", "AWSLambdaLayer", "AWSLambdaEventSourceMapping"),
        ("lambda:ListFunctions", "lambda:ListEventSourceMappings"),
    ),
    "templates": World(
        ("LaunchTemplateVersion", "AutoScalingGroup"),
        (
            *("ec2:DescribeLaunchTemplates", "autoscaling:DescribeLaunchConfigurations", "ec2:DescribeImages"),
            *("autoscaling:DescribeAutoScalingGroups", "ec2:DescribeInstances"),
        ),
    ),
    "routes": World(
        ("EC2Route", "AWSPeeringConnection"),
        (
            *("ec2:DescribeRouteTables", "ec2:DescribeInternetGateways", "ec2:DescribeNatGateways"),
            *("ec2:DescribeVpcPeeringConnections", "ec2:DescribeVpcs"),
        ),
    ),
}
CHILDREN = {"lambda:ListAliases": 3, "kms:ListGrants": 3, "elbv2:DescribeListeners": 3}
LASTING: Mapping[str, Callable[[Match], Plan]] = {
    each.__name__: each for each in (denied, scp, error500, truncated, shortened, dropped, repeated)
}
PHASES = ("sweeping", "linking", "cleaning up", "analysing", "reporting")


# Cases


@dataclasses.dataclass(frozen=True)
class Change:
    """An item that comes or goes."""

    place: tuple[str, str]
    listing: str
    number: int
    there: bool

    def __call__(self, estate: Estate) -> None:
        """Makes it so."""
        (estate.put if self.there else estate.remove)(*self.place, self.listing, self.number)


@dataclasses.dataclass(frozen=True)
class Trouble:
    """What goes wrong where: a fault of LASTING, or `throttled`. late: only after a listing's first page."""

    kind: str
    service: str
    operation: str | None
    account: str | None
    region: str | None
    late: bool

    def match(self, seen: Seen) -> bool:
        """Whether the request meets it."""
        met = where(account=self.account, region=self.region, service=self.service, operation=self.operation)
        return met(seen) and seen.operation not in OURS and (bool(seen.token) or not self.late)

    def plan(self) -> Plan:
        """What it does to requests."""
        if self.kind == "throttled":
            return throttling(1.0, seed=0, match=lambda seen: seen.nth <= THROTTLED and self.match(seen))
        return LASTING[self.kind](self.match)


OURS = frozenset({"AssumeRole", "GetCallerIdentity", "DescribeRegions"})  # without these there is no sweep


@dataclasses.dataclass(frozen=True)
class Stop:
    """Where a sweep is stopped: at its n-th call, or when a phase begins. resumed: and gone on with, after changes."""

    moment: int | str
    resumed: bool
    changes: tuple[Change, ...]
    healed: bool


@dataclasses.dataclass(frozen=True)
class Step:
    """One sweep: what changes before it, what goes wrong, what it is narrowed to, and whether it is stopped."""

    changes: tuple[Change, ...]
    troubles: tuple[Trouble, ...]
    labels: tuple[str, ...]
    regions: tuple[str, ...]
    without: str | None
    stop: Stop | None


@dataclasses.dataclass(frozen=True)
class Case:
    """An estate, by listing and place, and the sweeps that it sees."""

    world: str
    estate: tuple[tuple[tuple[str, str], str, tuple[int, ...]], ...]
    steps: tuple[Step, ...]


def few(strategy: st.SearchStrategy[Any], most: int) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(strategy, max_size=most).map(tuple)


def seldom(strategy: st.SearchStrategy[Any], of: int = 3) -> st.SearchStrategy[Any]:
    """One time in so many; else None."""
    return st.integers(1, of).flatmap(lambda drawn: strategy if drawn == of else st.none())


def changes_of(world: World) -> st.SearchStrategy[tuple[Change, ...]]:
    numbers = st.integers(0, NUMBERS - 1)
    return few(
        st.builds(Change, st.sampled_from(PLACES), st.sampled_from(world.listings), numbers, st.booleans()), most=8
    )


def troubles_of(world: World) -> st.SearchStrategy[tuple[Trouble, ...]]:
    calls = sorted({(call.service, call.operation) for call in catalogue.load(world.labels).feeding})
    one = st.sampled_from(calls).flatmap(
        lambda call: st.builds(
            Trouble,
            st.sampled_from(["throttled", *sorted(LASTING)]),
            st.just(call[0]),
            seldom(st.just(None), of=4).flatmap(lambda _: st.sampled_from([call[1], call[1], call[1], None])),
            st.sampled_from([*ACCOUNTS, None]),
            st.sampled_from([*REGIONS, None]),
            st.booleans(),
        )
    )
    return few(one, most=3)


def steps_of(world: World) -> st.SearchStrategy[Step]:
    some = st.lists(st.sampled_from(world.labels), min_size=1, max_size=2, unique=True).map(tuple)
    return st.builds(
        Step,
        changes=changes_of(world),
        troubles=troubles_of(world),
        labels=seldom(some, of=3).map(lambda drawn: drawn or world.labels),
        regions=seldom(st.sampled_from([(region,) for region in REGIONS]), of=4).map(lambda drawn: drawn or REGIONS),
        without=seldom(st.sampled_from(ACCOUNTS), of=5),
        stop=seldom(
            st.builds(
                Stop,
                st.integers(8, 60) | st.sampled_from(PHASES),
                st.booleans(),
                seldom(changes_of(world), of=2).map(lambda drawn: drawn or ()),
                st.booleans(),
            )
        ),
    )


@st.composite
def cases(draw: st.DrawFn) -> Case:
    name = draw(st.sampled_from(sorted(WORLDS)))
    world = WORLDS[name]
    numbers = st.frozensets(st.integers(0, NUMBERS - 1), max_size=NUMBERS).map(lambda held: tuple(sorted(held)))
    estate = tuple((place, listing, draw(numbers)) for place in PLACES for listing in world.listings)
    return Case(name, estate, tuple(draw(st.lists(steps_of(world), min_size=2, max_size=4))))


# What is expected


class Watch:
    """A plan of troubles that knows which calls it let fail for good: (account, place, service, operation)."""

    def __init__(self, troubles: Iterable[Trouble]) -> None:
        self.failed: set[tuple[str, str, str, str]] = set()
        self._plans = [(trouble.kind, trouble.plan()) for trouble in troubles]

    def __call__(self, seen: Seen) -> Fault | None:
        """The first trouble's fault."""
        for kind, plan in self._plans:
            fault = plan(seen)
            if fault is not None:
                if kind != "throttled":
                    place = place_of(seen.region, f"{seen.service}:{seen.operation}")
                    self.failed.add((seen.account, place, seen.service, seen.operation))
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


def expected(now: Sequence[Scopes], last: Scopes, swept: Collection[Scope], failed: Collection[Scope]) -> Expected:
    """What a sweep that came to its end leaves.

    now: the estates that it saw, one unless it changed on the way. swept: the scopes it went to; failed: those of them
    that some call of failed for good.
    """
    least, most = {}, {}
    for scope in {*last, *(scope for each in now for scope in each)}:
        old, seen = last.get(scope, set()), [each.get(scope, set()) for each in now]
        if scope not in swept:
            least[scope] = most[scope] = old
        elif scope in failed:
            least[scope], most[scope] = old, old.union(*seen)
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
    """The scopes whose nodes are made of calls that failed."""
    return {
        (account, place, type_.label)
        for account, place, service, operation in failed
        for type_ in types.types
        if any((call.service, call.operation) == (service, operation) for call in type_.made_of)
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
    last: Scopes = dataclasses.field(default_factory=dict)

    async def step(self, step: Step) -> None:
        """Sweeps as the step says, and compares."""
        estate, types = self.server.estate, catalogue.load(step.labels)
        _make(step.changes, estate)
        now, watch = [self._model()], Watch(step.troubles)
        phase, report = await self._sweep(step, watch, step.stop)
        failed = failing(types, watch.failed)
        if report is None and step.stop and step.stop.resumed:
            _make(step.stop.changes, estate)
            now.append(self._model())
            again = Watch(() if step.stop.healed else step.troubles)
            phase, report = await self._sweep(step, again, None, resume=True)
            failed |= failing(types, again.failed)
        elif report is not None:
            gaps = _gaps(report)
            assert gaps.keys() == watch.failed, f"reported: {gaps}; failed: {watch.failed - gaps.keys()}"
        where_to = scopes_of(types, step)
        found = await scoped(self.graph)
        if report is None:
            cleaned = phase in PHASES[PHASES.index("cleaning up") :]
            open_to = where_to - failed if cleaned else set()
            _stopped(now[0], self.last, where_to, open_to).check(found)
        else:
            expected(now, self.last, where_to, failed).check(found)
        check_holds(await snapshot(self.graph))
        self.last = found

    async def close(self) -> None:
        """A calm whole sweep: the graph is what a first sweep makes of the estate as it is."""
        whole = Step((), (), self.world.labels, REGIONS, None, None)
        _, report = await self._sweep(whole, Watch(()), None)
        assert report
        assert (report.status, report.units, report.quarantined) == ("complete", [], [])
        everything = self._model()
        Expected(everything, everything).check(await scoped(self.graph))
        last = await snapshot(self.graph)
        check_holds(last)
        await empty(self.graph)
        first = await swept(self.server, self.store, self.folder / "first", **_narrowed(whole))
        assert first.status == "complete"
        assert_equal(last, await snapshot(self.graph))

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

    def _model(self) -> Scopes:
        every = catalogue.load(self.world.labels).types
        return model(self.server.estate, Catalogue(tuple(type_ for type_ in every if not type_.shared)))


def _make(changes: Iterable[Change], estate: Estate) -> None:
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


def _gaps(report: Report) -> dict[tuple[str, str, str, str], str | None]:
    """The calls that the report says are missing, with their errors."""
    gaps = {}
    for unit in report.units:
        for each in (unit, *unit.details):
            if each.outcome not in {"complete", "absent"}:
                gaps[unit.account, unit.region, each.service, each.operation] = each.error
    return gaps


def check_holds(graph: Graph) -> None:
    """No edge lacks an end, and every node that an account owns is pointed at by that account, once, from its scope."""
    nodes, edges = graph
    wrong = [f"{edge} lacks an end" for edge in edges if edge[0] not in nodes or edge[2] not in nodes]
    held: dict[str, set[tuple[Any, Any]]] = {}
    for (start, kind, end), props in edges.items():
        if kind == "RESOURCE" and "AWSAccount" in nodes[start][0] and "_account" in nodes[end][1]:
            held.setdefault(end, set()).add((props["_account"], props["_region"]))
            if nodes[start][1]["id"] != props["_account"]:
                wrong.append(f"{start} holds {end} for {props['_account']}")
    unheld = owned_labels()
    for key, (labels, props) in nodes.items():
        if "_account" not in props or not unheld.intersection(labels):
            continue
        if held.get(key) != {(props["_account"], props["_region"])}:
            wrong.append(f"{key} of {props['_account']} {props['_region']} is held by {held.get(key)}")
    assert not wrong, "\n".join(wrong[:40])


def owned_labels() -> set[str]:
    """The labels whose nodes accounts point at."""
    return {type_.label for type_ in catalogue.load().types if type_.owned and not type_.extends}


@pytest_asyncio.fixture(scope="module")
async def graph(embedded: StoreSettings) -> AsyncIterator[Store]:
    async with open_store(embedded) as opened:
        yield opened


@pytest.mark.timeout(7200)
@profile(profile.get_profile("gate"))
@given(case=cases())
async def test_a_completed_scope_is_the_estate_and_any_other_its_last_state(
    graph: Store, embedded: StoreSettings, tmp_path_factory: pytest.TempPathFactory, case: Case
) -> None:
    sizes = {(*place, listing): numbers for place, listing, numbers in case.estate}
    estate = Estate(1, ACCOUNTS, REGIONS, children=CHILDREN)
    for (account, region, listing), numbers in sizes.items():
        estate.put(account, region, listing, *numbers)
    await empty(graph)
    async with serving(estate) as server:
        server.answers.most = PAGE
        run = Run(WORLDS[case.world], server, graph, embedded, tmp_path_factory.mktemp("model"))
        for step in case.steps:
            await run.step(step)
        await run.close()
