from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from exposure_graph import EXPECTED, OTHER, OURS, PUBLIC_POLICY, SEEN, Graph, estate, surroundings
from skysweep.analysis import QUESTIONS, Counts, expose
from skysweep.analysis.reading import PAGE

if TYPE_CHECKING:
    from skysweep.analysis.reading import Unseen
    from skysweep.store import Store

FLAGGED = {
    "AWSLoadBalancer": ("exposed_internet", "exposed_internet_type"),
    "LoadBalancerV2": ("exposed_internet", "exposed_internet_type"),
    "EC2Instance": ("exposed_internet", "exposed_internet_type"),
    "AutoScalingGroup": ("exposed_internet", "exposed_internet_type"),
    "S3Bucket": ("anonymous_access", "anonymous_actions"),
}
CHANGED = "MATCH (n) WHERE n._analysed = $tag RETURN n.id AS id ORDER BY id"


async def flags(store: Store, account: str = OURS) -> dict[str, tuple[bool | None, list[str] | None]]:
    """What the graph holds, by node."""
    held: dict[str, tuple[bool | None, list[str] | None]] = {}
    for label, (flag, items) in FLAGGED.items():
        rows = await store.run(
            f"MATCH (:AWSAccount {{id: $account}})-[:RESOURCE]->(n:{label}) "
            f"RETURN n.id AS id, n.{flag} AS flag, n.{items} AS items",
            account=account,
        )
        held |= {row["id"]: (row["flag"], row["items"]) for row in rows}
    return held


async def changed(store: Store, tag: int) -> list[str]:
    return [row["id"] for row in await store.run(CHANGED, tag=tag)]


async def test_every_node_gets_the_answer_known_by_construction(store: Store) -> None:
    await estate().write(store)
    counts = await expose(store.run, 1, [OURS])
    assert await flags(store) == EXPECTED
    found = sum(bool(flag) for flag, _ in EXPECTED.values())
    assert counts == Counts(nodes=len(EXPECTED), found=found, changed=len(EXPECTED) - 1, unknown=1)


async def test_an_account_that_was_not_swept_keeps_its_flags(store: Store) -> None:
    await estate().write(store)
    await expose(store.run, 1, [OURS])
    assert await flags(store, OTHER) == {"i-other": (None, None), "b-other": (True, ["s3:GetObject"])}
    await expose(store.run, 2, [OTHER])
    assert await flags(store, OTHER) == {"i-other": (True, ["direct"]), "b-other": (False, [])}
    assert await flags(store) == EXPECTED


async def test_only_differences_are_written(store: Store) -> None:
    await estate().write(store)
    await expose(store.run, 1, [OURS, OTHER])
    assert (await expose(store.run, 2, [OURS, OTHER])).changed == 0
    await store.run("MATCH (:AWSIpRange {id: '128.0.0.0/1'})-[r:MEMBER_OF_IP_RULE]->() DELETE r")  # half is left
    assert (await expose(store.run, 3, [OURS])).changed == 0
    await store.run("MATCH (:AWSIpRange {id: '0.0.0.0/1'})-[r:MEMBER_OF_IP_RULE]->() DELETE r")
    await store.run("MATCH (b:S3Bucket {id: 'b-saved'}) SET b.ignore_public_acls = false, b.policy = null")
    assert (await expose(store.run, 4, [OURS])).changed == 2
    assert await changed(store, 4) == ["b-saved", "i-split"]
    held = await flags(store)
    assert held == EXPECTED | {"i-split": (False, []), "b-saved": EXPECTED["b-acl"]}


async def test_closing_a_balancer_closes_what_stands_behind(store: Store) -> None:
    await estate().write(store)
    await expose(store.run, 1, [OURS])
    await store.run("MATCH (b:AWSLoadBalancer {id: 'elb'}) SET b.scheme = 'internal'")
    await store.run("MATCH (b:LoadBalancerV2 {id: 'nlb'}) SET b.scheme = 'internal'")
    await expose(store.run, 2, [OURS])
    held = await flags(store)
    assert {name: held[name] for name in await changed(store, 2)} == {
        "elb": (False, []),
        "nlb": (False, []),
        "alb-inner": (False, []),
        "i-elb": (False, []),
        "i-both": (True, ["direct", "elbv2"]),
        "i-nested": (False, []),
        "asg": (True, ["direct"]),
    }


