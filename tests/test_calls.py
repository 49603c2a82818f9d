"""One unit's walk, over a wire that is scripted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from skysweep import catalogue
from skysweep.calls import Walk, merged
from skysweep.catalogue import Type
from skysweep.errors import CallFailed, Why
from skysweep.model import Among, Call, Record, Resource, Unanswered, at, call, detail
from skysweep.outcomes import Outcome
from skysweep.paths import Spoiled
from skysweep.plan import Target, Unit
from skysweep.records import Maker, Row, Unfit

BUCKETS = call("s3", "ListBuckets", "Buckets[]", per="account")
LOCATION = detail("s3", "GetBucketLocation", on=BUCKETS, Bucket="Name", when=lambda bucket: bucket["Name"] != "c")
POLICY = detail(
    "s3",
    "GetBucketPolicy",
    on=BUCKETS,
    Bucket="Name",
    after=LOCATION,
    missing="NoSuchBucketPolicy",
    region=lambda bucket: bucket.reply(LOCATION).get("LocationConstraint"),
)


class Bucket(Resource):
    """A bucket."""

    source = BUCKETS
    id: str = at("Name")
    policy: str = at("Policy", of=POLICY)
    owner: str = at("Owner")


def statements(reply: Record) -> list[dict[str, str]]:
    if reply["Policy"] == "broken":
        raise ValueError("no policy")
    return [{"text": reply["Policy"]}]


class Statement(Resource):
    """A statement."""

    source = POLICY.each(statements)
    id: str = at("{^^Name}/{text}")


Asked = tuple[str, dict[str, Any], str | None]


class Wire:
    """Answers by (operation, bucket): pages, or the reason of a failure; remembers what was asked."""

    def __init__(self, pages: Mapping[str, Any]) -> None:
        self.pages = pages
        self.asked: list[Asked] = []
        self.unfit: list[tuple[Type, Record, Exception]] = []
        self.numbers: list[tuple[str, int]] = []  # of the records, in the order they came

    async def ask(
        self, target: Target, call: Call, inputs: Mapping[str, Any], region: str | None
    ) -> AsyncIterator[Mapping[str, Any]]:
        assert target.account == "123456789012"
        self.asked.append((call.operation, dict(inputs), region))
        for page in self.pages.get(f"{call.operation} {inputs.get('Bucket', '')}".strip(), [{}]):
            if isinstance(page, tuple):
                why: Why = page[0]
                raise CallFailed(why, page[1], "scripted")
            yield page


async def walk(wire: Wire, *classes: type[Resource]) -> tuple[Walk, tuple[Outcome, str | None], dict[str, list[Row]]]:
    whole = catalogue.Catalogue(tuple(catalogue.declared(cls) for cls in classes))
    rows: dict[str, list[Row]] = {cls.__name__: [] for cls in classes}

    async def emit(type_: Type, record: Record) -> None:
        wire.numbers.append((type_.name, record.number))
        rows[type_.name].append(Maker(type_).row(record))

    unit = Unit(Target("123456789012", "global"), whole.calls[0])
    walked = Walk(unit, whole.branches[whole.calls[0]], wire.ask, emit, lambda *what: wire.unfit.append(what))
    return walked, await walked.run(), rows


async def test_pages_details_and_derived_records_become_rows() -> None:
    wire = Wire(
        {
            "ListBuckets": [{"Buckets": [{"Name": "a"}]}, {"Buckets": [{"Name": "b"}, {"Name": "c"}]}],
            "GetBucketLocation a": [{"LocationConstraint": "eu-west-1"}],
            "GetBucketPolicy a": [{"Policy": "P"}],
            "GetBucketPolicy b": [("missing", "NoSuchBucketPolicy")],
            "GetBucketPolicy c": [("missing", "NoSuchBucketPolicy")],
        }
    )
    walked, ended, rows = await walk(wire, Bucket, Statement)
    assert ended == (Outcome.COMPLETE, None)
    assert walked.records == 3
    assert not walked.details
    assert {row["id"]: row["props"]["policy"] for row in rows["Bucket"]} == {"a": "P", "b": None, "c": None}
    assert [row["id"] for row in rows["Statement"]] == ["a/P"]
    assert ("GetBucketPolicy", {"Bucket": "a"}, "eu-west-1") in wire.asked
    assert ("GetBucketLocation", {"Bucket": "c"}, None) not in wire.asked


async def test_a_denied_detail_leaves_its_property_unwritten_and_is_counted() -> None:
    wire = Wire(
        {
            "ListBuckets": [{"Buckets": [{"Name": "a", "Owner": "me"}, {"Name": "b"}]}],
            "GetBucketPolicy a": [("denied", "AccessDenied")],
            "GetBucketPolicy b": [("denied", "AccessDenied")],
        }
    )
    walked, ended, rows = await walk(wire, Bucket, Statement)
    assert ended == (Outcome.COMPLETE, None)
    assert [row["props"] for row in rows["Bucket"]] == [{"id": "a", "owner": "me"}, {"id": "b", "owner": None}]
    (failure,) = walked.details
    assert (failure.operation, failure.outcome, failure.count) == ("GetBucketPolicy", Outcome.DENIED, 2)


async def test_what_a_failed_detail_was_needed_for_is_not_asked() -> None:
    wire = Wire({"ListBuckets": [{"Buckets": [{"Name": "a"}]}], "GetBucketLocation a": [("failed", "Timeout")]})
    walked, _, rows = await walk(wire, Bucket)
    assert [operation for operation, *_ in wire.asked] == ["ListBuckets", "GetBucketLocation"]
    assert "policy" not in rows["Bucket"][0]["props"]
    assert [(failure.operation, failure.outcome) for failure in walked.details] == [
        ("GetBucketLocation", Outcome.FAILED),
        ("GetBucketPolicy", Outcome.ABSENT),
    ]


async def test_a_record_deleted_meanwhile_is_dropped_without_a_word() -> None:
    wire = Wire(
        {"ListBuckets": [{"Buckets": [{"Name": "a"}, {"Name": "b"}]}], "GetBucketPolicy a": [("raced", "NoSuchBucket")]}
    )
    walked, ended, rows = await walk(wire, Bucket)
    assert ended[0] is Outcome.COMPLETE
    assert not walked.details
    assert [row["id"] for row in rows["Bucket"]] == ["b"]


async def test_what_a_declarations_function_cannot_read_is_put_aside() -> None:
    wire = Wire(
        {
            "ListBuckets": [{"Buckets": [{"Name": "a"}, {"Name": "b"}]}],
            "GetBucketPolicy a": [{"Policy": "broken"}],
            "GetBucketPolicy b": [{"Policy": "P"}],
        }
    )
    _, ended, rows = await walk(wire, Bucket, Statement)
    assert ended == (Outcome.COMPLETE, None)
    assert [row["id"] for row in rows["Statement"]] == ["b/P"]
    [(_, aside, _)] = wire.unfit
    assert aside.up
    assert aside.up.number == 1
    assert len(rows["Bucket"]) == 2
    assert [(type_.name, str(error)) for type_, _, error in wire.unfit] == [("Statement", "no policy")]


async def test_a_listings_failure_is_the_units_outcome() -> None:
    for why, outcome in {"denied": Outcome.DENIED, "absent": Outcome.ABSENT, "failed": Outcome.FAILED}.items():
        _, ended, _ = await walk(Wire({"ListBuckets": [(why, "Code")]}), Bucket)
        assert ended == (outcome, "Code: scripted")


async def test_a_listing_that_breaks_off_keeps_its_rows_and_fails() -> None:
    wire = Wire({"ListBuckets": [{"Buckets": [{"Name": "a"}]}, ("failed", "RepeatedToken")]})
    _, ended, rows = await walk(wire, Bucket)
    assert ended[0] is Outcome.FAILED
    assert [row["id"] for row in rows["Bucket"]] == ["a"]


async def test_a_listing_whose_token_is_forgotten_begins_again_once() -> None:
    forgetful = [{"Buckets": [{"Name": "a"}]}, ("failed", "ExpiredNextToken")]
    wire = Wire({"ListBuckets": forgetful})
    walked, ended, rows = await walk(wire, Bucket)
    assert ended == (Outcome.FAILED, "ExpiredNextToken: scripted")
    assert [operation for operation, *_ in wire.asked].count("ListBuckets") == 2
    assert walked.records == 1
    assert [row["id"] for row in rows["Bucket"]] == ["a", "a"]  # twice: writing is by id


async def test_a_detail_whose_token_is_forgotten_is_read_anew_and_not_twice() -> None:
    wire = Wire({"ListBuckets": [{"Buckets": [{"Name": "a"}]}]})
    pages = {"first": [{"Policy": "P", "L": [1]}, ("failed", "InvalidNextToken")], "then": [{"Policy": "P", "L": [1]}]}
    ask = wire.ask

    def told(target: Target, call: Call, inputs: Mapping[str, Any], region: str | None) -> AsyncIterator[Any]:
        if call.operation == "GetBucketPolicy":
            wire.pages = {**wire.pages, "GetBucketPolicy a": pages.pop(next(iter(pages)))}
        return ask(target, call, inputs, region)

    wire.ask = told  # type: ignore[method-assign]
    walked, ended, rows = await walk(wire, Bucket, Statement)
    assert ended == (Outcome.COMPLETE, None)
    assert not walked.details
    assert rows["Bucket"][0]["props"]["policy"] == "P"
    assert [row["id"] for row in rows["Statement"]] == ["a/P"]


async def test_a_detail_that_cannot_be_read_is_that_details_failure() -> None:
    wire = Wire({"ListBuckets": [{"Buckets": [{"Name": "a"}]}], "GetBucketPolicy a": [{"Policy": Spoiled("x")}]})
    walked, ended, rows = await walk(wire, Bucket)
    assert ended == (Outcome.COMPLETE, None)
    assert walked.details[0].error.startswith("SpoiledReply")
    assert "policy" not in rows["Bucket"][0]["props"]


async def test_a_list_that_is_none_fails_the_listing() -> None:
    for spoiled in (Spoiled("x"), "x", {"Name": "a"}):
        _, ended, rows = await walk(Wire({"ListBuckets": [{"Buckets": spoiled}]}), Bucket)
        assert ended[0] is Outcome.FAILED
        assert "Buckets[]" in str(ended[1])
        assert rows["Bucket"] == []


async def test_a_record_whose_name_cannot_be_read_has_no_details() -> None:
    wire = Wire({"ListBuckets": [{"Buckets": [{"Name": Spoiled("x")}]}]})
    with pytest.raises(ExceptionGroup) as caught:
        await walk(wire, Bucket)
    assert caught.value.subgroup(Unfit)
    assert [operation for operation, *_ in wire.asked] == ["ListBuckets"]


INSTANCES = call("ec2", "DescribeInstances", "Reservations[].Instances[]")


class UsedImage(Resource):
    """An image in use."""

    source = detail("ec2", "DescribeImages", "Images[]", on=INSTANCES, batch=2, Filters=Among("image-id", "ImageId"))
    id: str = at("ImageId")


async def test_batched_details_ask_for_each_value_once() -> None:
    images = ["ami-1", "ami-2", "ami-1", "ami-3", "ami-3"]
    wire = Wire({"DescribeInstances": [{"Reservations": [{"Instances": [{"ImageId": image} for image in images]}]}]})
    await walk(wire, UsedImage)
    assert [inputs["Filters"] for operation, inputs, _ in wire.asked if operation == "DescribeImages"] == [
        [{"Name": "image-id", "Values": ["ami-1", "ami-2"]}],
        [{"Name": "image-id", "Values": ["ami-3"]}],
    ]


CLUSTERS = call("ecs", "ListClusters", "clusterArns[]")
TASK_ARNS = detail("ecs", "ListTasks", "taskArns[]", on=CLUSTERS, cluster="@")


class Task(Resource):
    """A task, told of with others of its cluster."""

    source = detail("ecs", "DescribeTasks", "tasks[]", on=TASK_ARNS, batch=2, tasks="@", cluster="^@")
    id: str = at("{^cluster}/{taskArn}")


class Definition(Resource):
    """What tasks are made of; asked for one by one."""

    source = detail(
        "ecs", "DescribeTaskDefinition", "taskDefinition", on=Task.source, batch=1, taskDefinition="taskDefinitionArn"
    )
    id: str = at("taskDefinitionArn")


async def test_batched_details_are_grouped_by_their_other_inputs_and_a_batch_of_one_is_no_list() -> None:
    wire = Wire(
        {
            "ListClusters": [{"clusterArns": ["a", "b"]}],
            "ListTasks": [{"taskArns": ["1", "2", "3"]}],
            "DescribeTasks": [{"tasks": [{"taskArn": "1", "taskDefinitionArn": "web:1"}]}],
            "DescribeTaskDefinition": [{"taskDefinition": {"taskDefinitionArn": "web:1"}}],
        }
    )
    _, _, rows = await walk(wire, Task, Definition)
    asked = [inputs for operation, inputs, _ in wire.asked if operation == "DescribeTasks"]
    assert sorted(asked, key=str) == [
        {"cluster": cluster, "tasks": tasks} for cluster in "ab" for tasks in (["1", "2"], ["3"])
    ]
    assert [inputs for operation, inputs, _ in wire.asked if operation == "DescribeTaskDefinition"] == [
        {"taskDefinition": "web:1"}
    ]
    assert {row["id"] for row in rows["Task"]} == {"a/1", "b/1"}


def bucket_place(bucket: Record) -> str:
    place = bucket.reply(LOCATION).get("LocationConstraint")
    if place is None:
        raise Unanswered
    return str(place)


def bucket_arn(bucket: Record) -> Any:
    return None if bucket["Name"] == "odd" else f"arn:aws:s3:::{bucket['Name']}"


TAGS = detail(
    "resourcegroupstaggingapi",
    "GetResources",
    "ResourceTagMappingList[]",
    on=BUCKETS,
    after=LOCATION,
    region=bucket_place,
    batch=2,
    whose="ResourceARN",
    ResourceARNList=bucket_arn,
)


class TaggedBucket(Resource):
    """A bucket whose tags are asked for with others' of its region."""

    source = BUCKETS
    id: str = at("Name")
    tags: str = at("Tags[0].Key", of=TAGS)


