"""The changes between two documents, compared with labels by a person."""

import pytest

from openapi.contract import Document
from openapi.diff.comparison.compare import compare
from tests.openapi.diff.pairs import PAIRS, Label, Pair


def identifier(pair: Pair) -> str:
    """The test id of a pair."""
    return f"{pair.table}: {pair.name}"


@pytest.mark.parametrize("pair", PAIRS, ids=identifier)
def test_the_changes_are_those_of_the_label(pair: Pair) -> None:
    """The class of all changes, the break flag, and the rules."""
    assert Label.of(pair.changes()) == pair.label
    assert pair.is_met


def test_labels_have_unique_names() -> None:
    """No pair replaces another, and none is missing."""
    assert len({identifier(pair) for pair in PAIRS}) == len(PAIRS) > 600


@pytest.mark.parametrize("pair", PAIRS, ids=identifier)
def test_a_document_has_no_changes_from_itself(pair: Pair) -> None:
    """For the new document of each pair."""
    assert compare(pair.new, Document.read(pair.new.text)) == []


def test_a_change_is_reported_once_with_all_its_operations() -> None:
    """A component that two operations use has one change."""
    text = """
    {"openapi": "3.0.3", "info": {}, "paths": {
        "/a": {"put": {"requestBody": {"$ref": "#/components/requestBodies/T"}, "responses": {}}},
        "/b": {"put": {"requestBody": {"$ref": "#/components/requestBodies/T"}, "responses": {}}}},
     "components": {
        "requestBodies": {"T": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/T"}}}}},
        "schemas": {"T": {"type": "string"}}}}
    """
    old, new = Document.read(text), Document.read(text.replace('"string"', '"string", "maxLength": 5'))
    [change] = compare(old, new)
    assert change.operations == ("PUT /a", "PUT /b")
    assert (change.pointer, change.is_in_new) == ("/components/schemas/T/maxLength", True)
