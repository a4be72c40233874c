"""What a document says of an operation, wherever OpenAPI lets it say so."""

from typing import Any

import pytest

from openapi.contract import Document
from openapi.diff.operations import Operation, Parameter, covers, media_type, operations
from tests.openapi.diff.documents import document

PATH = "/a/{x}/b/{y}"
BEARER = {"type": "http", "scheme": "bearer"}


def the(operation: dict[str, Any], item: dict[str, Any] | None = None, **more: Any) -> Operation:
    """The operation at `PATH`, of a document with `more` at its top."""
    raw = {**document().document, "paths": {PATH: {"get": operation, **(item or {})}}, **more}
    [found] = operations(Document("", raw))
    return found


def parameter(location: str, name: str, **more: Any) -> dict[str, Any]:
    """One as a document has it."""
    return {"in": location, "name": name, **more}


@pytest.mark.parametrize(
    ("servers", "bases"),
    [
        pytest.param(None, ("",), id="none"),
        pytest.param([], ("",), id="an empty list"),
        pytest.param("x", ("",), id="no list"),
        pytest.param([{"url": "https://example.com/v1/"}], ("/v1",), id="a slash at the end"),
        pytest.param(
            [{"url": "/v1"}, {"url": "https://other.example/v1"}, {"url": "/v2"}], ("/v1", "/v2"), id="several"
        ),
        pytest.param([{"url": "/{v}/{w}", "variables": {"v": {"default": "v3"}}}], ("/v3/{w}",), id="variables"),
        pytest.param([{"url": "http://["}], ("http://[",), id="none that can be read"),
    ],
)
def test_the_paths_of_servers(servers: Any, bases: tuple[str, ...]) -> None:
    """Without hosts, each once."""
    found = the({}, servers=servers)
    assert found.bases == bases
    assert found.name == f"GET {bases[0]}{PATH}"


def test_the_nearest_servers_count() -> None:
    """Those of the operation, else of its path, else of the document."""
    one, two, three = ([{"url": f"/{name}"}] for name in ("one", "two", "three"))
    assert the({"servers": one}, {"servers": two}, servers=three).bases == ("/one",)
    assert the({}, {"servers": two}, servers=three).bases == ("/two",)
    assert the({}, servers=three).bases == ("/three",)


def test_the_names_of_parameters_in_a_path_do_not_tell_operations_apart() -> None:
    """Nor do they tell the parameters apart: their places do."""
    found = the({"parameters": [parameter("path", "y"), parameter("path", "z"), parameter("query", "x")]})
    assert found.keys == {("get", "/a/{}/b/{}")}
    assert set(found.parameters) == {("path", "1"), ("path", "z"), ("query", "x")}


def test_parameters_of_the_path_are_overridden() -> None:
    """By those of the same location and name; headers have names without case, and some are no parameters."""
    shared = [parameter("query", "q", required=True), parameter("header", "X-A"), parameter("cookie", "q")]
    own = [{"$ref": "#/components/parameters/Q"}, parameter("header", "x-a", required=True), "no parameter"]
    ignored = [parameter("header", name) for name in ("Accept", "Content-Type", "AUTHORIZATION")]
    components = {"parameters": {"Q": parameter("query", "q", schema={})}}
    found = the({"parameters": own + ignored}, {"parameters": shared}, components=components).parameters
    assert set(found) == {("query", "q"), ("header", "x-a"), ("cookie", "q"), ("None", "None")}
    assert not found["query", "q"].is_required
    assert found["query", "q"].schema == ("paths", PATH, "get", "parameters", "0", "schema")
    assert found["header", "x-a"].is_required
    assert found["cookie", "q"].parts == ("paths", PATH, "parameters", "2")
    assert found["cookie", "q"].schema is None


@pytest.mark.parametrize(
    ("location", "raw", "style", "explode"),
    [
        ("query", {}, "form", True),
        ("cookie", {}, "form", True),
        ("path", {}, "simple", False),
        ("header", {}, "simple", False),
        ("query", {"style": "pipeDelimited"}, "pipeDelimited", False),
        ("query", {"explode": False}, "form", False),
    ],
)
def test_how_a_value_is_written(location: str, raw: dict[str, Any], style: str, explode: bool) -> None:
    """As OpenAPI 3.0.3 has it where nothing is said."""
    told = Parameter(location, "p", (), raw).serialization
    assert told == {"style": style, "explode": explode, "allowReserved": False}


