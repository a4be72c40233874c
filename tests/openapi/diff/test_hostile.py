"""Hostile documents: the comparison ends soon, with a result or a ContractError."""

import contextlib
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from openapi.contract import LARGE, ContractError, Document
from openapi.diff.comparison.compare import compare
from tests.openapi.diff.documents import with_body

pytestmark = pytest.mark.slow

TEXT = {"type": "string"}
BASES: list[dict[str, Any]] = [{}, {"type": "integer", "minimum": 3}, {"type": "object", "properties": {"a": TEXT}}]
VALUES: list[Any] = [None, True, 0, -1, 1.5, 10**400, "x", "(", [], [1], [{}], {}, {"$ref": 5}, {"anyOf": 5}]
KEYS = [
    *("minimum", "maximum", "exclusiveMinimum", "multipleOf", "minLength", "maxItems", "maxProperties", "required"),
    *("enum", "allOf", "anyOf", "oneOf", "not", "pattern", "format", "properties", "items", "additionalProperties"),
    *("type", "uniqueItems", "nullable", "discriminator", "default", "readOnly", "$ref", "const", "patternProperties"),
]


@pytest.fixture(autouse=True)
def _soon() -> Iterator[None]:
    """Assert that a test takes less than a minute of processor time, however busy the machine is."""
    begin = time.process_time()
    yield
    assert time.process_time() - begin < 60


def document(schema: Any, schemas: dict[str, Any] | None = None, **operation: Any) -> Document:
    """A document with one request body."""
    body = {"content": {"application/json": {"schema": schema}}}
    paths = {"/": {"post": {"requestBody": body, "responses": {}, **operation}}}
    raw = {"openapi": "3.0.3", "info": {}, "paths": paths, "components": {"schemas": schemas or {}}}
    return Document.read(json.dumps(raw), LARGE)


@pytest.mark.parametrize("key", KEYS)
def test_malformed_keywords_are_survived(key: str) -> None:
    """Any value of a keyword is compared, or raises ContractError."""
    for base in BASES:
        for value in VALUES:
            for pair in ((base, {**base, key: value}), ({**base, key: value}, base)):
                with contextlib.suppress(ContractError):
                    compare(*map(document, pair))


def test_a_bound_that_is_excluded_may_be_malformed() -> None:
    """It counts as absent."""
    assert compare(document({"minimum": "a", "exclusiveMinimum": True}), document({})) == []


@pytest.mark.parametrize(
    "reference",
    ["#/info/title", "#/components/schemas/None/properties/a", "#/components/schemas/Text", "#/nowhere", "other#/a"],
)
def test_references_to_objects_that_are_no_schemas_are_survived(reference: str) -> None:
    """One of them leads through another reference."""
    schemas = {
        "None": {"$ref": "#/components/schemas/Object", "properties": {"a": TEXT}},
        "Object": {"type": "object"},
        "Text": {"$ref": "#/openapi"},
    }
    with contextlib.suppress(ContractError):
        compare(document({"$ref": reference}, schemas), document(TEXT))


@pytest.mark.parametrize("responses", [{"links": [1]}, {"links": "x", "headers": "x"}, {"headers": {"X": 5}}])
def test_malformed_answers_are_survived(responses: Any) -> None:
    """They count as absent."""
    assert compare(document({}, responses={"200": responses}), document({}, responses={"200": {}})) is not None


@pytest.mark.parametrize("encoding", ["abc", [1]])
def test_malformed_encodings_are_compared(encoding: Any) -> None:
    """They are not understood, but they differ."""

    def body(encoding: Any) -> dict[str, Any]:
        return {"content": {"multipart/form-data": {"schema": TEXT, "encoding": encoding}}}

    changes = compare(document({}, requestBody=body(encoding)), document({}, requestBody=body({})))
    assert [change.rule for change in changes] == ["body-encoding-changed"]


def test_servers_without_a_host_are_compared() -> None:
    """An invalid URL."""
    old, new = (document({}, servers=[{"url": url}]) for url in ("http://[", "http://]"))
    assert [change.rule for change in compare(old, new)] == ["server-path-changed", "server-host-changed"]


