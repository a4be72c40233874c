"""A limit on the bodies in the memory of one process.

The parsed value of a body takes many times as much memory as its bytes.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from openapi.problems import Problem

MOST_BYTES = 16 * 1024 * 1024
"""Limit on the large bodies that are parsed, validated and stored at the same time."""
LARGE_BYTES = 64 * 1024
"""Smaller bodies are not counted, so that single events cost nothing."""


class BodyMemory:
    """Counts the bytes of the large bodies that one process holds."""

    def __init__(self) -> None:
        self._bytes = 0

    @contextmanager
    def holding(self, size: int) -> Iterator[None]:
        """Count a body of `size` bytes during the block; Problem `overloaded` if the others leave no room for it.

        While no other body is counted, a body of any size is accepted.
        """
        if self._bytes and self._bytes + size > MOST_BYTES:
            raise Problem("overloaded")
        self._bytes += size
        try:
            yield
        finally:
            self._bytes -= size
