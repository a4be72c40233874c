"""The outbox in a real browser, on pages of another origin than the service's: each event is stored once, or kept."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from db import hub_origins
from tests.browsers import Browser, Site, Tab, browser, serving
from tests.contract_client import unused
from tests.examples import MAJOR, WIDGET
from tests.openapi.clients.typescript.programs import programs
from tests.service import Service
from tests.tokens import PATH, Client, client_of
from tests.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("generators")]

TOKEN = "/my/report-token"
OPEN = """
const { Client, Outbox, errors } = await import("/package/index_browser.js");
globalThis.errors = errors;
globalThis.results = 0;
globalThis.gate = Promise.resolve();
globalThis.requests = () => JSON.parse(localStorage.requests ?? "[]"); // of all pages: whether each may outlive one
const counting = async (url, init) => {
  localStorage.requests = JSON.stringify([...requests(), init.keepalive]);
  await gate;
  const response = await fetch(url, init);
  results += (await response.clone().json()).results?.length ?? 0;
  return response;
};
const token = () => fetch("/my/report-token").then((response) => response.text());
const logger = { info() {}, warn() {}, error() {} };
const client = new Client(given.url, { token, logger, fetch: counting });
globalThis.outbox = await Outbox.open(client, { path: "outbox", ...given.options });
globalThis.event = (n) => ({ widget_id: given.widget, event_type: "clicked", metadata: { n } });
globalThis.caught = (promise) => promise.then(() => null, ({ name, message }) => [name, message]);
"""


class Pages:
    """Pages of a site that report to a service, for a hub."""

    def __init__(self, browser: Browser, site: Site, reporter: Client) -> None:
        self.browser = browser
        self.site = site
        self.reporter = reporter
        site.texts[TOKEN] = reporter.token

    def allow(self) -> None:
        """List the origin, and wait until the service knows."""
        with self.reporter.service.database.begin() as connection:
            hub_origins.add(connection, self.reporter.hub, self.site.origin)
        wait_until(lambda: self._preflight().status_code == 204)

    def open(self, **options: Any) -> Tab:
        """A new tab with a page that has an outbox."""
        tab = self.browser.open(self.site.origin)
        self.start(tab, **options)
        return tab

    def start(self, tab: Tab, **options: Any) -> None:
        """Open the outbox of a page."""
        tab.run(OPEN, url=self.reporter.service.url, widget=WIDGET, options=options)

    def stored(self, keys: list[str]) -> list[str]:
        """The keys of those that the service has stored, as often as it has."""
        events = self.reporter.service.events("client_event_id = ANY(%s)", keys)
        return [event["client_event_id"] for event in events]

    def _preflight(self) -> httpx.Response:
        fields = {"Origin": self.site.origin, "Access-Control-Request-Method": "POST"}
        return httpx.options(self.reporter.service.url + PATH, headers=fields, verify=unused())


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Browser, Path]]:
    """A browser, and the files of a site."""
    directory = tmp_path_factory.mktemp("browser")
    programs(directory, MAJOR)
    with browser(directory / "profile") as running:
        yield running, directory


@pytest.fixture
def unlisted(shared: tuple[Browser, Path], newest: Service) -> Iterator[Pages]:
    """Pages of an origin of their own, which the hub does not list."""
    running, directory = shared
    with serving(directory) as site:
        yield Pages(running, site, client_of(newest))


@pytest.fixture
def pages(unlisted: Pages) -> Pages:
    """Pages of an origin that the hub lists."""
    unlisted.allow()
    return unlisted


def test_an_event_is_stored_from_a_page_of_another_origin(pages: Pages) -> None:
    """After a preflight, with a token that the page gets from its own site."""
    tab = pages.open()
    key, is_done, counts = tab.run(
        "const key = await outbox.add(event(1)); return [key, await outbox.flush(), await outbox.counts()];"
    )
    assert is_done
    assert (counts["added"], counts["sent"], counts["pending"], counts["lastError"]) == (1, 1, 0, "")
    assert pages.stored([key]) == [key]
    url = f"{pages.reporter.service.url}{PATH}/batch"
    assert {("OPTIONS", url), ("POST", url)} <= set(tab.requests())


def test_a_refused_event_has_its_reason(pages: Pages) -> None:
    """It can be sent again, and erased; an equal event under a key of its own is kept once."""
    tab = pages.open()
    code = """
    const occurred_at = new Date().toISOString();
    const wrong = { ...event(1), event_type: "no such type", client_event_id: "own", occurred_at };
    await outbox.addAll([wrong, wrong, event(2)]);
    const other = await caught(outbox.add({ ...wrong, metadata: {} }));
    const isDone = await outbox.flush();
    const [{ key, item, reason }, ...others] = await outbox.refused();
    const replayed = [await outbox.replay(["other"]), await outbox.replay()];
    const isDoneAgain = await outbox.flush();
    const counts = await outbox.counts();
    return [other, isDone, isDoneAgain, key, item, reason, others, replayed, counts, await outbox.erase(() => true)];
    """
    other, is_done, is_done_again, key, item, reason, others, replayed, counts, erased = tab.run(code)
    assert other[0] == "InvalidItem"
    assert is_done
    assert is_done_again
    assert (key, item["event_type"], reason["status"] // 100, others) == ("own", "no such type", 4, [])
    assert reason["error"]
    assert replayed == [0, 1]
    assert (counts["added"], counts["sent"], counts["refused"], counts["pending"], erased) == (2, 1, 1, 0, 1)


def test_what_was_added_offline_survives_a_crash_of_the_tab(pages: Pages) -> None:
    """The next page sends it, with a later event before or after it."""
    tab = pages.open()
    tab.call("Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=0, uploadThroughput=0)
    keys, is_done, counts = tab.run(
        "const keys = await outbox.addAll([1, 2, 3].map(event));"
        "return [keys, await outbox.flush({ timeoutMs: 300 }), await outbox.counts()];"
    )
    assert not is_done
    assert counts["pending"] == 3
    assert counts["lastError"]
    pages.browser.crash(tab)
    assert pages.stored(keys) == []
    assert pages.open().run("return await outbox.flush();")
    assert sorted(pages.stored(keys)) == sorted(keys)


def test_a_page_sends_when_it_is_online_again(pages: Pages) -> None:
    """Soon, though it could not get a token either."""
    tab = pages.open()
    network = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    tab.call("Network.emulateNetworkConditions", offline=True, **network)
    key = tab.run("const key = await outbox.add(event(1)); await outbox.flush({ timeoutMs: 300 }); return key;")
    tab.call("Network.emulateNetworkConditions", offline=False, **network)
    assert tab.run("return await outbox.flush({ timeoutMs: 30_000 });")
    assert pages.stored([key]) == [key]


def test_one_of_two_tabs_sends_for_both(pages: Pages) -> None:
    """While it waits for an answer the other one sends nothing; each event is sent once."""
    first, second = pages.open(lingerMs=0), pages.open(lingerMs=0)
    begun = first.run(
        "const { promise, resolve } = Promise.withResolvers(); gate = promise; globalThis.release = resolve;"
        "return await outbox.addAll([...Array(30).keys()].map(event));"
    )
    wait_until(lambda: first.run("return (await navigator.locks.query()).held.length === 1;"))
    added = "const keys = await outbox.addAll([...Array(30).keys()].map(event));"
    keys, is_done, results = second.run(added + "return [keys, await outbox.flush({ timeoutMs: 500 }), results];")
    assert (is_done, results) == (False, 0)
    first.run("release();")
    assert second.run("return await outbox.flush({ timeoutMs: 60_000 });")
    assert first.run("return await outbox.flush();")
    assert sorted(pages.stored(begun + keys)) == sorted(begun + keys)
    assert first.run("return results;") + second.run("return results;") == 60
    assert first.run("return (await outbox.counts()).sent;") == 60


@pytest.mark.parametrize("ending", ["close", "leave"])
def test_what_waits_when_a_page_ends_is_sent(ending: str, pages: Pages) -> None:
    """By a request that outlives it; the next page finds it stored."""
    tab = pages.open(lingerMs=3_600_000)
    first = tab.run("const key = await outbox.add(event(1)); await outbox.flush(); return key;")
    keys = tab.run("return await outbox.addAll([2, 3].map(event));")
    assert pages.stored([first, *keys]) == [first]
    if ending == "close":
        tab.close()
    else:
        tab.go("about:blank")
    wait_until(lambda: len(pages.stored(keys)) == 2)
    may_outlive, is_done, counts = pages.open(background=False).run(
        "return [requests(), await outbox.flush(), await outbox.counts()];"
    )
    assert may_outlive == [False, True]
    assert is_done
    assert (counts["added"], counts["sent"], counts["pending"]) == (3, 3, 0)
    assert sorted(pages.stored(keys)) == sorted(keys)


def test_a_page_that_ends_does_not_send_what_another_page_has_sent(pages: Pages) -> None:
    """Nor what is on its way."""
    tab = pages.open(lingerMs=3_600_000)
    tab.run("await outbox.add(event(0)); await outbox.flush(); await outbox.add(event(1));")
    assert pages.open(background=False).run("return await outbox.flush();")
    tab.run(
        "const { promise, resolve } = Promise.withResolvers(); gate = promise;"
        "await outbox.add(event(2)); const flushed = outbox.flush();"
        "while (requests().length < 3) await new Promise((resume) => setTimeout(resume, 10));"
        "dispatchEvent(new Event('pagehide')); resolve(); await flushed;"
    )
    assert tab.run("return requests();") == [False, False, False]


def test_what_does_not_fit_when_a_page_ends_is_kept(pages: Pages) -> None:
    """The next page sends it."""
    tab = pages.open(lingerMs=3_600_000)
    tab.run("await outbox.add(event(0)); await outbox.flush();")
    keys = tab.run("return await outbox.addAll([...Array(20).keys()].map((n) => event('x'.repeat(6000) + n)));")
    tab.close()
    wait_until(lambda: pages.stored(keys))
    assert len(pages.stored(keys)) < 10
    assert pages.open().run("return await outbox.flush();")
    assert sorted(pages.stored(keys)) == sorted(keys)


def test_a_page_of_an_origin_that_is_not_listed_keeps_its_events(unlisted: Pages) -> None:
    """They are sent once the operator lists it."""
    tab = unlisted.open()
    key, is_done, counts = tab.run(
        "const key = await outbox.add(event(1));"
        "return [key, await outbox.flush({ timeoutMs: 300 }), await outbox.counts()];"
    )
    assert not is_done
    assert counts["pending"] == 1
    assert "Failed to fetch" in counts["lastError"]
    unlisted.allow()
    assert tab.run("return await outbox.flush({ timeoutMs: 60_000 });")
    assert unlisted.stored([key]) == [key]


def test_without_room_nothing_is_dropped(pages: Pages) -> None:
    """An event that the browser has no room for is refused, and so are more than the outbox may have."""
    tab = pages.open(background=False, maxItems=50)
    tab.call("Storage.overrideQuotaForOrigin", origin=pages.site.origin, quotaSize=200_000)
    code = """
    const keys = [];
    let error = null;
    for (let n = 0; n < 40 && !error; n++) {
      error = await caught(outbox.add(event("x".repeat(20_000) + n)).then((key) => keys.push(key)));
    }
    return [keys.length, error, await outbox.counts()];
    """
    count, error, counts = tab.run(code)
    assert error[0] == "OutboxFull"
    assert "QuotaExceededError" in error[1]
    assert 0 < counts["pending"] == counts["added"] == count < 40
    tab.call("Storage.overrideQuotaForOrigin", origin=pages.site.origin)
    error, counts = tab.run("return [await caught(outbox.addAll(Array(50).fill(event(1)))), await outbox.counts()];")
    assert (error[0], counts["added"]) == ("OutboxFull", count)


def test_what_is_too_old_is_deleted(pages: Pages) -> None:
    """And counted."""
    tab = pages.open(background=False, maxAgeMs=1)
    code = """
    await outbox.addAll([1, 2].map(event));
    await new Promise((resolve) => setTimeout(resolve, 20));
    return [await outbox.flush(), await outbox.counts(), results];
    """
    is_done, counts, results = tab.run(code)
    assert is_done
    assert (counts["added"], counts["expired"], counts["sent"], results) == (2, 2, 0, 0)


def test_a_newer_version_of_the_database_is_left_alone(pages: Pages) -> None:
    """An open outbox makes way for it, and refuses what it can keep no more."""
    tab = pages.open()
    tab.run(
        "await new Promise((resolve, reject) => {"
        "  Object.assign(indexedDB.open('outbox', 1000), { onsuccess: resolve, onerror: reject });"
        "});"
    )
    name, message = tab.run("return await caught(outbox.add(event(1)));")
    assert (name, "load the page again" in message) == ("OutboxError", True)
    tab.go(pages.site.origin)
    with pytest.raises(AssertionError, match="written by a newer version of this page"):
        pages.start(tab)


def test_a_page_that_can_keep_nothing_is_told_at_once(pages: Pages) -> None:
    """One that is not secure, and one in a browser without a database."""
    insecure = pages.browser.open(pages.site.origin.replace("localhost", "app.example"))
    with pytest.raises(AssertionError, match="an outbox needs a secure page"):
        pages.start(insecure)
    tab = pages.browser.open(pages.site.origin)
    tab.run("Object.defineProperty(globalThis, 'indexedDB', { value: undefined });")
    with pytest.raises(AssertionError, match="this browser keeps no outbox here"):
        pages.start(tab)
