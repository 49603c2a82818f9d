"""IAM policies as documents: what a sweep needs, in the size that IAM takes; who lets whom in; what is left to add.

Nothing here asks AWS. Sizes: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import groupby
from typing import Any

import orjson

from skysweep.errors import BadSettings
from skysweep.regions import MAIN

Policy = dict[str, Any]
"""A policy document, as JSON has it."""

ALWAYS = ("ec2:DescribeRegions", "sts:GetCallerIdentity")
"""What every sweep asks before its first call."""

FREE = ("sts:GetCallerIdentity",)
"""What AWS answers to everyone: no policy need allow it."""

ORGANIZATION = (
    "organizations:DescribeOrganization",
    "organizations:ListAccounts",
    "organizations:ListAccountsForParent",
    "organizations:ListOrganizationalUnitsForParent",
    "organizations:ListRoots",
)
"""What finding an organization's accounts asks, in the account that manages it or is delegated to."""

LIMIT = 6144  # characters of a managed policy, not counting white space
ROLE_NAME = "skysweep"
PARTITIONS = tuple(MAIN)
VERSION = "2012-10-17"

_ACCOUNT = re.compile(r"\d{12}", re.ASCII)
_PRINCIPAL = re.compile(r"arn:(?P<partition>[a-z-]+):iam::\d{12}:(root|(role|user)/[\w+=,.@/-]+)", re.ASCII)
_ROLE_NAME = re.compile(r"([\w+=,.@-]+/)*[\w+=,.@-]{1,64}", re.ASCII)
_EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)


# What a sweep needs


def policy(actions: Iterable[str]) -> Policy:
    """The policy that allows these actions on everything: a statement a service, all sorted."""
    return {"Version": VERSION, "Statement": [_statement(service, of) for service, of in _services(actions)]}


def size(document: Policy) -> int:
    """Its characters as IAM counts them: without white space."""
    return len("".join(orjson.dumps(document).decode().split()))


def parts(actions: Iterable[str], limit: int = LIMIT) -> list[Policy]:
    """As few policies of at most `limit` characters as allow these actions; none where there is no action.

    A service stays in one policy where that costs no further policy.
    """
    cut = _cut(sorted(set(actions)), limit)
    whole = _kept_together(actions, limit)
    return [policy(part) for part in (whole if len(whole) <= len(cut) else cut)]


def _cut(actions: Sequence[str], limit: int) -> list[list[str]]:
    """Each policy filled to the brim, whatever service it ends in."""
    made: list[list[str]] = []
    for action in actions:
        if made and size(policy([*made[-1], action])) <= limit:
            made[-1].append(action)
        else:
            made.append([action])
    return made


def _kept_together(actions: Iterable[str], limit: int) -> list[list[str]]:
    """Each service in the first policy that has room for all of it; cut only where it is larger than a policy."""
    made: list[list[str]] = []
    for piece in (piece for _, service in _services(actions) for piece in _cut(service, limit)):
        room = next((part for part in made if size(policy([*part, *piece])) <= limit), None)
        if room is None:
            made.append(piece)
        else:
            room += piece
    return made


def _services(actions: Iterable[str]) -> list[tuple[str, list[str]]]:
    found = groupby(sorted(set(actions)), key=lambda action: action.partition(":")[0])
    return [(service, list(of)) for service, of in found]


