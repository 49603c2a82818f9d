"""API Gateway: REST APIs, what they answer to, whom they ask first, and what stands behind them.

Values of stage variables, and what integrations put into requests, are never kept: secrets live there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from skysweep.aws._common import function_arn
from skysweep.aws.acm import ACMCertificate
from skysweep.aws.apigatewayv2 import APIGatewayV2API
from skysweep.aws.iam import AWSRole
from skysweep.aws.lambda_ import AWSLambda
from skysweep.aws.logs import CloudWatchLogGroup
from skysweep.aws.resourcepolicies import PolicyStatement, statements_of
from skysweep.aws.routes import AWSVpcEndpoint
from skysweep.aws.tags import AWSTag, tagged
from skysweep.aws.wafv2 import AWSWAFRegionalACL
from skysweep.model import Link, Record, Resource, about, arn, at, by, call, detail, to
from skysweep.paths import reader

APIS = call("apigateway", "GetRestApis", "items[]")
STAGES = detail("apigateway", "GetStages", "item[]", on=APIS, restApiId="id")
# One call tells an API's resources, their methods and what stands behind each; AWS allows five of them in two seconds.
RESOURCES = detail("apigateway", "GetResources", "items[]", on=APIS, restApiId="id", embed=["methods"])
_FUNCTION = re.compile(r"/functions/(arn:[^/$]+)/invocations\Z")


def _arn(resource: str) -> str:
    return arn("apigateway", f"/{resource}", account="")


def unescaped(policy: str) -> str:
    """A policy as JSON: AWS sends the inside of a JSON text, with a backslash before each quote."""
    return str(json.loads(f'"{policy}"')) if policy.lstrip("{ ").startswith("\\") else policy


def reachable(api: Record) -> bool | None:
    """Whether the internet can reach it: all but PRIVATE ones, whatever their policy says of who may call."""
    kinds = (api["endpointConfiguration"] or {}).get("types")
    return "PRIVATE" not in kinds if kinds else None


class APIGatewayRestAPI(Resource):
    """A REST API: where it can be reached from, and whom its policy lets in."""

    also = ("AWSAPIGatewayRestAPI",)
    source = APIS

    id: str = at("id")
    arn: str = at(_arn("restapis/{id}"), index=True)
    name: str = at("name", index=True)
    description: str = at("description")
    createddate: str = at("createdDate", then=str)
    version: str = at("version")
    minimumcompressionsize: int = at("minimumCompressionSize")
    disableexecuteapiendpoint: bool = at("disableExecuteApiEndpoint", doc="Whether only its own domains reach it")
    endpoint_type: str = at("endpointConfiguration.types[0]", doc="EDGE, REGIONAL, or PRIVATE: from VPCs alone")
    exposed_internet: bool = at(reachable)
    vpc_endpoint_ids: list[str] = at("endpointConfiguration.vpcEndpointIds")
    api_key_source: str = at("apiKeySource")
    policy: str = at("policy", then=unescaped, doc="Who may call it, as JSON; null: whoever its methods let in")

    endpoints: list[AWSVpcEndpoint] = to("USES_VPC_ENDPOINT", "endpointConfiguration.vpcEndpointIds")
    tagged: list[AWSTag] = tagged("tags")


def plain_policy(api: Record) -> str | None:
    """The API's policy as JSON."""
    return unescaped(api["policy"]) if api["policy"] else None


class APIGatewayPolicyStatement(PolicyStatement):
    """One statement of a REST API's policy: who may call it, or from where."""

    source = APIS.each(statements_of(plain_policy, _arn("restapis/{id}")))

    api: APIGatewayRestAPI = by("POLICY_STATEMENT", "^id")


class APIGatewayDeployment(Resource):
    """An API as it was at a time: stages serve one of these, not what the API says now."""

    also = ("AWSAPIGatewayDeployment",)
    source = detail("apigateway", "GetDeployments", "items[]", on=APIS, restApiId="id")

    id: str = at("{^id}/{id}")
    arn: str = at(_arn("restapis/{^id}/deployments/{id}"))
    description: str = at("description")
    createddate: str = at("createdDate", then=str)

    api: APIGatewayRestAPI = by("HAS_DEPLOYMENT", "^id")


