"""Complete requests and answers, which a person can paste, without secrets."""

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


def request(values: dict[tuple[str, str], Any], path: str = "/a", **operation: Any) -> list[str]:
    """The lines of a request for `operation` with `values` by location and name."""
    raw = {**document().document, "paths": {path: {"post": operation}}, "components": {"securitySchemes": SCHEMES}}
    spec = Document("", raw)
    return messages.request(operations(spec)[0], Engine(spec, spec, Direction.REQUEST), values).split("\n")


def parameters(*rows: tuple[str, str, bool, Any]) -> list[dict[str, Any]]:
    """Parameter objects from rows of location, name, required flag and schema."""
    return [
        {"in": location, "name": name, "required": is_required, "schema": schema}
        for location, name, is_required, schema in rows
    ]


def test_a_request_has_only_its_required_parts() -> None:
    """With values that their schemas accept, percent-encoded in the URL."""
    declared = parameters(
        ("path", "x", True, {"enum": ["", "a b/c"]}),
        ("query", "q&", True, {"enum": ["1&2=3"]}),
        ("query", "n", True, NUMBER),
        ("query", "o", False, TEXT),
        ("header", "X-H", True, TEXT),
        ("cookie", "c", True, {"type": "boolean"}),
        ("header", "X-O", False, TEXT),
    )
    assert request({}, "/a/{x}/b", parameters=declared) == [
        "POST /a/a%20b%2Fc/b?q%26=1%262%3D3&n=3 HTTP/1.1",
        "X-H: a",
        "Cookie: c=false",
    ]


@pytest.mark.parametrize("location", ["header", "cookie"])
def test_no_value_adds_a_line(location: str) -> None:
    """No text of a document can inject a header into a message."""
    declared = parameters((location, "x", True, {"enum": ["a\nX-Evil: b", "a\rb", "c"]}))
    assert request({}, parameters=declared)[1:] == ["x: c" if location == "header" else "Cookie: x=c"]


def test_given_values_are_part_of_the_request() -> None:
    """Required or not; lists and objects in the simple style."""
    declared = parameters(("query", "l", False, {}), ("header", "X-O", False, {}), ("query", "n", False, {}))
    values = {("query", "l"): [1, "b"], ("header", "x-o"): {"a": True, "b": [None]}, ("query", "n"): None}
    assert request(values, parameters=declared) == ["POST /a?l=1%2Cb&n=null HTTP/1.1", "X-O: a,true,b,null"]


def test_a_placeholder_replaces_an_unknown_value() -> None:
    """For a parameter with an unsatisfiable schema, or without a schema."""
    declared = [*parameters(("query", "a", True, {"not": {}})), {"in": "query", "name": "b", "required": True}]
    assert request({}, parameters=declared) == ["POST /a?a=value&b=value HTTP/1.1"]


def test_the_body() -> None:
    """The given value, or else, if the body is required, one that its schema accepts."""
    body = {"required": True, "content": {JSON: {"schema": NUMBER}, "text/plain": {}}}
    assert request({}, requestBody=body) == ["POST /a HTTP/1.1", f"Content-Type: {JSON}", "", "3"]
    assert request({}, requestBody={"content": body["content"]}) == ["POST /a HTTP/1.1"]
    values = {messages.BODY: ("text/plain", {"é": "\n"})}
    assert request(values, requestBody=body) == ["POST /a HTTP/1.1", "Content-Type: text/plain", "", '{"é": "\\n"}']
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
def test_credentials_are_placeholders(security: Any, headers: list[str]) -> None:
    """For the security requirement that demands least."""
    assert request({}, security=security)[1:] == headers


@pytest.mark.parametrize(("status", "line"), [("201", "201"), ("2XX", "200"), ("4XX", "400"), ("default", "500")])
def test_answers(status: str, line: str) -> None:
    """An answer has a body, or a header."""
    assert messages.response(status, [1], "a/b", None) == f"HTTP/1.1 {line}\nContent-Type: a/b\n\n[1]"
    assert messages.response(status, [1, "é"], None, "X-A") == f"HTTP/1.1 {line}\nX-A: 1,é"
    assert messages.response(status, None, None, None).endswith(f"\nContent-Type: {JSON}\n\nnull")


@pytest.mark.parametrize(("value", "expected"), [("", False), ([], False), ({}, False), ("a", True), (0, True)])
def test_no_part_of_a_path_is_empty(value: Any, expected: bool) -> None:
    """In other places a value may be empty."""
    assert messages.may_be_sent("path", value) is expected
    assert messages.may_be_sent("query", value)
