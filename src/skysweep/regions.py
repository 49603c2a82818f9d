"""Regions: where account-wide calls go, which regions every account has, and which names exist at all.

The facts are those of AWS's documentation and of botocore's partitions; a test compares them with the pinned botocore.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING

from skysweep.errors import BadSettings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MAIN = {
    "aws": "us-east-1",
    "aws-cn": "cn-north-1",
    "aws-us-gov": "us-gov-west-1",
    "aws-eusc": "eusc-de-east-1",
    "aws-iso": "us-iso-east-1",
    "aws-iso-b": "us-isob-east-1",
    "aws-iso-e": "eu-isoe-west-1",
    "aws-iso-f": "us-isof-south-1",
}
"""The region of each partition that answers for a whole account, where a service has no other."""

PINNED = {
    ("aws", "globalaccelerator"): "us-west-2",
    ("aws", "networkmanager"): "us-west-2",
    **{
        ("aws-cn", service): "cn-northwest-1"
        for service in ("account", "budgets", "ce", "cloudfront", "health", "organizations", "route53")
    },
}
"""The services whose account-wide calls go elsewhere, by (partition, service)."""

OPT_IN = re.compile(r"af-|ap-east-|ap-south-2|ap-southeast-[3-9]|ca-west-|eu-central-2|eu-south-|il-|me-|mx-")
"""The regions of partition `aws` that an account has only when it asked for them; all others are always on."""


def home(service: str, partition: str) -> str:
    """The region that answers this service's account-wide calls."""
    return PINNED.get((partition, service)) or MAIN.get(partition, MAIN["aws"])


def always_on(region: str) -> bool:
    """Whether every account of the region's partition can use it."""
    return OPT_IN.match(region) is None


@cache
def _partitions() -> tuple[tuple[str, re.Pattern[str], tuple[str, ...]], ...]:
    """The partitions that botocore knows: id, the shape of its regions' names, its regions."""
    from botocore.loaders import Loader  # noqa: PLC0415 - the declarations need none of it

    return tuple(
        (each["id"], re.compile(each["regionRegex"]), tuple(x for x in each["regions"] if not x.endswith("-global")))
        for each in Loader().load_data("partitions")["partitions"]
    )


def all_regions() -> Mapping[str, str]:
    """Every region that botocore knows, with its partition."""
    return {region: partition for partition, _, regions in _partitions() for region in regions}


def partition_of(region: str) -> str:
    """The partition of a region, known by its name's shape where it is newer than botocore."""
    return next((partition for partition, shape, _ in _partitions() if shape.match(region)), "aws")


def check(names: Iterable[str]) -> None:
    """Raises BadSettings for a region that AWS does not have, with the nearest that it has."""
    known = all_regions()
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, n=1, cutoff=0.5)
            raise BadSettings(f"there is no AWS region {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
