"""A smoke of `python -m benchmarks`, and what its figures are made of; no test asserts a time."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import typer

from benchmarks import bound, compare, scale, tune
from benchmarks.__main__ import app
from benchmarks.bench import Run
from benchmarks.estates import LABELS, TYPICAL
from benchmarks.measure import ROOT, Failed, Measured, Program, measured
from benchmarks.rivals import bare, environ, naive
from benchmarks.tables import Result, Table, shown
from skysweep import catalogue

ACCOUNT = "123456789012"

pytestmark = pytest.mark.timeout(600)  # seconds for a command; a busy machine


def told(folder: Path, *words: str) -> dict[str, Any]:
    """The figures of a command, run as its users do."""
    file = folder / "figures.json"
    command = [sys.executable, "-m", "benchmarks", *words, "--smoke", "--json", str(file)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(file.read_text())
    assert document["machine"]["cores"]
    assert document["command"].startswith(f"python -m benchmarks {words[0]}")
    figures: dict[str, Any] = document["figures"]
    return figures


# The commands


def test_compare_tells_ratios_of_one_run(tmp_path: Path) -> None:
    page, plot = tmp_path / "page.md", tmp_path / "plot.svg"
    figures = told(tmp_path, "compare", "--store", "embedded", "--markdown", str(page), "--plot", str(plot))
    ours, again, defaults, script = figures["runs"]
    assert script["same"] == figures["estate"]["items"]
    assert figures["ratios"][script["name"]] == {
        "seconds": script["seconds"] / ours["seconds"],
        "calls": script["calls"] / ours["calls"],
        "cpu": script["cpu"] / ours["cpu"],
        "rss": script["rss_mb"] / ours["rss_mb"],
        "nodes": script["same"] / ours["same"],
    }
    assert ours["calls"] == sum(ours["operations"].values()) == defaults["calls"] == again["calls"]
    assert (ours["again"], again["again"], again["nodes"]) == (False, True, ours["nodes"])
    by = {(each["replies"], each["by"]): each for each in figures["calls"]}
    assert len(by) == 6
    assert all(each["calls"] > 0 and each["cpu_ms"] > 0 for each in by.values())
    assert "| boto3, 64 threads |" in page.read_text()
    assert plot.read_text().startswith("<?xml")


def test_sweep_tells_its_efficiency(tmp_path: Path) -> None:
    figures = told(tmp_path, "sweep", "--rate-share", "0.5", "--limits", "1")
    bounds = {each["name"]: each["seconds"] for each in figures["bounds"]}
    assert set(bounds) == {"buckets", "cpu", "store", "latency"}
    sweep = figures["sweep"]
    assert sweep["efficiency"] == pytest.approx(max(bounds.values()) / sweep["seconds"])
    assert sweep["throttled share"] == 0
    writing = figures["writing"]
    assert writing["writer_nodes"] == writing["hand_nodes"] > 0
    assert writing["writer_edges"] == writing["hand_edges"] > 0


def test_tune_tells_the_best(tmp_path: Path) -> None:
    figures = told(tmp_path, "tune", "--concurrency", "5,50", "--rows", "100")
    assert [point["concurrency"] for point in figures["points"]] == [5, 50]
    assert figures["best"]["seconds"] == min(point["seconds"] for point in figures["points"])
    assert "concurrency" in figures["why"]


def test_scale_tells_what_one_more_costs(tmp_path: Path) -> None:
    figures = told(tmp_path, "scale")
    one, ten = figures["planned accounts"]
    assert ten["calls"] > one["calls"]
    assert ten["cpu_ms_each"] == pytest.approx(1e3 * (ten["cpu"] - one["cpu"]) / 9)
    assert figures["accounts"][0]["nodes"] > 0
    assert figures["resources"][0]["items"] == 1_000


def test_micro_compares_with_botocores_parser(tmp_path: Path) -> None:
    figures = told(tmp_path, "micro")
    replies = {each["operation"]: each for each in figures["decode"]}
    instances = replies["DescribeInstances"]
    assert instances["times"] == instances["botocore_ms"] / instances["ours_ms"]
    assert {"cypher", "limits", "ledger: units", "records of EC2Instance"} <= set(figures["steps"])


# The page

PAGE = ROOT / "docs" / "performance.md"
COMMANDS = re.findall(r"^python -m benchmarks (.*)$", PAGE.read_text(), re.MULTILINE)


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_of_the_page_is_one_and_fills_its_part(line: str) -> None:
    name, *words = shlex.split(line)
    group: Any = typer.main.get_command(app)
    context = group.commands[name].make_context(name, words)
    section = context.params["section"] or name
    assert context.params["markdown"].samefile(PAGE)
    assert f"```\n\n<!-- measured: {section} -->" in PAGE.read_text().partition(line)[2][:80]
    assert f"<!-- end: {section} -->" in PAGE.read_text()


def test_every_part_of_the_page_has_its_command() -> None:
    assert len(re.findall("<!-- measured: ", PAGE.read_text())) == len(COMMANDS)
    assert {line.split()[0] for line in COMMANDS} == {"compare", "sweep", "tune", "scale", "micro"}


# A program


def words(code: str) -> Program:
    return Program([sys.executable, "-c", code], dict(os.environ), "given")


def test_a_program_is_measured_with_its_children() -> None:
    child = "import time; t = time.process_time()\nwhile time.process_time() < t + 0.2: pass"
    done = measured(words(f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}]); print(input())"))
    assert done.out == "given\n"
    assert done.cpu >= 0.2
    assert done.rss_mb > 1


def test_a_program_that_fails_says_why() -> None:
    with pytest.raises(Failed, match=r"ended with 3(.|\n)*no such thing"):
        measured(words("import sys; print('no such thing', file=sys.stderr); sys.exit(3)"))
    assert measured(words("import sys; sys.exit(3)"), codes=(0, 3)).code == 3


def test_a_program_ends_in_time() -> None:
    with pytest.raises(Failed, match="too late"):
        measured(words("import signal; signal.pause()"), seconds=0.1)


def test_no_program_reaches_another_aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    found = environ("http://127.0.0.1:1", tmp_path)
    assert "AWS_PROFILE" not in found
    assert found["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"
    with pytest.raises(ValueError, match="not on this machine"):
        environ("https://ec2.us-east-1.amazonaws.com", tmp_path)


# The bounds


def count(
    service: str, operation: str, calls: int, account: str = ACCOUNT, region: str = "us-east-1"
) -> dict[str, Any]:
    return {"account": account, "region": region, "service": service, "operation": operation, "calls": calls}


def test_a_bucket_takes_its_burst_at_once_and_then_its_rate() -> None:
    # most of what Lambda tells: 15 a second, all together, in each region
    counts = [count("lambda", "ListFunctions", 100), count("lambda", "ListAliases", 65)]
    elsewhere = [
        count("lambda", "ListFunctions", 20, region="eu-west-1"),
        count("lambda", "ListFunctions", 20, account="1" * 12),
    ]
    whole, half = bound.buckets([*counts, *elsewhere], 1.0), bound.buckets(counts, 0.5)
    assert whole.seconds == pytest.approx((165 - 15) / 15)
    assert half.seconds == pytest.approx((165 - 7.5) / 7.5)
    assert "us-east-1" in whole.why
    assert bound.buckets(counts, 0.0).seconds == 0


def test_the_chain_is_a_listings_pages_and_its_deepest_details() -> None:
    # the users, then ListAccessKeys of each, then GetAccessKeyLastUsed of each key
    counts = [
        count("iam", "GetAccountAuthorizationDetails", 3),
        count("iam", "ListAccessKeys", 99),
        count("iam", "GetAccessKeyLastUsed", 99),
    ]
    assert bound.latency(counts, catalogue.load(), 1.0).seconds == bound.BEFORE + 3 + 2
    assert bound.latency(counts[:1], catalogue.load(), 1.0).seconds == bound.BEFORE + 3
    assert bound.latency([], catalogue.load(), 1.0).seconds == bound.BEFORE


def test_replies_cost_what_they_cost_in_the_mean() -> None:
    costs = [{"service": "iam", "operation": "ListUsers", "ours_ms": 2.0}]
    seconds = bound.decoding([count("iam", "ListUsers", 3), count("iam", "ListRoles", 5)], costs)
    assert seconds == pytest.approx(0.006)
    assert bound.cpu(10, 0.5, seconds).seconds == pytest.approx(5.006)


# What the figures are made of


def test_bare_calls_are_as_many_as_the_referee_counted() -> None:
    wanted = [
        bare.Some(ACCOUNT, "us-east-1", "lambda", "ListFunctions", 5),  # two listings of ours
        bare.Some(ACCOUNT, "us-east-1", "lambda", "GetPolicy", 3),
        bare.Some(ACCOUNT, "us-east-1", "sts", "AssumeRole", 2),  # none of ours
    ]
    made = list(bare.jobs(wanted))
    assert sum(job.pages for job in made) == 5 + 3
    assert {job.call.operation for job in made} == {"ListFunctions", "GetPolicy"}


def test_the_script_makes_the_nodes_of_the_estate() -> None:
    labels = {listing.label for listing in (*naive.REGIONAL, *naive.GLOBAL)}
    ours = set(catalogue.load().by_label)
    assert set(LABELS.values()) <= labels <= ours
    assert set(TYPICAL) - set(LABELS) == {"iam:ListPolicies", "iam:ListPolicies/AWS"}  # one label, and shared
    assert {link.label for links in naive.LINKS.values() for link in links} <= labels
    assert set(naive.DETAILS) | set(naive.LINKS) <= labels


def run(name: str, seconds: float, calls: int, *, again: bool = False) -> Run:
    told = Measured(0, seconds, 1.0, 100.0)
    return Run(name, 0, seconds, 1.0, 100.0, calls, 0, 1.0, 10, 10, 10, 0.1, 0.1, [], told, again=again)


def test_ratios_are_to_the_first_of_their_kind() -> None:
    repeated = [run("ours, again", 1.0, 10, again=True), run("theirs, again", 50.0, 20, again=True)]
    found = compare.ratios([run("ours", 2.0, 10), repeated[0], run("theirs", 60.0, 25), repeated[1]])
    assert (found["theirs, again"]["seconds"], found["theirs, again"]["calls"]) == (50.0, 2.0)
    assert found["theirs"] == {"seconds": 30.0, "calls": 2.5, "cpu": 1.0, "rss": 1.0, "nodes": 1.0}
    assert found["ours"]["seconds"] == 1.0


def row(concurrency: int, rows: int, seconds: float) -> dict[str, Any]:
    return {"concurrency": concurrency, "processes": 1, "rows": rows, "writers": 1, "share": 0.0, "seconds": seconds}


def test_why_a_point_is_the_best() -> None:
    rows = [row(10, 100, 4.0), row(20, 100, 2.0), row(20, 200, 2.05), row(10, 200, 9.0)]
    said = tune.why(rows, rows[1])
    assert "concurrency 20 matters (times its seconds at 10: 2.00)" in said
    assert "rows 100 hardly matters (times its seconds at 200: 1.02)" in said


def test_a_point_tells_what_each_further_one_cost() -> None:
    small, large = scale.Point(10, 100, 1.0, 0.5, 100.0, 5), scale.Point(110, 1_100, 3.0, 1.5, 150.0, 5)
    found = scale.document(small, large)
    assert (found["ms_each"], found["cpu_ms_each"], found["kb_each"]) == (20.0, 10.0, 512.0)
    assert "ms_each" not in scale.document(None, small)


# Tables


@pytest.mark.parametrize(
    ("cell", "text"), [(None, ""), (0.1234, "0.12"), (12.34, "12.3"), (1234.5, "1,234"), (12_345, "12,345"), ("x", "x")]
)
def test_a_cell_has_three_digits_that_count(cell: float | str | None, text: str) -> None:
    assert shown(cell) == text


def made(value: float) -> Result:
    result = Result("compare", "python -m benchmarks compare", {"cores": "2"})
    result.tables.append(Table("Who", ("who", "s"), [("ours", value)]))
    return result


def between(path: Path) -> Sequence[str]:
    return [line for line in path.read_text().splitlines() if line.startswith("| ours")]


def test_a_page_is_written_between_its_markers(tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    page.write_text("# Before\n")
    made(1.0).save_markdown(page)
    page.write_text(f"{page.read_text()}\nAfter.\n")
    made(2.0).save_markdown(page)
    assert between(page) == ["| ours | 2.00 |"]
    assert page.read_text().startswith("# Before\n")
    assert page.read_text().endswith("\nAfter.\n")
    assert "`python -m benchmarks compare`: cores 2." in page.read_text()
