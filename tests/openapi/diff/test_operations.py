"""The parts of an operation, from every place where OpenAPI allows them."""

from typing import Any

import pytest

from openapi.contract import Document
from openapi.diff.comparison.compare import compare
from openapi.diff.comparison.operations import MOST_PATHS, Operation, Parameter, covers, media_type, operations
from tests.openapi.diff.documents import document

PATH = "/a/{x}/b/{y}"
BEARER = {"type": "http", "scheme": "bearer"}


def the(operation: dict[str, Any], item: dict[str, Any] | None = None, **top: Any) -> Operation:
    """The operation at `PATH`, of a document with `top` at its top level."""
    raw = {**document().document, "paths": {PATH: {"get": operation, **(item or {})}}, **top}
    [described] = operations(Document("", raw))
    return described


def parameter(location: str, name: str, **more: Any) -> dict[str, Any]:
    """A parameter object."""
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
        pytest.param(
            [
                {
                    "url": "https://{host}/{v}/{w}",
                    "variables": {
                        "v": {"default": "1", "enum": ["0", "1"]},
                        "w": {"default": "x", "enum": ["y"]},
                        "host": {"default": "a", "enum": [f"h{number}" for number in range(200)]},
                    },
                }
            ],
            ("/1/x", "/1/y", "/0/x", "/0/y"),
            id="values of variables of the path",
        ),
        pytest.param([{"url": "http://["}], ("http://[",), id="none that can be read"),
    ],
)
def test_the_paths_of_servers(servers: Any, bases: tuple[str, ...]) -> None:
    """Without hosts, and each path once."""
    operation = the({}, servers=servers)
    assert operation.bases == bases
    assert operation.name == f"GET {bases[0]}{PATH}"


def test_the_paths_of_a_server_are_bounded() -> None:
    """Its variables may have more values than anyone lists."""
    variables = {name: {"default": "1", "enum": [*"0123456789"]} for name in "abcdefgh"}
    bases = the({}, servers=[{"url": "/" + "".join(f"{{{name}}}" for name in variables), "variables": variables}]).bases
    assert (len(bases), bases[0]) == (MOST_PATHS, "/11111111")


def test_the_nearest_servers_count() -> None:
    """The operation's own, else those of its path, else those of the document."""
    one, two, three = ([{"url": f"/{name}"}] for name in ("one", "two", "three"))
    assert the({"servers": one}, {"servers": two}, servers=three).bases == ("/one",)
    assert the({}, {"servers": two}, servers=three).bases == ("/two",)
    assert the({}, servers=three).bases == ("/three",)


def test_the_names_of_path_parameters_do_not_identify_operations() -> None:
    """Nor do they identify the parameters: their positions do."""
    operation = the({"parameters": [parameter("path", "y"), parameter("path", "z"), parameter("query", "x")]})
    assert operation.keys == {("get", "/a/{}/b/{}")}
    assert set(operation.parameters) == {("path", "1"), ("path", "z"), ("query", "x")}


def test_parameters_of_the_path_are_overridden() -> None:
    """By those of the same location and name; header names ignore case, and some headers are no parameters."""
    shared = [parameter("query", "q", required=True), parameter("header", "X-A"), parameter("cookie", "q")]
    own = [{"$ref": "#/components/parameters/Q"}, parameter("header", "x-a", required=True), "no parameter"]
    ignored = [parameter("header", name) for name in ("Accept", "Content-Type", "AUTHORIZATION")]
    components = {"parameters": {"Q": parameter("query", "q", schema={})}}
    parameters = the({"parameters": own + ignored}, {"parameters": shared}, components=components).parameters
    assert set(parameters) == {("query", "q"), ("header", "x-a"), ("cookie", "q"), ("None", "None")}
    assert not parameters["query", "q"].is_required
    assert parameters["query", "q"].schema == ("components", "parameters", "Q", "schema")
    assert parameters["header", "x-a"].is_required
    assert parameters["cookie", "q"].parts == ("paths", PATH, "parameters", "2")
    assert parameters["cookie", "q"].schema is None


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
def test_the_serialization_of_a_parameter(location: str, raw: dict[str, Any], style: str, explode: bool) -> None:
    """With the defaults of OpenAPI 3.0.3."""
    serialization = Parameter(location, "p", (), raw).serialization
    assert serialization == {"style": style, "explode": explode, "allowReserved": False}


