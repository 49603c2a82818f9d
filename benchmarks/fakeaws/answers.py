"""What AWS would answer: for an operation, its inputs and its caller, the reply as botocore would parse it."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from benchmarks.fakeaws.content import OF_LISTING, About, filler, number_in, numbered, referred
from benchmarks.fakeaws.estate import WEIGHTS, Estate, place_of
from benchmarks.fakeaws.identity import HOUR, Identity
from benchmarks.fakeaws.kinds import SINGULAR
from benchmarks.fakeaws.models import Inputs, Operation
from benchmarks.fakeaws.tagging import tags

Reply = dict[str, Any]

SEVERAL = {
    "iam:GetAccountAuthorizationDetails": {
        "UserDetailList": "iam:ListUsers",
        "GroupDetailList": "iam:ListGroups",
        "RoleDetailList": "iam:ListRoles",
        "Policies": "iam:ListPolicies",
    },
    "cloudwatch:DescribeAlarms": {
        "MetricAlarms": "cloudwatch:DescribeAlarms",
        "CompositeAlarms": "cloudwatch:DescribeAlarms/Composite",
    },
}
"""Operations that list several things: the lists and the listings of what is in them."""

SAME = {
    "config:DescribeConfigurationRecorderStatus": "config:DescribeConfigurationRecorders",
    "ecs:ListTaskDefinitions": "ecs:ListTaskDefinitionFamilies",
    "workspaces:DescribeWorkspacesConnectionStatus": "workspaces:DescribeWorkspaces",
}
"""Operations that tell of what another listing lists."""

VARIANTS = {
    ("iam:ListPolicies", "Scope", "AWS"): ("iam:ListPolicies/AWS", "iam:ListPolicies/AWS"),
    # AWS lists $LATEST once more among the versions; here it is not.
    ("lambda:ListFunctions", "FunctionVersion", "ALL"): ("lambda:ListFunctions/ALL", "lambda:ListFunctions"),
    ("wafv2:ListWebACLs", "Scope", "CLOUDFRONT"): ("wafv2:ListWebACLs/CLOUDFRONT", "wafv2:ListWebACLs/CLOUDFRONT"),
    ("wafv2:GetWebACL", "Scope", "CLOUDFRONT"): ("wafv2:GetWebACL/CLOUDFRONT", ""),
}
"""Operations that tell of other things when an input says so: how those are filled, and the listing of them."""

SINGLE = {
    "sts:GetCallerIdentity": Identity.caller,
    "sts:AssumeRole": Identity.assume,
    "ec2:DescribeRegions": Identity.regions,
    "organizations:DescribeOrganization": Identity.organization,
    "resourcegroupstaggingapi:GetResources": tags,
}
LISTS = {
    "organizations:ListRoots": Identity.roots,
    "organizations:ListOrganizationalUnitsForParent": Identity.units,
    "organizations:ListAccountsForParent": Identity.members,
    "organizations:ListAccounts": Identity.accounts,
}
CHILD = 1_000_000  # the numbers of a parent's second, third … child lie so far apart


class Entry(NamedTuple):
    """One item of a listing: which of the operation's lists it is in, and its number."""

    part: int
    number: int


class Answers:
    """The answers about one estate. `whole` pages hold everything, whatever size is asked for.

    most: how many items go on a page at most, whatever is asked for, as AWS is free to do. real: items hold what real
    ones do, not every member.
    """

    def __init__(self, estate: Estate, *, lifetime: float = HOUR, most: int | None = None, real: bool = False) -> None:
        self.estate = estate
        self.most = most
        self.real = real
        self.identity = Identity(estate, lifetime=lifetime)

    def reply(
        self, operation: Operation, inputs: Inputs, account: str, region: str, *, whole: bool = False
    ) -> tuple[Reply, int]:
        """The reply, and how many items it lists. Raises Refused where there is an error instead."""
        if operation.key in SINGLE:
            return dict(SINGLE[operation.key](self.identity, inputs, account)), 1
        region = place_of(region, operation.key)
        if operation.key in LISTS:
            found = LISTS[operation.key](self.identity, inputs, account)
            numbers: Mapping[int, Sequence[int]] = {0: range(len(found))}
            page, last = _page(operation, inputs, numbers, self._size(operation, inputs, whole=whole))
            return self._listed(operation, [[found[each.number] for each in page]], last), len(page)
        named = _named_numbers(operation, inputs)
        parent = self._parent(operation, inputs) if named is None else None
        if not operation.lists or (parent and not operation.paginator):
            return self._one(operation, inputs, (account, region), parent), 1
        key, parts = _parts(operation, inputs)
        numbers = self._numbers(operation, inputs, (account, region), parts, parent) if named is None else {0: named}
        page, last = _page(operation, inputs, numbers, self._size(operation, inputs, whole=whole))
        lists: list[list[Any]] = [[] for _ in operation.lists]
        fills = [_item_filler(key, operation, path, real=self.real) for path in operation.lists]
        for part, listed in page:
            asked_for = parent or named is not None
            owner, number = (account, listed) if asked_for else self.estate.told(account, listed)
            kind = OF_LISTING.get(parts[part])
            own = {parent[0]: parent[1]} if parent else {kind: number} if kind else {}
            about = About(self.estate, owner, region, number, own, parent[1] if parent else number)
            lists[part].append(fills[part](about))
        return self._listed(operation, lists, last), len(page)

    def listings(self, operation: Operation, inputs: Inputs) -> tuple[str, ...]:
        """The listings of which the reply holds items and nothing else; none for other replies."""
        if operation.key in SINGLE or operation.key in LISTS or not operation.lists:
            return ()
        if self._parent(operation, inputs) or _named_numbers(operation, inputs) is not None:
            return ()
        return tuple(_parts(operation, inputs)[1].values())

    def _size(self, operation: Operation, inputs: Inputs, *, whole: bool) -> int | None:
        """How many items the page takes that the inputs ask for; None: all."""
        if whole or not operation.tokens:
            return None
        size = operation.size(inputs)
        return min(size, self.most) if self.most else size

    def _parent(self, operation: Operation, inputs: Inputs) -> tuple[str, int] | None:
        """The thing that is asked about: its number and its kind, which is empty where the tables have none for it."""
        tokens = {name for name, _ in operation.tokens}
        texts = {name: value for name, value in inputs.items() if isinstance(value, str) and name not in tokens}
        for name, value in texts.items():
            kind = referred(operation.key, name)
            if kind:
                return kind, number_in(value)
        found = (numbered(value) for value in texts.values())
        return next((("", number) for number in found if number is not None), None)

    def _one(
        self, operation: Operation, inputs: Inputs, place: tuple[str, str], parent: tuple[str, int] | None
    ) -> Reply:
        if operation.output is None:
            return {}
        number = parent[1] if parent else 0
        about = About(self.estate, *place, number, dict([parent]) if parent else {}, number)
        return dict(filler(_variant(operation, inputs)[0], operation.output, (), real=self.real)(about))

    def _numbers(
        self,
        operation: Operation,
        inputs: Inputs,
        place: tuple[str, str],
        parts: Mapping[int, str],
        parent: tuple[str, int] | None,
    ) -> Mapping[int, Sequence[int]]:
        """The numbers of the items in each of the operation's lists, all pages together."""
        if parent:
            first, count = parent[1], self.estate.children.get(operation.key, 1)
            return {0: range(first, first + count * CHILD, CHILD)}
        chosen = _chosen(operation, inputs)
        shown = {part: self.estate.shown(*place, listing) for part, listing in parts.items()}
        if chosen is None:
            return shown
        return {part: sorted(chosen.intersection(numbers)) for part, numbers in shown.items()}

    def _listed(self, operation: Operation, lists: list[list[Any]], last: Entry | None) -> Reply:
        """A page: its lists, and how it goes on after its last entry (None: it does not)."""
        reply: Reply = {}
        for path, items in zip(operation.lists, lists, strict=True):
            _set(reply, path, items)
        if operation.more:
            _set(reply, operation.more, last is not None)
        if last is not None:
            _set(reply, operation.tokens[0][1], f"after-{last.part}-{last.number}")
        return reply


