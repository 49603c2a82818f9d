"""A fault server: HTTP on loopback that answers what the test says, whichever AWS protocol it is."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs


@dataclass(frozen=True)
class Request:
    """What came in."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def operation(self) -> str:
        """The operation's name, in the protocols that say it (query, ec2, json)."""
        target = self.headers.get("x-amz-target", "")
        return target.rpartition(".")[2] or self.form.get("Action", "")

    @property
    def form(self) -> dict[str, str]:
        """The inputs of the query protocols."""
        return {name: values[0] for name, values in parse_qs(self.body.decode()).items()}

    @property
    def key(self) -> str:
        """The access key that signed it."""
        return self._scope(0)

    @property
    def region(self) -> str:
        """The region that it was signed for."""
        return self._scope(2)

    def _scope(self, part: int) -> str:
        return self.headers["authorization"].partition("Credential=")[2].split(",")[0].split("/")[part]


@dataclass(frozen=True)
class Reply:
    """What goes out.

    cut: so many bytes of the body are promised and never sent. hang: nothing is sent at all. drip: seconds before each
    byte of the body.
    """

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int = 0
    hang: bool = False
    drop: bool = False
    drip: float = 0


HANG = Reply(hang=True)
DROP = Reply(drop=True)


def as_json(body: object, status: int = 200) -> Reply:
    return Reply(json.dumps(body).encode(), status, {"Content-Type": "application/x-amz-json-1.1"})


def json_error(code: str, message: str = "", status: int = 400) -> Reply:
    return as_json({"__type": code, "message": message}, status)


def as_xml(text: str, status: int = 200) -> Reply:
    return Reply(text.encode(), status, {"Content-Type": "text/xml"})


def ec2_error(code: str, message: str = "", status: int = 400) -> Reply:
    error = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return as_xml(f"<Response><Errors>{error}</Errors><RequestID>r</RequestID></Response>", status)


def query_error(code: str, message: str = "", status: int = 400) -> Reply:
    error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
    return as_xml(f"<ErrorResponse>{error}<RequestId>r</RequestId></ErrorResponse>", status)


CALLER = as_xml(
    "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::111111111111:user/u</Arn>"
    "<UserId>U</UserId><Account>111111111111</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
)

Handler = Callable[[Request], Reply]


class Wire:
    """The server: `replies` go out in turn, then `handler` answers; `requests` is what came in."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[Request] = []
        self.replies: deque[Reply] = deque()
        self.handler: Handler = lambda request: Reply(f"nobody scripted {request.path}".encode(), 500)
        self.under_way = 0
        self.most_under_way = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def script(self, *replies: Reply) -> None:
        """What the next requests get."""
        self.replies.extend(replies)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            while request := await _read(reader):
                self.requests.append(request)
                self.under_way += 1
                self.most_under_way = max(self.most_under_way, self.under_way)
                try:
                    reply = self.replies.popleft() if self.replies else self.handler(request)
                    if reply.hang:
                        await reader.read()  # until the client gives up
                    if reply.hang or reply.drop or not await _write(writer, reply):
                        return
                finally:
                    self.under_way -= 1
        except (ConnectionError, asyncio.CancelledError):
            return
        finally:
            self._tasks.discard(task)
            writer.close()

    async def close(self) -> None:
        """Ends every connection."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def wire() -> AsyncIterator[Wire]:
    """A fault server on a free port of loopback; it ends with the block."""
    made = Wire()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield made
    finally:
        server.close()
        await made.close()
        await server.wait_closed()


async def _read(reader: asyncio.StreamReader) -> Request | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    except asyncio.IncompleteReadError:
        return None
    method, path, _ = head[0].split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Request(method, path, headers, body)


async def _write(writer: asyncio.StreamWriter, reply: Reply) -> bool:
    """Sends the reply; whether the connection can be used again."""
    headers = {**reply.headers, "Content-Length": str(len(reply.body))}
    lines = [f"HTTP/1.1 {reply.status} scripted", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    body = reply.body[: len(reply.body) - reply.cut]
    writer.write("\r\n".join(lines).encode())
    for piece in [body[at : at + 1] for at in range(len(body))] if reply.drip else [body]:
        await asyncio.sleep(reply.drip)
        writer.write(piece)
        await writer.drain()
    return reply.cut == 0
