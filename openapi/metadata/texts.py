"""The schema of an event type as a person typed it: read, checked, and compared with the one in force."""

from typing import Any

from openapi.metadata.check import SchemaError, check
from openapi.metadata.narrowing import narrowings
from openapi.standards import ijson
from openapi.standards.json_pointer import pointer

_ANY = {"type": "object"}
"""The schema that stands for none: it accepts any metadata."""


class UnacceptedSchema(ValueError):
    """A text is no schema that an event type may have; `faults` say why, and where."""

    def __init__(self, faults: list[SchemaError]) -> None:
        super().__init__("; ".join(f"{fault.pointer or '/'}: {fault.message}" for fault in faults))
        self.faults = faults


def read(text: str) -> dict[str, Any] | None:
    """The schema in `text`; None if it is empty. UnacceptedSchema if it is not JSON, or has a fault."""
    if not text.strip():
        return None
    try:
        schema = ijson.loads(text.encode())
    except ijson.MalformedJSON as error:
        raise UnacceptedSchema([SchemaError("", f"this is not JSON: {error}")]) from None
    except ijson.UnstorableValue as error:
        message = f"{error.reason}. {error.remedy}"
        raise UnacceptedSchema([SchemaError(pointer(*error.parts), message)]) from None
    if faults := check(schema):
        raise UnacceptedSchema(faults)
    accepted: dict[str, Any] = schema
    return accepted


def require_not_narrower(old: dict[str, Any] | None, new: dict[str, Any] | None) -> None:
    """UnacceptedSchema if `new` may refuse what `old` accepts; None accepts everything."""
    if faults := narrowings(old or _ANY, new or _ANY):
        raise UnacceptedSchema([SchemaError(fault.pointer, fault.message) for fault in faults])
