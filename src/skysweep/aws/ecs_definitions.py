"""ECS task definitions: what a task is made of, the roles it gets, and what its containers may do.

Every active revision is a node, but only the latest of each family and those that tasks or services use are described:
families gather thousands of revisions, and AWS describes one a call.
"""

from __future__ import annotations

from datetime import datetime

from skysweep.aws._common import last_part
from skysweep.aws._ecs import SERVICES, TASKS
from skysweep.aws.ecr import ECRRepositoryImage, pulled_as
from skysweep.aws.efs import EfsFileSystem
from skysweep.aws.iam import AWSRole
from skysweep.aws.logs import CloudWatchLogGroup
from skysweep.aws.tags import AWSTag, tagged_by_arn
from skysweep.model import Record, Resource, Source, at, by, call, detail, to

ACTIVE = call("ecs", "ListTaskDefinitions", "taskDefinitionArns[]", status="ACTIVE")
FAMILIES = call("ecs", "ListTaskDefinitionFamilies", "families[]", status="ACTIVE")
LATEST = detail("ecs", "DescribeTaskDefinition", "taskDefinition", on=FAMILIES, taskDefinition="@", include=["TAGS"])
USED = detail(
    "ecs",
    "DescribeTaskDefinition",
    "taskDefinition",
    on=TASKS,
    batch=1,
    taskDefinition="taskDefinitionArn",
    include=["TAGS"],
)


def runs_nowhere(service: Record) -> bool:
    """Whether no task runs a service's definition, not yet or not any more: those that do tell of it themselves."""
    deployed = (
        each for each in service["deployments"] or () if each.get("taskDefinition") == service["taskDefinition"]
    )
    return not any(each.get("runningCount") for each in deployed)


WANTED = detail(
    "ecs",
    "DescribeTaskDefinition",
    "taskDefinition",
    on=SERVICES,
    batch=1,
    when=runs_nowhere,
    taskDefinition="taskDefinition",
    include=["TAGS"],
)


def family(arn: str) -> str:
    """The family in a task definition's ARN."""
    return arn.split("/", 1)[-1].rpartition(":")[0]


class ECSTaskDefinition(Resource):
    """A revision of what a task is made of: whoever may run it gets what its task role may do."""

    also = ("AWSECSTaskDefinition",)
    source = ACTIVE

    id: str = at("@")
    arn: str = at("@", index=True)
    family: str = at("@", then=family, index=True)
    revision: int = at("@", then=lambda arn: int(last_part(arn)))

    tagged: list[AWSTag] = tagged_by_arn(ACTIVE, "@")


class DescribedTaskDefinition(Resource):
    """What AWS says of one task definition."""

    id: str = at("taskDefinitionArn")
    arn: str = at("taskDefinitionArn", index=True)
    family: str = at("family", index=True)
    revision: int = at("revision")
    region: str = at("{region}")
    status: str = at("status", doc="Tasks may go on running what is INACTIVE")
    task_role_arn: str = at("taskRoleArn")
    execution_role_arn: str = at("executionRoleArn")
    network_mode: str = at("networkMode", doc="host: its containers listen on the machine's own addresses")
    pid_mode: str = at("pidMode", doc="host: its containers see the machine's processes")
    ipc_mode: str = at("ipcMode")
    compatibilities: list[str] = at("compatibilities")
    requires_compatibilities: list[str] = at("requiresCompatibilities")
    runtime_platform_cpu_architecture: str = at("runtimePlatform.cpuArchitecture")
    runtime_platform_operating_system_family: str = at("runtimePlatform.operatingSystemFamily")
    cpu: str = at("cpu")
    memory: str = at("memory")
    proxy_configuration_type: str = at("proxyConfiguration.type")
    proxy_configuration_container_name: str = at("proxyConfiguration.containerName")
    registered_at: datetime = at("registeredAt")
    registered_by: str = at("registeredBy")
    ephemeral_storage_size_in_gib: int = at("ephemeralStorage.sizeInGiB")
    host_paths: list[str] = at("volumes[].host.sourcePath", doc="The machine's directories that its containers see")
    efs_access_point_ids: list[str] = at("volumes[].efsVolumeConfiguration.authorizationConfig.accessPointId")

    task_role: AWSRole = to("HAS_TASK_ROLE", "taskRoleArn")
    execution_role: AWSRole = to("HAS_EXECUTION_ROLE", "executionRoleArn")
    file_systems: list[EfsFileSystem] = to("USES", "volumes[].efsVolumeConfiguration.fileSystemId")


