"""Each shown request is one that the old document accepts and the new one refuses, by another validator."""

import json
import shlex
import subprocess
import threading
from collections.abc import Iterator
from email.parser import Parser
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar

import pytest

from openapi.contract import Document
from openapi.diff.comparison.compare import compare
from openapi.diff.comparison.messages import BODY, request
from openapi.diff.comparison.operations import operations
from openapi.diff.findings import CERTAIN, NOT_FOUND, PROVED
from openapi.diff.reports.html_report import html_report
from openapi.diff.reports.markdown_report import markdown_report
from openapi.diff.reports.report import Report
from openapi.diff.reports.text_report import text_report
from openapi.schemas.directions import Direction
from openapi.schemas.engine import Engine
from tests.openapi.diff.proof_judge import refusal, sent

TEXT: dict[str, Any] = {"type": "string"}
INTEGER = {"type": "integer"}
FORM, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"


def listed(*values: str) -> dict[str, Any]:
    """Two texts, each one of `values`."""
    return {"type": "array", "minItems": 2, "items": {"type": "string", "enum": [*values]}}


def roled(most: int) -> dict[str, Any]:
    """An object of a number and a text."""
    properties = {"n": {"type": "integer", "minimum": 0, "maximum": most}, "role": {"type": "string", "enum": ["x"]}}
    return {"type": "object", "required": ["n", "role"], "properties": properties, "additionalProperties": False}


LISTS, OBJECTS = (listed("b", "a"), listed("a")), (roled(6), roled(5))
SCHEMES = {
    "header": {"type": "apiKey", "in": "header", "name": "X-Key"},
    "query": {"type": "apiKey", "in": "query", "name": "k"},
    "cookie": {"type": "apiKey", "in": "cookie", "name": "k"},
    "basic": {"type": "http", "scheme": "basic"},
    "bearer": {"type": "http", "scheme": "bearer"},
}


def document(path: str = "/r", **operation: Any) -> dict[str, Any]:
    """A document with one operation."""
    method = "post" if "requestBody" in operation else "get"
    return {
        "openapi": "3.0.3",
        "info": {"title": "A", "version": "1"},
        "components": {"securitySchemes": SCHEMES},
        "paths": {path: {method: {"responses": {"204": {"description": "Done."}}, **operation}}},
    }


def with_parameter(location: str, schema: Any, **more: Any) -> dict[str, Any]:
    """A document with the parameter `t`."""
    parameter = {"in": location, "name": "t", "required": True, "schema": schema, **more}
    if schema is None:
        del parameter["schema"]
    return document("/r/{t}" if location == "path" else "/r", parameters=[parameter])


def with_body(media_type: str, schema: Any, **operation: Any) -> dict[str, Any]:
    """A document with a body."""
    body = {"required": True, "content": {media_type: {"schema": schema, **operation.pop("content", {})}}}
    return document(requestBody=body, **operation)


