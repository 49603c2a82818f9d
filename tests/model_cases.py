"""Random cases for the model gate: small estates, and the sweeps that they see: changes, troubles, stops."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import strategies as st

from benchmarks.fakeaws import Estate
from benchmarks.fakeaws.faults import (
    Match,
    Plan,
    Seen,
    denied,
    dropped,
    error500,
    repeated,
    scp,
    shortened,
    throttling,
    truncated,
    where,
)
from skysweep import catalogue

ACCOUNTS = ("100000000000", "200000000000")
REGIONS = ("us-east-1", "eu-west-1")
PLACES = tuple((account, region) for account in ACCOUNTS for region in REGIONS)
PAGE = 2  # items: most listings have several pages
NUMBERS = 5  # items that a listing can have
THROTTLED = 2  # calls of a kind that are refused as too fast, before they are answered


@dataclasses.dataclass(frozen=True)
class World:
    """What a case is about: the labels selected for a whole sweep, the listings that change, those of shared things."""

    labels: tuple[str, ...]
    listings: tuple[str, ...]
    shared: tuple[str, ...] = ()


WORLDS = {
    "disks": World(
        ("EBSVolume", "EBSSnapshot"),
        ("ec2:DescribeVolumes", "ec2:DescribeSnapshots", "ec2:DescribeInstances", "kms:ListKeys"),
    ),
    "queues": World(
        ("SNSTopicSubscription", "SQSQueue", "DynamoDBTable"),
        ("sns:ListTopics", "sns:ListSubscriptions", "sqs:ListQueues", "dynamodb:ListTables", "kms:ListKeys"),
    ),
    "networks": World(
        ("EC2SecurityGroup", "AWSIpPermissionInbound", "EC2Subnet", "AWSIpv4CidrBlock"),
        ("ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs", "ec2:DescribeManagedPrefixLists"),
        ("ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs"),
    ),
    "people": World(
        ("AWSInstanceProfile", "AWSRole", "AWSPolicyStatement"),
        ("iam:ListRoles", "iam:ListUsers", "iam:ListPolicies", "iam:ListPolicies/AWS", "iam:ListInstanceProfiles"),
    ),
    "buckets": World(("S3Bucket", "S3Acl", "S3PolicyStatement"), ("s3:ListBuckets", "sns:ListTopics", "kms:ListKeys")),
    "balancers": World(
        ("ELBV2TargetGroup", "ELBV2Listener"),
        (
            *("elbv2:DescribeLoadBalancers", "elbv2:DescribeTargetGroups", "ec2:DescribeInstances"),
            *("ec2:DescribeNetworkInterfaces", "lambda:ListFunctions"),
        ),
    ),
    "functions": World(
        ("AWSLambdaFunctionAlias", "AWSLambdaLayer", "AWSLambdaEventSourceMapping"),
        ("lambda:ListFunctions", "lambda:ListEventSourceMappings"),
    ),
    "templates": World(
        ("LaunchTemplateVersion", "AutoScalingGroup"),
        (
            *("ec2:DescribeLaunchTemplates", "autoscaling:DescribeLaunchConfigurations", "ec2:DescribeImages"),
            *("autoscaling:DescribeAutoScalingGroups", "ec2:DescribeInstances"),
        ),
    ),
    "routes": World(
        ("EC2Route", "AWSPeeringConnection"),
        (
            *("ec2:DescribeRouteTables", "ec2:DescribeInternetGateways", "ec2:DescribeNatGateways"),
            *("ec2:DescribeVpcPeeringConnections", "ec2:DescribeVpcs"),
        ),
        ("ec2:DescribeRouteTables", "ec2:DescribeVpcs"),
    ),
}
CHILDREN = {"lambda:ListAliases": 3, "kms:ListGrants": 3, "elbv2:DescribeListeners": 3}
LASTING: Mapping[str, Callable[[Match], Plan]] = {
    each.__name__: each for each in (denied, scp, error500, truncated, shortened, dropped, repeated)
}
DENIALS = frozenset({denied.__name__, scp.__name__})
PHASES = ("sweeping", "linking", "cleaning up", "analysing", "reporting")


# Cases


@dataclasses.dataclass(frozen=True)
class Change:
    """An item that comes or goes."""

    place: tuple[str, str]
    listing: str
    number: int
    there: bool

    def __call__(self, estate: Estate) -> None:
        """Makes it so."""
        (estate.put if self.there else estate.remove)(*self.place, self.listing, self.number)


@dataclasses.dataclass(frozen=True)
class Share:
    """An item that the other account gets to list too, or no longer."""

    place: tuple[str, str]
    listing: str
    number: int
    there: bool

    def __call__(self, estate: Estate) -> None:
        """Makes it so."""
        [other] = set(ACCOUNTS) - {self.place[0]}
        (estate.share if self.there else estate.unshare)(*self.place, self.listing, self.number, to=other)


@dataclasses.dataclass(frozen=True)
class Trouble:
    """What goes wrong where: a fault of LASTING, or `throttled`. late: only after a listing's first page."""

    kind: str
    service: str
    operation: str | None
    account: str | None
    region: str | None
    late: bool

    def match(self, seen: Seen) -> bool:
        """Whether the request meets it."""
        met = where(account=self.account, region=self.region, service=self.service, operation=self.operation)
        return met(seen) and seen.operation not in OURS and (bool(seen.token) or not self.late)

    def plan(self) -> Plan:
        """What it does to requests."""
        if self.kind == "throttled":
            return throttling(1.0, seed=0, match=lambda seen: seen.nth <= THROTTLED and self.match(seen))
        return LASTING[self.kind](self.match)


