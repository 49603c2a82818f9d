"""REST APIs: policies as AWS escapes them, the functions behind methods, and what is never kept."""

from __future__ import annotations

import json
from typing import Any

import pytest

import answers
from skysweep import catalogue
from skysweep.aws import apigateway
from skysweep.model import Context, Link, Record
from skysweep.records import Maker

HERE = Context("123456789012", "us-east-1")
POLICY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "execute-api:/*"}]})
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:checkout"


@pytest.mark.parametrize("sent", [json.dumps(POLICY)[1:-1], POLICY])
def test_a_policy_is_json_however_it_was_escaped(sent: str) -> None:
    assert json.loads(apigateway.unescaped(sent)) == json.loads(POLICY)


def test_an_indented_policy_is_json_too() -> None:
    sent = json.dumps(json.dumps(json.loads(POLICY), indent=2))[1:-1]
    assert json.loads(apigateway.unescaped(sent)) == json.loads(POLICY)


@pytest.mark.parametrize(
    ("behind", "function"),
    [
        (FUNCTION, FUNCTION),
        (f"{FUNCTION}:live", FUNCTION),
        ("${stageVariables.function}", None),
        ("arn:aws:lambda:us-east-1:123456789012:function:${stageVariables.function}", None),
    ],
)
def test_the_function_behind_a_method_is_known_unless_a_stage_chooses_it(behind: str, function: str | None) -> None:
    uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{behind}/invocations"
    assert apigateway.function_of(uri) == function


def test_a_server_behind_a_method_is_no_function() -> None:
    assert apigateway.function_of("https://example.com/functions/a/invocations") is None
    assert apigateway.function_of(None) is None


@pytest.mark.parametrize(
    ("credentials", "role"),
    [
        ("arn:aws:iam::123456789012:role/invoke", "arn:aws:iam::123456789012:role/invoke"),
        ("arn:aws:iam::*:user/*", None),
        (None, None),
    ],
)
def test_the_callers_own_credentials_are_no_role(credentials: str | None, role: str | None) -> None:
    assert apigateway.role(Record({"credentials": credentials}, HERE)) == role


def test_paths_of_a_domain_that_lead_to_one_api_are_one_edge() -> None:
    domain = Record({"domainName": "api.example.com"}, HERE)
    mappings = [{"basePath": "(none)", "restApiId": "a", "stage": "prod"}, {"basePath": "v1", "restApiId": "a"}]
    domain.replies[apigateway.MAPPINGS.call] = {"items": mappings}
    assert apigateway.mapped(domain) == [Link("a", {"base_paths": ["(none)", "v1"], "stages": ["prod", ""]})]


def test_http_apis_behind_a_domain_are_told_by_the_newer_api() -> None:
    domain = Record({"domainName": "api.example.com"}, HERE)
    mappings = [{"ApiId": "h", "Stage": "$default"}, {"ApiId": "h", "ApiMappingKey": "v1/x", "Stage": "live"}]
    domain.replies[apigateway.V2_MAPPINGS.call] = {"Items": mappings}
    assert apigateway.mapped_v2(domain) == [
        Link("h", {"base_paths": ["(none)", "v1/x"], "stages": ["$default", "live"]})
    ]


@pytest.mark.parametrize(
    ("name", "item", "expected"),
    [
        ("APIGatewayStage", {"stageName": "prod", "variables": {"token": "hush"}}, ["token"]),
        (
            "APIGatewayIntegration",
            {"verb": "GET", "requestParameters": {"integration.request.header.X": "'hush'"}},
            None,
        ),
    ],
)
def test_values_that_may_be_secrets_are_never_kept(name: str, item: dict[str, Any], expected: list[str] | None) -> None:
    [type_] = [each for each in catalogue.load().types if each.name == name]
    row = Maker(type_).row(Record(item, HERE, Record({"id": "r"}, HERE, Record({"id": "a"}, HERE))))
    assert "hush" not in str(row)
    assert row["props"].get("variable_names") == expected


def test_the_stored_replies_have_the_escaped_form() -> None:
    [api, *_] = answers.answers(apigateway.APIS.call)[0]["reply"]["items"]
    assert api["policy"].startswith('{\\"Version')
