"""Cursors, which mark the end of a page and are opaque to clients."""

import base64
import re
from uuid import UUID

from handlers.field_errors import unknown_cursor


def position_cursor(position: int) -> str:
    """The cursor after `position`."""
    return _cursor("position", str(position))


def read_position(cursor: str) -> int:
    """The position in `cursor`; Problem if it has none."""
    digits = _read(cursor, "position")
    if not re.fullmatch("[0-9]{1,19}", digits):
        raise unknown_cursor()
    return int(digits)


def name_cursor(name: str) -> str:
    """The cursor after `name`."""
    return _cursor("name", name)


def read_name(cursor: str) -> str:
    """The name in `cursor`; Problem if it has none."""
    return _read(cursor, "name")


def id_cursor(identifier: UUID) -> str:
    """The cursor after `identifier`."""
    return _cursor("id", str(identifier))


def read_id(cursor: str) -> UUID:
    """The id in `cursor`; Problem if it has none."""
    try:
        return UUID(_read(cursor, "id"))
    except ValueError:
        raise unknown_cursor() from None


def _cursor(kind: str, value: str) -> str:
    return base64.urlsafe_b64encode(f"{kind} {value}".encode()).decode().rstrip("=")


def _read(cursor: str, kind: str) -> str:
    """The value in `cursor`; Problem if it is not a cursor of `kind`."""
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except ValueError:
        raise unknown_cursor() from None
    actual_kind, _, value = text.partition(" ")
    if actual_kind != kind or "\0" in value:
        raise unknown_cursor()
    return value
