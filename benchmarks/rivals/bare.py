"""The same calls and nothing else: by bare aiobotocore, which is the limit, and by our own way of asking.

The calls are those that the referee counted: each listing with all of its pages, each detail with made-up identifiers.
What leads to the accounts (sts:AssumeRole …) is left out. The answers are thrown away. Clients are made and used once
before the clock runs. Order (JSON on standard input): url, by (`aiobotocore` or `skysweep`), concurrency, apart
(whether each account has clients of its own, which it needs where its estate is another), calls: [[account, region,
service, operation, calls] …].
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import cache
from itertools import cycle
from pathlib import Path
from typing import Any, NamedTuple

from aiobotocore.config import AioConfig
from aiobotocore.credentials import AioCredentials
from aiobotocore.session import get_session
from botocore import xform_name
from botocore.exceptions import ClientError, UnknownServiceError

from benchmarks.estates import KEY, Fake
from benchmarks.fakeaws.identity import key_of
from benchmarks.measure import Program
from benchmarks.rivals import environ
from skysweep import calls, catalogue, pagers, regions
from skysweep.clients import AwsSettings, Clients
from skysweep.errors import CallFailed
from skysweep.limits import Limits
from skysweep.model import Among, Call, Context
from skysweep.outcomes import Tally
from skysweep.pagers import Pager
from skysweep.paging import pages
from skysweep.plan import GLOBAL, Target

MADE_UP = "fake-0000000000000000"  # identifies the first item there is, whatever its kind
SECONDS = 3600.0
TICK = 0.002  # seconds


class Some(NamedTuple):
    """So many calls of an operation at a place."""

    account: str
    region: str
    service: str
    operation: str
    calls: int


@dataclass(frozen=True, slots=True)
class Job:
    """What is sent one after another: a listing's pages, begun anew until there were so many, or one detail call."""

    some: Some
    call: Call
    inputs: Mapping[str, Any]
    pages: int


Ask = Callable[[Job], Awaitable[Counter[str]]]
"""Does a job: how many calls were answered, and how many failed."""


def jobs(wanted: Iterable[Some]) -> Iterator[Job]:
    """The calls as jobs."""
    for some in wanted:
        known = _known(some.service, some.operation)
        listings = [each for each in known if each.on is None]
        context = Context(some.account, some.region)
        if listings:
            share, more = divmod(some.calls, len(listings))
            for number, each in enumerate(listings):
                yield Job(some, each, calls.literal(each, context), share + (number < more))
        else:
            for _, each in zip(range(some.calls if known else 0), cycle(known), strict=False):
                yield Job(some, each, _inputs(each, context), 1)


@cache
def _known(service: str, operation: str) -> Sequence[Call]:
    """The declared calls of an operation."""
    return [each for each in catalogue.load().feeding if (each.service, each.operation) == (service, operation)]


def _inputs(call: Call, context: Context) -> dict[str, Any]:
    inputs = calls.literal(call, context)
    for name, path in call.inputs:
        chosen: Any = [MADE_UP] if call.batch else MADE_UP
        if isinstance(path, Among):
            chosen = [{"Name": path.name, "Values": [MADE_UP]}]
        inputs[name] = _SPECIAL.get(name, chosen)
    return inputs


_SPECIAL: Mapping[str, Any] = {
    "Attribute": "createVolumePermission",
    "PolicyName": "default",
    "VersionId": "v1",
    "Filters": [{"Name": "group-name", "Values": [MADE_UP]}],
    "QueueUrl": "https://sqs.us-east-1.amazonaws.com/123456789012/fake-0000000000000000",
}


