"""Hooks of Schemathesis for NDJSON, and for values that a contract cannot name: registered widgets, stored events.

A schema says what a widget_id looks like, but not which ones are registered: the hooks change each request that
satisfies the schema into one that the service has to accept. A request that must be refused stays unchanged.
"""

import base64
import itertools
import json
import os
import urllib.request
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import schemathesis

from openapi.contract import schema_key
from scripts.service.demonstration import WIDGET

REFRESH_SECONDS = 10
TOKEN_TIMEOUT_SECONDS = 120
WIDGET_ID = os.environ.get("FUZZ_WIDGET", str(WIDGET))
EVENT_TYPE = os.environ.get("FUZZ_EVENT_TYPE", "clicked")
STATEFUL = "stateful"
NDJSON = "application/x-ndjson"
EXAMPLE_SCHEMA = {"type": "object", "properties": {"score": {"type": "integer"}}}
LINKS = {
    "reportInteractionEvent": {
        "operationId": "reportAnnotation",
        "requestBody": {"event_id": "$response.body#/id", "widget_id": "$response.body#/widget_id"},
    },
    "getRejectedSubmission": {
        "operationId": "replayRejectedSubmissions",
        "requestBody": {"ids": ["$response.body#/id"]},
    },
}
"""By operationId, a link with a body, which openapi-generator would refuse in the document."""
ONE_DAY = {"since": "2026-03-31T00:00:00Z", "until": "2026-04-01T00:00:00Z"}

_events: list[str] = []
"""The ids of stored events, in the order of the requests."""
_rejections: dict[str, None] = {}
"""The ids of rejected submissions, in the order in which they were listed."""
_cursors: set[str] = set()
"""The cursors that the service has issued."""
_versions = itertools.count(1)
"""The versions of event types, which must not decrease."""
_prefix = f"fuzz.{uuid4().hex[:8]}"
"""The names of this run's event types: those of another run may have higher versions, or belong to another hub."""


@schemathesis.auth(refresh_interval=REFRESH_SECONDS)
class Authorization:
    """The API key of a hub, or an access token that is renewed during the run."""

    def get(self, _case: Any, _context: Any) -> str:
        """The credentials of the next requests."""
        key, url = os.environ["FUZZ_KEY"], os.environ["FUZZ_TOKEN_URL"]
        if not url:
            return key
        credentials = base64.b64encode(key.encode()).decode()
        request = urllib.request.Request(  # noqa: S310 (ours)
            url, data=b"grant_type=client_credentials", headers={"Authorization": f"Basic {credentials}"}
        )
        with urllib.request.urlopen(request, timeout=TOKEN_TIMEOUT_SECONDS) as response:  # noqa: S310 (ours)
            token: str = json.load(response)["access_token"]
        return token

    def set(self, case: Any, data: str, _context: Any) -> None:
        """Authenticate `case`."""
        case.headers["Authorization"] = f"Bearer {data}"


@schemathesis.hook
def before_load_schema(_context: Any, raw_schema: dict[str, Any]) -> None:
    """Describe each NDJSON body as the array of its lines, which are generated and checked like JSON, and add LINKS."""
    for media_type in _media_types(raw_schema):
        media_type["schema"] = {"type": "array", "items": media_type[schema_key(NDJSON, media_type)]}
        for example in media_type.get("examples", {}).values():
            if isinstance(text := example.get("value"), str):
                example["value"] = [json.loads(line) for line in text.splitlines()]
    items = [item for path in raw_schema["paths"].values() for item in path.values() if isinstance(item, dict)]
    operations = {item["operationId"]: item for item in items if "operationId" in item}
    for name in LINKS.keys() & operations.keys():
        if LINKS[name]["operationId"] in operations:
            responses = operations[name]["responses"]
            responses["201" if "201" in responses else "200"].setdefault("links", {})["Fuzzing"] = LINKS[name]


