"""Containers: ECR, ECS, EKS and Batch."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from wide.ground import REGION, TAG_LIST, TAGS

if TYPE_CHECKING:
    from wide.ground import Ground

DOCKER = "application/vnd.docker.distribution.manifest.v2+json"
LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
ECS_TAGS = [{"key": "team", "value": "wide"}]


def _manifest(number: int) -> str:
    """The manifest of an image with one layer of its own."""
    config = {
        "mediaType": "application/vnd.docker.container.image.v1+json",
        "size": 7023,
        "digest": f"sha256:{number:064x}",
    }
    layer = {
        "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip",
        "size": 32654,
        "digest": f"sha256:{number + 16:064x}",
    }
    return json.dumps({"schemaVersion": 2, "mediaType": DOCKER, "config": config, "layers": [layer]})


def build_registry(ground: Ground) -> str:
    """A repository that everyone may pull from, with two images, one scanned; gives the URI of the first."""
    ecr = ground.client("ecr")
    repository = ecr.create_repository(
        repositoryName="shop/web",
        imageScanningConfiguration={"scanOnPush": True},
        encryptionConfiguration={"encryptionType": "KMS", "kmsKey": ground.key},
        tags=TAG_LIST,
    )["repository"]
    arn, uri = repository["repositoryArn"], repository["repositoryUri"]
    ground.node("ECRRepository", arn, ("ENCRYPTED_BY", ground.key.rpartition("/")[2]))
    policy = ground.policy("ECRPolicyStatement", arn, {"AWS": "*"}, "ecr:BatchGetImage")
    ecr.set_repository_policy(repositoryName="shop/web", policyText=policy)
    for number, tag in ((1, "1.0"), (2, "2.0")):
        image = ecr.put_image(
            repositoryName="shop/web", imageManifest=_manifest(number), imageManifestMediaType=DOCKER, imageTag=tag
        )["image"]
        digest = ground.node("ECRImage", image["imageId"]["imageDigest"])
        named = ground.node("ECRRepositoryImage", f"{uri}:{tag}", ("IMAGE", digest))
        ground.edge(arn, "REPO_IMAGE", named)
    _scan(ground, digest)
    return f"{uri}:1.0"


def _scan(ground: Ground, digest: str) -> None:
    """Find a vulnerability in an image."""
    image = {"imageDigest": digest}
    ground.client("ecr").start_image_scan(repositoryName="shop/web", imageId=image)
    finding = {
        "name": "CVE-2026-0002",
        "severity": "HIGH",
        "attributes": [{"key": "package_name", "value": "zlib"}, {"key": "package_version", "value": "1.3"}],
    }
    result = {
        "registryId": ground.account.id,
        "repositoryName": "shop/web",
        "imageId": image,
        "imageScanStatus": {"status": "COMPLETE"},
        "imageScanFindings": {"findings": [finding], "findingSeverityCounts": {"HIGH": 1}},
    }
    where = {"account_id": ground.account.id, "region": REGION}
    ground.tell_moto("static/ecr/scan-finding-results", {**where, "results": [result]})
    ground.node("AWSECRImageScanFinding", f"{digest}/CVE-2026-0002/zlib/1.3", ("AFFECTS", digest))


def build_services(ground: Ground, image: str) -> None:
    """A cluster with a machine, a service behind a target group, and a task of it on Fargate."""
    ecs = ground.client("ecs")
    cluster = ecs.create_cluster(
        clusterName="wide", settings=[{"name": "containerInsights", "value": "enabled"}], tags=ECS_TAGS
    )["cluster"]["clusterArn"]
    ground.node("ECSCluster", cluster)
    document = json.dumps({"instanceId": ground.instance})
    machine = ecs.register_container_instance(cluster=cluster, instanceIdentityDocument=document)
    arn = machine["containerInstance"]["containerInstanceArn"]
    ground.node("ECSContainerInstance", arn, ("IS_INSTANCE", ground.instance))
    ground.edge(cluster, "HAS_CONTAINER_INSTANCE", arn)
    definition = ecs.register_task_definition(
        family="web",
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        taskRoleArn=ground.role,
        executionRoleArn=ground.role,
        containerDefinitions=[
            {
                "name": "web",
                "image": image,
                "cpu": 256,
                "memory": 512,
                "essential": True,
                "portMappings": [{"containerPort": 8080, "hostPort": 8080, "protocol": "tcp"}],
                "environment": [{"name": "STAGE", "value": "production"}],
                "logConfiguration": {
                    "logDriver": "awslogs",
                    "options": {"awslogs-group": "/wide/app", "awslogs-region": "us-east-1"},
                },
            }
        ],
        tags=ECS_TAGS,
    )["taskDefinition"]["taskDefinitionArn"]
    ground.node("ECSTaskDefinition", definition, ("HAS_TASK_ROLE", ground.role))
    contained = ground.node("ECSContainerDefinition", f"{definition}-web", ("LOGS_TO", ground.log_group))
    ground.edge(definition, "HAS_CONTAINER_DEFINITION", contained)
    target = ground.client("elbv2").create_target_group(
        Name="wide", Protocol="HTTP", Port=8080, VpcId=ground.vpc, TargetType="ip"
    )["TargetGroups"][0]["TargetGroupArn"]
    network = {
        "awsvpcConfiguration": {
            "subnets": ground.subnets,
            "securityGroups": [ground.group],
            "assignPublicIp": "DISABLED",
        }
    }
    service = ecs.create_service(
        cluster=cluster,
        serviceName="web",
        taskDefinition=definition,
        desiredCount=1,
        launchType="FARGATE",
        loadBalancers=[{"targetGroupArn": target, "containerName": "web", "containerPort": 8080}],
        networkConfiguration=network,
        tags=ECS_TAGS,
    )["service"]["serviceArn"]
    ground.node("ECSService", service, ("HAS_TASK_DEFINITION", definition), ("WORKLOAD_PARENT", cluster))
    ground.edge(cluster, "HAS_SERVICE", service)
    ground.edge(target, "TARGETS", service)
    stays = {"model_name": "ecs::task", "transition": {"progression": "time", "seconds": 1_000_000}}
    ground.tell_moto("state-manager/set-transition", stays)  # else each call that asks moves it on, until it is stopped
    ecs.run_task(
        cluster=cluster,
        taskDefinition=definition,
        launchType="FARGATE",
        networkConfiguration=network,
        group="service:web",
    )
    tasks = ecs.describe_tasks(cluster=cluster, tasks=ecs.list_tasks(cluster=cluster)["taskArns"])["tasks"]
    for task in tasks:
        ground.node("ECSTask", task["taskArn"], ("HAS_TASK_DEFINITION", definition))
        ground.edge(cluster, "HAS_TASK", task["taskArn"])
        for container in task["containers"]:
            ground.node("ECSContainer", container["containerArn"])


def build_kubernetes(ground: Ground) -> None:
    """An EKS cluster whose API only its VPC reaches."""
    arn = ground.client("eks").create_cluster(
        name="wide",
        version="1.33",
        roleArn=ground.role,
        resourcesVpcConfig={
            "subnetIds": ground.subnets,
            "securityGroupIds": [ground.group],
            "endpointPublicAccess": False,
            "endpointPrivateAccess": True,
        },
        logging={"clusterLogging": [{"types": ["audit"], "enabled": True}]},
        encryptionConfig=[{"resources": ["secrets"], "provider": {"keyArn": ground.key}}],
        tags=TAGS,
    )["cluster"]["arn"]
    ground.node("EKSCluster", arn, ("HAS_ROLE", ground.role), *(("PART_OF_SUBNET", each) for each in ground.subnets))


def build_batch(ground: Ground) -> None:
    """An environment on Fargate, a queue before it, and a job of a definition."""
    ground.tell_moto("config", {"batch": {"use_docker": False}})
    batch = ground.client("batch")
    environment = batch.create_compute_environment(
        computeEnvironmentName="wide",
        type="MANAGED",
        state="ENABLED",
        computeResources={
            "type": "FARGATE",
            "maxvCpus": 4,
            "subnets": ground.subnets,
            "securityGroupIds": [ground.group],
        },
        serviceRole=ground.role,
        tags=TAGS,
    )["computeEnvironmentArn"]
    ground.node("AWSBatchComputeEnvironment", environment, ("HAS_ROLE", ground.role))
    queue = batch.create_job_queue(
        jobQueueName="wide",
        state="ENABLED",
        priority=1,
        computeEnvironmentOrder=[{"order": 1, "computeEnvironment": environment}],
    )["jobQueueArn"]
    ground.node("AWSBatchJobQueue", queue, ("USES", environment))
    definition = batch.register_job_definition(
        jobDefinitionName="nightly",
        type="container",
        containerProperties={
            "image": "busybox",
            "vcpus": 1,
            "memory": 128,
            "command": ["true"],
            "jobRoleArn": ground.role,
        },
    )["jobDefinitionArn"]
    ground.node("AWSBatchJobDefinition", definition, ("HAS_ROLE", ground.role))
    job = batch.submit_job(jobName="tonight", jobQueue=queue, jobDefinition=definition)
    arn = job.get("jobArn") or ground.arn("batch", f"job/{job['jobId']}")
    ground.node("AWSBatchJob", arn, ("CREATED_FROM", definition))
    ground.edge(queue, "HAS_JOB", arn)
    ecs = ground.client("ecs")
    for cluster in ecs.list_clusters()["clusterArns"]:  # Batch makes one of its own
        ground.node("ECSCluster", cluster)
