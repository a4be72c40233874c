"""The page of an event type: approving, refusing, deprecating, proposing, and the trial of what is proposed."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from db import event_type_entries, event_types
from db.event_type_entries import Entry
from handlers.admin.registry import trials
from handlers.paths import REGISTRY, registry_path
from tests.examples import EVENT
from tests.handlers.admin.registry.conftest import seen, value_of
from tests.handlers.admin.registry.test_registry import SCHEMA, pend
from tests.handlers.admin.rejections.rejecting import REPLAYS, ended
from tests.handlers.conftest import DRY_RUN, Hub
from tests.handlers.conftest import hub as hub  # noqa: PLC0414 - a fixture
from tests.handlers.conftest import new_hub as new_hub  # noqa: PLC0414 - a fixture
from tests.handlers.conftest import prefix as prefix  # noqa: PLC0414 - a fixture
from tests.page_admins import AUDIT, AdminBrowser, text_of
from tests.service import Service
from tests.waiting import wait_until

NARROWER = {"type": "object", "properties": {"score": {"type": "integer", "maximum": 9}}, "required": ["score"]}


def entry_of(service: Service, name: str) -> Entry:
    """An entry as it is now."""
    with service.database.begin() as connection:
        entry = event_type_entries.get(connection, name)
    assert entry is not None
    return entry


@pytest.fixture
def name(editor: AdminBrowser, prefix: str) -> str:
    """An active event type of the framework."""
    with editor.service.database.begin() as connection:
        event_types.register(connection, f"{prefix}.rated", "Rated.")
    return f"{prefix}.rated"


def tried(hub: Hub, **fields: Any) -> int:
    """The status of an event that is not stored."""
    return hub.post("/interaction-events", EVENT | fields, headers=DRY_RUN).status_code


def proposed(editor: AdminBrowser, name: str, schema: Any, version: int = 1, **more: str) -> Any:
    """The response to a proposed definition."""
    text = schema if isinstance(schema, str) else json.dumps(schema)
    fields = {"description": "Rated again.", "version": str(version), "metadata_schema": text}
    return editor.post(registry_path(name, "propose"), {**fields, "seen": seen(editor, registry_path(name)), **more})


def approved(editor: AdminBrowser, name: str, **more: str) -> Any:
    """The response to an approval of what the page shows now."""
    return editor.post(registry_path(name, "approve"), {"seen": seen(editor, registry_path(name)), **more})


def test_a_pending_type_is_approved(editor: AdminBrowser, hub: Hub, prefix: str) -> None:
    """Its events are accepted from then on; the form of the list leads back there."""
    for number, leads_to in ((1, ""), (2, "yes")):
        name = f"{prefix}.{number}"
        pend(editor.service, hub, name)
        assert hub.event(event_type=name).status_code == 422
        assert "1 event was rejected meanwhile" in text_of(editor.get(registry_path(name)))
        answer = approved(editor, name, list=leads_to)
        assert (answer.status_code, answer.headers["location"]) == (303, REGISTRY if leads_to else registry_path(name))
        assert f"{name} is approved, and in force now." in text_of(editor.get(REGISTRY))
        assert hub.event(event_type=name).status_code == 201


def test_an_approval_replays_what_was_rejected(editor: AdminBrowser, hub: Hub, prefix: str) -> None:
    """If its box is ticked, which it is when the page opens; a refusal with it replays nothing."""
    for name, form, stored in ((f"{prefix}.a", "approve", 1), (f"{prefix}.b", "refuse", 0)):
        pend(editor.service, hub, name)
        assert hub.event(event_type=name).status_code == 422
        page = editor.get(registry_path(name))
        assert 'name="replay" value="yes" checked' in page.text
        fields = {"seen": seen(editor, registry_path(name)), "replay": "yes"}
        answer = editor.post(registry_path(name, form), fields)
        assert answer.headers["location"].startswith(REPLAYS) == bool(stored)
        if stored:
            assert ended(editor.service, answer.headers["location"]).stored == stored
        assert len(hub.items("/interaction-events", event_type=name)) == stored


def test_a_pending_type_is_refused(editor: AdminBrowser, hub: Hub, prefix: str) -> None:
    """It is deprecated, and the next manifest with it does not ask again."""
    name = f"{prefix}.asked"
    pend(editor.service, hub, name)
    answer = editor.post(registry_path(name, "refuse"), {"seen": seen(editor, registry_path(name)), "why": "no"})
    assert answer.status_code == 303
    assert hub.manifest([{"name": name, "description": "Asked for."}]).status_code == 200
    entry = entry_of(editor.service, name)
    assert (entry.status, entry.waits) == ("deprecated", False)


def test_two_editors_at_once(editor: AdminBrowser, hub: Hub, prefix: str) -> None:
    """One approves; the other, with the same page, gets 409, which says who was faster. So does a form sent twice."""
    name = f"{prefix}.both"
    pend(editor.service, hub, name)
    form, token = {"seen": seen(editor, registry_path(name))}, editor.token()
    with ThreadPoolExecutor(4) as threads:
        forms = ["approve", "approve", "refuse", "approve"]
        pages = list(threads.map(lambda each: editor.post(registry_path(name, each), form, token), forms))
    assert sorted(page.status_code for page in pages) == [303, 409, 409, 409]
    late = next(page for page in pages if page.status_code == 409)
    assert "The event type has changed since you opened the page" in text_of(late)
    assert "The last change: " in text_of(late)
    assert "by admin:editor" in text_of(late)
    assert f'href="{registry_path(name)}"' in late.text


def test_a_proposal_that_changed_meanwhile_is_not_approved(editor: AdminBrowser, name: str) -> None:
    """What is approved is what the page has shown."""
    assert proposed(editor, name, SCHEMA, 2).status_code == 303
    state = seen(editor, registry_path(name))
    assert proposed(editor, name, NARROWER, 2).status_code == 303
    assert editor.post(registry_path(name, "approve"), {"seen": state}).status_code == 409
    assert entry_of(editor.service, name).metadata_schema is None


@pytest.mark.parametrize("form", ["approve", "refuse"])
def test_nothing_that_waits_is_409(editor: AdminBrowser, name: str, form: str) -> None:
    """Also with the state of the row."""
    page = editor.post(registry_path(name, form), {"seen": seen(editor, registry_path(name))})
    assert page.status_code == 409
    assert "has nothing that waits for approval" in text_of(page)


@pytest.mark.parametrize("form", ["approve", "refuse", "deprecate", "propose"])
def test_a_form_without_state_changes_nothing(editor: AdminBrowser, name: str, form: str) -> None:
    """409, also for a state that is not ASCII."""
    before = entry_of(editor.service, name)
    for state in ("", "é", "0" * 32):
        fields = {"seen": state, "description": "x", "version": "2", "metadata_schema": ""}
        assert editor.post(registry_path(name, form), fields).status_code == 409
    assert entry_of(editor.service, name) == before


@pytest.mark.parametrize("form", ["approve", "refuse", "deprecate"])
def test_a_reason_has_its_faults(editor: AdminBrowser, hub: Hub, prefix: str, form: str) -> None:
    """422, at the field of the form that was sent."""
    name = f"{prefix}.reason"
    pend(editor.service, hub, name)
    if form == "deprecate":
        approved(editor, name)
    state = seen(editor, registry_path(name))
    page = editor.post(registry_path(name, form), {"seen": state, "why": "x" * 2001})
    assert page.status_code == 422
    assert "It has 2001 characters. The limit is 2000." in text_of(page)
    assert page.text.count('id="why"') == 1
    assert page.text.count('id="why-fault"') == 1


def test_a_type_is_deprecated(editor: AdminBrowser, hub: Hub, name: str) -> None:
    """New events are refused; the page says so, and makes it active again."""
    assert hub.event(event_type=name).status_code == 201
    answer = editor.post(registry_path(name, "deprecate"), {"seen": seen(editor, registry_path(name))})
    assert answer.status_code == 303
    assert f"{name} is deprecated: new events of it are refused." in text_of(editor.get(registry_path(name)))
    wait_until(lambda: tried(hub, event_type=name) == 422)


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ('{"type": "object"', "At the top: this is not JSON"),
        ("nonsense", "this is not JSON"),
        ("[" * 40, "this is not JSON"),
        ('{"type": "object", "type": "object"}', "this is not JSON"),
        ('{"type": "object", "const": "\\u0000"}', "U+0000"),
        ("[]", "metadata is an object"),
        (
            '{"type": "object", "properties": {"a/b": {"typ": "string"}}}',
            "At /properties/a~1b/typ: there is no keyword",
        ),
        ('{"type": "object", "$ref": "http://evil.example"}', "At /$ref: the keyword $ref is not accepted"),
        (json.dumps({"type": "object", "description": "x" * 17000}), "larger than 16384 bytes"),
        (json.dumps({"type": "object", "minProperties": 3, "maxProperties": 2}), "nothing satisfies both"),
    ],
)
def test_a_schema_that_is_not_accepted_has_its_reason(editor: AdminBrowser, name: str, schema: str, words: str) -> None:
    """422 at the field, with the place in the schema; what was typed stays."""
    page = proposed(editor, name, schema, 2)
    assert page.status_code == 422
    assert words in text_of(page)
    assert 'id="metadata_schema-fault"' in page.text
    assert value_of(page.text, "metadata_schema") == schema
    assert entry_of(editor.service, name).proposal is None


def test_a_narrower_schema_needs_a_higher_version(editor: AdminBrowser, name: str) -> None:
    """With the version of now it is 422 with the place; with a higher one it waits."""
    page = proposed(editor, name, SCHEMA)
    assert page.status_code == 422
    assert "Such a schema needs a version above 1." in text_of(page)
    assert "At /required: metadata/score is now required." in text_of(page)
    assert proposed(editor, name, SCHEMA, 2).status_code == 303
    entry = entry_of(editor.service, name)
    assert entry.proposal == {"description": "Rated again.", "version": 2, "metadata_schema": SCHEMA}
    assert (entry.metadata_schema, entry.version, entry.status) == (None, 1, "active")


@pytest.mark.parametrize(
    ("version", "words"),
    [("0", "Enter a whole number from 1"), ("x", "Enter a whole number"), ("", "Enter a version from 1 on."),
     ("2147483648", "Enter a whole number"), ("²", "Enter a whole number")],
)  # fmt: skip
def test_a_version_has_its_limits(editor: AdminBrowser, name: str, version: str, words: str) -> None:
    """422 at the field."""
    fields = {"description": "", "version": version, "metadata_schema": "", "seen": seen(editor, registry_path(name))}
    page = editor.post(registry_path(name, "propose"), fields)
    assert page.status_code == 422
    assert words in text_of(page)


def test_the_same_definition_is_no_proposal(editor: AdminBrowser, name: str) -> None:
    """422, also for that which waits."""
    page = proposed(editor, name, "", description="Rated.")
    assert page.status_code == 422
    assert "is defined like this already" in text_of(page)
    assert proposed(editor, name, SCHEMA, 2).status_code == 303
    assert proposed(editor, name, SCHEMA, 2).status_code == 422


def test_a_type_of_a_hub_is_defined_by_its_manifest(editor: AdminBrowser, hub: Hub, prefix: str) -> None:
    """The page has no form for it, and a forged one gets 422."""
    pend(editor.service, hub, f"{prefix}.own", status="active")
    page = editor.get(registry_path(f"{prefix}.own"))
    assert "ask that hub for another definition" in text_of(page)
    assert 'name="metadata_schema"' not in page.text
    assert f"Registered by a manifest of {hub.name}" in text_of(page)
    assert f'href="/admin/hub/manifests/{hub.name.replace(" ", "%20")}"' in page.text
    page = proposed(editor, f"{prefix}.own", SCHEMA, 2)
    assert page.status_code == 422
    assert entry_of(editor.service, f"{prefix}.own").proposal is None


def test_the_audit_log_leads_to_the_manifests_of_a_hub(editor: AdminBrowser, hub: Hub, name: str, prefix: str) -> None:
    """It has no change of a type that a hub registered; of others it says so without a name."""
    pend(editor.service, hub, f"{prefix}.own", status="active")
    page = editor.get(f"{AUDIT}?kind=event+type&subject={prefix}.own")
    assert f"The manifest of {hub.name} registered this event type." in text_of(page)
    assert f'href="/admin/hub/manifests/{hub.name.replace(" ", "%20")}"' in page.text
    page = editor.get(f"{AUDIT}?kind=event+type&subject={prefix}.none")
    assert "No change is like that. What hubs register in their manifests is not here" in text_of(page)
    assert "manifest" not in text_of(editor.get(f"{AUDIT}?kind=event+type&subject={name}"))


def test_a_proposal_shows_what_would_newly_fail(editor: AdminBrowser, hub: Hub, name: str) -> None:
    """How many of the last events, and the first ones with their reason; what failed before does not count."""
    bad = [{"score": 12}, {"score": "high"}, {}]
    for metadata in [{"score": 3}, *bad]:
        assert hub.event(event_type=name, metadata=metadata).status_code == 201
    assert hub.event(event_type="clicked", metadata={"score": 99}).status_code == 201
    proposed(editor, name, NARROWER, 2)
    words = text_of(editor.get(registry_path(name)))
    assert "3 of the last 4 stored events of this type would newly fail." in words
    assert "metadata/score is above 9" in words
    assert words.count(hub.name) >= 3
    assert approved(editor, name).status_code == 303
    wait_until(lambda: tried(hub, event_type=name, metadata={"score": 12}) == 422)
    wider = {**NARROWER, "properties": {"score": {"type": "integer", "maximum": 10}}}
    proposed(editor, name, wider, 3)
    words = text_of(editor.get(registry_path(name)))
    assert "Nothing would newly fail: the last 4 stored events" in words


def test_a_trial_is_bounded(editor: AdminBrowser, hub: Hub, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In events, in those that are shown, and in time."""
    monkeypatch.setattr(trials, "EVENTS", 5)
    monkeypatch.setattr(trials, "FIRST", 2)
    monkeypatch.setattr(trials, "_TOGETHER", 2)
    for _ in range(7):
        hub.event(event_type=name)
    proposed(editor, name, SCHEMA, 2)
    page = editor.get(registry_path(name))
    assert "5 of the last 5 stored events" in text_of(page)
    assert page.text.count('data-label="Received"') == 2
    monkeypatch.setattr(trials, "SECONDS", 0.0)
    words = text_of(editor.get(registry_path(name)))
    assert "The trial was ended early" in words


