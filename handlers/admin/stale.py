"""Forms that were made before something changed: they change nothing, and say who was faster."""

import hmac
from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy import Connection

from db import audit
from handlers.pages.page_problems import PageRefusal
from openapi.standards import date_times

SEEN = "seen"
"""The hidden field with the state that the page of the form showed."""


def state_of(row: object) -> str:
    """The state of a dataclass that a page shows, for the field SEEN of its forms."""
    return sha256(repr(row).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page of a form showed: a row, as the audit log names it, its state then, and where it is shown now."""

    kind: str
    subject: str
    seen: str
    path: str


def require_unchanged(connection: Connection, row: object, shown: Shown) -> None:
    """PageRefusal 409 if `row` is no longer what a form has `shown`."""
    if hmac.compare_digest(state_of(row).encode(), shown.seen.encode()):
        return
    entries = audit.entries(connection, 1, None, {"kind": shown.kind, "subject": shown.subject})
    raise PageRefusal(
        409,
        "changed_meanwhile",
        f"The {shown.kind} has changed since you opened the page",
        " ".join([*(_told(entry) for entry in entries), "Nothing was changed by this form."]),
        {shown.path: "Look at it as it is now, and try again"},
    )


def _told(entry: audit.Entry) -> str:
    return f"The last change: {entry.action}, by {entry.actor}, at {date_times.render(entry.at)}."
