"""What many tests stand on. The two stores:

neo4j_uri   (uri, user, password) of a real Neo4j, one for the session
embedded    settings of an embedded graph that is open, one for the session
store       an open, empty Store; the test runs once with each

and what plays AWS:

moto        where moto's server answers, one for the module
fault       a server that answers as it is told
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import hypothesis
import pytest
import pytest_asyncio

from benchmarks.stores import empty
from neo4j_server import Neo4jServer, drop_schema, neo4j_server, resolve_jars
from skysweep.demo import server
from skysweep.store import Store, StoreSettings, open_store
from wire import Wire, wire

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--soak`: the gates whole, as the nox session of that name runs them; else their short forms."""
    parser.addoption("--soak", action="store_true", help="run the gates whole")


@pytest.fixture(scope="session")
def kills(request: pytest.FixtureRequest) -> int:
    """How many sweeps the resume gate kills."""
    return 25 if request.config.option.soak else 3


def pytest_configure(config: pytest.Config) -> None:
    """Hypothesis' profile for the gates: 100 cases, ever the same; with `--soak` 1,000, each time others."""
    hypothesis.settings.register_profile(
        "gate",
        max_examples=1000 if config.option.soak else 100,
        derandomize=not config.option.soak,
        database=None,
        deadline=None,
        print_blob=True,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],  # to shrink a case takes minutes
    )


class Stops(NamedTuple):
    """How the store gate stops Neo4j: once for so many seconds (and the time it needs), and so many times shortly."""

    seconds: float
    times: int


@pytest.fixture(scope="session")
def stops(request: pytest.FixtureRequest) -> Stops:
    return Stops(60.0, 5) if request.config.option.soak else Stops(0.0, 1)


@pytest.fixture(scope="session")
def store_syncs(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """What the gates of the store and of resuming sweep."""
    return () if request.config.option.soak else ("EBSVolume", "EC2Instance", "AWSRole", "RDSInstance", "S3Bucket")


@pytest.fixture(scope="session")
def volumes(request: pytest.FixtureRequest) -> int:
    """How many volumes each of the store gate's 16 scopes has."""
    return 20_000 if request.config.option.soak else 1_500


def pytest_collection_finish(session: pytest.Session) -> None:
    """Fetches Neo4j before a test's clock runs."""
    wanted = any(item.get_closest_marker("neo4j") for item in session.items)
    if wanted and not session.config.option.collectonly:
        resolve_jars()


def pytest_itemcollected(item: pytest.Item) -> None:
    """Marks the tests that use the real Neo4j, so that `-m 'not neo4j'` leaves them out."""
    if "neo4j_uri" in getattr(item, "fixturenames", ()):
        item.add_marker("neo4j")


@pytest.fixture(scope="session")
def neo4j_uri() -> Iterator[Neo4jServer]:
    with neo4j_server() as server:
        yield server


@pytest_asyncio.fixture(scope="session")
async def embedded(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[StoreSettings]:
    folder = tmp_path_factory.mktemp("embedded")
    settings = StoreSettings(uri=None, user=None, password=None, database=None, folder=folder)
    async with open_store(settings):
        yield settings


@pytest.fixture(params=["arcadedb", pytest.param("neo4j", marks=pytest.mark.neo4j)])
def store_settings(request: pytest.FixtureRequest) -> StoreSettings:
    """Settings of each store in turn (a sync fixture, since only such a one may ask for others while it runs)."""
    if request.param == "neo4j":
        return neo4j_settings(request.getfixturevalue("neo4j_uri"))
    settings: StoreSettings = request.getfixturevalue("embedded")
    return settings


@pytest_asyncio.fixture
async def store(store_settings: StoreSettings) -> AsyncIterator[Store]:
    async with open_store(store_settings) as opened:
        if opened.kind == "neo4j":
            await drop_schema(opened.driver, opened.database)  # ArcadeDB keeps its types
        await empty(opened)
        yield opened


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    with server.aws() as url:
        yield url


@pytest.fixture
async def fault() -> AsyncIterator[Wire]:
    async with wire() as made:
        yield made


def neo4j_settings(server: Neo4jServer) -> StoreSettings:
    return StoreSettings(*server, database=None, folder=Path("/nowhere"))
