"""Admission: idle connections make room for new ones, so that a full table of descriptors stops nothing."""

import logging

import pytest

from openapi.protocol.admission import Admission


class Connection:
    """A connection that remembers whether it was closed."""

    def __init__(self, idle_since: float | None = None) -> None:
        self.idle_since = idle_since
        self.is_closed = False

    def close_now(self) -> None:
        """Remember it."""
        self.is_closed = True


def closed(connections: list[Connection]) -> list[int]:
    """The positions of the closed ones."""
    return [number for number, connection in enumerate(connections) if connection.is_closed]


@pytest.mark.parametrize(
    ("idle_since", "expected"),
    [
        pytest.param([3.0, 1.0, 2.0, 9.0], [], id="as many as allowed"),
        pytest.param([3.0, 1.0, 2.0, None, 9.0], [1], id="the longest idle one"),
        pytest.param([None, None, 2.0, 1.0, 0.5], [3], id="not the newcomer itself, however its clock stands"),
        pytest.param([None, None, None, None, 9.0], [4], id="the newcomer, if all others are busy"),
    ],
)
def test_the_longest_idle_connection_makes_room(idle_since: list[float | None], expected: list[int]) -> None:
    """The last one is the newcomer; four are allowed."""
    connections = [Connection(since) for since in idle_since]
    Admission(4).admit(connections[-1], connections)
    assert closed(connections) == expected


def test_many_connections_make_room_at_once() -> None:
    """One of a hundred, so that the next newcomers need not look for one."""
    connections = [Connection(float(number)) for number in range(500)]
    Admission(499).admit(connections[-1], connections)
    assert closed(connections) == [0, 1, 2, 3, 4, 5]


def test_the_log_says_so_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    """With the remedy; a thousand newcomers make one line."""
    connections = [Connection(1.0), Connection(2.0)]
    admission = Admission(1)
    with caplog.at_level(logging.WARNING):
        for _ in range(1000):
            admission.admit(connections[1], connections)
    (line,) = caplog.messages
    assert "ulimit -n" in line