class APIGatewayClientCertificate(Resource):
    """What an API shows to the servers behind it, so that they answer nobody else."""

    also = ("AWSAPIGatewayClientCertificate",)
    # Only those that stages name: a listing in every region would find those that serve nothing as well.
    source = detail(
        "apigateway",
        "GetClientCertificate",
        on=STAGES,
        missing="NotFoundException",
        clientCertificateId="clientCertificateId",
    )

    id: str = at("clientCertificateId")
    arn: str = at(_arn("clientcertificates/{clientCertificateId}"))
    description: str = at("description")
    createddate: str = at("createdDate", then=str)
    expirationdate: str = at("expirationDate", then=str)

    tagged: list[AWSTag] = tagged("tags")


def _settings(stage: Record) -> Mapping[str, Any]:
    """The settings of all methods that have none of their own."""
    settings: Mapping[str, Mapping[str, Any]] = stage["methodSettings"] or {}
    return settings.get("*/*", {})


def logging_level(stage: Record) -> str | None:
    """What is logged of calls, unless a method says otherwise: OFF, ERROR or INFO."""
    return _settings(stage).get("loggingLevel")


def traces_data(stage: Record) -> bool:
    """Whether whole requests and answers of some method go to the log."""
    return any(each.get("dataTraceEnabled") for each in (stage["methodSettings"] or {}).values())


def cache_encrypted(stage: Record) -> bool | None:
    """Whether cached answers are encrypted, unless a method says otherwise."""
    return _settings(stage).get("cacheDataEncrypted")


class APIGatewayStage(Resource):
    """Where a deployment of an API is served: with its logs, its cache and its firewall."""

    also = ("AWSAPIGatewayStage",)
    source = STAGES

    id: str = at("arn:{partition}:apigateway:::{^id}/{stageName}", doc="Cartography's; `arn` is AWS's")
    arn: str = at(_arn("restapis/{^id}/stages/{stageName}"), index=True)
    stagename: str = at("stageName")
    description: str = at("description")
    createddate: str = at("createdDate", then=str)
    last_updated_date: datetime = at("lastUpdatedDate")
    deploymentid: str = at("deploymentId")
    clientcertificateid: str = at("clientCertificateId")
    cacheclusterenabled: bool = at("cacheClusterEnabled")
    cacheclusterstatus: str = at("cacheClusterStatus")
    cache_data_encrypted: bool = at(cache_encrypted)
    tracingenabled: bool = at("tracingEnabled")
    webaclarn: str = at("webAclArn")
    access_log_destination: str = at("accessLogSettings.destinationArn", doc="Null: nobody sees who called")
    logging_level: str = at(logging_level)
    data_trace_enabled: bool = at(traces_data)
    variable_names: list[str] = at("variables", then=sorted, doc="Names only: the values hold secrets too often")

    api: APIGatewayRestAPI = by("ASSOCIATED_WITH", "^id")
    certificate: APIGatewayClientCertificate = to("HAS_CERTIFICATE", "clientCertificateId")
    web_acl: AWSWAFRegionalACL = by("PROTECTS", "webAclArn")
    logs: CloudWatchLogGroup = about("LOGS_TO", "accessLogSettings.destinationArn")
    tagged: list[AWSTag] = tagged("tags")


class APIGatewayResource(Resource):
    """A path of an API."""

    also = ("AWSAPIGatewayResource",)
    source = RESOURCES

    id: str = at("id")
    arn: str = at(_arn("restapis/{^id}/resources/{id}"))
    path: str = at("path")
    pathpart: str = at("pathPart")
    parentid: str = at("parentId")
    api_id: str = at("^id")

    api: APIGatewayRestAPI = by("RESOURCE", "^id")


def methods(resource: Record) -> Iterator[dict[str, Any]]:
    """The methods of a path, each with its verb; `ANY` stands for all that are not named."""
    for verb, method in (resource["resourceMethods"] or {}).items():
        yield {**method, "httpMethod": verb}


