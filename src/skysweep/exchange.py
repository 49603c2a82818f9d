"""One HTTP exchange by a request's form: what botocore does around it, less what it does anew for each call."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from aiobotocore.credentials import AioCredentials
from botocore import xform_name
from botocore.credentials import ReadOnlyCredentials

from skysweep.replies import ParserFactory
from skysweep.requests import TOKEN, Form, Ready
from skysweep.transport import AIM, aim

if TYPE_CHECKING:
    from collections.abc import Mapping

DUMMY = "skysweep"
OWN_WAYS = frozenset({"s3", "s3control"})
"""Services whose replies botocore may answer with a second request, or whose host names tell the account."""


class _Taken(Exception):
    """Ends a call of botocore's once its request is signed."""


def take(request: Any, **_: Any) -> None:
    """Botocore's hook before a request is sent: takes it, if that is all that is wanted."""
    taken = aim().taken
    if taken is not None:
        taken.append(request)
        raise _Taken


async def form_of(client: Any, operation: str, inputs: Mapping[str, Any]) -> Form | None:
    """The form of the request that botocore makes of these inputs; None where it has to make each one itself.

    Raises botocore's errors for inputs that the operation does not take.
    """
    if client.meta.service_model.service_name in OWN_WAYS:
        return None
    to = aim()
    token = None if to.credentials.token is None else TOKEN
    taken: list[Any] = []
    reset = AIM.set(replace(to, credentials=AioCredentials(DUMMY, DUMMY, token), taken=taken))
    try:
        await getattr(client, xform_name(operation))(**inputs)
    except _Taken:
        return Form.of(taken[0], ReadOnlyCredentials(DUMMY, DUMMY, token))
    finally:
        AIM.reset(reset)
    return None


async def exchange(client: Any, operation: str, request: Ready) -> dict[str, Any]:
    """Sends a request and reads the reply. Raises botocore's errors."""
    endpoint = client._endpoint  # noqa: SLF001 - the one way to its HTTP session
    response = await endpoint.http_session.send(request)
    model = client.meta.service_model
    parser = ParserFactory().create_parser(model.resolved_protocol)
    reply = {
        "headers": response.headers,
        "status_code": response.status_code,
        "body": await response.content,
        "context": {"operation_name": operation},
    }
    parsed: dict[str, Any] = await parser.parse(reply, model.operation_model(operation).output_shape)
    if response.status_code >= 300:  # noqa: PLR2004 - HTTP's success
        raise client.exceptions.from_code(parsed.get("Error", {}).get("Code"))(parsed, operation)
    return parsed
