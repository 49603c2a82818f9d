"""A bench: one fake AWS and one store, in which one program after another does the same work and is measured."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import anyio.to_thread

from benchmarks.estates import LABELS, Fake, Setup, fake
from benchmarks.measure import Measured, Program, measured
from benchmarks.rivals import ours
from benchmarks.stores import Held, Kind, held

PACELESS = ("--rate-share", "0")
NOWHERE = Path(tempfile.gettempdir()) / "skysweep-bench-home"  # the HOME of what needs none
Say = Callable[[str], None]


@dataclass(slots=True)
class Run:
    """How one program did. cpu, rss_mb: its own and its children's. calls, throttled: as the fake AWS counted them.

    nodes: all that the store holds after it; same: those of the estate's kinds. fake_cpu, store_cpu: of the two others.
    """

    name: str
    code: int
    seconds: float
    cpu: float
    rss_mb: float
    calls: int
    throttled: int
    megabytes: float
    nodes: int
    same: int
    edges: int
    fake_cpu: float
    store_cpu: float
    counts: list[dict[str, Any]] = field(repr=False)
    told: Measured = field(repr=False)
    production: Mapping[str, float] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """For JSON: without what it said, and with the counts by operation alone."""
        found = asdict(self)
        del found["told"], found["counts"]
        return found | {"operations": self.operations()}

    def operations(self) -> dict[str, int]:
        """How many calls of each operation there were."""
        found: dict[str, int] = {}
        for each in self.counts:
            name = f"{each['service']}:{each['operation']}"
            found[name] = found.get(name, 0) + each["calls"]
        return dict(sorted(found.items()))

    @property
    def wanted(self) -> list[list[Any]]:
        """The calls, as bare.py takes them."""
        return [[each[name] for name in ("account", "region", "service", "operation", "calls")] for each in self.counts]


@dataclass(frozen=True, slots=True)
class Bench:
    """A fake AWS and a store that are up. say: told what goes on."""

    fake: Fake
    held: Held
    home: Path
    say: Say

    async def run(self, name: str, program: Program, *, codes: Sequence[int] = (0,)) -> Run:
        """Empties graph and counters, runs the program, and tells what came of it."""
        await self.held.empty()
        self.say(f"{name} …")
        self.fake.process.calls(reset=True)
        before, store = self.usage(), self.held.cpu()
        done = await alone(program, codes=codes)
        after, nodes = self.usage(), await self.held.nodes()
        counts = self.fake.process.calls()
        return Run(
            *(name, done.code, done.seconds, done.cpu, done.rss_mb),
            calls=sum(each["calls"] for each in counts),
            throttled=sum(each.get("throttled", 0) for each in counts),
            megabytes=(after["bytes"] - before["bytes"]) / 1e6,
            nodes=nodes[""],
            same=sum(nodes.get(label, nodes.get(label.removeprefix("AWS"), 0)) for label in LABELS.values()),
            edges=await self.held.edges(),
            fake_cpu=after["cpu_seconds"] - before["cpu_seconds"],
            store_cpu=self.held.cpu() - store,
            counts=counts,
            told=done,
            production=after.get("production", {}),
        )

    def usage(self) -> dict[str, Any]:
        """What the fake AWS has used so far."""
        return self.fake.process.usage()

    async def sync(self, name: str, *options: str) -> Run:
        """A sweep by skysweep's command line."""
        return await self.run(name, ours.sync(self.fake, self.held, self.home, *options), codes=ours.CODES)

    async def warm(self) -> None:
        """A sweep that is not measured: the store has compiled its code then, the fake AWS has made its replies."""
        await self.sync("warming up", *PACELESS)


async def alone(program: Program, *, codes: Sequence[int] = (0,)) -> Measured:
    """Runs a program that is measured, and waits for it."""
    return await anyio.to_thread.run_sync(partial(measured, program, codes=codes))


@asynccontextmanager
async def bench(setup: Setup, kind: Kind, say: Say) -> AsyncIterator[Bench]:
    """Starts both; they end with the block."""
    with tempfile.TemporaryDirectory(prefix="skysweep-bench-home-", ignore_cleanup_errors=True) as home:
        say(f"starting the store ({kind}) and the fake AWS …")
        async with held(kind) as store:
            with fake(setup) as aws:
                yield Bench(aws, store, Path(home), say)
