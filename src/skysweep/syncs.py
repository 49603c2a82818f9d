"""Cartography's sync names, and the types that each stands for here."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import orjson


@cache
def _table() -> dict[str, list[str]]:
    table: dict[str, list[str]] = orjson.loads(files("skysweep").joinpath("data/syncs.json").read_bytes())
    return table


def syncs() -> dict[str, tuple[str, ...]]:
    """Each of Cartography 0.143's 68 sync names, in its order, with our labels; no labels where we have no type yet."""
    return {name: tuple(labels) for name, labels in _table().items()}
