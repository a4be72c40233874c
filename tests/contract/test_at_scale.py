"""The promises of 1.1 under load: each event once, nothing skipped, and memory that does not grow."""

import asyncio
import gzip
import itertools
import json
import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psutil
import psycopg
import pytest

from scripts.trials.fresh_service import Service, fresh_service, service_on, wait_for_workers
from tests.examples import EVENT, PATH

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("alone")]

KEYS = [f"key {number}" for number in range(50)]
TIMES = 50
GIB = 1024**3


@pytest.fixture(scope="module")
def two_workers() -> Iterator[Service]:
    """A service with two workers."""
    with fresh_service("--workers", "2") as service:
        wait_for_workers(service.process, service.log, 2)
        yield service


def authorization(service: Service) -> dict[str, str]:
    """The header that authenticates the hub."""
    return {"Authorization": f"Bearer {service.key}"}


def stored(service: Service, condition: str) -> list[tuple[Any, ...]]:
    """Id and client_event_id of the stored events that satisfy `condition`."""
    with psycopg.connect(f"postgresql://postgres@/postgres?host={service.data_dir}/postgresql") as connection:
        query = f"SELECT id::text, client_event_id FROM interaction_events WHERE {condition}"  # noqa: S608 (below)
        return connection.execute(query.encode()).fetchall()


def workers_of(service: Service) -> list[psutil.Process]:
    """The processes that have served a request, according to the log."""
    lines = map(json.loads, service.log.read_text().splitlines())
    return [psutil.Process(pid) for pid in {line["process"] for line in lines if line.get("status")}]


async def race(service: Service, header: str | None) -> list[tuple[str, int, str]]:
    """Post each key `TIMES` times at once, in a header or as client_event_id; key, status and id of each response.

    Status 0 stands for no response.
    """
    limits = httpx.Limits(max_connections=TIMES)
    timeout = httpx.Timeout(60)
    async with httpx.AsyncClient(
        base_url=service.url, headers=authorization(service), limits=limits, timeout=timeout
    ) as client:

        async def post(key: str) -> tuple[str, int, str]:
            body = EVENT if header else EVENT | {"client_event_id": key}
            try:
                response = await client.post(PATH, json=body, headers={header: key} if header else {})
            except httpx.TransportError:
                return key, 0, ""
            return key, response.status_code, response.json().get("id", "")

        return [response for key in KEYS for response in await asyncio.gather(*[post(key) for _ in range(TIMES)])]


@pytest.mark.parametrize("header", ["Idempotency-Key", None])
def test_concurrent_requests_with_one_key_are_one_event(two_workers: Service, header: str | None) -> None:
    """50 keys, each posted 50 times at once to two workers: every response is 201, with one id for each key."""
    before = {identifier for identifier, _ in stored(two_workers, "TRUE")}
    responses = asyncio.run(race(two_workers, header))
    assert {status for _, status, _ in responses} == {201}
    ids = {key: {identifier for named, _, identifier in responses if named == key} for key in KEYS}
    assert {len(identifiers) for identifiers in ids.values()} == {1}
    assert {identifier for identifier, _ in stored(two_workers, "TRUE")} - before == set.union(*ids.values())


def test_a_key_is_one_event_over_a_crash(directory: Path) -> None:
    """A SIGKILL ends all processes during the race, and everything is posted again: one event for each key."""
    with service_on(directory, "--workers", "2") as service:
        wait_for_workers(service.process, service.log, 2)
        processes = [psutil.Process(service.process.pid), *psutil.Process(service.process.pid).children(recursive=True)]
        responses: list[tuple[str, int, str]] = []
        racing = threading.Thread(target=lambda: responses.extend(asyncio.run(race(service, None))))
        racing.start()
        while len(stored(service, "client_event_id IS NOT NULL")) < 5:  # and the first of them are acknowledged
            pass
        for process in processes:
            os.kill(process.pid, signal.SIGKILL)
        racing.join()
    acknowledged = {(key, identifier) for key, status, identifier in responses if status == 201}
    assert acknowledged
    with service_on(directory, "--workers", "2") as service:
        again = asyncio.run(race(service, None))
        rows = {(key, identifier) for identifier, key in stored(service, "client_event_id IS NOT NULL")}
    assert {status for _, status, _ in again} == {201}
    assert Counter(key for key, _ in rows) == dict.fromkeys(KEYS, 1)
    assert {(key, identifier) for key, _, identifier in again} == rows
    assert acknowledged <= rows


