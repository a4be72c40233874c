"""The counts of a worker, and the page for Prometheus with those of all workers of a service."""

import asyncio
import logging
import math
import os
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from operator import add
from pathlib import Path

from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from starlette.requests import Request
from starlette.responses import Response

from db.background import running_task
from db.outage_log import OutageLog
from handlers.paths import HOME, RESERVED, page_name
from handlers.site.service_state import service_state
from openapi.problems import TABLE as PROBLEMS
from openapi.serving.request_state import RequestState
from scripts.metrics import exposition, processes
from scripts.metrics.families import REQUEST_SECONDS
from scripts.metrics.shared_counts import SharedCounts
from scripts.metrics.values import Labels, Sample, Value, collected
from scripts.service import logs
from scripts.service.supervision.runtime_directory import environment_variable

logger = logging.getLogger(__name__)

DIRECTORY = "INTERACTION_REPORTING_SHARED"
"""The environment variable that names the directory of the counts, for each process of a service."""
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
PAGES = frozenset(map(page_name, (HOME, *RESERVED)))
"""The operations outside the API, such as `health`."""
WRITE_SECONDS = 1
BUCKETS = (*REQUEST_SECONDS, math.inf)
THROTTLED = 429

Source = Callable[[], Iterable[Sample]]
"""Called once a second for values as they are now; counts since the start of this process."""


@contextmanager
def shared(directory: Path) -> Iterator[None]:
    """Keep the counts of this process and its children in `directory`."""
    with environment_variable(DIRECTORY, str(directory)):
        yield


class Metrics:
    """The counts of this process, and the sums over all processes of the service, including ended ones.

    Requests and items are counted in memory. All values are written to this worker's file once a second, and before
    each exposition by this worker. Labels are bounded: by the arguments of `serving`, and by tables of this release.
    """

    def __init__(self) -> None:
        """Call this within `shared` of this process or of its parent."""
        self._shared = SharedCounts(Path(os.environ[DIRECTORY]))
        self._sources: list[Source] = [self._counted]
        self._contracts: Sequence[tuple[str, str]] = ()
        self._refused: Sequence[str] = ()
        self._operations = PAGES
        self._requests: dict[tuple[str | None, str | None, str, int], list[float]] = {}
        self._problems: Counter[str] = Counter()
        self._items: Counter[tuple[str, str]] = Counter()
        self._rejections: Counter[tuple[str, str]] = Counter()
        self._upkeep: dict[str, float] = {}
        self._connections = 0
        self._outage = OutageLog(logger, over="metrics can be written again")

    @property
    def worker(self) -> str:
        """The number of this worker among those that run, for the label `worker`."""
        return str(self._shared.number)

    @contextmanager
    def exposing(self, source: Source) -> Iterator[None]:
        """Expose the values of `source`, too, until the end of the block."""
        self._sources.append(source)
        try:
            yield
        finally:
            self._sources.remove(source)

    def serving(self, contracts: Sequence[tuple[str, str]], refused: Sequence[str], operations: Iterable[str]) -> None:
        """From now on expose these versions and digests of contracts, refused versions, and operationIds."""
        self._contracts, self._refused = contracts, refused
        self._operations = PAGES | frozenset(operations)

    def request(self, state: RequestState, method: str, seconds: float) -> None:
        """Count a request that ended."""
        parts = self._requests.get((state.version, state.operation, method, state.status))
        if parts is None:
            parts = self._first(state, method)
        parts[bisect_left(REQUEST_SECONDS, seconds)] += 1
        parts[-1] += seconds
        if state.problem is not None:
            self._problems[_known(state.problem)] += 1

    def _first(self, state: RequestState, method: str) -> list[float]:
        """The parts of a histogram for requests like this one, which may share their labels with others."""
        operation = state.operation if state.operation in self._operations else None
        key = state.version, operation, method if method in METHODS else "other", state.status
        return self._requests.setdefault(key, [0.0] * (len(REQUEST_SECONDS) + 2))

    def items(self, kind: str, outcome: str, reason: str, count: int) -> None:
        """Count items of requests: events or annotations that were created, duplicate, rejected or throttled."""
        self._items[kind, outcome] += count
        if outcome == "rejected" or outcome == "throttled":  # noqa: PLR1714 (faster than a set)
            self._rejections[kind, _known(reason)] += count

    def durations(self) -> Counter[tuple[str, float | None]]:
        """The requests to contracts that ended, by version and the upper bound of their bucket; None: answered 429."""
        totals: Counter[tuple[str, float | None]] = Counter()
        for (version, _, _, status), parts in self._requests.items():
            if version is not None:
                for bound, count in zip(BUCKETS, parts[:-1], strict=True):
                    if count:
                        totals[version, bound] += int(count)
                if status == THROTTLED:
                    totals[version, None] += int(sum(parts[:-1]))
        return totals

    def upkeep_succeeded(self, step: str) -> None:
        """A `step` of the upkeep has just succeeded."""
        self._upkeep[step] = time.time()

    def connection(self, change: int) -> None:
        """A client's connection was opened (1) or closed (-1)."""
        self._connections += change

    @asynccontextmanager
    async def flushing(self) -> AsyncIterator[None]:
        """Write the counts once a second, and once more at the end; then another process may continue them."""
        async with running_task(self._keep_written()):
            yield
        self.write()
        self._shared.close()

    async def _keep_written(self) -> None:
        while True:
            await asyncio.sleep(WRITE_SECONDS)
            self.write()

    def write(self) -> None:
        """Share the values as they are now; a failure is logged, and the next attempt may succeed."""
        values = collected(sample for source in self._sources for sample in source())
        try:
            self._shared.write(values)
        except OSError as error:
            self._outage.fails("metrics cannot be written: %s", error)
        else:
            self._outage.works()

    def exposition(self) -> bytes:
        """The metrics of all processes in Prometheus' text format 0.0.4; other processes' are up to a second old."""
        self.write()
        total = self._shared.total()
        # Of this worker alone, which has just looked: another may serve the former contract for a moment.
        served: dict[Labels, Value] = dict.fromkeys(self._contracts, 1.0)
        refused: dict[Labels, Value] = {(version,): 1.0 for version in self._refused}
        return exposition.text(total | {"contract_info": served, "contract_row_refused": refused})

    def _counted(self) -> Iterator[Sample]:
        durations: dict[tuple[str, str], list[float]] = {}
        for (version, operation, method, status), parts in self._requests.items():
            served = version or "none", operation or "none"
            yield "requests", (served[0], method, served[1], str(status) if status else "none"), sum(parts[:-1])
            earlier = durations.get(served)
            durations[served] = [*map(add, earlier, parts)] if earlier else parts
        for labels, parts in durations.items():
            yield "request_duration_seconds", labels, parts
        for code, count in self._problems.items():
            yield "problems", (code,), count
        for item, count in self._items.items():
            yield "items", item, count
        for rejection, count in self._rejections.items():
            yield "rejections", rejection, count
        for step, at in list(self._upkeep.items()):  # a thread may add one
            yield "upkeep_last_success_timestamp_seconds", (step,), at
        yield "log_lines_dropped", (), logs.lost_lines()
        yield "connections", (), self._connections
        yield from processes.readings(self.worker)


async def metrics(request: Request) -> Response:
    """200 with the metrics of all processes."""
    return Response(service_state(request).metrics(), media_type=CONTENT_TYPE_PLAIN_0_0_4)


def _known(code: str) -> str:
    """`code` if the table of problems has it: OAuth's errors, and texts that clients choose, share one label."""
    return code if code in PROBLEMS else "other"
