"""What should have been against what was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from skysweep import plan
from skysweep.audit import NEVER, audit
from skysweep.ledger import Ledger, Past
from skysweep.model import Call
from skysweep.outcomes import Outcome, Quarantined, UnitResult
from skysweep.plan import Account, Unit
from world import CATALOGUE, EAST, ONE, TWO, TYPES, WEST

ACCOUNTS = [Account(ONE, regions=(EAST, WEST)), Account(TWO, regions=(EAST,))]
SWEEP = "sweep 1"


def result(unit: Unit, outcome: Outcome = Outcome.COMPLETE) -> UnitResult:
    return UnitResult(unit.target.account, unit.target.region, unit.call.service, unit.call.operation, outcome)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path) as ledger:
        ledger.begin(Past(SWEEP, 1, 1.0, "running"), ACCOUNTS)
        ledger.record(SWEEP, [(result(unit), unit.call.literal) for unit in units()])
        yield ledger


def units() -> list[Unit]:
    return list(plan.units(ACCOUNTS, CATALOGUE.calls))


def call(operation: str) -> Call:
    return next(call for call in CATALOGUE.calls if call.operation == operation)


def licensed(ledger: Ledger, type_: str) -> set[tuple[str, str]]:
    licence = audit(ledger, SWEEP, ACCOUNTS, CATALOGUE)
    return {(each["account"], each["region"]) for each in licence.scopes(TYPES[type_])}


EVERYWHERE = {(ONE, EAST), (ONE, WEST), (TWO, EAST)}


def test_a_whole_sweep_licenses_every_scope(ledger: Ledger) -> None:
    assert licensed(ledger, "Machine") == EVERYWHERE
    assert licensed(ledger, "Person") == {(ONE, plan.GLOBAL), (TWO, plan.GLOBAL)}
    assert ledger.lacking(SWEEP, 9) == []


@pytest.mark.parametrize("outcome", [Outcome.DENIED, Outcome.ABSENT, Outcome.FAILED])
def test_only_complete_units_license_and_only_their_own_types(ledger: Ledger, outcome: Outcome) -> None:
    vpcs = UnitResult(ONE, EAST, "ec2", "DescribeVpcs", outcome)
    ledger.record(SWEEP, [(vpcs, "{}")])
    assert licensed(ledger, "Network") == licensed(ledger, "Range") == EVERYWHERE - {(ONE, EAST)}
    assert licensed(ledger, "Machine") == EVERYWHERE


def test_a_unit_that_was_never_done_is_a_gap_and_licenses_nothing(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        ledger.begin(Past(SWEEP, 1, 1.0, "running"), ACCOUNTS)
        left_out = next(unit for unit in units() if unit.call == call("DescribeInstances"))
        ledger.record(SWEEP, [(result(unit), unit.call.literal) for unit in units() if unit != left_out])
        assert licensed(ledger, "Machine") == EVERYWHERE - {(left_out.target.account, left_out.target.region)}
        assert ledger.lacking(SWEEP, 9) == [replace(result(left_out, Outcome.FAILED), error=NEVER)]


def test_what_was_put_aside_was_seen_and_is_not_cleaned(ledger: Ledger) -> None:
    aside = Quarantined("Machine", "m1", ONE, WEST, "ec2:DescribeInstances", 7, "no")
    ledger.record(SWEEP, [], [aside])
    assert licensed(ledger, "Machine") == EVERYWHERE - {(ONE, WEST)}
    assert licensed(ledger, "Network") == EVERYWHERE
