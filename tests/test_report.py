from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from rich.console import Console

from skysweep.outcomes import DetailFailure, Outcome, UnitResult, gaps
from skysweep.report import AccountResult, Change, ExitCode, Report, Status, peak_rss_mb, unit_dict

SCHEMA = json.loads((Path(__file__).parent.parent / "docs" / "report.schema.json").read_text(encoding="utf-8"))
DENIED = UnitResult(
    "111111111111", "eu-west-1", "ec2", "DescribeVpcs", Outcome.DENIED, error="UnauthorizedOperation: [no]"
)
HALF = UnitResult(
    *("111111111111", "global", "s3", "ListBuckets", Outcome.COMPLETE, 9, 12, 0.51234),
    details=(DetailFailure("s3", "GetBucketPolicy", Outcome.DENIED, 3, "AccessDenied: no"),),
)
LOST = AccountResult(account="", name="staging", status="failed", error="AccessDenied: not yours")


def full(**changes: Any) -> Report:
    report = Report(
        sweep="20260101T000000Z-1",
        update_tag=1,
        status="incomplete",
        seconds=1.23456,
        targets=34,
        nodes={"EC2Instance": Change(written=1200, deleted=3)},
        edges={"RESOURCE": Change(written=1200, deleted=0)},
        unit_totals={"complete": 9, "denied": 1, "absent": 0, "failed": 0},
        gaps=gaps([DENIED, HALF]),
        units=[DENIED, HALF],
        quarantined=[ASIDE],
        accounts=[AccountResult(account="111111111111", name="hub", status="swept", error=None), LOST],
        remarks=["--account-names: no account that is swept now: [data]"],
        peak_rss_mb=peak_rss_mb(),
    )
    for name, value in changes.items():
        setattr(report, name, value)
    return report


def rendered(report: Report) -> str:
    console = Console(width=200, file=io.StringIO())
    with console.capture() as capture:
        console.print(report)
    return capture.get()


def test_the_schema_is_one_and_describes_a_report() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    Draft202012Validator(SCHEMA).validate(orjson.loads(orjson.dumps(full().to_dict())))
    Draft202012Validator(SCHEMA).validate(orjson.loads(orjson.dumps(Report("s", 1).to_dict())))


def test_the_schema_defines_every_field_and_no_other() -> None:
    document = full().to_dict()
    assert set(SCHEMA["properties"]) == set(SCHEMA["required"]) == set(document)
    unit = SCHEMA["$defs"]["unit"]
    assert set(unit["properties"]) == set(unit["required"]) == set(unit_dict(HALF))


def test_the_schema_refuses_what_is_no_report() -> None:
    validator = Draft202012Validator(SCHEMA)
    assert not validator.is_valid(full(status="done").to_dict())
    assert not validator.is_valid(full().to_dict() | {"more": 1})


ASIDE = {
    "type": "EC2Instance",
    "id": "i-1",
    "account": "123456789012",
    "region": "us-east-1",
    "call": "ec2:DescribeInstances",
    "item": 7,
    "reason": "too long",
}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, ExitCode.COMPLETE),
        ({"units": [DENIED]}, ExitCode.INCOMPLETE),
        ({"units": [HALF]}, ExitCode.INCOMPLETE),
        ({"quarantined": [ASIDE]}, ExitCode.INCOMPLETE),
        ({"accounts": [LOST]}, ExitCode.INCOMPLETE),
        ({"status": "incomplete"}, ExitCode.INCOMPLETE),
        ({"status": "interrupted", "units": [DENIED]}, ExitCode.INTERRUPTED),
    ],
)
def test_the_exit_code_is_zero_only_where_nothing_is_missing(changes: dict[str, Any], code: ExitCode) -> None:
    complete: dict[str, Any] = {"status": "complete", "units": [], "quarantined": [], "accounts": []}
    assert full(**complete | changes).exit_code is code


def test_the_exit_codes_are_the_contract() -> None:
    assert [code.value for code in ExitCode] == [0, 1, 2, 3, 130]


units = st.builds(
    UnitResult,
    *(st.text(max_size=5), st.text(max_size=5), st.text(max_size=5), st.text(max_size=5), st.sampled_from(Outcome)),
    records=st.integers(0, 9),
    calls=st.integers(0, 9),
    seconds=st.integers(0, 9).map(float),
    error=st.none() | st.text(max_size=9),
    details=st.lists(
        st.builds(
            DetailFailure,
            st.text(max_size=5),
            st.text(max_size=5),
            st.sampled_from(Outcome),
            st.integers(1, 9),
            st.text(),
        ),
        max_size=2,
    ).map(tuple),
)


@given(found=st.lists(units, max_size=3), status=st.sampled_from(["complete", "incomplete", "interrupted"]))
def test_a_report_comes_back_from_its_json_unchanged(found: list[UnitResult], status: Status) -> None:
    report = Report("s", 1, status, 2.5, units=found, gaps=gaps(found), peak_rss_mb=7.5)
    assert Report.from_dict(orjson.loads(orjson.dumps(report.to_dict()))) == report


@given(found=st.lists(units, max_size=3))
def test_a_report_from_before_there_were_gaps_is_read_as_well(found: list[UnitResult]) -> None:
    older = Report("s", 1, units=found).to_dict()
    del older["gaps"], older["left_out"], older["remarks"]
    assert Report.from_dict(older) == Report("s", 1, units=found, gaps=gaps(found))


def test_what_is_no_report_is_refused() -> None:
    with pytest.raises(KeyError):
        Report.from_dict({"sweep": "s"})


def test_the_table_names_what_changed_and_every_gap() -> None:
    text = rendered(full())
    for told in (
        "EC2Instance",
        "1,200",
        "staging",
        "AccessDenied: not yours",
        "ec2:DescribeVpcs",
        "denied",
        "UnauthorizedOperation: [no]",
        "s3:GetBucketPolicy",
        "denied x 3",
        "too long",
        "now: [data]",
        "34 targets",
        "incomplete",
    ):
        assert told in text


def test_alike_gaps_are_one_line_with_their_number() -> None:
    regions = [f"region-{number}" for number in range(17)]
    denied = [UnitResult("1" * 12, region, "ec2", "DescribeVpcs", Outcome.DENIED) for region in regions]
    text = rendered(full(units=denied, gaps=gaps(denied)))
    assert text.count("ec2:DescribeVpcs") == 1
    assert "and 16 more" in text


def test_memory_is_in_mebibytes() -> None:
    assert 5 < peak_rss_mb() < 100_000


def test_the_peak_is_this_process_own() -> None:
    held = bytearray(200 * 1024 * 1024)
    held[::4096] = b"x" * len(held[::4096])
    told = subprocess.run(
        [sys.executable, "-c", "from skysweep.report import peak_rss_mb; print(peak_rss_mb())"],
        capture_output=True,
        check=True,
    )
    assert peak_rss_mb() > 200
    assert float(told.stdout) < 150
