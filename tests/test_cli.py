from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
import orjson
import pytest

from skysweep.analysis.questions import QUESTIONS
from skysweep.cli import COMMANDS, INTERRUPTED, UNUSABLE, main
from skysweep.cli.permissions import policy
from skysweep.cli.plan import SHOWN_ACCOUNTS, by_service, summed
from skysweep.cli.plan import _show as shown_plan
from skysweep.cli.screen import ndjson, print_json, print_json_rows
from skysweep.errors import Unusable
from skysweep.ledger import Ledger, Past
from skysweep.model import call
from skysweep.outcomes import Outcome, UnitResult
from skysweep.plan import Account
from skysweep.report import ExitCode, Report, unit_dict
from skysweep.targets import Found

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Runs a command in an environment of its own: exit code, stdout, stderr."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "NEO4J_", "CARTOGRAPHY_", "SKYSWEEP_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    def call_main(*arguments: str, **environ: str) -> tuple[int, str, str]:
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        code = main(arguments)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call_main


def one_line(err: str) -> str:
    """The line on stderr, where it is the only one and no traceback."""
    assert err.startswith("skysweep: ")
    assert err.count("\n") == 1
    return err


AWS = {"aiobotocore", "aioboto3", "aiohttp", "boto3", "botocore", "moto"}
GRAPH = {"arcadedb_embedded", "jpype", "neo4j"}


async def loaded(*arguments: str) -> tuple[int, set[str], str]:
    """A command in a process of its own: exit code, the packages it has imported, and what it printed."""
    script = (
        "import sys; from skysweep.cli import main; code = main(sys.argv[1:]); "
        "print(*sorted({name.partition('.')[0] for name in sys.modules})); sys.exit(code)"
    )
    done = await anyio.run_process([sys.executable, "-c", script, *arguments], check=False)
    *out, names = done.stdout.decode().splitlines()
    assert "skysweep" in names.split()
    return done.returncode, {*names.split()}, "\n".join(out)


async def test_help_lists_every_command_and_loads_nothing_heavy() -> None:
    code, packages, out = await loaded("--help")
    assert code == 0
    assert packages & (AWS | GRAPH | {"anyio", "rich", "structlog"}) == set()
    for name, sentence in COMMANDS.items():
        assert f"  {name} " in out
        assert sentence in out


