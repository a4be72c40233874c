"""What was rejected of a hub, on its own pages: nothing of others, and a replay."""

import re

import pytest

from db import hubs
from tests.handlers.admin.rejections.rejecting import reject, reject_events
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
        assert f'<mark class="field">&#34;{prefix}&#34;</mark>' in one.text
        with signed_in(hub.service, f"{prefix} registers", "editor") as editor:
            assert editor.post("/admin/event-types", {"name": prefix}).status_code == 303
        assert client.post("/hub/replay", data={"token": token_in(page), "all": "yes"}).status_code == 303
        wait_until(lambda: "Nothing is rejected." in text_of(client.get("/hub")))
        assert len(hub.service.events("event_type = %s", prefix)) == 3
        again = client.post("/hub/replay", data={"token": token_in(page), "all": "yes"})
        assert again.status_code == 303
        assert "less than a minute ago" in text_of(client.get("/hub"))


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