def _parts(operation: Operation, inputs: Inputs) -> tuple[str, Mapping[int, str]]:
    """How the items are filled, and the listings in the operation's lists, by the lists' numbers."""
    several = SEVERAL.get(operation.key)
    if several is not None:
        return operation.key, {number: several[path[-1]] for number, path in enumerate(operation.lists)}
    filled, listing = _variant(operation, inputs)
    return filled, {0: SAME.get(listing, listing)}


def _variant(operation: Operation, inputs: Inputs) -> tuple[str, str]:
    """How what it tells of is filled, and the listing of it."""
    for (key, name, value), variant in VARIANTS.items():
        if operation.key == key and inputs.get(name) == value:
            return variant
    return operation.key, operation.key


def _item_filler(key: str, operation: Operation, path: tuple[str, ...], *, real: bool) -> Any:
    shape: Any = operation.output
    for name in path:
        shape = shape.members[name]
    return filler(key, shape.member, path, real=real)


def _page(
    operation: Operation, inputs: Inputs, numbers: Mapping[int, Sequence[int]], size: int | None
) -> tuple[list[Entry], Entry | None]:
    """The entries of the page that the inputs ask for, and the last of them where more follow.

    A token names the entry it comes after, so that listings may change meanwhile; an unknown one is the beginning.
    Nothing is made of the entries of other pages: a listing may have 100,000.
    """
    given = str(inputs.get(operation.tokens[0][0], "")) if size is not None else ""
    told = re.fullmatch(r"after-(\d+)-(\d+)", given)
    after = Entry(int(told[1]), int(told[2])) if told else Entry(-1, 0)
    page: list[Entry] = []
    for part, held in numbers.items():
        if part < after.part:
            continue
        start = bisect_right(held, after.number) if part == after.part else 0
        end = len(held) if size is None else min(len(held), start + size - len(page))
        page += [Entry(part, number) for number in held[start:end]]
        if end < len(held):
            return page, page[-1]
    return page, None


def _chosen(operation: Operation, inputs: Inputs) -> set[int] | None:
    """The numbers that the inputs choose by lists of identifiers or by filters; None where they choose none."""
    for name, values in _named(inputs):
        kind = referred(operation.key, SINGULAR.get(name, name))
        if kind and kind == OF_LISTING.get(operation.key):
            return {number_in(value) for value in values}
    return None


def _named_numbers(operation: Operation, inputs: Inputs) -> list[int] | None:
    """The numbers of the things that are asked about by their names, of an operation that lists nothing else."""
    if operation.key in WEIGHTS:
        return None
    lists = (value for value in inputs.values() if isinstance(value, list) and value and isinstance(value[0], str))
    for names in lists:
        found = [number for name in names if (number := numbered(name)) is not None]
        if len(found) == len(names):
            return sorted(set(found))
    return None


def _named(inputs: Inputs) -> Iterator[tuple[str, list[str]]]:
    for name, value in inputs.items():
        if isinstance(value, list) and value and isinstance(value[0], str):
            yield name, value
        elif isinstance(value, list):
            yield from ((each.get("Name", ""), each.get("Values", [])) for each in value if isinstance(each, dict))


def _set(reply: Reply, path: tuple[str, ...], value: Any) -> None:
    for name in path[:-1]:
        reply = reply.setdefault(name, {})
    reply[path[-1]] = value
