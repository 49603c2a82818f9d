"""What sweeps an estate, each as a program of its own: skysweep, Cartography, an afternoon's script, bare loops."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.estates import KEY
from skysweep.transport import loopback

OURS_OR_THEIRS = ("AWS_", "NEO4J_", "CARTOGRAPHY_", "SKYSWEEP_", "XDG_")


def environ(url: str, home: Path, **further: str) -> Mapping[str, str]:
    """An environment in which no AWS but the fake one at `url` can be reached."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS_OR_THEIRS)}
    return kept | aimed(url, home) | {"AWS_DEFAULT_REGION": "us-east-1"} | further


def aimed(url: str, home: Path) -> dict[str, str]:
    """The variables that lead AWS's clients to the fake AWS at `url`, and to no file of the user's."""
    if not loopback(urlsplit(url).hostname):
        raise ValueError(f"{url} is not on this machine")
    home.mkdir(parents=True, exist_ok=True)
    return {
        "HOME": str(home),
        "XDG_STATE_HOME": str(home / "state"),
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": "fake",
        "AWS_ENDPOINT_URL": url,
        "AWS_REGION": "us-east-1",
        "AWS_CONFIG_FILE": str(home / "no-config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(home / "no-credentials"),
        "AWS_EC2_METADATA_DISABLED": "true",
    }
