"""What jobs and their definitions start, whichever of Batch's four forms describes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import answers
from skysweep.aws import batch
from skysweep.catalogue import declared
from skysweep.model import Context, Record
from skysweep.records import Maker

HERE = Context("123456789012", "us-east-1")
ONE = {"image": "one", "environment": [{"name": "B", "value": "secret"}, {"name": "A", "value": "secret"}]}
MANY = {"taskRoleArn": "task", "executionRoleArn": "fetch", "containers": [ONE, {"image": "two"}, {"image": "one"}]}
POD = {"podProperties": {"initContainers": [{"image": "two"}], "containers": [{"image": "one"}]}}


def record(told: dict[str, Any]) -> Record:
    return Record(told, HERE)


@pytest.mark.parametrize(
    ("told", "images"),
    [
        ({"containerProperties": ONE}, ["one"]),
        ({"container": ONE}, ["one"]),
        ({"ecsProperties": {"taskProperties": [MANY]}}, ["one", "two"]),
        ({"eksProperties": POD}, ["two", "one"]),
        ({"nodeProperties": {"nodeRangeProperties": [{"container": ONE}, {"eksProperties": POD}]}}, ["one", "two"]),
        ({}, []),
    ],
)
def test_the_images_are_those_of_every_container_each_once(told: dict[str, Any], images: list[str]) -> None:
    assert batch.images(record(told)) == images


def test_an_image_without_a_tag_is_pulled_as_the_latest() -> None:
    assert batch.pulled(record({"container": {"image": "host/web"}})) == ["host/web:latest"]


def test_the_roles_of_code_and_those_that_fetch_for_it_are_told_apart() -> None:
    several = {"ecsProperties": {"taskProperties": [MANY]}}
    single = {"container": {"jobRoleArn": "task", "executionRoleArn": "task"}}
    assert (batch.job_roles(record(several)), batch.execution_roles(record(several))) == (["task"], ["fetch"])
    assert batch.every_role(record(several)) == ["task", "fetch"]
    assert batch.every_role(record(single)) == ["task"]


@pytest.mark.parametrize("container", [{"privileged": True}, {"securityContext": {"privileged": True}}])
def test_one_privileged_container_makes_it_privileged(container: dict[str, Any]) -> None:
    pod = {"eksProperties": {"podProperties": {"containers": [{}, container]}}}
    assert batch.is_privileged(record(pod))
    assert not batch.is_privileged(record({"container": ONE}))


@pytest.mark.parametrize(
    ("kind", "reply"), [(batch.AWSBatchJobDefinition, "jobDefinitions"), (batch.AWSBatchJob, "jobs")]
)
def test_no_value_of_a_variable_no_command_and_no_parameter_is_stored(kind: type[Any], reply: str) -> None:
    stored = json.loads(Path(answers.REPLIES / "batch" / f"Describe{reply[0].upper()}{reply[1:]}.json").read_text())
    replies = [each["reply"] for each in stored] if isinstance(stored, list) else [stored]
    items = [item for each in replies for item in each[reply]]
    assert "hunter2" in str(items)
    assert "hunter2" not in str([Maker(declared(kind)).row(record(item)) for item in items])


def test_each_status_of_a_queue_is_asked_for_and_no_queue_of_service_jobs() -> None:
    asked = list(batch.waiting_rooms(record({"jobQueueArn": "queue", "jobQueueType": "ECS"})))
    assert asked == [{"queue": "queue", "status": status} for status in batch.STATUSES]
    assert not list(batch.waiting_rooms(record({"jobQueueArn": "queue", "jobQueueType": "SAGEMAKER_TRAINING"})))


@pytest.mark.parametrize("told", ["ecs", "arn:aws:iam::123456789012:instance-profile/ecs"])
def test_an_instance_profile_is_known_by_its_arn_whichever_way_it_is_named(told: str) -> None:
    profile = batch.instance_profile(record({"computeResources": {"instanceRole": told}}))
    assert profile == "arn:aws:iam::123456789012:instance-profile/ecs"
