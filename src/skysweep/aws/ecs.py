"""ECS: clusters, the services and tasks that run in them, and the machines under them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from skysweep.aws._common import kms_arn, kms_key, log_group_arn, processor
from skysweep.aws._ecs import CLUSTER_ARNS, SERVICES, TASKS
from skysweep.aws.ec2 import EC2Instance
from skysweep.aws.ecr import ECRImage
from skysweep.aws.ecs_definitions import ECSTaskDefinition
from skysweep.aws.elbv2 import ELBV2TargetGroup
from skysweep.aws.iam import AWSRole
from skysweep.aws.kms import KMSKey
from skysweep.aws.logs import CloudWatchLogGroup
from skysweep.aws.network import AWSNetworkInterface
from skysweep.aws.s3 import S3Bucket
from skysweep.aws.securitygroups import EC2SecurityGroup
from skysweep.aws.tags import AWSTag, tagged
from skysweep.aws.vpc import EC2Subnet
from skysweep.model import Link, Record, Resource, at, by, detail, to
from skysweep.paths import reader

EXEC = "configuration.executeCommandConfiguration"
_storage = reader("configuration.managedStorageConfiguration")
_exec_logs = reader(f"{EXEC}.logConfiguration.cloudWatchLogGroupName")


def storage_keys(cluster: Record) -> list[str]:
    """The ARNs of the keys that the disks of its tasks are encrypted with."""
    storage = _storage(cluster) or {}
    keys = [storage.get(name) for name in ("kmsKeyId", "fargateEphemeralStorageKmsKeyId")]
    return [kms_arn(key, cluster.context) for key in keys if key]


def exec_logs(cluster: Record) -> str | None:
    """The ARN of the log group that tells what was done in sessions."""
    group = _exec_logs(cluster)
    return log_group_arn(group, cluster.context) if group else None


def container_insights(cluster: Record) -> str | None:
    """Whether CloudWatch watches the cluster's containers: disabled, enabled or enhanced."""
    settings = {each["name"]: each.get("value") for each in cluster["settings"] or ()}
    return settings.get("containerInsights")


class ECSCluster(Resource):
    """A place where tasks run: their services, their machines, and how sessions in their containers are logged."""

    also = ("AWSECSCluster", "ComputeCluster")
    source = detail(
        "ecs",
        "DescribeClusters",
        "clusters[]",
        on=CLUSTER_ARNS,
        batch=100,
        clusters="@",
        include=["ATTACHMENTS", "CONFIGURATIONS", "SETTINGS", "TAGS"],
    )

    id: str = at("clusterArn")
    arn: str = at("clusterArn", index=True)
    name: str = at("clusterName", index=True)
    status: str = at("status")
    ecc_kms_key_id: str = at(f"{EXEC}.kmsKeyId")
    ecc_logging: str = at(f"{EXEC}.logging", doc="NONE: nobody sees what was done in a container")
    ecc_log_configuration_cloud_watch_log_group_name: str = at(f"{EXEC}.logConfiguration.cloudWatchLogGroupName")
    ecc_log_configuration_cloud_watch_encryption_enabled: bool = at(
        f"{EXEC}.logConfiguration.cloudWatchEncryptionEnabled"
    )
    ecc_log_configuration_s3_bucket_name: str = at(f"{EXEC}.logConfiguration.s3BucketName")
    ecc_log_configuration_s3_encryption_enabled: bool = at(f"{EXEC}.logConfiguration.s3EncryptionEnabled")
    ecc_log_configuration_s3_key_prefix: str = at(f"{EXEC}.logConfiguration.s3KeyPrefix")
    capacity_providers: list[str] = at("capacityProviders")
    attachments_status: str = at("attachmentsStatus")
    container_insights: str = at(container_insights)
    registered_container_instances_count: int = at("registeredContainerInstancesCount")
    running_tasks_count: int = at("runningTasksCount")
    active_services_count: int = at("activeServicesCount")

    exec_key: KMSKey = to("USES_KMS_KEY", kms_key(f"{EXEC}.kmsKeyId"), on="arn")
    storage_keys: list[KMSKey] = to("ENCRYPTED_BY", storage_keys, on="arn")
    exec_logs: CloudWatchLogGroup = to("LOGS_TO", exec_logs)
    exec_bucket: S3Bucket = to("LOGS_TO", f"{EXEC}.logConfiguration.s3BucketName")
    tagged: list[AWSTag] = tagged("tags")


