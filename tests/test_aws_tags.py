from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import skysweep
from benchmarks.stores import empty
from proxy import Seen, proxy
from skysweep import catalogue, lint
from skysweep import settings as configuration
from skysweep.aws.s3 import BUCKETS
from skysweep.aws.tags import AWSTag, pairs, tagged, tagged_by_arn
from skysweep.catalogue import Type
from skysweep.demo.server import aws as emulated_aws
from skysweep.demo.session import DUMMY, Clients, Keys
from skysweep.model import Context, Edge, Record, Resource, at
from skysweep.records import Maker
from skysweep.report import ExitCode
from skysweep.settings import Settings
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


def bearers() -> list[Type]:
    """The types that have tags."""
    return [type_ for type_ in catalogue.load().types if any(edge.kind == "TAGGED" for edge in type_.edges)]


def test_what_has_tags_keeps_them_in_a_list_too_but_where_cartography_has_other_tags() -> None:
    kept = {type_.name: next(each for each in type_.properties if each.name == "tags") for type_ in bearers()}
    assert len(kept) > 80
    assert {name for name, part in kept.items() if part.type != list[str]} == {"CloudFormationStack"}


def test_only_one_call_tells_the_tags_of_a_type() -> None:
    for type_ in bearers():
        assert len([edge for edge in type_.edges if edge.kind == "TAGGED"]) == 1, type_.name
        told(type_.name)


def row(label: str, item: Any, **replies: Any) -> dict[str, Any]:
    """What a record of this label becomes."""
    type_ = next(each for each in catalogue.load().types if each.name == label)
    record = Record(item, CONTEXT)
    for source in type_.reads:
        record.replies[source.call] = replies.get(source.call.operation, {})
    props: dict[str, Any] = Maker(type_).row(record)["props"]
    return props


def test_the_list_is_sorted_and_empty_where_there_are_none() -> None:
    tags = [{"Key": "team", "Value": "shop"}, {"Key": "env", "Value": "prod"}]
    assert row("EBSVolume", {"VolumeId": "vol-1", "Tags": tags})["tags"] == ["env:prod", "team:shop"]
    assert row("EBSVolume", {"VolumeId": "vol-1"})["tags"] == []
    assert row("SNSTopic", {"TopicArn": "arn"}, GetResources={"Tags": tags})["tags"] == ["env:prod", "team:shop"]
    assert row("SNSTopic", {"TopicArn": "arn"})["tags"] == []


def test_a_list_that_was_not_answered_is_not_written() -> None:
    topics = next(each for each in catalogue.load().types if each.name == "SNSTopic")
    record = Record({"TopicArn": "arn"}, CONTEXT)
    record.failed.update(source.call for source in topics.reads)
    assert "tags" not in Maker(topics).row(record)["props"]


class Odd(Resource):
    """What is asked about as the lint would not have it."""

    source = BUCKETS
    id: str = at("Name")
    tagged: list[AWSTag] = tagged_by_arn(BUCKETS, "Name")


def test_the_lint_wants_batches_to_say_whose_their_items_are() -> None:
    odd = catalogue.declared(Odd)
    assert lint.problems([odd]) == []
    [edge] = odd.edges
    assert edge.of
    for whose, problem in (
        (None, "is read `of` and is a batch without `whose`: its reply is no record's own"),
        (("ResourceTagMappingList[]", "Arn"), "whose: ResourceTagMapping has no Arn"),
        (("ResourceTagMappingList[]", "Tags"), "whose: Tags is no text"),
    ):
        of = replace(edge.of, call=replace(edge.of.call, whose=whose))
        wrong = replace(odd, edges=(replace(edge, of=of),), properties=odd.properties[:1])
        assert lint.problems([wrong]) == [f"Odd (resourcegroupstaggingapi:GetResources): {problem}"]


@contextmanager
def account(embedded: StoreSettings, folder: Path, *syncs: str) -> Iterator[tuple[Settings, Clients]]:
    """An emulated account in two regions: what sweeps it, and what makes it."""
    with emulated_aws() as address:
        endpoint = address.replace("127.0.0.1", "localhost")
        made = configuration.demo(
            endpoint,
            accounts=("123456789012",),
            role_name="reader",
            regions=("us-east-1", "eu-west-1"),
            folder=folder,
            key=DUMMY,
        )
        made = replace(made, aws=replace(made.aws, max_attempts=1))
        yield replace(made, store=embedded, syncs=syncs), Clients(endpoint)


