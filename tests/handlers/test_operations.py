"""Each handler has an operation, and each operation has a handler."""

import importlib
import inspect
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import handlers
from handlers.operations import OPERATIONS
from openapi.contract import published
from openapi.serving.messages import Request


def written_handlers() -> Iterator[Callable[..., Any]]:
    """Each public function of `handlers` whose only parameter is a Request of the contract."""
    room = Path(str(handlers.__file__)).parent
    for path in room.rglob("*.py"):
        name = ".".join(("handlers", *path.relative_to(room).with_suffix("").parts))
        for function_name, function in inspect.getmembers(importlib.import_module(name), inspect.iscoroutinefunction):
            hints = typing.get_type_hints(function)
            is_public = function.__module__ == name and not function_name.startswith("_")
            if is_public and {**hints, "return": None} == {"request": Request, "return": None}:
                yield function


def test_every_promised_operation_has_a_handler() -> None:
    """The table has exactly the operations of this release's documents."""
    promised = {operation.operation_id for contract in published() for operation in contract.operations}
    assert promised == OPERATIONS.handlers.keys()


def test_every_handler_serves_one_operation() -> None:
    """The table lists every handler, and no function serves two operations."""
    functions = list(OPERATIONS.handlers.values())
    assert len(set(functions)) == len(functions)
    assert set(functions) == set(written_handlers())


def test_every_former_name_leads_to_a_handler() -> None:
    """Each former name is the module and function of its row, as documents named it until 2026-12."""
    for former, name in OPERATIONS.former_names.items():
        function = OPERATIONS.handler(name)
        assert former == f"{function.__module__}.{function.__name__}"
