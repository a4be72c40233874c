"""Hub capability manifests: their effect on the registry, and manifests that are refused as a whole."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.sql import SQL

from db import event_types, widgets
from db.errors import Refused
from handlers.hub_capability_manifests import Change, Standing, change_of
from tests.handlers.conftest import BASE, DRY_RUN, JSON, Hub, entry
from tests.postgresql import statement
from tests.service import Service
from tests.waiting import wait_until

PATH = "/hub-capability-manifest"
SCORE = {"type": "object", "properties": {"score": {"type": "integer", "maximum": 10}}}
NARROWER = {"type": "object", "properties": {"score": {"type": "integer", "maximum": 5}}}


@pytest.fixture
def other(newest: Service, new_hub: Callable[..., Hub]) -> Hub:
    """Another hub."""
    return new_hub(newest)


@pytest.fixture
def cautious(
    start_service: Callable[..., AbstractContextManager[Service]], new_hub: Callable[..., Hub]
) -> Iterator[Hub]:
    """A hub of a service that requires an operator's approval of event types."""
    with start_service(IR_MANIFEST_APPROVAL="manual") as service:
        yield new_hub(service)


def approve(hub: Hub, name: str) -> None:
    """Do what an operator does: put the pending or proposed definition in force."""
    change = """
        UPDATE event_type_registry SET status = 'active', proposal = NULL,
            version = coalesce((proposal->>'version')::int, version),
            description = coalesce(proposal->>'description', description),
            metadata_schema = CASE WHEN proposal IS NULL THEN metadata_schema ELSE proposal->'metadata_schema' END
        WHERE name = {}
    """
    statement(hub.service.database_url, SQL(change).format(name))


def test_a_manifest_registers_its_entries_at_once(hub: Hub, name: str, widget: str) -> None:
    """The next request may use the type and the widget; all hubs see them, as their own or another hub's."""
    answer = hub.manifest([entry(name, metadata_schema=SCORE)], [{"id": widget.upper(), "name": "Survey"}])
    assert answer.status_code == 200
    manifest = answer.json()
    assert manifest.pop("received_at")
    assert manifest == {
        "revision": 1,
        "event_types": [entry(name, metadata_schema=SCORE, version=1, status="active")],
        "widgets": [{"id": widget.upper(), "name": "Survey", "status": "active"}],
    }
    assert hub.event(event_type=name, widget_id=widget, metadata={"score": 10}).status_code == 201
    assert hub.get(PATH).json() == answer.json()
    (listed,) = [item for item in hub.items("/event-types") if item["name"] == name]
    assert listed == entry(name, metadata_schema=SCORE, version=1, registered_by="you")
    assert {"id": widget, "name": "Survey"} in hub.items("/widgets")


def test_another_hub_may_use_registered_entries(hub: Hub, other: Hub, name: str, widget: str) -> None:
    """The registry lists the type as another hub's."""
    hub.manifest([entry(name)], [{"id": widget, "name": "Survey"}])
    assert other.event(event_type=name, widget_id=widget).status_code == 201
    assert [item["registered_by"] for item in other.items("/event-types") if item["name"] == name] == ["another hub"]


def test_an_unchanged_manifest_changes_nothing(hub: Hub, name: str) -> None:
    """The revision stays; a changed manifest gets the next one, and each can be read with its entries' status now."""
    first, second = hub.manifest([entry(name)]), hub.manifest([{**entry(name)}])
    assert second.json() == first.json()
    assert hub.manifest([entry(name, description="Better.")]).json()["revision"] == 2
    assert hub.manifest().json()["revision"] == 3
    assert hub.get(PATH, revision=1).json() == first.json() | {
        "event_types": [entry(name, version=1, status="deprecated")]
    }
    assert hub.get(PATH).json()["event_types"] == []
    assert hub.get(PATH, revision=4).status_code == 404
    assert [row["revision"] for row in hub.rows("hub_capability_manifests")] == [1, 2, 3]


def test_a_hub_without_a_manifest_gets_404(hub: Hub) -> None:
    """There is no manifest to return."""
    assert hub.get(PATH).status_code == 404


def test_an_omitted_entry_is_ended_until_it_is_listed_again(hub: Hub, name: str, widget: str) -> None:
    """New events of an omitted entry are refused and stored ones stay; listed again, it is accepted at once."""
    listed = ([entry(name)], [{"id": widget, "name": "Survey"}])
    hub.manifest(*listed)
    stored = hub.event(event_type=name, widget_id=widget).json()["id"]
    hub.manifest()
    wait_until(lambda: hub.event(event_type=name).status_code == 422)
    assert hub.event(widget_id=widget).status_code == 422
    assert name not in {item["name"] for item in hub.items("/event-types")}
    assert widget not in {item["id"] for item in hub.items("/widgets")}
    assert hub.get(f"/interaction-events/{stored}").status_code == 200
    assert hub.manifest(*listed).json()["event_types"][0]["status"] == "active"
    assert hub.event(event_type=name, widget_id=widget).status_code == 201


