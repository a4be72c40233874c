"""No handler without an operation, no operation without a handler."""

import importlib
import inspect
import typing
from collections.abc import Iterator
from pathlib import Path

import handlers
from openapi.contract import published
from openapi.serving import operations
from openapi.serving.messages import Request


def written_handlers() -> Iterator[str]:
    """The dotted name of each public function of the room that takes a Request of the contract, and nothing else."""
    for path in Path(str(handlers.__file__)).parent.rglob("*.py"):
        name = ".".join(("handlers", *path.relative_to(Path(str(handlers.__file__)).parent).with_suffix("").parts))
        for function_name, function in inspect.getmembers(importlib.import_module(name), inspect.iscoroutinefunction):
            hints = typing.get_type_hints(function)
            is_public = function.__module__ == name and not function_name.startswith("_")
            if is_public and {**hints, "return": None} == {"request": Request, "return": None}:
                yield f"{name}.{function_name}"


def promised_handlers() -> set[str]:
    """The operationIds of every document."""
    return {operation.operation_id for contract in published() for operation in contract.operations}


def test_every_promised_name_is_a_handler() -> None:
    """Each operationId resolves."""
    assert promised_handlers()
    for name in promised_handlers():
        assert inspect.iscoroutinefunction(operations.handler(name))


def test_every_handler_is_promised() -> None:
    """Nothing is written that no document names."""
    assert set(written_handlers()) == promised_handlers()