@schemathesis.serializer(NDJSON)
def to_lines(_context: Any, value: Any) -> bytes:
    """A body with a line for each item of an array; another value, which violates the schema, is one line."""
    return b"".join(json.dumps(item).encode() + b"\n" for item in (value if isinstance(value, list) else [value]))


@schemathesis.deserializer(NDJSON)
def from_lines(_context: Any, response: Any) -> list[Any]:
    """The values of all lines of a response."""
    return [json.loads(line) for line in response.content.splitlines()]


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: Any) -> None:
    """Make a request that satisfies the schema name registered ids, and each unique id only once."""
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if case.query:
        _change_query(case.query)
    if case.headers:
        _change_headers(case.headers, is_in_sequence=case.meta.phase.name == STATEFUL)
    if case.operation.path == "/hub-capability-manifest" and isinstance(case.body, dict):
        _change_manifest(case.body)
    elif case.operation.path == "/rejected-submissions/replay" and isinstance(case.body, dict):
        _change_replay(case.body)
    elif case.operation.path.startswith(("/interaction-events", "/annotations")):
        for item in case.body if isinstance(case.body, list) else [case.body]:
            if isinstance(item, dict):
                _change_item(item)


@schemathesis.hook
def after_call(_context: Any, case: Any, response: Any) -> None:
    """Remember stored events, rejected submissions and issued cursors."""
    if response.headers.get("content-type", [""])[0] != "application/json":
        return
    body = response.json()
    if "next_cursor" in body:
        _cursors.add(body["next_cursor"])
    if case.operation.path == "/interaction-events" and response.status_code == 201:
        _events.append(body["id"])
    if case.operation.path == "/rejected-submissions" and response.status_code == 200:
        _rejections.update(dict.fromkeys(item["id"] for item in body["items"]))


def _media_types(node: Any) -> Iterator[dict[str, Any]]:
    """The media type objects of NDJSON within `node`."""
    for key, value in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        if key == NDJSON:
            yield value
        else:
            yield from _media_types(value)


def _change_query(query: dict[str, Any]) -> None:
    if query.get("cursor") not in _cursors:
        query.pop("cursor", None)
    if {"since", "until"} & query.keys():
        query.update(ONE_DAY)


def _change_headers(headers: dict[str, Any], is_in_sequence: bool) -> None:
    if is_in_sequence:
        headers.pop("Prefer", None)  # later requests would look for what a dry run did not store
    if "Idempotency-Key" in headers:
        headers["Idempotency-Key"] = str(uuid4())


def _change_item(item: dict[str, Any]) -> None:
    item["widget_id"] = WIDGET_ID
    if "event_type" in item:
        item["event_type"] = EVENT_TYPE
    if item.get("event_id") is not None and item["event_id"] not in _events:
        if _events:
            item["event_id"] = _events[-1]
        else:
            del item["event_id"]
    for name in ("client_event_id", "client_annotation_id"):
        if item.get(name) is not None:
            item[name] = str(uuid4())


def _change_manifest(manifest: dict[str, Any]) -> None:
    for number, entry in enumerate(manifest["event_types"]):
        entry["name"] = f"{_prefix}.{number}"
        entry["version"] = next(_versions)
        if entry.get("metadata_schema") is not None:
            entry["metadata_schema"] = EXAMPLE_SCHEMA
        entry["description"] = _without_x00(entry["description"])
    for entry in manifest["widgets"]:
        entry["id"] = str(uuid4())
        entry["name"] = _without_x00(entry["name"])


def _without_x00(text: str) -> str:
    """`text` as `allow-x00 = false` promises it, which Schemathesis does not keep within unique items."""
    return text.replace("\0", "0")


def _change_replay(replay: dict[str, Any]) -> None:
    if replay.get("ids") and _rejections and not set(replay["ids"]) <= _rejections.keys():
        replay["ids"] = [*_rejections][-len(replay["ids"]) :]
