"""The page of the Type Registry: what waits, what hubs tried, the search, and the form that registers a type."""

from collections.abc import Callable
from urllib.parse import quote

import pytest
from sqlalchemy import insert, update

from db import audit, event_types
from db.tables import event_type_registry as registry
from handlers.paths import REGISTRY, registry_path
from tests.handlers.admin.registry.conftest import seen, value_of
from tests.handlers.admin.rejections.rejecting import REPLAYS, ended
from tests.handlers.conftest import Hub
from tests.handlers.conftest import hub as hub  # noqa: PLC0414 - a fixture
from tests.handlers.conftest import new_hub as new_hub  # noqa: PLC0414 - a fixture
from tests.handlers.conftest import prefix as prefix  # noqa: PLC0414 - a fixture
from tests.page_admins import AdminBrowser, text_of
from tests.service import Service
from tests.waiting import wait_until

HOSTILE = (
    "a/b",
    "/",
    "x/approve",
    "?#%",
    "%2F",
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "{{7*7}}",
    "two words",
    ".",
    "..",
    "x" * 200,
    "\U0001f600",
)
SCHEMA = {"type": "object", "properties": {"score": {"type": "integer"}}, "required": ["score"]}


def status_of(service: Service, name: str) -> str | None:
    """The status of an event type; None if it is not registered."""
    with service.database.begin() as connection:
        entries = {entry.name: entry.status for entry in event_types.list_all(connection)}
    return entries.get(name)


def pend(service: Service, hub: Hub, name: str, **values: object) -> None:
    """Let an event type of a hub wait for approval."""
    with service.database.begin() as connection:
        audit.leave_out(connection)
        row = {"name": name, "status": "pending", "hub_id": hub.id, "description": "Asked for."}
        connection.execute(insert(registry).values(row | values))


def test_a_refused_name_opens_filled_in(editor: AdminBrowser, hub: Hub, prefix: str) -> None:
    """It says how often and by which hubs, offers the nearest name, and ticks the replay."""
    for _ in range(3):
        assert hub.event(event_type=f"{prefix}.started").status_code == 422
    page = editor.get(f"{REGISTRY}?event_type={prefix}.started")
    assert page.status_code == 200
    assert f"no event type has this name: {hub.name} (3 times). 3 rejections are kept" in text_of(page)
    assert value_of(page.text, "name") == f"{prefix}.started"
    assert 'name="replay" value="yes" checked' in page.text
    # The hubs that were refused lately are found by their counts, which are written each second.
    wait_until(lambda: f"{prefix}.started {hub.name} (3 times)" in text_of(editor.get(REGISTRY)))


def test_a_name_that_was_never_sent_opens_filled_in(editor: AdminBrowser) -> None:
    """There is nothing to replay, so that no box asks; a similar type is named."""
    page = editor.get(f"{REGISTRY}?event_type=clickedd")
    assert "No hub has sent it lately" in text_of(page)
    assert 'name="replay"' not in page.text
    assert f'href="{REGISTRY}/clicked"' in page.text


def test_registering_replays_what_was_rejected(editor: AdminBrowser, hub: Hub, prefix: str) -> None:
    """The events are stored under the type, and the note says how many; a second form does nothing."""
    name = f"{prefix}.started"
    assert hub.event(event_type=name).status_code == 422
    assert hub.batch([{"event_type": name, "widget_id": "x"}, {"event_type": name}]).status_code == 422
    fields = {"name": name, "description": "A start.", "why": "asked by mail", "replay": "yes"}
    answer = editor.post(REGISTRY, fields)
    job = answer.headers["location"]
    assert job.startswith(REPLAYS)
    words = text_of(editor.get(job))
    assert "is registered. Hubs may send events of it now. What was rejected for it is being replayed." in words
    replay = ended(editor.service, job)
    assert (replay.stored, replay.rejected) == (1, 2)
    assert [event["event_type"] for event in hub.items("/interaction-events")] == [name]
    assert hub.event(event_type=name).status_code == 201
    with editor.service.database.begin() as connection:
        (entry,) = audit.entries(connection, 9, None, {"kind": "event type", "subject": name})
    assert (entry.action, entry.why, entry.actor[:6]) == ("register", "asked by mail", "admin:")
    again = editor.post(REGISTRY, fields)
    assert again.status_code == 422
    assert "is already registered and active" in text_of(again)
    assert len(hub.items("/interaction-events")) == 2


