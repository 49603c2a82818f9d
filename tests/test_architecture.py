"""The rule of docs/architecture.md: a module imports only what stands before it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "skysweep"

# Each line may import the lines above it, and its own. `sweep`, `cli` and the package itself see all.
ORDER = [
    {"errors", "readonly", "address", "turns"},
    {"model", "outcomes", "permissions", "syncs", "regions", "policies", "arns"},
    {"paths", "plan", "rollout", "members", "order"},
    {"decoding"},
    {"arcadedb", "_embedded", "store", "transport", "replies", "requests", "retry", "limits", "silence", "identity"},
    {"aws", "pagers", "exchange"},
    {"catalogue", "lint"},
    {"clients"},
    {"settings"},
    {"asking"},
    {"paging"},
    {"entry"},
    {"targets"},
    {"calls", "ledger", "lease"},
    {"books"},
    {"records"},
    {"cypher"},
    {"writer", "cleanup"},
    {"outbox", "audit", "freshness"},
    {"analysis"},
    {"report", "progress"},
    {"channel", "shelf"},
    {"collector"},
    {"crew"},
    {"_collecting"},
    {"findings"},
    {"probe", "storage"},
    {"engine", "doctor"},
    {"demo", "cli", "__init__", "__main__"},
]
RANK = {name: rank for rank, names in enumerate(ORDER) for name in names}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def place(path: Path) -> str:
    """The module's name on the line: its folder's, where it is in one."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "skysweep":
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("skysweep."):
            names.add((node.module or "").split(".")[1])
        elif isinstance(node, ast.Import):
            names |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("skysweep.")}
    return names


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_what_stands_before_it(path: Path) -> None:
    own = place(path)
    assert own in RANK, f"{own} has no place on the line: docs/architecture.md"
    wrong = {name for name in imported(path) if name in RANK and RANK[name] > RANK[own]}
    assert not wrong, f"{own} imports {', '.join(sorted(wrong))}, which come after it"


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_modules_stay_readable(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 420
