"""Hub capability manifests: what a hub says that it can report, and what that makes of the registry."""

import asyncio
from collections.abc import Iterator
from itertools import chain, islice
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping

from db import hub_capability_manifests as manifests
from db.advisory_locks import AdvisoryLock, lock
from db.hub_capability_manifests import Definition
from db.submissions import digest
from handlers.submissions.single import DRY_RUN, is_dry_run
from openapi import problems
from openapi.metadata import check
from openapi.metadata.narrowing import narrowings
from openapi.problems import Problem
from openapi.serving.messages import Answer, BodyField, Request, takes
from openapi.standards import date_times

TOLD = 20
"""How many things that are wrong an answer names."""
SHOWN = 3
"""How many of the ways in which a schema became narrower an answer names."""


@takes(event_types=BodyField("array", required=True), widgets=BodyField("array", required=True))
async def put(request: Request) -> Answer:
    """Put the hub's manifest in force, all of it or nothing."""
    async with request.resources.manifests:  # to judge one may take long
        if problem := await _problem(request.body):
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
    lock(connection, AdvisoryLock.EVENT_TYPES)
    hub_id, manifest = request.caller.id, request.body
    types = [_definition(entry) for entry in manifest["event_types"]]
    widgets = {UUID(entry["id"]): entry["name"] for entry in manifest["widgets"]}
    known_types = manifests.registered_types(connection, [one.name for one in types])
    known_widgets = manifests.registered_widgets(connection, list(widgets))
    last = manifests.revision(connection, hub_id)
    before = [_definition(entry) for entry in last["manifest"]["event_types"]] if last else []
    new = [one for one in types if one not in before]  # what a hub shares and does not change stays as it is
    conflicts = chain(_type_conflicts(hub_id, new, known_types), _widget_conflicts(hub_id, widgets, known_widgets))
    if told := list(islice(conflicts, TOLD)):
        raise problems.joined(told, "conflicts")
    for definition in types:
        _register(connection, request, definition, known_types.get(definition.name))
    for widget_id, name in widgets.items():
        if _is_news(hub_id, name, known_widgets.get(widget_id)):
            manifests.register_widget(connection, hub_id, widget_id, name)
    manifests.leave_out(connection, hub_id, [one.name for one in types], list(widgets))
    if last is None or digest(last["manifest"]) != digest(manifest):
        manifests.keep(connection, hub_id, last["revision"] + 1 if last else 1, manifest, request.contract_version)
    found = _found(connection, hub_id, None) or {}
    if is_dry_run(request):
        connection.rollback()
    return found


def _is_news(hub_id: UUID, name: str, known: RowMapping | None) -> bool:
    """Whether a widget is new, or the hub's own and not as it is listed; what an operator retired stays retired."""
    if known is None:
        return True
    is_same = known["name"] == name and known["status"] == "active"
    return known["hub_id"] == hub_id and not is_same and (known["status"] == "active" or known["left_out"])


def _register(connection: Connection, request: Request, definition: Definition, known: RowMapping | None) -> None:
    """Register an event type that conflicts with nothing, or its new definition, unless an operator deprecated it."""
    hub_id, needs_approval = request.caller.id, request.resources.policy.approves_event_types
    status = "pending" if needs_approval else "active"
    if known is None:
        manifests.register_type(connection, hub_id, definition, status)
    elif known["hub_id"] != hub_id:
        return  # it is shared as it is
    elif known["status"] == "pending":
        if status == "active" or known["left_out"] or _of_row(known) != definition:
            manifests.register_type(connection, hub_id, definition, status)
    elif known["status"] == "active" or known["left_out"]:
        _define(connection, hub_id, definition, known, needs_approval)


def _define(
    connection: Connection, hub_id: UUID, definition: Definition, known: RowMapping, needs_approval: bool
) -> None:
    """Let `definition` hold for an event type that was approved once, or wait for approval if it is another one."""
    is_same = _of_row(known) == definition
    if needs_approval and not is_same:
        if known["proposal"] is None or Definition(name=definition.name, **known["proposal"]) != definition:
            manifests.propose_type(connection, definition)
    elif not is_same or known["status"] != "active":
        manifests.register_type(connection, hub_id, definition, "active")
    elif known["proposal"] is not None:
        manifests.withdraw_proposal(connection, definition.name)


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
    """In what the schema of `definition` may refuse what that of `row` accepts; nothing if it does not."""
    accepts_anything = {"type": "object"}
    found = narrowings(row["metadata_schema"] or accepts_anything, definition.metadata_schema or accepts_anything)
    told = [f"{one.pointer or '/'}: {one.message}" for one in found[:SHOWN]]
    return "; ".join([*told, "and more"] if len(found) > SHOWN else told)


async def _problem(manifest: dict[str, Any]) -> Problem | None:
    """What is wrong with `manifest` beyond what the contract can say."""
    found = [*_twice(manifest, "event_types", "name"), *_twice(manifest, "widgets", "id")]
    for index, entry in enumerate(manifest["event_types"]):
        where = f"/event_types/{index}/metadata_schema"
        await asyncio.sleep(0)  # a schema takes up to 50 milliseconds: others are served in between
        for fault in check.check(entry["metadata_schema"]) if "metadata_schema" in entry else ():
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
        "received_at": date_times.render(row["received_at"]),
        "event_types": [
            {"version": 1, **entry, "status": _status(types[entry["name"]])} for entry in row["manifest"]["event_types"]
        ],
        "widgets": [{**entry, "status": widgets[UUID(entry["id"])]["status"]} for entry in row["manifest"]["widgets"]],
    }


def _status(row: RowMapping) -> str:
    """The status of an event type as its hub is told it."""
    if row["status"] == "pending" and row["left_out"]:
        return "deprecated"
    return "pending" if row["proposal"] is not None else str(row["status"])
