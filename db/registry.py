"""The registry in memory: hubs by key, widgets, event types and the rows for OAuth, as the database has them now.

It follows the table `registry_revision`. After `FRESH_SECONDS` without a confirmation it is no longer relied on.
"""

import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from db import keys
from db.async_connection import AsyncConnection, Rows
from db.change_feed import ChangeFeed
from db.engine import Database
from db.oauth_registry import OAuthRegistry
from db.timelines import Timelines

POLL_SECONDS = 0.3
STEP_SECONDS = 0.5
"""A clock that differs by more from what passed since the last poll was set."""
FRESH_SECONDS = 0.9

_REVISION = "SELECT value, extract(epoch FROM now())::float8 FROM registry_revision"
_HUBS = """
    SELECT id, name, rate_limit, cut_over_at IS NOT NULL, api_key, disabled_at IS NULL,
        CASE WHEN previous_key_until > now() THEN previous_key END, extract(epoch FROM previous_key_until)::float8,
        erasures, origins
    FROM hubs WHERE revision > %s
"""
_WIDGETS = "SELECT id::text, status = 'active' FROM widgets WHERE revision > %s"
_EVENT_TYPES = "SELECT name, status = 'active', metadata_schema::text FROM event_type_registry WHERE revision > %s"


@dataclass(frozen=True, slots=True)
class Caller:
    """A hub that may report; `rate_limit` is in items a second, None for the service's default.

    A hub that is cut over uses access tokens: its API key is no longer accepted. `erasures` counts those of its rows.
    Pages of its `origins` may report for it from a browser.
    """

    id: UUID
    name: str
    rate_limit: int | None = None
    is_cut_over: bool = False
    erasures: int = 0
    origins: frozenset[str] = frozenset()


class Overlap(NamedTuple):
    """The hub of a previous key, accepted `until` a time by the database's clock, in seconds since the epoch."""

    caller: Caller
    until: float