@pytest.mark.parametrize("name", ['a"b', "é", "a\\b", "a~b", "%41"])  # é: not ASCII, as JSON may write it
def test_a_break_behind_a_reference_is_found_whatever_its_name(name: str) -> None:
    """The reference is the same in both documents; its target differs."""
    reference = {"$ref": "#/components/schemas/" + name.replace("~", "~0").replace("%", "%25")}
    old, new = (document(reference, {name: {"type": "string", "maxLength": length}}) for length in (2, 1))
    assert [change.rule for change in compare(old, new)] == ["request-maxLength-narrowed"]


def test_a_name_is_not_taken_for_another_one() -> None:
    """The name must not be decoded twice."""
    reference = {"$ref": "#/components/schemas/%2541"}
    old, new = (document(reference, {"A": TEXT, "%41": {"type": "string", "maxLength": length}}) for length in (2, 1))
    [change] = compare(old, new)
    assert change.witness


def test_a_break_is_not_lost_among_many_other_changes() -> None:
    """Of too many faults some are left out, and one of those may be a break."""

    def schema(deprecated: bool, length: int) -> dict[str, Any]:
        many = {f"a{index}": {**TEXT, "deprecated": deprecated} for index in range(300)}
        inner = {"type": "object", "properties": {"z": {**TEXT, "maxLength": length}}}
        return {"type": "object", "properties": {**many, "z": inner}}

    assert any(change.is_break for change in compare(document(schema(False, 2)), document(schema(True, 1))))


def chain(length: int, **step: Any) -> dict[str, Any]:
    """Schemas that each refer to the next one, through `step`."""
    written = json.dumps(step)
    return {f"N{index}": json.loads(written.replace("NEXT", f"N{index + 1}")) for index in range(length)}


NEXT = {"$ref": "#/components/schemas/NEXT"}


@pytest.mark.parametrize(
    "step",
    [
        {"type": "object", "properties": {"p": NEXT}, "required": ["p"]},
        {"type": "array", "items": NEXT, "minItems": 1, "uniqueItems": True},
        {"type": "object", "not": NEXT},
        {"allOf": [NEXT]},
        {"$ref": NEXT["$ref"]},
    ],
    ids=["objects", "arrays", "not", "allOf", "references"],
)
def test_long_chains_of_references_are_survived(step: dict[str, Any]) -> None:
    """A too deep schema is not proved compatible."""
    old, new = (
        document({"$ref": "#/components/schemas/N0"}, {**chain(1500, **step), "N1500": {**TEXT, "maxLength": length}})
        for length in (2, 1)
    )
    assert any(change.is_break for change in compare(old, new))


def test_arrays_of_themselves_are_survived() -> None:
    """The search for an example ends although every example is infinite."""
    schemas = {"A": {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/A"}}}
    root = {"$ref": "#/components/schemas/A"}
    assert compare(document(root, schemas), document(TEXT, schemas))


def test_contradictory_alternatives_are_not_all_tried() -> None:
    """Their number doubles with each of forty schemas."""
    nothing = {"allOf": [{"anyOf": [TEXT, {"type": "number"}]}] * 40}
    assert any(change.is_break for change in compare(document(nothing), document(TEXT)))


def many(count: int, **last: Any) -> dict[str, Any]:
    """An object of `count` texts, each with `last`."""
    return {"type": "object", "properties": {f"p{index}": {**TEXT, **last} for index in range(count)}}


def one_of(length: int) -> dict[str, Any]:
    """Alternatives that may overlap."""
    named = [f"a{index}" for index in range(60)]
    return {"oneOf": [{"required": [name], "properties": {name: {**TEXT, "minLength": length}}} for name in named]}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(many(20_000), many(20_000, maxLength=5), id="properties"),
        pytest.param(many(20_000), {**many(20_000), "required": [f"p{i}" for i in range(20_000)]}, id="required"),
        pytest.param(
            {"enum": [{"a": index} for index in range(20_000)]},
            {"enum": [{"a": index} for index in range(1, 20_000)]},
            id="enum of objects",
        ),
        pytest.param(one_of(0), one_of(1), id="oneOf"),
        pytest.param({**TEXT, "pattern": "x" * 30_000}, {**TEXT, "pattern": "x" * 30_000 + "c"}, id="long pattern"),
    ],
)
def test_large_schemas_are_compared_soon(old: dict[str, Any], new: dict[str, Any]) -> None:
    """A break among them is found."""
    assert any(change.is_break for change in compare(document(old), document(new)))


