"""An example of each problem, in the error format of each version: the whole answer, as a client gets it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from handlers.paths import WELL_KNOWN
from handlers.submissions.results import Results, rejected, stored
from openapi.oauth.bearer import DPOP, Unauthenticated
from openapi.problems import FieldError, Headers, Problem
from openapi.serving.error_styles import ErrorStyle
from openapi.standards import basic_authentication
from openapi.standards.media_types import NDJSON
from openapi.standards.status_phrases import PHRASES

_METADATA = f"{WELL_KNOWN}/oauth-protected-resource/api/v2"
_RETRY: Headers = [(b"retry-after", b"1")]


def _challenge(error: str | None, description: str | None, scheme: str = "Bearer", **attributes: str) -> Headers:
    refused = Unauthenticated(error, description, scheme)
    return refused.challenge(resource_metadata=_METADATA, **attributes)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """The parameters, the header fields and the places of one occurrence of a problem."""

    parameters: Mapping[str, Any] = field(default_factory=dict[str, Any])
    headers: Headers = ()
    pointer: str | None = None
    faults: Sequence[FieldError] = ()


def _of(headers: Headers = (), pointer: str | None = None, **parameters: Any) -> Occurrence:
    return Occurrence(parameters, headers, pointer)


_REVOKED = "it was revoked"
_LATE = "the proof was made more than 60 seconds ago"
_MISSING = FieldError("occurred_at is required", "Add occurred_at.", "/occurred_at")
_UNKNOWN = FieldError("unknown field 'ocurred_at'", "Rename ocurred_at to occurred_at.", "/ocurred_at")
_WIDGET = "5b0e3c9a-6a57-4d0b-8f6f-2b7a1c0d9e99"
_EVENT = "019d4393-8a00-7c3e-9f51-6e2d8c4b7a10"
_TAKEN = FieldError(
    "event type 'acme.rated' is registered by another hub with another meaning",
    "Use another name or id, or submit exactly the description, version, schema and name that are registered.",
    "",
)
_LOWERED = FieldError(
    "event type 'acme.shown' already has version 3",
    "Submit the event type with version 3 or a higher one.",
    "",
)


def _joined(*faults: FieldError, places: bool = True) -> Occurrence:
    errors = "; ".join(fault.error for fault in faults)
    parameters = {"errors": errors, "remedies": " ".join(fault.remedy for fault in faults)}
    return Occurrence(parameters, faults=faults if places else ())


_OCCURRENCES = {
    "malformed_request": _of(detail="its target cannot be read"),
    "malformed_json": _of(detail="Expecting ',' delimiter at line 1, column 24"),
    "malformed_form": _of(detail="it has no boundary"),
    "unauthorized": _of(Unauthenticated().challenge()),
    "invalid_token": _of(_challenge("invalid_token", _REVOKED), why=f": {_REVOKED}"),
    "invalid_dpop_proof": _of(_challenge("invalid_dpop_proof", _LATE, DPOP, algs="ES256 EdDSA"), detail=_LATE),
    "insufficient_scope": _of(
        _challenge("insufficient_scope", "the token lacks a scope", scope="events:write"), scope="events:write"
    ),
    "origin_not_listed": _of(
        _challenge("invalid_request", "the hub of the token has not listed the Origin"), origin="'https://app.example'"
    ),
    "operator_unauthorized": _of(basic_authentication.challenge("interaction-reporting operators")),
    "cut_over": _of(successor="/api/v2", metadata=f"{WELL_KNOWN}/oauth-authorization-server"),
    "client_not_found": _of(language="'cobol'", version="1.1"),
    "client_not_installed": _of(language="go", extra="codegen"),
    "client_building": _of(language="go"),
    "client_not_built": _of(language="go", fault="the generator ended with status 1"),
    "client_impossible": _of(fault="/paths/~1things/get: two of its parameters have the same name"),
    "method_not_allowed": _of([(b"allow", b"GET, HEAD")], method="DELETE", allowed="GET or HEAD"),
    "not_acceptable": _of(expected="text/html, application/json"),
    "head_timeout": _of(seconds=20),
    "body_timeout": _of(seconds=20, rate=1000),
    "idempotency_conflict": _of(name="the Idempotency-Key", key="Idempotency-Key"),
    "version_retired": _of(version="1", successor="/api/v2"),
    "content_too_large": _of(size=70000, limit=65536),
    "name_taken": _of(what="event type 'acme.rated'", owner="another hub"),
    "conflicts": _joined(_TAKEN, _LOWERED, places=False),
    "schema_narrowed": _of(name="acme.rated", narrowings="/score: it is required now", version=2),
    "version_lowered": _of(name="acme.shown", version=3),
    "too_many_items": _of(count=1001, limit=1000),
    "documents_expected": _of(expected="the documents old and new"),
    "document_refused": _of(name="document old", fault="the document is not an OpenAPI object with an info object"),
    "documents_incomparable": _of(fault="$ref 'other.yaml#/Thing' does not stay within the document"),
    "document_outside_profile": _of(fault="/paths/~1things/get: two of its parameters have the same name"),
    "documents_over_limit": _of(limit="20 seconds"),
    "too_many_results": _of(limit=536870912),
    "unsupported_media_type": _of(found="'text/plain'", expected="'Content-Type: application/json'"),
    "unsupported_charset": _of(found="'latin-1'"),
    "unsupported_content_coding": _of(
        [(b"accept-encoding", b"gzip")], found="'br'", how="with 'Content-Encoding: gzip', or "
    ),
    "invalid_body": _joined(_MISSING, _UNKNOWN),
    "invalid_parameters": _of(errors="limit must be an integer", remedies="Send limit as an integer."),
    "unstorable_value": _of(
        pointer="/metadata/note",
        field="metadata.note",
        detail="it contains the character U+0000",
        remedy="Leave it out, or send the text in an encoding such as Base64.",
    ),
    "event_type_not_registered": _of(pointer="/event_type", name="pipeline_started"),
    "widget_not_registered": _of(pointer="/widget_id", id=_WIDGET),
    "items_rejected": _of(rejected=1, received=2, others="the others are stored", again="only these"),
    "items_unavailable": _of(rejected=1, received=2),
    "rejection_not_found": _of(id=_EVENT),
    "event_not_found": _of(pointer="/event_id", id=_EVENT),
    "too_many_requests": _of(_RETRY, rate=100000, burst=1000000),
    "too_many_attempts": _of([(b"retry-after", b"10")]),
    "too_many_documents": _of([(b"retry-after", b"10")]),
    "too_many_streams": _of(_RETRY, limit=5),
    "head_too_large": _of(bytes=32768, fields=100),
}
"""Only those of problems that have parameters, header fields or places of their own."""
_OF_BATCHES = {"items_rejected": "event_type_not_registered", "items_unavailable": "unavailable"}
"""The problem of a batch, and that of an item in it."""
_OF_STREAMS = ("too_many_results", "results_not_kept")


def occurrence(code: str, url: str = "") -> Problem:
    """An occurrence of a problem at the service at `url`."""
    example = _OCCURRENCES.get(code, Occurrence())
    headers = [(name, value.replace(b'"/', f'"{url}/'.encode())) for name, value in example.headers]
    parameters = {name: _absolute(value, url) for name, value in example.parameters.items()}
    problem = Problem(code, headers, pointer=example.pointer, **parameters)
    if example.faults:
        problem.faults = example.faults
    return problem


def answer(code: str, style: ErrorStyle, url: str = "") -> str:
    """The answer that reports a problem in `style`: its status, its header fields, and its body over several lines."""
    problem, media_type = occurrence(code, url), style.media_type
    body = style.body(problem)
    if code in _OF_BATCHES:
        body = _batch(_OF_BATCHES[code], style)
    elif code in _OF_STREAMS:
        body = {"totals": {"received": 4, "created": 3, "duplicate": 0, "rejected": 1}, **style.of_stream(problem)}
        media_type = NDJSON
    lines = [f"HTTP/1.1 {problem.status} {PHRASES[problem.status]}", f"Content-Type: {media_type}"]
    lines += [f"{_field_name(name)}: {value.decode()}" for name, value in problem.headers]
    return "\n".join([*lines, "", json.dumps(body, indent=2, ensure_ascii=False), ""])


def _batch(code: str, style: ErrorStyle) -> dict[str, Any]:
    """The answer to a batch of two items: one is stored, the other has the problem."""
    results = Results(is_stream=False, style=style)
    results.add([stored(0, "created", _EVENT), rejected(1, occurrence(code), style)])
    return dict(results.answer().body)


def _field_name(name: bytes) -> str:
    return {"www-authenticate": "WWW-Authenticate"}.get(name.decode(), name.decode().title())


def _absolute(value: Any, url: str) -> Any:
    """`value`, as a URL of the service if it is a path of it that no version has."""
    return url + value if str(value).startswith(WELL_KNOWN) else value
