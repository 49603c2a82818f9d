"""Auto Scaling: groups that start and stop instances by themselves, and the recipes they start them by."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from skysweep.aws.ec2 import IMAGE_ID, EC2Image, EC2Instance, images_named
from skysweep.aws.launchtemplates import LaunchTemplate
from skysweep.aws.tags import AWSTag, tagged
from skysweep.aws.vpc import EC2Subnet
from skysweep.model import Function, Record, Resource, at, by, call, to

CONFIGURATIONS = call("autoscaling", "DescribeLaunchConfigurations", "LaunchConfigurations[]")
# A configuration's ARN holds an id that groups do not tell; its name is unique in its account and region.
LAUNCH_CONFIGURATION = "{account}/{region}/{LaunchConfigurationName}"


class LaunchConfiguration(Resource):
    """The old kind of launch template: how a group's next instances will be started. Its user data is never kept."""

    also = ("AWSLaunchConfiguration",)
    source = CONFIGURATIONS

    id: str = at("LaunchConfigurationARN")
    arn: str = at("LaunchConfigurationARN", index=True)
    name: str = at("LaunchConfigurationName", index=True)
    scoped_name: str = at(LAUNCH_CONFIGURATION, index=True, doc="account/region/name: what is unique of the name")
    created_time: datetime = at("CreatedTime")
    image_id: str = at("ImageId", index=True)
    instance_type: str = at("InstanceType")
    kernel_id: str = at("KernelId")
    ramdisk_id: str = at("RamdiskId")
    key_name: str = at("KeyName")
    iam_instance_profile: str = at("IamInstanceProfile", doc="Its name, or its ARN: as it was given")
    security_groups: list[str] = at("SecurityGroups")
    associate_public_ip_address: bool = at("AssociatePublicIpAddress", doc="Null where the subnet decides")
    ebs_optimized: bool = at("EbsOptimized")
    instance_monitoring_enabled: bool = at("InstanceMonitoring.Enabled")
    placement_tenancy: str = at("PlacementTenancy")
    spot_price: str = at("SpotPrice")
    metadata_http_tokens: str = at("MetadataOptions.HttpTokens", doc="required: IMDSv2 only")
    metadata_http_endpoint: str = at("MetadataOptions.HttpEndpoint")
    metadata_http_put_response_hop_limit: int = at("MetadataOptions.HttpPutResponseHopLimit")

    image: EC2Image = to("HAS_IMAGE", IMAGE_ID)


class EC2ImageOfConfiguration(EC2Image, extends=EC2Image):
    """An image that a launch configuration would start, whoever owns it, as long as it can be seen."""

    source = images_named(CONFIGURATIONS, "ImageId")


def _template(member: str) -> Function:
    """A member of the group's launch template, which a group of mixed instances names further down."""

    def read(group: Record) -> Any:
        mixed = (group["MixedInstancesPolicy"] or {}).get("LaunchTemplate", {}).get("LaunchTemplateSpecification")
        return (group["LaunchTemplate"] or mixed or {}).get(member)

    return read


def _templates(group: Record) -> list[str]:
    """The ids of every launch template that the group may start an instance by."""
    mixed = (group["MixedInstancesPolicy"] or {}).get("LaunchTemplate", {})
    overrides = [each.get("LaunchTemplateSpecification") for each in mixed.get("Overrides", ())]
    used = [group["LaunchTemplate"], mixed.get("LaunchTemplateSpecification"), *overrides]
    return [each["LaunchTemplateId"] for each in used if each and "LaunchTemplateId" in each]


class AutoScalingGroup(Resource):
    """A group of instances that are alike and come and go: what is wrong with one is wrong with the next as well."""

    also = ("AWSAutoScalingGroup",)
    source = call("autoscaling", "DescribeAutoScalingGroups", "AutoScalingGroups[]")

    id: str = at("AutoScalingGroupARN")
    arn: str = at("AutoScalingGroupARN", index=True)
    name: str = at("AutoScalingGroupName", index=True)
    createdtime: str = at("CreatedTime", then=str)
    status: str = at("Status", doc="Only while it is being deleted")
    minsize: int = at("MinSize")
    maxsize: int = at("MaxSize")
    desiredcapacity: int = at("DesiredCapacity")
    defaultcooldown: int = at("DefaultCooldown")
    capacityrebalance: bool = at("CapacityRebalance")
    healthchecktype: str = at("HealthCheckType")
    healthcheckgraceperiod: int = at("HealthCheckGracePeriod")
    maxinstancelifetime: int = at("MaxInstanceLifetime")
    newinstancesprotectedfromscalein: bool = at("NewInstancesProtectedFromScaleIn")
    launchconfigurationname: str = at("LaunchConfigurationName")
    launchtemplatename: str = at(_template("LaunchTemplateName"))
    launchtemplateid: str = at(_template("LaunchTemplateId"))
    launchtemplateversion: str = at(_template("Version"))
    service_linked_role_arn: str = at("ServiceLinkedRoleARN")
    load_balancer_names: list[str] = at("LoadBalancerNames")
    target_group_arns: list[str] = at("TargetGroupARNs")

    instances: list[EC2Instance] = by("MEMBER_AUTO_SCALE_GROUP", "Instances[].InstanceId")
    subnets: list[EC2Subnet] = to(
        "VPC_IDENTIFIER", lambda group: [each.strip() for each in (group["VPCZoneIdentifier"] or "").split(",") if each]
    )
    configuration: LaunchConfiguration = to("HAS_LAUNCH_CONFIG", LAUNCH_CONFIGURATION, on="scoped_name")
    templates: list[LaunchTemplate] = to("HAS_LAUNCH_TEMPLATE", _templates)
    tagged: list[AWSTag] = tagged("Tags")