async def test_what_was_never_seen_leaves_the_last_known_answer(store: Store) -> None:
    await estate().write(store)
    await expose(store.run, 1, [OURS])
    # As in a new graph whose calls were denied: mentions are left of the groups, and nothing of routes and ACLs.
    await store.run("MATCH (g:EC2SecurityGroup) SET g.name = null")
    await store.run("MATCH (r:EC2RouteTable) DETACH DELETE r")
    await store.run("MATCH (a:EC2NetworkAcl) DETACH DELETE a")
    await store.run("MATCH (a:S3Acl) DETACH DELETE a")
    await store.run("MATCH (b:S3Bucket) SET b._seen_GetBucketAcl = null")
    counts = await expose(store.run, 2, [OURS])
    assert await flags(store) == EXPECTED
    assert counts.changed == 0
    assert counts.unknown == 1


async def test_nothing_known_means_no_flag(store: Store) -> None:
    graph = Graph()
    surroundings(graph)
    graph.node("EC2Instance", "i-mentioned")
    graph.instance("i-dark", "sg-dark", "subnet-public", public="52.1.0.9")
    graph.scaling_group("asg", "i-mentioned")
    graph.node("S3Bucket", "b-unread", name="b-unread")
    graph.bucket("b-broken", policy="{")
    await graph.write(store)
    assert await expose(store.run, 1, [OURS]) == Counts(nodes=5, found=0, changed=0, unknown=5)
    assert set((await flags(store)).values()) == {(None, None)}


async def test_the_accounts_block_saves_its_buckets(store: Store) -> None:
    graph = Graph()
    graph.account_node(OURS)
    graph.bucket("b-both", "READ", policy=PUBLIC_POLICY)
    graph.node("S3AccountPublicAccessBlock", f"{OURS}:global", ignore_public_acls=True, restrict_public_buckets=False)
    await graph.write(store)
    await expose(store.run, 1, [OURS])
    assert await flags(store) == {"b-both": (True, ["s3:GetObject"])}
    await store.run("MATCH (b:S3AccountPublicAccessBlock) SET b.restrict_public_buckets = true")
    await expose(store.run, 2, [OURS])
    assert await flags(store) == {"b-both": (False, [])}


async def test_an_acl_without_grants_is_known_to_let_nobody_in(store: Store) -> None:
    graph = Graph()
    graph.account_node(OURS)
    graph.node("S3Bucket", "b-granted-to-none", **SEEN)
    graph.node("S3Bucket", "b-unread")
    await graph.write(store)
    await expose(store.run, 1, [OURS])
    assert await flags(store) == {"b-granted-to-none": (False, []), "b-unread": (None, None)}


async def test_a_bucket_is_private_only_where_all_that_decides_it_was_seen(store: Store) -> None:
    graph = Graph()
    graph.account_node(OURS)
    for operation in SEEN:
        graph.bucket(f"b-without{operation}", **{operation: None})
        graph.bucket(f"b-public-without{operation}", "READ", policy=PUBLIC_POLICY, **{operation: None})
    await graph.write(store)
    await expose(store.run, 1, [OURS])
    unknown, by_acl, by_policy = (None, None), EXPECTED["b-acl"][1] or [], ["s3:GetObject"]
    assert await flags(store) == {
        "b-without_seen_GetBucketPolicy": unknown,
        "b-without_seen_GetBucketAcl": unknown,
        "b-without_seen_GetPublicAccessBlock": (False, []),  # there is nothing to block
        "b-without_seen_GetBucketOwnershipControls": (False, []),
        "b-public-without_seen_GetBucketPolicy": (True, by_acl),
        "b-public-without_seen_GetBucketAcl": (True, by_policy),
        "b-public-without_seen_GetPublicAccessBlock": unknown,
        "b-public-without_seen_GetBucketOwnershipControls": (True, by_policy),
    }


async def test_the_accounts_block_is_none_only_where_aws_said_so(store: Store) -> None:
    graph = Graph()
    graph.account_node(OURS)
    graph.bucket("b-private")
    graph.bucket("b-policy", policy=PUBLIC_POLICY)
    await graph.write(store)
    await expose(store.run, 1, [OURS], unseen("S3AccountPublicAccessBlock"))
    assert await flags(store) == {"b-private": (False, []), "b-policy": (None, None)}
    await expose(store.run, 2, [OURS])
    assert (await flags(store))["b-policy"] == (True, ["s3:GetObject"])
    await expose(store.run, 3, [OURS], unseen("S3AccountPublicAccessBlock"))
    assert (await flags(store))["b-policy"] == (True, ["s3:GetObject"]), "the last known answer"


