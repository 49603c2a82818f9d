"""`micro`: what the steps of a sweep cost by the piece: replies taken apart, records, Cypher, ledger, pace.

Each is done again and again for a while, and the fastest counts: what is slower has met another program. (pyperf and
pytest-benchmark spread a figure over processes, which takes minutes and says the same of steps as long as these.)
"""

from __future__ import annotations

import asyncio
import gc
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks import decode
from benchmarks.bench import NOWHERE, Effort, Say, alone
from benchmarks.estates import Setup, fake
from benchmarks.fakeaws import Estate
from benchmarks.fakeaws.answers import Answers
from benchmarks.fakeaws.models import operation
from benchmarks.rivals import bare, ours
from benchmarks.tables import Result, Table, ratio
from skysweep import catalogue, cypher, paths
from skysweep.ledger import Ledger, Past
from skysweep.limits import Limits
from skysweep.model import Context
from skysweep.outcomes import Outcome, UnitResult
from skysweep.plan import Account, Target
from skysweep.records import Maker

LISTINGS = (
    *("ec2:DescribeInstances", "ec2:DescribeNetworkInterfaces", "ec2:DescribeVolumes", "ec2:DescribeSecurityGroups"),
    *("ec2:DescribeSubnets", "iam:ListRoles", "iam:ListUsers", "lambda:ListFunctions", "s3:ListBuckets"),
    *("rds:DescribeDBInstances", "dynamodb:ListTables", "sqs:ListQueues"),
)


@dataclass(frozen=True, slots=True)
class Step:
    """A step: what is counted, how many of it one go does, and the go."""

    name: str
    unit: str
    count: int
    go: Callable[[], object]


def fastest(go: Callable[[], object], budget: float) -> float:
    """The least seconds of a go, tried for so many seconds, twice at least; the collector of garbage waits."""
    times: list[float] = []
    end = time.perf_counter() + budget
    gc.collect()
    gc.disable()
    try:
        while len(times) < 2 or time.perf_counter() < end:  # noqa: PLR2004 - twice
            began = time.perf_counter()
            go()
            times.append(time.perf_counter() - began)
    finally:
        gc.enable()
    return min(times)


async def done(result: Result, say: Say, *, effort: Effort, items: int, real: bool = False) -> None:
    """Fills the result; items: of each reply."""
    say("replies …")
    setup = Setup(accounts=1, regions=1, sizes=dict.fromkeys(LISTINGS, items), real=real)
    with fake(setup) as aws:
        wanted = bare.listings(aws)
        costs = json.loads((await alone(decode.program(aws, NOWHERE, wanted))).out)
    for cost in costs:
        cost["times"] = ratio(cost["botocore_ms"], cost["ours_ms"])
    result.figures["decode"] = costs
    largest = sorted(costs, key=lambda cost: -cost["bytes"])[: len(LISTINGS)]
    columns = ("bytes", "ours_ms", "botocore_ms", "times")
    replies = [(f"{each['service']}:{each['operation']}", *(each[x] for x in columns)) for each in largest]
    heads = ("reply", "bytes", "ours, ms", "botocore's, ms", "times faster")
    result.tables.append(Table("Replies taken apart", heads, replies))
    longest = max(costs, key=lambda cost: cost["longest_ms"])
    result.remarks.append(f"The longest: {longest['longest_ms']:.0f} ms for a reply of {longest['operation']}.")
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder, Ledger(Path(folder)) as ledger:
        for step in (*_records(items), _cypher(), *_ledger(ledger), _limits()):
            say(f"{step.name} …")
            seconds = await asyncio.to_thread(fastest, step.go, effort.seconds)
            found[step.name] = {"unit": step.unit, "us": 1e6 * seconds / step.count, "per_second": step.count / seconds}
    result.figures["steps"] = found
    say("start-up …")
    result.figures["start-up"] = await _started(effort)
    started = [(name, each["seconds"], each["cpu"]) for name, each in result.figures["start-up"].items()]
    result.tables.append(Table("Start-up", ("command", "s", "CPU s"), started))
    rows = [(f"{name} ({each['unit']})", each["us"], each["per_second"]) for name, each in found.items()]
    result.tables.append(Table("Steps", ("step", "us each", "a second"), rows))


async def _started(effort: Effort) -> dict[str, dict[str, float]]:
    """Wall clock and CPU of `skysweep --help` and of `skysweep plan` on one account, the least of some."""
    with fake(Setup(accounts=1, regions=1, resources=0)) as aws:
        plan = ours.plan(aws, NOWHERE)
        usage = replace(plan, words=[*plan.words[:3], "--help"])
        found = {}
        for name, program in (("skysweep --help", usage), ("skysweep plan", plan)):
            tries = [await alone(program) for _ in range(2 * effort.times)]  # the first may have to compile
            found[name] = {"seconds": min(x.seconds for x in tries), "cpu": min(x.cpu for x in tries)}
    return found


def _records(items: int) -> Iterator[Step]:
    """Records of some listings made rows and links, as the outbox does."""
    for name in ("EC2Instance", "AWSNetworkInterface", "EBSVolume", "AWSLambda"):
        [type_] = [each for each in catalogue.load().types if each.name == name]
        call = type_.source.call
        estate = Estate.uniform({f"{call.service}:{call.operation}": items}, accounts=1, regions=1)
        account, region = estate.accounts[0], estate.regions[0]
        asked = operation(call.service, call.operation)
        reply, _ = Answers(estate).reply(asked, {}, account, region, whole=True)
        records = list(paths.records(type_.source.path, reply, Context(account, region), None))
        maker = Maker(type_, 1)

        def go(maker: Maker = maker, records: list[Any] = records) -> None:
            for record in records:
                row = maker.row(record)
                list(maker.links(record, row["id"]))

        yield Step(f"records of {name}", "record", len(records), go)


def _cypher() -> Step:
    types = catalogue.load().types

    def go() -> None:
        for type_ in types:
            cypher.upsert(type_, labels_are_types=False)
            for edge in type_.edges:
                cypher.link(type_, edge)

    return Step("cypher", "statement", len(types) + sum(len(type_.edges) for type_ in types), go)


def _ledger(ledger: Ledger) -> Iterator[Step]:
    """A thousand units noted, and a thousand links spooled, in a transaction each."""
    account, count = Account("123456789012", regions=("us-east-1",)), 1_000
    ledger.begin(Past("bench", 1, 0.0, "running"), [account])
    places = [("us-east-1", f"vol-{number:017x}", f"i-{number:017x}") for number in range(count)]
    units = [
        (UnitResult(account.id, own, "ec2", "DescribeVolumes", Outcome.COMPLETE, 9, 1, 0.1, None, ()), "{}")
        for _, own, _ in places
    ]
    links = [(account.id, "EBSVolume.instance", start, end, region, "{}") for region, start, end in places]
    yield Step("ledger: units", "unit", count, lambda: ledger.record("bench", units))
    yield Step("ledger: links", "link", count, lambda: ledger.spool("bench", links))


def _limits(count: int = 1_000) -> Step:
    """Tokens that are there: what the pace costs when nobody has to wait."""

    async def take() -> None:
        limits = Limits(1.0)
        targets = [Target(f"{number:012d}", "us-east-1") for number in range(count)]
        for target in targets:
            await limits.take(target, "ec2", "DescribeVolumes")

    return Step("limits", "call", count, lambda: asyncio.run(take()))
