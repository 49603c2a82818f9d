"""A compiled decoder makes of a reply what botocore's parsers make of it, whatever stands in it."""

# ruff: noqa: S314, S311 - our own XML, moments of no secret, and the parsers' inner parts side by side

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from random import Random
from typing import Any
from xml.etree import ElementTree as ET

import anyio
import pytest
from botocore.session import Session
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.fakeaws import Estate, render
from benchmarks.fakeaws.answers import Answers
from benchmarks.fakeaws.estate import ONCE, WEIGHTS
from benchmarks.fakeaws.models import operation
from skysweep import calls, catalogue, replies, turns
from skysweep.decoding import timestamp
from skysweep.model import Call, Context
from skysweep.paths import Spoiled
from skysweep.replies import ParserFactory

ACCOUNT, REGION = "100000000000", "us-east-1"
HERE = Context(ACCOUNT, REGION, "aws")
WHEN = "Mon, 01 Jan 2024 00:00:00 GMT"
ODD = (
    "",
    " ",
    "abc",
    "-1",
    "true",
    "TRUE",
    "1e999",
    "2024-13-01",
    "Mon, 01 Jan 2024 00:00:00 GMT",
    "AA==",
    "%7B%7D",
    "☃",
)


@cache
def bodies() -> dict[str, tuple[Any, bytes]]:
    """A reply to each listing whose body holds it all, of some items, with the operation's model."""
    estate = Estate(seed=3)
    for listing in (*WEIGHTS, *ONCE):
        estate.put(ACCOUNT, REGION, listing, *range(1 if listing in ONCE else 3))
    answers, found = Answers(estate), {}
    for call in catalogue.load().calls:
        model = _model(call)
        if not replies._is_body_alone(model.output_shape):
            continue
        asked = operation(call.service, call.operation)
        reply, _ = answers.reply(asked, calls.literal(call, HERE), ACCOUNT, REGION, whole=True)
        found[f"{call} {call.literal}"] = (model, render.body(asked, reply))
    return found


@cache
def _service(name: str) -> Any:
    return Session().get_service_model(name)


def _model(call: Call) -> Any:
    return _service(call.service).operation_model(call.operation)


async def parsed(model: Any, body: bytes) -> Any:
    """What the parser makes of a body, less botocore's metadata."""
    parser = ParserFactory().create_parser(model.service_model.resolved_protocol)
    response = {"headers": {}, "status_code": 200, "body": body, "context": {"operation_name": model.name}}
    found = await parser.parse(response, model.output_shape)
    return {name: value for name, value in found.items() if name != "ResponseMetadata"}


def slowly(model: Any, node: Any) -> Any:
    """What botocore makes of a body that was read already, strictly."""
    parser = ParserFactory().create_parser(model.service_model.resolved_protocol)
    parser._shape = model.output_shape  # as `parse` sets it; without success nothing is compiled
    return parser._parse_shape(model.output_shape, node)


def fast(model: Any, node: Any) -> Any:
    parser: Any = type(ParserFactory().create_parser(model.service_model.resolved_protocol))
    return replies._decoder(parser, model.output_shape).decode(node)


def told(value: Any) -> Any:
    """The value with its marks made comparable, and NaN."""
    if isinstance(value, Spoiled):
        return "spoiled", value.text
    if isinstance(value, dict):
        return {key: told(each) for key, each in value.items()}
    if isinstance(value, list):
        return [told(each) for each in value]
    return repr(value) if isinstance(value, float) else value


@pytest.mark.parametrize("name", [*bodies()])
async def test_every_listing_is_read_as_botocore_reads_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model, body = bodies()[name]
    node = json.loads(body) if body[:1] in {b"{", b"["} else ET.fromstring(body)
    wrapper = model.output_shape.serialization.get("resultWrapper")
    inner = next(each for each in node if each.tag.endswith(wrapper)) if wrapper else node
    whole = slowly(model, inner)
    assert told(fast(model, inner)) == told(whole)
    assert told(await parsed(model, body)) == told(whole)
    monkeypatch.setattr(replies, "LARGE", 64)
    assert told(await parsed(model, body)) == told(whole), "in turns with others"


SOME = [name for name in bodies() if any(word in name for word in ("DescribeInstances", "GetAccountAuth", "DBInst"))]
JSONS = [name for name in bodies() if any(word in name for word in ("ListFunctions", "ListAliases", "ListEventSource"))]


@given(name=st.sampled_from(SOME), seed=st.integers(0, 2**32))
def test_whatever_stands_in_xml_is_read_or_marked_alike(name: str, seed: int) -> None:
    model, body = bodies()[name]
    root = ET.fromstring(body)
    wrapper = model.output_shape.serialization.get("resultWrapper")
    inner = next(each for each in root if each.tag.endswith(wrapper)) if wrapper else root
    random = Random(seed)
    for element in random.sample([*inner.iter()][1:], 5):
        spoil(element, random)
    assert told(fast(model, inner)) == told(slowly(model, inner))


def spoil(element: ET.Element, random: Random) -> None:
    """Does one of the things to an element that no AWS should do."""
    match random.randrange(4):
        case 0:
            element.clear()
            element.text = random.choice(ODD)
        case 1 if len(element):
            element.append(random.choice([*element]))
        case 2:
            ET.SubElement(element, "{urn:other}item").text = random.choice(ODD)
        case _:
            element.tag = "unknown"


@given(name=st.sampled_from(JSONS), seed=st.integers(0, 2**32))
def test_whatever_stands_in_json_is_read_or_marked_alike(name: str, seed: int) -> None:
    model, body = bodies()[name]
    node, random = json.loads(body), Random(seed)
    odd = [None, [], {}, [None], {"a": None}, True, 2**70, float("nan"), *ODD]
    for holder, key in random.sample([*places(node)], 5):
        holder[key] = random.choice(odd)
    assert told(fast(model, node)) == told(slowly(model, node))


def places(node: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a document where a value stands."""
    pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in pairs:
        yield node, key
        yield from places(value)


async def test_a_large_reply_lets_others_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "SLICE", 0.0)
    monkeypatch.setattr(replies, "LARGE", 64)
    model, body = next(each for name, each in bodies().items() if "DescribeInstances" in name)
    ran = 0

    async def other() -> None:
        nonlocal ran
        while True:
            ran += 1
            await anyio.lowlevel.checkpoint()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(other)
        await parsed(model, body)
        tasks.cancel_scope.cancel()
    assert ran > len(body) / 64


def test_a_timestamp_is_read_in_every_form() -> None:
    assert timestamp("2024-01-01T00:00:00Z") == timestamp(1704067200) == timestamp(WHEN)
