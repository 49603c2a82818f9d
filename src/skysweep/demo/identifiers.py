"""Identifiers that depend on what is asked for and not on when: the same estate has the same ids every time.

moto draws all ids from one stream of random numbers, so that threads that build at once get other ids in every run, and
one resource more changes all that come after it. Here each request draws from a stream of its own.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from io import BytesIO
from random import Random
from threading import Lock, local
from typing import TYPE_CHECKING, Any

from moto.iam.models import get_account_id_from
from moto.moto_api._internal import mock_random
from moto.moto_api._internal.moto_random import MotoRandom
from moto.moto_server import threaded_moto_server
from moto.moto_server.werkzeug_app import DomainDispatcherApplication

if TYPE_CHECKING:
    from collections.abc import Iterable

SCOPE = re.compile(r"Credential=([^/]+)/\d+/([^/]+/[^/]+)/")
"""The access key, and the region with the service, of a signed request."""

TOKENS = re.compile(rb'(?i)(ClientToken|ClientRequestToken|CreatorRequestId|IdempotencyToken)"?[=:]\s*"?[0-9a-f-]{36}')
"""Idempotency tokens, which botocore makes up anew for each call."""


class _Current(local):
    """The stream of the request that this thread answers."""

    def __init__(self) -> None:
        self.stream = Random(0)  # noqa: S311 - ids of an emulator


_current = _Current()


class _ByRequest(MotoRandom):
    """moto's source of ids, drawing from the current request's stream."""

    def random(self) -> float:
        return _current.stream.random()

    def getrandbits(self, k: int) -> int:
        return _current.stream.getrandbits(k)


class _ByRequestApplication(DomainDispatcherApplication):
    """moto's application, with a stream for each request: seeded with its account, region, operation and content.

    The second request of the same content, and every further one, has a seed of its own.
    """

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._seen: Counter[str] = Counter()
        self._counting = Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        content = _content(environ)
        with self._counting:
            self._seen[content] += 1
            number = self._seen[content]
        _current.stream = Random(f"{content} {number}")  # noqa: S311 - the same
        answer: Iterable[bytes] = super().__call__(environ, start_response)
        return answer


def _content(environ: dict[str, Any]) -> str:
    """Digest what a request asks for, whoever's keys sign it; leaves its body to be read again."""
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = BytesIO(body)
    signed = SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
    scope = [get_account_id_from(signed[1]), signed[2]] if signed else []
    parts = [environ.get(name, "") for name in ("REQUEST_METHOD", "PATH_INFO", "QUERY_STRING", "HTTP_X_AMZ_TARGET")]
    text = "\n".join([*scope, *parts]).encode()
    return hashlib.sha256(text + TOKENS.sub(b"", body)).hexdigest()


def go_by_request() -> None:
    """Make every `ThreadedMotoServer` started from now on in this process give its identifiers by request."""
    mock_random.__class__ = _ByRequest  # every module of moto's holds this one instance
    setattr(threaded_moto_server, "DomainDispatcherApplication", _ByRequestApplication)  # noqa: B010 - no seam for it
