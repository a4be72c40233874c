"""The kinds of faults, each with the JSON Schema of its fields, and the reading of a list of them."""

from typing import Any

from openapi.problems import Problem
from openapi.schemas.validation import Schema
from openapi.standards import ijson
from openapi.standards.ijson import MalformedJSON, UnstorableValue

Fault = dict[str, Any]
"""`kind`, `times` (null: until the faults are cleared), `method` and `path` if it has them, and fields of its kind."""

LONGEST_SECONDS = 3600
FASTEST = 1_000_000
"""Bytes per second."""
_STATUS = {"type": "integer", "minimum": 400, "maximum": 599}
_RETRY_AFTER = {"type": ["string", "null"], "pattern": "^[ -~]+$", "maxLength": 100}
_SECONDS = {"type": "number", "minimum": 0, "maximum": LONGEST_SECONDS}
_SPEED = {"type": "integer", "minimum": 1, "maximum": FASTEST}
FIELDS: dict[str, dict[str, Any]] = {
    "status": {"status": _STATUS, "retry_after": _RETRY_AFTER},
    "html": {"status": _STATUS},
    "delay": {"seconds": _SECONDS},
    "cut_before": {},
    "cut_after": {},
    "half": {},
    "slow": {"bytes_per_second": _SPEED},
}
"""The fields of each kind, beside those of all kinds."""
REQUIRED = {"status": ["status"], "html": ["status"], "delay": ["seconds"]}
OF_ALL = {
    "kind": {"type": "string", "enum": list(FIELDS)},
    "times": {"type": ["integer", "null"], "minimum": 1},
    "method": {"type": "string", "pattern": "^[A-Z]+$", "maxLength": 20},
    "path": {"type": "string", "pattern": "^/", "maxLength": 1000},
}
_ANY = {"type": "object", "required": ["kind"], "properties": {"kind": OF_ALL["kind"]}}
_LIST = Schema({"type": "array", "items": _ANY})


def read(body: bytes) -> list[Fault]:
    """The faults in the JSON array `body`; Problem, which names each wrong field, if one is not a fault."""
    faults = _value(body)
    _LIST.validate(faults)
    Schema({"type": "array", "items": [_schema(fault["kind"]) for fault in faults]}).validate(faults)
    return [{"times": 1, **fault} for fault in faults]


def _value(body: bytes) -> Any:
    try:
        return ijson.loads(body)
    except (MalformedJSON, UnstorableValue) as error:
        raise _no_list(str(error)) from None


def _no_list(fault: str) -> Problem:
    remedy = 'Send an array such as [{"kind": "cut_after"}].'
    return Problem("invalid_body", errors=f"the body is not a JSON array of faults: {fault}", remedies=remedy)


def _schema(kind: str) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["kind", *REQUIRED.get(kind, [])],
        "properties": OF_ALL | FIELDS[kind],
        "additionalProperties": False,
    }
