"""A bench: one fake AWS and one store, in which one program after another does the same work and is measured."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
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


@dataclass(frozen=True, slots=True)
class Effort:
    """How thoroughly is measured. warm: how many sweeps go before the measured ones. times: that bare calls are sent.

    calls: of empty replies, at least; pages: of full ones. syncs: what skysweep is to sweep, empty for all.
    seconds: for each step of micro.
    """

    warm: int = 3
    times: int = 3
    calls: int = 6_000
    pages: int = 12
    syncs: str = ""
    seconds: float = 1.0


SMOKE = Effort(warm=0, times=1, calls=300, pages=4, syncs="EC2Instance,EBSVolume,AWSRole,S3Bucket", seconds=0.02)
"""Whether it works at all."""


@dataclass(slots=True)
class Run:
    """How one program did. cpu, rss_mb: its own and its children's. calls, throttled: as the fake AWS counted them.

    nodes: all that the store holds after it; same: those of the estate's kinds. fake_cpu, store_cpu: of the two others.
    again: whether the store held all of it before, as on a schedule.
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
    again: bool = False

    def document(self) -> dict[str, Any]:
        """For JSON: without what it said, and with the counts by operation alone."""
        found = asdict(self)
        del found["told"], found["counts"]
        return found | {"operations": self.operations(), "said": self.told.tail if self.code else ""}

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
    """A fake AWS and a store that are up. say: told what goes on.

    anew: whether each program has to make constraints and indexes itself, as where it is the first.
    """

    fake: Fake
    held: Held
    home: Path
    effort: Effort
    say: Say
    anew: bool = False

    async def run(self, name: str, program: Program, *, codes: Sequence[int] = (0,), again: bool = False) -> Run:
        """Empties counters and (unless again) the graph, runs the program, and tells what came of it."""
        if not again:
            await self.held.empty(schema=self.anew)
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
            again=again,
        )

    def usage(self) -> dict[str, Any]:
        """What the fake AWS has used so far."""
        return self.fake.process.usage()

    async def sync(self, name: str, *options: str, again: bool = False) -> Run:
        """A sweep by skysweep's command line."""
        return await self.run(name, self.command(*options), codes=ours.CODES, again=again)

    def command(self, *options: str) -> Program:
        """Skysweep's command line for this bench."""
        narrow = ("--aws-requested-syncs", self.effort.syncs) if self.effort.syncs else ()
        return ours.sync(self.fake, self.held, self.home, *options, *narrow)

    async def warm(self) -> None:
        """Sweeps that are not measured: the store has compiled its code then, the fake AWS has made its replies."""
        for _ in range(self.effort.warm):
            await self.sync("warming up", *PACELESS)


async def alone(program: Program, *, codes: Sequence[int] = (0,)) -> Measured:
    """Runs a program that is measured, and waits for it."""
    return await anyio.to_thread.run_sync(partial(measured, program, codes=codes))


@asynccontextmanager
async def bench(setup: Setup, kind: Kind, effort: Effort, say: Say, *, anew: bool = False) -> AsyncIterator[Bench]:
    """Starts both; they end with the block."""
    say(f"starting the store ({kind}) and the fake AWS …")
    async with held(kind) as store:
        with beside(store, setup, effort, say, anew=anew) as at:
            yield at


@contextmanager
def beside(store: Held, setup: Setup, effort: Effort, say: Say, *, anew: bool = False) -> Iterator[Bench]:
    """A bench of a store that is up already."""
    with _home() as home, fake(setup) as aws:
        yield Bench(aws, store, Path(home), effort, say, anew)


def _home() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="skysweep-bench-home-", ignore_cleanup_errors=True)
