"""Batch: jobs in containers, the queues they wait in, what they run on and as whom.

Commands, parameters and the values of environment variables hold secrets too often: they are not stored.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from skysweep.aws._common import moment
from skysweep.aws.ecr import ECRRepositoryImage, pulled_as
from skysweep.aws.ecs import ECSCluster
from skysweep.aws.eks import EKSCluster
from skysweep.aws.iam import AWSInstanceProfile, AWSRole
from skysweep.aws.launchtemplates import LaunchTemplate
from skysweep.aws.securitygroups import EC2SecurityGroup
from skysweep.aws.tags import AWSTag, tagged
from skysweep.aws.vpc import EC2Subnet
from skysweep.model import Record, Resource, at, by, call, detail, to

Part = Mapping[str, Any]
STATUSES = ("SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING", "SUCCEEDED", "FAILED")


def environment_roles(environment: Record) -> list[str]:
    """The ARNs of the roles that Batch takes to start an environment's machines, spot ones too."""
    roles = [environment["serviceRole"], (environment["computeResources"] or {}).get("spotIamFleetRole")]
    return [role for role in roles if role]


def instance_profile(environment: Record) -> str | None:
    """The ARN of the profile that the machines start with; AWS takes its name as well."""
    profile = (environment["computeResources"] or {}).get("instanceRole")
    if not profile or profile.startswith("arn:"):
        return profile or None
    return f"arn:{environment.context.partition}:iam::{environment.context.account}:instance-profile/{profile}"


class AWSBatchComputeEnvironment(Resource):
    """The machines that jobs run on: the network they stand in, and what every job on them can become."""

    source = call("batch", "DescribeComputeEnvironments", "computeEnvironments[]")

    id: str = at("computeEnvironmentArn")
    arn: str = at("computeEnvironmentArn", index=True)
    name: str = at("computeEnvironmentName", index=True)
    type: str = at("type", doc="MANAGED by Batch or UNMANAGED")
    state: str = at("state")
    status: str = at("status")
    status_reason: str = at("statusReason")
    container_orchestration_type: str = at("containerOrchestrationType", doc="ECS or EKS")
    ecs_cluster_arn: str = at("ecsClusterArn", index=True)
    eks_cluster_arn: str = at("eksConfiguration.eksClusterArn", index=True)
    kubernetes_namespace: str = at("eksConfiguration.kubernetesNamespace")
    service_role: str = at("serviceRole")
    resource_type: str = at("computeResources.type", doc="EC2, SPOT, FARGATE or FARGATE_SPOT")
    instance_role: str = at("computeResources.instanceRole", doc="The instance profile, by ARN or by name")
    spot_iam_fleet_role: str = at("computeResources.spotIamFleetRole")
    instance_types: list[str] = at("computeResources.instanceTypes")
    image_id: str = at("computeResources.imageId")
    image_types: list[str] = at("computeResources.ec2Configuration[].imageType", doc="AL2 images have ended")
    ec2_key_pair: str = at("computeResources.ec2KeyPair", doc="The key that logs in to the machines")
    min_vcpus: int = at("computeResources.minvCpus")
    max_vcpus: int = at("computeResources.maxvCpus")

    roles: list[AWSRole] = to("HAS_ROLE", environment_roles)
    profile: AWSInstanceProfile = to("INSTANCE_PROFILE", instance_profile)
    subnets: list[EC2Subnet] = to("PART_OF_SUBNET", "computeResources.subnets")
    groups: list[EC2SecurityGroup] = to("MEMBER_OF_EC2_SECURITY_GROUP", "computeResources.securityGroupIds")
    cluster: ECSCluster = to("USES", "ecsClusterArn")
    kubernetes: EKSCluster = to("USES", "eksConfiguration.eksClusterArn")
    template: LaunchTemplate = to("USES", "computeResources.launchTemplate.launchTemplateId")
    tagged: list[AWSTag] = tagged("tags")


QUEUES = call("batch", "DescribeJobQueues", "jobQueues[]")


class AWSBatchJobQueue(Resource):
    """Where jobs wait for machines: who may submit to it runs code on them."""

    source = QUEUES

    id: str = at("jobQueueArn")
    arn: str = at("jobQueueArn", index=True)
    name: str = at("jobQueueName", index=True)
    type: str = at("jobQueueType")
    state: str = at("state")
    status: str = at("status")
    status_reason: str = at("statusReason")
    priority: int = at("priority")
    scheduling_policy_arn: str = at("schedulingPolicyArn")

    environments: list[AWSBatchComputeEnvironment] = to("USES", "computeEnvironmentOrder[].computeEnvironment")
    tagged: list[AWSTag] = tagged("tags")


def parts(record: Record) -> Iterator[Part]:
    """A job or its definition, and each range of its nodes where it runs on several."""
    yield record.item
    yield from (record["nodeProperties"] or {}).get("nodeRangeProperties") or ()


def tasks(record: Record) -> Iterator[Part]:
    """What carries roles: the only container of a part, and the tasks of one that has several."""
    for part in parts(record):
        single = part.get("containerProperties") or part.get("container")
        if single:
            yield single
        yield from (part.get("ecsProperties") or {}).get("taskProperties") or ()


def containers(record: Record) -> Iterator[Part]:
    """Every container that a job starts, whether Batch, ECS or Kubernetes describes it."""
    for task in tasks(record):
        yield from task.get("containers", (task,))
    for part in parts(record):
        pod = (part.get("eksProperties") or {}).get("podProperties") or {}
        yield from (*(pod.get("initContainers") or ()), *(pod.get("containers") or ()))


