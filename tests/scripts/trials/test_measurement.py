"""The summary of a load: percentiles, medians, counts, and where the time goes."""

import random
from array import array

import pytest

from scripts.trials.measurement import Measurement, breakdown, summary


def measurement_of(*milliseconds: float, seconds: float = 1, status: int = 201) -> Measurement:
    """A measurement over `seconds` with these latencies, and one status for all answers."""
    latencies = array("d", [latency / 1000 for latency in milliseconds])
    measurement = Measurement(latencies, began=100, ended=100 + seconds)
    measurement.statuses[status] = len(latencies)
    return measurement


@pytest.mark.parametrize(
    ("count", "expected"),
    [(1, [1, 1, 1, 1]), (2, [1, 2, 2, 2]), (100, [50, 95, 99, 100]), (1000, [500, 950, 990, 1000])],
)
def test_percentiles_are_by_nearest_rank(count: int, expected: list[float]) -> None:
    """Each percentile of 1 to `count` ms, in any order, is one of the latencies."""
    latencies = random.Random(count).sample(range(1, count + 1), count)  # noqa: S311 (an order, no secret)
    assert measurement_of(*latencies).percentiles_ms(50, 95, 99, 100) == pytest.approx(expected)


def test_a_row_has_the_medians_of_the_rounds_and_the_sums_of_their_counts() -> None:
    """An outlying round changes the sums, but not the medians; refused requests do not count as throughput."""
    rounds = [
        measurement_of(1, 2, seconds=2),
        measurement_of(4, 5, seconds=1),
        measurement_of(*range(100, 1100), seconds=1, status=503),
    ]
    rounds[0].errors["silent"] = 2
    rounds[2].errors["silent"] = 1
    row = summary("service", 8, rounds)
    assert (row.service, row.connections, row.requests_per_second, row.seconds) == ("service", 8, 1, 1)
    assert (row.p50_ms, row.p95_ms, row.p99_ms, row.max_ms) == pytest.approx((4, 5, 5, 5))
    assert (row.requests, row.statuses, row.errors) == (1004, {201: 4, 503: 1000}, {"silent": 3})
    assert row.failed == 1003


def test_a_row_without_answers_has_no_latencies() -> None:
    """It has counts, and None for each latency."""
    row = summary("service", 8, [measurement_of(), measurement_of()])
    assert (row.requests, row.requests_per_second, row.failed) == (0, 0, 0)
    assert (row.p50_ms, row.p95_ms, row.p99_ms, row.max_ms) == (None, None, None, None)


def test_a_refusal_is_kept_without_a_key() -> None:
    """The summary has its beginning, in ASCII, without a key that it repeats."""
    measurement = measurement_of(1, status=401)
    measurement.refusals[401] = b"irk_secret\xff" + b"x" * 1000
    assert summary("service", 8, [measurement]).refusals == {401: "irk_...\\xff" + "x" * 289}


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        pytest.param("Server-Timing: parse;dur=0.021, commit;dur=1", {"parse": 0.021, "commit": 1}, id="several"),
        pytest.param("SERVER-TIMING:a;dur=1\r\nX: y\r\nserver-timing: b ; dur = 2 ", {"a": 1, "b": 2}, id="two fields"),
        pytest.param('Server-Timing: a;desc="x, b;dur=9";dur=1', {"a": 1}, id="a description"),
        pytest.param("Server-Timing: miss, a;dur=1, a;DUR=2", {"a": 3}, id="one without a duration, one twice"),
        pytest.param("X-Server-Timing: a;dur=1", {}, id="another field"),
    ],
)
def test_server_timing_is_read_as_w3c_writes_it(head: str, expected: dict[str, float]) -> None:
    """The sums are by metric, in milliseconds; a metric without a duration is left out."""
    measurement = Measurement()
    for _ in range(2):
        measurement.answered(201, f"HTTP/1.1 201 Created\r\n{head}\r\nY: z".encode(), b"", sent_at=0)
    assert measurement.timings == pytest.approx({name: 2 * milliseconds for name, milliseconds in expected.items()})
    assert measurement.timed == (2 if expected else 0)


def test_a_breakdown_adds_up_to_the_mean_latency() -> None:
    """Parts are means over the timed answers of all rounds; the remainder is the network and waiting."""
    rounds = [measurement_of(10, 20), measurement_of(30, 40)]
    for measurement, commit in zip(rounds, (10, 30), strict=True):
        measurement.timed, measurement.timings = 2, {"parse": 2, "commit": commit}
    parts = breakdown(rounds)
    assert [part.part for part in parts] == ["parse", "commit", "network and waiting"]
    assert [part.mean_ms for part in parts] == pytest.approx([1, 10, 14])
    assert [part.share for part in parts] == pytest.approx([0.04, 0.4, 0.56])


def test_without_the_header_there_is_no_breakdown() -> None:
    """No part is shown for unmeasured time."""
    assert breakdown([measurement_of(10, 20)]) == []
