"""Hub capability manifests: a hub lists what it can report, and the registry follows."""

import asyncio
from collections.abc import Iterator
from enum import Enum, auto
from itertools import chain, islice
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Connection, RowMapping

from db import audit
from db import hub_capability_manifests as manifests
from db.advisory_locks import AdvisoryLock, lock
from db.hub_capability_manifests import Definition
from db.submissions import digest
from handlers import field_errors
from handlers.submissions.single import DRY_RUN, is_dry_run
from openapi import problems
from openapi.generated.v1.types import EventTypeStatus, SubmittedEventType, SubmittedManifest, SubmittedWidget
from openapi.metadata import check
from openapi.metadata.narrowing import narrowings
from openapi.problems import Problem
from openapi.serving.messages import Answer, BodyField, Request, takes, without_null
from openapi.standards import date_times

MOST_PROBLEMS = 20
"""Limit on the problems that an answer names."""
MOST_NARROWINGS = 3
"""Limit on the narrowings of one schema that an answer names."""


@takes(event_types=BodyField("array", required=True), widgets=BodyField("array", required=True))
async def put(request: Request) -> Answer:
    """Put the whole manifest of the hub in force, or nothing of it."""
    for entries in (request.body["event_types"], request.body["widgets"]):
        entries[:] = map(without_null, entries)
    async with request.resources.manifests:  # a check may take long
        if problem := await _problem(request.body):
            raise problem
        manifest = await request.resources.database.run(_put, request)
    return Answer(200, manifest, [DRY_RUN] if is_dry_run(request) else [])


async def get(request: Request) -> Answer:
    """The hub's manifest, or an earlier revision of it."""
    number = request.parameters.get("revision")
    manifest = await request.resources.database.run(_as_json, request.caller.id, number)
    if manifest is None:
        raise Problem("nothing_by_name")
    return Answer(200, manifest)


class Standing(Enum):
    """The place of an entry in the registry, seen by a hub that lists it."""

    NEW = auto()
    FOREIGN = auto()
    """Another hub or the framework owns it."""
    ACTIVE = auto()
    PENDING = auto()
    """It was never approved."""
    PENDING_LEFT_OUT = auto()
    """It was never approved, and the hub's last manifest left it out."""
    LEFT_OUT = auto()
    """It ended because the hub's last manifest left it out."""
    ENDED = auto()
    """An operator ended it."""


class Change(Enum):
    """The effect of a manifest on one event type."""

    KEEP = auto()
    ACTIVATE = auto()
    """The definition is in force from now on."""
    SUBMIT = auto()
    """The event type waits for its first approval."""
    PROPOSE = auto()
    """The definition waits for approval; the approved one stays in force."""
    WITHDRAW = auto()
    """The definition in force is listed again, so that no other one waits."""


_CHANGES = {
    # definition:                the same                        another one
    # approval:                  none             needed         none             needed
    Standing.NEW:              (Change.ACTIVATE, Change.SUBMIT,   Change.ACTIVATE, Change.SUBMIT),
    Standing.FOREIGN:          (Change.KEEP,     Change.KEEP,     Change.KEEP,     Change.KEEP),
    Standing.ACTIVE:           (Change.WITHDRAW, Change.WITHDRAW, Change.ACTIVATE, Change.PROPOSE),
    Standing.PENDING:          (Change.ACTIVATE, Change.KEEP,     Change.ACTIVATE, Change.SUBMIT),
    Standing.PENDING_LEFT_OUT: (Change.ACTIVATE, Change.SUBMIT,   Change.ACTIVATE, Change.SUBMIT),
    Standing.LEFT_OUT:         (Change.ACTIVATE, Change.ACTIVATE, Change.ACTIVATE, Change.PROPOSE),
    Standing.ENDED:            (Change.KEEP,     Change.KEEP,     Change.KEEP,     Change.KEEP),
}  # fmt: skip


def change_of(standing: Standing, is_same: bool, needs_approval: bool) -> Change:
    """The change of an event type; `is_same` if its registered definition equals the listed one."""
    return _CHANGES[standing][2 * (not is_same) + needs_approval]


