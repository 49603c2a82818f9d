from __future__ import annotations

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
