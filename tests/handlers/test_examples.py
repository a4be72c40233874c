"""Every example of a contract is one that the service accepts or gives."""

from typing import Any

import pytest

from db.tables import annotations, interaction_events
from handlers.lists.pages import ADDITIONAL, column_names
from openapi.contract import Contract, Operation, published
from tests.handlers.conftest import Hub

VERSION_1 = published()[1]
"""Version 2 has the same paths, parameters and bodies; a test of the documents compares them."""
EACH = pytest.mark.parametrize("contract", published()[1:], ids=lambda contract: contract.version)
TABLES = {"/interaction-events/export": interaction_events, "/annotations/export": annotations}


def parameters(operation: Operation) -> list[dict[str, Any]]:
    """The parameters of the operation that have an example."""
    return [parameter for parameter in VERSION_1.parameters(operation.pointer) if "example" in parameter]


def bodies() -> list[Any]:
    """Each example of a request body: its operation, its media type, and its value."""
    return [
        pytest.param(operation, media_type, example["value"], id=f"{operation.operation_id}-{name}")
        for operation in VERSION_1.operations
        for media_type, declared in VERSION_1.at(operation.pointer).get("requestBody", {}).get("content", {}).items()
        for name, example in declared["examples"].items()
    ]


@pytest.mark.parametrize(("operation", "media_type", "example"), bodies())
def test_a_request_body_is_accepted(hub: Hub, operation: Operation, media_type: str, example: Any) -> None:
    """With success, whatever was sent before: no example depends on the others, or on the time."""
    content = {"content": example} if isinstance(example, str) else {"json": example}
    headers = {"Content-Type": media_type}
    response = hub.client.request(operation.method, f"/api/v1{operation.path}", headers=headers, **content)
    assert response.status_code in (200, 201), response.text


@pytest.mark.parametrize(
    ("operation", "names"),
    [
        pytest.param(operation, names, id=f"{operation.operation_id}-{'+'.join(names)}")
        for operation in VERSION_1.operations
        if operation.method == "get" and "{" not in operation.path
        for every in [[parameter["name"] for parameter in parameters(operation)]]
        for names in [*([name] for name in every), *([every] if len(every) > 1 else [])]
    ],
)
def test_a_parameter_is_accepted(hub: Hub, operation: Operation, names: list[str]) -> None:
    """Each by itself, beside those that are required, and all of them together."""
    hub.manifest()  # the example of a revision is the first
    values = {
        parameter["name"]: parameter["example"]
        for parameter in parameters(operation)
        if parameter["name"] in names or parameter.get("required")
    }
    assert hub.get(operation.path, **values).status_code == 200


def test_the_example_of_a_cursor_is_of_the_form_that_lists_return(hub: Hub) -> None:
    """Each list has cursors of its own form; its parameter and its response have an example of it."""
    for path in ("/interaction-events", "/annotations", "/rejected-submissions", "/event-types", "/widgets"):
        operation = VERSION_1.at(("paths", path, "get"))
        (cursor,) = [
            parameter["example"]
            for parameter in VERSION_1.parameters(("paths", path, "get"))
            if parameter["name"] == "cursor"
        ]
        (page,) = operation["responses"]["200"]["content"]["application/json"]["examples"].values()
        assert page["value"]["next_cursor"] == cursor
        assert hub.get(path, cursor=cursor).status_code == 200


@EACH
@pytest.mark.parametrize("path", TABLES)
def test_the_example_of_csv_has_the_header_line_of_the_export(hub: Hub, contract: Contract, path: str) -> None:
    """All columns, in their order; and its row has as many cells."""
    (example,) = contract.at(("paths", path, "get", "responses", "200", "content", "text/csv"))["examples"].values()
    header, row = example["value"].splitlines()
    assert header.split(",") == [*column_names(TABLES[path]), ADDITIONAL]
    assert hub.get(path, format="csv").text.splitlines() == [header, ""]
    assert row.count(",") >= header.count(",")
