"""Pauses between attempts: growing, random, and never shorter than the service asks."""

import random

_RANDOM = random.SystemRandom()  # processes that were forked would otherwise draw the same numbers


def pause(attempt: int, floor: float | None, first: float = 0.5, most: float = 120.0) -> float:
    """Seconds before the next attempt, after `attempt` of them (from 1) have failed.

    They double from `first` to `most`; half of them is random, so that clients do not come back together. What the
    service asks for, `floor`, is a minimum, with the random part on top.
    """
    whole: float = min(most, first * 2.0 ** min(attempt - 1, 30))
    drawn = _RANDOM.uniform(whole / 2, whole)
    return drawn if floor is None else floor + _RANDOM.uniform(0, max(whole / 2, floor / 4))
