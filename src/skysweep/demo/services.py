"""What applications are made of: functions, tables, keys, topics, queues and names."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

from skysweep.demo.identity import OUTSIDER, WORKLOAD, policy
from skysweep.demo.session import GLOBAL_REGION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from skysweep.demo.session import Account

EVENTS = ("created", "paid", "shipped")


def build_messaging(account: Account, region: str) -> dict[str, str]:
    """Build a topic and three queues with dead letters, one open to everyone; give queue ARNs by name."""
    sns, sqs = account.client("sns", region), account.client("sqs", region)
    topic = sns.create_topic(Name="orders")["TopicArn"]
    queues = {}
    for name in EVENTS:
        dead = _queue(sqs, f"orders-{name}-dead", {})
        redrive = json.dumps({"deadLetterTargetArn": dead, "maxReceiveCount": 5})
        queues[name] = _queue(sqs, f"orders-{name}", {"RedrivePolicy": redrive, "SqsManagedSseEnabled": "true"})
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queues[name])
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="orders@example.com")
    everyone = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}
    _queue(sqs, "suggestions", {"Policy": policy(everyone)})
    return queues


def _queue(sqs: Any, name: str, attributes: Mapping[str, str]) -> str:
    """Create a queue and give its ARN."""
    url = sqs.create_queue(QueueName=name, Attributes=dict(attributes))["QueueUrl"]
    reply = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return str(reply["Attributes"]["QueueArn"])


def build_keys(account: Account, region: str) -> str:
    """Build two KMS keys, one granted to the workload, one shared with an outsider; give the first's ARN."""
    kms = account.client("kms", region)
    main = kms.create_key(Description="application data")["KeyMetadata"]
    kms.create_alias(AliasName="alias/application", TargetKeyId=main["KeyId"])
    kms.create_grant(
        KeyId=main["KeyId"],
        GranteePrincipal=f"arn:aws:iam::{account.id}:role/{WORKLOAD}",
        Operations=["Encrypt", "Decrypt"],
        Name="workload",
    )
    owner = {"AWS": f"arn:aws:iam::{account.id}:root"}
    outsider = {"AWS": f"arn:aws:iam::{OUTSIDER}:root"}
    statements = (
        {"Effect": "Allow", "Principal": owner, "Action": "kms:*", "Resource": "*"},
        {"Effect": "Allow", "Principal": outsider, "Action": "kms:Decrypt", "Resource": "*"},
    )
    shared = kms.create_key(Description="shared with a vendor", Policy=policy(*statements))["KeyMetadata"]
    kms.create_alias(AliasName="alias/vendor", TargetKeyId=shared["KeyId"])
    return str(main["Arn"])


def build_tables(account: Account, region: str, key: str) -> None:
    """Build three DynamoDB tables, one encrypted with the key (by ARN), one with an index."""
    dynamodb = account.client("dynamodb", region)
    encryption = {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key}
    index = {
        "IndexName": "by-id",
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
    }
    extras: tuple[tuple[str, dict[str, object]], ...] = (
        ("customers", {"SSESpecification": encryption}),
        ("carts", {}),
        ("events", {"GlobalSecondaryIndexes": [index]}),
    )
    for name, extra in extras:
        dynamodb.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            **extra,
        )


def build_functions(account: Account, region: str, queues: Mapping[str, str]) -> None:
    """Build a Lambda function for each queue (ARN by name), with a version, an alias and an event source mapping."""
    functions = account.client("lambda", region)
    code = _code()
    for name, queue in queues.items():
        function = f"on-{name}"
        functions.create_function(
            FunctionName=function,
            Runtime="python3.12",
            Role=f"arn:aws:iam::{account.id}:role/{WORKLOAD}",
            Handler="main.handle",
            Code={"ZipFile": code},
            Environment={"Variables": {"STAGE": "production"}},
        )
        version = functions.publish_version(FunctionName=function)["Version"]
        functions.create_alias(FunctionName=function, Name="live", FunctionVersion=version)
        functions.create_event_source_mapping(EventSourceArn=queue, FunctionName=function, BatchSize=10)


def _code() -> bytes:
    """Zip a function that does nothing; its time is fixed, so that its hash is."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(zipfile.ZipInfo("main.py"), "def handle(event, context): ...\n")
    return archive.getvalue()


def build_names(account: Account, balancers: Mapping[str, tuple[str, str]], address: str, vpc: str) -> None:
    """Build a public and a private hosted zone, whose names lead to load balancers, an address, and out of the estate.

    `balancers` holds (DNS name, canonical hosted zone id) by name; `vpc` is where the private zone is seen.
    """
    route53 = account.client("route53")
    public = _zone(route53, "example.com")
    records = [_record(f"{name}.example.com", "CNAME", dns_name) for name, (dns_name, _) in balancers.items()]
    aliases = [(name, *target) for name, target in balancers.items() if target[1]]
    records += [_alias(f"{name}-alias.example.com", dns_name, zone) for name, dns_name, zone in aliases]
    records += [
        _record("bastion.example.com", "A", address),
        _record("blog.example.com", "CNAME", "example.ghost.io"),
        _record("old.example.com", "CNAME", "deleted-bucket.s3-website-eu-west-1.amazonaws.com"),
        _record("example.com", "MX", "10 mail.example.net"),
    ]
    _change(route53, public, records)
    private = _zone(route53, "corp.example.com", VPC={"VPCRegion": GLOBAL_REGION, "VPCId": vpc})
    _change(route53, private, [_record("db.corp.example.com", "A", "10.10.2.9")])


def _zone(route53: Any, name: str, **vpc: object) -> str:
    """Create a hosted zone, private when it has a VPC, and give its id."""
    config = {"Comment": f"the names of {name}", "PrivateZone": bool(vpc)}
    reply = route53.create_hosted_zone(Name=name, CallerReference=name, HostedZoneConfig=config, **vpc)
    return str(reply["HostedZone"]["Id"])


def _record(name: str, kind: str, value: str) -> dict[str, object]:
    return {"Name": name, "Type": kind, "TTL": 300, "ResourceRecords": [{"Value": value}]}


def _alias(name: str, dns_name: str, zone: str) -> dict[str, object]:
    target = {"HostedZoneId": zone, "DNSName": dns_name, "EvaluateTargetHealth": False}
    return {"Name": name, "Type": "A", "AliasTarget": target}


def _change(route53: Any, zone: str, records: list[dict[str, object]]) -> None:
    changes = [{"Action": "CREATE", "ResourceRecordSet": record} for record in records]
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})
