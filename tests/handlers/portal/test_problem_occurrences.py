"""The operations that may answer with a problem, as the contracts tell."""

import json
from collections.abc import Iterator

import pytest

from handlers.portal.problems import occurrences as problem_occurrences
from handlers.portal.problems.occurrences import Key, Occurrences
from openapi.contract import Contract
from openapi.problems import TABLE
from tests.service import CONTRACTS

ALL = list(CONTRACTS.values())


def names(code: str, *versions: str, is_named: bool = True) -> list[str]:
    """The names of the operations in `versions` that answer so."""
    rows = Occurrences().of(code, [CONTRACTS[version] for version in versions], ALL)
    return [row.name for row in rows if row.is_named is is_named]


def test_operations_whose_examples_show_the_problem_are_named_first() -> None:
    """The others answer with the same status."""
    rows = Occurrences().of("event_type_not_registered", ALL, ALL)
    assert (rows[0].method, rows[0].path, rows[0].versions) == ("POST", "/interaction-events", ["1.0", "1.1", "2.0"])
    assert rows[0].summary == "Report one interaction event"
    assert [row.is_named for row in rows] == sorted((row.is_named for row in rows), reverse=True)
    assert {"listWidgets", "getUsage"} <= {row.name for row in rows if not row.is_named}


def test_only_the_versions_asked_for_count() -> None:
    """An operation in another version is not listed."""
    (row,) = Occurrences().of("event_type_not_registered", [CONTRACTS["1.0"]], ALL)
    assert (row.name, row.versions) == ("reportInteractionEvent", ["1.0"])
    assert Occurrences().of("insufficient_scope", [CONTRACTS["1.1"]], ALL) == []


def test_a_status_that_no_document_has_is_of_no_operation() -> None:
    """As 410, which a version has when it is gone."""
    assert Occurrences().of("version_retired", ALL, ALL) == []
    assert not Occurrences().declare("version_retired", CONTRACTS["2.0"], ALL)
    assert Occurrences().declare("insufficient_scope", CONTRACTS["2.0"], ALL)


@pytest.mark.parametrize("code", sorted(TABLE.keys() - {"unauthorized", "invalid_token", "insufficient_scope"}))
def test_both_formats_name_the_same_problems(code: str) -> None:
    """The errors of version 1 are recognized by their words, except those of fields, which have none."""
    old, new = (names(code, version) for version in ("1.1", "2.0"))
    if code in ("invalid_body", "invalid_parameters", "items_rejected", "items_unavailable"):
        assert not old
    else:
        assert old == new


def test_an_error_in_a_line_of_ndjson_is_found() -> None:
    """In the last line of a stream that ended early."""
    assert "reportInteractionEvents" in names("malformed_content_coding", "1.1")
    assert "reportInteractionEvent" not in names("malformed_content_coding", "1.1")


def test_examples_of_any_form_are_read() -> None:
    """A single example, a range of statuses, no example, and one of other things."""
    responses = {
        "4XX": {"description": "", "content": {"application/json": {"example": {"error": "the body arrives"}}}},
        "429": {"description": "", "content": {"application/json": {"example": [{"code": "too_many_requests"}, 5]}}},
        "503": {"description": "", "content": {"text/plain": {"example": "not JSON\n5\n[]"}}},
    }
    paths = {"/a": {"get": {"operationId": "a", "responses": responses}}}
    contract = Contract.read(json.dumps({"openapi": "3.0.3", "info": {"title": "A", "version": "1.0"}, "paths": paths}))
    (row,) = Occurrences().of("too_many_requests", [contract], [contract])
    assert row.is_named
    (row,) = Occurrences().of("malformed_json", [contract], [contract])
    assert not row.is_named


def test_documents_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """And again when there are others."""
    read: list[str] = []
    responses = problem_occurrences._responses

    def counted(contract: Contract) -> Iterator[tuple[Key, str, frozenset[str]]]:
        read.append(contract.version)
        return responses(contract)

    monkeypatch.setattr(problem_occurrences, "_responses", counted)
    occurrences = Occurrences()
    for code in TABLE:
        occurrences.of(code, ALL, ALL)
    assert read == ["1.0", "1.1", "2.0"]
    assert occurrences.of("too_many_requests", ALL[:1], ALL[:1]) == []
    assert read[3:] == ["1.0"]
