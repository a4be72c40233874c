"""Properties that count as sent although the schema of their object does not describe them."""

from typing import Any

import pytest

from openapi.diff.comparison.compare import compare
from tests.openapi.diff.documents import with_body

OPEN: dict[str, Any] = {"type": "object"}
ONE = {"properties": {"a": {"enum": ["x"]}}}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param({**OPEN, "required": ["a"]}, {**OPEN, "required": ["a"], **ONE}, id="a required property"),
        pytest.param({**OPEN, "not": {"required": ["a"], **ONE}}, {**OPEN, "not": {"required": ["a"]}}, id="not"),
        pytest.param({"not": ONE}, {"not": {}}, id="not, without a type"),
        pytest.param({**OPEN, "anyOf": [ONE, {}]}, {**OPEN, "anyOf": [ONE]}, id="an alternative without properties"),
    ],
)
def test_what_was_accepted_and_is_refused_is_a_break(old: dict[str, Any], new: dict[str, Any]) -> None:
    """The other way round, nothing is."""
    assert any(change.is_break for change in compare(with_body(old), with_body(new)))
    assert not any(change.is_break for change in compare(with_body(new), with_body(old)))


def test_what_no_schema_names_is_not_sent() -> None:
    """Nor does an alternative have what only another one declares."""
    old = {**OPEN, "anyOf": [ONE, {"properties": {"b": {}}}]}
    new = {**OPEN, "anyOf": [ONE, {"properties": {"b": {}, "a": {"type": "string"}}}]}
    assert not any(change.is_break for change in compare(with_body(old), with_body(new)))
    assert not any(change.is_break for change in compare(with_body(OPEN), with_body({**OPEN, **ONE})))