def only_break(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """The only breaking change of the comparison."""
    changes = Report.of(Document("", old), Document("", new), ("old", "new")).as_json["changes"]
    (change,) = [change for change in changes if change["breaking"]]
    assert isinstance(change, dict)
    return change


def proof(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """The proof of the only break; its request is accepted by `old` and refused by `new`."""
    change = only_break(old, new)
    assert change["certainty"] == PROVED
    found: dict[str, Any] = change["proof"]
    assert refusal(old, found["message"]) is None
    assert refusal(new, found["message"])
    return found


@pytest.mark.parametrize(
    ("location", "serialization", "schemas", "shown"),
    [
        ("query", {}, LISTS, "/r?t=b&t=a"),
        ("query", {"explode": False}, LISTS, "/r?t=b,a"),
        ("query", {"style": "spaceDelimited", "explode": False}, LISTS, "/r?t=b%20a"),
        ("query", {"style": "pipeDelimited", "explode": False}, LISTS, "/r?t=b%7Ca"),
        ("query", {"style": "deepObject", "explode": True}, OBJECTS, "/r?t[n]=6&t[role]=x"),
        ("query", {}, OBJECTS, "/r?n=6&role=x"),
        ("query", {"explode": False}, OBJECTS, "/r?t=n,6,role,x"),
        ("path", {}, LISTS, "/r/b,a"),
        ("path", {"explode": True}, LISTS, "/r/b,a"),
        ("path", {}, OBJECTS, "/r/n,6,role,x"),
        ("path", {"explode": True}, OBJECTS, "/r/n=6,role=x"),
        ("path", {"style": "label"}, LISTS, "/r/.b,a"),
        ("path", {"style": "label", "explode": True}, LISTS, "/r/.b.a"),
        ("path", {"style": "label"}, OBJECTS, "/r/.n,6,role,x"),
        ("path", {"style": "label", "explode": True}, OBJECTS, "/r/.n=6.role=x"),
        ("path", {"style": "label"}, (TEXT, INTEGER), "/r/.a"),
        ("path", {"style": "matrix"}, LISTS, "/r/;t=b,a"),
        ("path", {"style": "matrix", "explode": True}, LISTS, "/r/;t=b;t=a"),
        ("path", {"style": "matrix"}, OBJECTS, "/r/;t=n,6,role,x"),
        ("path", {"style": "matrix", "explode": True}, OBJECTS, "/r/;n=6;role=x"),
        ("path", {"style": "matrix"}, (TEXT, INTEGER), "/r/;t=a"),
        ("query", {}, (TEXT, INTEGER), "/r?t=a"),
        ("path", {}, (TEXT, INTEGER), "/r/a"),
    ],
)
def test_a_url_has_the_style_of_its_parameter(
    location: str, serialization: dict[str, Any], schemas: tuple[Any, Any], shown: str
) -> None:
    """Its delimiters are not encoded; no value is empty, which would need `allowEmptyValue`."""
    old, new = (with_parameter(location, schema, **serialization) for schema in schemas)
    assert sent(proof(old, new)["message"]).target == shown


@pytest.mark.parametrize(
    ("location", "serialization", "schemas", "shown"),
    [
        ("header", {}, LISTS, ("t", "b,a")),
        ("header", {}, OBJECTS, ("t", "n,6,role,x")),
        ("header", {"explode": True}, OBJECTS, ("t", "n=6,role=x")),
        ("header", {}, (TEXT, INTEGER), ("t", "a")),
        ("cookie", {"explode": False}, LISTS, ("Cookie", "t=b,a")),
        ("cookie", {"explode": False}, OBJECTS, ("Cookie", "t=n,6,role,x")),
        ("cookie", {}, (TEXT, INTEGER), ("Cookie", "t=a")),
    ],
)
def test_a_header_has_the_style_of_its_parameter(
    location: str, serialization: dict[str, Any], schemas: tuple[Any, Any], shown: tuple[str, str]
) -> None:
    """Several values of a cookie are in one."""
    old, new = (with_parameter(location, schema, **serialization) for schema in schemas)
    request = sent(proof(old, new)["message"])
    assert (request.target, [*request.headers.items()]) == ("/r", [shown])


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("query", "GET /r?t=%7B%22n%22%3A%206%2C%20%22role%22%3A%20%22x%22%7D HTTP/1.1"),
        ("path", "GET /r/%7B%22n%22%3A%206%2C%20%22role%22%3A%20%22x%22%7D HTTP/1.1"),
        ("header", 'GET /r HTTP/1.1\nt: {"n": 6, "role": "x"}'),
    ],
)
def test_a_parameter_may_have_a_media_type(location: str, shown: str) -> None:
    """It is JSON then, percent-encoded in a URL."""
    old, new = (with_parameter(location, None, content={"application/json": {"schema": schema}}) for schema in OBJECTS)
    assert proof(old, new)["message"] == shown


FILED = {"type": "object", "properties": {"f": {"type": "string", "format": "binary"}, "n": INTEGER}}
NESTED = {"type": "object", "required": ["o"], "properties": {"o": roled(6)}}
NARROWED = {"type": "object", "required": ["o"], "properties": {"o": roled(5)}}


def owning(schema: Any) -> dict[str, Any]:
    """An object with the required property `a`."""
    return {"type": "object", "required": ["a"], "properties": {"a": schema}}


