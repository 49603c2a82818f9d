"""What a resource's policy lets a stranger do: somebody on the internet, in no account and no network of ours.

Our own parse, not policyuniverse: that is 8 MB of action tables, last released in 2023, and it knows neither Deny nor
public access blocks nor IfExists. The rules are AWS's "meaning of public" for S3, taken for all services, with two
sharpenings where AWS counts as public what no stranger can use: an ARN key that fixes the account, and a Deny that
spares only our own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any, Literal, TypeAlias

from skysweep.analysis.networks import ENOUGH, FAMILIES, INTERNET, intersect, is_internet, parse, size

Patterns: TypeAlias = tuple[str, ...]

# Keys that a stranger's request does not carry, or carries with a value that is not ours.
_IDENTITY_KEYS = frozenset(
    {
        "aws:principalaccount",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:sourceaccount",
        "aws:sourceorgid",
        "aws:sourceorgpaths",
        "aws:sourceowner",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:userid",
        "aws:vpceaccount",
        "aws:vpceorgid",
        "kms:calleraccount",
        "s3:dataaccesspointaccount",
        "s3:x-amz-server-side-encryption-aws-kms-key-id",
    }
)
_ARN_KEYS = frozenset({"aws:principalarn", "aws:sourcearn", "aws:sourcevpcarn", "s3:dataaccesspointarn"})
_ADDRESS_KEYS = frozenset({"aws:sourceip"})
# True only of a request from a network of ours.
_INSIDE_KEYS = frozenset({"elasticfilesystem:accessedviamounttarget"})
_EQUALS = frozenset({"stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike", "ipaddress"})
_DIFFERS = frozenset(
    {"stringnotequals", "stringnotequalsignorecase", "stringnotlike", "arnnotequals", "arnnotlike", "notipaddress"}
)
_VARIABLE = re.compile(r"[*?]|\$\{")
# No wildcard before the account: StringLike lets a star run over colons.
_ACCOUNT_ARN = re.compile(r"arn:[a-z-]+:[a-z0-9-]+:[a-z0-9-]*:\d{12}:")
# The widest source that S3 still calls fixed: a /8 of IPv4, a /32 of IPv6.
_WIDEST_FIXED = {4: 2**24, 6: 2**96}


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement of a policy, every element a tuple; exactly one of each Not- pair is filled."""

    effect: Literal["Allow", "Deny"]
    principal: Patterns
    not_principal: Patterns
    action: Patterns
    not_action: Patterns
    resource: Patterns
    not_resource: Patterns
    condition: tuple[tuple[str, str, Patterns], ...]  # (operator, key, values), keys and operators in lower case


def parse_policy(text: str) -> tuple[Statement, ...]:
    """Read a policy's JSON; raises ValueError for a text that is no policy."""
    document = json.loads(text)
    if not isinstance(document, dict):
        raise ValueError("a policy is a JSON object")  # noqa: TRY004 - one error for every broken policy
    statements = document.get("Statement", [])
    return tuple(_statement(item) for item in (statements if isinstance(statements, list) else [statements]))


def _statement(item: Any) -> Statement:
    if not isinstance(item, Mapping) or item.get("Effect") not in {"Allow", "Deny"}:
        raise ValueError("a policy statement is an object with an Effect of Allow or Deny")
    return Statement(
        effect=item["Effect"],
        principal=_principals(item.get("Principal")),
        not_principal=_principals(item.get("NotPrincipal")),
        action=_strings(item.get("Action")),
        not_action=_strings(item.get("NotAction")),
        resource=_strings(item.get("Resource")),
        not_resource=_strings(item.get("NotResource")),
        condition=tuple(_clauses(item.get("Condition") or {})),
    )


def _strings(value: Any) -> Patterns:
    if value is None:
        return ()
    values = value if isinstance(value, list) else [value]
    # JSON booleans and numbers may stand for strings in conditions: "true" and true are the same to IAM.
    return tuple(v if isinstance(v, str) else json.dumps(v) for v in values)


def _principals(value: Any) -> Patterns:
    # {"AWS": "*"} is everyone, as "*" is; a star for a service or a federation is not a stranger.
    return tuple(
        principal if kind == "AWS" else f"{kind}:{principal}"
        for kind, names in (value.items() if isinstance(value, Mapping) else [("AWS", value)])
        for principal in _strings(names)
    )


def _clauses(condition: Any) -> Iterator[tuple[str, str, Patterns]]:
    if not isinstance(condition, Mapping):
        raise ValueError("a policy's Condition is an object")  # noqa: TRY004 - as above
    for operator, keys in condition.items():
        if not isinstance(keys, Mapping):
            raise ValueError(f"the condition operator {operator} holds no keys")  # noqa: TRY004 - as above
        for key, values in keys.items():
            yield operator.lower(), key.lower(), _strings(values)


