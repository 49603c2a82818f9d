"""A poisoned record costs itself alone: it is put aside and pointed at, keeps its last state, and all else goes in."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import anyio
import pytest
from jsonschema import Draft202012Validator

from benchmarks.bolt import bolt_proxy
from benchmarks.fakeaws import Estate, Server, serving
from benchmarks.fakeaws.answers import Answers
from benchmarks.fakeaws.bodies import JsonTree, Listing, protocol
from benchmarks.fakeaws.estate import ONCE, WEIGHTS
from benchmarks.fakeaws.faults import Change, Seen, calm
from benchmarks.fakeaws.models import operation
from benchmarks.fakeaws.poison import KINDS, Poisoned, poisoned
from benchmarks.stores import empty
from conftest import neo4j_settings
from gates import (
    Links,
    Scopes,
    assert_links,
    assert_quarantined,
    assert_scopes,
    behind,
    declared,
    environ,
    linked,
    model,
    published,
    scoped,
    swept,
    sync,
)
from skysweep import calls, paths, regions
from skysweep.model import Context
from skysweep.plan import GLOBAL
from skysweep.report import SHOWN_GAPS, ExitCode
from skysweep.store import Store, StoreSettings, open_store

pytestmark = [pytest.mark.timeout(5400)]

SCHEMA = json.loads((Path(__file__).parent.parent / "docs" / "report.schema.json").read_text(encoding="utf-8"))
ACCOUNTS, REGIONS = ("100000000000", "200000000000"), ("us-east-1", "eu-west-1")
EACH = 4  # items of each listing
MANY = {"kms:ListAliases": 100, "lambda:ListEventSourceMappings": 100, "route53:ListHostedZones": 40}
PROTOCOLS = {"ec2", "query", "json", "rest-json", "rest-xml"}


@dataclass(frozen=True)
class Size:
    """The estate, one in how many records is poisoned, by which seeds in the two sweeps, and how many at least."""

    estate: Callable[[], Estate]
    one_in: int
    seeds: tuple[int, int]
    least: int


def small() -> Estate:
    """Some of everything everywhere; much of what is listed in the protocols that few services speak."""
    made = Estate(seed=11, accounts=ACCOUNTS, regions=REGIONS)
    for account in ACCOUNTS:
        for region in REGIONS:
            for listing in WEIGHTS:
                made.put(account, region, listing, *range(EACH))
            for listing in ONCE:
                made.put(account, region, listing, 0)
    for listing, number in MANY.items():
        made.put(ACCOUNTS[1], REGIONS[1], listing, *range(number))
    return made


SMALL = Size(small, one_in=100, seeds=(76, 78), least=6)
LARGE = Size(lambda: Estate.random(11, accounts=6, regions=3, resources=20_000), one_in=1_000, seeds=(7, 6), least=12)


def turn(estate: Estate) -> None:
    """Everywhere every fifth thing goes, and as many others come."""
    for (account, region, listing), numbers in list(estate.listed()):
        if listing not in ONCE:
            gone = numbers[1::5]
            estate.remove(account, region, listing, *gone)
            estate.put(account, region, listing, *(numbers[-1] + 1 + number for number in range(len(gone))))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Both stores in the soak, the embedded one alone in the short form."""
    if "kept_in" in metafunc.fixturenames:
        both = ["arcadedb", pytest.param("neo4j", marks=pytest.mark.neo4j)]
        metafunc.parametrize("kept_in", both if metafunc.config.option.soak else both[:1], indirect=True)


@pytest.fixture
def kept_in(request: pytest.FixtureRequest) -> StoreSettings:
    """Settings of a store."""
    if request.param == "neo4j":
        return neo4j_settings(request.getfixturevalue("neo4j_uri"))
    embedded: StoreSettings = request.getfixturevalue("embedded")
    return embedded


@asynccontextmanager
async def emptied(settings: StoreSettings, folder: Path) -> AsyncIterator[tuple[StoreSettings, Store]]:
    """The store, empty, with a ledger of its own, and settings that lead other processes to both."""
    async with open_store(settings) as store:
        await empty(store)
        if settings.uri:
            yield replace(settings, folder=folder), store
            return
        async with bolt_proxy("127.0.0.1", published(settings)["bolt"]) as proxy:
            with behind(proxy, settings, folder) as reached:
                yield reached, store


