"""What there is: which numbered items each listing of each account and region holds. Numbers are all; see content.py.

A listing is named ``service:Operation`` (``ec2:DescribeVolumes``); IAM's customer managed policies are
``iam:ListPolicies`` and AWS's own, as far as attached, ``iam:ListPolicies/AWS``. Account-wide listings are in region
``global``.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from zlib import crc32

GLOBAL = "global"
GLOBAL_SERVICES = frozenset(
    ("account", "budgets", "cloudfront", "iam", "organizations", "route53", "route53domains", "s3", "s3control")
)
ONCE = ("iam:ListAccountAliases",)  # listings of which an account has one item at most
SHARED = 10**9  # own numbers are smaller
PER_PLACE = 4096  # public addresses that an account has in a region

WEIGHTS: Mapping[str, float] = {
    "ec2:DescribeNetworkInterfaces": 12,
    "ec2:DescribeVolumes": 10,
    "ec2:DescribeSnapshots": 10,
    "ec2:DescribeInstances": 8,
    "ec2:DescribeSecurityGroups": 6,
    "ec2:DescribeSubnets": 3,
    "ec2:DescribeImages": 2,
    "ec2:DescribeRouteTables": 1.5,
    "ec2:DescribeVpcs": 1,
    "ec2:DescribeNetworkAcls": 1,
    "ec2:DescribeInternetGateways": 0.7,
    "ec2:DescribeAddresses": 0.7,
    "ec2:DescribeLaunchTemplates": 0.7,
    "ec2:DescribeVpcEndpoints": 0.7,
    "ec2:DescribeNatGateways": 0.4,
    "ec2:DescribeKeyPairs": 0.4,
    "ec2:DescribeManagedPrefixLists": 0.2,
    "ec2:DescribeVpcPeeringConnections": 0.2,
    "autoscaling:DescribeAutoScalingGroups": 0.7,
    "autoscaling:DescribeLaunchConfigurations": 0.4,
    "elb:DescribeLoadBalancers": 0.3,
    "elbv2:DescribeLoadBalancers": 0.8,
    "elbv2:DescribeTargetGroups": 1.2,
    "dynamodb:ListTables": 2,
    "kms:ListKeys": 1.5,
    "kms:ListAliases": 1.5,
    "lambda:ListFunctions": 6,
    "lambda:ListEventSourceMappings": 1,
    "rds:DescribeDBInstances": 1,
    "rds:DescribeDBClusters": 0.4,
    "rds:DescribeDBSubnetGroups": 0.4,
    "rds:DescribeDBSnapshots": 2,
    "rds:DescribeDBClusterSnapshots": 0.7,
    "sns:ListTopics": 1.5,
    "sns:ListSubscriptions": 2,
    "sqs:ListQueues": 2,
    "iam:ListRoles": 6,
    "iam:ListUsers": 1,
    "iam:ListGroups": 0.3,
    "iam:ListPolicies": 2,
    "iam:ListPolicies/AWS": 1,
    "iam:ListInstanceProfiles": 0.6,
    "iam:ListSAMLProviders": 0.05,
    "iam:ListOpenIDConnectProviders": 0.1,
    "route53:ListHostedZones": 0.5,
    "s3:ListBuckets": 2,
    "accessanalyzer:ListAnalyzers": 0.2,
    "acm:ListCertificates": 0.6,
    "apigateway:GetDomainNames": 0.2,
    "apigateway:GetRestApis": 0.4,
    "apigatewayv2:GetApis": 0.3,
    "batch:DescribeComputeEnvironments": 0.1,
    "batch:DescribeJobDefinitions": 0.2,
    "batch:DescribeJobQueues": 0.1,
    "cloudformation:DescribeStacks": 2,
    "cloudfront:ListDistributions": 0.5,
    "cloudtrail:DescribeTrails": 0.2,
    "cloudwatch:DescribeAlarms": 2,
    "cloudwatch:DescribeAlarms/Composite": 0.2,
    "config:DescribeConfigRules": 1,
    "config:DescribeConfigurationRecorders": 0.1,
    "config:DescribeDeliveryChannels": 0.1,
    "ec2:DescribeFlowLogs": 0.5,
    "ec2:DescribeVpnGateways": 0.2,
    "ecr:DescribePullThroughCacheRules": 0.1,
    "ecr:DescribeRepositories": 0.7,
    "ecs:ListClusters": 0.4,
    "ecs:ListTaskDefinitionFamilies": 0.8,
    "efs:DescribeAccessPoints": 0.2,
    "efs:DescribeFileSystems": 0.3,
    "eks:ListClusters": 0.2,
    "elasticache:DescribeCacheClusters": 0.3,
    "elasticache:DescribeReplicationGroups": 0.2,
    "events:ListEventBuses": 0.5,
    "guardduty:ListDetectors": 0.1,
    "inspector2:ListFindings": 2,
    "logs:DescribeLogGroups": 4,
    "logs:DescribeMetricFilters": 0.5,
    "opensearch:ListDomainNames": 0.2,
    "redshift:DescribeClusters": 0.1,
    "route53:ListQueryLoggingConfigs": 0.1,
    "route53domains:ListDomains": 0.2,
    "securityhub:GetEnabledStandards": 0.1,
    "securityhub:GetFindings": 2,
    "transfer:ListServers": 0.1,
    "wafv2:ListWebACLs": 0.3,
    "wafv2:ListWebACLs/CLOUDFRONT": 0.1,
    "workspaces:DescribeWorkspaceBundles": 0.1,
    "workspaces:DescribeWorkspaces": 0.3,
}
"""How often each kind of thing occurs in a random estate, against each other."""

Key = tuple[str, str, str]  # account, region or global, listing


def place_of(region: str, listing: str) -> str:
    """The region that a listing's items are in: ``global`` where the service is account-wide."""
    return GLOBAL if listing.partition(":")[0] in GLOBAL_SERVICES or listing.endswith("/CLOUDFRONT") else region


