"""Each schema page's diagram shows the page's types and every edge of theirs, but for those it says it leaves out."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import pytest

import diagrams
import generated
from skysweep import catalogue

TYPES = catalogue.load().types
SERVICES, HOMES = generated.placed(TYPES)
BOX = re.compile(r'(\w+)(?:\["([^"]+)"\])?\Z')
ARROW = re.compile(r'(\w+) -->\|"([^"]+)"\| (\w+)\Z')
SUBGRAPH = re.compile(r'subgraph (\w+)\["([^"]+)"\]\Z')
OWN_WORDS = {"end", "graph", "flowchart", "subgraph", "class", "classDef", "click", "default", "direction", "style"}
MERMAID_BYTES, MERMAID_ARROWS = 50_000, 500  # what Mermaid draws at most, unless it is told otherwise


@dataclass
class Drawing:
    """A flowchart, read line by line: what is in no form of ours fails."""

    boxes: dict[str, str] = field(default_factory=dict)  # by label: the identifier of what it is drawn in
    groups: dict[str, str] = field(default_factory=dict)
    arrows: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    dashed: list[str] = field(default_factory=list)

    def read(self, text: str) -> None:
        first, *lines = map(str.strip, text.splitlines())
        assert first == "flowchart LR"
        for line in lines:
            if arrow := ARROW.match(line):
                assert (arrow[1], arrow[3]) not in self.arrows, "one line for two boxes"
                self.arrows[arrow[1], arrow[3]] = arrow[2].split(", ")
            elif subgraph := SUBGRAPH.match(line):
                self.groups[subgraph[1]] = subgraph[2]
            elif line.startswith("class "):
                self.dashed += line.split()[1].split(",")
            elif line != "end" and not line.startswith("classDef other "):
                box = BOX.match(line)
                assert box, line
                title, *rows = box[2].split("<br/>") if box[2] else ("", box[1])
                self.boxes |= {label: box[1] for row in rows for label in row.split(", ")}
                if title:
                    self.groups[box[1]] = title


def drawing(service: str) -> tuple[Drawing, str]:
    text = "\n".join(diagrams.diagram(service, SERVICES[service], TYPES, HOMES))
    charts = re.findall(r"^```mermaid\n(.*?)\n```$", text, re.MULTILINE | re.DOTALL)
    assert len(charts) == text.count("```mermaid") > 0
    assert all(len(chart.encode()) < MERMAID_BYTES for chart in charts)
    made = Drawing()
    for chart in charts:
        made.read(chart)
    return made, text.partition("```")[0]


@pytest.mark.parametrize("service", SERVICES)
def test_every_type_and_edge_of_a_page_is_in_its_diagram(service: str) -> None:
    made, told = drawing(service)
    assert {type_.label for type_ in SERVICES[service]} <= made.boxes.keys()
    for type_ in TYPES:
        for edge in type_.edges:
            start, kind, end = diagrams.arrow(type_, edge)
            if type_ not in SERVICES[service] and service not in (HOMES[start], HOMES[end]):
                continue
            if kind == diagrams.TAGGED and HOMES[end] != service:
                assert "`TAGGED`" in told
                continue
            assert kind in made.arrows[made.boxes[start], made.boxes[end]], (start, kind, end)


@pytest.mark.parametrize("service", SERVICES)
def test_a_diagram_is_legal_and_sets_others_apart(service: str) -> None:
    made, _ = drawing(service)
    names = {*made.boxes.values(), *made.groups}
    assert all(re.fullmatch(r"[A-Z][A-Za-z0-9]*|service_\w+|here", name) for name in names)
    assert not names & OWN_WORDS
    assert {name for ends in made.arrows for name in ends} <= set(made.boxes.values())
    assert all(re.fullmatch(r"[A-Z][A-Z0-9_]*", kind) for kinds in made.arrows.values() for kind in kinds)
    others = {box for label, box in made.boxes.items() if HOMES[label] != service}
    assert set(made.dashed) == others
    assert not others & {box for label, box in made.boxes.items() if HOMES[label] == service}
    assert len(made.arrows) < MERMAID_ARROWS


def test_many_neighbours_stand_in_one_box_a_service_and_few_each_for_itself() -> None:
    many, told = drawing("kms")
    assert many.boxes["S3Bucket"] == "service_s3"
    assert many.groups["service_s3"] == "s3"
    assert "one box a service" in told
    few, told = drawing("acm")
    assert few.boxes["LoadBalancerV2"] == "LoadBalancerV2"
    assert few.groups["service_elbv2"] == "elbv2"
    assert "one box a service" not in told


def test_a_crowded_page_has_two_diagrams() -> None:
    assert "Two diagrams" in drawing("ec2")[1]
    assert "Two diagrams" not in drawing("ecs")[1]


def test_tags_are_drawn_where_they_are_at_home() -> None:
    made, told = drawing(generated.TOLD)
    assert {end for _, end in made.arrows} == {"AWSTag"}
    assert "`TAGGED`" not in told