def is_public(statements: tuple[Statement, ...]) -> bool:
    """Tell whether S3 calls the policy public: some Allow that is not held to fixed values, whatever is denied."""
    return any(_allows_strangers(statement) for statement in statements)


def anonymous_actions(statements: tuple[Statement, ...], everything: str = "s3:*") -> frozenset[str]:
    """Give the actions that a stranger is allowed, patterns as the policy writes them (`s3:Get*` stays `s3:Get*`).

    An action leaves only when a Deny that holds for every stranger covers the whole of it on each of its resources.
    Allow with NotAction is given as `everything` that the service has: all but a few.
    """
    denies = [statement for statement in statements if _denies_strangers(statement)]
    return frozenset(
        action
        for statement in statements
        if _allows_strangers(statement)
        for action in statement.action or (everything,)
        if not all(_denied(action, resource, denies) for resource in statement.resource or ("*",))
    )


def _allows_strangers(statement: Statement) -> bool:
    # Allow with NotPrincipal admits everyone but a few.
    everyone = "*" in statement.principal or bool(statement.not_principal)
    return statement.effect == "Allow" and everyone and not any(_stops_strangers(*c) for c in statement.condition)


def _denies_strangers(statement: Statement) -> bool:
    everyone = "*" in statement.principal or bool(statement.not_principal)
    return statement.effect == "Deny" and everyone and all(_meets_strangers(*c) for c in statement.condition)


def _stops_strangers(operator: str, key: str, values: Patterns) -> bool:
    """Tell whether a clause is false for every stranger: equality with fixed values that are ours."""
    # An absent key satisfies ForAllValues and IfExists; only the address is never absent.
    lenient = operator.startswith("forallvalues:") or operator.endswith("ifexists")
    if key in _INSIDE_KEYS:
        return _base(operator) == "bool" and values == ("true",) and not lenient
    return _base(operator) in _EQUALS and _are_fixed(key, values) and (not lenient or key in _ADDRESS_KEYS)


def _meets_strangers(operator: str, key: str, values: Patterns) -> bool:
    """Tell whether a clause is true for every stranger: difference from fixed values that are ours."""
    if operator.startswith("foranyvalue:"):
        return False  # an absent key fails it
    return _base(operator) in _DIFFERS and _are_fixed(key, values)


def _base(operator: str) -> str:
    return operator.rpartition(":")[2].removesuffix("ifexists")


def _are_fixed(key: str, values: Patterns) -> bool:
    """Tell whether all values of a condition key are fixed, so that they name somebody in particular."""
    if not values:
        return False
    if key in _ADDRESS_KEYS:
        return _are_fixed_addresses(values)
    if key in _ARN_KEYS:
        return all(_ACCOUNT_ARN.match(value) or not _VARIABLE.search(value) for value in values)
    if key == "aws:userid":  # AROAEXAMPLEID:* is one role, whatever its sessions are called
        return all(not _VARIABLE.search(value.removesuffix(":*")) for value in values)
    return key in _IDENTITY_KEYS and not any(_VARIABLE.search(value) for value in values)


def _are_fixed_addresses(values: Patterns) -> bool:
    try:
        networks = [ip_network(value, strict=False) for value in values]
    except ValueError:  # a wildcard or a policy variable in place of a CIDR
        return False
    for family in FAMILIES:
        own = [parse(family, [str(net)]) for net in networks if net.version == family]
        if any(size(intersect(ranges, INTERNET[family])) > _WIDEST_FIXED[family] for ranges in own):
            return False
        together = parse(family, values)
        if is_internet(family, together) and size(together) > max(_WIDEST_FIXED[family], ENOUGH[family]):
            return False
    return True


def _denied(action: str, resource: str, denies: list[Statement]) -> bool:
    return any(_covers_action(deny, action) and _covers_resource(deny, resource) for deny in denies)


def _covers_action(deny: Statement, action: str) -> bool:
    if deny.not_action:
        literal = not _VARIABLE.search(action)
        return literal and not any(_covers(pattern.lower(), action.lower()) for pattern in deny.not_action)
    return any(_covers(pattern.lower(), action.lower()) for pattern in deny.action)


def _covers_resource(deny: Statement, resource: str) -> bool:
    # A Deny by NotResource spares something: whether that is all of the allowed part is not worth guessing.
    return any(_covers(pattern, resource) for pattern in deny.resource)


def _covers(pattern: str, other: str) -> bool:
    """Tell whether everything that `other` matches is matched by `pattern`: `?` must not swallow a `*`."""
    parts = {"*": ".*", "?": r"[^*]"}
    return re.fullmatch("".join(parts.get(char) or re.escape(char) for char in pattern), other, re.DOTALL) is not None
