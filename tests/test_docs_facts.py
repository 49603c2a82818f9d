"""What the pages say and no link or command shows: schedules, Cypher, variables, the order of the modules."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from skysweep import catalogue, cypher, freshness, settings
from skysweep.analysis.answers import ANONYMOUS, EXPOSED
from skysweep.cleanup import Licence
from skysweep.cli import DEBUG
from skysweep.cli.query import meant
from skysweep.outcomes import Tally
from skysweep.plan import Account
from skysweep.progress import Rates, state
from skysweep.store import Store
from skysweep.syncs import syncs
from test_architecture import ORDER
from test_docs import HOME, of, prose, shell_lines

OPERATIONS = HOME / "docs" / "operations.md"
GRAPH = HOME / "docs" / "graph.md"
ARCHITECTURE = HOME / "docs" / "architecture.md"
ONE = "111111111111"
TAG = 1_763_726_400


def only(path: Path, language: str, info: str = "") -> str:
    (text,) = of(path, language, info)
    return text


def schedulers() -> Iterator[tuple[str, list[str]]]:
    """Each scheduler of the page with the command that it starts."""
    service = next(text for text in of(OPERATIONS, "ini") if "ExecStart=" in text).replace("\\\n", " ")
    yield "systemd", shlex.split(next(line for line in service.splitlines() if line.startswith("ExecStart=")))
    yield "cron", shlex.split(only(OPERATIONS, "cron").partition(" exec ")[2].partition(" 2>>")[0])
    job = yaml.safe_load(only(OPERATIONS, "yaml"))["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = job["containers"]
    yield "kubernetes", [*container["command"], *container["args"]]


@pytest.mark.parametrize(
    ("name", "command"), list(schedulers()), ids=lambda each: each if isinstance(each, str) else ""
)
def test_every_scheduler_starts_the_nightly_command(name: str, command: list[str]) -> None:
    (nightly,) = shell_lines(OPERATIONS, "nightly")
    assert command[1:] == shlex.split(nightly)[1:], name


async def test_the_graph_tells_how_fresh_it_is(store: Store) -> None:
    whole = catalogue.load()
    await store.prepare(cypher.node_types(whole), cypher.edge_types(whole))
    await store.run("CREATE (:SkysweepState {id: 'sweep', update_tag: $tag})", tag=TAG)
    await store.run("CREATE (:S3Bucket {id: 'a', name: 'a', lastupdated: $tag, _account: $one})", tag=TAG, one=ONE)
    licence = Licence([Account(ONE, regions=("eu-west-1",))])
    await freshness.tell(store, whole, licence, syncs(), TAG - 1)
    licence.withhold([type_ for type_ in whole.types if type_.label == "EBSVolume"], ONE, "eu-west-1")
    await freshness.tell(store, whole, licence, syncs(), TAG)
    places, late, policies = [await store.run(meant(text)[0]) for text in of(OPERATIONS, "cypher")]
    assert {row["region"]: (row["oldest"], row["newest"]) for row in places} == {
        "eu-west-1": (TAG - 1, TAG),
        "global": (TAG, TAG),
    }
    assert [(row["account"], row["region"], row["sync"], row["last"]) for row in late] == [
        (ONE, "eu-west-1", "ec2:volumes", TAG - 1)
    ]
    assert [row["bucket"] for row in policies] == ["a"]
    if store.kind == "neo4j":
        async with store.session() as session:
            await (await session.run(only(OPERATIONS, "cypher", "writes"))).consume()
        assert await store.run("MATCH (b:S3Bucket) RETURN b.id") == []


async def test_what_the_graph_is_said_to_hold_can_be_asked_of_it(store: Store) -> None:
    whole = catalogue.load()
    await store.prepare(cypher.node_types(whole), cypher.edge_types(whole))
    labels = {label for type_ in whole.types for label in (type_.label, *type_.also)}
    kinds = set(cypher.edge_types(whole))
    properties = {part.name for type_ in whole.types for part in type_.properties}
    properties |= {name for type_ in whole.types for edge in type_.edges for name, _ in edge.properties}
    properties |= {"production", *EXPOSED, *ANONYMOUS}  # what no call tells
    questions = of(GRAPH, "cypher")
    assert len(questions) > 5
    for text in questions:
        assert set(re.findall(r"\(\w*:(\w+)", text)) <= labels, text
        assert set(re.findall(r"\[\w*:(\w+)", text)) <= kinds, text
        named = re.findall(r"\w\.(\w+)|(\w+): ", re.sub(r"'.*?'", "", text))
        assert {left or right for left, right in named} <= properties, text
        assert await store.run(meant(text)[0]) == []
    for code in re.findall(r"`([^`]+)`", prose(GRAPH)):
        for name in re.findall(r":(\w+)", code) if code.startswith("(") else [code]:
            assert name in labels | kinds | properties or not name.isidentifier(), name


def test_the_variables_are_those_that_are_read() -> None:
    read = {*re.findall(r'"((?:CARTOGRAPHY|NEO4J|SKYSWEEP|XDG)_\w+)"', Path(settings.__file__).read_text()), DEBUG}
    assert [name for name in read if f"`{name}`" not in OPERATIONS.read_text()] == []


def test_a_log_line_has_these_fields() -> None:
    tally = Tally()
    tally.planned({ONE: 2})
    tally.units_done = 1
    tally.running["x"] = tally.started
    said: dict[str, Any] = state(tally, Rates(), tally.started + 1)
    line = json.loads(only(OPERATIONS, "json", "log"))
    assert set(line) == {*said, "event", "level", "timestamp"} - {"phase"}


def test_the_order_of_the_modules_is_the_one_that_is_held() -> None:
    lines = only(ARCHITECTURE, "text", "order").splitlines()
    assert [set(line.split(" · ")) for line in lines] == ORDER


def test_every_decision_has_its_number_and_a_heading() -> None:
    pages = sorted((HOME / "docs" / "decisions").glob("*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    assert [page.read_text().partition(".")[0] for page in pages] == [
        f"# {number}" for number in range(1, len(pages) + 1)
    ]
