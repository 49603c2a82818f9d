"""What a run has measured, told: tables for the terminal, JSON, and Markdown between the markers of a page."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console
from rich.markup import escape
from rich.table import Table as RichTable

Cell = str | int | float | None
HUNDRED, TEN = 100, 10
WIDE = 140  # columns of what is not read on a terminal


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under columns; the first column names the row, numbers stand to the right."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]

    def rich(self) -> RichTable:
        """For a terminal."""
        made = RichTable(title=escape(self.title), title_justify="left")
        for number, column in enumerate(self.columns):
            made.add_column(escape(column), justify="right" if number else "left", overflow="fold")
        for row in self.rows:
            made.add_row(*(escape(shown(cell)) for cell in row))
        return made

    def markdown(self) -> Iterator[str]:
        """Its lines in Markdown."""
        yield f"**{self.title}**"
        yield ""
        yield f"| {' | '.join(self.columns)} |"
        yield f"| --- |{' ---: |' * (len(self.columns) - 1)}"
        yield from (f"| {' | '.join(shown(cell) for cell in row)} |" for row in self.rows)


@dataclass(slots=True)
class Result:
    """One run of a command. name: of its part of a page. figures: what the tables are made of, and ratios.

    json, page: the files that it goes to as well.
    """

    name: str
    command: str
    machine: Mapping[str, str]
    json: Path | None = None
    page: Path | None = None
    figures: dict[str, Any] = field(default_factory=dict)
    tables: list[Table] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def tell(self) -> None:
        """Prints the tables, and writes what goes to files."""
        self.show()
        if self.json:
            self.save_json(self.json)
        if self.page:
            self.save_markdown(self.page)

    def show(self) -> None:
        """Prints the tables."""
        console = Console()
        if not console.is_terminal:
            console = Console(width=WIDE)
        for table in self.tables:
            console.print(table.rich())
        for remark in self.remarks:
            console.print(escape(remark))

    def save_json(self, path: Path) -> None:
        """Writes everything as one JSON document."""
        document = {"command": self.command, "machine": self.machine, "figures": self.figures, "remarks": self.remarks}
        path.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))

    def save_markdown(self, path: Path) -> None:
        """Puts command, machine and tables between the markers of this part of a page; at its end without them."""
        begin, end = f"<!-- measured: {self.name} -->", f"<!-- end: {self.name} -->"
        made = "\n".join([begin, *self._markdown(), end])
        page = path.read_text(encoding="utf-8") if path.exists() else ""
        between = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
        found = between.sub(lambda _: made, page) if between.search(page) else f"{page}\n{made}\n".lstrip()
        path.write_text(found, encoding="utf-8")

    def _markdown(self) -> Iterator[str]:
        facts = ", ".join(f"{name} {value}" for name, value in self.machine.items())
        yield f"`{self.command}`: {facts}."
        for table in self.tables:
            yield ""
            yield from table.markdown()
        for remark in self.remarks:
            yield ""
            yield remark


def shown(cell: Cell) -> str:
    """A cell's text: three digits that count, thousands apart; nothing for what was not measured."""
    if cell is None:
        return ""
    if isinstance(cell, float):
        size = abs(cell)
        return f"{cell:,.0f}" if size >= HUNDRED else f"{cell:.1f}" if size >= TEN else f"{cell:.2f}"
    return f"{cell:,}" if isinstance(cell, int) else cell


def ratio(of: float | None, to: float | None) -> float | None:
    """One figure over another; None where there is none, or nothing to divide by."""
    return of / to if of is not None and to else None
