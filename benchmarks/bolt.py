"""A TCP proxy before a Bolt server that goes away, delays, and cuts connections between a commit and its answer.

It reads as much of the protocol as tells it which summary answers which message: the handshake, the chunks, and the
first bytes of each message. bolt:// only: with neo4j:// the driver would be told the server's own address.
"""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import anyio
from anyio.abc import SocketStream
from anyio.streams.buffered import BufferedByteReceiveStream

HELD = 1024  # bytes kept of a message: its kind, and the few words of metadata that matter
GOODBYE, RESET, RUN, BEGIN, COMMIT, ROLLBACK, SUCCESS, RECORD = 0x02, 0x0F, 0x10, 0x11, 0x12, 0x13, 0x70, 0x71
PULLS = {0x2F, 0x3F}  # DISCARD, PULL
READING, UNFINISHED = b"\x84mode\x81r", b"\x88has_more\xc3"  # PackStream's {"mode": "r"} and {"has_more": true}
MANIFEST = b"\x00\x00\x01\xff"
LOST = (OSError, anyio.EndOfStream, anyio.IncompleteRead, anyio.BrokenResourceError, anyio.ClosedResourceError)

Which = Callable[[int], bool]
"""Which commits, by their number from 1."""


def never(number: int) -> bool:
    """No commit."""
    del number
    return False


def unwatched(statement: bytes) -> None:
    """Nobody wants to know of a statement."""
    del statement


def every(n: int) -> Which:
    """Every n-th commit."""
    return lambda number: number % n == 0