def integrations(resource: Record) -> Iterator[dict[str, Any]]:
    """What stands behind each method that has something behind it, with the method's verb."""
    for verb, method in (resource["resourceMethods"] or {}).items():
        if method.get("methodIntegration"):
            yield {**method["methodIntegration"], "verb": verb}


def function_of(uri: str | None) -> str | None:
    """The Lambda function that a URI invokes, whatever its version; one named by a stage variable cannot be known."""
    match = _FUNCTION.search(uri or "")
    return function_arn(match[1]) if match else None


def authorizing(authorizer: Record) -> str | None:
    """The function that decides who may call."""
    return function_of(authorizer["authorizerUri"])


AUTHORIZERS = detail("apigateway", "GetAuthorizers", "items[]", on=APIS, restApiId="id")


class AWSAPIGatewayAuthorizer(Resource):
    """Whom an API asks who is calling: a function of one's own, or user pools."""

    source = AUTHORIZERS

    id: str = at("{^id}/{id}")
    arn: str = at(_arn("restapis/{^id}/authorizers/{id}"), index=True)
    authorizer_id: str = at("id")
    name: str = at("name")
    type: str = at("type", doc="TOKEN, REQUEST or COGNITO_USER_POOLS")
    auth_type: str = at("authType")
    uri: str = at("authorizerUri")
    credentials: str = at("authorizerCredentials")
    identity_source: str = at("identitySource")
    result_ttl_seconds: int = at("authorizerResultTtlInSeconds", doc="How long an answer is believed")
    provider_arns: list[str] = at("providerARNs")
    api_id: str = at("^id")

    api: APIGatewayRestAPI = by("HAS_AUTHORIZER", "^id")
    function: AWSLambda = to("TRIGGERS", authorizing)
    role: AWSRole = to("ASSUMES", "authorizerCredentials")


class APIGatewayMethod(Resource):
    """A verb on a path: whom it asks before it answers; NONE and no key is everybody whom the policy lets in."""

    also = ("AWSAPIGatewayMethod",)
    source = RESOURCES.each(methods)

    id: str = at("{^^id}/{^id}/{httpMethod}")
    httpmethod: str = at("httpMethod")
    resource_id: str = at("^id")
    api_id: str = at("^^id")
    authorization_type: str = at("authorizationType", doc="NONE, AWS_IAM, CUSTOM or COGNITO_USER_POOLS")
    authorizer_id: str = at("authorizerId")
    authorization_scopes: list[str] = at("authorizationScopes")
    request_validator_id: str = at("requestValidatorId")
    operation_name: str = at("operationName")
    api_key_required: bool = at("apiKeyRequired")

    resource: APIGatewayResource = by("HAS_METHOD", "^id")
    authorizer: AWSAPIGatewayAuthorizer = to("AUTHORIZED_BY", "{^^id}/{authorizerId}")


def triggered(integration: Record) -> list[Link]:
    """The function behind a method, from the API."""
    behind = function_of(integration["uri"])
    return [Link(behind, start=reader("^^id")(integration))] if behind else []


def role(integration: Record) -> str | None:
    """The role that the API takes to call what is behind it; `*` stands for the caller's own."""
    credentials = integration["credentials"]
    return credentials if credentials and ":role/" in credentials else None


class APIGatewayIntegration(Resource):
    """What stands behind a method: a function, a server, or AWS itself, called with a role."""

    also = ("AWSAPIGatewayIntegration",)
    source = RESOURCES.each(integrations)

    id: str = at("{^^id}/{^id}/{verb}")
    httpmethod: str = at("verb", doc="The method's verb")
    integration_http_method: str = at("httpMethod", doc="The verb that goes to what is behind it")
    resource_id: str = at("^id")
    api_id: str = at("^^id")
    type: str = at("type", doc="AWS, AWS_PROXY, HTTP, HTTP_PROXY or MOCK")
    uri: str = at("uri", index=True)
    connection_type: str = at("connectionType")
    connection_id: str = at("connectionId")
    credentials: str = at("credentials")
    tls_insecure_skip_verification: bool = at("tlsConfig.insecureSkipVerification")

    resource: APIGatewayResource = by("HAS_INTEGRATION", "^id")
    functions: list[AWSLambda] = to("TRIGGERS", triggered, start=APIGatewayRestAPI)
    role: AWSRole = to("ASSUMES", role)