def test_without_the_box_nothing_is_replayed(editor: AdminBrowser, hub: Hub, prefix: str) -> None:
    """And with it the page says so if nothing waits."""
    hub.event(event_type=f"{prefix}.b")
    editor.post(REGISTRY, {"name": f"{prefix}.b"})
    assert "replayed" not in text_of(editor.get(REGISTRY)).split("What waits")[0]
    answer = editor.post(REGISTRY, {"name": f"{prefix}.c", "replay": "yes"})
    assert answer.headers["location"] == registry_path(f"{prefix}.c")
    assert "Nothing that was rejected with this name waits." in text_of(editor.get(REGISTRY))
    assert hub.items("/interaction-events") == []


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_registered_and_found_again(editor: AdminBrowser, name: str) -> None:
    """By the links of the list and of the refused name, whatever it has; its forms work."""
    answer = editor.post(REGISTRY, {"name": name, "description": name})
    assert answer.status_code == 303
    path = answer.headers["location"]
    page = editor.get(path)
    assert page.status_code == 200
    assert f"{name} is registered." in text_of(page) or "<" in name
    assert "<script>alert" not in page.text
    assert "<img src=x" not in page.text
    assert f'href="{path}"' in editor.get(f"{REGISTRY}?q={quote(name, safe='')}").text
    assert f'href="{path}"' in editor.get(f"{REGISTRY}?event_type={quote(name, safe='')}").text
    assert editor.post(registry_path(name, "deprecate"), {"seen": seen(editor, path)}).status_code == 303
    assert status_of(editor.service, name) == "deprecated"
    assert editor.post(REGISTRY, {"name": name, "seen": seen(editor, path)}).status_code == 303
    assert status_of(editor.service, name) == "active"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": ""}, "Enter the name of the event type."),
        ({"name": "x" * 201}, "It has 201 characters. The limit is 200."),
        ({"name": "pay\u202eload"}, "It has a character that cannot be printed."),
        ({"name": "nul\0"}, "It has a character that cannot be printed."),
        ({"name": "two.faults", "description": "x" * 2001}, "It has 2001 characters. The limit is 2000."),
        ({"name": "clicked"}, "is already registered and active"),
        ({"name": "two.faults", "why": "a\0b"}, "It has a NUL character."),
    ],
)
def test_a_fault_stands_at_its_field(editor: AdminBrowser, fields: dict[str, str], words: str) -> None:
    """422, with what was typed; nothing is registered."""
    page = editor.post(REGISTRY, fields)
    assert page.status_code == 422
    assert words in text_of(page)
    assert "This is not right yet. Nothing was changed." in text_of(page)
    assert value_of(page.text, "name") == fields["name"].replace("\0", "\N{REPLACEMENT CHARACTER}")
    assert status_of(editor.service, "two.faults") is None


def test_a_pending_name_is_not_registered(editor: AdminBrowser, hub: Hub, prefix: str) -> None:
    """It is approved on its page, to which the form leads."""
    pend(editor.service, hub, f"{prefix}.waits")
    page = editor.post(REGISTRY, {"name": f"{prefix}.waits"})
    assert page.status_code == 422
    assert "waits for approval: approve it" in text_of(page)
    page = editor.get(f"{REGISTRY}?event_type={prefix}.waits")
    assert "is known" in text_of(page)
    assert f'href="{registry_path(prefix + ".waits")}"' in page.text