class Chunks:
    """The messages in one direction of a connection, as their bytes come; of each the first HELD bytes."""

    def __init__(self) -> None:
        self._left = bytearray()
        self._message = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The messages that these bytes complete."""
        self._left += data
        at = 0
        while len(self._left) >= at + 2:
            size = int.from_bytes(self._left[at : at + 2])
            if len(self._left) < at + 2 + size:
                break
            if size:
                self._message += self._left[at + 2 : at + 2 + min(size, HELD - len(self._message))]
            elif self._message:  # a lone end is a keep-alive
                yield bytes(self._message)
                self._message.clear()
            at += 2 + size
        del self._left[:at]


@dataclass
class Exchange:
    """What one connection has under way: which messages wait for their summary, and which of those commit."""

    asked: deque[bool] = field(default_factory=deque)  # whether its success makes a write last, in order
    open: bool = False  # within BEGIN and COMMIT
    reading: bool = False  # BEGIN or RUN said so

    def request(self, message: bytes) -> None:
        """The client has sent a message."""
        kind = message[1]
        if kind in {BEGIN, RUN} and not (self.open and kind == RUN):
            self.reading = READING in message
        commits = not self.reading and (kind == COMMIT or (kind in PULLS and not self.open))
        if kind != GOODBYE:
            self.asked.append(commits)
        if kind == BEGIN:
            self.open = True
        elif kind in {COMMIT, ROLLBACK, RESET}:
            self.open = False

    def answer(self, message: bytes) -> bool:
        """The server has sent a message; whether it says that a write is committed."""
        kind = message[1]
        if kind == RECORD:
            return False
        commits = self.asked.popleft()
        return commits and kind == SUCCESS and UNFINISHED not in message


class BoltProxy:
    """The proxy. Set `away`, `delay` (seconds before each piece of an answer) and `cut_after_commit` at any time.

    watch: told the first bytes of each statement, before the server gets it.
    commits: writes that the server has confirmed to it. cuts: connections cut right then. connections: ever accepted.
    """

    def __init__(self, host: str, port: int, own: int) -> None:
        self.url = f"bolt://127.0.0.1:{own}"
        self.delay = 0.0
        self.cut_after_commit: Which = never
        self.watch: Callable[[bytes], object] = unwatched
        self.commits = self.cuts = self.connections = 0
        self._upstream, self._own = (host, port), own
        self._away = False
        self.listening = anyio.Event()  # once it listens for the first time
        self._turned = anyio.Event()
        self._committed = anyio.Event()
        self._scopes: set[anyio.CancelScope] = set()

    @property
    def away(self) -> bool:
        """Whether all connections are cut, and new ones refused."""
        return self._away

    @away.setter
    def away(self, away: bool) -> None:
        self._away = away
        turned, self._turned = self._turned, anyio.Event()
        turned.set()
        if away:
            self.cut()

    def cut(self) -> None:
        """Cuts every connection now; new ones are welcome."""
        for scope in self._scopes:
            scope.cancel()

    async def committed(self, number: int) -> None:
        """Waits until so many writes are committed."""
        while self.commits < number:
            await self._committed.wait()

    async def run(self) -> None:
        """Listens while it is not away; ends by cancellation."""
        async with anyio.create_task_group() as connections:
            while True:
                while self._away:
                    await self._turned.wait()
                listener = await anyio.create_tcp_listener(
                    local_host="127.0.0.1", local_port=self._own, reuse_port=True
                )
                async with listener, anyio.create_task_group() as listening:
                    self.listening.set()
                    listening.start_soon(listener.serve, self._connection, connections)
                    while not self._away:
                        await self._turned.wait()
                    listening.cancel_scope.cancel()

    async def _connection(self, client: SocketStream) -> None:
        self.connections += 1
        scope = anyio.CancelScope()
        self._scopes.add(scope)
        try:
            with scope, suppress(*LOST):  # either end may go at any time: the other is told by going, too
                async with await anyio.connect_tcp(*self._upstream) as server:
                    await self._pass_on(client, server)
        finally:
            self._scopes.discard(scope)
            await anyio.aclose_forcefully(client)

    async def _pass_on(self, client: SocketStream, server: SocketStream) -> None:
        requests, answers = BufferedByteReceiveStream(client), BufferedByteReceiveStream(server)
        await _handshake(requests, answers, client, server)
        exchange = Exchange()
        async with anyio.create_task_group() as ways:
            ways.start_soon(self._requests, requests, server, exchange, ways.cancel_scope)
            ways.start_soon(self._answers, answers, client, exchange, ways.cancel_scope)

    async def _requests(
        self, source: BufferedByteReceiveStream, to: SocketStream, exchange: Exchange, scope: anyio.CancelScope
    ) -> None:
        chunks = Chunks()
        with suppress(*LOST):
            while True:
                data = await source.receive()
                for message in chunks.feed(data):
                    exchange.request(message)
                    if message[1] == RUN:
                        self.watch(message)
                await to.send(data)
        scope.cancel()

    async def _answers(
        self, source: BufferedByteReceiveStream, to: SocketStream, exchange: Exchange, scope: anyio.CancelScope
    ) -> None:
        chunks = Chunks()
        with suppress(*LOST):
            while True:
                data = await source.receive()
                if self._cuts(sum(map(exchange.answer, chunks.feed(data)))):
                    break  # what the server has said so last is not delivered
                if self.delay:
                    await anyio.sleep(self.delay)
                await to.send(data)
        scope.cancel()

    def _cuts(self, commits: int) -> bool:
        """Counts commits; whether one of them is to be cut."""
        chosen = [
            number for number in range(self.commits + 1, self.commits + commits + 1) if self.cut_after_commit(number)
        ]
        if commits:
            self.commits += commits
            self._committed.set()
            self._committed = anyio.Event()
        self.cuts += bool(chosen)
        return bool(chosen)


async def _handshake(
    requests: BufferedByteReceiveStream, answers: BufferedByteReceiveStream, client: SocketStream, server: SocketStream
) -> None:
    """Passes on what comes before the messages: the magic with four proposals, and the version agreed on."""
    await server.send(await requests.receive_exactly(20))
    chosen = await answers.receive_exactly(4)
    await client.send(chosen)
    if chosen != MANIFEST:
        return
    count = await _number(answers)
    versions = await answers.receive_exactly(4 * _value(count))
    await client.send(count + versions + await _number(answers))
    await server.send(await requests.receive_exactly(4) + await _number(requests))


async def _number(stream: BufferedByteReceiveStream) -> bytes:
    """A number of seven bits a byte, as it is sent."""
    read = await stream.receive_exactly(1)
    while read[-1] & 0x80:
        read += await stream.receive_exactly(1)
    return read


def _value(number: bytes) -> int:
    return sum((byte & 0x7F) << (7 * place) for place, byte in enumerate(number))


@asynccontextmanager
async def bolt_proxy(host: str, port: int) -> AsyncIterator[BoltProxy]:
    """A proxy on a free port of loopback, ready when the block begins; it ends with it."""
    with socket.socket() as kept:  # bound and never listening: the port stays ours, and refuses, while it is away
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        kept.bind(("127.0.0.1", 0))
        proxy = BoltProxy(host, port, kept.getsockname()[1])
        failure: Exception | None = None
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(proxy.run)
            await proxy.listening.wait()
            try:
                yield proxy
            except Exception as error:  # noqa: BLE001 - raised below, as it is: the group would wrap it
                failure = error
            finally:
                tasks.cancel_scope.cancel()
        if failure:
            raise failure
