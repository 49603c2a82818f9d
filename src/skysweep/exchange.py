"""Exchanges by the forms of requests: what botocore does around them, less what it does anew for each call."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson
from aiobotocore.credentials import AioCredentials
from botocore import xform_name
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import ParamValidationError
from botocore.validate import ParamValidator

from skysweep.errors import Bug
from skysweep.replies import ParserFactory
from skysweep.requests import TOKEN, Form, Forms, Ready, opened
from skysweep.transport import AIM, aim

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DUMMY = "skysweep"
OWN_WAYS = frozenset({"s3control", "sqs"})
"""Services whose host names tell the account, or that may be asked elsewhere than the others' rules say."""
HOOKED = frozenset({"GetBucketLocation"})
"""Operations whose replies botocore's hooks read."""


class _Taken(Exception):
    """Ends a call of botocore's once its request is signed."""


class _Elsewhere(Exception):
    """S3 says that a bucket is in another region, as far as it says so: botocore knows what to do then."""


def take(request: Any, **_: Any) -> None:
    """Takes a request that is about to be sent, if that is all that is wanted: botocore's hook."""
    taken = aim().taken
    if taken is not None:
        taken.append(request)
        raise _Taken


class Exchanges:
    """Sends calls, by forms where there are any."""

    def __init__(self) -> None:
        self._forms = Forms()

    async def ask(self, client: Any, operation: str, inputs: Mapping[str, Any], *, planned: bool) -> dict[str, Any]:
        """The reply to a call with the present aim, parsed. Raises botocore's errors.

        planned: the inputs are the plan's own, the same for everybody.
        """
        request = await self._request(client, operation, inputs, planned=planned)
        if request is not None:
            try:
                return await _exchange(client, operation, request)
            except _Elsewhere:
                pass  # once more, by botocore
        reply: dict[str, Any] = await getattr(client, xform_name(operation))(**inputs)
        return reply

    async def _request(self, client: Any, operation: str, inputs: Mapping[str, Any], *, planned: bool) -> Ready | None:
        """The signed request, by its form; None where botocore has to make it."""
        if client.meta.service_model.service_name in OWN_WAYS or operation in HOOKED:
            return None
        if not planned:
            if not all(isinstance(value, str | int) for value in inputs.values()):
                return None
            _validate(client, operation, inputs)
        asked, names, stand_ins = (inputs, (), ()) if planned else opened(inputs)
        to = aim()
        key = client, operation, to.region, to.credentials.token is None, orjson.dumps(asked)
        if key not in self._forms:
            self._forms.keep(key, await form_of(client, operation, asked, stand_ins))
        form = self._forms[key]
        return form.ready(to.credentials, names) if form is not None and form.takes(names) else None


async def form_of(client: Any, operation: str, inputs: Mapping[str, Any], stand_ins: Sequence[str] = ()) -> Form | None:
    """The form of the requests that botocore makes of such inputs; None where it has to make each one itself.

    stand_ins: what stands in the inputs where names will. Raises botocore's errors for inputs that the operation does
    not take.
    """
    token = None if aim().credentials.token is None else TOKEN
    nobody = ReadOnlyCredentials(DUMMY, DUMMY, token)
    form = Form.of(await _signed(client, operation, inputs, token), nobody, stand_ins)
    if form is None or not stand_ins:
        return form
    others = {name: f"{value}-too" if value in stand_ins else value for name, value in inputs.items()}
    names = [f"{each}-too" for each in stand_ins]
    return form if form.makes(await _signed(client, operation, others, token), nobody, names) else None


def _validate(client: Any, operation: str, inputs: Mapping[str, Any]) -> None:
    """Raises botocore's ParamValidationError where it would: what AWS itself has told need not be what it takes."""
    shape = client.meta.service_model.operation_model(operation).input_shape
    report = ParamValidator().validate(inputs, shape) if shape is not None else None
    if report is not None and report.has_errors():
        raise ParamValidationError(report=report.generate_report())


async def _signed(client: Any, operation: str, inputs: Mapping[str, Any], token: str | None) -> Any:
    """The request as botocore would send it, signed by nobody's keys."""
    taken: list[Any] = []
    reset = AIM.set(replace(aim(), credentials=AioCredentials(DUMMY, DUMMY, token), taken=taken))
    try:
        await getattr(client, xform_name(operation))(**inputs)
    except _Taken:
        return taken[0]
    finally:
        AIM.reset(reset)
    raise Bug(f"{operation} was sent: its client lacks the hook that takes it")


async def _exchange(client: Any, operation: str, request: Ready) -> dict[str, Any]:
    """Sends a request and reads the reply. Raises botocore's errors, and _Elsewhere."""
    endpoint = client._endpoint  # noqa: SLF001 - the one way to its HTTP session
    response = await endpoint.http_session.send(request)
    model, status = client.meta.service_model, response.status_code
    if model.service_name == "s3" and 300 <= status <= 400:  # noqa: PLR2004 - redirects, and bad requests
        raise _Elsewhere
    parser = ParserFactory().create_parser(model.resolved_protocol)
    reply = {
        "headers": response.headers,
        "status_code": status,
        "body": await response.content,
        "context": {"operation_name": operation},
    }
    parsed: dict[str, Any] = await parser.parse(reply, model.operation_model(operation).output_shape)
    if status >= 300:  # noqa: PLR2004 - HTTP's success
        raise client.exceptions.from_code(parsed.get("Error", {}).get("Code"))(parsed, operation)
    return parsed