@pytest.mark.parametrize(
    ("media_type", "schemas", "shown"),
    [
        (FORM, (owning(LISTS[0]), owning(LISTS[1])), "a=b&a=a"),
        (FORM, (owning({"enum": ["a&b=c", "d"]}), owning({"enum": ["d"]})), "a=a%26b%3Dc"),
        ("text/plain", ({**TEXT, "enum": ["a\nb", "c"]}, {**TEXT, "enum": ["c"]}), "a\nb"),
        ("application/octet-stream", ({**TEXT, "format": "binary"}, INTEGER), "a"),
        ("application/json", (INTEGER, {**INTEGER, "minimum": 0}), "-1"),
        ("application/json", ({**TEXT, "format": "byte"}, {**TEXT, "format": "byte", "maxLength": 4}), '"YWFhYWFh"'),
        ("application/problem+json", (TEXT, INTEGER), '""'),
    ],
)
def test_a_body_has_the_form_of_its_media_type(media_type: str, schemas: tuple[Any, Any], shown: str) -> None:
    """A form is a form, and a text itself."""
    old, new = (with_body(media_type, schema) for schema in schemas)
    request = sent(proof(old, new)["message"])
    assert (request.headers["Content-Type"], request.text) == (media_type, shown)


@pytest.mark.parametrize(
    ("schemas", "value"),
    [
        (({"type": "string"}, {"type": "string", "minLength": 1, "maxLength": 8}), "a" * 9),
        (({"type": "array", "items": {}}, {"type": "array", "items": {}, "minItems": 1, "maxItems": 3}), [0, 1, 2, 3]),
        (({"type": "integer"}, {"type": "integer", "minimum": 7, "maximum": 9}), 10),
    ],
)
def test_a_proof_is_of_its_own_change(schemas: tuple[Any, Any], value: Any) -> None:
    """Not a value that another new limit refuses, which would be found first."""
    old, new = (Document("", with_body("application/json", {"properties": {"a": schema}})) for schema in schemas)
    changes = Report.of(old, new, ("old", "new")).changes
    (change,) = [change for change in changes if "-max" in change.rule]
    assert change.witness is not None
    assert change.witness.value == {"a": value}


@pytest.mark.parametrize("location", ["query", "path", "header"])
def test_a_parameter_without_a_type_is_a_text(location: str) -> None:
    """It stays one with that type, and is proved to become another thing by a text."""
    untyped, text = (Document("", with_parameter(location, schema)) for schema in ({}, {"type": "string"}))
    assert [change for change in compare(untyped, text) if change.is_break] == []
    assert compare(text, text) == []
    found = proof(with_parameter(location, {}), with_parameter(location, {"type": "integer"}))
    assert isinstance(found["value"], str)
    any_set: dict[str, Any] = {"nullable": True, "oneOf": [{}]}
    unions: list[dict[str, Any]] = [any_set, {"allOf": [{}]}, {"anyOf": [{}, {"type": "integer"}]}]
    for written in unions:
        composed = Document("", with_parameter(location, written))
        assert [change for change in compare(composed, text) if change.is_break] == []
    limited = proof(with_parameter(location, {}), with_parameter(location, {"type": "string", "maxLength": 3}))
    assert limited["value"] == "aaaa"


@pytest.mark.parametrize("media_type", [FORM, MULTIPART])
def test_a_field_without_a_type_is_a_text(media_type: str) -> None:
    """As a parameter is; but in JSON, or with a media type of its own, it is anything."""

    def breaks(media_type: str, field: Any, **more: Any) -> set[str]:
        fields: list[Any] = [{}, field]
        documents = [
            Document("", with_body(media_type, {"type": "object", "properties": {"f": schema}}, content=dict(more)))
            for schema in fields
        ]
        return {change.rule for change in compare(*documents) if change.is_break}

    text = {"type": "string"}
    assert not breaks(media_type, text)
    assert breaks(media_type, {"type": "integer"}) == {"request-type-narrowed"}
    assert "request-type-narrowed" in breaks("application/json", text)
    assert "request-type-narrowed" in breaks(media_type, text, encoding={"f": {"contentType": "application/json"}})