class Tag(Resource):
    """A tag of the replies that tell of several buckets."""

    source = TAGS
    id: str = at("Tags[0].Key")


def buckets(*names: str) -> dict[str, Any]:
    """A listing of these buckets, and where they are: in the region that the first letter says."""
    regions = {"e": "eu-west-1", "u": "us-west-2"}
    return {
        "ListBuckets": [{"Buckets": [{"Name": name} for name in names]}],
        **{f"GetBucketLocation {name}": [{"LocationConstraint": regions.get(name[0])}] for name in names},
    }


def mapping(*names: str) -> list[dict[str, Any]]:
    items = [{"ResourceARN": f"arn:aws:s3:::{name}", "Tags": [{"Key": f"of-{name}"}]} for name in names]
    return [{"ResourceTagMappingList": items}]


async def test_a_batch_that_tells_of_each_record_apart_is_asked_by_region_and_each_reads_its_item() -> None:
    wire = Wire({**buckets("e1", "e2", "e3", "u1"), "GetResources": mapping("e2", "e3", "u1")})
    walked, _, rows = await walk(wire, TaggedBucket, Tag)
    asked = [(inputs["ResourceARNList"], region) for operation, inputs, region in wire.asked if "Res" in operation]
    assert sorted(asked) == [
        (["arn:aws:s3:::e1", "arn:aws:s3:::e2"], "eu-west-1"),
        (["arn:aws:s3:::e3"], "eu-west-1"),
        (["arn:aws:s3:::u1"], "us-west-2"),
    ]
    told = {row["id"]: row["props"]["tags"] for row in rows["TaggedBucket"]}
    assert told == {"e1": None, "e2": "of-e2", "e3": "of-e3", "u1": "of-u1"}
    assert {row["id"] for row in rows["Tag"]} == {"of-e2", "of-e3", "of-u1"}
    assert walked.details == ()