DOMAINS = call("apigateway", "GetDomainNames", "items[]")


def is_public(domain: Record) -> bool:
    """Whether it is no domain of VPCs alone: those have mappings of another kind."""
    return "PRIVATE" not in (domain["endpointConfiguration"] or {}).get("types", ())


MAPPINGS = detail("apigateway", "GetBasePathMappings", on=DOMAINS, when=is_public, domainName="domainName")


def is_regional(domain: Record) -> bool:
    """Whether HTTP and WebSocket APIs may stand behind it: they do behind no other."""
    return "REGIONAL" in (domain["endpointConfiguration"] or {}).get("types", ())


V2_MAPPINGS = detail(
    "apigatewayv2",
    "GetApiMappings",
    on=DOMAINS,
    when=is_regional,
    missing="NotFoundException",
    DomainName="domainName",
)


def domain_arn(domain: Record) -> str:
    """The ARN: AWS returns those of private domains, which may share a name."""
    here = domain.context
    return str(
        domain["domainNameArn"] or f"arn:{here.partition}:apigateway:{here.region}::/domainnames/{domain['domainName']}"
    )


def host(domain: Record) -> str | None:
    """The name of AWS's own that its DNS record points to."""
    name = domain["regionalDomainName"] or domain["distributionDomainName"]
    return name.lower() if name else None


def certificates(domain: Record) -> list[str]:
    """Its certificate: of the region, or of the distribution before an edge API."""
    return [each for each in (domain["regionalCertificateArn"], domain["certificateArn"]) if each]


def _mapped(mappings: Iterable[tuple[str, str, str]]) -> list[Link]:
    """The APIs of these mappings (API, path, stage), each once, with the paths that lead there and the stages."""
    found: dict[str, dict[str, list[str]]] = {}
    for api, path, stage in mappings:
        about = found.setdefault(api, {"base_paths": [], "stages": []})
        about["base_paths"].append(path)
        about["stages"].append(stage)
    return [Link(api, about) for api, about in found.items()]


def mapped(domain: Record) -> list[Link]:
    """The REST APIs that it leads to."""
    items = domain.reply(MAPPINGS).get("items") or ()
    return _mapped((each["restApiId"], each["basePath"], each.get("stage") or "") for each in items)


def mapped_v2(domain: Record) -> list[Link]:
    """The HTTP and WebSocket APIs that it leads to; REST APIs are told here as well, and are none of these."""
    items = domain.reply(V2_MAPPINGS).get("Items") or ()
    return _mapped((each["ApiId"], each.get("ApiMappingKey") or "(none)", each["Stage"]) for each in items)


class AWSAPIGatewayDomainName(Resource):
    """A name of one's own before APIs, with its certificate and the TLS that it accepts."""

    source = DOMAINS

    id: str = at(domain_arn)
    arn: str = at(domain_arn, index=True)
    name: str = at("domainName", index=True)
    host: str = at(host, index=True, doc="What its DNS record points to")
    endpoint_type: str = at("endpointConfiguration.types[0]")
    status: str = at("domainNameStatus")
    security_policy: str = at("securityPolicy", doc="The lowest TLS that it accepts")
    mutual_tls_truststore: str = at("mutualTlsAuthentication.truststoreUri", doc="Null: no client certificate is asked")
    policy: str = at("policy", then=unescaped)

    certificates: list[ACMCertificate] = to("USES_CERTIFICATE", certificates)
    apis: list[APIGatewayRestAPI] = to("MAPS_TO", mapped, of=MAPPINGS)
    v2_apis: list[APIGatewayV2API] = to("MAPS_TO", mapped_v2, of=V2_MAPPINGS)
    tagged: list[AWSTag] = tagged("tags")