def test_a_form_has_at_least_one_field() -> None:
    """An empty one is no body for some servers: an optional property is sent instead."""
    old = {"type": "object", "properties": {"a": TEXT, "b": TEXT}}
    new = {**old, "required": ["b"]}
    assert sent(proof(with_body(FORM, old), with_body(FORM, new))["message"]).text == "a="


def test_a_multipart_form_has_parts() -> None:
    """With a boundary; an object is JSON, and a file has a name."""
    found = proof(with_body(MULTIPART, NESTED), with_body(MULTIPART, NARROWED))
    assert found["message"] == (
        "POST /r HTTP/1.1\nContent-Type: multipart/form-data; boundary=boundary\n\n"
        '--boundary\nContent-Disposition: form-data; name="o"\nContent-Type: application/json\n\n'
        '{"n": 6, "role": "x"}\n--boundary--\n'
    )
    new = {**FILED, "required": ["n"]}
    found = proof(*(with_body(MULTIPART, owning(schema)) for schema in LISTS))
    part = '--boundary\nContent-Disposition: form-data; name="a"\n\n'
    assert sent(found["message"]).text == f"{part}b\n{part}a\n--boundary--\n"
    found = proof(with_body(MULTIPART, FILED), with_body(MULTIPART, new))
    assert 'name="f"; filename="f"\nContent-Type: application/octet-stream\n\n' in found["message"]


@pytest.mark.parametrize(
    ("scheme", "shown"),
    [
        ("header", "POST /r HTTP/1.1\nX-Key: <key>"),
        ("query", "POST /r?k=<key> HTTP/1.1"),
        ("cookie", "POST /r HTTP/1.1\nCookie: k=<key>"),
        ("basic", "POST /r HTTP/1.1\nAuthorization: Basic <credentials>"),
        ("bearer", "POST /r HTTP/1.1\nAuthorization: Bearer <token>"),
    ],
)
def test_a_request_has_its_credentials(scheme: str, shown: str) -> None:
    """As placeholders, where the scheme has them."""
    old, new = (with_body("application/json", schema, security=[{scheme: []}]) for schema in (TEXT, INTEGER))
    assert proof(old, new)["message"] == f'{shown}\nContent-Type: application/json\n\n""'


def test_all_that_is_required_is_there() -> None:
    """Two cookies share a field; an exploded list is not empty."""
    required = [
        {"in": "cookie", "name": "c", "required": True, "schema": INTEGER},
        {"in": "query", "name": "l", "required": True, "schema": {"type": "array", "items": TEXT}},
        {"in": "query", "name": "e", "required": True, "schema": TEXT},
    ]
    old, new = (
        with_body("application/json", schema, parameters=required, security=[{"cookie": []}])
        for schema in (TEXT, INTEGER)
    )
    found = proof(old, new)["message"]
    assert found.startswith("POST /r?l=a0&e=a HTTP/1.1\nCookie: k=<key>; c=0\n")


@pytest.mark.parametrize(
    ("location", "schemas"),
    [
        ("query", (TEXT, {**TEXT, "minLength": 1})),
        ("path", (TEXT, {**TEXT, "minLength": 1})),
        ("query", ({"type": "array", "items": TEXT}, {"type": "array", "items": TEXT, "minItems": 1})),
        ("query", ({**TEXT, "nullable": True}, TEXT)),
        ("header", ({**TEXT, "enum": ["a\nb", "c"]}, {**TEXT, "enum": ["c"]})),
        ("path", ({**TEXT, "enum": ["..", "c"]}, {**TEXT, "enum": ["c"]})),
        ("query", ({"type": "array", "items": TEXT}, TEXT)),
        ("query", (INTEGER, {"type": "array", "items": INTEGER})),
    ],
)
def test_what_no_client_sends_proves_nothing(location: str, schemas: tuple[Any, Any]) -> None:
    """An empty value, null, dots that leave a path, and a list that is read as a text."""
    change = only_break(*(with_parameter(location, schema) for schema in schemas))
    assert (change["certainty"], change["proof"]) == (NOT_FOUND, None)


