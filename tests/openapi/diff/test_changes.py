"""Proofs of what breaks, judged by another implementation, of the schemas as they are written."""

from typing import Any

import pytest
from openapi_schema_validator import OAS30ReadValidator, OAS30WriteValidator, oas30_format_checker

from openapi.contract import Document
from openapi.diff.changes import Change
from openapi.diff.compare import compare
from tests.openapi.diff.documents import with_body
from tests.openapi.diff.pairs import METHOD, PAIRS, PATH, Pair

BREAKS = [
    (pair, change)
    for pair in PAIRS
    if pair.table != "documents"
    for change in pair.changes()
    if change.is_of_schema and change.is_break
]
"""Of schemas, those whose documents have one operation."""
PROVED = [(pair, change) for pair, change in BREAKS if change.witness]


def stated(document: Document, subject: str) -> dict[str, Any]:
    """The schema, as it is written, of what a person calls `subject`."""
    operation = document.at(("paths", PATH, METHOD))
    match subject.split():
        case ["body", *_]:
            return schema_of(next(iter(operation["requestBody"]["content"].values())))
        case ["response", status, "header", name, *_]:
            return schema_of(operation["responses"][status]["headers"][name])
        case ["response", status, *_]:
            return schema_of(next(iter(operation["responses"][status]["content"].values())))
        case [location, "parameter", name, *_]:
            return schema_of(
                next(one for one in operation["parameters"] if (one["in"], one["name"]) == (location, name))
            )
    raise AssertionError(subject)


def schema_of(holder: Any) -> dict[str, Any]:
    """The schema of a media type, a parameter or a header."""
    found = next(iter(holder["content"].values())) if "content" in holder else holder
    return dict(found.get("schema", {}))


def accepts(document: Document, change: Change, value: Any) -> bool:
    """Whether the schema that `change` is about accepts `value`, as one that is sent or as one that is read."""
    kind = OAS30WriteValidator if change.direction == "request" else OAS30ReadValidator
    schema = {"allOf": [stated(document, change.subject)], "components": document.document["components"]}
    return bool(kind(schema, format_checker=oas30_format_checker).is_valid(value))


def readings(change: Change, value: Any) -> list[Any]:
    """What `value` may be read as: text that is sent may be a number."""
    is_text = " parameter " in change.subject and isinstance(value, str) and value.isdecimal()
    return [value, int(value)] if is_text else [value]


def test_nearly_every_break_of_a_schema_is_proved() -> None:
    """Nine of ten at least; the others are named."""
    unproved = [f"{pair.name}: {change.rule}" for pair, change in BREAKS if not change.witness]
    assert len(unproved) <= len(BREAKS) / 10, unproved


@pytest.mark.parametrize(
    ("pair", "change"), PROVED, ids=[f"{pair.table}: {pair.name}, {one.rule}" for pair, one in PROVED]
)
def test_what_proves_a_break_does_so_for_another_implementation(pair: Pair, change: Change) -> None:
    """A request is accepted before and not after; an answer is promised after and not before."""
    assert change.witness
    before, after = (pair.old, pair.new) if change.direction == "request" else (pair.new, pair.old)
    assert accepts(before, change, change.witness.value)
    assert not any(accepts(after, change, reading) for reading in readings(change, change.witness.value))


def test_what_proves_a_bound_of_integers_is_written_as_one() -> None:
    """Also beyond 2^53, where a float has no fraction."""
    old, new = with_body({"type": "integer"}), with_body({"type": "integer", "format": "int64"})
    [change] = compare(old, new)
    assert change.witness
    assert type(change.witness.value) is int
