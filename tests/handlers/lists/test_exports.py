"""Files: each row once, in a form that other programs read, without delay for other clients."""

import csv
import gzip
import io
import itertools
import json
import logging
import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from db import hubs, pages, personal_data
from db.errors import Unavailable
from handlers.lists import exports
from handlers.resources import EXPORTS
from tests.contract_client import unused
from tests.handlers.conftest import ANNOTATION, BASE, Hub
from tests.handlers.lists.conftest import ANNOTATIONS, EVENTS, exported, ids, stored
from tests.waiting import wait_until
from tests.wire import HOST, PATIENCE_SECONDS, Wire, head

ACTOR = "7f3c0a54-5f0e-4a39-9d55-0d8f4d3b2a11"


@pytest.mark.parametrize("query", ["", "?format=xml", "?format=CSV", "?format=csv&limit=5", "?format=csv&cursor=x"])
def test_a_file_needs_a_valid_format(hub: Hub, query: str) -> None:
    """422: the format is required, and a file has no pages."""
    assert hub.client.get(f"{BASE}{EVENTS}/export{query}").status_code == 422


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        *[(f"{sign}1+1", f"'{sign}1+1") for sign in "=+-@\t\r\n"],
        *[(text, text) for text in ("1=1", " =1", 'a,"b"', "line\nbreak\r\nand \N{SNOWMAN}", "'=1", "plain")],
    ],
)
def test_a_formula_is_escaped_in_csv(hub: Hub, text: str, cell: str) -> None:
    """CSV puts an apostrophe before it; other text is unchanged, and NDJSON is exact."""
    hub.event(view_context_ref=text, client_event_id="c" + text)
    hub.post(ANNOTATIONS, ANNOTATION | {"body": text})
    assert [row["view_context_ref"] for row in exported(hub, EVENTS, "csv")] == [cell]
    assert [row["body"] for row in exported(hub, ANNOTATIONS, "csv")] == [cell]
    assert [row["view_context_ref"] for row in exported(hub, EVENTS, "ndjson")] == [text]


def test_a_file_of_several_chunks_has_each_row_once(hub: Hub) -> None:
    """2,500 rows: each one once, in the order of the list, with the same values."""
    for start in range(0, 2500, 1000):
        fields = [{"view_context_ref": str(number)} for number in range(start, min(start + 1000, 2500))]
        stored(hub, *fields)
    listed = hub.items(EVENTS, limit=1000)
    assert [item["view_context_ref"] for item in listed] == [str(number) for number in range(2500)]
    assert exported(hub, EVENTS, "ndjson") == listed
    as_csv = exported(hub, EVENTS, "csv")
    assert [{name: cell for name, cell in row.items() if cell} for row in as_csv] == listed


def test_an_empty_csv_file_has_a_header(hub: Hub) -> None:
    """CSV has the header line, without internal columns; NDJSON is empty."""
    text = hub.get(f"{EVENTS}/export", format="csv").text
    assert text.startswith("id,")
    assert text.endswith("\r\n")
    assert not {"hub_id", "position", "revision"} & set(text.strip().split(","))
    assert hub.get(f"{EVENTS}/export", format="ndjson").content == b""


