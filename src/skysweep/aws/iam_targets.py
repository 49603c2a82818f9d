"""What IAM's policies name: the resources whose own ARN an allowing statement has.

It says what a policy is about, not what its holders may do in the end: other statements, boundaries and conditions
limit that, and a statement for everything (``*``) names nothing. The statements' nodes have actions and conditions.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from skysweep import arns
from skysweep.aws._common import listed
from skysweep.aws._iam import AUTHORIZATIONS
from skysweep.aws._policies import document
from skysweep.aws.dynamodb import DynamoDBTable
from skysweep.aws.ec2 import EC2Instance
from skysweep.aws.ecr import ECRRepository
from skysweep.aws.ecs import ECSCluster
from skysweep.aws.efs import EfsFileSystem
from skysweep.aws.eks import EKSCluster
from skysweep.aws.events import AWSEventBridgeEventBus
from skysweep.aws.iam import AWSRole, AWSUser
from skysweep.aws.iam_policies import AWSInlinePolicy, AWSManagedPolicy, inline_policies
from skysweep.aws.kms import KMSAlias, KMSKey
from skysweep.aws.lambda_ import AWSLambda
from skysweep.aws.logs import CloudWatchLogGroup
from skysweep.aws.rds import RDSCluster, RDSInstance
from skysweep.aws.s3 import S3Bucket
from skysweep.aws.sns import SNSTopic
from skysweep.aws.sqs import SQSQueue
from skysweep.model import Item, Record, Resource, about, at

Named = (
    AWSEventBridgeEventBus
    | AWSLambda
    | AWSRole
    | AWSUser
    | CloudWatchLogGroup
    | DynamoDBTable
    | EC2Instance
    | ECRRepository
    | ECSCluster
    | EfsFileSystem
    | EKSCluster
    | KMSAlias
    | KMSKey
    | RDSCluster
    | RDSInstance
    | S3Bucket
    | SNSTopic
    | SQSQueue
)
_WILD = ("*", "?", "$")


def allowed(text: Any) -> list[str]:
    """The ARNs of resources that a document's allowing statements name; those with wildcards in the name left out.

    ``bucket/*`` names the bucket.
    """
    allowing = [each for each in listed(document(text).get("Statement")) if each.get("Effect") == "Allow"]
    told = dict.fromkeys(arn for statement in allowing for arn in listed(statement.get("Resource")))
    return [arn for arn in told if (node := arns.node(arn)) and not any(sign in node.key for sign in _WILD)]


def managed(page: Record) -> Iterator[Item]:
    """The account's own managed policies that name something, in the version in force."""
    for policy in page["Policies"] or ():
        for version in policy.get("PolicyVersionList") or ():
            if version["IsDefaultVersion"] and (found := allowed(version["Document"])):
                yield {"id": policy["Arn"], "allowed": found}


def inline(page: Record) -> Iterator[Item]:
    """The inline policies that name something."""
    for policy in inline_policies(page):
        if found := allowed(policy["PolicyDocument"]):
            yield {"id": policy["Id"], "allowed": found}


class ManagedPolicyTargets(Resource, extends=AWSManagedPolicy):
    """What a managed policy of the account names."""

    source = AUTHORIZATIONS.each(managed)

    id: str = at("id")

    allows: list[Named] = about("ALLOWS", "allowed")


class InlinePolicyTargets(Resource, extends=AWSInlinePolicy):
    """What the inline policy of a user, group or role names."""

    source = AUTHORIZATIONS.each(inline)

    id: str = at("id")

    allows: list[Named] = about("ALLOWS", "allowed")