def _statement(service: str, actions: Sequence[str]) -> dict[str, Any]:
    sid = "Read" + "".join(part.capitalize() for part in service.split("-"))  # a Sid holds letters and digits only
    return {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": "*"}


# What AWS's own policies lack


@dataclass(frozen=True)
class Managed:
    """One of AWS's managed policies: `actions` are patterns of what it allows on every resource, without condition.

    version, updated: which one this copy is, and the day AWS made it.
    """

    name: str
    path: str
    version: str
    updated: str
    actions: tuple[str, ...]

    def lacks(self, actions: Iterable[str]) -> set[str]:
        """Those of the actions that it does not allow, but for those that need no permission."""
        allows = pattern(self.actions)
        return {action for action in actions if action not in FREE and not allows.fullmatch(action)}


def managed(name: str) -> Managed:
    """The copy of AWS's managed policy of that name. Raises BadSettings where there is none."""
    known = _copies()
    if name not in known:
        raise BadSettings(f"--beyond: there is no copy of {name!r} here, only of {' and '.join(known)}")
    return known[name]


def pattern(actions: Iterable[str]) -> re.Pattern[str]:
    """What IAM takes these to mean: `*` is any text, `?` any one character, case does not matter."""
    joined = "|".join(re.escape(each).replace(r"\*", ".*").replace(r"\?", ".") for each in actions)
    return re.compile(joined, re.IGNORECASE | re.DOTALL)


@cache
def _copies() -> Mapping[str, Managed]:
    document = orjson.loads(files("skysweep").joinpath("data/managed-policies.json").read_bytes())
    return {
        name: Managed(name, each["path"], each["version"], each["updated"], tuple(each["actions"]))
        for name, each in document["policies"].items()
    }


# Who lets whom in


def trust(hub: Any, condition: Any = None) -> Policy:
    """The trust policy of a role that `hub` (the ARN of a principal) may assume, on a condition if there is one."""
    statement = {"Sid": "LetTheHubIn", "Effect": "Allow", "Principal": {"AWS": hub}, "Action": "sts:AssumeRole"}
    return {"Version": VERSION, "Statement": [statement | ({"Condition": condition} if condition else {})]}


def only_with(external_id: Any) -> dict[str, Any]:
    """The condition that the external id is given."""
    return {"StringEquals": {"sts:ExternalId": external_id}}


def hub(role_name: str, partition: str) -> Policy:
    """What the hub needs beside its own account's policy: to find the accounts, and to enter them by that role."""
    enter = {
        "Sid": "EnterMembers",
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Resource": f"arn:{partition}:iam::*:role/{role_name}",
    }
    find = {"Sid": "FindAccounts", "Effect": "Allow", "Action": sorted({*ALWAYS, *ORGANIZATION}), "Resource": "*"}
    return {"Version": VERSION, "Statement": [find, enter]}


def principal(text: str, partition: str | None = None) -> str:
    """The ARN of the hub: an account id means the account; a role or user of it stands for itself alone.

    Raises BadSettings for anything else, and for an ARN of another partition than the one given.
    """
    if _ACCOUNT.fullmatch(text):
        return f"arn:{partition or PARTITIONS[0]}:iam::{text}:root"
    found = _PRINCIPAL.fullmatch(text)
    if not found or found["partition"] not in PARTITIONS:
        raise BadSettings(f"--trust: {text!r} is neither an account id nor like arn:aws:iam::111111111111:role/NAME")
    if partition not in (None, found["partition"]):
        raise BadSettings(f"--partition {partition} does not go with --trust {text}: the ARN names its own")
    return text


def check_role_name(text: str) -> str:
    """The name of a role, with its path if it has one. Raises BadSettings for what IAM would refuse."""
    if not _ROLE_NAME.fullmatch(text):
        raise BadSettings(f"--role-name: {text!r} is no name of a role: up to 64 of letters, digits and +=,.@_-")
    return text


def check_external_id(text: str) -> str:
    """An external id. Raises BadSettings for what STS would refuse."""
    if not _EXTERNAL_ID.fullmatch(text):
        raise BadSettings(f"--external-id: {text!r} is none: 2 to 1,224 of letters, digits and +=,.@:/_-")
    return text


def check_partition(text: str) -> str:
    """A partition's id. Raises BadSettings for one that AWS does not have."""
    if text not in PARTITIONS:
        raise BadSettings(f"--partition: {text!r} is none of {', '.join(PARTITIONS)}")
    return text
