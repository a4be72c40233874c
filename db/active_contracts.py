"""The contract of each major version: its governing row, and the last served document as a fallback."""

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

# Its rows differ after a row was changed, or deleted and inserted again; it reads no document.
_FINGERPRINT: LiteralString = """
    SELECT contract_version, xmin::text, ctid::text FROM interaction_reporting_contracts ORDER BY 1
"""
# If plain SQL left no serving row, the last governing row shows whether the major version is retired.
_GOVERNING: LiteralString = """
    SELECT major, governing.contract_version, governing.status, governing.document,
        governing.deprecated_at, governing.sunset_at,
        last.contract_version, last.document, last.deprecated_at, last.sunset_at
    FROM (
        SELECT DISTINCT ON (major) * FROM interaction_reporting_contracts
        WHERE status <> 'draft' AND (withdrawn_at IS NULL OR status <> 'superseded')
        ORDER BY major, status IN ('active', 'deprecated') DESC, activated_at DESC NULLS LAST,
            split_part(contract_version, '.', 2)::integer DESC
    ) governing
    FULL JOIN interaction_reporting_contracts_served last USING (major)
    ORDER BY major
"""
# Copies the current row: a document built from an older row is not stored.
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
    """A document, the version in its row, and the deprecation and sunset dates that clients receive."""

    contract_version: str
    document: str = field(repr=False)
    deprecated_at: datetime | None = None
    sunset_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class MajorVersionState:
    """One major version. `row` governs it, or was the last row to govern it: `status` says which.

    `last` is the document that a service served last.
    """

    major: int
    status: str | None
    row: ServedDocument | None
    last: ServedDocument | None


Apply = Callable[[Sequence[MajorVersionState]], Awaitable[Sequence[ServedDocument]]]
"""Receives all major versions after any change; returns the rows that it serves."""


class ActiveContracts:
    """Follows the governing rows, and stores the served documents."""

    def __init__(self, database: Database, apply: Apply) -> None:
        self._feed = ChangeFeed(database, "contracts", self._update, POLL_SECONDS, 0)
        self._apply = apply
        self._fingerprint: Rows = []
        self._unstored: list[ServedDocument] = []
        self._is_kept = True

    @asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        """Apply the governing rows, then each change to them; Unavailable if they cannot be read."""
        async with self._feed.running():
            yield

    async def _update(self, connection: AsyncConnection, is_new: bool) -> None:
        fingerprint = await connection.execute(_FINGERPRINT)
        if is_new or fingerprint != self._fingerprint:
            states = [_state(row) for row in await connection.execute(_GOVERNING)]
            stored = [state.last for state in states]
            self._unstored = [document for document in await self._apply(states) if document not in stored]
            self._fingerprint = fingerprint
            self._is_kept = True
        if self._unstored:
            await self._keep(connection)

    async def _keep(self, connection: AsyncConnection) -> None:
        """Store the served documents; if that fails, the next update tries again."""
        try:
            for served in self._unstored:
                await connection.execute(_KEEP, [served.contract_version, served.document])
            self._unstored = []
        except DatabaseError as error:
            if self._is_kept:
                logger.warning("the served document could not be stored for later, trying again: %s", error)
            self._is_kept = False


def governing(connection: Connection) -> list[MajorVersionState]:
    """The state of each major version, in ascending order."""
    return [_state(tuple(row)) for row in connection.execute(text(_GOVERNING))]


def _state(columns: tuple[Any, ...]) -> MajorVersionState:
    major, version, status, document, deprecated_at, sunset_at, *last = columns
    row = None if version is None else ServedDocument(version, document, deprecated_at, sunset_at)
    return MajorVersionState(major, status, row, None if last[0] is None else ServedDocument(*last))