def test_a_path_parameter_is_always_required() -> None:
    """Whatever its `required` says; any other parameter only if that is true."""
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
def test_media_types_are_normalized(written: str, expected: str) -> None:
    """Without regard to case, order, and the charset that JSON has anyway."""
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
    """As in Accept."""
    assert covers(wide, narrow) is expected


def test_answers_and_their_references() -> None:
    """Statuses ignore case, extensions are skipped, and the media type replaces the header Content-Type."""
    headers = {"X-A": {"$ref": "#/components/headers/A"}, "Content-Type": {}}
    answer = {"headers": headers, "content": {"Text/Plain": {"schema": {}}, "a/b": {}}, "links": {"l": {}}}
    components = {"headers": {"A": {"required": True, "schema": {}}}, "responses": {"R": answer}}
    reference = {"$ref": "#/components/responses/R"}
    operation = the({"responses": {"2xx": reference, "Default": {}, "x-y": {}}}, components=components)
    assert list(operation.responses) == ["2XX", "default"]
    path = ("components", "responses", "R")
    header = operation.headers("2XX")["x-a"]
    assert (header.name, header.is_required, header.schema) == ("X-A", True, ("components", "headers", "A", "schema"))
    assert list(operation.headers("2XX")) == ["x-a"]
    contents = operation.response_contents("2XX")
    assert contents["text/plain"].schema == (*path, "content", "Text/Plain", "schema")
    assert contents["a/b"].schema is None
    assert list(operation.links("2XX")) == ["l"]
    assert not any((operation.headers("default"), operation.response_contents("default"), operation.links("default")))


def test_the_body_and_its_references() -> None:
    """None without a body."""
    body: dict[str, Any] = {"content": {"a/b": {"schema": {}}}}
    operation = the(
        {"requestBody": {"$ref": "#/components/requestBodies/B"}}, components={"requestBodies": {"B": body}}
    )
    assert operation.body == body
    place = ("components", "requestBodies", "B")
    assert operation.body_contents["a/b"].schema == (*place, "content", "a/b", "schema")
    assert (the({}).body, the({}).body_contents) == (None, {})


def test_a_scheme_is_compared_by_its_effect() -> None:
    """Without regard to its name, its texts, bearerFormat and case."""
    first = the({"security": [{"a": []}]}, components={"securitySchemes": {"a": BEARER}})
    scheme = {**BEARER, "scheme": "Bearer", "description": "A key.", "bearerFormat": "JWT", "x-y": 1}
    second = the({}, security=[{"b": []}], components={"securitySchemes": {"b": scheme}})
    assert first.security == second.security
    basic = the({"security": [{"a": []}]}, components={"securitySchemes": {"a": {**BEARER, "scheme": "basic"}}})
    assert basic.security != first.security


@pytest.mark.parametrize(("flow", "is_same"), [({"scopes": {"s": "Listed."}}, True), ({"tokenUrl": "/t"}, False)])
def test_flows_count_except_their_scopes(flow: dict[str, Any], is_same: bool) -> None:
    """Scopes count where an operation requires them."""

    def security(contents: dict[str, Any], scopes: list[str]) -> Any:
        scheme = {"type": "oauth2", "flows": {"clientCredentials": contents}}
        return the({"security": [{"a": scopes}]}, components={"securitySchemes": {"a": scheme}}).security

    assert (security({}, []) == security(flow, [])) is is_same
    assert security({}, ["s"]) != security({}, [])


def test_an_operation_may_require_no_authentication() -> None:
    """By no `security`, by an empty list, which overrides that of the document, or by an empty requirement."""
    no_security = the({}).security
    assert the({"security": []}, security=[{"a": []}]).security == no_security
    assert the({"security": [{}]}).security == no_security
    assert the({}, security=[{"unknown": []}]).security != no_security


def test_other_members_of_a_path_item_are_no_operations() -> None:
    """Neither the parts that all its operations share nor malformed ones."""
    raw = {"summary": "A", "parameters": [], "get": "x", "x-post": {}, "put": {}}
    assert [operation.method for operation in operations(document(a=raw, b="x"))] == ["put"]


NDJSON = "application/x-ndjson"
BYTES = {"type": "string", "format": "binary"}


def of_lines(declared: dict[str, Any]) -> Document:
    """A document with a body of NDJSON."""
    return document(x={"post": {"requestBody": {"content": {NDJSON: declared}}, "responses": {}}})


