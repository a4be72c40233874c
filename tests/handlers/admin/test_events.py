"""Looking for events, and the first page."""

import re
from collections.abc import Iterator

import pytest

from db import hubs
from tests.examples import EVENT
from tests.page_admins import AdminBrowser, signed_in, text_of
from tests.service import Service
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def viewer(newest: Service) -> Iterator[AdminBrowser]:
    """A viewer who is signed in."""
    with signed_in(newest, "a viewer of events", "viewer") as browser:
        yield browser


def test_an_event_is_found_by_its_hub_and_its_id(viewer: AdminBrowser) -> None:
    """Its page has what was sent."""
    with viewer.service.client() as client:
        event = client.post("/api/v1/interaction-events", json=EVENT | {"metadata": {"step": "</pre><b>3"}}).json()
    with viewer.service.database.begin() as connection:
        hub = hubs.of_key(connection, viewer.service.key)
    assert hub is not None
    page = viewer.get("/admin/events", params={"hub": hub.name})
    assert f'href="/admin/events/{event["id"]}"' in page.text
    answer = viewer.get("/admin/events", params={"id": event["id"]})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/admin/events/{event['id']}")
    shown = viewer.get(f"/admin/events/{event['id']}")
    assert '"step": "</pre><b>3"' in text_of(shown) or "&lt;/pre&gt;&lt;b&gt;3" in shown.text
    assert "<b>3" not in shown.text


def test_a_time_without_an_event_leads_to_the_rejections_of_the_hub(viewer: AdminBrowser) -> None:
    """Its name is quoted in the link."""
    with viewer.service.database.begin() as connection:
        hubs.create(connection, "quiet & calm")
    page = viewer.get("/admin/events", params={"hub": "quiet & calm"})
    (path,) = re.findall(r'href="(/admin/rejected[?]hub=[^"]*)"', page.text)
    assert 'value="quiet &amp; calm"' in viewer.get(path).text


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/admin/events?id=x", 400, "id is no UUID"),
        ("/admin/events/x", 400, "id is no UUID"),
        ("/admin/events?hub=x&since=yesterday", 400, "since is no date and time"),
        ("/admin/events?hub=x&until=2026-13-01T00:00", 400, "until is no date and time"),
        ("/admin/events?hub=x&before=-1", 404, "There is no hub named 'x'"),
        ("/admin/events?hub=no%00hub", 400, "hub has a NUL character"),
        ("/admin/events/8e03978e-40d5-43e8-bc93-6894a57f9324", 404, "All stored events were searched."),
        ("/admin?period=year", 400, "period is not one of hour, day, two-days"),
    ],
)
def test_what_cannot_be_found(viewer: AdminBrowser, path: str, status: int, words: str) -> None:
    """Says why, and leads on."""
    page = viewer.get(path)
    assert (page.status_code, words.lower() in text_of(page).lower()) == (status, True)


def test_the_first_page_counts_what_came_in(viewer: AdminBrowser) -> None:
    """By minute, within a second or two, and by version."""
    with viewer.service.client() as client:
        assert client.post("/api/v1/interaction-events", json=EVENT).status_code == 201
        assert client.post("/api/v1/interaction-events", json=EVENT | {"event_type": "unheard"}).status_code == 422

    def counted() -> bool:
        words = text_of(viewer.get("/admin"))
        return "Rejected 0" not in words and "Created 0" not in words and "ms" in words.partition("took at most")[2]

    wait_until(counted)
    assert "v2" in text_of(viewer.get("/admin?period=day"))
