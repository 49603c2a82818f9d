"""What everyone can do with what a policy of its own guards, and which managed endpoints the internet reaches.

`anonymous_access` is what the policy says, and not whether one gets there: a private REST API, or a search domain in a
VPC, may be open to everybody who does. `exposed_internet` tells that of clusters and domains; REST APIs bring theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from skysweep.analysis.answers import ANONYMOUS, EXPOSED, Answer, Held, Label
from skysweep.analysis.networks import FAMILIES, is_internet, parse, readable
from skysweep.analysis.policy import anonymous_actions, parse_policy
from skysweep.analysis.reading import pages

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from skysweep.analysis.reading import Row, Run


@dataclass(frozen=True, slots=True)
class Guarded:
    """A type whose nodes have a policy: the property that it is in, the detail call that tells it ("": the listing)."""

    label: Label
    everything: str
    operation: str = ""
    policy: str = "policy"


GUARDED = (
    Guarded("AWSEventBridgeEventBus", "events:*"),
    Guarded("APIGatewayRestAPI", "execute-api:*"),
    Guarded("AWSLambda", "lambda:*", "GetPolicy"),
    Guarded("ECRRepository", "ecr:*", "GetRepositoryPolicy"),
    Guarded("EfsFileSystem", "elasticfilesystem:*", "DescribeFileSystemPolicy"),
    Guarded("ESDomain", "es:*", policy="access_policies"),
    Guarded("KMSKey", "kms:*", "GetKeyPolicy"),
    Guarded("SNSTopic", "sns:*", "GetTopicAttributes"),
    Guarded("SQSQueue", "sqs:*"),
)
_DIRECT = ("direct",)


async def guarded(run: Run, account: str) -> AsyncIterator[Answer]:
    """Yield the answers for one account's nodes; a policy that was never told, or cannot be read, leaves the last."""
    for kind in GUARDED:
        seen = (f"_seen_{kind.operation}",) if kind.operation else ()
        async for page in pages(run, kind.label, account, kind.policy, *seen, *ANONYMOUS):
            for row in page:
                held = Held.of(row, ANONYMOUS)
                told = all(row[mark] is not None for mark in seen)
                found = open_actions(row[kind.policy], kind.everything) if told else None
                yield Answer(kind.label, row["id"], ANONYMOUS, held.known if found is None else found, held)
    async for page in pages(run, "ESDomain", account, "endpoint", "access_policies", *EXPOSED):
        for row in page:
            yield _exposed("ESDomain", row, domain_is_exposed(row["endpoint"], row["access_policies"]))
    async for page in pages(run, "EKSCluster", account, "endpoint_public_access", "public_access_cidrs", *EXPOSED):
        for row in page:
            verdict = cluster_is_exposed(row["endpoint_public_access"], row["public_access_cidrs"])
            yield _exposed("EKSCluster", row, verdict)


def open_actions(policy: str | None, everything: str) -> tuple[str, ...] | None:
    """Give the sorted actions that a policy opens to everyone: none where there is none, None for an unreadable one."""
    try:
        return tuple(sorted(anonymous_actions(parse_policy(policy), everything))) if policy else ()
    except ValueError:
        return None


def domain_is_exposed(endpoint: str | None, policy: str | None) -> bool | None:
    """Tell whether a search domain stands on the internet and its policy lets everyone in, as Cartography does."""
    if not endpoint:
        return False
    found = open_actions(policy, "es:*")
    return None if found is None else bool(found)


def cluster_is_exposed(public: bool | None, cidrs: list[str] | None) -> bool | None:
    """Tell whether the internet reaches a Kubernetes API: one that admits a few networks only is not exposed.

    None where it was not told: a cluster elsewhere, registered to be watched.
    """
    if not public:
        return public
    admitted = readable(cidrs if cidrs is not None else ["0.0.0.0/0"])
    return any(is_internet(family, parse(family, admitted)) for family in FAMILIES)


def _exposed(label: Label, row: Row, verdict: bool | None) -> Answer:
    held = Held.of(row, EXPOSED)
    items = held.known if verdict is None else _DIRECT if verdict else ()
    return Answer(label, row["id"], EXPOSED, items, held)
