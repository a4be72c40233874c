"""Batches, streams and reads that would take more than their share: each is refused, bounded, or served in turns."""

import asyncio
import bisect
import errno
import gzip
import json
import os
from io import FileIO
from tempfile import TemporaryFile
from types import SimpleNamespace
from typing import Any, cast

import pytest

from db.registry import Registry
from handlers.submissions import results
from openapi.requests import batch
from openapi.requests.batch import LINE_BYTES
from tests.examples import EVENT
from tests.handlers.conftest import BASE, JSON, NDJSON, Hub, results_of, totals, totals_of
from tests.waiting import wait_until
from tests.wire import CHUNKED, HOST, Wire, head

LARGE: dict[str, list[list[int]]] = {"a": [[]] * 20_000}
REPLAY = "/rejected-submissions/replay"


def test_blank_lines_keep_nobody_waiting(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 50 KB of gzip that are 50 MiB of them none is looked at by itself, and others have a turn after each piece."""
    lines = batch._Splitter.lines
    pieces = found = in_one_turn = most = 0

    def end_turn() -> None:
        nonlocal in_one_turn
        in_one_turn = 0

    def counted(splitter: batch._Splitter, piece: bytes) -> list[bytes]:
        nonlocal pieces, in_one_turn, most
        pieces += 1
        in_one_turn += 1
        most = max(most, in_one_turn)
        asyncio.get_running_loop().call_soon(end_turn)
        return lines(splitter, piece)

    class LineEnd:
        def split(self, piece: bytes) -> list[bytes]:
            nonlocal found
            parts = line_end.split(piece)
            found += len(parts)
            return parts

    line_end = batch._LINE_END
    monkeypatch.setattr(batch._Splitter, "lines", counted)
    monkeypatch.setattr(batch, "_LINE_END", LineEnd())
    answer = hub.lines(gzip.compress((b"\n" * (5 << 20) + b"{}") * 10), Content_Encoding="gzip")
    assert (answer.status_code, totals_of(answer)) == (422, totals(rejected=10))
    assert (pieces > 100, most) == (True, 1)
    assert found < 3 * pieces


def test_a_page_ends_when_it_is_large(hub: Hub) -> None:
    """After a mebibyte of metadata, with what comes next on the next page; an export has all of it."""
    hub.batch([EVENT | {"metadata": LARGE}] * 40)
    first = hub.get("/interaction-events", limit=100).json()
    assert 10 < len(first["items"]) < 24
    assert first["has_more"]
    assert len(hub.items("/interaction-events")) == 40
    assert len(hub.get("/interaction-events/export", format="ndjson").text.splitlines()) == 40


def test_what_is_too_large_alone_is_too_large_in_a_batch(hub: Hub) -> None:
    """And in a replay: what was refused as one body is not stored through another way."""
    large = EVENT | {"metadata": {"a": "x" * LINE_BYTES}}
    answer = hub.batch([large, EVENT])
    assert totals_of(answer) == totals(created=1, rejected=1)
    assert [one.get("code") for one in results_of(answer)] == ["content_too_large", None]
    hub.batch(large)
    replayed = hub.post(REPLAY, {})
    assert {one["code"] for one in results_of(replayed)} == {"content_too_large"}
    assert len(hub.rows()) == 1


def test_an_item_that_is_nested_deep_is_rejected_alone_or_the_body_is(hub: Hub) -> None:
    """However deep: never a fault after something was stored, also where the stack is about to end."""

    def is_read(depth: int) -> bool:
        before = len(hub.rows())
        body = f"[{json.dumps(EVENT)},{'[' * depth}{']' * depth}]"
        answer = hub.post("/interaction-events/batch", content=body, headers=JSON)
        assert answer.status_code in (400, 422), (depth, answer.text)
        assert len(hub.rows()) - before == (1 if answer.status_code == 422 else 0)
        return answer.status_code == 422

    depths = range(100, 100_000)
    deepest = bisect.bisect_left(depths, True, key=lambda depth: not is_read(depth)) + depths.start
    for depth in range(deepest - 10, deepest + 3):
        is_read(depth)


def test_names_that_are_not_registered_are_looked_up_together(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand of them take a few looks, not a thousand."""
    looks = 0
    look = Registry.refresh

    async def counting(made: Registry) -> None:
        nonlocal looks
        looks += 1
        await look(made)

    monkeypatch.setattr(Registry, "refresh", counting)
    answer = hub.batch([EVENT | {"event_type": f"unknown {number}"} for number in range(1000)])
    assert totals_of(answer) == totals(rejected=1000)
    assert 0 < looks < 10


def test_the_results_of_a_stream_are_bounded(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """What follows is not read, which the last line says; of all that came before and is stored it is told."""
    monkeypatch.setattr(results, "MOST_BYTES", 50_000)
    answer = hub.client.post(
        f"{BASE}/interaction-events/batch", content=(json.dumps(EVENT) + "\n") * 3000, headers=NDJSON
    )
    *_, last = map(json.loads, answer.text.splitlines())
    assert answer.status_code == 413
    assert last["error"] == "the results of the stream have more than 50000 bytes"
    assert 0 < last["totals"]["created"] < 3000
    assert len(results_of(answer)) == len(hub.rows()) == last["totals"]["created"]


def test_results_that_the_disk_has_no_room_for_are_told(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stream ends there, and may go on later; of all that is stored it is told."""

    def full(descriptor: int, content: bytes, offset: int) -> int:
        room = 100_000 - offset
        if room <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return os.pwrite(descriptor, content[:room], offset)

    monkeypatch.setattr(results, "os", SimpleNamespace(pwrite=full, pread=os.pread))
    answer = hub.lines((json.dumps(EVENT) + "\n") * 3000)
    *_, last = map(json.loads, answer.text.splitlines())
    assert answer.status_code == 503
    assert last["error"]
    told = results_of(answer)
    assert [one["index"] for one in told] == list(range(len(told)))
    assert [one["id"] for one in told] == [str(row["id"]) for row in hub.rows()]
    assert 1000 < len(told) == last["totals"]["created"] < 3000


def test_who_leaves_a_stream_leaves_no_file(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor anything but what is stored by then."""
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


def test_prefer_may_be_sent_in_parts(hub: Hub) -> None:
    """As any list (RFC 9110 section 5.3)."""
    answer = hub.client.post(
        f"{BASE}/interaction-events", json=EVENT, headers=[("Prefer", "respond-async"), ("Prefer", "dry-run")]
    )
    assert answer.status_code == 200
    assert hub.rows() == []


def test_a_batch_that_was_refused_as_a_whole_claims_no_key(hub: Hub) -> None:
    """By the contract or by the registry, as an array or as lines: what is sent instead may have it."""
    unknown = EVENT | {"event_type": "unknown"}
    refused: list[list[dict[str, Any]]] = [[{}], [unknown], [{}, unknown]]
    for items in refused:
        assert hub.batch(items, Idempotency_Key="k").status_code == 422
    for lines in ("", "{\n", json.dumps(unknown)):
        assert totals_of(hub.lines(lines, Idempotency_Key="k"))["created"] == 0
    assert totals_of(hub.batch([EVENT], Idempotency_Key="k")) == totals(created=1)
    assert hub.batch([EVENT, EVENT], Idempotency_Key="k").status_code == 409
    assert hub.lines(json.dumps(EVENT), Idempotency_Key="k").status_code == 409
    assert len(hub.rows()) == 1


def test_a_replay_and_the_sender_s_own_retry_store_once(hub: Hub, prefix: str) -> None:
    """Under the key of the request that was rejected, alone and in a batch."""
    event = EVENT | {"event_type": prefix}
    key = {"Idempotency-Key": "r"}
    assert hub.post("/interaction-events", event, headers=key).status_code == 422
    assert hub.batch([EVENT, event], Idempotency_Key="b").status_code == 422
    hub.manifest([{"name": prefix, "description": "x"}])
    assert totals_of(hub.post(REPLAY, {})) == totals(created=2)
    again = hub.post("/interaction-events", event, headers=key)
    assert (again.status_code, again.headers["idempotent-replayed"]) == (201, "true")
    assert hub.batch([EVENT, event], Idempotency_Key="b").headers["idempotent-replayed"] == "true"
    assert len(hub.rows()) == 3
