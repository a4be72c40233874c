"""Schemas of a contract, compiled once, and what is wrong with a value in words that a client can act on."""

import difflib
import itertools
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import jsonschema_rs
from jsonschema_rs import ValidationErrorKind

from openapi.contract import Contract
from openapi.problems import LONGEST, FieldError, Problem
from openapi.standards import date_times
from openapi.standards.json_pointer import pointer

UUID_PATTERN = "^[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}$"
_UUID = re.compile(UUID_PATTERN[1:-1], re.ASCII)
_LISTED = 20  # errors that one answer lists
_SHOWN = 60  # characters of the client's own text that an error repeats

_WITH_ARTICLE = {
    "array": "an array",
    "boolean": "true or false",
    "integer": "an integer",
    "number": "a number",
    "object": "an object",
    "string": "a string",
}
_LIMITS = {
    "anyOf": ("has none of the forms that it may have", "in one of the forms that the schema gives it"),
    "const": ("is not the one allowed value", "as {expected_value}"),
    "exclusiveMaximum": ("is not below {limit}", "as a number below {limit}"),
    "exclusiveMinimum": ("is not above {limit}", "as a number above {limit}"),
    "maxItems": ("has more items than {limit}", "with a number of items of at most {limit}"),
    "maxProperties": ("has more fields than {limit}", "with a number of fields of at most {limit}"),
    "maximum": ("is above {limit}", "as a number of at most {limit}"),
    "minItems": ("has fewer items than {limit}", "with a number of items of at least {limit}"),
    "minProperties": ("has fewer fields than {limit}", "with a number of fields of at least {limit}"),
    "minimum": ("is below {limit}", "as a number of at least {limit}"),
    "multipleOf": ("is not a multiple of {multiple_of}", "as a multiple of {multiple_of}"),
    "pattern": ("does not match the pattern {pattern}", "as a text that matches {pattern}"),
    "uniqueItems": ("has an item twice", "with each item once"),
}
"""By keyword: what is wrong, and how to send the field instead."""
_FORMS = {
    "uuid": "a UUID of five groups of hexadecimal digits with hyphens",
    "date-time": "an RFC 3339 date-time with a zone, in the years 0001 to 9999 UTC",
}


def is_uuid(text: str) -> bool:
    """Whether `text` is a UUID as RFC 9562 section 4 writes it: five groups of hexadecimal digits, with hyphens."""
    return _UUID.fullmatch(text) is not None


FORMATS = {"uuid": is_uuid, "date-time": date_times.is_date_time}
Dialect = type[jsonschema_rs.Draft4Validator] | type[jsonschema_rs.Draft202012Validator]


class Schemas:
    """The schemas of one contract, ready to be compiled."""

    def __init__(self, contract: Contract) -> None:
        self._contract = Contract(contract.text, as_draft4(contract.document))
        self._fast = Contract(contract.text, _with_uuids_as_patterns(self._contract.document))

    def compile(self, *parts: str) -> "Schema":
        """The schema at the pointer made of `parts`; ValueError if it is not one that can be compiled."""
        explaining, fast = ({**contract.document, **contract.at(parts)} for contract in (self._contract, self._fast))
        return Schema(explaining, fast=fast)


