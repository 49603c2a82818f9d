"""IAM's policy language: documents, their statements, and whom a trust policy lets in. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal, NamedTuple
from urllib.parse import unquote

from skysweep.aws._common import listed

Kind = Literal["everyone", "root", "role", "user", "service", "federated", "other"]

_PRINCIPAL = re.compile(
    r"arn:(?P<partition>[a-z-]+):(?P<service>iam|sts)::(?P<account>\d{12}):(?P<type>[a-z-]+)(?:/(?P<name>.+))?\Z"
)
_ACCOUNT = re.compile(r"\d{12}\Z")


class Principal(NamedTuple):
    """Whom a policy names: what it is, as the ARN tells, its key (an ARN, a service's or provider's name, or ``*``).

    account is the twelve digits of its account, empty where it has none. A role's key is its ARN; a session of a role
    does not tell the role's path, so that its key is empty and `pathless` alone says which role it is.
    """

    kind: Kind
    key: str
    account: str = ""
    pathless: str = ""


class Trust(NamedTuple):
    """That one statement lets in one principal: for which actions, and on which condition (None: on none)."""

    principal: Principal
    actions: list[str]
    condition: Mapping[str, Any] | None


def document(text: Any) -> Mapping[str, Any]:
    """A policy document as IAM sends it (URL-encoded JSON), as JSON, or parsed already. Raises ValueError otherwise."""
    if isinstance(text, Mapping):
        return text
    if not isinstance(text, str):
        raise ValueError(f"{str(text)[:80]!r} is no policy")  # noqa: TRY004 - one error for every broken policy
    # A literal % in a document that is not encoded must not be decoded.
    parsed = json.loads(text if text.lstrip().startswith("{") else unquote(text))
    if not isinstance(parsed, Mapping):
        raise ValueError(f"{text[:80]!r} is no policy")  # noqa: TRY004 - as above
    return parsed


def as_json(text: Any) -> str:
    """The document as JSON text, whichever way it came."""
    return json.dumps(document(text))


def statements(policy: str, text: Any) -> Iterator[dict[str, Any]]:
    """The statements of a policy's document; an id is the policy's and the Sid, or the number among those without one.

    Elements are lists of texts; Condition is JSON text, a list of one. Elements that are not there are left out.
    """
    taken: set[str] = set()
    unnamed = 0
    for statement in listed(document(text).get("Statement")):
        sid = statement.get("Sid") or None
        if sid is None:
            unnamed += 1
        name = _free(str(sid or unnamed), taken)
        lists = ("Action", "NotAction", "Resource", "NotResource")
        made: dict[str, Any] = {key: listed(statement[key]) for key in lists if key in statement}
        if "Condition" in statement:
            made["Condition"] = json.dumps(listed(statement["Condition"]))
        yield {"id": f"{policy}/statement/{name}", "Effect": statement.get("Effect"), "Sid": sid, **made}


@lru_cache(maxsize=64)  # the statements are a type, and whom they let in are others
def resource_statements(resource: str, text: str) -> tuple[dict[str, Any], ...]:
    """The statements of the policy that hangs on a resource, as they stand there, each with an id made of its ARN."""
    taken: set[str] = set()
    named = (
        (statement, _free(str(statement.get("Sid") or number), taken))
        for number, statement in enumerate(listed(document(text).get("Statement")), 1)
    )
    return tuple({**statement, "id": f"{resource}/policy_statement/{name}"} for statement, name in named)


def _free(name: str, taken: set[str]) -> str:
    """A Sid may be the number of a statement that has none: two statements are never one node."""
    while name in taken:
        name += "+"
    taken.add(name)
    return name


@lru_cache(maxsize=4096)  # an estate's policies name the same few over and over
def principal(kind: str, name: str, partition: str) -> Principal:
    """What a principal of a policy is; `kind` is its element (AWS, Service, Federated, CanonicalUser)."""
    if kind == "Service":
        return Principal("service", name)
    if kind == "Federated":
        return Principal("federated", name)
    if kind != "AWS":
        return Principal("other", name)
    if name == "*":
        return Principal("everyone", name)
    if _ACCOUNT.match(name):
        name = f"arn:{partition}:iam::{name}:root"
    match = _PRINCIPAL.match(name)
    return _of_arn(name, match) if match else Principal("other", name)


def _of_arn(arn: str, match: re.Match[str]) -> Principal:
    account, name = match["account"], match["name"]
    pathless = f"arn:{match['partition']}:iam::{account}:role/"
    match (match["service"], match["type"], name):
        case ("iam", "root", None):
            return Principal("root", arn, account)
        case ("iam", "role", str()):
            return Principal("role", arn, account, pathless + name.rpartition("/")[2])
        case ("iam", "user", str()):
            return Principal("user", arn, account)
        case ("sts", "assumed-role", str()):
            return Principal("role", "", account, pathless + name.partition("/")[0])
        case _:
            return Principal("other", arn, account)


def trusts(text: Any, partition: str) -> tuple[Trust, ...]:
    """Whom a trust policy lets in, by statement; NotPrincipal lets in everyone but a few, which is everyone."""
    return _cached(text, partition) if isinstance(text, str) else tuple(_trusts(text, partition))


@lru_cache(maxsize=2048)  # one document makes an edge of each kind, and the principals themselves
def _cached(text: str, partition: str) -> tuple[Trust, ...]:
    return tuple(_trusts(text, partition))


def _trusts(text: Any, partition: str) -> Iterator[Trust]:
    for statement in listed(document(text).get("Statement")):
        if statement.get("Effect") == "Allow":
            actions, condition = listed(statement.get("Action")), statement.get("Condition") or None
            for each in _principals(statement, partition):
                yield Trust(each, actions, condition)


def _principals(statement: Mapping[str, Any], partition: str) -> list[Principal]:
    if "NotPrincipal" in statement:
        return [Principal("everyone", "*")]
    named = statement.get("Principal")
    by_kind = named.items() if isinstance(named, Mapping) else [("AWS", named)]
    return [principal(kind, name, partition) for kind, names in by_kind for name in listed(names)]


def admitted(statement: Mapping[str, Any], partition: str) -> list[Principal]:
    """Whom a statement lets in, each once: nobody, where it denies."""
    return list(dict.fromkeys(_principals(statement, partition))) if statement.get("Effect") == "Allow" else []


def terms(given: Sequence[Trust]) -> dict[str, Any]:
    """What several trusts in one principal come to: all their actions, and their conditions where none is without.

    condition is the JSON list of the conditions, of which any one is enough; None where one trust has none.
    """
    actions = sorted({action for trust in given for action in trust.actions})
    conditions: list[Mapping[str, Any] | None] = []
    for trust in given:
        if trust.condition not in conditions:
            conditions.append(trust.condition)
    return {"actions": actions, "condition": None if None in conditions else json.dumps(conditions)}
