"""The head of an HTTP request, of which only what is needed is read: a dozen headers come, and two to four are used."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

END = b"\r\n\r\n"

_SCOPE = 5  # key, date, region, service, aws4_request


class Caller(NamedTuple):
    """Who signed a request, and for what: the credential scope."""

    key: str
    region: str
    service: str


class Head:
    """A request's head. line: its first line, with method and target."""

    __slots__ = ("_head", "_small", "line")

    def __init__(self, head: bytes) -> None:
        """`head` is all up to the empty line."""
        self._head = head + b"\r\n"
        self._small = self._head.lower()  # names of headers may be spelled as one likes
        self.line = head[: self._head.index(b"\r\n")]

    def field(self, name: bytes) -> bytes:
        """The value of the header of that name (in small letters); empty where there is none."""
        start = self._small.find(b"\r\n" + name + b":")
        if start < 0:
            return b""
        start += len(name) + 3
        return self._head[start : self._head.index(b"\r\n", start)].strip()

    def length(self) -> int:
        """How many bytes of body follow."""
        return int(self.field(b"content-length") or 0)

    def target(self) -> tuple[str, str]:
        """The method and the target."""
        method, target, _ = self.line.decode("latin-1").split(" ", 2)
        return method, target

    def fields(self) -> Mapping[str, str]:
        """All headers, by their names in small letters."""
        lines = self._head.decode("latin-1").split("\r\n")[1:-1]
        parts = (line.partition(":") for line in lines)
        return {name.lower(): value.strip() for name, _, value in parts}

    def caller(self) -> Caller | None:
        """Who signed it; None where nobody did."""
        return _caller(self.field(b"authorization").partition(b",")[0])


@lru_cache(maxsize=65_536)
def _caller(signed: bytes) -> Caller | None:
    scope = signed.decode("latin-1").partition("Credential=")[2].split("/")
    if len(scope) < _SCOPE:
        return None
    key, _, region, service, _ = scope[-_SCOPE:]
    return Caller(key, region, service)
