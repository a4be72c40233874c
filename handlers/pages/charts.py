"""Charts of pages: bars as SVG, drawn by the template, with the numbers beside them."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 8, 60
"""Of the place of one bar, in units of the drawing."""
GAP = 2
LEAST = 1.5
"""The height of a bar for the smallest number that is not 0, and of one for 0."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its place and size, and the part of it, from the bottom, that is marked."""

    x: int
    y: float
    height: float
    marked: float
    is_empty: bool


@dataclass(frozen=True, slots=True)
class Chart:
    """Numbers over time. `label` says in words what they are; each row has its words, and its numbers by column.

    A bar shows the number in the first column, and marks the part that the second one is of it.
    """

    label: str
    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[int]]]

    @property
    def width(self) -> int:
        """The width of the drawing."""
        return max(1, len(self.rows)) * WIDTH - GAP

    @property
    def highest(self) -> int:
        """The highest number of a bar."""
        return max((numbers[0] for _, numbers in self.rows), default=0)

    @property
    def bars(self) -> list[Bar]:
        """A bar for each row."""
        scale = HEIGHT / (self.highest or 1)
        return [_bar(index * WIDTH, numbers, scale) for index, (_, numbers) in enumerate(self.rows)]


def _bar(x: int, numbers: Sequence[int], scale: float) -> Bar:
    height = round(max(LEAST, numbers[0] * scale), 1)
    marked = round(max(LEAST, numbers[1] * scale), 1) if len(numbers) > 1 and numbers[1] else 0.0
    return Bar(x, round(HEIGHT - height, 1), height, marked, is_empty=not numbers[0])
