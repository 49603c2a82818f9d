"""skysweep, as its users run it: the command line."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.estates import ROLE, Fake
from benchmarks.measure import Program
from benchmarks.rivals import environ
from benchmarks.stores import Held
from skysweep.report import ExitCode

CODES = (ExitCode.COMPLETE, ExitCode.INCOMPLETE)
MOST_NAMED = 1_000  # accounts on a command line; more are the organization's


def sync(fake: Fake, held: Held, home: Path, *options: str) -> Program:
    """`skysweep sync --json` of every account of the fake AWS into the store, with further options."""
    words = ["sync", "--json", "--log-format", "text", *whom(fake), "--store", str(held.folder), *options]
    variables: dict[str, str] = {}
    if held.settings.uri:
        words += ["--neo4j-uri", held.settings.uri]
        given = {"USER": held.settings.user, "PASSWORD": held.settings.password, "DATABASE": held.settings.database}
        variables = {f"NEO4J_{name}": value for name, value in given.items() if value}
    return Program([sys.executable, "-m", "skysweep.cli", *words], environ(fake.url, home, **variables))


def plan(fake: Fake, home: Path) -> Program:
    """`skysweep plan --json` of every account of the fake AWS."""
    words = [sys.executable, "-m", "skysweep.cli", "plan", "--json", *whom(fake)]
    return Program(words, environ(fake.url, home))


def whom(fake: Fake) -> list[str]:
    """The options that name the fake AWS's accounts and regions."""
    named = ["--accounts", ",".join(fake.accounts)] if len(fake.accounts) <= MOST_NAMED else ["--organization"]
    return [*named, "--role-name", ROLE, "--aws-regions", ",".join(fake.regions)]


def report(out: str) -> dict[str, Any]:
    """The report that `sync --json` has printed."""
    told: dict[str, Any] = json.loads(out)
    return told


def written(told: Mapping[str, Any]) -> int:
    """The nodes and edges that a sweep has written, by its report."""
    return sum(change["written"] for name in ("nodes", "edges") for change in told[name].values())


def records(lines: Iterable[str]) -> int:
    """The items that a sweep's listings told of, by the lines of its `--report` file."""
    return sum(json.loads(line)["records"] for line in lines)