def _standing(row: RowMapping | None, hub_id: UUID) -> Standing:
    """The standing of the entry in `row` for a hub."""
    if row is None:
        return Standing.NEW
    if row["hub_id"] != hub_id:
        return Standing.FOREIGN
    if row["status"] == "active":
        return Standing.ACTIVE
    if row["status"] == "pending":
        return Standing.PENDING_LEFT_OUT if row["left_out"] else Standing.PENDING
    return Standing.LEFT_OUT if row["left_out"] else Standing.ENDED


def _put(connection: Connection, request: Request) -> SubmittedManifest:
    lock(connection, AdvisoryLock.EVENT_TYPES)
    audit.leave_out(connection)
    hub_id, manifest = request.caller.id, request.body
    types = [_definition(entry) for entry in manifest["event_types"]]
    widgets = {UUID(entry["id"]): entry["name"] for entry in manifest["widgets"]}
    type_rows = manifests.registered_types(connection, [definition.name for definition in types])
    widget_rows = manifests.registered_widgets(connection, list(widgets))
    last = manifests.revision(connection, hub_id)
    listed_before = [_definition(entry) for entry in last["manifest"]["event_types"]] if last else []
    # A shared event type stays as it is unless its hub lists another definition.
    new = [definition for definition in types if definition not in listed_before]
    conflicts = chain(_type_conflicts(hub_id, new, type_rows), _widget_conflicts(hub_id, widgets, widget_rows))
    if first := list(islice(conflicts, MOST_PROBLEMS)):
        raise problems.joined(first, "conflicts")
    for definition in types:
        _register_type(connection, request, definition, type_rows.get(definition.name))
    for widget_id, name in widgets.items():
        _register_widget(connection, hub_id, widget_id, name, widget_rows.get(widget_id))
    manifests.leave_out(connection, hub_id, [definition.name for definition in types], list(widgets))
    if last is None or digest(last["manifest"]) != digest(manifest):
        manifests.keep(connection, hub_id, last["revision"] + 1 if last else 1, manifest, request.contract_version)
    result = cast("SubmittedManifest", _as_json(connection, hub_id, None))  # the latest one, which exists by now
    if is_dry_run(request):
        connection.rollback()
    return result


def _register_type(connection: Connection, request: Request, definition: Definition, row: RowMapping | None) -> None:
    """Apply the change of an event type without conflicts; `row` is its entry in the registry."""
    hub_id = request.caller.id
    is_same = row is not None and _of_row(row) == definition
    proposal = row["proposal"] if row else None
    match change_of(_standing(row, hub_id), is_same, request.resources.policy.approves_event_types):
        case Change.ACTIVATE:
            manifests.register_type(connection, hub_id, definition, "active")
        case Change.SUBMIT:
            manifests.register_type(connection, hub_id, definition, "pending")
        case Change.PROPOSE if proposal is None or Definition(name=definition.name, **proposal) != definition:
            manifests.propose_type(connection, definition)
        case Change.WITHDRAW if proposal is not None:
            manifests.withdraw_proposal(connection, definition.name)


def _register_widget(connection: Connection, hub_id: UUID, widget_id: UUID, name: str, row: RowMapping | None) -> None:
    """Register a new widget, or update the hub's own; a widget that an operator retired stays retired."""
    standing = _standing(row, hub_id)
    is_renamed = row is not None and row["name"] != name
    if standing in (Standing.NEW, Standing.LEFT_OUT) or (standing is Standing.ACTIVE and is_renamed):
        manifests.register_widget(connection, hub_id, widget_id, name)


def _type_conflicts(hub_id: UUID, types: list[Definition], known: dict[str, RowMapping]) -> Iterator[Problem]:
    for definition in types:
        row = known.get(definition.name)
        if row is None:
            continue
        if row["hub_id"] != hub_id:
            if _of_row(row) != definition or row["status"] != "active":
                yield Problem("name_taken", what=f"event type '{definition.name}'", owner=_owner(row))
        elif row["status"] == "pending":
            continue  # none of its definitions was ever in force
        elif definition.version < row["version"]:
            yield Problem("version_lowered", name=definition.name, version=row["version"])
        elif definition.version == row["version"] and (narrower := _narrower(row, definition)):
            yield Problem("schema_narrowed", name=definition.name, narrowings=narrower, version=row["version"])


