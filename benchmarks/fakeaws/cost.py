"""`python -m benchmarks.fakeaws.cost`: what the fake costs, the client (a bare aiobotocore one) in another process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session

from benchmarks.fakeaws.elsewhere import process

AT_ONCE = 30
INSTANCES = "ec2:DescribeInstances"


@dataclass(frozen=True)
class Case:
    """What is asked, how often, and of a fake with which options."""

    name: str
    times: int
    options: Mapping[str, Any] = field(default_factory=dict)


CASES = (
    Case("empty page", 3000, {"sizes": {}}),
    Case("empty page, 30 ms", 3000, {"sizes": {}, "latency": 0.03}),
    Case("empty page, 30 ms, buckets", 3000, {"sizes": {}, "latency": 0.03, "limits": 1000.0, "production": 0.5}),
    Case("100 real instances, 30 ms", 150, {"sizes": {INSTANCES: 100}, "latency": 0.03, "real": True}),
    Case("1,000 real instances, 30 ms", 30, {"sizes": {INSTANCES: 1000}, "latency": 0.03, "real": True}),
)


async def _ask(url: str, times: int) -> None:
    """So many calls, a few at once; their answers are thrown away."""
    left = iter(range(times))
    settings = AioConfig(max_pool_connections=AT_ONCE, retries={"mode": "standard", "total_max_attempts": 1})
    keys = {"aws_access_key_id": "hub", "aws_secret_access_key": "fake"}
    made = get_session().create_client("ec2", region_name="us-east-1", endpoint_url=url, config=settings, **keys)

    async with made as client:

        async def some() -> None:
            for _ in left:
                await client.describe_instances(MaxResults=1000)

        await asyncio.gather(*(some() for _ in range(AT_ONCE)))


def _measured(case: Case) -> tuple[float, float, int]:
    """CPU a call, the fake's and the client's in seconds, and the bytes of a reply."""
    with process(**case.options) as fake:
        asyncio.run(_ask(fake.url, 1 + case.times // 10))  # bodies are rendered, models read
        fake.calls(reset=True)
        before, mine = fake.usage()["cpu_seconds"], time.process_time()
        asyncio.run(_ask(fake.url, case.times))
        mine, after = time.process_time() - mine, fake.usage()
        calls = after["calls"]
        return (after["cpu_seconds"] - before) / calls, mine / calls, after["bytes"] // calls


def main() -> None:
    """Measures each case and prints it."""
    print(f"{'':30}{'the fake':>12}{'the client':>12}{'share':>8}{'bytes':>12}")
    for case in CASES:
        fake, client, size = _measured(case)
        print(f"{case.name:30}{fake * 1e6:9.0f} us{client * 1e6:9.0f} us{fake / client:8.2f}{size:12,}", flush=True)


if __name__ == "__main__":
    main()
