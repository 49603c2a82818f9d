"""Sets what analysis owns: `exposed_internet`, `exposed_internet_type`, `anonymous_access` and `anonymous_actions`.

Instances, balancers, auto scaling groups and the containers of ECS get `exposed_internet` true with the sorted kinds of
exposure, or false with an empty list where the graph shows that the internet does not reach them. So Cartography's
`{exposed_internet: true}` works as it does there, and `false` can be asked for too. Buckets get `anonymous_access` and
the sorted actions likewise, and so does all else that has a policy of its own (`guarded`). Where the graph does not
hold what decides, the last known answer stays and no false is made up.

Answers are decided in plain functions (`verdicts`, `anonymous`), compared with what the graph holds, and only the
differences are written, one transaction an account.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio

from skysweep.analysis.anonymous import Bucket, Grant, PublicAccessBlock, decide
from skysweep.analysis.answers import ANONYMOUS, Answer, Held
from skysweep.analysis.compute import Compute
from skysweep.analysis.guarded import guarded
from skysweep.analysis.neighbourhood import Neighbourhood
from skysweep.analysis.reading import around, nothing, pages

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from skysweep.analysis.reading import Row, Run, Unseen

ACCOUNTS_AT_ONCE = 4
ROWS_PER_TRANSACTION = 10_000  # far above one account's changes between two sweeps; bounds the first one

_MARKS = ("GetBucketPolicy", "GetBucketAcl", "GetPublicAccessBlock", "GetBucketOwnershipControls")
_BUCKET = (
    *(f"_seen_{operation}" for operation in _MARKS),
    "policy",
    "object_ownership",
    "ignore_public_acls",
    "restrict_public_buckets",
    *ANONYMOUS,
)
_GRANTS = "MATCH (b:S3Bucket {id: id})<-[:APPLIES_TO]-(a:S3Acl) RETURN id, a.uri AS uri, a.permission AS permission"
# One statement for all labels that depend on one another, so that an account's flags change together. Each MATCH is an
# index seek, and one on a row without an id of its label finds nothing.
_TOGETHER = ("AWSLoadBalancer", "LoadBalancerV2", "EC2Instance", "AutoScalingGroup", "S3Bucket")
_WRITE = """
UNWIND $rows AS row
OPTIONAL MATCH (a:AWSLoadBalancer {id: row.AWSLoadBalancer})
OPTIONAL MATCH (b:LoadBalancerV2 {id: row.LoadBalancerV2})
OPTIONAL MATCH (c:EC2Instance {id: row.EC2Instance})
OPTIONAL MATCH (d:AutoScalingGroup {id: row.AutoScalingGroup})
OPTIONAL MATCH (e:S3Bucket {id: row.S3Bucket})
WITH row, coalesce(a, b, c, d, e) AS n WHERE n IS NOT NULL
SET n += row.props
RETURN count(n) AS changed
"""


@dataclass(frozen=True, slots=True)
class Counts:
    """What an analysis did: nodes looked at, exposed or open to everyone, changed, and left as they were as unknown."""

    nodes: int = 0
    found: int = 0
    changed: int = 0
    unknown: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.nodes + other.nodes,
            self.found + other.found,
            self.changed + other.changed,
            self.unknown + other.unknown,
        )


async def expose(run: Run, tag: int, accounts: Iterable[str], unseen: Unseen = nothing) -> Counts:
    """Bring the flags of these accounts in line with the graph; no other account's are read or written.

    `unseen` says what this sweep was denied or did not ask for: there, what the graph lacks is not known to be absent.
    `run` is `Store.run`. A node whose answer changed gets the sweep's `tag` as `_analysed`: when it became exposed, or
    was closed. Errors of the store pass through; accounts already written stay written.
    """
    limit = anyio.Semaphore(ACCOUNTS_AT_ONCE)
    one_writer = anyio.Lock()
    counts: list[Counts] = []

    async def analyse(account: str) -> None:
        async with limit:
            answers = [answer async for answer in _answers(run, account, unseen)]
            async with one_writer:
                changed = await _write(run, tag, answers)
        counts.append(_count(answers, changed))

    async with anyio.create_task_group() as group:
        for account in sorted(set(accounts)):
            group.start_soon(analyse, account)
    return sum(counts, Counts())


async def _answers(run: Run, account: str, unseen: Unseen) -> AsyncIterator[Answer]:
    async for answer in Compute(run, account, Neighbourhood(run), unseen).answers():
        yield answer
    async for answer in _buckets(run, account, unseen):
        yield answer
    async for answer in guarded(run, account):
        yield answer


async def _buckets(run: Run, account: str, unseen: Unseen) -> AsyncIterator[Answer]:
    blocks = pages(run, "S3AccountPublicAccessBlock", account, "ignore_public_acls", "restrict_public_buckets")
    block = None if unseen("S3AccountPublicAccessBlock", account, "global") else PublicAccessBlock()
    async for page in blocks:
        for row in page:
            block = (block or PublicAccessBlock()) | _block(row)
    async for page in pages(run, "S3Bucket", account, *_BUCKET):
        grants = await around(run, [row["id"] for row in page], _GRANTS)
        for row in page:
            held = Held.of(row, ANONYMOUS)
            found = decide(_bucket(row, grants.get(row["id"], [])), block, held.known)
            yield Answer("S3Bucket", row["id"], ANONYMOUS, found, held)


def _bucket(row: Row, grants: list[Row]) -> Bucket:
    policy, acl, block, ownership = (row[f"_seen_{operation}"] is not None for operation in _MARKS)
    return Bucket(
        policy=row["policy"],
        grants=tuple(Grant(grant["uri"], grant["permission"]) for grant in grants) if acl else None,
        object_ownership=row["object_ownership"],
        block=_block(row) if block else None,
        policy_seen=policy,
        ownership_seen=ownership,
    )


def _block(row: Row) -> PublicAccessBlock:
    return PublicAccessBlock(bool(row["ignore_public_acls"]), bool(row["restrict_public_buckets"]))


async def _write(run: Run, tag: int, answers: list[Answer]) -> int:
    rows: defaultdict[str, list[Row]] = defaultdict(list)
    for answer in answers:
        if answer.differs:
            rows[_WRITE if answer.label in _TOGETHER else _write_one(answer.label)].append(answer.row(tag))
    changed = 0
    for statement, some in rows.items():
        for start in range(0, len(some), ROWS_PER_TRANSACTION):
            result = await run(statement, rows=some[start : start + ROWS_PER_TRANSACTION])
            changed += result[0]["changed"]
    return changed


def _write_one(label: str) -> str:
    return f"UNWIND $rows AS row MATCH (n:{label} {{id: row.{label}}}) SET n += row.props RETURN count(n) AS changed"


def _count(answers: list[Answer], changed: int) -> Counts:
    return Counts(
        nodes=len(answers),
        found=sum(bool(answer.items) for answer in answers),
        changed=changed,
        unknown=sum(answer.items is None for answer in answers),
    )