def test_a_refused_proposal_changes_nothing(editor: AdminBrowser, name: str) -> None:
    """The definition in force stays."""
    proposed(editor, name, SCHEMA, 2)
    answer = editor.post(registry_path(name, "refuse"), {"seen": seen(editor, registry_path(name))})
    assert answer.status_code == 303
    entry = entry_of(editor.service, name)
    assert (entry.status, entry.version, entry.metadata_schema, entry.proposal) == ("active", 1, None, None)


@pytest.mark.parametrize("path", ["clickedd", "%ed%a0%80", "", "x" * 201, "%E2%80%AEgpj", "?name=.", "a%2Fb%2F.."])
def test_an_unknown_name_leads_on(editor: AdminBrowser, path: str) -> None:
    """404 with the nearest names and the list; the form of such a name, too."""
    page = editor.get(f"{REGISTRY}/{path}")
    assert page.status_code == 404
    assert f'href="{REGISTRY}"' in page.text
    if path == "clickedd":
        assert f'href="{REGISTRY}/clicked"' in page.text
        assert f'href="{REGISTRY}?event_type=clickedd"' in page.text
    if "?" not in path and ".." not in path:
        assert editor.post(f"{REGISTRY}/{path}/approve", {"seen": "x"}).status_code == 404


def test_a_viewer_sees_and_changes_nothing(viewer: AdminBrowser, editor: AdminBrowser, name: str) -> None:
    """The page has no forms but that of signing out; each form that is sent gets 403."""
    proposed(editor, name, SCHEMA, 2)
    page = viewer.get(registry_path(name))
    assert page.status_code == 200
    assert page.text.count("<form") == 1
    assert "You have the role viewer." in text_of(page)
    before, token = entry_of(editor.service, name), viewer.token()
    for form in ("approve", "refuse", "deprecate", "propose"):
        fields = {"seen": seen(editor, registry_path(name)), "version": "3"}
        assert viewer.post(registry_path(name, form), fields, token).status_code == 403
    assert viewer.post(REGISTRY, {"name": "of.a.viewer"}, token).status_code == 403
    assert entry_of(editor.service, name) == before
