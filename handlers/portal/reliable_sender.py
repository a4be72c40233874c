"""A sender that loses nothing, in Python and TypeScript, with the reader's own URL and the credentials of a version."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from openapi.contract import Contract

_OPERATION = "reportInteractionEvents"
"""Takes batches of events, which the outbox of a client sends."""
_URL = "http://127.0.0.1:8080"
_SAMPLES = {
    "Python": """\
import json
from datetime import datetime, timezone
from pathlib import Path
from interaction_reporting import Client, Outbox

key = json.loads(Path("hub.json").read_text())["api_key"]
widget, now = json.loads(Path("widget.json").read_text())["id"], datetime.now(timezone.utc).isoformat()
outbox = Outbox(Client("http://127.0.0.1:8080", api_key=key), "outbox.db")
outbox.add_all([{"widget_id": widget, "event_type": name, "occurred_at": now} for name in ("viewed", "clicked")])
outbox.flush(timeout=30)  # False if the service could not be reached: what is in the file is sent later
counts = outbox.counts()
print(f"sent {counts.sent}, refused {counts.refused}, pending {counts.pending}", counts.last_error)
for refused in outbox.refused():  # never taken as they are: an event of an unknown type, for one
    print(refused.item["event_type"], refused.reason.error, refused.reason.help, sep=": ")
""",
    "TypeScript": """\
import { readFile } from "node:fs/promises";
import { Client, Outbox } from "interaction-reporting-client";

const read = async (name) => JSON.parse(await readFile(name, "utf8"));
const client = new Client("http://127.0.0.1:8080", { apiKey: (await read("hub.json")).api_key });
const event = { widget_id: (await read("widget.json")).id, occurred_at: new Date().toISOString() };
const outbox = await Outbox.open(client, { path: "outbox" });
await outbox.addAll([{ event_type: "viewed", ...event }, { event_type: "clicked", ...event }]);
await outbox.flush({ timeoutMs: 30_000 });
const { sent, refused, pending, lastError } = await outbox.counts();
console.log(`sent ${sent}, refused ${refused}, pending ${pending} ${lastError}`);
for (const { item, reason } of await outbox.refused()) console.log(`${item.event_type}: ${reason.error}: ${reason.help}`);
await outbox.close();
""",  # noqa: E501 - as README has it
}
"""As README has them: with a key, for version 1."""
_WITH_TOKENS = {
    'key = json.loads(Path("hub.json").read_text())["api_key"]': 'own = json.loads(Path("client.json").read_text())',
    "api_key=key": 'client_id=own["client_id"], client_secret=own["client_secret"]',
    "const client =": (
        'const { client_id: clientId, client_secret: clientSecret } = await read("client.json");\nconst client ='
    ),
    '{ apiKey: (await read("hub.json")).api_key }': "{ clientId, clientSecret }",
}
"""What stands there instead for a version with access tokens."""


@dataclass(frozen=True, slots=True)
class File:
    """A file that the samples read: what it must have, and where its values are, or which command prints it."""

    name: str
    content: str
    of: str
    admin: str
    command: str


_KEY = File(
    "hub.json", '{"api_key": "YOUR-KEY"}', "the hub", "/admin/hubs", "interaction-reporting hub create acme --json"
)
_CLIENT = File(
    "client.json",
    '{"client_id": "YOUR-ID", "client_secret": "YOUR-SECRET"}',
    "the client of the hub",
    "/admin/hubs",
    'interaction-reporting hub issue-client acme --scopes "events:write" --json',
)
_WIDGET = File(
    "widget.json",
    '{"id": "YOUR-WIDGET-ID"}',
    "the widget",
    "/admin/widgets",
    'interaction-reporting widget register "Approve button" --json',
)


@dataclass(frozen=True, slots=True)
class ReliableSender:
    """The samples by language, and the files that they read."""

    files: Sequence[File]
    samples: Mapping[str, str]


def reliable_sender(contract: Contract, url: str) -> ReliableSender | None:
    """The samples for the service at `url`; None if `contract` has no operation that takes batches of events."""
    if all(operation.name != _OPERATION for operation in contract.operations):
        return None
    changes = {**(_WITH_TOKENS if contract.scopes else {}), _URL: url}
    samples = {language: _changed(text, changes.items()) for language, text in _SAMPLES.items()}
    return ReliableSender([_CLIENT if contract.scopes else _KEY, _WIDGET], samples)


def _changed(text: str, changes: Iterable[tuple[str, str]]) -> str:
    for old, new in changes:
        text = text.replace(old, new)
    return text