def test_a_reader_that_follows_sees_each_event_once(two_workers: Service) -> None:
    """Eight writers report single events and batches to two workers; a concurrent reader pages and misses nothing."""
    written: list[str] = []
    mark = str(uuid4())
    done = threading.Event()

    def write() -> None:
        with httpx.Client(base_url=two_workers.url, headers=authorization(two_workers), timeout=60) as client:
            for size in itertools.islice(itertools.cycle((1, 7, 300, 2)), 60):
                events = [EVENT | {"actor_id": mark}] * size
                if size == 1:
                    written.append(client.post(PATH, json=events[0]).json()["id"])
                else:
                    results = client.post(f"{PATH}/batch", json=events).json()["results"]
                    written.extend(result["id"] for result in results)

    seen: list[str] = []

    def read() -> None:
        cursor: dict[str, str] = {}
        with httpx.Client(base_url=two_workers.url, headers=authorization(two_workers), timeout=60) as client:
            while True:
                is_last = done.is_set()
                page = client.get(PATH, params={"limit": 97, "actor_id": mark, **cursor}).json()
                seen.extend(item["id"] for item in page["items"])
                cursor = {"cursor": page["next_cursor"]}
                if is_last and not page["has_more"]:
                    return

    writers = [threading.Thread(target=write) for _ in range(8)]
    reader = threading.Thread(target=read)
    for thread in (*writers, reader):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    reader.join()
    assert len(written) == 8 * 15 * (1 + 7 + 300 + 2)
    assert Counter(seen) == Counter(written)


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        (PATH, "application/json"),
        (f"{PATH}/batch", "application/json"),
        (f"{PATH}/batch", "application/x-ndjson"),
        ("/api/v1/hub-capability-manifest", "application/json"),
    ],
)
def test_ten_gibibytes_of_zeros_are_refused(two_workers: Service, path: str, media_type: str) -> None:
    """A body of 10 MB that decompresses to 10 GiB is refused, and the workers stay far below that size."""
    bomb = gzip.compress(bytes(GIB // 16)) * 160
    headers = authorization(two_workers) | {"Content-Type": media_type, "Content-Encoding": "gzip"}
    method = "PUT" if path.endswith("manifest") else "POST"
    response = httpx.request(method, two_workers.url + path, content=bomb, headers=headers, timeout=60)
    assert response.status_code == 413
    assert max(worker.memory_info().rss for worker in workers_of(two_workers)) < GIB // 4


def test_a_long_stream_takes_no_more_memory_than_a_short_one(two_workers: Service) -> None:
    """Each of 60,000 lines is stored and gets a result, and the workers grow by less than the lines take together."""

    def lines(count: int) -> Iterator[bytes]:
        line = json.dumps(EVENT | {"view_context_ref": "/" + "x" * 900}).encode() + b"\n"
        yield from itertools.repeat(line, count)

    def stream(count: int) -> httpx.Response:
        headers = authorization(two_workers) | {"Content-Type": "application/x-ndjson"}
        return httpx.post(f"{two_workers.url}{PATH}/batch", content=lines(count), headers=headers, timeout=120)

    stream(5_000)
    before = {worker.pid: worker.memory_info().rss for worker in workers_of(two_workers)}
    response = stream(60_000)
    assert response.status_code == 200
    *results, last = map(json.loads, response.text.splitlines())
    assert last["totals"] == {"received": 60_000, "created": 60_000, "duplicate": 0, "rejected": 0}
    assert [result["index"] for result in results] == list(range(60_000))
    for worker in workers_of(two_workers):
        assert worker.memory_info().rss - before.get(worker.pid, worker.memory_info().rss) < 20 * 1024 * 1024
