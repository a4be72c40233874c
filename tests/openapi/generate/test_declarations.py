"""The types of a document: their names, and what is refused."""

import json
import time
from itertools import pairwise
from typing import Any

import pytest

from openapi.contract import ContractError, Document, published
from openapi.generate.declarations import declarations
from openapi.generate.names import pascal
from openapi.generate.outside_profile import OutsideProfile
from openapi.generate.types import Declaration, ListOf, Named, ObjectType


def document(schemas: Any, openapi: str = "3.0.3", **members: Any) -> Document:
    """A document with some schemas."""
    content = {"openapi": openapi, "info": {"title": "x", "version": "1"}, "components": {"schemas": schemas}} | members
    return Document(json.dumps(content), content)


def names_of(schemas: Any) -> list[str]:
    """The names of the types of some schemas."""
    return [declaration.name for declaration in declarations(document(schemas))]


def with_property(name: str, schema: Any) -> dict[str, Any]:
    """An object with one property."""
    return {"type": "object", "properties": {name: schema}}


def reference(name: str) -> dict[str, str]:
    """A reference to a schema of the components."""
    return {"$ref": f"#/components/schemas/{name}"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [("list_events", "ListEvents"), ("getURLs of-2", "GetURLsOf2"), ("2xx", "2Xx"), ("x.y/z", "XYZ"), ("", "")],
)
def test_a_name_as_one_word(name: str, expected: str) -> None:
    """Whatever its style."""
    assert pascal(name) == expected


def test_a_nested_object_is_named_by_its_place() -> None:
    """By the object and the property; in an array it is an item, and in a map a value."""
    inner = with_property("a", {"type": "string"})
    schemas = {
        "Order": {
            "type": "object",
            "properties": {
                "ship_to": inner,
                "lines": {"type": "array", "items": inner},
                "by_id": {"type": "object", "additionalProperties": inner},
            },
        }
    }
    assert names_of(schemas) == ["Order", "OrderShipTo", "OrderLinesItem", "OrderByIdValue"]


def test_an_option_of_a_choice_is_named_by_its_title() -> None:
    """Without one, by its index."""
    options = [with_property("a", {}) | {"title": "by card"}, with_property("b", {})]
    assert names_of({"Payment": {"oneOf": options}}) == ["Payment", "PaymentValueByCard", "PaymentValue1"]


def test_a_name_does_not_depend_on_what_is_added() -> None:
    """A later type with the name that a nested one would have changes neither, but for digits of its own place."""
    inner = with_property("a", {"type": "string"})
    before = names_of({"Order": with_property("line", inner)})
    after = names_of({"Other": inner, "Order": with_property("line", inner), "Another": with_property("line", inner)})
    assert before == ["Order", "OrderLine"]
    assert set(before) < set(after)


@pytest.mark.parametrize(
    ("old", "new"),
    [pair for pair in pairwise(published()) if pair[0].major == pair[1].major],
    ids=lambda contract: contract.version,
)
def test_a_minor_version_keeps_every_name(old: Document, new: Document) -> None:
    """So that code for the older version is code for the newer one."""
    names = [{declaration.name for declaration in declarations(contract)} for contract in (old, new)]
    assert names[0] <= names[1]


def test_schemas_may_refer_to_themselves() -> None:
    """Through a property or a list."""
    tree = declarations(document({"Tree": {"type": "array", "items": reference("Tree")}}))
    place = ("components", "schemas", "Tree")
    assert tree == [Declaration(place, "Tree", "", ListOf(Named(place)))]
    assert names_of({"Node": with_property("next", reference("Node"))}) == ["Node"]


def test_an_allof_is_one_object() -> None:
    """With the properties of all parts; required in one is required."""
    base = {**with_property("id", {"type": "string"}), "additionalProperties": False}
    (_, merged) = declarations(
        document(
            {
                "Base": base,
                "More": {
                    "allOf": [reference("Base"), {**with_property("n", {"type": "integer"}), "required": ["id"]}],
                    "required": ["other"],
                },
            }
        )
    )
    assert isinstance(merged.type, ObjectType)
    assert [(each.name, each.is_required) for each in merged.type.properties] == [
        ("id", True),
        ("n", False),
        ("other", True),
    ]
    assert merged.type.others is None


DEEP: dict[str, Any] = {}
for _ in range(150):
    DEEP = {"type": "array", "items": DEEP}


@pytest.mark.parametrize(
    ("schemas", "words"),
    [
        pytest.param({"A": True}, "/components/schemas/A: a schema is an object", id="a boolean of 3.1"),
        pytest.param({"A": {"type": ["string"]}}, "/components/schemas/A/type: it is not one word", id="several types"),
        pytest.param({"A": {"enum": [{}]}}, "/components/schemas/A/enum: an object or", id="an enum of objects"),
        pytest.param({"A": {"enum": []}}, "/components/schemas/A/enum: it is not a list", id="an empty enum"),
        pytest.param({"A": {"oneOf": [reference("A")]}}, "/components/schemas/A: it is defined by itself", id="itself"),
        pytest.param(
            {"A": {"oneOf": [reference("B"), {"type": "string"}]}, "B": reference("A")},
            "defined by itself alone|back to itself",
            id="two",
        ),
        pytest.param(
            {"A": with_property("b", {}) | {"oneOf": [{}]}},
            "/components/schemas/A/oneOf: it stands beside properties",
            id="oneOf beside properties",
        ),
        pytest.param(
            {"A": {"allOf": [with_property("b", {"type": "string"}), with_property("b", {"type": "integer"})]}},
            "/components/schemas/A/allOf/1/properties/b: another part",
            id="two types of one property",
        ),
        pytest.param(
            {"A": {"allOf": [with_property("b", {}), {"type": "string"}]}},
            "/components/schemas/A/allOf/1: it has no properties",
            id="an object and a string",
        ),
        pytest.param({"A": DEEP}, "more than 50000 types, or 100 within each other", id="a deep one"),
        pytest.param({"A": {"$ref": "https://a.example/b"}}, "does not stay within the document", id="elsewhere"),
        pytest.param({"A": reference("B")}, "leads nowhere", id="nowhere"),
        pytest.param({"A": {"properties": ["b"]}}, "no valid OpenAPI 3.0 document", id="an array of properties"),
        pytest.param(with_property("a", {}) | {"required": 5}, "a schema is an object", id="no schemas"),
        pytest.param({"A": with_property("a", {}) | {"required": 5}}, "no valid OpenAPI", id="a number of names"),
        pytest.param(["a"], "no valid OpenAPI 3.0 document", id="an array of schemas"),
    ],
)
def test_what_no_type_can_say_is_refused(schemas: Any, words: str) -> None:
    """With its place; nothing is half made."""
    with pytest.raises(ContractError, match=words):
        declarations(document(schemas))


def test_another_version_of_openapi_is_refused() -> None:
    """By its number."""
    with pytest.raises(OutsideProfile, match=r"/openapi: it is '3.1.0', and only 3.0 is known"):
        declarations(document({}, openapi="3.1.0"))


def test_many_types_take_little_time() -> None:
    """Ten thousand schemas, and aliases that would double at each step."""
    many = {f"S{number}": with_property("next", reference(f"S{number + 1}")) for number in range(10_000)}
    doubled = {f"D{number}": {"allOf": [reference(f"D{number + 1}")] * 2} for number in range(60)}
    ends = {"S10000": {"type": "string"}, "D60": with_property("a", {"type": "string"})}
    started = time.process_time()
    assert len(names_of({**many, **doubled, **ends})) == 10_062
    assert time.process_time() - started < 10