class Schema:
    """One compiled schema of `dialect`. Patterns run in linear time; formats are those of `FORMATS`.

    `fast` accepts the same values, and is asked first; `document` explains what is wrong with those that it refuses.
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
        """Whether a value satisfies the schema."""

    def validate(self, value: Any) -> None:
        """Raise the Problem `invalid_body`, which names every field at fault, unless `value` satisfies the schema."""
        if not self.is_valid(value):
            raise self._problem(value, "invalid_body")

    def problem(self, value: Any, code: str = "invalid_body") -> Problem | None:
        """The Problem, which names every field at fault, or None if `value` satisfies the schema."""
        return None if self.is_valid(value) else self._problem(value, code)

    def first_problem(self, value: Any) -> Problem | None:
        """As `problem`, but it names the first fault alone, which costs no more than to find it."""
        try:
            self._validator.validate(value)
        except jsonschema_rs.ValidationError as error:
            fault = next(_explained(error, self._parent_of(error)))
            return Problem("invalid_body", errors=fault.error, remedies=fault.remedy, pointer=fault.pointer)
        return None

    def errors(self, value: Any) -> list[str]:
        """What is wrong with `value`, a sentence for each fault."""
        return [fault.error for fault in self._faults(value)]

    def _problem(self, value: Any, code: str) -> Problem:
        faults = list(itertools.islice(self._faults(value), _LISTED + 1))
        errors = [fault.error for fault in faults[:_LISTED]]
        if len(faults) > _LISTED:
            errors.append("and more")
        remedies = " ".join(dict.fromkeys(fault.remedy for fault in faults[:_LISTED]))
        problem = Problem(code, errors="; ".join(errors), remedies=remedies, pointer=faults[0].pointer)
        problem.faults = [fault for fault in faults[:_LISTED] if len(fault.pointer) <= LONGEST]
        return problem

    def _faults(self, value: Any) -> Iterator[FieldError]:
        for error in self._validator.iter_errors(value):
            yield from _explained(error, self._parent_of(error))

    def _parent_of(self, error: jsonschema_rs.ValidationError) -> dict[str, Any]:
        """The schema that holds the keyword that failed; the path of an error has every $ref followed already."""
        schema: Any = self._document
        for part in error.schema_path[:-1]:
            schema = schema[part]
        return schema if isinstance(schema, dict) else {}


def field_name(*parts: str | int) -> str:
    """How an answer calls a field: its JSON Pointer without the first slash, shortened."""
    return _shown(pointer(*parts)[1:]) or "the body"


def _explained(error: jsonschema_rs.ValidationError, schema: dict[str, Any]) -> Iterator[FieldError]:
    """Each fault of `error`."""
    path = error.instance_path
    match error.kind:
        case ValidationErrorKind.AdditionalProperties(unexpected=unexpected):
            for unknown in unexpected:
                texts = _unknown(field_name(*path, unknown), unknown, schema.get("properties", {}))
                yield FieldError(*texts, pointer(*path, unknown))
        case ValidationErrorKind.Required(property=missing):
            name = field_name(*path, missing)
            yield FieldError(f"{name} is required", f"Add {name}.", pointer(*path, missing))
        case _:
            yield FieldError(*_explanation(error, schema), pointer(*path))


def _explanation(error: jsonschema_rs.ValidationError, schema: dict[str, Any]) -> tuple[str, str]:
    """What is wrong with the value of a field, and what to do."""
    name = field_name(*error.instance_path)
    match error.kind:
        case ValidationErrorKind.Type(types=types):
            wanted = " or ".join(_WITH_ARTICLE.get(kind, kind) for kind in types)
            texts = f"{name} must be {wanted}", f"Send {name} as {wanted}."
        case ValidationErrorKind.Format(format=wanted):
            example = f", for example {schema['example']}" if "example" in schema else ""
            form = _FORMS.get(wanted, f"a valid {wanted}")
            texts = f"{name} is not {form}", f"Send {name} as {form}{example}."
        case ValidationErrorKind.Enum(options=options):
            choice = ", ".join(str(option) for option in options if option is not None)
            texts = f"{name} is not one of the allowed values", f"Send {name} as one of {choice}."
        case ValidationErrorKind.MinLength(limit=1):
            texts = f"{name} is empty", f"Send {name} with at least 1 character."
        case ValidationErrorKind.MinLength(limit=limit):
            texts = f"{name} is shorter than {limit} characters", f"Send {name} with at least {limit} characters."
        case ValidationErrorKind.MaxLength(limit=limit):
            size = len(error.instance) if isinstance(error.instance, str) else "more"
            texts = f"{name} has {size} characters; the limit is {limit}", f"Shorten {name}."
        case _:
            texts = _by_limits(name, error)
    return texts


def _by_limits(name: str, error: jsonschema_rs.ValidationError) -> tuple[str, str]:
    if error.kind.name == "falseSchema":
        return f"{name} is not allowed", f"Remove {name}."
    if error.kind.name not in _LIMITS:
        return f"{name}: {_shown(error.message)}", f"Send {name} as the contract describes it."
    wrong, remedy = _LIMITS[error.kind.name]
    limits = {
        key: _shown(limit if isinstance(limit, str) else json.dumps(limit, ensure_ascii=False))
        for key, limit in error.kind.as_dict().items()
        if "{" + key + "}" in wrong + remedy
    }
    return f"{name} {wrong.format(**limits)}", f"Send {name} {remedy.format(**limits)}."


def _unknown(name: str, unknown: str, known: dict[str, Any]) -> tuple[str, str]:
    nearest = difflib.get_close_matches(unknown.lower()[:_SHOWN], known, n=1, cutoff=0.6)
    fields = f"the fields are {', '.join(known)}" if known else "no fields are allowed"
    remedy = f"Rename {name} to {nearest[0]}." if nearest else f"Remove {name}; {fields}."
    return f"unknown field '{name}'", remedy


def _shown(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "\u2026"


def _compiled(document: dict[str, Any], dialect: Dialect) -> Any:
    return dialect(
        document,
        formats=FORMATS,
        validate_formats=True,
        pattern_options=jsonschema_rs.RegexOptions(),
        offline=True,
    )


def _with_uuids_as_patterns(node: Any) -> Any:
    """A copy of a document in which a pattern does what the format `uuid` does, without calling Python for it."""
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
    """A copy of an OpenAPI 3.0 document whose schemas are JSON Schema draft 4: `nullable` becomes the type null."""
    if isinstance(node, list):
        return [as_draft4(item) for item in node]
    if not isinstance(node, dict):
        return node
    copied = {key: as_draft4(value) for key, value in node.items()}
    if copied.get("nullable") is True and isinstance(copied.get("type"), str):
        copied["type"] = [copied["type"], "null"]
        if isinstance(copied.get("enum"), list):
            copied["enum"] = [*copied["enum"], None]
    return copied
