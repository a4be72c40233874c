"""A service that has one text in every field that somebody else can fill."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import Connection, func, insert

from db import admins, audit, contracts, hubs, oauth_clients, tables, widgets
from db.audit import Author
from db.hubs import Hub
from db.ids import new_id
from openapi.contract import Contract
from tests.examples import EVENT, NEWEST
from tests.handlers.admin.rejections.rejecting import reject
from tests.service import CONTRACTS, Service

CHANGED, DRAFT, UNREADABLE = "1.9", "1.10", "1.8"
"""The versions of contracts that have the text wherever they may have one, and of a row that is the text alone."""
REHEARSALS = (UUID(int=1), UUID(int=2))
_TEXTS = ("title", "summary", "description")


@dataclass(frozen=True)
class Filling:
    """A service, its hub, and the `text` for all fields."""

    service: Service
    connection: Connection
    hub: Hub
    key: str
    text: str

    @property
    def author(self) -> Author:
        """The text as the author of a change."""
        return Author(self.text, self.text, self.text)

    def send(self, path: str, body: Any, method: str = "POST") -> httpx.Response:
        """The response to what the hub sends; bytes go as they are."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"authorization": f"Bearer {self.key}", "content-type": "application/json"}
        return httpx.request(method, f"{self.service.url}/api/v1{path}", content=content, headers=headers, timeout=60)

    def event(self, **fields: Any) -> httpx.Response:
        """The response to an event."""
        return self.send("/interaction-events", EVENT | fields)

    def manifest(self, name: str, text: str, version: int = 1) -> httpx.Response:
        """The response to a manifest with one event type and one widget."""
        schema = {
            "title": text,
            "description": text,
            "type": "object",
            "properties": {text: {"type": "string", "title": text, "enum": [text], "examples": [text]}},
            "required": [text],
        }
        entry = {"name": name, "description": text, "version": version, "metadata_schema": schema}
        widget = {"id": "7c0e3c9a-6a57-4d0b-8f6f-2b7a1c0d9e33", "name": text}
        return self.send("/hub-capability-manifest", {"event_types": [entry], "widgets": [widget]}, "PUT")

    def event_type(self, name: str, status: str) -> None:
        """Register a name that the contract takes from no hub, as a row of an operator may have it."""
        audit.leave_out(self.connection)
        row = {"name": name, "status": status, "hub_id": self.hub.id, "description": self.text}
        schema = {"type": "object", "title": self.text, "properties": {self.text: {"const": self.text}}}
        self.connection.execute(insert(tables.event_type_registry).values(**row, metadata_schema=schema))


def document(text: str, version: str) -> str:
    """A contract with `text` wherever it may have one, also behind a link in Markdown."""
    changed = _with(CONTRACTS[NEWEST].copy(), f"{text} [web](https://else.example/{text[:2]}onclick=alert)")
    changed["info"] |= {"version": version, "termsOfService": _script(text), "license": {"name": text}}
    changed["externalDocs"] = {"url": _script(text), "description": text}
    changed["tags"].append({"name": text, "description": text, "externalDocs": changed["externalDocs"]})
    schema = {"type": "string", "enum": [text], "example": text, "description": text}
    changed["components"]["schemas"]["InteractionEvent"]["properties"][text] = {**schema, "default": text}
    listed = changed["paths"]["/interaction-events"]["get"]
    listed["parameters"].append({"name": text, "in": "query", "schema": schema, "description": text, "example": text})
    listed |= {"tags": [text], "externalDocs": changed["externalDocs"]}
    media = changed["paths"]["/interaction-events"]["post"]["requestBody"]["content"]["application/json"]
    media["examples"] = {text: {"summary": text, "description": text, "value": {text: text}}}
    media.pop("example", None)
    return json.dumps(changed)


def _script(text: str) -> str:
    """An address that is as harmless as `text`."""
    return "javascript:alert(1)" if "<" in text else "https://else.example"


def _with(value: Any, text: str) -> Any:
    """A part of a contract whose texts end with `text`."""
    if isinstance(value, list):
        return [_with(each, text) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        name: f"{each} {text}" if name in _TEXTS and isinstance(each, str) else _with(each, text)
        for name, each in value.items()
    }


