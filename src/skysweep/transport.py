"""What lies under botocore's clients: one connection pool for all of them, and parsers that refuse half a reply."""

from __future__ import annotations

import re
import socket
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from json import JSONDecodeError, loads
from typing import TYPE_CHECKING, Any

import aiohttp
import orjson
from aiobotocore import parsers
from aiobotocore.httpsession import AIOHTTPSession
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import DefaultResolver
from botocore.httpsession import create_urllib3_context, get_cert_path
from botocore.parsers import ResponseParserError
from botocore.utils import parse_timestamp

from skysweep.errors import Bug

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable, Mapping

    from yarl import URL

KEEPALIVE_SECONDS = 15  # AWS closes idle connections after 20 s or more
DNS_SECONDS = 300
_LOOPBACK = re.compile(r"(?:[^/@:]+\.)?localhost|(?:[^/@:]+\.)?127\.0\.0\.1|\[?::1\]?", re.IGNORECASE)

_BARE_ROOTS = frozenset(
    (
        "AccelerateConfiguration",
        "BucketLoggingStatus",
        "CORSConfiguration",
        "LifecycleConfiguration",
        "LocationConstraint",
        "NotificationConfiguration",
        "RequestPaymentConfiguration",
        "VersioningConfiguration",
        "WebsiteConfiguration",
    )
)
"""Outermost elements of S3's that may hold nothing, and that botocore's model does not name."""


@dataclass(frozen=True, slots=True)
class Aim:
    """Whom and where the call under way is for: the account's credentials, the region, seconds for the exchange."""

    credentials: Any
    region: str
    timeout: float


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


