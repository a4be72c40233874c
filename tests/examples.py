"""The example of the contracts, which most tests send, and the versions of this release."""

WIDGET = "5b0e3c9a-6a57-4d0b-8f6f-2b7a1c0d9e11"
PATH = "/api/v1/interaction-events"
EVENT = {"widget_id": WIDGET, "event_type": "clicked", "occurred_at": "2026-03-31T12:00:00Z"}

OLDEST, NEWEST, MAJOR = "1.0", "1.1", "2.0"
"""NEWEST is the newest of version 1."""
