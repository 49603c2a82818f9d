"""Containers of ECS are reached where the interface of their task is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exposure_graph import OURS, Graph, surroundings
from skysweep.analysis import derive, expose

if TYPE_CHECKING:
    from skysweep.store import Store

FLAGS = "MATCH (c:ECSContainer) RETURN c.id AS id, c.exposed_internet AS flag, c.exposed_internet_type AS kinds"


def task(graph: Graph, name: str, group: str, subnet: str, public: str | None = None) -> str:
    """A task with one container and an interface of its own; gives the id of its private address."""
    container(graph, name)
    interface = graph.node("AWSNetworkInterface", f"eni-{name}", public_ip=public, subnet_id=subnet)
    graph.edge("ECSTask", f"task-{name}", "NETWORK_INTERFACE", "AWSNetworkInterface", interface)
    graph.edge("AWSNetworkInterface", interface, "PART_OF_SUBNET", "EC2Subnet", subnet)
    graph.edge("AWSNetworkInterface", interface, "MEMBER_OF_EC2_SECURITY_GROUP", "EC2SecurityGroup", group)
    address = graph.node("EC2PrivateIp", f"ip-{name}", public_ip=public)
    graph.edge("AWSNetworkInterface", interface, "PRIVATE_IP_ADDRESS", "EC2PrivateIp", address)
    return address


def container(graph: Graph, name: str) -> None:
    graph.node("ECSTask", f"task-{name}")
    graph.node("ECSContainer", name, task_arn=f"task-{name}")
    graph.edge("ECSTask", f"task-{name}", "HAS_CONTAINER", "ECSContainer", name)


async def test_containers_are_reached_by_their_tasks_address_or_through_a_balancer(store: Store) -> None:
    graph = Graph()
    surroundings(graph)
    graph.node("EC2Ipv6Address", "2600:1f18::6")
    task(graph, "open", "sg-web", "subnet-public", "52.1.0.1")
    task(graph, "office", "sg-office", "subnet-public", "52.1.0.2")
    behind = task(graph, "behind", "sg-office", "subnet-private")
    container(graph, "bridge")
    graph.balancer("LoadBalancerV2", "alb", "sg-web", "subnet-public", {behind: "EC2PrivateIp"}, type="application")
    await graph.write(store)

    await derive(store.run, 1, [OURS])
    await expose(store.run, 1, [OURS])

    assert {row["id"]: (row["flag"], row["kinds"]) for row in await store.run(FLAGS)} == {
        "open": (True, ["direct"]),
        "office": (False, []),
        "behind": (True, ["elbv2"]),
        "bridge": (None, None),
    }
    exposes = "MATCH (b:LoadBalancerV2)-[:EXPOSE]->(c:ECSContainer) RETURN b.id AS balancer, c.id AS container"
    assert [dict(row) for row in await store.run(exposes)] == [{"balancer": "alb", "container": "behind"}]
