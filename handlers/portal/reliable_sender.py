"""A sender that loses nothing, in Python and TypeScript, with the reader's own URL and the credentials of a version."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from openapi.contract import Contract

_OPERATION = "reportInteractionEvents"
"""Takes batches of events, which the outbox of a client sends."""
_URL = "http://127.0.0.1:8080"
_SAMPLES = {
    "Python": """\
import json
from pathlib import Path
from interaction_reporting import Client, Outbox

key = json.loads(Path("hub.json").read_text())["api_key"]
widget, now = json.loads(Path("widget.json").read_text())["id"], "2026-03-31T12:00:00Z"
outbox = Outbox(Client("http://127.0.0.1:8080", api_key=key), "outbox.db")
outbox.add_all([{"widget_id": widget, "event_type": name, "occurred_at": now} for name in ("viewed", "click")])
outbox.flush(timeout=30)  # False if the service could not be reached: what is in the file is sent later
for refused in outbox.refused():
    print(refused.item["event_type"], refused.reason.error, refused.reason.help, sep=": ")
""",
    "TypeScript": """\
import { readFile } from "node:fs/promises";
import { Client, Outbox } from "interaction-reporting-client";

const read = async (name) => JSON.parse(await readFile(name, "utf8"));
const client = new Client("http://127.0.0.1:8080", { apiKey: (await read("hub.json")).api_key });
const event = { widget_id: (await read("widget.json")).id, occurred_at: "2026-03-31T12:00:00Z" };
const outbox = await Outbox.open(client, { path: "outbox" });
await outbox.addAll([{ event_type: "viewed", ...event }, { event_type: "click", ...event }]);
await outbox.flush({ timeoutMs: 30_000 });
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
_KEY = {"hub.json": "interaction-reporting hub create acme --json"}
_CLIENT = {"client.json": 'interaction-reporting hub issue-client acme --scopes "events:write" --json'}
_WIDGET = {"widget.json": 'interaction-reporting widget register "Approve button" --json'}


@dataclass(frozen=True, slots=True)
class ReliableSender:
    """The samples by language, and the command of the operator that prints each file that they read."""

    files: Mapping[str, str]
    samples: Mapping[str, str]


def reliable_sender(contract: Contract, url: str) -> ReliableSender | None:
    """The samples for the service at `url`; None if `contract` has no operation that takes batches of events."""
    if all(operation.name != _OPERATION for operation in contract.operations):
        return None
    changes = {**(_WITH_TOKENS if contract.scopes else {}), _URL: url}
    samples = {language: _changed(text, changes.items()) for language, text in _SAMPLES.items()}
    return ReliableSender({**(_CLIENT if contract.scopes else _KEY), **_WIDGET}, samples)


def _changed(text: str, changes: Iterable[tuple[str, str]]) -> str:
    for old, new in changes:
        text = text.replace(old, new)
    return text