class LatestTaskDefinition(DescribedTaskDefinition, extends=ECSTaskDefinition):
    """The newest active revision of a family: what is run by default."""

    source = LATEST


class TaskDefinitionInUse(DescribedTaskDefinition, extends=ECSTaskDefinition):
    """A revision that a task runs, however old, and whether it is active still or not."""

    source = USED

    deregistered_at: datetime = at("deregisteredAt")


class TaskDefinitionOfService(DescribedTaskDefinition, extends=ECSTaskDefinition):
    """A revision that a service is to run, and no task of it does: what it gets as soon as one starts."""

    source = WANTED


def containers(definitions: Source) -> Source:
    """The containers that these task definitions define."""
    return definitions.each(lambda definition: definition["containerDefinitions"] or ())


def pulled(container: Record) -> str | None:
    """The name that a container's image is pulled by."""
    return pulled_as(container["image"]) if container["image"] else None


def printed_to(container: Record) -> str | None:
    """The ARN of the log group that a container prints to."""
    options = (container["logConfiguration"] or {}).get("options") or {}
    group = options.get("awslogs-group")
    here = container.context
    region = options.get("awslogs-region") or here.region
    return f"arn:{here.partition}:logs:{region}:{here.account}:log-group:{group}" if group else None


class DefinedContainer(Resource):
    """A container as a task definition has it."""

    id: str = at("{^taskDefinitionArn}-{name}")
    task_definition_arn: str = at("^taskDefinitionArn")
    name: str = at("name")
    image: str = at("image", index=True)
    cpu: int = at("cpu")
    memory: int = at("memory")
    memory_reservation: int = at("memoryReservation")
    links: list[str] = at("links")
    essential: bool = at("essential")
    entry_point: list[str] = at("entryPoint")
    command: list[str] = at("command")
    start_timeout: int = at("startTimeout")
    stop_timeout: int = at("stopTimeout")
    hostname: str = at("hostname")
    user: str = at("user", doc="Null: whom the image says, mostly root")
    working_directory: str = at("workingDirectory")
    disable_networking: bool = at("disableNetworking")
    privileged: bool = at("privileged", doc="Whether it is root on the machine as well")
    readonly_root_filesystem: bool = at("readonlyRootFilesystem")
    dns_servers: list[str] = at("dnsServers")
    dns_search_domains: list[str] = at("dnsSearchDomains")
    docker_security_options: list[str] = at("dockerSecurityOptions")
    interactive: bool = at("interactive")
    pseudo_terminal: bool = at("pseudoTerminal")
    container_ports: list[int] = at("portMappings[].containerPort")
    host_ports: list[int] = at("portMappings[].hostPort")
    added_capabilities: list[str] = at("linuxParameters.capabilities.add", doc="What it may beyond Docker's default")
    environment_names: list[str] = at("environment[].name", doc="Names only: the values hold secrets too often")
    environment_files: list[str] = at("environmentFiles[].value", doc="The S3 objects that hold more of them")
    secret_names: list[str] = at("secrets[].name")
    secret_sources: list[str] = at("secrets[].valueFrom", doc="The secrets or parameters, by ARN or name")
    repository_credentials: str = at("repositoryCredentials.credentialsParameter", doc="The secret's ARN")
    log_driver: str = at("logConfiguration.logDriver", doc="Null: what it prints is lost")
    log_group: str = at("logConfiguration.options.awslogs-group")

    definition: ECSTaskDefinition = by("HAS_CONTAINER_DEFINITION", "^taskDefinitionArn")
    pulls: ECRRepositoryImage = to("HAS_IMAGE", pulled, on="uri")
    logs: CloudWatchLogGroup = to("LOGS_TO", printed_to)


class ECSContainerDefinition(DefinedContainer):
    """A container of the newest revision of a task definition: its image, and how far it is kept apart."""

    also = ("AWSECSContainerDefinition",)
    source = containers(LATEST)


class ECSContainerDefinitionInUse(DefinedContainer, extends=ECSContainerDefinition):
    """A container of a revision that a task runs."""

    source = containers(USED)

    region: str = at("{region}")


class ECSContainerDefinitionOfService(DefinedContainer, extends=ECSContainerDefinition):
    """A container of a revision that a service is to run."""

    source = containers(WANTED)

    region: str = at("{region}")
