"""A fake AWS in a process of its own, which whoever measures starts and asks for its counts and its cost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import orjson

from benchmarks.fakeaws.server import SPREAD


@dataclass(frozen=True, slots=True)
class Process:
    """A fake AWS in a process of its own."""

    url: str
    pid: int

    def calls(self, *, reset: bool = False) -> list[dict[str, str | int]]:
        """How many calls there were, and how many of them were throttled, by account, region, service and operation.

        `reset` counts from 0 again, with full buckets.
        """
        counted: list[dict[str, str | int]] = self._told("reset" if reset else "calls")
        return counted

    def usage(self) -> dict[str, Any]:
        """cpu_seconds of the process since it began; calls, throttled, bytes and production since the last reset.

        production: what it asked and got up to our last call of each bucket, and the least share of a bucket.
        """
        usage: dict[str, Any] = self._told("usage")
        return usage

    def buckets(self) -> list[dict[str, str | float]]:
        """Each bucket in use: account, region, service, action, burst, rate, calls, throttled, asked, got."""
        rows: list[dict[str, str | float]] = self._told("buckets")
        return rows

    def _told(self, about: str) -> Any:
        with urlopen(f"{self.url}/_fake/{about}") as reply:  # noqa: S310 - the URL is loopback's
            return orjson.loads(reply.read())


@contextmanager
def process(
    *,
    seed: int = 1,
    accounts: int = 3,
    regions: int = 2,
    resources: int = 500,
    sizes: Mapping[str, int] | None = None,
    latency: float = 0.0,
    spread: float = SPREAD,
    limits: float = 0.0,
    production: float = 0.0,
    real: bool = False,
) -> Iterator[Process]:
    """Starts it and ends it with the block; it also ends when this process does.

    sizes: items of each listing (``ec2:DescribeInstances``) in each region, or in each account where it is
    account-wide, instead of a random estate of so many `resources`. latency, spread: the median (seconds) and sigma of
    a log-normal distribution. limits: AWS's token buckets times this; 0: none. production: the share of every bucket
    that another client asks for. real: items are as large as real ones.
    """
    wanted: dict[str, float] = {"seed": seed, "accounts": accounts, "regions": regions, "resources": resources}
    wanted |= {"latency": latency, "spread": spread, "limits": limits, "production": production}
    options = [text for name, value in wanted.items() for text in (f"--{name}", str(value))]
    options += [text for listing, count in (sizes or {}).items() for text in ("--size", f"{listing}={count}")]
    options += ["--uniform"] if sizes is not None else []
    options += ["--real"] if real else []
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
