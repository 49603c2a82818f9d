"""A wrong declaration makes the lint fail with its name."""

from __future__ import annotations

from datetime import datetime

import pytest

from skysweep import lint
from skysweep.catalogue import declared
from skysweep.model import Record, Resource, about, at, by, call, detail, to

INSTANCES = call("ec2", "DescribeInstances", "Reservations[].Instances[]")
BUCKETS = call("s3", "ListBuckets", "Buckets[]", per="account")


class Good(Resource):
    """A well declared instance."""

    also = ("AlsoGood",)
    source = INSTANCES

    id: str = at("InstanceId")
    vpc: str = at("VpcId", index=True)
    launched: datetime = at("LaunchTime")
    groups: list[str] = at("SecurityGroups[].GroupId")
    owner: str = at("^OwnerId")
    arn: str = at("arn:{partition}:ec2:{region}:{account}:instance/{InstanceId}")


class WrongPath(Resource):
    """Cartography's own typo."""

    source = INSTANCES
    id: str = at("InstanceId")
    hibernates: bool = at("HibernationOption.Configured")


class WrongType(Resource):
    """A boolean that is declared a text."""

    source = INSTANCES
    id: str = at("InstanceId")
    optimized: str = at("EbsOptimized")


class WrongList(Resource):
    """A list that is declared one text."""

    source = INSTANCES
    id: str = at("InstanceId")
    groups: str = at("SecurityGroups[].GroupId")


class WrongTemplate(Resource):
    """A template with a member that is not there."""

    source = INSTANCES
    id: str = at("{account}/{InstanceID}")


class WrongClimb(Resource):
    """A path that climbs above the reply."""

    source = INSTANCES
    id: str = at("^^^OwnerId")


class NoId(Resource):
    """A type without identity."""

    source = INSTANCES
    state: str = at("State.Name")


class WrongTarget(Resource):
    """An edge to what is no type."""

    source = INSTANCES
    id: str = at("InstanceId")
    vpc: str = to("IN_VPC", "VpcId")


class WrongKey(Resource):
    """An edge to a property that is not indexed, one to a property that is not there, and a list that is not said."""

    source = INSTANCES
    id: str = at("InstanceId")
    one: Good = to("ONE", "VpcId", on="owner")
    other: Good = to("OTHER", "VpcId", on="nothing")
    many: Good = by("MANY", "SecurityGroups[].GroupId")


class WrongArn(Resource):
    """Ends that are told by ARNs which are not there, of a type that is none, and of one that an edge has already."""

    source = INSTANCES
    id: str = at("InstanceId")
    one: Good = about("AFFECTS", "OutpostARN")
    other: Good | int = about("USES", "OutpostArn")
    again: list[Good] = about("USES", "OutpostArn")


class WrongOperation(Resource):
    """A call that AWS has not."""

    source = call("ec2", "DescribeInstanzes", "Reservations[]")
    id: str = at("InstanceId")


class WrongService(Resource):
    """A service that AWS has not."""

    source = call("ec3", "DescribeInstances", "Reservations[]")
    id: str = at("InstanceId")


class Writes(Resource):
    """A call that changes something."""

    source = call("ec2", "TerminateInstances", "TerminatingInstances[]", InstanceIds=["i-1"])
    id: str = at("InstanceId")


class Reveals(Resource):
    """A call that reads a secret."""

    source = call("secretsmanager", "GetSecretValue", SecretId="x")
    id: str = at("ARN")


class LacksInput(Resource):
    """A detail call without what it requires, and with what it does not know."""

    source = detail("s3", "GetBucketPolicy", on=BUCKETS, Name="Name")
    id: str = at("Policy")


class Shadow(Resource):
    """A type whose further label is another's own."""

    also = ("Good",)
    source = INSTANCES
    id: str = at("InstanceId")


class Twice(Resource):
    """The same edge, declared twice."""

    source = INSTANCES
    id: str = at("InstanceId")
    vpc: Good = to("PART", "VpcId")
    vpc_again: Good = to("PART", "SubnetId")


class Meddles(Resource):
    """A property of the engine's."""

    source = INSTANCES
    id: str = at("InstanceId")
    lastupdated: str = at("InstanceId")
    region: str = at("InstanceId")


def groups(record: Record) -> list[str]:
    """What members of the classes below are called like."""
    return [each["GroupId"] for each in record["SecurityGroups"]]


def shown(value: object) -> str:
    """Another such."""
    return str(value)


class Words(Resource):
    """Properties that are called like what the model reads of a class: it would be shared, and have no label."""

    source = INSTANCES
    id: str = at("InstanceId")
    shared: bool = at("EbsOptimized")  # type: ignore[misc]
    label: str = at("ImageId")  # type: ignore[misc]


