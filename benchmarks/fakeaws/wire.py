"""HTTP/1.1 on loopback: a raw asyncio.Protocol that cuts requests at their headers and performs the faults.

A server of aiohttp makes objects of everything a request has; here a head is searched for the few headers that tell.
The requests of one connection are answered one after another, however long each takes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from benchmarks.fakeaws.buckets import Buckets
from benchmarks.fakeaws.estate import Estate
from benchmarks.fakeaws.faults import Change, Cut, Delay, Drip, Drop, Fault, Hang, Plan, calm
from benchmarks.fakeaws.heads import END, Head
from benchmarks.fakeaws.identity import HOUR
from benchmarks.fakeaws.server import SPREAD, Server, latencies
from benchmarks.fakeaws.wheel import Wheel


class Connection(asyncio.Protocol):
    """One client's connection: requests are answered in turn."""

    def __init__(self, server: Server, open_ones: set[Connection], wheel: Wheel) -> None:
        self._server = server
        self._wheel = wheel
        self._open = open_ones
        self._data = b""
        self._stuck = False  # whatever comes, nothing is read any more
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keeps the transport."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - what create_server makes
        self._transport = transport
        self._open.add(self)

    def connection_lost(self, _: Exception | None) -> None:
        """Forgets the connection."""
        self._open.discard(self)

    def close(self) -> None:
        """Ends the connection at once."""
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Answers each request that is whole, one after another."""
        self._data = self._data + data if self._data else data
        while self._data and not self._stuck:
            end = self._data.find(END)
            if end < 0:
                return
            head, start = Head(self._data[:end]), end + len(END)
            whole = start + head.length()
            if len(self._data) < whole:
                if len(self._data) == start and head.field(b"expect") == b"100-continue":
                    self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                return
            body, self._data = self._data[start:whole], self._data[whole:]
            self._answer(*self._server.answer(head, body))

    def _answer(self, reply: bytes, wait: float, fault: Fault | None) -> None:
        if isinstance(fault, Delay):
            wait += fault.seconds
        if wait:
            self._stuck = True  # what follows waits for its turn
            self._wheel.later(wait, partial(self._late, reply, fault))
        else:
            self._perform(reply, fault)

    def _late(self, reply: bytes, fault: Fault | None) -> None:
        if self._transport.is_closing():
            return
        self._stuck = False
        self._perform(reply, fault)
        if self._data:
            self.data_received(b"")

    def _perform(self, reply: bytes, fault: Fault | None) -> None:
        if fault is None:
            self._transport.write(reply)
            return
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
            case Change(change) if reply.startswith(b"HTTP/1.1 200 "):
                self._transport.write(_with_body(reply[:split], change(reply[split:])))
            case _:
                self._transport.write(reply)

    def _end(self, last: bytes) -> None:
        self._stuck = True
        self._transport.write(last)
        self._transport.close()

    def _drip(self, rest: bytes, seconds: float) -> None:
        if self._transport.is_closing():
            return
        if not rest:
            self._stuck = False
            self.data_received(b"")
            return

        def send() -> None:
            self._transport.write(rest[:1])
            self._drip(rest[1:], seconds)

        asyncio.get_running_loop().call_later(seconds, send)


def _with_body(head: bytes, body: bytes) -> bytes:
    lines = [line for line in head[: -len(END)].split(b"\r\n") if not line.lower().startswith(b"content-length:")]
    return b"\r\n".join([*lines, b"Content-Length: %d" % len(body)]) + END + body


@asynccontextmanager
async def serving(
    estate: Estate,
    *,
    faults: Plan = calm,
    lifetime: float = HOUR,
    port: int = 0,
    latency: float = 0.0,
    spread: float = SPREAD,
    limits: float = 0.0,
    production: float = 0.0,
    real: bool = False,
) -> AsyncIterator[Server]:
    """A fake AWS in this event loop, on a free port of loopback.

    lifetime: seconds that assumed credentials last. latency: the median of a log-normal distribution, in seconds, and
    spread: its sigma. limits: AWS's token buckets times this; 0: none. production: the share of each bucket that
    another client asks for. real: items are as large as real ones.
    """
    server = Server(
        estate,
        faults=faults,
        lifetime=lifetime,
        latencies=latencies(latency, spread=spread, seed=estate.seed),
        buckets=Buckets(limits, production=production, seed=estate.seed) if limits or production else None,
        real=real,
    )
    connections = set[Connection]()
    listening = await asyncio.get_running_loop().create_server(
        partial(Connection, server, connections, Wheel()), "127.0.0.1", port, backlog=1024
    )
    server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        listening.close()
        for each in list(connections):
            each.close()
        await listening.wait_closed()
