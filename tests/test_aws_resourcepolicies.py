"""Resource policies: their statements' ids, whom they let in, and who of those is told of."""

from __future__ import annotations

import json
from typing import Any

import pytest

from skysweep import catalogue
from skysweep.aws import resourcepolicies
from skysweep.aws.resourcepolicies import AdmittingStatement, NamedRole, statements_of
from skysweep.catalogue import Catalogue
from skysweep.model import Context, Edge, Record

HERE = Context("123456789012", "us-east-1")
THERE = "210987654321"
ARN = "arn:aws:sqs:us-east-1:123456789012:orders"


def queue(*statements: Any) -> Record:
    return Record({"QueueArn": ARN, "Policy": json.dumps({"Statement": list(statements)})}, HERE)


def statement(principal: Any = None, effect: str = "Allow", **more: Any) -> Record:
    return Record({"Effect": effect, **({"Principal": principal} if principal else {}), **more}, HERE)


def edge(name: str) -> Edge:
    found = vars(AdmittingStatement)[name]
    assert isinstance(found, Edge)
    return found


def keys(name: str, of: Record) -> list[str]:
    read = edge(name).path
    assert callable(read)
    return list(read(of))


def told(name: str, of: Record) -> list[str]:
    tells = edge(name).tells
    assert tells
    return [each["id"] for each in tells(of)]


def test_statements_are_known_by_their_sid_or_their_number() -> None:
    made = statements_of("Policy", "QueueArn")(queue({"Sid": "send"}, {"Effect": "Allow"}, {"Sid": "send"}))
    assert [each["id"] for each in made] == [
        f"{ARN}/policy_statement/send",
        f"{ARN}/policy_statement/2",
        f"{ARN}/policy_statement/send+",
    ]


def test_without_a_policy_there_are_no_statements() -> None:
    assert list(statements_of("Policy", "QueueArn")(Record({"QueueArn": ARN}, HERE))) == []


def test_a_statement_leads_to_whom_it_lets_in() -> None:
    role, user = f"arn:aws:iam::{THERE}:role/build/pusher", f"arn:aws:iam::{THERE}:user/eve"
    named = statement({"AWS": [role, user, THERE, "*"], "Service": "sns.amazonaws.com"})
    assert keys("roles", named) == [f"arn:aws:iam::{THERE}:role/pusher"], "found by account and name"
    assert keys("users", named) == [user]
    assert keys("roots", named) == [f"arn:aws:iam::{THERE}:root"]
    assert keys("accounts", named) == told("accounts", named) == [THERE]
    assert keys("services", named) == ["sns.amazonaws.com"]
    assert keys("everyone", named) == ["*"]
    assert told("roles", named) == [role]


def test_a_star_for_everybody_needs_no_kind() -> None:
    assert keys("everyone", statement("*")) == ["*"]


@pytest.mark.parametrize(
    ("given", "open_to"),
    [
        (statement("*", "Deny"), []),
        (statement(effect="Deny", NotPrincipal={"AWS": THERE}), []),
        (statement(NotPrincipal={"AWS": THERE}), ["*"]),
    ],
    ids=["deny", "deny all but", "allow all but"],
)
def test_who_is_denied_is_not_let_in(given: Record, open_to: list[str]) -> None:
    assert keys("everyone", given) == open_to
    assert keys("accounts", given) == []


def test_only_principals_of_other_accounts_are_told_of() -> None:
    own = statement({"AWS": [f"arn:aws:iam::{HERE.account}:role/app", HERE.account]})
    assert keys("roles", own) == [f"arn:aws:iam::{HERE.account}:role/app"]
    assert told("roles", own) == []
    assert keys("roots", own) == [f"arn:aws:iam::{HERE.account}:root"]
    assert told("roots", own) == keys("accounts", own) == []


def test_a_session_of_a_role_is_the_role() -> None:
    session = statement({"AWS": f"arn:aws:sts::{THERE}:assumed-role/pusher/nightly"})
    assert keys("roles", session) == told("roles", session) == [f"arn:aws:iam::{THERE}:role/pusher"]


def labels(selected: Catalogue) -> set[str]:
    return {type_.label for type_ in selected.types}


def test_a_selection_without_iam_stays_without_it_and_has_the_statements() -> None:
    alone, both = catalogue.load(["sqs"]), catalogue.load(["sqs", "iam"])
    assert "SQSPolicyStatement" in labels(alone)
    assert not {"AWSRole", "AWSUser", "Everyone"} & labels(alone)
    kinds = {
        edge.kind for type_ in both.types if type_.label == "SQSPolicyStatement" for edge in type_.edges if edge.tells
    }
    assert kinds == {"ALLOWS_ACCESS_FROM"}
    assert labels(catalogue.load(["iam"])).isdisjoint({"SQSPolicyStatement", "SQSQueue"}), "what adds brings nothing"


def test_what_is_told_of_a_role_leaves_what_is_known_of_it() -> None:
    properties = {name for name, value in vars(NamedRole).items() if isinstance(value, type(vars(NamedRole)["arn"]))}
    assert properties == {"id", "arn", "pathless_arn", "name"}
    assert resourcepolicies.NamedRole.label == "AWSRole"
