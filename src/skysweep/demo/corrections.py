"""Replies of moto's that AWS would not give, put right in the emulator: collectors are written for AWS."""

from __future__ import annotations

import base64
import hashlib
import time
from typing import Any

from moto.apigateway.models import Stage
from moto.dynamodb.models.table import Table
from moto.ec2.models.elastic_block_store import VolumeAttachment
from moto.ecr.models import Image
from moto.ecs.models import Task
from moto.eks.models import Cluster
from moto.iam.models import AWSManagedPolicy, ManagedPolicy
from moto.sqs.models import Queue

AUTHORITY = """\
-----BEGIN CERTIFICATE-----
MIIBbDCCARKgAwIBAgIBATAKBggqhkjOPQQDAjAVMRMwEQYDVQQDDAprdWJlcm5l
dGVzMB4XDTI2MDEwMTAwMDAwMFoXDTM2MDEwMTAwMDAwMFowFTETMBEGA1UEAwwK
a3ViZXJuZXRlczBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABP0bNxPqdmI7u1Hp
TKlnISiCzirX3hoCcFJ8jgjimm4hf/y7Y3yfQc//iApYOyssIL5dg82l57ppLdYj
+cgoWMGjUzBRMA8GA1UdEwEB/wQFMAMBAf8wHQYDVR0OBBYEFLiRYVMHnsNDMgcf
vuGotRJi4OEtMB8GA1UdIwQYMBaAFLiRYVMHnsNDMgcfvuGotRJi4OEtMAoGCCqG
SM49BAMCA0gAMEUCIHt7upOX/5227tdef6pX8dEnoXSywdALs8hEySh1kDlHAiEA
tplWmeGv6aib7W5hCyay89omKaqaOkW6toib6m/R1hg=
-----END CERTIFICATE-----
"""
"""The certificate of a Kubernetes cluster's own authority, whose key was thrown away."""


def correct_moto() -> None:
    """Correct moto in this process: members that AWS always sends and moto does not, and times with a fraction."""
    _name_indexes()
    _name_policies()
    _number_policies()
    _tell_what_goes_with_its_instance()
    _cut_seconds()
    _tell_of_scans()
    _date_stages()
    _name_tasks()
    _certify_clusters()


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


def _tell_of_scans() -> None:
    """DescribeImages says of an image that it was scanned; only then its findings are worth a call."""

    def status(self: Image) -> dict[str, str] | None:
        return {"status": "COMPLETE"} if self.last_scan else None

    Image.image_scan_status = property(status)  # type: ignore[attr-defined]  # the same


def _date_stages() -> None:
    """AWS says when a stage was created; here it is when it was first told of, which CreateStage does at once."""
    to_json = Stage.to_json

    def dated(self: Stage) -> dict[str, Any]:
        return to_json(self) | {"createdDate": vars(self).setdefault("created", int(time.time()))}

    Stage.to_json = dated  # type: ignore[method-assign]  # the same


def _name_tasks() -> None:
    """A container's `taskArn` is its task's, not its definition's."""
    make = Task.__init__

    def made(self: Task, *args: Any, **more: Any) -> None:
        make(self, *args, **more)
        for container in self.containers:
            vars(container)["task_arn"] = self.task_arn

    Task.__init__ = made  # type: ignore[method-assign]  # the same


def _certify_clusters() -> None:
    """A cluster's authority is a certificate, and its names are its own: moto draws one for all when it starts."""
    make = Cluster.__init__

    def made(self: Cluster, *args: Any, **more: Any) -> None:
        make(self, *args, **more)
        self.certificate_authority = {"data": base64.b64encode(AUTHORITY.encode()).decode()}
        name, region = hashlib.sha256(self.arn.encode()).hexdigest()[:32].upper(), self.arn.split(":")[3]
        self.endpoint = f"https://{name}.gr7.{region}.eks.amazonaws.com"
        self.identity = {"oidc": {"issuer": f"https://oidc.eks.{region}.amazonaws.com/id/{name}"}}

    Cluster.__init__ = made  # type: ignore[method-assign]  # the same
