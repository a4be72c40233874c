"""Changes of unions: each alternative is compared with the one that stands for it in the other document."""

import copy
from typing import Any

import pytest

from openapi.diff.comparison.changes import Change
from openapi.diff.comparison.compare import compare
from openapi.diff.sentences import sentence
from tests.openapi.diff.documents import document

Components = dict[str, Any]
NOTE = {"type": "object", "properties": {"note": {"type": "string"}}}
"""An object that leaves open what else it has, so that it accepts the values of other alternatives, too."""


def refer(name: str) -> dict[str, str]:
    """A reference to a component."""
    return {"$ref": f"#/components/schemas/{name}"}


def item(**text: Any) -> dict[str, Any]:
    """An object with an integer and a text."""
    properties = {"id": {"type": "integer"}, "t": {"type": "string", **text}}
    return {"type": "object", "properties": properties, "required": ["id"]}


def kind(value: str, **properties: Any) -> dict[str, Any]:
    """An object with a tag."""
    tag = {"k": {"type": "string", "enum": [value]}}
    return {"type": "object", "properties": {**tag, **properties}, "required": ["k"]}


def having(name: str) -> dict[str, Any]:
    """An object with one property, which is required."""
    return {"type": "object", "properties": {name: {"type": "string"}}, "required": [name]}


def sides(old: Any, new: Any, direction: str, before: Components, after: Components, *, paths: str = "x") -> list[Any]:
    """Two documents with a body, or an answer, of each path, and components."""
    documents = []
    for schema, components in ((old, before), (new, after)):
        content = {"application/json": {"schema": schema}}
        body = {"requestBody": {"content": content}} if direction == "request" else {}
        answer = {} if body else {"content": content}
        operation = {**body, "responses": {"200": {"description": "Done.", **answer}}}
        side = document(**{path: {"post": operation} for path in paths})
        side.document["components"] = {"schemas": copy.deepcopy(components)}
        documents.append(side)
    return documents


def changes(
    old: Any, new: Any, direction: str, before: Components | None = None, after: Components | None = None
) -> list[Change]:
    """The changes of a body, or of an answer, from one schema to another."""
    return compare(*sides(old, new, direction, before or {}, after or before or {}))


def breaks(found: list[Change]) -> list[str]:
    """The sentences of the changes that break a client, each of them proved."""
    assert all(change.witness for change in found if change.is_break)
    return [sentence(change) for change in found if change.is_break]


def differences(found: list[Change]) -> list[str]:
    """The sentences of the other changes."""
    return [sentence(change) for change in found if not change.is_break]


@pytest.mark.parametrize("direction", ["request", "response"])
def test_a_component_that_did_not_change_is_not_blamed(direction: str) -> None:
    """The place is that of the schema that no longer demands what the component does."""
    component = {"type": "object", "properties": {"l": {"type": "string"}}, "required": ["l"]}
    loose = {"type": "object", "properties": {"c": {"type": "object", "properties": {"l": {"type": "string"}}}}}
    strict = {"type": "object", "properties": {"c": refer("U")}}
    union = {"anyOf": [{**strict, "required": ["c"]}, {**loose, "required": ["c"]}]}
    old, new = ({"type": "object", "properties": {"p": inner}} for inner in (strict, union))
    pair = (old, new) if direction == "response" else (new, old)
    found = changes(*pair, direction, {"U": component})
    (change,) = [each for each in found if each.rule in ("response-property-optional", "request-property-required")]
    assert change.pointer.endswith("/schema/properties/p/anyOf/1/properties/c")
    before, after = sides(*pair, direction, {"U": component}, {"U": component}, paths="xy")
    report = Report.of(before, after, ("old", "new"))
    assert not any("Schema" in group.title for group in grouped(report.findings))


@pytest.mark.parametrize(
    ("old", "new", "direction", "expected"),
    [
        ({"type": "object"}, {}, "request", "body may now be of any type; it was of type object"),
        ({"type": "object"}, {}, "response", "response 200 may now be of any type; it was of type object"),
        ({}, {"type": "string"}, "request", "body must be of type string; it could be of any type"),
        ({}, {"type": "integer"}, "request", "body must be of type integer; it could be of any type"),
    ],
)
def test_any_type_is_one_change(old: Any, new: Any, direction: str, expected: str) -> None:
    """In place of one for each type, and with a proof if it breaks a client."""
    (change,) = changes(old, new, direction)
    assert sentence(change) == expected
    assert bool(change.witness) is change.is_break is (direction == "response" or not old)


def test_listed_values_of_all_types_are_not_any_type() -> None:
    """An enumeration without a type."""
    listed = {"enum": ["a", 1, 1.5, True, [], {}, None]}
    assert not any("any type" in sentence(change) for change in changes({"type": "string"}, listed, "response"))
