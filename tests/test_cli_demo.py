from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from subprocess import PIPE
from typing import Any

import anyio
import pytest
import pytest_asyncio
from anyio.streams.text import TextReceiveStream
from jsonschema import Draft202012Validator

from skysweep.report import ExitCode

SCHEMA = json.loads((Path(__file__).parent.parent / "docs" / "report.schema.json").read_text(encoding="utf-8"))
QUESTIONS = {
    *("rds_instances", "unencrypted_rds_instances", "exposed_instances", "internet_facing_elbs"),
    *("internet_facing_elbv2s", "anonymous_buckets", "unencrypted_rds_per_account"),
}
HOSTILE = {
    "AWS_ACCESS_KEY_ID": "AKIAREALREALREALREAL",
    "AWS_SECRET_ACCESS_KEY": "real",
    "AWS_PROFILE": "production",
    "AWS_ENDPOINT_URL": "http://192.0.2.1",
    "AWS_REGION": "mars-north-1",
    "AWS_MAX_ATTEMPTS": "nonsense",
    "CARTOGRAPHY_AWS_RETRY_MODE": "nonsense",
    "NEO4J_URI": "bolt://192.0.2.1:7687",
    "NEO4J_USER": "production",
}
"""Addresses that nothing answers at (RFC 5737), keys and settings that the demo must not heed."""


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "skysweep.cli", *arguments]


def environ(folder: Path) -> dict[str, str]:
    config = folder / "config"
    config.write_text("[profile production]\nregion = mars-north-1\n[broken", encoding="utf-8")
    return os.environ | HOSTILE | {"AWS_CONFIG_FILE": str(config), "XDG_STATE_HOME": str(folder / "state")}


@pytest_asyncio.fixture(scope="module")
async def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    """What `demo --json` printed in a hostile environment, and its state folder."""
    folder = tmp_path_factory.mktemp("demo")
    done = await anyio.run_process(command("demo", "--json"), env=environ(folder), check=False)
    assert done.returncode == ExitCode.COMPLETE, done.stderr.decode()
    return json.loads(done.stdout), folder / "state" / "skysweep"


def test_the_demo_heeds_nothing_around_it_and_sweeps_completely(demo: tuple[dict[str, Any], Path]) -> None:
    report = demo[0]["report"]
    Draft202012Validator(SCHEMA).validate(report)
    assert report["status"] == "complete"
    assert [account["status"] for account in report["accounts"]] == ["swept"] * 3
    assert report["targets"] == 9
    assert report["nodes"]["EC2Instance"]["written"] > 20


def test_the_demo_answers_the_readmes_questions(demo: tuple[dict[str, Any], Path]) -> None:
    answers = demo[0]["answers"]
    assert set(answers) == QUESTIONS
    assert {tuple(row) for row in answers["exposed_instances"]} == {("instanceid", "publicdnsname", "exposure")}
    assert "shop-website" in [row["bucket"] for row in answers["anonymous_buckets"]]


async def test_the_demo_leaves_its_graph_and_report_in_a_folder_of_its_own(demo: tuple[dict[str, Any], Path]) -> None:
    document, state = demo
    assert [path.name for path in state.iterdir()] == ["demo"]
    asked = await anyio.run_process(command("query", "exposed_instances", "--json", "--store", str(state / "demo")))
    assert json.loads(asked.stdout)["rows"] == document["answers"]["exposed_instances"]
    told = await anyio.run_process(command("report", "--json", "--store", str(state / "demo")))
    assert json.loads(told.stdout) == document["report"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_an_interrupted_demo_says_so_and_exits_with_130(tmp_path: Path, number: signal.Signals) -> None:
    arguments = command("demo", "--log-format", "text", "--store", str(tmp_path / "store"))
    async with await anyio.open_process(arguments, env=environ(tmp_path), stdout=PIPE, stderr=PIPE) as running:
        assert running.stderr
        told = ""
        async for part in TextReceiveStream(running.stderr):
            if "sweeping" in part and "sweeping" not in told:
                running.send_signal(number)
            told += part
        assert await running.wait() == ExitCode.INTERRUPTED
    assert told.endswith("skysweep: interrupted\n")
    assert "Traceback" not in told
