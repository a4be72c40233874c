"""A contract as a reference for people: what each page part shows, with texts as HTML. A template lays it out."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from openapi.contract import Contract, ContractError, Operation, schema_key
from openapi.rendering.card_operations import (
    authentication,
    examples_of,
    meaning,
    server_path,
    shared_answers,
    titled,
    without_null,
)
from openapi.rendering.marked_text import inline, paragraphs
from openapi.rendering.schema_text import DescribedFields, kind, objects

MAX_CHARACTERS = 8 * 1024 * 1024
"""Limit on the examples of a reference: those of shared schemas are repeated."""
_LONGEST = 20_000
"""Limit on the characters of one example."""

Anchors = dict[tuple[str, str], str]
"""By the status of a response that operations share, and the reference to it: the id of its description."""


@dataclass(frozen=True, slots=True)
class Row:
    """A parameter, a field or a header: its name, the words of its type, and its meaning."""

    name: str
    place: str
    is_required: bool
    kind: str
    meaning: Markup


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of an object in a body; `place` is where in it, empty for the body itself."""

    place: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """An example of a body."""

    caption: str
    text: str


@dataclass(frozen=True, slots=True)
class Body:
    """A body: the words for each of its media types, and its fields."""

    is_required: bool
    description: Markup
    media_types: tuple[str, ...]
    fields: tuple[Fields, ...]
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class Response:
    """A response; `anchor` is the id of its description if several operations share it, else it is empty."""

    status: str
    title: str
    description: Markup
    headers: tuple[Row, ...]
    body: Body | None
    anchor: str


@dataclass(frozen=True, slots=True)
class OperationText:
    """An operation; `path` begins with that of the server."""

    name: str
    method: str
    path: str
    summary: str
    description: Markup
    authentication: Markup
    parameters: tuple[Row, ...]
    body: Body | None
    responses: tuple[Response, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """All of a contract: `groups` are its operations by tag, in the order of the document."""

    name: str
    version: str
    description: Markup
    groups: dict[str, list[OperationText]]
    shared: tuple[Response, ...]


def reference(contract: Contract) -> Reference:
    """The reference of `contract`; ContractError if its document cannot be read as OpenAPI 3.0, or is too large."""
    try:
        return _reference(contract)
    except Exception as error:  # a row may hold any text
        reason = str(error) if isinstance(error, ContractError) else f"{type(error).__name__}: {error}"
        raise ContractError(f"contract {contract.version} cannot be rendered: {reason[:300]}") from None


def _reference(contract: Contract) -> Reference:
    shared = {pair: f"response-{number}" for number, pair in enumerate(shared_answers(contract), 1)}
    texts = _Texts(contract)
    groups: dict[str, list[OperationText]] = {}
    for operation in contract.operations:
        tags = contract.at(operation.pointer).get("tags") or [""]
        groups.setdefault(str(tags[0]), []).append(texts.operation(operation, shared))
    described = tuple(
        texts.response(status, contract.resolve({"$ref": pointer}), anchor)
        for (status, pointer), anchor in shared.items()
    )
    info = contract.document["info"]
    return Reference(
        str(info["title"]), contract.version, paragraphs(str(info.get("description", ""))), groups, described
    )


class _Texts:
    """Makes the texts of one contract, within MAX_CHARACTERS of examples."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._left = MAX_CHARACTERS

    def operation(self, operation: Operation, shared: Anchors) -> OperationText:
        """One operation; a response that is in `shared` is only named."""
        contract, node = self._contract, self._contract.at(operation.pointer)
        body = contract.resolve(node.get("requestBody", {}))
        return OperationText(
            name=operation.name,
            method=operation.method.upper(),
            path=server_path(contract) + operation.path,
            summary=str(node.get("summary", "")).rstrip("."),
            description=paragraphs(str(node.get("description", ""))),
            authentication=inline(authentication(contract, node)),
            parameters=tuple(self._parameter(each) for each in contract.parameters(operation.pointer)),
            body=self._body(body) if body else None,
            responses=tuple(self._responses(node["responses"], shared)),
        )

    def response(self, status: str, node: dict[str, Any], anchor: str = "") -> Response:
        """One response with all of it."""
        headers = tuple(
            self._row(name, "", self._contract.resolve(header)) for name, header in node.get("headers", {}).items()
        )
        body = self._body(node) if node.get("content") else None
        return Response(status, titled(status), inline(str(node.get("description", ""))), headers, body, anchor)

    def _responses(self, nodes: dict[str, Any], shared: Anchors) -> Iterator[Response]:
        for status, node in nodes.items():
            resolved = self._contract.resolve(node)
            if anchor := shared.get((status, node.get("$ref"))):
                words = inline(str(resolved.get("description", "")))
                yield Response(status, titled(status), words, (), None, anchor)
            else:
                yield self.response(status, resolved)

    def _parameter(self, node: dict[str, Any]) -> Row:
        return self._row(node["name"], str(node["in"]), node)

    def _row(self, name: str, place: str, node: dict[str, Any]) -> Row:
        """A parameter or a header."""
        schema = self._contract.resolve(node.get("schema", {}))
        words = inline(meaning(schema, str(node.get("description", ""))))
        return Row(str(name), place, bool(node.get("required")), kind(self._contract, schema), words)

    def _body(self, node: dict[str, Any]) -> Body:
        fields: list[Fields] = []
        examples: list[Example] = []
        for media_type, content in node.get("content", {}).items():
            schema = content.get(schema_key(media_type, content), {})
            fields += [each for each in map(self._fields, objects(self._contract, schema)) if each not in fields]
            examples += self._examples(media_type, content)
        description = inline(str(node.get("description", "")))
        return Body(bool(node.get("required")), description, tuple(node["content"]), tuple(fields), tuple(examples))

    def _fields(self, described: DescribedFields) -> Fields:
        """The fields of an object; the items of an array and of lines have the same ones."""
        rows = []
        for field in sorted(described.fields, key=lambda each: not each.is_required):
            schema = field.schema if field.is_required else without_null(field.schema)
            rows.append(Row(field.name, "", field.is_required, kind(self._contract, schema), inline(meaning(schema))))
        return Fields(described.place.removeprefix("[]").removeprefix("."), tuple(rows))

    def _examples(self, media_type: str, content: dict[str, Any]) -> Iterator[Example]:
        for summary, value in examples_of(self._contract, content):
            text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
            self._left -= len(text)
            if self._left < 0:
                raise ContractError(f"its examples have more than {MAX_CHARACTERS} characters")
            shown = text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …"
            yield Example(str(summary or media_type), shown)
