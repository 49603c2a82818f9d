"""Which database a replica or a snapshot is of, and who may restore a snapshot."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from skysweep.aws import rds, rdssnapshots
from skysweep.model import Context, Record, Unanswered

HERE = Context("123456789012", "us-east-1")
RESTORERS = partial(rdssnapshots.restorers, rdssnapshots.SHARING, "DBSnapshotAttributesResult.DBSnapshotAttributes")
SOURCE = partial(rdssnapshots.copied_from, "db", "DBInstanceIdentifier", "SourceDBSnapshotIdentifier")


def snapshot(**more: Any) -> Record:
    return Record({"DBInstanceIdentifier": "crm", **more}, HERE)


@pytest.mark.parametrize(
    ("told", "arn"),
    [
        (None, None),
        ("crm", "arn:aws:rds:us-east-1:123456789012:db:crm"),
        ("arn:aws:rds:eu-west-1:123456789012:db:crm", "arn:aws:rds:eu-west-1:123456789012:db:crm"),
    ],
)
def test_a_replica_names_its_source_or_gives_its_arn(told: str | None, arn: str | None) -> None:
    assert rds.replicated_from(Record({"ReadReplicaSourceDBInstanceIdentifier": told}, HERE)) == arn


@pytest.mark.parametrize(
    ("copied", "arn"),
    [
        ({}, "arn:aws:rds:us-east-1:123456789012:db:crm"),
        ({"SourceRegion": "eu-west-1"}, "arn:aws:rds:eu-west-1:123456789012:db:crm"),
        (
            {"SourceDBSnapshotIdentifier": "arn:aws:rds:eu-west-1:999988887777:snapshot:rds:crm-2026"},
            "arn:aws:rds:eu-west-1:999988887777:db:crm",
        ),
    ],
)
def test_a_copied_snapshot_is_of_the_database_where_it_was_first_taken(copied: dict[str, str], arn: str) -> None:
    assert SOURCE(snapshot(**copied)) == arn


def test_who_may_restore_is_told_by_the_restore_attribute_alone() -> None:
    shared = snapshot()
    attributes = [
        {"AttributeName": "other", "AttributeValues": ["111122223333"]},
        {"AttributeName": "restore", "AttributeValues": ["999988887777", "all"]},
    ]
    shared.replies[rdssnapshots.SHARING.call] = {"DBSnapshotAttributesResult": {"DBSnapshotAttributes": attributes}}
    assert RESTORERS(shared) == ["999988887777", "all"]


def test_what_was_not_asked_for_is_shared_with_nobody_and_what_failed_is_unknown() -> None:
    automated, denied = snapshot(), snapshot()
    denied.failed.add(rdssnapshots.SHARING.call)
    assert RESTORERS(automated) == []
    with pytest.raises(Unanswered):
        RESTORERS(denied)
