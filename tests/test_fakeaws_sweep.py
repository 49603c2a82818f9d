"""A whole sweep of a small random estate of the fake AWS: complete, and exactly what the estate says."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

import skysweep
from benchmarks.fakeaws import Estate, Oracle, serving
from benchmarks.fakeaws.estate import WEIGHTS
from benchmarks.stores import empty
from conftest import neo4j_settings
from neo4j_server import Neo4jServer, drop_schema
from skysweep import settings as configuration
from skysweep.errors import BadStore
from skysweep.report import Report
from skysweep.settings import Settings
from skysweep.store import StoreSettings, open_store

pytestmark = pytest.mark.timeout(300)


def settings(url: str, estate: Estate, store: StoreSettings, folder: Path) -> Settings:
    alive = tuple(account for account in estate.accounts if account not in estate.suspended)
    made = configuration.demo(
        url, accounts=alive, role_name="fake", regions=tuple(estate.regions), folder=folder, key="hub"
    )
    return dataclasses.replace(made, store=store)


async def test_a_sweep_finds_exactly_what_the_estate_holds(embedded: StoreSettings, tmp_path: Path) -> None:
    estate = Estate.random(7, accounts=3, regions=2, resources=150)
    for listing in WEIGHTS:
        estate.put(estate.accounts[0], estate.regions[1], listing, *range(4))
    async with open_store(embedded) as store, serving(estate) as server:
        await empty(store)
        report: Report = await skysweep.sweep(settings(server.url, estate, embedded, tmp_path))
        assert (report.units, report.quarantined) == ([], [])
        assert report.status == "complete"
        assert report.calls["failed"] == report.calls["throttled"] == 0
        oracle = Oracle(estate)
        wanted = oracle.every()
        for label in oracle.catalogue.by_label:
            rows = await store.run(f"MATCH (n:{label}) RETURN n.id AS id")
            assert sorted(row["id"] for row in rows) == sorted(wanted.get(label, ())), label
        assert set(wanted) == set(oracle.catalogue.by_label)  # there is some of everything
        assert report.calls["total"] == server.calls.total()


async def test_a_graph_that_cannot_be_prepared_ends_the_sweep_with_its_reason(
    neo4j_uri: Neo4jServer, tmp_path: Path
) -> None:
    estate, neo4j = Estate.random(7, accounts=1, regions=1, resources=10), neo4j_settings(neo4j_uri)
    async with open_store(neo4j) as store, serving(estate) as server:
        await drop_schema(store.driver, store.database)
        await empty(store)
        await store.run("CREATE (:AWSRole {id: 'twice'}), (:AWSRole {id: 'twice'})")
        with pytest.raises(BadStore, match="AWSRole"):
            await skysweep.sweep(settings(server.url, estate, neo4j, tmp_path))
        await empty(store)
        report = await skysweep.sweep(settings(server.url, estate, neo4j, tmp_path))
        assert report.status == "complete"
