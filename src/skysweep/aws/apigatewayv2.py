"""API Gateway's second generation: HTTP and WebSocket APIs."""

from __future__ import annotations

from datetime import datetime

from skysweep.aws.tags import AWSTag, tagged
from skysweep.model import Resource, arn, at, call


class APIGatewayV2API(Resource):
    """An HTTP or WebSocket API: it has no policy, so who may call it is for its routes to say."""

    also = ("AWSAPIGatewayV2API",)
    source = call("apigatewayv2", "GetApis", "Items[]")

    id: str = at("ApiId")
    arn: str = at(arn("apigateway", "/apis/{ApiId}", account=""), index=True)
    name: str = at("Name", index=True)
    description: str = at("Description")
    protocoltype: str = at("ProtocolType", doc="HTTP or WEBSOCKET")
    apiendpoint: str = at("ApiEndpoint")
    disable_execute_api_endpoint: bool = at("DisableExecuteApiEndpoint", doc="Whether only its own domains reach it")
    routeselectionexpression: str = at("RouteSelectionExpression")
    apikeyselectionexpression: str = at("ApiKeySelectionExpression")
    version: str = at("Version")
    createddate: datetime = at("CreatedDate")
    ip_address_type: str = at("IpAddressType")
    cors_allow_origins: list[str] = at("CorsConfiguration.AllowOrigins", doc="The sites whose pages may call it")
    cors_allow_credentials: bool = at("CorsConfiguration.AllowCredentials")
    api_gateway_managed: bool = at("ApiGatewayManaged", doc="Whether another service of AWS's made it")

    tagged: list[AWSTag] = tagged("Tags")
