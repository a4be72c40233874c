"""What changed between two documents, as a person has labelled it."""

import pytest

from openapi.contract import ContractError, Document
from openapi.diff.compare import compare
from tests.openapi.diff.pairs import PAIRS, Label, Pair


def identifier(pair: Pair) -> str:
    """How a test names a pair."""
    return f"{pair.table}: {pair.name}"


@pytest.mark.parametrize("pair", PAIRS, ids=identifier)
def test_what_changed_is_what_the_label_says(pair: Pair) -> None:
    """The class of all changes, whether one of them breaks, and the rules of all."""
    assert Label.of(pair.changes()) == pair.label
    assert pair.is_met


def test_labels_have_names_of_their_own() -> None:
    """None is overwritten, and there are as many as there should be."""
    assert len({identifier(pair) for pair in PAIRS}) == len(PAIRS) > 600


@pytest.mark.parametrize("pair", PAIRS, ids=identifier)
def test_nothing_changed_from_a_document_to_itself(pair: Pair) -> None:
    """Whatever the document has."""
    assert compare(pair.new, Document.read(pair.new.text)) == []


def test_a_change_is_told_once_with_all_its_operations() -> None:
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


@pytest.mark.parametrize("version", ["3.1.0", "2.0", None])
def test_only_documents_of_openapi_3_0_are_compared(version: str | None) -> None:
    """What another version means is not known."""
    one, other = (Document("", {"openapi": told, "info": {}, "paths": {}}) for told in ("3.0.3", version))
    for old, new in ((one, other), (other, one)):
        with pytest.raises(ContractError, match=r"not OpenAPI 3\.0"):
            compare(old, new)