class ECSContainerInstance(Resource):
    """A machine that a cluster runs tasks on: a task that breaks out of its container is on it."""

    also = ("AWSECSContainerInstance",)
    source = detail(
        "ecs",
        "DescribeContainerInstances",
        "containerInstances[]",
        on=detail("ecs", "ListContainerInstances", "containerInstanceArns[]", on=CLUSTER_ARNS, cluster="@"),
        batch=100,
        containerInstances="@",
        cluster="^@",
        include=["TAGS"],
    )

    id: str = at("containerInstanceArn")
    arn: str = at("containerInstanceArn", index=True)
    cluster_arn: str = at("^cluster")
    ec2_instance_id: str = at("ec2InstanceId", doc="mi-…: a machine outside AWS")
    capacity_provider_name: str = at("capacityProviderName")
    version: int = at("version")
    version_info_agent_version: str = at("versionInfo.agentVersion")
    version_info_agent_hash: str = at("versionInfo.agentHash")
    version_info_agent_docker_version: str = at("versionInfo.dockerVersion")
    status: str = at("status")
    status_reason: str = at("statusReason")
    agent_connected: bool = at("agentConnected")
    agent_update_status: str = at("agentUpdateStatus")
    registered_at: datetime = at("registeredAt")

    cluster: ECSCluster = by("HAS_CONTAINER_INSTANCE", "^cluster")
    instance: EC2Instance = to("IS_INSTANCE", "ec2InstanceId")
    tagged: list[AWSTag] = tagged("tags")


def target_groups(service: Record) -> list[Link]:
    """The target groups that bring traffic to a service, with the container and port that it goes to."""
    return [
        Link(
            each["targetGroupArn"],
            {"container_name": each.get("containerName"), "container_port": each.get("containerPort")},
        )
        for each in service["loadBalancers"] or ()
        if each.get("targetGroupArn")
    ]


def definitions(service: Record) -> list[str]:
    """The ARN of the task definition that a service runs; of several while CodeDeploy changes one set for another."""
    told = [service["taskDefinition"], *(each.get("taskDefinition") for each in service["taskSets"] or ())]
    return [arn for arn in dict.fromkeys(told) if arn]


class ECSService(Resource):
    """So many tasks of one definition, kept running: where they stand, and whether anyone may run commands in them."""

    also = ("AWSECSService", "ComputeService")
    source = SERVICES

    id: str = at("serviceArn")
    arn: str = at("serviceArn", index=True)
    name: str = at("serviceName", index=True)
    cluster_arn: str = at("clusterArn", index=True)
    cluster_service: str = at("{clusterArn}/{serviceName}", index=True, doc="Cluster/name: what tasks know it by")
    status: str = at("status")
    desired_count: int = at("desiredCount")
    running_count: int = at("runningCount")
    pending_count: int = at("pendingCount")
    launch_type: str = at("launchType")
    platform_version: str = at("platformVersion")
    platform_family: str = at("platformFamily")
    task_definition: str = at("taskDefinition")
    deployment_config_circuit_breaker_enable: bool = at("deploymentConfiguration.deploymentCircuitBreaker.enable")
    deployment_config_circuit_breaker_rollback: bool = at("deploymentConfiguration.deploymentCircuitBreaker.rollback")
    deployment_config_maximum_percent: int = at("deploymentConfiguration.maximumPercent")
    deployment_config_minimum_healthy_percent: int = at("deploymentConfiguration.minimumHealthyPercent")
    role_arn: str = at("roleArn")
    created_at: datetime = at("createdAt")
    created_by: str = at("createdBy")
    health_check_grace_period_seconds: int = at("healthCheckGracePeriodSeconds")
    enable_ecs_managed_tags: bool = at("enableECSManagedTags")
    propagate_tags: str = at("propagateTags")
    enable_execute_command: bool = at("enableExecuteCommand", doc="Whether ecs:ExecuteCommand opens a shell in it")
    assign_public_ip: str = at("networkConfiguration.awsvpcConfiguration.assignPublicIp")
    scheduling_strategy: str = at("schedulingStrategy")

    cluster: ECSCluster = by("HAS_SERVICE", "clusterArn")
    parent: ECSCluster = to("WORKLOAD_PARENT", "clusterArn")
    definitions: list[ECSTaskDefinition] = to("HAS_TASK_DEFINITION", definitions)
    target_groups: list[ELBV2TargetGroup] = by("TARGETS", target_groups)
    role: AWSRole = to("HAS_ROLE", "roleArn")
    subnets: list[EC2Subnet] = to("PART_OF_SUBNET", "networkConfiguration.awsvpcConfiguration.subnets")
    groups: list[EC2SecurityGroup] = to(
        "MEMBER_OF_EC2_SECURITY_GROUP", "networkConfiguration.awsvpcConfiguration.securityGroups"
    )
    tagged: list[AWSTag] = tagged("tags")


def service_name(group: str) -> str | None:
    """The name of the service that a task belongs to; None for one that was started by itself."""
    return group.removeprefix("service:") if group.startswith("service:") else None


def service_of(task: Record) -> str | None:
    """What the task's service is found by: no ARN of it is in the task."""
    name = service_name(task["group"] or "")
    return f"{task['clusterArn']}/{name}" if name else None


def cluster_of_standalone(task: Record) -> str | None:
    """The cluster of a task that belongs to no service."""
    return None if service_of(task) else task["clusterArn"]


