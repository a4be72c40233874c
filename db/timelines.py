"""Timelines: the beginnings of the database. A restore and a promotion each begin a new one.

What was committed last may be missing on a new timeline, and its positions would be given out again: a reader with a
cursor from before would miss the new rows. So on a new timeline the sequence of positions jumps beyond all that were
given out before, on whatever other timeline: the new positions begin with the time, and 2^28 positions are set aside
for each second. The epoch of a timeline is the second when it was detected, so that no two have the same; the first is
1, and makes no jump. The function `note_timeline` of the database does all this, and returns the newest timeline; where
the server does not say where it is, nothing is detected.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

from db.async_connection import AsyncConnection

logger = logging.getLogger(__name__)

NOTE: LiteralString = """
    SELECT coalesce(epoch, 1), detected_at, restored_to, system_identifier IS NOT NULL FROM note_timeline()
"""
"""Note a new timeline, if this is one; it costs a tenth of a millisecond."""

FIRST = 1
"""The epoch of the first timeline."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """The timeline that was detected at a time, and the time when the newest row was received that survived.

    The first timeline has neither; no row survived if a later one has no `restored_to`.
    """

    epoch: int = FIRST
    detected_at: datetime | None = None
    restored_to: datetime | None = None


class Timelines:
    """The newest timeline as last read. `announce` is called with it, and with each newer one."""

    def __init__(self) -> None:
        self.newest = Timeline()
        self._announce: Callable[[Timeline], None] = lambda _timeline: None
        self._is_known = True

    def announce_to(self, announce: Callable[[Timeline], None]) -> None:
        """Call `announce` with the newest timeline now, and with each newer one."""
        self._announce = announce
        announce(self.newest)

    async def update(self, connection: AsyncConnection) -> None:
        """Note a new timeline, if this is one, and read the newest one."""
        ((epoch, detected_at, restored_to, is_known),) = await connection.execute(NOTE)
        if self._is_known and not is_known:
            logger.warning("the timeline of the database cannot be noted, trying again: a restore is not detected")
        self._is_known = is_known
        newest = Timeline() if epoch == FIRST else Timeline(epoch, detected_at, restored_to)
        if newest != self.newest:
            logger.info("timeline of the database", extra={"epoch": epoch, "restored_to": str(restored_to)})
            self.newest = newest
            self._announce(newest)
