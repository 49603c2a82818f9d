"""A service's neighbourhood as a Mermaid flowchart: its types, what they point at, and what points at them.

What is emitted is the little of Mermaid that needs no quoting rules: identifiers are labels or `service_` and a
service's name, texts stand in quotes, an arrow a line with all edge types between its ends.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from skysweep.catalogue import Type
    from skysweep.model import Edge

TAGGED = "TAGGED"  # from most types to one: only the page of what it leads to shows it
SHOWN = 20  # types of other services that are drawn each for itself
CROWDED = 60  # lines of arrows; more are drawn in two diagrams
TWO = "Two diagrams, for there is much of it: first the types of this page among themselves."
IN_A_LINE = 3  # labels in a box of several


class Arrow(NamedTuple):
    """An edge as it is drawn: from one label to another."""

    start: str
    kind: str
    end: str


def arrow(type_: Type, edge: Edge) -> Arrow:
    """A declared edge, the way it points."""
    start = edge.start.label if edge.start else type_.label
    end = edge.target.label if edge.target else ""
    return Arrow(end, edge.kind, start) if edge.inbound else Arrow(start, edge.kind, end)


def drawn(service: str, types: Iterable[Type], every: Iterable[Type], homes: Mapping[str, str]) -> list[Arrow]:
    """The arrows of a service's diagram: those that its types declare, and those that lead to or from them."""
    own = [arrow(type_, edge) for type_ in types for edge in type_.edges]
    led = (arrow(type_, edge) for type_ in every for edge in type_.edges)
    found = {*own, *(each for each in led if service in (homes[each.start], homes[each.end]))}
    return sorted(each for each in found if each.kind != TAGGED or homes[each.end] == service)


def diagram(service: str, types: Sequence[Type], every: Iterable[Type], homes: Mapping[str, str]) -> list[str]:
    """The lines of a page's section: what is drawn, what is left out, the flowchart. `homes`: each label's service."""
    arrows = drawn(service, types, every, homes)
    labels = dict.fromkeys([*(type_.label for type_ in types), *(end for each in arrows for end in each[::2])])
    page = _Page(service, homes, grouped=sum(homes[label] != service for label in labels) > SHOWN)
    inside = [each for each in arrows if homes[each.start] == homes[each.end] == service]
    across = [each for each in arrows if each not in inside]
    crossing = {end for each in across for end in each[::2]}
    told, title = page.told(labels, arrows), "## Neighbourhood"
    if len(page.lines(arrows)) <= CROWDED or not inside:
        return [title, "", told, "", *page.flowchart(labels, arrows)]
    return [
        *(title, "", told, "", TWO, ""),
        *page.flowchart((label for label in labels if homes[label] == service), inside),
        *("With other services:", ""),
        *page.flowchart((label for label in labels if homes[label] != service or label in crossing), across),
    ]


class _Page(NamedTuple):
    """A service's page, and whether other services' types stand in one box a service."""

    service: str
    homes: Mapping[str, str]
    grouped: bool

    def box(self, label: str) -> str:
        """The identifier of the box that a label stands in."""
        home = self.homes[label]
        return _id(home) if self.grouped and home != self.service else label

    def told(self, labels: Iterable[str], arrows: Iterable[Arrow]) -> str:
        """What the diagram shows, and what it does not."""
        others = [self.homes[label] for label in labels if self.homes[label] != self.service]
        shown = ["What the types of this page point at, and what points at them."]
        if self.grouped:
            count = len(set(others))
            shown.append(f"The {len(others)} types of {count} other services stand in one box a service (dashed).")
        elif others:
            shown.append("Types of other services are dashed.")
        left = "the account's `RESOURCE` to what is in it"
        if not any(each.kind == TAGGED for each in arrows):
            left += f", and `{TAGGED}` to [`AWSTag`](tags.md#awstag)"
        return f"{' '.join(shown)} Left out: {left}."

    def flowchart(self, labels: Iterable[str], arrows: Iterable[Arrow]) -> list[str]:
        """The block of Mermaid."""
        services: dict[str, list[str]] = defaultdict(list)
        for label in labels:
            services[self.homes[label]].append(label)
        here = services.pop(self.service, [])
        dashed = sorted({self.box(label) for its in services.values() for label in its})
        return [
            *("```mermaid", "flowchart LR", *_subgraph("here", self.service, here)),
            *(line for home, its in sorted(services.items()) for line in self._others(home, sorted(its))),
            *self.lines(arrows),
            *(["    classDef other stroke-dasharray: 4 3", f"    class {','.join(dashed)} other"] if dashed else []),
            *("```", ""),
        ]

    def lines(self, arrows: Iterable[Arrow]) -> list[str]:
        """A line for each two boxes, with all that leads from one to the other."""
        kinds: dict[tuple[str, str], set[str]] = defaultdict(set)
        for start, kind, end in arrows:
            kinds[self.box(start), self.box(end)].add(kind)
        return [f'    {start} -->|"{", ".join(sorted(its))}"| {end}' for (start, end), its in sorted(kinds.items())]

    def _others(self, home: str, labels: Sequence[str]) -> Iterator[str]:
        if not self.grouped:
            yield from _subgraph(_id(home), home, labels)
            return
        rows = [", ".join(labels[first : first + IN_A_LINE]) for first in range(0, len(labels), IN_A_LINE)]
        yield f'    {_id(home)}["{"<br/>".join([home, *rows])}"]'


def _subgraph(name: str, title: str, labels: Iterable[str]) -> list[str]:
    return [f'    subgraph {name}["{title}"]', *(f"        {label}" for label in labels), "    end"]


def _id(service: str) -> str:
    """The identifier of a service's box: `end`, `class` and the like would be Mermaid's own words."""
    return "service_" + re.sub(r"\W", "_", service)
