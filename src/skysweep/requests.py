"""Requests that are made once and sent for every account: what varies between them is when, and who signs.

A sweep asks each listing of each account and region in the same words. botocore makes a request of them once,
validated, serialized, with its endpoint and headers, and signs it. Of the canonical request that it signed a form is
kept, in which only the time and the token are left open. The form signs that same request, and is kept only where its
signature is botocore's.
"""

from __future__ import annotations

import hmac
import re
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Self

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from botocore.awsrequest import AWSPreparedRequest

KEPT = 20_000  # forms, of 2-3 kB each: an organization's listings in all regions
TOKEN = "SKYSWEEP-TOKEN"  # noqa: S105 - stands for one
_TIME = "%Y%m%dT%H%M%SZ"
_ALGORITHM = "AWS4-HMAC-SHA256"
_TOLD = re.compile(
    rf"{_ALGORITHM} Credential=[^/]+/\d+/([^/]+)/([^/]+)/aws4_request, SignedHeaders=([^,]+), Signature="
)
# Those of a single call, which are for AWS's own statistics, and those that signing writes.
_LEFT_OUT = frozenset({"amz-sdk-invocation-id", "amz-sdk-request", "x-amz-date", "x-amz-security-token"})


@dataclass(frozen=True, slots=True)
class Ready:
    """A signed request, as aiobotocore's HTTP session takes it."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    stream_output: bool = False


@dataclass(frozen=True, slots=True)
class Form:
    """A request with its time, token and signature left open.

    canonical: the canonical request around the time and, where there is one, the token. scope: region and signing name.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    canonical: tuple[str, ...]
    order: tuple[int, ...]
    signed: str
    scope: tuple[str, str]

    @classmethod
    def of(cls, request: AWSPreparedRequest, credentials: ReadOnlyCredentials) -> Self | None:
        """The form of a request that botocore has signed with these credentials; None where it cannot be had.

        credentials: their token is TOKEN, or there is none.
        """
        headers = {name: _text(value) for name, value in request.headers.items()}
        authorization, time = headers.pop("Authorization", ""), headers.get("X-Amz-Date", "")
        told = _TOLD.match(authorization)
        if told is None or not time or not isinstance(request.body, bytes | str | None):
            return None
        region, name, signed = told.groups()
        asked = {name: value for name, value in headers.items() if name.lower() in signed.split(";")}
        body = request.body.encode() if isinstance(request.body, str) else request.body or b""
        signing = SigV4Auth(credentials, name, region)
        canonical = signing.canonical_request(AWSRequest(request.method, request.url, asked, body))
        cut = _cut(canonical, (time, TOKEN) if credentials.token else (time,))
        if cut is None:
            return None
        kept = {name: value for name, value in headers.items() if name.lower() not in _LEFT_OUT}
        form = cls(request.method, request.url, kept, body, *cut, signed, (region, name))
        return form if form.ready(credentials, time).headers["Authorization"] == authorization else None

    def ready(self, credentials: Any, time: str = "") -> Ready:
        """The request, signed with these credentials now. time: or then, as in X-Amz-Date."""
        time = time or datetime.now(UTC).strftime(_TIME)
        headers = {**self.headers, "X-Amz-Date": time}
        filled = (time, credentials.token or "")
        if credentials.token:
            headers["X-Amz-Security-Token"] = credentials.token
        parts = [self.canonical[0]]
        for which, part in zip(self.order, self.canonical[1:], strict=True):
            parts += filled[which], part
        scope = f"{time[:8]}/{'/'.join(self.scope)}/aws4_request"
        key = f"AWS4{credentials.secret_key}".encode()
        for part in (time[:8], *self.scope, "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        told = f"{_ALGORITHM}\n{time}\n{scope}\n{sha256(''.join(parts).encode()).hexdigest()}"
        signature = hmac.digest(key, told.encode(), "sha256").hex()
        headers["Authorization"] = (
            f"{_ALGORITHM} Credential={credentials.access_key}/{scope}, "
            f"SignedHeaders={self.signed}, Signature={signature}"
        )
        return Ready(self.method, self.url, headers, self.body)


class Forms:
    """The forms in use, the latest KEPT of them; of what has none that is known as well."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, Form | None] = OrderedDict()

    def __contains__(self, key: Hashable) -> bool:
        return key in self._kept

    def __getitem__(self, key: Hashable) -> Form | None:
        self._kept.move_to_end(key)
        return self._kept[key]

    def keep(self, key: Hashable, form: Form | None) -> None:
        """Keeps a form; forgets the one that was not asked for longest."""
        self._kept[key] = form
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)


def _cut(canonical: str, openings: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[int, ...]] | None:
    """The text around the openings, and which follows which; None where one is not there just once."""
    if any(canonical.count(each) != 1 for each in openings):
        return None
    order = sorted(range(len(openings)), key=lambda number: canonical.index(openings[number]))
    parts, rest = [], canonical
    for number in order:
        before, _, rest = rest.partition(openings[number])
        parts.append(before)
    return (*parts, rest), tuple(order)


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
