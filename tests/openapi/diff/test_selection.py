"""The part of a comparison that a reader asks for."""

from typing import Any

import pytest

from openapi.contract import Document
from openapi.diff.comparison.compare import compare
from openapi.diff.selection import Selection, SelectionError
from tests.openapi.diff.documents import document

PATHS = {"users": "people", "users/{id}": "people", "things": "stock"}


def written(version: int) -> Document:
    """A document whose answers all differ by `version`, as do a text of it, of an operation and of a path item."""
    schema = {"$ref": "#/components/schemas/A"}
    paths: dict[str, Any] = {
        path: {
            "summary": f"About {path} {version}.",
            "get": {
                "operationId": f"get-{path}",
                "tags": [tag],
                "description": f"Version {version}.",
                "parameters": [{"name": "id", "in": "query", "schema": {"type": "string", "maxLength": 9 - version}}],
                "responses": {"200": {"description": "", "content": {"application/json": {"schema": schema}}}},
            },
        }
        for path, tag in PATHS.items()
    }
    made = document(**paths)
    made.document["info"]["title"] = f"Title {version}"
    made.document["servers"] = [{"url": "https://host/v1"}]
    made.document["components"] = {"schemas": {"A": {"type": "integer", "maximum": version}}}
    return made


OLD, NEW = written(1), written(2)
CHANGES = compare(OLD, NEW)


def selected(**filters: Any) -> set[str]:
    """The paths of the selected changes; `shared` for one of several operations, and `document` for the whole."""
    found = set()
    for change in Selection(**filters).selected(CHANGES, OLD, NEW):
        parts = change.pointer.replace("~1", "/")
        path = next((path for path in sorted(PATHS, key=len, reverse=True) if f"/paths//{path}/" in parts), None)
        found.add(path or ("shared" if change.operations else "document"))
    return found


@pytest.mark.parametrize(
    ("filters", "paths"),
    [
        ({"paths": ("/users*",)}, {"users", "users/{id}", "shared", "document"}),
        ({"paths": ("/users/*",)}, {"users/{id}", "shared", "document"}),
        ({"paths": ("/v1/users",)}, {"users", "shared", "document"}),
        ({"paths": ("/users", "/things")}, {"users", "things", "shared", "document"}),
        ({"tags": ("stock",)}, {"things", "shared", "document"}),
        ({"operations": ("get-things",)}, {"things", "shared"}),
        ({"operations": ("GET /things",)}, {"things", "shared"}),
        ({"operations": ("get /v1/things",)}, {"things", "shared"}),
        ({"tags": ("people",), "paths": ("*/{id}",)}, {"users/{id}", "shared", "document"}),
        ({"tags": ("stock",), "paths": ("/users",)}, {"document"}),
    ],
)
def test_a_change_stays_if_one_of_its_operations_fits_each_kind(filters: dict[str, Any], paths: set[str]) -> None:
    """So does the whole document, unless an operation is named; texts go with the operations at their place."""
    assert selected(**filters) == paths


def test_each_path_has_its_own_texts() -> None:
    """That of the path item, and that of its operation; no text of another path stays."""
    chosen = Selection(paths=("/users",)).selected(CHANGES, OLD, NEW)
    texts = [change.pointer for change in chosen if change.rule == "text-changed"]
    assert sorted(texts) == ["/info/title", "/paths/~1users/get/description", "/paths/~1users/summary"]


@pytest.mark.parametrize("filters", [{"paths": ("/user",)}, {"tags": ("Stock",)}, {"operations": ("PUT /things",)}])
def test_a_filter_that_fits_nothing_is_refused(filters: dict[str, Any]) -> None:
    """A misspelt one would pass every change."""
    with pytest.raises(SelectionError, match="no operation of the documents has the"):
        selected(**filters)


def test_an_operation_that_only_one_document_has_fits() -> None:
    """One that is gone, and one that is new."""
    smaller = Document("", {**OLD.document, "paths": {"/users": OLD.document["paths"]["/users"]}})
    for pair in ((OLD, smaller), (smaller, OLD)):
        chosen = Selection(operations=("get-things",)).selected(compare(*pair), *pair)
        assert [change.subject for change in chosen] == ["GET /v1/things"]
