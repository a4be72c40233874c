"""Whole requests and answers, as a person would paste them, with no secret."""

from typing import Any

import pytest

from openapi.contract import Document
from openapi.diff import messages
from openapi.diff.operations import operations
from openapi.schemas.conversion import Direction
from openapi.schemas.engine import Engine
from tests.openapi.diff.documents import document

TEXT, NUMBER = {"type": "string", "minLength": 1}, {"type": "integer", "minimum": 3}
JSON = "application/json"
SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "basic": {"type": "http", "scheme": "Basic"},
    "oauth": {"type": "oauth2", "flows": {}},
    "header": {"type": "apiKey", "in": "header", "name": "X-Key"},
    "query": {"type": "apiKey", "in": "query", "name": "key"},
}


def request(given: dict[tuple[str, str], Any], path: str = "/a", **operation: Any) -> list[str]:
    """The lines of a request for `operation`."""
    raw = {**document().document, "paths": {path: {"post": operation}}, "components": {"securitySchemes": SCHEMES}}
    found = Document("", raw)
    return messages.request(operations(found)[0], Engine(found, found, Direction.REQUEST), given).split("\n")


def parameters(*told: tuple[str, str, bool, Any]) -> list[dict[str, Any]]:
    """By location, name, whether it is required, and schema."""
    return [{"in": where, "name": name, "required": need, "schema": schema} for where, name, need, schema in told]


def test_what_is_required_is_there_and_nothing_else() -> None:
    """With a value that its schema accepts; what cannot stand in a URL is encoded."""
    told = parameters(
        ("path", "x", True, {"enum": ["", "a b/c"]}),
        ("query", "q&", True, {"enum": ["1&2=3"]}),
        ("query", "n", True, NUMBER),
        ("query", "o", False, TEXT),
        ("header", "X-H", True, TEXT),
        ("cookie", "c", True, {"type": "boolean"}),
        ("header", "X-O", False, TEXT),
    )
    assert request({}, "/a/{x}/b", parameters=told) == [
        "POST /a/a%20b%2Fc/b?q%26=1%262%3D3&n=3 HTTP/1.1",
        "X-H: a",
        "Cookie: c=false",
    ]


@pytest.mark.parametrize("location", ["header", "cookie"])
def test_no_field_has_another_line(location: str) -> None:
    """What a document says cannot write a header of its own into a message."""
    told = parameters((location, "x", True, {"enum": ["a\nX-Evil: b", "a\rb", "c"]}))
    assert request({}, parameters=told)[1:] == ["x: c" if location == "header" else "Cookie: x=c"]


def test_what_is_given_is_there() -> None:
    """Required or not; lists and objects as the simple style writes them."""
    told = parameters(("query", "l", False, {}), ("header", "X-O", False, {}), ("query", "n", False, {}))
    given = {("query", "l"): [1, "b"], ("header", "x-o"): {"a": True, "b": [None]}, ("query", "n"): None}
    assert request(given, parameters=told) == ["POST /a?l=1%2Cb&n=null HTTP/1.1", "X-O: a,true,b,null"]


def test_where_no_value_is_known_there_is_a_word() -> None:
    """Of a parameter that nothing satisfies, or whose schema is not told."""
    told = [*parameters(("query", "a", True, {"not": {}})), {"in": "query", "name": "b", "required": True}]
    assert request({}, parameters=told) == ["POST /a?a=value&b=value HTTP/1.1"]


def test_the_body() -> None:
    """As given, or else if it is required one that its schema accepts."""
    body = {"required": True, "content": {JSON: {"schema": NUMBER}, "text/plain": {}}}
    assert request({}, requestBody=body) == ["POST /a HTTP/1.1", f"Content-Type: {JSON}", "", "3"]
    assert request({}, requestBody={"content": body["content"]}) == ["POST /a HTTP/1.1"]
    given = {messages.BODY: ("text/plain", {"é": "\n"})}
    assert request(given, requestBody=body) == ["POST /a HTTP/1.1", "Content-Type: text/plain", "", '{"é": "\\n"}']
    anything = {"required": True, "content": {"text/plain": {}}}
    assert request({}, requestBody=anything)[1:] == ["Content-Type: text/plain", "", "{}"]
    nothing = {"required": True, "content": {JSON: {"schema": {"not": {}}}}}
    assert request({}, requestBody=nothing)[3:] == ["{}"]


@pytest.mark.parametrize(
    ("security", "headers"),
    [
        ([{"bearer": []}], ["Authorization: Bearer <token>"]),
        ([{"basic": []}], ["Authorization: Basic <credentials>"]),
        ([{"oauth": ["s"]}], ["Authorization: Bearer <token>"]),
        ([{"header": []}], ["X-Key: <key>"]),
        ([{"query": []}], []),
        ([{"bearer": []}, {}], []),
        ([], []),
    ],
)
def test_credentials_are_left_for_a_person_to_put_there(security: Any, headers: list[str]) -> None:
    """By the way that demands least."""
    assert request({}, security=security)[1:] == headers


@pytest.mark.parametrize(("status", "line"), [("201", "201"), ("2XX", "200"), ("4XX", "400"), ("default", "500")])
def test_answers(status: str, line: str) -> None:
    """With a body, or a header."""
    assert messages.response(status, [1], "a/b", None) == f"HTTP/1.1 {line}\nContent-Type: a/b\n\n[1]"
    assert messages.response(status, [1, "é"], None, "X-A") == f"HTTP/1.1 {line}\nX-A: 1,é"
    assert messages.response(status, None, None, None).endswith(f"\nContent-Type: {JSON}\n\nnull")


@pytest.mark.parametrize(("value", "expected"), [("", False), ([], False), ({}, False), ("a", True), (0, True)])
def test_no_part_of_a_path_is_empty(value: Any, expected: bool) -> None:
    """Elsewhere a value may be."""
    assert messages.may_be_sent("path", value) is expected
    assert messages.may_be_sent("query", value)