def _each(found: Iterator[Any]) -> list[Any]:
    return [each for each in dict.fromkeys(found) if each]


def images(record: Record) -> list[str]:
    """The images that its containers are started from."""
    return _each(each.get("image") for each in containers(record))


def pulled(record: Record) -> list[str]:
    """The names that those images are pulled by."""
    return [pulled_as(image) for image in images(record)]


def environment_names(record: Record) -> list[str]:
    """The names of its containers' environment variables, never their values."""
    variables = (each.get("environment") or each.get("env") or () for each in containers(record))
    return sorted({variable["name"] for listed in variables for variable in listed})


def secret_names(record: Record) -> list[str]:
    """The ARNs or names of the secrets and parameters that its containers are given, not what they hold."""
    given = (each.get("secrets") or () for each in containers(record))
    return _each(secret["valueFrom"] for listed in given for secret in listed)


def is_privileged(record: Record) -> bool:
    """Whether a container of it has root's power over the machine that it runs on."""
    return any(
        each.get("privileged") or (each.get("securityContext") or {}).get("privileged") for each in containers(record)
    )


def is_public(record: Record) -> bool:
    """Whether it gets a public address on Fargate."""
    networks = (each.get("networkConfiguration") or {} for each in tasks(record))
    return any(network.get("assignPublicIp") == "ENABLED" for network in networks)


def job_roles(record: Record) -> list[str]:
    """The ARNs of the roles that its code acts as."""
    return _each(each.get("jobRoleArn") or each.get("taskRoleArn") for each in tasks(record))


def execution_roles(record: Record) -> list[str]:
    """The ARNs of the roles that fetch its images and its secrets."""
    return _each(each.get("executionRoleArn") for each in tasks(record))


def every_role(record: Record) -> list[str]:
    """The ARNs of the roles of either kind."""
    return _each(iter([*job_roles(record), *execution_roles(record)]))


class Work(Resource):
    """What a job and its definition both tell of their containers; no type itself."""

    images: list[str] = at(images)
    job_role_arns: list[str] = at(job_roles)
    execution_role_arns: list[str] = at(execution_roles)
    environment_names: list[str] = at(environment_names)
    secret_names: list[str] = at(secret_names)
    privileged: bool = at(is_privileged)
    assigns_public_ip: bool = at(is_public)
    service_account: str = at("eksProperties.podProperties.serviceAccountName")
    host_network: bool = at("eksProperties.podProperties.hostNetwork")
    platform_capabilities: list[str] = at("platformCapabilities", doc="EC2 or FARGATE")

    roles: list[AWSRole] = to("HAS_ROLE", every_role)
    pulls: list[ECRRepositoryImage] = to("HAS_IMAGE", pulled, on="uri")


class AWSBatchJobDefinition(Work):
    """A recipe for jobs: who may submit one of it runs its image with its roles, and may set its command."""

    source = call("batch", "DescribeJobDefinitions", "jobDefinitions[]", status="ACTIVE")

    id: str = at("jobDefinitionArn")
    arn: str = at("jobDefinitionArn", index=True)
    name: str = at("jobDefinitionName", index=True)
    revision: int = at("revision")
    status: str = at("status")
    type: str = at("type", doc="container or multinode")
    container_orchestration_type: str = at("containerOrchestrationType", doc="ECS or EKS")
    timeout_seconds: int = at("timeout.attemptDurationSeconds")

    tagged: list[AWSTag] = tagged("tags")


def waiting_rooms(queue: Record) -> Iterator[Mapping[str, str]]:
    """A queue with each status that its jobs can have: ListJobs tells one status at a time, and only running jobs else.

    Queues for SageMaker have service jobs, which ListJobs does not know.
    """
    if queue["jobQueueType"] != "SAGEMAKER_TRAINING":
        yield from ({"queue": queue["jobQueueArn"], "status": status} for status in STATUSES)


JOBS = detail(
    "batch", "ListJobs", "jobSummaryList[]", on=QUEUES.each(waiting_rooms), jobQueue="queue", jobStatus="status"
)


class AWSBatchJob(Work):
    """A job that waits, runs, or has ended within about a week: then Batch forgets it."""

    source = detail("batch", "DescribeJobs", "jobs[]", on=JOBS, batch=100, jobs="jobId")

    id: str = at("jobArn")
    arn: str = at("jobArn", index=True)
    job_id: str = at("jobId", index=True)
    name: str = at("jobName", index=True)
    status: str = at("status")
    status_reason: str = at("statusReason")
    created_at: datetime = at("createdAt", then=moment)
    started_at: datetime = at("startedAt", then=moment)
    stopped_at: datetime = at("stoppedAt", then=moment)
    array_size: int = at("arrayProperties.size", doc="How many children it has, which are not told apart")
    exit_code: int = at("container.exitCode")
    log_stream_name: str = at("container.logStreamName")
    task_arn: str = at("container.taskArn", index=True)
    is_cancelled: bool = at("isCancelled")
    is_terminated: bool = at("isTerminated")

    queue: AWSBatchJobQueue = by("HAS_JOB", "jobQueue")
    definition: AWSBatchJobDefinition = to("CREATED_FROM", "jobDefinition")
    tagged: list[AWSTag] = tagged("tags")
