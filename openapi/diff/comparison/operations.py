"""The operations of a document, each with the parts that OpenAPI allows to be declared elsewhere."""

import itertools
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from openapi.contract import METHODS, Document, schema_key
from openapi.schemas.conversion import Parts
from openapi.standards.json_pointer import member, parts_of

_TEMPLATE = re.compile(r"\{[^{}]*\}")
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(?::[0-9]+)?(?=[/?#]|$)")
_IGNORED_HEADERS = {"accept", "authorization", "content-type"}
"""Header parameters that OpenAPI 3.0.3 ignores; as a response header it ignores Content-Type."""
MOST_PATHS = 100
"""Limit on the paths of one server, for the values of its variables."""
_ANONYMOUS: frozenset[tuple[str, frozenset[str]]] = frozenset()

Alternative = frozenset[tuple[str, frozenset[str]]]
"""Schemes, each by its content and with its scopes, that together authenticate a request."""


@dataclass(frozen=True, slots=True)
class Content:
    """One media type of a body, a parameter or a header."""

    media_type: str
    parts: Parts
    raw: Mapping[str, Any]

    @property
    def schema(self) -> Parts | None:
        """The place of the schema; None if absent."""
        key = schema_key(self.media_type, self.raw)
        return (*self.parts, key) if key in self.raw else None


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a request, or one header of a response."""

    location: str
    name: str
    parts: Parts
    raw: Mapping[str, Any]

    @property
    def is_required(self) -> bool:
        """True if it is always present."""
        return self.location == "path" or self.raw.get("required") is True

    @property
    def schema(self) -> Parts | None:
        """The place of its schema; None if it has a media type instead, or neither."""
        return (*self.parts, "schema") if "schema" in self.raw else None

    @property
    def content(self) -> dict[str, Content]:
        """Its media types; OpenAPI allows one."""
        return contents(self.raw, self.parts)

    @property
    def serialization(self) -> dict[str, Any]:
        """The serialization of its value: style, explode and allowReserved."""
        style = self.raw.get("style", "form" if self.location in ("query", "cookie") else "simple")
        return {
            "style": style,
            "explode": self.raw.get("explode", style == "form"),
            "allowReserved": self.raw.get("allowReserved") is True,
        }


@dataclass(frozen=True)
class Operation:
    """One operation of a document.

    `bases` are the paths of its servers with all values of their variables, the first server with its defaults first.
    `defaults` are those with the defaults of all variables; `origin` is the first server's, or empty.
    """

    document: Document
    method: str
    path: str
    bases: tuple[str, ...]
    parts: Parts
    raw: Mapping[str, Any]
    origin: str = ""
    defaults: frozenset[str] = frozenset()

    @cached_property
    def place(self) -> Parts:
        """Where it is declared; `parts` lead there too, if its path has a reference to a path item."""
        return place_of(self.document, self.parts)

    @property
    def name(self) -> str:
        """The name for people: the method, and the path under the first server."""
        return f"{self.method.upper()} {self.bases[0]}{self.path}"

    @property
    def keys(self) -> frozenset[tuple[str, str]]:
        """The keys of its requests: the method, and a path without the names of its parameters."""
        return frozenset((self.method, blank(base + self.path)) for base in self.bases)

    @cached_property
    def callbacks(self) -> "dict[Callback, Operation]":
        """The requests that the server sends to a URL from a request, each with the answers of a client."""
        found: dict[Callback, Operation] = {}
        for name, raw in _mapping(self.raw.get("callbacks")).items():
            parts = place_of(self.document, (*self.place, "callbacks", name))
            for url, item in _mapping(self.document.resolve(raw)).items():
                if not url.startswith("x-"):
                    key = Callback(name, url, "")
                    found.update(_sent(self.document, item, (*parts, url), key))
        return found

    @cached_property
    def parameters(self) -> dict[tuple[str, str], Parameter]:
        """The parameters of the operation and of its path item, by location and name; path parameters by position."""
        names = _TEMPLATE.findall(self.path)
        parameters = {}
        for parts in (self.place[:-1], self.place):
            for index, raw in enumerate(_list(_mapping(self.document.at(parts)).get("parameters"))):
                where = place_of(self.document, (*parts, "parameters", str(index)))
                declared = _mapping(self.document.resolve(raw))
                location, name = str(declared.get("in")), str(declared.get("name"))
                if location == "header" and name.lower() in _IGNORED_HEADERS:
                    continue
                key = name.lower() if location == "header" else name
                if location == "path" and f"{{{name}}}" in names:
                    key = str(names.index(f"{{{name}}}"))
                parameters[location, key] = Parameter(location, name, where, declared)
        return parameters

    @cached_property
    def body(self) -> Mapping[str, Any] | None:
        """The request body; None if absent."""
        return _mapping(self.document.resolve(self.raw["requestBody"])) if "requestBody" in self.raw else None

    @cached_property
    def body_place(self) -> Parts:
        """Where the request body is declared."""
        return place_of(self.document, (*self.place, "requestBody"))

    @property
    def body_contents(self) -> dict[str, Content]:
        """The media types of the request body."""
        return contents(self.body or {}, self.body_place)

    def has_in_body(self, names: Iterable[str]) -> bool | None:
        """True if the body must have the property at the path of `names`, False if it may; None if undeclared."""
        for content in self.body_contents.values():
            node = _mapping(self.document.resolve(content.raw.get("schema")))
            is_required = _mapping(self.body).get("required") is True
            for name in names:
                parts = [node, *(_mapping(self.document.resolve(part)) for part in _list(node.get("allOf")))]
                declared = [part for part in parts if name in _mapping(part.get("properties"))]
                if not declared:
                    break
                is_required &= any(name in _list(part.get("required")) for part in parts)
                node = _mapping(self.document.resolve(declared[0]["properties"][name]))
            else:
                return is_required
        return None

    def files(self, content: Content) -> frozenset[str]:
        """The properties of a form in `content` that are files, or lists of them."""
        schema = _mapping(self.document.resolve(content.raw.get("schema")))
        properties = _mapping(schema.get("properties"))
        return frozenset(name for name, declared in properties.items() if self._is_file(declared))

    def _is_file(self, declared: Any) -> bool:
        schema = _mapping(self.document.resolve(declared))
        items = _mapping(self.document.resolve(schema.get("items")))
        return "binary" in (schema.get("format"), items.get("format"))

    @cached_property
    def responses(self) -> dict[str, Mapping[str, Any]]:
        """The responses by status: three digits, a range such as `2XX`, or `default`."""
        return {
            status.upper() if status.lower() != "default" else "default": _mapping(self.document.resolve(raw))
            for status, raw in _mapping(self.raw.get("responses")).items()
            if not status.startswith("x-")
        }

    def response_parts(self, status: str) -> Parts:
        """The place of the response with `status`: the target of its reference, which several operations may share."""
        written = next(key for key in self.raw["responses"] if key.upper() == status.upper())
        return place_of(self.document, (*self.place, "responses", written))

    def headers(self, status: str) -> dict[str, Parameter]:
        """The headers of the response with `status`, by name in lower case."""
        parts = self.response_parts(status)
        return {
            name.lower(): Parameter(
                "header",
                name,
                place_of(self.document, (*parts, "headers", name)),
                _mapping(self.document.resolve(raw)),
            )
            for name, raw in _mapping(self.responses[status].get("headers")).items()
            if name.lower() != "content-type"
        }

    def response_contents(self, status: str) -> dict[str, Content]:
        """The media types of the response with `status`."""
        return contents(self.responses[status], self.response_parts(status))

    def links(self, status: str) -> Mapping[str, Any]:
        """The links of the response with `status`, by name."""
        return _mapping(self.responses[status].get("links"))

    @cached_property
    def security(self) -> frozenset[Alternative]:
        """The alternatives that authenticate a request; anonymous if nothing is declared."""
        declared = self.raw.get("security", self.document.document.get("security"))
        ways = [_mapping(way) for way in _list(declared)]
        return frozenset(self._way(way) for way in ways) or frozenset({_ANONYMOUS})

    def _way(self, way: Mapping[str, Any]) -> Alternative:
        return frozenset((self.scheme(name), frozenset(map(str, _list(scopes)))) for name, scopes in way.items())

    def scheme(self, name: str) -> str:
        """The scheme `name` by its content without scopes: schemes that differ only in names and texts are equal."""
        schemes = _mapping(_mapping(self.document.document.get("components")).get("securitySchemes"))
        return self._scheme(name, schemes.get(name))

    def _scheme(self, name: str, declared: Any) -> str:
        """A scheme by its content: schemes that differ only in names and texts are equal."""
        scheme = dict(_mapping(self.document.resolve(declared))) or {"name of a scheme": name}
        for key in ("description", "bearerFormat", *(key for key in scheme if key.startswith("x-"))):
            scheme.pop(key, None)
        if isinstance(scheme.get("scheme"), str):
            scheme["scheme"] = scheme["scheme"].lower()
        scheme["flows"] = {
            flow: {key: value for key, value in _mapping(declared_flow).items() if key != "scopes"}
            for flow, declared_flow in _mapping(scheme.get("flows")).items()
        }
        return json.dumps(scheme, sort_keys=True)


class Callback(NamedTuple):
    """The key of a callback or webhook: its name, the expression of its URL, which a webhook lacks, and its method."""

    name: str
    url: str
    method: str
    kind: str = "callback"


def webhooks(document: Document) -> dict[Callback, Operation]:
    """The requests that the server of `document`, which is OpenAPI 3.1, sends to clients that have asked elsewhere."""
    found: dict[Callback, Operation] = {}
    for name, item in _mapping(document.document.get("webhooks")).items():
        found.update(_sent(document, item, ("webhooks", name), Callback(name, "", "", "webhook")))
    return found


def _sent(document: Document, item: Any, parts: Parts, key: Callback) -> Iterator[tuple[Callback, Operation]]:
    """The operations of the path item at `parts`, which the server sends; each with `key` and its method."""
    item_parts = place_of(document, parts)
    shared = _mapping(document.resolve(item))
    for method in METHODS:
        if isinstance(declared := shared.get(method), dict):
            operation = Operation(document, method, "/", ("",), (*item_parts, method), declared)
            yield key._replace(method=method), operation


def place_of(document: Document, parts: Parts) -> Parts:
    """The place of what `parts` lead to, on a way that crosses no reference: several operations may share it.

    The last part of it is followed, too. Raises ContractError if a reference leads nowhere, or to itself.
    """
    place: Parts = ()
    node: Any = document.document
    waiting = list(reversed(parts))
    while waiting:
        part = waiting.pop()
        try:
            node = member(node, part)
        except (LookupError, TypeError, ValueError):
            return (*place, part, *reversed(waiting))
        place = (*place, part)
        if isinstance(node, dict) and isinstance(node.get("$ref"), str):
            document.resolve(node)
            waiting += reversed(parts_of(node["$ref"]))
            place, node = (), document.document
    return place


def operations(document: Document) -> list[Operation]:
    """Every operation of `document`."""
    all_operations = []
    for path, item in _mapping(document.document.get("paths")).items():
        shared = _mapping(document.resolve(item))
        for method in METHODS:
            if isinstance(raw := shared.get(method), dict):
                servers = raw.get("servers") or shared.get("servers") or document.document.get("servers")
                bases = tuple(dict.fromkeys(_bases(servers)))
                origin = next(_origins(servers), "")
                defaults = frozenset(map(_path_of, _urls(servers)))
                parts = ("paths", path, method)
                all_operations.append(Operation(document, method, path, bases, parts, raw, origin, defaults))
    return all_operations


def contents(raw: Mapping[str, Any], parts: Parts) -> dict[str, Content]:
    """The media types of a body, by normalized name."""
    return {
        media_type(written): Content(written, (*parts, "content", written), _mapping(declared))
        for written, declared in _mapping(raw.get("content")).items()
    }


def media_type(written: str) -> str:
    """A normalized media type: in lower case, and for JSON without its only charset (RFC 8259 section 8.1)."""
    name, *parameters = [part.strip() for part in written.split(";")]
    options = [parameter.lower() for parameter in parameters]
    if name.lower().endswith("json"):
        options = [parameter for parameter in options if parameter.replace('"', "") != "charset=utf-8"]
    return ";".join([name.lower(), *sorted(options)])


def covers(wide: str, narrow: str) -> bool:
    """True if the media type or range `wide` includes `narrow` (RFC 9110 section 12.5.1)."""
    if wide in (narrow, "*/*"):
        return True
    return wide.endswith("/*") and narrow.startswith(wide[:-1])


def blank(path: str) -> str:
    """`path` without the names of its parameters."""
    return _TEMPLATE.sub("{}", path)


def _bases(servers: Any) -> Iterator[str]:
    """The paths of each server, without a trailing slash: first with the defaults of its variables."""
    for server in _servers(servers):
        defaults = _defaults(server)
        in_path = [
            name
            for name in defaults
            if _path_of(_filled(server, defaults)) != _path_of(_filled(server, {**defaults, name: "{}"}))
        ]
        variables = _mapping(server.get("variables"))
        values = ([defaults[name], *map(str, _list(_mapping(variables[name]).get("enum")))] for name in in_path)
        for chosen in itertools.islice(itertools.product(*map(dict.fromkeys, values)), MOST_PATHS):
            yield _path_of(_filled(server, {**defaults, **dict(zip(in_path, chosen, strict=True))}))


def _path_of(url: str) -> str:
    """The path of a URL, without a trailing slash; a URL that cannot be read is returned as it is."""
    try:
        return urlsplit(url).path.rstrip("/")
    except ValueError:
        return url


def _origins(servers: Any) -> Iterator[str]:
    """The scheme and host of each server; empty for a server without a plain one."""
    for url in _urls(servers):
        origin = _ORIGIN.match(url)
        yield origin[0] if origin else ""


def _urls(servers: Any) -> Iterator[str]:
    """The URL of each server; variables have their defaults."""
    for server in _servers(servers):
        yield _filled(server, _defaults(server))


def _servers(servers: Any) -> Iterator[Mapping[str, Any]]:
    yield from map(_mapping, _list(servers) or [{"url": "/"}])


def _defaults(server: Mapping[str, Any]) -> dict[str, str]:
    """The default of each variable of `server`."""
    variables = _mapping(server.get("variables"))
    return {name: str(_mapping(variable).get("default", "")) for name, variable in variables.items()}


def _filled(server: Mapping[str, Any], values: Mapping[str, str]) -> str:
    """The URL of `server`, whose variables have `values`."""
    url = str(server.get("url", "/"))
    for name, value in values.items():
        url = url.replace(f"{{{name}}}", value)
    return url


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
