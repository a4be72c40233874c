"""The schemas that event types may have for `metadata`: checks the schemas, and events against them.

Hubs write them, so the size and depth of a schema and the cost of its patterns are bounded. The keywords are those of
`openapi/metadata/keywords.py`.
"""

import difflib
import math
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import jsonschema_rs

from openapi import decimals
from openapi.metadata.keywords import KEYWORDS, REFUSED, Parts, subschemas, types_of
from openapi.problems import Problem
from openapi.schemas.forms import exact
from openapi.schemas.validation import FORMATS, Schema
from openapi.standards.ijson import MAX_DEPTH
from openapi.standards.json_pointer import pointer

MAX_BYTES = 16 * 1024  # of a schema as compact JSON in UTF-8
MAX_LEVELS = 12  # of nested subschemas
MAX_SUBSCHEMAS = 400
PATTERNS_BYTES = 128 * 1024
"""Limit on the size of compiled patterns: it bounds their cost to half a second for 64 KiB of text."""

_EXPLAINED = 5000  # schemas times values: to find every fault takes up to 15 microseconds for each
_LISTED = 20  # faults in one response
_SHOWN = 60  # characters of the client's own text that a fault repeats


@dataclass(frozen=True, slots=True)
class SchemaError:
    """A reason to refuse a schema, and the place (RFC 6901)."""

    pointer: str
    message: str


_RANGES = [
    ("minLength", "maxLength", False),
    ("minItems", "maxItems", False),
    ("minProperties", "maxProperties", False),
    ("minimum", "maximum", False),
    ("minimum", "exclusiveMaximum", True),
    ("exclusiveMinimum", "maximum", True),
    ("exclusiveMinimum", "exclusiveMaximum", True),
]
"""Lower and upper bounds that exclude every value if the lower is above the upper, or, with True, equal to it."""
_NOT_LINEAR = (
    "this is not a pattern, or not one that runs in linear time and in little memory; write it without lookaround and "
    "references to groups, with smaller counts (maxLength bounds a length), and without classes of all of Unicode"
)


def check(schema: Any) -> list[SchemaError]:
    """The first faults of `schema`, a value from `ijson.loads`; empty if it is accepted.

    Only a well-formed schema is checked further: for keywords without effect, for its cost, and by compiling it.
    """
    excess = _excess(schema)
    if excess:
        return [SchemaError("", excess)]
    for rule in (_malformed, _vain, _costly, _dead):
        faults = [SchemaError(pointer(*parts), message) for parts, message in rule(schema)]
        if faults:
            return faults[:_LISTED]
    return []


class MetadataSchema:
    """A compiled schema; `check` finds no fault in it."""

    def __init__(self, schema: dict[str, Any]) -> None:
        metadata = {key: value for key, value in schema.items() if key != "$schema"}
        document = {"type": "object", "properties": {"metadata": metadata}, "required": ["metadata"]}
        self._schema = Schema(document, jsonschema_rs.Draft202012Validator)
        self._size = sum(1 for _ in _walk(schema))

    def problem(self, event: Mapping[str, Any]) -> Problem | None:
        """The Problem `invalid_body` for the metadata of `event`, {} if absent or null; None if valid.

        It names every field at fault, or only the first if it could take long to find them all.
        """
        value = {"metadata": event.get("metadata") or {}}
        if self._size * _size(value, _EXPLAINED) > _EXPLAINED:
            return self._schema.first_problem(value)
        return self._schema.problem(value)


def validator(schema: Any, pattern_bytes: int = PATTERNS_BYTES) -> jsonschema_rs.Draft202012Validator:
    """A validator for `schema` alone; raises ValueError if one of its patterns takes more than `pattern_bytes`."""
    return jsonschema_rs.Draft202012Validator(
        schema,
        formats=FORMATS,
        validate_formats=True,
        pattern_options=jsonschema_rs.RegexOptions(size_limit=pattern_bytes),
        offline=True,
    )


def _excess(schema: Any) -> str | None:
    """A sentence about the limit that `schema` exceeds; None if it exceeds no limit."""
    size = _size(schema, MAX_BYTES)
    if size == math.inf:
        return f"the schema is nested more than {MAX_DEPTH} levels deep; flatten it"
    # Each value takes at least a byte, so a schema that is certainly too large is not serialized.
    if size > MAX_BYTES or len(decimals.dumps(schema, ensure_ascii=False, separators=(",", ":")).encode()) > MAX_BYTES:
        return f"the schema is larger than {MAX_BYTES} bytes; shorten it"
    return None


def _size(value: Any, enough: int) -> float:
    """The number of values in `value`, counted up to `enough`; infinite if it is nested beyond MAX_DEPTH."""
    waiting, seen = [(value, 1)], 1
    while waiting and seen <= enough:
        part, depth = waiting.pop()
        if isinstance(part, dict | list):
            if depth > MAX_DEPTH:
                return math.inf
            seen += len(part)
            waiting += [(inner, depth + 1) for inner in (part.values() if isinstance(part, dict) else part)]
    return seen