def unseen(*labels: str) -> Unseen:
    return lambda label, account, region: label in labels and account == OURS and region in {None, "global"}


async def test_what_was_not_listed_is_not_absent(store: Store) -> None:
    await estate().write(store)
    labels = ("AWSLoadBalancer", "LoadBalancerV2", "ELBV2Listener", "EC2Instance")
    bare = Graph()
    surroundings(bare)
    bare.instance("i-alone", "sg-office", "subnet-public", public="52.1.0.30")
    bare.balancer("LoadBalancerV2", "alb-deaf", "sg-web", "subnet-public", {}, type="application")
    del bare.edges["LoadBalancerV2", "ELBV2_LISTENER", "ELBV2Listener"]
    bare.scaling_group("asg-alone")
    bare.node("EC2Instance", "i-bare", state="running")
    await bare.write(store)
    await expose(store.run, 1, [OURS], unseen(*labels))
    held = await flags(store)
    alone = ("i-alone", "alb-deaf", "asg-alone", "i-bare")
    assert {held[name] for name in alone} == {(None, None)}
    assert {name for name, (flag, _) in held.items() if flag} == {name for name, (flag, _) in EXPECTED.items() if flag}
    await expose(store.run, 2, [OURS])
    held = await flags(store)
    assert [held[name][0] for name in alone] == [False, False, False, None], "an instance without an interface"
    await expose(store.run, 3, [OURS], unseen(*labels))
    assert await flags(store) == held, "the last known answers"


async def test_a_group_or_list_that_is_named_and_not_there_was_never_seen(store: Store) -> None:
    graph = Graph()
    surroundings(graph)
    graph.instance("i-group", "sg-office", "subnet-public", public="52.1.0.31")
    graph.nodes["AWSNetworkInterface"]["eni-i-group"]["security_group_ids"] = ["sg-office", "sg-of-others"]
    graph.instance("i-list", "sg-listed", "subnet-public", public="52.1.0.32")
    graph.group("sg-listed", "198.51.100.0/24")
    graph.nodes["AWSIpPermissionInbound"]["rule-sg-listed"]["prefix_list_ids"] = ["pl-of-others"]
    await graph.write(store)
    await expose(store.run, 1, [OURS])
    assert await flags(store) == {"i-group": (None, None), "i-list": (None, None)}


async def test_prefix_lists(store: Store) -> None:
    graph = Graph()
    surroundings(graph)
    graph.node("EC2PrefixList", "pl-unread", owner_id=OTHER)
    graph.node("EC2PrefixList", "pl-aws", owner_id="AWS")
    for name in ("pl-unread", "pl-aws"):
        graph.group(f"sg-{name}", name)
        graph.instance(f"i-{name}", f"sg-{name}", "subnet-public", public="52.1.0.9")
    await graph.write(store)
    await expose(store.run, 1, [OURS])
    assert await flags(store) == {"i-pl-unread": (None, None), "i-pl-aws": (False, [])}


async def test_a_blackhole_leads_nowhere_and_a_listed_route_somewhere(store: Store) -> None:
    graph = Graph()
    surroundings(graph)
    graph.instance("i-web", "sg-open", "subnet-public", public="52.1.0.1")
    await graph.write(store)
    await store.run("MATCH (r:EC2Route {id: 'rtb-public|0.0.0.0/0'}) SET r.state = 'blackhole'")
    await expose(store.run, 1, [OURS])
    assert await flags(store) == {"i-web": (False, [])}
    await store.run(
        "MATCH (r:EC2Route {id: 'rtb-public|0.0.0.0/0'}) "
        "SET r.state = 'active', r.destination_cidr_block = null, r.destination_prefix_list_id = 'pl-half'"
    )
    await expose(store.run, 2, [OURS])
    assert await flags(store) == {"i-web": (True, ["direct"])}


async def test_pages_lose_nothing(store: Store) -> None:
    graph = Graph()
    graph.account_node(OURS)
    names = [f"b-{number:05}" for number in range(2 * PAGE)]
    for number, name in enumerate(names):
        graph.bucket(name, *(("READ",) if number % 2 else ()))
    await graph.write(store)
    counts = await expose(store.run, 1, [OURS])
    assert counts == Counts(nodes=2 * PAGE, found=PAGE, changed=2 * PAGE, unknown=0)
    assert [flag for _, (flag, _) in sorted((await flags(store)).items())] == [False, True] * PAGE