async def test_records_of_a_batch_that_failed_keep_what_is_known_of_them() -> None:
    wire = Wire({**buckets("e1", "e2", "e3"), "GetResources": [("denied", "AccessDenied")]})
    walked, outcome, rows = await walk(wire, TaggedBucket)
    assert outcome == (Outcome.COMPLETE, None)
    assert [set(row["props"]) for row in rows["TaggedBucket"]] == [{"id"}] * 3
    [failure] = walked.details
    assert (failure.operation, failure.outcome, failure.count) == ("GetResources", Outcome.DENIED, 2)


async def test_a_batch_whose_reply_cannot_be_read_tells_of_nobody() -> None:
    [page] = mapping("e1", "e2")
    page["ResourceTagMappingList"][1]["ResourceARN"] = Spoiled("x")
    wire = Wire({**buckets("e1", "e2"), "GetResources": [page]})
    walked, _, rows = await walk(wire, TaggedBucket, Tag)
    assert [set(row["props"]) for row in rows["TaggedBucket"]] == [{"id"}] * 2
    assert rows["Tag"] == []
    assert [failure.outcome for failure in walked.details] == [Outcome.FAILED]


async def test_a_batch_that_is_of_no_such_things_tells_that_there_is_nothing() -> None:
    wire = Wire({**buckets("e1"), "GetResources": [("missing", "NoSuchThing")]})
    walked, _, rows = await walk(wire, TaggedBucket)
    assert [row["props"]["tags"] for row in rows["TaggedBucket"]] == [None]
    assert walked.details == ()


