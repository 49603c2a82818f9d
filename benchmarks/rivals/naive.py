"""What one would write in an afternoon: boto3, 64 threads, botocore's paginators, and UNWIND by Neo4j's own driver.

Honest and decent: clients are made once, listings and details run side by side, nodes go in by the thousand on unique
ids. It does what a collector must not: one error ends it, nothing is cleaned up, a throttle is botocore's to mend.
Order (JSON on standard input): url, accounts, regions, uri, user, password, database, threads, constrain.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from threading import Lock
from typing import Any, NamedTuple

import boto3
import jmespath
from botocore.config import Config
from botocore.exceptions import ClientError
from neo4j import Driver, GraphDatabase

from benchmarks.estates import KEY, ROLE, Fake
from benchmarks.measure import Program
from benchmarks.rivals import environ
from benchmarks.stores import Held, Kind

THREADS = 64
ROWS = 1_000  # that go into one transaction


class Listing(NamedTuple):
    """One kind of thing: how it is listed, what its nodes are called, which property is the id."""

    service: str
    operation: str
    path: str
    label: str
    id: str


class Link(NamedTuple):
    """Edges that an item tells of: their type, where the other end's id stands, the other end's label."""

    kind: str
    path: str
    label: str


EC2 = (
    ("instances", "Reservations[].Instances[]", "EC2Instance", "InstanceId"),
    ("security_groups", "SecurityGroups[]", "EC2SecurityGroup", "GroupId"),
    ("network_interfaces", "NetworkInterfaces[]", "AWSNetworkInterface", "NetworkInterfaceId"),
    ("volumes", "Volumes[]", "EBSVolume", "VolumeId"),
    ("snapshots", "Snapshots[]", "EBSSnapshot", "SnapshotId"),
    ("subnets", "Subnets[]", "EC2Subnet", "SubnetId"),
    ("vpcs", "Vpcs[]", "AWSVpc", "VpcId"),
    ("route_tables", "RouteTables[]", "EC2RouteTable", "RouteTableId"),
    ("network_acls", "NetworkAcls[]", "EC2NetworkAcl", "NetworkAclId"),
    ("internet_gateways", "InternetGateways[]", "AWSInternetGateway", "InternetGatewayId"),
    ("nat_gateways", "NatGateways[]", "AWSNatGateway", "NatGatewayId"),
    ("vpc_endpoints", "VpcEndpoints[]", "AWSVpcEndpoint", "VpcEndpointId"),
    ("vpc_peering_connections", "VpcPeeringConnections[]", "AWSPeeringConnection", "VpcPeeringConnectionId"),
    ("launch_templates", "LaunchTemplates[]", "LaunchTemplate", "LaunchTemplateId"),
    ("addresses", "Addresses[]", "ElasticIPAddress", "AllocationId"),
    ("key_pairs", "KeyPairs[]", "EC2KeyPair", "KeyPairId"),
    ("images", "Images[]", "EC2Image", "ImageId"),
)
SCALING = "auto_scaling_groups", "launch_configurations"
REGIONAL = (
    *(Listing("ec2", f"describe_{name}", path, label, key) for name, path, label, key in EC2),
    *(
        Listing("autoscaling", f"describe_{name}", f"{label}s[]", label, f"{label}ARN")
        for name, label in zip(SCALING, ("AutoScalingGroup", "LaunchConfiguration"), strict=True)
    ),
    Listing("elb", "describe_load_balancers", "LoadBalancerDescriptions[]", "AWSLoadBalancer", "DNSName"),
    Listing("elbv2", "describe_load_balancers", "LoadBalancers[]", "LoadBalancerV2", "LoadBalancerArn"),
    Listing("elbv2", "describe_target_groups", "TargetGroups[]", "ELBV2TargetGroup", "TargetGroupArn"),
    Listing("lambda", "list_functions", "Functions[]", "AWSLambda", "FunctionArn"),
    Listing("lambda", "list_event_source_mappings", "EventSourceMappings[]", "AWSLambdaEventSourceMapping", "UUID"),
    Listing("rds", "describe_db_instances", "DBInstances[]", "RDSInstance", "DBInstanceArn"),
    Listing("rds", "describe_db_clusters", "DBClusters[]", "RDSCluster", "DBClusterArn"),
    Listing("rds", "describe_db_snapshots", "DBSnapshots[]", "RDSSnapshot", "DBSnapshotArn"),
    Listing("rds", "describe_db_subnet_groups", "DBSubnetGroups[]", "DBSubnetGroup", "DBSubnetGroupArn"),
    Listing("kms", "list_keys", "Keys[]", "KMSKey", "KeyArn"),
    Listing("kms", "list_aliases", "Aliases[]", "KMSAlias", "AliasArn"),
    Listing("dynamodb", "list_tables", "TableNames[].{Name: @}", "DynamoDBTable", "Name"),
    Listing("sns", "list_topics", "Topics[]", "SNSTopic", "TopicArn"),
    Listing("sns", "list_subscriptions", "Subscriptions[]", "SNSTopicSubscription", "SubscriptionArn"),
    Listing("sqs", "list_queues", "QueueUrls[].{Url: @}", "SQSQueue", "Url"),
)  # fmt: skip
GLOBAL = (
    Listing("iam", "list_roles", "Roles[]", "AWSRole", "Arn"),
    Listing("iam", "list_users", "Users[]", "AWSUser", "Arn"),
    Listing("iam", "list_groups", "Groups[]", "AWSGroup", "Arn"),
    Listing("iam", "list_instance_profiles", "InstanceProfiles[]", "AWSInstanceProfile", "Arn"),
    Listing("iam", "list_policies", "Policies[]", "AWSManagedPolicy", "Arn"),
    Listing("s3", "list_buckets", "Buckets[]", "S3Bucket", "Name"),
    Listing("route53", "list_hosted_zones", "HostedZones[]", "AWSDNSZone", "Id"),
)
DETAILS: Mapping[str, Sequence[tuple[str, str, str]]] = {
    "S3Bucket": [
        (f"get_bucket_{name}", "Bucket", "Name")
        for name in ("policy", "acl", "encryption", "versioning", "logging", "ownership_controls")
    ]
    + [("get_public_access_block", "Bucket", "Name")],
    "AWSRole": [(f"list_{each}_policies", "RoleName", "RoleName") for each in ("attached_role", "role")],
    "AWSUser": [(f"list_{each}_policies", "UserName", "UserName") for each in ("attached_user", "user")]
    + [("list_access_keys", "UserName", "UserName")],
    "AWSLambda": [("get_policy", "FunctionName", "FunctionName")],
    "KMSKey": [("describe_key", "KeyId", "KeyId"), ("get_key_policy", "KeyId", "KeyId")],
}
"""Calls for each item: the method, its input, and where that stands in the item."""

LINKS: Mapping[str, Sequence[Link]] = {
    "EC2Instance": [
        Link("PART_OF_SUBNET", "SubnetId", "EC2Subnet"),
        Link("MEMBER_OF_EC2_SECURITY_GROUP", "SecurityGroups[].GroupId", "EC2SecurityGroup"),
        Link("NETWORK_INTERFACE", "NetworkInterfaces[].NetworkInterfaceId", "AWSNetworkInterface"),
    ],
    "AWSNetworkInterface": [
        Link("PART_OF_SUBNET", "SubnetId", "EC2Subnet"),
        Link("MEMBER_OF_EC2_SECURITY_GROUP", "Groups[].GroupId", "EC2SecurityGroup"),
    ],
    "EBSVolume": [Link("ATTACHED_TO", "Attachments[].InstanceId", "EC2Instance")],
    "EC2Subnet": [Link("MEMBER_OF_AWS_VPC", "VpcId", "AWSVpc")],
    "EC2SecurityGroup": [Link("MEMBER_OF_EC2_SECURITY_GROUP", "VpcId", "AWSVpc")],
    "AWSLambda": [Link("STS_ASSUMEROLE_ALLOW", "Role", "AWSRole")],
}


@dataclass
class Found:
    """What was found so far: nodes by label, edges by their type and the labels of their ends."""

    nodes: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    edges: dict[tuple[str, str, str], list[dict[str, str]]] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def add(self, account: str, listing: Listing, items: Sequence[Mapping[str, Any]]) -> None:
        """Takes items of a listing."""
        with self.lock:
            nodes = self.nodes.setdefault(listing.label, {})
            for item in items:
                own = str(item[listing.id])
                nodes[own] = {"id": own, "account": account, "props": _flat(item)}
                for kind, path, label in LINKS.get(listing.label, ()):
                    ends = jmespath.search(path, item) or []
                    edges = self.edges.setdefault((listing.label, kind, label), [])
                    edges += [{"start": own, "end": end} for end in ([ends] if isinstance(ends, str) else ends)]


class Account:
    """An account's clients: boto3's are made one by one, and may be used by many threads."""

    making = Lock()

    def __init__(self, account: str, order: Mapping[str, Any]) -> None:
        self.id = account
        config = Config(max_pool_connections=order["threads"], retries={"mode": "standard", "total_max_attempts": 5})
        options = {"endpoint_url": order["url"], "config": config}
        sts = boto3.Session(KEY, "fake", region_name="us-east-1").client("sts", **options)
        given = sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/{ROLE}", RoleSessionName="naive")["Credentials"]
        session = boto3.Session(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
        self._make: Callable[[str, str], Any] = lambda service, region: session.client(service, region, **options)
        self._clients: dict[tuple[str, str], Any] = {}

    def client(self, service: str, region: str) -> Any:
        """The client of a service in a region."""
        with self.making:
            if (service, region) not in self._clients:
                self._clients[service, region] = self._make(service, region)
            return self._clients[service, region]


def listed(pool: ThreadPoolExecutor, account: Account, region: str, listing: Listing, found: Found) -> list[Any]:
    """Lists a kind of thing in a region, and asks for its items' details; the details' futures."""
    client = account.client(listing.service, region)
    inputs = _inputs(listing.operation)
    if client.can_paginate(listing.operation):
        pages = client.get_paginator(listing.operation).paginate(**inputs)
    else:
        pages = [getattr(client, listing.operation)(**inputs)]
    details = []
    for page in pages:
        items = jmespath.search(listing.path, page) or []
        found.add(account.id, listing, items)
        details += [
            pool.submit(_told, getattr(client, method), {name: item[member]})
            for item in items
            for method, name, member in DETAILS.get(listing.label, ())
        ]
    return details


def _inputs(operation: str) -> dict[str, Any]:
    if operation in {"describe_snapshots", "describe_images"}:
        return {"OwnerIds" if operation == "describe_snapshots" else "Owners": ["self"]}
    return {"Scope": "Local"} if operation == "list_policies" else {}


def _told(method: Callable[..., Any], inputs: Mapping[str, Any]) -> None:
    try:
        method(**inputs)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:  # noqa: PLR2004 - there is no such thing
            raise


def _flat(item: Mapping[str, Any]) -> dict[str, Any]:
    """The item's own texts, numbers and points in time: what a property may be."""
    return {name: value for name, value in item.items() if not isinstance(value, dict | list | bytes)}