async def test_no_accounts_no_work(store: Store) -> None:
    assert await expose(store.run, 1, []) == Counts()
    assert await expose(store.run, 1, ["999999999999"]) == Counts()


# The questions of the README, as it writes them, em dashes and all.
SEED: tuple[tuple[str, list[dict[str, Any]]], ...] = (
    (
        """MATCH (instance:EC2Instance{exposed_internet: true})
RETURN instance.instanceid, instance.publicdnsname""",
        [
            {"instance.instanceid": name, "instance.publicdnsname": None}
            for name, (flag, _) in EXPECTED.items()
            if flag and name.startswith("i-")
        ],
    ),
    (
        """MATCH (elb:LoadBalancer{exposed_internet: true})—->(listener:ELBListener)
RETURN elb.dnsname, listener.port
ORDER by elb.dnsname, listener.port""",
        [{"elb.dnsname": "elb", "listener.port": 443}],
    ),
    (
        """MATCH (elbv2:LoadBalancerV2{exposed_internet: true})—->(listener:ELBV2Listener)
RETURN elbv2.dnsname, listener.port
ORDER by elbv2.dnsname, listener.port""",
        [{"elbv2.dnsname": name, "listener.port": 443} for name in ("alb", "alb-inner", "nlb")],
    ),
    (
        """MATCH (a:AWSAccount)-[:RESOURCE]->(rds:RDSInstance{storage_encrypted:false})
return a.name, rds.id""",
        [{"a.name": "111", "rds.id": "db-plain"}],
    ),
    (
        """MATCH (a:AWSAccount)-[:RESOURCE]->(rds:RDSInstance)
WHERE rds.storage_encrypted = false
return a.name as AWSAccount, count(rds) as UnencryptedInstances""",
        [{"AWSAccount": "111", "UnencryptedInstances": 1}],
    ),
)


async def test_the_readmes_own_queries(store: Store) -> None:
    graph = estate()
    graph.account = OURS
    graph.node("RDSInstance", "db-plain", storage_encrypted=False)
    graph.node("RDSInstance", "db-sealed", storage_encrypted=True)
    await graph.write(store)
    await expose(store.run, 1, [OURS])
    for query, expected in SEED:
        rows = await store.run(query)
        assert sorted(rows, key=str) == sorted(expected, key=str)
    buckets = await store.run("MATCH (s:S3Bucket)\nWHERE s.anonymous_access = true\nRETURN s")
    assert {row["s"]["name"] for row in buckets} == {"b-acl", "b-policy", "b-other"}
    everything = await store.run("MATCH (aws:AWSAccount)-[r:RESOURCE]->(rds:RDSInstance)\nreturn *")
    assert {row["rds"]["id"] for row in everything} == {"db-plain", "db-sealed"}


NOW = datetime.now(UTC).replace(microsecond=0)
TRUSTED = (
    *(
        ("AWSRootPrincipal", f"arn:aws:iam::{account}:root")
        for account in (OURS, OTHER, "333333333333", "444444444444", "555555555555")
    ),
    ("AWSUser", "arn:aws:iam::333333333333:user/ann"),
    ("AWSUser", "arn:aws:iam::555555555555:user/eve"),
    ("AWSRole", "arn:aws:iam::555555555555:role/path/eve"),
    ("AWSServicePrincipal", "ec2.amazonaws.com"),
    ("AWSFederatedPrincipal", f"arn:aws:iam::{OURS}:saml-provider/company"),
    ("AWSFederatedPrincipal", "accounts.google.com"),
)


