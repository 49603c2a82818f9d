from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from generated import command
from skysweep.cli import main
from skysweep.cli.doctor import line, summed
from skysweep.findings import Check
from skysweep.report import ExitCode

Run = Callable[..., tuple[int, str, str]]
ONE, TWO = "111111111111", "222222222222"
CHECKS = ["settings", "credentials", "regions", "permissions", "clock", "store", "disk", "ledger"]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, moto: str) -> Run:
    """Runs the doctor against the emulated AWS, in an environment of its own: exit code, stdout, stderr."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "NEO4J_", "CARTOGRAPHY_", "SKYSWEEP_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    for name, value in {
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": moto,
        "AWS_ACCESS_KEY_ID": "AKIABASE",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }.items():
        monkeypatch.setenv(name, value)

    def call_main(*arguments: str, **environ: str) -> tuple[int, str, str]:
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        code = main(["doctor", *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call_main


def test_a_line_for_each_check(run: Run, tmp_path: Path) -> None:
    code, out, err = run()
    assert (code, err) == (ExitCode.COMPLETE, "")
    lines = [text.split() for text in out.splitlines()]
    assert [words[1].rstrip(":") for words in lines] == CHECKS
    assert {words[0] for words in lines} == {"ok"}
    assert list(tmp_path.iterdir()) == []


def test_one_document(run: Run) -> None:
    arguments = ("--json", "--accounts", f"{ONE},{TWO}", "--role-name", "Audit", "--aws-requested-syncs", "sqs")
    code, out, err = run(*arguments, "--aws-regions", "eu-west-1,ap-southeast-7")
    document = json.loads(out)
    assert (code, err) == (ExitCode.COMPLETE, "")
    assert set(document) == {"checks", "status"}
    assert document["status"] == "warning"
    assert {frozenset(check) for check in document["checks"]} == {
        frozenset(("check", "subject", "status", "detail", "mend"))
    }
    warned = [check for check in document["checks"] if check["status"] == "warning"]
    assert [(check["check"], check["subject"]) for check in warned] == [("regions", ONE), ("regions", TWO)]


BAD: list[tuple[tuple[str, ...], dict[str, str], ExitCode, str]] = [
    ((), {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"}, ExitCode.UNUSABLE, "credentials"),
    ((), {"AWS_ENDPOINT_URL": "nonsense"}, ExitCode.UNUSABLE, "settings"),
    (("--profile", "nobody"), {}, ExitCode.UNUSABLE, "settings"),
    (("--neo4j-uri", "bolt://127.0.0.1:9"), {}, ExitCode.UNUSABLE, "store"),
]


@pytest.mark.parametrize(("arguments", "environ", "code", "check"), BAD)
def test_what_stops_a_sweep(
    run: Run, arguments: tuple[str, ...], environ: dict[str, str], code: ExitCode, check: str
) -> None:
    got, out, err = run("--json", "--aws-requested-syncs", "sqs", *arguments, **environ)
    checks: list[dict[str, Any]] = json.loads(out)["checks"]
    assert (got, err) == (code, "")
    failed = [each for each in checks if each["status"] == "failed"]
    assert [each["check"] for each in failed] == [check]
    assert failed[0]["mend"]
    assert {"store", "disk", "ledger", "clock"} <= {each["check"] for each in checks}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--aws-requested-syncs", "sqss"), "'sqs'"),
        (("--accounts", "12", "--role-name", "Audit"), "12 digits"),
        (("--neo4j-uri", "http://h"), "bolt://"),
        (("--fix",), "--fix"),
    ],
)
def test_an_option_that_cannot_be_meant_is_one_line(run: Run, arguments: tuple[str, ...], words: str) -> None:
    code, out, err = run(*arguments)
    assert (code, out, err.count("\n")) == (ExitCode.UNUSABLE, "", 1)
    assert words in err


def test_equal_findings_of_a_thousand_accounts_are_one_line_and_the_exceptions_named() -> None:
    accounts = [f"{number:012}" for number in range(1000)]
    checks = [Check("role", name, "ok", "role Audit") for name in accounts[3:]]
    checks += [Check("role", name, "failed", "AccessDenied", "mend it") for name in accounts[:3]]
    checks += [Check("permissions", name, "failed", "a:B: denied", "allow it") for name in accounts]
    told = [line(check).plain for check in summed(checks)]
    assert told == [
        "ok      role 997 accounts: role Audit",
        "failed  role 000000000000, 000000000001, 000000000002: AccessDenied -> mend it",
        f"failed  permissions {', '.join(accounts[:10])} and 990 more: a:B: denied -> allow it",
    ]


def test_the_doctor_takes_what_plan_takes_and_where_sync_writes() -> None:
    wanted = {each.name for each in command("plan").params} | {"store", "neo4j_uri", "neo4j_database"}
    assert wanted <= {each.name for each in command("doctor").params}