def test_lines_are_compared_by_their_own_schema() -> None:
    """Of x-item-schema if there is one: describing the whole body, too, changes nothing."""
    line, narrower = {"type": "integer"}, {"type": "integer", "minimum": 0}
    earlier, later = of_lines({"schema": line}), of_lines({"schema": BYTES, "x-item-schema": line})
    assert compare(earlier, later) == compare(later, earlier) == []
    (change,) = compare(later, of_lines({"schema": BYTES, "x-item-schema": narrower}))
    assert (change.rule, change.pointer.split("/")[-2:]) == ("request-minimum-narrowed", ["x-item-schema", "minimum"])


def test_the_schema_of_lines_counts_for_lines_alone() -> None:
    """In a body of JSON the member is an extension without an effect."""
    (operation,) = operations(document(x={"get": {"requestBody": {"content": {"a/json": {"x-item-schema": {}}}}}}))
    assert operation.body_contents["a/json"].schema is None


def test_a_parameter_of_the_media_type_changes_nothing() -> None:
    """Lines with a charset are lines."""
    name = f"{NDJSON.upper()} ; charset=utf-8"
    (operation,) = operations(document(x={"get": {"requestBody": {"content": {name: {"x-item-schema": {}}}}}}))
    (content,) = operation.body_contents.values()
    assert content.schema == (*content.parts, "x-item-schema")


def of_components(most: int) -> Document:
    """Two operations, one of them in a path item of the components, that share a parameter, a body and a header."""
    number = {"type": "integer", "maximum": most}
    operation = {
        "parameters": [{"$ref": "#/components/parameters/L"}],
        "requestBody": {"$ref": "#/components/requestBodies/B"},
        "responses": {"200": {"description": "Done.", "headers": {"X": {"$ref": "#/components/headers/H"}}}},
    }
    shared = document(a={"post": operation}, b={"$ref": "#/components/pathItems/P"})
    shared.document["components"] = {
        "parameters": {
            "L": {"$ref": "#/components/parameters/M"},
            "M": {"name": "l", "in": "query", "schema": number},
        },
        "requestBodies": {"B": {"content": {"application/json": {"schema": number}}}},
        "headers": {"H": {"schema": number}},
        "pathItems": {"P": {"post": operation}},
    }
    return shared


def test_what_operations_share_changes_once() -> None:
    """A pointer crosses no reference, even to a path item, and the change names all its operations."""
    changes = compare(of_components(9), of_components(5))
    found = {change.pointer: change.operations for change in changes}
    both = ("POST /a", "POST /b")
    assert found == {
        "/components/parameters/M/schema/maximum": both,
        "/components/requestBodies/B/content/application~1json/schema/maximum": both,
        "/components/headers/H/schema/maximum": both,
    }
    assert len(changes) == len(found)


def test_two_paths_with_one_item_are_removed_apart() -> None:
    """Each removed operation is a change of its own, although both are declared at one place."""
    old, new = of_components(9), of_components(9)
    for shared in (old, new):
        shared.document["paths"]["/a"] = {"$ref": "#/components/pathItems/P"}
    new.document["paths"] = {}
    removed = [change.operations for change in compare(old, new)]
    assert removed == [("POST /a",), ("POST /b",)]


def test_a_scheme_that_changes_is_one_change() -> None:
    """For all operations that demand it, at its own place, and only with what differs."""
    sides = []
    for host in ("a", "b"):
        flow = {"tokenUrl": f"https://{host}.example/token", "scopes": {"s": "All."}}
        scheme = {"type": "oauth2", "flows": {"clientCredentials": flow}}
        item = {"get": {"security": [{"o": ["s"]}], "responses": {}}}
        side = document(x=item, y=item)
        side.document["components"] = {"securitySchemes": {"o": scheme}}
        sides.append(side)
    (change,) = compare(*sides)
    assert (change.pointer, change.operations) == ("/components/securitySchemes/o", ("GET /x", "GET /y"))
    assert change.new == "oauth2 (flows clientCredentials tokenUrl https://b.example/token) with s"


def test_the_addresses_of_servers_are_told() -> None:
    """Also of a path whose parameter has another name now."""
    sides = []
    for name, host in (("a", "one"), ("b", "two")):
        item = {"servers": [{"url": f"https://{host}.example"}], "get": {"responses": {}}}
        sides.append(document(**{f"x/{{{name}}}": item}))
    (change,) = compare(*sides)
    assert (change.rule, change.new) == ("server-host-changed", ["https://two.example"])
