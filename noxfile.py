"""Everything a change must pass, and the heavier things beside it. `nox -l` lists the sessions."""

from __future__ import annotations

from pathlib import Path

import nox

nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["lint", "types", "tests"]

PROJECT = nox.project.load_toml("pyproject.toml")


def groups(*names: str) -> list[str]:
    """The requirements of these dependency groups."""
    return list(nox.project.dependency_groups(PROJECT, *names))


@nox.session
def lint(session: nox.Session) -> None:
    """Ruff's rules and format."""
    session.install(*groups("lint"))
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")


@nox.session
def types(session: nox.Session) -> None:
    """Both type checkers, strict."""
    session.install("-e", ".[demo]", *groups("test", "types"), "nox>=2026")
    session.run("mypy")
    session.run("pyright")


@nox.session
def tests(session: nox.Session) -> None:
    """All tests: moto's server, the embedded graph and a real Neo4j, nothing skipped. Takes pytest's arguments."""
    session.install("-e", ".[demo]", *groups("test", "bench"))
    session.run("pytest", *session.posargs)


@nox.session
def soak(session: nox.Session) -> None:
    """The gates whole, which `tests` runs in short: what they print is quoted where a release is told of."""
    session.install("-e", ".[demo]", *groups("test"))
    gates = sorted(str(path) for path in Path("tests").glob("test_gate_*.py"))
    session.run("pytest", "--soak", "-s", *(session.posargs or gates))


@nox.session
def oracle(session: nox.Session) -> None:
    """One emulated estate swept by skysweep and by Cartography 0.143.0, compared node by node (needs 2 GB of disk)."""
    session.install("-e", ".[demo]", *groups("test"))
    session.run("python", "-m", "oracle.session", *session.posargs, env={"PYTHONPATH": "tests"})


@nox.session
def picture(session: nox.Session) -> None:
    """The README's picture: the demo's terminal, from its real output."""
    session.install("-e", ".[demo]")
    session.run("python", "docs/picture.py", "docs/demo.svg")


@nox.session
def docs(session: nox.Session) -> None:
    """Writes the generated pages anew; the tests fail where they are stale."""
    session.install("-e", ".[demo]", *groups("test"))
    session.run("python", "-m", "generated", env={"PYTHONPATH": "tests"})
