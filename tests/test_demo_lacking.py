"""What moto lacks is answered as an account answers that has none of it; and moto does lack it."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
from typing import Any

import pytest
from botocore.exceptions import ClientError

from skysweep.demo.lacking import LACKING
from skysweep.demo.session import Account, Clients, Keys

LISTINGS: list[tuple[str, str, dict[str, Any], str]] = [
    ("accessanalyzer", "list_analyzers", {}, "analyzers"),
    ("config", "describe_compliance_by_config_rule", {}, "ComplianceByConfigRules"),
    ("config", "get_compliance_details_by_config_rule", {"ConfigRuleName": "x"}, "EvaluationResults"),
    ("ecr", "describe_pull_through_cache_rules", {}, "pullThroughCacheRules"),
    ("eks", "describe_cluster_versions", {}, "clusterVersions"),
    ("eks", "list_access_entries", {"clusterName": "x"}, "accessEntries"),
    ("guardduty", "list_findings", {"DetectorId": "x"}, "FindingIds"),
    ("securityhub", "get_enabled_standards", {}, "StandardsSubscriptions"),
    ("transfer", "list_users", {"ServerId": "s-01234567890123456"}, "Users"),
    ("wafv2", "list_resources_for_web_acl", {"WebACLArn": "arn:aws:wafv2:us-east-1:1:regional/x"}, "ResourceArns"),
    ("workspaces", "describe_workspace_bundles", {}, "Bundles"),
    ("workspaces", "describe_workspaces_connection_status", {}, "WorkspacesConnectionStatus"),
]
CERTIFICATE = ("apigateway", "get_client_certificate")


def client(endpoint: str, service: str) -> Any:
    return Account("", "", Clients(endpoint), Keys()).client(service)


@pytest.mark.parametrize(("service", "method", "inputs", "member"), LISTINGS)
def test_there_is_none_of_it(moto: str, service: str, method: str, inputs: dict[str, Any], member: str) -> None:
    assert getattr(client(moto, service), method)(**inputs)[member] == []


def test_there_is_no_such_certificate(moto: str) -> None:
    with pytest.raises(ClientError, match="NotFoundException"):
        client(moto, "apigateway").get_client_certificate(clientCertificateId="x")


def test_what_is_not_in_the_table_is_motos_to_answer(moto: str) -> None:
    assert client(moto, "ecr").describe_repositories()["repositories"] == []
    with pytest.raises(ClientError, match=r"\(404\)|\(500\)|NotImplemented"):
        client(moto, "accessanalyzer").list_archive_rules(analyzerName="x")


@pytest.mark.parametrize(("service", "method"), [CERTIFICATE, *((each[0], each[1]) for each in LISTINGS)])
def test_moto_does_lack_it(service: str, method: str) -> None:
    if importlib.util.find_spec(f"moto.{service}"):
        responses = vars(importlib.import_module(f"moto.{service}.responses")).values()
        assert not [each for each in responses if inspect.isclass(each) and hasattr(each, method)]


def test_every_operation_of_the_table_is_tried() -> None:
    assert len(LACKING) == len(LISTINGS) + 1
