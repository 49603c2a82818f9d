"""Cartography 0.143.0, in an environment of its own that is made when it is wanted; it writes to a Neo4j alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.estates import ROLE, Fake
from benchmarks.measure import ROOT, Program
from benchmarks.rivals import environ
from benchmarks.stores import Held

VERSION = "0.143.0"
CACHE = Path.home() / ".cache" / "skysweep-tests" / f"cartography-{VERSION}"
RUNNER = ROOT / "tests" / "oracle" / "cartography_run.py"  # the stages `create-indexes` and `aws`, the same modules


def python(folder: Path | None = None) -> Path:
    """The Python of Cartography's environment: in this folder, else in the cache, where it is made (184 packages)."""
    if folder is not None:
        found = folder / "bin" / "python"
        if not found.exists():
            raise FileNotFoundError(f"--cartography: there is no {found}")
        return found
    found = CACHE / "bin" / "python"
    if not (CACHE / "complete").exists():
        _made(found)
        (CACHE / "complete").touch()
    return found


def sync(fake: Fake, held: Held, home: Path, folder: Path | None = None) -> Program:
    """Its sync of the same accounts, regions and modules into the Neo4j, by a profile for each account."""
    config = home / "cartography.config"
    home.mkdir(parents=True, exist_ok=True)
    config.write_text(
        "".join(
            f"[profile account-{account}]\nrole_arn = arn:aws:iam::{account}:role/{ROLE}\n"
            f"credential_source = Environment\nregion = {fake.regions[0]}\n"
            for account in fake.accounts
        ),
        encoding="utf-8",
    )
    words = [str(python(folder)), str(RUNNER), held.bolt.uri or ""]
    for region in fake.regions:
        words += ["--region", region]
    variables = {
        "AWS_CONFIG_FILE": str(config),
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "NEO4J_USER": held.bolt.user or "",
        "NEO4J_PASSWORD": held.bolt.password or "",
    }
    # S3 Control puts the account before the host's name: ACCOUNT.localhost.
    return Program(words, {**environ(fake.url, home, **variables), "AWS_ENDPOINT_URL": _named(fake.url)})


def _named(url: str) -> str:
    return f"http://localhost:{urlsplit(url).port}"


def _made(python: Path) -> None:
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    package = f"cartography=={VERSION}"
    if uv:
        commands = [[uv, "venv", "--clear", str(CACHE)], [uv, "pip", "install", "--python", str(python), package]]
    else:
        commands = [[sys.executable, "-m", "venv", "--clear", str(CACHE)]]
        commands += [[str(python), "-m", "pip", "install", "--quiet", package]]
    for words in commands:
        subprocess.run(words, check=True, stdout=sys.stderr)  # noqa: S603 - our own words
