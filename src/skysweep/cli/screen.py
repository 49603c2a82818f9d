"""What goes where: data on stdout, everything else on stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, time
from textwrap import indent
from typing import Any

import orjson
from rich.console import Console, RenderableType
from rich.markup import escape
from rich.table import Table

from skysweep.outcomes import UnitResult
from skysweep.report import unit_dict

WIDTH = 100_000  # in a pipe a line is as long as it is


def show(*what: RenderableType) -> None:
    """Prints tables and texts on stdout, in full width where it is no terminal."""
    console = Console(soft_wrap=False, highlight=False)
    if not console.is_terminal:
        console = Console(width=WIDTH, highlight=False)
    for each in what:
        console.print(each)


def say(text: str) -> None:
    """Prints a remark on stderr."""
    Console(stderr=True, highlight=False, soft_wrap=True).print(escape(text))


def print_json(document: Any) -> None:
    """Prints one JSON document on stdout."""
    sys.stdout.write(orjson.dumps(document, default=_plain, option=orjson.OPT_INDENT_2).decode() + "\n")


def print_json_rows(document: Mapping[str, Any], name: str, rows: Iterable[Any]) -> None:
    """Prints one JSON document on stdout with the list `name` as its last member, written as its rows come."""
    write = sys.stdout.write
    write(orjson.dumps({**document, name: []}, option=orjson.OPT_INDENT_2).decode().removesuffix("]\n}"))
    between = "\n"
    for row in rows:
        write(between + indent(orjson.dumps(row, option=orjson.OPT_INDENT_2).decode(), "    "))
        between = ",\n"
    write("]\n}\n" if between == "\n" else "\n  ]\n}\n")


def ndjson(units: Iterable[UnitResult]) -> Iterator[bytes]:
    """A line of JSON for each unit."""
    for unit in units:
        yield orjson.dumps(unit_dict(unit), option=orjson.OPT_APPEND_NEWLINE)


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], title: str | None = None) -> Table:
    """A table of texts; numbers stand to the right, lists and objects are JSON."""
    made = Table(*(escape(column) for column in columns), title=title, title_justify="left")
    numeric = [bool(columns)] * len(columns)
    for row in rows:
        made.add_row(*(escape(text(value)) for value in row))
        numeric = [
            so_far and (value is None or (isinstance(value, int | float) and not isinstance(value, bool)))
            for so_far, value in zip(numeric, row, strict=True)
        ]
    for column, number in zip(made.columns, numeric, strict=True):
        column.justify = "right" if number and made.row_count else "left"
    return made


def text(value: Any) -> str:
    """A value as a cell shows it."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return orjson.dumps(value, default=_plain).decode().strip('"')


def _plain(value: Any) -> Any:
    """What JSON has no word for: other mappings and sequences, moments, the rest as text."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value)
