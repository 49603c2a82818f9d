"""Every declaration, checked against botocore's models and against stored replies: a new type adds no test code."""

from __future__ import annotations

import sys
from functools import cache

import anyio
import pytest

import answers
from skysweep import catalogue, lint
from skysweep.aws.s3 import S3Bucket
from skysweep.aws.vpc import AWSVpc
from skysweep.calls import Walk
from skysweep.catalogue import Catalogue, Type
from skysweep.model import Context, Record, Resource, about, at, call
from skysweep.outcomes import Outcome
from skysweep.plan import GLOBAL, Target, Unit
from skysweep.records import Linked, Maker, Row

CATALOGUE = catalogue.load()


def test_no_declaration_has_a_problem() -> None:
    assert lint.problems(CATALOGUE.types) == []


@cache
def swept() -> dict[str, tuple[list[Row], list[Linked]]]:
    """What every type's records become, by the type's name, over the stored replies of all calls."""
    return anyio.run(_sweep, CATALOGUE)


async def _sweep(whole: Catalogue) -> dict[str, tuple[list[Row], list[Linked]]]:
    made: dict[str, tuple[list[Row], list[Linked]]] = {type_.name: ([], []) for type_ in whole.types}
    makers = {type_.name: Maker(type_) for type_ in whole.types}

    async def emit(type_: Type, record: Record) -> None:
        row = makers[type_.name].row(record)
        made[type_.name][0].append(row)
        made[type_.name][1].extend(makers[type_.name].links(record, row["id"]))

    def unfit(type_: Type, record: Record, error: Exception) -> None:
        raise AssertionError(f"{type_.name}: {record}") from error

    for root, branch in whole.branches.items():
        target = Target("123456789012", "us-east-1" if root.per == "region" else GLOBAL)
        walk = Walk(Unit(target, root), branch, answers.ask, emit, unfit)
        assert await walk.run() == (Outcome.COMPLETE, None), root
        assert walk.details == (), root
    return made


@pytest.mark.parametrize("type_", CATALOGUE.types, ids=lambda type_: type_.name)
def test_every_property_and_edge_is_filled_by_a_stored_reply(type_: Type) -> None:
    rows, links = swept()[type_.name]
    filled = {name for row in rows for name, value in row["props"].items() if value not in (None, [])}
    empty = [f"{type_.name}.{each.name}" for each in type_.properties if each.name not in filled]
    drawn = {link.edge for link in links}
    empty += [f"{type_.name}.{edge.name}" for number, edge in enumerate(type_.edges) if number not in drawn]
    assert not empty, f"no stored reply fills {', '.join(empty)}"


class Base(Resource):
    """What two types have in common; no type itself."""

    id: str = at("VpcId")


class Made(Base):
    """A type made of it."""

    source = call("ec2", "DescribeVpcs", "Vpcs[]")

    state: str = at("State")


def test_a_base_without_a_source_is_no_type_and_declares_for_those_made_of_it() -> None:
    [made, _] = catalogue.read([sys.modules[__name__]])

    assert [(each.name, each.type) for each in made.properties] == [("id", str), ("state", str)]
    assert lint.problems([made]) == []


class Several(Resource):
    """A type whose edge's other end only an ARN tells."""

    source = call("ec2", "DescribeVpcs", "Vpcs[]")

    id: str = at("VpcId")

    affected: S3Bucket | AWSVpc = about("AFFECTS", "DhcpOptionsId")


def test_an_edge_whose_end_an_arn_tells_is_one_for_each_type_of_its_annotation() -> None:
    several = catalogue.declared(Several)

    assert [(edge.name, edge.target) for edge in several.edges] == [
        ("affected_S3Bucket", S3Bucket),
        ("affected_AWSVpc", AWSVpc),
    ]
    arn = Record({"VpcId": "vpc-1", "DhcpOptionsId": "arn:aws:s3:::pictures"}, Context("123456789012", "us-east-1"))
    assert [(link.edge, link.end) for link in Maker(several).links(arn, "vpc-1")] == [(0, "pictures")]
