from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import anyio
from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.table import Table
from typer import Option

from skysweep import settings
from skysweep.analysis.questions import QUESTIONS, Question
from skysweep.cli import options
from skysweep.cli.query import Answer, ask
from skysweep.cli.screen import print_json, say, show, table
from skysweep.cli.sync import swept
from skysweep.demo.estate import Estate, build
from skysweep.demo.server import aws
from skysweep.demo.session import DUMMY, require_loopback
from skysweep.progress import LogFormat
from skysweep.report import Report
from skysweep.store import StoreSettings, open_store

BESIDE = 140  # columns from which on the Cypher stands beside its answer, else below

Log = Annotated[LogFormat | None, Option("--log-format", help="Log lines instead of the live display.")]


def demo(store: options.Store = None, log_format: Log = None, json: options.Json = False) -> int:
    """Sweep a small emulated organization; needs no AWS account."""
    folder = settings.embedded_folder(store or settings.default_folder() / "demo")
    started = time.monotonic()
    with aws() as address:
        endpoint = require_loopback(f"http://localhost:{urlsplit(address).port}")
        with _timed("built an organization in an emulated AWS on this machine"):
            estate = build(address)
        chosen = _settings(endpoint, estate, folder)
        report = anyio.run(swept, chosen, log_format)
    questions = [question for name, question in QUESTIONS.items() if name in estate.answers]
    answers = anyio.run(_answers, chosen.store, questions)
    if json:
        print_json({"report": report.to_dict(), "answers": {name: each.dicts() for name, each in answers.items()}})
    else:
        _tell(report, questions, answers)
        say(_further(folder, time.monotonic() - started))
    return report.exit_code


def _settings(endpoint: str, estate: Estate, folder: Path) -> settings.Settings:
    return settings.demo(
        endpoint,
        accounts=tuple(estate.accounts),
        role_name=estate.role_name,
        regions=estate.regions,
        folder=folder,
        key=DUMMY,
    )


@contextmanager
def _timed(what: str) -> Iterator[None]:
    started = time.monotonic()
    yield
    say(f"{what} ({time.monotonic() - started:.1f} s)")


async def _answers(graph: StoreSettings, questions: Iterable[Question]) -> dict[str, Answer]:
    async with open_store(graph, read_only=True) as store:
        return {question.name: await ask(store, question.cypher, question.columns) for question in questions}


def _tell(report: Report, questions: Iterable[Question], answers: dict[str, Answer]) -> None:
    wide = Console().width >= BESIDE
    show(report)
    for question in questions:
        answer = answers[question.name]
        show("", f"[bold]{escape(question.sentence)}[/bold]", _with_cypher(answer, question.cypher, wide=wide))


def _with_cypher(answer: Answer, cypher: str, *, wide: bool) -> RenderableType:
    told = table(answer.columns, answer.rows)
    query = f"[dim]{escape(cypher)}[/dim]"
    if not wide:
        return Group(told, query)
    beside = Table.grid(padding=(0, 4))
    beside.add_row(told, query)
    return beside


def _further(folder: Path, seconds: float) -> str:
    return (
        f"\nThe graph is in {folder}. To look further:\n"
        f"  skysweep query --store {folder} --list\n"
        f'  skysweep query --store {folder} "MATCH (a:AWSAccount)-[:RESOURCE]->(n) RETURN a.name, count(n)"\n'
        f"  skysweep serve --store {folder}\n"
        f"{seconds:.0f} s in all"
    )