# What is compared


Values = Mapping[str, Any]


@dataclass
class State:
    """A graph: the nodes by label and id with what sweeps know of each, when each was last seen, scopes and edges."""

    nodes: dict[tuple[str, str], Values]
    seen: dict[tuple[str, str], int]
    scopes: Scopes
    links: Links


async def state(store: Store) -> State:
    """The graph as it is; what the analysis makes of it is left out."""
    nodes: dict[tuple[str, str], Values] = {}
    seen: dict[tuple[str, str], int] = {}
    for label, names in sorted(known().items()):
        for row in await store.run(f"MATCH (n:{label}) RETURN properties(n) AS props"):
            props = row["props"]
            nodes[label, props["id"]] = {name: props[name] for name in names & props.keys()}
            seen[label, props["id"]] = props.get("lastupdated", 0)
    return State(nodes, seen, await scoped(store), await linked(store))


def known() -> dict[str, set[str]]:
    """The declared properties of each label, and its owner's."""
    found: dict[str, set[str]] = {}
    for type_ in declared().types:
        names = {each.name for each in type_.properties}
        found.setdefault(type_.label, {"_account", "_region", "region"}).update(names)
    return found


Places = set[tuple[str, str, str]]  # account, region, label


def labels() -> dict[str, str]:
    return {type_.name: type_.label for type_ in declared().types}


def struck(log: Iterable[Poisoned]) -> Places:
    """The scopes that a poisoned record is of."""
    return {(each.account, each.region, labels()[each.type]) for each in log}


def keys(log: Iterable[Poisoned]) -> set[tuple[str, str]]:
    """The nodes that the poisoned records would have been."""
    return {(labels()[each.type], each.id) for each in log}


def pointed(estate: Estate, entry: Mapping[str, Any]) -> str:
    """The id of the record that a quarantined entry points at: that item of what AWS lists when asked."""
    [type_] = [each for each in declared().types if each.name == entry["type"]]
    call, account = type_.source.call, entry["account"]
    assert entry["call"] == str(call)
    context = Context(account, entry["region"], estate.partition)
    place = regions.home(call.service, estate.partition) if entry["region"] == GLOBAL else entry["region"]
    asked = operation(call.service, call.operation)
    reply, _ = Answers(estate).reply(asked, calls.literal(call, context), account, place, whole=True)
    record = list(paths.records(type_.source.path, reply, context))[entry["item"] - 1]
    [own] = [each for each in type_.properties if each.name == "id"]
    found = paths.reader(own.path)(record)
    return str(found if own.then is None else own.then(found))


# The gate