def attached(name: str) -> Callable[[Record], str | None]:
    """The function that reads a detail of the network interface attached to a task."""

    def read(task: Record) -> str | None:
        for attachment in task["attachments"] or ():
            if attachment.get("type") == "ElasticNetworkInterface":
                details = {each["name"]: each.get("value") for each in attachment.get("details") or ()}
                return details.get(name)
        return None

    read.__doc__ = f"The {name} of the network interface attached to the task."
    return read


class ECSTask(Resource):
    """A task that runs: one or more containers with one network interface and one role."""

    also = ("AWSECSTask", "ComputePod")
    source = TASKS

    id: str = at("taskArn")
    arn: str = at("taskArn", index=True)
    availability_zone: str = at("availabilityZone")
    capacity_provider_name: str = at("capacityProviderName")
    cluster_arn: str = at("clusterArn")
    connectivity: str = at("connectivity")
    connectivity_at: datetime = at("connectivityAt")
    container_instance_arn: str = at("containerInstanceArn", doc="Null on Fargate")
    cpu: str = at("cpu")
    memory: str = at("memory")
    created_at: datetime = at("createdAt")
    desired_status: str = at("desiredStatus")
    last_status: str = at("lastStatus")
    health_status: str = at("healthStatus")
    enable_execute_command: bool = at("enableExecuteCommand", doc="Whether ecs:ExecuteCommand opens a shell in it")
    execution_stopped_at: datetime = at("executionStoppedAt")
    group: str = at("group")
    service_name: str = at("group", then=service_name)
    launch_type: str = at("launchType")
    platform_version: str = at("platformVersion")
    platform_family: str = at("platformFamily")
    pull_started_at: datetime = at("pullStartedAt")
    pull_stopped_at: datetime = at("pullStoppedAt")
    started_at: datetime = at("startedAt")
    started_by: str = at("startedBy")
    stop_code: str = at("stopCode")
    stopped_at: datetime = at("stoppedAt")
    stopped_reason: str = at("stoppedReason")
    stopping_at: datetime = at("stoppingAt")
    task_definition_arn: str = at("taskDefinitionArn", index=True)
    task_role_override: str = at("overrides.taskRoleArn", doc="The role it got in place of its definition's")
    version: int = at("version")
    ephemeral_storage_size_in_gib: int = at("ephemeralStorage.sizeInGiB")
    network_interface_id: str = at(attached("networkInterfaceId"))

    cluster: ECSCluster = by("HAS_TASK", "clusterArn")
    service: ECSService = by("HAS_TASK", service_of, on="cluster_service")
    machine: ECSContainerInstance = by("HAS_TASK", "containerInstanceArn")
    parent_service: ECSService = to("WORKLOAD_PARENT", service_of, on="cluster_service")
    parent_cluster: ECSCluster = to("WORKLOAD_PARENT", cluster_of_standalone)
    definition: ECSTaskDefinition = to("HAS_TASK_DEFINITION", "taskDefinitionArn")
    role: AWSRole = to("HAS_TASK_ROLE", "overrides.taskRoleArn")
    execution_role: AWSRole = to("HAS_EXECUTION_ROLE", "overrides.executionRoleArn")
    interface: AWSNetworkInterface = to("NETWORK_INTERFACE", attached("networkInterfaceId"))
    subnet: EC2Subnet = to("PART_OF_SUBNET", attached("subnetId"))
    tagged: list[AWSTag] = tagged("tags")


_attributes = reader("^attributes")


def architecture(container: Record) -> str | None:
    """The processor architecture that the container's task runs on, as ECS says it."""
    found = {each["name"]: each.get("value") for each in _attributes(container) or ()}
    return found.get("ecs.cpu-architecture")


def image_architecture(container: Record) -> str | None:
    """The same, as container images call it."""
    found = architecture(container)
    return processor(found) if found else None


def architecture_source(container: Record) -> str | None:
    """Where the architecture is known from: the task that runs, the only place it is read."""
    return "runtime_api_exact" if architecture(container) else None


class ECSContainer(Resource):
    """A container that runs in a task, and the very image it was started from."""

    also = ("AWSECSContainer", "Container")
    source = TASKS["tasks[].containers[]"]

    id: str = at("containerArn")
    arn: str = at("containerArn", index=True)
    task_arn: str = at("^taskArn")
    name: str = at("name")
    image: str = at("image", index=True)
    image_digest: str = at("imageDigest", index=True)
    architecture: str = at(architecture)
    architecture_normalized: str = at(image_architecture)
    architecture_source: str = at(architecture_source)
    runtime_id: str = at("runtimeId")
    last_status: str = at("lastStatus")
    exit_code: int = at("exitCode")
    reason: str = at("reason")
    health_status: str = at("healthStatus")
    cpu: str = at("cpu")
    memory: str = at("memory")
    memory_reservation: str = at("memoryReservation")
    gpu_ids: list[str] = at("gpuIds")

    task: ECSTask = by("HAS_CONTAINER", "^taskArn")
    parent: ECSTask = to("WORKLOAD_PARENT", "^taskArn")
    pulled: ECRImage = to("HAS_IMAGE", "imageDigest", on="digest")
