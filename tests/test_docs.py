"""The pages say what is so: commands parse, links lead somewhere, made pages are fresh, the walk-through works."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import os
import re
import shlex
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree as ET

import anyio
import pytest

import answers
import generated
import skysweep
import test_catalogue
from benchmarks.stores import empty
from skysweep import aws, catalogue, lint
from skysweep import settings as configuration
from skysweep.analysis.questions import QUESTIONS
from skysweep.catalogue import Catalogue, Type
from skysweep.cli import COMMANDS, main, root
from skysweep.cli.query import meant
from skysweep.demo.server import aws as emulated_aws
from skysweep.demo.session import DUMMY, Clients, Keys
from skysweep.report import ExitCode
from skysweep.settings import Settings
from skysweep.store import StoreSettings, open_store
from skysweep.syncs import syncs

HOME = Path(__file__).resolve().parents[1]
README = HOME / "README.md"
WALK = HOME / "docs" / "adding-a-resource.md"
PAGES = [*sorted(HOME.glob("*.md")), *sorted((HOME / "docs").rglob("*.md"))]
PICTURE_BYTES = 200_000


def named(path: Path) -> str:
    return str(path.relative_to(HOME))


class Block(NamedTuple):
    """A fenced block: the language, what stands after it, the text."""

    language: str
    info: str
    text: str


def blocks(path: Path) -> list[Block]:
    return [Block(*found) for found in re.findall(r"^```(\w*) ?(.*)\n((?:.*\n)*?)```$", path.read_text(), re.MULTILINE)]


def of(path: Path, language: str, info: str = "") -> list[str]:
    return [block.text for block in blocks(path) if (block.language, block.info) == (language, info)]


def prose(path: Path) -> str:
    return re.sub(r"^```.*\n(?:.*\n)*?```$", "", path.read_text(), flags=re.MULTILINE)


# Commands


def shell_lines(path: Path, info: str | None = None) -> Iterator[str]:
    for block in blocks(path):
        if block.language == "bash" and info in (None, block.info):
            yield from block.text.replace("\\\n", " ").splitlines()


def commands(path: Path) -> list[str]:
    """Every command line of ours on a page, in blocks and in the prose."""
    inline = (" ".join(code.split()) for code in re.findall(r"`([^`]+)`", prose(path)))
    parts = [part.removeprefix(".venv/bin/") for line in (*shell_lines(path), *inline) for part in line.split(" && ")]
    return [part for part in parts if part.startswith("skysweep ")]


COMMAND_LINES = sorted({(path, line) for path in PAGES for line in commands(path)})


def parsed(line: str) -> tuple[str, dict[str, Any]]:
    """The command and its parameters, as the real command line reads them."""
    arguments = shlex.split(line)[1:]
    group = root()
    context = group.make_context("skysweep", list(arguments))
    name, command, rest = group.resolve_command(context, arguments)
    return name, command.make_context(name, rest, parent=context).params


@pytest.mark.parametrize(
    ("path", "line"), COMMAND_LINES, ids=[f"{named(path)}: {line}" for path, line in COMMAND_LINES]
)
def test_a_command_in_the_pages_is_one(path: Path, line: str) -> None:
    name, parameters = parsed(line)
    assert name in COMMANDS
    wanted = (parameters.get("aws_requested_syncs") or "").split(",")
    if path != WALK:
        assert catalogue.load([each for each in wanted if each]).types
    question = parameters.get("question")
    if question and question != "NAME" and "…" not in question:
        assert meant(question)


def test_the_readme_shows_every_command() -> None:
    assert {parsed(line)[0] for line in commands(README)} == set(COMMANDS)


SAFE = [line for path in PAGES for line in shell_lines(path, "run")]


@pytest.mark.parametrize("line", SAFE)
def test_what_is_marked_as_safe_runs(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(shlex.split(line)[1:]) == ExitCode.COMPLETE
    assert capsys.readouterr().out


def test_something_is_marked_as_safe() -> None:
    assert len(SAFE) > 2


def test_the_two_commands_are_those_of_the_issue_and_of_ci() -> None:
    demo, checks = (line for line in shell_lines(README) if line.startswith("python3 -m venv"))
    assert demo == "python3 -m venv .venv && .venv/bin/pip install -q '.[demo]' && .venv/bin/skysweep demo"
    assert checks == (HOME / ".ci" / "run").read_text().splitlines()[-1]
    assert checks in (HOME / "CONTRIBUTING.md").read_text()
    project = tomllib.loads((HOME / "pyproject.toml").read_text())["project"]
    assert {"demo", "embedded"} <= set(project["optional-dependencies"])


def test_nox_sessions_in_the_pages_are_there() -> None:
    tree = ast.parse((HOME / "noxfile.py").read_text())
    sessions = {each.name for each in tree.body if isinstance(each, ast.FunctionDef) and each.decorator_list}
    asked = {name for path in PAGES for name in re.findall(r"nox -s (\w+)", path.read_text())}
    assert asked
    assert asked <= sessions


# Links, questions, made pages, the picture


def anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", prose(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_links_lead_somewhere(path: Path) -> None:
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", prose(path)) if not link.startswith("https://")]
    for link in links:
        target, _, anchor = link.partition("#")
        found = (path.parent / target).resolve() if target else path
        assert found.exists(), link
        assert not anchor or anchor in anchors(found), link


def test_the_readmes_questions_are_saved_ones() -> None:
    text = README.read_text()
    cypher = of(README, "cypher")
    assert len(cypher) > 2
    asked = [question for question in QUESTIONS.values() if f"{question.cypher}\n" in cypher]
    assert len(asked) == len(cypher)
    for question in asked:
        assert f"**{question.sentence}** (`{question.name}`)\n\n```cypher\n{question.cypher}" in text


def test_the_number_of_services_is_right() -> None:
    services = {action.partition(":")[0] for action in catalogue.load().permissions()} - {"organizations", "sts"}
    assert f"[types of {len(services)} services]" in " ".join(README.read_text().split())


MADE = generated.pages()


@pytest.mark.parametrize("path", MADE, ids=named)
def test_a_made_page_is_fresh(path: Path) -> None:
    assert path.exists(), "run `nox -s docs`"
    assert path.read_text() == MADE[path], "run `nox -s docs`"


def test_no_made_page_is_left_over() -> None:
    assert set((HOME / "docs" / "schema").glob("*.md")) <= set(MADE), "run `nox -s docs`"


def test_the_changelog_names_every_command() -> None:
    text = (HOME / "CHANGELOG.md").read_text()
    assert [name for name in COMMANDS if f"`{name}`" not in text and f"`skysweep {name}`" not in text] == []


def test_the_picture_shows_a_complete_sweep_and_its_answers() -> None:
    picture = HOME / "docs" / "demo.svg"
    assert picture.stat().st_size < PICTURE_BYTES
    text = " ".join("".join(ET.parse(picture).getroot().itertext()).split())  # noqa: S314 - our own file
    assert "$ skysweep demo" in text
    assert re.search(r"Sweep \S+: complete; 9 targets", text)
    assert QUESTIONS["exposed_instances"].sentence in text


def test_modules_named_in_the_architecture_are_there() -> None:
    text = (HOME / "docs" / "architecture.md").read_text()
    modules = set(re.findall(r"`(\w+\.py)`", text))
    assert "engine.py" in modules
    assert [name for name in modules if not (HOME / "src" / "skysweep" / name).exists()] == []


# The walk-through

Load = Callable[[str], Catalogue]
MODULE = next(block for block in blocks(WALK) if block.info.startswith("src/skysweep/aws/"))
NAME = Path(MODULE.info).stem


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Loads the catalogue with a module of this text added to `skysweep.aws`, as if it stood there."""
    assert not added(catalogue.load()), f"{NAME} is declared by now: let the page add another type"
    monkeypatch.setattr(aws, "__path__", [*aws.__path__, str(tmp_path)])

    def loaded(text: str) -> Catalogue:
        (tmp_path / f"{NAME}.py").write_text(text)
        importlib.invalidate_caches()
        return catalogue.load()

    yield loaded
    del sys.modules[f"{aws.__name__}.{NAME}"]
    delattr(aws, NAME)


