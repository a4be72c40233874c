"""The definition of an event type as a form has it: its description, its version, and the schema of its metadata."""

import asyncio
from dataclasses import dataclass
from typing import Any

from db.event_type_entries import Entry
from handlers.sessions.fields import Fields
from openapi.metadata import texts
from openapi.metadata.texts import UnacceptedSchema

HIGHEST_VERSION = 2**31 - 1
LABELS = {"description": "Description", "version": "Version", "metadata_schema": "Schema of the metadata"}
_NAMED = 3
"""Faults of a schema that the page names."""


@dataclass(frozen=True, slots=True)
class Definition:
    """What an event type means from now on."""

    description: str
    version: int
    metadata_schema: dict[str, Any] | None


async def read(entry: Entry, fields: Fields) -> Definition | None:
    """The definition in a form about `entry`; None if a field has a fault, which is noted there."""
    description = fields.text("description")
    version = fields.number("version", entry.version, HIGHEST_VERSION)
    if version is None:
        fields.refuse("version", f"Enter a version from {entry.version:,} on.")
    fields.text("why")
    schema = None
    try:
        schema = await asyncio.to_thread(texts.read, fields.value("metadata_schema"))
    except UnacceptedSchema as error:
        fields.refuse("metadata_schema", _sentence(error))
    if version == entry.version and not fields.faults:
        try:
            await asyncio.to_thread(texts.require_not_narrower, entry.metadata_schema, schema)
        except UnacceptedSchema as error:
            fields.refuse("metadata_schema", f"{_sentence(error)} Such a schema needs a version above {version:,}.")
    return None if fields.faults or version is None else Definition(description, version, schema)


def _sentence(error: UnacceptedSchema) -> str:
    sentences = [f"At {fault.pointer or 'the top'}: {fault.message}." for fault in error.faults[:_NAMED]]
    more = len(error.faults) - _NAMED
    return " ".join([*sentences, f"And {more} more."] if more > 0 else sentences)
