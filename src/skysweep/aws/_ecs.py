"""The calls that ECS's modules share: clusters, and the tasks that run in them."""

from __future__ import annotations

from skysweep.model import call, detail

CLUSTER_ARNS = call("ecs", "ListClusters", "clusterArns[]")
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
