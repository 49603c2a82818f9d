from __future__ import annotations

import os
import socket
import subprocess
import sys
import textwrap
from collections import Counter
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from skysweep.demo.estate import Estate, build
from skysweep.demo.server import aws
from skysweep.demo.session import Account, Clients, Keys, require_loopback
from skysweep.errors import BadSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

US, EU, AP = "us-east-1", "eu-west-1", "ap-southeast-2"

SHOP_EXPOSED = Counter(
    {
        ("web-1", ("direct",)): 1,
        ("web-2", ("direct", "elb", "elbv2")): 1,
        ("api-v6", ("direct",)): 1,
        ("jump-half", ("direct",)): 1,
        ("desk-split", ("direct",)): 1,
        ("admin-listed", ("direct",)): 1,
        ("fixed", ("direct",)): 1,
        ("app-1", ("elb",)): 1,
        ("app-2", ("elbv2",)): 1,
        ("app-3", ("elbv2",)): 1,
        ("app-4", ("elbv2",)): 1,
        ("web-fleet", ("elbv2",)): 2,
    }
)


@dataclass
class Built:
    endpoint: str
    estate: Estate
    accounts: dict[str, Account]


def act(endpoint: str, estate: Estate) -> dict[str, Account]:
    root = Account("", "", Clients(endpoint), Keys())
    return {name: root.assume(account_id, name) for account_id, name in estate.accounts.items()}


@pytest.fixture(scope="module")
def twice() -> Iterator[tuple[Built, Built]]:
    with ExitStack() as stack:
        endpoints = [stack.enter_context(aws()) for _ in range(2)]
        estates = [build(endpoint) for endpoint in endpoints]
        first, second = (
            Built(endpoint, estate, act(endpoint, estate)) for endpoint, estate in zip(endpoints, estates, strict=True)
        )
        yield first, second


@pytest.fixture(scope="module")
def built(twice: tuple[Built, Built]) -> Built:
    return twice[0]


def name_of(resource: dict[str, Any]) -> str:
    tags = {tag["Key"]: tag["Value"] for tag in resource.get("Tags", [])}
    return str(tags.get("Name") or tags.get("aws:autoscaling:groupName", ""))


def instances(account: Account, region: str) -> list[dict[str, Any]]:
    reply = account.client("ec2", region).describe_instances()
    return [instance for reservation in reply["Reservations"] for instance in reservation["Instances"]]


def group_name(group: dict[str, Any]) -> str:
    return str(group["GroupName"])


def structure(accounts: dict[str, Account]) -> dict[str, Counter[str]]:
    """Names, with how often each stands there, by kind, account and region: what two builds must have in common."""
    found: dict[str, Counter[str]] = {}
    for name, account in accounts.items():
        iam, s3, route53 = account.client("iam"), account.client("s3"), account.client("route53")
        found[f"{name} roles"] = Counter(role["RoleName"] for role in iam.list_roles()["Roles"])
        found[f"{name} users"] = Counter(user["UserName"] for user in iam.list_users()["Users"])
        found[f"{name} buckets"] = Counter(bucket["Name"] for bucket in s3.list_buckets()["Buckets"])
        for zone in route53.list_hosted_zones()["HostedZones"]:
            records = route53.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]
            found[f"{name} {zone['Name']}"] = Counter(f"{record['Name']} {record['Type']}" for record in records)
        for region in (US, EU, AP):
            found |= regional_structure(account, region)
    return found


