"""Auto scaling groups: by which templates and configurations they start instances, and where."""

from __future__ import annotations

from typing import Any

import pytest

from skysweep import catalogue
from skysweep.aws import autoscaling
from skysweep.aws.autoscaling import AutoScalingGroup, LaunchConfiguration
from skysweep.model import Context, Record
from skysweep.records import Maker

TYPES = {each.cls: each for each in catalogue.read([autoscaling])}
CONTEXT = Context("123456789012", "us-east-1")


def template(number: int) -> dict[str, str]:
    return {"LaunchTemplateId": f"lt-{number}", "LaunchTemplateName": f"t{number}", "Version": str(number)}


def mixed(first: dict[str, str], *overrides: dict[str, Any]) -> dict[str, Any]:
    launch = {"LaunchTemplateSpecification": first, "Overrides": list(overrides)}
    return {"MixedInstancesPolicy": {"LaunchTemplate": launch}}


def ends(item: dict[str, Any], kind: str, context: Context = CONTEXT) -> list[str]:
    type_ = TYPES[AutoScalingGroup]
    links = Maker(type_).links(Record(item, context), "asg")
    return [link.end for link in links if type_.edges[link.edge].kind == kind]


@pytest.mark.parametrize(
    ("item", "first", "all_"),
    [
        ({}, (None, None, None), []),
        ({"LaunchTemplate": template(1)}, ("lt-1", "t1", "1"), ["lt-1"]),
        (mixed(template(2)), ("lt-2", "t2", "2"), ["lt-2"]),
        (
            mixed(template(2), {"InstanceType": "m6i.large"}, {"LaunchTemplateSpecification": template(3)}),
            ("lt-2", "t2", "2"),
            ["lt-2", "lt-3"],
        ),
        (mixed(template(2), {"LaunchTemplateSpecification": template(2)}), ("lt-2", "t2", "2"), ["lt-2"]),
    ],
    ids=["a configuration", "a template", "mixed instances", "an override's own template", "the same again"],
)
def test_a_groups_launch_templates(item: dict[str, Any], first: tuple[str | None, ...], all_: list[str]) -> None:
    props = Maker(TYPES[AutoScalingGroup]).row(Record({"AutoScalingGroupARN": "asg", **item}, CONTEXT))["props"]
    assert (props["launchtemplateid"], props["launchtemplatename"], props["launchtemplateversion"]) == first
    assert ends(item, "HAS_LAUNCH_TEMPLATE") == all_


@pytest.mark.parametrize(
    ("zones", "subnets"),
    [("subnet-1", ["subnet-1"]), ("subnet-1,subnet-2", ["subnet-1", "subnet-2"]), ("a, b", ["a", "b"]), ("", [])],
)
def test_a_groups_subnets_are_a_text_with_commas(zones: str, subnets: list[str]) -> None:
    assert ends({"VPCZoneIdentifier": zones}, "VPC_IDENTIFIER") == subnets


@pytest.mark.parametrize(
    "context", [CONTEXT, Context("123456789012", "eu-west-1"), Context("210987654321", "us-east-1")]
)
def test_a_configuration_is_found_by_its_name_in_its_account_and_region_only(context: Context) -> None:
    configuration = {"LaunchConfigurationARN": "lc", "LaunchConfigurationName": "web"}
    held = Maker(TYPES[LaunchConfiguration]).row(Record(configuration, CONTEXT))["props"]["scoped_name"]
    sought = ends({"LaunchConfigurationName": "web"}, "HAS_LAUNCH_CONFIG", context)
    assert (sought == [held]) == (context == CONTEXT)
