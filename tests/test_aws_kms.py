"""Which keys are whose, which can rotate, and what a replica is called."""

from __future__ import annotations

from typing import Any

import pytest

from skysweep.aws import kms
from skysweep.model import Context, Record

ARN = "arn:aws:kms:us-east-1:123456789012:key/mrk-1"
ROTATES = {"KeyManager": "CUSTOMER", "KeySpec": "SYMMETRIC_DEFAULT", "Origin": "AWS_KMS"}


def key(**told: Any) -> Record:
    return Record({"KeyId": "mrk-1", "Arn": ARN, **told}, Context("123456789012", "us-east-1"))


@pytest.mark.parametrize(
    ("told", "node"),
    [
        ({}, "mrk-1"),
        ({"MultiRegionConfiguration": {"MultiRegionKeyType": "PRIMARY"}}, "mrk-1"),
        ({"MultiRegionConfiguration": {"MultiRegionKeyType": "REPLICA"}}, ARN),
    ],
)
def test_a_replica_does_not_take_its_primarys_node(told: dict[str, Any], node: str) -> None:
    assert kms.key_node(key(**told)) == node


def test_only_customers_symmetric_keys_of_kmss_own_making_rotate() -> None:
    assert kms.can_rotate(key(**ROTATES))
    for other in ({"KeyManager": "AWS"}, {"KeySpec": "RSA_2048"}, {"Origin": "EXTERNAL"}):
        assert not kms.can_rotate(key(**{**ROTATES, **other}))
