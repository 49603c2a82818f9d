"""Distributions: what their origins are, which of them anybody could read, and what is never kept."""

from __future__ import annotations

from typing import Any

import pytest

from skysweep import catalogue
from skysweep.aws import cloudfront
from skysweep.model import Context, Record
from skysweep.records import Maker

HERE = Context("123456789012", "global")
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:sign"


def distribution(*origins: dict[str, Any], **told: Any) -> Record:
    items = [{"Id": str(number), **origin} for number, origin in enumerate(origins)]
    return Record({"ARN": "arn", "Origins": {"Quantity": len(items), "Items": items}, **told}, HERE)


@pytest.mark.parametrize(
    ("host", "bucket"),
    [
        ("orders.s3.amazonaws.com", "orders"),
        ("orders.s3.eu-west-1.amazonaws.com", "orders"),
        ("my.orders.s3-website-us-east-1.amazonaws.com", "my.orders"),
        ("orders.s3-website.eu-central-1.amazonaws.com", "orders"),
        ("orders.s3.dualstack.eu-west-1.amazonaws.com", "orders"),
        ("orders.s3.cn-north-1.amazonaws.com.cn", "orders"),
        ("orders.example.com", None),
        ("a1b2c3d4e5.execute-api.us-east-1.amazonaws.com", None),
    ],
)
def test_the_bucket_that_a_host_is(host: str, bucket: str | None) -> None:
    assert cloudfront.bucket(host) == bucket


def test_the_api_and_the_load_balancer_that_a_host_is() -> None:
    assert cloudfront.api("a1b2c3d4e5.execute-api.us-east-1.amazonaws.com") == "a1b2c3d4e5"
    assert cloudfront.api("d-a1b2.execute-api.us-east-1.amazonaws.com") is None, "that is a domain's own host"
    name = "shop-1111111111.us-east-1.elb.amazonaws.com"
    assert cloudfront.balancer(name) == cloudfront.balancer(f"dualstack.{name}") == name
    assert cloudfront.balancer("shop.example.com") is None


def test_only_a_bucket_without_control_or_identity_is_read_as_anybody_would() -> None:
    given = distribution(
        {"DomainName": "open", "S3OriginConfig": {"OriginAccessIdentity": ""}, "OriginAccessControlId": ""},
        {"DomainName": "controlled", "S3OriginConfig": {"OriginAccessIdentity": ""}, "OriginAccessControlId": "E1"},
        {"DomainName": "old", "S3OriginConfig": {"OriginAccessIdentity": "origin-access-identity/cloudfront/E2"}},
        {"DomainName": "server", "CustomOriginConfig": {"OriginProtocolPolicy": "http-only"}},
    )
    assert cloudfront.open_buckets(given) == ["open"]
    assert cloudfront.plain_origins(given) == ["server"]


def test_functions_of_every_behaviour_are_found_with_and_without_their_version() -> None:
    runs = {"LambdaFunctionAssociations": {"Quantity": 1, "Items": [{"LambdaFunctionARN": f"{FUNCTION}:7"}]}}
    behaviors = {"Quantity": 2, "Items": [runs, {}]}
    given = distribution(DefaultCacheBehavior=runs, CacheBehaviors=behaviors)
    assert cloudfront.versions(given) == [f"{FUNCTION}:7"]
    assert cloudfront.functions(given) == [FUNCTION]


def test_the_values_of_an_origins_headers_are_never_kept() -> None:
    headers = {"Quantity": 1, "Items": [{"HeaderName": "X-Origin-Verify", "HeaderValue": "hush"}]}
    [type_] = [each for each in catalogue.load().types if each.name == "CloudFrontDistribution"]
    given = distribution({"DomainName": "orders.s3.amazonaws.com", "CustomHeaders": headers})
    given.replies[cloudfront.CONFIG.call] = {"DistributionConfig": {"Origins": given["Origins"]}}
    maker = Maker(type_)
    row, links = maker.row(given), list(maker.links(given, "arn"))
    assert row["props"]["origin_header_names"] == ["X-Origin-Verify"]
    assert links
    assert "hush" not in f"{row}{links}"


@pytest.mark.parametrize(
    ("logging", "bucket"),
    [({"Enabled": True, "Bucket": "attic.s3.amazonaws.com"}, "attic"), ({"Enabled": False, "Bucket": ""}, None)],
)
def test_the_bucket_that_the_log_goes_to(logging: dict[str, Any], bucket: str | None) -> None:
    given = distribution()
    given.replies[cloudfront.CONFIG.call] = {"DistributionConfig": {"Logging": logging}}
    assert cloudfront.logs(given) == bucket
