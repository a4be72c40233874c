"""Metrics of a worker: what it counts, and what it shares with the other processes of the service."""

import asyncio
import logging
import math
import multiprocessing
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from psycopg.sql import SQL

from db import replicas
from db.partitions import WEEK
from handlers.site.service_state import SERVICE
from openapi.problems import TABLE as PROBLEMS
from openapi.serving.request_state import RequestState
from scripts.service import logs
from scripts.service.metrics import DIRECTORY, Metrics, metrics, shared
from scripts.service.serve import shared_by_workers
from tests.examples import EVENT
from tests.postgresql import statement
from tests.service import Service
from tests.waiting import wait_until

CREATE = "reportInteractionEvent"
JSON = {"Content-Type": "application/json"}
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


def ended(operation: str | None, status: int, version: str | None = None, problem: str | None = None) -> RequestState:
    """The state of a request that ended."""
    state = RequestState()
    state.operation, state.version, state.status, state.problem = operation, version, status, problem
    return state


def values_in(text: str) -> dict[Any, float]:
    """Each sample of an exposition, by its name and label values."""
    values = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            key = (sample.name.removeprefix(PREFIX), *(sample.labels[name] for name in sorted(sample.labels)))
            assert key not in values
            values[key] = sample.value
    return values


def samples(totals: Metrics) -> dict[Any, float]:
    """Each sample of the exposition, by its name and label values."""
    return values_in(totals.exposition().decode())


def test_durations_are_those_of_requests_to_contracts(totals: Metrics) -> None:
    """By version and bucket, over operations and statuses; throttled requests are counted apart, too."""
    totals.request(ended(CREATE, 201, "1.0"), "POST", 0.001)
    totals.request(ended(None, 404, "1.0"), "GET", 0.0005)
    totals.request(ended(CREATE, 429, "1.0"), "POST", 0.002)
    totals.request(ended(CREATE, 201, "2.0"), "POST", 99.0)
    totals.request(ended("health", 200), "GET", 0.001)
    assert totals.durations() == {("1.0", 0.001): 2, ("1.0", 0.0025): 1, ("1.0", None): 1, ("2.0", math.inf): 1}


def test_metrics_count_requests_and_items(totals: Metrics) -> None:
    """They count by labels, and once, however often they are read."""
    totals.request(ended(CREATE, 201, "1.0"), "POST", 0.003)
    totals.request(ended(CREATE, 201, "1.0"), "POST", 0.001)
    totals.request(ended(CREATE, 201, "2.0"), "POST", 0.001)
    totals.request(ended(None, 0), "GET", 99.0)
    totals.items("event", "created", "clicked", 3)
    samples(totals)
    values = samples(totals)
    assert values["requests_total", "POST", CREATE, "201", "1.0"] == 2
    assert values["requests_total", "POST", CREATE, "201", "2.0"] == 1
    assert values["requests_total", "GET", "none", "none", "none"] == 1
    assert values["items_total", "event", "created"] == 3
    assert values["contract_info", "sha256:0", "1.0"] == 1
    buckets = {key[1]: value for key, value in values.items() if key[0].endswith("bucket") and key[-1] == "1.0"}
    assert (buckets["0.001"], buckets["0.0025"], buckets["0.005"], buckets["+Inf"]) == (1, 1, 2, 2)
    assert values["request_duration_seconds_count", CREATE, "1.0"] == 2
    assert values["request_duration_seconds_sum", CREATE, "1.0"] == pytest.approx(0.004)
    assert values["request_duration_seconds_bucket", "10.0", "none", "none"] == 0
    assert values["request_duration_seconds_bucket", "+Inf", "none", "none"] == 1


def test_problems_and_rejections_are_counted_by_code(totals: Metrics) -> None:
    """An item that was created has no code, and codes that are not in the table of problems share one label."""
    totals.request(ended(CREATE, 401, "1.0", "unauthorized"), "POST", 0.1)
    for code in ("invalid_client", "invalid_grant"):
        totals.request(ended("oauth", 401, None, code), "POST", 0.1)
    totals.items("event", "rejected", "malformed_json", 2)
    totals.items("event", "throttled", "too_many_requests", 3)
    totals.items("event", "created", "malformed_json", 9)
    counted = {key: value for key, value in samples(totals).items() if key[0] in ("problems_total", "rejections_total")}
    assert counted == {
        ("problems_total", "unauthorized"): 1,
        ("problems_total", "other"): 2,
        ("rejections_total", "malformed_json", "event"): 2,
        ("rejections_total", "too_many_requests", "event"): 3,
    }
    assert {"unauthorized", "malformed_json", "too_many_requests"} <= PROBLEMS.keys()


