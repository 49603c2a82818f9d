"""EKS: Kubernetes clusters, who reaches their API, and which principals of AWS are let in."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import Any

from skysweep.aws import _x509
from skysweep.aws._common import log_group_arn
from skysweep.aws.ec2 import INSTANCES, EC2Instance, eks_cluster
from skysweep.aws.iam import AWSOIDCProvider, AWSRole, AWSUser
from skysweep.aws.kms import KMSKey
from skysweep.aws.logs import CloudWatchLogGroup
from skysweep.aws.securitygroups import EC2SecurityGroup
from skysweep.aws.tags import AWSTag, tagged
from skysweep.aws.vpc import AWSVpc, EC2Subnet
from skysweep.model import Record, Resource, arn, at, by, call, detail, to
from skysweep.paths import reader

# Unless all are asked for, AWS leaves out the clusters elsewhere that were registered to be watched from here.
NAMES = call("eks", "ListClusters", "clusters[]", include=["all"])
CLUSTERS = detail("eks", "DescribeCluster", "cluster", on=NAMES, name="@")


def own_version(cluster: Record) -> list[str] | None:
    """The cluster's version of Kubernetes as the input of an operation on several; AWS tells none of one elsewhere."""
    return [cluster["version"]] if cluster["version"] else None


VERSION = detail("eks", "DescribeClusterVersions", on=CLUSTERS, clusterVersions=own_version)
_VERSION = "clusterVersions[0]"

_authority = reader("certificateAuthority.data")
_logging = reader("logging.clusterLogging")
_issuer = reader("identity.oidc.issuer")


def audit_logging(cluster: Record) -> bool:
    """Whether the calls of the cluster's API are logged."""
    return any("audit" in (each.get("types") or ()) and each.get("enabled") for each in _logging(cluster) or ())


def log_types(cluster: Record) -> list[str]:
    """What of the control plane is logged."""
    return sorted({kind for each in _logging(cluster) or () if each.get("enabled") for kind in each.get("types") or ()})


@lru_cache(maxsize=64)  # one certificate fills ten properties
def authority(data: str) -> tuple[str, str | None, _x509.Certificate | None]:
    """A cluster's certificate authority: whether it could be read, why not, and what it says."""
    try:
        decoded = base64.b64decode(data, validate=True)
    except binascii.Error as error:
        return "invalid_base64", str(error), None
    try:
        return "parsed", None, _x509.read(decoded)
    except ValueError as error:
        return "invalid_certificate", str(error), None


def _said(name: str) -> Callable[[Record], Any]:
    """The function that reads a field of the cluster's certificate authority."""

    def read(cluster: Record) -> Any:
        certificate = authority(_authority(cluster) or "")[2]
        return getattr(certificate, name) if certificate else None

    read.__doc__ = f"The {name} of the certificate that the cluster's API is known by."
    return read


def parse_status(cluster: Record) -> str:
    """parsed, missing, invalid_base64 or invalid_certificate."""
    data = _authority(cluster)
    return authority(data)[0] if data else "missing"


def parse_error(cluster: Record) -> str | None:
    """Why the certificate cannot be read."""
    data = _authority(cluster)
    return authority(data)[1] if data else None


def has_authority(cluster: Record) -> bool:
    """Whether AWS gave the certificate."""
    return bool(_authority(cluster))


def oidc_provider(cluster: Record) -> str | None:
    """The ARN that IAM's provider for the tokens of the cluster's service accounts has, if there is one."""
    issuer, here = _issuer(cluster), cluster.context
    if not issuer:
        return None
    return f"arn:{here.partition}:iam::{here.account}:oidc-provider/{issuer.removeprefix('https://')}"


def groups(cluster: Record) -> list[str]:
    """The groups of the control plane's interfaces: those chosen, and EKS's own, which the nodes share."""
    network = cluster["resourcesVpcConfig"] or {}
    own = network.get("clusterSecurityGroupId")
    return [*(network.get("securityGroupIds") or ()), *([own] if own else ())]


def log_group(cluster: Record) -> str | None:
    """The ARN of the log group that EKS writes the control plane's logs to, where it logs any."""
    return log_group_arn(f"/aws/eks/{cluster['name']}/cluster", cluster.context) if log_types(cluster) else None


