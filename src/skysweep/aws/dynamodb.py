"""DynamoDB: tables, how they are encrypted and paid for, and what came of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from skysweep.aws.kms import KMSKey
from skysweep.aws.tags import AWSTag, tagged_by_arn
from skysweep.model import Record, Resource, arn, at, by, call, detail, to

NAMES = call("dynamodb", "ListTables", "TableNames[]")
NAMED_ARN = arn("dynamodb", "table/{@}")
TABLES = detail("dynamodb", "DescribeTable", "Table", on=NAMES, TableName="@")


class DynamoDBTable(Resource):
    """A table: records by key, in the open to every principal that IAM or the table's own policy lets in."""

    also = ("AWSDynamoDBTable", "Database")
    source = TABLES

    id: str = at("TableArn")
    arn: str = at("TableArn", index=True)
    name: str = at("TableName", index=True)
    table_id: str = at("TableId")
    rows: int = at("ItemCount")
    size: int = at("TableSizeBytes")
    table_status: str = at("TableStatus")
    table_class: str = at("TableClassSummary.TableClass")
    creation_date_time: datetime = at("CreationDateTime")
    provisioned_throughput_read_capacity_units: int = at("ProvisionedThroughput.ReadCapacityUnits")
    provisioned_throughput_write_capacity_units: int = at("ProvisionedThroughput.WriteCapacityUnits")
    deletion_protection_enabled: bool = at("DeletionProtectionEnabled")
    sse_status: str = at("SSEDescription.Status", doc="Null where a key that AWS owns encrypts it")
    kms_master_key_arn: str = at("SSEDescription.KMSMasterKeyArn")
    replica_regions: list[str] = at("Replicas[].RegionName", doc="Where else its records are")

    key: KMSKey = to("ENCRYPTED_BY", "SSEDescription.KMSMasterKeyArn", on="arn")
    tagged: list[AWSTag] = tagged_by_arn(NAMES, NAMED_ARN)


# AWS's own format; IndexArn is not in every answer.
INDEX_ARN = "{^TableArn}/index/{IndexName}"


class DynamoDBGlobalSecondaryIndex(Resource):
    """Another order of a table's records: a copy of some of their attributes under another key."""

    also = ("AWSDynamoDBGlobalSecondaryIndex",)
    source = TABLES.each(lambda table: table["GlobalSecondaryIndexes"] or ())

    id: str = at(INDEX_ARN)
    arn: str = at(INDEX_ARN)
    name: str = at("IndexName")
    index_status: str = at("IndexStatus")
    provisioned_throughput_read_capacity_units: int = at("ProvisionedThroughput.ReadCapacityUnits")
    provisioned_throughput_write_capacity_units: int = at("ProvisionedThroughput.WriteCapacityUnits")

    table: DynamoDBTable = by("GLOBAL_SECONDARY_INDEX", "^TableArn")


def _part(name: str) -> Callable[[Record], list[Any]]:
    """The function that yields this part of a table, where the table has it."""

    def part(table: Record) -> list[Any]:
        return [table[name]] if table[name] else []

    return part


class DynamoDBBillingModeSummary(Resource):
    """How a table is paid for: by request, or by a capacity that too many requests exhaust."""

    also = ("AWSDynamoDBBillingModeSummary",)
    source = TABLES.each(_part("BillingModeSummary"))

    id: str = at("{^TableArn}/billing")
    billing_mode: str = at("BillingMode")
    last_update_to_pay_per_request_date_time: datetime = at("LastUpdateToPayPerRequestDateTime")

    table: DynamoDBTable = by("HAS_BILLING", "^TableArn")


class DynamoDBStream(Resource):
    """The changes of a table as they happen: who reads it reads every record that is written."""

    also = ("AWSDynamoDBStream",)
    source = TABLES.each(
        lambda table: [table.item] if table["LatestStreamArn"] and table["StreamSpecification"] else []
    )

    id: str = at("LatestStreamArn")
    arn: str = at("LatestStreamArn", index=True)
    stream_label: str = at("LatestStreamLabel")
    stream_enabled: bool = at("StreamSpecification.StreamEnabled")
    stream_view_type: str = at("StreamSpecification.StreamViewType")

    table: DynamoDBTable = by("LATEST_STREAM", "^TableArn")


class DynamoDBSSEDescription(Resource):
    """A table's encryption with a KMS key; a table without it is encrypted with a key that AWS owns."""

    also = ("AWSDynamoDBSSEDescription",)
    source = TABLES.each(_part("SSEDescription"))

    id: str = at("{^TableArn}/sse")
    sse_status: str = at("Status")
    sse_type: str = at("SSEType")
    kms_master_key_arn: str = at("KMSMasterKeyArn")
    inaccessible_encryption_date_time: datetime = at(
        "InaccessibleEncryptionDateTime", doc="Since when the key cannot be used; a week later the table is archived"
    )

    table: DynamoDBTable = by("HAS_SSE", "^TableArn")
    key: KMSKey = to("USES_KMS_KEY", "KMSMasterKeyArn", on="arn")


def backups(table: Record) -> Iterator[str]:
    """The ARNs of the backups that a table was archived to, or restored from."""
    for summary, member in (("ArchivalSummary", "ArchivalBackupArn"), ("RestoreSummary", "SourceBackupArn")):
        named = (table[summary] or {}).get(member)
        if named:
            yield named


class DynamoDBBackup(Resource):
    """A backup that a table was archived to or restored from: all of its records at a time, as long as it is kept."""

    also = ("AWSDynamoDBBackup",)
    source = TABLES.each(backups)
    shared = True  # several tables may be restored from one, in other regions too

    id: str = at("@")
    arn: str = at("@", index=True)


class DynamoDBArchivalSummary(Resource):
    """Why and when AWS archived a table: its key could not be used any more."""

    also = ("AWSDynamoDBArchivalSummary",)
    source = TABLES.each(_part("ArchivalSummary"))

    id: str = at("{^TableArn}/archival")
    archival_date_time: datetime = at("ArchivalDateTime")
    archival_reason: str = at("ArchivalReason")
    archival_backup_arn: str = at("ArchivalBackupArn")

    table: DynamoDBTable = by("HAS_ARCHIVAL", "^TableArn")
    backup: DynamoDBBackup = to("ARCHIVED_TO_BACKUP", "ArchivalBackupArn")


class DynamoDBRestoreSummary(Resource):
    """What a restored table was made of: a backup, another table, or both."""

    also = ("AWSDynamoDBRestoreSummary",)
    source = TABLES.each(_part("RestoreSummary"))

    id: str = at("{^TableArn}/restore")
    restore_date_time: datetime = at("RestoreDateTime")
    restore_in_progress: bool = at("RestoreInProgress")
    source_backup_arn: str = at("SourceBackupArn")
    source_table_arn: str = at("SourceTableArn")

    table: DynamoDBTable = by("HAS_RESTORE", "^TableArn")
    restored_from: DynamoDBTable = to("RESTORED_FROM_TABLE", "SourceTableArn")
    backup: DynamoDBBackup = to("RESTORED_FROM_BACKUP", "SourceBackupArn")
