"""The texts of field errors: the fault of a body field or a parameter, and its remedy."""

import difflib
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import UUID

import jsonschema_rs
from jsonschema_rs import ValidationErrorKind

from openapi import characters, decimals
from openapi.problems import FieldError
from openapi.standards import date_time_faults
from openapi.standards.json_pointer import pointer

_SHOWN = 60  # characters of the client's own text that an error repeats
PARAMETERS = {
    "malformed_query": ("the query is not percent-encoded UTF-8", "Encode it as RFC 3986 describes."),
    "too_many": ("the query has more than {limit} fields", "Send fewer."),
    "not_in_query": ("{name} is not a parameter of the query", "Send {name} as a header field."),
    "repeated": ("{name} occurs {count} times", "Send {name} once."),
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
    "anyOf": ("matches none of its schemas", "so that it matches one of them"),
    "const": ("is not the one allowed value", "as {expected_value}"),
    "exclusiveMaximum": ("is not below {limit}", "as a number below {limit}"),
    "exclusiveMinimum": ("is not above {limit}", "as a number above {limit}"),
    "maximum": ("is above {limit}", "as a number of at most {limit}"),
    "minimum": ("is below {limit}", "as a number of at least {limit}"),
    "multipleOf": ("is not a multiple of {multiple_of}", "as a multiple of {multiple_of}"),
    "pattern": ("does not match the pattern {pattern}", "as a string that matches {pattern}"),
    "uniqueItems": ("has an item twice", "with each item once"),
}
"""By keyword: the error, and the remedy."""
_COUNTED = {
    "maxItems": "items",
    "maxProperties": "fields",
    "minItems": "items",
    "minLength": "characters",
    "minProperties": "fields",
}
"""By keyword: the parts that it counts."""
_UUID = "a UUID of five groups of hexadecimal digits with hyphens"
_AROUND_DIGITS = re.compile(r"\A\W*(?:urn:)?(?:uuid:)?|[\W_]", re.IGNORECASE)
"""Beside the digits of a UUID: a prefix at its start, hyphens, braces, blanks and invisible characters anywhere."""
_DIGITS = re.compile("[0-9a-fA-F]{32}")
_TIMESTAMP = "an ISO 8601 timestamp with a time zone"


def field_name(*parts: str | int) -> str:
    """The name of a field in a response: its JSON Pointer without the first slash, shortened."""
    return _shown(pointer(*parts)[1:]) or "the body"


def explained(error: jsonschema_rs.ValidationError, schema: dict[str, Any]) -> Iterator[FieldError]:
    """Each fault of `error`."""
    path = error.instance_path
    match error.kind:
        case ValidationErrorKind.AdditionalProperties(unexpected=unexpected):
            for unknown in unexpected:
                words = _unknown(field_name(*path), field_name(*path, unknown), unknown, schema.get("properties", {}))
                yield FieldError(*words, pointer(*path, unknown))
        case ValidationErrorKind.FalseSchema() if list(error.schema_path)[-1:] == ["additionalProperties"]:
            name = field_name(*path)  # the validator does not say which fields it has
            yield FieldError(f"{name} takes no fields", f"Send {name} without fields.", pointer(*path))
        case ValidationErrorKind.Required(property=missing):
            name = field_name(*path, missing)
            yield FieldError(f"{name} is required", f"Add {name}.", pointer(*path, missing))
        case ValidationErrorKind.UniqueItems() if (index := _repeated(error.instance)) is not None:
            yield FieldError(f"{field_name(*path, index)} occurs twice", "Send each item once.", pointer(*path, index))
        case _:
            yield FieldError(*_words(error, schema), pointer(*path))


def _repeated(items: Any) -> int | None:
    """The index of the first item with the same JSON text as an earlier item, whatever the order of properties.

    None if absent.
    """
    seen = set()
    for index, item in enumerate(items):
        text = decimals.dumps(item, sort_keys=True)
        if text in seen:
            return index
        seen.add(text)
    return None


