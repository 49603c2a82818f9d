from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from skysweep import catalogue
from skysweep.cli.options import Json, Syncs, names
from skysweep.cli.screen import print_json

ALWAYS = ("ec2:DescribeRegions", "sts:GetCallerIdentity")
"""What every sweep asks before its first call."""


def permissions(aws_requested_syncs: Syncs = None, json: Json = False) -> None:
    """Print the least IAM policy for what is selected."""
    del json  # the policy is JSON with or without it
    print_json(policy({*ALWAYS, *catalogue.load(names(aws_requested_syncs)).permissions()}))


def policy(actions: Iterable[str]) -> dict[str, Any]:
    """The IAM policy that allows these actions on everything: a statement a service, all sorted."""
    return {
        "Version": "2012-10-17",
        "Statement": [_statement(prefix, list(of)) for prefix, of in groupby(sorted(actions), key=_prefix)],
    }


def _statement(prefix: str, actions: Sequence[str]) -> dict[str, Any]:
    sid = "Read" + "".join(part.capitalize() for part in prefix.split("-"))  # a Sid holds letters and digits only
    return {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": "*"}


def _prefix(action: str) -> str:
    return action.partition(":")[0]