def test_head_reads_a_page(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first one says whether there is a file; its other pages are not read."""
    stored(hub, *[{}] * 5)
    read = itertools.count()
    page = pages.page
    monkeypatch.setattr(exports, "CHUNK_ROWS", 1)
    monkeypatch.setattr(pages, "page", lambda *arguments: next(read) < 1 and page(*arguments))
    url = f"{hub.service.url}{BASE}{EVENTS}/export?format=ndjson"
    response = httpx.head(url, headers={"Authorization": hub.client.headers["authorization"]})
    assert (response.status_code, response.headers["content-type"]) == (200, "application/x-ndjson")
    assert next(read) == 1


@pytest.mark.parametrize("failures", [1, 3])
def test_a_file_outlasts_a_database_that_is_briefly_unavailable(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, failures: int
) -> None:
    """A page is read again as often as the pauses allow, and no row is missing or doubled."""
    identifiers = stored(hub, *[{}] * 5)
    read = itertools.count()
    page = pages.page

    def fail_at_times(*arguments: Any) -> pages.Page:
        if 2 <= next(read) < 2 + failures:
            raise Unavailable("no answer")
        return page(*arguments)

    monkeypatch.setattr(exports, "CHUNK_ROWS", 1)
    monkeypatch.setattr(exports, "RETRY_PAUSES", (0.01,) * 3)
    monkeypatch.setattr(pages, "page", fail_at_times)
    assert [row["id"] for row in exported(hub, EVENTS, "ndjson")] == identifiers


def test_a_file_breaks_off_if_the_database_stays_unavailable(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The access log has the reason; it is no unexpected fault."""
    stored(hub, {}, {})
    read = itertools.count()
    page = pages.page

    def fail_later(*arguments: Any) -> pages.Page:
        if next(read):
            raise Unavailable("no answer")
        return page(*arguments)

    monkeypatch.setattr(exports, "CHUNK_ROWS", 1)
    monkeypatch.setattr(exports, "RETRY_PAUSES", (0.01,))
    monkeypatch.setattr(pages, "page", fail_later)
    caplog.set_level(logging.INFO, "openapi")
    with pytest.raises(httpx.HTTPError):
        hub.get(f"{EVENTS}/export", format="ndjson")
    wait_until(lambda: any(getattr(record, "path", "").endswith("/export") for record in caplog.records))
    (line,) = caplog.records
    assert (line.levelno, line.__dict__["problem"], line.__dict__["reason"]) == (
        logging.INFO,
        "unavailable",
        "no answer",
    )


def test_rows_of_csv_end_as_in_rfc_4180(hub: Hub) -> None:
    """In CR LF, also before the empty line; a line break, quote or comma in a value is within a quoted cell."""
    texts = ["a\nb", "a\rb", "a\r\nb", 'say "a", or "b"', ",", '"', "plain"]
    stored(hub, *[{"view_context_ref": text} for text in texts])
    text = hub.get(f"{EVENTS}/export", format="csv").text
    assert [row["view_context_ref"] for row in csv.DictReader(io.StringIO(text, newline=""))] == texts
    names, *rows, empty, rest = re.sub('"(?:[^"]|"")*"', "", text).split("\r\n")
    assert (len(rows), empty, rest) == (len(texts), "", "")
    assert not re.search('["\r\n]', names + "".join(rows))
    assert {row.count(",") for row in rows} == {names.count(",")}


def test_an_abandoned_file_is_read_no_further(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Once the client has left, the page being read is the last one."""
    stored(hub, *[{}] * 20)
    page, begun, has_left = pages.page, [0], threading.Event()

    def counted(*arguments: Any) -> pages.Page:
        begun[0] += 1
        assert begun[0] != 2 or has_left.wait(PATIENCE_SECONDS)
        return page(*arguments)

    monkeypatch.setattr(pages, "page", counted)
    monkeypatch.setattr(exports, "CHUNK_ROWS", 1)
    caplog.set_level(logging.INFO, "openapi")
    with Wire(hub.service) as wire:
        authorization = f"Authorization: {hub.client.headers['authorization']}"
        wire.send(head(f"GET {BASE}{EVENTS}/export?format=ndjson HTTP/1.1", HOST, authorization))
        assert not wire.is_quiet(PATIENCE_SECONDS)
        wire.hang_up(reset=True)
    assert httpx.get(f"{hub.service.url}/health/live").status_code == 200  # the service has noticed by then
    has_left.set()
    wait_until(lambda: any(getattr(record, "path", "").endswith("/export") for record in caplog.records))
    assert begun == [2]


def test_files_do_not_delay_other_requests(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of twelve concurrent files only a few pages are read at a time, and other requests are served."""
    expected = stored(hub, {}, {}, {})
    page, lock, may_end = pages.page, threading.Lock(), threading.Event()
    under_way, maximum = 0, 0

    def slow(connection: Any, table: Any, query: Any, limit: int) -> pages.Page:
        nonlocal under_way, maximum
        if limit != exports.CHUNK_ROWS:
            return page(connection, table, query, limit)
        with lock:
            under_way += 1
            maximum = max(maximum, under_way)
        assert may_end.wait(60)
        with lock:
            under_way -= 1
        return page(connection, table, query, limit)

    monkeypatch.setattr(pages, "page", slow)
    with ThreadPoolExecutor(12) as pool:
        files = [pool.submit(exported, hub, EVENTS, "ndjson") for _ in range(12)]
        try:
            wait_until(lambda: under_way >= EXPORTS)
            for _ in range(20):
                assert hub.get(EVENTS).status_code == 200
        finally:
            may_end.set()
        assert [ids(file.result()) for file in files] == [expected] * 12
    assert maximum == EXPORTS


def whole(form: str, content: bytes) -> bool:
    """True if the end of a file says that it is whole, as the contract describes it."""
    return content.endswith(b"\r\n\r\n" if form == "csv" else b" \n")


def whole_lines(content: bytes) -> bytes:
    """The lines of a file that was cut off, without the last one if that is not whole."""
    return content[: content.rfind(b"\n") + 1]


@pytest.mark.parametrize("form", ["csv", "ndjson"])
@pytest.mark.parametrize("kept", [0.001, 0.3, 0.5, 0.99, 1])
def test_a_file_that_was_cut_off_is_completed(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, form: str, kept: float
) -> None:
    """Its end does not say that it is whole; the rest, appended to its whole lines, makes the same file."""
    monkeypatch.setattr(exports, "CHUNK_ROWS", 7)
    stored(hub, *[{"view_context_ref": str(number)} for number in range(40)])
    content = hub.get(f"{EVENTS}/export", format=form).content
    assert whole(form, content)
    cut = content[: min(int(len(content) * kept), len(content) - 1)]
    assert not whole(form, cut)
    lines = whole_lines(cut)
    last = lines.splitlines()[-1].decode() if lines.count(b"\n") > (form == "csv") else ""
    after = {"after": last.partition(",")[0] if form == "csv" else json.loads(last)["id"]} if last else {}
    rest = hub.get(f"{EVENTS}/export", format=form, **after).content
    assert (lines if last else b"") + rest == content


@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_a_file_after_its_last_row_has_only_its_end(hub: Hub, form: str) -> None:
    """Neither a header line nor a row."""
    *_, last = stored(hub, {}, {})
    assert hub.get(f"{EVENTS}/export", format=form, after=last).content == (b"\r\n" if form == "csv" else b" \n")


def test_a_file_goes_on_only_after_a_row_of_the_hub(hub: Hub, new_hub: Callable[..., Hub]) -> None:
    """404 for another hub's row, and for none; 422 for what is no id."""
    (other,) = stored(new_hub(hub.service), {})
    for unknown in (other, str(uuid4())):
        response = hub.get(f"{EVENTS}/export", format="csv", after=unknown)
        assert response.status_code == 404
        assert response.json()["help"].startswith("after is the id in the last whole line of an earlier file.")
    assert hub.get(f"{EVENTS}/export", format="csv", after="x").status_code == 422


@pytest.mark.parametrize("form", ["csv", "ndjson"])
@pytest.mark.parametrize(
    ("accepted", "is_compressed"),
    [
        ("gzip", True),
        ("br, GZIP;q=0.5", True),
        ("x-gzip", True),
        ("gzip;q=0", False),
        ("deflate, br", False),
        ("*", False),
        ("", False),
    ],
)
def test_a_file_is_compressed_if_the_client_asks(hub: Hub, form: str, accepted: str, is_compressed: bool) -> None:
    """In the coding gzip; the content is the same."""
    stored(hub, *[{"view_context_ref": str(number)} for number in range(20)])
    plain = hub.get(f"{EVENTS}/export", format=form).content
    headers = {"Authorization": hub.client.headers["authorization"], "Accept-Encoding": accepted}
    url = f"{hub.service.url}{BASE}{EVENTS}/export?format={form}"
    with httpx.stream("GET", url, headers=headers, verify=unused()) as response:
        raw = b"".join(response.iter_raw())
    assert response.headers["vary"] == "accept-encoding"
    assert response.headers.get("content-encoding") == ("gzip" if is_compressed else None)
    assert (gzip.decompress(raw) if is_compressed else raw) == plain
    if is_compressed:
        with pytest.raises(EOFError):
            gzip.decompress(raw[:-1])


@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_a_client_of_http_1_0_gets_no_chunks(hub: Hub, form: str) -> None:
    """The end of the connection ends the file (RFC 9112 section 6.1)."""
    stored(hub, {}, {})
    expected = hub.get(f"{EVENTS}/export", format=form).content
    with Wire(hub.service) as wire:
        authorization = f"Authorization: {hub.client.headers['authorization']}"
        wire.send(head(f"GET {BASE}{EVENTS}/export?format={form} HTTP/1.0", authorization))
        fields, _, content = wire.rest(PATIENCE_SECONDS).partition(b"\r\n\r\n")
    assert b"transfer-encoding" not in fields
    assert b"connection: close" in fields
    assert content == expected


@pytest.mark.parametrize("error", [Unavailable("gone"), NotImplementedError("cannot read")])
@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_a_file_that_fails_at_once_is_an_error(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, form: str, error: Exception
) -> None:
    """The documented 503 or 500: nothing was sent yet."""

    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(pages, "page", fail)
    response = hub.get(f"{EVENTS}/export", format=form)
    assert response.status_code == (503 if isinstance(error, Unavailable) else 500)
    assert response.json().keys() == {"error", "help"}


def disable(hub: Hub) -> None:
    """Disable the hub."""
    with hub.service.database.begin() as connection:
        hubs.disable(connection, hub.name)


def rotate(hub: Hub) -> None:
    """Replace the key of the hub."""
    with hub.service.database.begin() as connection:
        hubs.rotate_key(connection, hub.name)


def cut_over(hub: Hub) -> None:
    """Let the hub go on with access tokens."""
    with hub.service.database.begin() as connection:
        hubs.cut_over(connection, hub.name, None)


def erase(hub: Hub) -> None:
    """Erase what is stored of an actor of the hub, here all of its events."""
    digest = personal_data.digest_of(UUID(ACTOR))
    assert personal_data.erase(hub.service.database, [digest], lambda *_: None)["interaction_events"]


@pytest.mark.parametrize(
    ("lose", "version"),
    [(disable, "HTTP/1.0"), (rotate, "HTTP/1.1"), (cut_over, "HTTP/1.1"), (erase, "HTTP/1.1")],
)
def test_a_file_ends_when_its_client_loses_its_access(
    hub: Hub,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    lose: Callable[[Hub], None],
    version: str,
) -> None:
    """Also while the client reads nothing: the connection is reset. No fault is logged."""
    stored(hub, *[{"actor_id": ACTOR}] * 3)
    page, has_begun = pages.page, threading.Event()

    def endless(*arguments: Any) -> pages.Page:
        has_begun.set()
        return replace(page(*arguments), last=0, has_more=True)

    monkeypatch.setattr(pages, "page", endless)
    with Wire(hub.service) as wire:
        authorization = f"Authorization: {hub.client.headers['authorization']}"
        wire.send(head(f"GET {BASE}{EVENTS}/export?format=ndjson {version}", HOST, authorization))
        assert has_begun.wait(PATIENCE_SECONDS)
        lose(hub)
        with pytest.raises(ConnectionResetError):
            wire.rest(PATIENCE_SECONDS)
    assert [record.getMessage() for record in caplog.records if record.levelno > logging.INFO] == []


def test_a_repeat_of_an_erased_event_is_a_duplicate(hub: Hub) -> None:
    """Its claim stays, so that the event does not come back; the answer is that of the first time."""
    first = hub.event(actor_id=ACTOR, client_event_id="e1")
    erase(hub)
    assert (hub.event(actor_id=ACTOR, client_event_id="e1").json(), hub.rows()) == (first.json(), [])
