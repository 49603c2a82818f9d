"""What the wide estate stands on: an account, a region, a network, a role, a key; and the note of all that is made."""

from __future__ import annotations

import io
import json
import zipfile
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from skysweep.demo.session import Account

REGION = "us-east-1"
SERVICE = "events.amazonaws.com"
TAGS = {"team": "wide"}
TAG_LIST = [{"Key": "team", "Value": "wide"}]


@dataclass
class Made:
    """What is in the estate, known from making it: the ids of nodes by label, and edges as (id, type, id)."""

    ids: dict[str, set[str]] = field(default_factory=dict)
    edges: set[tuple[str, str, str]] = field(default_factory=set)

    def node(self, label: str, identifier: str, *edges: tuple[str, str]) -> str:
        """Note a node with edges from it, (type, id) each; its id comes back."""
        self.ids.setdefault(label, set()).add(identifier)
        self.edges |= {(identifier, kind, target) for kind, target in edges}
        return identifier

    def edge(self, source: str, kind: str, target: str) -> None:
        """Note an edge."""
        self.edges.add((source, kind, target))


@dataclass(frozen=True)
class Ground:
    """Where the wide estate is built, and what everything in it uses."""

    endpoint: str
    account: Account
    made: Made
    vpc: str
    subnets: list[str]
    group: str
    role: str
    key: str
    topic: str
    queue: str
    bucket: str
    function: str
    log_group: str
    instance: str

    def client(self, service: str) -> Any:
        """The account's client of a service in the region."""
        return self.account.client(service, REGION)

    def node(self, label: str, identifier: str, *edges: tuple[str, str]) -> str:
        """See `Made.node`."""
        return self.made.node(label, identifier, *edges)

    def edge(self, source: str, kind: str, target: str) -> None:
        """See `Made.edge`."""
        self.made.edge(source, kind, target)

    def arn(self, service: str, resource: str) -> str:
        """The ARN of a resource of this account and region."""
        return f"arn:aws:{service}:{REGION}:{self.account.id}:{resource}"

    def policy(self, label: str, resource: str, principal: dict[str, str], action: str) -> str:
        """The text of a policy that lets a principal act on a resource, its one statement noted as a node."""
        self.node(label, f"{resource}/policy_statement/wide")
        statement = {"Sid": "wide", "Effect": "Allow", "Principal": principal, "Action": action, "Resource": "*"}
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    def tell_moto(self, path: str, document: dict[str, Any]) -> None:
        """Set what only moto's own API can: answers that no operation of AWS makes, and its behaviour."""
        body = json.dumps(document).encode()
        server = HTTPConnection(urlsplit(self.endpoint).netloc)
        with closing(server):
            server.request("POST", f"/moto-api/{path}", body, {"Content-Type": "application/json"})
            assert server.getresponse().status < 300


def lay(endpoint: str, account: Account) -> Ground:
    """Build the ground in an account that has the demo's `workload` role."""
    made = Made()
    ec2 = account.client("ec2", REGION)
    vpc = ec2.create_vpc(CidrBlock="10.60.0.0/16")["Vpc"]["VpcId"]
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.60.{n}.0/24", AvailabilityZone=f"{REGION}{zone}")["Subnet"][
            "SubnetId"
        ]
        for n, zone in enumerate("ab")
    ]
    group = ec2.create_security_group(GroupName="wide", Description="wide", VpcId=vpc)["GroupId"]
    image = ec2.register_image(Name="wide", RootDeviceName="/dev/xvda", Architecture="x86_64")["ImageId"]
    launch = {"ImageId": image, "InstanceType": "t3.micro", "SubnetId": subnets[0], "SecurityGroupIds": [group]}
    instance = ec2.run_instances(MinCount=1, MaxCount=1, **launch)["Instances"][0]["InstanceId"]
    role = f"arn:aws:iam::{account.id}:role/workload"
    key = account.client("kms", REGION).create_key(Description="wide", Tags=[{"TagKey": "team", "TagValue": "wide"}])
    sqs = account.client("sqs", REGION)
    sqs.create_queue(QueueName="wide")
    account.client("s3", REGION).create_bucket(Bucket="wide-data")
    account.client("logs", REGION).create_log_group(logGroupName="/wide/app")
    ground = Ground(
        endpoint,
        account,
        made,
        vpc,
        subnets,
        group,
        role,
        key["KeyMetadata"]["Arn"],
        account.client("sns", REGION).create_topic(Name="wide")["TopicArn"],
        f"arn:aws:sqs:{REGION}:{account.id}:wide",
        "wide-data",
        _function(account, role, made),
        f"arn:aws:logs:{REGION}:{account.id}:log-group:/wide/app",
        instance,
    )
    made.node("CloudWatchLogGroup", ground.log_group)
    return ground


def _function(account: Account, role: str, made: Made) -> str:
    """A function with a layer; its ARN."""
    functions = account.client("lambda", REGION)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(zipfile.ZipInfo("main.py"), "def handle(event, context): ...\n")
    code = {"ZipFile": archive.getvalue()}
    layer = functions.publish_layer_version(LayerName="wide", Content=code, CompatibleRuntimes=["python3.12"])
    function: str = functions.create_function(
        FunctionName="wide",
        Runtime="python3.12",
        Role=role,
        Handler="main.handle",
        Code=code,
        Layers=[layer["LayerVersionArn"]],
    )["FunctionArn"]
    functions.add_permission(FunctionName="wide", StatementId="wide", Action="lambda:InvokeFunction", Principal=SERVICE)
    made.node("LambdaPolicyStatement", f"{function}/policy_statement/wide", ("ALLOWS_ACCESS_FROM", SERVICE))
    made.node("AWSServicePrincipal", SERVICE)
    made.node("AWSLambdaLayer", layer["LayerVersionArn"])
    made.edge(function, "HAS", layer["LayerVersionArn"])
    return function
