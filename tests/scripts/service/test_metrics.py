"""Metrics: what several processes counted, as one."""

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from handlers.site.service_state import SERVICE
from scripts.service.metrics import DIRECTORY, Metrics, metrics, shared

CREATE = "reportInteractionEvent"
SPAWN = multiprocessing.get_context("spawn")
PREFIX = "interaction_reporting_"


def made() -> Metrics:
    """The metrics of one process."""
    counted = Metrics()
    counted.serving([("1.0", "sha256:0")], [], [CREATE])
    return counted


@pytest.fixture
def counted() -> Iterator[Metrics]:
    """The metrics of this process, in a directory of their own."""
    with shared():
        yield made()


def samples(counted: Metrics) -> dict[Any, float]:
    """Each sample of the exposition, by its name and label values."""
    families = text_string_to_metric_families(counted.exposition().decode())
    found = {}
    for family in families:
        for sample in family.samples:
            key = (sample.name.removeprefix(PREFIX), *(sample.labels[name] for name in sorted(sample.labels)))
            assert key not in found
            found[key] = sample.value
    return found


def test_requests_and_items_are_counted(counted: Metrics) -> None:
    """By labels, and only once however often they are asked for."""
    counted.request(CREATE, "POST", 201, 0.003)
    counted.request(CREATE, "POST", 201, 0.001)
    counted.request(None, "GET", 0, 99.0)
    counted.items("event", "created", 3)
    samples(counted)
    found = samples(counted)
    assert found["requests_total", "POST", CREATE, "201"] == 2
    assert found["requests_total", "GET", "none", "none"] == 1
    assert found["items_total", "event", "created"] == 3
    assert found["contract_info", "sha256:0", "1.0"] == 1
    buckets = {key[1]: value for key, value in found.items() if key[0].endswith("bucket") and "none" not in key}
    assert (buckets["0.001"], buckets["0.0025"], buckets["0.005"], buckets["+Inf"]) == (1, 1, 2, 2)
    assert found["request_duration_seconds_count", CREATE] == 2
    assert found["request_duration_seconds_sum", CREATE] == pytest.approx(0.004)
    assert found["request_duration_seconds_bucket", "10.0", "none"] == 0
    assert found["request_duration_seconds_bucket", "+Inf", "none"] == 1


def test_labels_are_bounded_whatever_clients_send(counted: Metrics) -> None:
    """Methods and operations that are not known share one label each."""
    for number in range(100):
        counted.request(f"operation{number}", f"METHOD{number}", 404, 0.1)
    assert [key for key in samples(counted) if key[0] == "requests_total"] == [
        ("requests_total", "other", "none", "404")
    ]


def count_and_end(is_killed: bool) -> None:
    """Count one request, write it, and end."""
    counted = made()
    counted.request(CREATE, "POST", 201, 0.003)
    counted.items("annotation", "duplicate", 2)
    counted.write()
    if is_killed:
        os.kill(os.getpid(), signal.SIGKILL)


def test_processes_are_counted_together_also_when_they_ended(counted: Metrics) -> None:
    """One that was killed, one that took its place, and the one that is asked."""
    for is_killed in (True, False):
        process = SPAWN.Process(target=count_and_end, args=(is_killed,))
        process.start()
        process.join(60)
    counted.request(CREATE, "POST", 201, 0.003)
    found = samples(counted)
    assert found["requests_total", "POST", CREATE, "201"] == 3
    assert found["items_total", "annotation", "duplicate"] == 4
    assert found["request_duration_seconds_count", CREATE] == 3
    assert found["contract_info", "sha256:0", "1.0"] == 1


def test_what_is_counted_is_written_soon(counted: Metrics, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without being asked, where others find it."""
    monkeypatch.setattr("scripts.service.metrics.WRITE_SECONDS", 0.01)

    async def kept() -> None:
        async with counted.flushing():
            counted.request(CREATE, "POST", 201, 0.003)
            await asyncio.sleep(0.2)

    asyncio.run(kept())
    monkeypatch.setattr(counted, "write", lambda: None)
    assert samples(counted)["requests_total", "POST", CREATE, "201"] == 1


def test_the_answer_is_prometheus_text(counted: Metrics) -> None:
    """200 in version 0.0.4 of the format."""
    request: Any = SimpleNamespace(scope={"state": {SERVICE: SimpleNamespace(metrics=counted.exposition)}})
    response = asyncio.run(metrics(request))
    assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert b"# TYPE interaction_reporting_contract_info gauge\n" in bytes(response.body)


def test_the_directory_is_gone_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the variable is as it was."""
    monkeypatch.setenv(DIRECTORY, "/before")
    with shared():
        directory = Path(os.environ[DIRECTORY])
        assert directory.is_dir()
    assert not directory.exists()
    assert os.environ[DIRECTORY] == "/before"
