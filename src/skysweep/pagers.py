"""How an operation's listing goes on: botocore's paginator definitions, and what they leave out. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jmespath

from skysweep import limits

if TYPE_CHECKING:
    from botocore.model import OperationModel

PAGE_SIZES = {
    ("ec2", "DescribeInstances"): 200,  # 1,000 take half a second to parse, and nothing else moves meanwhile
    ("ec2", "DescribeNetworkInterfaces"): 500,
    ("s3", "ListBuckets"): 1000,  # without a size there is no BucketRegion
    ("sqs", "ListQueues"): 1000,  # without a size there is no token, and the rest is lost
}
SIZE_MEMBERS = ("MaxResults", "maxResults", "MaxItems", "MaxRecords", "Limit", "limit", "PageSize")
TOKEN_MEMBERS = (
    ("NextToken", "NextToken"),
    ("nextToken", "nextToken"),
    ("NextMarker", "Marker"),
    ("NextMarker", "NextMarker"),
    ("nextMarker", "marker"),
    ("Marker", "Marker"),
    ("marker", "marker"),
    ("PaginationToken", "PaginationToken"),
    ("NextContinuationToken", "ContinuationToken"),
    ("NextPageToken", "PageToken"),
    ("nextPageToken", "pageToken"),
    ("position", "position"),
)
"""Where an operation without a paginator says that there is more: (output member, input member)."""

# Lists of chosen things, which AWS will not have with a page size.
_CHOSEN = re.compile(r"(Ids|Arns|Names|IDs|ARNs|ARNList)$")

Inputs = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Pager:
    """How one operation's pages follow each other.

    size: the input member for the page size and its value. tokens: input members with the path of their value in a
    page. more: the path of the flag that says there is more, where the operation has one.
    """

    size: tuple[str, Any] | None
    tokens: tuple[tuple[str, Any], ...]
    more: Any
    results: tuple[Any, ...] = ()

    def first(self, inputs: Inputs) -> dict[str, Any]:
        """The inputs of the first page: the largest sensible page, unless the call says or chooses for itself."""
        if self.size is None or self.size[0] in inputs or any(_CHOSEN.search(name) for name in inputs):
            return dict(inputs)
        return {**inputs, self.size[0]: self.size[1]}

    def token(self, page: Inputs) -> dict[str, Any] | None:
        """The inputs that lead to the next page; None after the last.

        Raises ValueError where AWS says that there is more, but not where.
        """
        found = {name: value for name, path in self.tokens if (value := path.search(page))}
        if self.more is not None:
            if not self.more.search(page):
                return None
            if not found:
                raise ValueError("AWS says that there is more, and gives no token")
        return found or None

    def empty(self, page: Inputs) -> bool:
        """Whether the page lists nothing; never where it is not known what the operation lists."""
        return bool(self.results) and not any(path.search(page) for path in self.results)

    def next(self, inputs: Inputs, token: Inputs) -> dict[str, Any]:
        """The inputs of the page that the token leads to."""
        tokens = {name for name, _ in self.tokens}
        return {name: value for name, value in inputs.items() if name not in tokens} | dict(token)


def pager(service: str, operation: OperationModel, definition: Mapping[str, Any] | None) -> Pager:
    """The pager of an operation, from its model and botocore's paginator definition (None where there is none)."""
    takes = operation.input_shape.members if operation.input_shape else {}
    gives = operation.output_shape.members if operation.output_shape else {}
    if definition is None:
        pairs = next((((x, jmespath.compile(y)),) for y, x in TOKEN_MEMBERS if y in gives and x in takes), ())
        lists = tuple(jmespath.compile(name) for name, shape in gives.items() if shape.type_name == "list")
        return Pager(_size(service, operation.name, takes, None), pairs, None, lists)
    names, paths = _list(definition["input_token"]), _list(definition["output_token"])
    more = definition.get("more_results")
    return Pager(
        _size(service, operation.name, takes, definition.get("limit_key")),
        tuple((name, jmespath.compile(path)) for name, path in zip(names, paths, strict=True)),
        jmespath.compile(more) if more else None,
        tuple(jmespath.compile(path) for path in _list(definition.get("result_key", []))),
    )


def _size(service: str, operation: str, takes: Mapping[str, Any], member: str | None) -> tuple[str, Any] | None:
    """The page size member and the most that both AWS's limits table and the model allow; None where neither says."""
    name = next((each for each in (member, *SIZE_MEMBERS) if each in takes), None)
    if name is None:
        return None
    shape = takes[name]
    known = PAGE_SIZES.get((service, operation)) or limits.page_size(service, operation)
    sizes = [size for size in (known, shape.metadata.get("max")) if size]
    if not sizes or shape.type_name not in {"integer", "string"}:
        return None
    size = min(*sizes, 1000)
    return name, str(size) if shape.type_name == "string" else size


def _list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
