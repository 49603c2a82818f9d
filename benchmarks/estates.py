"""The estates that are swept, and the fake AWS that has them, in a process of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from botocore.config import Config
from botocore.session import Session

from benchmarks import fakeaws
from benchmarks.fakeaws.estate import GLOBAL_SERVICES

KEY = "AKIAFAKEFAKEFAKEFAKE"
ROLE = "skysweep"

TYPICAL: Mapping[str, int] = {
    "ec2:DescribeInstances": 200,
    "ec2:DescribeSecurityGroups": 50,
    "ec2:DescribeNetworkInterfaces": 200,
    "ec2:DescribeVolumes": 200,
    "ec2:DescribeSubnets": 20,
    "lambda:ListFunctions": 50,
    "s3:ListBuckets": 100,
    "iam:ListRoles": 100,
    "iam:ListUsers": 20,
    "iam:ListPolicies": 5,
    "iam:ListPolicies/AWS": 5,
    "ec2:DescribeVpcs": 1,
    "sns:ListTopics": 1,
    "sqs:ListQueues": 1,
    "kms:ListKeys": 1,
}
"""Items of each listing in each region, or in each account where a service is account-wide.

The last six are what the others point at: Cartography cannot read what points at nothing.
"""

SMALL: Mapping[str, int] = {listing: max(1, size // 50) for listing, size in TYPICAL.items()}
"""The same in small, for a smoke."""

LABELS: Mapping[str, str] = {
    "ec2:DescribeInstances": "EC2Instance",
    "ec2:DescribeSecurityGroups": "EC2SecurityGroup",
    "ec2:DescribeNetworkInterfaces": "AWSNetworkInterface",
    "ec2:DescribeVolumes": "EBSVolume",
    "ec2:DescribeSubnets": "EC2Subnet",
    "lambda:ListFunctions": "AWSLambda",
    "s3:ListBuckets": "S3Bucket",
    "iam:ListRoles": "AWSRole",
    "iam:ListUsers": "AWSUser",
    "ec2:DescribeVpcs": "AWSVpc",
    "sns:ListTopics": "SNSTopic",
    "sqs:ListQueues": "SQSQueue",
    "kms:ListKeys": "KMSKey",
}
"""What the nodes are called that these listings are about: by all collectors."""


@dataclass(frozen=True)
class Setup:
    """An estate and the AWS it is in. sizes: see TYPICAL; without them `resources` items as in a true organization.

    latency: seconds, the median. limits: AWS's rates times this, 0 for none. production: the share of every bucket that
    somebody else asks for all the time. real: items as true ones are, else with every member.
    """

    accounts: int = 3
    regions: int = 4
    resources: int = 0
    sizes: Mapping[str, int] | None = None
    latency: float = 0.0
    limits: float = 0.0
    production: float = 0.0
    real: bool = False
    seed: int = 1

    def options(self) -> dict[str, Any]:
        """The fake AWS's."""
        told = {name: getattr(self, name) for name in ("latency", "limits", "production", "real")}
        chosen: dict[str, Any] = {name: value for name, value in told.items() if value}
        if self.sizes is not None:
            chosen["sizes"] = dict(self.sizes)
        return chosen | {name: getattr(self, name) for name in ("seed", "accounts", "regions", "resources")}

    def expected(self) -> int:
        """How many items of the kinds that are counted its sizes come to."""
        sizes = {name: size for name, size in (self.sizes or {}).items() if name in LABELS}
        return sum(size * self.accounts * (1 if _wide(name) else self.regions) for name, size in sizes.items())


def _wide(listing: str) -> bool:
    return listing.partition(":")[0] in GLOBAL_SERVICES


class Process(Protocol):
    """What a fake AWS in a process of its own can be asked."""

    @property
    def url(self) -> str:
        """Where it is."""

    @property
    def pid(self) -> int:
        """Its process."""

    def calls(self, *, reset: bool = False) -> list[dict[str, Any]]:
        """The referee: account, region, service, operation, calls and throttled, from the last reset on."""

    def usage(self) -> dict[str, Any]:
        """cpu_seconds, calls, throttled, bytes, production."""


@dataclass(frozen=True, slots=True)
class Fake:
    """A fake AWS that is up, with the accounts and regions that it tells of."""

    setup: Setup
    process: Process
    accounts: tuple[str, ...]
    regions: tuple[str, ...]

    @property
    def url(self) -> str:
        """Where it is."""
        return self.process.url


@contextmanager
def fake(setup: Setup) -> Iterator[Fake]:
    """Starts it; it ends with the block."""
    with fakeaws.process(**setup.options()) as process:
        organizations, ec2 = _client(process.url, "organizations"), _client(process.url, "ec2")
        pages = organizations.get_paginator("list_accounts").paginate()
        accounts = tuple(each["Id"] for page in pages for each in page["Accounts"] if each["Status"] == "ACTIVE")
        regions = tuple(each["RegionName"] for each in ec2.describe_regions()["Regions"])
        yield Fake(setup, process, accounts, regions)


def _client(url: str, service: str) -> Any:
    config = Config(proxies={}, retries={"total_max_attempts": 10})
    keys = {"aws_access_key_id": KEY, "aws_secret_access_key": "fake"}
    return Session().create_client(service, "us-east-1", endpoint_url=url, config=config, **keys)  # type: ignore[arg-type]  # the stubs take every keyword for each other's
