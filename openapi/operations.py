"""From an operationId to the function that it names, and to nothing else."""

import importlib
import inspect
import re
from typing import cast

from openapi.contract import ContractError
from openapi.exchange import Handler

_OPERATION_ID = re.compile(r"(handlers(?:\.[a-z][a-z0-9_]*)+)\.([a-z][a-z0-9_]*)")


def handler(operation_id: str) -> Handler:
    """The handler that `operation_id` (`handlers.<module>.<function>`) names; ContractError if it names none.

    A name that a module only imports is not a handler, so that a document reaches nothing but what was written for it.
    """
    match = _OPERATION_ID.fullmatch(operation_id)
    if match is None:
        raise ContractError(f"operationId {operation_id!r} is not of the form handlers.<module>.<function>")
    module_name, name = match.groups()
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError:
        raise ContractError(f"operationId {operation_id!r} names no module of handlers") from None
    function = vars(module).get(name)
    if not inspect.iscoroutinefunction(function) or function.__module__ != module_name:
        raise ContractError(f"operationId {operation_id!r} names no handler")
    return cast("Handler", function)
