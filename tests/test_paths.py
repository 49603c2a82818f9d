from __future__ import annotations

from typing import Any

import jmespath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skysweep import paths
from skysweep.model import Context, Record

HERE = Context("123456789012", "eu-west-1", "aws-cn")

names = st.sampled_from(["A", "B", "C"])
documents = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.dictionaries(names, inner | st.lists(st.dictionaries(names, inner, max_size=3), max_size=3)),
    max_leaves=12,
)
steps = st.tuples(names, st.sampled_from(["", "[]", "[0]"])).map("".join)


@given(documents, st.lists(steps, min_size=1, max_size=3).map(".".join))
def test_a_path_reads_what_jmespath_reads(document: Any, path: str) -> None:
    assert paths.getter(path)(document) == jmespath.search(path, document)


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
