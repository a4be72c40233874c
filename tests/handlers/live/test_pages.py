"""The page of the live tail: complete without a script, and followed by one in a real browser."""

import re
from collections.abc import Callable, Iterator
from uuid import UUID

import httpx
import psycopg
import pytest
from playwright.sync_api import Browser

from handlers.live.page import LIVE, ROWS
from tests.handlers.live.viewers import until, watching
from tests.live_submissions import annotate, reject, report
from tests.page_admins import AdminBrowser, signed_in
from tests.page_browser import chromium, look
from tests.service import Service

HOSTILE = "<img src=x onerror=alert(1)>\N{RIGHT-TO-LEFT OVERRIDE}{{7*7}}\"'</pre><script>alert(1)</script>"
MILLISECONDS = 15_000


def link_in(page: httpx.Response, words: str) -> str:
    """The path of the first link with these words."""
    found = re.search(f'<a href="([^"]+)">{words}</a>', page.text)
    assert found is not None
    return found[1]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all pages."""
    with chromium() as each:
        yield each


@pytest.fixture(scope="module")
def viewer(live: Service) -> Iterator[AdminBrowser]:
    """An admin who is signed in."""
    with signed_in(live, "a viewer", "viewer") as each:
        yield each


def test_without_a_script_the_newest_rows_lead_to_newer_ones(viewer: AdminBrowser, writer: psycopg.Connection) -> None:
    """A hundred of them, the newest first."""
    report(writer, UUID(int=3), "earlier")
    report(writer, UUID(int=3), "later", count=ROWS)
    page = viewer.get(LIVE)
    assert page.status_code == 200
    assert page.headers["cache-control"] == "no-store"
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert (page.text.count("<code>later</code>"), "<code>earlier</code>" in page.text) == (ROWS, False)
    newer = page.text.split('href="/admin/live?')[1].split('"')[0].replace("&amp;", "&")
    reject(writer, UUID(int=3), raw=b"not json at all")
    after = viewer.get(LIVE + f"?{newer}")
    assert after.text.count('<details class="submission">') == 3  # the row, and the two that the script copies
    assert "not json at all" in after.text
    assert "it is empty" in after.text
    assert "Times are in UTC." in after.text
    assert '<label for="hub">Hub (whole name)</label>' in after.text
    assert viewer.get(link_in(after, "All of this rejection")).status_code == 200
    assert viewer.get(link_in(page, "All of this event")).status_code == 200
    assert after.text.count("All of this rejection") == 2  # the row, and the one that the script copies


def test_an_annotation_has_no_page_to_lead_to(viewer: AdminBrowser, writer: psycopg.Connection) -> None:
    """It is there itself."""
    annotate(writer, UUID(int=3))
    page = viewer.get(LIVE + "?outcome=accepted")
    (row,) = re.findall(r'<details class="submission">.*?</details>', page.text, re.DOTALL)[:1]
    assert "Much clearer." in row
    assert "<a " not in row


def test_the_page_keeps_the_filters(viewer: AdminBrowser, writer: psycopg.Connection) -> None:
    """In the form, in the link and for the stream."""
    report(writer, UUID(int=3), "kept & found")
    report(writer, UUID(int=3), "left")
    page = viewer.get(LIVE + "?not_type=left&event_type=kept+%26+found")
    assert "<code>kept &amp; found</code>" in page.text
    assert "<code>left</code>" not in page.text
    assert 'data-stream="/admin/live/stream?event_type=kept+%26+found&amp;not_type=left"' in page.text


@pytest.mark.parametrize("query", ["?after=x", f"?after={2**62}", "?outcome=lost"])
def test_a_query_that_cannot_be_read_is_refused(viewer: AdminBrowser, query: str) -> None:
    """As a 400, because it is a part of an address."""
    assert viewer.get(LIVE + query).status_code == 400


@pytest.mark.slow
@pytest.mark.xdist_group("looks")
def test_the_page_looks_right(viewer: AdminBrowser, writer: psycopg.Connection, browser: Browser) -> None:
    """Accessible, within its window, with nothing from elsewhere."""
    report(writer, UUID(int=3), HOSTILE, count=3)
    reject(writer, UUID(int=3), error=HOSTILE)
    assert look(browser, f"{viewer.service.url}{LIVE}", cookies=dict(viewer.client.cookies)).faults == []


@pytest.mark.slow
@pytest.mark.xdist_group("looks")
def test_the_script_follows_pauses_and_opens_rows(
    viewer: AdminBrowser, writer: psycopg.Connection, browser: Browser, new_hub_id: Callable[[str], UUID]
) -> None:
    """Names are only ever text, and nothing is left out by a pause."""
    hub, logged, live = new_hub_id(HOSTILE), [], viewer.service
    with browser.new_context() as context:
        context.add_cookies([{"name": k, "value": v, "url": live.url} for k, v in viewer.client.cookies.items()])
        page = context.new_page()
        page.set_default_timeout(MILLISECONDS)
        page.on("console", lambda message: logged.append(message.text))
        page.on("pageerror", lambda error: logged.append(str(error)))
        page.on("dialog", lambda dialog: logged.append(dialog.message))
        page.goto(f"{live.url}{LIVE}?event_type=watched")
        report(writer, hub, "watched", metadata='{"note": "</pre><b>bold</b>"}')
        row = page.locator("#live-rows > details").first
        row.locator("summary").click()
        assert HOSTILE in row.locator("summary .hub").inner_text()
        row.locator("pre").filter(has_text="</pre><b>bold</b>").wait_for()
        assert "received_at" in row.locator("dl").inner_text()
        path = row.get_by_role("link", name="All of this event").get_attribute("href")
        assert viewer.get(str(path)).status_code == 200
        page.get_by_text("1 since").wait_for()
        assert page.get_by_role("link", name="Newer ones").is_hidden()
        page.get_by_role("button", name="Pause").click()
        with watching(live.url, session="another") as messages:
            until(messages, "current")
            report(writer, hub, "watched", count=700)
            page.wait_for_timeout(1000)
            assert page.locator("#live-rows > details").count() == 1
        page.get_by_role("button", name="Go on").click()
        page.get_by_text("701 since").wait_for()
        assert page.locator("#live-rows > details").count() == 500
    assert logged == []
