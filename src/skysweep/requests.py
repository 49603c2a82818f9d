"""Requests that are made once and sent for every account: what varies between them is when, who signs, and a name.

A sweep asks each listing of each account and region in the same words, and details in words that differ by a name.
botocore makes a request of them once, validated, serialized, with its endpoint and headers, and signs it. Of the
canonical request that it signed a form is kept, in which the time, the token and the names are left open. The form
signs that same request, and is kept only where its signature is botocore's.
"""

from __future__ import annotations

import hmac
import re
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote_plus

import orjson
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from botocore.awsrequest import AWSPreparedRequest

KEPT = 20_000  # forms, of 2-3 kB each: an organization's listings in all regions
TOKEN = "SKYSWEEP-TOKEN"  # noqa: S105 - stands for one
_TIME = "%Y%m%dT%H%M%SZ"
_ALGORITHM = "AWS4-HMAC-SHA256"
_TOLD = re.compile(rf"{_ALGORITHM} Credential=[^/]+/\d+/([^/]+)/([^/]+)/aws4_request, SignedHeaders=([^,]+), ")
# Those of a single call, which are for AWS's own statistics, those that signing writes, and what the body decides.
_LEFT_OUT = frozenset(
    {"amz-sdk-invocation-id", "amz-sdk-request", "x-amz-date", "x-amz-security-token", "content-length"}
)
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*\Z")  # what stands in a URL as it is
_BUCKET = re.compile(r"(?!.*--)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]\Z")  # and in a host name; "--" is a kind of its own

Template = tuple[str | int, ...]
"""Text with openings: each number stands for one of the values."""


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
    """A request with openings: 0 for its time, 1 for the token, then the names.

    canonical: the canonical request but for the body's digest, its last line; digest: that, where the body has no
    openings. scope: region and signing name. plain: whether the names stand in its URL.
    """

    method: str
    url: Template
    headers: Mapping[str, str]
    body: Template
    canonical: Template
    digest: str
    signed: str
    scope: tuple[str, str]
    plain: bool

    @classmethod
    def of(
        cls, request: AWSPreparedRequest, credentials: ReadOnlyCredentials, names: Sequence[str] = ()
    ) -> Self | None:
        """The form of a request that botocore has signed with these credentials; None where it cannot be had.

        credentials: their token is TOKEN, or there is none. names: the values that stand where others will.
        """
        headers = {name: _text(value) for name, value in request.headers.items()}
        authorization, time = headers.pop("Authorization", ""), headers.get("X-Amz-Date", "")
        told = _TOLD.match(authorization)
        if told is None or not time or not isinstance(request.body, bytes | str | None):
            return None
        region, name, signed = told.groups()
        asked = {name: value for name, value in headers.items() if name.lower() in signed.split(";")}
        body = _text(request.body or "")
        signing = SigV4Auth(credentials, name, region)
        canonical = signing.canonical_request(AWSRequest(request.method, request.url, asked, body.encode()))
        text, _, digest = canonical.rpartition("\n")
        values = (time, credentials.token or "", *names)
        url, said = _cut(request.url, values), _cut(body, values)
        kept = {name: value for name, value in headers.items() if name.lower() not in _LEFT_OUT}
        plain = len(url) > 1
        form = cls(
            *(request.method, url, kept, said, _cut(text, values), "" if len(said) > 1 else digest),
            *(signed, (region, name), plain),
        )
        return form if form.makes(request, credentials, names) else None

    def takes(self, names: Sequence[str]) -> bool:
        """Whether a request with these names is one of this form."""
        plain = _BUCKET if self.scope[1] == "s3" else _PLAIN
        return not self.plain or all(plain.match(name) for name in names)

    def makes(self, request: AWSPreparedRequest, credentials: ReadOnlyCredentials, names: Sequence[str]) -> bool:
        """Whether a request that botocore has signed with these credentials is this form's, with these names."""
        told = {name.lower(): _text(value) for name, value in request.headers.items()}
        ready = self.ready(credentials, names, told["x-amz-date"])
        same = (ready.method, ready.url, ready.body) == (
            request.method,
            request.url,
            _text(request.body or "").encode(),
        )
        return same and ready.headers["Authorization"] == told["authorization"]

    def ready(self, credentials: Any, names: Sequence[str] = (), time: str = "") -> Ready:
        """The request, signed with these credentials now. time: or then, as in X-Amz-Date."""
        time = time or datetime.now(UTC).strftime(_TIME)
        token = credentials.token or ""
        headers = {**self.headers, "X-Amz-Date": time}
        if token:
            headers["X-Amz-Security-Token"] = token
        body = _filled(self.body, ("", "", *map(self._encoded, names))).encode()
        if body:
            headers["Content-Length"] = str(len(body))
        digest = self.digest or sha256(body).hexdigest()
        canonical = f"{_filled(self.canonical, (time, token, *names))}\n{digest}"
        scope = f"{time[:8]}/{'/'.join(self.scope)}/aws4_request"
        key = f"AWS4{credentials.secret_key}".encode()
        for part in (time[:8], *self.scope, "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        told = f"{_ALGORITHM}\n{time}\n{scope}\n{sha256(canonical.encode()).hexdigest()}"
        signature = hmac.digest(key, told.encode(), "sha256").hex()
        headers["Authorization"] = (
            f"{_ALGORITHM} Credential={credentials.access_key}/{scope}, "
            f"SignedHeaders={self.signed}, Signature={signature}"
        )
        return Ready(self.method, _filled(self.url, ("", "", *names)), headers, body)

    def _encoded(self, name: str) -> str:
        """A name as it stands in the body."""
        if "x-www-form-urlencoded" in self.headers.get("Content-Type", ""):
            return quote_plus(name, safe="-._~")
        return orjson.dumps(name)[1:-1].decode()


def opened(inputs: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...], tuple[str, ...]]:
    """Inputs with a stand-in for each text, and the texts and their stand-ins in turn."""
    names = {name: value for name, value in inputs.items() if isinstance(value, str)}
    others = {name: f"skysweep-stands-in-{number}" for number, name in enumerate(names)}
    return {**inputs, **others}, tuple(names.values()), tuple(others.values())


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


def _cut(text: str, values: Sequence[str]) -> Template:
    """The text with openings where the values stand."""
    numbers = {value: number for number, value in enumerate(values) if value}
    parts = re.split("(" + "|".join(map(re.escape, sorted(numbers, key=len, reverse=True))) + ")", text)
    return tuple(numbers.get(part, part) for part in parts if part)


def _filled(template: Template, values: Sequence[str]) -> str:
    return "".join([values[part] if type(part) is int else part for part in template])  # type: ignore[misc]


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
