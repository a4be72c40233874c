"""Complete requests and answers, which a person can paste, without secrets."""

from typing import Any

import pytest

from openapi.contract import Document
from openapi.diff.comparison import messages
from openapi.diff.comparison.operations import Parameter, operations
from openapi.schemas.directions import Direction
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
    "cookie": {"type": "apiKey", "in": "cookie", "name": "key"},
    "digest": {"type": "http", "scheme": "digest"},
}


def request(values: dict[tuple[str, str], Any], path: str = "/a", **operation: Any) -> list[str]:
    """The lines of a request for `operation` with `values` by location and name."""
    raw = {**document().document, "paths": {path: {"post": operation}}, "components": {"securitySchemes": SCHEMES}}
    spec = Document("", raw)
    return messages.request(operations(spec)[0], Engine(spec, spec, Direction.REQUEST), values).whole.split("\n")


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
    declared = parameters((location, "x", True, {"enum": ["a\nX-Evil: b", "a\rb", "\n", "c"]}))
    assert request({}, parameters=declared)[1:] == ["x: c" if location == "header" else "Cookie: x=c"]


def test_given_values_are_part_of_the_request() -> None:
    """Required or not; each in the style of its parameter."""
    declared = parameters(("query", "l", False, {}), ("header", "X-O", False, {}), ("query", "n", False, {}))
    values = {("query", "l"): [1, "b"], ("header", "x-o"): {"a": True, "b": 1.0}, ("query", "n"): 1.5}
    assert request(values, parameters=declared) == ["POST /a?l=1&l=b&n=1.5 HTTP/1.1", "X-O: a,true,b,1"]


def test_a_placeholder_replaces_an_unknown_value() -> None:
    """For a parameter with an unsatisfiable schema, or without a schema."""
    declared = [*parameters(("query", "a", True, {"not": {}})), {"in": "query", "name": "b", "required": True}]
    assert request({}, parameters=declared) == ["POST /a?a=value&b=value HTTP/1.1"]


def test_the_body() -> None:
    """The given value, or else, if the body is required, one that its schema accepts."""
    body = {"required": True, "content": {JSON: {"schema": NUMBER}, "text/plain": {}}}
    assert request({}, requestBody=body) == ["POST /a HTTP/1.1", f"Content-Type: {JSON}", "", "3"]
    assert request({}, requestBody={"content": body["content"]}) == ["POST /a HTTP/1.1"]
    values: dict[tuple[str, str], Any] = {messages.BODY: (JSON, {"é": "\n"})}
    assert request(values, requestBody=body) == ["POST /a HTTP/1.1", f"Content-Type: {JSON}", "", '{"é": "\\n"}']
    values = {messages.BODY: ("text/plain", "é\n")}
    assert request(values, requestBody=body) == ["POST /a HTTP/1.1", "Content-Type: text/plain", "", "é", ""]
    anything = {"required": True, "content": {"text/plain": {}}}
    assert request({}, requestBody=anything)[1:] == ["Content-Type: text/plain", "", "value"]
    nothing = {"required": True, "content": {JSON: {"schema": {"not": {}}}}}
    assert request({}, requestBody=nothing)[3:] == ["{}"]


@pytest.mark.parametrize(
    ("security", "headers"),
    [
        ([{"bearer": []}], ["Authorization: Bearer <token>"]),
        ([{"basic": []}], ["Authorization: Basic <credentials>"]),
        ([{"oauth": ["s"]}], ["Authorization: Bearer <token>"]),
        ([{"header": []}], ["X-Key: <key>"]),
        ([{"digest": []}], ["Authorization: Digest <credentials>"]),
        ([{"cookie": []}], ["Cookie: key=<key>"]),
        ([{"header": [], "bearer": []}], ["X-Key: <key>", "Authorization: Bearer <token>"]),
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
    header = Parameter("header", "X-A", (), {})
    assert messages.response(status, [1], JSON, None).whole == f"HTTP/1.1 {line}\nContent-Type: {JSON}\n\n[1]"
    assert messages.response(status, "é", "text/html", None).whole.endswith("\nContent-Type: text/html\n\né")
    assert messages.response(status, [1, "é"], None, header).whole == f"HTTP/1.1 {line}\nX-A: 1,é"
    assert messages.response(status, None, None, None).whole.endswith(f"\nContent-Type: {JSON}\n\nnull")
    assert messages.response(status, [1], "a/b", None).whole == (
        f"{line} with a/b [1]. It is not shown as a message: a document does not say how such a body of a/b is written."
    )


def test_a_header_of_an_answer_has_one_line() -> None:
    """A value that would add another is no proof."""
    header = Parameter("header", "X-A", (), {"content": {JSON: {}}})
    assert messages.response("200", {"a": "é"}, None, header).whole == 'HTTP/1.1 200\nX-A: {"a": "\\u00e9"}'
    plain = Parameter("header", "X-A", (), {})
    assert messages.header_carriage(plain, "a\nb") is messages.Carriage.NEVER
    assert messages.header_carriage(plain, "a") is messages.Carriage.CLEAR


@pytest.mark.parametrize(("name", "location"), [("X-A\nX-Evil", "header"), ("a; b", "cookie")])
def test_no_name_adds_a_line(name: str, location: str) -> None:
    """A request with such a parameter is told in words."""
    (words,) = request({}, parameters=parameters((location, name, True, TEXT)))
    assert words.startswith("POST /a with .")


@pytest.mark.parametrize(
    ("location", "value", "expected"),
    [
        ("path", "", messages.Carriage.NEVER),
        ("path", "..", messages.Carriage.NEVER),
        ("path", [], messages.Carriage.NEVER),
        ("path", "a/b", messages.Carriage.AMBIGUOUS),
        ("path", 0, messages.Carriage.CLEAR),
        ("query", "", messages.Carriage.NEVER),
        ("query", {}, messages.Carriage.NEVER),
        ("query", None, messages.Carriage.NEVER),
        ("query", [None], messages.Carriage.IN_WORDS),
        ("query", [["a"]], messages.Carriage.IN_WORDS),
        ("query", "a b", messages.Carriage.AMBIGUOUS),
        ("query", {"a": "b"}, messages.Carriage.CLEAR),
        ("query", {"other": "b"}, messages.Carriage.IN_WORDS),
        ("header", " a", messages.Carriage.NEVER),
        ("header", "", messages.Carriage.AMBIGUOUS),
        ("header", ["a,b"], messages.Carriage.IN_WORDS),
        ("header", "a,b", messages.Carriage.AMBIGUOUS),
        ("cookie", "a\n", messages.Carriage.NEVER),
        ("cookie", "a;b", messages.Carriage.IN_WORDS),
        ("cookie", ["a", "b"], messages.Carriage.IN_WORDS),
        ("cookie", ["a"], messages.Carriage.CLEAR),
    ],
)
def test_how_a_place_carries_a_value(location: str, value: Any, expected: messages.Carriage) -> None:
    """In the default style of the place."""
    declared = parameters((location, "x", True, {}), ("query", "other", False, {}))
    raw = {**document().document, "paths": {"/a/{x}": {"get": {"parameters": declared}}}}
    operation = operations(Document("", raw))[0]
    key = next(key for key in operation.parameters if key[0] == location)
    assert messages.carriage(operation, key, value) is expected
