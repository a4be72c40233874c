"""What was rejected of a hub, on its own pages: nothing of others, and a replay."""

import re
from uuid import UUID

import pytest

from db import hubs
from tests.handlers.admin.rejections.rejecting import begin, ended, reject, reject_events
from tests.handlers.conftest import Hub
from tests.handlers.hub.browsers import new_hub, sign_in, token_in, visitor
from tests.page_admins import signed_in, text_of
from tests.service import Service
from tests.waiting import wait_until


def key_of(hub: Hub) -> str:
    """A new key of a hub."""
    with hub.service.database.begin() as connection:
        return hubs.rotate_key(connection, hub.name)[1]


def test_a_hub_sees_and_replays_what_was_rejected(hub: Hub, prefix: str) -> None:
    """The field at fault is marked; once the type is registered, all are stored, once."""
    ids = reject_events(hub, prefix, 3)
    with visitor(hub.service) as client:
        sign_in(client, key_of(hub))
        page = client.get("/hub")
        assert all(f'href="/hub/rejected/{identifier}"' in page.text for identifier in ids)
        one = client.get(f"/hub/rejected/{ids[0]}")
        assert f"<mark>&#34;{prefix}&#34;</mark>" in one.text
        with signed_in(hub.service, f"{prefix} registers", "editor") as editor:
            assert editor.post("/admin/event-types", {"name": prefix}).status_code == 303
        assert client.post("/hub/replay", data={"token": token_in(page), "all": "yes"}).status_code == 303
        wait_until(lambda: "Nothing is rejected." in text_of(client.get("/hub")))
        assert len(hub.service.events("event_type = %s", prefix)) == 3
        again = client.post("/hub/replay", data={"token": token_in(page), "all": "yes"})
        assert again.status_code == 303
        assert "less than a minute ago" in text_of(client.get("/hub"))


def test_a_replay_says_what_became_of_each(hub: Hub, prefix: str) -> None:
    """The id that each is stored under, that it counts again, and how long another replay waits."""
    (identifier,) = reject_events(hub, prefix, 1)
    with visitor(hub.service) as client:
        sign_in(client, key_of(hub))
        page = client.get("/hub")
        assert "Your hub may begin one replay a minute." in text_of(page)
        with signed_in(hub.service, f"{prefix} registers", "editor") as editor:
            assert editor.post("/admin/event-types", {"name": prefix}).status_code == 303
        client.post("/hub/replay", data={"token": token_in(page), "id": identifier})
        wait_until(lambda: "Stored as" in text_of(client.get("/hub")))
        (stored,) = hub.rows()
        reject_events(hub, prefix, 1)
        page = client.get("/hub")
        assert f'href="/hub/rejected/{identifier}"' in page.text
        assert f"<code>{stored['id']}</code>" in page.text
        assert re.search(r"\d{2}:\d{2}:\d{2} UTC</time>", page.text)
        assert not re.search(r"\d{2}:\d{2}:\d{2}</time>", page.text)
        words = text_of(page)
        assert "What a replay stores is counted again, as created." in words
        assert "by your hub" in words
        assert "Your hub may begin one replay a minute, the next one from" in words


def test_replays_of_operators_are_shown(hub: Hub, prefix: str) -> None:
    """Of the hub alone with their counts, others by what they have stored; no operator is named."""
    ids = reject_events(hub, prefix, 2)
    with visitor(hub.service) as client, signed_in(hub.service, f"{prefix} operates", "editor") as editor:
        sign_in(client, key_of(hub))
        assert editor.post("/admin/event-types", {"name": prefix}).status_code == 303
        ended(hub.service, begin(editor, "selected", id=ids[0]))
        words = text_of(client.get("/hub"))
        (stored,) = hub.rows()
        assert stored["id"] in map(UUID, re.findall(r"[0-9a-f-]{36}", words))
        assert "by an operator" not in words
        ended(hub.service, begin(editor, "filter", hub=hub.name))
        words = text_of(client.get("/hub"))
        assert "by an operator" in words
        assert f"{prefix} operates" not in words
        assert all(str(row["id"]) in words for row in hub.rows())
        assert "the next one from" not in words


def test_nothing_of_another_hub(hub: Hub, newest: Service, prefix: str) -> None:
    """Neither its list, nor a rejection by its id, nor a replay of it."""
    (other,) = reject_events(hub, prefix, 1)
    with visitor(newest) as client:
        sign_in(client, new_hub(newest, f"{prefix} elsewhere"))
        page = client.get("/hub")
        assert prefix not in re.sub(f"{prefix} elsewhere", "", page.text)
        assert client.get(f"/hub/rejected/{other}").status_code == 404
        client.post("/hub/replay", data={"token": token_in(page), "id": other})
        assert "No rejection like that waits" in text_of(client.get("/hub"))


@pytest.mark.parametrize("identifier", ["nothing", "%00", "00000000-0000-0000-0000-000000000000"])
def test_an_unknown_rejection(hub: Hub, identifier: str) -> None:
    """404, with the way back; without a tick nothing is replayed."""
    reject(hub.service, hub.id, b"{}")
    with visitor(hub.service) as client:
        sign_in(client, key_of(hub))
        page = client.get(f"/hub/rejected/{identifier}")
        assert page.status_code == 404
        assert 'href="/hub"' in page.text
        client.post("/hub/replay", data={"token": token_in(client.get("/hub"))})
        assert "Tick what you want to replay." in text_of(client.get("/hub"))
