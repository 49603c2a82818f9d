"""Bodies of replies as trees to tamper with, whatever the protocol: read by the model's names, written as bytes."""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any
from xml.etree import ElementTree as ET

from botocore.model import ServiceModel, Shape
from botocore.session import Session, get_session

Node = Any  # a value of JSON, or an element of XML


@cache
def session() -> Session:
    """A session to read botocore's models with; no client is made of it."""
    return get_session()


@cache
def service_model(service: str) -> ServiceModel:
    """The model of a service."""
    return session().get_service_model(service)


@cache
def protocol(service: str) -> str:
    """The AWS protocol of a service: query, ec2, json, rest-json or rest-xml."""
    return str(service_model(service).resolved_protocol)


class Tree(ABC):
    """A body: `root` is the node of the operation's output (or of its payload member)."""

    root: Node

    @abstractmethod
    def child(self, node: Node, shape: Any, name: str) -> Node | None:
        """The member `name` of a structure; the structure itself where the member is a flattened list."""

    @abstractmethod
    def items(self, node: Node, shape: Any, name: str) -> list[Node]:
        """The items of the list that is the structure's member `name`."""

    @abstractmethod
    def put(self, node: Node, shape: Any, name: str, value: Any) -> None:
        """Sets a member of a structure to a text, a boolean, or (JSON alone) to anything; None removes it."""

    @abstractmethod
    def dump(self) -> bytes:
        """The body."""


class JsonTree(Tree):
    """A body of the JSON protocols."""

    def __init__(self, body: bytes) -> None:
        self.root = json.loads(body or b"{}")

    def child(self, node: Node, shape: Any, name: str) -> Node | None:
        """The member, or None."""
        return node.get(_wire(shape, name))

    def items(self, node: Node, shape: Any, name: str) -> list[Node]:
        """The list's items."""
        return node.get(_wire(shape, name)) or []

    def put(self, node: Node, shape: Any, name: str, value: Any) -> None:
        """Sets the member, or removes it."""
        if value is None:
            node.pop(_wire(shape, name), None)
        else:
            node[_wire(shape, name)] = value

    def dump(self) -> bytes:
        """The body."""
        return json.dumps(self.root).encode()  # in ASCII: half a character (a lone surrogate) becomes its escape


class XmlTree(Tree):
    """A body of the XML protocols."""

    def __init__(self, body: bytes, wrapper: str | None) -> None:
        self._document = ET.fromstring(body)  # noqa: S314 - our own server's
        self.root = next((each for each in self._document if _tag(each) == wrapper), self._document)

    def child(self, node: Node, shape: Any, name: str) -> Node | None:
        """The member, or None."""
        return next(iter(self._named(node, _wire(shape, name))), None)

    def items(self, node: Node, shape: Any, name: str) -> list[Node]:
        """The list's items."""
        if shape.members[name].serialization.get("flattened"):
            return self._named(node, _wire(shape, name))
        listed = self.child(node, shape, name)
        return [] if listed is None else list(listed)

    def put(self, node: Node, shape: Any, name: str, value: Any) -> None:
        """Sets the member, or removes it."""
        wire = _wire(shape, name)
        for each in self._named(node, wire):
            node.remove(each)
        if value is not None:
            space = re.match(r"\{.*\}", self._document.tag)
            made = ET.SubElement(node, f"{space[0] if space else ''}{wire}")
            made.text = str(value).lower() if isinstance(value, bool) else str(value)

    def dump(self) -> bytes:
        """The body."""
        body: bytes = ET.tostring(self._document, encoding="utf-8", xml_declaration=True)
        return body

    @staticmethod
    def _named(node: Node, wire: str) -> list[Node]:
        return [each for each in node if _tag(each) == wire]


@dataclass(frozen=True, eq=False)
class Listing:
    """An operation whose bodies are tampered with. tokens, lists: the members with its tokens and its records."""

    service: str
    operation: str
    shape: Any
    tokens: tuple[str, ...]
    lists: tuple[str, ...]
    more: str | None

    @staticmethod
    @cache
    def of(service: str, operation: str) -> Listing:
        """That operation, as botocore's model and paginators know it."""
        try:
            found = session().get_paginator_model(service).get_paginator(operation)
        except (ValueError, KeyError):
            found = {"output_token": [], "result_key": []}
        shape = service_model(service).operation_model(operation).output_shape
        more = found.get("more_results")
        return Listing(
            service, operation, _body_shape(shape), _plain(found["output_token"]), _plain(found["result_key"]), more
        )

    def tree(self, body: bytes) -> Tree:
        """The body as a tree."""
        if protocol(self.service).endswith("json"):
            return JsonTree(body)
        whole = service_model(self.service).operation_model(self.operation).output_shape
        return XmlTree(body, whole.serialization.get("resultWrapper") if whole else None)

    def with_token(self, body: bytes, token: str) -> bytes:
        """The page with that token for a next one. Raises ValueError where the operation has no pages."""
        if not self.tokens:
            raise ValueError(f"{self.service}:{self.operation} has no pages to tamper with")
        tree = self.tree(body)
        for path in self.tokens:
            self._put(tree, path, token)
        if self.more:
            self._put(tree, self.more, value=True)
        return tree.dump()

    def emptied(self, body: bytes) -> bytes:
        """The page without its records: empty lists in JSON, none in XML."""
        tree = self.tree(body)
        for path in self.lists:
            self._put(tree, path, [] if isinstance(tree, JsonTree) else None)
        return tree.dump()

    def nodes(self, tree: Tree, path: str) -> Iterator[tuple[Node, Shape]]:
        """The nodes of the structures at a path like `Reservations[].Instances[]`, in order, with their shape."""
        yield from walk(tree, tree.root, self.shape, [] if path == "@" else path.split("."))

    def _put(self, tree: Tree, path: str, value: Any) -> None:
        *above, name = path.split(".")
        for node, shape in walk(tree, tree.root, self.shape, above):
            tree.put(node, shape, name, value)


def walk(tree: Tree, node: Node, shape: Any, steps: list[str]) -> Iterator[tuple[Node, Any]]:
    """The nodes at the steps of a path (`["Reservations[]", "Instances[]"]`) below a structure, with their shape."""
    if not steps:
        yield node, shape
        return
    name, every, _ = steps[0].partition("[]")
    if every:
        for each in tree.items(node, shape, name):
            yield from walk(tree, each, shape.members[name].member, steps[1:])
    elif (found := tree.child(node, shape, name)) is not None:
        yield from walk(tree, found, shape.members[name], steps[1:])


def _plain(expressions: str | list[str]) -> tuple[str, ...]:
    """The paths of a paginator without their alternatives."""
    listed = [expressions] if isinstance(expressions, str) else expressions
    return tuple(each.split("||")[0].strip() for each in listed)


def _body_shape(shape: Any) -> Any:
    payload = shape.serialization.get("payload")
    return shape.members[payload] if payload else shape


def _wire(shape: Any, name: str) -> str:
    """The name that a member goes by on the wire; a flattened list goes by its items'."""
    member = shape.members[name]
    if member.serialization.get("flattened"):
        return str(member.member.serialization.get("name") or member.serialization.get("name", name))
    return str(member.serialization.get("name", name))


def _tag(node: Any) -> str:
    """An element's name without its namespace."""
    return str(node.tag).rpartition("}")[2]
