"""Which graph: the address of a Neo4j, or a folder. Apart from `store.py`, which brings the driver along."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit


@dataclass(frozen=True)
class StoreSettings:
    """Which graph. uri: Bolt address of a Neo4j; None: the embedded graph in `folder`."""

    uri: str | None
    user: str | None
    password: str | None
    database: str | None
    folder: Path

    def __repr__(self) -> str:
        where = f"uri={shown(self.uri)!r}, database={self.database!r}" if self.uri else f"folder={str(self.folder)!r}"
        return f"StoreSettings({where})"


def shown(uri: str | None) -> str:
    """The address without the user and password that somebody may have put in it."""
    parts = urlsplit(uri or "")
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
