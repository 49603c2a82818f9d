"""The comparison with Cartography: its parts, and Cartography's kept dump against a sweep of ours."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from oracle import dump, report
from oracle.compare import Difference, compare
from oracle.dump import Graph, Key, Link, Node
from oracle.explain import Row, explain, read_table
from oracle.session import KEPT, PAGE, swept

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

VPC, SUBNET = Key("AWSVpc", "vpc-1"), Key("AWSEC2Subnet", "subnet-1")
IN_VPC = Link(SUBNET, "MEMBER_OF_AWS_VPC", VPC)
EVERYTHING = Row("*", "*", "*", "*", "*", "*", "later issue", "because")


def graph(nodes: Mapping[Key, Mapping[str, Any]], *edges: Link, also: Mapping[Key, str] | None = None) -> Graph:
    labels = also or {}
    made = {
        key: Node(frozenset({key.type, labels.get(key, key.type)}), {"id": key.id, **properties})
        for key, properties in nodes.items()
    }
    return Graph({"cartography": "0.143.0", "moto": "5.2.5"}, made, {link: {} for link in edges})


THEIRS = graph({VPC: {"region": "eu-west-1"}, SUBNET: {}}, IN_VPC)


def test_equal_graphs_do_not_differ() -> None:
    assert compare(THEIRS, THEIRS) == []


def test_what_only_we_have_is_no_difference() -> None:
    ours = graph({VPC: {"region": "eu-west-1", "more": 1}, SUBNET: {}, Key("Everyone", "x"): {}}, IN_VPC, IN_VPC)

    assert compare(THEIRS, ours) == []


def test_a_missing_node_is_told_once_and_not_again_by_its_edges() -> None:
    ours = graph({VPC: {"region": "eu-west-1"}})

    assert compare(THEIRS, ours) == [Difference("node", "lacks", "AWSEC2Subnet", "", "", "subnet-1")]


def test_a_missing_edge() -> None:
    ours = graph({VPC: {"region": "eu-west-1"}, SUBNET: {}})

    [difference] = compare(THEIRS, ours)

    assert difference == Difference(
        "edge", "lacks", "AWSEC2Subnet", "MEMBER_OF_AWS_VPC", "AWSVpc", "subnet-1", theirs="vpc-1"
    )


def test_an_edge_the_other_way_round_is_missing() -> None:
    ours = graph({VPC: {"region": "eu-west-1"}, SUBNET: {}}, Link(VPC, "MEMBER_OF_AWS_VPC", SUBNET))

    assert [difference.kind for difference in compare(THEIRS, ours)] == ["edge"]


def test_properties_that_are_missing_or_other() -> None:
    theirs = graph({VPC: {"a": 1, "b": 2, "c": 3}})
    ours = graph({VPC: {"a": 1, "b": 3}})

    assert [(found.how, found.name, found.theirs, found.ours) for found in compare(theirs, ours)] == [
        ("differs", "b", 2, 3),
        ("lacks", "c", 3, None),
    ]


@pytest.mark.parametrize(
    ("theirs", "ours", "same"),
    [
        (1, 1, True),
        (1, True, False),
        (1, 1.0, False),
        (1, "1", False),
        (["a", "b"], ["b", "a"], True),
        (["a"], ["a", "a"], False),
        ({"datetime": "2026-01-01T00:00:00.000000+00:00"}, "2026-01-01T00:00:00.000000+00:00", False),
    ],
)
def test_values_are_equal_when_no_query_can_tell_them_apart(theirs: object, ours: object, same: bool) -> None:
    assert (compare(graph({VPC: {"a": theirs}}), graph({VPC: {"a": ours}})) == []) is same


def test_our_node_is_found_by_any_label_of_theirs_and_must_have_them_all() -> None:
    theirs = graph({VPC: {}}, also={VPC: "VirtualNetwork"})
    ours = graph({Key("VirtualNetwork", "vpc-1"): {}})

    assert compare(theirs, ours) == [Difference("label", "lacks", "AWSVpc", "AWSVpc", "", "vpc-1")]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["EC2Instance", "ComputeInstance", "AWSEC2Instance"], "AWSEC2Instance"),
        (["AWSPrincipal", "PermissionRole", "AWSRole"], "AWSRole"),
        (["AWSPrincipal"], "AWSPrincipal"),
        (["IpRule", "AWSIpRule", "AWSIpPermissionInbound", "IpPermissionInbound"], "AWSIpPermissionInbound"),
        (["SyncMetadata", "ModuleSyncMetadata"], "ModuleSyncMetadata"),
    ],
)
def test_the_type_of_a_node_is_its_narrowest_label_of_aws(labels: list[str], expected: str) -> None:
    assert dump.type_of(labels) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-11-21 11:51:16.371555+00:00", "0000-00-00 00:00:00.000000+00:00"),
        ("2026-11-21T11:51:18.000Z", "0000-00-00T00:00:00.000Z"),
        ("rds:pg-2026-11-21-11-51", "rds:pg-0000-00-00-00-00"),
        ({"datetime": "2026-11-21T11:51:16+00:00"}, {"datetime": "0000-00-00T00:00:00+00:00"}),
        (1795261879, 0),
        (1795261879123, 0),
        ("table/changes/backup/01795313122365-95709df6", "table/changes/backup/00000000000000-95709df6"),
        ("1795261879.0", "0000000000.0"),
        ("arn:aws:iam::111111111111:root", "arn:aws:iam::111111111111:root"),
        (443, 443),
        (True, True),
        ("2012-10-17", "2012-10-17"),
    ],
)
def test_times_are_masked_and_their_format_is_not(value: object, expected: object) -> None:
    assert dump.masked(value) == expected


def test_a_saved_graph_comes_back(tmp_path: Path) -> None:
    dump.save(THEIRS, tmp_path / "graph.gz")
    first = (tmp_path / "graph.gz").read_bytes()
    dump.save(dump.load(tmp_path / "graph.gz"), tmp_path / "graph.gz")

    assert dump.load(tmp_path / "graph.gz") == THEIRS
    assert (tmp_path / "graph.gz").read_bytes() == first


def test_a_row_explains_what_it_matches_and_is_stale_otherwise() -> None:
    lacking = [
        Difference("property", "lacks", "AWSVpc", "a", "", "vpc-1"),
        Difference("node", "lacks", "X", "", "", "x"),
    ]
    fits, stale = replace(EVERYTHING, kind="property", type="AWS*"), replace(EVERYTHING, kind="edge")

    verdict = explain(lacking, [fits, stale])

    assert verdict.explained == {fits: [lacking[0]]}
    assert verdict.unlisted == [lacking[1]]
    assert verdict.stale == [stale]
    assert not verdict.good
    assert explain(lacking, [EVERYTHING]).good


def test_a_row_without_a_known_reason_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "explained.csv"
    table.write_text("kind,how,type,name,target,id,reason,why\nnode,lacks,X,*,*,*,no time,because\n")

    with pytest.raises(ValueError, match="one of these reasons"):
        read_table(table)


def test_the_report_counts_what_is_the_same() -> None:
    ours = graph({VPC: {"region": "us-east-1"}})
    differences = compare(THEIRS, ours)
    verdict = explain(differences, [replace(EVERYTHING, kind="node")])

    types = report.tally(THEIRS, differences, verdict)

    assert types["AWSVpc"] == report.Tally(nodes=1, nodes_same=1, values=2, values_same=1, unlisted=1)
    assert types["AWSEC2Subnet"] == report.Tally(nodes=1, values=1, edges=1, explained=1)
    assert report.complaints(verdict) == [
        "unlisted: differs property AWSVpc.region x1: vpc-1: theirs 'eu-west-1', ours 'us-east-1'"
    ]
    assert "| `AWSVpc` | all 1 | 1 of 2 |  |" in report.page(THEIRS, types, verdict)


@pytest.mark.neo4j
@pytest.mark.timeout(300)
def test_our_sweep_has_what_cartography_has(tmp_path: Path) -> None:
    # Mend the table or the catalogue, then `nox -s oracle -- --kept --write`; without --kept where the estate changed.
    theirs, ours = swept(tmp_path)

    types, verdict = report.judge(theirs, ours)

    assert report.complaints(verdict) == []
    assert PAGE.read_text(encoding="utf-8") == report.page(theirs, types, verdict)


def test_the_kept_dump_is_whole() -> None:
    kept = dump.load(KEPT)

    assert compare(kept, kept) == []
    assert {"AWSEC2Instance", "AWSS3Bucket", "AWSRDSInstance", "AWSLoadBalancerV2"} <= {key.type for key in kept.nodes}
