"""Edges and flags that follow from other edges by a pattern alone: drawn where it holds, removed where it does not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from skysweep.analysis.reading import Run

LIMIT = 10_000  # deletions a transaction


@dataclass(frozen=True, slots=True)
class Derived:
    """An edge of `kind` from every s to every t that the pattern joins; s belongs to an account."""

    kind: str
    start: str
    end: str
    pattern: str


_THROUGH_PROFILE = "(s)-[:INSTANCE_PROFILE]->(:AWSInstanceProfile)-[:ASSOCIATED_WITH]->(t)"
_TO_CONTAINER = (
    "(s)-[:EXPOSE]->()<-[:PRIVATE_IP_ADDRESS|IPV6_ADDRESS]-(:AWSNetworkInterface)<-[:NETWORK_INTERFACE]-(:ECSTask)"
    "-[:HAS_CONTAINER]->(t)"
)

EDGES = (
    Derived("ASSUMES", "EC2Instance", "AWSRole", _THROUGH_PROFILE),
    Derived("STS_ASSUMEROLE_ALLOW", "EC2Instance", "AWSRole", _THROUGH_PROFILE),  # the older name of the same fact
    Derived("EXPOSE", "LoadBalancerV2", "ECSContainer", _TO_CONTAINER),
    Derived("PROTECTS", "EC2NetworkAcl", "LoadBalancerV2", "(s)-[:PART_OF_SUBNET]->(:EC2Subnet)<-[:SUBNET]-(t)"),
)

FOREIGN = "MATCH (a:AWSAccount) WHERE a.inscope IS NULL AND a.foreign IS NULL SET a.foreign = true"


# A role that only its sessions' ARNs told of stands for one whose path they do not tell, until that one is seen.
NAMESAKES = (
    "MATCH (n:AWSRole) WHERE n._account IS NULL AND n.id = n.pathless_arn "
    "MATCH (role:AWSRole {pathless_arn: n.pathless_arn}) WHERE role.id <> n.id "
    "WITH DISTINCT n LIMIT $limit DETACH DELETE n RETURN count(*) AS deleted"
)


async def derive(run: Run, tag: int, accounts: Iterable[str]) -> None:
    """Brings the derived edges of these accounts' nodes in line with the graph, and marks accounts never swept.

    A role's name is unique in its account: a second node of that name, made of a session's ARN, goes.

    `run` is `Store.run`; `tag` becomes the edges' `lastupdated`. Errors of the store pass through.
    """
    for account in accounts:
        for edge in EDGES:
            await run(_drawn(edge), account=account, tag=tag)
            while (await run(_undrawn(edge), account=account, limit=LIMIT))[0]["deleted"] == LIMIT:
                pass
    await run(FOREIGN)
    while (await run(NAMESAKES, limit=LIMIT))[0]["deleted"] == LIMIT:
        pass


def _drawn(edge: Derived) -> str:
    return (
        f"MATCH (:AWSAccount {{id: $account}})-[:RESOURCE]->(s:{edge.start}) "
        f"MATCH {edge.pattern} WHERE t:{edge.end} "
        f"MERGE (s)-[r:{edge.kind}]->(t) ON CREATE SET r.firstseen = $tag * 1000 SET r.lastupdated = $tag"
    )


def _undrawn(edge: Derived) -> str:
    return (
        f"MATCH (:AWSAccount {{id: $account}})-[:RESOURCE]->(s:{edge.start})-[r:{edge.kind}]->(t:{edge.end}) "
        f"WHERE NOT EXISTS {{ MATCH {edge.pattern} }} WITH r LIMIT $limit DELETE r RETURN count(*) AS deleted"
    )
