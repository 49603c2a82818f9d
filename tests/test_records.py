"""What becomes of records that are not what their declaration says."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from skysweep.catalogue import declared
from skysweep.model import Context, Link, Record, Resource, Unanswered, at, by, call, detail, to
from skysweep.paths import Spoiled
from skysweep.records import LONGEST, Linked, Maker, Unfit

THINGS = call("ec2", "DescribeInstances", "Reservations[].Instances[]")
DETAIL = detail("ec2", "DescribeInstanceAttribute", on=THINGS, InstanceId="InstanceId", Attribute=lambda _: "userData")
HERE = Context("123456789012", "us-east-1")


def counted(record: Record) -> Any:
    return None if record["Number"] is None else int(record["Number"])


def linked(record: Record) -> list[Link]:
    return [Link("c", {"colour": "blue", "port": 1})] if record["Name"] == "red" else []


class Other(Resource):
    """What is pointed at."""

    source = THINGS
    id: str = at("InstanceId")


class Thing(Resource):
    """One of every kind."""

    source = THINGS
    id: str = at("Id")
    name: str = at("Name")
    count: int = at("Count")
    share: float = at("Share")
    when: datetime = at("When")
    names: list[str] = at("Names")
    told: str = at("Told", of=DETAIL)
    there: bool = at(lambda record: bool(record.reply(DETAIL)))

    parts: list[Other] = to("HAS", "Parts", colour="Name")
    number: Other = by("COUNTS", counted)
    sources: list[Other] = by("FEEDS", linked, colour="Name")


class Owned(Resource):
    """What others list, too."""

    source = THINGS
    owned_by = "OwnerId"
    id: str = at("Id")


MAKER = Maker(declared(Thing), 7)


def record(**item: Any) -> Record:
    made = Record({"Id": "x", "Number": None, **item}, HERE)
    made.replies[DETAIL.call] = {"Told": "t"}
    return made


def test_a_row_has_what_the_record_says_and_null_for_what_it_does_not() -> None:
    noon = datetime(2026, 1, 2, tzinfo=UTC)
    row = MAKER.row(record(Name="n", Count=3, Share=2, When=noon, Names=["a", None]))
    assert row == {
        "id": "x",
        "props": {
            "id": "x",
            "name": "n",
            "count": 3,
            "share": 2.0,
            "when": noon,
            "names": ["a"],
            "told": "t",
            "there": True,
            "_seen_DescribeInstanceAttribute": 7,
        },
    }
    assert MAKER.row(record())["props"]["name"] is None


def test_what_a_failed_detail_would_have_told_is_left_out() -> None:
    failed = record()
    failed.failed.add(DETAIL.call)
    props = MAKER.row(failed)["props"]
    assert "told" not in props
    assert "there" not in props
    assert "_seen_DescribeInstanceAttribute" not in props, "so that the graph keeps which sweep had them last"
    with pytest.raises(Unanswered):
        failed.reply(DETAIL)


def test_a_detail_that_has_nothing_to_tell_is_answered_too() -> None:
    told = record()
    told.replies[DETAIL.call] = {}
    assert MAKER.row(told)["props"].items() >= {"told": None, "_seen_DescribeInstanceAttribute": 7}.items()


@pytest.mark.parametrize(
    "item",
    [
        {"Name": 3},
        {"Count": "3"},
        {"Count": True},
        {"Share": "x"},
        {"When": "now"},
        {"Names": "a"},
        {"Names": [1]},
        {"Id": ""},
        {"Name": "a\0b"},
        {"Name": "half \ud83d of it"},
        {"Name": "x" * (LONGEST + 1)},
        {"Names": ["a", "b\0"]},
        {"Count": 2**63},
        {"Name": Spoiled("x")},
        {"Names": [Spoiled("x")]},
        {"Names": Spoiled("x")},
    ],
    ids=lambda item: str(item)[:40],
)
def test_a_value_that_is_not_what_is_declared_makes_the_record_unfit(item: dict[str, Any]) -> None:
    with pytest.raises(Unfit):
        MAKER.row(record(**item))


def test_links_are_texts_once_each_with_the_edges_own_properties() -> None:
    assert list(MAKER.links(record(Parts=["a", "b", "a"], Name="red"), "x")) == [
        Linked(0, "x", "a", {"colour": "red"}),
        Linked(0, "x", "b", {"colour": "red"}),
        Linked(2, "c", "x", {"colour": "blue", "port": 1}),
    ]


@pytest.mark.parametrize("text", ["x" * LONGEST, "é\U0001f600", "\x01\x7f"])
def test_a_text_that_the_graph_can_hold(text: str) -> None:
    assert MAKER.row(record(Name=text))["props"]["name"] == text


@pytest.mark.parametrize(
    "item",
    [
        {"Parts": [1]},
        {"Number": "seven"},
        {"Number": "7"},
        {"Parts": ["a\0b"]},
        {"Parts": ["\ud83d"]},
        {"Parts": ["x" * (LONGEST + 1)]},
        {"Parts": [Spoiled("x")]},
        {"Parts": Spoiled("x")},
        {"Parts": ["a"], "Name": "red\0"},
        {"Parts": ["a"], "Name": Spoiled("x")},
    ],
    ids=lambda item: str(item)[:40],
)
def test_an_edge_that_cannot_be_read_makes_the_record_unfit(item: dict[str, Any]) -> None:
    with pytest.raises(Unfit):
        list(MAKER.links(record(**item), "x"))


def test_an_unfit_records_id_is_told_where_it_can_be() -> None:
    assert MAKER.id(record(Count="many")) == "x"
    for odd in (None, 7, "x\0", Spoiled("x")):
        assert MAKER.id(record(Id=odd)) is None
    assert MAKER.id(Record(Spoiled("x"), HERE)) is None


def test_an_owner_that_cannot_be_read_makes_the_record_unfit() -> None:
    maker = Maker(declared(Owned))
    assert maker.row(Record({"Id": "x", "OwnerId": "210987654321"}, HERE))["owner"] == "210987654321"
    assert "owner" not in maker.row(Record({"Id": "x", "OwnerId": HERE.account}, HERE))
    several: list[Any] = [Spoiled("x"), 7, {}, "x" * (LONGEST + 1)]
    for odd in several:
        with pytest.raises(Unfit, match="owner: "):
            maker.row(Record({"Id": "x", "OwnerId": odd}, HERE))