ASKED = """
MATCH (volume:EBSVolume)-[:TAGGED]->(tag:AWSTag {key: 'team'})
RETURN tag.id AS tag, count(volume) AS volumes ORDER BY tag
"""


async def test_tags_of_a_sweep_are_nodes_and_go_with_the_last_that_had_them(
    embedded: StoreSettings, tmp_path: Path
) -> None:
    with account(embedded, tmp_path, "EBSVolume") as (settings, clients):
        ec2 = clients.make("ec2", "us-east-1", Keys())
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
            rows = await store.run("MATCH (v:EBSVolume) RETURN v.id AS id, v.tags AS tags")
            assert {row["id"]: row["tags"] for row in rows} == {first: [], second: ["team:shop"], third: ["team:shop"]}


DENIED = (400, "application/x-amz-json-1.1", '{"__type": "AccessDeniedException", "message": "No"}')
BUCKETS_TAGS = "MATCH (b:S3Bucket) RETURN b.name AS name, b.tags AS tags ORDER BY name"
EDGES = "MATCH (b:S3Bucket)-[:TAGGED]->(t:AWSTag) RETURN b.name AS name, t.id AS tag ORDER BY name, tag"
PRODUCTION = "MATCH (b:S3Bucket) WHERE 'env:prod' IN b.tags RETURN b.name AS name"


async def test_tags_that_a_listing_lacks_are_asked_for_in_the_bucket_s_region_and_kept_while_denied(
    embedded: StoreSettings, tmp_path: Path
) -> None:
    with account(embedded, tmp_path, "S3Bucket") as (settings, clients):
        s3 = clients.make("s3", "us-east-1", Keys())
        s3.create_bucket(Bucket="here")
        s3.create_bucket(Bucket="there", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        s3.create_bucket(Bucket="bare")

        def tag(bucket: str, **tags: str) -> None:
            s3.put_bucket_tagging(
                Bucket=bucket, Tagging={"TagSet": [{"Key": key, "Value": value} for key, value in tags.items()]}
            )

        tag("here", env="prod", team="shop")
        tag("there", env="test")
        async with proxy(str(settings.aws.endpoint_url)) as passing, open_store(embedded) as store:
            through = replace(settings, aws=replace(settings.aws, endpoint_url=passing.url))
            await empty(store)
            assert (await skysweep.sweep(through)).exit_code is ExitCode.COMPLETE
            asked = [seen.region for seen in passing.seen if seen.operation == "GetResources"]
            assert sorted(asked) == ["eu-west-1", "us-east-1"]
            told = [
                {"name": "bare", "tags": []},
                {"name": "here", "tags": ["env:prod", "team:shop"]},
                {"name": "there", "tags": ["env:test"]},
            ]
            edges = [
                {"name": "here", "tag": "env:prod"},
                {"name": "here", "tag": "team:shop"},
                {"name": "there", "tag": "env:test"},
            ]
            assert await store.run(BUCKETS_TAGS) == told
            assert await store.run(EDGES) == edges
            assert await store.run(PRODUCTION) == [{"name": "here"}]

            def denies(seen: Seen) -> tuple[int, str, str] | None:
                return DENIED if (seen.operation, seen.region) == ("GetResources", "us-east-1") else None

            passing.rule = denies
            tag("here", env="prod")
            s3.delete_bucket_tagging(Bucket="there")
            report = await skysweep.sweep(through)
            assert report.exit_code is ExitCode.INCOMPLETE
            failures = [failure for unit in report.units for failure in unit.details]
            assert [(each.operation, each.outcome.value, each.count) for each in failures] == [
                ("GetResources", "denied", 1)
            ]
            assert await store.run(BUCKETS_TAGS) == [*told[:2], {"name": "there", "tags": []}]
            assert await store.run(EDGES) == edges[:2]

            passing.rule = lambda _: None
            assert (await skysweep.sweep(through)).exit_code is ExitCode.COMPLETE
            assert (await store.run(BUCKETS_TAGS))[1] == {"name": "here", "tags": ["env:prod"]}
            assert await store.run(EDGES) == edges[:1]
            assert await store.run("MATCH (tag:AWSTag) RETURN tag.id AS tag") == [{"tag": "env:prod"}]