def regional_structure(account: Account, region: str) -> dict[str, Counter[str]]:
    where = f"{account.name} {region}"
    ec2, elb, elbv2 = (account.client(service, region) for service in ("ec2", "elb", "elbv2"))
    rds, dynamodb, functions = (account.client(service, region) for service in ("rds", "dynamodb", "lambda"))
    keys = account.client("kms", region).list_aliases()["Aliases"]
    kinds: dict[str, Counter[str]] = {
        "instances": Counter(map(name_of, instances(account, region))),
        "subnets": Counter(map(name_of, ec2.describe_subnets()["Subnets"])),
        "groups": Counter(map(group_name, ec2.describe_security_groups()["SecurityGroups"])),
        "volumes": Counter(map(name_of, ec2.describe_volumes()["Volumes"])),
        "snapshots": Counter(map(name_of, ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"])),
        "addresses": Counter(map(name_of, ec2.describe_addresses()["Addresses"])),
        "interfaces": Counter(map(name_of, ec2.describe_network_interfaces()["NetworkInterfaces"])),
        "peerings": Counter(map(name_of, ec2.describe_vpc_peering_connections()["VpcPeeringConnections"])),
        "elb": Counter(each["LoadBalancerName"] for each in elb.describe_load_balancers()["LoadBalancerDescriptions"]),
        "elbv2": Counter(each["LoadBalancerName"] for each in elbv2.describe_load_balancers()["LoadBalancers"]),
        "rds": Counter(each["DBInstanceIdentifier"] for each in rds.describe_db_instances()["DBInstances"]),
        "clusters": Counter(each["DBClusterIdentifier"] for each in rds.describe_db_clusters()["DBClusters"]),
        "tables": Counter(dynamodb.list_tables()["TableNames"]),
        "functions": Counter(each["FunctionName"] for each in functions.list_functions()["Functions"]),
        "queues": Counter(
            url.rpartition("/")[2] for url in account.client("sqs", region).list_queues().get("QueueUrls", [])
        ),
        "keys": Counter(alias["AliasName"] for alias in keys),
    }
    return {f"{where} {kind}": names for kind, names in kinds.items()}


@pytest.fixture(scope="module")
def found(built: Built) -> dict[str, Counter[str]]:
    return structure(built.accounts)


def exposed_by_name(built: Built, name: str, region: str) -> Counter[tuple[str, tuple[str, ...]]]:
    names = {each["InstanceId"]: name_of(each) for each in instances(built.accounts[name], region)}
    rows: list[dict[str, Any]] = built.estate.answers["exposed_instances"]
    return Counter((names[row["instanceid"]], tuple(row["exposure"])) for row in rows if row["instanceid"] in names)


def test_three_accounts_of_one_organization(built: Built) -> None:
    hub = built.accounts["hub"]
    members = hub.client("organizations").list_accounts()["Accounts"]
    assert {member["Id"] for member in members} == set(built.estate.accounts)
    assert hub.id == built.estate.management_account_id
    assert sorted(built.estate.accounts.values()) == ["data", "hub", "shop"]
    for name, account in built.accounts.items():
        assert account.client("iam").list_account_aliases()["AccountAliases"] == [name]
        identity = account.client("sts").get_caller_identity()
        assert identity["Arn"].startswith(f"arn:aws:sts::{account.id}:assumed-role/{built.estate.role_name}/")


def test_the_answers_hold_what_was_built_to_be_found(built: Built) -> None:
    sizes = {question: len(rows) for question, rows in built.estate.answers.items()}
    assert sizes == {
        "rds_instances": 2 * 2 + 2 * 5,
        "unencrypted_rds_instances": 2 * 1 + 2 * 3,
        "unencrypted_rds_per_account": 2,
        "exposed_instances": 2 * 13 + 1 + 2 + 1,
        "internet_facing_elbs": 2 * 2,
        "internet_facing_elbv2s": 2 * 4,
        "anonymous_buckets": 5,
    }
    assert built.estate.answers["unencrypted_rds_per_account"] == [
        {"account": "data", "instances": 6},
        {"account": "shop", "instances": 2},
    ]


@pytest.mark.parametrize(
    ("account", "region", "expected"),
    [
        ("shop", EU, SHOP_EXPOSED),
        ("shop", US, SHOP_EXPOSED),
        ("shop", AP, Counter()),
        ("hub", US, Counter({("bastion", ("direct",)): 1})),
        ("hub", AP, Counter({("try-out", ("direct",)): 1})),
        ("data", EU, Counter({("notebook", ("direct",)): 1})),
    ],
)
def test_exposed_instances_are_those_meant(
    built: Built, account: str, region: str, expected: Counter[tuple[str, tuple[str, ...]]]
) -> None:
    assert exposed_by_name(built, account, region) == expected


def test_a_directly_exposed_instance_has_an_address_a_route_and_no_end(built: Built) -> None:
    shop = built.accounts["shop"]
    direct = {
        row["instanceid"] for row in built.estate.answers["exposed_instances"] if "direct" in str(row["exposure"])
    }
    found = [instance for instance in instances(shop, EU) if instance["InstanceId"] in direct]
    tables = shop.client("ec2", EU).describe_route_tables()["RouteTables"]
    routed = {
        association.get("SubnetId")
        for table in tables
        if any(route.get("GatewayId", "").startswith("igw-") for route in table["Routes"])
        for association in table["Associations"]
    }
    assert len(found) == 7
    for instance in found:
        interface = instance["NetworkInterfaces"][0]
        assert instance["State"]["Name"] == "running"
        assert instance["SubnetId"] in routed
        addresses = [each["Ipv6Address"] for each in interface["Ipv6Addresses"]]
        addresses += filter(None, [interface.get("Association", {}).get("PublicIp")])
        assert any(ip_address(address).is_global for address in addresses)


def test_what_looks_exposed_is_held_back_by_one_thing_each(built: Built) -> None:
    named = {name_of(instance): instance for instance in instances(built.accounts["shop"], EU)}
    assert named["dark"]["PublicIpAddress"]
    assert named["guarded"]["PublicIpAddress"]
    assert "PublicIpAddress" not in named["unaddressed"]
    assert named["gone"]["State"]["Name"] == "terminated"
    acls = (
        built.accounts["shop"]
        .client("ec2", EU)
        .describe_network_acls(Filters=[{"Name": "association.subnet-id", "Values": [named["guarded"]["SubnetId"]]}])[
            "NetworkAcls"
        ]
    )
    entries = [entry for entry in acls[0]["Entries"] if not entry["Egress"]]
    first = min(entries, key=lambda entry: int(entry["RuleNumber"]))
    assert (first["RuleAction"], first["PortRange"]) == ("deny", {"From": 22, "To": 22})


def test_listed_load_balancers_exist_and_face_the_internet(built: Built) -> None:
    facing = set()
    for region in (US, EU):
        classic = built.accounts["shop"].client("elb", region).describe_load_balancers()["LoadBalancerDescriptions"]
        modern = built.accounts["shop"].client("elbv2", region).describe_load_balancers()["LoadBalancers"]
        facing |= {each["DNSName"] for each in (*classic, *modern) if each["Scheme"] == "internet-facing"}
    answers = built.estate.answers
    listed = {row["dnsname"] for row in (*answers["internet_facing_elbs"], *answers["internet_facing_elbv2s"])}
    assert len(listed) == 8
    assert listed < facing


def test_the_fleet_stands_behind_its_load_balancer(built: Built) -> None:
    elbv2 = built.accounts["shop"].client("elbv2", EU)
    groups = elbv2.describe_target_groups(Names=[f"alb-front-{EU}"])["TargetGroups"]
    health = elbv2.describe_target_health(TargetGroupArn=groups[0]["TargetGroupArn"])["TargetHealthDescriptions"]
    names = {each["InstanceId"]: name_of(each) for each in instances(built.accounts["shop"], EU)}
    assert Counter(names[each["Target"]["Id"]] for each in health) == {"web-fleet": 2, "app-2": 1, "web-2": 1}


def test_public_buckets_are_public_and_saved_ones_are_saved(built: Built) -> None:
    shop, data = built.accounts["shop"], built.accounts["data"]
    s3 = shop.client("s3")
    assert built.estate.answers["anonymous_buckets"] == [
        {
            "bucket": "shop-dropbox",
            "anonymous_actions": [
                "s3:ListBucket",
                "s3:ListBucketMultipartUploads",
                "s3:ListBucketVersions",
                "s3:PutObject",
            ],
        },
        {"bucket": "shop-half-denied", "anonymous_actions": ["s3:GetObject"]},
        {
            "bucket": "shop-partners",
            "anonymous_actions": ["s3:ListBucket", "s3:ListBucketMultipartUploads", "s3:ListBucketVersions"],
        },
        {
            "bucket": "shop-uploads",
            "anonymous_actions": ["s3:ListBucket", "s3:ListBucketMultipartUploads", "s3:ListBucketVersions"],
        },
        {"bucket": "shop-website", "anonymous_actions": ["s3:GetObject"]},
    ]
    grantees = {grant["Grantee"].get("URI", "") for grant in s3.get_bucket_acl(Bucket="shop-partners")["Grants"]}
    assert "http://acs.amazonaws.com/groups/global/AuthenticatedUsers" in grantees
    assert '"Principal": "*"' in s3.get_bucket_policy(Bucket="shop-backups")["Policy"]
    for block in (
        s3.get_public_access_block(Bucket="shop-backups"),
        data.client("s3control").get_public_access_block(AccountId=data.id),
    ):
        assert set(block["PublicAccessBlockConfiguration"].values()) == {True}


def test_a_role_of_data_trusts_an_account_that_is_not_of_the_organization(built: Built) -> None:
    role = built.accounts["data"].client("iam").get_role(RoleName="vendor-analytics")["Role"]
    principals = role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["AWS"]
    outside = [arn for arn in principals if arn.split(":")[4] not in built.estate.accounts]
    assert len(outside) == 1


def test_accounts_hold_different_things_a_few_hundred_in_all(found: dict[str, Counter[str]]) -> None:
    assert set(found["shop eu-west-1 instances"]) > {"web-1", "app-1", "web-fleet"}
    assert found["data eu-west-1 instances"] == {"etl-1": 1, "etl-2": 1, "notebook": 1}
    assert not found["hub eu-west-1 instances"]
    assert set(found["hub users"]) == {"alice", "bob", "carol", "ci-deploy"}
    assert 300 < sum(counter.total() for counter in found.values()) < 900


def test_two_builds_have_the_same_structure(twice: tuple[Built, Built], found: dict[str, Counter[str]]) -> None:
    first, second = twice
    assert first.endpoint != second.endpoint
    assert first.estate.accounts == second.estate.accounts
    assert structure(second.accounts) == found
    for question in ("rds_instances", "anonymous_buckets", "internet_facing_elbs", "internet_facing_elbv2s"):
        assert first.estate.answers[question] == second.estate.answers[question]


@pytest.mark.parametrize(
    "endpoint",
    ["https://ec2.us-east-1.amazonaws.com", "http://192.0.2.1:5000", "http://127.0.0.1.example.com", "127.0.0.1:5000"],
)
def test_any_other_host_is_refused(endpoint: str) -> None:
    with pytest.raises(BadSettings, match="not a loopback address"):
        build(endpoint)


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1"])
def test_loopback_is_accepted(endpoint: str) -> None:
    assert require_loopback(endpoint) == endpoint


def test_the_environment_does_not_reach_the_clients(built: Built, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_PROFILE": "absent",
        "AWS_CONFIG_FILE": __file__,
        "AWS_SHARED_CREDENTIALS_FILE": __file__,
        "AWS_ENDPOINT_URL": "http://192.0.2.1",
        "AWS_CA_BUNDLE": "/absent",
        "AWS_MAX_ATTEMPTS": "many",
        "AWS_USE_FIPS_ENDPOINT": "true",
        "HTTP_PROXY": "http://192.0.2.1:1",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    sts = Account("", "", Clients(built.endpoint), Keys()).client("sts")
    assert sts.get_caller_identity()["Account"] == built.estate.management_account_id


def test_the_server_dies_with_its_parent() -> None:
    script = textwrap.dedent("""
        import sys
        from skysweep.demo.server import aws
        with aws() as endpoint:
            print(endpoint, flush=True)
            sys.stdin.read()
    """)
    parent = subprocess.Popen(  # noqa: S603 - our own script
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with parent:
        assert parent.stdout
        url = urlsplit(parent.stdout.readline().decode().strip())
        with socket.create_connection((str(url.hostname), url.port or 0), timeout=20) as connection:
            parent.kill()
            with suppress(ConnectionResetError):  # the same news, if it had not accepted yet
                assert connection.recv(1) == b""  # the server waits for a request: only its death closes this


@pytest.mark.parametrize(
    "attempt",
    [
        "socket.create_connection(('192.0.2.1', 80), timeout=1)",
        "socket.getaddrinfo('sts.amazonaws.com', 443)",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'', ('192.0.2.1', 53))",
        "socket.socket(socket.AF_UNIX).connect('/var/run/docker.sock')",
    ],
)
def test_the_emulator_talks_to_nobody(attempt: str) -> None:
    hooked = "import socket, sys; from skysweep.demo.emulator import refuse_the_world as hook; sys.addaudithook(hook)"
    script = f"{hooked}; {attempt}"
    environment = {"AWS_CONFIG_FILE": os.devnull}
    ended = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert "does not talk to" in ended.stderr.splitlines()[-1]
