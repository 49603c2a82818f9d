"""The calls that ECS's modules share: clusters, and the services and tasks that run in them."""

from __future__ import annotations

from skysweep.model import call, detail

CLUSTER_ARNS = call("ecs", "ListClusters", "clusterArns[]")
SERVICES = detail(
    "ecs",
    "DescribeServices",
    "services[]",
    on=detail("ecs", "ListServices", "serviceArns[]", on=CLUSTER_ARNS, cluster="@"),
    batch=10,
    services="@",
    cluster="^@",
    include=["TAGS"],
)
TASKS = detail(
    "ecs",
    "DescribeTasks",
    "tasks[]",
    on=detail("ecs", "ListTasks", "taskArns[]", on=CLUSTER_ARNS, cluster="@"),
    batch=100,
    tasks="@",
    cluster="^@",
    include=["TAGS"],
)
