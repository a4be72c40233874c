"""Proofs of breaks, judged by another implementation with the original schemas."""

from typing import Any

import pytest
from openapi_schema_validator import OAS30ReadValidator, OAS30WriteValidator, oas30_format_checker

from openapi.contract import Document
from openapi.diff.comparison.changes import Change
from openapi.diff.comparison.compare import compare
from tests.openapi.diff.documents import with_body
from tests.openapi.diff.pairs import METHOD, PAIRS, PATH, Pair

BROKEN = [pair for pair in PAIRS if pair.table != "documents" and pair.label.is_break]
"""The pairs of documents with one operation that break, by their labels: to compare them takes long, so tests do it."""
JUDGED = [pair for pair in BROKEN if pair.name != "an alternative is added to a discriminator: response"]
"""All but one: there openapi-schema-validator judges by the discriminator, and takes what the alternatives refuse."""


def breaks(pair: Pair) -> list[Change]:
    """The breaks of schemas in `pair`."""
    return [change for change in pair.changes() if change.is_of_schema and change.is_break]


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
    of_schemas = [(pair, change) for pair in BROKEN for change in breaks(pair)]
    unproved = [f"{pair.name}: {change.rule}" for pair, change in of_schemas if not change.witness]
    assert len(unproved) <= len(of_schemas) / 10, unproved


@pytest.mark.parametrize("pair", JUDGED, ids=lambda pair: f"{pair.table}: {pair.name}")
def test_another_implementation_confirms_each_proof(pair: Pair) -> None:
    """A request is accepted before and not after; an answer is allowed after and not before."""
    for change in breaks(pair):
        if change.witness:
            is_request = change.direction == "request"
            before, after = (pair.old, pair.new) if is_request else (pair.new, pair.old)
            assert accepts(before, change, change.witness.value), change.rule
            assert not any(accepts(after, change, value) for value in readings(change, change.witness.value)), (
                change.rule
            )


def test_the_proof_of_an_integer_bound_is_an_integer() -> None:
    """Also beyond 2^53, where a float has no fraction."""
    old, new = with_body({"type": "integer"}), with_body({"type": "integer", "format": "int64"})
    [change] = compare(old, new)
    assert change.witness
    assert type(change.witness.value) is int
