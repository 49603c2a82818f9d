"""What findings, rules and logs tell in forms of their own."""

from __future__ import annotations

from typing import Any

import pytest

from skysweep.aws import cloudwatch, config, flowlogs, guardduty, inspector2, securityhub
from skysweep.model import Context, Record, Unanswered

HERE = Context("123456789012", "us-east-1")


def record(**members: Any) -> Record:
    return Record(members, HERE)


@pytest.mark.parametrize(
    ("severity", "label"),
    [(0.5, None), (1.0, "low"), (3.9, "low"), (4.0, "medium"), (6.9, "medium"), (7.0, "high"), (9.0, "critical")],
)
def test_guardduty_names_its_severities(severity: float, label: str | None) -> None:
    assert guardduty.severity_label(severity) == label


@pytest.mark.parametrize(
    ("told", "sample"),
    [('{"sample": true}', True), ('{"sample": false}', False), ("{}", None), ("[]", None), ("a", None)],
)
def test_a_finding_says_in_json_whether_it_is_a_sample(told: str, sample: bool | None) -> None:
    assert guardduty.is_sample(told) is sample


def test_credentials_are_the_users_or_the_roles() -> None:
    def key(kind: str) -> Record:
        return record(Resource={"AccessKeyDetails": {"PrincipalId": "AROA1:session", "UserType": kind}})

    assert (guardduty.user_id(key("IAMUser")), guardduty.role_id(key("IAMUser"))) == ("AROA1", None)
    assert (guardduty.user_id(key("AssumedRole")), guardduty.role_id(key("AssumedRole"))) == (None, "AROA1")
    assert (guardduty.user_id(key("Root")), guardduty.role_id(key("Root"))) == (None, None)


def test_an_attack_in_several_steps_is_about_all_that_it_involved() -> None:
    users = [
        {"Uid": "AIDA1", "Type": "IAMUser", "CredentialUid": "AKIA1"},
        {"Uid": "AROA1:session", "Type": "AssumedRole", "CredentialUid": "ASIA1"},
    ]
    sequence = {
        "Actors": [*({"User": user} for user in users), {"Process": {"Name": "sh"}}],
        "Resources": [{"Uid": "arn:aws:s3:::pictures"}, {"Uid": "i-1"}, {"Uid": "ASIA1"}],
    }
    finding = record(AccountId="111111111111", Resource={}, Service={"Detection": {"Sequence": sequence}})

    assert guardduty.principals(finding, guardduty.USERS) == ["AIDA1"]
    assert guardduty.principals(finding, guardduty.ROLES) == ["AROA1"]
    assert guardduty.keys(finding) == ["AKIA1", "ASIA1"]
    assert guardduty.affected(finding) == [
        "arn:aws:s3:::pictures",
        "arn:aws:ec2:us-east-1:111111111111:instance/i-1",
        "ASIA1",
    ]


def test_what_the_root_user_did_is_about_the_account_as_a_principal() -> None:
    finding = record(AccountId="111111111111", Resource={"AccessKeyDetails": {"UserType": "Root"}})
    assert guardduty.affected(finding) == ["arn:aws:iam::111111111111:root"]


@pytest.mark.parametrize(
    ("package", "id_"),
    [
        ({"name": "zlib", "version": "1.2"}, "zlib|1.2"),
        ({"name": "ssl", "version": "1", "epoch": 0, "release": "2", "arch": "X86_64"}, "ssl|0:1-2.X86_64"),
        ({"name": "ssl", "version": "1", "epoch": 1, "arch": "ARM64"}, "ssl|1:1.ARM64"),
    ],
)
def test_packages_are_named_as_rpm_names_them(package: dict[str, Any], id_: str) -> None:
    assert inspector2.package_id(record(**package)) == id_


def test_an_image_in_a_nested_repository_is_known_by_its_digest() -> None:
    arn = "arn:aws:ecr:us-east-1:123456789012:repository/a/b/c/sha256:98c0"
    finding = record(resources=[{"type": "AWS_ECR_CONTAINER_IMAGE", "id": arn}])

    assert inspector2.image_digest(finding) == "sha256:98c0"


@pytest.mark.parametrize(
    ("kind", "name", "arn"),
    [
        ("AWS::EC2::Instance", "i-1", "arn:aws:ec2:us-east-1:123456789012:instance/i-1"),
        ("AWS::S3::Bucket", "pictures", "arn:aws:s3:::pictures"),
        ("AWS::SNS::Topic", "arn:aws:sns:us-east-1:123456789012:t", "arn:aws:sns:us-east-1:123456789012:t"),
        ("AWS::Something::New", "n", None),
    ],
)
def test_config_names_resources_by_less_than_their_arn(kind: str, name: str, arn: str | None) -> None:
    assert config.arn_of(kind, name, HERE) == arn


@pytest.mark.parametrize(
    ("compliance", "broken"),
    [({"ComplianceType": "NON_COMPLIANT"}, True), ({"ComplianceType": "COMPLIANT"}, False), ({}, False)],
)
def test_only_of_a_rule_that_is_broken_it_is_asked_by_what(compliance: dict[str, str], broken: bool) -> None:
    rule = record(ConfigRuleName="r")
    rule.replies[config.COMPLIANCE.call] = {"ConfigRuleName": "r", "Compliance": compliance}

    assert config.is_broken(rule) is broken


def test_of_a_rule_whose_compliance_was_not_told_nobody_knows_what_breaks_it() -> None:
    rule = record(ConfigRuleName="r")
    rule.failed.add(config.COMPLIANCE.call)

    with pytest.raises(Unanswered):
        config.is_broken(rule)


def test_security_hub_names_accounts_and_keys_in_its_own_way() -> None:
    finding = record(
        Resources=[{"Id": "AWS::::Account:1"}, {"Id": "AWS::IAM::AccessKey:AKIA1"}, {"Id": "arn:aws:s3:::b"}]
    )

    assert securityhub.accounts(finding) == ["1"]
    assert securityhub.access_keys(finding) == ["AKIA1"]


def test_flow_logs_go_to_a_group_or_to_a_bucket() -> None:
    bucket = record(ResourceId="vpc-1", LogDestinationType="s3", LogDestination="arn:aws:s3:::b/prefix/")
    named = record(ResourceId="eni-1", LogGroupName="g")

    assert (flowlogs.bucket(bucket), flowlogs.group_arn(bucket)) == ("b", None)
    assert flowlogs.group_arn(named) == "arn:aws:logs:us-east-1:123456789012:log-group:g"
    assert [link.start for link in flowlogs.vpc_to_bucket(bucket)] == ["vpc-1"]
    assert flowlogs.vpc_to_group(named) == []


def test_an_alarm_on_several_metrics_watches_what_each_is_of() -> None:
    def metric(name: str, value: str) -> dict[str, Any]:
        return {"MetricStat": {"Metric": {"Dimensions": [{"Name": name, "Value": value}]}}}

    alarm = record(Metrics=[{"Expression": "a + b"}, metric("InstanceId", "i-1"), metric("QueueName", "orders")])

    assert cloudwatch.watched(alarm) == ["i-1"]
    assert cloudwatch.metric_of(alarm) == ["InstanceId=i-1", "QueueName=orders"]
    assert cloudwatch.watched(record(Dimensions=[{"Name": "InstanceId", "Value": "i-2"}])) == ["i-2"]
