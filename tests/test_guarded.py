"""What policies open to everyone, service by service, and which managed endpoints the internet reaches."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from exposure_graph import OURS, Graph
from skysweep import catalogue
from skysweep.analysis import expose
from skysweep.analysis.guarded import GUARDED, cluster_is_exposed, domain_is_exposed, open_actions
from skysweep.catalogue import mark

if TYPE_CHECKING:
    from skysweep.store import Store


def policy(action: str | None, principal: Any = "*", condition: Any = None, **more: Any) -> str:
    told = {"Effect": "Allow", "Principal": principal, "Resource": "*", **more}
    told |= {"Action": action} if action else {"NotAction": "kms:Decrypt"}
    return json.dumps({"Statement": [told | ({"Condition": condition} if condition else {})]})


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (None, ()),
        (policy("ecr:BatchGetImage"), ("ecr:BatchGetImage",)),
        (policy("ecr:BatchGetImage", {"AWS": "210987654321"}), ()),
        (policy(None), ("kms:*",)),
        (policy("kms:Decrypt", condition={"StringEquals": {"kms:CallerAccount": OURS}}), ()),
        (policy("kms:Decrypt", condition={"StringEquals": {"kms:ViaService": "s3.amazonaws.com"}}), ("kms:Decrypt",)),
        (policy("sns:Publish", {"AWS": "*"}, {"StringEquals": {"AWS:SourceOwner": OURS}}), ()),
        (policy("f:Invoke", condition={"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}}), ("f:Invoke",)),
        (policy("a:M", condition={"Bool": {"elasticfilesystem:AccessedViaMountTarget": "true"}}), ()),
        (policy("a:M", condition={"Bool": {"elasticfilesystem:AccessedViaMountTarget": "false"}}), ("a:M",)),
        (policy("a:M", condition={"BoolIfExists": {"elasticfilesystem:AccessedViaMountTarget": True}}), ("a:M",)),
        ("no JSON", None),
    ],
)
def test_a_policy_opens_what_strangers_may_do(text: str | None, found: tuple[str, ...] | None) -> None:
    assert open_actions(text, "kms:*") == found


@pytest.mark.parametrize(
    ("endpoint", "text", "found"),
    [
        ("search-logs.es.amazonaws.com", policy("es:*"), True),
        ("search-logs.es.amazonaws.com", None, False),
        ("search-logs.es.amazonaws.com", "no JSON", None),
        (None, policy("es:*"), False),
    ],
)
def test_a_search_domain_is_exposed_where_its_endpoint_and_its_policy_are_open(
    endpoint: str | None, text: str | None, *, found: bool | None
) -> None:
    assert domain_is_exposed(endpoint, text) is found


@pytest.mark.parametrize(
    ("public", "cidrs", "found"),
    [
        (True, ["0.0.0.0/0"], True),
        (True, None, True),
        (True, ["0.0.0.0/1", "128.0.0.0/1"], True),
        (True, ["198.51.100.0/24"], False),
        (False, ["0.0.0.0/0"], False),
        (None, None, None),
    ],
)
def test_a_cluster_is_exposed_where_its_endpoint_admits_the_internet(
    cidrs: list[str] | None, *, public: bool | None, found: bool | None
) -> None:
    assert cluster_is_exposed(public, cidrs) is found


def test_the_properties_that_decide_are_declared() -> None:
    types = catalogue.load().by_label
    for kind in GUARDED:
        declared = types[kind.label]
        assert kind.policy in {each.name for each in declared.properties}, kind
        if kind.operation:
            assert f"_seen_{kind.operation}" in {mark(source) for source in declared.reads}, kind


async def test_each_gets_its_answer_and_what_was_never_told_gets_none(store: Store) -> None:
    graph = Graph()
    graph.account_node(OURS)
    graph.node("SQSQueue", "open", policy=policy("sqs:SendMessage"))
    graph.node("SQSQueue", "own")
    graph.node("ECRRepository", "open", policy=policy("ecr:*"), _seen_GetRepositoryPolicy=1)
    graph.node("ECRRepository", "denied")
    graph.node("ESDomain", "open", access_policies=policy("es:*"), endpoint="search.es.amazonaws.com")
    graph.node("EKSCluster", "open", endpoint_public_access=True, public_access_cidrs=["0.0.0.0/0"])
    for label in ("APIGatewayRestAPI", "AWSEventBridgeEventBus", "AWSLambda", "EfsFileSystem", "KMSKey", "SNSTopic"):
        seen: dict[str, Any] = {f"_seen_{kind.operation}": 1 for kind in GUARDED if kind.label == label}
        graph.node(label, "none", **seen)
    await graph.write(store)

    counts = await expose(store.run, 7, [OURS])

    rows = await store.run(
        "MATCH (n) WHERE n._analysed = 7 RETURN labels(n) AS labels, n.id AS id, n.anonymous_access AS anonymous, "
        "n.anonymous_actions AS actions, n.exposed_internet AS exposed"
    )
    names = {
        "EKSCluster",
        *(kind.label for kind in GUARDED),
    }  # nodes have other labels too, in any order
    found = {
        (label, row["id"]): (row["anonymous"], row["actions"], row["exposed"])
        for row in rows
        for label in names.intersection(row["labels"])
    }
    assert found == {
        **{(label, "none"): (False, [], None) for label in ("APIGatewayRestAPI", "AWSLambda", "EfsFileSystem")},
        **{(label, "none"): (False, [], None) for label in ("AWSEventBridgeEventBus", "KMSKey", "SNSTopic")},
        ("ECRRepository", "open"): (True, ["ecr:*"], None),
        ("EKSCluster", "open"): (None, None, True),
        ("ESDomain", "open"): (True, ["es:*"], True),
        ("SQSQueue", "open"): (True, ["sqs:SendMessage"], None),
        ("SQSQueue", "own"): (False, [], None),
    }
    assert counts.unknown == 1
    assert (await expose(store.run, 8, [OURS])).changed == 0