def test_a_value_without_utf_8_is_undecided() -> None:
    """A lone surrogate, which JSON can write and a validator cannot read."""
    old, new = (with_body({"enum": values}) for values in (["\ud800", "b"], ["b"]))
    assert "request-undecided-narrowed" in {change.rule for change in compare(old, new)}


def shared(operations: int, last: str) -> Document:
    """Many operations, which share components with an enum and many properties; `last` is one more of its values."""
    text = {**TEXT, "enum": ["a", "b", *([last] if last else [])]}
    schemas = {
        f"C{number}": {"type": "object", "properties": {"e": text, **{f"p{index}": TEXT for index in range(60)}}}
        for number in range(60)
    }
    every = {f"c{number}": {"$ref": f"#/components/schemas/C{number}"} for number in range(60)}
    paths = {}
    for number in range(operations):
        own = {f"p{index}": {**TEXT, "maxLength": 5} for index in range(60)} | ({"own": TEXT} if last else {})
        answer = {"type": "object", "properties": {**every, **own}}
        paths[f"/{number}"] = {"get": {"responses": {"200": {"content": {"application/json": {"schema": answer}}}}}}
    raw = {"openapi": "3.0.3", "info": {}, "paths": paths, "components": {"schemas": schemas}}
    return Document.read(json.dumps(raw), LARGE)


def test_many_operations_are_all_compared() -> None:
    """The limits grow with the documents: each new property and each new value is found, and each break proved."""
    changes = compare(shared(400, ""), shared(400, "c"))
    assert not any(change.is_cut for change in changes)
    assert sum(change.rule == "response-property-added" for change in changes) == 400
    breaks = [change for change in changes if change.is_break]
    assert len(breaks) == 60
    assert all(change.witness and len(change.operations) == 400 for change in breaks)


def tangled(length: int, count: int = 60) -> Document:
    """Components that all refer to each other as alternatives; each has texts of at most `length`."""
    names = [f"C{number}" for number in range(count)]
    references = [{"$ref": f"#/components/schemas/{name}"} for name in names]
    schemas = {
        name: {
            "type": "object",
            "required": [f"t{number}"],
            "properties": {f"t{number}": {**TEXT, "maxLength": length}, "a": {"anyOf": references}},
        }
        for number, name in enumerate(names)
    }
    paths = {
        f"/{name}": {"get": {"responses": {"200": {"content": {"a/json": {"schema": reference}}}}}}
        for name, reference in zip(names, references, strict=True)
    }
    return Document.read(
        json.dumps({"openapi": "3.0.3", "info": {}, "paths": paths, "components": {"schemas": schemas}}), LARGE
    )


def test_circles_of_all_components_are_compared_soon() -> None:
    """Where a limit cuts, the change says so."""
    changes = compare(tangled(5), tangled(6))
    assert {operation for change in changes if change.is_break for operation in change.operations} == {
        f"GET /C{number}" for number in range(60)
    }


def ring(length: int, count: int = 300) -> Document:
    """Operations that each begin at another component of one large circle."""
    schemas = {
        f"C{number}": {
            "type": "object",
            "properties": {
                "next": {"$ref": f"#/components/schemas/C{(number + 1) % count}"},
                "back": {"$ref": f"#/components/schemas/C{number * 7 % count}"},
                "t": {**TEXT, "maxLength": length},
            },
        }
        for number in range(count)
    }
    paths = {
        f"/{name}": {
            "get": {"responses": {"200": {"content": {"a/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}}}}
        }
        for name in schemas
    }
    return Document.read(
        json.dumps({"openapi": "3.0.3", "info": {}, "paths": paths, "components": {"schemas": schemas}}), LARGE
    )


def test_large_circles_are_compared_soon() -> None:
    """Each operation has a break, wherever it begins."""
    changes = compare(ring(5), ring(6))
    assert {operation for change in changes if change.is_break for operation in change.operations} == {
        f"GET /C{number}" for number in range(300)
    }
