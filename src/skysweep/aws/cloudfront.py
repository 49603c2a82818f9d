"""CloudFront: what AWS serves to the world from its edge, and where it gets it from.

Values of the headers that a distribution adds for an origin are never kept: they are what keeps others from it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from skysweep.aws._common import function_arn
from skysweep.aws.acm import ACMCertificate
from skysweep.aws.apigateway import APIGatewayRestAPI, AWSAPIGatewayDomainName
from skysweep.aws.apigatewayv2 import APIGatewayV2API
from skysweep.aws.ec2 import EC2Instance
from skysweep.aws.elb import AWSLoadBalancer
from skysweep.aws.elbv2 import LoadBalancerV2
from skysweep.aws.lambda_ import AWSLambda, AWSLambdaFunctionVersion
from skysweep.aws.s3 import S3Bucket
from skysweep.aws.tags import AWSTag, tagged_by_arn
from skysweep.aws.wafv2 import AWSWAFCloudFrontACL
from skysweep.model import Link, Record, Resource, at, by, call, detail, to

DISTRIBUTIONS = call("cloudfront", "ListDistributions", "DistributionList.Items[]", per="account")
# The listing tells all but where the logs go and what the bare address serves.
CONFIG = detail("cloudfront", "GetDistributionConfig", on=DISTRIBUTIONS, Id="Id")

_BUCKET = re.compile(r"(.+)\.s3(?:-website|-accelerate)?(?:[.-](?:dualstack\.)?[a-z0-9-]+)?\.amazonaws\.com(?:\.cn)?")
_API = re.compile(r"([a-z0-9]+)\.execute-api\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?")


def origins(distribution: Record) -> list[dict[str, Any]]:
    """Where the distribution gets what it serves."""
    return (distribution["Origins"] or {}).get("Items") or []


def bucket(host: str) -> str | None:
    """The bucket that a host is."""
    match = _BUCKET.fullmatch(host)
    return match[1] if match else None


def api(host: str) -> str | None:
    """The id of the API that a host is."""
    match = _API.fullmatch(host)
    return match[1] if match else None


def balancer(host: str) -> str | None:
    """The load balancer that a host is, by its name; an alias may put a prefix before it."""
    return host.removeprefix("dualstack.") if ".elb." in host else None


def _links(find: Callable[[str], str | None]) -> Callable[[Record], list[Link]]:
    """The origins of one kind as edges, with how they are reached; several with one key are one edge."""

    def links(distribution: Record) -> list[Link]:
        found = {}
        for origin in origins(distribution):
            key = find(origin["DomainName"].lower())
            if key:
                found[key] = Link(key, _reached(origin))
        return list(found.values())

    return links


def _reached(origin: dict[str, Any]) -> dict[str, Any]:
    custom = origin.get("CustomOriginConfig") or {}
    return {
        "origin_id": origin["Id"],
        "origin_path": origin.get("OriginPath") or None,
        "origin_protocol_policy": custom.get("OriginProtocolPolicy"),
        "origin_access_control_id": origin.get("OriginAccessControlId") or None,
        "origin_access_identity": (origin.get("S3OriginConfig") or {}).get("OriginAccessIdentity") or None,
    }


def behaviors(distribution: Record) -> Iterator[dict[str, Any]]:
    """What it does with requests: the default, and that of particular paths."""
    if distribution["DefaultCacheBehavior"]:
        yield distribution["DefaultCacheBehavior"]
    yield from (distribution["CacheBehaviors"] or {}).get("Items") or ()


def versions(distribution: Record) -> list[str]:
    """The versions of functions that run at the edge."""
    found = [(each.get("LambdaFunctionAssociations") or {}).get("Items") or () for each in behaviors(distribution)]
    return list(dict.fromkeys(each["LambdaFunctionARN"] for items in found for each in items))


def functions(distribution: Record) -> list[str]:
    """The functions that run at the edge, whatever their version."""
    return list(dict.fromkeys(map(function_arn, versions(distribution))))


def edge_functions(distribution: Record) -> list[str]:
    """The CloudFront Functions that run at the edge."""
    found = [(each.get("FunctionAssociations") or {}).get("Items") or () for each in behaviors(distribution)]
    return list(dict.fromkeys(each["FunctionARN"] for items in found for each in items))


def viewer_protocols(distribution: Record) -> list[str]:
    """What any of its paths accepts from viewers: allow-all lets them come without TLS."""
    return sorted({each["ViewerProtocolPolicy"] for each in behaviors(distribution)})


def hosts(distribution: Record) -> list[str]:
    """The hosts of its origins."""
    return list(dict.fromkeys(origin["DomainName"] for origin in origins(distribution)))


def plain_origins(distribution: Record) -> list[str]:
    """The hosts of origins that may be reached without TLS."""
    policies = [(each["DomainName"], each.get("CustomOriginConfig") or {}) for each in origins(distribution)]
    return [host for host, config in policies if config.get("OriginProtocolPolicy") in {"http-only", "match-viewer"}]


def open_buckets(distribution: Record) -> list[str]:
    """The hosts of buckets that it reads as anybody would: with no access control and no identity."""
    reached = [(each["DomainName"], "S3OriginConfig" in each, _reached(each)) for each in origins(distribution)]
    return [
        host
        for host, is_bucket, how in reached
        if is_bucket and not (how["origin_access_control_id"] or how["origin_access_identity"])
    ]


def header_names(distribution: Record) -> list[str]:
    """The names of the headers that it adds for its origins."""
    headers = [(each.get("CustomHeaders") or {}).get("Items") or () for each in origins(distribution)]
    return sorted({header["HeaderName"] for items in headers for header in items})


def logs(distribution: Record) -> str | None:
    """The bucket that its own log of requests goes to."""
    logging = distribution.reply(CONFIG).get("DistributionConfig", {}).get("Logging") or {}
    return bucket(logging["Bucket"]) if logging.get("Bucket") else None


class CloudFrontDistribution(Resource):
    """A distribution: a door to the internet before buckets, load balancers and APIs; what is behind it is public."""

    also = ("AWSCloudFrontDistribution",)
    source = DISTRIBUTIONS

    id: str = at("ARN")
    arn: str = at("ARN", index=True)
    distribution_id: str = at("Id", index=True)
    etag: str = at("ETag")
    domain_name: str = at("DomainName", then=str.lower, index=True)
    aliases: list[str] = at("Aliases.Items")
    comment: str = at("Comment")
    status: str = at("Status")
    enabled: bool = at("Enabled")
    price_class: str = at("PriceClass")
    http_version: str = at("HttpVersion")
    is_ipv6_enabled: bool = at("IsIPV6Enabled")
    staging: bool = at("Staging")
    last_modified_time: datetime = at("LastModifiedTime")
    viewer_protocol_policy: str = at("DefaultCacheBehavior.ViewerProtocolPolicy", doc="Of paths without their own")
    viewer_protocol_policies: list[str] = at(viewer_protocols)
    acm_certificate_arn: str = at("ViewerCertificate.ACMCertificateArn")
    cloudfront_default_certificate: bool = at("ViewerCertificate.CloudFrontDefaultCertificate")
    minimum_protocol_version: str = at("ViewerCertificate.MinimumProtocolVersion")
    ssl_support_method: str = at("ViewerCertificate.SSLSupportMethod")
    iam_certificate_id: str = at("ViewerCertificate.IAMCertificateId")
    geo_restriction_type: str = at("Restrictions.GeoRestriction.RestrictionType")
    geo_restriction_locations: list[str] = at("Restrictions.GeoRestriction.Items")
    web_acl_id: str = at("WebACLId", doc="An ARN, or the bare id of a WAF Classic one; empty: none")
    origin_hosts: list[str] = at(hosts)
    plain_origin_hosts: list[str] = at(plain_origins)
    open_bucket_hosts: list[str] = at(open_buckets)
    origin_header_names: list[str] = at(header_names, doc="Names only: their values are secrets of the origin")
    trusted_key_groups: list[str] = at("DefaultCacheBehavior.TrustedKeyGroups.Items", doc="Who may sign its addresses")
    field_level_encryption_id: str = at("DefaultCacheBehavior.FieldLevelEncryptionId")
    realtime_log_config_arn: str = at("DefaultCacheBehavior.RealtimeLogConfigArn")
    logging_enabled: bool = at(
        "DistributionConfig.Logging.Enabled", of=CONFIG, doc="Of the standard log; what CloudWatch delivers is not told"
    )
    logging_include_cookies: bool = at("DistributionConfig.Logging.IncludeCookies", of=CONFIG)
    logging_bucket: str = at(logs, of=CONFIG)
    default_root_object: str = at("DistributionConfig.DefaultRootObject", of=CONFIG)
    function_arns: list[str] = at(edge_functions, doc="The CloudFront Functions that it runs")

    buckets: list[S3Bucket] = to("SERVES_FROM", _links(bucket))
    apis: list[APIGatewayRestAPI] = to("SERVES_FROM", _links(api))
    v2_apis: list[APIGatewayV2API] = to("SERVES_FROM", _links(api))
    api_domains: list[AWSAPIGatewayDomainName] = to("SERVES_FROM", _links(str), on="name")
    balancers: list[LoadBalancerV2] = to("SERVES_FROM", _links(balancer), on="dnsname")
    classic_balancers: list[AWSLoadBalancer] = to("SERVES_FROM", _links(balancer), on="dnsname")
    instances: list[EC2Instance] = to("SERVES_FROM", _links(str), on="publicdnsname")
    certificate: ACMCertificate = to("USES_CERTIFICATE", "ViewerCertificate.ACMCertificateArn")
    functions: list[AWSLambda] = to("USES_LAMBDA_EDGE", functions)
    versions: list[AWSLambdaFunctionVersion] = to("USES_LAMBDA_EDGE", versions)
    logs: S3Bucket = to("LOGS_TO", logs, of=CONFIG)
    web_acl: AWSWAFCloudFrontACL = by("PROTECTS", "WebACLId")
    tagged: list[AWSTag] = tagged_by_arn(DISTRIBUTIONS, "ARN")
