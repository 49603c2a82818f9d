"""ACM: the certificates that load balancers, distributions and APIs show to the world."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from skysweep.aws.elb import AWSLoadBalancer
from skysweep.aws.elbv2 import ELBV2Listener, LoadBalancerV2
from skysweep.aws.tags import AWSTag, tagged_by_arn
from skysweep.model import Function, Record, Resource, at, by, call, detail

# Unless every kind of key is asked for, AWS lists certificates of RSA_2048 alone.
KEY_TYPES = ["RSA_1024", "RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1", "EC_secp521r1"]
CERTIFICATES = call("acm", "ListCertificates", "CertificateSummaryList[]", Includes={"keyTypes": KEY_TYPES})
ABOUT = detail("acm", "DescribeCertificate", on=CERTIFICATES, CertificateArn="CertificateArn")


def users(kind: str) -> Function:
    """What uses the certificate, of one kind: `v2` load balancers, or `classic` ones, by their ARN."""

    def used(certificate: Record) -> list[str]:
        using = certificate.reply(ABOUT).get("Certificate", {}).get("InUseBy") or ()
        balancers = [arn for arn in using if ":elasticloadbalancing:" in arn and ":loadbalancer/" in arn]
        # A classic load balancer's name stands alone; a newer one's has its kind before it and its id behind.
        return [arn for arn in balancers if ("/" in arn.partition(":loadbalancer/")[2]) == (kind == "v2")]

    used.__doc__ = f"The {kind} load balancers that use it."
    return used


def _about(path: str) -> Any:
    return at(f"Certificate.{path}", of=ABOUT)


class ACMCertificate(Resource):
    """A certificate: what it vouches for, until when, how strong its key is, and what would break without it."""

    also = ("AWSACMCertificate", "Certificate")
    source = CERTIFICATES

    id: str = at("CertificateArn")
    arn: str = at("CertificateArn", index=True)
    domainname: str = at("DomainName", index=True)
    subject_alternative_names: list[str] = _about("SubjectAlternativeNames")
    type: str = at("Type")
    status: str = at("Status")
    failure_reason: str = _about("FailureReason")
    key_algorithm: str = at("KeyAlgorithm")
    signature_algorithm: str = _about("SignatureAlgorithm")
    serial: str = _about("Serial")
    issuer: str = _about("Issuer")
    certificate_authority_arn: str = _about("CertificateAuthorityArn")
    not_before: datetime = at("NotBefore")
    not_after: datetime = at("NotAfter")
    created_at: datetime = at("CreatedAt")
    issued_at: datetime = at("IssuedAt")
    imported_at: datetime = at("ImportedAt")
    revoked_at: datetime = at("RevokedAt")
    revocation_reason: str = _about("RevocationReason")
    renewal_eligibility: str = at("RenewalEligibility", doc="INELIGIBLE: AWS will not renew it, somebody has to")
    renewal_status: str = _about("RenewalSummary.RenewalStatus")
    renewal_status_reason: str = _about("RenewalSummary.RenewalStatusReason")
    validation_methods: list[str] = _about("DomainValidationOptions[].ValidationMethod")
    transparency_logging: str = _about("Options.CertificateTransparencyLoggingPreference")
    export: str = at("ExportOption", doc="ENABLED: its private key can leave ACM")
    exported: bool = at("Exported", doc="Whether its private key has left ACM")
    managed_by: str = at("ManagedBy")
    in_use: bool = at("InUse")
    in_use_by: list[str] = _about("InUseBy")

    balancers: list[LoadBalancerV2] = by("USES_CERTIFICATE", users("v2"), of=ABOUT, on="arn")
    classic_balancers: list[AWSLoadBalancer] = by("USES_CERTIFICATE", users("classic"), of=ABOUT, on="arn")
    tagged: list[AWSTag] = tagged_by_arn(CERTIFICATES, "CertificateArn")


class CertifiedListener(Resource, extends=ELBV2Listener):
    """A listener with the certificate that it shows to whoever names no host, or one it has no other for."""

    source = ELBV2Listener.source

    id: str = at("ListenerArn")

    certificates: list[ACMCertificate] = by("USED_BY", "Certificates[].CertificateArn")
