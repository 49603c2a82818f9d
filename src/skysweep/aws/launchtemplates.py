"""Launch templates: how the next instances will be started. User data is never kept: it holds secrets too often."""

from __future__ import annotations

from datetime import datetime

from skysweep.aws.ec2 import EC2Image, images_named
from skysweep.aws.tags import AWSTag, tagged
from skysweep.model import Record, Resource, arn, at, by, call, detail, to

TEMPLATES = call("ec2", "DescribeLaunchTemplates", "LaunchTemplates[]")
VERSIONS = detail(
    "ec2",
    "DescribeLaunchTemplateVersions",
    "LaunchTemplateVersions[]",
    on=TEMPLATES,
    LaunchTemplateId="LaunchTemplateId",
)


def _epoch(moment: datetime) -> str:
    return str(int(moment.timestamp()))


class LaunchTemplate(Resource):
    """A named recipe for instances, in versions: auto scaling groups and people start instances by it."""

    also = ("AWSLaunchTemplate",)
    source = TEMPLATES

    id: str = at("LaunchTemplateId")
    launch_template_id: str = at("LaunchTemplateId", index=True)
    arn: str = at(arn("ec2", "launch-template/{LaunchTemplateId}"))
    name: str = at("LaunchTemplateName", index=True)
    create_time: str = at("CreateTime", then=_epoch, doc="Seconds since 1970, as text")
    created_by: str = at("CreatedBy")
    default_version_number: int = at("DefaultVersionNumber")
    latest_version_number: int = at("LatestVersionNumber")

    tagged: list[AWSTag] = tagged("Tags")


def _gives_public_ip(version: Record) -> bool | None:
    """Whether an interface of the template gets a public address; None where the subnet decides."""
    interfaces = version["LaunchTemplateData"].get("NetworkInterfaces") or ()
    said = [each["AssociatePublicIpAddress"] for each in interfaces if "AssociatePublicIpAddress" in each]
    return any(said) if said else None


class LaunchTemplateVersion(Resource):
    """One version of a launch template: image, role, firewall and metadata service of what it starts."""

    also = ("AWSLaunchTemplateVersion",)
    source = VERSIONS

    id: str = at("{LaunchTemplateId}-{VersionNumber}")
    name: str = at("LaunchTemplateName")
    create_time: str = at("CreateTime", then=_epoch, doc="Seconds since 1970, as text")
    created_by: str = at("CreatedBy")
    default_version: bool = at("DefaultVersion")
    version_number: int = at("VersionNumber")
    version_description: str = at("VersionDescription")
    image_id: str = at("LaunchTemplateData.ImageId", index=True)
    kernel_id: str = at("LaunchTemplateData.KernelId")
    ramdisk_id: str = at("LaunchTemplateData.RamDiskId")
    instance_type: str = at("LaunchTemplateData.InstanceType")
    key_name: str = at("LaunchTemplateData.KeyName")
    ebs_optimized: bool = at("LaunchTemplateData.EbsOptimized")
    iam_instance_profile_arn: str = at("LaunchTemplateData.IamInstanceProfile.Arn")
    iam_instance_profile_name: str = at("LaunchTemplateData.IamInstanceProfile.Name")
    monitoring_enabled: bool = at("LaunchTemplateData.Monitoring.Enabled")
    disable_api_termination: bool = at("LaunchTemplateData.DisableApiTermination")
    instance_initiated_shutdown_behavior: str = at("LaunchTemplateData.InstanceInitiatedShutdownBehavior")
    security_group_ids: list[str] = at("LaunchTemplateData.SecurityGroupIds")
    security_groups: list[str] = at("LaunchTemplateData.SecurityGroups")
    metadata_http_tokens: str = at("LaunchTemplateData.MetadataOptions.HttpTokens", doc="required: IMDSv2 only")
    metadata_http_endpoint: str = at("LaunchTemplateData.MetadataOptions.HttpEndpoint")
    associate_public_ip_address: bool = at(_gives_public_ip)

    template: LaunchTemplate = by("VERSION", "LaunchTemplateId")
    image: EC2Image = to("HAS_IMAGE", "{LaunchTemplateData.ImageId}|{region}")


class EC2ImageOfTemplate(EC2Image, extends=EC2Image):
    """An image that a launch template would start, whoever owns it, as long as it can be seen."""

    source = images_named(VERSIONS, "LaunchTemplateData.ImageId")
