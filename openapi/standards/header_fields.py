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


def quoted(value: bytes) -> str:
    """The first 100 bytes of `value` in quotes, for an error message; an ellipsis marks a cut."""
    return "'" + value[:100].decode("latin-1") + ("\u2026'" if len(value) > 100 else "'")
