"""Small things that several services' declarations share."""

from __future__ import annotations

from typing import Any

from skysweep.model import Context


def listed(value: Any) -> list[Any]:
    """What AWS's policy language writes as one or as a list, as a list."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def kms_arn(key: str, context: Context, region: str = "") -> str:
    """The ARN of a KMS key that an API names by its ARN, an alias or its bare id."""
    if key.startswith("arn:"):
        return key
    resource = key if key.startswith("alias/") else f"key/{key}"
    return f"arn:{context.partition}:kms:{region or context.region}:{context.account}:{resource}"
