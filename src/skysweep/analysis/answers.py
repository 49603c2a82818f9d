"""An answer of the analysis beside the one that the graph holds, and the row that makes the graph agree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from skysweep.analysis.reading import Row

Label: TypeAlias = Literal[
    "AWSLoadBalancer",
    "LoadBalancerV2",
    "EC2Instance",
    "AutoScalingGroup",
    "S3Bucket",
    "APIGatewayRestAPI",
    "AWSEventBridgeEventBus",
    "AWSLambda",
    "ECRRepository",
    "ECSContainer",
    "EfsFileSystem",
    "EKSCluster",
    "ESDomain",
    "KMSKey",
    "SNSTopic",
    "SQSQueue",
]

EXPOSED = ("exposed_internet", "exposed_internet_type")
ANONYMOUS = ("anonymous_access", "anonymous_actions")


@dataclass(frozen=True, slots=True)
class Held:
    """What the graph holds of a node's flag and list, None for what was never written."""

    flag: bool | None
    items: tuple[str, ...] | None

    @classmethod
    def of(cls, row: Row, names: tuple[str, str]) -> Held:
        """Read the two properties from a row that has them by name."""
        flag, items = row[names[0]], row[names[1]]
        return cls(flag, None if items is None else tuple(items))

    @property
    def known(self) -> tuple[str, ...] | None:
        """The last known list; None when no answer was ever given."""
        return None if self.flag is None else self.items or ()


@dataclass(frozen=True, slots=True)
class Answer:
    """The items found for a node (None: cannot be told), the names of its two properties, and what the graph holds."""

    label: Label
    id: str
    names: tuple[str, str]
    items: tuple[str, ...] | None
    held: Held

    @property
    def differs(self) -> bool:
        """Whether the graph must be told."""
        return self.items is not None and (self.held.flag, self.held.items) != (bool(self.items), self.items)

    def row(self, tag: int) -> Row:
        """Give the row for the writing statement: the id under the label's name, and all properties at once."""
        flag, items = self.names
        found = self.items or ()
        return {self.label: self.id, "props": {flag: bool(found), items: list(found), "_analysed": tag}}
