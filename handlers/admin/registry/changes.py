"""What the forms of an event type change: each only what its page showed, and only once."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from db import event_type_entries, event_types
from db.errors import Refused
from db.event_type_entries import Entry
from db.event_types import EventType
from handlers.admin import stale
from handlers.admin.registry import definitions
from handlers.admin.registry.definitions import Definition
from handlers.admin.stale import SEEN, Shown
from handlers.admin.visits import Visit
from handlers.paths import registry_path
from handlers.sessions.fields import Fields
from handlers.sessions.reading import sentence

APPROVE, PROPOSE = "approve", "propose"
KIND = "event type"
"""How the audit log names the rows."""


@dataclass(frozen=True, slots=True)
class Form:
    """A form that needs no field but the reason: what it calls, and what the next page says, with the name."""

    name: str
    function: Callable[[Connection, str], EventType]
    done: str


FORMS = (
    Form(APPROVE, event_types.approve, "{} is approved, and in force now."),
    Form("refuse", event_types.refuse, "What waited of {} is refused. Its hub is not told: tell them why."),
    Form("deprecate", event_types.deprecate, "{} is deprecated: new events of it are refused. Stored ones stay."),
)


async def change(visit: Visit, form: Form, entry: Entry) -> None:
    """Do what `form` says; PageRefusal 409 if `entry` is no longer what its page showed."""

    def call(connection: Connection) -> None:
        _require_unchanged(connection, entry, visit)
        form.function(connection, entry.name)

    await visit.change(form.name, call)


async def propose(visit: Visit, entry: Entry, fields: Fields) -> bool:
    """Propose the definition in `fields`; False if it has a fault, which is noted there."""
    await visit.read(_require_unchanged, entry, visit)  # what the definition is compared with
    definition = await definitions.read(entry, fields)
    if definition is None:
        return False

    def call(connection: Connection, definition: Definition) -> None:
        _require_unchanged(connection, entry, visit)
        event_types.propose(
            connection, entry.name, definition.description, definition.version, definition.metadata_schema
        )

    try:
        await visit.change(PROPOSE, call, definition)
    except Refused as error:
        fields.refuse("description", sentence(error))
        return False
    return True


def _require_unchanged(connection: Connection, entry: Entry, visit: Visit) -> None:
    shown = Shown(KIND, entry.name, visit.form.text(SEEN), registry_path(entry.name))
    stale.require_unchanged(connection, event_type_entries.get(connection, entry.name), shown)