def _widget_conflicts(hub_id: UUID, widgets: dict[UUID, str], known: dict[UUID, RowMapping]) -> Iterator[Problem]:
    for widget_id, name in widgets.items():
        row = known.get(widget_id)
        if row is not None and row["hub_id"] != hub_id and row["name"] != name:
            yield Problem("name_taken", what=f"widget '{widget_id}'", owner=_owner(row))


def _narrower(row: RowMapping, definition: Definition) -> str:
    """The places where the schema of `definition` may refuse what the schema of `row` accepts; empty if none."""
    accepts_anything = {"type": "object"}
    faults = narrowings(row["metadata_schema"] or accepts_anything, definition.metadata_schema or accepts_anything)
    sentences = [f"{fault.pointer or '/'}: {fault.message}" for fault in faults[:MOST_NARROWINGS]]
    return "; ".join([*sentences, "and more"] if len(faults) > MOST_NARROWINGS else sentences)


async def _problem(manifest: dict[str, Any]) -> Problem | None:
    """The faults of `manifest` that the contract cannot express, as one Problem; None if absent."""
    faults = [*_repeated(manifest, "event_types", "name"), *_repeated(manifest, "widgets", "id")]
    for index, entry in enumerate(manifest["event_types"]):
        await asyncio.sleep(0)  # a schema takes up to 50 milliseconds: other requests get their turn
        schema_errors = check.check(entry["metadata_schema"]) if "metadata_schema" in entry else ()
        faults += [field_errors.unaccepted_schema(index, error.pointer, error.message) for error in schema_errors]
    return problems.joined(faults[:MOST_PROBLEMS]) if faults else None


def _repeated(manifest: dict[str, Any], entries: str, key: str) -> Iterator[Problem]:
    seen = set()
    for index, entry in enumerate(manifest[entries]):
        name = entry[key].lower()
        if name in seen:
            yield field_errors.repeated_entry(entries, index, key, entry[key])
        seen.add(name)


def _definition(entry: dict[str, Any]) -> Definition:
    return Definition(entry["name"], entry["description"], entry.get("version", 1), entry.get("metadata_schema"))


def _of_row(row: RowMapping) -> Definition:
    return Definition(row["name"], row["description"], row["version"], row["metadata_schema"])


def _owner(row: RowMapping) -> str:
    return f"hub '{row['owner']}'" if row["hub_id"] else "the framework or an operator"


def _as_json(connection: Connection, hub_id: UUID, number: int | None) -> SubmittedManifest | None:
    """A revision of the hub's manifest, with the current status of each entry; None if absent."""
    row = manifests.revision(connection, hub_id, number)
    if row is None:
        return None
    types = manifests.registered_types(connection, [entry["name"] for entry in row["manifest"]["event_types"]])
    widgets = manifests.registered_widgets(connection, [UUID(entry["id"]) for entry in row["manifest"]["widgets"]])
    manifest = cast("SubmittedManifest", row["manifest"])  # each entry without its status
    event_types: list[SubmittedEventType] = [
        {"version": 1, **entry, "status": _status(types[entry["name"]])} for entry in manifest["event_types"]
    ]
    submitted: list[SubmittedWidget] = [
        {**entry, "status": widgets[UUID(entry["id"])]["status"]} for entry in manifest["widgets"]
    ]
    return {
        "revision": row["revision"],
        "received_at": date_times.render(row["received_at"]),
        "event_types": event_types,
        "widgets": submitted,
    }


def _status(row: RowMapping) -> EventTypeStatus:
    """The status of an event type, as its hub reads it."""
    if row["status"] == "pending" and row["left_out"]:
        return "deprecated"
    return "pending" if row["proposal"] is not None else cast("EventTypeStatus", row["status"])