async def test_exactly_the_poisoned_records_are_put_aside(
    kept_in: StoreSettings, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    size = LARGE if pytestconfig.option.soak else SMALL
    async with emptied(kept_in, tmp_path) as (settings, store), serving(size.estate()) as server:
        first, log = await into_an_empty_graph(server, settings, store, size)
        good = await whole(server, settings, settings.folder, store)
        assert_all_but(first, good, log)
        turn(server.estate)
        last, log, tag = await over_a_good_one(server, settings, store, size)
        after = await whole(server, settings, settings.folder, store)
        assert_kept(last, log, good=good, after=after, tag=tag)


async def whole(server: Server, settings: StoreSettings, folder: Path, store: Store) -> State:
    """The graph after a sweep that nothing disturbs: what the model says."""
    server.faults = calm
    report = await swept(server, settings, folder)
    assert report.status == "complete", [*report.units, *report.quarantined][:10]
    found = await state(store)
    assert_scopes(found.scopes, model(server.estate), {})
    return found


async def into_an_empty_graph(
    server: Server, settings: StoreSettings, store: Store, size: Size
) -> tuple[State, frozenset[Poisoned]]:
    """A poisoned sweep by the command line, which says what it put aside."""
    plan = poisoned(seed=size.seeds[0], one_in=size.one_in)
    server.faults = plan
    async with sync(server, settings, settings.folder / "home") as running:
        report = await running.report()
        assert running.process.returncode == ExitCode.INCOMPLETE
    log = frozenset(plan.log)
    print(f"{len(log)} poisoned: {counted(log)}; peak {report['peak_rss_mb']} MB")  # noqa: T201 - quoted by the soak
    assert len(log) >= size.least
    if size is SMALL:
        assert {each.kind for each in log} == set(KINDS)
        assert {protocol(each.service) for each in log} == PROTOCOLS
    assert (report["status"], report["units"]) == ("incomplete", [])
    Draft202012Validator(SCHEMA).validate(report)
    assert_pointed(server.estate, report["quarantined"], log)
    await assert_readable(server, settings, report["quarantined"])
    return await state(store), log


async def over_a_good_one(
    server: Server, settings: StoreSettings, store: Store, size: Size
) -> tuple[State, frozenset[Poisoned], int]:
    """A poisoned sweep after a good one, and its update tag."""
    plan = poisoned(seed=size.seeds[1], one_in=size.one_in)
    server.faults = plan
    report = await swept(server, settings, settings.folder)
    assert (report.status, report.units, report.exit_code) == ("incomplete", [], ExitCode.INCOMPLETE)
    assert len(plan.log) >= size.least
    assert_pointed(server.estate, report.quarantined, plan.log)
    return await state(store), frozenset(plan.log), report.update_tag


def counted(log: Iterable[Poisoned]) -> dict[str, int]:
    return dict(sorted(Counter(f"{protocol(each.service)} {each.kind}" for each in log).items()))


def assert_pointed(estate: Estate, quarantined: Sequence[Mapping[str, Any]], log: Iterable[Poisoned]) -> None:
    """Exactly the poisoned records are told, each once, with its id and its place in the listing.

    A poisoned record that others are made of is told for each of them: at the same place.
    """
    own = {(each.type, each.id) for each in log}
    items = {place(each) for each in quarantined if (each["type"], each["id"]) in own}
    told = [each for each in quarantined if (each["type"], each["id"]) in own or place(each) not in items]
    assert_quarantined(told, log)
    wrong = [f"{each} points at {there}" for each in told if (there := pointed(estate, each)) != each["id"]]
    assert not wrong, "\n".join(wrong)


def place(entry: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(entry[name] for name in ("account", "region", "call", "item"))


async def assert_readable(server: Server, settings: StoreSettings, quarantined: Sequence[Mapping[str, Any]]) -> None:
    """`skysweep report` has a line for each record that was put aside: what, where, why; no NUL, no half character."""
    command = [sys.executable, "-m", "skysweep.cli", "report", "--store", str(settings.folder)]
    environment = environ(server.url, settings, settings.folder / "home")
    said = (await anyio.run_process(command, env=environment)).stdout.decode()
    lines = [[part.strip() for part in line.split("│")[1:-1]] for line in said.splitlines()]
    for each in quarantined[:SHOWN_GAPS]:
        where = f"{each['account']} {each['region']} {each['call']} #{each['item']}"
        assert [f"{each['type']} {each['id']}", where] in [line[:2] for line in lines], said
    assert "\0" not in said


def assert_all_but(first: State, good: State, log: Iterable[Poisoned]) -> None:
    """All is in the first graph that is in the good one, but the poisoned records and what ends at them.

    What others tell of them may be in: a zone of which the records are known, without an owner.
    """
    missing = keys(log)
    untold = {key for key in missing & first.nodes.keys() if "_account" not in first.nodes[key]}
    whole = good.nodes.keys() - missing
    wrong = [f"{key} is missing" for key in whole - first.nodes.keys()]
    wrong += [f"{key} is in" for key in first.nodes.keys() - whole - untold]
    wrong += differing(first, good, whole & first.nodes.keys())
    ends = {f"{label} {key}" for label, key in missing}
    links = {link for link in good.links if not ends & {link[0], link[2]}}
    wrong += [f"{link} is missing" for link in links - first.links.keys()]
    wrong += [f"{link} is in" for link in first.links.keys() - good.links.keys()]
    assert not wrong, "\n".join(sorted(wrong)[:40])


def differing(one: State, other: State, nodes: Iterable[tuple[str, str]]) -> Iterator[str]:
    """What two graphs know differently of these nodes."""
    for key in nodes:
        mine, theirs = one.nodes[key], other.nodes[key]
        for name in mine.keys() | theirs.keys():
            if mine.get(name) != theirs.get(name):
                yield f"{key}: {name} is {str(mine.get(name))[:80]!r}, not {str(theirs.get(name))[:80]!r}"


def assert_kept(found: State, log: frozenset[Poisoned], *, good: State, after: State, tag: int) -> None:
    """The poisoned records are as they were, nothing of their scopes is gone, and all else is as it is now."""
    places, nodes = struck(log), keys(log)
    seen = {
        (account, region, label): {each for each in ids if (label, each) not in nodes}
        for (account, region, label), ids in after.scopes.items()
    }
    last = {place: good.scopes.get(place, set()) for place in places}
    assert_scopes(
        found.scopes, {place: seen.get(place, set()) | last.get(place, set()) for place in {*seen, *last}}, {}
    )
    told = {(label, each) for (_, _, label), ids in seen.items() for each in ids}
    owned = {(label, each) for (_, _, label), ids in found.scopes.items() for each in ids}
    wrong = [f"{key} was seen: {found.seen[key]}" for key in owned - told if found.seen[key] >= tag]
    wrong += [f"{key} was not seen: {found.seen[key]}" for key in told if found.seen[key] != tag]
    wrong += differing(found, good, owned - told)
    wrong += differing(found, after, told)
    assert not wrong, "\n".join(sorted(wrong)[:40])
    assert_links(found.links, after.links, good.links, places, places)


# Records that are none


LISTS = {
    "lambda:ListFunctions": ("Functions", {"AWSLambda", "AWSLambdaLayer", "AWSLambdaFunctionVersion"}),
    "kms:ListAliases": ("Aliases", {"KMSAlias"}),
    "ec2:DescribeVolumes": ("Volumes", {"EBSVolume"}),
    "ec2:DescribeNetworkInterfaces": (
        "NetworkInterfaces",
        {
            *("AWSNetworkInterface", "AWSNetworkInterfaceOfElb", "AWSNetworkInterfaceOfElbv2"),
            *("EC2PrivateIp", "EC2Ipv6Address"),
        },
    ),
    "rds:DescribeDBSnapshots": ("DBSnapshots", {"RDSSnapshot"}),
    "iam:ListInstanceProfiles": ("InstanceProfiles", {"AWSInstanceProfile"}),
}
"""Of some listings the list, and the types that each of its items feeds."""
SECOND = 1  # of a list


async def test_an_item_that_is_no_record_is_put_aside_for_each_type_that_it_feeds(
    embedded: StoreSettings, tmp_path: Path
) -> None:
    hit = {labels()[type_] for _, types in LISTS.values() for type_ in types} | {"AWSLambdaFunctionAlias"}  # a detail
    estate = Estate(seed=12, accounts=ACCOUNTS[:1], regions=REGIONS[:1])
    for listing in LISTS:
        estate.put(ACCOUNTS[0], REGIONS[0], listing, 0, 1, 2)
    async with open_store(embedded) as store, serving(estate) as server:
        await empty(store)
        good = await swept(server, embedded, tmp_path, syncs=tuple(hit))
        assert good.status == "complete"
        before = await state(store)
        server.faults = spoiled
        report = await swept(server, embedded, tmp_path, syncs=tuple(hit))
        found = await state(store)
    assert report.exit_code == ExitCode.INCOMPLETE
    aside = [(each["type"], each["call"], each["item"]) for each in report.quarantined]
    fed = [(type_, listing, SECOND + 1) for listing, (_, types) in LISTS.items() for type_ in types]
    assert sorted(aside) == sorted(fed)
    assert found.nodes == before.nodes
    assert found.links.keys() == before.links.keys()
    unseen = Counter(label for (label, _), tag in found.seen.items() if tag != report.update_tag)
    del unseen["AWSTag"]  # some are theirs alone
    assert unseen == Counter(hit), "one of each is not seen, and all others are"


def spoiled(seen: Seen) -> Change | None:
    """A plan in which the second item of each of those lists is a text."""
    name, _ = LISTS.get(f"{seen.service}:{seen.operation}", ("", set()))
    return Change(lambda body: without_second(Listing.of(seen.service, seen.operation), name, body)) if name else None


def without_second(listing: Listing, name: str, body: bytes) -> bytes:
    tree = listing.tree(body)
    items = tree.items(tree.root, listing.shape, name)
    if isinstance(tree, JsonTree):
        items[SECOND] = "poisoned"
    else:
        items[SECOND].clear()
        items[SECOND].text = "poisoned"
    return tree.dump()
