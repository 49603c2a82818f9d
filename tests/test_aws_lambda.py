"""Lambda: functions by one name whatever calls them, and no value of their environment."""

from __future__ import annotations

from typing import Any

import pytest

from skysweep import catalogue
from skysweep.aws import lambda_
from skysweep.aws.lambda_ import AWSLambda, AWSLambdaEventSourceMapping, AWSLambdaFunctionVersion
from skysweep.model import Context, Record, Resource
from skysweep.records import Maker

TYPES = {each.cls: each for each in catalogue.read([lambda_])}
CONTEXT = Context("123456789012", "us-east-1")
ARN = "arn:aws:lambda:us-east-1:123456789012:function:checkout"


def made(cls: type[Resource], item: dict[str, Any]) -> tuple[dict[str, Any], set[tuple[str, str, str]]]:
    """A record's row and its edges."""
    type_, record = TYPES[cls], Record(item, CONTEXT)
    row = Maker(type_).row(record)
    edges = {(link.start, type_.edges[link.edge].kind, link.end) for link in Maker(type_).links(record, row["id"])}
    return row["props"], edges


def test_only_the_names_of_the_environment_are_kept() -> None:
    environment = {"Variables": {"TOKEN": "hunter2", "STAGE": "live"}}
    props, _ = made(AWSLambda, {"FunctionArn": ARN, "Environment": environment})
    assert props["environment_names"] == ["STAGE", "TOKEN"]
    assert "hunter2" not in str(props)


def test_a_function_outside_of_every_vpc_has_no_edge_to_one() -> None:
    _, edges = made(
        AWSLambda, {"FunctionArn": ARN, "VpcConfig": {"VpcId": "", "SubnetIds": [], "SecurityGroupIds": []}}
    )
    assert edges == set()


@pytest.mark.parametrize("arn", [ARN, f"{ARN}:live", f"{ARN}:7", f"{ARN}:$LATEST"])
def test_a_mapping_belongs_to_the_function_whichever_way_it_names_it(arn: str) -> None:
    props, edges = made(AWSLambdaEventSourceMapping, {"UUID": "m", "FunctionArn": arn})
    assert props["functionarn"] == arn
    assert edges == {(ARN, "RESOURCE", "m")}


def test_a_version_hangs_on_its_function_and_keeps_the_role_it_was_published_with() -> None:
    source, role = AWSLambdaFunctionVersion.source, "arn:aws:iam::123456789012:role/old"
    assert source.make is not None
    seven = {"FunctionArn": f"{ARN}:7", "Version": "7", "Role": role}
    latest = {"FunctionArn": f"{ARN}:$LATEST", "Version": "$LATEST", "Role": role}
    assert list(source.make(Record(latest, CONTEXT))) == []
    assert list(source.make(Record(seven, CONTEXT))) == [seven]
    _, edges = made(AWSLambdaFunctionVersion, seven)
    assert edges == {(ARN, "VERSION", f"{ARN}:7"), (f"{ARN}:7", "ASSUMES", role)}
