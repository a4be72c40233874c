"""Documents of odd shapes: the linter has findings for them, and never fails itself."""

from typing import Any

import pytest

from handlers.operations import OPERATIONS
from openapi.contract import Contract, published
from openapi.lint.rules import Finding, lint

pytestmark = pytest.mark.costly

NEWEST = published()[1]
EVENT = ("components", "schemas", "InteractionEvent", "properties")
LINES = ("paths", "/interaction-events/batch", "post", "requestBody", "content", "application/x-ndjson")
ITEM = (*LINES, "x-item-schema")
EXAMPLE = (*LINES, "examples", "line", "value")
LINKS = {"type": "object", "nullable": True, "description": "Links.", "additionalProperties": True}


def findings(parts: tuple[str, ...], value: Any) -> list[Finding]:
    """Those of the newest contract of version 1 with `value` at `parts`."""
    document = NEWEST.copy()
    node: Any = document
    for part in parts[:-1]:
        node = node[part]
    node[parts[-1]] = value
    return lint(Contract(NEWEST.text, document), OPERATIONS)


@pytest.mark.parametrize(
    "schema",
    [
        *(True, None, 5, [], "x", {"properties": []}, {"properties": {"a": True}}, {"enum": 5}, {"allOf": 5}),
        *(
            {"required": 5},
            {"type": ["object", "null"]},
            {"maxLenght": 5},
            {"properties": {"a": {"properties": {"b": []}}}},
        ),
    ],
    ids=str,
)
@pytest.mark.parametrize("parts", [ITEM, ("components", "x-item-schemas", "Odd")], ids=["of a body", "a component"])
def test_a_schema_of_lines_is_validated_like_any_other(parts: tuple[str, ...], schema: Any) -> None:
    """openapi-spec-validator finds what is wrong, and the finding has its place."""
    found = findings(parts, schema)
    assert {finding.rule for finding in found} == {"openapi"}
    place = "/" + "/".join(part.replace("/", "~1") for part in parts)
    assert found[0].pointer.startswith(place)


@pytest.mark.parametrize("value", [None, 5, [], "x"], ids=str)
@pytest.mark.parametrize("name", ["paths", "tags"])
def test_a_member_of_another_type_is_found(name: str, value: Any) -> None:
    """Of the document itself."""
    found = findings((name,), value)
    assert {finding.rule for finding in found} == ({"openapi"} if (name, value) != ("tags", []) else set())


@pytest.mark.parametrize(
    ("parts", "value"),
    [
        pytest.param(
            (*EVENT, "links"), {**LINKS, "example": {"links": {"next": {"operationId": ["x"]}}}}, id="an example"
        ),
        pytest.param((*EVENT, "metadata", "default"), {"properties": {"a": {"enum": 7}}}, id="a default"),
        pytest.param((*EVENT, "metadata", "example"), {"properties": {"a": {"properties": 5}}}, id="names of keywords"),
        pytest.param((*EVENT, "metadata", "x-thing"), {"schema": {"properties": []}}, id="an extension"),
        pytest.param(EXAMPLE, NEWEST.at(EXAMPLE[:-1])["value"] + "\n \n", id="blank lines"),
        pytest.param(
            (*EVENT, "choice"),
            {"type": "string", "nullable": True, "description": "A.", "enum": ["a", None]},
            id="one value or null",
        ),
        pytest.param(
            (*EVENT, "given"), {"type": "string", "maxLength": 9, "readOnly": True, "description": "A."}, id="read only"
        ),
    ],
)
def test_data_is_no_part_of_the_contract(parts: tuple[str, ...], value: Any) -> None:
    """Names of keywords in it mean nothing."""
    assert findings(parts, value) == []


@pytest.mark.parametrize(
    "example",
    [{}, 5, "[" * 100_000, '{"a": NaN}', '{"a": 1, "a": 2}', '"\\ud800"'],
    ids=["an object", "a number", "deep", "NaN", "a name twice", "a surrogate"],
)
def test_the_lines_of_an_example_are_read_as_the_service_reads_them(example: Any) -> None:
    """What it could not read is a finding."""
    found = findings(EXAMPLE, example)
    assert [finding.rule for finding in found] == ["examples"]
    assert "the example is not lines of JSON: " in found[0].message


def test_a_media_type_may_have_no_schema() -> None:
    """OpenAPI allows it in a response, although the example remains."""
    parts = ("paths", "/usage", "get", "responses", "200", "content", "application/json")
    assert findings(parts, {"example": 5}) == []


def test_a_parameter_of_a_media_type_changes_no_rule() -> None:
    """Lines are lines with a charset, too."""
    parts = ("paths", "/usage", "get", "responses", "200", "content", "application/x-ndjson; charset=utf-8")
    found = findings(parts, {"schema": {"type": "string", "maxLength": 9}, "example": "x"})
    assert [finding.rule for finding in found] == ["binary-streams", "binary-streams"]
