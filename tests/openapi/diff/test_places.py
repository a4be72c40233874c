"""The place in one document of what stands at a place of another."""

from typing import Any

import pytest

from openapi.contract import Document
from openapi.diff.comparison.compare import compare
from openapi.diff.reports.places import Places, counterpart
from tests.openapi.diff.documents import document

LIMIT: dict[str, Any]
PAGE: dict[str, Any]
LIMIT, PAGE = ({"name": name, "in": "query", "schema": {}} for name in ("limit", "page"))
SCHEMA = {"properties": {"a": {"maxLength": 1}}}


def of(path: str, parameters: list[Any], schema: Any = SCHEMA, **schemas: Any) -> Document:
    """A document with one operation, and components."""
    body = {"content": {"application/json": {"schema": schema}}}
    post = {"parameters": parameters, "requestBody": body}
    shared = {"schemas": schemas, "parameters": {"Page": PAGE}}
    return Document("", {"openapi": "3.0.3", "paths": {path: {"post": post}}, "components": shared})


BODY = "/requestBody/content/application~1json/schema"
OLD = of("/u/{id}", [LIMIT, {"$ref": "#/components/parameters/Page"}], {"$ref": "#/components/schemas/A"}, A=SCHEMA)
NEW = of("/u/{key}", [{"$ref": "#/components/parameters/Page"}, LIMIT])


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("", ""),
        ("/paths/~1u~1{id}/post", "/paths/~1u~1{key}/post"),
        ("/paths/~1u~1{id}/post/parameters/0/schema", "/paths/~1u~1{key}/post/parameters/1/schema"),
        ("/paths/~1u~1{id}/post/parameters/1/schema", "/components/parameters/Page/schema"),
        ("/paths/~1u~1{id}/post/responses/200", "/paths/~1u~1{key}/post"),
        ("/paths/~1u~1{id}/get", "/paths/~1u~1{key}"),
        (
            f"/paths/~1u~1{{id}}/post{BODY}/properties/a/maxLength",
            f"/paths/~1u~1{{key}}/post{BODY}/properties/a/maxLength",
        ),
        ("/components/schemas/A/properties/a", "/components/schemas"),
        ("/components/parameters/Page/~0none", "/components/parameters/Page"),
    ],
)
def test_the_nearest_place_of_the_other_document(where: str, expected: str) -> None:
    """By the template of a path, by the name of a parameter, and through references."""
    assert counterpart(where, OLD, NEW) == expected


def test_a_reference_in_the_other_document_is_followed() -> None:
    """To the component that has the value."""
    where = f"/paths/~1u~1{{key}}/post{BODY}/properties/a"
    assert counterpart(where, NEW, OLD) == "/components/schemas/A/properties/a"


def test_a_place_through_a_broken_reference_ends_before_it() -> None:
    """As does one that leads back to itself."""
    for broken in ("#/none", "other.yaml", f"#/paths/~1u~1{{id}}/post{BODY}"):
        other = of("/u/{id}", [], {"$ref": broken})
        assert (
            counterpart(f"/paths/~1u~1{{key}}/post{BODY}/properties/a", NEW, other) == f"/paths/~1u~1{{id}}/post{BODY}"
        )


def test_what_became_a_component_was_in_place() -> None:
    """The other document is searched through the reference of an operation, if it has no such component."""
    limits = [{"name": "l", "in": "query", "schema": {"type": "integer", "maximum": most}} for most in (9, 5)]
    other = {"name": "o", "in": "query"}
    gone = {"get": {"parameters": [{"$ref": "#/components/parameters/Gone"}]}}
    inline = document(a={"get": {"parameters": [other, limits[0]], "responses": {}}})
    shared = document(a={"get": {"parameters": [{"$ref": "#/components/parameters/L"}], "responses": {}}})
    shared.document["components"] = {"parameters": {"L": limits[1]}}
    changes = [change for change in compare(inline, shared) if "maximum" in change.rule]
    shared.document["paths"]["/b"] = gone  # what is not followed harms nothing
    ((old, new),) = Places(inline, shared).of(changes)
    assert old.pointer == "/paths/~1a/get/parameters/1/schema/maximum"
    assert new.pointer == "/components/parameters/L/schema/maximum"
