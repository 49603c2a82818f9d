from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import anyio
import pytest

from skysweep import books, plan
from skysweep.books import Books
from skysweep.catalogue import Catalogue
from skysweep.errors import BadSettings, LedgerLost
from skysweep.ledger import Ledger, Past
from skysweep.outcomes import Outcome, Quarantined, Tally, UnitResult
from skysweep.plan import Account, Unit
from world import CATALOGUE, EAST, ONE, WEST

ACCOUNTS = [Account(ONE, "shop", regions=(EAST, WEST))]


def result(unit: Unit) -> UnitResult:
    return UnitResult(unit.target.account, unit.target.region, unit.call.service, unit.call.operation, Outcome.COMPLETE)


def opened(ledger: Ledger) -> Books:
    made = books.new(ledger, Tally(), ACCOUNTS, CATALOGUE)
    made.begin(7)
    return made


async def test_what_is_noted_is_not_to_do_again(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        first = opened(ledger)
        first.tally.planned({ONE: plan.count(ACCOUNTS[0], CATALOGUE.calls)})
        every = list(first.to_do(CATALOGUE))
        for unit in every[:3]:
            first.finished(unit, result(unit))
        first.tally.calls, first.deleted.nodes["Machine"] = 11, 2
        await first.note()
        first.finished(every[3], result(every[3]))  # the process is killed before this is noted
    with Ledger(tmp_path) as ledger:
        past = ledger.unfinished()
        assert past is not None
        again = books.again(ledger, Tally(), past, CATALOGUE)
        again.begin(past.update_tag)
        again.tally.planned({ONE: len(every)})
        assert list(again.to_do(CATALOGUE)) == every[3:]
        assert (again.id, again.accounts, again.tag) == (first.id, ACCOUNTS, 7)
        assert (again.tally.calls, again.tally.units_done, again.deleted.nodes) == (11, 3, {"Machine": 2})


async def test_units_are_noted_as_they_end_together_with_what_was_put_aside(tmp_path: Path) -> None:
    aside = Quarantined("Machine", "m1", ONE, EAST, "ec2:DescribeInstances", 3, "no")
    with Ledger(tmp_path) as ledger:
        made = opened(ledger)
        unit, *_ = made.to_do(CATALOGUE)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(made.keep)
            made.aside.append(aside)
            made.finished(unit, result(unit))
            with anyio.fail_after(20):
                while not list(ledger.units(made.id)):
                    await anyio.lowlevel.checkpoint()
            tasks.cancel_scope.cancel()
        assert ledger.quarantined(made.id) == [aside]
        assert made.aside == []


async def test_what_could_not_be_noted_is_in_the_next_note(tmp_path: Path) -> None:
    aside = Quarantined("Machine", "m1", ONE, EAST, "ec2:DescribeInstances", 3, "no")
    with Ledger(tmp_path) as ledger:
        made = opened(ledger)
        unit, *_ = made.to_do(CATALOGUE)
        made.aside.append(aside)
        made.finished(unit, result(unit))
        with anyio.CancelScope() as scope:
            scope.cancel()
            await made.note()
        ledger._database.execute("PRAGMA query_only = 1")
        with pytest.raises(LedgerLost):
            await made.note()
        ledger._database.execute("PRAGMA query_only = 0")
        assert list(ledger.units(made.id)) == []
        await made.note()
        assert list(ledger.units(made.id)) == [result(unit)]
        assert ledger.quarantined(made.id) == [aside]
        assert made.aside == []


def test_another_selection_is_not_gone_on_with(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        opened(ledger)
        past = ledger.unfinished()
        assert past is not None
        with pytest.raises(BadSettings, match="another selection; give the same --aws-requested-syncs"):
            books.again(ledger, Tally(), past, Catalogue(CATALOGUE.types[:2]))


@pytest.mark.parametrize(
    ("begun_by", "last_tag", "expected"),
    [
        (version("skysweep"), 7, True),
        (version("skysweep"), 8, False),
        (version("skysweep"), 6, False),
        (version("skysweep"), 0, False),
        ("0.0.1", 7, False),
        ("", 7, False),
    ],
    ids=[
        *("ours", "another sweep came after it", "a restored graph", "an empty graph"),
        *("an older version's", "unknown"),
    ],
)
def test_what_cannot_be_gone_on_with_is_begun_anew(begun_by: str, last_tag: int, expected: bool) -> None:
    assert books.resumable(Past("one", 7, 1.0, "running", f"{begun_by} digest"), last_tag) is expected