def test_a_list_in_another_style_proves_nothing() -> None:
    """The new document reads another value."""
    old = with_parameter("query", {"type": "array", "items": TEXT})
    new = with_parameter("query", {"type": "array", "items": TEXT, "maxItems": 2}, explode=False)
    changes = Report.of(Document("", old), Document("", new), ("old", "new")).as_json["changes"]
    assert {change["rule"]: change["certainty"] for change in changes} == {
        "parameter-serialization-changed": CERTAIN,
        "request-maxItems-narrowed": NOT_FOUND,
    }


def test_an_empty_value_may_be_allowed() -> None:
    """By `allowEmptyValue`."""
    schemas = TEXT, {**TEXT, "minLength": 1}
    change = only_break(*(with_parameter("query", schema, allowEmptyValue=True) for schema in schemas))
    assert change["proof"]["message"] == "GET /r?t= HTTP/1.1"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            with_parameter("query", owning(roled(6))),
            with_parameter("query", owning(roled(5))),
            (
                'GET /r with query parameter t {"a": {"n": 6, "role": "x"}}. It is not shown as a message: '
                "a list or object within another one has no text."
            ),
        ),
        (
            with_body(FORM, owning(roled(6))),
            with_body(FORM, owning(roled(5))),
            (
                f'POST /r with body of {FORM} {{"a": {{"n": 6, "role": "x"}}}}. It is not shown as a message: '
                "a document does not say how an object within a form is written."
            ),
        ),
        (
            with_body("application/xml", roled(6)),
            with_body("application/xml", roled(5)),
            (
                'POST /r with body of application/xml {"n": 6, "role": "x"}. It is not shown as a message: '
                "a document does not say how such a body of application/xml is written."
            ),
        ),
    ],
)
def test_a_value_without_a_form_is_told_in_words(old: dict[str, Any], new: dict[str, Any], words: str) -> None:
    """It is no request, and no command."""
    found = only_break(old, new)["proof"]
    assert (found["message"], found["curl"]) == (words, None)


def test_a_value_that_is_carried_goes_first() -> None:
    """An optional object that a form cannot carry is left out."""
    schema = {"type": "object", "required": ["a"], "properties": {"a": INTEGER, "o": roled(6)}}
    narrowed = {**schema, "properties": {"a": {**INTEGER, "minimum": 1}, "o": roled(6)}}
    assert sent(proof(with_body(FORM, schema), with_body(FORM, narrowed))["message"]).text == "a=0"


def test_a_proof_is_short_for_people_and_whole_for_programs() -> None:
    """Two items of a long list, and the beginning of a long text."""
    properties = {"l": {"type": "array", "items": TEXT}, "t": TEXT}
    old = {"type": "object", "properties": properties}
    lists = {**old, "properties": {**properties, "l": {"type": "array", "items": TEXT, "maxItems": 98}}}
    found = only_break(with_body("application/json", old), with_body("application/json", lists))["proof"]
    assert found["short"].endswith('{"l": ["a0", "a1", … 97 more]}')
    assert len(json.loads(sent(found["message"]).text)["l"]) == 99
    texts = {**old, "properties": {**properties, "t": {**TEXT, "maxLength": 5000}}}
    report = Report.of(Document("", with_body(FORM, old)), Document("", with_body(FORM, texts)), ("old", "new"))
    short = "t=" + "a" * 40 + "… (5,001 characters)"
    for text in (text_report(report), markdown_report(report), html_report(report)):
        assert short in text
        assert "a" * 41 not in text
    assert "t=" + "a" * 5001 in report.as_json_text()


