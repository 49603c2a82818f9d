"""What a sweep holds in memory does not grow with what it is told: measured at two sizes, per account."""

from __future__ import annotations

import tracemalloc
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skysweep import books, freshness, plan
from skysweep.audit import audit
from skysweep.books import Books
from skysweep.ledger import Ledger, Past
from skysweep.outcomes import DetailFailure, Gap, Outcome, Quarantined, Tally, UnitResult, gaps
from skysweep.plan import Account, Unit
from skysweep.report import LISTED
from world import CATALOGUE, TYPES

FEW, MANY = 100, 1_000
REGIONS = tuple(f"eu-west-{number}" for number in range(10))
BYTES = 600  # an account may cost: its number, its name in a table, its bits


def named(count: int) -> list[Account]:
    return [Account(f"{number:012}", regions=REGIONS) for number in range(count)]


def denied(unit: Unit) -> UnitResult:
    place = unit.target.account, unit.target.region, unit.call.service, unit.call.operation
    failure = DetailFailure("s3", "GetBucketEncryption", Outcome.FAILED, 3, f"of {unit.target.account}")
    return UnitResult(*place, Outcome.DENIED, error=f"not {unit.target.account}", details=(failure,))


@contextmanager
def swept(folder: Path, count: int) -> Iterator[tuple[Books, Tally]]:
    """The books of a sweep of so many accounts, in which every unit was denied."""
    tally = Tally()
    with Ledger(folder / str(count)) as ledger:
        made = books.new(ledger, tally, named(count), CATALOGUE)
        made.begin(7)
        tally.planned({each.id: plan.count(each, CATALOGUE.calls) for each in made.accounts})
        for account in made.accounts:
            units = list(plan.units([account], CATALOGUE.calls))
            aside = [Quarantined("Machine", f"i-{n}", account.id, REGIONS[n], "ec2:X", n, "no") for n in range(10)]
            ledger.record(made.id, [(denied(unit), unit.call.literal) for unit in units], aside)
        yield made, tally


Work = Callable[[Books, Tally], object]


def growth(folder: Path, work: Work) -> float:
    """Bytes at the peak of `work` for each further account. What it answers is held until then."""
    peaks = []
    for count in (FEW, MANY):
        with swept(folder, count) as (made, tally):
            tracemalloc.start()
            try:
                held = work(made, tally)
                peaks.append(tracemalloc.get_traced_memory()[1])
                del held
            finally:
                tracemalloc.stop()
    return (peaks[1] - peaks[0]) / (MANY - FEW)


def the_plan(made: Books, _: Tally) -> object:
    return deque(made.to_do(CATALOGUE), maxlen=1)


def the_licence(made: Books, _: Tally) -> object:
    licence = audit(made.ledger, made.id, made.accounts, CATALOGUE)
    first = made.accounts[0].id
    assert [licence.known(type_, first, REGIONS[0]) for type_ in TYPES.values() if type_.name == "Machine"] == [False]
    for type_ in CATALOGUE.types:
        for each in (licence.scopes(type_), licence.shared_scopes([type_], read=True)):
            deque(each, maxlen=1)
    deque(freshness.completed(CATALOGUE, licence, {"all": [*TYPES]}), maxlen=1)
    return licence


def the_report(made: Books, _: Tally) -> object:
    ledger, sweep = made.ledger, made.id
    units, aside, found = ledger.lacking(sweep, 50), ledger.quarantined(sweep, 50), ledger.gaps(sweep)
    assert (len(units), len(aside)) == (50, 50)
    assert ledger.count_lacking(sweep) == sum(ledger.outcomes(sweep).values())
    return orjson.dumps([*map(asdict, units), *map(asdict, aside), *map(asdict, found)])


@pytest.mark.parametrize("work", [the_plan, the_licence, the_report])
def test_a_sweep_where_all_was_denied_holds_little_of_each_account(tmp_path: Path, work: Work) -> None:
    assert growth(tmp_path, work) < BYTES