def _walk(schema: Any, parts: Parts = ()) -> Iterator[tuple[Parts, dict[str, Any]]]:
    """A well-formed schema and its subschemas, as far as they are objects, each with its place."""
    if isinstance(schema, dict):
        yield parts, schema
        for place, inner in subschemas(schema):
            yield from _walk(inner, (*parts, *place))


def _malformed(schema: Any) -> Iterator[tuple[Parts, str]]:
    """Each malformed subschema or keyword: its place and the fault.

    Subschemas are checked only if their parent is well-formed.
    """
    if not isinstance(schema, dict) or schema.get("type") not in ("object", ["object"]):
        yield (), 'metadata is an object; write the schema as an object with "type": "object"'
        return
    waiting = deque[tuple[Parts, Any, int]]([((), schema, 1)])
    checked = 0
    while waiting:
        parts, subschema, level = waiting.popleft()
        checked += 1
        if level > MAX_LEVELS:
            yield parts, f"subschemas are nested more than {MAX_LEVELS} levels deep; flatten them"
        elif checked > MAX_SUBSCHEMAS:
            yield (), f"the schema has more than {MAX_SUBSCHEMAS} subschemas; leave some out"
            return
        elif isinstance(subschema, dict):
            faults = list(_malformed_keywords(parts, subschema))
            yield from faults
            if not faults:
                waiting += [((*parts, *place), inner, level + 1) for place, inner in subschemas(subschema)]


def _malformed_keywords(parts: Parts, schema: dict[str, Any]) -> Iterator[tuple[Parts, str]]:
    for key, value in schema.items():
        shown = key[:_SHOWN]
        if key in REFUSED:
            yield (*parts, key), f"the keyword {key} is not accepted: {REFUSED[key]}"
        elif key not in KEYWORDS:
            nearest = difflib.get_close_matches(shown, KEYWORDS, n=1, cutoff=0.6)
            remedy = f"write {nearest[0]}" if nearest else "leave it out"
            yield (*parts, key), f"there is no keyword {shown!r}: {remedy}"
        elif key == "$schema" and parts:
            yield (*parts, key), "$schema is allowed only at the top level: leave it out"
        elif not KEYWORDS[key].is_well_formed(value):
            yield (*parts, key), f"{key} must be {KEYWORDS[key].wanted}"


def _vain(schema: Any) -> Iterator[tuple[Parts, str]]:
    """Keywords without effect, and keywords that exclude every value."""
    for parts, subschema in _walk(schema):
        types = types_of(subschema)
        for key in subschema:
            kind = KEYWORDS[key].type
            if kind and kind not in types and not (kind == "number" and "integer" in types):
                message = f"{key} applies only to the type {kind}, which type does not allow"
                yield (*parts, key), f"{message}: leave {key} out, or change type"
        for low, high, excludes in _RANGES:
            if (
                low in subschema
                and high in subschema
                and (exact(subschema[low]), excludes) > (exact(subschema[high]), False)
            ):
                yield (*parts, low), f"nothing satisfies both {low} and {high}: lower {low} or raise {high}"
        yield from (((*parts, key), message) for key, message in _impossible_objects(subschema))


def _impossible_objects(schema: dict[str, Any]) -> Iterator[tuple[str, str]]:
    known, others = schema.get("properties", {}), schema.get("additionalProperties", True)
    for name in schema.get("required", []):
        if known.get(name, others) is False:
            yield "required", f"{name[:_SHOWN]!r} is required and not allowed: add it to properties"
    if len(schema.get("required", [])) > schema.get("maxProperties", math.inf):
        yield "maxProperties", "more fields are required than are allowed: raise maxProperties"
    if others is False and schema.get("minProperties", 0) > sum(inner is not False for inner in known.values()):
        yield "minProperties", "minProperties is more than the number of allowed fields: lower minProperties"


def _costly(schema: Any) -> Iterator[tuple[Parts, str]]:
    """Patterns that do not compile within their share of `PATTERNS_BYTES`, which is at most half of it."""
    patterns = [
        ((*parts, "pattern"), subschema["pattern"]) for parts, subschema in _walk(schema) if "pattern" in subschema
    ]
    share = PATTERNS_BYTES // max(2, len(patterns))
    for parts, pattern in patterns:
        try:
            validator({"pattern": pattern}, share)
        except ValueError:
            yield parts, f"{_NOT_LINEAR}: each of the {len(patterns)} patterns may take {share} bytes"


def _dead(schema: Any) -> Iterator[tuple[Parts, str]]:
    """Values that a schema lists but refuses, and at last any error that compiling it raises."""
    for parts, subschema in _walk(schema):
        values = [("const", subschema["const"])] if "const" in subschema else []
        values += [("enum", value) for value in subschema.get("enum", [])]
        if not values:
            continue
        accepts = validator(subschema)
        for key, value in values:
            if not accepts.is_valid(value):
                shown = decimals.dumps(value, ensure_ascii=False)[:_SHOWN]
                yield (*parts, key), f"the other keywords refuse the value {shown}: leave it out or relax them"
    try:
        MetadataSchema(schema)
    except ValueError as error:
        yield (), str(error).splitlines()[0][:300]
