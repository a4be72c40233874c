"""The rules for documents from which clients are generated: each is broken in a document that was sound."""

from typing import Any

import pytest

from handlers.operations import OPERATIONS
from openapi.contract import Contract, published
from openapi.lint import client_rules
from openapi.lint.rules import lint

pytestmark = pytest.mark.costly

NEWEST = next(contract for contract in published() if contract.version == "1.1")
SCHEMAS = ("components", "schemas")
EVENT = (*SCHEMAS, "InteractionEvent")
BATCH = ("paths", "/interaction-events/batch", "post", "requestBody", "content", "application/x-ndjson")
CSV = ("paths", "/annotations/export", "get", "responses", "200", "content", "text/csv")
CHOICE = {"type": "string", "nullable": True, "description": "A choice.", "enum": ["a", "b", None]}
OBJECT = {
    "type": "object",
    "nullable": True,
    "description": "A point.",
    "additionalProperties": False,
    "properties": {"x": {"type": "integer", "nullable": True, "description": "Its place."}},
}
LINES = {
    "schema": {"$ref": "#/components/schemas/InteractionEvent"},
    "examples": {"line": {"value": {"widget_id": "5b0e3c9a-6a57-4d0b-8f6f-2b7a1c0d9e11", "event_type": "clicked"}}},
}
BROKEN = [
    pytest.param("named-schemas", (*EVENT, "properties", "choice"), CHOICE, "properties/choice", id="an enumeration"),
    pytest.param("named-schemas", (*EVENT, "properties", "point"), OBJECT, "properties/point", id="an object"),
    pytest.param(
        "named-schemas",
        ("components", "parameters", "Category", "schema"),
        {"type": "string", "enum": ["a", "b"]},
        "/components/parameters/Category/schema",
        id="an enumeration of a parameter",
    ),
    pytest.param(
        "free-names",
        (*SCHEMAS, "Error"),
        {"title": "E", "type": "string", "maxLength": 9, "description": "E."},
        "/components/schemas/Error",
        id="a name of JavaScript",
    ),
    pytest.param(
        "binary-streams",
        (*BATCH, "schema"),
        {"$ref": "#/components/schemas/ItemResult"},
        "ndjson/schema",
        id="lines as one value",
    ),
    pytest.param(
        "binary-streams", (*CSV, "schema"), {"type": "string", "maxLength": 9}, "text~1csv/schema", id="CSV as a text"
    ),
    pytest.param(
        "links-without-bodies",
        ("components", "links", "GetInteractionEvent", "requestBody"),
        {"id": "$response.body#/id"},
        "/components/links/GetInteractionEvent/requestBody",
        id="a link with an object",
    ),
    pytest.param(
        "null-for-absent",
        (*EVENT, "properties", "note"),
        {"type": "string", "maxLength": 9, "description": "A note."},
        "properties/note",
        id="an optional field",
    ),
    pytest.param(
        "null-for-absent",
        (*EVENT, "properties", "event_type", "nullable"),
        True,
        "properties/event_type",
        id="a required field",
    ),
]


def changed(parts: tuple[str, ...], value: Any) -> Contract:
    """The newest contract of version 1 with `value` at `parts`."""
    document = NEWEST.copy()
    node: Any = document
    for part in parts[:-1]:
        node = node[part]
    node[parts[-1]] = value
    return Contract(NEWEST.text, document)


@pytest.mark.parametrize("contract", published(), ids=lambda contract: contract.version)
def test_the_documents_of_the_release_keep_every_rule(contract: Contract) -> None:
    """Those of openapi/documents have neither an error nor a warning."""
    assert lint(contract, OPERATIONS) == []


@pytest.mark.parametrize(("rule", "parts", "value", "place"), BROKEN)
def test_a_violation_is_a_warning_at_its_place(rule: str, parts: tuple[str, ...], value: Any, place: str) -> None:
    """One finding, of that rule, with the pointer; it does not keep the document from being published."""
    findings = [finding for finding in lint(changed(parts, value), OPERATIONS) if finding.rule in client_rules.RULES]
    assert {(finding.rule, finding.severity) for finding in findings} == {(rule, "warning")}
    assert all(place in finding.pointer for finding in findings)


def test_each_rule_is_tried() -> None:
    """A document of this module breaks each rule."""
    assert {case.values[0] for case in BROKEN} == client_rules.RULES.keys()


def test_lines_without_their_schema_are_found() -> None:
    """As documents had them that describe the body by the schema of one line."""
    document = changed(BATCH, LINES)
    findings = [finding.message for finding in lint(document, OPERATIONS) if finding.rule == "binary-streams"]
    assert findings == [
        "the schema of application/x-ndjson is not of type string and format binary",
        "application/x-ndjson has no x-item-schema, the schema of a line",
    ]


@pytest.mark.parametrize(
    "value",
    [
        {"anyOf": [{"type": "string", "maxLength": 9}], "description": "Any."},
        {"type": "string", "enum": ["a"], "nullable": True, "description": "A constant."},
        {"type": "object", "additionalProperties": True, "nullable": True, "description": "An open object."},
    ],
    ids=["alternatives", "one value", "an open object"],
)
def test_other_schemas_may_stand_anywhere(value: dict[str, Any]) -> None:
    """Generators need no name for them."""
    document = changed((*EVENT, "properties", "more"), value)
    assert [finding for finding in lint(document, OPERATIONS) if finding.severity == "warning"] == []


@pytest.mark.parametrize(
    ("example", "message"),
    [("{}\n", "widget_id is required"), ("[", "the example is not lines of JSON")],
    ids=["a wrong line", "no JSON"],
)
def test_the_lines_of_an_example_satisfy_their_schema(example: str, message: str) -> None:
    """An example of NDJSON is the text of a body, and each of its lines is validated."""
    findings = lint(changed((*BATCH, "examples", "line", "value"), example), OPERATIONS)
    assert {finding.rule for finding in findings} == {"examples"}
    assert message in findings[0].message