def test_clients_cannot_add_labels(totals: Metrics) -> None:
    """Unknown methods share one label, and so do unknown operations."""
    for number in range(100):
        totals.request(ended(f"operation{number}", 404, problem=f"code{number}"), f"METHOD{number}", 0.1)
        totals.items("event", "rejected", f"code{number}", 1)
    counted = {key: value for key, value in samples(totals).items() if key[0] in ("requests_total", "rejections_total")}
    assert counted == {
        ("requests_total", "other", "none", "404", "none"): 100,
        ("rejections_total", "other", "event"): 100,
    }


def test_what_a_worker_is_given_is_exposed(totals: Metrics) -> None:
    """Connections that are open, steps of the upkeep, lost lines of the log, and the process itself."""
    for change in (1, 1, -1):
        totals.connection(change)
    totals.upkeep_succeeded("partitions")
    lost_before = logs.lost_lines()
    handler = logs.Handler()
    handler.writer.dropped = 4
    logging.getLogger().addHandler(handler)
    try:
        values = samples(totals)
    finally:
        logging.getLogger().removeHandler(handler)
    started = values["process_start_time_seconds", "0"]
    assert values["connections",] == 1
    assert started <= values["upkeep_last_success_timestamp_seconds", "partitions"] < started + 3600
    assert values["log_lines_dropped_total",] == lost_before + 4
    assert values["worker_restarts_total",] == 0
    assert 10e6 < values["process_resident_memory_bytes", "0"] < 10e9
    assert 3 <= values["process_open_fds", "0"] <= values["process_max_fds", "0"]
    assert 0 < values["process_cpu_seconds_total", "0"] < 3600


def count_and_end(is_killed: bool) -> None:
    """Count one request, write it, and end."""
    totals = new_metrics()
    totals.request(ended(CREATE, 201, "1.0"), "POST", 0.003)
    totals.items("annotation", "duplicate", "", 2)
    totals.connection(1)
    totals.write()
    if is_killed:
        os.kill(os.getpid(), signal.SIGKILL)


def test_metrics_sum_running_and_ended_processes(totals: Metrics) -> None:
    """A killed process, its successor, and the process that exposes the sum; the ended ones have no connections."""
    for is_killed in (True, False):
        process = SPAWN.Process(target=count_and_end, args=(is_killed,))
        process.start()
        process.join(60)
    totals.request(ended(CREATE, 201, "1.0"), "POST", 0.003)
    totals.connection(1)
    values = samples(totals)
    assert values["requests_total", "POST", CREATE, "201", "1.0"] == 3
    assert values["items_total", "annotation", "duplicate"] == 4
    assert values["request_duration_seconds_count", CREATE, "1.0"] == 3
    assert values["contract_info", "sha256:0", "1.0"] == 1
    assert values["connections",] == 1
    assert {key[1] for key in values if key[0] == "process_open_fds"} == {"0"}


