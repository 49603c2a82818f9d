"""What the gates share: a sweep of a fake AWS in this process or as the command line, and when two graphs are equal."""

from __future__ import annotations

import asyncio
import dataclasses
import fcntl
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, nullcontext
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import anyio
from anyio.abc import Process

import skysweep
from benchmarks.bolt import BoltProxy, bolt_proxy
from benchmarks.estates import KEY, ROLE
from benchmarks.fakeaws import Estate, Oracle
from benchmarks.fakeaws.faults import Fault, Match, Plan, Seen, calm
from benchmarks.fakeaws.poison import Poisoned
from benchmarks.fakeaws.server import Server
from benchmarks.rivals import aimed
from benchmarks.stores import empty
from graphs import MARKS, Graph, differences, graph
from skysweep import catalogue, cypher
from skysweep import settings as configuration
from skysweep.catalogue import Catalogue
from skysweep.clients import where
from skysweep.model import Call
from skysweep.plan import GLOBAL, Target
from skysweep.report import ExitCode, Report
from skysweep.settings import Settings
from skysweep.store import Store, StoreSettings, open_store

CLI_SECONDS = 1_200  # a busy machine

Held = TypeVar("Held")


# Graphs


async def snapshot(store: Store | StoreSettings, *, unmarked: set[str] = MARKS) -> Graph:
    """The graph as a value, without the update tag and what follows from it: when a sweep first and last saw things."""
    if isinstance(store, Store):
        return await graph(store, marks=unmarked)
    async with open_store(store) as opened:
        return await graph(opened, marks=unmarked)


def assert_equal(one: Graph, other: Graph) -> None:
    """Two graphs have the same nodes, edges and properties; says what differs, in at most 40 lines."""
    found = differences(one, other)
    assert not found, "\n".join(found)


def assert_quarantined(quarantined: Iterable[Mapping[str, Any]], log: Iterable[Poisoned]) -> None:
    """Exactly the poisoned records are quarantined, each once, by its type, id, place and listing."""
    wanted = Counter((each.type, each.id, each.account, each.region, each.operation) for each in log)
    found = Counter(
        (each["type"], each["id"], each["account"], each["region"], each["call"].partition(":")[2])
        for each in quarantined
    )
    assert found == wanted, f"not quarantined: {dict(wanted - found)}; quarantined for nothing: {dict(found - wanted)}"


# Scopes

Scope = tuple[str, str, str]  # account, region or global, label
Scopes = dict[Scope, set[str]]  # the ids of the nodes that are there


@cache
def declared(*syncs: str) -> Catalogue:
    """The types that these syncs stand for, or all."""
    return catalogue.load(syncs)


@cache
def owning(*syncs: str) -> Catalogue:
    """Those of them whose nodes belong to the account and region that list them: what a cleanup goes by."""
    return Catalogue(tuple(each for each in declared(*syncs).types if not each.shared))


async def scoped(store: Store | StoreSettings) -> Scopes:
    """The nodes of the graph by the scope that owns them; what has no such scope is left out."""
    if isinstance(store, StoreSettings):
        async with open_store(store) as opened:
            return await scoped(opened)
    found: Scopes = {}
    query = (
        "MATCH (n) WHERE n._account IS NOT NULL RETURN labels(n) AS labels, n.id AS id, n._account AS a, n._region AS r"
    )
    for row in await store.run(query):
        [label] = owning().by_label.keys() & set(row["labels"])
        found.setdefault((row["a"], row["r"], label), set()).add(row["id"])
    return found


def model(estate: Estate, types: Catalogue | None = None) -> Scopes:
    """What `scoped` must find after a whole sweep of the estate as it is now; `types`: of these alone."""
    oracle = Oracle(estate, types=types or owning())
    return {
        (account, region, label): ids
        for account in estate.accounts
        if account not in estate.suspended
        for region in (GLOBAL, *estate.regions)
        for label, ids in oracle.ids(account, region).items()
        if ids
    }


