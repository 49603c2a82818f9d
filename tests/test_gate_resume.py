"""Killed at any moment and resumed, a sweep leaves the graph that an undisturbed one leaves."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

import pytest

from benchmarks.bolt import BoltProxy, bolt_proxy, never
from benchmarks.fakeaws import Estate, Server, serving
from benchmarks.fakeaws.faults import Plan, denied, where
from benchmarks.stores import empty
from conftest import neo4j_settings
from gates import AtCall, assert_equal, at_commit, snapshot, sync
from graphs import Graph
from neo4j_server import Neo4jServer
from skysweep.ledger import Key, Ledger
from skysweep.plan import GLOBAL
from skysweep.store import StoreSettings, open_store

pytestmark = [pytest.mark.timeout(1800)]
SEED = 20261121
CHANGED = (
    "ec2:DescribeVolumes",
    "ec2:DescribeInstances",
    "iam:ListRoles",
    "lambda:ListFunctions",
    "rds:DescribeDBInstances",
)
REDONE = 0.05  # of the finished units, at most


@dataclass
class Bench:
    """A Neo4j behind a proxy, a fake AWS with two states, and what the graph must be in each."""

    server: Server
    proxy: BoltProxy
    store: StoreSettings
    home: Path
    options: tuple[str, ...]
    graphs: dict[bool, Graph]
    calls: int
    commits: int

    def turn(self, more: bool) -> None:
        """Adds things to the estate, or takes them away again."""
        turn(self.server.estate, more)

    def finished(self) -> set[tuple[str, Key]]:
        """The units that the ledger of the sweep that was killed has."""
        with Ledger(self.store.folder) as ledger:
            past = ledger.unfinished()
            if past is None:
                return set()
            return {(each.id, key) for each in ledger.accounts(past.id) for key in ledger.done(past.id, each.id)}


def turn(estate: Estate, more: bool) -> None:
    change: Callable[..., None] = estate.put if more else estate.remove
    for account in estate.accounts:
        for listing in CHANGED:
            for region in estate.regions:
                change(account, region, listing, 900, 901, 902)


def denials(server: Server) -> Plan:
    """One account does not tell some of what it has: whatever happens, that stays as it was."""
    return denied(where(account=server.estate.accounts[1], operation=("DescribeSecurityGroups", "ListRoles")))


@asynccontextmanager
async def benched(neo4j_uri: Neo4jServer, home: Path, options: tuple[str, ...]) -> AsyncIterator[Bench]:
    """A bench after a first whole sweep, and an undisturbed one of each state; all with these options."""
    direct = neo4j_settings(neo4j_uri)
    where_it_is = urlsplit(neo4j_uri.uri)
    assert where_it_is.hostname
    assert where_it_is.port
    async with open_store(direct) as opened:
        await empty(opened)
    async with (
        serving(Estate.random(SEED, accounts=3, regions=3, resources=400)) as server,
        bolt_proxy(where_it_is.hostname, where_it_is.port) as proxy,
    ):
        store = StoreSettings(proxy.url, direct.user, direct.password, None, home / "ledger")
        async with sync(server, store, home, *options) as first:
            await first.report()
        server.faults = denials(server)
        graphs, calls, commits = {}, 0, 0
        for more in (True, False):
            turn(server.estate, more)
            server.reset()
            before = proxy.commits
            async with sync(server, store, home, *options) as undisturbed:
                await undisturbed.report()
            calls, commits = sum(server.calls.values()), proxy.commits - before
            graphs[more] = await snapshot(direct)
        yield Bench(server, proxy, store, home, options, graphs, calls, commits)


async def test_a_sweep_that_is_killed_and_resumed_leaves_no_trace(
    neo4j_uri: Neo4jServer, kills: int, store_syncs: tuple[str, ...], tmp_path: Path
) -> None:
    random = Random(SEED)  # noqa: S311 - moments
    options = ("--aws-requested-syncs", ",".join((*store_syncs, "AWSLambda"))) if store_syncs else ()
    async with benched(neo4j_uri, tmp_path, options) as bench:
        counts = [await kill_and_resume(bench, random, number) for number in range(kills)]
    redone, finished = (sum(each) for each in zip(*counts, strict=True))
    print(f"{redone} of {finished} finished units done again")  # noqa: T201 - quoted by the soak
    assert redone <= REDONE * finished


def called(server: Server, account: str, unit: Key) -> bool:
    """Whether the unit's listing was asked for; account-wide ones go to some region of the service's own."""
    regions = {unit.region} if unit.region != GLOBAL else {region for _, region, *_ in server.calls}
    return any((account, region, unit.service, unit.operation) in server.calls for region in regions)


async def kill_and_resume(bench: Bench, random: Random, number: int) -> tuple[int, int]:
    """Kills the n-th sweep and resumes it; how many of its finished units were done again, and how many there were."""
    more = number % 2 == 0
    bench.turn(more)
    bench.server.reset()
    async with sync(bench.server, bench.store, bench.home, *bench.options) as killed:
        if number % 3 == 0:
            moment = random.randrange(10, bench.calls)
            bench.server.faults = AtCall(moment, killed.kill, denials(bench.server))
            what = f"call {moment} of {bench.calls}"
        else:
            moment = random.randrange(1, bench.commits)
            at_commit(bench.proxy, moment, killed.kill)
            what = f"commit {moment} of {bench.commits}"
        code = await killed.ended()
    assert code == -9, f"{what}: it was not killed"
    bench.proxy.cut_after_commit = never
    bench.server.faults = denials(bench.server)
    done = bench.finished()
    bench.server.reset()
    async with sync(bench.server, bench.store, bench.home, "--resume", *bench.options) as resumed:
        report = await resumed.report()
    assert report["status"] == "incomplete", "the denied units are gaps"
    assert_equal(await snapshot(replace(bench.store, folder=bench.home)), bench.graphs[more])
    redone = [(account, key) for account, key in done if called(bench.server, account, key)]
    calls = sum(bench.server.calls.values())
    print(f"killed at {what}: {len(done)} units kept, {calls} calls to resume")  # noqa: T201 - quoted by the soak
    return len(redone), len(done)
