from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hcl2
import pytest
import yaml
from cfnlint.api import lint
from cfnlint.config import ManualArgs

from skysweep import catalogue, policies
from skysweep.cli import UNUSABLE, main
from skysweep.policies import ALWAYS

HUB = "111111111111"
HUB_ARN = f"arn:aws:iam::{HUB}:root"
NEEDED = sorted({*ALWAYS, *catalogue.load().permissions()})
PARTS = policies.parts(NEEDED)
LACKING = sorted(policies.managed("ViewOnlyAccess").lacks(NEEDED))

Run = Callable[[str], tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `skysweep permissions` with these options: exit code, stdout, stderr."""

    def call_main(options: str) -> tuple[int, str, str]:
        code = main(["permissions", *shlex.split(options)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call_main


def printed(run: Run, options: str) -> Any:
    code, out, _ = run(options)
    assert code == 0
    return json.loads(out)


def actions(printed: Any) -> list[str]:
    """The actions of one policy, or of a list of them."""
    documents = printed if isinstance(printed, list) else [printed]
    return [action for each in documents for statement in each["Statement"] for action in statement["Action"]]


# Policies


@pytest.mark.parametrize("options", ["", "--json"])
def test_one_policy_is_printed_as_it_is(run: Run, options: str) -> None:
    code, out, err = run(f"--aws-requested-syncs iam {options}")
    assert (code, err) == (0, "")
    assert json.loads(out) == policies.policy({*ALWAYS, *catalogue.load(("iam",)).permissions()})


@pytest.mark.parametrize("options", ["", "--json"])
def test_all_are_several_in_a_list_and_a_remark_says_so(run: Run, options: str) -> None:
    _, out, err = run(options)
    documents = json.loads(out)
    assert len(documents) > 1
    assert documents == PARTS
    assert sorted(actions(documents)) == NEEDED
    assert all(policies.size(each) <= policies.LIMIT for each in documents)
    assert err.startswith(f"{len(documents)} policies, as a list")


def test_beyond_a_managed_policy_only_what_it_lacks_is_left(run: Run) -> None:
    code, out, err = run("--beyond ViewOnlyAccess")
    assert code == 0
    assert sorted(actions(json.loads(out))) == LACKING
    assert "iam:GetAccountAuthorizationDetails" in LACKING
    assert "ViewOnlyAccess as of 2026-09-30 (v46)" in err


def test_beyond_goes_with_the_selection(run: Run) -> None:
    document = printed(run, "--beyond ViewOnlyAccess --aws-requested-syncs sns")
    assert actions(document) == ["sns:GetTopicAttributes", "tag:GetResources"]


def test_where_nothing_lacks_the_document_allows_nothing(run: Run) -> None:
    assert printed(run, "--beyond SecurityAudit --aws-requested-syncs sns")["Statement"] == []


# The hub and the trust


def test_the_trust_policy(run: Run) -> None:
    assert printed(run, f"--trust {HUB} --external-id abc") == policies.trust(HUB_ARN, policies.only_with("abc"))
    assert printed(run, f"--trust {HUB} --partition aws-cn") == policies.trust(f"arn:aws-cn:iam::{HUB}:root")


def test_the_hubs_policy(run: Run) -> None:
    assert printed(run, "--hub") == policies.hub("skysweep", "aws")
    assert printed(run, "--hub --role-name a/b --partition aws-us-gov") == policies.hub("a/b", "aws-us-gov")


# Ready to roll out


def linted(template: str) -> list[str]:
    return [str(each) for each in lint(template, config=ManualArgs(regions=["us-east-1"], ignore_checks=[]))]


TEMPLATES = [
    "",
    f"--trust {HUB}",
    f"--trust arn:aws-cn:iam::{HUB}:role/hub --external-id abc --role-name audit/reader --beyond ViewOnlyAccess",
    "--beyond SecurityAudit --aws-requested-syncs sns",
]


@pytest.mark.parametrize("options", TEMPLATES)
def test_the_template_is_one_of_cloudformation_and_the_same_in_json(run: Run, options: str) -> None:
    _, out, _ = run(f"--cloudformation {options}")
    assert linted(out) == []
    assert yaml.safe_load(out) == printed(run, f"--cloudformation --json {options}")


def test_the_linter_would_have_said_so(run: Run) -> None:
    _, out, _ = run("--cloudformation")
    assert linted(out.replace("AssumeRolePolicyDocument", "TrustPolicy"))


def test_the_template_makes_the_role_with_exactly_the_policies(run: Run) -> None:
    template = printed(run, f"--cloudformation --json --trust {HUB} --role-name reader --external-id abc")
    defaults = {name: each.get("Default") for name, each in template["Parameters"].items()}
    assert defaults == {"Hub": HUB_ARN, "ExternalId": "abc", "RoleName": "reader"}
    attached = [each["Properties"] for name, each in template["Resources"].items() if name != "Role"]
    assert attached == [{"PolicyDocument": each, "Roles": [{"Ref": "Role"}]} for each in PARTS]
    role = template["Resources"]["Role"]["Properties"]
    assert role["RoleName"] == {"Ref": "RoleName"}
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"AWS": {"Ref": "Hub"}}
    assert statement["Condition"]["Fn::If"][0] == "HasExternalId"
    assert "ManagedPolicyArns" not in role


def test_who_the_hub_is_must_be_said_in_the_end(run: Run) -> None:
    _, out, _ = run("--cloudformation")
    assert "Default" not in yaml.safe_load(out)["Parameters"]["Hub"]
    assert "ParameterKey=Hub,ParameterValue=" in out
    _, out, _ = run(f"--cloudformation --trust {HUB}")
    assert "ParameterKey=Hub" not in out


def test_a_template_attaches_the_managed_policy_and_what_it_lacks(run: Run) -> None:
    template = printed(run, "--cloudformation --json --beyond ViewOnlyAccess")["Resources"]
    made = [each["Properties"]["PolicyDocument"] for name, each in template.items() if name != "Role"]
    assert sorted(actions(made)) == LACKING
    role = printed(run, "--cloudformation --json --beyond SecurityAudit")["Resources"]["Role"]["Properties"]
    assert role["ManagedPolicyArns"] == [{"Fn::Sub": "arn:${AWS::Partition}:iam::aws:policy/SecurityAudit"}]


def test_the_stacks_go_where_iam_answers(run: Run) -> None:
    _, out, _ = run(f"--cloudformation --trust {HUB} --partition aws-cn")
    assert "--regions cn-north-1 " in out


def terraform(run: Run, options: str) -> dict[str, dict[str, Any]]:
    """The blocks of the file by kind and name; texts keep their quotes, as hcl2 reads them."""
    code, out, _ = run(f"--terraform {options}")
    assert code == 0
    read = hcl2.loads(out)
    found: dict[str, dict[str, Any]] = {"locals": read.get("locals", [{}])[0]}
    for kind in ("variable", "output"):
        found[kind] = {name.strip('"'): each for block in read[kind] for name, each in block.items()}
    found["resource"] = {
        f"{type_}.{name}".replace('"', ""): each
        for block in read["resource"]
        for type_, named in block.items()
        for name, each in named.items()
    }
    return found


def test_the_terraform_file_makes_the_role_with_exactly_the_policies(run: Run) -> None:
    found = terraform(run, f"--trust {HUB} --role-name audit/reader --external-id abc")
    defaults = {name: each["default"] for name, each in found["variable"].items()}
    assert defaults == {"hub": f'"{HUB_ARN}"', "external_id": '"abc"', "role_name": '"reader"'}
    assert found["resource"]["aws_iam_role.skysweep"]["path"] == '"/audit/"'
    documents = [[action.strip('"') for action in actions(each)] for each in found["locals"]["policies"]]
    assert documents == [actions(each) for each in PARTS]
    assert len(documents) > 1
    assert "aws_iam_role_policy_attachment.base" not in found["resource"]


def test_the_terraform_file_attaches_the_managed_policy_and_what_it_lacks(run: Run) -> None:
    found = terraform(run, "--beyond ViewOnlyAccess")
    base = found["resource"]["aws_iam_role_policy_attachment.base"]
    assert base["policy_arn"].endswith(':iam::aws:policy/job-function/ViewOnlyAccess"')
    assert sorted(action.strip('"') for action in actions(found["locals"]["policies"])) == LACKING
    assert "default" not in found["variable"]["hub"]


def test_where_nothing_lacks_terraform_makes_no_policy(run: Run) -> None:
    found = terraform(run, "--beyond SecurityAudit --aws-requested-syncs sns")
    assert set(found["resource"]) == {"aws_iam_role.skysweep", "aws_iam_role_policy_attachment.base"}


# What has no meaning


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--terraform --cloudformation", "--terraform has no meaning with --cloudformation"),
        ("--hub --trust 111111111111", "--trust has no meaning with --hub"),
        ("--hub --terraform", "--hub has no meaning with --terraform"),
        ("--hub --external-id abc", "--external-id has no meaning with --hub"),
        ("--hub --beyond SecurityAudit", "--beyond has no meaning with --hub"),
        ("--trust 111111111111 --beyond SecurityAudit", "--beyond has no meaning with --trust"),
        ("--trust 111111111111 --aws-requested-syncs s3", "--aws-requested-syncs has no meaning with --trust"),
        ("--terraform --json", "--json has no meaning with --terraform"),
        ("--external-id abc", "--external-id needs one of --cloudformation, --terraform, --trust"),
        ("--role-name x", "--role-name needs one of --cloudformation, --terraform, --hub"),
        ("--partition aws", "--partition needs one of"),
        ("--terraform --partition aws", "--partition needs --trust"),
        ("--trust 111111111111 --partition mars", "'mars' is none of aws, aws-cn"),
        ("--hub --partition ''", "'' is none of aws"),
        ("--trust arn:aws-cn:iam::111111111111:role/x --partition aws", "--partition aws does not go with --trust"),
        ("--trust ''", "--trust: '' is neither"),
        ("--terraform --trust 12", "--trust: '12' is neither"),
        ("--trust 111111111111 --external-id a", "--external-id: 'a' is none"),
        ("--terraform --external-id '${x}'", "--external-id: '${x}' is none"),
        ("--hub --role-name '*'", "--role-name: '*' is no name"),
        ("--cloudformation --role-name ''", "--role-name: '' is no name"),
        ("--terraform --beyond SecurityAudit --role-name '*'", "--role-name: '*' is no name"),
        ("--beyond PowerUser", "no copy of 'PowerUser'"),
        ("--beyond ''", "no copy of ''"),
    ],
)
def test_what_has_no_meaning_is_said_in_one_line_and_nothing_is_printed(run: Run, options: str, said: str) -> None:
    code, out, err = run(options)
    assert (code, out) == (UNUSABLE, "")
    assert err.startswith("skysweep: ")
    assert err.count("\n") == 1
    assert said in err


def test_no_aws_file_or_credential_is_needed(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_PROFILE", "none-such")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    assert run("--terraform")[0] == 0
