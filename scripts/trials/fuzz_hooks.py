"""Hooks of Schemathesis for values that a contract cannot name: registered widgets, stored events, issued cursors.

A schema says what a widget_id looks like, but not which ones are registered: the hooks change each request that
satisfies the schema into one that the service has to accept. A request that must be refused stays unchanged.
"""

import base64
import itertools
import json
import os
import urllib.request
from typing import Any
from uuid import uuid4

import schemathesis

from scripts.service.demonstration import WIDGET

REFRESH_SECONDS = 10
STATEFUL = "stateful"
NDJSON = "application/x-ndjson"
EXAMPLE_SCHEMA = {"type": "object", "properties": {"score": {"type": "integer"}}}
ONE_DAY = {"since": "2026-03-31T00:00:00Z", "until": "2026-04-01T00:00:00Z"}

_events: set[str] = set()
"""The ids of stored events."""
_cursors: set[str] = set()
"""The cursors that the service has issued."""
_versions = itertools.count(1)
"""The versions of event types, which must not decrease."""


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
        with urllib.request.urlopen(request) as response:  # noqa: S310 (ours)
            token: str = json.load(response)["access_token"]
        return token

    def set(self, case: Any, data: str, _context: Any) -> None:
        """Authenticate `case`."""
        case.headers["Authorization"] = f"Bearer {data}"


@schemathesis.serializer(NDJSON)
def lines(_context: Any, value: Any) -> bytes:
    """A body of one line."""
    return json.dumps(value).encode() + b"\n"


@schemathesis.deserializer(NDJSON)
def last_line(context: Any, response: Any) -> Any:
    """The last line of a response, which its schema describes; the schema's example if the response is empty."""
    if response.content:
        return json.loads(response.content.splitlines()[-1])
    responses = context.operation.definition.raw["responses"]
    return responses[str(response.status_code)]["content"][NDJSON]["examples"]["line"]["value"]


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
    elif case.operation.path.startswith(("/interaction-events", "/annotations")):
        for item in case.body if isinstance(case.body, list) else [case.body]:
            if isinstance(item, dict):
                _change_item(item)


@schemathesis.hook
def after_call(_context: Any, case: Any, response: Any) -> None:
    """Remember stored events and issued cursors."""
    if response.headers.get("content-type", [""])[0] != "application/json":
        return
    body = response.json()
    if "next_cursor" in body:
        _cursors.add(body["next_cursor"])
    if case.operation.path == "/interaction-events" and response.status_code == 201:
        _events.add(body["id"])


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
    item["widget_id"] = str(WIDGET)
    if "event_type" in item:
        item["event_type"] = "clicked"
    if item.get("event_id") not in _events:
        item.pop("event_id", None)
    for name in ("client_event_id", "client_annotation_id"):
        if name in item:
            item[name] = str(uuid4())


def _change_manifest(manifest: dict[str, Any]) -> None:
    for number, entry in enumerate(manifest["event_types"]):
        entry["name"] = f"fuzz.{number}"
        entry["version"] = next(_versions)
        if "metadata_schema" in entry:
            entry["metadata_schema"] = EXAMPLE_SCHEMA
    for entry in manifest["widgets"]:
        entry["id"] = str(uuid4())