def test_what_waits_is_on_top(editor: AdminBrowser, viewer: AdminBrowser, hub: Hub, prefix: str) -> None:
    """With its schema, its hub, and how much was rejected meanwhile; only an editor has the buttons."""
    name = f" {prefix}"  # before all others
    pend(editor.service, hub, name, metadata_schema=SCHEMA, version=3)
    for _ in range(2):
        hub.event(event_type=name)
    page = editor.get(REGISTRY)
    words = text_of(page)
    assert f"{hub.name} asks for it, in version 3. 2 events were rejected meanwhile, and can be replayed." in words
    assert "&#34;score&#34;" in page.text
    approve = f'action="{registry_path(name, "approve")}"'
    assert approve in page.text
    assert f'action="{registry_path(name, "refuse")}"' in page.text
    shown = viewer.get(REGISTRY).text
    assert hub.name in shown
    assert approve not in shown
    assert "Register the event type" not in shown
    with editor.service.database.begin() as connection:
        connection.execute(update(registry).where(registry.c.name == name).values(left_out=True))
    assert approve not in editor.get(REGISTRY).text


def test_the_list_is_searched_and_filtered(editor: AdminBrowser, new_hub: Callable[..., Hub], prefix: str) -> None:
    """By a part of the name, status, framework and hub, each with the others."""
    one, other = new_hub(editor.service), new_hub(editor.service)
    pend(editor.service, one, f"{prefix}.one", status="active", proposal={"description": "", "version": 2})
    pend(editor.service, one, f"{prefix}.Two")
    pend(editor.service, other, f"{prefix}.three", status="deprecated")
    editor.post(REGISTRY, {"name": f"{prefix}.four"})
    found = {
        "": "Two four one three",
        "&q=Two": "Two",
        "&status=active": "four one",
        "&status=pending": "Two",
        "&status=waiting": "Two one",
        "&origin=framework": "four",
        f"&hub={quote(one.name)}": "Two one",
        f"&hub={quote(one.name)}&status=active": "one",
        f"&hub={quote(other.name)}&status=waiting": "",
        f"&hub={quote(other.name)}&origin=framework": "",
        "&hub=nobody": "",
    }
    for query, expected in found.items():
        text = query if "q=" in query else f"&q={prefix}{query}"
        page = editor.get(f"{REGISTRY}?{text[1:]}")
        names = [name for name in ("Two", "four", "one", "three") if registry_path(f"{prefix}.{name}") in page.text]
        assert " ".join(names) == expected, query
        if not expected:
            assert "No event type is like that." in text_of(page)


def test_pages_have_each_name_once(editor: AdminBrowser, prefix: str) -> None:
    """50 to a page; each page leads to the next."""
    with editor.service.database.begin() as connection:
        connection.execute(insert(registry), [{"name": f"{prefix}.{number:03}"} for number in range(70)])
    first = editor.get(f"{REGISTRY}?q={prefix}")
    more = first.text.split('rel="next"')[0].rpartition('href="')[2].split('"')[0].replace("&amp;", "&")
    second = editor.get(more)
    for number in range(70):
        link = f'href="{registry_path(f"{prefix}.{number:03}")}"'
        assert (link in first.text) == (number < 50)
        assert (link in second.text) == (number >= 50)
    assert 'rel="next"' not in second.text


@pytest.mark.parametrize(
    "query",
    [
        "status=x",
        "origin=hub",
        "hub=%00",
        "event_type=%00",
        "event_type=a&event_type=b",
        f"event_type={'x' * 201}",
        "q=%ff",
        "cursor=x",
    ],
)
def test_an_unreadable_filter_is_400(editor: AdminBrowser, query: str) -> None:
    """It names the parameter."""
    page = editor.get(f"{REGISTRY}?{query}")
    assert page.status_code == 400
    assert query.partition("=")[0] in text_of(page).lower()


def test_a_deprecated_name_is_made_active_on_its_page_alone(editor: AdminBrowser, prefix: str) -> None:
    """A form without the state of its row changes nothing, nor does one that is stale."""
    name = f"{prefix}.old"
    for state in ("active", "deprecated"):
        with editor.service.database.begin() as connection:
            if state == "active":
                event_types.register(connection, name)
            else:
                event_types.deprecate(connection, name)
    page = editor.post(REGISTRY, {"name": name})
    assert page.status_code == 422
    assert "is deprecated: make it active again on its page" in text_of(page)
    page = editor.post(REGISTRY, {"name": name, "seen": "0" * 32})
    assert page.status_code == 409
    assert status_of(editor.service, name) == "deprecated"