OURS = frozenset({"AssumeRole", "GetCallerIdentity", "DescribeRegions"})  # without these there is no sweep


@dataclasses.dataclass(frozen=True)
class Stop:
    """Where a sweep is stopped: at its n-th call, or when a phase begins. resumed: and gone on with, after changes."""

    moment: int | str
    resumed: bool
    changes: tuple[Change | Share, ...]
    healed: bool


@dataclasses.dataclass(frozen=True)
class Step:
    """One sweep: what changes before it, what goes wrong, what it is narrowed to, and whether it is stopped."""

    changes: tuple[Change | Share, ...]
    troubles: tuple[Trouble, ...]
    labels: tuple[str, ...]
    regions: tuple[str, ...]
    without: str | None
    stop: Stop | None


WHOLE = Step((), (), (), REGIONS, None, None)


@dataclasses.dataclass(frozen=True)
class Case:
    """An estate, by listing and place, and the sweeps that it sees."""

    world: str
    estate: tuple[tuple[tuple[str, str], str, tuple[int, ...]], ...]
    steps: tuple[Step, ...]


def few(strategy: st.SearchStrategy[Any], most: int) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(strategy, max_size=most).map(tuple)


def seldom(strategy: st.SearchStrategy[Any], of: int = 3) -> st.SearchStrategy[Any]:
    """One time in so many; else None."""
    return st.integers(1, of).flatmap(lambda drawn: strategy if drawn == of else st.none())


def changes_of(world: World) -> st.SearchStrategy[tuple[Change | Share, ...]]:
    numbers = st.integers(0, NUMBERS - 1)
    made = st.builds(Change, st.sampled_from(PLACES), st.sampled_from(world.listings), numbers, st.booleans())
    if not world.shared:
        return few(made, most=8)
    return few(
        made | st.builds(Share, st.sampled_from(PLACES), st.sampled_from(world.shared), numbers, st.booleans()), most=12
    )


def troubles_of(world: World) -> st.SearchStrategy[tuple[Trouble, ...]]:
    calls = sorted({(call.service, call.operation) for call in catalogue.load(world.labels).feeding})
    one = st.sampled_from(calls).flatmap(
        lambda call: st.builds(
            Trouble,
            st.sampled_from(["throttled", *sorted(LASTING)]),
            st.just(call[0]),
            seldom(st.just(None), of=4).flatmap(lambda _: st.sampled_from([call[1], call[1], call[1], None])),
            st.sampled_from([*ACCOUNTS, None]),
            st.sampled_from([*REGIONS, None]),
            st.booleans(),
        )
    )
    return few(one, most=3)


def steps_of(world: World) -> st.SearchStrategy[Step]:
    some = st.lists(st.sampled_from(world.labels), min_size=1, max_size=2, unique=True).map(tuple)
    return st.builds(
        Step,
        changes=changes_of(world),
        troubles=troubles_of(world),
        labels=seldom(some, of=3).map(lambda drawn: drawn or world.labels),
        regions=seldom(st.sampled_from([(region,) for region in REGIONS]), of=4).map(lambda drawn: drawn or REGIONS),
        without=seldom(st.sampled_from(ACCOUNTS), of=5),
        stop=seldom(
            st.builds(
                Stop,
                st.integers(8, 60) | st.sampled_from(PHASES),
                st.booleans(),
                seldom(changes_of(world), of=2).map(lambda drawn: drawn or ()),
                st.booleans(),
            )
        ),
    )


@st.composite
def cases(draw: st.DrawFn) -> Case:
    name = draw(st.sampled_from(sorted(WORLDS)))
    world = WORLDS[name]
    numbers = st.frozensets(st.integers(0, NUMBERS - 1), max_size=NUMBERS).map(lambda held: tuple(sorted(held)))
    estate = tuple((place, listing, draw(numbers)) for place in PLACES for listing in world.listings)
    return Case(name, estate, tuple(draw(st.lists(steps_of(world), min_size=2, max_size=4))))
