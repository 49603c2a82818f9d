"""Replies of moto's that AWS would not give, put right in the emulator: collectors are written for AWS."""

from __future__ import annotations

from typing import Any

from moto.dynamodb.models.table import Table
from moto.sqs.models import Queue


def correct_moto() -> None:
    """Correct moto in this process: index ARNs of DynamoDB tables, whole seconds of SQS queues."""
    _name_indexes()
    _cut_seconds()


def _name_indexes() -> None:
    describe = Table.describe

    def with_arns(self: Table, base_key: str = "TableDescription") -> dict[str, Any]:
        result: dict[str, Any] = describe(self, base_key)
        for kind in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
            for index in result[base_key].get(kind) or []:
                index["IndexArn"] = f"{self.table_arn}/index/{index['IndexName']}"
        return result

    Table.describe = with_arns  # type: ignore[method-assign]  # moto has no seam for it


def _cut_seconds() -> None:
    getter = vars(Queue)["attributes"].fget

    def whole(self: Queue) -> dict[str, Any]:
        attributes: dict[str, Any] = getter(self)
        times = {"CreatedTimestamp", "LastModifiedTimestamp"} & attributes.keys()
        return attributes | {name: str(attributes[name]).partition(".")[0] for name in times}

    Queue.attributes = property(whole)  # type: ignore[assignment]  # moto has no seam for it
