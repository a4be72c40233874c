"""The accepted media type that the sender of another one probably meant."""

from collections.abc import Collection

from openapi.standards.media_types import JSON, NDJSON

_LINES = frozenset({"ndjson", "jsonl", "jsonlines", "jsonstream", "jsonseq", "ldjson", "streamjson"})
_OBJECTS = frozenset({"json", "javascript"})


def hint(media_type: str, accepted: Collection[str]) -> str:
    """A question about the unaccepted `media_type`, in lower case; empty if it is like none of `accepted`."""
    subtype = media_type.rpartition("/")[2].removeprefix("x-")
    name = "".join(filter(str.isalnum, subtype))
    is_lines = name in _LINES and subtype != "ld+json"  # JSON-LD is a single value
    if is_lines and NDJSON in accepted:
        return f"Did you mean {NDJSON}?"
    if is_lines and JSON in accepted:
        return f"Did you mean {JSON}, with a single JSON value?"
    if (name in _OBJECTS or subtype.endswith("+json")) and JSON in accepted:
        return f"Did you mean {JSON}?"
    return ""