class Sourceless(Resource):
    """A property that takes the place of the source."""

    id: str = at("InstanceId")
    source: str = at("ImageId")  # type: ignore[misc, assignment]


class Suffixed(Resource):
    """The same property under both of its names."""

    source = INSTANCES
    id: str = at("InstanceId")
    state: str = at("State.Name")
    state_: str = at("ImageId")


class Reused(Resource):
    """Members that take the name of a function, and others that meant the function."""

    source = INSTANCES
    id: str = at("InstanceId")
    groups: list[str] = at(groups)
    shown: str = at("ImageId", then=shown)
    again: list[str] = at(groups)  # type: ignore[arg-type]
    state: str = at("State.Name", then=shown)  # type: ignore[arg-type]
    one: list[Good] = to("ONE", groups)  # type: ignore[arg-type]
    two: Good = about("TWO", groups)  # type: ignore[arg-type]
    three: Good = to("THREE", "VpcId", name=groups)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("cls", "expected"),
    [
        (WrongPath, ["WrongPath.hibernates: Instance has no HibernationOption"]),
        (WrongType, ["WrongType.optimized: declared str, but AWS sends bool"]),
        (WrongList, ["WrongList.groups: declared str, but AWS sends list[str]"]),
        (WrongTemplate, ["WrongTemplate.id: Instance has no InstanceID"]),
        (WrongClimb, ["WrongClimb.id: '^^^OwnerId' climbs above the reply"]),
        (NoId, ["NoId: declares no id"]),
        (WrongTarget, ["WrongTarget.vpc: is an edge and must be annotated with a declared type (or a list of one)"]),
        (
            WrongKey,
            [
                "WrongKey.one: Good.owner needs index=True to be found by",
                "WrongKey.other: Good has no property nothing to be found by",
                "WrongKey.many: the path gives a list: annotate it list[…]",
            ],
        ),
        (
            WrongArn,
            [
                "WrongArn.one_Good: Instance has no OutpostARN",
                "WrongArn.other_: is an edge and must be annotated with a declared type (or a list of one)",
                "WrongArn.again_Good: WrongArn.other_Good declares the same edge",
            ],
        ),
        (
            WrongOperation,
            [
                "WrongOperation (ec2:DescribeInstanzes): ec2 has no operation DescribeInstanzes",
                "WrongOperation.source: ec2 has no operation DescribeInstanzes",
            ],
        ),
        (
            WrongService,
            [
                "WrongService (ec3:DescribeInstances): botocore knows no service 'ec3'",
                "WrongService.source: botocore knows no service 'ec3'",
            ],
        ),
        (
            Writes,
            ["Writes (ec2:TerminateInstances): is not List, Get, Describe, Search or a named exception"],
        ),
        (
            Reveals,
            ["Reveals (secretsmanager:GetSecretValue): reads a secret's value, which skysweep never does"],
        ),
        (
            LacksInput,
            [
                "LacksInput (s3:GetBucketPolicy): has no input Name",
                "LacksInput (s3:GetBucketPolicy): requires the input Bucket",
            ],
        ),
        (
            Words,
            [
                "Words.label: is a word of the model's: call it label_, which is label in the graph",
                "Words.shared: is a word of the model's: call it shared_, which is shared in the graph",
            ],
        ),
        (
            Sourceless,
            ["Sourceless.source: is a word of the model's: call it source_, which is source in the graph"],
        ),
        (Suffixed, ["Suffixed.state: is there twice, as state and as state_"]),
        (
            Reused,
            [
                f"Reused.{name}: uses the class's own {used}, declared above it, in place of what has that name outside"
                for name, used in (
                    *(("again", "groups"), ("state", "shown")),
                    *(("one", "groups"), ("two", "groups"), ("three", "groups")),
                )
            ],
        ),
        (Twice, ["Twice.vpc_again: Twice.vpc declares the same edge"]),
        (
            Meddles,
            [
                "Meddles.lastupdated: is the engine's",
                "Meddles.region: is the engine's for what is called in every region",
            ],
        ),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_a_wrong_declaration_is_named(cls: type[Resource], expected: list[str]) -> None:
    assert lint.problems([declared(cls)]) == expected


def test_a_good_declaration_passes() -> None:
    assert lint.problems([declared(Good)]) == []


def test_labels_are_one_types_own() -> None:
    assert lint.problems([declared(Good), declared(Shadow)]) == ["Shadow: its further label Good is another type's own"]
    assert "Good: is the label of 2 declarations" in lint.problems([declared(Good), declared(Good)])
