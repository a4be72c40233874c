"""Hub capability manifests: what a hub says that it can report, and what that makes of the registry."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping

from db import hub_capability_manifests as manifests
from db.hub_capability_manifests import Definition
from handlers.submissions import DRY_RUN, is_dry_run
from openapi import metadata_schema, problems, rfc3339
from openapi.exchange import Answer, Field, Request, takes
from openapi.narrowing import narrowings
from openapi.problems import Problem

TOLD = 20
"""How many things that are wrong an answer names."""
SHOWN = 3
"""How many of the ways in which a schema became narrower an answer names."""


@takes(event_types=Field("array", required=True), widgets=Field("array", required=True))
async def put(request: Request) -> Answer:
    """Put the hub's manifest in force, all of it or nothing."""
    if problem := _problem(request.body):
        raise problem
    manifest = await request.resources.database.run(_put, request)
    return Answer(200, manifest, [DRY_RUN] if is_dry_run(request) else [])


async def get(request: Request) -> Answer:
    """The hub's manifest, or an earlier revision of it."""
    number = request.parameters.get("revision")
    found = await request.resources.database.run(_found, request.caller.id, number)
    if found is None:
        raise Problem("nothing_by_name")
    return Answer(200, found)


def _put(connection: Connection, request: Request) -> dict[str, Any]:
    manifests.take_turns(connection)
    hub_id, manifest = request.caller.id, request.body
    types = [_definition(entry) for entry in manifest["event_types"]]
    widgets = {UUID(entry["id"]): entry["name"] for entry in manifest["widgets"]}
    known_types = manifests.registered_types(connection, [one.name for one in types])
    known_widgets = manifests.registered_widgets(connection, list(widgets))
    last = manifests.revision(connection, hub_id)
    before = [_definition(entry) for entry in last["manifest"]["event_types"]] if last else []
    new = [one for one in types if one not in before]  # what a hub shares and does not change stays as it is
    if conflicts := [*_type_conflicts(hub_id, new, known_types), *_widget_conflicts(hub_id, widgets, known_widgets)]:
        raise problems.joined(conflicts[:TOLD], "conflicts")
    for definition in types:
        _register(connection, request, definition, known_types.get(definition.name))
    for widget_id, name in widgets.items():
        if widget_id not in known_widgets or known_widgets[widget_id]["hub_id"] == hub_id:
            manifests.register_widget(connection, hub_id, widget_id, name)
    manifests.leave_out(connection, hub_id, [one.name for one in types], list(widgets))
    if last is None or last["manifest"] != manifest:
        manifests.keep(connection, hub_id, manifest, request.contract_version)
    found = _found(connection, hub_id, None) or {}
    if is_dry_run(request):
        connection.rollback()
    return found


def _register(connection: Connection, request: Request, definition: Definition, known: RowMapping | None) -> None:
    """Register an event type that conflicts with nothing, or its new definition."""
    needs_approval = request.resources.policy.approves_event_types
    if known is None:
        manifests.register_type(connection, request.caller.id, definition, "pending" if needs_approval else "active")
    elif known["hub_id"] == request.caller.id:
        is_same = _of_row(known) == definition
        if is_same and known["status"] == "active":
            manifests.withdraw_proposal(connection, definition.name)
        elif not needs_approval or (is_same and known["status"] == "deprecated"):
            manifests.register_type(connection, request.caller.id, definition, "active")
        elif known["status"] == "active":
            manifests.propose_type(connection, definition)
        else:
            manifests.register_type(connection, request.caller.id, definition, "pending")


def _type_conflicts(hub_id: UUID, types: list[Definition], known: dict[str, RowMapping]) -> Iterator[Problem]:
    for definition in types:
        row = known.get(definition.name)
        if row is None:
            continue
        if row["hub_id"] != hub_id:
            if _of_row(row) != definition or row["status"] != "active":
                yield Problem("name_taken", what=f"event type '{definition.name}'", owner=_owner(row))
        elif row["status"] == "pending":
            continue  # no event was ever accepted by it
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
    """In what the schema of `definition` may refuse what that of `row` accepts; nothing if it does not."""
    accepts_anything = {"type": "object"}
    found = narrowings(row["metadata_schema"] or accepts_anything, definition.metadata_schema or accepts_anything)
    told = [f"{one.pointer or '/'}: {one.message}" for one in found[:SHOWN]]
    return "; ".join([*told, "and more"] if len(found) > SHOWN else told)


def _problem(manifest: dict[str, Any]) -> Problem | None:
    """What is wrong with `manifest` beyond what the contract can say."""
    found = [*_twice(manifest, "event_types", "name"), *_twice(manifest, "widgets", "id")]
    for index, entry in enumerate(manifest["event_types"]):
        where = f"/event_types/{index}/metadata_schema"
        for fault in metadata_schema.check(entry["metadata_schema"]) if "metadata_schema" in entry else ():
            told = f"{where[1:]}{fault.pointer}: {fault.message}"
            found.append(
                Problem("invalid_body", pointer=where + fault.pointer, errors=told, remedies="Mend the schema.")
            )
    return problems.joined(found[:TOLD]) if found else None


def _twice(manifest: dict[str, Any], entries: str, key: str) -> Iterator[Problem]:
    seen = set()
    for index, entry in enumerate(manifest[entries]):
        name = entry[key].lower()
        if name in seen:
            told = f"{entries}/{index}: '{entry[key]}' stands twice"
            yield Problem("invalid_body", pointer=f"/{entries}/{index}/{key}", errors=told, remedies="List it once.")
        seen.add(name)


def _definition(entry: dict[str, Any]) -> Definition:
    return Definition(entry["name"], entry["description"], entry.get("version", 1), entry.get("metadata_schema"))


def _of_row(row: RowMapping) -> Definition:
    return Definition(row["name"], row["description"], row["version"], row["metadata_schema"])


def _owner(row: RowMapping) -> str:
    return f"hub '{row['owner']}'" if row["hub_id"] else "the framework or an operator"


def _found(connection: Connection, hub_id: UUID, number: int | None) -> dict[str, Any] | None:
    """A revision of the hub's manifest, with the status of each entry as it is now."""
    row = manifests.revision(connection, hub_id, number)
    if row is None:
        return None
    types = manifests.registered_types(connection, [entry["name"] for entry in row["manifest"]["event_types"]])
    widgets = manifests.registered_widgets(connection, [UUID(entry["id"]) for entry in row["manifest"]["widgets"]])
    return {
        "revision": row["revision"],
        "received_at": rfc3339.render(row["received_at"]),
        "event_types": [
            {
                "version": 1,
                **entry,
                "status": "pending" if _waits(types[entry["name"]]) else types[entry["name"]]["status"],
            }
            for entry in row["manifest"]["event_types"]
        ],
        "widgets": [{**entry, "status": widgets[UUID(entry["id"])]["status"]} for entry in row["manifest"]["widgets"]],
    }


def _waits(row: RowMapping) -> bool:
    return row["status"] == "pending" or row["proposal"] is not None
