"""What the world sees first: certificates, APIs, distributions, firewalls, domains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wide.ground import REGION, TAG_LIST, TAGS

if TYPE_CHECKING:
    from wide.ground import Ground

CONTACT = {
    "FirstName": "Mia",
    "LastName": "Example",
    "ContactType": "PERSON",
    "AddressLine1": "1 Example Street",
    "City": "Zurich",
    "CountryCode": "CH",
    "ZipCode": "8001",
    "PhoneNumber": "+41.441234567",
    "Email": "mia@example.com",
}


def build_certificate(ground: Ground) -> str:
    """A certificate for the APIs' own domain; its ARN."""
    made = ground.client("acm").request_certificate(DomainName="api.example.com", ValidationMethod="DNS", Tags=TAG_LIST)
    return ground.node("ACMCertificate", made["CertificateArn"])


def build_apis(ground: Ground, certificate: str) -> None:
    """A REST API before a function, asking another who calls, with a stage and a domain; and an HTTP API."""
    api = ground.client("apigateway")
    made = api.create_rest_api(name="wide", endpointConfiguration={"types": ["REGIONAL"]}, tags=TAGS)["id"]
    ground.node("APIGatewayRestAPI", made)
    policy = ground.policy(
        "APIGatewayPolicyStatement",
        f"arn:aws:apigateway:{REGION}::/restapis/{made}",
        {"AWS": "*"},
        "execute-api:Invoke",
    )
    api.update_rest_api(restApiId=made, patchOperations=[{"op": "replace", "path": "/policy", "value": policy}])
    invoke = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{ground.function}/invocations"
    root = api.get_resources(restApiId=made)["items"][0]["id"]
    orders = api.create_resource(restApiId=made, parentId=root, pathPart="orders")["id"]
    for resource in (root, orders):
        ground.node("APIGatewayResource", resource)
        ground.edge(made, "RESOURCE", resource)
    authorizer = api.create_authorizer(
        restApiId=made,
        name="who",
        type="TOKEN",
        authorizerUri=invoke,
        authorizerCredentials=ground.role,
        identitySource="method.request.header.Authorization",
    )["id"]
    asks = ground.node("AWSAPIGatewayAuthorizer", f"{made}/{authorizer}", ("TRIGGERS", ground.function))
    api.put_method(
        restApiId=made, resourceId=orders, httpMethod="GET", authorizationType="CUSTOM", authorizerId=authorizer
    )
    method = ground.node("APIGatewayMethod", f"{made}/{orders}/GET", ("AUTHORIZED_BY", asks))
    ground.edge(orders, "HAS_METHOD", method)
    api.put_integration(
        restApiId=made, resourceId=orders, httpMethod="GET", type="AWS_PROXY", integrationHttpMethod="POST", uri=invoke
    )
    integration = ground.node("APIGatewayIntegration", f"{made}/{orders}/GET")
    ground.edge(orders, "HAS_INTEGRATION", integration)
    ground.edge(made, "TRIGGERS", ground.function)
    deployment = api.create_deployment(restApiId=made)["id"]
    ground.edge(made, "HAS_DEPLOYMENT", ground.node("APIGatewayDeployment", f"{made}/{deployment}"))
    api.create_stage(restApiId=made, stageName="live", deploymentId=deployment, variables={"a": "b"}, tags=TAGS)
    ground.edge(made, "ASSOCIATED_WITH", ground.node("APIGatewayStage", f"arn:aws:apigateway:::{made}/live"))
    api.create_domain_name(
        domainName="api.example.com",
        regionalCertificateArn=certificate,
        endpointConfiguration={"types": ["REGIONAL"]},
        securityPolicy="TLS_1_2",
    )
    api.create_base_path_mapping(domainName="api.example.com", restApiId=made, basePath="v1", stage="live")
    domain = f"arn:aws:apigateway:{REGION}::/domainnames/api.example.com"
    ground.node("AWSAPIGatewayDomainName", domain, ("MAPS_TO", made), ("USES_CERTIFICATE", certificate))
    http = ground.client("apigatewayv2").create_api(Name="wide-http", ProtocolType="HTTP", Tags=TAGS)["ApiId"]
    ground.node("APIGatewayV2API", http)


def build_distribution(ground: Ground, firewall: str) -> None:
    """A distribution of the bucket, behind a firewall."""
    distribution = ground.client("cloudfront").create_distribution(
        DistributionConfig={
            "CallerReference": "wide",
            "Comment": "wide",
            "Enabled": True,
            "Aliases": {"Quantity": 1, "Items": ["www.example.com"]},
            "DefaultRootObject": "index.html",
            "WebACLId": firewall,
            "Origins": {
                "Quantity": 1,
                "Items": [
                    {
                        "Id": "bucket",
                        "DomainName": f"{ground.bucket}.s3.amazonaws.com",
                        "S3OriginConfig": {"OriginAccessIdentity": ""},
                    }
                ],
            },
            "DefaultCacheBehavior": {
                "TargetOriginId": "bucket",
                "ViewerProtocolPolicy": "redirect-to-https",
                "MinTTL": 0,
                "ForwardedValues": {"QueryString": False, "Cookies": {"Forward": "none"}},
            },
        }
    )["Distribution"]["ARN"]
    ground.node("CloudFrontDistribution", distribution, ("SERVES_FROM", ground.bucket))
    ground.edge(firewall, "PROTECTS", distribution)


def build_firewalls(ground: Ground) -> str:
    """A web ACL of either scope, one with its log; gives the ARN of the one for distributions."""
    waf = ground.client("wafv2")
    visibility = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "wide"}
    common: dict[str, Any] = {
        "Name": "AWSManagedRulesCommonRuleSet",
        "Priority": 0,
        "Statement": {"ManagedRuleGroupStatement": {"VendorName": "AWS", "Name": "AWSManagedRulesCommonRuleSet"}},
        "OverrideAction": {"None": {}},
        "VisibilityConfig": visibility,
    }
    arns = {
        scope: waf.create_web_acl(
            Name="wide",
            Scope=scope,
            DefaultAction={"Allow": {}},
            Rules=[common],
            VisibilityConfig=visibility,
            Tags=TAG_LIST,
        )["Summary"]["ARN"]
        for scope in ("REGIONAL", "CLOUDFRONT")
    }
    ground.client("logs").create_log_group(logGroupName="aws-waf-logs-wide")
    group = ground.node("CloudWatchLogGroup", ground.arn("logs", "log-group:aws-waf-logs-wide"))
    configuration = {"ResourceArn": arns["REGIONAL"], "LogDestinationConfigs": [group]}
    waf.put_logging_configuration(LoggingConfiguration=configuration)
    ground.node("AWSWAFRegionalACL", arns["REGIONAL"], ("LOGS_TO", group))
    return ground.node("AWSWAFCloudFrontACL", arns["CLOUDFRONT"])


def build_domain(ground: Ground) -> None:
    """A registered domain; Route 53 makes a zone for it."""
    ground.client("route53domains").register_domain(
        DomainName="wide-example.com",
        DurationInYears=2,
        AutoRenew=True,
        AdminContact=CONTACT,
        RegistrantContact=CONTACT,
        TechContact=CONTACT,
    )
    ground.node("DNSHost", "example.ghost.io")  # the demo's blog
    ground.node("AWSRoute53Domain", "wide-example.com")
