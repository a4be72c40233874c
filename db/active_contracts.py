"""What governs each major version: its row, and what was served last in case that cannot be served."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, LiteralString

from sqlalchemy import Connection, text

from db.async_connection import AsyncConnection, Rows
from db.change_feed import ChangeFeed
from db.engine import Database
from db.errors import DatabaseError

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.3

# Of a row that was changed, or deleted and put back, one of these is another one; no document is read for them.
_FINGERPRINT: LiteralString = """
    SELECT contract_version, xmin::text, ctid::text FROM interaction_reporting_contracts ORDER BY 1
"""
# Where plain SQL left no row that serves, the one that governed last says whether the major version is retired.
_GOVERNING: LiteralString = """
    SELECT major, governing.contract_version, governing.status, governing.document,
        governing.deprecated_at, governing.sunset_at,
        last.contract_version, last.document, last.deprecated_at, last.sunset_at
    FROM (
        SELECT DISTINCT ON (major) * FROM interaction_reporting_contracts
        WHERE status <> 'draft'
        ORDER BY major, status IN ('active', 'deprecated') DESC, activated_at DESC NULLS LAST,
            split_part(contract_version, '.', 2)::integer DESC
    ) governing
    FULL JOIN interaction_reporting_contracts_served last USING (major)
    ORDER BY major
"""
# From the row as it is now: what was built of an older one is not kept.
_KEEP: LiteralString = """
    INSERT INTO interaction_reporting_contracts_served AS last
        (major, contract_version, document, deprecated_at, sunset_at)
    SELECT major, contract_version, document, deprecated_at, sunset_at FROM interaction_reporting_contracts
    WHERE contract_version = %s AND document = %s AND status IN ('active', 'deprecated')
    ON CONFLICT (major) DO UPDATE SET contract_version = excluded.contract_version, document = excluded.document,
        deprecated_at = excluded.deprecated_at, sunset_at = excluded.sunset_at, served_at = now()
    WHERE (last.contract_version, last.document, last.deprecated_at, last.sunset_at)
        IS DISTINCT FROM (excluded.contract_version, excluded.document, excluded.deprecated_at, excluded.sunset_at)
"""


@dataclass(frozen=True, slots=True)
class ServedDocument:
    """A document, of the version that its row has, and what clients are told of its end."""

    contract_version: str
    document: str = field(repr=False)
    deprecated_at: datetime | None = None
    sunset_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class MajorVersionState:
    """One major version. `row` is the row that governs it, or did so last: `status` says whether it does.

    `last` is what a service served of it last.
    """

    major: int
    status: str | None
    row: ServedDocument | None
    last: ServedDocument | None


Take = Callable[[Sequence[MajorVersionState]], Awaitable[Sequence[ServedDocument]]]
"""Is given every major version whenever one was changed; what it serves of their rows."""


class ActiveContracts:
    """Follows what governs, and keeps what is served of it."""

    def __init__(self, database: Database, take: Take) -> None:
        self._following = ChangeFeed(database, "contracts", self._update, POLL_SECONDS, 0)
        self._take = take
        self._fingerprint: Rows = []
        self._unkept: list[ServedDocument] = []
        self._is_kept = True

    @asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        """Take what governs, and follow it meanwhile; Unavailable if it cannot be read."""
        async with self._following.running():
            yield

    async def _update(self, connection: AsyncConnection, is_new: bool) -> None:
        fingerprint = await connection.execute(_FINGERPRINT)
        if is_new or fingerprint != self._fingerprint:
            found = [_of(row) for row in await connection.execute(_GOVERNING)]
            kept = [one.last for one in found]
            self._unkept = [one for one in await self._take(found) if one not in kept]
            self._fingerprint = fingerprint
            self._is_kept = True
        if self._unkept:
            await self._keep(connection)

    async def _keep(self, connection: AsyncConnection) -> None:
        """Keep what is served for where a row cannot be; with a database that cannot be written it is tried again."""
        try:
            for one in self._unkept:
                await connection.execute(_KEEP, [one.contract_version, one.document])
            self._unkept = []
        except DatabaseError as error:
            if self._is_kept:
                logger.warning("what is served could not be kept for later, trying again: %s", error)
            self._is_kept = False


def governing(connection: Connection) -> list[MajorVersionState]:
    """What governs each major version, in their order."""
    return [_of(tuple(row)) for row in connection.execute(text(_GOVERNING))]


def _of(row: tuple[Any, ...]) -> MajorVersionState:
    major, version, status, document, deprecated_at, sunset_at, *last = row
    found = None if version is None else ServedDocument(version, document, deprecated_at, sunset_at)
    return MajorVersionState(major, status, found, None if last[0] is None else ServedDocument(*last))
