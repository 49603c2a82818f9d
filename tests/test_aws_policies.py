"""IAM's policy language, as it is met in real accounts."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from skysweep.aws._iam import foreign_accounts, named, trusted
from skysweep.aws._policies import Principal, as_json, document, principal, statements, terms, trusts
from skysweep.aws.iam import groups_of
from skysweep.aws.iam_principals import roots
from skysweep.model import Context, Record

HERE = Context("123456789012", "global")
OTHER = "999999999999"
ROOT = f"arn:aws:iam::{OTHER}:root"


def policy(*given: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(given)})


def allow(named_principal: Any, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": named_principal, "Action": "sts:AssumeRole", **more}


def page(*documents: str) -> Record:
    return Record({"RoleDetailList": [{"AssumeRolePolicyDocument": each} for each in documents]}, HERE)


@pytest.mark.parametrize("text", [policy(), quote(policy()), json.loads(policy())], ids=["json", "encoded", "parsed"])
def test_a_document_comes_in_three_forms(text: Any) -> None:
    assert document(text) == {"Version": "2012-10-17", "Statement": []}


def test_a_percent_sign_in_plain_json_stays() -> None:
    assert json.loads(as_json('{"Sid": "100%25"}')) == {"Sid": "100%25"}


@pytest.mark.parametrize("text", ["[]", "no JSON", None])
def test_what_is_no_document_is_an_error(text: Any) -> None:
    with pytest.raises(ValueError, match=r"no policy|Expecting value"):
        document(text)


def test_statements_have_cartographys_ids() -> None:
    three = policy({"Effect": "Allow"}, {"Effect": "Deny", "Sid": "A"}, {"Effect": "Allow", "Sid": ""})
    assert [each["id"] for each in statements("p", three)] == ["p/statement/1", "p/statement/A", "p/statement/2"]


def test_a_sid_that_is_a_number_does_not_merge_two_statements() -> None:
    two = policy({"Effect": "Allow", "Sid": "1"}, {"Effect": "Deny"})
    assert len({each["id"] for each in statements("p", two)}) == 2


def test_one_statement_need_not_be_in_a_list() -> None:
    (only,) = statements("p", {"Statement": {"Effect": "Allow", "Action": "s3:*", "Condition": {"Bool": {"k": "v"}}}})
    assert only["Action"] == ["s3:*"]
    assert only["Condition"] == '[{"Bool": {"k": "v"}}]'
    assert "Resource" not in only


@pytest.mark.parametrize(
    ("kind", "name", "expected"),
    [
        ("AWS", "*", Principal("everyone", "*")),
        ("AWS", OTHER, Principal("root", ROOT, OTHER)),
        ("AWS", ROOT, Principal("root", ROOT, OTHER)),
        (
            "AWS",
            f"arn:aws:iam::{OTHER}:role/a/b",
            Principal("role", f"arn:aws:iam::{OTHER}:role/a/b", OTHER, f"arn:aws:iam::{OTHER}:role/b"),
        ),
        (
            "AWS",
            f"arn:aws:sts::{OTHER}:assumed-role/b/session",
            Principal("role", "", OTHER, f"arn:aws:iam::{OTHER}:role/b"),
        ),
        (
            "AWS",
            f"arn:aws-us-gov:iam::{OTHER}:user/x/y",
            Principal("user", f"arn:aws-us-gov:iam::{OTHER}:user/x/y", OTHER),
        ),
        ("AWS", f"arn:aws:iam::{OTHER}:user/root", Principal("user", f"arn:aws:iam::{OTHER}:user/root", OTHER)),
        (
            "AWS",
            f"arn:aws:sts::{OTHER}:federated-user/bob",
            Principal("other", f"arn:aws:sts::{OTHER}:federated-user/bob", OTHER),
        ),
        ("AWS", "AROAEXAMPLEDELETEDROLE", Principal("other", "AROAEXAMPLEDELETEDROLE")),
        ("AWS", "AIDAEXAMPLEDELETEDUSER", Principal("other", "AIDAEXAMPLEDELETEDUSER")),
        ("Service", "lambda.amazonaws.com", Principal("service", "lambda.amazonaws.com")),
        ("Federated", "cognito-identity.amazonaws.com", Principal("federated", "cognito-identity.amazonaws.com")),
        ("CanonicalUser", "79a59df900b949e55d96a1e698fb", Principal("other", "79a59df900b949e55d96a1e698fb")),
    ],
)
def test_the_arn_tells_what_a_principal_is(kind: str, name: str, expected: Principal) -> None:
    assert principal(kind, name, "aws") == expected


def test_a_bare_account_is_of_the_targets_partition() -> None:
    assert principal("AWS", OTHER, "aws-cn").key == f"arn:aws-cn:iam::{OTHER}:root"


@pytest.mark.parametrize("whom", ["*", {"AWS": "*"}, {"AWS": ["*"]}])
def test_a_star_is_everyone(whom: Any) -> None:
    (trust,) = trusts(policy(allow(whom)), "aws")
    assert trust.principal.kind == "everyone"


def test_all_but_a_few_is_everyone() -> None:
    (trust,) = trusts(policy({"Effect": "Allow", "NotPrincipal": {"AWS": ROOT}, "Action": "sts:AssumeRole"}), "aws")
    assert trust.principal.kind == "everyone"


def test_whom_a_statement_denies_is_not_trusted() -> None:
    assert trusts(policy({"Effect": "Deny", "Principal": {"AWS": ROOT}, "Action": "sts:AssumeRole"}), "aws") == ()


def test_a_condition_counts_only_where_no_statement_does_without() -> None:
    held = allow({"AWS": OTHER}, Condition={"StringEquals": {"sts:ExternalId": "x"}})
    tagged = allow({"AWS": ROOT}, Action=["sts:TagSession"])
    assert terms(trusts(policy(held), "aws")) == {
        "actions": ["sts:AssumeRole"],
        "condition": '[{"StringEquals": {"sts:ExternalId": "x"}}]',
    }
    assert terms(trusts(policy(held, tagged), "aws")) == {
        "actions": ["sts:AssumeRole", "sts:TagSession"],
        "condition": None,
    }


def test_a_role_and_its_session_are_one_trust_edge() -> None:
    both = [f"arn:aws:iam::{OTHER}:role/p/b", f"arn:aws:sts::{OTHER}:assumed-role/b/s"]
    held = allow({"AWS": both}, Condition={"Bool": {"k": "true"}})
    role = Record({"AssumeRolePolicyDocument": policy(held)}, HERE)
    (link,) = trusted("role")(role)
    assert link.key == f"arn:aws:iam::{OTHER}:role/b"
    assert link.properties["condition"] == '[{"Bool": {"k": "true"}}]'


def test_a_role_and_its_session_on_different_terms_are_trusted_on_the_freer() -> None:
    held = allow({"AWS": f"arn:aws:iam::{OTHER}:role/p/b"})
    session = allow({"AWS": f"arn:aws:sts::{OTHER}:assumed-role/b/s"}, Condition={"Bool": {"k": "true"}})
    (link,) = trusted("role")(Record({"AssumeRolePolicyDocument": policy(held, session)}, HERE))
    assert link.properties["condition"] is None


def test_a_page_names_each_foreign_principal_once() -> None:
    own = f"arn:aws:iam::{HERE.account}:role/own"
    foreign = f"arn:aws:iam::{OTHER}:role/a/b"
    seen = list(
        named("role", foreign=True)(page(policy(allow({"AWS": [own, foreign]})), policy(allow({"AWS": foreign}))))
    )
    assert seen == [
        {"Arn": foreign, "Account": OTHER, "Pathless": f"arn:aws:iam::{OTHER}:role/b", "Name": "b", "Path": "/a/"}
    ]


def test_a_session_of_a_foreign_role_tells_its_role_but_not_its_path() -> None:
    trusting = page(policy(allow({"AWS": f"arn:aws:sts::{OTHER}:assumed-role/b/s"})))
    role = f"arn:aws:iam::{OTHER}:role/b"
    assert list(named("role", foreign=True)(trusting)) == [
        {"Arn": role, "Account": OTHER, "Pathless": role, "Name": "b", "Path": None}
    ]
    (link,) = trusted("role")(Record(trusting.item["RoleDetailList"][0], HERE))
    assert link.key == role, "it is found by its pathless ARN"
    assert list(foreign_accounts(trusting)) == [OTHER]


def test_own_root_is_there_whoever_is_trusted() -> None:
    own = f"arn:aws:iam::{HERE.account}:root"
    assert [root["Arn"] for root in roots(page())] == [own]
    assert [root["Arn"] for root in roots(page(policy(allow({"AWS": [HERE.account, OTHER]}))))] == [own, ROOT]


def test_a_group_is_found_by_its_name_whatever_its_path() -> None:
    assert groups_of(Record({"GroupList": ["admins"]}, HERE)) == [f"arn:aws:iam::{HERE.account}:group/admins"]
