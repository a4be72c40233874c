"""Whole requests and responses, ready to paste, and the values that they can carry."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from functools import partial
from typing import Any
from urllib.parse import quote

from openapi.contract import essence
from openapi.diff.comparison.operations import Content, Operation, Parameter
from openapi.diff.wire import bodies, curl, styles
from openapi.diff.wire.abridged import Paths, abridged, json_text, whole
from openapi.diff.wire.bodies import Body
from openapi.diff.wire.styles import NeverSentError, UnwritableError
from openapi.schemas.conversion import Node
from openapi.schemas.engine import Engine
from openapi.standards.media_types import JSON

BODY = ("body", "")
"""The key of the body in a mapping of parameters."""
PLACEHOLDER = "value"
"""The value of a parameter for which no other is found."""
_TEMPLATE = re.compile(r"(\{[^{}]*\})")
_IN_PATHS = "/:@!$&'()*+,;=-._~%"
_CREDENTIALS = {"basic": ("Basic", "credentials"), "bearer": ("Bearer", "token")}
Values = Mapping[tuple[str, str], Any]


@dataclass(frozen=True, slots=True)
class Message:
    """A request or a response in HTTP/1.1 syntax; or words, if its parts cannot carry their values.

    `short` is for people: long values are abridged. `curl` is the command for a request; None if there is none.
    """

    whole: str
    short: str
    curl: str | None = None


class Carriage(IntEnum):
    """How a message can carry a value."""

    CLEAR = 0
    AMBIGUOUS = 1
    """It is encoded, so that some servers may read another value."""
    IN_WORDS = 2
    """The document does not say how it is written."""
    NEVER = 3
    """No client sends it."""


@dataclass
class _Head:
    """What precedes the body of a request."""

    path: dict[str, str] = field(default_factory=dict)
    query: list[str] = field(default_factory=list)
    headers: list[tuple[str, str]] = field(default_factory=list)
    cookies: list[str] = field(default_factory=list)

    @property
    def fields(self) -> list[tuple[str, str]]:
        """All header fields; several cookies share one."""
        return [*self.headers, *([("Cookie", "; ".join(self.cookies))] if self.cookies else [])]


def request(operation: Operation, engine: Engine, values: Values, paths: Paths = ()) -> Message:
    """A request that the old document accepts. `values` are by location and key of a parameter, or by `BODY`.

    The short form of the message shows what is on one of `paths` in these values.
    """
    shorten = partial(abridged, paths=paths)
    try:
        target, fields, body = _request(operation, engine, values, whole)
        short_target, short_fields, short_body = _request(operation, engine, values, shorten)
    except UnwritableError as error:
        return _in_words(operation, values, str(error), shorten)
    line = f"{operation.method.upper()} {{}} HTTP/1.1"
    return Message(
        _message(line.format(target), fields, body),
        _message(line.format(short_target), short_fields, short_body),
        curl.command(operation.method.upper(), (operation.origin or curl.UNKNOWN_HOST) + target, fields, body),
    )


def response(status: str, value: Any, media_type: str | None, header: Parameter | None, paths: Paths = ()) -> Message:
    """A response with `value` as its body, or as the value of `header`; its short form shows what is on `paths`."""
    shorten = partial(abridged, paths=paths)
    line = f"HTTP/1.1 {status.replace('X', '0') if status != 'default' else '500'}"

    def written(shorten: Callable[[Any], Any]) -> str:
        if header is not None:
            return _message(line, [(header.name, _in_header(header, shorten(value)))], None)
        return _message(line, [], bodies.body(media_type or JSON, shorten(value), {}))

    try:
        return Message(written(whole), written(shorten))
    except UnwritableError as error:
        place = f"header {header.name}" if header else media_type
        return _words([(str(place), value)], str(error), line.partition(" ")[2], shorten)


def carriage(operation: Operation, key: tuple[str, str], value: Any) -> Carriage:
    """How a request of `operation` can carry `value` in the parameter with `key`, or in its body."""
    if key == BODY:
        media_type, content = value
        return _carriage(
            lambda: _written_body(operation, media_type, content),
            not bodies.is_ambiguous(media_type, content),
        )
    parameter = operation.parameters[key]
    return _carriage(
        lambda: _add(operation, parameter, value, _Head()), bool(parameter.content) or styles.is_plain(value)
    )


def header_carriage(header: Parameter, value: Any) -> Carriage:
    """How `header` of a response can carry `value`."""
    return _carriage(lambda: _in_header(header, value), bool(header.content) or styles.is_plain(value))


def _carriage(write: Callable[[], object], is_clear: bool) -> Carriage:
    try:
        write()
    except NeverSentError:
        return Carriage.NEVER
    except UnwritableError:
        return Carriage.IN_WORDS
    return Carriage.CLEAR if is_clear else Carriage.AMBIGUOUS


def _request(
    operation: Operation, engine: Engine, values: Values, shorten: Callable[[Any], Any]
) -> tuple[str, list[tuple[str, str]], Body | None]:
    """The target, the header fields and the body of a request, with each value after `shorten`."""
    head = _Head()
    _authenticate(operation, head)
    for key, parameter in operation.parameters.items():
        if key in values or parameter.is_required:
            value = values[key] if key in values else _example(operation, key, parameter, engine)
            _add(operation, parameter, shorten(value), head)
    path = "".join(head.path.get(part[1:-1], quote(part, safe=_IN_PATHS)) for part in _TEMPLATE.split(operation.path))
    target = quote(operation.bases[0], safe=_IN_PATHS) + path + ("?" + "&".join(head.query) if head.query else "")
    return target or "/", head.fields, _body(operation, engine, values, shorten)


def _add(operation: Operation, parameter: Parameter, value: Any, head: _Head) -> None:
    """Add `parameter` with `value` to `head`; UnwritableError if its place cannot carry it."""
    name, serialization = parameter.name, parameter.serialization
    if parameter.content:
        value, serialization = _of_content(parameter, value), {}
    if parameter.location == "path":
        head.path[name] = styles.path(name, value, serialization)
    elif parameter.location == "query":
        pairs = styles.query(name, value, serialization, parameter.raw.get("allowEmptyValue") is True)
        names = {other for location, other in operation.parameters if location == "query"} - {name}
        if isinstance(value, dict) and names & {pair.partition("=")[0] for pair in pairs}:
            raise UnwritableError("a property has the name of another parameter")
        head.query += pairs
    elif parameter.location == "header":
        head.headers.append((name, styles.header(name, value, serialization)))
    else:
        head.cookies.append(styles.cookie(name, value, serialization))


def _in_header(header: Parameter, value: Any) -> str:
    if header.content:
        return styles.header(header.name, _of_content(header, value), {})
    return styles.header(header.name, value, header.serialization)


def _of_content(parameter: Parameter, value: Any) -> str:
    """The text of `value` in the media type of `parameter`."""
    content = next(iter(parameter.content.values()))
    if parameter.location in ("header", "cookie") and "json" in essence(content.media_type):
        return json_text(value, is_ascii=True)
    return bodies.body(content.media_type, value, {}).text


def _authenticate(operation: Operation, head: _Head) -> None:
    """Add the credentials of the alternative that demands least, with placeholders for the secrets."""
    for written, _ in sorted(min(operation.security, key=lambda way: sorted(scheme for scheme, _ in way))):
        scheme = json.loads(written)
        name, location = str(scheme.get("name")), scheme.get("in")
        if scheme.get("type") != "apiKey":
            kind = str(scheme.get("scheme", "bearer"))
            word, secret = _CREDENTIALS.get(kind, (kind.capitalize(), "credentials"))
            head.headers.append(("Authorization", f"{styles.token(word)} <{secret}>"))
        elif location == "query":
            head.query.append(f"{styles.key(name)}=<key>")
        elif location == "cookie":
            head.cookies.append(f"{styles.token(name)}=<key>")
        else:
            head.headers.append((styles.token(name), "<key>"))


def _body(operation: Operation, engine: Engine, values: Values, shorten: Callable[[Any], Any]) -> Body | None:
    if BODY in values:
        media_type, value = values[BODY]
        return _written_body(operation, media_type, shorten(value))
    contents = list(operation.body_contents.values())
    if not contents or not (operation.body or {}).get("required"):
        return None
    content = contents[0]
    return _written_body(operation, content.media_type, shorten(_sample(operation, content, engine)))


def _sample(operation: Operation, content: Content, engine: Engine) -> Any:
    if not content.schema:
        return bodies.sample(content.media_type)
    node = Node((engine.old.at(content.schema),))
    return _best(
        engine,
        node,
        lambda value: carriage(operation, BODY, (content.media_type, value)),
        bodies.sample(content.media_type),
    )


def _example(operation: Operation, key: tuple[str, str], parameter: Parameter, engine: Engine) -> Any:
    """A value of `parameter` that its schema accepts and a request can carry; else a placeholder."""
    schema = next(iter(parameter.content.values())).schema if parameter.content else parameter.schema
    if not schema:
        return PLACEHOLDER
    return _best(engine, Node((engine.old.at(schema),)), lambda value: carriage(operation, key, value), PLACEHOLDER)


def _best(engine: Engine, node: Node, judge: Callable[[Any], Carriage], placeholder: Any) -> Any:
    """The value of `node` that is carried best; `placeholder` if no value is found."""
    examples = engine.example(node, lambda value: judge(value) < Carriage.IN_WORDS) or engine.example(node)
    return min(examples, key=judge, default=placeholder)


def _written_body(operation: Operation, media_type: str, value: Any) -> Body:
    content = next(content for content in operation.body_contents.values() if content.media_type == media_type)
    encodings = content.raw.get("encoding")
    return bodies.body(
        media_type,
        value,
        encodings if isinstance(encodings, dict) else {},
        operation.files(content),
        {essence(other) for other in operation.body_contents},
    )


def _message(line: str, headers: list[tuple[str, str]], body: Body | None) -> str:
    lines = [line, *(f"{name}: {value}" for name, value in headers)]
    if body is None:
        return "\n".join(lines)
    return "\n".join([*lines, f"Content-Type: {body.media_type}", "", body.text])


def _in_words(operation: Operation, values: Values, reason: str, shorten: Callable[[Any], Any]) -> Message:
    places = [
        (f"body of {value[0]}", value[1])
        if key == BODY
        else (f"{key[0]} parameter {operation.parameters[key].name}", value)
        for key, value in values.items()
    ]
    return _words(places, reason, operation.name, shorten)


def _words(places: list[tuple[str, Any]], reason: str, where: str, shorten: Callable[[Any], Any]) -> Message:
    """A message in words, for which the values of `places` have no text by `reason`."""

    def words(made: Callable[[Any], Any]) -> str:
        given = " and ".join(f"{place} {json_text(made(value))}" for place, value in places)
        return f"{where} with {given}. It is not shown as a message: {reason}."

    return Message(words(whole), words(shorten))