def write(driver: Driver, database: str, accounts: Sequence[str], found: Found, *, constrain: bool) -> None:
    """Unique ids (the embedded graph has those of the sweep before), then nodes, then edges, by the thousand."""
    with driver.session(database=database) as session:
        for label in ("AWSAccount", *found.nodes) if constrain else ():
            session.run(f"CREATE CONSTRAINT IF NOT EXISTS FOR (n:{label}) REQUIRE n.id IS UNIQUE").consume()
        _write(session, "UNWIND $rows AS row MERGE (n:AWSAccount {id: row.id})", [{"id": each} for each in accounts])
        for label, nodes in found.nodes.items():
            statement = (
                f"UNWIND $rows AS row MERGE (n:{label} {{id: row.id}}) SET n += row.props WITH n, row "
                "MATCH (a:AWSAccount {id: row.account}) MERGE (n)<-[:RESOURCE]-(a)"
            )
            _write(session, statement, list(nodes.values()))
        for (start, kind, end), edges in found.edges.items():
            statement = (
                f"UNWIND $rows AS row MATCH (s:{start} {{id: row.start}}) MATCH (t:{end} {{id: row.end}}) "
                f"MERGE (s)-[:{kind}]->(t)"
            )
            _write(session, statement, edges)


def _write(session: Any, statement: str, every: Sequence[Any]) -> None:
    left = iter(every)
    while rows := list(islice(left, ROWS)):
        session.execute_write(_one, statement, rows)