def added(whole: Catalogue) -> list[Type]:
    return [type_ for type_ in whole.types if type_.cls.__module__ == f"{aws.__name__}.{NAME}"]


def test_the_pages_class_has_no_problem(load: Load) -> None:
    whole = load(MODULE.text)
    assert lint.problems(whole.types) == []
    (permissions,) = of(WALK, "text", "permissions")
    assert [action for type_ in added(whole) for action in type_.permissions] == permissions.split()
    (line,) = of(WALK, "text", "sync")
    named_so = json.loads(f"{{{line}}}")
    assert set(named_so) <= set(syncs())
    assert [type_.label for type_ in added(whole)] == [label for labels in named_so.values() for label in labels]


def test_types_are_as_long_as_the_page_says() -> None:
    counted = re.findall(r"`(\w+)` \((\d+) lines\)", WALK.read_text())
    classes = {type_.name: type_.cls for type_ in catalogue.load().types}
    assert len(counted) > 1
    assert {name: len(inspect.getsource(classes[name]).splitlines()) for name, _ in counted} == {
        name: int(lines) for name, lines in counted
    }


MISTAKES = re.findall(r"^\| `(.*?)` \| `(.*?)` \| `(.*)` \|$", WALK.read_text(), re.MULTILINE)


@pytest.mark.parametrize(("right", "wrong", "said"), MISTAKES, ids=[wrong for _, wrong, _ in MISTAKES])
def test_a_mistake_is_named_as_the_page_says(load: Load, right: str, wrong: str, said: str) -> None:
    assert right in MODULE.text
    assert lint.problems(load(MODULE.text.replace(right, wrong)).types) == said.split("` and `")


