"""Ids of rows: UUID version 7 (RFC 9562), which begin with the time of receipt by the clock of this process."""

import time
from collections.abc import Callable

import uuid_utils

STEP_BACK = 1_000_000_000
"""A clock that goes back by less, in nanoseconds, is being corrected: ids keep the last time until it has passed."""
_MILLISECOND = 1_000_000
_TICK = 245  # a 4096th of a millisecond, in nanoseconds
_TICKS = [f"{number:03x}" for number in range(4096)]


def id_maker(clock: Callable[[], int] = time.time_ns) -> Callable[[], str]:
    """A function that makes ids by `clock`, which returns nanoseconds since the epoch.

    Each id is greater than the one before, unless the clock went back by a second or more. So ids follow the clock
    wherever it jumps. Those of uuid_utils never go back: after a clock was ahead for a moment they would all be of the
    highest time that it ever showed, and in the partitions of another week.

    48 bits are the millisecond, 12 its fraction (section 6.2, method 3), and 62 are random.
    """
    last, millisecond, start, random = 0, -1, "", uuid_utils.uuid4

    def new_id() -> str:
        """A new id."""
        nonlocal last, millisecond, start
        now = clock()
        if last - STEP_BACK < now < last + _TICK:
            now = last + _TICK
        last = now
        if now // _MILLISECOND != millisecond:
            millisecond = now // _MILLISECOND
            digits = f"{millisecond:012x}"
            start = f"{digits[:8]}-{digits[8:]}-7"
        return start + _TICKS[now % _MILLISECOND // _TICK] + str(random())[18:]

    return new_id


new_id = id_maker()
"""Makes the ids of this process."""
