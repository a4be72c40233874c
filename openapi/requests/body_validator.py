"""Validates JSON bodies for an operation of a contract, without serving the contract."""

from collections.abc import Callable
from typing import Any

from openapi.contract import Contract, ContractError
from openapi.problems import Problem
from openapi.requests.body import Body
from openapi.requests.declared_body import media_type_at
from openapi.schemas.validation import Schema, Schemas
from openapi.standards.media_types import JSON


class BodyValidator:
    """Validates bodies as the operation `operation_id` of a contract does. An absent operation accepts nothing.

    Only the body is validated: not the path, the parameters or the authentication.
    """

    def __init__(self, contract: Contract, operation_id: str) -> None:
        """Raise ContractError if bodies of the operation cannot be validated."""
        self._schema: Schema | None = None
        try:
            self._read(contract, operation_id)
        except (LookupError, TypeError, AttributeError, ValueError) as error:  # a ContractError is a ValueError
            raise ContractError(f"{operation_id} of contract {contract.version} cannot be judged: {error}") from None
        self.is_valid: Callable[[Any], bool] = self._schema.is_valid if self._schema else _reject
        """True if a value is accepted, regardless of its size."""

    def problem(self, value: Any) -> Problem | None:
        """The Problem of a value, or None if it is accepted."""
        return self._schema.problem(value) if self._schema else self._absence

    def value(self, content: bytes) -> Any:
        """The value of the bytes of a body; Problem if they are not accepted."""
        if not self._schema:
            raise self._absence
        return self._body.of_json(content)

    def problem_of(self, content: bytes) -> Problem | None:
        """The Problem of the bytes of a body, or None if they are accepted."""
        try:
            self.value(content)
        except Problem as problem:
            return problem
        return None

    def _read(self, contract: Contract, operation_id: str) -> None:
        pointers = [operation.pointer for operation in contract.operations if operation.operation_id == operation_id]
        if not pointers:
            self._absence = Problem("not_found")
            return
        pointer = (*pointers[0], "requestBody", "content")
        names = {name.lower(): name for name in contract.at(pointer)}
        if JSON not in names:
            self._absence = Problem(
                "unsupported_media_type", found=JSON, expected=" or ".join(f"'Content-Type: {name}'" for name in names)
            )
            return
        name = names[JSON]
        media_type = media_type_at(operation_id, name, contract, Schemas(contract), (*pointer, name))
        if media_type.items:
            raise ContractError("it takes a batch")
        self._body, self._schema = Body({JSON: media_type}, 0, frozenset()), media_type.schema


def _reject(_value: Any) -> bool:
    return False
