"""What it costs to take a reply apart: the same bytes by our parser and by botocore's own.

Order (JSON on standard input): as bare.py's; each operation's replies are fetched once and parsed again and again.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from aiobotocore.parsers import create_parser
from aiobotocore.session import AioSession

from benchmarks.estates import Fake
from benchmarks.measure import Program
from benchmarks.rivals import bare
from skysweep.replies import ParserFactory

KEPT = 3  # replies of each operation
BUDGET = 0.03  # seconds for each measurement
LEAST = 3  # times that each is parsed at least


@dataclass
class Replies:
    """Replies as they came, by operation: what a parser takes, and the shape that it goes by."""

    kept: dict[tuple[str, str], list[tuple[dict[str, Any], Any, str]]] = field(default_factory=dict)

    def keep(self, operation_model: Any, response_dict: dict[str, Any], **_: Any) -> None:
        """Botocore's hook before it parses."""
        service = operation_model.service_model
        some = self.kept.setdefault((service.service_name, operation_model.name), [])
        if len(some) < KEPT and response_dict["status_code"] == 200:  # noqa: PLR2004 - the answers
            some.append((dict(response_dict), operation_model.output_shape, service.resolved_protocol))


async def best(parse: Callable[[], Awaitable[Any]]) -> float:
    """The least seconds that it takes."""
    times: list[float] = []
    end = time.perf_counter() + BUDGET
    while len(times) < LEAST or time.perf_counter() < end:
        began = time.perf_counter()
        await parse()
        times.append(time.perf_counter() - began)
    return min(times)


async def compared(replies: Replies) -> list[dict[str, Any]]:
    """For each operation: a reply's bytes, and milliseconds that ours and botocore's parser take, in the mean."""
    found = []
    for (service, operation), some in sorted(replies.kept.items()):
        if not some:
            continue
        ours, theirs = [], []
        for reply, shape, protocol in some:
            mine, other = ParserFactory().create_parser(protocol), create_parser(protocol)
            ours.append(await best(partial(mine.parse, reply, shape)))
            theirs.append(await best(partial(other.parse, reply, shape)))
        size = sum(len(reply["body"]) for reply, *_ in some) / len(some)
        row = {"service": service, "operation": operation, "bytes": round(size)}
        means = {name: 1e3 * sum(each) / len(each) for name, each in (("ours_ms", ours), ("botocore_ms", theirs))}
        found.append(row | means | {"longest_ms": 1e3 * max(ours)})
    return found


def program(fake: Fake, home: Path, wanted: Iterable[Sequence[Any]]) -> Program:
    """This script, for the replies to these calls of the fake AWS."""
    made = bare.program(fake, home, wanted)
    return Program([sys.executable, "-m", __name__], made.environ, made.given)


async def _main() -> None:
    bare.localhost_names_are_loopback()
    order = json.load(sys.stdin)
    wanted, seen, replies = [bare.Some(*each) for each in order["calls"]], set[tuple[str, str]](), Replies()
    few = [each for each in wanted if (each.service, each.operation) not in seen and not seen.add(each[2:4])]  # type: ignore[func-returns-value]
    hooked = AioSession.create_client

    def create(self: AioSession, *args: Any, **kwargs: Any) -> Any:
        self.register("before-parse", replies.keep, unique_id="benchmark")
        return hooked(self, *args, **kwargs)

    AioSession.create_client = create
    async with bare.aiobotocore(order, few) as ask:
        await bare.done([*bare.jobs(each._replace(calls=min(each.calls, KEPT)) for each in few)], ask, 1)
    print(json.dumps(await compared(replies)))


if __name__ == "__main__":
    asyncio.run(_main())