@pytest.mark.parametrize(
    ("arguments", "code", "spared"),
    [
        (["plan", "--accounts", "12"], UNUSABLE, GRAPH),
        (["report", "--store", "/no/such/folder"], UNUSABLE, AWS | GRAPH),
        (["query", "--list"], 0, AWS),
        (["schema", "--json"], 0, AWS | GRAPH),
        (["sync", "--help"], 0, AWS | GRAPH),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
async def test_a_command_imports_what_it_uses(arguments: list[str], code: int, spared: set[str]) -> None:
    found, packages, _ = await loaded(*arguments)
    assert (found, packages & spared) == (code, set())


@pytest.mark.parametrize("name", COMMANDS)
def test_each_commands_help_begins_with_its_sentence(run: Run, name: str) -> None:
    code, out, err = run(name, "--help")
    assert (code, err) == (0, "")
    assert COMMANDS[name] in " ".join(out.split())


SYNC_OPTIONS = """
--neo4j-uri --neo4j-user --neo4j-password-env-var --neo4j-database --update-tag --aws-sync-all-profiles --aws-regions
--aws-requested-syncs --aws-best-effort-mode --aws-organization-account-ids --analysis-job-directory
--permission-relationships-file
--concurrency --rate-share --organization --exclude-ou --role-name --external-id --accounts --exclude-accounts --store
--report --json
"""


def test_sync_knows_cartographys_names_and_ours(run: Run) -> None:
    _, out, _ = run("sync", "--help")
    assert [name for name in re.findall(r"\S+", SYNC_OPTIONS) if name not in out] == []


BAD: list[tuple[list[str], dict[str, str], str]] = [
    (["snyc"], {}, "'sync'"),
    (["sync", "--neo4j-url", "x"], {}, "--neo4j-url"),
    (["sync", "--concurrency", "many"], {}, "--concurrency"),
    (["sync", "--log-format", "xml"], {}, "xml"),
    (["sync", "--aws-requested-syncs", "ec2:instanc"], {}, "'ec2:instance'"),
    (["sync", "--aws-requested-syncs", "EC2Instanc"], {}, "'EC2Instance'"),
    (["sync", "--rate-share", "2"], {}, "--rate-share"),
    (["sync", "--neo4j-uri", "http://h"], {}, "bolt://"),
    (["sync"], {"NEO4J_URI": "nowhere"}, "NEO4J_URI"),
    (["sync"], {"CARTOGRAPHY_AWS_RETRY_MODE": "hard"}, "CARTOGRAPHY_AWS_RETRY_MODE"),
    (["sync", "--permission-relationships-file", "no.yaml"], {}, "no.yaml"),
    (["sync", "--report", "/no/such/folder/units"], {}, "--report"),
    (["plan", "--accounts", "12"], {}, "12 digits"),
    (["plan", "--organization"], {}, "--role-name"),
    (["plan", "--organization", "--role-name", "r", "--exclude-ou", "Workloads"], {}, "ou-…"),
    (["sync", "--exclude-ou", "ou-ab12-cdefgh34"], {}, "--organization"),
    (["sync", "--aws-organization-account-ids", "hub"], {}, "12 digits"),
    (["schema", "--aws-requested-syncs", "s33"], {}, "'s3'"),
    (["permissions", "--aws-requested-syncs", "s33"], {}, "'s3'"),
    (["query"], {}, "--list"),
    (["query", "exposed_instanes"], {}, "exposed_instances"),
    (["query", "MATCH (n) DETACH DELETE n"], {}, "DETACH writes"),
    (["query", "rds_instances", "--csv", "--json"], {}, "--csv"),
    (["query", "rds_instances"], {}, "no graph"),
    (["serve"], {}, "no graph"),
    (["report"], {}, "no sweep"),
    (["demo", "--store", __file__], {}, "--store"),
]


@pytest.mark.parametrize(("arguments", "environ", "told"), BAD)
def test_bad_input_is_one_line_and_exit_1_and_nothing_written(
    run: Run, tmp_path: Path, arguments: list[str], environ: dict[str, str], told: str
) -> None:
    code, out, err = run(*arguments, **environ)
    assert (code, out) == (UNUSABLE, "")
    assert told in one_line(err)
    assert list(tmp_path.iterdir()) == []


def test_no_command_shows_the_help_and_fails(run: Run) -> None:
    code, out, _ = run()
    assert code == UNUSABLE
    assert "Commands:" in out


class TestUnexpected:
    @pytest.fixture
    def broken(self, monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
        """Makes `schema` raise."""

        def raising(error: BaseException) -> None:
            def load(*_: object) -> None:
                raise error

            monkeypatch.setattr("skysweep.catalogue.load", load)

        return raising

    def test_an_error_is_one_line_with_the_way_to_its_traceback(self, run: Run, broken: Any) -> None:
        broken(ZeroDivisionError("division\nby zero"))
        code, _, err = run("schema")
        assert code == UNUSABLE
        assert "ZeroDivisionError: division by zero (set SKYSWEEP_DEBUG=1" in one_line(err)

    def test_the_traceback_is_there_on_demand(self, run: Run, broken: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SKYSWEEP_DEBUG", "1")
        broken(ZeroDivisionError("x"))
        _, _, err = run("schema")
        assert "Traceback" in err

    def test_of_many_errors_the_one_with_the_mend_is_told(self, run: Run, broken: Any) -> None:
        broken(ExceptionGroup("g", [ValueError("v"), ExceptionGroup("h", [Unusable("do this")])]))
        assert run("schema") == (UNUSABLE, "", "skysweep: do this\n")

    @pytest.mark.parametrize("error", [KeyboardInterrupt(), BaseExceptionGroup("g", [KeyboardInterrupt()])])
    def test_an_interruption_is_130(self, run: Run, broken: Any, error: BaseException) -> None:
        broken(error)
        assert run("schema") == (INTERRUPTED, "", "skysweep: interrupted\n")


def test_the_codes_of_main_are_those_of_the_report() -> None:
    assert (UNUSABLE, INTERRUPTED) == (ExitCode.UNUSABLE, ExitCode.INTERRUPTED)


class TestSchema:
    def test_json_has_every_type_with_its_description_and_permissions(self, run: Run) -> None:
        code, out, _ = run("schema", "--json", "--aws-requested-syncs", "ec2:subnet")
        subnet = next(each for each in json.loads(out)["types"] if each["label"] == "EC2Subnet")
        assert code == 0
        assert list(subnet) == [
            *("label", "also", "description", "service", "operation", "properties", "edges", "permissions")
        ]
        assert (subnet["label"], subnet["service"], subnet["operation"]) == ("EC2Subnet", "ec2", "DescribeSubnets")
        assert subnet["permissions"] == ["ec2:DescribeSubnets"]
        assert {"type": "MEMBER_OF_AWS_VPC", "target": "AWSVpc", "direction": "out"} in subnet["edges"]
        assert {"name": "ipv6_cidr_blocks", "type": "list[str]", "description": ""} in subnet["properties"]

    def test_no_type_is_without_description_or_permissions(self, run: Run) -> None:
        types = json.loads(run("schema", "--json")[1])["types"]
        assert len(types) > 20
        assert [each["label"] for each in types if not each["description"] or not each["permissions"]] == []

    def test_the_table_names_properties_and_edges(self, run: Run) -> None:
        _, out, _ = run("schema", "--aws-requested-syncs", "EC2Subnet")
        assert "map_public_ip_on_launch" in out
        assert "-[:MEMBER_OF_AWS_VPC]->(AWSVpc)" in out

    def test_syncs_say_where_there_is_no_type_yet(self, run: Run) -> None:
        _, out, _ = run("schema", "--syncs")
        lines = {line.split("│")[1].strip(): line for line in out.splitlines() if line.startswith("│")}
        assert len(lines) == 68
        assert "EC2Subnet" in lines["ec2:subnet"]
        assert "no types yet" in lines["ses"]
        assert json.loads(run("schema", "--syncs", "--json")[1])["syncs"]["ses"] == []


class TestPermissions:
    def test_a_policy_has_a_statement_a_service_and_all_is_sorted(self) -> None:
        made = policy(["s3:B", "ec2:Z", "resource-groups:X", "ec2:A"])
        assert made["Version"] == "2012-10-17"
        assert [statement["Sid"] for statement in made["Statement"]] == ["ReadEc2", "ReadResourceGroups", "ReadS3"]
        assert made["Statement"][0] == {
            "Sid": "ReadEc2",
            "Effect": "Allow",
            "Action": ["ec2:A", "ec2:Z"],
            "Resource": "*",
        }

    def test_it_holds_what_is_selected_and_what_every_sweep_asks(self, run: Run) -> None:
        code, out, _ = run("permissions", "--aws-requested-syncs", "ec2:keypair")
        actions = [action for statement in json.loads(out)["Statement"] for action in statement["Action"]]
        assert code == 0
        assert actions == [
            *("ec2:DescribeInstances", "ec2:DescribeKeyPairs", "ec2:DescribeRegions", "sts:GetCallerIdentity")
        ]


def test_the_plan_sums_by_account_and_service(capsys: pytest.CaptureFixture[str]) -> None:
    calls = [call("ec2", "DescribeVpcs").call, call("iam", "ListUsers", per="account").call]
    accounts = [Account("1" * 12, "hub", regions=("a", "b", "c")), Account("2" * 12, regions=("a",))]
    print_json_rows(summed(accounts, calls, concurrency=10), "services", by_service(accounts, calls))
    document = json.loads(capsys.readouterr().out)
    assert (document["accounts"], document["targets"], document["calls"]) == (2, 4, 6)
    assert document["services"] == [
        {"account": "1" * 12, "name": "hub", "service": "ec2", "regions": 3, "calls": 3},
        {"account": "1" * 12, "name": "hub", "service": "iam", "regions": 0, "calls": 1},
        {"account": "2" * 12, "name": "", "service": "ec2", "regions": 1, "calls": 1},
        {"account": "2" * 12, "name": "", "service": "iam", "regions": 0, "calls": 1},
    ]


@pytest.mark.parametrize("rows", [[], [{"a": 1}], [{"a": 1}, {"b": [2]}]])
def test_rows_that_come_one_by_one_are_printed_as_if_at_once(
    capsys: pytest.CaptureFixture[str], rows: list[dict[str, Any]]
) -> None:
    print_json({"total": 3, "rows": rows})
    print_json_rows({"total": 3}, "rows", iter(rows))
    at_once, one_by_one = capsys.readouterr().out.split('{\n  "total"')[1:]
    assert one_by_one == at_once


def test_a_plan_of_many_accounts_is_summed_by_service(capsys: pytest.CaptureFixture[str]) -> None:
    calls = [call("ec2", "DescribeVpcs").call, call("iam", "ListUsers", per="account").call]
    accounts = [Account(f"{number:012}", regions=("a", "b")) for number in range(SHOWN_ACCOUNTS + 1)]
    shown_plan(summed(accounts, calls, 10), Found(accounts), calls)
    told = capsys.readouterr()
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in told.out.splitlines() if "│" in line]
    assert cells == [["all 101", "ec2", "2", "202"], ["all 101", "iam", "global", "101"]]
    assert "303 calls" in told.err


def test_units_are_a_line_each() -> None:
    unit = UnitResult("1" * 12, "global", "iam", "ListUsers", Outcome.DENIED, error="no")
    lines = b"".join(ndjson([unit, unit])).splitlines()
    assert [json.loads(line)["outcome"] for line in lines] == ["denied", "denied"]


class TestReport:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        """A ledger with a sweep that was reported and one that was interrupted."""
        folder = tmp_path / "store"
        with Ledger(folder) as ledger:
            ledger.begin(Past("first", 1, 1.0, "running"), [])
            ledger.finish("first", "complete", Report("first", 1, targets=7).to_dict())
            ledger.begin(Past("second", 2, 2.0, "running"), [])
            ledger.finish("second", "interrupted", None)
        return folder

    def test_the_latest_report_is_shown(self, run: Run, folder: Path) -> None:
        code, out, err = run("report", "--store", str(folder))
        assert (code, err) == (0, "")
        assert "Sweep first: complete; 7 targets" in out

    def test_json_is_the_document_of_the_sweep(self, run: Run, folder: Path) -> None:
        _, out, _ = run("report", "first", "--store", str(folder), "--json")
        assert json.loads(out) == Report("first", 1, targets=7).to_dict()

    def test_the_list_has_all_the_latest_first(self, run: Run, folder: Path) -> None:
        sweeps = json.loads(run("report", "--list", "--json", "--store", str(folder))[1])["sweeps"]
        assert [(each["sweep"], each["status"]) for each in sweeps] == [
            ("second", "interrupted"),
            ("first", "complete"),
        ]
        assert sweeps[1]["started"] == "1970-01-01T00:00:01+00:00"

    def test_the_units_of_a_sweep_are_streamed(self, run: Run, folder: Path) -> None:
        unit = UnitResult("1" * 12, "global", "iam", "ListUsers", Outcome.DENIED, error="no")
        with Ledger(folder) as ledger:
            ledger.record("second", [(unit, "{}"), (unit, '{"Scope": "Local"}')])
        for options, lines in (((), 2), (("first",), 0), (("second",), 2)):
            code, out, err = run("report", *options, "--units", "--store", str(folder))
            assert (code, err, out.splitlines()) == (0, "", [orjson.dumps(unit_dict(unit)).decode()] * lines)
        code, _, err = run("report", "third", "--units", "--store", str(folder))
        assert code == UNUSABLE
        assert "'third'" in one_line(err)

    @pytest.mark.parametrize(("sweep", "told"), [("second", "interrupted"), ("third", "'third'")])
    def test_a_sweep_without_report_is_said_to_be_one(self, run: Run, folder: Path, sweep: str, told: str) -> None:
        code, _, err = run("report", sweep, "--store", str(folder))
        assert code == UNUSABLE
        assert told in one_line(err)


def test_the_list_names_every_question(run: Run) -> None:
    _, out, _ = run("query", "--list")
    assert [name for name in QUESTIONS if f" {name} " not in out] == []
    assert len(json.loads(run("query", "--list", "--json")[1])["questions"]) == len(QUESTIONS)


async def ended(script: str) -> tuple[int, str]:
    """The exit code and the last words of a program that SIGTERM meets once it has said something."""
    async with await anyio.open_process([sys.executable, "-c", script]) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        try:
            with anyio.fail_after(60):
                await running.stdout.receive()
                running.terminate()
                code = await running.wait()
                return code, (await running.stderr.receive()).decode()
        finally:
            with suppress(ProcessLookupError):
                running.kill()


async def test_sigterm_stops_the_background_job_of_a_script() -> None:
    """Such a job begins with SIGINT ignored, and Python then leaves it so."""
    script = (
        "import signal, sys, anyio; signal.signal(signal.SIGINT, signal.SIG_IGN); from skysweep import cli\n"
        "class Endless:\n"
        "    def main(self, *_, **__):\n"
        "        print('up', flush=True)\n"
        "        anyio.run(anyio.sleep_forever)\n"
        "cli.root = Endless; sys.exit(cli.main(['sync']))"
    )
    assert await ended(script) == (130, "skysweep: interrupted\n")


async def test_an_interrupt_that_falls_where_nothing_can_be_raised_is_not_lost() -> None:
    script = (
        "import sys, anyio; from skysweep import cli\n"
        "class Finalized:\n"
        "    def __del__(self):\n"
        "        print('up', flush=True)\n"
        "        import time; time.sleep(60)\n"
        "class Endless:\n"
        "    def main(self, *_, **__):\n"
        "        Finalized()\n"
        "        anyio.run(anyio.sleep_forever)\n"
        "cli.root = Endless; sys.exit(cli.main(['sync']))"
    )
    assert await ended(script) == (130, "skysweep: interrupted\n")
