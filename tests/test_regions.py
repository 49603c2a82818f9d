from __future__ import annotations

from botocore.loaders import Loader

from skysweep import regions


def test_the_tables_of_regions_agree_with_botocore() -> None:
    known = regions.all_regions()
    for partition, region in regions.MAIN.items():
        assert known[region] == partition
    for (partition, _), region in regions.PINNED.items():
        assert known[region] == partition
    assert set(regions.MAIN) == set(known.values())
    default_on = {name for name, partition in known.items() if partition == "aws" and regions.always_on(name)}
    assert len(default_on) == 17
    assert {"us-east-1", "ap-northeast-3", "ap-southeast-2", "eu-central-1", "sa-east-1"} <= default_on
    assert regions.partition_of("us-gov-south-9") == "aws-us-gov"
    assert regions.partition_of("xx-new-1") == "aws"


US_EAST_1 = """iam organizations route53 cloudfront account ce budgets health shield support savingsplans waf wafv2
ecr-public"""
HOMES = {
    ("aws", "us-east-1"): US_EAST_1.split(),
    ("aws", "us-west-2"): ["networkmanager", "globalaccelerator"],
    ("aws-cn", "cn-north-1"): ["iam", "support"],
    ("aws-cn", "cn-northwest-1"): ["organizations", "route53", "cloudfront", "account", "ce", "budgets", "health"],
    ("aws-us-gov", "us-gov-west-1"): ["iam", "organizations", "route53", "support", "networkmanager"],
}
"""The services that answer for a whole account, by the partition and the region that AWS has them in."""


def test_each_global_service_is_called_where_it_lives() -> None:
    for (partition, region), services in HOMES.items():
        for service in services:
            assert regions.home(service, partition) == region, (partition, service)


def test_botocore_signs_for_the_same_regions() -> None:
    """Where botocore's endpoint data name a partition-wide endpoint, its signature's region is our home."""
    partitions = Loader().load_data("endpoints")["partitions"]
    checked = 0
    for partition in partitions:
        for name, service in partition["services"].items():
            everywhere = service.get("endpoints", {}).get(service.get("partitionEndpoint", ""), {})
            signed = everywhere.get("credentialScope", {}).get("region")
            if signed and any(
                name in of for (of_partition, _), of in HOMES.items() if of_partition == partition["partition"]
            ):
                assert regions.home(name, partition["partition"]) == signed, (partition["partition"], name)
                checked += 1
    assert checked > 10
