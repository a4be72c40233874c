"""The header fields of a request (RFC 9110 section 5)."""

from starlette.types import Scope


def field_values(scope: Scope, name: bytes) -> list[bytes]:
    """The values of the field `name` (in lower case), one for each occurrence in the request."""
    index: dict[bytes, list[bytes]] | None = scope.get("header_index")
    if index is None:
        index = scope["header_index"] = {}
        for key, value in scope["headers"]:
            index.setdefault(key, []).append(value)
    return index.get(name, [])


def field_text(value: bytes) -> str:
    """`value` as UTF-8 if it is that, else as ISO 8859-1."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def quoted(value: bytes) -> str:
    """The first 100 characters of `value` in quotes, for an error message; an ellipsis marks a cut."""
    text = field_text(value)
    return "'" + text[:100] + ("\u2026'" if len(text) > 100 else "'")
