"""Batches, streams and reads that would use too many resources: each is refused, bounded, or served in turns."""

import asyncio
import bisect
import errno
import gzip
import json
import logging
import os
from concurrent.futures import ThreadPoolExecutor
from io import FileIO
from tempfile import TemporaryFile
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import text

from db.registry import Registry
from handlers.submissions import results
from openapi.requests import batch, body_memory
from openapi.requests.batch import LINE_BYTES
from tests.examples import EVENT
from tests.handlers.conftest import BASE, JSON, NDJSON, Hub, results_of, totals, totals_of
from tests.waiting import wait_until
from tests.wire import CHUNKED, HOST, Wire, head

LARGE: dict[str, list[list[int]]] = {"a": [[]] * 20_000}
REPLAY = "/rejected-submissions/replay"


def test_blank_lines_do_not_delay_other_requests(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """50 KB of gzip hold 50 MiB of blank lines: none is examined alone, and other requests run after each piece."""
    lines = batch._Splitter.lines
    pieces = splits = in_one_turn = longest_turn = 0

    def end_turn() -> None:
        nonlocal in_one_turn
        in_one_turn = 0

    def counted(splitter: batch._Splitter, piece: bytes) -> list[bytes]:
        nonlocal pieces, in_one_turn, longest_turn
        pieces += 1
        in_one_turn += 1
        longest_turn = max(longest_turn, in_one_turn)
        asyncio.get_running_loop().call_soon(end_turn)
        return lines(splitter, piece)

    class LineEnd:
        def split(self, piece: bytes) -> list[bytes]:
            nonlocal splits
            parts = line_end.split(piece)
            splits += len(parts)
            return parts

    line_end = batch._LINE_END
    monkeypatch.setattr(batch._Splitter, "lines", counted)
    monkeypatch.setattr(batch, "_LINE_END", LineEnd())
    answer = hub.lines(gzip.compress((b"\n" * (5 << 20) + b"{}") * 10), Content_Encoding="gzip")
    assert (answer.status_code, totals_of(answer)) == (422, totals(rejected=10))
    assert (pieces > 100, longest_turn) == (True, 1)
    assert splits < 3 * pieces


def test_a_page_ends_when_it_is_large(hub: Hub) -> None:
    """A page ends after a mebibyte of metadata, and the next one continues; an export has all rows."""
    hub.batch([EVENT | {"metadata": LARGE}] * 40)
    first = hub.get("/interaction-events", limit=100).json()
    assert 10 < len(first["items"]) < 24
    assert first["has_more"]
    assert len(hub.items("/interaction-events")) == 40
    assert len(hub.get("/interaction-events/export", format="ndjson").text.splitlines()) == 40


def test_the_size_limit_of_an_event_also_holds_in_a_batch(hub: Hub) -> None:
    """And in a replay: an event too large for a body of its own is stored by no other operation."""
    large = EVENT | {"metadata": {"a": "x" * LINE_BYTES}}
    answer = hub.batch([large, EVENT])
    assert totals_of(answer) == totals(created=1, rejected=1)
    assert [result.get("code") for result in results_of(answer)] == ["content_too_large", None]
    hub.batch(large)
    replayed = hub.post(REPLAY, {})
    assert {result["code"] for result in results_of(replayed)} == {"content_too_large"}
    assert len(hub.rows()) == 1


def test_a_deeply_nested_item_is_rejected_alone_or_with_its_body(hub: Hub) -> None:
    """At any depth, also near the end of the stack: no request fails after an item was stored."""

    def is_read(depth: int) -> bool:
        count = len(hub.rows())
        body = f"[{json.dumps(EVENT)},{'[' * depth}{']' * depth}]"
        answer = hub.post("/interaction-events/batch", content=body, headers=JSON)
        assert answer.status_code in (400, 422), (depth, answer.text)
        assert len(hub.rows()) - count == (1 if answer.status_code == 422 else 0)
        return answer.status_code == 422

    depths = range(100, 100_000)
    deepest = bisect.bisect_left(depths, True, key=lambda depth: not is_read(depth)) + depths.start
    for depth in range(deepest - 10, deepest + 3):
        is_read(depth)


def test_unregistered_names_are_looked_up_together(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand of them take fewer than ten lookups."""
    lookups = 0
    refresh = Registry.refresh

    async def counting(registry: Registry) -> None:
        nonlocal lookups
        lookups += 1
        await refresh(registry)

    monkeypatch.setattr(Registry, "refresh", counting)
    answer = hub.batch([EVENT | {"event_type": f"unknown {number}"} for number in range(1000)])
    assert totals_of(answer) == totals(rejected=1000)
    assert 0 < lookups < 10


def test_the_results_of_a_stream_are_bounded(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """The service reads no further, and the last line says so; each item stored before that has a result."""
    monkeypatch.setattr(results, "MOST_BYTES", 50_000)
    answer = hub.client.post(
        f"{BASE}/interaction-events/batch", content=(json.dumps(EVENT) + "\n") * 3000, headers=NDJSON
    )
    *_, last = map(json.loads, answer.text.splitlines())
    assert answer.status_code == 413
    assert last["error"] == "the results of the stream have more than 50000 bytes"
    assert 0 < last["totals"]["created"] < 3000
    assert len(results_of(answer)) == len(hub.rows()) == last["totals"]["created"]


def test_a_full_disk_ends_a_stream(hub: Hub, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """The stream ends there, and its client may send the rest later; each stored item has a result.

    The log has the reason, as a warning and in the line of the request.
    """
    caplog.set_level(logging.INFO)

    def full(descriptor: int, content: bytes, offset: int) -> int:
        room = 100_000 - offset
        if room <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return os.pwrite(descriptor, content[:room], offset)

    monkeypatch.setattr(results, "os", SimpleNamespace(pwrite=full, pread=os.pread))
    answer = hub.lines((json.dumps(EVENT) + "\n") * 3000)
    *_, last = map(json.loads, answer.text.splitlines())
    assert answer.status_code == 503
    assert last["error"] == "the service has no room for more results at the moment"
    assert [record.message for record in caplog.records if record.levelno == logging.WARNING] == [
        "the results of a stream cannot be written to the temporary directory: No space left on device"
    ]
    (line,) = [record for record in caplog.records if record.message == "request"]
    assert getattr(line, "problem", None) == "results_not_kept"
    assert "No space left on device" in getattr(line, "reason", "")
    items = results_of(answer)
    assert [item["index"] for item in items] == list(range(len(items)))
    assert [item["id"] for item in items] == [str(row["id"]) for row in hub.rows()]
    assert 1000 < len(items) == last["totals"]["created"] < 3000


def test_without_a_temporary_directory_a_stream_is_refused(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything of it is stored."""

    def nowhere(buffering: int) -> FileIO:
        raise FileNotFoundError(errno.ENOENT, f"No usable temporary directory for a buffer of {buffering}")

    monkeypatch.setattr(results, "TemporaryFile", nowhere)
    answer = hub.lines(json.dumps(EVENT))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json()["error"] == "the service has no room for more results at the moment"
    assert hub.rows() == []


def test_large_batches_are_bounded_for_the_process(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """While one is being stored, another gets 503, and a small one waits for its turn as ever."""
    monkeypatch.setattr(body_memory, "MOST_BYTES", 200_000)
    small, large = [EVENT], [EVENT | {"view_context_ref": "x" * 1000}] * 100
    with ThreadPoolExecutor(2) as pool, hub.service.database.begin() as connection:
        connection.execute(text("LOCK TABLE interaction_events IN EXCLUSIVE MODE"))
        first = pool.submit(hub.batch, large)
        waiting = text("SELECT count(*) FROM pg_locks WHERE relation = 'interaction_events'::regclass AND NOT granted")
        wait_until(lambda: connection.scalar(waiting) == 1)
        answer = hub.batch(large)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert answer.json()["error"] == "the service has too many large requests at the moment"
        second = pool.submit(hub.batch, small)
        connection.rollback()
        assert totals_of(first.result()) == totals(created=100)
        assert totals_of(second.result()) == totals(created=1)


def test_a_client_that_leaves_a_stream_leaves_no_file(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """The items stored so far are all that remains."""
    opened: list[FileIO] = []

    def open_(buffering: int) -> FileIO:
        opened.append(cast("FileIO", TemporaryFile(buffering=buffering)))  # noqa: SIM115 (its closing is what is tested)
        return opened[-1]

    monkeypatch.setattr(results, "TemporaryFile", open_)
    lines = json.dumps(EVENT).encode() + b"\n"
    with Wire(hub.service) as wire:
        fields = f"Authorization: {hub.client.headers['authorization']}", "Content-Type: application/x-ndjson", CHUNKED
        wire.send(head(f"POST {BASE}/interaction-events/batch HTTP/1.1", HOST, *fields))
        wire.send(b"%x\r\n%s\r\n" % (len(lines) * 999, lines * 999))
        wait_until(lambda: len(hub.rows()) == 500)
        assert [file.closed for file in opened] == [False]
        wire.hang_up(reset=True)
        wait_until(lambda: opened[0].closed)


def test_lines_without_a_length_are_refused(hub: Hub) -> None:
    """400 to a client of HTTP/1.0 that ends its body by closing: the service does not read such a body."""
    fields = f"Authorization: {hub.client.headers['authorization']}", "Content-Type: application/x-ndjson"
    with Wire(hub.service) as wire:
        wire.send(head(f"POST {BASE}/interaction-events/batch HTTP/1.0", *fields), json.dumps(EVENT).encode())
        wire.finish()
        response = wire.answer()
    assert (response.status_code, hub.rows()) == (400, [])
    assert "neither Content-Length nor Transfer-Encoding" in response.json()["error"]


def test_prefer_may_be_sent_in_parts(hub: Hub) -> None:
    """Like any list field (RFC 9110 section 5.3)."""
    answer = hub.client.post(
        f"{BASE}/interaction-events", json=EVENT, headers=[("Prefer", "respond-async"), ("Prefer", "dry-run")]
    )
    assert answer.status_code == 200
    assert hub.rows() == []


def test_a_batch_refused_as_a_whole_claims_no_key(hub: Hub) -> None:
    """By the contract or by the registry, as an array or as lines: a later batch may use the key."""
    unknown = EVENT | {"event_type": "unknown"}
    batches: list[list[dict[str, Any]]] = [[{}], [unknown], [{}, unknown]]
    for items in batches:
        assert hub.batch(items, Idempotency_Key="k").status_code == 422
    for lines in ("", "{\n", json.dumps(unknown)):
        assert totals_of(hub.lines(lines, Idempotency_Key="k"))["created"] == 0
    assert totals_of(hub.batch([EVENT], Idempotency_Key="k")) == totals(created=1)
    assert hub.batch([EVENT, EVENT], Idempotency_Key="k").status_code == 409
    assert hub.lines(json.dumps(EVENT), Idempotency_Key="k").status_code == 409
    assert len(hub.rows()) == 1


def test_a_replay_and_a_retry_store_an_event_once(hub: Hub, prefix: str) -> None:
    """With the key of the rejected request, alone and in a batch."""
    event = EVENT | {"event_type": prefix}
    key = {"Idempotency-Key": "r"}
    assert hub.post("/interaction-events", event, headers=key).status_code == 422
    assert hub.batch([EVENT, event], Idempotency_Key="b").status_code == 422
    hub.manifest([{"name": prefix, "description": "x"}])
    assert totals_of(hub.post(REPLAY, {})) == totals(created=2)
    retry = hub.post("/interaction-events", event, headers=key)
    assert (retry.status_code, retry.headers["idempotent-replayed"]) == (201, "true")
    assert hub.batch([EVENT, event], Idempotency_Key="b").headers["idempotent-replayed"] == "true"
    assert len(hub.rows()) == 3