async def done(wanted: Sequence[Job], ask: Ask, concurrency: int) -> dict[str, float]:
    """Does all jobs, so many at once: seconds, CPU seconds, calls by how they ended.

    longest_ms: the most CPU that went by between two ticks of the event loop, in which nothing else moved.
    """
    left, told, longest = iter(wanted), Counter[str](), [0.0]

    async def work() -> None:
        for job in left:  # shared by the workers: each takes the next one
            told.update(await ask(job))

    began, cpu = time.perf_counter(), time.process_time()
    watching = asyncio.create_task(_watch(longest))
    async with asyncio.TaskGroup() as tasks:
        for _ in range(concurrency):
            tasks.create_task(work())
    watching.cancel()
    spent = {"seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu}
    return {**spent, "longest_ms": 1e3 * longest[0], **told}


async def _watch(longest: list[float]) -> None:
    before = time.thread_time()
    while True:
        await asyncio.sleep(TICK)
        now = time.thread_time()
        longest[0], before = max(longest[0], now - before), now


# Bare aiobotocore


@asynccontextmanager
async def aiobotocore(order: Mapping[str, Any], wanted: Iterable[Some]) -> AsyncIterator[Ask]:
    """A client for each service and region (and account, where they are to be apart), made beforehand."""
    session, clients, known = get_session(), dict[tuple[str, str, str], Any](), dict[tuple[str, str], Pager]()
    config = AioConfig(
        max_pool_connections=order["concurrency"],
        retries={"total_max_attempts": 1},
        ignore_configured_endpoint_urls=True,
        account_id_endpoint_mode="disabled",
    )
    async with AsyncExitStack() as stack:
        for some in wanted:
            key = _key(order, some)
            if key not in clients:
                made = session.create_client(
                    some.service,
                    region_name=some.region,
                    endpoint_url=_endpoint(order["url"], some.service),
                    config=config,
                    aws_access_key_id=key_of(some.account),
                    aws_secret_access_key="fake",  # noqa: S106 - of a fake AWS
                )
                clients[key] = await stack.enter_async_context(made)
            if some[2:4] not in known:
                known[some.service, some.operation] = pager(session, clients[key], some.operation)

        async def ask(job: Job) -> Counter[str]:
            client, told = clients[_key(order, job.some)], Counter[str]()
            method = getattr(client, xform_name(job.call.operation))
            how = known[job.some.service, job.some.operation]
            first = request = how.first(job.inputs)
            for _ in range(job.pages):
                try:
                    page = await method(**request)
                except ClientError:
                    told["failed"] += 1
                    continue
                told["calls"] += 1
                token = how.token(page) if job.pages > 1 else None
                request = how.next(request, token) if token else first
            return told

        yield ask


def _endpoint(url: str, service: str) -> str:
    """Where a service is: S3 Control puts an account before the host, which an address does not take."""
    return url.replace("127.0.0.1", "localhost") if service == "s3control" else url


def localhost_names_are_loopback() -> None:
    """Make every `*.localhost` name resolve to 127.0.0.1."""
    resolve = socket.getaddrinfo

    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        return resolve("127.0.0.1" if str(host).endswith("localhost") else host, *args, **kwargs)

    socket.getaddrinfo = getaddrinfo


def _key(order: Mapping[str, Any], some: Some) -> tuple[str, str, str]:
    return (some.account if order["apart"] else "", some.region, some.service)


def pager(session: Any, client: Any, operation: str) -> Pager:
    """How an operation's pages follow each other, with the page sizes that skysweep asks for."""
    service = client.meta.service_model.service_name
    try:
        found = session.get_component("data_loader").load_service_model(service, "paginators-1")["pagination"]
    except UnknownServiceError:
        found = {}
    return pagers.pager(service, client.meta.service_model.operation_model(operation), found.get(operation))


# Our own way


@asynccontextmanager
async def skysweep(order: Mapping[str, Any], wanted: Iterable[Some]) -> AsyncIterator[Ask]:
    """What a unit of a sweep asks with: pace (off), retries, credentials, slots, the strict parser."""
    settings = AwsSettings(
        endpoint_url=order["url"],
        access_key=KEY,
        secret_key="fake",  # noqa: S106 - of a fake AWS
        isolated=True,
        rate_share=0.0,
        connections=order["concurrency"],
    )
    tally, limits = Tally(), Limits(0.0)
    async with Clients(settings, tally) as clients:
        for account in {each.account for each in wanted}:
            clients.adopt(account, AioCredentials(key_of(account), "fake", None))

        async def ask(job: Job) -> Counter[str]:
            told = Counter[str]()
            some = job.some
            target = Target(some.account, some.region if job.call.per == "region" else GLOBAL)
            while told.total() < job.pages:
                deadline = time.monotonic() + SECONDS
                try:
                    async for _ in pages(
                        clients,
                        limits,
                        target,
                        job.call,
                        job.inputs,
                        deadline=deadline,
                        tally=tally,
                        region=some.region,
                    ):
                        told["calls"] += 1
                        if told.total() >= job.pages:
                            break
                except CallFailed:
                    told["failed"] += 1
            return told

        yield ask


BY = {"aiobotocore": aiobotocore, "skysweep": skysweep}


def program(
    fake: Fake, home: Path, wanted: Iterable[Sequence[Any]], *, by: str = "aiobotocore", concurrency: int = 100
) -> Program:
    """This script, for these calls of the fake AWS."""
    order = {"url": fake.url, "by": by, "concurrency": concurrency, "apart": fake.setup.sizes is None}
    return Program(
        [sys.executable, "-m", __name__], environ(fake.url, home), json.dumps(order | {"calls": [*map(list, wanted)]})
    )


def listings(fake: Fake) -> list[Some]:
    """Every listing of the catalogue once in each account and region: what a sweep asks of an empty estate."""
    found = Counter[tuple[str, str, str, str]]()
    for call in catalogue.load().calls:
        places = fake.regions if call.per == "region" else (regions.home(call.service, "aws"),)
        found.update((account, place, call.service, call.operation) for account in fake.accounts for place in places)
    return [Some(*key, number) for key, number in found.items()]


async def _main() -> None:
    localhost_names_are_loopback()
    order = json.load(sys.stdin)
    wanted = [Some(*each) for each in order["calls"]]
    async with BY[order["by"]](order, wanted) as ask:
        first = {_key(order, each.some): each for each in jobs(some._replace(calls=1) for some in wanted)}
        await done([*first.values()], ask, order["concurrency"])
        print(json.dumps(await done([*jobs(wanted)], ask, order["concurrency"])))


if __name__ == "__main__":
    asyncio.run(_main())
