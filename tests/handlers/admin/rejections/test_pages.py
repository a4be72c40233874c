"""The pages of rejections: what each shows, whatever hubs have sent, and who may do what."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from html import unescape
from uuid import uuid4

import pytest

from db import hubs
from tests.handlers.admin.rejections.rejecting import (
    REJECTED,
    REPLAYS,
    begin,
    ended,
    event,
    reject,
    reject_events,
)
from tests.handlers.conftest import Hub
from tests.page_admins import AdminBrowser, browsing, signed_in, text_of
from tests.service import Service

SCRIPT = "<script>alert(1)</script>"
HOSTILE = f"{SCRIPT}\" onclick='x' {{{{ 7 * 7 }}}} \u202eabc"


def marked(page: str) -> list[str]:
    """The marked parts of a content."""
    return [unescape(text) for text in re.findall(r"<mark[^>]*>(.*?)</mark>", page, re.DOTALL)]


def content(page: str) -> str:
    """The content that a page shows."""
    found = re.search(r"<pre[^>]*>(.*?)</pre>", page, re.DOTALL)
    assert found is not None
    return unescape(re.sub(r"<[^>]*>", "", found[1]))


def listed(browser: AdminBrowser, path: str = REJECTED, **query: str) -> list[str]:
    """The ids of all rejections of a list, page by page."""
    ids: list[str] = []
    parameters: dict[str, str] | None = query
    while path:
        page = browser.get(path, params=parameters)
        assert page.status_code == 200, page.text
        ids += re.findall(r'href="/admin/rejected/([0-9a-f-]{36})"', page.text)
        more = re.search(r'href="([^"]*)" rel="next"', page.text)
        path, parameters = (unescape(more[1]), None) if more else ("", None)
    return ids


def test_nothing_is_rejected(start_service: Callable[..., AbstractContextManager[Service]]) -> None:
    """The page says so; it says the same of replays."""
    with start_service() as service, signed_in(service, "val", "viewer") as browser:
        assert "Nothing is rejected." in text_of(browser.get(REJECTED))
        assert "Nothing has been replayed." in text_of(browser.get(f"{REJECTED}?state=replayed"))
        assert "No rejection is like that." in text_of(browser.get(f"{REJECTED}?code=x"))


def test_rejections_are_counted_by_code(
    start_service: Callable[..., AbstractContextManager[Service]], new_hub: Callable[..., Hub]
) -> None:
    """The most frequent code first, with its hubs, whether it can be mended, and what it means."""
    with start_service() as service, signed_in(service, "val", "viewer") as browser:
        first, second = new_hub(service), new_hub(service)
        reject_events(first, "made.up", 3)
        reject_events(second, "made.up", 1)
        reject(service, second.id, b"{bad", code="malformed_json")
        reject(service, uuid4(), b"x", code="of_another_release")
        rows = re.findall(r"<tr>.*?</tr>", browser.get(REJECTED).text, re.DOTALL)[1:4]
        assert f"4 2 hubs most of {first.name} : 3" in _words(rows[0])
        assert "Register the event type, then replay. What event_type_not_registered means" in _words(rows[0])
        assert 'href="/problems/event_type_not_registered"' in rows[0]
        assert 'href="/admin/rejected?code=event_type_not_registered"' in rows[0]
        assert f"Malformed JSON malformed_json 1 {second.name}" in _words(rows[1])
        assert "Of another release of_another_release 1 a hub that is gone" in _words(rows[2])
        assert 'href="/problems' not in rows[2]


def test_lists_are_filtered_and_paged(hub: Hub, viewer: AdminBrowser, prefix: str) -> None:
    """By each filter, newest first; no page has one twice, and none is left out."""
    ids = reject_events(hub, prefix, 120)
    annotations = reject(hub.service, hub.id, b"{}", kind="annotation", code="invalid_body")
    assert listed(viewer, hub=hub.name) == [*reversed(ids + annotations)]
    assert listed(viewer, event_type=prefix) == [*reversed(ids)]
    assert listed(viewer, hub=hub.name, code="event_type_not_registered", kind="event") == [*reversed(ids)]
    assert listed(viewer, hub=hub.name, kind="annotation") == annotations
    assert listed(viewer, hub=hub.name, state="replayed") == []
    assert "Replay all" not in viewer.get(f"{REJECTED}?event_type={prefix}").text


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("before=x", 400, "is no whole number"),
        ("kind=x", 400, "is not one of event, annotation"),
        ("state=x", 400, "is not one of waiting, replayed"),
        ("code=a&code=b", 400, "comes 2 times"),
        ("code=%ff", 400, "percent-encoded UTF-8"),
        ("code=" + "x" * 201, 400, "the limit is 200"),
        ("code=%00", 400, "Code has a NUL character"),
        ("event_type=%27%20OR%201%3D1", 200, "No rejection is like that."),
        ("hub=hub+of+a+tset", 404, "There is no hub named"),
        ("hub=%00", 400, "Hub has a NUL character"),
    ],
)
def test_a_filter_that_is_none(viewer: AdminBrowser, query: str, status: int, words: str) -> None:
    """400, or 404 with the nearest hubs."""
    page = viewer.get(f"{REJECTED}?{query}")
    assert page.status_code == status
    assert words in text_of(page)


def test_an_unknown_hub_leads_to_the_nearest(hub: Hub, viewer: AdminBrowser) -> None:
    """With the rest of the filter."""
    page = viewer.get(REJECTED, params={"hub": hub.name.upper(), "code": "x"})
    assert page.status_code == 404
    assert f"Rejections of {hub.name}" in text_of(page)
    assert listed(viewer, hub=hub.name) == []


def test_one_rejection_is_shown_with_its_reason(hub: Hub, viewer: AdminBrowser, prefix: str) -> None:
    """All that is known of it, the field marked."""
    answer = hub.batch([{"widget_id": "x"} | {"event_type": prefix}], Idempotency_Key="the key")
    assert answer.status_code == 422
    ((identifier, row),) = [(str(row["id"]), row) for row in hub.rows("rejected_submissions")]
    page = viewer.get(f"{REJECTED}/{identifier}")
    words = text_of(page)
    assert row["error"] in words
    assert f"Hub {hub.name}" in words
    assert "event, item 0 of a batch, counted from 0" in words
    assert "Contract 1.1" in words
    assert "Idempotency-Key the key Kind" in words
    assert "and rejected." in words
    assert "Replay this rejection" not in words
    assert f"interaction-reporting rejected replay --id {identifier}" in words
    assert content(page.text) == f'{{\n  "widget_id": "x",\n  "event_type": "{prefix}"\n}}'


def test_the_field_at_the_pointer_is_marked(hub: Hub, viewer: AdminBrowser, prefix: str) -> None:
    """An absent one is named instead."""
    (there,) = reject_events(hub, prefix, 1)
    assert marked(viewer.get(f"{REJECTED}/{there}").text) == [f'"{prefix}"']
    (absent,) = reject(hub.service, hub.id, b'{"a": 1}', pointer="/b")
    page = viewer.get(f"{REJECTED}/{absent}")
    assert marked(page.text) == []
    assert "Nothing is at /b : the field is absent." in text_of(page)


def test_what_a_hub_sends_stays_text(hub: Hub, viewer: AdminBrowser) -> None:
    """HTML, templates and characters that turn the direction of text, in every column that a hub fills."""
    raw = ('{"a": "' + HOSTILE.replace('"', "'") + '"}').encode()
    columns = {"code": HOSTILE, "error": HOSTILE, "pointer": f"/{HOSTILE}", "event_type": HOSTILE}
    (identifier,) = reject(hub.service, hub.id, raw, **columns)
    for page in (viewer.get(f"{REJECTED}/{identifier}"), viewer.get(REJECTED, params={"hub": hub.name})):
        assert page.status_code == 200
        assert SCRIPT not in page.text
        assert "{{ 7 * 7 }}" in unescape(page.text)
        assert "onclick='x'" not in re.sub(r">[^<]*<", "><", page.text)
    assert listed(viewer, event_type=HOSTILE) == [identifier]
    assert listed(viewer, code=HOSTILE) == [identifier]
    page = viewer.get(f"{REJECTED}/{identifier}")
    assert "\\u202e" in marked(page.text)
    assert "\u202e" not in content(page.text)


def test_bytes_that_are_not_utf_8_are_shown(hub: Hub, viewer: AdminBrowser) -> None:
    """Escaped, marked and counted."""
    (identifier,) = reject(hub.service, hub.id, b"{bad \xff\xfe\x00", code="malformed_json")
    page = viewer.get(f"{REJECTED}/{identifier}")
    assert marked(page.text) == ["\\xff", "\\xfe", "\\u0000"]
    words = text_of(page)
    assert "2 bytes are not UTF-8." in words
    assert "8 bytes, as they were sent" in words
    (one,) = reject(hub.service, hub.id, b"\xff")
    assert "1 byte is not UTF-8." in text_of(viewer.get(f"{REJECTED}/{one}"))


@pytest.mark.parametrize("raw", [b"x" * 1_000_000, b"[" * 60_000, b'{"a":' * 20_000, b"\xff" * 300_000])
def test_large_and_deep_contents_have_a_page(hub: Hub, viewer: AdminBrowser, raw: bytes) -> None:
    """Which is not much larger than a page may be."""
    (identifier,) = reject(hub.service, hub.id, raw, kind="event-batch", pointer="/0/a")
    page = viewer.get(f"{REJECTED}/{identifier}")
    assert page.status_code == 200
    assert f"{len(raw):,} bytes" in text_of(page)
    assert ("This is only its beginning." in text_of(page)) == (len(raw) > 256 * 1024)
    assert "A batch that was refused as a whole is not replayed" in text_of(page)


def test_a_forgotten_rejection_says_by_which_bounds(
    start_service: Callable[..., AbstractContextManager[Service]],
) -> None:
    """404; likewise what is no id. A replay that is unknown has a page of its own."""
    settings = {"IR_REJECTIONS_COUNT": "1234", "IR_REJECTIONS_DAYS": "17", "IR_REJECTIONS_BYTES": "1048576"}
    with start_service(**settings) as service, signed_in(service, "val", "viewer") as browser:
        for identifier in (uuid4(), "x", "%2e%2e", "0" * 40):
            page = browser.get(f"{REJECTED}/{identifier}")
            assert page.status_code == 404
            words = "the newest 1,234 rejections are kept, for 17 days, up to 1,048,576 bytes of content"
            assert words in text_of(page)
            page = browser.get(f"{REPLAYS}/{identifier}")
            assert page.status_code == 404
            assert "Replays are forgotten 90 days after their end." in text_of(page)


def test_a_replayed_rejection_says_as_what_it_is_stored(hub: Hub, editor: AdminBrowser, prefix: str) -> None:
    """An editor replays it from its page; after that there is no button."""
    (identifier,) = reject_events(hub, prefix, 1)
    assert "Replay this rejection" in editor.get(f"{REJECTED}/{identifier}").text
    ended(hub.service, begin(editor, "selected", id=identifier))
    assert "Last tried again" in text_of(editor.get(f"{REJECTED}/{identifier}"))
    hub.manifest([{"name": prefix, "description": "x"}])
    path = begin(editor, "selected", id=identifier)
    ended(hub.service, path)
    (stored,) = hub.rows()
    page = text_of(editor.get(f"{REJECTED}/{identifier}"))
    assert f"it is stored as event {stored['id']} ." in page
    assert "Replay this rejection" not in page
    assert "All are stored." in text_of(editor.get(path))
    assert "again.js" not in editor.get(path).text
    assert listed(editor, hub=hub.name) == []
    assert listed(editor, hub=hub.name, state="replayed") == [identifier]


def test_viewers_see_and_editors_replay(hub: Hub, viewer: AdminBrowser, editor: AdminBrowser, prefix: str) -> None:
    """A viewer has no button, and a form of theirs is refused; a stranger signs in first."""
    (identifier,) = reject_events(hub, prefix, 1)
    path = f"{REJECTED}?event_type={prefix}"
    assert "checkbox" not in viewer.get(path).text
    assert viewer.post(REPLAYS, {"scope": "filter", "event_type": prefix}).status_code == 403
    assert viewer.post(f"{REPLAYS}/{uuid4()}/cancel").status_code == 403
    assert "Replay this one" in text_of(editor.get(path))
    with browsing(hub.service) as stranger:
        for each in (path, f"{REJECTED}/{identifier}", f"{REPLAYS}/{uuid4()}"):
            assert stranger.get(each).status_code == 303
    assert hub.rows() == []


def test_a_reason_that_is_too_long_begins_nothing(hub: Hub, editor: AdminBrowser, prefix: str) -> None:
    """The page comes again, with the filter and what was typed."""
    (identifier,) = reject_events(hub, prefix, 1)
    page = editor.post(REPLAYS, {"scope": "filter", "event_type": prefix, "why": "w" * 2001})
    assert page.status_code == 422
    assert "It has 2001 characters. The limit is 2000." in text_of(page)
    assert f'value="{prefix}"' in page.text
    assert identifier in page.text
    page = editor.post(REPLAYS, {"scope": "filter", "hub": "nobody at all"})
    assert page.status_code == 404


def test_a_hub_of_any_name_is_found_again(new_hub: Callable[..., Hub], viewer: AdminBrowser) -> None:
    """By the filter."""
    name = "a/b ?#%<b>\"' \u202e é"
    hub = new_hub(viewer.service)
    with viewer.service.database.begin() as connection:
        other, _ = hubs.create(connection, name)
    ids = reject(hub.service, other.id, event("x"))
    assert listed(viewer, hub=name) == ids
    assert "<b>" not in viewer.get(REJECTED, params={"hub": name}).text


def _words(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())
