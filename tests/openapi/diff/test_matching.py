"""Operations that belong together although their paths differ."""

from typing import Any

from openapi.diff.comparison.compare import compare
from openapi.diff.sentences import sentence
from tests.openapi.diff.documents import document

LIMIT = {"name": "limit", "in": "query", "schema": {"type": "integer"}}


def item(parameter: str = "id", **more: Any) -> dict[str, Any]:
    """A path item with one operation, of one parameter of its path."""
    in_path = {"name": parameter, "in": "path", "required": True, "schema": {"type": "string"}}
    return {"get": {"parameters": [in_path, LIMIT], "responses": {"204": {"description": "Done."}}, **more}}


def removals(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """The sentences for removed operations."""
    changes = compare(document(**old), document(**new))
    return [sentence(change) for change in changes if change.rule == "operation-removed"]


def test_a_path_that_may_have_moved_is_named() -> None:
    """If one new operation is written the same, but for its path, its parameters' names and its texts."""
    new = {"b/{key}": item("key", summary="Two.", operationId="b")}
    assert removals({"a/{id}": item(summary="One.")}, new) == [
        "GET /a/{id} was removed; GET /b/{key} is new and written the same: it may have moved"
    ]


def test_no_path_is_named_if_more_than_one_may_be_it() -> None:
    """Nor if an answer differs."""
    old = {"a/{id}": item()}
    assert removals(old, {"b/{id}": item(), "c/{id}": item()}) == ["GET /a/{id} was removed"]
    assert removals(old, {"b/{id}": item(responses={})}) == ["GET /a/{id} was removed"]
