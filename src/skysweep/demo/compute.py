"""Instances, and who can reach them: each line of the tables says what is true of it, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from skysweep.demo.identity import WORKLOAD
from skysweep.demo.network import allocate_address, named

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from skysweep.demo.network import Network
    from skysweep.demo.session import Account


@dataclass(frozen=True)
class Machine:
    """An instance to launch. `direct` is the truth: the internet reaches it at an address of its own, because `why`."""

    name: str
    subnet: str
    group: str
    why: str
    direct: bool = False
    ipv4: bool = True
    ipv6: bool = False
    elastic: bool = False
    end: str = ""


STOREFRONT = (
    Machine("web-1", "public-a", "web", "public address, route, open group", direct=True),
    Machine("web-2", "public-b", "web", "the same in the other zone, and behind a load balancer too", direct=True),
    Machine("api-v6", "public-a", "web-v6", "no IPv4 address, but IPv6 is open", direct=True, ipv4=False, ipv6=True),
    Machine("jump-half", "public-a", "ssh-half", "open to half of the internet", direct=True),
    Machine("desk-split", "public-b", "rdp-split", "open to both halves of it", direct=True),
    Machine("admin-listed", "public-b", "admin-listed", "open by a prefix list", direct=True),
    Machine("fixed", "public-a", "ssh-anyone", "an elastic IP", direct=True, elastic=True),
    Machine("plain-v6", "public-a", "web-v6", "a public IPv4 address, but only IPv6 is open, which it lacks"),
    Machine("unaddressed", "public-b", "web", "open and routed, but no public address", ipv4=False),
    Machine("jump-office", "public-a", "ssh-office", "open to one office only"),
    Machine("metrics", "public-b", "internal", "open to 10.0.0.0/8, which is wide but not the internet"),
    Machine("dark", "dark-a", "web", "a public address and an open group, but no route"),
    Machine("guarded", "guarded-a", "ssh-anyone", "the network ACL denies the one open port"),
    Machine("gone", "public-a", "web", "terminated", end="terminate"),
    Machine("parked", "private-a", "web", "stopped, and private", end="stop"),
    Machine("app-1", "private-a", "app", "private"),
    Machine("app-2", "private-b", "app", "private"),
    Machine("app-3", "private-a", "app", "private"),
    Machine("app-4", "private-b", "app", "private"),
    Machine("app-5", "private-a", "app", "private"),
    Machine("back-1", "private-a", "internal", "private, behind an internal load balancer"),
    Machine("back-2", "private-b", "internal", "private, behind an internal load balancer"),
    Machine("back-3", "private-b", "internal", "private, behind load balancers that cannot be reached"),
)

BASTION = (
    Machine("bastion", "public-a", "ssh-anyone", "made for it", direct=True, elastic=True),
    Machine("vpn", "public-b", "ssh-office", "open to one office only"),
    Machine("monitor", "private-a", "internal", "private"),
)

WAREHOUSE = (
    Machine("etl-1", "private-a", "internal", "private"),
    Machine("etl-2", "private-b", "internal", "private"),
    Machine("notebook", "public-a", "web-v6", "forgotten, and open by IPv6", direct=True, ipv6=True),
)


FORGOTTEN = (Machine("try-out", "default-a", "launch-wizard-1", "routed by the VPC's main route table", direct=True),)


@dataclass(frozen=True)
class Launched:
    """A launched instance: its id and private IPv4 address."""

    id: str
    private_ip: str


def register_image(account: Account, region: str) -> str:
    """Register the image everything is launched from, and give its id."""
    ec2 = account.client("ec2", region)
    image = ec2.register_image(
        Name=f"{account.name}-base",
        Description="Amazon Linux with our agents",
        Architecture="x86_64",
        RootDeviceName="/dev/xvda",
        VirtualizationType="hvm",
        BlockDeviceMappings=[{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 8, "VolumeType": "gp3"}}],
    )
    return str(image["ImageId"])


def launch(
    account: Account, region: str, network: Network, image: str, machines: Iterable[Machine]
) -> dict[str, Launched]:
    """Launch the machines with a key pair and the workload's instance profile, and give them by name."""
    ec2 = account.client("ec2", region)
    key = f"{account.name}-ops"
    ec2.create_key_pair(KeyName=key, TagSpecifications=named("key-pair", key))
    launched = {}
    for machine in machines:
        instance = ec2.run_instances(
            ImageId=image,
            InstanceType="t3.micro",
            KeyName=key,
            IamInstanceProfile={"Name": WORKLOAD},
            MinCount=1,
            MaxCount=1,
            TagSpecifications=named("instance", machine.name),
            **_placement(machine, network),
        )["Instances"][0]
        launched[machine.name] = Launched(instance["InstanceId"], instance["PrivateIpAddress"])
        _finish(ec2, network, machine, instance["InstanceId"])
    return launched


def _placement(machine: Machine, network: Network) -> dict[str, Any]:
    """Say where it sits: by subnet, or by an explicit interface where the subnet's public address is not wanted."""
    subnet, groups = network.subnets[machine.subnet], [network.groups[machine.group]]
    extra = {"Ipv6AddressCount": 1} if machine.ipv6 else {}
    if machine.ipv4:
        return {"SubnetId": subnet, "SecurityGroupIds": groups, **extra}
    interface = {"DeviceIndex": 0, "SubnetId": subnet, "Groups": groups, "AssociatePublicIpAddress": False}
    return {"NetworkInterfaces": [interface], **extra}


def _finish(ec2: Any, network: Network, machine: Machine, instance: str) -> None:
    """Give it its elastic IP, or its end."""
    if machine.elastic:
        ec2.associate_address(AllocationId=allocate_address(ec2, network, machine.name), InstanceId=instance)
    if machine.end == "terminate":
        ec2.terminate_instances(InstanceIds=[instance])
    elif machine.end == "stop":
        ec2.stop_instances(InstanceIds=[instance])


def exposed_rows(account: Account, region: str, exposure: Mapping[str, Iterable[str]]) -> list[dict[str, object]]:
    """Give the rows of `exposed_instances` for the ways in which instances (by id) are exposed, if they are."""
    exposed = {instance: sorted(ways) for instance, ways in exposure.items() if ways}
    if not exposed:
        return []
    reply = account.client("ec2", region).describe_instances(InstanceIds=list(exposed))
    instances = [instance for reservation in reply["Reservations"] for instance in reservation["Instances"]]
    return [
        {
            "instanceid": instance["InstanceId"],
            "publicdnsname": instance.get("PublicDnsName"),
            "exposure": exposed[instance["InstanceId"]],
        }
        for instance in instances
    ]
