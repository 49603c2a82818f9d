from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import skysweep
from conftest import empty
from skysweep import catalogue
from skysweep import settings as configuration
from skysweep.aws.tags import AWSTag, pairs, tagged
from skysweep.catalogue import Type
from skysweep.demo.server import aws as emulated_aws
from skysweep.demo.session import DUMMY, Clients, Keys
from skysweep.model import Context, Edge, Record
from skysweep.report import ExitCode
from skysweep.store import StoreSettings, open_store

CONTEXT = Context("123456789012", "us-east-1")


def told(label: str) -> Type:
    """The type of the tags that records of this label tell of."""
    found = [each for each in catalogue.load().types if each.teller and each.teller.name == label]
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize(
    "found",
    [
        {"team": "shop", "idle": ""},
        [{"Key": "team", "Value": "shop"}, {"Key": "idle"}],
        [{"key": "team", "value": "shop"}, {"key": "idle", "value": ""}],
        [{"TagKey": "team", "TagValue": "shop"}, {"TagKey": "idle", "TagValue": ""}],
    ],
)
def test_tags_are_read_in_all_forms_that_services_have(found: Any) -> None:
    assert list(pairs(found)) == [("team", "shop"), ("idle", "")]


def test_nothing_is_no_tag() -> None:
    edge: Edge = tagged("Tags")
    assert callable(edge.path)
    assert edge.path(Record({}, CONTEXT)) == []


def test_a_page_tells_of_each_tag_once() -> None:
    volumes = told("EBSVolume").source
    assert volumes.call.operation == "DescribeVolumes"
    assert volumes.make
    page = {"Volumes": [{"Tags": [{"Key": "team", "Value": each}]} for each in ("shop", "mail", "shop")]}
    assert [tag["id"] for tag in volumes.make(Record(page, CONTEXT))] == ["team:shop", "team:mail"]


def test_a_volume_whose_tags_cannot_be_read_does_not_hide_the_others_tags() -> None:
    volumes = told("EBSVolume").source
    assert volumes.make
    page = {"Volumes": [{"Tags": [{"Key": "team", "Value": "shop"}]}, {"Tags": "?"}, None]}
    assert [tag["id"] for tag in volumes.make(Record(page, CONTEXT))] == ["team:shop"]


def test_the_label_has_one_type_of_its_own_whatever_is_selected() -> None:
    for names in ([], ["ec2:subnet"], ["iam"]):
        of_tags = [each for each in catalogue.load(names).types if each.label == "AWSTag"]
        assert [each.cls for each in of_tags if not each.extends] == [AWSTag]
        assert {each.name for each in of_tags if each.extends} == {
            f"AWSTagOf{each.teller.name}" for each in of_tags if each.teller and each.extends
        }


ASKED = """
MATCH (volume:EBSVolume)-[:TAGGED]->(tag:AWSTag {key: 'team'})
RETURN tag.id AS tag, count(volume) AS volumes ORDER BY tag
"""


async def test_tags_of_a_sweep_are_nodes_and_go_with_the_last_that_had_them(
    embedded: StoreSettings, tmp_path: Path
) -> None:
    with emulated_aws() as address:
        endpoint = address.replace("127.0.0.1", "localhost")
        made = configuration.demo(
            endpoint,
            accounts=("123456789012",),
            role_name="reader",
            regions=("us-east-1",),
            folder=tmp_path,
            key=DUMMY,
        )
        settings = replace(made, store=embedded, syncs=("EBSVolume",))
        ec2 = Clients(endpoint).make("ec2", "us-east-1", Keys())
        zone = "us-east-1a"
        first, second, third = (ec2.create_volume(Size=1, AvailabilityZone=zone)["VolumeId"] for _ in range(3))
        ec2.create_tags(Resources=[first, second], Tags=[{"Key": "team", "Value": "shop"}])
        ec2.create_tags(Resources=[third], Tags=[{"Key": "team", "Value": "mail"}])
        async with open_store(embedded) as store:
            await empty(store)
            assert (await skysweep.sweep(settings)).exit_code is ExitCode.COMPLETE
            assert await store.run(ASKED) == [{"tag": "team:mail", "volumes": 1}, {"tag": "team:shop", "volumes": 2}]

            ec2.delete_tags(Resources=[first], Tags=[{"Key": "team"}])
            ec2.create_tags(Resources=[third], Tags=[{"Key": "team", "Value": "shop"}])
            assert (await skysweep.sweep(settings)).exit_code is ExitCode.COMPLETE
            assert await store.run(ASKED) == [{"tag": "team:shop", "volumes": 2}]
            assert await store.run("MATCH (tag:AWSTag {key: 'team'}) RETURN tag.value AS tag") == [{"tag": "shop"}]
