"""Where a record leads, and what it is called: the cases that AWS's forms make."""

from __future__ import annotations

from typing import Any

import pytest

from skysweep.aws import route53, route53domains
from skysweep.model import Context, Record

ZONE = Record({"Id": "/hostedzone/Z1", "Name": "example.com."}, Context("123456789012", "global"))
BALANCER = "dualstack.Shop-1.us-east-1.elb.amazonaws.com."


def record(kind: str, *told: str, name: str = "www.example.com.", **more: Any) -> Record:
    values = {"ResourceRecords": [{"Value": value} for value in told]} if told else {}
    return Record({"Name": name, "Type": kind, **values, **more}, ZONE.context, ZONE)


def alias(kind: str, host: str, zone: str = "Z1", **more: Any) -> Record:
    return record(kind, AliasTarget={"DNSName": host, "HostedZoneId": zone}, **more)


@pytest.mark.parametrize(
    ("given", "host"),
    [
        (alias("A", BALANCER), "shop-1.us-east-1.elb.amazonaws.com"),
        (alias("A", "dualstack.net-1.elb.us-east-1.amazonaws.com."), "net-1.elb.us-east-1.amazonaws.com"),
        (alias("A", "dualstack.example.com."), "dualstack.example.com"),
        (alias("A", "dualstack.x.elb.example.com."), "dualstack.x.elb.example.com"),
        (record("CNAME", "Shop-1.US-EAST-1.elb.amazonaws.com"), "shop-1.us-east-1.elb.amazonaws.com"),
        (record("A", "192.0.2.1"), None),
        (record("TXT", '"www.example.com"'), None),
    ],
)
def test_only_names_lead_to_hosts_and_balancers_lose_their_prefix(given: Record, host: str | None) -> None:
    assert route53.hostname(given) == host


@pytest.mark.parametrize(
    ("given", "own", "kind"),
    [
        (record("A", "192.0.2.1"), "A", "A"),
        (alias("A", BALANCER), "ALIAS", "ALIAS"),
        (alias("AAAA", BALANCER), "ALIAS_AAAA", "ALIAS"),
        (alias("CNAME", "other.example.com."), "WEIGHTED_CNAME", "CNAME"),
        (record("A", "192.0.2.1", SetIdentifier="blue"), "A/blue", "A"),
    ],
)
def test_ids_are_cartographys_and_members_of_a_set_are_apart(given: Record, own: str, kind: str) -> None:
    assert route53.record_id(given) == f"/hostedzone/Z1/www.example.com/{own}"
    assert route53.record_kind(given) == kind


def test_the_value_is_the_host_or_all_that_is_said() -> None:
    assert route53.record_value(alias("A", BALANCER)) == "shop-1.us-east-1.elb.amazonaws.com"
    assert route53.record_value(record("A", "192.0.2.1", "192.0.2.2")) == "192.0.2.1,192.0.2.2"
    assert route53.record_value(record("NS", "ns-1.example.net.", "ns-2.example.net")) == (
        "ns-1.example.net,ns-2.example.net"
    )


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (record("CNAME", "App.Example.com."), "app.example.com"),
        (alias("A", "app.example.com.", zone="Z1"), "app.example.com"),
        (alias("A", BALANCER, zone="Z35SXDOTRQ7X7K"), None),
        (record("A", "192.0.2.1"), None),
    ],
)
def test_an_alias_leads_to_a_record_only_within_its_zone(given: Record, name: str | None) -> None:
    assert route53.other_record(given) == name


def test_a_cname_leads_to_addresses_and_names_not_to_what_else_is_said_of_the_name() -> None:
    assert route53.own_name(record("AAAA", "2001:db8::1")) == "www.example.com"
    assert route53.own_name(alias("A", BALANCER)) == "www.example.com"
    assert route53.own_name(record("TXT", '"v=spf1 -all"')) is None
    assert route53.own_name(record("NS", "ns-1.example.net.")) is None