async def test_who_cannot_be_asked_for_in_a_batch_does_not_keep_others_from_it() -> None:
    wire = Wire({**buckets("e1", "nowhere", "odd"), "GetResources": mapping("e1")})
    walked, _, rows = await walk(wire, TaggedBucket)
    props = {row["id"]: row["props"] for row in rows["TaggedBucket"]}
    assert (props["e1"]["tags"], props["odd"]["tags"]) == ("of-e1", None)
    assert "tags" not in props["nowhere"]
    assert [(failure.outcome, failure.error) for failure in walked.details] == [(Outcome.ABSENT, "not asked here")]


async def test_a_bucket_that_went_away_meanwhile_is_not_asked_for_and_has_no_row() -> None:
    wire = Wire({**buckets("e1", "e2"), "GetBucketLocation e2": [("raced", "NoSuchBucket")]})
    _, _, rows = await walk(wire, TaggedBucket)
    assert [inputs["ResourceARNList"] for operation, inputs, _ in wire.asked if "Res" in operation] == [
        ["arn:aws:s3:::e1"]
    ]
    assert [row["id"] for row in rows["TaggedBucket"]] == ["e1"]


async def test_credentials_that_die_in_a_batch_end_the_unit() -> None:
    wire = Wire({**buckets("e1", "u1"), "GetResources": [("dead", "ExpiredToken")]})
    with pytest.raises(CallFailed, match="ExpiredToken"):
        await walk(wire, TaggedBucket)


