"""What the caller in an account may do: IAM's own simulation where it is allowed, else one cheap call a service.

Every call is a read: SimulatePrincipalPolicy decides over policies, does nothing and changes nothing.
"""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

import anyio

from skysweep import regions
from skysweep.calls import literal
from skysweep.errors import BadSettings, Bug, CallFailed
from skysweep.model import Call, Context
from skysweep.paging import ask, pages
from skysweep.permissions import actions
from skysweep.plan import GLOBAL, Account, Target

if TYPE_CHECKING:
    from skysweep.catalogue import Catalogue
    from skysweep.clients import Clients
    from skysweep.limits import Limits

SIMULATE = Call("iam", "SimulatePrincipalPolicy", per="account")
SIMULATED = "iam:SimulatePrincipalPolicy"
GET_ROLE = Call("iam", "GetRole", per="account")
ACTIONS_AT_ONCE = 100
SECONDS = 120.0  # for one account

Kind = Literal["policy", "organization", "boundary", "condition", "failed"]
"""Who refuses: the caller's policies, the organization's, the boundary; a condition that only a real call meets; or
whether it is refused could not be told."""

_ANSWERED = frozenset(("absent", "missing", "raced"))  # AWS let the call in, and had nothing to show
_WORDS: tuple[tuple[str, Kind], ...] = (
    ("service control policy", "organization"),
    ("resource control policy", "organization"),
    ("permissions boundary", "boundary"),
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """An IAM action that the caller may not do, why in a few words, and whose word that is."""

    action: str
    why: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Probed:
    """How an account was looked at, in a few words, and what it refuses."""

    how: str
    refusals: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True)
class Prober:
    """Asks accounts whether the calls of a catalogue are allowed there."""

    clients: Clients
    limits: Limits
    catalogue: Catalogue

    async def probe(self, account: Account) -> Probed:
        """What the account refuses of the catalogue's calls; within SECONDS."""
        deadline = time.monotonic() + SECONDS
        wanted = self.catalogue.permissions()
        source = principal(account.arn)
        why = "the simulation knows no such caller"
        if source:
            try:
                refusals = await self._simulated(account, source, wanted, deadline)
            except (CallFailed, BadSettings, Bug) as error:
                why = f"{SIMULATED} is not to be had"
                if isinstance(error, CallFailed) and (error.why == "dead" or time.monotonic() >= deadline):
                    return Probed(why, (Refusal(SIMULATED, str(error), "failed"),))
            else:
                return Probed(f"{len(wanted)} actions simulated", tuple(refusals))
        tried, refusals = await self._tried(account, deadline)
        return Probed(
            f"{tried} services asked once each, not for every action: {why}", tuple(sorted(refusals, key=str))
        )

    # By simulation

    async def _simulated(self, account: Account, source: str, wanted: Sequence[str], deadline: float) -> list[Refusal]:
        try:
            return [each async for each in self._decisions(account, source, wanted, deadline)]
        except CallFailed as error:
            if error.code != "NoSuchEntity" or ":role/" not in source:
                raise
        # The ARN of an assumed role leaves the role's path out; IAM finds the role by its name.
        name = source.rpartition("/")[2]
        role = await self._ask(account, GET_ROLE, {"RoleName": name}, deadline)
        found = role["Role"]["Arn"]
        return [each async for each in self._decisions(account, found, wanted, deadline)]

    async def _decisions(
        self, account: Account, source: str, wanted: Sequence[str], deadline: float
    ) -> AsyncIterator[Refusal]:
        left = iter(wanted)
        while chunk := list(islice(left, ACTIONS_AT_ONCE)):
            inputs = {"PolicySourceArn": source, "ActionNames": chunk}
            async for page in pages(
                self.clients,
                self.limits,
                Target(account.id, GLOBAL, account.partition),
                SIMULATE,
                inputs,
                deadline=deadline,
                tally=self.clients.tally,
            ):
                for result in page["EvaluationResults"]:
                    if result["EvalDecision"] != "allowed":
                        yield _refusal(result)

    # By trying

    async def _tried(self, account: Account, deadline: float) -> tuple[int, list[Refusal]]:
        """How many services were asked, and what they refused."""
        refusals: list[Refusal] = []

        async def attempt(call: Call, region: str) -> None:
            if refusal := await self._attempt(account, call, region, deadline):
                refusals.append(refusal)

        calls = list(_one_a_service(self.catalogue.calls, account))
        async with anyio.create_task_group() as tasks:
            for call, region in calls:
                tasks.start_soon(attempt, call, region)
        return len(calls), refusals

    async def _attempt(self, account: Account, call: Call, region: str, deadline: float) -> Refusal | None:
        action = ", ".join(actions(call.service, call.operation))
        try:
            inputs = await self._inputs(account, call, region)
            await self._ask(account, call, inputs, deadline, region)
        except CallFailed as error:
            if error.why in _ANSWERED:
                return None
            if error.why == "denied":
                return Refusal(action, error.code, _kind(error.message))
            return Refusal(action, str(error), "failed")
        except (BadSettings, Bug) as error:
            return Refusal(action, str(error), "failed")
        return None

    async def _inputs(self, account: Account, call: Call, region: str) -> dict[str, Any]:
        """The call's first page, the smallest one where botocore's model says how small that is."""
        given = literal(call, Context(account.id, region, account.partition))
        pager = await self.clients.pager(account.id, call.service, call.operation)
        inputs = pager.first(given)
        for name in inputs.keys() - given.keys():  # the page's size
            client = await self.clients.client(call.service, account.id)
            shape = client.meta.service_model.operation_model(call.operation).input_shape.members[name]
            if shape.type_name == "integer" and "min" in shape.metadata:
                inputs[name] = max(1, shape.metadata["min"])
        return inputs

    async def _ask(
        self, account: Account, call: Call, inputs: Mapping[str, Any], deadline: float, region: str = GLOBAL
    ) -> dict[str, Any]:
        return await ask(
            self.clients,
            self.limits,
            Target(account.id, region, account.partition),
            service=call.service,
            operation=call.operation,
            inputs=inputs,
            deadline=deadline,
            tally=self.clients.tally,
        )