async def test_the_pages_replies_fill_everything(load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for block in blocks(WALK):
        if block.info.startswith("tests/replies/"):
            path = tmp_path / block.info
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text)
    monkeypatch.setattr(answers, "REPLIES", tmp_path / "tests" / "replies")
    types = added(load(MODULE.text))
    made = await test_catalogue._sweep(Catalogue(tuple(types)))
    for type_ in types:
        rows, links = made[type_.name]
        filled = {name for row in rows for name, value in row["props"].items() if value is not None}
        assert filled == {*type_.marks, *(each.name for each in type_.properties)}
        assert {link.edge for link in links} == set(range(len(type_.edges)))


async def test_the_pages_type_is_swept_and_asked(load: Load, embedded: StoreSettings) -> None:
    (label,) = (type_.label for type_ in added(load(MODULE.text)))
    with emulated_aws() as address:
        endpoint = address.replace("127.0.0.1", "localhost")
        clients = Clients(endpoint)
        key = clients.make("kms", "us-east-1", Keys()).create_key()["KeyMetadata"]["KeyId"]
        secrets = clients.make("secretsmanager", "us-east-1", Keys())
        secrets.create_secret(Name="shop/database", SecretString="x", KmsKeyId=key)
        secrets.create_secret(Name="shop/mail", SecretString="x")
        async with open_store(embedded) as store:
            await empty(store)
            report = await skysweep.sweep(_settings(endpoint, embedded, (label, "KMSKey")))
            (query,), (answer,) = of(WALK, "cypher"), of(WALK, "json", "answer")
            assert report.exit_code is ExitCode.COMPLETE, report.units
            assert await store.run(query) == json.loads(answer)


def _settings(endpoint: str, store: StoreSettings, names: tuple[str, ...]) -> Settings:
    made = configuration.demo(
        endpoint,
        accounts=("123456789012",),
        role_name="reader",
        regions=("us-east-1",),
        folder=store.folder,
        key=DUMMY,
    )
    return replace(made, store=store, syncs=names)


async def test_the_readmes_python_runs(tmp_path: Path) -> None:
    (script,) = of(README, "python")
    (tmp_path / "script.py").write_text(script)
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "NEO4J_", "CARTOGRAPHY_"))
    }
    with emulated_aws() as address:
        environ = kept | {
            "AWS_ENDPOINT_URL": address.replace("127.0.0.1", "localhost"),
            "AWS_ACCESS_KEY_ID": DUMMY,
            "AWS_SECRET_ACCESS_KEY": DUMMY,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_CONFIG_FILE": str(tmp_path / "none"),
            "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
            "XDG_STATE_HOME": str(tmp_path / "state"),
        }
        done = await anyio.run_process([sys.executable, str(tmp_path / "script.py")], env=environ, check=False)
    assert done.returncode == ExitCode.COMPLETE, done.stderr.decode() + done.stdout.decode()
    assert re.match(r"complete \d+ calls\n", done.stdout.decode())
