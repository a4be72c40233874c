"""The documents in the body of a request: members of a JSON object, files of a form, or the whole body."""

from collections.abc import Mapping, Sequence

from starlette.types import Scope
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder

from handlers.tools.messages import Refused
from openapi.problems import Problem
from openapi.standards import ijson
from openapi.standards.header_fields import field_values, quoted
from openapi.standards.ijson import MalformedJSON, UnstorableValue
from openapi.standards.media_types import JSON

MULTIPART = "multipart/form-data"
"""RFC 7578."""
MOST_BYTES = 1024 * 1024
"""Limit on each document."""
_FRAME_BYTES = 64 * 1024
_MOST_PARTS = 10


def most_bytes(names: Sequence[str]) -> int:
    """The limit on a body with the documents `names`: JSON may take two bytes for one."""
    return 2 * MOST_BYTES * len(names) + _FRAME_BYTES


def content_type(scope: Scope, accepted: Sequence[str]) -> str:
    """The Content-Type of a request; Problem `unsupported_media_type` if it is not one of `accepted`."""
    declared = b", ".join(field_values(scope, b"content-type"))
    text = declared.decode("latin-1")
    if parse_options_header(text)[0].lower() not in accepted:
        raise Problem("unsupported_media_type", found=quoted(declared), expected=" or ".join(accepted))
    return text


def documents(content_type: str, body: bytes, names: Sequence[str]) -> dict[str, bytes]:
    """The documents `names` in a body, in this order; a single one may be the whole body. Refused if one is missing."""
    media_type, options = parse_options_header(content_type)
    if media_type.lower() == MULTIPART:
        sent: Mapping[str, bytes] = _files(body, options.get("boundary", ""))
    elif len(names) == 1:
        sent = {names[0]: body}
    else:
        sent = _members(body)
    if sent.keys() != set(names):
        raise Refused("documents_expected", expected=_listed(names, media_type.lower()))
    for document in sent.values():
        if len(document) > MOST_BYTES:
            raise Refused("content_too_large", size=len(document), limit=MOST_BYTES)
    return {name: sent[name] for name in names}


def _listed(names: Sequence[str], media_type: str) -> str:
    kind = "the texts" if media_type == JSON else "the files"
    return f"{kind} {' and '.join(names)}" if len(names) > 1 else f"the file {names[0]}"


def _members(body: bytes) -> dict[str, bytes]:
    """The texts in a JSON object by name; Refused if malformed."""
    try:
        value = ijson.loads(body)
    except MalformedJSON as error:
        raise Refused("malformed_json", detail=str(error)) from None
    except UnstorableValue as error:
        raise Refused("malformed_json", detail=error.reason) from None
    members = value.items() if isinstance(value, dict) else ()
    return {name: text.encode() for name, text in members if isinstance(text, str)}


def _files(body: bytes, boundary: str) -> dict[str, bytes]:
    """The parts of a form by name, as files or as fields (RFC 7578 section 4.2); Refused if malformed."""
    try:
        decoder = MultipartDecoder(boundary.encode("latin-1"))
        decoder.receive_data(body)
        decoder.receive_data(None)
        return _read(decoder)
    except ValueError as error:
        raise Refused("malformed_form", detail=_REASONS.get(str(error), "it does not end with its boundary")) from None


def _read(decoder: MultipartDecoder) -> dict[str, bytes]:
    """The parts that `decoder` reads; ValueError if malformed."""
    parts: list[tuple[str, bytearray]] = []
    while not isinstance(event := decoder.next_event(), Epilogue):
        if isinstance(event, Field | File):
            parts.append((str(event.name), bytearray()))
        elif isinstance(event, Data):
            parts[-1][1].extend(event.data)
        if len(parts) > _MOST_PARTS:
            raise ValueError(_TOO_MANY)
    by_name = {name: bytes(content) for name, content in parts}
    if len(by_name) < len(parts):
        raise ValueError(_TWICE)
    return by_name


_TOO_MANY, _TWICE = "too many parts", "twice"
_REASONS = {
    _TOO_MANY: f"it has more than {_MOST_PARTS} parts",
    _TWICE: "two of its parts have the same name",
    "Missing Content-Disposition header": "a part has no Content-Disposition",
}
"""What an error of the decoder means; its other errors are all about the end of a part."""