def principal(arn: str) -> str | None:
    """The ARN that a simulation takes for a caller's: an assumed role's role; None for what it does not take."""
    match = re.fullmatch(r"arn:([\w-]+):(iam|sts)::(\d+):([\w-]+)/(.+)", arn)
    if match is None:
        return None
    partition, service, account, kind, name = match.groups()
    if service == "sts" and kind == "assumed-role":
        return f"arn:{partition}:iam::{account}:role/{name.partition('/')[0]}"
    return arn if service == "iam" and kind in {"user", "role"} else None


def _kind(message: str) -> Kind:
    """Whose word a denial is, by AWS's text."""
    for words, kind in _WORDS:
        if words in message:
            return kind
    return "policy"


def _refusal(result: Mapping[str, Any]) -> Refusal:
    """What one decision of the simulation says."""
    action = result["EvalActionName"]
    if missing := result.get("MissingContextValues"):
        return Refusal(action, f"it depends on {', '.join(sorted(missing))}, which a simulation lacks", "condition")
    if not result.get("OrganizationsDecisionDetail", {}).get("AllowedByOrganizations", True):
        return Refusal(action, "a service control policy does not allow it", "organization")
    if not result.get("PermissionsBoundaryDecisionDetail", {}).get("AllowedByPermissionsBoundary", True):
        return Refusal(action, "the permissions boundary does not allow it", "boundary")
    if result["EvalDecision"] == "explicitDeny":
        names = sorted({each.get("SourcePolicyId", "") for each in result.get("MatchedStatements", ())} - {""})
        return Refusal(action, f"denied by {', '.join(names) or 'a policy'}", "policy")
    return Refusal(action, "no policy allows it for all resources", "policy")


def _one_a_service(calls: Sequence[Call], account: Account) -> Iterator[tuple[Call, str]]:
    """The first listing of each service, with the region to try it in; none where the account has no region."""
    home = regions.home("ec2", account.partition)
    region = home if home in account.regions else next(iter(account.regions), "")
    seen: set[str] = set()
    for call in calls:
        where = region if call.per == "region" else GLOBAL
        if where and call.service not in seen:
            seen.add(call.service)
            yield call, where
