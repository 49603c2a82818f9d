"""Messages between the processes of one sweep, through a socket that they alone have."""

from __future__ import annotations

import pickle
from socket import socket
from struct import Struct
from typing import Any, Self

import anyio
from anyio.abc import SocketStream
from anyio.streams.buffered import BufferedByteReceiveStream

_LENGTH = Struct("<I")
GONE = (anyio.EndOfStream, anyio.IncompleteRead, anyio.BrokenResourceError, anyio.ClosedResourceError)
"""What is raised where the other side has ended."""


class Channel:
    """Sends and receives whole messages, of any values of ours; a full socket makes the sender wait."""

    def __init__(self, stream: SocketStream) -> None:
        self._stream = stream
        self._reading = BufferedByteReceiveStream(stream)
        self._turn = anyio.Lock()

    @classmethod
    async def of(cls, own: socket) -> Self:
        """The channel through one end of a pair of sockets."""
        return cls(await SocketStream.from_socket(own))

    async def send(self, message: Any) -> None:
        """Sends one message. Raises one of GONE."""
        data = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
        async with self._turn:
            await self._stream.send(_LENGTH.pack(len(data)) + data)

    async def receive(self) -> Any:
        """The next message. Raises one of GONE."""
        (length,) = _LENGTH.unpack(await self._reading.receive_exactly(_LENGTH.size))
        return pickle.loads(await self._reading.receive_exactly(length))  # noqa: S301 - from a process of this sweep, by a socket that no other has

    async def aclose(self) -> None:
        """Closes this end."""
        await self._stream.aclose()