def struck(estate: Estate, match: Match, *, syncs: tuple[str, ...] = (), told: bool = False) -> set[Scope]:
    """The scopes of the labels whose nodes are made of calls that `match`, as a plan of faults has it.

    told: those as well that such calls only tell more of. A detail that is asked in the region of its record counts as
    asked in all.
    """
    return {
        (account, region, type_.label)
        for account in estate.accounts
        for type_ in declared(*syncs).types
        for region in (estate.regions if type_.source.call.per == "region" else (GLOBAL,))
        if any(_meets(estate, match, account, region, call) for call in (type_.calls if told else type_.made_of))
    }


def _meets(estate: Estate, match: Match, account: str, region: str, call: Call) -> bool:
    """Whether the call of an account and region is among those that match."""
    own = where(Target(account, region, estate.partition), call.service)
    regions = estate.regions if call.region else (own,)
    return any(match(Seen(0, "", account, each, call.service, call.operation)) for each in regions)


def assert_scopes(
    found: Scopes, now: Scopes, last: Scopes, failed: Collection[Scope] = (), *, silent: Collection[Scope] = ()
) -> None:
    """Every scope is as the model says now; a failed one has all of its last state, and nothing that is in neither.

    silent: scopes that told nothing at all, which equal their last state.
    """
    wrong = []
    for scope in sorted({*found, *now, *last}):
        there, new, old = (each.get(scope, set()) for each in (found, now, last))
        least, most = (old, old) if scope in silent else (old, old | new) if scope in failed else (new, new)
        if not least <= there <= most:
            lost, odd = sorted(least - there)[:3], sorted(there - most)[:3]
            wrong.append(f"{' '.join(scope)}: {len(there)} nodes; missing {lost}, not to be there {odd}")
    assert not wrong, "\n".join(wrong[:40])


@dataclasses.dataclass(frozen=True)
class Drawn:
    """An edge with what decides about it: who draws such edges there (scopes), and the scopes of its ends.

    An end that belongs to no scope is in every one of its label.
    """

    drawers: frozenset[Scope]
    ends: tuple[Scope, Scope]

    def meets(self, scopes: Collection[Scope]) -> bool:
        """Whether one of the scopes, or an end's, is among these."""
        anywhere = {label for _, _, label in scopes}
        return any(
            (label in anywhere) if not account else ((account, region, label) in scopes)
            for account, region, label in (*self.drawers, *self.ends)
        )


Link = tuple[str, str, str]  # start, type, end
Links = dict[Link, Drawn]


async def linked(store: Store) -> Links:
    """The edges of the graph that declarations draw; what the analysis makes of them is left out."""
    drawers = _drawers()
    found: Links = {}
    query = (
        "MATCH (s)-[r]->(t) WHERE r._account IS NOT NULL RETURN type(r) AS kind, r._account AS a, r._region AS r, "
        "labels(s) AS sl, s.id AS s, s._account AS sa, s._region AS sr, "
        "labels(t) AS tl, t.id AS t, t._account AS ta, t._region AS tr"
    )
    labels = declared().by_label.keys()
    for row in await store.run(query):
        [start], [end] = labels & set(row["sl"]), labels & set(row["tl"])
        drawn = {(row["a"], row["r"], label) for label in drawers[start, row["kind"], end]}
        ends = (row["sa"] or "", row["sr"] or "", start), (row["ta"] or "", row["tr"] or "", end)
        found[f"{start} {row['s']}", row["kind"], f"{end} {row['t']}"] = Drawn(frozenset(drawn), ends)
    return found


@cache
def _drawers() -> dict[Link, set[str]]:
    """The labels of the types that draw each kind of edge, by the labels of its ends."""
    found: dict[Link, set[str]] = {}
    for type_ in declared().types:
        for edge in type_.edges:
            (start, _), (end, _) = cypher.ends(type_, edge)
            found.setdefault((start, edge.kind, end), set()).add(type_.label)
        if type_.owned:
            found.setdefault(("AWSAccount", "RESOURCE", type_.label), set()).add(type_.label)
    return found