def test_a_parameter_of_a_path_is_always_there() -> None:
    """Whatever it says of itself; another one is if it says so."""
    assert Parameter("path", "p", (), {"required": False}).is_required
    assert Parameter("query", "p", (), {"required": True}).is_required
    assert not Parameter("query", "p", (), {"required": "yes"}).is_required


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("Application/JSON", "application/json"),
        ("application/json; charset=UTF-8", "application/json"),
        ('application/problem+json;charset="utf-8"', "application/problem+json"),
        ("application/json; charset=latin-1", "application/json;charset=latin-1"),
        ("text/plain; charset=utf-8", "text/plain;charset=utf-8"),
        ("text/plain;b=2 ;A=1", "text/plain;a=1;b=2"),
    ],
)
def test_media_types_as_they_are_compared(written: str, expected: str) -> None:
    """Case, order and the charset that JSON has anyway aside."""
    assert media_type(written) == expected


@pytest.mark.parametrize(
    ("wide", "narrow", "expected"),
    [
        ("*/*", "text/plain", True),
        ("text/*", "text/plain", True),
        ("text/*", "textual/plain", False),
        ("text/plain", "text/plain", True),
        ("text/plain", "text/*", False),
        ("text/plain", "text/plain;a=1", False),
    ],
)
def test_ranges_of_media_types(wide: str, narrow: str, expected: bool) -> None:
    """As Accept has them."""
    assert covers(wide, narrow) is expected


def test_answers_and_what_they_refer_to() -> None:
    """Statuses without case, extensions aside; of headers Content-Type is said by the media type."""
    headers = {"X-A": {"$ref": "#/components/headers/A"}, "Content-Type": {}}
    answer = {"headers": headers, "content": {"Text/Plain": {"schema": {}}, "a/b": {}}, "links": {"l": {}}}
    components = {"headers": {"A": {"required": True, "schema": {}}}, "responses": {"R": answer}}
    reference = {"$ref": "#/components/responses/R"}
    found = the({"responses": {"2xx": reference, "Default": {}, "x-y": {}}}, components=components)
    assert list(found.responses) == ["2XX", "default"]
    where = ("components", "responses", "R")
    header = found.headers("2XX")["x-a"]
    assert (header.name, header.is_required, header.schema) == ("X-A", True, (*where, "headers", "X-A", "schema"))
    assert list(found.headers("2XX")) == ["x-a"]
    contents = found.response_contents("2XX")
    assert contents["text/plain"].schema == (*where, "content", "Text/Plain", "schema")
    assert contents["a/b"].schema is None
    assert list(found.links("2XX")) == ["l"]
    assert not any((found.headers("default"), found.response_contents("default"), found.links("default")))


def test_the_body_and_what_it_refers_to() -> None:
    """Or that there is none."""
    body: dict[str, Any] = {"content": {"a/b": {"schema": {}}}}
    found = the({"requestBody": {"$ref": "#/components/requestBodies/B"}}, components={"requestBodies": {"B": body}})
    assert found.body == body
    assert found.body_contents["a/b"].schema == ("paths", PATH, "get", "requestBody", "content", "a/b", "schema")
    assert (the({}).body, the({}).body_contents) == (None, {})


def test_a_scheme_is_what_it_does() -> None:
    """Its name, its texts, the hint of a format and case aside."""
    one = the({"security": [{"a": []}]}, components={"securitySchemes": {"a": BEARER}})
    told = {**BEARER, "scheme": "Bearer", "description": "A key.", "bearerFormat": "JWT", "x-y": 1}
    other = the({}, security=[{"b": []}], components={"securitySchemes": {"b": told}})
    assert one.security == other.security
    basic = the({"security": [{"a": []}]}, components={"securitySchemes": {"a": {**BEARER, "scheme": "basic"}}})
    assert basic.security != one.security


@pytest.mark.parametrize(("flow", "is_same"), [({"scopes": {"s": "Told."}}, True), ({"tokenUrl": "/t"}, False)])
def test_flows_count_but_for_the_scopes_that_they_list(flow: dict[str, Any], is_same: bool) -> None:
    """Scopes count where they are demanded."""

    def ways(told: dict[str, Any], scopes: list[str]) -> Any:
        scheme = {"type": "oauth2", "flows": {"clientCredentials": told}}
        return the({"security": [{"a": scopes}]}, components={"securitySchemes": {"a": scheme}}).security

    assert (ways({}, []) == ways(flow, [])) is is_same
    assert ways({}, ["s"]) != ways({}, [])


def test_no_way_in_is_the_way_of_anybody() -> None:
    """Said by nothing, by an empty list, which overrides that of the document, or by a way that demands nothing."""
    anybody = the({}).security
    assert the({"security": []}, security=[{"a": []}]).security == anybody
    assert the({"security": [{}]}).security == anybody
    assert the({}, security=[{"unknown": []}]).security != anybody


def test_what_is_no_operation_is_none() -> None:
    """Neither the parts of a path that all its operations share nor what is malformed."""
    raw = {"summary": "A", "parameters": [], "get": "x", "x-post": {}, "put": {}}
    assert [found.method for found in operations(document(a=raw, b="x"))] == ["put"]