def asked() -> Graph:
    """An estate with one thing to find for each question, and one thing beside it that is fine."""
    graph = estate()
    graph.account = OURS
    graph.node("RDSInstance", "db-plain", storage_encrypted=False, publicly_accessible=True, endpoint_port=5432)
    graph.node("RDSInstance", "db-sealed", storage_encrypted=True, publicly_accessible=False)
    graph.group("sg-rdp", "::/0", port=3389)
    graph.group("sg-all", "0.0.0.0/0", port=None)
    graph.node("AWSInstanceProfile", "profile")
    graph.node("AWSRole", "role", arn="role")
    graph.edge("EC2Instance", "i-web", "INSTANCE_PROFILE", "AWSInstanceProfile", "profile")
    graph.edge("AWSInstanceProfile", "profile", "ASSOCIATED_WITH", "AWSRole", "role")
    graph.nodes["AWSAccount"]["333333333333"] = {"org_id": "o-1"}
    graph.nodes["AWSAccount"]["444444444444"] = {}
    for label, arn in TRUSTED:
        graph.node(label, arn, owned=False, arn=arn)
        graph.edge("AWSRole", "role", "TRUSTS_AWS_PRINCIPAL", label, arn)
    graph.node("AWSRole", "role-of-all", arn="role-of-all")
    graph.node("Everyone", "*", owned=False)
    graph.edge("AWSRole", "role-of-all", "ALLOWS_ACCESS_FROM", "Everyone", "*", condition="[{}]")
    unseen = None  # who may not list a user's devices does not know of none
    for user, status, devices in (
        ("eve", "Active", 0),
        ("ann", "Active", 1),
        ("bob", "Inactive", 0),
        ("zoe", "Active", unseen),
    ):
        graph.node("AWSUser", user, name=user, mfa_devices=devices)
        graph.node("AccountAccessKey", f"key-{user}", status=status)
        graph.edge("AWSUser", user, "AWS_ACCESS_KEY", "AccountAccessKey", f"key-{user}")
    for encrypted in (True, False):
        graph.node("EBSVolume", f"vol-{encrypted}", encrypted=encrypted, state="in-use")
        graph.node("EBSSnapshot", f"snap-{encrypted}", ispublic=encrypted)
        graph.node("RDSSnapshot", f"rds-snap-{encrypted}", ispublic=encrypted)
    found(graph)
    apis(graph)
    people(graph)
    return graph


def found(graph: Graph) -> None:
    """Findings, about what is exposed and what is not, and images that run."""
    graph.node("GuardDutyFinding", "attack", severity=9.1, severity_label="critical", title="Mining")
    graph.node("GuardDutyFinding", "probe", severity=2.0, severity_label="low", title="Probe")
    for name, instance in (("attack", "i-web"), ("probe", "i-web"), ("attack", "i-private")):
        graph.edge("GuardDutyFinding", name, "AFFECTS", "EC2Instance", instance)
    graph.node("ECSService", "service", name="shop")
    graph.node("ECRImage", "sha256:old", owned=False)
    for task in ("task-1", "task-2"):
        graph.edge("ECSService", "service", "HAS_TASK", "ECSTask", graph.node("ECSTask", task))
        graph.node("ECSContainer", f"{task}/web", image="shop:1")
        graph.edge("ECSTask", task, "HAS_CONTAINER", "ECSContainer", f"{task}/web")
        graph.edge("ECSContainer", f"{task}/web", "HAS_IMAGE", "ECRImage", "sha256:old")
    for name, severity, status, (label, about) in (
        ("cve-1", "CRITICAL", "ACTIVE", ("EC2Instance", "i-web")),
        ("cve-2", "CRITICAL", "SUPPRESSED", ("EC2Instance", "i-web")),
        ("cve-3", "HIGH", "ACTIVE", ("ECRImage", "sha256:old")),
        ("cve-4", "CRITICAL", "ACTIVE", ("ECRImage", "sha256:old")),
    ):
        graph.node("AWSInspectorFinding", name, severity=severity, status=status, name=name)
        graph.edge("AWSInspectorFinding", name, "AFFECTS", label, about)
    graph.node("AWSECRImageScanFinding", "sha256:old/cve-5", owned=False, severity="CRITICAL")
    graph.edge("AWSECRImageScanFinding", "sha256:old/cve-5", "AFFECTS", "ECRImage", "sha256:old")
    for name, policy in (("open", PUBLIC_POLICY), ("own", None)):
        graph.node("ECRRepository", name, arn=f"arn:{name}", policy=policy, _seen_GetRepositoryPolicy=1)
    for days, in_use in ((10, True), (-1, True), (40, True), (10, False)):
        name = f"{days}-{in_use}"
        graph.node("ACMCertificate", name, domainname=name, in_use=in_use, not_after=NOW + timedelta(days=days))


def apis(graph: Graph) -> None:
    """APIs of whose methods one asks nobody: by a policy too, one that a policy guards, one that only VPCs reach."""
    for api, exposed, policy in (
        *(("open", True, None), ("opened", True, PUBLIC_POLICY)),
        *(("guarded", True, '{"Statement": []}'), ("inner", False, None)),
    ):
        graph.node("APIGatewayRestAPI", api, name=api, exposed_internet=exposed, policy=policy)
        graph.node("APIGatewayResource", f"{api}/", path="/")
        graph.edge("APIGatewayRestAPI", api, "RESOURCE", "APIGatewayResource", f"{api}/")
        for verb, asks, key in (("GET", "NONE", False), ("PUT", "NONE", True), ("POST", "AWS_IAM", None)):
            graph.node(
                "APIGatewayMethod", f"{api}/{verb}", httpmethod=verb, authorization_type=asks, api_key_required=key
            )
            graph.edge("APIGatewayResource", f"{api}/", "HAS_METHOD", "APIGatewayMethod", f"{api}/{verb}")


