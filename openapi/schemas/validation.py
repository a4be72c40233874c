"""Schemas of a contract, compiled once; they report the faults of a value with remedies for the client."""

import itertools
import re
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import jsonschema_rs

from openapi.contract import Contract
from openapi.problems import LONGEST, FieldError, Problem
from openapi.schemas.conversion import bounds_of_format
from openapi.schemas.directions import Direction, Variants
from openapi.schemas.field_errors import explained, is_implied
from openapi.standards import date_times

UUID_PATTERN = "^[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}$"
_UUID = re.compile(UUID_PATTERN[1:-1], re.ASCII)
_COMPONENT = re.compile(r"#/components/([^/~%]+)/([^/~%]+)")
_LISTED = 20  # errors in one response


def is_uuid(text: str) -> bool:
    """True if `text` is a UUID in the format of RFC 9562 section 4: five groups of hexadecimal digits, with hyphens."""
    return _UUID.fullmatch(text) is not None


FORMATS = {"uuid": is_uuid, "date-time": date_times.is_timestamp}
Dialect = type[jsonschema_rs.Draft4Validator] | type[jsonschema_rs.Draft202012Validator]


class Schemas:
    """The schemas of one contract, ready to compile: those of requests, and those of responses."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._translated: dict[Direction, tuple[Contract, Contract]] = {}

    def compile(self, *parts: str) -> "Schema":
        """The compiled schema at the pointer of `parts`; raises ValueError if it cannot be compiled."""
        direction = Direction.REQUEST if "requestBody" in parts[:4] else Direction.RESPONSE
        explaining, fast = [_self_contained(contract, contract.at(parts)) for contract in self._in(direction)]
        return Schema(explaining, fast=fast)

    @cached_property
    def requests(self) -> Contract:
        """The contract, whose schemas require nothing that requests do not have."""
        return Variants(self._contract, Direction.REQUEST).document

    def _in(self, direction: Direction) -> tuple[Contract, Contract]:
        """The contract that explains, and the fast one."""
        if direction not in self._translated:
            is_request = direction is Direction.REQUEST
            directed = self.requests if is_request else Variants(self._contract, direction).document
            translated = as_draft4(directed.document)
            contracts = [
                Contract(self._contract.text, each) for each in (translated, _with_uuids_as_patterns(translated))
            ]
            self._translated[direction] = contracts[0], contracts[1]
        return self._translated[direction]


class Schema:
    """One compiled schema of `dialect`. Patterns run in linear time; formats are those of `FORMATS`.

    `fast` accepts the same values, and is tried first; `document` explains the refusal of a value.
    """

    def __init__(
        self,
        document: dict[str, Any],
        dialect: Dialect = jsonschema_rs.Draft4Validator,
        fast: dict[str, Any] | None = None,
    ) -> None:
        self._document = document
        self._validator = _compiled(document, dialect)
        self.is_valid: Callable[[Any], bool] = (_compiled(fast, dialect) if fast else self._validator).is_valid
        """Returns True if a value satisfies the schema."""

    def validate(self, value: Any) -> None:
        """Raise the Problem `invalid_body`, which names every field at fault, unless `value` satisfies the schema."""
        if not self.is_valid(value):
            raise self._problem(value, "invalid_body")

    def problem(self, value: Any, code: str = "invalid_body") -> Problem | None:
        """The Problem, which names every field at fault, or None if `value` satisfies the schema."""
        return None if self.is_valid(value) else self._problem(value, code)

    def first_problem(self, value: Any) -> Problem | None:
        """As `problem`, but with only the first fault, so that no time is spent on the others."""
        try:
            self._validator.validate(value)
        except jsonschema_rs.ValidationError as error:
            fault = next(explained(error, self._parent_of(error)))
            return Problem("invalid_body", errors=fault.error, remedies=fault.remedy, pointer=fault.pointer)
        return None

    def errors(self, value: Any) -> list[str]:
        """The faults of `value`, one sentence each."""
        return [fault.error for fault in self._faults(value)]

    def _problem(self, value: Any, code: str) -> Problem:
        faults = list(itertools.islice(self._faults(value, code == "invalid_parameters"), _LISTED + 1))
        errors = [fault.error for fault in faults[:_LISTED]]
        if len(faults) > _LISTED:
            errors.append("and more")
        remedies = " ".join(dict.fromkeys(fault.remedy for fault in faults[:_LISTED]))
        problem = Problem(code, errors="; ".join(errors), remedies=remedies, pointer=faults[0].pointer)
        problem.faults = [fault for fault in faults[:_LISTED] if len(fault.pointer) <= LONGEST]
        return problem

    def _faults(self, value: Any, of_parameters: bool = False) -> Iterator[FieldError]:
        for error in self._validator.iter_errors(value):
            parent = self._parent_of(error)
            if not is_implied(error, parent):
                yield from explained(error, parent, of_parameters)

    def _parent_of(self, error: jsonschema_rs.ValidationError) -> dict[str, Any]:
        """The schema that contains the failed keyword; in the path of an error all references are already followed."""
        schema: Any = self._document
        for part in error.schema_path[:-1]:
            schema = schema[part]
        return schema if isinstance(schema, dict) else {}


def _self_contained(contract: Contract, schema: dict[str, Any]) -> dict[str, Any]:
    """`schema` with the components that it refers to; with the whole document if it refers to anything else.

    The compiler reads all that it is given, and a document has many schemas.
    """
    components: dict[str, dict[str, Any]] = {}
    pending: list[Any] = [schema]
    while pending:
        node = pending.pop()
        if isinstance(node, dict) and isinstance(node.get("$ref"), str):
            if not (match := _COMPONENT.fullmatch(node["$ref"])):
                return {**contract.document, **schema}
            kind, name = match.groups()
            members = components.setdefault(kind, {})
            if name not in members:
                pending.append(members.setdefault(name, contract.at(("components", kind, name))))
        pending += node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return {"components": components, **schema}


def _compiled(document: dict[str, Any], dialect: Dialect) -> Any:
    return dialect(
        document,
        formats=FORMATS,
        validate_formats=True,
        pattern_options=jsonschema_rs.RegexOptions(),
        offline=True,
    )


def _with_uuids_as_patterns(node: Any) -> Any:
    """A copy of a document with a pattern instead of the format `uuid`, whose check would call Python."""
    if isinstance(node, list):
        return [_with_uuids_as_patterns(item) for item in node]
    if not isinstance(node, dict):
        return node
    copied = {key: _with_uuids_as_patterns(value) for key, value in node.items()}
    if copied.get("format") == "uuid" and "pattern" not in copied:
        del copied["format"]
        copied["pattern"] = UUID_PATTERN
    return copied


def as_draft4(node: Any) -> Any:
    """A copy of an OpenAPI 3.0 document with schemas in JSON Schema draft 4.

    `nullable` becomes the type null, and the formats of integers become bounds.
    """
    if isinstance(node, list):
        return [as_draft4(item) for item in node]
    if not isinstance(node, dict):
        return node
    copied = {key: as_draft4(value) for key, value in node.items()}
    if copied.get("nullable") is True and isinstance(copied.get("type"), str):
        copied["type"] = [copied["type"], "null"]
    if bounds := bounds_of_format(node):
        copied["allOf"] = [*copied.get("allOf", []), bounds]
    return copied
