"""EC2: instances and what they are made of."""

from __future__ import annotations

from datetime import datetime

from skysweep.model import Resource, at, call

INSTANCES = call("ec2", "DescribeInstances", "Reservations[].Instances[]")


class EC2Reservation(Resource):
    """One launch: the instances that were started together, and who asked for them."""

    also = ("AWSEC2Reservation",)
    source = INSTANCES["Reservations[]"]

    id: str = at("ReservationId")
    reservationid: str = at("ReservationId", index=True)
    ownerid: str = at("OwnerId")
    requesterid: str = at("RequesterId")


class EC2Instance(Resource):
    """A virtual machine: where it sits, what it runs as, who can reach it."""

    also = ("AWSEC2Instance", "ComputeInstance")
    source = INSTANCES

    id: str = at("InstanceId")
    launchtime: datetime = at("LaunchTime")
