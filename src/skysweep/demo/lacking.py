"""Operations that moto does not have, answered as in an account that has none of what they list.

Only those of the table: what else moto does not know still fails, so that nobody takes a fault for an empty account.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from moto.moto_server import threaded_moto_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

SERVICE = re.compile(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/")
"""The name that a signed request's service signs by."""


class Operation(NamedTuple):
    """A request as its service tells it from others: by X-Amz-Target, or by method and path (a regular expression)."""

    service: str
    name: str


LACKING: dict[Operation, tuple[str, dict[str, Any]]] = {
    Operation("access-analyzer", "GET /analyzer"): ("200 OK", {"analyzers": []}),
    Operation("apigateway", "GET /clientcertificates/[^/]+"): ("404 Not Found", {"__type": "NotFoundException"}),
    Operation("config", "StarlingDoveService.DescribeComplianceByConfigRule"): (
        "200 OK",
        {"ComplianceByConfigRules": []},
    ),
    Operation("config", "StarlingDoveService.GetComplianceDetailsByConfigRule"): ("200 OK", {"EvaluationResults": []}),
    Operation("ecr", "AmazonEC2ContainerRegistry_V20150921.DescribePullThroughCacheRules"): (
        "200 OK",
        {"pullThroughCacheRules": []},
    ),
    Operation("eks", "GET /cluster-versions"): ("200 OK", {"clusterVersions": []}),
    Operation("eks", "GET /clusters/[^/]+/access-entries"): ("200 OK", {"accessEntries": []}),
    Operation("guardduty", "POST /detector/[^/]+/findings"): ("200 OK", {"findingIds": []}),
    Operation("securityhub", "POST /standards/get"): ("200 OK", {"StandardsSubscriptions": []}),
    Operation("transfer", "TransferService.ListUsers"): ("200 OK", {"Users": []}),
    Operation("wafv2", "AWSWAF_20190729.ListResourcesForWebACL"): ("200 OK", {"ResourceArns": []}),
    Operation("workspaces", "WorkspacesService.DescribeWorkspaceBundles"): ("200 OK", {"Bundles": []}),
    Operation("workspaces", "WorkspacesService.DescribeWorkspacesConnectionStatus"): (
        "200 OK",
        {"WorkspacesConnectionStatus": []},
    ),
}
"""The whole answer, status and body, by operation."""


def answer(environ: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """The table's answer to a WSGI request; None where moto is to give it."""
    signed = SERVICE.search(environ.get("HTTP_AUTHORIZATION", ""))
    if not signed:
        return None
    asked = environ.get("HTTP_X_AMZ_TARGET") or f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"
    found = (said for (service, name), said in LACKING.items() if service == signed[1] and re.fullmatch(name, asked))
    return next(found, None)


def answer_what_is_lacking() -> None:
    """Make every `ThreadedMotoServer` started from now on in this process answer the table's operations."""
    inner: Any = vars(threaded_moto_server)["DomainDispatcherApplication"]

    def wrapped(*args: Any) -> Callable[[dict[str, Any], Any], Iterable[bytes]]:
        moto: Callable[[dict[str, Any], Any], Iterable[bytes]] = inner(*args)

        def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            said = answer(environ)
            if said is None:
                return moto(environ, start_response)
            body = json.dumps(said[1]).encode()
            start_response(said[0], [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
            return [body]

        return application

    setattr(threaded_moto_server, "DomainDispatcherApplication", wrapped)  # noqa: B010 - no seam for it
