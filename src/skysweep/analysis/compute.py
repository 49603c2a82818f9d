"""Decides the exposure of one account's balancers, instances, auto scaling groups and containers, in this order."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Literal

from skysweep.analysis.answers import EXPOSED, Answer, Held
from skysweep.analysis.neighbourhood import Neighbourhood
from skysweep.analysis.networks import Family
from skysweep.analysis.reach import any_of, reachable
from skysweep.analysis.reading import around, pages
from skysweep.analysis.verdicts import (
    Balancer,
    Instance,
    Interface,
    Listener,
    Reach,
    Types,
    balancer_is_direct,
    instance_is_direct,
    instance_types,
    none_or,
    pool,
    settle,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from skysweep.analysis.reach import SecurityGroup
    from skysweep.analysis.reading import Row, Run, Unseen

Machine = Literal["EC2Instance", "ECSTask"]  # what has interfaces of its own
_COMMON = ("security_group_ids", "region", *EXPOSED)
_V2 = ("LoadBalancerV2", "ELBV2TargetGroup")  # the groups tell which balancer sends traffic where
_BALANCER_FACTS = {
    "listeners": "MATCH (b:{label} {{id: id}})-[:{listener}]->(l) RETURN id, l.protocol AS protocol, l.port AS port",
    "groups": "MATCH (b:{label} {{id: id}})-[:MEMBER_OF_EC2_SECURITY_GROUP]->(g) RETURN id, g.id AS key",
    "subnets": "MATCH (b:{label} {{id: id}})-[:SUBNET]->(s) RETURN id, s.id AS key",
}
_FRONTS = """
MATCH (front:LoadBalancerV2)-[:EXPOSE]->(b:LoadBalancerV2 {id: id})
RETURN id, front.id AS key, front.exposed_internet AS held
"""
_BEHIND_CLASSIC = """
MATCH (b:AWSLoadBalancer)-[:EXPOSE]->(i:EC2Instance {id: id}) RETURN id, b.id AS key, b.exposed_internet AS held
"""
_BEHIND_V2 = """
MATCH (b:LoadBalancerV2)-[:EXPOSE]->(i:EC2Instance {id: id}) RETURN id, b.id AS key, b.exposed_internet AS held
"""
_BEHIND_V2_BY_IP = """
MATCH (i:{label} {{id: id}})-[:NETWORK_INTERFACE]->(n)
MATCH (n)-[:PRIVATE_IP_ADDRESS|IPV6_ADDRESS]->(p)<-[:EXPOSE]-(b:LoadBalancerV2)
RETURN id, b.id AS key, b.exposed_internet AS held
"""
_INTERFACES = """
MATCH (i:{label} {{id: id}})-[:NETWORK_INTERFACE]->(n)
OPTIONAL MATCH (n)-[:PART_OF_SUBNET]->(s:EC2Subnet)
RETURN id, n.id AS interface, n.public_ip AS address, s.id AS subnet, n.security_group_ids AS groups
"""
_GROUPS = """
MATCH (i:{label} {{id: id}})-[:NETWORK_INTERFACE]->(n)-[:MEMBER_OF_EC2_SECURITY_GROUP]->(g:EC2SecurityGroup)
RETURN id, n.id AS interface, g.id AS key
"""
_PUBLIC_IPS = """
MATCH (i:{label} {{id: id}})-[:NETWORK_INTERFACE]->(n)-[:PRIVATE_IP_ADDRESS]->(p) WHERE p.public_ip IS NOT NULL
RETURN id, n.id AS interface, p.public_ip AS key
"""
_IPV6 = """
MATCH (i:{label} {{id: id}})-[:NETWORK_INTERFACE]->(n)-[:IPV6_ADDRESS]->(a)
RETURN id, n.id AS interface, a.id AS key
"""
_MEMBERS = "MATCH (g:AutoScalingGroup {id: id})<-[:MEMBER_AUTO_SCALE_GROUP]-(i:EC2Instance) RETURN id, i.id AS key"


@dataclass(frozen=True, slots=True)
class Compute:
    """One account's compute; each step remembers what the next ones ask for."""

    run: Run
    account: str
    hood: Neighbourhood
    unseen: Unseen
    reach: Reach = field(default_factory=lambda: cache(reachable))
    exposed: dict[str, bool | None] = field(default_factory=dict)  # balancer id → exposed
    types: dict[str, Types | None] = field(default_factory=dict)  # instance id → kinds of exposure

    async def answers(self) -> AsyncIterator[Answer]:
        """Yield an answer for every balancer, instance, auto scaling group and container of the account."""
        async for answer in self._doors():
            yield answer
        told = ("state", "publicipaddress", "ipv6address", "region", *EXPOSED)
        async for page in pages(self.run, "EC2Instance", self.account, *told):
            for answer in await self._instances(page):
                yield answer
        async for page in pages(self.run, "AutoScalingGroup", self.account, "region", *EXPOSED):
            for answer in await self._scaling_groups(page):
                yield answer
        async for page in pages(self.run, "ECSContainer", self.account, "task_arn", "region", *EXPOSED):
            for answer in await self._containers(page):
                yield answer

    async def _doors(self) -> AsyncIterator[Answer]:
        async for page in pages(self.run, "AWSLoadBalancer", self.account, "scheme", *_COMMON):
            for answer in await self._balancers("AWSLoadBalancer", page):
                yield answer
        v2 = pages(self.run, "LoadBalancerV2", self.account, "scheme", "type", "ip_address_type", *_COMMON)
        behind: list[Row] = []
        async for page in v2:
            # A network balancer may have application balancers as targets: these wait until all in front are known.
            behind += [row for row in page if row["type"] == "application"]
            for answer in await self._balancers("LoadBalancerV2", [r for r in page if r["type"] != "application"]):
                yield answer
        for answer in await self._balancers("LoadBalancerV2", behind):
            yield answer

    async def _balancers(self, label: Literal["AWSLoadBalancer", "LoadBalancerV2"], page: list[Row]) -> list[Answer]:
        ids = [row["id"] for row in page]
        listener = "ELB_LISTENER" if label == "AWSLoadBalancer" else "ELBV2_LISTENER"
        facts = {
            name: await around(self.run, ids, query.format(label=label, listener=listener))
            for name, query in _BALANCER_FACTS.items()
        }
        await self.hood.learn(_keys(facts["groups"]), _keys(facts["subnets"]))
        fronts = await around(self.run, ids, _FRONTS) if label == "LoadBalancerV2" else {}
        answers = []
        for row in page:
            around_it = {name: rows.get(row["id"], []) for name, rows in facts.items()}
            direct = balancer_is_direct(self._balancer(label, row, around_it), self.reach)
            behind = any_of(self._is_exposed(front) for front in fronts.get(row["id"], []))
            if label == "LoadBalancerV2":
                behind = none_or(behind, unseen=self._are_unseen(row, *_V2))
            held = Held.of(row, EXPOSED)
            types = settle({"direct": direct, "elbv2": behind}, held.known)
            self.exposed[row["id"]] = None if types is None else bool(types)
            answers.append(Answer(label, row["id"], EXPOSED, types, held))
        return answers

    def _balancer(self, label: str, row: Row, facts: dict[str, list[Row]]) -> Balancer:
        listeners = tuple(Listener(listener["protocol"], listener["port"]) for listener in facts["listeners"])
        unseen = label == "LoadBalancerV2" and self._are_unseen(row, "ELBV2Listener")
        return Balancer(
            type="classic" if label == "AWSLoadBalancer" else row["type"],
            scheme=row["scheme"],
            families=_families(row.get("ip_address_type")),
            listeners=None if unseen and not listeners else listeners,
            groups=self._groups([group["key"] for group in facts["groups"]], row["security_group_ids"]),
            subnets=tuple(self.hood.subnets[subnet["key"]] for subnet in facts["subnets"]),
        )

    def _groups(self, found: Iterable[str], named: Iterable[str] | None) -> tuple[SecurityGroup, ...]:
        """Give the groups of something; one that it names and that the graph does not have was never seen."""
        return tuple(self.hood.groups.get(group) for group in sorted({*found, *(named or ())}))

    def _are_unseen(self, row: Row, *labels: str) -> bool:
        return any(self.unseen(label, self.account, row["region"]) for label in labels)

    def _is_exposed(self, balancer: Row) -> bool | None:
        """Tell what is decided of a balancer; one of another account counts as its own analysis left it."""
        held: bool | None = balancer["held"]
        return self.exposed.get(balancer["key"], held)

    async def _instances(self, page: list[Row]) -> list[Answer]:
        ids = [row["id"] for row in page]
        interfaces = await self._interfaces("EC2Instance", ids)
        classic = await around(self.run, ids, _BEHIND_CLASSIC)
        v2 = await around(self.run, ids, _BEHIND_V2)
        by_ip = await around(self.run, ids, _BEHIND_V2_BY_IP.format(label="EC2Instance"))
        answers = []
        for row in page:
            id_ = row["id"]
            instance = Instance(
                state=row["state"],
                addresses=tuple(a for a in (row["publicipaddress"], row["ipv6address"]) if a),
                interfaces=interfaces.get(id_, ()),
            )
            held = Held.of(row, EXPOSED)
            behind = [any_of(map(self._is_exposed, rows.get(id_, []))) for rows in (classic, v2, by_ip)]
            elb = none_or(behind[0], unseen=self._are_unseen(row, "AWSLoadBalancer"))
            elbv2 = none_or(any_of(behind[1:]), unseen=self._are_unseen(row, *_V2))
            self.types[id_] = instance_types(instance, elb, elbv2, held.known, self.reach)
            answers.append(Answer("EC2Instance", id_, EXPOSED, self.types[id_], held))
        return answers

    async def _interfaces(self, label: Machine, ids: Iterable[str]) -> dict[str, tuple[Interface, ...]]:
        rows = await around(self.run, ids, _INTERFACES.format(label=label))
        groups = await self._of_interfaces(ids, _GROUPS.format(label=label))
        public = await self._of_interfaces(ids, _PUBLIC_IPS.format(label=label))
        v6 = await self._of_interfaces(ids, _IPV6.format(label=label))
        subnets = {row["subnet"] for found in rows.values() for row in found if row["subnet"]}
        await self.hood.learn({group for found in groups.values() for group in found}, subnets)

        def interface(row: Row) -> Interface:
            own = row["interface"]
            return Interface(
                addresses=tuple(filter(None, (row["address"], *public.get(own, ()), *v6.get(own, ())))),
                groups=self._groups(groups.get(own, ()), row["groups"]),
                subnet=self.hood.subnet(row["subnet"]),
            )

        return {machine: tuple(map(interface, found)) for machine, found in rows.items()}

    async def _of_interfaces(self, ids: Iterable[str], query: str) -> dict[str, list[str]]:
        """Run a query around machines; give its keys by interface, in a stable order."""
        found: defaultdict[str, set[str]] = defaultdict(set)
        for rows in (await around(self.run, ids, query)).values():
            for row in rows:
                found[row["interface"]].add(row["key"])
        return {interface: sorted(keys) for interface, keys in found.items()}

    async def _containers(self, page: list[Row]) -> list[Answer]:
        """A container is reached where its task is; one whose task shares its machine's interface cannot be told."""
        tasks = {row["task_arn"] for row in page if row["task_arn"]}
        interfaces = await self._interfaces("ECSTask", tasks)
        fronts = await around(self.run, tasks, _BEHIND_V2_BY_IP.format(label="ECSTask"))
        answers = []
        for row in page:
            task = Instance("running", (), interfaces.get(row["task_arn"], ()))
            behind = any_of(map(self._is_exposed, fronts.get(row["task_arn"], [])))
            elbv2 = none_or(behind, unseen=self._are_unseen(row, *_V2))
            held = Held.of(row, EXPOSED)
            types = settle({"direct": instance_is_direct(task, self.reach), "elbv2": elbv2}, held.known)
            answers.append(Answer("ECSContainer", row["id"], EXPOSED, types, held))
        return answers

    async def _scaling_groups(self, page: list[Row]) -> list[Answer]:
        members = await around(self.run, [row["id"] for row in page], _MEMBERS)
        answers = []
        for row in page:
            held = Held.of(row, EXPOSED)
            known = [self.types.get(member) for member in _own(members, row["id"])]
            types = pool([*known, None] if self._are_unseen(row, "EC2Instance") else known, held.known)
            answers.append(Answer("AutoScalingGroup", row["id"], EXPOSED, types, held))
        return answers


def _keys(found: dict[str, list[Row]]) -> set[str]:
    return {row["key"] for rows in found.values() for row in rows}


def _own(found: dict[str, list[Row]], id_: str) -> list[str]:
    return [row["key"] for row in found.get(id_, [])]


def _families(ip_address_type: str | None) -> frozenset[Family]:
    """Give the families of a balancer's public addresses; without a type it is IPv4, AWS's default."""
    match ip_address_type:
        case "dualstack":
            return frozenset[Family]({4, 6})
        case "dualstack-without-public-ipv4":
            return frozenset[Family]({6})
        case _:
            return frozenset[Family]({4})
