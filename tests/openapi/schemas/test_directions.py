"""What requests and responses do not have is not required in them, wherever it is marked."""

from typing import Any

import pytest

from openapi.contract import Contract
from openapi.schemas import directions
from openapi.schemas.directions import Direction, Variants
from openapi.schemas.validation import Schemas

ID = {"type": "string", "maxLength": 3, "readOnly": True}
MARKING, REQUIRING = {"properties": {"id": ID}}, {"required": ["id", "n"]}
CONTENT = ("content", "application/json", "schema")
REQUEST = ("paths", "/x", "post", "requestBody", *CONTENT)
RESPONSE = ("paths", "/x", "post", "responses", "200", *CONTENT)


def ref(name: str) -> dict[str, str]:
    """A reference to a component."""
    return {"$ref": f"#/components/schemas/{name}"}


def document(schema: Any, **components: Any) -> Contract:
    """A contract whose requests and responses have `schema`."""
    body = {"content": {"application/json": {"schema": schema}}}
    operation = {"requestBody": body, "responses": {"200": body}}
    return Contract(
        "", {"openapi": "3.0.3", "paths": {"/x": {"post": operation}}, "components": {"schemas": components}}
    )


@pytest.mark.parametrize(
    ("schema", "components"),
    [
        pytest.param({**MARKING, **REQUIRING}, {}, id="in the same schema"),
        pytest.param({"allOf": [MARKING, REQUIRING]}, {}, id="in another part"),
        pytest.param({"allOf": [MARKING], **REQUIRING}, {}, id="around it"),
        pytest.param({**MARKING, "allOf": [REQUIRING]}, {}, id="within it"),
        pytest.param({"oneOf": [MARKING], "anyOf": [REQUIRING]}, {}, id="in an alternative"),
        pytest.param({**REQUIRING, "properties": {"id": ref("Id")}}, {"Id": ID}, id="marked behind a reference"),
        pytest.param({"allOf": [ref("A"), REQUIRING]}, {"A": MARKING}, id="declared behind a reference"),
        pytest.param({"allOf": [MARKING, ref("A")]}, {"A": REQUIRING}, id="required behind a reference"),
        pytest.param(
            {"allOf": [MARKING, ref("A")]}, {"A": ref("B"), "B": {"allOf": [REQUIRING]}}, id="behind two references"
        ),
        pytest.param({"allOf": [MARKING, ref("A/allOf/0")]}, {"A": {"allOf": [REQUIRING]}}, id="within a component"),
    ],
)
def test_requests_need_no_read_only_property(schema: Any, components: Any) -> None:
    """It is validated if it is sent; other properties stay required, and responses need all of them."""
    schemas = Schemas(document(schema, **components))
    request, response = schemas.compile(*REQUEST), schemas.compile(*RESPONSE)
    assert [request.is_valid(value) for value in ({"n": 1}, {"n": 1, "id": "abc"})] == [True, True]
    assert [request.is_valid(value) for value in ({}, {"id": "abc"}, {"n": 1, "id": "abcd"})] == [False] * 3
    assert [response.is_valid(value) for value in ({"n": 1}, {"n": 1, "id": "abc"})] == [False, True]


def test_responses_need_no_write_only_property() -> None:
    """Requests do."""
    schema = {"required": ["key"], "properties": {"key": {"type": "string", "writeOnly": True}}}
    schemas = Schemas(document(schema))
    assert schemas.compile(*RESPONSE).is_valid({})
    assert not schemas.compile(*REQUEST).is_valid({})


def test_a_component_still_requires_it_elsewhere() -> None:
    """Only the reference beside the mark leads to a variant; a variant knows the place of its target."""
    contract = document({"allOf": [MARKING, ref("A")], "properties": {"inner": ref("A")}}, A=REQUIRING)
    assert not Schemas(contract).compile(*REQUEST).is_valid({"n": 1, "inner": {"n": 1}})
    variants = Variants(contract, Direction.REQUEST)
    [name] = variants.document.document["components"]["x-variants"]
    assert variants.origin(("components", "x-variants", name, "allOf")) == ("components", "schemas", "A", "allOf")
    assert variants.origin(("components", "schemas", "A")) == ("components", "schemas", "A")


def test_other_documents_stay_as_they_are() -> None:
    """Those without a mark, and values in an enumeration that look like schemas."""
    contract = document({"allOf": [{"properties": {"id": {"readOnly": False}}}, REQUIRING]})
    assert Variants(contract, Direction.REQUEST).document is contract
    contract = document({"enum": [{**MARKING, **REQUIRING}]})
    assert Variants(contract, Direction.REQUEST).document.document == contract.document


@pytest.mark.parametrize(
    ("schema", "components"),
    [
        pytest.param({"allOf": [MARKING, ref("A")]}, {"A": {"allOf": [REQUIRING, ref("A")]}}, id="a cycle"),
        pytest.param({"allOf": [MARKING, ref("B"), ref("A")]}, {"A": ref("A")}, id="nowhere"),
        pytest.param({"allOf": {"a": 1}, "properties": [], "required": {"id": MARKING}}, {"A": MARKING}, id="odd"),
        pytest.param({"allOf": [MARKING, 1, None, ref("A")]}, {"A": 1}, id="no schemas"),
    ],
)
def test_odd_documents_are_rewritten_all_the_same(schema: Any, components: Any) -> None:
    """Others find their faults."""
    assert Variants(document(schema, **components), Direction.REQUEST).document.document["paths"]


def chain(length: int, required: int) -> Contract:
    """A contract whose components each have a property of answers, and contain the next one."""
    components = {
        f"C{number}": {
            "properties": {f"p{number}": ID},
            "required": [f"p{other}" for other in range(required)],
            "allOf": [ref(f"C{number + 1}")] if number < length - 1 else [],
        }
        for number in range(length)
    }
    return document(ref("C0"), **components)


def test_a_hostile_document_is_rewritten_within_bounds() -> None:
    """Beyond them a property stays required."""
    variants = Variants(chain(2_000, 50), Direction.REQUEST).document.document["components"]["x-variants"]
    assert 0 < len(variants) <= directions.MOST_VARIANTS
    assert all(variants.values())


def test_the_steps_to_joined_schemas_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each schema knows its own marks all the same."""
    monkeypatch.setattr(directions, "MOST_STEPS", 0)
    components = Variants(chain(3, 3), Direction.REQUEST).document.document["components"]
    assert [schema["required"] for schema in components["schemas"].values()] == [
        ["p1", "p2"],
        ["p0", "p2"],
        ["p0", "p1"],
    ]
