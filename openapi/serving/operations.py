"""From an operationId to the function that it names, and to nothing else."""

import importlib
import inspect
import re
from typing import cast, get_type_hints

from openapi.contract import ContractError
from openapi.serving.messages import Answer, Handler, Request

_OPERATION_ID = re.compile(r"(handlers(?:\.[a-z][a-z0-9_]*)+)\.([a-z][a-z0-9_]*)")


def handler(operation_id: str | None) -> Handler:
    """The handler that `operation_id` (`handlers.<module>.<function>`) names; ContractError if it names none.

    A handler is a coroutine function of one Request that gives an Answer, written in the module that is named: a
    document reaches nothing that was not written to serve one.
    """
    match = _OPERATION_ID.fullmatch(operation_id or "")
    if match is None:
        raise ContractError(f"operationId {operation_id!r} is not of the form handlers.<module>.<function>")
    module_name, name = match.groups()
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError:
        raise ContractError(f"operationId {operation_id!r} names no module of handlers") from None
    function = vars(module).get(name)
    is_written_here = inspect.iscoroutinefunction(function) and function.__module__ == module_name
    if not is_written_here or get_type_hints(function) != {"request": Request, "return": Answer}:
        raise ContractError(f"operationId {operation_id!r} names no handler")
    return cast("Handler", function)
