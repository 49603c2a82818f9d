"""Replies of moto's that AWS would not give, put right in the emulator: collectors are written for AWS."""

from __future__ import annotations

import hashlib
from typing import Any

from moto.dynamodb.models.table import Table
from moto.ec2.models.elastic_block_store import VolumeAttachment
from moto.iam.models import AWSManagedPolicy, ManagedPolicy
from moto.sqs.models import Queue


def correct_moto() -> None:
    """Correct moto in this process: members that AWS always sends and moto does not, and times with a fraction."""
    _name_indexes()
    _name_policies()
    _number_policies()
    _tell_what_goes_with_its_instance()
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


def _name_policies() -> None:
    """GetAccountAuthorizationDetails reads the member by its own name, which moto's policies do not have."""
    ManagedPolicy.PolicyName = property(lambda self: self.name)  # type: ignore[attr-defined]  # moto has no seam for it


def _number_policies() -> None:
    """AWS's own policies have the same ids in every account; moto draws new ones for each."""
    made: Any = AWSManagedPolicy.from_data

    def numbered(cls: type[AWSManagedPolicy], *args: Any, **more: Any) -> AWSManagedPolicy:
        policy: AWSManagedPolicy = made.__func__(cls, *args, **more)
        policy.id = f"ANPA{hashlib.sha256(policy.arn.encode()).hexdigest()[:16].upper()}"
        return policy

    setattr(AWSManagedPolicy, "from_data", classmethod(numbered))  # noqa: B010 - moto has no seam for it


def _tell_what_goes_with_its_instance() -> None:
    """DescribeVolumes, too, says whether a volume is deleted with the instance it is attached to."""

    def deleted_with_instance(self: VolumeAttachment) -> bool:
        devices = self.instance.block_device_mapping.values()
        return any(device.volume_id == self.volume.id and device.delete_on_termination for device in devices)

    VolumeAttachment.delete_on_termination = property(deleted_with_instance)  # type: ignore[attr-defined]  # the same


def _cut_seconds() -> None:
    getter = vars(Queue)["attributes"].fget

    def whole(self: Queue) -> dict[str, Any]:
        attributes: dict[str, Any] = getter(self)
        times = {"CreatedTimestamp", "LastModifiedTimestamp"} & attributes.keys()
        return attributes | {name: str(attributes[name]).partition(".")[0] for name in times}

    Queue.attributes = property(whole)  # type: ignore[assignment]  # moto has no seam for it
