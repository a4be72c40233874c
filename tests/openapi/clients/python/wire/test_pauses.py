"""Pauses, by what they may be: growing, at most two minutes, never below what the service asks, never in step."""

import pytest

from openapi.clients.python.wire.pauses import pause


@pytest.mark.parametrize(
    ("attempt", "least", "most"), [(1, 0.25, 0.5), (2, 0.5, 1), (3, 1, 2), (8, 32, 64), (9, 60, 120), (10_000, 60, 120)]
)
def test_14_pauses_grow_to_minutes(attempt: int, least: float, most: float) -> None:
    """Half of each is random."""
    drawn = [pause(attempt, None) for _ in range(300)]
    assert least <= min(drawn) < least * 1.1
    assert most * 0.9 < max(drawn) <= most


@pytest.mark.parametrize("floor", [0.0, 1.0, 600.0, 3600.0])
@pytest.mark.parametrize("attempt", [1, 5, 20])
def test_14_what_the_service_asks_for_is_a_floor(attempt: int, floor: float) -> None:
    """With a random part on top: no client comes back at the very second."""
    drawn = [pause(attempt, floor) for _ in range(300)]
    assert min(drawn) >= floor
    assert max(drawn) - min(drawn) > floor / 5
    assert max(drawn) <= floor + max(60.0, floor / 4)


@pytest.mark.parametrize("floor", [None, 60.0])
def test_14_fifty_clients_do_not_come_back_in_step(floor: float | None) -> None:
    """After an outage no more than a quarter of them ask in any twentieth of the time over which they spread."""
    for _ in range(20):
        times = sorted(pause(10, floor) for _ in range(50))
        width = (times[-1] - times[0]) / 20
        assert width > 1
        fullest = max(sum(start <= each < start + width for each in times) for start in times)
        assert fullest <= 50 / 4


def test_14_an_hour_without_a_service_ends_with_a_request_a_minute() -> None:
    """At most, and fewer than seventy in all."""
    times: list[float] = []
    total = 0.0
    while total < 3600:
        times.append(pause(len(times) + 1, None))
        total += times[-1]
    assert min(times[9:]) >= 60
    assert len(times) < 70