def people(graph: Graph) -> None:
    """A person with users in two accounts, and one with two users in one."""
    for person, account, user in (
        ("ann@x.org", OURS, "arn:ann"),
        ("ann@x.org", OTHER, "arn:ann-too"),
        ("bob@x.org", OURS, "arn:bob"),
        ("bob@x.org", OURS, "arn:bob-too"),
    ):
        graph.account = account
        graph.node("AWSUser", user, arn=user)
        graph.node("User", person, owned=False, email=person)
        graph.edge("User", person, "HAS_ACCOUNT", "AWSUser", user)
    graph.account = OURS


ANSWERS: dict[str, list[tuple[Any, ...]]] = {
    "rds_instances": [("111", "db-plain"), ("111", "db-sealed")],
    "unencrypted_rds_instances": [("111", "db-plain")],
    "exposed_instances": sorted(
        (name, None, kinds) for name, (flag, kinds) in EXPECTED.items() if flag and name.startswith("i-")
    ),
    "internet_facing_elbs": [("elb", 443)],
    "internet_facing_elbv2s": [("alb", 443), ("alb-inner", 443), ("nlb", 443)],
    "anonymous_buckets": [
        ("b-acl", EXPECTED["b-acl"][1]),
        ("b-other", ["s3:GetObject"]),
        ("b-policy", ["s3:GetObject"]),
    ],
    "unencrypted_rds_per_account": [("111", 1)],
    "public_rds_instances": [("111", "db-plain", 5432)],
    "open_admin_ports": [
        ("111", "sg-all", "sg-all", "0.0.0.0/0"),
        ("111", "sg-list", "sg-list", "0.0.0.0/1"),
        ("111", "sg-open", "sg-open", "0.0.0.0/0"),
        ("111", "sg-rdp", "sg-rdp", "::/0"),
        ("111", "sg-split", "sg-split", "0.0.0.0/1"),
        ("111", "sg-split", "sg-split", "128.0.0.0/1"),
        ("111", "sg-v6", "sg-v6", "::/0"),
    ],
    "roles_trusting_outsiders": [
        ("111", "role", "accounts.google.com", None),
        ("111", "role", "arn:aws:iam::444444444444:root", None),
        ("111", "role", "arn:aws:iam::555555555555:role/path/eve", None),
        ("111", "role", "arn:aws:iam::555555555555:root", None),
        ("111", "role", "arn:aws:iam::555555555555:user/eve", None),
        ("111", "role-of-all", "*", "[{}]"),
    ],
    "keys_without_mfa": [("111", "eve", 1)],
    "unencrypted_volumes": [("111", "vol-False", "in-use")],
    "public_snapshots": [("111", "rds-snap-True"), ("111", "snap-True")],
    "exposed_roles": [("i-web", ["direct"], "role")],
    "critical_findings_exposed": [("111", "i-web", "Mining"), ("111", "i-web", "cve-1")],
    "vulnerable_images_running": [("111", "shop", "shop:1", 2)],
    "open_policies": [("111", "arn:open", ["s3:GetObject"]), ("111", "opened", ["s3:GetObject"])],
    "expiring_certificates": [
        ("111", "-1-True", NOW - timedelta(days=1), None),
        ("111", "10-True", NOW + timedelta(days=10), None),
    ],
    "open_api_methods": [("111", "open", "/", "GET"), ("111", "opened", "/", "GET")],
    "people_in_several_accounts": [("ann@x.org", "111", "arn:ann"), ("ann@x.org", "222", "arn:ann-too")],
}


async def test_every_saved_question_is_answered(store: Store) -> None:
    await asked().write(store)
    await expose(store.run, 1, [OURS])
    assert ANSWERS.keys() == QUESTIONS.keys()
    for name, question in QUESTIONS.items():
        rows = await store.run(question.cypher)
        assert all(tuple(row) == question.columns for row in rows), name
        assert [tuple(row.values()) for row in rows] == ANSWERS[name], name


def test_questions_are_worded_for_people() -> None:
    assert all(name == question.name and question.sentence.endswith("?") for name, question in QUESTIONS.items())
