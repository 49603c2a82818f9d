"""Small things that several services' declarations share."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from skysweep.model import Context, Function, Record
from skysweep.paths import reader


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


def kms_key(path: str) -> Function:
    """The function that reads the ARN of the KMS key named at `path`, whichever of a key's names stands there."""
    read = reader(path)

    def answer(record: Record) -> str | None:
        key = read(record)
        return kms_arn(key, record.context) if key else None

    answer.__doc__ = f"The ARN of the key at {path}."
    return answer


def log_group_arn(told: str, context: Context) -> str:
    """The ARN of a log group that an API names, or whose ARN it gives with ``:*`` for the streams in it."""
    if told.startswith("arn:"):
        return told.removesuffix(":*")
    return f"arn:{context.partition}:logs:{context.region}:{context.account}:log-group:{told}"


def always(text: str) -> Function:
    """The function that answers the same for every record: for what AWS's documentation says of all of a kind."""

    def answer(record: Record) -> str:
        del record
        return text

    answer.__doc__ = f"Always {text}."  # what the schema page says of it
    return answer


def epoch(moment: datetime) -> int:
    """Whole seconds since 1970, as Cartography writes some times."""
    return int(moment.timestamp())


def moment(milliseconds: int) -> datetime:
    """The time that is so many milliseconds after 1970."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def is_true(text: str) -> bool:
    """The truth of an attribute that AWS sends as a text."""
    return text.lower() == "true"


def last_part(arn: str) -> str:
    """What stands after the last colon: the name, in the ARNs of topics and queues."""
    return arn.rpartition(":")[2]


def function_arn(arn: str) -> str:
    """The ARN of a Lambda function, without the version or alias that one of its names may end in."""
    return ":".join(arn.split(":")[:7])


_PROCESSORS = {
    **dict.fromkeys(("x86_64", "x86-64", "x64"), "amd64"),
    **dict.fromkeys(("aarch64", "arm64/v8"), "arm64"),
    **dict.fromkeys(("i386", "x86"), "386"),
}
_CANONICAL = frozenset({"amd64", "arm64", "arm", "386", "ppc64le", "s390x", "riscv64"})


def processor(name: str) -> str:
    """What container images call a processor architecture; ``unknown`` where it is none of theirs."""
    lowered = name.strip().lower()
    known = _PROCESSORS.get(lowered, "arm" if lowered.startswith(("armv7", "arm/v7")) else lowered)
    return known if known in _CANONICAL else "unknown"
