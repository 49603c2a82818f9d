"""CloudFormation: stacks, and the roles that they build with. Values of parameters and outputs are never kept."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from skysweep.aws.iam import AWSRole
from skysweep.aws.sns import SNSTopic
from skysweep.aws.tags import AWSTag, tagged
from skysweep.model import Resource, at, by, call, to


def as_text(tags: list[dict[str, Any]]) -> str:
    """Tags as Cartography writes them here: AWS's list, as JSON."""
    return json.dumps(tags)


class CloudFormationStack(Resource):
    """A stack: whoever may update it does what its role may do."""

    also = ("AWSCloudFormationStack",)
    source = call("cloudformation", "DescribeStacks", "Stacks[]")

    id: str = at("StackId")
    arn: str = at("StackId", index=True)
    stack_name: str = at("StackName", index=True)
    description: str = at("Description")
    stack_status: str = at("StackStatus")
    stack_status_reason: str = at("StackStatusReason")
    creation_time: datetime = at("CreationTime")
    last_updated_time: datetime = at("LastUpdatedTime")
    role_arn: str = at("RoleARN", doc="Null where it builds with the rights of whoever calls")
    parent_id: str = at("ParentId")
    root_id: str = at("RootId")
    disable_rollback: bool = at("DisableRollback")
    enable_termination_protection: bool = at("EnableTerminationProtection")
    capabilities: list[str] = at("Capabilities", doc="CAPABILITY_NAMED_IAM: it may make roles")
    drift_status: str = at("DriftInformation.StackDriftStatus")
    drift_last_checked: datetime = at("DriftInformation.LastCheckTimestamp")
    parameter_names: list[str] = at("Parameters[].ParameterKey")
    output_names: list[str] = at("Outputs[].OutputKey")
    export_names: list[str] = at("Outputs[].ExportName", doc="What other stacks of the region may import")
    tags: str = at("Tags", then=as_text)

    role: AWSRole = to("HAS_EXECUTION_ROLE", "RoleARN", on="arn")
    parent: CloudFormationStack = by("HAS_NESTED_STACK", "ParentId")
    topics: list[SNSTopic] = to("NOTIFIES", "NotificationARNs")
    tagged: list[AWSTag] = tagged("Tags")
