"""What is told of a load is what was measured: percentiles, medians, counts, and where the time goes."""

import random
from array import array

import pytest

from scripts.trials.measurement import Measurement, breakdown, summary


def made(*milliseconds: float, seconds: float = 1, status: int = 201) -> Measurement:
    """A measurement of so many seconds with these latencies, and one status for all answers."""
    latencies = array("d", [one / 1000 for one in milliseconds])
    found = Measurement(latencies, began=100, ended=100 + seconds)
    found.statuses[status] = len(latencies)
    return found


@pytest.mark.parametrize(
    ("count", "expected"),
    [(1, [1, 1, 1, 1]), (2, [1, 2, 2, 2]), (100, [50, 95, 99, 100]), (1000, [500, 950, 990, 1000])],
)
def test_percentiles_are_by_nearest_rank(count: int, expected: list[float]) -> None:
    """Of latencies of 1 to `count` ms in any order: each is one that was measured."""
    latencies = random.Random(count).sample(range(1, count + 1), count)  # noqa: S311 (an order, no secret)
    assert made(*latencies).percentiles_ms(50, 95, 99, 100) == pytest.approx(expected)


def test_a_row_has_the_medians_of_the_rounds_and_the_sums_of_their_counts() -> None:
    """One round that is far off changes the sums, and not the medians; what was refused is no throughput."""
    rounds = [made(1, 2, seconds=2), made(4, 5, seconds=1), made(*range(100, 1100), seconds=1, status=503)]
    rounds[0].errors["silent"] = 2
    rounds[2].errors["silent"] = 1
    row = summary("service", 8, rounds)
    assert (row.service, row.connections, row.requests_per_second, row.seconds) == ("service", 8, 1, 1)
    assert (row.p50_ms, row.p95_ms, row.p99_ms, row.max_ms) == pytest.approx((4, 5, 5, 5))
    assert (row.requests, row.statuses, row.errors) == (1004, {201: 4, 503: 1000}, {"silent": 3})
    assert row.failed == 1003


def test_a_row_of_nothing_has_no_latencies() -> None:
    """Where nothing was answered there are counts, and no figure is made up."""
    row = summary("service", 8, [made(), made()])
    assert (row.requests, row.requests_per_second, row.failed) == (0, 0, 0)
    assert (row.p50_ms, row.p95_ms, row.p99_ms, row.max_ms) == (None, None, None, None)


def test_a_refusal_is_told_without_a_key() -> None:
    """Its beginning is kept in ASCII, whatever it holds, and a key that it repeats is not."""
    found = made(1, status=401)
    found.refusals[401] = b"irk_secret\xff" + b"x" * 1000
    assert summary("service", 8, [found]).refusals == {401: "irk_...\\xff" + "x" * 289}


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
    """Durations by metric, in milliseconds; what has none is left out."""
    found = Measurement()
    for _ in range(2):
        found.answered(201, f"HTTP/1.1 201 Created\r\n{head}\r\nY: z".encode(), b"", sent_at=0)
    assert found.timings == pytest.approx({name: 2 * milliseconds for name, milliseconds in expected.items()})
    assert found.timed == (2 if expected else 0)


def test_a_breakdown_adds_up_to_the_mean_latency() -> None:
    """Parts are means of the answers that told them, over all rounds; what they leave is the network and waiting."""
    rounds = [made(10, 20), made(30, 40)]
    for found, commit in zip(rounds, (10, 30), strict=True):
        found.timed, found.timings = 2, {"parse": 2, "commit": commit}
    parts = breakdown(rounds)
    assert [one.part for one in parts] == ["parse", "commit", "network and waiting"]
    assert [one.mean_ms for one in parts] == pytest.approx([1, 10, 14])
    assert [one.share for one in parts] == pytest.approx([0.04, 0.4, 0.56])


def test_without_the_header_there_is_no_breakdown() -> None:
    """Nothing is said about time that nobody measured."""
    assert breakdown([made(10, 20)]) == []