class EKSCluster(Resource):
    """A Kubernetes cluster: whether the world reaches its API, who administers it, what it logs and encrypts."""

    also = ("AWSEKSCluster", "ComputeCluster")
    source = CLUSTERS

    id: str = at("arn")
    arn: str = at("arn", index=True)
    name: str = at("name", index=True)
    created_at: str = at("createdAt", then=str)
    status: str = at("status")
    version: str = at("version", doc="Kubernetes'")
    platform_version: str = at("platformVersion")
    version_status: str = at(
        f"{_VERSION}.versionStatus", of=VERSION, doc="STANDARD_SUPPORT, EXTENDED_SUPPORT, UNSUPPORTED"
    )
    end_of_standard_support: datetime = at(f"{_VERSION}.endOfStandardSupportDate", of=VERSION)
    end_of_extended_support: datetime = at(f"{_VERSION}.endOfExtendedSupportDate", of=VERSION)
    support_type: str = at("upgradePolicy.supportType", doc="STANDARD: AWS upgrades it when its version's support ends")
    endpoint: str = at("endpoint")
    endpoint_public_access: bool = at("resourcesVpcConfig.endpointPublicAccess", index=True)
    endpoint_private_access: bool = at("resourcesVpcConfig.endpointPrivateAccess")
    public_access_cidrs: list[str] = at("resourcesVpcConfig.publicAccessCidrs", doc="Who reaches the public endpoint")
    vpc_id: str = at("resourcesVpcConfig.vpcId")
    rolearn: str = at("roleArn")
    audit_logging: bool = at(audit_logging)
    log_types: list[str] = at(log_types)
    authentication_mode: str = at("accessConfig.authenticationMode")
    creator_is_admin: bool = at("accessConfig.bootstrapClusterCreatorAdminPermissions")
    oidc_issuer: str = at("identity.oidc.issuer")
    encrypted_resources: list[str] = at(
        "encryptionConfig[].resources", then=sorted, doc="What its own key encrypts: secrets"
    )
    deletion_protection: bool = at("deletionProtection")
    service_ipv4_cidr: str = at("kubernetesNetworkConfig.serviceIpv4Cidr")
    certificate_authority_data_present: bool = at(has_authority)
    certificate_authority_parse_status: str = at(parse_status)
    certificate_authority_parse_error: str = at(parse_error)
    certificate_authority_sha256_fingerprint: str = at(_said("fingerprint"), index=True)
    certificate_authority_subject: str = at(_said("subject"))
    certificate_authority_issuer: str = at(_said("issuer"))
    certificate_authority_not_before: datetime = at(_said("not_before"))
    certificate_authority_not_after: datetime = at(_said("not_after"))
    certificate_authority_subject_key_identifier: str = at(_said("subject_key"))
    certificate_authority_authority_key_identifier: str = at(_said("authority_key"))

    role: AWSRole = to("HAS_ROLE", "roleArn")
    vpc: AWSVpc = to("MEMBER_OF_AWS_VPC", "resourcesVpcConfig.vpcId")
    subnets: list[EC2Subnet] = to("PART_OF_SUBNET", "resourcesVpcConfig.subnetIds")
    groups: list[EC2SecurityGroup] = to("MEMBER_OF_EC2_SECURITY_GROUP", groups)
    keys: list[KMSKey] = to("ENCRYPTED_BY", "encryptionConfig[].provider.keyArn", on="arn")
    logs: CloudWatchLogGroup = to("LOGS_TO", log_group)
    provider: AWSOIDCProvider = to("ASSOCIATED_WITH", oidc_provider)
    tagged: list[AWSTag] = tagged("tags")


class EC2InstanceOfEks(Resource, extends=EC2Instance):
    """A machine of a cluster, as its tags tell: what runs there shares its role, unless it is kept from it."""

    source = INSTANCES.each(lambda instance: [{"cluster": name}] if (name := eks_cluster(instance)) else [])

    id: str = at("^InstanceId")

    cluster: EKSCluster = to("MEMBER_OF_EKS_CLUSTER", arn("eks", "cluster/{cluster}"))


def lets_entries(cluster: Record) -> bool:
    """Whether the cluster has access entries; else only a ConfigMap in it says who is let in."""
    return (cluster["accessConfig"] or {}).get("authenticationMode") in {"API", "API_AND_CONFIG_MAP"}


ENTRIES = detail("eks", "ListAccessEntries", "accessEntries[]", on=CLUSTERS, when=lets_entries, clusterName="name")
ENTRY = detail("eks", "DescribeAccessEntry", "accessEntry", on=ENTRIES, clusterName="^name", principalArn="@")
POLICIES = detail(
    "eks", "ListAssociatedAccessPolicies", on=ENTRY, clusterName="clusterName", principalArn="principalArn"
)


def _principal(kind: str) -> Callable[[Record], str | None]:
    """The function that reads the entry's principal where it is of this kind."""

    def read(entry: Record) -> str | None:
        principal = entry["principalArn"] or ""
        return principal if f":{kind}/" in principal else None

    read.__doc__ = f"The principal, where it is a {kind}."
    return read


class EKSAccessEntry(Resource):
    """A principal of AWS that a cluster lets in, and what as: its groups and policies there."""

    also = ("AWSEKSAccessEntry",)
    source = ENTRY

    id: str = at("{^^arn}/access-entry/{principalArn}")
    arn: str = at("accessEntryArn", index=True)
    cluster_name: str = at("clusterName")
    principal_arn: str = at("principalArn", index=True)
    username: str = at("username")
    type: str = at("type")
    kubernetes_groups: list[str] = at("kubernetesGroups")
    created_at: datetime = at("createdAt")
    modified_at: datetime = at("modifiedAt")
    access_policies: list[str] = at(
        "associatedAccessPolicies[].policyArn", of=POLICIES, doc="AmazonEKSClusterAdminPolicy: it may do anything"
    )
    access_scopes: list[str] = at(
        "associatedAccessPolicies[].accessScope.type", of=POLICIES, doc="cluster or namespace, of each policy"
    )

    cluster: EKSCluster = by("HAS_ACCESS_ENTRY", "^^arn")
    role: AWSRole = by("GRANTED_ACCESS_TO", _principal("role"), on="arn")
    user: AWSUser = by("GRANTED_ACCESS_TO", _principal("user"), on="arn")
    tagged: list[AWSTag] = tagged("tags")
