"""Stored AWS replies as the wire: what `calls.Walk` asks is answered from tests/replies/<service>/<Operation>.json.

A file is one reply, or a list of answers: {"inputs": {…some of the call's inputs…}, "reply": {…} | "error": "Code"};
the first whose inputs all agree is taken. Timestamps are ISO texts; every reply is checked against botocore's shape.
"""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from skysweep import lint
from skysweep.errors import CallFailed
from skysweep.model import Call
from skysweep.plan import Target

REPLIES = Path(__file__).parent / "replies"


def path(call: Call) -> Path:
    return REPLIES / call.service / f"{call.operation}.json"


@cache
def answers(call: Call) -> list[dict[str, Any]]:
    """The stored answers of an operation, typed as botocore would."""
    stored = json.loads(path(call).read_text())
    listed = stored if isinstance(stored, list) else [{"inputs": {}, "reply": stored}]
    shape = lint.operation_model(call).output_shape
    for answer in listed:
        if "reply" in answer:
            answer["reply"] = typed(answer["reply"], shape, f"{call}") if shape else {}
    return listed


async def ask(
    target: Target, call: Call, inputs: Mapping[str, Any], region: str | None
) -> AsyncIterator[Mapping[str, Any]]:
    """`calls.Ask` over the stored replies."""
    del target, region
    for answer in answers(call):
        if all(inputs.get(key) == value for key, value in answer.get("inputs", {}).items()):
            if "error" in answer:
                raise CallFailed("missing" if answer["error"] in call.missing else "failed", answer["error"], "stored")
            yield answer["reply"]
            return
    raise AssertionError(f"{path(call)} has no answer for {dict(inputs)}")


def typed(value: Any, shape: Shape, where: str) -> Any:
    """A stored value as botocore would have parsed it. Raises AssertionError where it is not in the shape."""
    if isinstance(shape, StructureShape):
        assert isinstance(value, dict), f"{where} is no structure"
        unknown = set(value) - set(shape.members)
        assert not unknown, f"{where} has no {', '.join(sorted(unknown))}"
        return {name: typed(each, shape.members[name], f"{where}.{name}") for name, each in value.items()}
    if isinstance(shape, ListShape):
        assert isinstance(value, list), f"{where} is no list"
        return [typed(each, shape.member, f"{where}[]") for each in value]
    if isinstance(shape, MapShape):
        return {key: typed(each, shape.value, f"{where}.{key}") for key, each in value.items()}
    if shape.type_name == "timestamp":
        moment = datetime.fromisoformat(value)
        assert moment.tzinfo, f"{where} is a time without its zone"
        return moment
    if shape.type_name == "blob":
        return base64.b64decode(value)
    kinds: dict[str, tuple[type, ...]] = {
        "string": (str,),
        "boolean": (bool,),
        "float": (int, float),
        "double": (int, float),
    }
    kind = kinds.get(shape.type_name, (int,))
    assert isinstance(value, kind), f"{where} is {value!r}, but AWS sends a {shape.type_name}"
    return value
