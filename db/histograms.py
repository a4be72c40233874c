"""Distributions of measured values, counted in memory."""

from bisect import bisect_left

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
ROWS = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0)


class Histogram:
    """The number of values up to each of `bounds` and above the one before, of those above all, and their sum."""

    __slots__ = ("_bounds", "parts")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self.parts = [0.0] * (len(bounds) + 2)

    def add(self, value: float) -> None:
        """Count `value`."""
        self.parts[bisect_left(self._bounds, value)] += 1
        self.parts[-1] += value