@pytest.mark.parametrize(
    "work",
    [
        lambda made, _: list(made.to_do(CATALOGUE)),
        lambda made, _: {(each.account, each.region, each.operation) for each in made.ledger.units(made.id)},
        lambda made, _: made.ledger.lacking(made.id, 10**9),
    ],
    ids=["a plan", "its scopes", "its units"],
)
def test_the_measure_tells_what_is_held(tmp_path: Path, work: Work) -> None:
    assert growth(tmp_path, work) > 3 * BYTES


# What the ledger says of gaps

outcomes = st.sampled_from(Outcome)
failures = st.builds(
    DetailFailure, st.sampled_from("ab"), st.sampled_from("xy"), outcomes, st.integers(1, 9), st.text(max_size=3)
)
results = st.builds(
    UnitResult,
    st.sampled_from("12"),
    st.sampled_from(["r", "s", plan.GLOBAL]),
    st.sampled_from("ab"),
    st.sampled_from("xy"),
    outcomes,
    error=st.none() | st.sampled_from(["no", '"outcome":"failed"']),
    details=st.lists(failures, max_size=3, unique_by=lambda each: (each.service, each.operation)).map(tuple),
)


def place(unit: UnitResult) -> tuple[str, str, str, str]:
    return unit.account, unit.region, unit.service, unit.operation


def unplaced(found: Iterable[Gap]) -> list[dict[str, Any]]:
    """The gaps without their error: two units of one place may have different ones."""
    return [{**asdict(gap), "error": ""} for gap in found]


@given(found=st.lists(results, max_size=12, unique_by=place), limit=st.integers(0, 5))
def test_the_ledger_puts_gaps_together_as_the_report_says(
    tmp_path_factory: pytest.TempPathFactory, found: list[UnitResult], limit: int
) -> None:
    with Ledger(tmp_path_factory.mktemp("ledger")) as ledger:
        ledger.begin(Past("one", 1, 1.0, "running"), [])
        ledger.record("one", [(unit, "{}") for unit in found])
        ledger.record("two", [(unit, "{}") for unit in found])
        in_order = sorted(found, key=place)
        lacking = [unit for unit in in_order if unit.missing]
        assert unplaced(ledger.gaps("one")) == unplaced(gaps(in_order))
        assert ledger.lacking("one", limit) == lacking[:limit]
        assert ledger.count_lacking("one") == len(lacking)


def test_alike_gaps_are_counted_and_the_first_is_named() -> None:
    failure = DetailFailure("s3", "GetBucketPolicy", Outcome.DENIED, 3, "no policy")
    units = [
        UnitResult(account, "global", "s3", "ListBuckets", outcome, error=error, details=details)
        for account, outcome, error, details in (
            ("1", Outcome.COMPLETE, None, (failure,)),
            ("2", Outcome.DENIED, "no", ()),
            ("3", Outcome.DENIED, "never", ()),
            ("4", Outcome.ABSENT, "not here", (failure, DetailFailure("s3", "GetBucketAcl", Outcome.ABSENT, 9, ""))),
            ("5", Outcome.FAILED, None, ()),
        )
    ]
    assert gaps(units) == [
        Gap("s3", "GetBucketPolicy", Outcome.DENIED, 2, 6, "1", "global", "no policy"),
        Gap("s3", "ListBuckets", Outcome.DENIED, 2, 0, "2", "global", "no"),
        Gap("s3", "ListBuckets", Outcome.FAILED, 1, 0, "5", "global", ""),
    ]


def test_a_report_names_no_more_than_its_schema_allows() -> None:
    schema = orjson.loads((Path(__file__).parents[1] / "docs" / "report.schema.json").read_bytes())["properties"]
    assert {name: schema[name]["maxItems"] for name in ("units", "quarantined")} == dict.fromkeys(
        ("units", "quarantined"), LISTED
    )
