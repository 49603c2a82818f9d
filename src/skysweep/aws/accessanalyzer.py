"""IAM Access Analyzer: what lets outsiders in, and which access nobody uses.

The newer listing tells of all findings; only the older one tells who is let in, of what is open to outsiders.
"""

from __future__ import annotations

import json
from datetime import datetime

from skysweep.aws.dynamodb import DynamoDBStream, DynamoDBTable
from skysweep.aws.ebs import EBSSnapshot
from skysweep.aws.ecr import ECRRepository
from skysweep.aws.efs import EfsFileSystem
from skysweep.aws.iam import AWSRole, AWSUser
from skysweep.aws.kms import KMSKey
from skysweep.aws.lambda_ import AWSLambda, AWSLambdaLayer
from skysweep.aws.rdssnapshots import AWSRDSClusterSnapshot, RDSSnapshot
from skysweep.aws.s3 import S3Bucket
from skysweep.aws.sns import SNSTopic
from skysweep.aws.sqs import SQSQueue
from skysweep.aws.tags import AWSTag, tagged
from skysweep.model import Record, Resource, about, at, call, detail, to

ANALYZERS = call("accessanalyzer", "ListAnalyzers", "analyzers[]")
ACTIVE = {"status": {"eq": ["ACTIVE"]}}  # neither mended, which AWS keeps for 90 days more, nor archived as meant so
FINDINGS = detail("accessanalyzer", "ListFindingsV2", "findings[]", on=ANALYZERS, analyzerArn="arn", filter=ACTIVE)
EXTERNAL = detail(
    "accessanalyzer",
    "ListFindings",
    "findings[]",
    on=ANALYZERS,
    analyzerArn="arn",
    filter=ACTIVE,
    when=lambda analyzer: analyzer["type"] in {"ACCOUNT", "ORGANIZATION"},
)


class AWSAccessAnalyzer(Resource):
    """An analyzer: within its zone of trust nobody counts as an outsider."""

    source = ANALYZERS

    id: str = at("arn")
    arn: str = at("arn", index=True)
    name: str = at("name", index=True)
    type: str = at("type", doc="ACCOUNT or ORGANIZATION, alone or with _UNUSED_ACCESS or _INTERNAL_ACCESS")
    status: str = at("status")
    status_reason: str = at("statusReason.code")
    created_at: datetime = at("createdAt")
    last_resource_analyzed: str = at("lastResourceAnalyzed")
    last_resource_analyzed_at: datetime = at("lastResourceAnalyzedAt")
    unused_access_age: int = at("configuration.unusedAccess.unusedAccessAge", doc="days")

    tagged: list[AWSTag] = tagged("tags")


class AWSAccessAnalyzerFinding(Resource):
    """What an analyzer has found, and nobody has mended or called intended."""

    also = ("Risk",)
    source = FINDINGS

    id: str = at("id")
    type: str = at("findingType", index=True)
    status: str = at("status")
    resource: str = at("resource", index=True)
    resource_type: str = at("resourceType")
    resource_owner_account: str = at("resourceOwnerAccount")
    created_at: datetime = at("createdAt")
    updated_at: datetime = at("updatedAt")
    analyzed_at: datetime = at("analyzedAt")
    error: str = at("error")

    analyzer: AWSAccessAnalyzer = to("DETECTED_BY", "^arn")
    affected: (
        AWSLambda
        | AWSLambdaLayer
        | AWSRDSClusterSnapshot
        | AWSRole
        | AWSUser
        | DynamoDBStream
        | DynamoDBTable
        | EBSSnapshot
        | ECRRepository
        | EfsFileSystem
        | KMSKey
        | RDSSnapshot
        | S3Bucket
        | SNSTopic
        | SQSQueue
    ) = about("AFFECTS", "resource")


def as_json(found: dict[str, str]) -> str:
    """A map as one text."""
    return json.dumps(found, sort_keys=True)


def principals(finding: Record) -> list[str]:
    """Who is let in: accounts, ARNs, federated providers, or `*`."""
    return list((finding["principal"] or {}).values())


class AWSAccessAnalyzerExternalFinding(Resource, extends=AWSAccessAnalyzerFinding):
    """Whom a resource lets in from outside, to do what, and under which condition."""

    source = EXTERNAL

    id: str = at("id")
    is_public: bool = at("isPublic", index=True, doc="Whether anybody may come in")
    principals: list[str] = at(principals, doc="Whom it lets in")
    actions: list[str] = at("action")
    condition: str = at("condition", then=as_json)
