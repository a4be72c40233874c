"""Changes that a reader takes for one."""

from typing import Any

import pytest

from openapi.diff.comparison.changes import Change
from openapi.diff.comparison.compare import compare
from openapi.diff.sentences import sentence
from tests.openapi.diff.documents import document

CAT: dict[str, Any] = {"type": "object", "required": ["claws"], "properties": {"claws": {"type": "integer"}}}
DOG: dict[str, Any] = {"type": "object", "required": ["tail"], "properties": {"tail": {"type": "string"}, "id": {}}}
PET: dict[str, Any] = {
    "type": "object",
    "properties": {"claws": {"type": "string"}, "tail": {"type": "string", "maxLength": 3}},
}
PETS = {"oneOf": [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}]}


def changes(old: Any, new: Any, direction: str) -> list[Change]:
    """The changes of a body, or of an answer, from one schema to another."""
    sides = []
    for schema in (old, new):
        content = {"application/json": {"schema": {"type": "object", "properties": {"pet": schema}}}}
        body = {"requestBody": {"content": content}} if direction == "request" else {}
        answer = {} if body else {"content": content}
        side = document(x={"post": {**body, "responses": {"200": {"description": "Done.", **answer}}}})
        side.document["components"] = {"schemas": {"Cat": CAT, "Dog": DOG}}
        sides.append(side)
    return compare(*sides)


@pytest.mark.parametrize(
    ("direction", "expected"),
    [
        ("request", "body /pet may no longer be object (optional: claws, tail); it may be Cat, Dog"),
        ("response", "response 200 /pet may now be Cat, Dog; it was object (optional: claws, tail)"),
    ],
)
def test_a_schema_that_becomes_a_union_is_one_change(direction: str, expected: str) -> None:
    """Whatever the properties of its alternatives, and with a proof that one of them gives."""
    (change,) = changes(PET, PETS, direction)
    assert sentence(change) == expected
    assert change.witness


@pytest.mark.parametrize("direction", ["request", "response"])
def test_what_all_alternatives_share_is_told_by_itself(direction: str) -> None:
    """Here the schema in their place demands a property that none of them demands."""
    one = {"type": "object", "required": ["id"], "properties": {"claws": {}, "tail": {}, "id": {}}}
    found = changes(PETS, one, direction) if direction == "request" else changes(one, PETS, direction)
    assert [change.rule for change in found if change.is_break] == [
        "request-property-required" if direction == "request" else "response-property-optional"
    ]


def test_a_required_property_is_one_change() -> None:
    """One that comes has a rule of its own; one that goes breaks those that rely on it."""
    (change,) = changes({"type": "object"}, CAT, "request")
    assert (change.rule, change.is_break) == ("request-property-added-required", True)
    assert change.witness
    (change,) = changes(CAT, {"type": "object"}, "response")
    assert (change.rule, change.is_break) == ("response-property-removed", True)