def test_a_hub_ends_only_its_own_entries(hub: Hub, other: Hub, name: str) -> None:
    """A manifest leaves the entries of other hubs and of the operator active."""
    hub.manifest([entry(name)])
    other.manifest()
    assert hub.event(event_type=name).status_code == 201
    assert other.event().status_code == 201


def test_a_conflict_names_the_owner_of_the_entry(hub: Hub, other: Hub, name: str, widget: str) -> None:
    """409 names every conflict and its owner, and no entry of the manifest is registered."""
    hub.manifest([entry(name)], [{"id": widget, "name": "Survey"}])
    mine = entry(f"{name}.mine")
    conflict = other.manifest(
        [mine, entry(name, description="Mine."), entry("clicked")], [{"id": widget, "name": "Not Survey"}]
    )
    assert conflict.status_code == 409
    assert conflict.json()["error"] == "; ".join(
        [
            f"event type '{name}' is registered by hub '{hub.name}' with another meaning",
            "event type 'clicked' is registered by the framework or an operator with another meaning",
            f"widget '{widget}' is registered by hub '{hub.name}' with another meaning",
        ]
    )
    assert other.get(PATH).status_code == 404
    assert mine["name"] not in {item["name"] for item in hub.items("/event-types")}
    assert [item["description"] for item in hub.items("/event-types") if item["name"] == name] == ["What it means."]


@pytest.mark.parametrize(
    "change",
    [{"description": "Other."}, {"version": 2}, {"metadata_schema": NARROWER}, {"metadata_schema": None}],
    ids=["description", "version", "schema", "no schema"],
)
def test_hubs_share_only_identical_definitions(hub: Hub, other: Hub, name: str, change: dict[str, Any]) -> None:
    """Entries with the same description, version and schema are shared; a difference in one of them is a conflict."""
    same = entry(name, metadata_schema=SCORE)
    hub.manifest([same])
    different = {key: value for key, value in (same | change).items() if value is not None}
    assert other.manifest([different]).status_code == 409
    shared = other.manifest([same])
    assert (shared.status_code, shared.json()["event_types"][0]["status"]) == (200, "active")
    other.manifest()
    assert hub.event(event_type=name, metadata={}).status_code == 201


def test_a_narrower_schema_needs_a_higher_version(hub: Hub, name: str) -> None:
    """409 names the location; a higher version is accepted, and a lower one is refused from then on."""
    hub.manifest([entry(name, metadata_schema=SCORE)])
    conflict = hub.manifest([entry(name, metadata_schema=NARROWER)])
    assert conflict.status_code == 409
    assert conflict.json()["error"].startswith(
        f"the metadata_schema of event type '{name}' may refuse values that it accepted"
    )
    assert "/properties/score/maximum" in conflict.json()["error"]
    assert hub.event(event_type=name, metadata={"score": 10}).status_code == 201
    assert hub.manifest([entry(name, metadata_schema=NARROWER, version=2)]).status_code == 200
    wait_until(lambda: hub.event(event_type=name, metadata={"score": 10}).status_code == 422)
    lowered = hub.manifest([entry(name, metadata_schema=SCORE)])
    assert (lowered.status_code, lowered.json()["error"]) == (409, f"event type '{name}' already has version 2")


def test_a_wider_schema_needs_no_new_version(hub: Hub, name: str) -> None:
    """It is in force at once."""
    hub.manifest([entry(name, metadata_schema=NARROWER)])
    assert hub.event(event_type=name, metadata={"score": 7}).status_code == 422
    assert hub.manifest([entry(name, metadata_schema=SCORE)]).status_code == 200
    wait_until(lambda: hub.event(event_type=name, metadata={"score": 7}).status_code == 201)


def test_a_first_schema_is_narrower_than_none(hub: Hub, name: str) -> None:
    """409 for the first schema of a type that accepted anything."""
    hub.manifest([entry(name)])
    assert hub.manifest([entry(name, metadata_schema=SCORE)]).status_code == 409


@pytest.mark.parametrize("entries", ["event_types", "widgets"])
def test_a_duplicate_entry_is_refused(hub: Hub, name: str, widget: str, entries: str) -> None:
    """422 names the duplicate, even if an id is spelt in another case."""
    types = [entry(name)] * (2 if entries == "event_types" else 1)
    widgets = [{"id": widget, "name": "A"}, {"id": widget.upper(), "name": "A"}][: 2 if entries == "widgets" else 1]
    response = hub.manifest(types, widgets)
    assert response.status_code == 422
    assert response.json()["error"].startswith(f"{entries}/1")
    assert hub.get(PATH).status_code == 404