def assert_links(found: Links, now: Links, last: Links, failed: Collection[Scope], told: Collection[Scope]) -> None:
    """Edges that no fault can have touched are as in an undisturbed graph; of the others none is lost or made up.

    failed: the scopes whose nodes a fault may have kept from sight. told: those and where it has hidden some of what is
    told of nodes. An edge that is drawn in a failed scope stays as long as both of its ends do. An account holds what
    is shared as long as an edge of its own meets it, and so one that is kept.
    """
    nodes = {end for link in found for end in (link[0], link[2])}
    kept = {end for link, drawn in found.items() if drawn.meets(told) for end in (link[0], link[2])}
    wrong = []
    for link in sorted({*found, *now, *last}):
        every = [each[link] for each in (found, now, last) if link in each]
        there = link in found
        if not any(drawn.meets(told) for drawn in every):
            held = link[1] == "RESOURCE" and not every[0].ends[1][0] and link[2] in kept and link in last
            if there != (link in now) and not (there and held):
                wrong.append(f"{link} is {'' if there else 'not '}there, and no fault is near it")
        elif there and link not in now and link not in last:
            wrong.append(f"{link} is in neither state")
        elif not there and link in last and nodes.issuperset((link[0], link[2])) and last[link].drawers & set(failed):
            wrong.append(f"{link} is lost: both of its ends are there, and what draws it failed")
    assert not wrong, "\n".join(wrong[:40])


# A sweep in this process


def settings(server: Server, store: StoreSettings, folder: Path, **changes: Any) -> Settings:
    """Settings that sweep every account of the fake that is not closed, and reach nothing else.

    folder: the ledger's. changes: of `Settings` or of its `aws`, whichever has the name.
    """
    estate = server.estate
    made = configuration.demo(
        server.url,
        accounts=tuple(each for each in estate.accounts if each not in estate.suspended),
        role_name=ROLE,
        regions=tuple(estate.regions),
        folder=folder,
        key=KEY,
    )
    ours = {each.name for each in dataclasses.fields(Settings)}
    aws = {name: value for name, value in changes.items() if name not in ours}
    own = {name: value for name, value in changes.items() if name in ours}
    return dataclasses.replace(made, store=store, **{"aws": dataclasses.replace(made.aws, **aws), **own})


async def swept(server: Server, store: StoreSettings, folder: Path, **changes: Any) -> Report:
    """The report of a sweep of the fake AWS in this process; `changes` as in `settings`."""
    return await skysweep.sweep(settings(server, store, folder, **changes))


# A sweep as a process