def test_a_command_is_one_line() -> None:
    """In one line that a shell reads as it is; a short one also for people."""
    body = with_body(
        "text/plain",
        {**TEXT, "enum": ["it's\n", "c"]},
        parameters=[
            {"in": "query", "name": "f", "required": True, "style": "deepObject", "explode": True, "schema": roled(6)}
        ],
    )
    changed = with_body("text/plain", {**TEXT, "enum": ["c"]}, parameters=body["paths"]["/r"]["post"]["parameters"])
    found = proof({**body, "servers": [{"url": "https://api.example.com/v1"}]}, changed | {"servers": [{"url": "/v1"}]})
    assert found["curl"] == (
        """printf 'it'"'"'s\\012' | curl --globoff 'https://api.example.com/v1/r?f[n]=0&f[role]=x' """
        "-H 'Content-Type: text/plain' --data-binary @-"
    )
    report = Report.of(
        Document("", with_parameter("query", TEXT)), Document("", with_parameter("query", INTEGER)), ("a", "b")
    )
    assert "\n            curl 'https://<host>/r?t=a'\n" in text_report(report)
    assert shlex.split(report.as_json["changes"][0]["proof"]["curl"]) == ["curl", "https://<host>/r?t=a"]
    assert "<pre>curl &#39;https://&lt;host&gt;/r?t=a&#39;</pre>" in html_report(report)


class _Received(BaseHTTPRequestHandler):
    """Keeps each request: its method, its target, and its body."""

    kept: ClassVar[list[tuple[str, str, dict[str, str], str]]] = []

    def do_POST(self) -> None:
        """Answer 204."""
        text = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self.kept.append((self.command, self.path, dict(self.headers.items()), text))
        self.send_response(204)
        self.end_headers()

    do_GET = do_PUT = do_POST  # noqa: N815 - the names are of the base class

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - likewise
        """Print nothing."""


@pytest.fixture(scope="module")
def host() -> Iterator[str]:
    """The URL of a server that keeps each request."""
    server = HTTPServer(("127.0.0.1", 0), _Received)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("media_type", "value"),
    [
        ("application/json", {"a": "it's \u00e9 \\ \" $HOME"}),
        ("text/plain", "@50 % of\n\\n\r\n"),
        (FORM, {"a": "b&c d", "l": ["x", "y"]}),
        (MULTIPART, {"a": "@b;type=c", "o": {"t": 'a;"\\'}, "f": ";x", "l": ["<1", "2"]}),
        (None, None),
    ],
)
def test_a_shell_sends_what_the_message_shows(host: str, media_type: str | None, value: Any) -> None:
    """The command, run by sh, makes the request of the message."""
    forms = {"f": {"type": "string", "format": "binary"}}
    spec = with_body(media_type, {"type": "object", "properties": forms}) if media_type else document()
    parameters = [
        {"in": "query", "name": "t[]", "schema": {}},
        {"in": "header", "name": "X-Empty", "schema": {}},
        {"in": "cookie", "name": "c", "schema": {}},
    ]
    (method,) = spec["paths"]["/r"]
    spec["paths"]["/r"][method]["parameters"] = parameters
    described = Document("", {**spec, "servers": [{"url": host}]})
    engine = Engine(described, described, Direction.REQUEST)
    values: dict[tuple[str, str], Any] = {("query", "t[]"): ["a b", "*"], ("header", "x-empty"): "", ("cookie", "c"): 1}
    if media_type:
        values[BODY] = (media_type, value)
    message = request(operations(described)[0], engine, values)
    assert message.curl
    subprocess.run(["sh", "-c", message.curl], check=True, timeout=30, capture_output=True)
    shown, (command, target, headers, text) = sent(message.whole), _Received.kept.pop()
    assert (command, target) == (shown.method, shown.target)
    assert (headers["X-Empty"], headers["Cookie"]) == ("", "c=1")
    if media_type == MULTIPART:
        assert _parts(headers["Content-Type"], text) == _parts(shown.headers["Content-Type"], shown.text)
    else:
        assert (headers.get("Content-Type"), text) == (media_type, shown.text)


def _parts(content_type: str, text: str) -> list[tuple[str, Any, str, str]]:
    """The parts of a multipart form: their names, names of files, media types and texts."""
    message = Parser().parsestr(f"Content-Type: {content_type}\n\n" + text.replace("\r\n", "\n"))
    return [
        (
            str(part.get_param("name", header="content-disposition")),
            part.get_filename(),
            part.get_content_type(),
            str(part.get_payload()),
        )
        for part in message.walk()
        if not part.is_multipart()
    ]
