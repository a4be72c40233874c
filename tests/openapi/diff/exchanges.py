"""Requests and answers of an operation by what a document says of it, judged by openapi-schema-validator.

Nothing here is shared with the comparison of documents, so that each can be wrong alone.
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

from openapi.contract import METHODS, Document
from tests.openapi.diff.instances import Instances

_TEMPLATE = re.compile(r"\{[^{}]*\}")
_WHOLE_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,99})")


class Request(NamedTuple):
    """The values of parameters, by location and name, and the body, if its media type says that there is one."""

    parameters: dict[tuple[str, str], Any]
    media_type: str | None
    body: Any


class Answer(NamedTuple):
    """A body, and the status that it comes with."""

    status: str
    media_type: str
    body: Any


class Judge:
    """Says of the schemas of `document` what satisfies them; `kind` is the validator of what is sent, or read."""

    def __init__(self, document: Document, kind: Any) -> None:
        self._document, self._kind = document, kind
        self._made: dict[int, Any] = {}

    def accepts(self, schema: Any, value: Any) -> bool:
        """Whether `value` satisfies `schema`, which stands in the document, or is None and accepts anything."""
        if schema is None:
            return True
        if id(schema) not in self._made:
            whole = {"allOf": [schema], "components": self._document.document.get("components", {})}
            self._made[id(schema)] = self._kind(whole, format_checker=oas30_format_checker)
        return bool(self._made[id(schema)].is_valid(value))


class Exchanges:
    """What is sent to one operation, and what it answers."""

    def __init__(self, document: Document, path: str, method: str) -> None:
        self._document, self._path, self._method = document, path, method
        self._sent, self._read = Judge(document, OAS30WriteValidator), Judge(document, OAS30ReadValidator)
        self._item = document.resolve(document.document["paths"][path])
        self._raw = self._item[method]

    @property
    def keys(self) -> set[tuple[str, str]]:
        """Method and URL, without host and the names of its parameters, by each server."""
        servers = self._raw.get("servers") or self._item.get("servers") or self._document.document.get("servers")
        bases = [urlsplit(server["url"]).path.rstrip("/") for server in servers or [{"url": "/"}]]
        return {(self._method, _TEMPLATE.sub("{}", base + self._path)) for base in bases}

    @cached_property
    def parameters(self) -> dict[tuple[str, str], Any]:
        """By location and name: a header's without case, and of the path its place."""
        found = {}
        for raw in (*self._item.get("parameters", []), *self._raw.get("parameters", [])):
            told = self._document.resolve(raw)
            name = told["name"].lower() if told["in"] == "header" else told["name"]
            if told["in"] == "path":
                name = str(_TEMPLATE.findall(self._path).index(f"{{{name}}}"))
            if (told["in"], name) not in {
                ("header", "authorization"),
                ("header", "accept"),
                ("header", "content-type"),
            }:
                found[told["in"], name] = told
        return found

    @cached_property
    def body(self) -> Any:
        """What is said of the body of a request, if there is one."""
        return self._document.resolve(self._raw.get("requestBody"))

    def request(self, dice: random.Random) -> Request | None:
        """A request that is accepted, or None if there is no luck."""
        made = Instances(self._document, dice)
        parameters = {
            key: made.of(_schema(told))
            for key, told in self.parameters.items()
            if told.get("required") or dice.randrange(3)
        }
        media_type, body = None, None
        if self.body and self.body.get("content") and (self.body.get("required") or dice.randrange(4)):
            media_type, told = dice.choice(list(self.body["content"].items()))
            body = made.of(told.get("schema"))
        request = Request(parameters, media_type and media_type.replace("*", "x"), body)
        return request if self.accepts(request) else None

    def accepts(self, request: Request) -> bool:
        """Whether `request` is one of those that the document promises to accept."""
        for key, told in self.parameters.items():
            if key not in request.parameters:
                if told.get("required"):
                    return False
            elif not any(self._sent.accepts(_schema(told), value) for value in _readings(request.parameters[key])):
                return False
        if request.media_type is None:
            return not (self.body and self.body.get("required"))
        told = _of_media_type((self.body or {}).get("content", {}), request.media_type)
        return told is not None and self._sent.accepts(told.get("schema"), request.body)

    @cached_property
    def answers(self) -> dict[str, Any]:
        """By status."""
        return {str(status).lower(): self._document.resolve(raw) for status, raw in self._raw["responses"].items()}

    def answer(self, dice: random.Random) -> Answer | None:
        """An answer that is promised, or None if there is no luck."""
        told = [
            (status, *content) for status, raw in self.answers.items() for content in raw.get("content", {}).items()
        ]
        if not told:
            return None
        status, media_type, content = dice.choice(told)
        answer = Answer(status, media_type, Instances(self._document, dice).of(content.get("schema")))
        return answer if self.promises(answer) else None

    def promises(self, answer: Answer) -> bool:
        """Whether `answer` may come; an error also with another status than the document knows."""
        keys = {answer.status, f"{answer.status[0]}xx"} | ({"default"} if answer.status[0] in "45d" else set())
        known = [raw for status, raw in self.answers.items() if status in keys]
        if not known and answer.status[0] in "45d":
            known = [raw for status, raw in self.answers.items() if status[0] in "45d"]
            if not known:
                return True
        return any(self._has(raw, answer) for raw in known)

    def _has(self, raw: Any, answer: Answer) -> bool:
        told = _of_media_type(raw.get("content", {}), answer.media_type)
        return told is not None and self._read.accepts(told.get("schema"), answer.body)


def exchanges(document: Document) -> Iterator[Exchanges]:
    """Those of every operation of `document`."""
    for path, item in document.document["paths"].items():
        for method in METHODS:
            if method in document.resolve(item):
                yield Exchanges(document, path, method)


def _schema(told: Any) -> Any:
    """The schema of a parameter."""
    return next(iter(told["content"].values())).get("schema") if "content" in told else told.get("schema")


def _readings(value: Any) -> list[Any]:
    """What the text of a parameter may be read as."""
    is_number = isinstance(value, str) and _WHOLE_NUMBER.fullmatch(value)
    return [value, _texts(value), *([int(value)] if is_number else [])]


def _texts(value: Any) -> Any:
    if isinstance(value, list):
        return [_texts(inner) for inner in value]
    if isinstance(value, dict):
        return {name: _texts(inner) for name, inner in value.items()}
    return value if isinstance(value, str) else json.dumps(value)


def _of_media_type(content: Any, media_type: str) -> Any:
    """What `content` has for `media_type`, the nearest first; None if it has nothing."""
    name = media_type.lower().partition(";")[0].strip()
    found = [key for key in content if fnmatch.fnmatchcase(name, key.lower().partition(";")[0].strip())]
    return content[max(found, key=len)] if found else None
