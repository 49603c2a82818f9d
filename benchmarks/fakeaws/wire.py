"""HTTP/1.1 on loopback: a raw asyncio.Protocol that cuts requests at their headers and performs the faults.

aiohttp.web costs 250 us of CPU a request. httptools would cut a request in C, but is a dependency more for a dozen
headers that take 6 us here.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.request import urlopen

import orjson

from benchmarks.fakeaws.estate import Estate
from benchmarks.fakeaws.faults import Change, Cut, Delay, Drip, Drop, Fault, Hang, Plan, calm
from benchmarks.fakeaws.identity import HOUR
from benchmarks.fakeaws.server import Server, http

END = b"\r\n\r\n"


class Connection(asyncio.Protocol):
    """One client's connection: requests are answered in turn."""

    def __init__(self, server: Server, open_ones: set[Connection]) -> None:
        self._server = server
        self._open = open_ones
        self._data = b""
        self._stuck = False  # whatever comes, nothing is read any more
        self._later: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keeps the transport."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - what create_server makes
        self._transport = transport
        self._open.add(self)

    def connection_lost(self, _: Exception | None) -> None:
        """Ends what was to be sent later."""
        self._open.discard(self)
        if self._later is not None:
            self._later.cancel()

    def close(self) -> None:
        """Ends the connection at once."""
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Answers each request that is whole."""
        self._data += data
        while not self._stuck:
            end = self._data.find(END)
            if end < 0:
                return
            method, target, headers = _head(self._data[:end])
            whole = end + len(END) + int(headers.get("content-length", 0))
            if headers.get("expect") == "100-continue" and len(self._data) == end + len(END):
                self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            if len(self._data) < whole:
                return
            body, self._data = self._data[end + len(END) : whole], self._data[whole:]
            reply, fault = self._server.reply(method, target, headers, body)
            if fault is None:
                self._transport.write(reply)
            else:
                self._perform(fault, reply)

    def _perform(self, fault: Fault, reply: bytes) -> None:
        split = reply.index(END) + len(END)
        match fault:
            case Hang():
                self._stuck = True
            case Drop():
                self._end(b"")
            case Cut(missing):
                self._end(reply[: max(split, len(reply) - missing)])
            case Drip(seconds):
                self._stuck = True
                self._transport.write(reply[:split])
                self._drip(reply[split:], seconds)
            case Delay(seconds):
                self._stuck = True
                self._wait(seconds, reply)
            case Change(change) if reply.startswith(b"HTTP/1.1 200 "):
                self._transport.write(_with_body(reply[:split], change(reply[split:])))
            case _:
                self._transport.write(reply)

    def _end(self, last: bytes) -> None:
        self._stuck = True
        self._transport.write(last)
        self._transport.close()

    def _wait(self, seconds: float, reply: bytes) -> None:
        def send() -> None:
            self._transport.write(reply)
            self._resume()

        self._later = asyncio.get_running_loop().call_later(seconds, send)

    def _drip(self, rest: bytes, seconds: float) -> None:
        if not rest:
            self._resume()
            return

        def send() -> None:
            self._transport.write(rest[:1])
            self._drip(rest[1:], seconds)

        self._later = asyncio.get_running_loop().call_later(seconds, send)

    def _resume(self) -> None:
        self._stuck = False
        self.data_received(b"")


def _head(head: bytes) -> tuple[str, str, Mapping[str, str]]:
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return method, target, headers


def _with_body(head: bytes, body: bytes) -> bytes:
    lines = [line for line in head[: -len(END)].split(b"\r\n") if not line.lower().startswith(b"content-length:")]
    return b"\r\n".join([*lines, b"Content-Length: %d" % len(body)]) + END + body


@asynccontextmanager
async def serving(
    estate: Estate, *, faults: Plan = calm, lifetime: float = HOUR, port: int = 0
) -> AsyncIterator[Server]:
    """A fake AWS in this event loop, on a free port of loopback; lifetime: seconds that assumed credentials last."""
    server, connections = Server(estate, faults=faults, lifetime=lifetime), set[Connection]()
    listening = await asyncio.get_running_loop().create_server(
        partial(Connection, server, connections), "127.0.0.1", port, backlog=1024
    )
    server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        listening.close()
        for each in list(connections):
            each.close()
        await listening.wait_closed()


@dataclass(frozen=True, slots=True)
class Process:
    """A fake AWS in a process of its own, with the estate `Estate.random(seed, …)`."""

    url: str
    pid: int

    def calls(self, *, reset: bool = False) -> list[dict[str, str | int]]:
        """How many calls there were, by account, region, service and operation; `reset` counts from 0 again."""
        path = "reset" if reset else "calls"
        with urlopen(f"{self.url}/_fake/{path}") as reply:  # noqa: S310 - the URL is loopback's
            counted: list[dict[str, str | int]] = orjson.loads(reply.read())
        return counted


@contextmanager
def process(*, seed: int = 1, accounts: int = 3, regions: int = 2, resources: int = 500) -> Iterator[Process]:
    """Starts it and ends it with the block; it also ends when this process does."""
    wanted = {"seed": seed, "accounts": accounts, "regions": regions, "resources": resources, "port": 0}
    options = [text for name, value in wanted.items() for text in (f"--{name}", str(value))]
    child = subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-m", "benchmarks.fakeaws", "--until-eof", *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert child.stdin and child.stdout  # noqa: S101, PT018 - they are piped
    try:
        yield Process(child.stdout.readline().decode().strip(), child.pid)
    finally:
        child.stdin.close()
        child.send_signal(signal.SIGTERM)
        child.wait()
        child.stdout.close()


__all__ = ["Connection", "Process", "http", "process", "serving"]