class Pool:
    """The process's connections to AWS, at most `connections` of them; made at the first request."""

    def __init__(self, connections: int, connect_timeout: float, *, only_loopback: bool) -> None:
        self._connections = connections
        self._connect_timeout = connect_timeout
        self._only_loopback = only_loopback
        self._session: aiohttp.ClientSession | None = None

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
        return await self._session.request(method, url, timeout=timeout, allow_redirects=False, **arguments)

    async def close(self) -> None:
        """Closes every connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None


def _ssl_context(verify: Any) -> ssl.SSLContext | bool:
    if not verify:
        return False
    context: ssl.SSLContext = create_urllib3_context()
    if certificates := get_cert_path(verify):
        context.load_verify_locations(certificates)
    return context


@lru_cache(maxsize=64)
def _timeout(connect: float, read: float) -> aiohttp.ClientTimeout:
    # `total` as well: a server that sends a byte now and then would keep sock_read content for ever.
    return aiohttp.ClientTimeout(total=connect + read, sock_connect=connect, sock_read=read)


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


def timestamp(value: Any) -> datetime:
    """A timestamp of any AWS protocol, aware, in UTC where it says nothing; 28-200 times faster than botocore's."""
    try:
        if not isinstance(value, str):
            moment = datetime.fromtimestamp(value, UTC)
        elif value[4:5] == "-":
            moment = datetime.fromisoformat(value)
        else:  # RFC 822, or a number
            moment = parse_timestamp(value)
    except (ValueError, TypeError, OverflowError, OSError):
        moment = parse_timestamp(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class _Strict(parsers.AioResponseParser):  # type: ignore[misc]  # aiobotocore has no types
    """Refuses what botocore reads as an empty reply: no body where there must be one, JSON cut off, another's page.

    An empty reply would be a listing without records, and would license the deletion of everything it used to list.
    """

    _succeeded = False
    _operation = ""
    _shape: Any = None

    async def parse(self, response: Mapping[str, Any], shape: Any) -> Any:
        self._shape, self._operation = shape, response.get("context", {}).get("operation_name", "")
        self._succeeded = 200 <= response["status_code"] < 300  # noqa: PLR2004 - HTTP's success
        try:
            _check_body(response, shape)
            parsed = await super().parse(response, shape)
        except ResponseParserError:
            raise
        except Exception as error:  # whatever an unexpected body does inside botocore's parsers
            raise ResponseParserError(f"the reply cannot be read ({type(error).__name__})") from error
        if parsed is None:
            raise ResponseParserError("the reply is null")
        return parsed

    def _parse_body_as_json(self, body: bytes) -> Any:
        if not body:
            return {}
        parsed = self._loads(body)
        # An object without any member is left alone: SQS and others send it for an empty listing.
        if self._succeeded and isinstance(parsed, dict) and parsed and not _knows(self._shape, parsed):
            raise ResponseParserError(f"the reply is none of {self._operation}'s")
        return parsed

    def _parse_xml_string_to_dom(self, body: bytes) -> Any:
        beneath: Any = super()  # the XML protocols' parsers alone have it
        root = beneath._parse_xml_string_to_dom(body)  # noqa: SLF001 - the base class's own
        if self._succeeded and not self._is_root(root):
            raise ResponseParserError(f"the reply is none of {self._operation}'s")
        return root

    def _is_root(self, root: Any) -> bool:
        """Whether the reply's outermost element is one that the operation answers with."""
        tag = _tag(root)
        if isinstance(self, parsers.AioEC2QueryParser):
            return tag == f"{self._operation}Response"
        if not isinstance(self, parsers.AioRestXMLParser):
            return True  # the query protocol's result wrapper is looked for by botocore
        shape = _body_shape(self._shape)
        if shape is None or tag in _BARE_ROOTS or _knows(self._shape, map(_tag, root)):
            return True
        short = self._operation.removesuffix("Configuration")  # as moto names some
        own = {f"{name}{end}" for name in (self._operation, short) for end in ("Response", "Result")}
        return tag in own | {shape.name, shape.serialization.get("name")}

    def _loads(self, body: bytes) -> Any:
        try:
            return orjson.loads(body)
        except ValueError:
            pass  # numbers beyond 64 bits, NaN: Python's parser knows them
        try:
            return loads(body)
        except (JSONDecodeError, UnicodeDecodeError) as error:
            if self._succeeded:
                raise ResponseParserError(f"the reply is not JSON: {error}") from error
            return {"message": body.decode(errors="replace")}


def _tag(node: Any) -> str:
    """An element's name without its namespace."""
    return str(node.tag).rpartition("}")[2]


def _body_shape(shape: Any) -> Any:
    """What the body holds by the model: the payload member's shape where there is one, else the reply's own."""
    if shape is None:
        return None
    payload = shape.serialization.get("payload")
    return shape.members[payload] if payload else shape


def _knows(shape: Any, names: Iterable[str]) -> bool:
    """Whether one of the names is a member's of the body, or the model has no members to know them by."""
    members = getattr(_body_shape(shape), "members", {})
    known = {each.serialization.get("name", name) for name, each in members.items() if _in_body(each)}
    # A flattened list stands in the body by its items' name.
    known |= {
        each.member.serialization["name"]
        for each in members.values()
        if each.type_name == "list" and each.serialization.get("flattened") and "name" in each.member.serialization
    }
    return not known or not known.isdisjoint(names)


def _in_body(member: Any) -> bool:
    return "location" not in member.serialization


def _check_body(response: Mapping[str, Any], shape: Any) -> None:
    if response["status_code"] in {200, 201, 202} and not response["body"] and _has_body(shape):
        raise ResponseParserError("the reply has no body")


def _has_body(shape: Any) -> bool:
    """Whether a reply of this shape must have a body: members that are not headers, nor one text or blob."""
    if shape is None or getattr(shape, "members", None) is None:
        return False
    payload = shape.serialization.get("payload")
    if payload:
        return bool(shape.members[payload].type_name == "structure")
    return any(map(_in_body, shape.members.values()))


class ParserFactory(parsers.AioResponseParserFactory):  # type: ignore[misc]  # aiobotocore has no types
    """Makes the strict parser of each protocol."""

    def create_parser(self, protocol_name: str) -> Any:
        """The parser of one of AWS's protocols."""
        return _parser_class(protocol_name)(timestamp_parser=timestamp)


@lru_cache
def _parser_class(protocol_name: str) -> type[Any]:
    base = parsers.PROTOCOL_PARSERS[protocol_name]
    return type(f"Strict{base.__name__}", (_Strict, base), {})
