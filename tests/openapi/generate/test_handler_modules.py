"""Beginnings of handlers: one for each operation that has none, with a test that fails; nothing is overwritten."""

import ast
from typing import Any

from openapi.contract import Document
from openapi.generate.languages.handler_modules import beginnings
from tests.openapi.generate import hostile
from tests.service import CONTRACTS


def document(*names: str) -> Document:
    """A document with POST operations of these operationIds at /labels/{index}."""
    schema = {
        "type": "object",
        "required": ["name"],
        "properties": {"name": {"type": "string"}, "made_at": {"type": "string", "format": "date-time"}},
    }
    body = {"required": True, "content": {"application/json": {"schema": schema}}}
    paths: dict[str, Any] = {
        f"/labels/{index}": {"post": {"operationId": name, "requestBody": body, "responses": {}}}
        for index, name in enumerate(names)
    }
    return Document("", {"openapi": "3.0.3", "info": {"title": "T", "version": "1"}, "paths": paths})


def test_an_operation_without_a_handler_gets_one_and_a_test_that_fails() -> None:
    """The handler takes the fields of the body; the test names the row that the table needs."""
    made = beginnings(document("createLabel", "getUsage"), {"getUsage"}, {})
    assert list(made.files) == ["handlers/labels.py", "tests/handlers/test_labels.py"]
    assert made.rows == ('"createLabel": labels.create_0,',)
    module, test = made.files.values()
    assert 'name=BodyField("string", required=True)' in module
    assert 'made_at=BodyField("string", "date-time")' in module
    assert 'OPERATIONS.handler("createLabel") is labels.create_0' in test
    assert "pytest.fail(" in test


def test_a_handler_takes_the_fields_of_its_own_operation() -> None:
    """Also beside operations without an operationId, and if it has none itself."""
    without = document("createLabel", "renameLabel", "mergeLabels")
    for index in (0, 2):
        del without.document["paths"][f"/labels/{index}"]["post"]["operationId"]
    del without.document["paths"]["/labels/0"]["post"]["requestBody"]
    module = beginnings(without, set(), {}).files["handlers/labels.py"]
    assert [part.count("BodyField(") for part in module.split("async def")] == [0, 2, 2, 0]


def test_what_is_begun_is_left_as_it_is() -> None:
    """A second run makes nothing; a new operation of the same resource gets a module of its own."""
    begun = beginnings(document("createLabel"), {}, {}).files
    assert beginnings(document("createLabel"), {}, begun).files == {}
    more = beginnings(document("createLabel", "renameLabel"), {}, begun)
    assert list(more.files) == ["handlers/labels_rename_1.py", "tests/handlers/test_labels_rename_1.py"]
    taken = {"handlers/labels.py": "", "handlers/labels_create_0.py": "", "tests/handlers/test_labels_create_0.py": ""}
    assert beginnings(document("createLabel"), {}, taken).files == {}


def test_our_own_documents_have_all_their_handlers() -> None:
    """So that nothing is to be made for them."""
    for contract in CONTRACTS.values():
        names = {operation.operation_id for operation in contract.operations}
        assert beginnings(contract, names, {}).files == {}


def test_a_hostile_document_makes_modules_that_run_nothing_of_it() -> None:
    """Each one is Python, with definitions and docstrings alone."""
    for text in beginnings(Document("", hostile.document()), set(), {}).files.values():
        kinds = {type(statement) for statement in ast.parse(text).body}
        assert kinds <= {ast.Expr, ast.ImportFrom, ast.Import, ast.AsyncFunctionDef, ast.FunctionDef}
