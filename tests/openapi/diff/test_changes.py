"""Proofs of breaks, judged by another implementation with the original schemas."""

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
"""The breaks of schemas in documents with one operation."""
PROVED = [(pair, change) for pair, change in BREAKS if change.witness]


def stated(document: Document, subject: str) -> dict[str, Any]:
    """The original schema of the part that a report calls `subject`."""
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
                next(
                    parameter
                    for parameter in operation["parameters"]
                    if (parameter["in"], parameter["name"]) == (location, name)
                )
            )
    raise AssertionError(subject)


def schema_of(holder: Any) -> dict[str, Any]:
    """The schema of a media type, a parameter or a header."""
    media_type = next(iter(holder["content"].values())) if "content" in holder else holder
    return dict(media_type.get("schema", {}))


def accepts(document: Document, change: Change, value: Any) -> bool:
    """True if the schema of `change` accepts `value`, as a written or as a read value, by its direction."""
    kind = OAS30WriteValidator if change.direction == "request" else OAS30ReadValidator
    schema = {"allOf": [stated(document, change.subject)], "components": document.document["components"]}
    return bool(kind(schema, format_checker=oas30_format_checker).is_valid(value))


def readings(change: Change, value: Any) -> list[Any]:
    """The values that `value` may stand for: a text that is sent may be a number."""
    is_text = " parameter " in change.subject and isinstance(value, str) and value.isdecimal()
    return [value, int(value)] if is_text else [value]


def test_nearly_every_break_of_a_schema_is_proved() -> None:
    """At least nine of ten; a failure names the others."""
    unproved = [f"{pair.name}: {change.rule}" for pair, change in BREAKS if not change.witness]
    assert len(unproved) <= len(BREAKS) / 10, unproved


@pytest.mark.parametrize(
    ("pair", "change"), PROVED, ids=[f"{pair.table}: {pair.name}, {change.rule}" for pair, change in PROVED]
)
def test_another_implementation_confirms_each_proof(pair: Pair, change: Change) -> None:
    """A request is accepted before and not after; an answer is allowed after and not before."""
    assert change.witness
    before, after = (pair.old, pair.new) if change.direction == "request" else (pair.new, pair.old)
    assert accepts(before, change, change.witness.value)
    assert not any(accepts(after, change, reading) for reading in readings(change, change.witness.value))


def test_the_proof_of_an_integer_bound_is_an_integer() -> None:
    """Also beyond 2^53, where a float has no fraction."""
    old, new = with_body({"type": "integer"}), with_body({"type": "integer", "format": "int64"})
    [change] = compare(old, new)
    assert change.witness
    assert type(change.witness.value) is int
