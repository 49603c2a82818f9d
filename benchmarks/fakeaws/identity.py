"""Who asks, whom they may become, and the organization: what no listing of an estate tells.

Access keys tell the account: ``AKIA`` or ``ASIA``, then its twelve digits. ``ASIA`` keys, which AssumeRole hands out,
end in their expiry; all other keys are the hub's.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from benchmarks.fakeaws.content import MOMENT
from benchmarks.fakeaws.estate import Estate
from benchmarks.fakeaws.faults import Error
from benchmarks.fakeaws.models import Inputs

ORGANIZATION = "o-fakefakefa"
ROOT = "r-fake"
UNITS = 3  # organizational units under the root; each ninth account lies in a unit within the first
INNER = f"ou-fake-{UNITS:08d}"
HOUR = 3600.0

_KEY = re.compile(r"A[KS]IA(\d{12})([0-9A-Z]*)\Z")


class Refused(Exception):
    """Raised instead of an answer; `error` says how."""

    def __init__(self, error: Error) -> None:
        super().__init__(error)
        self.error = error


def key_of(account: str, expires: float | None = None) -> str:
    """An access key of the account: for good, or until that time (epoch seconds)."""
    return f"AKIA{account}BASE" if expires is None else f"ASIA{account}{int(expires * 1000):011X}"


def account_of(key: str, hub: str) -> str:
    """The account that an access key belongs to."""
    match = _KEY.match(key)
    return match[1] if match else hub


def expiry_of(key: str) -> float | None:
    """When an access key ends (epoch seconds); None for never."""
    match = _KEY.match(key) if key.startswith("ASIA") else None
    return int(match[2], 16) / 1000 if match and match[2] else None


Answer = Callable[["Identity", Inputs, str], Mapping[str, Any]]


class Identity:
    """The calls about accounts, for an estate; `lifetime` is how many seconds assumed credentials last."""

    def __init__(self, estate: Estate, *, lifetime: float = HOUR) -> None:
        self.estate = estate
        self.lifetime = lifetime
        self._made: dict[tuple[str, frozenset[str]], list[Mapping[str, Any]]] = {}

    @property
    def hub(self) -> str:
        """The account that manages the organization, and that base keys belong to."""
        return self.estate.accounts[0]

    def caller(self, inputs: Inputs, account: str) -> Mapping[str, Any]:
        """sts:GetCallerIdentity."""
        del inputs
        arn = f"arn:{self.estate.partition}:sts::{account}:assumed-role/fake/session"
        return {"Account": account, "Arn": arn, "UserId": f"AROA{account}:session"}

    def assume(self, inputs: Inputs, account: str) -> Mapping[str, Any]:
        """sts:AssumeRole: credentials of the role's account. Raises Refused where it is none of ours, or closed."""
        wanted = str(inputs["RoleArn"]).split(":")[4]
        if wanted not in self.estate.number_of or wanted in self.estate.suspended:
            who = f"arn:{self.estate.partition}:sts::{account}:assumed-role/fake/session"
            said = f"User: {who} is not authorized to perform: sts:AssumeRole on resource: {inputs['RoleArn']}"
            raise Refused(Error(403, "AccessDenied", said))
        ends = time.time() + self.lifetime
        credentials = {
            "AccessKeyId": key_of(wanted, ends),
            "SecretAccessKey": "fake",
            "SessionToken": f"session-of-{wanted}",
            "Expiration": datetime.fromtimestamp(ends, UTC),
        }
        user = {"AssumedRoleId": f"AROA{wanted}:session", "Arn": f"{inputs['RoleArn']}/session"}
        return {"Credentials": credentials, "AssumedRoleUser": user}

    def regions(self, inputs: Inputs, account: str) -> Mapping[str, Any]:
        """ec2:DescribeRegions: the estate's."""
        del inputs, account
        named = self.estate.regions
        return {
            "Regions": [
                {"RegionName": name, "Endpoint": f"ec2.{name}.amazonaws.com", "OptInStatus": "opt-in-not-required"}
                for name in named
            ]
        }

    def organization(self, inputs: Inputs, account: str) -> Mapping[str, Any]:
        """organizations:DescribeOrganization, the same for every member."""
        del inputs, account
        about = {
            "Id": ORGANIZATION,
            "Arn": self._arn(f"organization/{ORGANIZATION}"),
            "FeatureSet": "ALL",
            "MasterAccountArn": self._arn(f"account/{ORGANIZATION}/{self.hub}"),
            "MasterAccountId": self.hub,
            "MasterAccountEmail": f"{self.hub}@example.com",
        }
        return {"Organization": about}

    def roots(self, inputs: Inputs, account: str) -> list[Mapping[str, Any]]:
        """The organization's root."""
        self._hub_only(inputs, account)
        return [{"Id": ROOT, "Arn": self._arn(f"root/{ORGANIZATION}/{ROOT}"), "Name": "Root"}]

    def units(self, inputs: Inputs, account: str) -> list[Mapping[str, Any]]:
        """The organizational units in a root or unit."""
        self._hub_only(inputs, account)
        inside = {ROOT: [f"ou-fake-{number:08d}" for number in range(UNITS)], "ou-fake-00000000": [INNER]}
        return [
            {"Id": each, "Arn": self._arn(f"ou/{ORGANIZATION}/{each}"), "Name": f"unit {each[-1]}"}
            for each in inside.get(str(inputs["ParentId"]), [])
        ]

    def members(self, inputs: Inputs, account: str) -> list[Mapping[str, Any]]:
        """The accounts in a root or unit."""
        self._hub_only(inputs, account)
        return self._members(str(inputs["ParentId"]))

    def accounts(self, inputs: Inputs, account: str) -> list[Mapping[str, Any]]:
        """Every account of the organization."""
        self._hub_only(inputs, account)
        return self._members("")

    def parent(self, account: str) -> str:
        """The root or unit that an account lies in: the hub in the root."""
        number = self.estate.number_of[account]
        if number == 0:
            return ROOT
        return INNER if number % 9 == 0 else f"ou-fake-{number % UNITS:08d}"

    def _members(self, parent: str) -> list[Mapping[str, Any]]:
        """The accounts in a root or unit, or all of them; made once: a page has 20, and there may be 10,000."""
        key = (parent, self.estate.suspended)
        if key not in self._made:
            inside = (each for each in self.estate.accounts if parent in {"", self.parent(each)})
            self._made[key] = [self._member(each) for each in inside]
        return self._made[key]

    def _member(self, account: str) -> Mapping[str, Any]:
        state = "SUSPENDED" if account in self.estate.suspended else "ACTIVE"
        return {
            "Id": account,
            "Arn": self._arn(f"account/{ORGANIZATION}/{account}"),
            "Email": f"{account}@example.com",
            "Name": f"account {self.estate.number_of[account]}",
            "Status": state,
            "State": state,
            "JoinedMethod": "CREATED",
            "JoinedTimestamp": MOMENT,
        }

    def _arn(self, resource: str) -> str:
        return f"arn:{self.estate.partition}:organizations::{self.hub}:{resource}"

    def _hub_only(self, inputs: Inputs, account: str) -> None:
        del inputs
        if account != self.hub:
            said = "You don't have permissions to access this resource."
            raise Refused(Error(400, "AccessDeniedException", said))
