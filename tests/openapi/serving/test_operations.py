"""The operation table, and documents with former operationIds."""

import json

import pytest

from openapi.contract import Contract, ContractError
from openapi.serving.messages import Answer, Request
from openapi.serving.operations import OperationTable


async def report(_request: Request) -> Answer:
    """A handler whose parameter has another name."""
    return Answer(200, None)


async def create(request: Request) -> Answer:
    """A handler."""
    return Answer(200, request.body)


async def remove(request: Request, force: bool) -> Answer:
    """A function that takes more than a request."""
    return Answer(200, [request.body, force])


def count(request: Request) -> Answer:
    """A function that is no coroutine function."""
    return Answer(200, request.body)


TABLE = OperationTable({"createThing": create}, {"things.create": "createThing"})


def contract(*operation_ids: str) -> Contract:
    """A contract with an operation for each operationId."""
    paths = {f"/{number}": {"post": {"operationId": name}} for number, name in enumerate(operation_ids)}
    return Contract.read(json.dumps({"info": {"version": "1.0"}, "paths": paths}))


def test_an_operation_id_names_the_function_of_its_row() -> None:
    """The name leads to no other function."""
    assert TABLE.handler("createThing") is create


@pytest.mark.parametrize("operation_id", ["", None, "os.getcwd", "create", "createThing\n", "__class__", "x" * 10**6])
def test_an_operation_id_reaches_nothing_else(operation_id: str | None) -> None:
    """A name that is not in the table raises ContractError, which repeats it, shortened."""
    with pytest.raises(ContractError, match="names no operation of this release") as error:
        TABLE.handler(operation_id)
    assert repr((operation_id or "")[:100]) in str(error.value)


@pytest.mark.parametrize("operation_id", ["createTing", "things.create"])
def test_the_nearest_name_is_suggested(operation_id: str) -> None:
    """For a misspelt name, and for a former one."""
    with pytest.raises(ContractError, match=r"; did you mean 'createThing'\?$"):
        TABLE.handler(operation_id)


@pytest.mark.parametrize("function", [report, remove, count, print])
def test_the_table_accepts_only_handlers(function: object) -> None:
    """The table refuses any other function at its creation."""
    with pytest.raises(TypeError, match="createThing is not served by"):
        OperationTable({"createThing": function})  # type: ignore[dict-item]


@pytest.mark.parametrize("readings", [{"createThing": ("getThing",)}, {"createThings": ("createThing",)}])
def test_records_are_of_operations_of_the_table(readings: dict[str, tuple[str, ...]]) -> None:
    """A misspelt name would mean that nothing is compared."""
    with pytest.raises(ValueError, match="is not in the table"):
        OperationTable({"createThing": create}, readings=readings)


def test_a_former_document_is_served_by_the_present_names() -> None:
    """In operations, behind references and in links. The contract keeps its own operationIds."""
    former = contract("things.create", "listThings")
    former.document["components"] = {"links": {"Made": {"operationId": "things.create", "parameters": {"id": "x"}}}}
    former.document["x-items"] = [{"put": {"operationId": "things.create"}}]
    copy = former.copy()
    assert TABLE.rename(copy) is copy
    expected = json.dumps(former.document).replace("things.create", "createThing")
    assert json.dumps(copy) == expected
    assert [operation.operation_id for operation in former.operations] == ["things.create", "listThings"]


@pytest.mark.parametrize(
    ("operation_ids", "name"),
    [(["createThing"], "createThing"), (["things.create"], "things.create"), (["listThings"], "createThing")],
)
def test_an_operation_is_found_in_any_document(operation_ids: list[str], name: str) -> None:
    """The result is its present name, or the document's former one."""
    assert TABLE.name_in(contract(*operation_ids), "createThing") == name
