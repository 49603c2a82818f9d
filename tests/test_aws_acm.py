"""Certificates: which load balancers use one, and that every kind of key is listed."""

from __future__ import annotations

import json
from typing import Any

from skysweep import lint
from skysweep.aws import acm
from skysweep.model import Context, Record

BALANCERS = "arn:aws:elasticloadbalancing:us-east-1:123456789012"
USERS = [
    f"{BALANCERS}:loadbalancer/app/shop/1",
    f"{BALANCERS}:loadbalancer/net/front/2",
    f"{BALANCERS}:loadbalancer/legacy",
    "arn:aws:cloudfront::123456789012:distribution/E1",
]


def test_load_balancers_of_both_generations_are_told_apart_by_their_arn() -> None:
    certificate = Record({"CertificateArn": "arn"}, Context("123456789012", "us-east-1"))
    certificate.replies[acm.ABOUT.call] = {"Certificate": {"InUseBy": USERS}}
    assert acm.users("v2")(certificate) == USERS[:2]
    assert acm.users("classic")(certificate) == USERS[2:3]


def test_certificates_of_every_kind_of_key_are_asked_for() -> None:
    shape: Any = lint.operation_model(acm.CERTIFICATES.call).input_shape
    known = shape.members["Includes"].members["keyTypes"].member.enum
    assert json.loads(acm.CERTIFICATES.call.literal) == {"Includes": {"keyTypes": known}}
