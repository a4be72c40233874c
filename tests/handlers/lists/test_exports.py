"""Files: each row once, in a form that other programs read, without delay for other clients."""

import csv
import io
import logging
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from db import pages
from handlers.lists import exports
from handlers.resources import EXPORTS
from tests.handlers.conftest import ANNOTATION, BASE, Hub
from tests.handlers.lists.conftest import ANNOTATIONS, EVENTS, exported, ids, stored
from tests.waiting import wait_until
from tests.wire import HOST, PATIENCE_SECONDS, Wire, head


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
