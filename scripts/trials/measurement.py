"""The measurement of a load, and its summary."""

import math
import re
from array import array
from collections import Counter
from dataclasses import dataclass, field
from statistics import median
from time import perf_counter

from scripts.service.logs import without_keys

SERVER_TIMING = re.compile(rb"^server-timing:(.*)$", re.IGNORECASE | re.MULTILINE)
QUOTED = re.compile(rb'"(?:[^"\\]|\\.)*"')
METRIC = re.compile(rb"([\w!#$%&'*+.^`|~-]+)(?:\s*;[^,;]*)*?\s*;\s*dur\s*=\s*(\d+(?:\.\d+)?)", re.IGNORECASE)


@dataclass
class Measurement:
    """The measurement of a load.

    `latencies` are in seconds, one for each answer; `errors` counts, by kind, the requests and connections without an
    answer; `refusals` has the body of the first answer of each status other than 201. `timings` are the sums, in
    milliseconds, of the metrics in the Server-Timing headers (W3C) of the `timed` answers that had one.
    """

    latencies: "array[float]" = field(default_factory=lambda: array("d"))
    statuses: Counter[int] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    refusals: dict[int, bytes] = field(default_factory=dict)
    timings: dict[str, float] = field(default_factory=dict)
    timed: int = 0
    began: float = field(default_factory=perf_counter)
    ended: float = 0.0

    @property
    def requests(self) -> int:
        """The number of answered requests."""
        return len(self.latencies)

    @property
    def seconds(self) -> float:
        """The duration of the load, or the time until its last answer if that came later."""
        return self.ended - self.began

    @property
    def requests_per_second(self) -> float:
        """The number of requests that were answered with 201, per second."""
        return self.statuses[201] / self.seconds

    def percentiles_ms(self, *percents: float) -> list[float | None]:
        """The percentiles of the latencies at `percents`, by nearest rank, in milliseconds; None without answers."""
        ordered = sorted(self.latencies)
        ranks = [max(math.ceil(percent / 100 * len(ordered)), 1) for percent in percents]
        return [ordered[rank - 1] * 1000 if ordered else None for rank in ranks]

    def answered(self, status: int, head: bytes, body: bytes, sent_at: float) -> None:
        """Count an answer that has just arrived."""
        self.ended = perf_counter()
        self.latencies.append(self.ended - sent_at)
        self.statuses[status] += 1
        if status != 201:
            self.refusals.setdefault(status, body)
        if values := SERVER_TIMING.findall(head):
            self.timed += 1
            for name, milliseconds in METRIC.findall(QUOTED.sub(b"", b",".join(values))):
                metric = without_keys(name.decode())
                self.timings[metric] = self.timings.get(metric, 0.0) + float(milliseconds)


@dataclass(frozen=True)
class LoadSummary:
    """One load on one service: medians of its rounds, and counts of all of them together."""

    service: str
    connections: int
    requests_per_second: float
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    max_ms: float | None
    seconds: float
    requests: int
    statuses: dict[int, int]
    errors: dict[str, int]
    refusals: dict[int, str]

    @property
    def stored(self) -> int:
        """The number of 201 answers."""
        return self.statuses.get(201, 0)

    @property
    def failed(self) -> int:
        """The number of other answers, plus the number of errors."""
        return self.requests - self.stored + sum(self.errors.values())


@dataclass(frozen=True)
class Part:
    """A part of the mean latency."""

    part: str
    mean_ms: float
    share: float


def summary(service: str, connections: int, rounds: list[Measurement]) -> LoadSummary:
    """The summary of the `rounds` of one load on `service`."""
    latencies = [measurement.percentiles_ms(50, 95, 99, 100) for measurement in rounds if measurement.requests]
    p50, p95, p99, longest = map(median, zip(*latencies, strict=True)) if latencies else [None] * 4
    refusals = {status: body for measurement in rounds for status, body in measurement.refusals.items()}
    return LoadSummary(
        service=service,
        connections=connections,
        requests_per_second=median(measurement.requests_per_second for measurement in rounds),
        p50_ms=p50,
        p95_ms=p95,
        p99_ms=p99,
        max_ms=longest,
        seconds=median(measurement.seconds for measurement in rounds),
        requests=sum(measurement.requests for measurement in rounds),
        statuses=dict(sum((measurement.statuses for measurement in rounds), Counter())),
        errors=dict(sum((measurement.errors for measurement in rounds), Counter())),
        refusals={status: _readable(body) for status, body in refusals.items()},
    )


def breakdown(rounds: list[Measurement]) -> list[Part]:
    """The parts of the mean latency of `rounds`, from timed answers, and the remainder; [] if no answer is timed."""
    timed = sum(measurement.timed for measurement in rounds)
    if not timed:
        return []
    mean = (
        sum(sum(measurement.latencies) for measurement in rounds)
        / sum(measurement.requests for measurement in rounds)
        * 1000
    )
    names = dict.fromkeys(name for measurement in rounds for name in measurement.timings)
    parts = {name: sum(measurement.timings.get(name, 0.0) for measurement in rounds) / timed for name in names}
    parts["network and waiting"] = mean - sum(parts.values())
    return [Part(name, milliseconds, milliseconds / mean) for name, milliseconds in parts.items()]


def _readable(body: bytes) -> str:
    """The beginning of an answer in ASCII, without any key in it."""
    return without_keys(body[:300].decode("ascii", "backslashreplace"))
