"""Compiled schemas: which values they accept, and which questions stay open because an answer costs too much."""

from typing import Any

import pytest

from openapi.budget import Limit
from openapi.contract import Document
from openapi.schemas.conversion import Node, Schemas
from openapi.schemas.directions import Direction
from openapi.schemas.validators import MOST_ALTERNATIVES, MOST_VALUES, PER_VALUE, Validators

TEXT, NUMBER = {"type": "string"}, {"type": "number"}
NOTHING = Validators()


def node(*schemas: Any) -> Node:
    """The node of the values that satisfy all of `schemas`."""
    return Node(schemas)


@pytest.mark.parametrize(
    ("schema", "value", "expected"),
    [
        (TEXT, "a", True),
        (TEXT, 1, False),
        (True, None, True),
        (False, None, False),
        ({"format": "date"}, "2026-02-29", False),
        ({"format": "date"}, "2024-02-29", True),
        ({"format": "int32"}, 2**40, True),
        ({"const": 1.0}, 1, True),
        ({"pattern": "("}, "a", None),
        ({"minLength": -1}, "a", None),
        ({"$ref": "urn:unknown#/$defs/A"}, "a", None),
        ({"$ref": "https://example.com/schema"}, "a", None),
        ({"pattern": "^(a+)+$"}, "a" * 40 + "b", False),
    ],
    ids=str,
)
def test_which_values_are_accepted(schema: Any, value: Any, expected: bool | None) -> None:
    """Formats count too; None if a schema cannot be compiled. Nothing is fetched."""
    assert NOTHING.accepts(node(schema), value) is expected


def test_all_schemas_count() -> None:
    """A value must satisfy every schema of a node; the refusal names the first keyword that fails."""
    both = node(TEXT, {"minLength": 2})
    assert NOTHING.accepts(both, "ab")
    assert not NOTHING.accepts(both, "a")
    assert (NOTHING.refusal(both, "a"), NOTHING.refusal(both, 1)) == ("minLength", "type")
    assert NOTHING.accepts(node(), 1)
    assert NOTHING.refusal(both, "ab") == NOTHING.refusal(node({"pattern": "("}), 1) == "anyOf"


def test_references_lead_into_their_own_document() -> None:
    """With any characters in the name of a component."""
    components = [{"A~/%é": TEXT, "Root": {"$ref": "#/components/schemas/A~0~1%25é"}}, {"A~/%é": NUMBER}]
    raw = [
        {"openapi": "3.0.3", "info": {}, "components": {"schemas": {**components[0], **additional}}}
        for additional in ({}, components[1])
    ]
    old, new = (
        Schemas(Document("", document), Direction.REQUEST, f"urn:{name}")
        for document, name in zip(raw, ("old", "new"), strict=True)
    )
    roots = [schemas.at(("components", "schemas", "Root")) for schemas in (old, new)]
    validators = Validators(old, new)
    assert [validators.accepts(node(root), "a") for root in roots] == [True, False]
    assert not validators.covers(*map(node, roots))
    assert validators.covers(node(roots[0]), node(TEXT))


@pytest.mark.parametrize(
    ("big", "small", "expected"),
    [
        pytest.param([TEXT], [{**TEXT, "maxLength": 5}], True, id="wider"),
        pytest.param([{**TEXT, "maxLength": 5}], [TEXT], False, id="narrower"),
        pytest.param([{"pattern": "("}], [TEXT], False, id="not compiled"),
        pytest.param([TEXT], [{"$ref": "urn:unknown#/$defs/A"}], False, id="nowhere"),
        pytest.param([{"anyOf": [TEXT, NUMBER]}], [{"type": ["string", "number"]}], True, id="a union"),
        pytest.param([TEXT, {"minLength": 1}], [{**TEXT, "minLength": 1}], True, id="an intersection"),
    ],
)
def test_schemas_that_are_shown_to_cover_others(big: list[Any], small: list[Any], expected: bool) -> None:
    """False also if it cannot be shown."""
    assert Validators().covers(node(*big), node(*small)) is expected


@pytest.mark.parametrize(
    ("schemas", "expected"),
    [([TEXT, NUMBER], True), ([TEXT], False), ([{"pattern": "("}, NUMBER], False)],
    ids=["nothing", "something", "not compiled"],
)
def test_unsatisfiable_schemas(schemas: list[Any], expected: bool) -> None:
    """False also if it cannot be shown."""
    assert Validators().is_unsatisfiable(node(*schemas)) is expected


def sized(values: int) -> dict[str, Any]:
    """A schema of `values` values in total."""
    return {"enum": [f"a{index}" for index in range(values - 2)]}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        pytest.param(sized(MOST_VALUES), True, id="many values"),
        pytest.param(sized(MOST_VALUES + 2), False, id="too many values"),
        pytest.param({"anyOf": [TEXT] * MOST_ALTERNATIVES}, True, id="many alternatives"),
        pytest.param({"anyOf": [TEXT] * (MOST_ALTERNATIVES + 1)}, False, id="too many alternatives"),
        pytest.param({"allOf": [{"anyOf": [TEXT, NUMBER]}] * 6}, True, id="alternatives that multiply"),
        pytest.param({"allOf": [{"oneOf": [TEXT, NUMBER]}] * 7}, False, id="too many that multiply"),
        pytest.param({"pattern": "x" * PER_VALUE * (MOST_VALUES + 1)}, False, id="a long pattern"),
    ],
)
def test_too_large_schemas_are_not_compared(schema: dict[str, Any], expected: bool) -> None:
    """The comparison could take exponential time, though here it would not."""
    assert Validators().covers(node(True), node(schema)) is expected


def test_the_target_of_references_counts_once() -> None:
    """Any number of references may lead to it, also in a cycle."""
    loop = {"properties": {"a": {"$ref": "#/components/schemas/A"}, "b": {"$ref": "#/components/schemas/A"}}}
    large = {"properties": {"a": {"$ref": "#/components/schemas/L"}}}
    components = {"A": loop, "L": {"enum": [f"a{index}" for index in range(MOST_VALUES)]}, "R": large}
    raw = {"openapi": "3.0.3", "info": {}, "components": {"schemas": components}}
    schemas = Schemas(Document("", raw), Direction.REQUEST, "urn:old")
    cyclic, referring = (schemas.at(("components", "schemas", name)) for name in ("A", "R"))
    validators = Validators(schemas)
    assert validators.covers(node(True), node(cyclic))
    assert not validators.covers(node(True), node(referring))


def test_the_work_of_one_run_is_limited() -> None:
    """Former results stay available."""
    validators, first, second = Validators(most_weighed=Limit(5)), node(TEXT), node({**TEXT, "maxLength": 5})
    assert validators.covers(first, second)
    assert not validators.covers(first, node({**TEXT, "maxLength": 4}))
    assert validators.covers(first, second)
