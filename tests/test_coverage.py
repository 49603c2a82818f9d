"""Every row of JupiterOne's tables is covered by a type or an edge that there is, or has its reason."""

from __future__ import annotations

import re

import pytest

import covering
import generated
from skysweep import catalogue

CATALOGUE = catalogue.load()
TOLD = covering.answers()
RELATIONSHIPS = dict(zip(covering.keys("relationships"), covering.rows("relationships"), strict=True))
PAGE = generated.DOCS / "coverage.md"


def test_the_tables_are_whole() -> None:
    assert {table: len(covering.keys(table)) for table in covering.TABLES} == {
        "entities": 86,
        "relationships": 156,
        "generated": 18,
    }


@pytest.mark.parametrize("table", covering.TABLES)
def test_every_row_has_its_own_entry_in_the_tables_order(table: str) -> None:
    assert list(TOLD[table]) == covering.keys(table)


@pytest.mark.parametrize("table", covering.TABLES)
def test_an_entry_names_what_covers_the_row_or_says_why_nothing_does(table: str) -> None:
    blank = [key for key, told in TOLD[table].items() if not told.names and len(told.reason) < len("not yet: why")]
    assert blank == []


@pytest.mark.parametrize("table", ["entities", "generated"])
def test_labels_that_cover_a_row_are_there(table: str) -> None:
    for told in TOLD[table].values():
        for label in told.names:
            assert covering.types(CATALOGUE, label)


def test_edges_that_cover_a_row_are_declared() -> None:
    for told in TOLD["relationships"].values():
        for name in told.names:
            assert covering.edges(CATALOGUE, name)


def test_an_edge_or_label_that_nobody_declares_is_told() -> None:
    with pytest.raises(covering.Unknown, match=r"'EC2Instance\.nothing'"):
        covering.edges(CATALOGUE, "EC2Instance.nothing")
    with pytest.raises(covering.Unknown, match=r"'AWSAccount\.RESOURCE'"):
        covering.edges(CATALOGUE, "AWSAccount.RESOURCE")
    with pytest.raises(covering.Unknown, match="'Person'"):
        covering.types(CATALOGUE, "Person")


@pytest.mark.parametrize("table", covering.TABLES)
def test_the_page_counts_the_rows_that_are_missing(table: str) -> None:
    missing = [key for key, told in TOLD[table].items() if told.missing]
    print(f"{len(missing)} of {len(TOLD[table])} rows are not covered yet: {missing}")  # noqa: T201 - pytest -s shows it
    counted = re.search(rf"Of {len(TOLD[table])} [^.]+, (\d+) are not yet\.", PAGE.read_text())
    assert counted
    assert int(counted[1]) == len(missing)


@pytest.mark.parametrize(("key", "row"), RELATIONSHIPS.items(), ids=list(RELATIONSHIPS))
def test_the_edges_that_cover_a_relationship_join_its_two_ends(key: str, row: covering.Row) -> None:
    told = TOLD["relationships"][key]
    ends = {label for name in told.names for edge in covering.edges(CATALOGUE, name) for label in covering.ends(*edge)}
    labels = {each for end in ends & set(CATALOGUE.by_label) for each in (end, *CATALOGUE.by_label[end].also)}
    assert told.reason or {row["source_label"], row["target_label"]} <= labels | {"*"}


def test_the_page_is_fresh() -> None:
    assert PAGE.read_text() == generated.pages()[PAGE], "run `nox -s docs`"