def _publish_unreadable(filling: Filling) -> None:
    contracts.publish(filling.connection, UNREADABLE, filling.text, "0" * 64, filling.author)
    contracts.activate(filling.connection, UNREADABLE)


def _publish_changed(filling: Filling) -> None:
    for version in (CHANGED, DRAFT):
        contract = Contract.read(document(filling.text, version))
        contracts.publish(filling.connection, version, contract.text, contract.digest, filling.author)
    contracts.activate(filling.connection, CHANGED)


def _cut_over(filling: Filling) -> None:
    hubs.create(filling.connection, f"cut {filling.text}")
    hubs.cut_over(filling.connection, f"cut {filling.text}", filling.text)


def _rehearse(filling: Filling) -> None:
    text, counts = filling.text, {"newly_fails": 1, "newly_passes": 0, "refused_by_both": 0, "unchanged": 0}
    example = {"outcome": "newly_fails", "id": new_id(), "error": text, "pointer": f"/{text}"}
    group = {"hub": text, "kind": "event", "name": text, "counts": counts, "examples": [example]}
    ends: tuple[dict[str, Any], ...] = (
        {"fault": text},
        {
            "governing": NEWEST,
            "newly_fails": 1,
            "newly_passes": 0,
            "unanswerable": 1,
            "newly_unanswerable": 1,
            "result": {
                "counts": counts,
                "groups": [group],
                "left_out": 0,
                "unanswerable": [{"kind": "event", "id": new_id(), "error": text, "pointer": f"/{text}"}],
            },
        },
    )
    for number, end in enumerate(ends):
        row = {"id": REHEARSALS[number], "contract_version": NEWEST, "document": text, "last": 9, "begun_by": text}
        ended = {"total": 9, "done": 9, "ended_at": func.now()}
        filling.connection.execute(insert(tables.contract_rehearsals).values({**row, **ended, **end}))


# What is rejected stays so, whatever is registered and published afterwards: a replay stores nothing of it.
FIELDS: Mapping[str, Callable[[Filling], object]] = {
    "the fields of an event": lambda its: its.event(
        view_context_ref=its.text, metadata={its.text: [its.text]}, client_event_id=its.text
    ),
    "the type of an event": lambda its: its.event(event_type=its.text),
    "ids and words of an event": lambda its: its.event(widget_id=its.text, actor_id=its.text, actor_type=its.text),
    "the name of a field": lambda its: its.event(**{its.text: [its.text]}),
    "an annotation": lambda its: its.send(
        "/annotations", {"widget_id": EVENT["widget_id"], "category": "praise", "body": its.text}
    ),
    "words of an annotation": lambda its: its.send("/annotations", {"category": its.text, "body": its.text}),
    "a body that is no JSON": lambda its: its.send("/interaction-events", its.text.encode() + b"\xff"),
    "lines of a batch": lambda its: its.send("/interaction-events/batch", [its.text, {its.text: its.text}]),
    "a manifest": lambda its: its.manifest("acme.first", its.text),
    "another manifest": lambda its: its.manifest("acme.first", f"{its.text} again", 2),
    "a manifest that is refused": lambda its: its.manifest(its.text, its.text),
    "the name of an event type": lambda its: its.event_type(its.text, "deprecated"),
    "an event type that waits": lambda its: its.event_type(f"waits {its.text}", "pending"),
    "a rejection": lambda its: reject(
        its.service,
        its.hub.id,
        json.dumps({its.text: its.text}).encode(),
        code=its.text,
        error=its.text,
        pointer=f"/{its.text}",
        event_type=its.text,
    ),
    "a widget": lambda its: widgets.register(its.connection, its.text),
    "a client of an issuer": lambda its: oauth_clients.accept(
        its.connection, its.hub.name, its.text, its.text, ["events:read"]
    ),
    "a cut-over": _cut_over,
    "an admin": lambda its: admins.create(its.connection, f"other {its.text}", "viewer", None),
    "an entry of the audit log": lambda its: audit.note(
        its.connection, its.author, its.text, "hub", its.text, **{its.text: its.text}
    ),
    "rehearsals": _rehearse,
    "a row that holds no contract": _publish_unreadable,
    "a contract": _publish_changed,
}
"""What the text is put into, and how."""