@pytest.mark.parametrize(
    ("host", "bucket"),
    [
        ("s3-website-us-east-1.amazonaws.com.", "www.example.com"),
        ("s3-website.eu-central-1.amazonaws.com.", "www.example.com"),
        ("attic.old.s3-website-us-east-1.amazonaws.com.", "attic.old"),
        ("attic.s3.amazonaws.com.", "attic"),
        ("attic.s3.eu-west-1.amazonaws.com.", "attic"),
        ("attic.s3.dualstack.eu-west-1.amazonaws.com.", "attic"),
        ("attic.s3.cn-north-1.amazonaws.com.cn.", "attic"),
        ("shop-1.us-east-1.elb.amazonaws.com.", None),
        ("s3.example.com.", None),
    ],
)
def test_the_bucket_behind_a_name(host: str, bucket: str | None) -> None:
    assert route53.bucket(alias("A", host, zone="Z3AQBSTGFYJSTF")) == bucket
    assert route53.bucket(record("CNAME", host)) == bucket


def test_a_delegation_meets_its_zone_whatever_the_order_of_the_servers() -> None:
    name = "eu.example.com."
    given = record("NS", "NS-2.example.net.", "ns-1.example.net.", name=name)
    below = Record({"Id": "/hostedzone/Z2", "Name": name}, ZONE.context)
    own = Record(record("NS", "ns-1.example.net", "ns-2.example.net", name=name).item, ZONE.context, below)
    (handed,) = route53.given_delegation(given)
    (served,) = route53.own_delegation(own)
    assert handed["key"] == served["key"]
    assert list(route53.own_delegation(given)) == list(route53.given_delegation(own)) == []


def test_a_record_that_is_no_ns_delegates_nothing() -> None:
    assert list(route53.given_delegation(record("A", "192.0.2.1"))) == []


def test_ipv6_addresses_are_written_as_ec2_writes_them() -> None:
    assert route53.ipv6(record("AAAA", "2001:0DB8:0000:0000:0000:0000:0000:0025")) == ["2001:db8::25"]
    assert route53.ipv6(record("A", "192.0.2.1")) == route53.ipv4(record("AAAA", "2001:db8::25")) == []


@pytest.mark.parametrize(
    ("zone", "names"),
    [
        ({"Name": "eu.Example.com.", "Config": {"PrivateZone": False}}, ["eu.example.com", "example.com"]),
        ({"Name": "example.com."}, ["example.com"]),
        ({"Name": "example.com.", "Config": {"PrivateZone": True}}, []),
    ],
)
def test_a_public_zone_belongs_to_whatever_registered_name_it_is_below(
    zone: dict[str, object], names: list[str]
) -> None:
    assert route53.registrable(Record(zone, Context("123456789012", "global"))) == names


def test_a_registered_name_meets_the_zone_that_the_registry_sends_everybody_to() -> None:
    context = Context("123456789012", "global")
    domain = Record({"DomainName": "Example.com"}, context)
    domain.replies[route53domains.ABOUT.call] = {"Nameservers": [{"Name": "ns-2.x.net"}, {"Name": "NS-1.x.com"}]}
    zone = Record({"Id": "/hostedzone/Z1", "Name": "example.com."}, context)
    answer = {
        "Type": "NS",
        "Name": "example.com.",
        "ResourceRecords": [{"Value": "ns-1.x.com."}, {"Value": "ns-2.x.net."}],
    }
    [served] = route53.own_delegation(Record(answer, context, zone))
    assert route53domains.delegation(domain) == served["key"]


@pytest.mark.parametrize(
    ("given", "host"),
    [
        (record("CNAME", "Shop.Pages.example.net."), "shop.pages.example.net"),
        (alias("CNAME", "shop.azurewebsites.net."), "shop.azurewebsites.net"),
        (record("CNAME", "notexample.com"), "notexample.com"),
        (record("CNAME", "other.example.com"), None),
        (record("CNAME", "example.com"), None),
        (record("CNAME", "d1.cloudfront.net"), None),
        (record("CNAME", "_x.acm-validations.aws."), None),
        (alias("A", BALANCER), None),
        (record("A", "192.0.2.1"), None),
    ],
)
def test_hosts_outside_are_neither_awss_nor_the_zones_own(given: Record, host: str | None) -> None:
    assert route53.outside_host(given) == host


@pytest.mark.parametrize("zone", ["Z1", "/hostedzone/Z1"])
def test_a_log_of_queries_is_its_zones_however_the_zone_is_named(zone: str) -> None:
    assert route53.logged_zone(Record({"HostedZoneId": zone}, ZONE.context)) == "/hostedzone/Z1"
