"""Ids are unique, grow, and follow the clock, also one that jumps."""

import multiprocessing
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import repeat
from uuid import RFC_4122, UUID

import pytest

from db.ids import id_maker, new_id
from db.partitions import lowest_id

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


def at(instant: datetime) -> int:
    """The nanoseconds from the epoch to `instant`."""
    return (instant - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000


def ids_at(*instants: datetime) -> Iterator[str]:
    """An id at each of `instants`, by a clock that jumps there."""
    clock = map(at, instants)
    make = id_maker(lambda: next(clock))
    return (make() for _ in instants)


def many(count: int) -> list[str]:
    """`count` ids of this process."""
    return [new_id() for _ in range(count)]


def test_an_id_is_a_uuid_of_version_7() -> None:
    """In its canonical form, of the time of its clock."""
    (identifier,) = ids_at(NOW)
    parsed = UUID(identifier)
    assert (str(parsed), parsed.version, parsed.variant) == (identifier, 7, RFC_4122)
    assert lowest_id(NOW) <= parsed < lowest_id(NOW + MILLISECOND)


@pytest.mark.parametrize("jump", [timedelta(minutes=1), timedelta(hours=1), timedelta(days=20), timedelta(days=56)])
@pytest.mark.parametrize("sign", [1, -1])
def test_ids_follow_a_clock_that_jumps_there_and_back(jump: timedelta, sign: int) -> None:
    """Nothing of the jump is left behind."""
    instants = NOW, NOW + sign * jump, NOW
    for instant, identifier in zip(instants, ids_at(*instants), strict=True):
        assert lowest_id(instant) <= UUID(identifier) < lowest_id(instant + MILLISECOND)


def test_ids_grow_while_the_clock_stands_or_is_corrected() -> None:
    """Back by less than a second; 100,000 ids of one instant are 25 milliseconds ahead of it."""
    still = list(ids_at(*repeat(NOW, 100_000)))
    assert sorted(set(still)) == still
    assert UUID(still[-1]) < lowest_id(NOW + 30 * MILLISECOND)
    corrected = list(ids_at(NOW, *(NOW - number * MILLISECOND for number in range(999)), NOW + 999 * MILLISECOND))
    assert sorted(set(corrected)) == corrected
    assert UUID(corrected[-1]) < lowest_id(NOW + 1000 * MILLISECOND)


def test_ids_of_the_real_clock_grow() -> None:
    """As they are made for the items of a batch; the first and the last are of now."""
    before = datetime.fromtimestamp(time.time(), UTC) - MILLISECOND
    made = many(100_000)
    assert sorted(set(made)) == made
    assert lowest_id(before) < UUID(made[0])
    assert UUID(made[-1]) < lowest_id(datetime.now(UTC) + MILLISECOND)


def test_no_two_ids_are_the_same() -> None:
    """A million of two processes, half of them by two threads."""
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as processes:
        made = [identifier for part in processes.map(many, [250_000] * 2) for identifier in part]
    with ThreadPoolExecutor(2) as threads:
        made += [identifier for part in threads.map(many, [250_000] * 2) for identifier in part]
    assert len(set(made)) == 1_000_000


def test_processes_that_fork_make_different_ids() -> None:
    """The child does not repeat the random bits of its parent, even at the same instants."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork")) as child:
        theirs = child.submit(many, 1000).result()
        tails = {identifier[19:] for identifier in (*theirs, *many(1000))}
    assert len(tails) == 2000
