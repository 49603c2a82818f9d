from __future__ import annotations

import dataclasses
import sqlite3
from pathlib import Path

import pytest

from skysweep.errors import BadStore, LedgerLost
from skysweep.ledger import FILE, VERSION, Key, Ledger, Past
from skysweep.outcomes import DetailFailure, Outcome, Quarantined, UnitResult
from skysweep.plan import Account

UNIT = UnitResult(
    *("123456789012", "us-east-1", "ec2", "DescribeInstances", Outcome.COMPLETE, 7, 3, 1.5, None),
    details=(DetailFailure("ec2", "DescribeImages", Outcome.DENIED, 2, "UnauthorizedOperation: no"),),
)
ASIDE = Quarantined("EC2Instance", "i-1", UNIT.account, UNIT.region, "ec2:DescribeInstances", 7, "id: there is none")
ONE, TWO = Past("one", 1, 1.0, "running", "f"), Past("two", 2, 2.0, "running", "f")
ACCOUNTS = [Account("123456789012", "shop", "aws", ("eu-west-1", "us-east-1")), Account("210987654321")]


def test_units_and_reports_come_back_as_they_were_noted(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        ledger.begin(ONE, [])
        ledger.record("one", [(UNIT, "{}"), (UNIT, '{"Owners":["self"]}')])
        ledger.finish("one", "complete", {"sweep": "one"})
        ledger.begin(TWO, [])
    with Ledger(tmp_path) as ledger:
        assert [(past.id, past.status) for past in ledger.sweeps()] == [("two", "running"), ("one", "complete")]
        assert ledger.report() == ledger.report("one") == {"sweep": "one"}
        assert ledger.report("two") is None
        assert list(ledger.units("one")) == [UNIT, UNIT]
        assert list(ledger.units("two")) == []


def test_links_wait_in_the_order_of_their_keys_and_equal_ones_are_one(tmp_path: Path) -> None:
    links = [("1", "A.b", f"s{number:03}", "t", "us-east-1", "{}") for number in range(7)]
    with Ledger(tmp_path) as ledger:
        ledger.begin(ONE, [])
        ledger.spool("one", [*reversed(links), links[0], ("2", "A.c", "s", "t", "global", "{}")])
        assert list(ledger.spooled("one")) == [("1", "A.b"), ("2", "A.c")]
        read: list[str] = []
        after = ("", "")
        while page := ledger.links("one", "1", "A.b", after, 3):
            read += [start for start, *_ in page]
            after = page[-1][0], page[-1][1]
        assert read == [f"s{number:03}" for number in range(7)]
        assert list(ledger.spooled("two")) == []
        ledger.finish("one", "complete", {})
        assert list(ledger.spooled("one")) == []


def test_two_records_that_tell_an_edge_differently_tell_it_the_same_in_any_order(tmp_path: Path) -> None:
    told = [("1", "A.b", "s", "t", "us-east-1", '{"port":1}'), ("1", "A.b", "s", "t", "eu-west-1", '{"port":2}')]
    seen = []
    for number, links in enumerate((told, told[::-1])):
        with Ledger(tmp_path / str(number)) as ledger:
            ledger.spool("one", links)
            seen.append(ledger.links("one", "1", "A.b", ("", ""), 9))
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


def test_an_unfinished_sweep_is_gone_on_with_where_it_was(tmp_path: Path) -> None:
    failed = dataclasses.replace(UNIT, region="eu-west-1", outcome=Outcome.FAILED, details=())
    stumbled = dataclasses.replace(
        UNIT, region="ap-east-1", details=(dataclasses.replace(UNIT.details[0], outcome=Outcome.FAILED),)
    )
    with Ledger(tmp_path) as ledger:
        ledger.begin(ONE, ACCOUNTS)
        ledger.record("one", [(UNIT, "{}"), (failed, "{}"), (stumbled, "{}")], [ASIDE], {"calls": [9, 1, 2, 3]})
        ledger.count("one", {"nodes": {"EC2Instance": 4}})
        ledger.spool("one", [("1", "A.b", "s", "t", "us-east-1", "{}")])
    with Ledger(tmp_path) as ledger:
        assert ledger.unfinished() == ONE
        assert ledger.accounts("one") == ACCOUNTS
        ledger.resume("one")
        assert ledger.done("one", UNIT.account) == {Key("us-east-1", "ec2", "DescribeInstances", "{}"): UNIT}
        assert ledger.counts("one") == {"calls": [9, 1, 2, 3], "nodes": {"EC2Instance": 4}}
        assert ledger.quarantined("one") == [ASIDE]
        assert list(ledger.spooled("one")) == [("1", "A.b")]
        ledger.finish("one", "incomplete", {})
        assert ledger.unfinished() is None
        assert (list(ledger.spooled("one")), ledger.accounts("one")) == ([], [])


def test_what_is_walked_again_is_put_aside_again_or_not_at_all(tmp_path: Path) -> None:
    failed = dataclasses.replace(UNIT, region="eu-west-1", outcome=Outcome.FAILED, details=())
    kept, again, lost = (dataclasses.replace(ASIDE, region=region) for region in (UNIT.region, failed.region, "x"))
    with Ledger(tmp_path) as ledger:
        ledger.begin(ONE, ACCOUNTS)
        ledger.record("one", [(UNIT, "{}"), (failed, "{}")], [kept, again, lost])
        ledger.resume("one")
        assert ledger.quarantined("one") == [kept]


def test_the_last_sweep_is_the_last_whatever_the_clock_said(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        ledger.begin(TWO, [])
        ledger.finish("two", "interrupted", {"sweep": "two"})
        ledger.begin(ONE, [])
        ledger.finish("one", "complete", {"sweep": "one"})
        assert [each.id for each in ledger.sweeps()] == ["one", "two"]
        assert ledger.report() == {"sweep": "one"}
        assert ledger.unfinished() is None


def test_only_the_last_sweep_can_be_unfinished(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        assert ledger.unfinished() is None
        ledger.begin(ONE, [])
        ledger.begin(TWO, [])
        ledger.finish("two", "complete", {})
        assert ledger.unfinished() is None


def test_gaps_are_the_units_that_are_not_whole(tmp_path: Path) -> None:
    absent = dataclasses.replace(UNIT, region="eu-west-1", outcome=Outcome.ABSENT, details=())
    whole = dataclasses.replace(UNIT, region="ap-east-1", details=())
    denied = dataclasses.replace(UNIT, region="me-south-1", outcome=Outcome.DENIED, details=())
    with Ledger(tmp_path) as ledger:
        ledger.begin(ONE, [])
        ledger.record("one", [(each, "{}") for each in (UNIT, absent, whole, denied)])
        assert ledger.lacking("one", 9) == [denied, UNIT]
        assert ledger.outcomes("one") == {Outcome.COMPLETE: 2, Outcome.ABSENT: 1, Outcome.DENIED: 1}


def test_a_damaged_ledger_is_one_clear_line(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        ledger.begin(ONE, ACCOUNTS)
    with (tmp_path / FILE).open("r+b") as file:
        file.seek(0, 2)
        size, head = file.tell(), 3 * 4096  # the schema's pages stay
        file.seek(head)
        file.write(b"\xff" * (size - head))
    with Ledger(tmp_path) as ledger, pytest.raises(LedgerLost, match=r"is damaged: .* malformed; move it away"):
        ledger.begin(TWO, ACCOUNTS)


def test_a_sweep_that_asked_and_was_killed_is_known_and_forgotten_by_the_next(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        ledger.begin(ONE, ACCOUNTS)
        ledger.announce("two")
        assert ledger.ids() == {"one", "two"}
        unfinished = ledger.unfinished()
        assert unfinished is not None
        assert unfinished.id == "one"
        ledger.announce("three")
        ledger.begin(Past("three", 3, 3.0, "running"), ACCOUNTS)
        assert ledger.ids() == {"one", "three"}


def test_a_full_disk_is_one_loud_line_and_takes_nothing_away(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        ledger.begin(ONE, [])
        ledger.record("one", [(UNIT, "{}")])
        ledger._database.execute("PRAGMA max_page_count = 1")  # SQLite's own way to run out of room
        many = [("1", "A.b", f"{number:0200}", "t", "us-east-1", "{}") for number in range(5000)]
        with pytest.raises(LedgerLost, match="cannot be written: database or disk is full; make room"):
            ledger.spool("one", many)
    with Ledger(tmp_path) as ledger:
        assert list(ledger.units("one")) == [UNIT]
        assert list(ledger.spooled("one")) == []


def test_the_ledger_of_an_older_version_keeps_its_sweeps(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / FILE) as database:
        database.executescript(
            "CREATE TABLE sweeps (id TEXT PRIMARY KEY, update_tag INTEGER NOT NULL, started REAL NOT NULL, "
            "status TEXT NOT NULL, report TEXT); CREATE TABLE links (account TEXT);"
            "INSERT INTO sweeps VALUES ('old', 7, 1.0, 'complete', '{\"sweep\":\"old\"}');"
            "INSERT INTO sweeps VALUES ('dead', 8, 2.0, 'running', NULL)"
        )
    database.close()
    with Ledger(tmp_path) as ledger:
        assert [each.id for each in ledger.sweeps()] == ["dead", "old"]
        assert ledger.report("old") == {"sweep": "old"}
        assert ledger.unfinished() is None, "its spool has another form"
        ledger.begin(ONE, ACCOUNTS)


def test_the_ledger_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / FILE) as database:
        database.execute(f"PRAGMA user_version = {VERSION + 1}")
    database.close()
    with pytest.raises(BadStore, match="newer skysweep"):
        Ledger(tmp_path)


def test_the_units_of_old_sweeps_are_forgotten_and_their_reports_kept(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        for number in range(8):
            name = f"sweep {number}"
            ledger.begin(Past(name, number, float(number), "running"), [])
            ledger.record(name, [(UNIT, "{}")])
            ledger.finish(name, "complete", {"sweep": name})
        assert [len(list(ledger.units(f"sweep {number}"))) for number in range(8)] == [0, 0, 1, 1, 1, 1, 1, 1]
        assert ledger.report("sweep 0") == {"sweep": "sweep 0"}