class Registry:
    """The enabled hubs by key, and what they may report. `following` keeps it up to date.

    With 10,000 hubs and 100,000 widgets it takes 25 MB, and a quarter of a second to load (measured on 2 cores).
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        """`clock` returns the seconds since the epoch."""
        self._clock = clock
        self._lead = 0.0  # of that clock before `time.monotonic`
        self._feed = ChangeFeed(database, "registry", self._update, POLL_SECONDS, FRESH_SECONDS)
        self._hubs: dict[str, Caller] = {}  # by the digest of the key
        self._digests: dict[UUID, str] = {}  # of the keys, by hub
        self._overlaps: dict[str, Overlap] = {}  # by the digest of the previous key
        self._previous_digests: dict[UUID, str] = {}  # of the previous keys, by hub
        self._clock_lead = 0.0  # of the database's clock before `time.monotonic`, at most
        self._least_clock_lead = 0.0  # as much less as its answer took
        self._origins: frozenset[str] | None = None  # of all hubs, until one changes
        self._widgets: set[str] = set()
        self._event_types: dict[str, str | None] = {}  # with the schemas of their metadata
        self._event_type_names: tuple[str, ...] | None = None  # until one changes
        self._revision = -1
        self.oauth = OAuthRegistry(clock)
        """The rows for OAuth as last read; call `ensure_fresh` before relying on them."""
        self.timelines = Timelines()

    @property
    def database_time(self) -> float:
        """The time by the database's clock, in seconds since the epoch: what it said last, and the time since then.

        Overlaps are judged by it, because the database has also set their end; a worker's clock may be days off.
        """
        return time.monotonic() + self._clock_lead

    @property
    def is_fresh(self) -> bool:
        """True while the rows in memory may be relied on."""
        return time.monotonic() <= self._feed.fresh_until

    @property
    def age(self) -> float:
        """The seconds since the rows in memory were those of the database."""
        return self._feed.age

    async def ensure_fresh(self) -> None:
        """Wait until the rows in memory may be relied on; Unavailable if the database cannot be read."""
        if not self.is_fresh:
            await self.refresh()

    async def refresh(self) -> None:
        """Wait until the registry is at least as recent as this call; Unavailable if the database cannot be read."""
        await self._feed.refresh()

    def caller(self, hub_id: UUID) -> Caller | None:
        """The hub `hub_id` as it was last read; None if absent or disabled."""
        return self._hubs.get(self._digests.get(hub_id, ""))

    def has_origin(self, origin: str) -> bool:
        """True if an enabled hub has listed `origin`, as it was last read."""
        if self._origins is None:
            self._origins = frozenset().union(*[caller.origins for caller in self._hubs.values()])
        return origin in self._origins

    async def hub(self, key: str) -> Caller | None:
        """The hub whose API key is `key`; None if absent or disabled. Unavailable if the database cannot be read.

        During an overlap, the previous key of a hub leads to it as well.
        """
        digest = keys.digest(key)
        # `is_fresh`, inlined: this and `missing` are on the path of every event.
        caller = self._hubs.get(digest)
        if caller is None or time.monotonic() > self._feed.fresh_until:
            return await self._confirmed(digest)
        return caller

    async def missing(self, names: Sequence[tuple[str, str]]) -> list[list[str]]:
        """For each of `names`, its columns (`event_type`, `widget_id`) without a registered, active entry.

        `names` are pairs of a widget's id, in lower case, and an event type. Unavailable if they cannot be looked up.
        """
        missing = self._missing(names)
        if time.monotonic() > self._feed.fresh_until or any(missing):
            await self.refresh()
            missing = self._missing(names)
        return missing

    async def has_widgets(self, ids: Sequence[str]) -> list[bool]:
        """For each of `ids`, in lower case: True if it is a registered, active widget. Unavailable as in `missing`."""
        if not self.is_fresh or not self._widgets.issuperset(ids):
            await self.refresh()
        return [identifier in self._widgets for identifier in ids]

    @property
    def event_types(self) -> tuple[str, ...]:
        """The names of the active event types, sorted; the same object until one changes."""
        if self._event_type_names is None:
            self._event_type_names = tuple(sorted(self._event_types))
        return self._event_type_names

    def metadata_schema(self, event_type: str) -> str | None:
        """The JSON Schema of the metadata of an active event type, as JSON; None if absent."""
        return self._event_types.get(event_type)

    @asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        """Load the registry and keep it up to date; Unavailable if it cannot be loaded."""
        async with self._feed.running():
            yield

    async def _confirmed(self, digest: str) -> Caller | None:
        """The hub of a key that is not the usual one, or that memory cannot confirm; None if absent or disabled."""
        if not self.is_fresh or self._overlapping(digest) is None:
            await self.refresh()
        return self._hubs.get(digest) or self._overlapping(digest)

    def _overlapping(self, digest: str) -> Caller | None:
        """The hub of a previous key whose overlap has not ended."""
        overlap = self._overlaps.get(digest)
        return overlap.caller if overlap and self.database_time < overlap.until else None

    def _missing(self, names: Sequence[tuple[str, str]]) -> list[list[str]]:
        types, widgets = self._event_types, self._widgets
        return [[] if kind in types and widget in widgets else self._unknown(widget, kind) for widget, kind in names]

    def _unknown(self, widget_id: str, event_type: str) -> list[str]:
        missing = [] if event_type in self._event_types else ["event_type"]
        return missing if widget_id in self._widgets else [*missing, "widget_id"]

    async def _update(self, connection: AsyncConnection, is_new: bool) -> None:
        """Apply the changes since the last update; everything on a new connection, and after a clock was set.

        What had expired by a clock that was ahead, ours or the database's, is forgotten, such as revoked tokens and
        previous keys: it is read again.
        """
        await self.timelines.update(connection)
        started = time.monotonic()
        lead = self._clock() - started
        ((revision, now),) = await connection.execute(_REVISION)
        least_clock_lead, clock_lead = now - time.monotonic(), now - started
        was_set = (
            abs(lead - self._lead) > STEP_SECONDS
            or least_clock_lead > self._clock_lead + STEP_SECONDS
            or clock_lead < self._least_clock_lead - STEP_SECONDS
        )
        self._lead, self._clock_lead, self._least_clock_lead = lead, clock_lead, least_clock_lead
        if is_new or was_set:
            self._revision = -1
        if revision != self._revision:
            since = self._revision if revision > self._revision else -1
            queries = (_HUBS, _WIDGETS, _EVENT_TYPES)
            hubs, widgets, event_types = [await connection.execute(query, [since]) for query in queries]
            await self.oauth.update(connection, since)
            self._apply(hubs, widgets, event_types, from_scratch=since == -1)
            self._revision = revision

    def _apply(self, hubs: Rows, widgets: Rows, event_types: Rows, from_scratch: bool) -> None:
        """Apply new and changed rows; `from_scratch` forgets all others."""
        if from_scratch:
            hub_rows = self._hubs, self._digests, self._overlaps, self._previous_digests
            for known in (*hub_rows, self._widgets, self._event_types):
                known.clear()
        self._apply_hubs(hubs)
        self._widgets.difference_update([name for name, _ in widgets])
        self._widgets.update([name for name, is_active in widgets if is_active])
        self._event_type_names = None if event_types or from_scratch else self._event_type_names
        for name, is_active, metadata_schema in event_types:
            self._event_types.pop(name, None)
            if is_active:
                self._event_types[name] = metadata_schema

    def _apply_hubs(self, rows: Rows) -> None:
        self._origins = None
        for identifier, *_ in rows:
            self._hubs.pop(self._digests.pop(identifier, ""), None)
            self._overlaps.pop(self._previous_digests.pop(identifier, ""), None)
        for identifier, name, rate_limit, is_cut_over, digest, is_enabled, previous_digest, until, *rest in rows:
            if is_enabled:
                erasures, origins = rest
                caller = Caller(identifier, name, rate_limit, is_cut_over, erasures, frozenset(origins))
                self._hubs[digest] = caller
                self._digests[identifier] = digest
                if previous_digest is not None:
                    self._overlaps[previous_digest] = Overlap(caller, until)
                    self._previous_digests[identifier] = previous_digest
