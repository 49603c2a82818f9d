"""botocore's models, turned round: which operation a request is, with which inputs, and how its listing goes on."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

import botocore
from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel, Shape

from skysweep.limits import page_size

DEFAULT_PAGE = 100
BY_SIGNING_NAME = {
    "apigateway": ("apigateway", "apigatewayv2"),
    "elasticloadbalancing": ("elb", "elbv2"),
    "es": ("opensearch", "es"),
    "s3": ("s3", "s3control"),
}
TOKENS = (("NextToken", "NextToken"), ("nextToken", "nextToken"), ("Marker", "NextMarker"), ("Marker", "Marker"))
"""Where operations without a paginator have their tokens: (input member, output member)."""
SIZES = ("MaxResults", "maxResults", "MaxItems", "MaxRecords", "Limit", "limit", "PageSize")

Inputs = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Operation:
    """One operation of a service (botocore's names), its protocol, and how it is listed."""

    service: str
    model: OperationModel
    protocol: str
    paginator: Mapping[str, Any] | None

    @cached_property
    def name(self) -> str:
        """The operation's name."""
        return str(self.model.name)

    @cached_property
    def key(self) -> str:
        """The name of its listing: ``ec2:DescribeVolumes``."""
        return f"{self.service}:{self.name}"

    @cached_property
    def output(self) -> Shape | None:
        """The output's shape."""
        return self.model.output_shape

    @cached_property
    def takes(self) -> Mapping[str, Shape]:
        """The members of its input."""
        return self.model.input_shape.members if self.model.input_shape else {}

    @cached_property
    def gives(self) -> Mapping[str, Shape]:
        """The members of its output."""
        return self.model.output_shape.members if self.model.output_shape else {}

    @cached_property
    def lists(self) -> tuple[tuple[str, ...], ...]:
        """The paths of the lists that its items are in; none for an operation that tells of one thing."""
        named = _listed(self.paginator["result_key"]) if self.paginator else []
        found = [tuple(path.split(".")) for path in named]
        found = [path for path in found if (shape := _at(self.output, path)) and shape.type_name == "list"]
        if self.paginator or found:
            return tuple(found)
        lists = [(name,) for name, shape in self.gives.items() if shape.type_name == "list"]
        return tuple(lists[:1]) if re.match(r"List|Describe", self.name) or self._by_names else ()

    @property
    def _by_names(self) -> bool:
        """Whether it must be told the names of what it is to tell of."""
        required = self.model.input_shape.required_members if self.model.input_shape else ()
        return any(_is_names(self.takes[name]) for name in required)

    @cached_property
    def tokens(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The input members for tokens, each with the path in the output that its value is told at."""
        if self.paginator:
            takes, gives = (_listed(self.paginator[end]) for end in ("input_token", "output_token"))
            paths = (tuple(each.partition("||")[0].strip().split(".")) for each in gives)
            return tuple(zip(takes, paths, strict=True))
        return tuple((taken, (given,)) for taken, given in TOKENS if taken in self.takes and given in self.gives)[:1]

    @cached_property
    def more(self) -> tuple[str, ...]:
        """The path of the output's flag that says there is more; empty where there is none."""
        told = (self.paginator or {}).get("more_results", "IsTruncated" if "IsTruncated" in self.gives else "")
        return tuple(told.split(".")) if told else ()

    def size(self, inputs: Inputs) -> int:
        """How many items go on a page: as asked, but no more than AWS gives."""
        names = [(self.paginator or {}).get("limit_key"), *SIZES]
        most = page_size(self.service, self.name)
        asked = next((int(inputs[name]) for name in names if name and name in inputs), most or DEFAULT_PAGE)
        return max(1, min(asked, most or 1000))


@dataclass(frozen=True, slots=True)
class Request:
    """The head and body of an HTTP request as far as they say what is asked: names of headers in small letters."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class Unknown(Exception):
    """Raised for a request that is no operation of the service that it was signed for."""


@cache
def operation(service: str, name: str) -> Operation:
    """An operation by botocore's names. Raises botocore's errors where there is none."""
    model = _model(service)
    return Operation(service, model.operation_model(name), _protocol(model), _paginators(service).get(name))


def asked(request: Request, signed_for: str) -> tuple[Operation, Inputs]:
    """What a request signed for that service asks, with its inputs. Raises Unknown."""
    services = _services(signed_for)
    target = request.headers.get("x-amz-target")
    if target:
        prefix, _, name = target.rpartition(".")
        fitting = [each for each in services if _model(each).metadata.get("targetPrefix") == prefix]
        body = json.loads(request.body or b"{}")
        return operation(_first(fitting, request), name), body
    if b"Action=" in request.body:
        form = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
        fitting = [each for each in services if _model(each).api_version == form["Version"]]
        found = operation(_first(fitting, request), form["Action"])
        return found, _unflattened(found, form)
    if "x-amz-account-id" in request.headers or request.target.startswith("/v20180820/"):
        services = tuple(each for each in services if each == "s3control")
    return _routed(services, request)


def _first(services: Iterable[str], request: Request) -> str:
    for service in services:
        return service
    raise Unknown(f"{request.method} {request.target} {request.body[:200]!r}")


@cache
def _services(signing_name: str) -> tuple[str, ...]:
    """The services (botocore's names) that sign as that name."""
    known = BY_SIGNING_NAME.get(signing_name)
    if known:
        return known
    available = _loader().list_available_services("service-2")
    if signing_name in available:
        return (signing_name,)
    pattern = re.compile(rb'"(?:signingName|endpointPrefix)"\s*:\s*"' + re.escape(signing_name.encode()) + rb'"')
    return tuple(each for each in available if pattern.search(_beginning(each)))


def _beginning(service: str) -> bytes:
    [*files] = sorted((Path(botocore.__file__).parent / "data" / service).glob("*/service-2.json.gz"))
    with gzip.open(files[-1]) as file:
        return file.read(4000)


@cache
def _loader() -> Loader:
    return Loader(extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)


@cache
def _model(service: str) -> ServiceModel:
    return ServiceModel(_loader().load_service_model(service, "service-2"), service)


@cache
def _protocol(model: ServiceModel) -> str:
    known = ("json", "rest-json", "rest-xml", "query", "ec2")
    told = (model.metadata["protocol"], *model.metadata.get("protocols", ()))
    return str(next(protocol for protocol in told if protocol in known))


@cache
def _paginators(service: str) -> dict[str, Any]:
    try:
        return dict(_loader().load_service_model(service, "paginators-1")["pagination"])
    except botocore.exceptions.UnknownServiceError:
        return {}


def _is_names(shape: Any) -> bool:
    return bool(shape.type_name == "list" and shape.member.type_name == "string")


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _at(shape: Shape | None, path: Iterable[str]) -> Shape | None:
    for name in path:
        shape = getattr(shape, "members", {}).get(name)
    return shape


# The query protocols: inputs as Filter.1.Value.2=x


def _unflattened(asked_for: Operation, form: Mapping[str, str]) -> Inputs:
    ec2 = asked_for.protocol == "ec2"
    return {
        name: value
        for name, shape in asked_for.takes.items()
        if (value := _read(form, _form_name(name, shape, ec2=ec2), shape, ec2=ec2)) is not None
    }


def _form_name(name: str, shape: Shape, *, ec2: bool) -> str:
    told = shape.serialization.get("queryName")
    if ec2 and not told:
        told = shape.serialization.get("name", name)
        told = told[:1].upper() + told[1:]
    elif shape.type_name == "list" and shape.serialization.get("flattened"):
        told = shape.member.serialization.get("name", name)  # type: ignore[attr-defined]  # of lists alone
    return str(told or shape.serialization.get("name", name))


def _read(form: Mapping[str, str], at: str, shape: Any, *, ec2: bool) -> Any:
    if shape.type_name == "list":
        flat = ec2 or shape.serialization.get("flattened")
        member = "" if flat else f".{shape.member.serialization.get('name', 'member')}"
        found = (_read(form, f"{at}{member}.{number}", shape.member, ec2=ec2) for number in range(1, len(form) + 1))
        return [each for each in found if each is not None] or None
    if shape.type_name == "structure":
        inner = {
            name: _read(form, f"{at}.{_form_name(name, each, ec2=ec2)}", each, ec2=ec2)
            for name, each in shape.members.items()
        }
        return {name: value for name, value in inner.items() if value is not None} or None
    return form.get(at)


# The REST protocols: inputs in the path, the query and the headers


@dataclass(frozen=True, eq=False)
class _Route:
    service: str
    name: str
    method: str
    path: re.Pattern[str]
    query: frozenset[tuple[str, str]]
    rank: tuple[int, int, bool]


@cache
def _routes(service: str) -> tuple[_Route, ...]:
    """The service's routes, the most particular first."""
    model = _model(service)
    routes = (_route(service, model.operation_model(name)) for name in model.operation_names)
    return tuple(sorted(routes, key=lambda route: route.rank))


def _route(service: str, model: OperationModel) -> _Route:
    path, _, query = str(model.http["requestUri"]).partition("?")
    pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.sub(r"\\\{(\w+)\\\+\\\}", r"(?P<\1>.+)", re.escape(path)))
    constants = frozenset(parse_qsl(query, keep_blank_values=True))
    directory = model.name.startswith("ListDirectory")  # told from ListBuckets by its host alone
    rank = (-len(constants), path.count("{"), bool(model.deprecated or directory))
    return _Route(service, str(model.name), str(model.http["method"]), re.compile(f"{pattern}/?"), constants, rank)


def _routed(services: Iterable[str], request: Request) -> tuple[Operation, Inputs]:
    path, _, query = request.target.partition("?")
    path = _with_bucket(path, request.headers.get("host", "")) if "s3" in services else path
    given = parse_qsl(query, keep_blank_values=True)
    for route in (route for service in services for route in _routes(service)):
        match = route.path.fullmatch(path) if route.method == request.method else None
        if match and route.query <= set(given):
            found = operation(route.service, route.name)
            inputs = dict(_located(found, match.groupdict(), given, request))
            shape = found.model.input_shape
            if shape is None or all(name in inputs for name in shape.required_members if _in_query(found, name)):
                return found, inputs
    raise Unknown(f"{request.method} {request.target}")


def _in_query(found: Operation, name: str) -> bool:
    return found.takes[name].serialization.get("location") == "querystring"


def _with_bucket(path: str, host: str) -> str:
    """The path with the bucket that stood before the endpoint's host name."""
    bucket = re.fullmatch(r"(.+)\.(?:localhost|127\.0\.0\.1)(?::\d+)?", host)
    return f"/{bucket[1]}{path}" if bucket else path


def _located(
    found: Operation, path: Mapping[str, str], query: Iterable[tuple[str, str]], request: Request
) -> Iterator[tuple[str, Any]]:
    sources: Mapping[str, Mapping[str, str]] = {"uri": path, "querystring": dict(query), "header": request.headers}
    for name, shape in found.takes.items():
        place, told = shape.serialization.get("location"), shape.serialization.get("name", name)
        if shape.type_name == "list" and place == "querystring":
            several = [value for key, value in query if key == told]
            if several:
                yield name, several
            continue
        source = sources.get(place or "", {})
        value = source.get(told.lower() if place == "header" else told)
        if value is not None:
            yield name, unquote(value) if place == "uri" else value
    if found.protocol == "rest-json" and request.body:
        yield from json.loads(request.body).items()
