"""Poisoned replies through the parsers: one bad leaf is marked, and nothing else of the page is lost."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.parsers import ResponseParserError

from skysweep import paths
from skysweep.model import Context
from skysweep.paths import Spoiled
from skysweep.replies import ParserFactory

HERE = Context("111111111111", "eu-west-1")
MODELS = Loader()


async def parsed(service: str, operation: str, body: str | bytes) -> Any:
    model = ServiceModel(MODELS.load_service_model(service, "service-2"))
    shape = model.operation_model(operation).output_shape
    parser = ParserFactory().create_parser(model.metadata["protocol"])
    data = body.encode() if isinstance(body, str) else body
    response = {"body": data, "headers": {}, "status_code": 200, "context": {"operation_name": operation}}
    return await parser.parse(response, shape)


async def instances(inner: str) -> list[Any]:
    """What becomes of two instances, one of which holds `inner`."""
    bad = f"<item><instanceId>i-1</instanceId>{inner}</item>"
    good = "<item><instanceId>i-2</instanceId><ebsOptimized>true</ebsOptimized></item>"
    page = f"<reservationSet><item><instancesSet>{bad}{good}</instancesSet></item></reservationSet>"
    reply = await parsed("ec2", "DescribeInstances", f"<DescribeInstancesResponse>{page}</DescribeInstancesResponse>")
    return [record.item for record in paths.records("Reservations[].Instances[]", reply, HERE)]


@pytest.mark.parametrize(
    ("inner", "path"),
    [
        ("<instanceState><code>abc</code></instanceState>", "State.Code"),
        ("<instanceState>running</instanceState>", "State.Name"),
        ("<launchTime>never</launchTime>", "LaunchTime"),
        ("<launchTime/>", "LaunchTime"),
        ("<ebsOptimized>maybe</ebsOptimized>", "EbsOptimized"),
        ("<groupSet>none</groupSet>", "SecurityGroups[].GroupId"),
        ("<groupSet><item>none</item></groupSet>", "SecurityGroups[].GroupId"),
        ("<subnetId><item/></subnetId>", "SubnetId"),
        ("<subnetId>a</subnetId><subnetId>b</subnetId>", "SubnetId"),
    ],
)
async def test_an_xml_leaf_that_cannot_be_read_costs_its_record_alone(inner: str, path: str) -> None:
    bad, good = await instances(inner)
    assert bad["InstanceId"] == "i-1"
    assert good == {"InstanceId": "i-2", "EbsOptimized": True}
    assert paths.getter(path)(good) in {None, True}
    with pytest.raises(TypeError):
        paths.getter(path)(bad)


@pytest.mark.parametrize(
    ("inner", "path", "value"),
    [
        ("<ebsOptimized>false</ebsOptimized>", "EbsOptimized", False),
        ("<instanceState>\n  </instanceState>", "State.Name", None),
        ("<groupSet/>", "SecurityGroups[].GroupId", []),
        ("<subnetId/>", "SubnetId", ""),
        (f"<subnetId>{'x' * 5_000_000}</subnetId>", "SubnetId", "x" * 5_000_000),
    ],
    ids=["false", "blank structure", "empty list", "empty text", "5 MB"],
)
async def test_what_xml_may_say_is_read_as_it_is(inner: str, path: str, value: Any) -> None:
    bad, _ = await instances(inner)
    assert paths.getter(path)(bad) == value


async def functions(**odd: Any) -> list[Any]:
    body = json.dumps({"Functions": [{"FunctionName": "a", **odd}, {"FunctionName": "b", "Timeout": 3}]})
    reply = await parsed("lambda", "ListFunctions", body)
    return list(reply["Functions"])


@pytest.mark.parametrize(
    ("odd", "path"),
    [
        ({"VpcConfig": "vpc-1"}, "VpcConfig.VpcId"),
        ({"VpcConfig": ["vpc-1"]}, "VpcConfig.VpcId"),
        ({"Layers": {"Arn": "a"}}, "Layers[].Arn"),
        ({"Layers": "abc"}, "Layers[].Arn"),
        ({"Layers": ["abc"]}, "Layers[].Arn"),
        ({"Architectures": "arm64"}, "Architectures"),
        ({"Environment": {"Variables": ["a"]}}, "Environment.Variables"),
    ],
    ids=str,
)
async def test_a_json_member_of_another_type_costs_its_record_alone(odd: dict[str, Any], path: str) -> None:
    bad, good = await functions(**odd)
    assert bad["FunctionName"] == "a"
    assert good == {"FunctionName": "b", "Timeout": 3}
    with pytest.raises(TypeError):
        paths.getter(path)(bad)


async def test_json_nulls_are_absent_and_odd_texts_pass() -> None:
    bad, _ = await functions(VpcConfig=None, Layers=None, Description="a\0b \ud83d", Handler="x" * 5_000_000)
    assert bad == {"FunctionName": "a", "Description": "a\0b \ud83d", "Handler": "x" * 5_000_000}


async def test_a_json_timestamp_that_is_none() -> None:
    tables = {"Table": {"TableName": "a", "CreationDateTime": "never"}}
    reply = await parsed("dynamodb", "DescribeTable", json.dumps(tables))
    assert isinstance(reply["Table"]["CreationDateTime"], Spoiled)
    assert "never" in repr(reply["Table"]["CreationDateTime"])


@pytest.mark.parametrize(
    ("service", "operation", "body"),
    [
        ("dynamodb", "ListTables", "[]"),
        ("dynamodb", "ListTables", '"text"'),
        ("lambda", "ListFunctions", "7"),
        ("guardduty", "ListDetectors", "{}"),  # its list is required
        ("ec2", "DescribeInstances", "<DescribeInstancesResponse>"),
        ("s3", "ListBuckets", "<Error/>"),
        ("s3", "GetBucketEncryption", "<VersioningConfiguration/>"),
        ("route53", "ListHostedZones", "<VersioningConfiguration/>"),
    ],
)
async def test_a_reply_that_is_none_is_refused_whole(service: str, operation: str, body: str) -> None:
    with pytest.raises(ResponseParserError):
        await parsed(service, operation, body)


async def test_iams_policies_are_objects_and_an_odd_record_among_them_is_marked() -> None:
    odd = "<member>odd</member>"
    role = "<member><Arn>r</Arn><AssumeRolePolicyDocument>%7B%22Version%22%3A1%7D</AssumeRolePolicyDocument></member>"
    text = "<member><Arn>t</Arn><AssumeRolePolicyDocument>%7Bnone</AssumeRolePolicyDocument></member>"
    listed = f"<RoleDetailList>{odd}{role}{text}</RoleDetailList>"
    body = f"<R><GetAccountAuthorizationDetailsResult>{listed}</GetAccountAuthorizationDetailsResult></R>"
    reply = await parsed("iam", "GetAccountAuthorizationDetails", body)
    first, second, third = reply["RoleDetailList"]
    assert type(first) is Spoiled
    assert second == {"Arn": "r", "AssumeRolePolicyDocument": {"Version": 1}}
    assert third == {"Arn": "t", "AssumeRolePolicyDocument": "%7Bnone"}
