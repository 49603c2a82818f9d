"""`python -m benchmarks.fakeaws --accounts 10 --regions 4 --resources 10000`: prints its address and serves."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys

from benchmarks.fakeaws.estate import Estate
from benchmarks.fakeaws.identity import HOUR
from benchmarks.fakeaws.wire import serving


async def _serve(options: argparse.Namespace) -> None:
    estate = Estate.random(
        options.seed, accounts=options.accounts, regions=options.regions, resources=options.resources
    )
    async with serving(estate, lifetime=options.lifetime, port=options.port) as server:
        print(server.url, flush=True)
        if options.until_eof:
            await asyncio.to_thread(sys.stdin.read)
        else:
            await asyncio.Event().wait()


def main() -> None:
    """Reads the options and serves until it is ended."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fakeaws", description=__doc__)
    for name, value in (("seed", 1), ("accounts", 10), ("regions", 4), ("resources", 10_000), ("port", 0)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--lifetime", type=float, default=HOUR, help="seconds that assumed credentials last")
    parser.add_argument("--until-eof", action="store_true", help="end when standard input does")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(parser.parse_args()))


main()
