"""Parsers that take a reply for what it is: half of one is refused, a leaf that cannot be read is marked.

botocore's read half a reply as an empty one, which would license the deletion of all that it used to list; and one odd
value in a page of a thousand records costs them the page.
"""

from __future__ import annotations

from functools import lru_cache
from json import JSONDecodeError, loads
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import XMLParser

import orjson
from aiobotocore import parsers
from botocore.handlers import decode_quoted_jsondoc
from botocore.parsers import BaseXMLResponseParser, ResponseParserError, RestJSONParser

from skysweep.decoding import POLICY, Json, RestJson, Whole, Xml, boolean, is_text, tag_of, timestamp, words
from skysweep.paths import Spoiled
from skysweep.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LARGE = 256 * 1024  # bytes that are taken apart in one go, 5 ms or so
CONTAINERS = frozenset({"structure", "list", "map"})
_BARE_ROOTS = {
    "GetBucketAccelerateConfiguration": "AccelerateConfiguration",
    "GetBucketCors": "CORSConfiguration",
    "GetBucketLifecycleConfiguration": "LifecycleConfiguration",
    "GetBucketLocation": "LocationConstraint",
    "GetBucketLogging": "BucketLoggingStatus",
    "GetBucketNotificationConfiguration": "NotificationConfiguration",
    "GetBucketRequestPayment": "RequestPaymentConfiguration",
    "GetBucketVersioning": "VersioningConfiguration",
    "GetBucketWebsite": "WebsiteConfiguration",
}
"""Outermost elements of S3's that may hold nothing, and that botocore's model does not name."""


class _Strict(parsers.AioResponseParser):  # type: ignore[misc]  # aiobotocore has no types
    """Refuses what botocore reads as an empty reply: no body where there must be one, JSON cut off, another's page."""

    _succeeded = False
    _operation = ""
    _shape: Any = None

    async def parse(self, response: Mapping[str, Any], shape: Any) -> Any:
        self._shape, self._operation = shape, response.get("context", {}).get("operation_name", "")
        self._succeeded = 200 <= response["status_code"] < 300  # noqa: PLR2004 - HTTP's success
        try:
            _check_body(response, shape)
            if self._succeeded and len(response["body"]) > LARGE and _is_body_alone(shape):
                parsed = await self._in_turns(response["body"], shape)
            else:
                parsed = await super().parse(response, shape)
        except ResponseParserError:
            raise
        except Exception as error:  # whatever an unexpected body does inside botocore's parsers
            raise ResponseParserError(f"the reply cannot be read ({type(error).__name__})") from error
        if parsed is None:
            raise ResponseParserError("the reply is null")
        payload = shape.serialization.get("payload") if self._succeeded and shape is not None else None
        if isinstance(parsed, Spoiled) or isinstance(parsed.get(payload), Spoiled):
            raise ResponseParserError(f"the reply is none of {self._operation}'s")
        return parsed

    async def _in_turns(self, body: bytes, shape: Any) -> Any:
        """What `parse` makes of a large reply, in turns with others: it would hold them all up."""
        raise NotImplementedError

    def _whole(self, shape: Any) -> Whole:
        parser: Any = type(self)
        return _decoder(parser, shape)

    def _parse_shape(self, shape: Any, node: Any) -> Any:
        """What botocore makes of a node, or a mark where it makes nothing: the smallest part that cannot be read."""
        try:
            if shape is self._shape and self._succeeded:
                return self._whole(shape).decode(node)
            # S3's root may be a text; a flattened list of one is its item itself.
            plain = shape is not self._shape and not shape.serialization.get("flattened")
            if plain and self._is_odd(shape.type_name, node):
                return Spoiled(words(node))
            parser: Any = self  # botocore's base has the handlers
            handler = getattr(parser, f"_handle_{shape.type_name}", parser._default_handle)  # noqa: SLF001
            value = handler(shape, node)
            return decode_quoted_jsondoc(value) if shape.name == POLICY else value
        except Exception:  # noqa: BLE001 - whatever an odd leaf does inside botocore's parsers
            return Spoiled(words(node))

    def _is_odd(self, kind: str, node: Any) -> bool:
        """Whether a node cannot be of this kind, though botocore would find something in it."""
        raise NotImplementedError


class _StrictJson(_Strict):
    """The JSON protocols' part."""

    async def _in_turns(self, body: bytes, shape: Any) -> Any:
        return await self._whole(shape).in_turns(self._parse_body_as_json(body)) | {"ResponseMetadata": {}}

    def _is_odd(self, kind: str, node: Any) -> bool:
        return kind == "list" and type(node) is not list and node is not None  # else it lists letters, or keys

    def _parse_body_as_json(self, body: bytes) -> Any:
        if not body:
            return {}
        parsed = self._loads(body)
        # An object without any member is left alone: SQS and others send it for an empty listing.
        if self._succeeded and isinstance(parsed, dict) and not _belongs(self._shape, parsed):
            raise ResponseParserError(f"the reply is none of {self._operation}'s")
        return parsed

    def _loads(self, body: bytes) -> Any:
        try:
            return orjson.loads(body)
        except ValueError:
            pass  # numbers beyond 64 bits, NaN: Python's parser knows them
        try:
            return loads(body)
        except (JSONDecodeError, UnicodeDecodeError) as error:
            if self._succeeded:
                raise ResponseParserError(f"the reply is not JSON: {error}") from error
            return {"message": body.decode(errors="replace")}


