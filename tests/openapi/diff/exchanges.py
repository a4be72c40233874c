"""Requests and answers that a document describes for an operation, judged by openapi-schema-validator.

This module shares no code with the comparison of documents, so that no fault can hide in both.
"""

import fnmatch
import json
import random
import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from openapi_schema_validator import OAS30ReadValidator, OAS30WriteValidator, oas30_format_checker

from openapi.contract import METHODS, Document, schema_key
from tests.openapi.diff.instances import Instances

_TEMPLATE = re.compile(r"\{[^{}]*\}")
_WHOLE_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,99})")


class Request(NamedTuple):
    """The values of parameters, by location and name, and the body, which is absent if its media type is None."""

    parameters: dict[tuple[str, str], Any]
    media_type: str | None
    body: Any


class Answer(NamedTuple):
    """The status, media type and body of an answer."""

    status: str
    media_type: str
    body: Any


class Judge:
    """Validates values by the schemas of `document`; `kind` is the validator class for written or for read values."""

    def __init__(self, document: Document, kind: Any) -> None:
        self._document, self._kind = document, kind
        self._validators: dict[int, Any] = {}

    def accepts(self, schema: Any, value: Any) -> bool:
        """True if `value` satisfies `schema`, a schema of the document or None, which accepts anything."""
        if schema is None:
            return True
        if id(schema) not in self._validators:
            whole = {"allOf": [schema], "components": self._document.document.get("components", {})}
            self._validators[id(schema)] = self._kind(whole, format_checker=oas30_format_checker)
        return bool(self._validators[id(schema)].is_valid(value))


class Exchanges:
    """The requests and answers of one operation."""

    def __init__(self, document: Document, path: str, method: str) -> None:
        self._document, self._path, self._method = document, path, method
        self._sent, self._read = Judge(document, OAS30WriteValidator), Judge(document, OAS30ReadValidator)
        self._item = document.resolve(document.document["paths"][path])
        self._raw = self._item[method]

    @property
    def keys(self) -> set[tuple[str, str]]:
        """For each server: method and URL, without its host and the names of its parameters."""
        servers = self._raw.get("servers") or self._item.get("servers") or self._document.document.get("servers")
        bases = [urlsplit(server["url"]).path.rstrip("/") for server in servers or [{"url": "/"}]]
        return {(self._method, _TEMPLATE.sub("{}", base + self._path)) for base in bases}

    @cached_property
    def parameters(self) -> dict[tuple[str, str], Any]:
        """The parameters by location and name: a header's name in lower case, for the path the position instead."""
        parameters = {}
        for raw in (*self._item.get("parameters", []), *self._raw.get("parameters", [])):
            parameter = self._document.resolve(raw)
            location, name = parameter["in"], parameter["name"]
            if location == "header":
                name = name.lower()
            if location == "path":
                name = str(_TEMPLATE.findall(self._path).index(f"{{{name}}}"))
            if (location, name) not in {
                ("header", "authorization"),
                ("header", "accept"),
                ("header", "content-type"),
            }:
                parameters[location, name] = parameter
        return parameters

    @cached_property
    def body(self) -> Any:
        """The request body object, or None."""
        return self._document.resolve(self._raw.get("requestBody"))

    def request(self, dice: random.Random) -> Request | None:
        """A request that the document accepts, or None if chance found none."""
        instances = Instances(self._document, dice)
        parameters = {
            key: instances.of(_schema(parameter))
            for key, parameter in self.parameters.items()
            if parameter.get("required") or dice.randrange(3)
        }
        media_type, body = None, None
        if self.body and self.body.get("content") and (self.body.get("required") or dice.randrange(4)):
            media_type, content = dice.choice(list(self.body["content"].items()))
            body = instances.of(content.get(schema_key(media_type, content)))
        request = Request(parameters, media_type and media_type.replace("*", "x"), body)
        return request if self.accepts(request) else None

    def accepts(self, request: Request) -> bool:
        """True if the document promises to accept `request`."""
        for key, parameter in self.parameters.items():
            if key not in request.parameters:
                if parameter.get("required"):
                    return False
            elif not any(self._sent.accepts(_schema(parameter), value) for value in _readings(request.parameters[key])):
                return False
        if request.media_type is None:
            return not (self.body and self.body.get("required"))
        content = _of_media_type((self.body or {}).get("content", {}), request.media_type)
        return content is not None and self._sent.accepts(
            content.get(schema_key(request.media_type, content)), request.body
        )

    @cached_property
    def answers(self) -> dict[str, Any]:
        """The answers by status, in lower case."""
        return {str(status).lower(): self._document.resolve(raw) for status, raw in self._raw["responses"].items()}

    def answer(self, dice: random.Random) -> Answer | None:
        """An answer that the document promises, or None if chance found none."""
        contents = [
            (status, *content) for status, raw in self.answers.items() for content in raw.get("content", {}).items()
        ]
        if not contents:
            return None
        status, media_type, content = dice.choice(contents)
        answer = Answer(
            status, media_type, Instances(self._document, dice).of(content.get(schema_key(media_type, content)))
        )
        return answer if self.promises(answer) else None

    def promises(self, answer: Answer) -> bool:
        """True if the document allows `answer`; an error may also have a status that the document does not list."""
        keys = {answer.status, f"{answer.status[0]}xx"} | ({"default"} if answer.status[0] in "45d" else set())
        known = [raw for status, raw in self.answers.items() if status in keys]
        if not known and answer.status[0] in "45d":
            known = [raw for status, raw in self.answers.items() if status[0] in "45d"]
            if not known:
                return True
        return any(self._has(raw, answer) for raw in known)

    def _has(self, raw: Any, answer: Answer) -> bool:
        content = _of_media_type(raw.get("content", {}), answer.media_type)
        return content is not None and self._read.accepts(
            content.get(schema_key(answer.media_type, content)), answer.body
        )


def exchanges(document: Document) -> Iterator[Exchanges]:
    """The exchanges of each operation of `document`."""
    for path, item in document.document["paths"].items():
        for method in METHODS:
            if method in document.resolve(item):
                yield Exchanges(document, path, method)


def _schema(parameter: Any) -> Any:
    """The schema of a parameter."""
    return (
        next(iter(parameter["content"].values())).get("schema") if "content" in parameter else parameter.get("schema")
    )


def _readings(value: Any) -> list[Any]:
    """The values that the text of a parameter may stand for."""
    is_number = isinstance(value, str) and _WHOLE_NUMBER.fullmatch(value)
    return [value, _texts(value), *([int(value)] if is_number else [])]


def _texts(value: Any) -> Any:
    if isinstance(value, list):
        return [_texts(inner) for inner in value]
    if isinstance(value, dict):
        return {name: _texts(inner) for name, inner in value.items()}
    return value if isinstance(value, str) else json.dumps(value)


def _of_media_type(content: Any, media_type: str) -> Any:
    """The entry of `content` that matches `media_type` most closely, or None."""
    name = media_type.lower().partition(";")[0].strip()
    matches = [key for key in content if fnmatch.fnmatchcase(name, key.lower().partition(";")[0].strip())]
    return content[max(matches, key=len)] if matches else None
