"""Security Hub: the standards that an account is held against, and what fails.

Of findings only the open ones are asked for, of this account and region: an administrator's account and an aggregation
region would tell of others' once more. GuardDuty's, Inspector's and Access Analyzer's are read where they come from.
"""

from __future__ import annotations

from datetime import datetime

from skysweep.aws._common import epoch
from skysweep.aws._governed import Governed
from skysweep.aws.account import AWSAccount
from skysweep.aws.iam import AccountAccessKey, AWSRole, AWSUser
from skysweep.aws.rds import RDSInstance
from skysweep.model import Record, Resource, about, at, call, to


class SecurityHub(Resource):
    """Security Hub in one region: whether it is on, and whether new controls are switched on by themselves."""

    also = ("AWSSecurityHub",)
    source = call("securityhub", "DescribeHub", missing="ResourceNotFoundException")

    id: str = at("HubArn")
    arn: str = at("HubArn", index=True)
    subscribed_at: int = at("SubscribedAt", then=lambda text: epoch(datetime.fromisoformat(text)))
    auto_enable_controls: bool = at("AutoEnableControls")
    control_finding_generator: str = at("ControlFindingGenerator")


class AWSSecurityHubStandard(Resource):
    """A standard that the account is held against: CIS, PCI DSS, AWS's own."""

    source = call("securityhub", "GetEnabledStandards", "StandardsSubscriptions[]")

    id: str = at("StandardsSubscriptionArn")
    arn: str = at("StandardsSubscriptionArn", index=True)
    standards_arn: str = at("StandardsArn")
    status: str = at("StandardsStatus")
    status_reason: str = at("StandardsStatusReason.StatusReasonCode")


def _equals(*values: str, comparison: str = "EQUALS") -> list[dict[str, str]]:
    return [{"Value": value, "Comparison": comparison} for value in values]


_ACCOUNT = "AWS::::Account:"
_KEY = "AWS::IAM::AccessKey:"


def named(finding: Record, prefix: str) -> list[str]:
    """What stands behind the prefix in the ids of the resources that the finding is about."""
    ids = (each["Id"] for each in finding["Resources"] or ())
    return [each.removeprefix(prefix) for each in ids if each.startswith(prefix)]


def accounts(finding: Record) -> list[str]:
    """The accounts that the finding is about as a whole."""
    return named(finding, _ACCOUNT)


def access_keys(finding: Record) -> list[str]:
    """The access keys that the finding is about."""
    return named(finding, _KEY)


class AWSSecurityHubFinding(Resource):
    """A check that failed, or what another product has reported, and nobody has dealt with."""

    also = ("Risk",)
    source = call(
        "securityhub",
        "GetFindings",
        "Findings[]",
        Filters={
            "AwsAccountId": _equals("{account}"),
            "Region": _equals("{region}"),
            "RecordState": _equals("ACTIVE"),
            "WorkflowStatus": _equals("NEW", "NOTIFIED"),
            "ProductName": _equals("GuardDuty", "Inspector", "IAM Access Analyzer", comparison="NOT_EQUALS"),
        },
    )

    id: str = at("Id")
    arn: str = at("Id", then=lambda text: text if text.startswith("arn:") else None, index=True)
    title: str = at("Title")
    description: str = at("Description")
    types: list[str] = at("Types")
    product_name: str = at("ProductName")
    product_arn: str = at("ProductArn")
    generator_id: str = at("GeneratorId")
    severity: str = at("Severity.Label", index=True)
    severity_normalized: int = at("Severity.Normalized", doc="from 0 to 100")
    compliance_status: str = at("Compliance.Status")
    security_control_id: str = at("Compliance.SecurityControlId", index=True)
    standards: list[str] = at("Compliance.AssociatedStandards[].StandardsId")
    workflow_status: str = at("Workflow.Status", doc="NEW or NOTIFIED")
    record_state: str = at("RecordState")
    remediation_url: str = at("Remediation.Recommendation.Url")
    resource_ids: list[str] = at("Resources[].Id", doc="All that it is about, also what is not in the graph")
    resource_types: list[str] = at("Resources[].Type")
    created_at: str = at("CreatedAt")
    updated_at: str = at("UpdatedAt")
    first_observed_at: str = at("FirstObservedAt")
    last_observed_at: str = at("LastObservedAt")
    sample: bool = at("Sample")

    affected: list[Governed | AWSRole | AWSUser | RDSInstance] = about("AFFECTS", "Resources[].Id")
    accounts: list[AWSAccount] = to("AFFECTS", accounts)
    keys: list[AccountAccessKey] = to("AFFECTS", access_keys)
