"""The registry in memory: hubs by key, widgets and event types, as the database has them now.

One connection follows the table `registry_revision`: it is told of each change by NOTIFY, and looks by itself as often
as `POLL_SECONDS`. What was last confirmed longer ago than `FRESH_SECONDS` is not relied on.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from uuid import UUID

from db import keys
from db.async_connection import AsyncConnection, Rows
from db.background import meanwhile
from db.engine import Database
from db.errors import Unavailable

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.3
FRESH_SECONDS = 0.9
PAUSE_SECONDS = 0.005
"""Between two looks at the database, however many requests name what is not known."""
RETRY_SECONDS = 0.1
"""Before another connection is tried."""

_REVISION = "SELECT value FROM registry_revision"
_HUBS = "SELECT id, name, rate_limit, api_key, disabled_at IS NULL FROM hubs WHERE revision > %s"
_WIDGETS = "SELECT id::text, status = 'active' FROM widgets WHERE revision > %s"
_EVENT_TYPES = "SELECT name, status = 'active', metadata_schema::text FROM event_type_registry WHERE revision > %s"


@dataclass(frozen=True, slots=True)
class Caller:
    """A hub that may report; `rate_limit` items a second, if that is other than the service's default."""

    id: UUID
    name: str
    rate_limit: int | None = None


class Registry:
    """What hubs may report, and with which keys. `following` keeps it up to date.

    With 10,000 hubs and 100,000 widgets it takes 25 MB, and a quarter of a second to load (measured on 2 cores).
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._hubs: dict[str, Caller] = {}  # by the digest of the key
        self._digests: dict[UUID, str] = {}  # of the hubs
        self._widgets: set[str] = set()
        self._event_types: dict[str, str | None] = {}  # with the schemas of their metadata
        self._revision = -1
        self._fresh_until = 0.0
        self._is_followed = True
        self._wake = asyncio.Event()
        self._waiting: list[asyncio.Future[None]] = []

    async def hub(self, key: str) -> Caller | None:
        """The hub whose API key is `key`; None if there is none, or it is disabled. Unavailable if that is unknown."""
        digest = keys.digest(key)
        if time.monotonic() > self._fresh_until or digest not in self._hubs:
            await self._look()
        return self._hubs.get(digest)

    async def missing(self, names: Sequence[tuple[str, str]]) -> list[list[str]]:
        """Which of the columns `event_type` and `widget_id` name what is not registered and active.

        `names` are widgets, their ids in lower case, each with an event type. Unavailable if that is unknown.
        """
        missing = self._missing(names)
        if time.monotonic() > self._fresh_until or any(missing):
            await self._look()
            missing = self._missing(names)
        return missing

    async def has_widgets(self, ids: Sequence[str]) -> list[bool]:
        """Whether each of `ids`, in lower case, is a widget that is registered and active; as `missing`."""
        if time.monotonic() > self._fresh_until or not self._widgets.issuperset(ids):
            await self._look()
        return [identifier in self._widgets for identifier in ids]

    def metadata_schema(self, event_type: str) -> str | None:
        """The JSON Schema of the metadata of an active event type, as JSON, if it has one."""
        return self._event_types.get(event_type)

    @asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        """Load the registry, and keep it up to date meanwhile; Unavailable if it cannot be loaded."""
        async with meanwhile(self._follow()):
            await self._look()
            yield

    def _missing(self, names: Sequence[tuple[str, str]]) -> list[list[str]]:
        types, widgets = self._event_types, self._widgets
        return [[] if kind in types and widget in widgets else self._unknown(widget, kind) for widget, kind in names]

    def _unknown(self, widget_id: str, event_type: str) -> list[str]:
        missing = [] if event_type in self._event_types else ["event_type"]
        return missing if widget_id in self._widgets else [*missing, "widget_id"]

    async def _look(self) -> None:
        """Return when the registry is as the database had it after this was called; Unavailable if that fails."""
        looked = asyncio.get_running_loop().create_future()
        self._waiting.append(looked)
        self._wake.set()
        await looked

    async def _follow(self) -> None:
        """Follow the database for ever, on one connection after the other."""
        while True:
            try:
                async with self._database.connected() as connection:
                    await connection.execute("LISTEN registry")
                    self._revision = -1  # the server may be another one now, or have been restored
                    while True:
                        await self._update(connection)
                        await self._pause(connection)
            except Exception as error:
                if self._is_followed:
                    logger.warning("the registry cannot be followed, trying again: %s: %s", type(error).__name__, error)
                    self._is_followed = False
                if time.monotonic() > self._fresh_until:
                    self._tell_waiting(error)
                await asyncio.sleep(RETRY_SECONDS)

    async def _update(self, connection: AsyncConnection) -> None:
        """Take over what has changed, and tell those who were waiting."""
        told, self._waiting = self._waiting, []
        started = time.monotonic()
        try:
            ((revision,),) = await connection.execute(_REVISION)
            if revision != self._revision:
                since = self._revision if revision > self._revision else -1
                queries = (_HUBS, _WIDGETS, _EVENT_TYPES)
                hubs, widgets, event_types = [await connection.execute(query, [since]) for query in queries]
                self._take(hubs, widgets, event_types, from_scratch=since == -1)
                self._revision = revision
        except BaseException:
            self._waiting += told
            raise
        self._fresh_until = started + FRESH_SECONDS
        if not self._is_followed:
            logger.info("the registry is followed again")
            self._is_followed = True
        for looked in told:
            if not looked.done():
                looked.set_result(None)

    async def _pause(self, connection: AsyncConnection) -> None:
        """Until somebody waits, a change is notified, or it is time to look."""
        await asyncio.sleep(PAUSE_SECONDS)
        with connection.readable(self._wake), suppress(TimeoutError):
            async with asyncio.timeout(POLL_SECONDS):
                await self._wake.wait()
        self._wake.clear()

    def _tell_waiting(self, error: Exception) -> None:
        told, self._waiting = self._waiting, []
        for looked in told:
            if not looked.done():
                looked.set_exception(Unavailable(str(error)))

    def _take(self, hubs: Rows, widgets: Rows, event_types: Rows, from_scratch: bool) -> None:
        """Take over rows that are new or changed; `from_scratch` there are no others."""
        if from_scratch:
            for known in (self._hubs, self._digests, self._widgets, self._event_types):
                known.clear()
        for identifier, *_ in hubs:
            self._hubs.pop(self._digests.pop(identifier, ""), None)
        for identifier, name, rate_limit, digest, is_enabled in hubs:
            if is_enabled:
                self._hubs[digest] = Caller(identifier, name, rate_limit)
                self._digests[identifier] = digest
        self._widgets.difference_update([name for name, _ in widgets])
        self._widgets.update([name for name, is_active in widgets if is_active])
        for name, is_active, metadata_schema in event_types:
            self._event_types.pop(name, None)
            if is_active:
                self._event_types[name] = metadata_schema