@dataclasses.dataclass(eq=False)
class Sync:
    """A running `skysweep sync --json`; what it has said is there once `ended` has come back."""

    process: Process
    stdout: bytes = b""
    stderr: bytes = b""

    def kill(self) -> None:
        """SIGKILL, at once: it is dead before whatever the caller does next is seen by anybody."""
        if self.process.returncode is None:
            os.kill(self.process.pid, signal.SIGKILL)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Asks it to end."""
        self.process.send_signal(number)

    async def ended(self) -> int:
        """Waits for its end: its exit code, the negative number of the signal that killed it."""
        with anyio.fail_after(CLI_SECONDS):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._read, "stdout")
                tasks.start_soon(self._read, "stderr")
                code = await self.process.wait()
        return code

    async def report(self) -> dict[str, Any]:
        """The report that it printed, once it has ended with 0 or 2."""
        code = await self.ended()
        assert code in {ExitCode.COMPLETE, ExitCode.INCOMPLETE}, f"exit {code}: {self.stderr.decode()}"
        document: dict[str, Any] = json.loads(self.stdout)
        return document

    async def _read(self, name: str) -> None:
        stream = getattr(self.process, name)
        async for part in stream:
            setattr(self, name, getattr(self, name) + part)


@asynccontextmanager
async def sync(
    server: Server, store: StoreSettings, home: Path, *options: str, **variables: str
) -> AsyncIterator[Sync]:
    """`skysweep sync --json` of every account of the fake that is not closed, with nothing else within its reach.

    home: where it finds HOME, and no AWS file. options: further ones of the command line. variables: further ones of
    its environment. It is killed with the block.
    """
    estate = server.estate
    accounts = ",".join(each for each in estate.accounts if each not in estate.suspended)
    command = [sys.executable, "-m", "skysweep.cli", "sync", "--json", "--log-format", "text", "--rate-share", "0"]
    command += ["--accounts", accounts, "--role-name", ROLE, "--aws-regions", ",".join(estate.regions)]
    command += ["--store", str(store.folder), *(["--neo4j-uri", store.uri] if store.uri else [])]
    running = Sync(
        await anyio.open_process(
            [*command, *options],
            env=environ(server.url, store, home) | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    )
    try:
        yield running
    finally:
        running.kill()
        await running.process.aclose()


def environ(url: str, store: StoreSettings, home: Path) -> dict[str, str]:
    """An environment in which nothing but the fake AWS at `url` and the store can be reached."""
    given = {"NEO4J_USER": store.user, "NEO4J_PASSWORD": store.password, "NEO4J_DATABASE": store.database}
    made = {"PATH": os.environ["PATH"]} | aimed(url, home)
    return made | {name: value for name, value in given.items() if store.uri and value}


# Moments


@dataclasses.dataclass(eq=False)
class AtCall:
    """A plan that does something once, when the fake AWS sees its n-th request, before it is answered."""

    number: int
    action: Callable[[], object]
    plan: Plan = calm
    done: bool = False

    def __call__(self, seen: Seen) -> Fault | None:
        """The plan."""
        if seen.number >= self.number and not self.done:
            self.done = True
            self.action()
        return self.plan(seen)


def at_commit(proxy: BoltProxy, number: int, action: Callable[[], object]) -> None:
    """Does something when the store has committed its n-th write from now on, and cuts before the client knows."""
    due = proxy.commits + number

    def which(commit: int) -> bool:
        if commit == due:
            action()
        return commit == due

    proxy.cut_after_commit = which


# The embedded graph behind a proxy


def published(embedded: StoreSettings) -> dict[str, Any]:
    """What the embedded graph that is open says of itself: `bolt` (its port), `pid`, …"""
    said: dict[str, Any] = json.loads((embedded.folder / "server.json").read_text(encoding="utf-8"))
    return said


@contextmanager
def behind(proxy: BoltProxy, embedded: StoreSettings, folder: Path) -> Iterator[StoreSettings]:
    """Settings of the embedded graph that lead through the proxy: another folder, which tells the proxy's address.

    Other processes find it there as well; the ledger may lie in it, too.
    """
    said = published(embedded)
    (folder / "databases" / "skysweep").mkdir(parents=True, exist_ok=True)
    with (folder / "server.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # as its owner would: whoever comes connects
        file = folder / "server.json"
        file.write_text(json.dumps(said | {"bolt": urlsplit(proxy.url).port}), encoding="utf-8")
        try:
            yield dataclasses.replace(embedded, folder=folder)
        finally:
            file.unlink()


@asynccontextmanager
async def proxied(settings: StoreSettings, folder: Path, patience: float) -> AsyncIterator[tuple[BoltProxy, Store]]:
    """The empty store of these settings behind a proxy, with patience; the embedded graph must be open."""
    port = (settings.uri and urlsplit(settings.uri).port) or published(settings)["bolt"]
    async with bolt_proxy("127.0.0.1", port) as proxy:
        with (
            nullcontext(dataclasses.replace(settings, uri=proxy.url))
            if settings.uri
            else behind(proxy, settings, folder) as way
        ):
            async with open_store(way) as opened:
                await empty(opened)
                yield proxy, dataclasses.replace(opened, patience=patience)


@asynccontextmanager
async def held(context: AbstractAsyncContextManager[Held]) -> AsyncIterator[Held]:
    """Enters and leaves a context in one task of its own: a fixture's end runs in another than its beginning."""
    entered: list[Held] = []
    ready, over = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        try:
            async with context as value:
                entered.append(value)
                ready.set()
                await over.wait()
        finally:
            ready.set()

    holding = asyncio.create_task(hold())
    await ready.wait()
    try:
        for value in entered:
            yield value
    finally:
        over.set()
        await holding