@dataclass(eq=False)
class Estate:
    """The accounts, their regions, and the numbers of the items that each listing holds; to be changed at will.

    accounts: 12 digits each; the first is the hub, which manages the organization. suspended: those of them that are
    closed. children: how many items an operation lists for one parent (1 where it is not named). everywhere: how many
    items a listing holds in every place that `sizes` does not tell of, the suspended accounts' too. version: by
    account, grows with every change. number_of: an account's place among them.
    """

    seed: int = 0
    accounts: Sequence[str] = ("100000000000",)
    regions: Sequence[str] = ("us-east-1",)
    sizes: Mapping[Key, Iterable[int]] = field(default_factory=dict)
    suspended: frozenset[str] = frozenset()
    children: Mapping[str, int] = field(default_factory=dict)
    partition: str = "aws"
    everywhere: Mapping[str, int] = field(default_factory=dict)
    version: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.accounts, self.regions = tuple(self.accounts), tuple(self.regions)
        self._items: dict[Key, Sequence[int]] = {key: _numbers(each) for key, each in self.sizes.items()}
        self._everywhere = {listing: range(count) for listing, count in self.everywhere.items()}
        self._places: dict[tuple[str, str], tuple[str, int]] = {}
        self._shares: dict[Key, set[tuple[str, int]]] = {}  # by who is shared with: the owners and their numbers
        self.number_of = {account: number for number, account in enumerate(self.accounts)}

    @classmethod
    def random(cls, seed: int, *, accounts: int = 3, regions: int = 2, resources: int = 500) -> Estate:
        """An estate as real ones are: half of everything in one account, most regions of the others empty."""
        random = Random(seed)  # noqa: S311 - an estate is no secret
        names = _names(seed, accounts)
        estate = cls(seed, names, REGIONS[:regions], suspended=frozenset(names[2::9]))
        alive = [name for name in names if name not in estate.suspended]
        big = alive[len(alive) // 2]
        homes = {name: random.sample(estate.regions, k=min(regions, 1 + (random.random() < 0.2))) for name in alive}  # noqa: PLR2004 - one in five has two
        homes[big] = list(estate.regions)
        listings, weights = list(WEIGHTS), list(WEIGHTS.values())
        last: dict[Key, int] = {}
        for listing in random.choices(listings, weights, k=max(resources - len(alive), 0)):
            account = big if random.random() < 0.5 else random.choice(alive)  # noqa: PLR2004 - half
            ours = homes[account]
            region = place_of(ours[0] if random.random() < 0.7 else random.choice(ours), listing)  # noqa: PLR2004 - skewed
            key = (account, region, listing)
            last[key] = last.get(key, -1) + 1
        estate._items = {key: range(number + 1) for key, number in last.items()}
        estate._items |= {(account, GLOBAL, listing): _ONE for account in alive for listing in ONCE}
        return estate

    @classmethod
    def uniform(cls, sizes: Mapping[str, int], *, seed: int = 1, accounts: int = 3, regions: int = 2) -> Estate:
        """The same in every region, or in every account where a listing is account-wide: so many items of each listing.

        No account is suspended, and there is nothing but what `sizes` names.
        """
        return cls(seed, _names(seed, accounts), REGIONS[:regions], everywhere=dict(sizes))

    def items(self, account: str, region: str, listing: str) -> Sequence[int]:
        """The numbers of a listing's items, sorted."""
        region = place_of(region, listing)
        held = self._items.get((account, region, listing))
        if held is not None:
            return held
        everywhere = self._everywhere.get(listing, _NONE)
        return everywhere if account in self.number_of and (region == GLOBAL or region in self.regions) else _NONE

    def put(self, account: str, region: str, listing: str, *numbers: int) -> None:
        """Adds items; those already there stay."""
        self._hold((account, place_of(region, listing), listing), {*self.items(account, region, listing), *numbers})

    def remove(self, account: str, region: str, listing: str, *numbers: int) -> None:
        """Removes items; those not there are no matter."""
        held = set(self.items(account, region, listing)).difference(numbers)
        self._hold((account, place_of(region, listing), listing), held)

    def share(self, account: str, region: str, listing: str, number: int, *, to: str) -> None:
        """Lets another account list an item of the account's too, as long as it is there."""
        self._shares.setdefault((to, place_of(region, listing), listing), set()).add((account, number))
        self._changed(account)

    def unshare(self, account: str, region: str, listing: str, number: int, *, to: str) -> None:
        """Ends it."""
        self._shares.get((to, place_of(region, listing), listing), set()).discard((account, number))
        self._changed(account)

    def shown(self, account: str, region: str, listing: str) -> Sequence[int]:
        """What an account lists: its own items, and numbers that stand for those shared with it; see `told`."""
        own = self.items(account, region, listing)
        shared = self._shares.get((account, place_of(region, listing), listing))
        if not shared:
            return own
        there = (each for each in shared if each[1] in self.items(each[0], region, listing))
        return [*own, *sorted(SHARED * (self.number_of[owner] + 1) + number for owner, number in there)]

    def told(self, account: str, number: int) -> tuple[str, int]:
        """Whose item a listed number is, and the item's own number."""
        owner, own = divmod(number, SHARED)
        return (self.accounts[owner - 1], own) if owner else (account, number)

    def _hold(self, key: Key, numbers: Iterable[int]) -> None:
        self._items[key] = _numbers(numbers)
        self._changed(key[0])

    def _changed(self, account: str) -> None:
        """Replies to the account are other ones now, and to everybody it may share with."""
        for each in self.accounts if self._shares else (account,):
            self.version[each] = self.version.get(each, 0) + 1

    def listed(self) -> Iterator[tuple[Key, Sequence[int]]]:
        """Every listing that holds something: (account, region, listing) and its numbers."""
        yield from ((key, numbers) for key, numbers in self._items.items() if numbers)
        for listing, numbers in self._everywhere.items():
            regions = (GLOBAL,) if place_of("", listing) == GLOBAL else self.regions
            keys = ((account, region, listing) for account in self.accounts for region in regions)
            yield from ((key, numbers) for key in keys if numbers and key not in self._items)

    def near(self, account: str, region: str, listing: str, number: int) -> int | None:
        """The item of a listing that the item `number` of another refers to; None where the listing is empty.

        Adding or removing an item moves only the references to its neighbours.
        """
        held = self.items(account, region, listing)
        if not held:
            return None
        wanted = number % (1 << held[-1].bit_length())
        at = bisect_left(held, wanted)
        return held[at if at < len(held) else 0]

    def place(self, account: str, region: str) -> tuple[str, int]:
        """Eight hexadecimal digits for identifiers of an account's region, and the first number of its addresses."""
        key = (account, region)
        if key not in self._places:
            mark = f"{crc32(f'{self.seed}/{account}/{region}'.encode()):08x}"
            row, column = self.number_of.get(account, 0), 0
            if region in self.regions:
                column = self.regions.index(region)
            self._places[key] = (mark, (row * len(self.regions) + column) * PER_PLACE)
        return self._places[key]


def _numbers(given: Iterable[int]) -> Sequence[int]:
    """The numbers in order, as a range where there is no gap: estates of a million items are told in few bytes."""
    found = sorted(set(given))
    whole = range(found[0], found[-1] + 1) if found else _NONE
    return whole if len(whole) == len(found) else found


def _names(seed: int, accounts: int) -> list[str]:
    return [f"{100_000_000_000 + number * 7_919 + seed % 7_919:012d}" for number in range(accounts)]


_NONE = range(0)
_ONE = range(1)

REGIONS = (
    *("us-east-1", "eu-west-1", "us-west-2", "eu-central-1", "ap-southeast-2", "us-east-2", "ap-northeast-1"),
    *("ap-south-1", "ca-central-1", "eu-north-1", "eu-west-2", "eu-west-3", "sa-east-1", "us-west-1"),
    *("ap-northeast-2", "ap-northeast-3", "ap-southeast-1", "af-south-1", "ap-east-1", "ap-south-2"),
    *("ap-southeast-3", "ap-southeast-4", "ca-west-1", "eu-central-2", "eu-south-1", "eu-south-2"),
    *("il-central-1", "me-central-1", "me-south-1", "mx-central-1"),
)
"""The regions of a random estate, in this order."""
