"""Schemas of a contract, compiled once, and what is wrong with a value in words that a client can act on."""

import difflib
import itertools
import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
from jsonschema_rs import ValidationErrorKind as Kind

from openapi import rfc3339, rfc7493
from openapi.contract import Contract
from openapi.problems import Problem

_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
_LISTED = 20  # errors that one answer lists
_SHOWN = 60  # characters of the client's own text that an error repeats
_LONGEST = 4000  # characters, as the contract promises


_WITH_ARTICLE = {
    "array": "an array",
    "boolean": "true or false",
    "integer": "an integer",
    "number": "a number",
    "object": "an object",
    "string": "a string",
}
_FORMS = {
    "uuid": "a UUID of five groups of hexadecimal digits with hyphens",
    "date-time": "an RFC 3339 date-time with a zone, in the years 0001 to 9999 UTC",
}


def is_uuid(text: str) -> bool:
    """Whether `text` is a UUID as RFC 9562 section 4 writes it: five groups of hexadecimal digits, with hyphens."""
    return _UUID.fullmatch(text) is not None


FORMATS = {"uuid": is_uuid, "date-time": rfc3339.is_date_time}


class Schemas:
    """The schemas of one contract, ready to be compiled."""

    def __init__(self, contract: Contract) -> None:
        self._contract = Contract(contract.text, _as_draft4(contract.document))

    def compile(self, *parts: str) -> "Schema":
        """The schema at the pointer made of `parts`; ValueError if it is not one that can be compiled."""
        return Schema({**self._contract.document, **self._contract.at(parts)})


class Schema:
    """One compiled schema. Patterns run in linear time; formats are those of `FORMATS`."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self._validator = jsonschema_rs.Draft4Validator(
            document,
            formats=FORMATS,
            validate_formats=True,
            pattern_options=jsonschema_rs.RegexOptions(),
            offline=True,
        )

    def is_valid(self, value: Any) -> bool:
        """Whether `value` satisfies the schema."""
        return self._validator.is_valid(value)

    def validate(self, value: Any) -> None:
        """Raise the Problem `invalid_body`, which names every field at fault, unless `value` satisfies the schema."""
        if not self._validator.is_valid(value):
            raise self._problem(value)

    def errors(self, value: Any) -> list[str]:
        """What is wrong with `value`, a sentence for each fault."""
        return [error for error, _ in self._faults(value)]

    def _problem(self, value: Any) -> Problem:
        faults = list(itertools.islice(self._faults(value), _LISTED + 1))
        errors = [error for error, _ in faults[:_LISTED]]
        if len(faults) > _LISTED:
            errors.append("and more")
        remedies = dict.fromkeys(remedy for _, remedy in faults[:_LISTED])
        return Problem("invalid_body", errors="; ".join(errors)[:_LONGEST], remedies=" ".join(remedies)[:_LONGEST])

    def _faults(self, value: Any) -> Iterator[tuple[str, str]]:
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
    return _shown(rfc7493.pointer(*parts)[1:]) or "the body"


def _explained(error: jsonschema_rs.ValidationError, schema: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Each fault of `error`: what is wrong, and what to do."""
    name = field_name(*error.instance_path)
    match error.kind:
        case Kind.Required(property=missing):
            name = field_name(*error.instance_path, missing)
            yield f"{name} is required", f"Add {name}."
        case Kind.AdditionalProperties(unexpected=unexpected):
            for unknown in unexpected:
                yield _unknown(field_name(*error.instance_path, unknown), unknown, schema.get("properties", {}))
        case Kind.Type(types=types):
            wanted = " or ".join(_WITH_ARTICLE.get(kind, kind) for kind in types)
            yield f"{name} must be {wanted}", f"Send {name} as {wanted}."
        case Kind.Format(format=wanted):
            example = f", for example {schema['example']}" if "example" in schema else ""
            form = _FORMS.get(wanted, f"a valid {wanted}")
            yield f"{name} is not {form}", f"Send {name} as {form}{example}."
        case Kind.Enum(options=options):
            choice = ", ".join(str(option) for option in options if option is not None)
            yield f"{name} is not one of the allowed values", f"Send {name} as one of {choice}."
        case Kind.MinLength(limit=1):
            yield f"{name} is empty", f"Send {name} with at least 1 character."
        case Kind.MinLength(limit=limit):
            yield f"{name} is shorter than {limit} characters", f"Send {name} with at least {limit} characters."
        case Kind.MaxLength(limit=limit):
            size = len(error.instance) if isinstance(error.instance, str) else "more"
            yield f"{name} has {size} characters; the limit is {limit}", f"Shorten {name}."
        case _:
            yield f"{name}: {_shown(error.message)}", f"Send {name} as the contract describes it."


def _unknown(name: str, unknown: str, known: dict[str, Any]) -> tuple[str, str]:
    nearest = difflib.get_close_matches(unknown.lower()[:_SHOWN], known, n=1, cutoff=0.6)
    remedy = f"Rename {name} to {nearest[0]}." if nearest else f"Remove {name}; the fields are {', '.join(known)}."
    return f"unknown field '{name}'", remedy


def _shown(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "\u2026"


def _as_draft4(node: Any) -> Any:
    """A copy of an OpenAPI 3.0 document whose schemas are JSON Schema draft 4: `nullable` becomes the type null."""
    if isinstance(node, list):
        return [_as_draft4(item) for item in node]
    if not isinstance(node, dict):
        return node
    copied = {key: _as_draft4(value) for key, value in node.items()}
    if copied.get("nullable") is True and isinstance(copied.get("type"), str):
        copied["type"] = [copied["type"], "null"]
        if isinstance(copied.get("enum"), list):
            copied["enum"] = [*copied["enum"], None]
    return copied
