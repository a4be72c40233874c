"""Bodies of messages in their media types: JSON, forms, multipart forms, and plain texts."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from openapi.contract import essence, is_json
from openapi.diff.wire import styles
from openapi.diff.wire.abridged import More, encoded, json_text
from openapi.diff.wire.styles import UnwritableError, percent, text_of
from openapi.standards.media_types import FORM, JSON, NDJSON

MULTIPART = "multipart/form-data"
BINARY = "application/octet-stream"
_WITHIN = {
    "*/*": (JSON, "application/vnd.example+json"),
    "application/*": (JSON, "application/vnd.example+json"),
    "text/*": ("text/plain", "text/markdown"),
    "multipart/*": (MULTIPART,),
    "image/*": ("image/png",),
    "audio/*": ("audio/mpeg",),
    "video/*": ("video/mp4",),
}
"""The media types that stand for a range."""
_IN_ONE_LINE = re.compile("[ -~]+")
_BOUNDARY = "boundary"
"""The beginning of a boundary that no part contains."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a multipart form."""

    name: str
    text: str
    media_type: str | None = None
    is_file: bool = False


@dataclass(frozen=True, slots=True)
class Body:
    """The content of a message; `parts` is empty unless it is a multipart form."""

    media_type: str
    text: str
    parts: tuple[Part, ...] = ()


def body(
    media_type: str,
    value: Any,
    encodings: Mapping[str, Any],
    files: Collection[str] = (),
    others: Collection[str] = (),
) -> Body:
    """`value` as a body of `media_type`; UnwritableError if that type has no form for it.

    `encodings` are OpenAPI's, by property; `files` are the properties that are files; `others` are the essences of the
    media types that have schemas of their own.
    """
    concrete = _concrete(media_type, others)
    if not _IN_ONE_LINE.fullmatch(concrete):
        raise UnwritableError("a media type is one line of ASCII")
    kind = essence(concrete)
    if is_json(kind) or kind == NDJSON:
        return Body(concrete, json_text(value))
    if kind == FORM:
        return Body(concrete, "&".join(_form(_object(value), encodings)))
    if kind == MULTIPART:
        return _multipart(concrete, _object(value), encodings, files)
    is_text = kind.startswith("text/") and not kind.endswith("xml")
    is_content = isinstance(value, str) and not kind.endswith(("/xml", "+xml")) and not kind.startswith("multipart/")
    if value is None or isinstance(value, list | dict) or not (is_text or is_content):
        raise UnwritableError(f"a document does not say how such a body of {kind} is written")
    return Body(concrete, encoded(text_of(value), str))


def sample(media_type: str) -> Any:
    """A value for a body of `media_type` without a schema."""
    kind = essence(_concrete(media_type, ()))
    if kind in (FORM, MULTIPART):
        return {"name": "value"}
    return {} if is_json(kind) or kind == NDJSON else "value"


def is_ambiguous(media_type: str, value: Any) -> bool:
    """True if servers may read `value` in different ways: as no body, or since a text in a form needs encoding."""
    if essence(media_type) == FORM:
        return not styles.is_plain(value)
    return value == "" and not is_json(media_type)


def _concrete(media_type: str, others: Collection[str]) -> str:
    if "*" not in media_type:
        return media_type
    within = _WITHIN.get(essence(media_type), (BINARY,))
    return next((name for name in within if name not in others), within[0])


def _object(value: Any) -> dict[str, Any]:
    if isinstance(value, dict) and value:
        return value
    raise UnwritableError("a form is an object with at least one property")


def _form(value: dict[str, Any], encodings: Mapping[str, Any]) -> list[str]:
    fields: list[str] = []
    for name, inner in value.items():
        encoding = encodings.get(name) or {}
        if isinstance(name, More):
            fields.append(str(name))
        elif "style" not in encoding and is_json(str(encoding.get("contentType", ""))):
            fields.append(f"{percent(name)}={percent(json_text(inner))}")
        elif isinstance(inner, dict) and not {"style", "explode"} & encoding.keys():
            raise UnwritableError("a document does not say how an object within a form is written")
        else:
            style = encoding.get("style", "form")
            serialization = {"style": style, "explode": encoding.get("explode", style == "form")}
            fields += styles.query(name, inner, serialization, may_be_empty=True)
    return fields


def _multipart(media_type: str, value: dict[str, Any], encodings: Mapping[str, Any], files: Collection[str]) -> Body:
    parts: list[Part] = []
    for name, inner in value.items():
        declared = (encodings.get(name) or {}).get("contentType")
        media = None
        if isinstance(declared, str) and "*" not in declared and _IN_ONE_LINE.fullmatch(declared):
            media = declared.partition(",")[0].strip()
        if isinstance(name, More):
            parts.append(Part(name, ""))
            continue
        if inner == []:
            raise UnwritableError("an empty list has no part")
        parts += [_part(name, item, media, name in files) for item in (inner if isinstance(inner, list) else [inner])]
    boundary = _BOUNDARY
    while any(boundary in part.text for part in parts):
        boundary += "x"
    written = [_written(part, boundary) for part in parts]
    return Body(f"{media_type}; boundary={boundary}", "\n".join([*written, f"--{boundary}--", ""]), tuple(parts))


def _part(name: str, value: Any, media_type: str | None, is_file: bool) -> Part:
    if isinstance(value, dict | list) or (media_type and is_json(media_type) and not isinstance(value, More)):
        return Part(name, json_text(value), media_type or JSON)
    return Part(name, encoded(text_of(value), str), media_type or (BINARY if is_file else None), is_file)


def _written(part: Part, boundary: str) -> str:
    if isinstance(part.name, More):
        return part.name
    name = quoted_name(part.name)
    file = f'; filename="{name}"' if part.is_file else ""
    content_type = f"Content-Type: {part.media_type}\n" if part.media_type else ""
    return f'--{boundary}\nContent-Disposition: form-data; name="{name}"{file}\n{content_type}\n{part.text}'


def quoted_name(name: str) -> str:
    """`name` within quotes of a part's head, as browsers write it."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
