"""Types for Python: the code says what the document says, and nothing of the document runs."""

import json
from typing import Any, Literal, get_type_hints

import pytest

from openapi.contract import Document, published
from openapi.generate.declarations import declarations
from openapi.generate.languages import python_types
from tests.openapi.generate import hostile


def module(document: Document | dict[str, Any]) -> dict[str, Any]:
    """The names of the module with the types of a document, after it has run."""
    if isinstance(document, dict):
        document = Document(json.dumps(document), document)
    names: dict[str, Any] = {"__name__": "generated"}
    exec(compile(python_types.emit(declarations(document), "Head."), "generated", "exec"), names)  # noqa: S102 (what is tested)
    return names


def types_of(schemas: dict[str, Any]) -> dict[str, Any]:
    """The module for some schemas."""
    return module({"openapi": "3.0.3", "info": {"title": "x", "version": "1"}, "components": {"schemas": schemas}})


@pytest.mark.parametrize("contract", published(), ids=lambda contract: contract.version)
def test_each_schema_of_a_contract_has_a_type_of_its_name(contract: Document) -> None:
    """With its properties: those that are required and the others."""
    names = module(contract)
    for name, schema in contract.document["components"]["schemas"].items():
        if schema.get("type") == "object" and "properties" in schema and not schema.get("nullable"):
            required = set(schema.get("required", []))
            assert names[name].__required_keys__ == required
            assert names[name].__optional_keys__ == schema["properties"].keys() - required
            assert get_type_hints(names[name], names)


def test_the_types_of_values() -> None:
    """Arrays, maps, enumerations, choices and null, in the notation of Python."""
    names = types_of(
        {
            "A": {
                "type": "object",
                "required": ["text"],
                "properties": {
                    "text": {"type": "string", "nullable": True},
                    "count": {"type": "integer"},
                    "share": {"type": "number"},
                    "kind": {"enum": ["a", 1, True, None]},
                    "several": {"type": "array", "items": {"$ref": "#/components/schemas/B"}},
                    "by_name": {"type": "object", "additionalProperties": {"type": "boolean"}},
                    "any": {},
                    "either": {"oneOf": [{"type": "string"}, {"$ref": "#/components/schemas/A"}]},
                },
            },
            "B": {"type": "string", "enum": ["x"]},
        }
    )
    assert get_type_hints(names["A"], names) == {
        "text": str | None,
        "count": int,
        "share": float,
        "kind": Literal["a", 1, True] | None,
        "several": list[Literal["x"]],
        "by_name": dict[str, bool],
        "any": Any,
        "either": str | names["A"],
    }


def test_nothing_of_a_hostile_document_runs() -> None:
    """The module has the names of the types, and no other; each property keeps its name."""
    names = module(hostile.document())
    types = {name for name, value in names.items() if hasattr(value, "__required_keys__")}
    assert len(types) >= len(hostile.NAMES) * len(hostile.NAMES)
    assert "PWNED" not in names
    assert names["Received"] is not names["received"]
    for name in types:
        keys = names[name].__required_keys__ | names[name].__optional_keys__
        assert keys <= set(hostile.NAMES)