class _StrictXml(_Strict):
    """The XML protocols' part."""

    async def _in_turns(self, body: bytes, shape: Any) -> Any:
        dom, turns = XMLParser(encoding="utf-8"), Turns()  # noqa: S314 - expat refuses what is meant by it; botocore's parser, too
        for start in range(0, len(body), LARGE):
            dom.feed(body[start : start + LARGE])
            await turns.next()
        root = self._checked(dom.close())
        wrapper = shape.serialization.get("resultWrapper")
        if wrapper is not None:
            [root] = [child for child in root if tag_of(child) == wrapper]
        return await self._whole(shape).in_turns(root) | {"ResponseMetadata": {}}

    def _is_odd(self, kind: str, node: Any) -> bool:
        # A list is what repeats in the XML; a text stands for itself, and for headers.
        if kind in CONTAINERS:
            return type(node) is not list and is_text(node)
        return type(node) is not str and (type(node) is list or len(node) > 0)

    def _handle_boolean(self, _shape: Any, node: Any) -> bool:
        return boolean(getattr(node, "text", node) or "")

    def _parse_xml_string_to_dom(self, body: bytes) -> Any:
        beneath: Any = super()  # the XML protocols' parsers alone have it
        return self._checked(beneath._parse_xml_string_to_dom(body))  # noqa: SLF001 - the base class's own

    def _checked(self, root: Any) -> Any:
        if self._succeeded and not self._is_root(root):
            raise ResponseParserError(f"the reply is none of {self._operation}'s")
        return root

    def _is_root(self, root: Any) -> bool:
        """Whether the reply's outermost element is one that the operation answers with."""
        tag = tag_of(root)
        if isinstance(self, parsers.AioEC2QueryParser):
            return tag == f"{self._operation}Response"
        if not isinstance(self, parsers.AioRestXMLParser):
            return True  # the query protocol's result wrapper is looked for by botocore
        shape = _body_shape(self._shape)
        if shape is None or tag == _BARE_ROOTS.get(self._operation) or _knows(self._shape, map(tag_of, root)):
            return True
        short = self._operation.removesuffix("Configuration")  # as moto names some
        own = {f"{name}{end}" for name in (self._operation, short) for end in ("Response", "Result")}
        return tag in own | {shape.name, shape.serialization.get("name")}


def _body_shape(shape: Any) -> Any:
    """What the body holds by the model: the payload member's shape where there is one, else the reply's own."""
    if shape is None:
        return None
    payload = shape.serialization.get("payload")
    return shape.members[payload] if payload else shape


def _knows(shape: Any, names: Iterable[str]) -> bool:
    """Whether one of the names is a member's of the body, or the model has no members to know them by."""
    members = getattr(_body_shape(shape), "members", {})
    known = {each.serialization.get("name", name) for name, each in members.items() if _in_body(each)}
    # A flattened list stands in the body by its items' name.
    known |= {
        each.member.serialization["name"]
        for each in members.values()
        if each.type_name == "list" and each.serialization.get("flattened") and "name" in each.member.serialization
    }
    return not known or not known.isdisjoint(names)


def _belongs(shape: Any, parsed: Mapping[str, Any]) -> bool:
    """Whether a JSON object is what the operation answers: one without members only where no list is required."""
    if parsed:
        return _knows(shape, parsed)
    return shape is None or all(shape.members[name].type_name != "list" for name in shape.required_members)


def _in_body(member: Any) -> bool:
    return "location" not in member.serialization


@lru_cache(maxsize=1024)
def _is_body_alone(shape: Any) -> bool:
    """Whether a reply of this shape is in its body alone, which is no stream and no member's own."""
    if shape is None or shape.serialization.get("payload") or shape.serialization.get("eventstream"):
        return False
    return not shape.is_tagged_union and all(map(_in_body, shape.members.values()))


def _check_body(response: Mapping[str, Any], shape: Any) -> None:
    if response["status_code"] in {200, 201, 202} and not response["body"] and _has_body(shape):
        raise ResponseParserError("the reply has no body")


def _has_body(shape: Any) -> bool:
    """Whether a reply of this shape must have a body: members that are not headers, nor one text or blob."""
    if shape is None or getattr(shape, "members", None) is None:
        return False
    payload = shape.serialization.get("payload")
    if payload:
        return bool(shape.members[payload].type_name == "structure")
    return any(map(_in_body, shape.members.values()))


class ParserFactory(parsers.AioResponseParserFactory):  # type: ignore[misc]  # aiobotocore has no types
    """Makes the strict parser of each protocol."""

    def create_parser(self, protocol_name: str) -> Any:
        """The parser of one of AWS's protocols."""
        return _parser_class(protocol_name)(timestamp_parser=timestamp)


@lru_cache(maxsize=1024)
def _decoder(parser: Any, shape: Any) -> Whole:
    """What decodes the bodies of that shape."""
    slow = parser(timestamp_parser=timestamp)._parse_shape  # noqa: SLF001 - botocore's own way
    if issubclass(parser, BaseXMLResponseParser):
        xml = Xml(slow)
        return Whole(xml.structure(shape, root=True), xml.lists(shape))
    json = (RestJson if issubclass(parser, RestJSONParser) else Json)(slow)
    return Whole(json.decode(shape), json.lists(shape))


@lru_cache
def _parser_class(protocol_name: str) -> type[Any]:
    base = parsers.PROTOCOL_PARSERS[protocol_name]
    strict = _StrictXml if issubclass(base, BaseXMLResponseParser) else _StrictJson
    return type(f"Strict{base.__name__}", (strict, base), {})