EARLY = detail(
    "resourcegroupstaggingapi",
    "GetResources",
    "ResourceTagMappingList[]",
    on=BUCKETS,
    batch=100,
    whose="ResourceARN",
    ResourceARNList=bucket_arn,
)


class LocatedBucket(Resource):
    """A bucket by the reply of its own call, which must know what the batch told of the bucket."""

    source = detail("s3", "GetBucketLocation", on=BUCKETS, Bucket="Name")
    id: str = at("^Name")
    tags: str = at("Tags[0].Key", of=EARLY)


async def test_what_hangs_on_a_record_has_the_answers_of_its_batch() -> None:
    wire = Wire({**buckets("e1", "e2"), "GetResources": mapping("e2")})
    _, _, rows = await walk(wire, LocatedBucket)
    assert [operation for operation, *_ in wire.asked][:2] == ["ListBuckets", "GetResources"]
    assert {row["id"]: row["props"]["tags"] for row in rows["LocatedBucket"]} == {"e1": None, "e2": "of-e2"}


class Reservation(Resource):
    """Instances that were started together."""

    source = call("ec2", "DescribeInstances", "Reservations[]")
    id: str = at("ReservationId")


class Machine(Resource):
    """An instance."""

    source = INSTANCES
    id: str = at("InstanceId")


async def test_items_are_numbered_by_the_path_they_are_at() -> None:
    pages = [
        {"Reservations": [{"ReservationId": "ab", "Instances": [{"InstanceId": "i-1"}, {"InstanceId": "i-2"}]}]},
        {"Reservations": [{"ReservationId": "c", "Instances": [{"InstanceId": "i-3", "ImageId": "ami-1"}]}]},
    ]
    wire = Wire({"DescribeInstances": pages, "DescribeImages": [{"Images": [{"ImageId": "ami-1"}]}]})
    await walk(wire, Reservation, Machine, UsedImage)
    assert wire.numbers == [
        *(("Reservation", 1), ("Machine", 1), ("Machine", 2)),
        *(("Reservation", 2), ("Machine", 3), ("UsedImage", 0)),
    ]


async def test_a_batch_leaves_out_what_cannot_be_read() -> None:
    items = [{"ImageId": Spoiled("x")}, {"ImageId": 7}, {"ImageId": "ami-1"}, {}]
    wire = Wire({"DescribeInstances": [{"Reservations": [{"Instances": items}]}]})
    walked, _, _ = await walk(wire, UsedImage)
    (asked,) = (inputs["Filters"] for operation, inputs, _ in wire.asked if operation == "DescribeImages")
    assert asked == [{"Name": "image-id", "Values": ["ami-1"]}]
    assert [failure.count for failure in walked.details] == [2]


def test_merged_pages_join_lists_and_keep_the_first_of_the_rest() -> None:
    pages = [{"A": [1], "N": 1, "M": {"x": 1}}, {"A": [2], "N": 2, "M": {"y": 2}, "B": 3}]
    assert merged(pages) == {"A": [1, 2], "N": 1, "M": {"x": 1, "y": 2}, "B": 3}