@pytest.mark.parametrize("bad", ["", "Upper", "1digit", "with space", "x" * 201, "a\n", "é", 5, None])
def test_an_invalid_name_is_refused(hub: Hub, bad: object) -> None:
    """422 names the field."""
    response = hub.manifest([{"name": bad, "description": "x"}])
    assert response.status_code == 422
    assert "name" in response.json()["error"]


def test_a_dry_run_registers_nothing(hub: Hub, name: str, widget: str) -> None:
    """200 with the outcome of a real run, or its error; neither manifest nor registry is changed."""
    listed = ([entry(name)], [{"id": widget, "name": "Survey"}])
    dry = hub.manifest(*listed, headers=DRY_RUN)
    assert (dry.status_code, dry.headers["preference-applied"]) == (200, "dry-run")
    assert (dry.json()["revision"], dry.json()["event_types"][0]["status"]) == (1, "active")
    assert hub.get(PATH).status_code == 404
    assert hub.event(event_type=name).status_code == 422
    assert hub.event(widget_id=widget).status_code == 422
    hub.manifest(*listed)
    assert hub.manifest(headers=DRY_RUN).json()["event_types"] == []
    assert hub.manifest([entry("clicked")], headers=DRY_RUN).status_code == 409
    assert hub.event(event_type=name, widget_id=widget).status_code == 201


# Approval


def test_a_type_waits_for_approval(cautious: Hub) -> None:
    """It is pending, and its events are refused, until an operator approves it; widgets need no approval."""
    hub, name, widget = cautious, "acme.x", str(uuid4())
    answer = hub.manifest([entry(name)], [{"id": widget, "name": "Survey"}])
    assert answer.json()["event_types"][0]["status"] == "pending"
    assert answer.json()["widgets"][0]["status"] == "active"
    assert hub.event(event_type=name).status_code == 422
    assert name not in {item["name"] for item in hub.items("/event-types")}
    assert hub.manifest([entry(name)]).json()["event_types"][0]["status"] == "pending"
    approve(hub, name)
    assert hub.event(event_type=name).status_code == 201
    assert hub.get(PATH).json()["event_types"][0]["status"] == "active"


def test_a_new_definition_waits_while_the_old_one_is_in_force(cautious: Hub) -> None:
    """The old definition applies until the new one is approved; a return to the old one withdraws the new one."""
    hub, name = cautious, "acme.x"
    hub.manifest([entry(name, metadata_schema=SCORE)])
    approve(hub, name)
    changed = hub.manifest([entry(name, metadata_schema=NARROWER, version=2)])
    assert changed.json()["event_types"][0]["status"] == "pending"
    assert hub.event(event_type=name, metadata={"score": 10}).status_code == 201
    assert hub.manifest([entry(name, metadata_schema=SCORE)]).json()["event_types"][0]["status"] == "active"
    hub.manifest([entry(name, metadata_schema=NARROWER, version=2)])
    approve(hub, name)
    wait_until(lambda: hub.event(event_type=name, metadata={"score": 10}).status_code == 422)


def test_a_type_cannot_avoid_approval(cautious: Hub) -> None:
    """Neither by omitting it and listing it again, nor by another definition."""
    hub, name = cautious, "acme.x"
    hub.manifest([entry(name)])
    hub.manifest()
    assert hub.manifest([entry(name)]).json()["event_types"][0]["status"] == "pending"
    assert hub.manifest([entry(name, description="Other.")]).json()["event_types"][0]["status"] == "pending"
    assert hub.event(event_type=name).status_code == 422


def test_a_type_that_an_operator_refused_stays_refused(cautious: Hub) -> None:
    """However it is listed again, until an operator registers it."""
    hub, name = cautious, "acme.x"
    for listed in (entry(name), entry(name), entry(name, description="Other.")):
        hub.manifest([listed])
        with hub.service.database.begin() as connection:
            event_types.deprecate(connection, name)
        assert hub.manifest([listed]).json()["event_types"][0]["status"] == "deprecated"
    assert hub.event(event_type=name).status_code == 422
    with hub.service.database.begin() as connection:
        with pytest.raises(Refused):
            event_types.approve(connection, name)
        event_types.register(connection, name)
    assert hub.event(event_type=name).status_code == 201


def test_a_type_that_an_operator_ended_is_no_longer_pending(cautious: Hub) -> None:
    """The operator ends the proposal for a type together with the type."""
    hub, name = cautious, "acme.x"
    hub.manifest([entry(name)])
    approve(hub, name)
    hub.manifest([entry(name, description="Other.")])
    with hub.service.database.begin() as connection:
        event_types.deprecate(connection, name)
        with pytest.raises(Refused):
            event_types.approve(connection, name)


