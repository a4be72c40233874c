"""Metrics for Prometheus, summed over all worker processes of one service (the multiprocess mode of its client)."""

import asyncio
import logging
import os
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Any

import prometheus_client
from prometheus_client import CollectorRegistry, generate_latest, values
from prometheus_client.metrics_core import GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.requests import Request
from starlette.responses import Response

from db.background import running_task
from handlers.site.service_state import service_state

logger = logging.getLogger(__name__)

DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"
"""The environment variable that names the directory of the counts, for each process of a service."""
PREFIX = "interaction_reporting_"
DURATION = PREFIX + "request_duration_seconds"
BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
BUCKETS = (*map(str, BOUNDS), "+Inf")
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
WRITE_SECONDS = 1


@contextmanager
def shared(directory: Path) -> Iterator[None]:
    """Keep the counts of this process and its children in `directory`."""
    before = os.environ.get(DIRECTORY)
    os.environ[DIRECTORY] = str(directory)
    try:
        yield
    finally:
        os.environ.pop(DIRECTORY)
        if before is not None:
            os.environ[DIRECTORY] = before


class Metrics:
    """The counts of this process, and the sums over all processes of the service, including ended ones.

    A request is counted in memory, at a tenth of the cost of counting in the client's files. These are written once a
    second, and before each exposition by this process. Labels are bounded by the arguments of `serving`.
    """

    def __init__(self) -> None:
        """Call this within `shared` of this process or of its parent."""
        # The client chooses this at its import, but the parent imports it before the directory exists.
        values.ValueClass = _value_class(os.environ[DIRECTORY])
        self._contracts: Sequence[tuple[str, str]] = ()
        self._refused: Sequence[str] = ()
        self._operations: frozenset[str] = frozenset()
        self._requests: Counter[tuple[str, str, int]] = Counter()
        self._items: Counter[tuple[str, str]] = Counter()
        self._durations: defaultdict[str, list[float]] = defaultdict(lambda: [0.0] * (len(BUCKETS) + 1))
        self._written_requests = _counter("requests", "Requests that ended.", "method", "operation", "status")
        self._written_items = _counter("items", "Items of requests, by outcome.", "kind", "outcome")
        # The client's own Histogram takes one value at a time: its parts are counted here, and assembled when read.
        self._written_durations = _counter(
            "request_duration_seconds", "Seconds from the start of a request to its end.", "operation", "le"
        )

    def serving(self, contracts: Sequence[tuple[str, str]], refused: Sequence[str], operations: Iterable[str]) -> None:
        """From now on expose these versions and digests of contracts, refused versions, and operationIds."""
        self._contracts, self._refused = contracts, refused
        self._operations = frozenset(operations)

    def request(self, operation: str | None, method: str, status: int, seconds: float) -> None:
        """Count a request of `operation`, None if none matched; status 0 means no response."""
        name = operation if operation in self._operations else "none"
        self._requests[method if method in METHODS else "other", name, status] += 1
        durations = self._durations[name]
        durations[bisect_left(BOUNDS, seconds)] += 1
        durations[-1] += seconds

    def items(self, kind: str, outcome: str, count: int) -> None:
        """Count items of requests: events or annotations that were created, duplicate, rejected or throttled."""
        self._items[kind, outcome] += count

    @asynccontextmanager
    async def flushing(self) -> AsyncIterator[None]:
        """Write the counts once a second, and once more at the end."""
        async with running_task(self._keep_written()):
            yield
        self.write()

    async def _keep_written(self) -> None:
        while True:
            await asyncio.sleep(WRITE_SECONDS)
            try:
                self.write()
            except OSError as error:  # the worker serves on, and the next attempt may succeed
                logger.warning("metrics cannot be written: %s", error)

    def write(self) -> None:
        """Write the counts since the last call and clear them, so that nothing is counted twice."""
        while self._requests:
            (method, operation, status), count = self._requests.popitem()
            self._written_requests.labels(method, operation, str(status) if status else "none").inc(count)
        while self._items:
            (kind, outcome), count = self._items.popitem()
            self._written_items.labels(kind, outcome).inc(count)
        while self._durations:
            operation, parts = self._durations.popitem()
            for bound, part in zip((*BUCKETS, "sum"), parts, strict=True):
                self._written_durations.labels(operation, bound).inc(part)

    def exposition(self) -> bytes:
        """The metrics of all processes in Prometheus' text format 0.0.4; other processes' are up to a second old."""
        self.write()
        registry = CollectorRegistry()
        registry.register(self)
        return generate_latest(registry)

    def collect(self) -> Iterator[Metric]:
        """The metrics of all processes, for the client's registry."""
        yield _gauge("contract_info", "A served contract.", ["version", "digest"], self._contracts)
        refused = [(version,) for version in self._refused]
        yield _gauge(
            "contract_row_refused", "A contract row that should be served but cannot be.", ["version"], refused
        )
        written = CollectorRegistry()
        MultiProcessCollector(written)  # type: ignore[no-untyped-call]
        for family in written.collect():
            yield _histogram(family) if family.name == DURATION else family


async def metrics(request: Request) -> Response:
    """200 with the metrics of all processes."""
    return Response(service_state(request).metrics(), media_type=prometheus_client.exposition.CONTENT_TYPE_PLAIN_0_0_4)


@cache
def _value_class(_directory: str) -> Any:
    """The client's class of values in files of that directory: one per process, because it keeps a file open."""
    return values.MultiProcessValue()  # type: ignore[no-untyped-call]


def _gauge(name: str, documentation: str, labels: list[str], values_: Iterable[Sequence[str]]) -> GaugeMetricFamily:
    """A gauge that is 1 for each of `values_` of its labels."""
    gauge = GaugeMetricFamily(PREFIX + name, documentation, labels=labels)
    for value in values_:
        gauge.add_metric(value, 1)
    return gauge


def _counter(name: str, documentation: str, *labels: str) -> prometheus_client.Counter:
    return prometheus_client.Counter(PREFIX + name, documentation, labels, registry=None)


def _histogram(counted: Metric) -> HistogramMetricFamily:
    """The histogram of `counted`, a counter of each bucket and of the sum."""
    parts: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for sample in counted.samples:
        parts[sample.labels["operation"]][sample.labels["le"]] = sample.value
    histogram = HistogramMetricFamily(DURATION, counted.documentation, labels=["operation"])
    for operation, counts in sorted(parts.items()):
        sums = accumulate(counts.get(bucket, 0.0) for bucket in BUCKETS)
        histogram.add_metric([operation], list(zip(BUCKETS, sums, strict=True)), counts.get("sum", 0.0))
    return histogram
