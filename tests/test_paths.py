from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jmespath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skysweep import paths
from skysweep.model import Context, Record
from skysweep.paths import Spoiled

HERE = Context("123456789012", "eu-west-1", "aws-cn")

names = st.sampled_from(["A", "B", "C"])
documents = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.dictionaries(names, inner | st.lists(st.dictionaries(names, inner, max_size=3), max_size=3)),
    max_leaves=12,
)
steps = st.tuples(names, st.sampled_from(["", "[]", "[0]"])).map("".join)


@given(documents, st.lists(steps, min_size=1, max_size=3).map(".".join))
def test_a_path_reads_what_jmespath_reads_and_refuses_what_is_something_else(document: Any, path: str) -> None:
    try:
        found = paths.getter(path)(document)
    except TypeError:
        assert not fits(document, [*paths.steps(path)])
    else:
        assert found == jmespath.search(path, document)


def fits(document: Any, steps: list[tuple[str, int | None, bool]]) -> bool:
    """Whether each step of a path meets a structure or a list where it wants one, or nothing at all."""
    if document is None or not steps:
        return True
    (name, index, every), *rest = steps
    if not isinstance(document, dict):
        return False
    found = document.get(name)
    if found is None:
        return True
    if index is None and not every:
        return fits(found, rest)
    chosen = slice(None) if index is None else slice(index, index + 1)
    return isinstance(found, list) and all(fits(each, rest) for each in found[chosen])


@pytest.mark.parametrize("use", [bool, len, iter, hash, "{}".format, lambda value: value == "x", lambda value: {value}])
def test_whoever_uses_what_cannot_be_read_is_told(use: Callable[[Any], Any]) -> None:
    with pytest.raises(TypeError):
        use(Spoiled("abc"))


def test_what_cannot_be_read_is_not_absent() -> None:
    assert paths.getter("A.B")({"A": None}) is None
    item: Any
    for item in ({"A": {"B": Spoiled("abc")}}, {"A": Spoiled("abc")}, {"A": "abc"}, {"A": [{"B": 1}]}):
        with pytest.raises(TypeError, match=r"abc|\[\{"):
            paths.getter("A.B")(item)
    for item in ({"A": "abc"}, {"A": {"B": 1}}, {"A": [Spoiled("abc")]}):
        with pytest.raises(TypeError):
            paths.getter("A[].B")(item)


def test_a_list_of_lists_that_is_none_in_one_place_costs_that_place() -> None:
    reply = {"R": [{"I": [{"Id": 1}]}, {"I": "abc"}, Spoiled("abc"), {"I": [{"Id": 2}, Spoiled("abc")]}, {}]}
    found = list(paths.records("R[].I[]", reply, HERE))
    read = paths.getter("Id")
    assert [read(record.item) for record in found if isinstance(record.item, dict)] == [1, 2]
    spoiled = [record for record in found if isinstance(record.item, Spoiled)]
    assert len(spoiled) == 3
    assert "abc" in str(spoiled[0])
    for record in spoiled:
        with pytest.raises(TypeError):
            read(record.item)
    with pytest.raises(TypeError, match="no list"):
        list(paths.records("R[].I[]", {"R": "abc"}, HERE))


def test_records_climb_to_the_lists_they_were_found_in() -> None:
    reply = {"Groups": [{"Id": "g", "Rules": [{"Port": 1}, {"Port": 2}]}, {"Id": "h"}]}
    found = list(paths.records("Groups[].Rules[]", reply, HERE))
    assert [(record["Port"], paths.reader("^Id")(record)) for record in found] == [(1, "g"), (2, "g")]


def test_a_record_that_is_no_list_and_one_that_is_a_text() -> None:
    assert [record.item for record in paths.records("Block", {"Block": {"A": 1}}, HERE)] == [{"A": 1}]
    assert [record.item for record in paths.records("Urls[]", {"Urls": ["x"]}, HERE)] == ["x"]
    assert list(paths.records("Block", {}, HERE)) == []
    assert [record.item for record in paths.records("@", {"A": 1}, HERE)] == [{"A": 1}]


def test_a_template_is_null_where_a_part_is() -> None:
    record = Record({"Id": "i-1"}, HERE, Record({"Owner": "me"}, HERE))
    assert (
        paths.reader("arn:{partition}:ec2:{region}:{account}:{Id}")(record)
        == "arn:aws-cn:ec2:eu-west-1:123456789012:i-1"
    )
    assert paths.reader("{^Owner}/{Id}")(record) == "me/i-1"
    assert paths.reader("{Name}/{Id}")(record) is None


def test_climbing_above_the_reply_is_an_error() -> None:
    with pytest.raises(ValueError, match="climbs above"):
        paths.reader("^Id")(Record({}, HERE))


@pytest.mark.parametrize("path", ["A..B", "A[x]", "A[", "", "A b"])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="is no path"):
        paths.getter(path)
