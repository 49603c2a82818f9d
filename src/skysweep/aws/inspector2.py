"""Inspector: known vulnerabilities in what runs, and ports that can be reached.

Asked for the account's own findings alone: an administrator's account would tell of its members' once more.
"""

from __future__ import annotations

from datetime import datetime

from skysweep.aws.account import AWSAccount
from skysweep.aws.ec2 import EC2Instance
from skysweep.aws.ecr import ECRImage, ECRRepository
from skysweep.aws.lambda_ import AWSLambda
from skysweep.model import Record, Resource, about, at, by, call

FINDINGS = call(
    "inspector2",
    "ListFindings",
    "findings[]",
    filterCriteria={
        "awsAccountId": [{"comparison": "EQUALS", "value": "{account}"}],
        "findingStatus": [{"comparison": "NOT_EQUALS", "value": "CLOSED"}],
    },
)


def resource_of(finding: Record, kind: str) -> str | None:
    """The id of the resource that a finding is about, if it is of that type."""
    first = (finding["resources"] or [{}])[0]
    return str(first["id"]) if first.get("type") == kind else None


def instance_id(finding: Record) -> str | None:
    """The instance that the finding is about."""
    return resource_of(finding, "AWS_EC2_INSTANCE")


def image_digest(finding: Record) -> str | None:
    """The digest of the image that the finding is about: the end of its ARN."""
    arn = resource_of(finding, "AWS_ECR_CONTAINER_IMAGE")
    return arn.rpartition("/")[2] if arn else None


def repository_arn(finding: Record) -> str | None:
    """The repository that the finding is about."""
    return resource_of(finding, "AWS_ECR_REPOSITORY")


def affected(finding: Record) -> list[str]:
    """The ARNs of what the finding is about; of an instance Inspector tells but the id."""
    place = f"arn:{finding.context.partition}:ec2:{finding.context.region}:{finding['awsAccountId']}:instance/"
    return [place + each["id"] if each["id"].startswith("i-") else each["id"] for each in finding["resources"] or ()]


def port_range(finding: Record) -> str | None:
    """The open ports, from-to."""
    ports = (finding["networkReachabilityDetails"] or {}).get("openPortRange")
    return f"{ports['begin']}-{ports['end']}" if ports else None


def package_id(package: Record) -> str:
    """Cartography's id, as RPM writes a package: name|epoch:version-release.arch."""
    epoch = "" if package["epoch"] is None else f"{package['epoch']}:"
    release = f"-{package['release']}" if package["release"] else ""
    arch = f".{package['arch']}" if package["arch"] else ""
    return f"{package['name']}|{epoch}{package['version']}{release}{arch}"


def package_ids(finding: Record) -> list[str] | None:
    """The ids of the packages that the vulnerability is in."""
    packages = (finding["packageVulnerabilityDetails"] or {}).get("vulnerablePackages")
    return packages and list(dict.fromkeys(package_id(Record(each, finding.context)) for each in packages))


_PACKAGES = "packageVulnerabilityDetails"
_NETWORK = "networkReachabilityDetails"
_CODE = "codeVulnerabilityDetails"
_CVSS = "inspectorScoreDetails.adjustedCvss"


class AWSInspectorFinding(Resource):
    """A vulnerability of what runs, or a port that can be reached: how bad, exploited or not, and its cure."""

    also = ("Risk",)
    source = FINDINGS

    id: str = at("findingArn")
    arn: str = at("findingArn", index=True)
    name: str = at("title")
    awsaccount: str = at("awsAccountId")
    type: str = at("type", index=True)
    status: str = at("status", doc="ACTIVE or SUPPRESSED")
    severity: str = at("severity", index=True)
    description: str = at("description")
    firstobservedat: datetime = at("firstObservedAt")
    lastobservedat: datetime = at("lastObservedAt")
    updatedat: datetime = at("updatedAt")
    instanceid: str = at(instance_id)
    ecrimageid: str = at(image_digest)
    ecrrepositoryid: str = at(repository_arn)
    inspector_score: float = at("inspectorScore")
    cvssscore: float = at(f"{_CVSS}.score")
    cvssvector: str = at(f"{_CVSS}.scoringVector")
    epss_score_inspector: float = at("epss.score", doc="How likely it is to be exploited within a month, from 0 to 1")
    fixavailable: str = at("fixAvailable", doc="YES, NO or PARTIAL")
    exploitavailable: str = at("exploitAvailable")
    lastknownexploitat: datetime = at("exploitabilityDetails.lastKnownExploitAt")
    remediation: str = at("remediation.recommendation.text")
    protocol: str = at(f"{_NETWORK}.protocol")
    portrange: str = at(port_range)
    portrangebegin: int = at(f"{_NETWORK}.openPortRange.begin")
    portrangeend: int = at(f"{_NETWORK}.openPortRange.end")
    vulnerabilityid: str = at(f"{_PACKAGES}.vulnerabilityId", index=True)
    cve_id: str = at(f"{_PACKAGES}.vulnerabilityId", index=True)
    source_: str = at(f"{_PACKAGES}.source")
    sourceurl: str = at(f"{_PACKAGES}.sourceUrl")
    vendorseverity: str = at(f"{_PACKAGES}.vendorSeverity")
    vendorcreatedat: datetime = at(f"{_PACKAGES}.vendorCreatedAt")
    vendorupdatedat: datetime = at(f"{_PACKAGES}.vendorUpdatedAt")
    vendorcvssscores: list[float] = at(f"{_PACKAGES}.cvss[].baseScore")
    vendorcvssvectors: list[str] = at(f"{_PACKAGES}.cvss[].scoringVector")
    referenceurls: list[str] = at(f"{_PACKAGES}.referenceUrls")
    relatedvulnerabilities: list[str] = at(f"{_PACKAGES}.relatedVulnerabilities")
    vulnerablepackageids: list[str] = at(package_ids)
    code_file: str = at(f"{_CODE}.filePath.filePath")
    code_line: int = at(f"{_CODE}.filePath.startLine")
    cwes: list[str] = at(f"{_CODE}.cwes")

    account: AWSAccount = by("MEMBER", "awsAccountId")
    affected: list[AWSLambda | EC2Instance | ECRImage | ECRRepository] = about("AFFECTS", affected)


class AWSInspectorPackage(Resource):
    """A package that a vulnerability is in, whatever it is installed on."""

    source = FINDINGS["findings[].packageVulnerabilityDetails.vulnerablePackages[]"]
    shared = True

    id: str = at(package_id)
    name: str = at("name", index=True)
    version: str = at("version", index=True)
    release: str = at("release", index=True)
    arch: str = at("arch")
    epoch: int = at("epoch")
    manager: str = at("packageManager")

    finding: AWSInspectorFinding = by(
        "HAS",
        "^findingArn",
        filepath="filePath",
        fixedinversion="fixedInVersion",
        remediation="remediation",
        sourcelayerhash="sourceLayerHash",
        sourcelambdalayerarn="sourceLambdaLayerArn",
    )
