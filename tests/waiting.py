"""Waiting for something that happens outside the test."""

import time
from collections.abc import Callable


def wait_until(condition: Callable[[], object], seconds: float = 60, pause: float = 0.02) -> None:
    """Return when `condition` holds; AssertionError if it does not within `seconds`, which a busy machine may need."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"it did not happen within {seconds:g} seconds"
        time.sleep(pause)
