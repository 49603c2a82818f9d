"""The demo's AWS as a context manager: moto's server in a child process on loopback."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from threading import Timer
from typing import IO, TYPE_CHECKING

from skysweep.errors import Unusable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ENVIRONMENT = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",  # 500 images nobody here launches
    "MOTO_IAM_LOAD_MANAGED_POLICIES": "true",  # those that the emulator keeps
    "MOTO_ACM_VALIDATION_WAIT": "0",  # seconds until a certificate is issued
    "MOTO_ALLOW_NONEXISTENT_REGION": "false",
}
"""The child's whole environment: it inherits nothing. IAM authorization is off, moto's default."""

START_SECONDS = 30.0
STOP_SECONDS = 5.0


@contextmanager
def aws(log: Path | None = None) -> Iterator[str]:
    """Run the emulated AWS and give its endpoint (`http://127.0.0.1:PORT`), listening; it ends with the block.

    It ends with this process too, however that ends: its stdin closes. Its stderr goes to `log`, else nowhere.
    Raises Unusable when it does not start.
    """
    with ExitStack() as stack:
        stderr = stack.enter_context(log.open("wb")) if log else subprocess.DEVNULL
        child = _start(stderr)
        stack.callback(_stop, child)
        port = _port(child)
        if not port:
            hint = f"see {log}" if log else "is moto installed? (pip install 'skysweep[demo]')"
            raise Unusable(f"the demo's emulated AWS did not start: {hint}")
        yield f"http://127.0.0.1:{port}"


def _start(stderr: IO[bytes] | int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "skysweep.demo.emulator"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        env=ENVIRONMENT,
        start_new_session=True,  # Ctrl-C in the terminal is the parent's to handle
    )


def _port(child: subprocess.Popen[bytes]) -> str:
    """Read the line the child prints once it listens; empty when it ended, or was ended for being slow."""
    assert child.stdout  # noqa: S101 - PIPE was asked for; this tells the type checker
    timer = Timer(START_SECONDS, child.kill)
    timer.start()
    try:
        return child.stdout.readline().decode().strip()
    finally:
        timer.cancel()


def _stop(child: subprocess.Popen[bytes]) -> None:
    """Close the child's stdin, which ends it; kill it when that does not."""
    try:
        child.communicate(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.communicate()
