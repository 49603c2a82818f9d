"""`python -m benchmarks.fakeaws --accounts 10 --regions 4 --resources 10000`: prints its address and serves."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys

from benchmarks.fakeaws.estate import Estate
from benchmarks.fakeaws.identity import HOUR
from benchmarks.fakeaws.server import SPREAD
from benchmarks.fakeaws.wire import serving

WHOLE = (
    ("seed", 1, "of the estate, the latencies and production's turns"),
    ("accounts", 10, ""),
    ("regions", 4, ""),
    ("resources", 10_000, "in all, for a random estate"),
    ("port", 0, "on loopback; 0: a free one"),
)
REAL = (
    ("lifetime", HOUR, "seconds that assumed credentials last"),
    ("latency", 0.0, "seconds, the median of a log-normal distribution"),
    ("spread", SPREAD, "its sigma"),
    ("limits", 0.0, "AWS's token buckets times this; 0: none"),
    ("production", 0.0, "the share of every bucket that another client asks for, from 0 to 1"),
)


def _size(told: str) -> tuple[str, int]:
    listing, _, count = told.partition("=")
    return listing, int(count)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fakeaws", description=__doc__)
    for name, value, about in (*WHOLE, *REAL):
        parser.add_argument(f"--{name}", type=type(value), default=value, help=f"{about} (default: {value})".strip())
    parser.add_argument(
        "--size",
        type=_size,
        action="append",
        default=[],
        metavar="LISTING=N",
        help="ec2:DescribeInstances=200: in every region (or account) so many, and nothing that is not named",
    )
    parser.add_argument("--uniform", action="store_true", help="no random estate, even where no --size is given")
    parser.add_argument("--real", action="store_true", help="items as large as real ones, not with every member")
    parser.add_argument("--until-eof", action="store_true", help="end when standard input does")
    return parser.parse_args()


def _estate(options: argparse.Namespace) -> Estate:
    seed, accounts, regions = options.seed, options.accounts, options.regions
    if options.size or options.uniform:
        return Estate.uniform(dict(options.size), seed=seed, accounts=accounts, regions=regions)
    return Estate.random(seed, accounts=accounts, regions=regions, resources=options.resources)


async def _serve(options: argparse.Namespace) -> None:
    names = ("lifetime", "port", "latency", "spread", "limits", "production", "real")
    async with serving(_estate(options), **{name: getattr(options, name) for name in names}) as server:
        print(server.url, flush=True)
        if options.until_eof:
            await asyncio.to_thread(sys.stdin.read)
        else:
            await asyncio.Event().wait()


def main() -> None:
    """Reads the options and serves until it is ended."""
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(_options()))


main()