def _words(error: jsonschema_rs.ValidationError, schema: dict[str, Any]) -> tuple[str, str]:
    """The error and the remedy for the value of a field."""
    name = field_name(*error.instance_path)
    match error.kind:
        case ValidationErrorKind.Format(format="date-time"):
            words = f"{name} is not {_TIMESTAMP}", _as_timestamp(name, str(error.instance))
        case ValidationErrorKind.Type(types=types) if _is_timestamp_alone(schema, types):
            text = str(error.instance) if isinstance(error.instance, int | float | Decimal) else ""
            words = f"{name} must be a string", _as_timestamp(name, text)
        case ValidationErrorKind.Type(types=types):
            # Null stands for absence in optional fields, and is the answer to no other fault.
            wanted = " or ".join(_WITH_ARTICLE.get(kind, kind) for kind in types if kind != "null" or len(types) == 1)
            words = f"{name} must be {wanted}", f"Send {name} as {wanted}."
        case ValidationErrorKind.Format(format="uuid") if repaired := _repaired_uuid(error.instance):
            misleading = characters.sentence(name, str(error.instance), repaired)
            remedy = f"Did you mean {repaired}? Send {name} as {_UUID}."
            words = f"{name} is not {_UUID}", f"{misleading} {remedy}".lstrip()
        case ValidationErrorKind.Format(format=wanted):
            example = f", for example {schema['example']}" if "example" in schema else ""
            form = _UUID if wanted == "uuid" else f"a valid {wanted}"
            words = f"{name} is not {form}", f"Send {name} as {form}{example}."
        case ValidationErrorKind.Enum(options=options):
            choices = [_as_text(option) for option in options if option is not None] or ["null"]
            wanted = f"one of {', '.join(choices)}" if len(choices) > 1 else choices[0]
            words = f"{name} is not one of the allowed values", f"Send {name} as {wanted}."
        case ValidationErrorKind.MaxLength(limit=limit):
            size = len(error.instance) if isinstance(error.instance, str) else "more"
            words = f"{name} has {size} characters; the limit is {limit}", f"Shorten {name}."
        case _:
            words = _by_limits(name, error)
    return words


def _as_text(option: Any) -> str:
    return option if isinstance(option, str) else decimals.dumps(option, ensure_ascii=False)


def _repaired_uuid(text: Any) -> str:
    """The UUID in `text`, which has other characters around or between its digits; empty if absent."""
    digits = _AROUND_DIGITS.sub("", text) if isinstance(text, str) and len(text) <= _SHOWN else ""
    return str(UUID(digits)) if _DIGITS.fullmatch(digits) else ""


def _is_timestamp_alone(schema: dict[str, Any], types: list[str]) -> bool:
    """True if the schema accepts timestamps, and no value of another type but null."""
    return schema.get("format") == "date-time" and {*types} <= {"string", "null"}


def _as_timestamp(name: str, text: str) -> str:
    """The remedy for `text`, which is no timestamp."""
    fault, timestamp = date_time_faults.explain(text)
    condition = ", if it is UTC," if date_time_faults.NO_ZONE in fault else ""
    arrived = in_query = ""
    if date_time_faults.SPACE_SIGN in fault:  # the client does not see that + in a query means a space
        arrived = f" arrived as '{_shown(text)}'"
        in_query = f" In a query write + as %2B: {timestamp.replace('+', '%2B')}."
    return f"{name}{arrived}: {fault}. Send it as {_TIMESTAMP}, for example{condition} {timestamp}.{in_query}"


def _by_limits(name: str, error: jsonschema_rs.ValidationError) -> tuple[str, str]:
    if error.kind.name == "falseSchema":
        return f"{name} is not allowed", f"Remove {name}."
    if error.kind.name in _COUNTED:
        wrong, remedy = _by_count(error.kind.name, error.kind.as_dict()["limit"])
        return f"{name} {wrong}", f"Send {name} {remedy}."
    if error.kind.name not in _LIMITS:
        return f"{name}: {_shown(error.message)}", f"Send {name} as the contract describes it."
    wrong, remedy = _LIMITS[error.kind.name]
    limits = {
        key: _shown(limit if isinstance(limit, str) else decimals.dumps(limit, ensure_ascii=False))
        for key, limit in error.kind.as_dict().items()
        if "{" + key + "}" in wrong + remedy
    }
    return f"{name} {wrong.format(**limits)}", f"Send {name} {remedy.format(**limits)}."


def _by_count(keyword: str, limit: int) -> tuple[str, str]:
    """The error and the remedy for a value with too many or too few items, fields or characters."""
    parts = _COUNTED[keyword] if limit != 1 else _COUNTED[keyword].removesuffix("s")
    if keyword.startswith("max"):
        return f"has more than {limit} {parts}", f"with at most {limit} {parts}"
    return "is empty" if limit == 1 else f"has fewer than {limit} {parts}", f"with at least {limit} {parts}"


def _unknown(owner: str, name: str, unknown: str, known: dict[str, Any]) -> tuple[str, str]:
    nearest = difflib.get_close_matches(unknown.lower()[:_SHOWN], known, n=1, cutoff=0.6)
    fields = f"; the fields are {', '.join(known)}" if known else f": {owner} takes no fields"
    remedy = f"Rename {name} to {nearest[0]}." if nearest else f"Remove {name}{fields}."
    misleading = characters.sentence("The name", unknown[:_SHOWN], nearest[0] if nearest else "")
    return f"unknown field '{name}'", f"{misleading} {remedy}".lstrip()


def _shown(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "\u2026"