def test_an_omitted_type_is_no_longer_pending(cautious: Hub) -> None:
    """No operator can approve a type that its hub no longer lists; listed again it waits."""
    hub, name = cautious, "acme.x"
    hub.manifest([entry(name)])
    hub.manifest()
    with hub.service.database.begin() as connection, pytest.raises(Refused):
        event_types.approve(connection, name)
    assert hub.get(PATH, revision=1).json()["event_types"][0]["status"] == "deprecated"
    assert hub.manifest([entry(name)]).json()["event_types"][0]["status"] == "pending"
    with hub.service.database.begin() as connection:
        event_types.approve(connection, name)
    assert hub.event(event_type=name).status_code == 201


def test_an_approved_type_cannot_be_narrowed_by_a_detour(cautious: Hub) -> None:
    """Omitting the type and proposing another definition does not help; the proposal waits, and goes with the type."""
    hub, name = cautious, "acme.x"
    hub.manifest([entry(name, metadata_schema=SCORE, version=5)])
    approve(hub, name)
    hub.manifest()
    changed = hub.manifest([entry(name, metadata_schema=SCORE, version=5, description="Other.")])
    assert changed.json()["event_types"][0]["status"] == "pending"
    assert hub.manifest([entry(name, metadata_schema=NARROWER, version=1)]).status_code == 409
    assert hub.manifest([entry(name, metadata_schema=NARROWER, version=5)]).status_code == 409
    hub.manifest()
    with hub.service.database.begin() as connection, pytest.raises(Refused):
        event_types.approve(connection, name)
    restored = hub.manifest([entry(name, metadata_schema=SCORE, version=5)])
    assert restored.json()["event_types"][0]["status"] == "active"


# Decisions of operators


@pytest.mark.parametrize("is_left_out", [False, True], ids=["listed", "left out"])
def test_an_entry_that_an_operator_ended_stays_ended(hub: Hub, name: str, widget: str, is_left_out: bool) -> None:
    """Whatever a manifest lists, until an operator reverses it; the hub reads the status."""
    listed = [entry(name)], [{"id": widget, "name": "Survey"}]
    hub.manifest(*listed)
    if is_left_out:
        hub.manifest()
    with hub.service.database.begin() as connection:
        event_types.deprecate(connection, name)
        widgets.retire(connection, UUID(widget))
    for listing in (listed, ([], []), listed, ([entry(name, description="Other.")], [{"id": widget, "name": "Other"}])):
        manifest = hub.manifest(*listing).json()
        assert {item["status"] for item in manifest["event_types"] + manifest["widgets"]} <= {"deprecated", "retired"}
    wait_until(lambda: hub.event(event_type=name).status_code == 422)
    with hub.service.database.begin() as connection:
        event_types.register(connection, name)
    assert hub.event(event_type=name).status_code == 201


def test_an_unchanged_manifest_does_not_change_the_registry_revision(hub: Hub, name: str, widget: str) -> None:
    """Numbers in another spelling are equal; values that only Python holds equal (1 and true) are not."""

    def revision() -> int:
        with psycopg.connect(hub.service.database_url) as connection:
            row = connection.execute("SELECT value FROM registry_revision").fetchone()
        assert row
        return int(row[0])

    def listed(values: str) -> Any:
        body = json.dumps({"event_types": [entry(name, metadata_schema=0)], "widgets": [{"id": widget, "name": "x"}]})
        schema = json.dumps({"type": "object", "properties": {"a": {"enum": 0}}}).replace("0", values)
        content = body.replace('"metadata_schema": 0', f'"metadata_schema": {schema}')
        return hub.client.put(BASE + PATH, content=content, headers=JSON)

    assert listed("[1, 100]").json()["revision"] == 1
    before = revision()
    for enum in ("[1, 100]", "[1.0, 1e2]"):
        assert listed(enum).json()["revision"] == 1
    assert revision() == before
    assert listed("[true, 100]").status_code == 409
    assert listed("[true, 1, 100]").json()["revision"] == 2


# Changes by a manifest


@pytest.mark.parametrize("is_same", [True, False])
@pytest.mark.parametrize("standing", Standing)
def test_each_change_respects_the_decisions_of_operators(standing: Standing, is_same: bool) -> None:
    """Without approval nothing waits; with it only approved types become active; ended and foreign types stay."""
    freely, cautiously = (change_of(standing, is_same, needs_approval) for needs_approval in (False, True))
    if standing in (Standing.FOREIGN, Standing.ENDED):
        assert freely is cautiously is Change.KEEP
        return
    assert freely is (Change.WITHDRAW if is_same and standing is Standing.ACTIVE else Change.ACTIVATE)
    if standing in (Standing.ACTIVE, Standing.LEFT_OUT):
        assert cautiously is (freely if is_same else Change.PROPOSE)
    else:
        assert cautiously is (Change.KEEP if is_same and standing is Standing.PENDING else Change.SUBMIT)