FOLDERS = call("organizations", "ListRoots", "Roots[]", per="account")
SUBFOLDERS = detail(
    "organizations", "ListOrganizationalUnitsForParent", "OrganizationalUnits[]", on=FOLDERS, again=True, ParentId="Id"
)
FILES = detail("organizations", "ListAccountsForParent", "Accounts[]", on=SUBFOLDERS, ParentId="Id")


class Folder(Resource):
    """A folder in a folder."""

    source = SUBFOLDERS
    id: str = at("{^Id}/{Id}")


class File(Resource):
    """What lies in one."""

    source = FILES
    id: str = at("{^^Id}/{^Id}/{Id}")


class Tree:
    """A tree of folders as AWS would list it: `folders[parent]` are the names in it; each holds one file."""

    def __init__(self, folders: Mapping[str, list[str]]) -> None:
        self.folders = folders
        self.asked: list[str] = []

    async def ask(
        self, target: Target, call: Call, inputs: Mapping[str, Any], region: str | None
    ) -> AsyncIterator[Mapping[str, Any]]:
        del target, region
        parent = inputs.get("ParentId", "")
        self.asked.append(f"{call.operation} {parent}".strip())
        if call.operation == "ListRoots":
            yield {"Roots": [{"Id": "r"}]}
        elif call.operation == "ListAccountsForParent":
            yield {"Accounts": [{"Id": f"in {parent}"}]}
        else:
            for name in self.folders.get(parent, []):  # a page each
                yield {"OrganizationalUnits": [{"Id": name}]}


async def climb(tree: Tree) -> tuple[Walk, dict[str, list[str]]]:
    whole = catalogue.Catalogue(tuple(catalogue.declared(cls) for cls in (Folder, File)))
    rows: dict[str, list[str]] = {"Folder": [], "File": []}

    async def emit(type_: Type, record: Record) -> None:
        rows[type_.name].append(Maker(type_).row(record)["id"])

    walked = Walk(
        Unit(Target("1", "global"), FOLDERS.call), whole.branches[FOLDERS.call], tree.ask, emit, lambda *_: None
    )
    assert await walked.run() == (Outcome.COMPLETE, None)
    return walked, rows


async def test_a_call_that_is_made_again_for_its_own_records_walks_the_whole_tree() -> None:
    tree = Tree({"r": ["a", "b"], "a": ["c"], "c": ["d"]})
    walked, rows = await climb(tree)
    assert {name: sorted(ids) for name, ids in rows.items()} == {
        "Folder": ["a/c", "c/d", "r/a", "r/b"],
        "File": ["a/c/in c", "c/d/in d", "r/a/in a", "r/b/in b"],
    }
    assert not walked.details
    assert len(tree.asked) == len(set(tree.asked)) == 1 + 5 + 4, "each folder is asked once"
    (branch,) = catalogue.Catalogue((catalogue.declared(Folder), catalogue.declared(File))).branches.values()
    assert [type_.name for type_ in branch.types] == ["Folder", "File"]


async def test_a_tree_without_end_is_a_failure_not_a_hang() -> None:
    walked, _ = await climb(Tree({"r": ["a"], "a": ["a"]}))
    (failure,) = walked.details
    assert (failure.operation, failure.outcome, failure.count) == (SUBFOLDERS.call.operation, Outcome.FAILED, 1)
    assert failure.error.startswith("TooDeep")


def elsewhere(_: Record) -> bool:
    raise Unanswered


ASKED_ELSEWHERE = detail("organizations", "ListAccountsForParent", "Accounts[]", on=FOLDERS, when=elsewhere)


class Elsewhere(Resource):
    """What another account lists."""

    source = ASKED_ELSEWHERE
    id: str = at("Id")


async def test_what_is_another_accounts_to_ask_is_no_gap_and_licenses_nothing() -> None:
    whole = catalogue.Catalogue((catalogue.declared(Elsewhere),))
    tree = Tree({})

    async def emit(type_: Type, record: Record) -> None:
        raise AssertionError(f"{type_}: {record}")

    branch = whole.branches[FOLDERS.call]
    walked = Walk(Unit(Target("1", "global"), FOLDERS.call), branch, tree.ask, emit, lambda *_: None)
    assert await walked.run() == (Outcome.COMPLETE, None)
    assert tree.asked == ["ListRoots"]
    (told,) = walked.details
    assert (told.operation, told.outcome) == ("ListAccountsForParent", Outcome.ABSENT)
