"""GuardDuty: what watches for attacks, and what it has seen.

Asked for the account's own findings alone: an administrator's account would tell of its members' once more.
"""

from __future__ import annotations

import json
from functools import partial

from skysweep.aws._common import listed
from skysweep.aws.account import AWSAccount
from skysweep.aws.ebs import EBSVolume
from skysweep.aws.ec2 import EC2Instance
from skysweep.aws.ecs import ECSCluster, ECSTask
from skysweep.aws.eks import EKSCluster
from skysweep.aws.iam import AccountAccessKey, AWSRole, AWSUser
from skysweep.aws.iam_principals import AWSRootPrincipal
from skysweep.aws.lambda_ import AWSLambda
from skysweep.aws.network import AWSNetworkInterface
from skysweep.aws.rds import RDSInstance
from skysweep.aws.s3 import S3Bucket
from skysweep.aws.tags import AWSTag, tagged
from skysweep.model import Record, Resource, about, arn, at, call, detail, to
from skysweep.paths import getter

DETECTORS = call("guardduty", "ListDetectors", "DetectorIds[]")
DETECTOR = detail("guardduty", "GetDetector", on=DETECTORS, DetectorId="@")
FINDING_IDS = detail(
    "guardduty",
    "ListFindings",
    "FindingIds[]",
    on=DETECTORS,
    DetectorId="@",
    FindingCriteria={"Criterion": {"accountId": {"Eq": ["{account}"]}, "service.archived": {"Eq": ["false"]}}},
)
FINDINGS = detail("guardduty", "GetFindings", "Findings[]", on=FINDING_IDS, FindingIds="@", DetectorId="^@", batch=50)


def enabled_features(detector: Record) -> list[str]:
    """What the detector reads besides the logs that every detector reads."""
    features = detector.reply(DETECTOR).get("Features") or ()
    return [each["Name"] for each in features if each.get("Status") == "ENABLED"]


class GuardDutyDetector(Resource):
    """GuardDuty in one region: where there is none, or it is suspended, nobody watches."""

    also = ("AWSGuardDutyDetector",)
    source = DETECTORS

    id: str = at("@")
    arn: str = at(arn("guardduty", "detector/{@}"), index=True)
    accountid: str = at("{account}")
    status: str = at("Status", of=DETECTOR)
    findingpublishingfrequency: str = at("FindingPublishingFrequency", of=DETECTOR)
    service_role: str = at("ServiceRole", of=DETECTOR)
    createdat: str = at("CreatedAt", of=DETECTOR)
    updatedat: str = at("UpdatedAt", of=DETECTOR)
    enabled_features: list[str] = at(enabled_features, of=DETECTOR)

    tagged: list[AWSTag] = tagged("Tags", of=DETECTOR)


_BANDS = ((9.0, "critical"), (7.0, "high"), (4.0, "medium"), (1.0, "low"))  # GuardDuty's own


def severity_label(severity: float) -> str | None:
    """The word for a severity of GuardDuty's scale."""
    return next((word for least, word in _BANDS if severity >= least), None)


def is_sample(information: str) -> bool | None:
    """Whether the finding was made for a demonstration; what it says of itself is JSON in a text."""
    try:
        told = json.loads(information)
    except ValueError:
        return None  # free text
    return told.get("sample") if isinstance(told, dict) else None


def resource_id(finding: Record) -> str | None:
    """The id of the instance or the name of the first bucket that the finding is about."""
    resource = finding["Resource"] or {}
    paths = {"Instance": "InstanceDetails.InstanceId", "S3Bucket": "S3BucketDetails[0].Name"}
    wanted = paths.get(str(resource.get("ResourceType")))
    found: str | None = getter(wanted)(resource) if wanted else None
    return found


USERS = frozenset({"IAMUser"})
ROLES = frozenset({"AssumedRole", "Role"})


def principal_id(finding: Record, kinds: frozenset[str]) -> str | None:
    """The unique id of the user or role whose credentials were used; a role's is followed by its session's name."""
    key = (finding["Resource"] or {}).get("AccessKeyDetails") or {}
    told = key.get("PrincipalId") if key.get("UserType") in kinds else None
    return told.partition(":")[0] if told else None


def user_id(finding: Record) -> str | None:
    """The unique id of the user whose credentials were used."""
    return principal_id(finding, USERS)


def role_id(finding: Record) -> str | None:
    """The unique id of the role whose credentials were used."""
    return principal_id(finding, ROLES)


_SEQUENCE = "Service.Detection.Sequence"  # of an attack in several steps, whose finding names no resource elsewhere
_actors = getter(f"{_SEQUENCE}.Actors[].User")
_involved = getter(f"{_SEQUENCE}.Resources[].Uid")


def principals(finding: Record, kinds: frozenset[str]) -> list[str]:
    """The unique ids of all users or roles whose credentials were used."""
    actors = (each.get("Uid") for each in _actors(finding.item) or () if each.get("Type") in kinds)
    return [told.partition(":")[0] for told in (principal_id(finding, kinds), *actors) if told]


def keys(finding: Record) -> list[str]:
    """The access keys that were used."""
    own = getter("Resource.AccessKeyDetails.AccessKeyId")(finding.item)
    return [key for key in (own, *(each.get("CredentialUid") for each in _actors(finding.item) or ())) if key]


