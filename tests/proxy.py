"""A reverse proxy before the emulated AWS: passes everything on, but for the calls that a rule answers instead."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from aiohttp import ClientSession, TCPConnector, web


@dataclass(frozen=True)
class Seen:
    """A call on the wire: its key, region, service and operation (an action, a target, or the method and path)."""

    key: str
    region: str
    service: str
    operation: str


@dataclass
class Proxy:
    """Where it listens, what it saw, and the rule: an answer (status, content type, body), or None to pass it on."""

    url: str
    seen: list[Seen] = field(default_factory=list)
    rule: Callable[[Seen], tuple[int, str, str] | None] = lambda _: None


QUERY_DENIED = (
    403,
    "text/xml",
    "<ErrorResponse><Error><Code>AccessDenied</Code><Message>User is not authorized</Message></Error></ErrorResponse>",
)
EC2_DENIED = (
    403,
    "text/xml",
    "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>No</Message></Error></Errors></Response>",
)
S3_DENIED = (403, "application/xml", "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>")


@asynccontextmanager
async def proxy(upstream: str) -> AsyncIterator[Proxy]:
    """A proxy on a free loopback port before `upstream`."""
    async with ClientSession(auto_decompress=False, connector=TCPConnector(limit=0)) as client:
        passing = Proxy("")

        async def handle(request: web.Request) -> web.Response:
            body = await request.read()
            seen = _seen(request, body)
            passing.seen.append(seen)
            answer = passing.rule(seen)
            if answer:
                return web.Response(status=answer[0], body=answer[2].encode(), headers={"Content-Type": answer[1]})
            url = f"{upstream}{request.rel_url.raw_path_qs}"
            async with client.request(request.method, url, headers=request.headers, data=body) as reply:
                kept = {name: value for name, value in reply.headers.items() if name != "Transfer-Encoding"}
                return web.Response(status=reply.status, body=await reply.read(), headers=kept)

        application = web.Application()
        application.router.add_route("*", "/{path:.*}", handle)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            port = runner.addresses[0][1]
            passing.url = f"http://localhost:{port}"
            yield passing
        finally:
            await runner.cleanup()


def _seen(request: web.Request, body: bytes) -> Seen:
    scope = request.headers.get("Authorization", "").partition("Credential=")[2].partition(",")[0].split("/")
    key, _, region, service = (scope + [""] * 4)[:4]
    target = request.headers.get("X-Amz-Target", "").rpartition(".")[2]
    form = parse_qs(body.decode(errors="replace")) if "form" in request.content_type else {}
    path = urlsplit(str(request.rel_url))
    named = form.get("Action", [target or f"{request.method} {path.path}?{path.query}"])[0]
    return Seen(key, region, service, named)
