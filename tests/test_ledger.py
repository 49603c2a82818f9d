from __future__ import annotations

from pathlib import Path

import pytest

from skysweep.errors import BadStore
from skysweep.ledger import FILE, Ledger
from skysweep.outcomes import DetailFailure, Outcome, UnitResult

UNIT = UnitResult(
    *("123456789012", "us-east-1", "ec2", "DescribeInstances", Outcome.COMPLETE, 7, 3, 1.5, None),
    details=(DetailFailure("ec2", "DescribeImages", Outcome.DENIED, 2, "UnauthorizedOperation: no"),),
)


def test_units_and_reports_come_back_as_they_were_noted(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        ledger.begin("one", 1, 1.0)
        ledger.record("one", [(UNIT, "{}"), (UNIT, '{"Owners":["self"]}')])
        ledger.finish("one", "complete", {"sweep": "one"})
        ledger.begin("two", 2, 2.0)
    with Ledger(tmp_path) as ledger:
        assert [(past.id, past.status) for past in ledger.sweeps()] == [("two", "running"), ("one", "complete")]
        assert ledger.report() == ledger.report("one") == {"sweep": "one"}
        assert ledger.report("two") is None
        assert list(ledger.units("one")) == [UNIT, UNIT]
        assert list(ledger.units("two")) == []


def test_links_wait_in_the_order_of_their_keys_and_equal_ones_are_one(tmp_path: Path) -> None:
    links = [("1", "A.b", f"s{number:03}", "t", "us-east-1", "{}") for number in range(7)]
    with Ledger(tmp_path) as ledger:
        ledger.begin("one", 1, 1.0)
        ledger.spool([*reversed(links), links[0], ("2", "A.c", "s", "t", "global", "{}")])
        assert sorted(ledger.spooled()) == [("1", "A.b"), ("2", "A.c")]
        read: list[str] = []
        after = ("", "")
        while page := ledger.links("1", "A.b", after, 3):
            read += [start for start, *_ in page]
            after = page[-1][0], page[-1][1]
        assert read == [f"s{number:03}" for number in range(7)]
        ledger.empty_spool()
        assert ledger.spooled() == []


def test_two_records_that_tell_an_edge_differently_tell_it_the_same_in_any_order(tmp_path: Path) -> None:
    told = [("1", "A.b", "s", "t", "us-east-1", '{"port":1}'), ("1", "A.b", "s", "t", "eu-west-1", '{"port":2}')]
    seen = []
    for number, links in enumerate((told, told[::-1])):
        with Ledger(tmp_path / str(number)) as ledger:
            ledger.spool(links)
            seen.append(ledger.links("1", "A.b", ("", ""), 9))
    assert seen[0] == seen[1]


def test_two_sweeps_at_once_are_refused(tmp_path: Path) -> None:
    with Ledger(tmp_path) as one, Ledger(tmp_path) as other:
        with one.alone(), pytest.raises(BadStore, match="another sweep is under way"), other.alone():
            pytest.fail("the second sweep began")
        with other.alone():
            pass


def test_what_is_no_ledger_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("no database" * 100)
    with pytest.raises(BadStore, match="cannot be opened"):
        Ledger(tmp_path)