def _one(tx: Any, statement: str, rows: Sequence[Any]) -> None:
    tx.run(statement, rows=rows).consume()


def swept(order: Mapping[str, Any]) -> Found:
    """Everything, by as many threads as the order says."""
    found = Found()
    with ThreadPoolExecutor(order["threads"]) as pool:
        accounts = list(pool.map(lambda each: Account(each, order), order["accounts"]))
        listings = [
            pool.submit(listed, pool, account, region, listing, found)
            for account in accounts
            for region, listing in _places(order["regions"])
        ]
        for listing in listings:
            for detail in listing.result():
                detail.result()
    return found


def _places(regions: Sequence[str]) -> Iterator[tuple[str, Listing]]:
    yield from (("us-east-1", listing) for listing in GLOBAL)
    yield from ((region, listing) for listing in REGIONAL for region in regions)


def sync(fake: Fake, held: Held, home: Any) -> Program:
    """This very script, for the fake AWS's accounts and the store."""
    bolt = held.bolt
    order = {
        "url": fake.url,
        "accounts": fake.accounts,
        "regions": fake.regions,
        "threads": THREADS,
        "constrain": held.kind is Kind.NEO4J,
        **{name: getattr(bolt, name) for name in ("uri", "user", "password", "database")},
    }
    return Program([sys.executable, "-m", __name__], environ(fake.url, home), json.dumps(order))


def main() -> None:
    """Reads its order, sweeps and writes."""
    order = json.load(sys.stdin)
    found = swept(order)
    with GraphDatabase.driver(order["uri"], auth=(order["user"], order["password"])) as driver:
        write(driver, order["database"], order["accounts"], found, constrain=order["constrain"])


if __name__ == "__main__":
    main()
