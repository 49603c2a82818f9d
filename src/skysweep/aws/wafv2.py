"""WAF: web ACLs, what they let through, whether anybody looks at what they saw, and what they protect.

A web ACL of distributions lives in us-east-1 whatever the account's regions, one of anything else in its region: two
types, which are both AWSWAFWebACL. What a rule looks for is never kept: shared secrets in headers are what many match.
"""

from __future__ import annotations

from skysweep.aws._common import always
from skysweep.aws.elbv2 import LoadBalancerV2
from skysweep.aws.logs import CloudWatchLogGroup
from skysweep.aws.s3 import S3Bucket
from skysweep.aws.tags import AWSTag, tagged_by_arn
from skysweep.model import Function, Record, Resource, Source, about, at, call, detail, to


def _acls(acls: Source, scope: str) -> Source:
    return detail("wafv2", "GetWebACL", "WebACL", on=acls, Name="Name", Id="Id", Scope=always(scope))


def _logging(acls: Source) -> Source:
    missing = "WAFNonexistentItemException"
    return detail("wafv2", "GetLoggingConfiguration", on=acls, missing=missing, ResourceArn="ARN")


REGIONAL_NAMES = call("wafv2", "ListWebACLs", "WebACLs[]", Scope="REGIONAL")
REGIONAL = _acls(REGIONAL_NAMES, "REGIONAL")
REGIONAL_LOGGING = _logging(REGIONAL)
# Asked without a kind AWS tells load balancers alone. It allows one such call a second: API stages and distributions
# say themselves which web ACL they have.
BALANCERS = detail("wafv2", "ListResourcesForWebACL", on=REGIONAL, WebACLArn="ARN")
# A partition whose CloudFront has no WAF calls this scope an invalid parameter.
CLOUDFRONT_NAMES = call(
    "wafv2", "ListWebACLs", "WebACLs[]", per="account", missing="WAFInvalidParameterException", Scope="CLOUDFRONT"
)
CLOUDFRONT = _acls(CLOUDFRONT_NAMES, "CLOUDFRONT")
CLOUDFRONT_LOGGING = _logging(CLOUDFRONT)


def default_action(acl: Record) -> str | None:
    """What becomes of a request that no rule takes: Allow or Block."""
    return next(iter(acl["DefaultAction"] or {}), None)


def rule_names(acl: Record) -> list[str]:
    """The rules in the order in which they are tried."""
    return [rule["Name"] for rule in sorted(acl["Rules"] or (), key=lambda rule: rule["Priority"])]


def managed_rule_groups(acl: Record) -> list[str]:
    """The rule groups that a vendor keeps, as ``vendor/name``."""
    groups = [rule["Statement"].get("ManagedRuleGroupStatement") for rule in acl["Rules"] or ()]
    return [f"{group['VendorName']}/{group['Name']}" for group in groups if group]


def rule_groups(acl: Record) -> list[str]:
    """The ARNs of one's own rule groups."""
    groups = [rule["Statement"].get("RuleGroupReferenceStatement") for rule in acl["Rules"] or ()]
    return [group["ARN"] for group in groups if group]


def firewall_manager_groups(acl: Record) -> list[str]:
    """The rule groups that Firewall Manager puts before and behind the rules, which no rule of the list tells."""
    kinds = ("PreProcessFirewallManagerRuleGroups", "PostProcessFirewallManagerRuleGroups")
    return [group["Name"] for kind in kinds for group in acl[kind] or ()]


def counting_rules(acl: Record) -> list[str]:
    """The rules that only count what they find, and stop nothing."""
    actions = [(rule["Name"], rule.get("Action") or rule.get("OverrideAction") or {}) for rule in acl["Rules"] or ()]
    return [name for name, action in actions if "Count" in action]


def _destinations(logging: Source) -> Function:
    def destinations(acl: Record) -> list[str]:
        configuration = acl.reply(logging).get("LoggingConfiguration") or {}
        return list(configuration.get("LogDestinationConfigs") or ())

    return destinations


class _WebACL(Resource):
    """What web ACLs of both scopes tell of themselves."""

    also = ("AWSWAFWebACL",)

    id: str = at("ARN")
    arn: str = at("ARN", index=True)
    name: str = at("Name", index=True)
    web_acl_id: str = at("Id")
    description: str = at("Description")
    default_action: str = at(default_action)
    rule_names: list[str] = at(rule_names)
    managed_rule_groups: list[str] = at(managed_rule_groups)
    rule_groups: list[str] = at(rule_groups)
    firewall_manager_rule_groups: list[str] = at(firewall_manager_groups)
    counting_rules: list[str] = at(counting_rules)
    capacity: int = at("Capacity")
    managed_by_firewall_manager: bool = at("ManagedByFirewallManager")
    sampled_requests_enabled: bool = at("VisibilityConfig.SampledRequestsEnabled")
    cloudwatch_metrics_enabled: bool = at("VisibilityConfig.CloudWatchMetricsEnabled")
    token_domains: list[str] = at("TokenDomains")


class AWSWAFRegionalACL(_WebACL):
    """The firewall in front of a region's load balancers and APIs: an empty one that allows by default is none."""

    source = REGIONAL

    scope: str = at(always("REGIONAL"))
    log_destinations: list[str] = at("LoggingConfiguration.LogDestinationConfigs", of=REGIONAL_LOGGING)
    logging_filter_default: str = at("LoggingConfiguration.LoggingFilter.DefaultBehavior", of=REGIONAL_LOGGING)
    resource_arns: list[str] = at("ResourceArns", of=BALANCERS, doc="The load balancers that it stands before")

    balancers: list[LoadBalancerV2] = to("PROTECTS", "ResourceArns", of=BALANCERS, on="arn")
    logs: list[CloudWatchLogGroup | S3Bucket] = about("LOGS_TO", _destinations(REGIONAL_LOGGING), of=REGIONAL_LOGGING)
    tagged: list[AWSTag] = tagged_by_arn(REGIONAL_NAMES, "ARN")


class AWSWAFCloudFrontACL(_WebACL):
    """The firewall in front of distributions: an empty one that allows by default is none."""

    source = CLOUDFRONT

    scope: str = at(always("CLOUDFRONT"))
    log_destinations: list[str] = at("LoggingConfiguration.LogDestinationConfigs", of=CLOUDFRONT_LOGGING)
    logging_filter_default: str = at("LoggingConfiguration.LoggingFilter.DefaultBehavior", of=CLOUDFRONT_LOGGING)

    logs: list[CloudWatchLogGroup | S3Bucket] = about(
        "LOGS_TO", _destinations(CLOUDFRONT_LOGGING), of=CLOUDFRONT_LOGGING
    )
    tagged: list[AWSTag] = tagged_by_arn(CLOUDFRONT_NAMES, "ARN")