def test_counts_are_written_soon(totals: Metrics, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process writes them unasked, so that other processes can read them."""
    monkeypatch.setattr("scripts.service.metrics.WRITE_SECONDS", 0.01)
    reader = new_metrics()

    async def count_and_flush() -> dict[Any, float]:
        async with totals.flushing():
            totals.request(ended(CREATE, 201, "1.0"), "POST", 0.003)
            await asyncio.sleep(0.2)
            return samples(reader)

    assert asyncio.run(count_and_flush())["requests_total", "POST", CREATE, "201", "1.0"] == 1


def test_a_removed_directory_costs_no_count(totals: Metrics, caplog: pytest.LogCaptureFixture) -> None:
    """Where it cannot be made anew a worker exposes its own counts, and then those of all, and none twice."""
    other, directory = new_metrics(), Path(os.environ[DIRECTORY])
    for worker in (totals, other):
        worker.request(ended(CREATE, 201, "1.0"), "POST", 0.003)
        worker.connection(1)
        worker.write()
    key = ("requests_total", "POST", CREATE, "201", "1.0")
    shutil.rmtree(directory)
    directory.touch()
    assert samples(totals)[key] == 1
    assert "metrics cannot be written" in caplog.text
    directory.unlink()
    for worker in (other, totals, other):
        worker.write()
    for worker in (totals, other):
        values = samples(worker)
        assert (values[key], values["connections",]) == (2, 2)


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


@pytest.fixture
def exposed(
    start_service: Callable[..., Any], tmp_path: Path
) -> Iterator[tuple[Service, Callable[[], dict[Any, float]]]]:
    """A service of its own, and a function that returns the samples of its page."""
    with shared_by_workers(tmp_path), start_service() as service:
        yield service, lambda: values_in(httpx.get(f"{service.url}/metrics").text)


Exposed = tuple[Service, Callable[[], dict[Any, float]]]


def test_a_service_exposes_its_requests_and_resources(exposed: Exposed) -> None:
    """By operation and version; pages outside the API have the first segment of their path."""
    service, page = exposed
    with service.client() as client:
        assert client.post("/api/v1/interaction-events", json=EVENT).status_code == 201
        assert client.post("/api/v1/interaction-events", content=b"{", headers=JSON).status_code == 400
        assert httpx.get(f"{service.url}/health/live").status_code == 200
        values = page()
        assert values["connections",] >= 2
    wait_until(lambda: page()["connections",] == 1)
    assert values["requests_total", "POST", CREATE, "201", service.version] == 1
    assert values["request_duration_seconds_count", CREATE, service.version] == 2
    assert values["requests_total", "GET", "health", "200", "none"] == 1
    first, second = [page()["requests_total", "GET", "metrics", "200", "none"] for _ in range(2)]
    assert second == first + 1 > 1
    assert values["problems_total", "malformed_json"] == 1
    assert values["rejections_total", "malformed_json", "event"] == 1
    for name in ("write_wait_seconds_count", "commit_seconds_count", "write_batch_rows_sum"):
        assert (values[name, "event"], values[name, "annotation"]) == (1, 0)
    assert values["write_batch_rows_sum", "rejection"] == 1
    assert 0 < values["commit_seconds_sum", "event"] < 10
    assert 0 <= values["write_wait_seconds_sum", "event"] < 10
    assert values["write_queue_rows", "event"] == values["write_queue_bytes", "event"] == 0
    assert 0 <= values["registry_age_seconds",] < 10
    assert values["database_away_seconds",] == 0
    assert (values["database_connections", "size"], values["database_connections", "waiting"]) == (8, 0)
    assert values["revoked_tokens",] == 0


def test_a_service_without_events_notices_that_its_database_takes_no_writes(
    exposed: Exposed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It tries a row of its own all the time."""
    service, page = exposed
    monkeypatch.setattr(replicas, "STALE_SECONDS", 0.5)
    refuse = SQL("ALTER TABLE replicas ADD CONSTRAINT refuses CHECK (false) NOT VALID")
    statement(service.database_url, SQL("TRUNCATE replicas"), refuse)
    wait_until(lambda: page()["database_away_seconds",] > 1)
    statement(service.database_url, SQL("ALTER TABLE replicas DROP CONSTRAINT refuses"))
    wait_until(lambda: page()["database_away_seconds",] == 0)


def test_a_service_exposes_what_it_measures_from_time_to_time(exposed: Exposed) -> None:
    """The time for which there are partitions, the lag of its event loop, and the steps of its upkeep."""
    _, page = exposed
    wait_until(lambda: ("upkeep_last_success_timestamp_seconds", "tokens_dropped") in page())
    wait_until(lambda: ("partitions_ahead_seconds", "annotations") in page())
    wait_until(lambda: page()["event_loop_lag_seconds_count",] > 0)
    values = page()
    assert {key[1] for key in values if key[0] == "upkeep_last_success_timestamp_seconds"} == {
        "partitions_made",
        "partitions_dropped",
        "events_dropped_by_type",
        "rejected_submissions_dropped",
        "minutes_dropped",
        "signing_keys_dropped",
        "tokens_dropped",
    }
    for table in ("interaction_events", "annotations"):
        assert 4 < values["partitions_ahead_seconds", table] / WEEK.total_seconds() <= 5
