"""Metrics: the counts of several processes, summed."""

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


def new_metrics() -> Metrics:
    """The metrics of one process."""
    process_metrics = Metrics()
    process_metrics.serving([("1.0", "sha256:0")], [], [CREATE])
    return process_metrics


@pytest.fixture
def totals(tmp_path: Path) -> Iterator[Metrics]:
    """The metrics of this process, in a directory of their own."""
    with shared(tmp_path):
        yield new_metrics()


def samples(totals: Metrics) -> dict[Any, float]:
    """Each sample of the exposition, by its name and label values."""
    families = text_string_to_metric_families(totals.exposition().decode())
    values = {}
    for family in families:
        for sample in family.samples:
            key = (sample.name.removeprefix(PREFIX), *(sample.labels[name] for name in sorted(sample.labels)))
            assert key not in values
            values[key] = sample.value
    return values


def test_metrics_count_requests_and_items(totals: Metrics) -> None:
    """They count by labels, and once, however often they are read."""
    totals.request(CREATE, "POST", 201, 0.003)
    totals.request(CREATE, "POST", 201, 0.001)
    totals.request(None, "GET", 0, 99.0)
    totals.items("event", "created", 3)
    samples(totals)
    values = samples(totals)
    assert values["requests_total", "POST", CREATE, "201"] == 2
    assert values["requests_total", "GET", "none", "none"] == 1
    assert values["items_total", "event", "created"] == 3
    assert values["contract_info", "sha256:0", "1.0"] == 1
    buckets = {key[1]: value for key, value in values.items() if key[0].endswith("bucket") and "none" not in key}
    assert (buckets["0.001"], buckets["0.0025"], buckets["0.005"], buckets["+Inf"]) == (1, 1, 2, 2)
    assert values["request_duration_seconds_count", CREATE] == 2
    assert values["request_duration_seconds_sum", CREATE] == pytest.approx(0.004)
    assert values["request_duration_seconds_bucket", "10.0", "none"] == 0
    assert values["request_duration_seconds_bucket", "+Inf", "none"] == 1


def test_clients_cannot_add_labels(totals: Metrics) -> None:
    """Unknown methods share one label, and so do unknown operations."""
    for number in range(100):
        totals.request(f"operation{number}", f"METHOD{number}", 404, 0.1)
    assert [key for key in samples(totals) if key[0] == "requests_total"] == [
        ("requests_total", "other", "none", "404")
    ]


def count_and_end(is_killed: bool) -> None:
    """Count one request, write it, and end."""
    totals = new_metrics()
    totals.request(CREATE, "POST", 201, 0.003)
    totals.items("annotation", "duplicate", 2)
    totals.write()
    if is_killed:
        os.kill(os.getpid(), signal.SIGKILL)


def test_metrics_sum_running_and_ended_processes(totals: Metrics) -> None:
    """A killed process, its successor, and the process that exposes the sum."""
    for is_killed in (True, False):
        process = SPAWN.Process(target=count_and_end, args=(is_killed,))
        process.start()
        process.join(60)
    totals.request(CREATE, "POST", 201, 0.003)
    values = samples(totals)
    assert values["requests_total", "POST", CREATE, "201"] == 3
    assert values["items_total", "annotation", "duplicate"] == 4
    assert values["request_duration_seconds_count", CREATE] == 3
    assert values["contract_info", "sha256:0", "1.0"] == 1


def test_counts_are_written_soon(totals: Metrics, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process writes them unasked, so that other processes can read them."""
    monkeypatch.setattr("scripts.service.metrics.WRITE_SECONDS", 0.01)

    async def count_and_flush() -> None:
        async with totals.flushing():
            totals.request(CREATE, "POST", 201, 0.003)
            await asyncio.sleep(0.2)

    asyncio.run(count_and_flush())
    monkeypatch.setattr(totals, "write", lambda: None)
    assert samples(totals)["requests_total", "POST", CREATE, "201"] == 1


def test_the_response_is_prometheus_text(totals: Metrics) -> None:
    """It has the media type of version 0.0.4."""
    request: Any = SimpleNamespace(scope={"state": {SERVICE: SimpleNamespace(metrics=totals.exposition)}})
    response = asyncio.run(metrics(request))
    assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert b"# TYPE interaction_reporting_contract_info gauge\n" in bytes(response.body)


def test_the_variable_is_restored_at_the_end(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The directory is named only within the block."""
    monkeypatch.setenv(DIRECTORY, "/before")
    with shared(tmp_path):
        assert os.environ[DIRECTORY] == str(tmp_path)
    assert os.environ[DIRECTORY] == "/before"
