"""A hub and a widget to try the service with."""

import json
import os
from pathlib import Path
from uuid import UUID

from db import hubs, widgets
from db.engine import Database
from db.errors import Refused
from scripts.service.settings import Settings

HUB = "demo"
WIDGET = UUID("5b0e3c9a-6a57-4d0b-8f6f-2b7a1c0d9e11")
"""The widget of the contract's own examples, so that they work unchanged."""


def ensure(opened: Database, key_file: Path) -> str:
    """Register the demo's hub and widget if absent; returns the hub's key, which `key_file` keeps (mode 0600)."""
    with opened.begin() as connection:
        if all(widget.id != WIDGET for widget in widgets.list_all(connection)):
            widgets.register(connection, "Demo widget", WIDGET)
        if key_file.exists() and hubs.of_key(connection, key := key_file.read_text().strip()):
            return key
        try:
            _, key = hubs.create(connection, HUB)
        except Refused:
            _, key = hubs.rotate_key(connection, HUB)
        key_file.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(key)
        return key


def announce(settings: Settings, opened: Database, url: str) -> None:
    """Print the URL of the service, the location of its data, and a command that sends an event."""
    key = ensure(opened, settings.data_dir / "demo-hub.key")
    event = {"widget_id": str(WIDGET), "event_type": "clicked", "occurred_at": "2026-03-31T12:00:00Z"}
    location = "the database of IR_DATABASE_URL" if settings.database_url else settings.data_dir.resolve()
    print(
        f"""
The Interaction Reporting API serves at {url}/api/v1
Its data lives in {location}

Send a first event:

curl -i {url}/api/v1/interaction-events \\
  -H 'Authorization: Bearer {key}' \\
  -H 'Content-Type: application/json' \\
  -d '{json.dumps(event)}'

Stop with Ctrl-C.
""",
        flush=True,
    )
