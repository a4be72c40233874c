"""The operation table: the function that serves each operationId. A document can call nothing else."""

import difflib
import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, get_type_hints

from openapi.contract import Contract, ContractError
from openapi.serving.messages import Answer, Handler, Request

LONGEST = 100
"""Characters of an operationId that an error repeats."""


@dataclass(frozen=True)
class OperationTable:
    """The handlers of a service by operationId, as the composition root knows them.

    `former_names` maps operationIds of earlier documents to the names in the table; `readings` has the operations that
    answer the records of each submission.
    """

    handlers: Mapping[str, Handler]
    former_names: Mapping[str, str] = field(default_factory=dict)
    readings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise TypeError if a function of the table is not a handler: a coroutine function from Request to Answer.

        ValueError if `readings` names an operation that the table does not have.
        """
        for operation_id, function in self.handlers.items():
            is_handler = inspect.iscoroutinefunction(function)
            if not is_handler or get_type_hints(function) != {"request": Request, "return": Answer}:
                raise TypeError(f"{operation_id} is not served by a coroutine function from Request to Answer")
        for name in {*self.readings, *(name for names in self.readings.values() for name in names)}:
            if name not in self.handlers:
                raise ValueError(f"{name} is not in the table, and is said to store or to answer a record")

    def name(self, operation_id: str) -> str:
        """The current name of `operation_id`, which may be a former one."""
        return self.former_names.get(operation_id, operation_id)

    def name_in(self, contract: Contract, operation_id: str) -> str:
        """The name in `contract` of the operation with the current name `operation_id`."""
        names = {self.name(operation.operation_id): operation.operation_id for operation in contract.operations}
        return names.get(operation_id, operation_id)

    def handler(self, operation_id: str | None) -> Handler:
        """The function that serves `operation_id`; ContractError if the table does not have it."""
        function = self.handlers.get(operation_id or "")
        if function is None:
            name = (operation_id or "")[:LONGEST]
            nearest = (
                [self.name(name)] if name in self.former_names else difflib.get_close_matches(name, self.handlers, 1)
            )
            remedy = f"; did you mean {nearest[0]!r}?" if nearest else ""
            raise ContractError(f"operationId {name!r} names no operation of this release{remedy}")
        return function

    def rename(self, node: Any) -> Any:
        """Replace each operationId in `node`, a copy of (a part of) a document, by its current name; return `node`."""
        if isinstance(node, list):
            for item in node:
                self.rename(item)
        elif isinstance(node, dict):
            if isinstance(node.get("operationId"), str):
                node["operationId"] = self.name(node["operationId"])
            for value in node.values():
                self.rename(value)
        return node
