"""The texts of field errors: the fault of a body field or a parameter, and its remedy."""

import difflib
import json
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
from jsonschema_rs import ValidationErrorKind

from openapi.problems import FieldError
from openapi.standards.json_pointer import pointer

_SHOWN = 60  # characters of the client's own text that an error repeats
PARAMETERS = {
    "malformed_query": ("the query is not percent-encoded UTF-8", "Encode it as RFC 3986 describes."),
    "too_many": ("the query has more than {limit} fields", "Send fewer."),
    "not_in_query": ("{name} is not a parameter of the query", "Send {name} as a header field."),
    "repeated": ("{name} is given {count} times", "Send {name} once."),
    "unstorable": ("{name} has a character that cannot be stored", "Leave it out."),
}
"""Faults of parameters that their schemas do not cover."""
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
"""By keyword: the error, and the remedy."""
_FORMS = {
    "uuid": "a UUID of five groups of hexadecimal digits with hyphens",
    "date-time": "an RFC 3339 date-time with a zone, in the years 0001 to 9999 UTC",
}


def field_name(*parts: str | int) -> str:
    """The name of a field in a response: its JSON Pointer without the first slash, shortened."""
    return _shown(pointer(*parts)[1:]) or "the body"


def explained(error: jsonschema_rs.ValidationError, schema: dict[str, Any]) -> Iterator[FieldError]:
    """Each fault of `error`."""
    path = error.instance_path
    match error.kind:
        case ValidationErrorKind.AdditionalProperties(unexpected=unexpected):
            for unknown in unexpected:
                words = _unknown(field_name(*path, unknown), unknown, schema.get("properties", {}))
                yield FieldError(*words, pointer(*path, unknown))
        case ValidationErrorKind.Required(property=missing):
            name = field_name(*path, missing)
            yield FieldError(f"{name} is required", f"Add {name}.", pointer(*path, missing))
        case _:
            yield FieldError(*_words(error, schema), pointer(*path))


def _words(error: jsonschema_rs.ValidationError, schema: dict[str, Any]) -> tuple[str, str]:
    """The error and the remedy for the value of a field."""
    name = field_name(*error.instance_path)
    match error.kind:
        case ValidationErrorKind.Type(types=types):
            wanted = " or ".join(_WITH_ARTICLE.get(kind, kind) for kind in types)
            words = f"{name} must be {wanted}", f"Send {name} as {wanted}."
        case ValidationErrorKind.Format(format=wanted):
            example = f", for example {schema['example']}" if "example" in schema else ""
            form = _FORMS.get(wanted, f"a valid {wanted}")
            words = f"{name} is not {form}", f"Send {name} as {form}{example}."
        case ValidationErrorKind.Enum(options=options):
            choice = ", ".join(str(option) for option in options if option is not None)
            words = f"{name} is not one of the allowed values", f"Send {name} as one of {choice}."
        case ValidationErrorKind.MinLength(limit=1):
            words = f"{name} is empty", f"Send {name} with at least 1 character."
        case ValidationErrorKind.MinLength(limit=limit):
            words = f"{name} is shorter than {limit} characters", f"Send {name} with at least {limit} characters."
        case ValidationErrorKind.MaxLength(limit=limit):
            size = len(error.instance) if isinstance(error.instance, str) else "more"
            words = f"{name} has {size} characters; the limit is {limit}", f"Shorten {name}."
        case _:
            words = _by_limits(name, error)
    return words


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
