"""The texts of field errors: the fault of a body field or a parameter, and its remedy."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import jsonschema_rs
from jsonschema_rs import ValidationErrorKind

from openapi import characters, decimals, intended_values
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
UNKNOWN_CURSOR = (
    "cursor is not one that this list returned",
    "Send the next_cursor of an earlier page of this list unchanged, or leave cursor out to begin with the first item.",
)
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
_PATTERNS = {"^[ -~]+$": "as a string of characters from space to ~"}
"""Remedies for patterns that are plainer in words."""
_OPEN = re.compile(r"\.|\[\^|\\[DPSWpw]")
"""The parts of a pattern that match characters outside ASCII."""
_DIGITS_ALONE = ", in the digits 0 to 9 alone, without +, blanks or zeros before it"
_WHOLE_NUMBER = re.compile("-?[1-9][0-9]*")
_TIMESTAMP = "an ISO 8601 timestamp with a time zone"


def field_name(*parts: str | int) -> str:
    """The name of a field in a response: its JSON Pointer without the first slash, shortened."""
    return _shown(pointer(*parts)[1:]) or ("''" if parts else "the body")


def explained(
    error: jsonschema_rs.ValidationError, schema: dict[str, Any], of_parameters: bool = False
) -> Iterator[FieldError]:
    """Each fault of `error`, in the body, or with `of_parameters` in the parameters of a request by name."""
    path = error.instance_path
    match error.kind:
        case _ if of_parameters and (words := _of_parameter(error, schema)):
            yield FieldError(*words, pointer(*path))
        case ValidationErrorKind.AdditionalProperties(unexpected=unexpected):
            for unknown in unexpected:
                noun, known = "parameter" if of_parameters else "field", list(schema.get("properties", {}))
                words = _unknown(field_name(*path), field_name(*path, unknown), unknown, known, noun)
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


def is_implied(error: jsonschema_rs.ValidationError, schema: dict[str, Any]) -> bool:
    """True if another error says the same: a text is empty, which the keyword minLength reports too."""
    return error.kind.name == "pattern" and error.instance == "" and schema.get("minLength", 0) > 0


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


def _of_parameter(error: jsonschema_rs.ValidationError, schema: dict[str, Any]) -> tuple[str, str] | None:
    """The error and the remedy for a parameter, which is sent as text; None if they are those of a field."""
    name, text = field_name(*error.instance_path), str(error.instance)
    match error.kind:
        case ValidationErrorKind.Pattern() if error.instance_path == ["cursor"]:
            return UNKNOWN_CURSOR
        case ValidationErrorKind.Format(format="date-time"):
            return f"{name} is not {_TIMESTAMP}", _as_timestamp(name, text, in_query=True)
        case ValidationErrorKind.Type(types=["integer"]):
            limit = "minimum" if text.startswith("-") else "maximum"
            if _WHOLE_NUMBER.fullmatch(text) and limit in schema:
                return _by_limit(name, limit, {"limit": schema[limit]})
            blank = " In a query + stands for a blank." if text != text.strip(" ") else ""
            form = _DIGITS_ALONE if any(map(str.isdigit, text)) else ""
            remedy = f"{intended_values.foreign(name, text)}{blank} Send {name} as an integer{form}."
            return f"{name} must be an integer", remedy.lstrip()
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
        case ValidationErrorKind.Format(format="uuid") if repaired := intended_values.uuid(str(error.instance)):
            misleading = characters.sentence(name, str(error.instance), repaired)
            remedy = f"Did you mean {repaired}? Send {name} as {_UUID}."
            words = f"{name} is not {_UUID}", f"{misleading} {remedy}".lstrip()
        case ValidationErrorKind.Format(format=wanted):
            example = f", for example {schema['example']}" if "example" in schema else ""
            form = _UUID if wanted == "uuid" else f"a valid {wanted}"
            foreign = intended_values.foreign(name, str(error.instance))
            words = f"{name} is not {form}", f"{foreign} Send {name} as {form}{example}.".lstrip()
        case ValidationErrorKind.Enum(options=options):
            choices = [_as_text(option) for option in options if option is not None] or ["null"]
            wanted = f"one of {', '.join(choices)}" if len(choices) > 1 else choices[0]
            texts = [option for option in options if isinstance(option, str)]
            hint = intended_values.hint(error.instance, texts) if isinstance(error.instance, str) else ""
            if error.instance in choices:  # which is no text
                hint = f"Send {error.instance} without quotes."
            words = f"{name} is not one of the allowed values", f"{hint} Send {name} as {wanted}.".lstrip()
        case ValidationErrorKind.Pattern(pattern=pattern):
            words = _by_pattern(name, str(error.instance), pattern)
        case ValidationErrorKind.MaxLength(limit=limit):
            size = len(error.instance) if isinstance(error.instance, str) else "more"
            words = f"{name} has {size} characters; the limit is {limit}", f"Shorten {name}."
        case _:
            words = _by_limits(name, error)
    return words


def _as_text(option: Any) -> str:
    return option if isinstance(option, str) else decimals.dumps(option, ensure_ascii=False)


def _is_timestamp_alone(schema: dict[str, Any], types: list[str]) -> bool:
    """True if the schema accepts timestamps, and no value of another type but null."""
    return schema.get("format") == "date-time" and {*types} <= {"string", "null"}


def _as_timestamp(name: str, text: str, in_query: bool = False) -> str:
    """The remedy for `text`, which is no timestamp."""
    fault, timestamp = intended_values.timestamp(text)
    condition = ", if it is UTC," if date_time_faults.NO_ZONE in fault else ""
    arrived = encoded = ""
    if in_query and date_time_faults.SPACE_SIGN in fault:  # the client does not see that + in a query means a space
        arrived = f" arrived as '{_shown(text)}'"
        encoded = f" In a query write + as %2B: {timestamp.replace('+', '%2B')}."
    return f"{name}{arrived}: {fault}. Send it as {_TIMESTAMP}, for example{condition} {timestamp}.{encoded}"


def _by_limits(name: str, error: jsonschema_rs.ValidationError) -> tuple[str, str]:
    if error.kind.name == "falseSchema":
        return f"{name} is not allowed", f"Remove {name}."
    if error.kind.name in _COUNTED:
        wrong, remedy = _by_count(error.kind.name, error.kind.as_dict()["limit"])
        return f"{name} {wrong}", f"Send {name} {remedy}."
    if error.kind.name not in _LIMITS:
        return f"{name}: {_shown(error.message)}", f"Send {name} as the contract describes it."
    return _by_limit(name, error.kind.name, error.kind.as_dict())


def _by_limit(name: str, keyword: str, values: Mapping[str, Any]) -> tuple[str, str]:
    """The error and the remedy for a value beyond the limit of `keyword`."""
    wrong, remedy = _LIMITS[keyword]
    limits = {
        key: _shown(limit if isinstance(limit, str) else decimals.dumps(limit, ensure_ascii=False))
        for key, limit in values.items()
        if "{" + key + "}" in wrong + remedy
    }
    return f"{name} {wrong.format(**limits)}", f"Send {name} {remedy.format(**limits)}."


def _by_pattern(name: str, text: str, pattern: str) -> tuple[str, str]:
    """The error and the remedy for `text`, which `pattern` does not match."""
    is_ascii = pattern.isascii() and not _OPEN.search(pattern)
    misleading = intended_values.foreign(name, text) if is_ascii else characters.sentence(name, text[:_SHOWN])
    error, remedy = _by_limit(name, "pattern", {"pattern": pattern})
    remedy = f"Send {name} {_PATTERNS[pattern]}." if pattern in _PATTERNS else remedy
    return error, f"{misleading} {remedy}".lstrip()


def _by_count(keyword: str, limit: int) -> tuple[str, str]:
    """The error and the remedy for a value with too many or too few items, fields or characters."""
    parts = _COUNTED[keyword] if limit != 1 else _COUNTED[keyword].removesuffix("s")
    if keyword.startswith("max"):
        return f"has more than {limit} {parts}", f"with at most {limit} {parts}"
    return "is empty" if limit == 1 else f"has fewer than {limit} {parts}", f"with at least {limit} {parts}"


def _unknown(owner: str, name: str, unknown: str, known: list[str], noun: str) -> tuple[str, str]:
    nearest = intended_values.nearest(unknown, known)
    names = f"; the {noun}s are {', '.join(known)}" if known else f": {owner} takes no {noun}s"
    remedy = f"Rename {name} to {nearest}." if nearest else f"Remove {name}{names}."
    misleading = characters.sentence("The name", unknown[:_SHOWN], nearest)
    return f"unknown {noun} '{name}'", f"{misleading} {remedy}".lstrip()


def _shown(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "\u2026"
