"""A graph for the tests of exposure, written as the sweep writes it, whose answers are known by construction."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from skysweep.store import NodeType

if TYPE_CHECKING:
    from skysweep.store import Store

OURS, OTHER = "111111111111", "222222222222"
ALSO = {
    "AWSLoadBalancer": ("LoadBalancer",),
    "LoadBalancerV2": ("AWSLoadBalancerV2", "LoadBalancer"),
    "AWSIpRange": ("IpRange",),
    "AWSNetworkInterface": ("NetworkInterface",),
    "EC2Instance": ("AWSEC2Instance", "ComputeInstance"),
    "EBSSnapshot": ("AWSEBSSnapshot", "Snapshot"),
    "RDSSnapshot": ("AWSRDSSnapshot", "Snapshot"),
    "GuardDutyFinding": ("AWSGuardDutyFinding", "Risk", "SecurityIssue"),
    "AWSInspectorFinding": ("Risk",),
}
ALL_USERS = "http://acs.amazonaws.com/groups/global/AllUsers"
MARKS = ("GetBucketPolicy", "GetBucketAcl", "GetPublicAccessBlock", "GetBucketOwnershipControls")
SEEN: dict[str, Any] = {f"_seen_{operation}": 1 for operation in MARKS}
PUBLIC_POLICY = (
    '{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}}'
)


@dataclass
class Graph:
    """Nodes and edges, collected first and written by label and type."""

    nodes: defaultdict[str, dict[str, dict[str, Any]]] = field(default_factory=lambda: defaultdict(dict))
    edges: defaultdict[tuple[str, str, str], list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    account: str = OURS

    def node(self, label: str, id_: str, *, owned: bool = True, **properties: Any) -> str:
        self.nodes[label][id_] = properties
        if owned:
            self.edge("AWSAccount", self.account, "RESOURCE", label, id_)
        return id_

    def edge(self, start: str, start_id: str, kind: str, end: str, end_id: str, **properties: Any) -> None:
        self.edges[start, kind, end].append({"s": start_id, "t": end_id, "props": properties})

    async def write(self, store: Store) -> None:
        labels = {label for start, _, end in self.edges for label in (start, end)} | self.nodes.keys()
        kinds = sorted({kind for _, kind, _ in self.edges})
        await store.prepare([NodeType(label, ALSO.get(label, ()), ()) for label in sorted(labels)], kinds)
        for label, nodes in self.nodes.items():
            also = "" if store.labels_are_types else "".join(f" SET n:{name}" for name in ALSO.get(label, ()))
            await store.run(
                f"UNWIND $rows AS row MERGE (n:{label} {{id: row.id}}) SET n += row.props{also}",
                rows=[{"id": id_, "props": properties} for id_, properties in nodes.items()],
            )
        for (start, kind, end), rows in self.edges.items():
            await store.run(
                f"UNWIND $rows AS row MATCH (s:{start} {{id: row.s}}) MATCH (t:{end} {{id: row.t}}) "
                f"MERGE (t)<-[r:{kind}]-(s) SET r += row.props",
                rows=rows,
            )

    # What stands around.

    def account_node(self, id_: str) -> None:
        self.nodes["AWSAccount"][id_] = {"name": id_[0] * 3, "inscope": True}
        self.account = id_

    def subnet(self, name: str, acl: str, routes: str | None = None) -> None:
        self.node("EC2Subnet", name, vpc_id="vpc")
        self.edge("EC2Subnet", name, "MEMBER_OF_AWS_VPC", "AWSVpc", "vpc")
        self.edge("EC2NetworkAcl", acl, "PART_OF_SUBNET", "EC2Subnet", name)
        if routes:
            self.node("EC2RouteTableAssociation", f"assoc-{name}", subnet_id=name)
            self.edge("EC2RouteTable", routes, "ASSOCIATION", "EC2RouteTableAssociation", f"assoc-{name}")
            self.edge("EC2RouteTableAssociation", f"assoc-{name}", "ASSOCIATED_SUBNET", "EC2Subnet", name)

    def routes(self, name: str, *targets: tuple[str, str], main: bool = False) -> None:
        self.node("EC2RouteTable", name, vpc_id="vpc", main=main)
        self.edge("EC2RouteTable", name, "MEMBER_OF_AWS_VPC", "AWSVpc", "vpc")
        for destination, gateway in targets:
            block = "destination_ipv6_cidr_block" if ":" in destination else "destination_cidr_block"
            properties: dict[str, Any] = {"state": "active", "gateway_id": gateway, block: destination}
            route = self.node("EC2Route", f"{name}|{destination}", **properties)
            self.edge("EC2RouteTable", name, "ROUTE", "EC2Route", route)

    def acl(self, name: str, *entries: tuple[int, str, int | None, str]) -> None:
        self.node("EC2NetworkAcl", name, network_acl_id=name)
        everything = [(32767, "deny", None, "0.0.0.0/0"), (32768, "deny", None, "::/0")]
        for egress in (False, True):
            for number, action, port, cidr in [*entries, *everything]:
                properties: dict[str, Any] = {
                    "protocol": "-1" if port is None else "6",
                    "fromport": port,
                    "toport": port,
                    "egress": egress,
                    "rulenumber": number,
                    "ruleaction": action,
                    "ipv6cidrblock" if ":" in cidr else "cidrblock": cidr,
                }
                rule = self.node("EC2NetworkAclRule", f"{name}/{egress}/{number}", **properties)
                self.edge("EC2NetworkAclRule", rule, "MEMBER_OF_NACL", "EC2NetworkAcl", name)

    def group(self, name: str, *sources: str, port: int | None = 22) -> None:
        self.node("EC2SecurityGroup", name, name=name, groupid=name)
        rule = self.node(
            "AWSIpPermissionInbound",
            f"rule-{name}",
            protocol="-1" if port is None else "tcp",
            fromport=port,
            toport=port,
        )
        self.edge("AWSIpPermissionInbound", rule, "MEMBER_OF_EC2_SECURITY_GROUP", "EC2SecurityGroup", name)
        for source in sources:
            label = "EC2PrefixList" if source.startswith("pl-") else "AWSIpRange"
            if label == "AWSIpRange":
                self.node("AWSIpRange", source, owned=False, range=source)
            self.edge(label, source, "MEMBER_OF_IP_RULE", "AWSIpPermissionInbound", rule)

    # What is asked about.

    def instance(self, name: str, group: str, subnet: str, *, public: str | None = None, **properties: Any) -> None:
        state = properties.pop("state", "running")
        v6 = properties.get("ipv6address")
        self.node("EC2Instance", name, instanceid=name, state=state, publicipaddress=public, **properties)
        interface = self.node("AWSNetworkInterface", f"eni-{name}", public_ip=public, subnet_id=subnet)
        self.edge("EC2Instance", name, "NETWORK_INTERFACE", "AWSNetworkInterface", interface)
        self.edge("AWSNetworkInterface", interface, "PART_OF_SUBNET", "EC2Subnet", subnet)
        self.edge("AWSNetworkInterface", interface, "MEMBER_OF_EC2_SECURITY_GROUP", "EC2SecurityGroup", group)
        private = self.node("EC2PrivateIp", f"ip-{name}", public_ip=public)
        self.edge("AWSNetworkInterface", interface, "PRIVATE_IP_ADDRESS", "EC2PrivateIp", private)
        if v6:
            self.node("EC2Ipv6Address", v6)
            self.edge("AWSNetworkInterface", interface, "IPV6_ADDRESS", "EC2Ipv6Address", v6)

    def balancer(
        self, label: str, name: str, group: str | None, subnet: str, targets: dict[str, str], **props: Any
    ) -> None:
        self.node(label, name, dnsname=name, **{"scheme": "internet-facing", **props})
        edge, listener = (
            ("ELB_LISTENER", "ELBListener") if label == "AWSLoadBalancer" else ("ELBV2_LISTENER", "ELBV2Listener")
        )
        self.node(listener, f"{name}:443", owned=False, protocol="TCP", port=443)
        self.edge(label, name, edge, listener, f"{name}:443")
        self.edge(label, name, "SUBNET", "EC2Subnet", subnet)
        if group:
            self.edge(label, name, "MEMBER_OF_EC2_SECURITY_GROUP", "EC2SecurityGroup", group)
        for target, kind in targets.items():
            self.edge(label, name, "EXPOSE", kind, target)

    def scaling_group(self, name: str, *members: str) -> None:
        self.node("AutoScalingGroup", name, name=name)
        for member in members:
            self.edge("EC2Instance", member, "MEMBER_AUTO_SCALE_GROUP", "AutoScalingGroup", name)

    def bucket(self, name: str, *permissions: str, **properties: Any) -> None:
        self.node("S3Bucket", name, **{"name": name, **SEEN, **properties})
        for permission in ("owner", *permissions):
            uri = None if permission == "owner" else ALL_USERS
            # Equal grants of an account are one node, as in Cartography.
            acl = f"{self.account}-{permission}"
            self.node("S3Acl", acl, uri=uri, permission="FULL_CONTROL" if uri is None else permission)
            self.edge("S3Acl", acl, "APPLIES_TO", "S3Bucket", name)


EXPECTED: dict[str, tuple[bool | None, list[str] | None]] = {
    "i-web": (True, ["direct"]),
    "i-split": (True, ["direct"]),
    "i-list": (True, ["direct"]),
    "i-v6": (True, ["direct"]),
    "i-stopped": (True, ["direct"]),
    "i-terminated": (False, []),
    "i-private": (False, []),
    "i-no-route": (False, []),
    "i-walled": (False, []),
    "i-office": (False, []),
    "i-dark": (None, None),
    "i-elb": (True, ["elb"]),
    "i-both": (True, ["direct", "elb", "elbv2"]),
    "i-ip": (True, ["elbv2"]),
    "i-ipv6": (True, ["elbv2"]),
    "i-nested": (True, ["elbv2"]),
    "i-internal": (False, []),
    "elb": (True, ["direct"]),
    "elb-internal": (False, []),
    "alb": (True, ["direct"]),
    "alb-closed": (False, []),
    "alb-inner": (True, ["elbv2"]),
    "nlb": (True, ["direct"]),
    "asg": (True, ["direct", "elb"]),
    "asg-quiet": (False, []),
    "asg-empty": (False, []),
    "b-private": (False, []),
    "b-policy": (True, ["s3:GetObject"]),
    "b-acl": (True, ["s3:ListBucket", "s3:ListBucketMultipartUploads", "s3:ListBucketVersions"]),
    "b-saved": (False, []),
    "b-enforced": (False, []),
}


def surroundings(graph: Graph) -> None:
    graph.account_node(OURS)
    graph.node("AWSVpc", "vpc")
    graph.node("EC2PrefixList", "pl-half", cidrs=["0.0.0.0/1"])
    graph.routes("rtb-main", ("10.0.0.0/16", "local"), main=True)
    graph.routes("rtb-public", ("10.0.0.0/16", "local"), ("0.0.0.0/0", "igw-1"), ("::/0", "igw-1"))
    graph.acl("acl-default", (100, "allow", None, "0.0.0.0/0"), (101, "allow", None, "::/0"))
    graph.acl("acl-wall", (50, "deny", 22, "0.0.0.0/0"), (100, "allow", None, "0.0.0.0/0"))
    graph.subnet("subnet-public", "acl-default", "rtb-public")
    graph.subnet("subnet-walled", "acl-wall", "rtb-public")
    graph.subnet("subnet-private", "acl-default")
    graph.group("sg-open", "0.0.0.0/0")
    graph.group("sg-web", "0.0.0.0/0", port=443)
    graph.group("sg-split", "0.0.0.0/1", "128.0.0.0/1")
    graph.group("sg-list", "pl-half")
    graph.group("sg-v6", "::/0")
    graph.group("sg-office", "198.51.100.0/24")
    graph.node("EC2SecurityGroup", "sg-dark")


def estate() -> Graph:
    """One account with a bit of everything that `EXPECTED` knows, and another account that was not swept."""
    graph = Graph()
    surroundings(graph)
    graph.instance("i-web", "sg-open", "subnet-public", public="52.1.0.1")
    graph.instance("i-split", "sg-split", "subnet-public", public="52.1.0.2")
    graph.instance("i-list", "sg-list", "subnet-public", public="52.1.0.3")
    graph.instance("i-v6", "sg-v6", "subnet-public", ipv6address="2600:1f18::5")
    graph.instance("i-stopped", "sg-open", "subnet-public", public="52.1.0.4", state="stopped")
    graph.instance("i-terminated", "sg-open", "subnet-public", public="52.1.0.5", state="terminated")
    graph.instance("i-private", "sg-open", "subnet-private")
    graph.instance("i-no-route", "sg-open", "subnet-private", public="52.1.0.6")
    graph.instance("i-walled", "sg-open", "subnet-walled", public="52.1.0.7")
    graph.instance("i-office", "sg-office", "subnet-public", public="52.1.0.8")
    graph.instance("i-dark", "sg-dark", "subnet-public", public="52.1.0.9")
    for name in ("i-elb", "i-ip", "i-nested", "i-internal"):
        graph.instance(name, "sg-office", "subnet-private")
    graph.instance("i-ipv6", "sg-office", "subnet-private", ipv6address="2600:1f18::6")
    graph.instance("i-both", "sg-open", "subnet-public", public="52.1.0.10")
    instance, v2 = "EC2Instance", "LoadBalancerV2"
    targets = {"i-both": instance, "ip-i-ip": "EC2PrivateIp", "2600:1f18::6": "EC2Ipv6Address"}
    graph.balancer("AWSLoadBalancer", "elb", "sg-web", "subnet-public", {"i-elb": instance, "i-both": instance})
    graph.balancer(
        "AWSLoadBalancer", "elb-internal", "sg-web", "subnet-public", {"i-internal": instance}, scheme="internal"
    )
    alb = {"type": "application", "ip_address_type": "ipv4"}
    graph.balancer(v2, "alb", "sg-web", "subnet-public", targets, **alb)
    graph.balancer(v2, "alb-closed", "sg-open", "subnet-public", {"i-internal": instance}, **alb)
    graph.balancer(v2, "alb-inner", "sg-office", "subnet-private", {"i-nested": instance}, **alb, scheme="internal")
    graph.balancer(v2, "nlb", None, "subnet-public", {"alb-inner": v2}, type="network")
    graph.scaling_group("asg", "i-web", "i-elb")
    graph.scaling_group("asg-quiet", "i-private")
    graph.scaling_group("asg-empty")
    graph.bucket("b-private")
    graph.bucket("b-policy", policy=PUBLIC_POLICY)
    graph.bucket("b-acl", "READ")
    graph.bucket("b-saved", "READ", policy=PUBLIC_POLICY, ignore_public_acls=True, restrict_public_buckets=True)
    graph.bucket("b-enforced", "READ", object_ownership="BucketOwnerEnforced")
    graph.account_node(OTHER)
    graph.instance("i-other", "sg-open", "subnet-public", public="52.1.0.11")
    graph.bucket("b-other", anonymous_access=True, anonymous_actions=["s3:GetObject"])
    return graph
