"""ARNs of all kinds lead to the nodes that they are about."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skysweep import arns, catalogue
from skysweep.arns import Arn, Named, Row
from skysweep.model import Property
from test_catalogue import swept

TYPES = catalogue.load().by_label
HERE = "us-east-1:123456789012"
FUNCTION = f"arn:aws:lambda:{HERE}:function:f"
NAMES = st.text("abcXYZ019-_.", min_size=1, max_size=12)
ROWS = [(service, row) for service, rows in arns.TABLE.items() for row in rows]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (f"arn:aws:ec2:{HERE}:instance/i-1", Named("EC2Instance", "i-1")),
        ("arn:aws:ec2:eu-west-1::image/ami-1", Named("EC2Image", "ami-1|eu-west-1")),
        ("arn:aws-cn:s3:::pictures", Named("S3Bucket", "pictures")),
        ("arn:aws:s3:::pictures/2026/cat.png", Named("S3Bucket", "pictures")),
        (FUNCTION, Named("AWSLambda", FUNCTION)),
        (f"{FUNCTION}:$LATEST", Named("AWSLambda", FUNCTION)),
        (f"{FUNCTION}:7", Named("AWSLambdaFunctionVersion", f"{FUNCTION}:7")),
        (f"{FUNCTION}:live", Named("AWSLambdaFunctionAlias", f"{FUNCTION}:live")),
        (f"arn:aws:logs:{HERE}:log-group:/a/b:*", Named("CloudWatchLogGroup", f"arn:aws:logs:{HERE}:log-group:/a/b")),
        (
            f"arn:aws:logs:{HERE}:log-group:/a/b:log-stream:c/d",
            Named("CloudWatchLogGroup", f"arn:aws:logs:{HERE}:log-group:/a/b"),
        ),
        (
            f"arn:aws:elasticloadbalancing:{HERE}:loadbalancer/app/web/1",
            Named("LoadBalancerV2", f"arn:aws:elasticloadbalancing:{HERE}:loadbalancer/app/web/1", "arn"),
        ),
        (
            f"arn:aws:elasticloadbalancing:{HERE}:loadbalancer/old",
            Named("AWSLoadBalancer", f"arn:aws:elasticloadbalancing:{HERE}:loadbalancer/old", "arn"),
        ),
        (f"arn:aws:es:{HERE}:domain/logs", Named("ESDomain", "123456789012/logs")),
        (f"arn:aws:guardduty:{HERE}:detector/d/finding/f", Named("GuardDutyFinding", "f")),
        (f"arn:aws:rds:{HERE}:snapshot:rds:db-2026", Named("RDSSnapshot", f"arn:aws:rds:{HERE}:snapshot:rds:db-2026")),
        ("arn:aws:iam::123456789012:role/a/b", Named("AWSRole", "arn:aws:iam::123456789012:role/a/b")),
        ("arn:aws:organizations::111111111111:account/o-1/222222222222", Named("AWSAccount", "222222222222")),
    ],
)  # fmt: skip
def test_an_arn_leads_to_its_node(text: str, named: Named) -> None:
    assert arns.node(text) == named


@pytest.mark.parametrize(
    "text",
    ["", "i-1", "arn:aws:s3", "arn:aws:s3:::", "arn::s3:::b", "arn:aws:nothing:::x", f"arn:aws:ec2:{HERE}:host/h"],
)
def test_what_the_graph_does_not_know_leads_nowhere(text: str) -> None:
    assert arns.node(text) is None


@given(st.text())
def test_no_text_makes_it_fail(text: str) -> None:
    arns.node(text)
    arns.node(f"arn:aws:ec2:{text}")


@given(st.sampled_from(ROWS), st.data())
def test_every_form_leads_to_its_label_or_to_a_row_above(each: tuple[str, Row], data: st.DataObject) -> None:
    service, row = each
    resource = row.form.replace("**", "*").replace("#", "7")
    while "*" in resource:
        resource = resource.replace("*", data.draw(NAMES), 1)
    found = arns.node(f"arn:aws:{service}:{HERE}:{resource}")

    assert found is not None
    above = {other.label for other in arns.TABLE[service][: arns.TABLE[service].index(row) + 1]}
    assert found.label in above
    assert "{" not in found.key


@given(st.builds(Arn, NAMES, NAMES, NAMES, NAMES, NAMES))
def test_parts_are_read_as_written(arn: Arn) -> None:
    assert arns.parse(":".join(("arn", *arn))) == arn


def test_a_label_is_found_by_one_property() -> None:
    assert all(arns.ON[row.label] == row.on for _, row in ROWS)


@pytest.mark.parametrize("label", sorted({row.label for _, row in ROWS}))
def test_every_label_is_a_type_and_is_found_by_an_indexed_property(label: str) -> None:
    [found] = [each for each in TYPES[label].properties if each.name == arns.ON[label]]

    assert isinstance(found, Property)
    assert found.name == "id" or found.index


def test_the_arn_of_every_swept_node_leads_to_it() -> None:
    wrong: list[tuple[str, str, Named | None]] = []
    for type_ in TYPES.values():
        for row in swept()[type_.name][0]:
            arn = row["props"].get("arn")
            found = arns.node(arn) if type_.label in arns.ON and arn else None
            if type_.label in arns.ON and arn and not found:
                wrong.append((type_.name, arn, None))
            elif found and (found.label, found.key) != (type_.label, row["props"][found.on]):
                wrong.append((type_.name, arn, found))

    assert wrong == []