_ARNS = tuple(
    map(
        getter,
        (
            "S3BucketDetails[].Arn",
            "LambdaDetails.FunctionArn",
            "RdsDbInstanceDetails.DbInstanceArn",
            "EksClusterDetails.Arn",
            "EcsClusterDetails.Arn",
            "EcsClusterDetails.TaskDetails.Arn",
            "EbsVolumeDetails.ScannedVolumeDetails[].VolumeArn",
        ),
    )
)


def affected(finding: Record) -> list[str]:
    """The ARNs of what the finding is about: GuardDuty tells but the ids of instances, and of the root user nothing."""
    resource, involved = finding["Resource"] or {}, _involved(finding.item) or ()
    arns = [arn for get in _ARNS for arn in listed(get(resource))]
    stem = f"arn:{finding.context.partition}"
    for each in (*listed(getter("InstanceDetails.InstanceId")(resource)), *involved):
        instance = f"{stem}:ec2:{finding.context.region}:{finding['AccountId']}:instance/{each}"
        arns.append(instance if each.startswith("i-") else each)
    if getter("AccessKeyDetails.UserType")(resource) == "Root":
        arns.append(f"{stem}:iam::{finding['AccountId']}:root")
    return arns


_CALL = "Service.Action.AwsApiCallAction"
_REMOTE = f"{_CALL}.RemoteIpDetails"


def remote_ip(finding: Record) -> str | None:
    """The address that an API call came from, of whichever family."""
    told = getter(_REMOTE)(finding.item) or {}
    found: str | None = told.get("IpAddressV4") or told.get("IpAddressV6")
    return found


class GuardDutyFinding(Resource):
    """What GuardDuty has seen and nobody has archived: how bad, where, and who was at it."""

    also = ("AWSGuardDutyFinding", "Risk", "SecurityIssue")
    source = FINDINGS

    id: str = at("Id")
    arn: str = at("Arn", index=True)
    title: str = at("Title")
    description: str = at("Description")
    type: str = at("Type", index=True)
    severity: float = at("Severity", doc="from 1 to 10")
    severity_label: str = at("Severity", then=severity_label, index=True)
    confidence: float = at("Confidence")
    createdat: str = at("CreatedAt")
    updatedat: str = at("UpdatedAt")
    eventfirstseen: str = at("Service.EventFirstSeen")
    eventlastseen: str = at("Service.EventLastSeen")
    accountid: str = at("AccountId")
    detectorid: str = at("Service.DetectorId")
    resource_type: str = at("Resource.ResourceType")
    resource_id: str = at(resource_id)
    eks_cluster_arn: str = at("Resource.EksClusterDetails.Arn")
    access_key_id: str = at("Resource.AccessKeyDetails.AccessKeyId")
    principal_user_id: str = at(user_id)
    principal_role_id: str = at(role_id)
    archived: bool = at("Service.Archived")
    sample: bool = at("Service.AdditionalInfo.Value", then=is_sample)
    service_action_type: str = at("Service.Action.ActionType")
    service_count: int = at("Service.Count")
    service_resource_role: str = at("Service.ResourceRole", doc="TARGET: it was attacked; ACTOR: it attacks")
    api_call_name: str = at(f"{_CALL}.Api")
    api_call_service_name: str = at(f"{_CALL}.ServiceName")
    api_call_caller_type: str = at(f"{_CALL}.CallerType")
    api_call_error_code: str = at(f"{_CALL}.ErrorCode")
    api_call_remote_ip: str = at(remote_ip)
    api_call_remote_country: str = at(f"{_REMOTE}.Country.CountryName")
    api_call_remote_city: str = at(f"{_REMOTE}.City.CityName")
    api_call_remote_org: str = at(f"{_REMOTE}.Organization.Org")
    api_call_remote_asn: str = at(f"{_REMOTE}.Organization.Asn")
    api_call_remote_asn_org: str = at(f"{_REMOTE}.Organization.AsnOrg")
    api_call_remote_isp: str = at(f"{_REMOTE}.Organization.Isp")
    api_call_remote_lat: float = at(f"{_REMOTE}.GeoLocation.Lat")
    api_call_remote_lon: float = at(f"{_REMOTE}.GeoLocation.Lon")
    api_call_remote_account_id: str = at(f"{_CALL}.RemoteAccountDetails.AccountId")
    api_call_remote_account_affiliated: bool = at(f"{_CALL}.RemoteAccountDetails.Affiliated")

    detector: GuardDutyDetector = to("DETECTED_BY", "Service.DetectorId")
    keys: list[AccountAccessKey] = to("AFFECTS", keys)
    users: list[AWSUser] = to("AFFECTS", partial(principals, kinds=USERS), on="userid")
    roles: list[AWSRole] = to("AFFECTS", partial(principals, kinds=ROLES), on="roleid")
    affected: list[
        AWSLambda
        | AWSNetworkInterface
        | AWSRootPrincipal
        | EBSVolume
        | EC2Instance
        | ECSCluster
        | ECSTask
        | EKSCluster
        | RDSInstance
        | S3Bucket
    ] = about("AFFECTS", affected)
    remote_account: AWSAccount = to("REMOTE_ACCOUNT", f"{_CALL}.RemoteAccountDetails.AccountId")
