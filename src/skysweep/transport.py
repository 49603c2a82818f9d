"""What lies under botocore's clients: the aim of each call, and one connection pool for all of them."""

from __future__ import annotations

import re
import socket
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import aiohttp
from aiobotocore.httpsession import AIOHTTPSession
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import DefaultResolver
from botocore.httpsession import create_urllib3_context, get_cert_path

from skysweep.errors import Bug

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping

    from yarl import URL

KEEPALIVE_SECONDS = 15  # AWS closes idle connections after 20 s or more
DNS_SECONDS = 300
_LOOPBACK = re.compile(r"(?:[^/@:]+\.)?localhost|(?:[^/@:]+\.)?127\.0\.0\.1|\[?::1\]?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Aim:
    """Whom and where the call under way is for: the account's credentials, the region, seconds for the exchange.

    taken: where the signed request goes instead of being sent.
    """

    credentials: Any
    region: str
    timeout: float
    taken: list[Any] | None = None


AIM: ContextVar[Aim] = ContextVar("aim")
"""The aim of the call that this task has under way; botocore's hooks read it."""


def aim() -> Aim:
    """The aim of this call. Raises Bug when a client is used without one, so that no call goes to a wrong account."""
    try:
        return AIM.get()
    except LookupError:
        raise Bug("a shared AWS client was used without a target") from None


def loopback(host: str | None) -> bool:
    """Whether a host name or address is this machine by its very form.

    Names before it count as well: S3 and s3control put a bucket or an account before an endpoint's host.
    """
    return host is not None and _LOOPBACK.fullmatch(host) is not None


class Resolver(AbstractResolver):
    """DNS, except for this machine's own names."""

    def __init__(self) -> None:
        self._dns = DefaultResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses of `host`."""
        if not loopback(host):
            return await self._dns.resolve(host, port, family)
        flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
        return [
            ResolveResult(hostname=host, host="127.0.0.1", port=port, family=socket.AF_INET, proto=0, flags=int(flags))
        ]

    async def close(self) -> None:
        """Ends the resolver beneath."""
        await self._dns.close()


def _nothing(_: Mapping[str, str]) -> None:
    """Nobody listens."""


class Pool:
    """The process's connections to AWS, at most `connections` of them; made at the first request.

    hear: told the headers of every reply.
    """

    def __init__(self, connections: int, connect_timeout: float, *, only_loopback: bool) -> None:
        self._connections = connections
        self._connect_timeout = connect_timeout
        self._only_loopback = only_loopback
        self._session: aiohttp.ClientSession | None = None
        self.hear: Callable[[Mapping[str, str]], None] = _nothing

    @property
    def closed(self) -> bool:
        """Whether there is no pool yet, or no longer."""
        return self._session is None

    def open(self, ssl_context: ssl.SSLContext | bool) -> None:
        """Makes the pool; the certificate settings of the first client hold for all."""
        connector = aiohttp.TCPConnector(
            limit=self._connections,
            ssl=ssl_context,
            resolver=Resolver(),
            ttl_dns_cache=DNS_SECONDS,
            keepalive_timeout=KEEPALIVE_SECONDS,
        )
        # botocore signs the headers and reads the bytes: aiohttp must add and unpack nothing.
        self._session = aiohttp.ClientSession(
            connector=connector,
            skip_auto_headers={"Content-Type"},
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def request(self, method: str, *, url: URL, **arguments: Any) -> aiohttp.ClientResponse:
        """One exchange within the time of its aim. A redirect is an answer: following it would break the signature."""
        if self._only_loopback and not loopback(url.host):
            raise Bug(f"an isolated run was about to call {url.host}")
        if url.host and url.host.endswith(".127.0.0.1"):  # aiohttp takes it for a bad address
            arguments["headers"].setdefault("Host", url.authority)
            url = url.with_host(url.host.removesuffix("127.0.0.1") + "localhost")
        assert self._session is not None  # noqa: S101 - opened by Http; this is for the type checker
        timeout = _timeout(self._connect_timeout, aim().timeout)
        response = await self._session.request(method, url, timeout=timeout, allow_redirects=False, **arguments)
        self.hear(response.headers)
        return response

    async def close(self) -> None:
        """Closes every connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None


@lru_cache(maxsize=8)  # reading the certificates is the longest part of making a pool
def _ssl_context(verify: Any) -> ssl.SSLContext | bool:
    if not verify:
        return False
    context: ssl.SSLContext = create_urllib3_context()
    if certificates := get_cert_path(verify):
        context.load_verify_locations(certificates)
    return context


@lru_cache(maxsize=64)
def _timeout(connect: float, read: float) -> aiohttp.ClientTimeout:
    # `connect` for a name server that hangs, and `total` for a server that sends a byte now and then: sock_connect and
    # sock_read would wait for ever.
    return aiohttp.ClientTimeout(total=connect + read, connect=connect, sock_connect=connect, sock_read=read)


def http_session(pool: Pool) -> type[AIOHTTPSession]:
    """The HTTP session class to give to botocore's clients: all its instances send through `pool`."""

    class Http(AIOHTTPSession):  # type: ignore[misc]  # aiobotocore has no types
        """A client's HTTP session, without connections of its own."""

        async def _get_session(self, proxy_url: str | None) -> Any:  # noqa: ARG002 - the base class's signature
            # Always the verifying context: behind a proxy the base class would not verify the endpoint.
            if pool.closed:
                pool.open(_ssl_context(self._verify))
            return pool

    return Http
