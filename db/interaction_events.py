"""The events that hubs report."""

import json
from collections.abc import Mapping
from typing import Any

import orjson
import uuid_utils

from db.engine import Database
from db.writer import Writer

FIELDS = frozenset({"widget_id", "event_type", "occurred_at", "actor_id", "actor_type", "view_context_ref", "metadata"})
"""The columns that a hub fills."""

_COLUMNS = (
    "id uuid, hub_id uuid, widget_id uuid, event_type text, occurred_at timestamptz, actor_id uuid, actor_type text, "
    "view_context_ref text, metadata jsonb, additional_fields jsonb, contract_version text"
)
_NAMES = ", ".join(column.split()[0] for column in _COLUMNS.split(", "))
_INSERT = (
    f"INSERT INTO interaction_events ({_NAMES}) "  # noqa: S608 (constants of this module)
    f"SELECT {_NAMES} FROM json_to_recordset($1::json) AS event({_COLUMNS}) ON CONFLICT (id) DO NOTHING"
)


def new_id() -> str:
    """A UUID version 7 (RFC 9562): ids of later events are greater."""
    return str(uuid_utils.uuid7())


def writer(database: Database) -> Writer:
    """The writer of events."""
    return Writer(database, _INSERT)


async def add(writer: Writer, event: Mapping[str, Any]) -> float:
    """Keep `event`, a JSON value for each column that is not null. Returns as `Writer.add` does."""
    return await writer.add(_encoded(event))


def _encoded(event: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(event)
    except TypeError:  # orjson knows integers of 64 bits
        return json.dumps(event, default=str).encode()
