"""The keys that sign access tokens: in the database, or in a file that the operator owns."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from joserfc.jwk import ECKey, OctKey

from db import signing_keys
from db.engine import Database
from db.registry import Registry
from db.signing_keys import SigningKey
from openapi.oauth import jwk
from openapi.oauth.jwk import UnreadableKey

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.5
"""Interval between two checks of a key file for changes."""


@dataclass(frozen=True, slots=True)
class KeySource:
    """The source of keys: `file`, a JWK Set, if given; else the database, encrypted with `secret`, if given."""

    secret: OctKey | None = field(default=None, repr=False)
    file: Path | None = None


def key_factory(secret: OctKey | None) -> Callable[[], tuple[str, str]]:
    """A function that makes a new key for the database: its kid and its text."""

    def make() -> tuple[str, str]:
        key = jwk.new()
        return str(key.kid), jwk.serialize(key, secret)

    return make


class SigningKeys:
    """The keys of the database, in memory; if none signs, `signing` creates one."""

    def __init__(self, database: Database, registry: Registry, secret: OctKey | None) -> None:
        self._database = database
        self._registry = registry
        self._secret = secret
        self._read: dict[str, ECKey | None] = {}  # by the stored text

    def revision(self) -> int:
        """A number that changes when a key is added, or when the expiry of a key changes."""
        return self._registry.oauth.signing_keys_revision

    async def signing(self) -> ECKey:
        """The newest key, which signs."""
        await self._registry.ensure_fresh()
        if (key := self._newest()) is None:
            await self._database.run(signing_keys.ensure, key_factory(self._secret), self._signs)
            await self._registry.refresh()
            key = self._newest()
        if key is None:
            raise UnreadableKey("the new signing key cannot be read")
        return key

    async def verifying(self, kid: str) -> ECKey | None:
        """The key `kid`; None if absent or expired."""
        if kid not in self._valid():
            await self._registry.refresh()
        return self._valid().get(kid)

    async def list_all(self) -> list[ECKey]:
        """Every key that has not expired, including the one that signs."""
        await self.signing()
        return list(self._valid().values())

    def _newest(self) -> ECKey | None:
        signing = [key for key in self._registry.oauth.signing_keys() if self._signs(key)]
        return self._key(max(signing, key=lambda key: key.created_at)) if signing else None

    def _signs(self, key: SigningKey) -> bool:
        return key.expires_at is None and self._key(key) is not None

    def _valid(self) -> dict[str, ECKey]:
        now = datetime.now(UTC)
        valid = [
            self._key(key)
            for key in self._registry.oauth.signing_keys()
            if key.expires_at is None or key.expires_at > now
        ]
        return {str(key.kid): key for key in valid if key}

    def _key(self, row: SigningKey) -> ECKey | None:
        """The key in `row`; None, and a line in the log, if it cannot be read."""
        if row.key not in self._read:
            try:
                self._read[row.key] = jwk.read(row.key, self._secret)
            except UnreadableKey as error:
                logger.warning("the signing key %s cannot be read: %s", row.kid, error)
                self._read[row.key] = None
        return self._read[row.key]


class FileKeys:
    """The keys in a file: the first signs, all verify. It is read again when it changes."""

    def __init__(self, path: Path) -> None:
        """OSError if the file cannot be read, UnreadableKey if it is no JWK Set of private keys on P-256."""
        self._path = path
        self._looked_at = 0.0
        self._changed_at: int | None = None
        self._keys: list[ECKey] = []
        self._revision = 0
        self._load()

    def revision(self) -> int:
        """A number that increases each time the file is read again; reads it if it has changed."""
        if time.monotonic() > self._looked_at + POLL_SECONDS:
            try:
                self._load()
            except (OSError, ValueError) as error:
                logger.warning("the file of signing keys cannot be read, the earlier keys stay in use: %s", error)
        return self._revision

    async def signing(self) -> ECKey:
        """The first key."""
        return (await self.list_all())[0]

    async def verifying(self, kid: str) -> ECKey | None:
        """The key `kid`; None if absent."""
        return next((key for key in await self.list_all() if key.kid == kid), None)

    async def list_all(self) -> list[ECKey]:
        """Every key; the one that signs comes first."""
        self.revision()
        return self._keys

    def _load(self) -> None:
        self._looked_at = time.monotonic()
        changed_at = self._path.stat().st_mtime_ns
        if changed_at != self._changed_at:
            self._changed_at = changed_at
            self._keys = jwk.read_set(self._path.read_text())
            self._revision += 1


Keys = SigningKeys | FileKeys


def open_keys(database: Database, registry: Registry, store: KeySource) -> Keys:
    """The keys of `store`: of its file, if given, else of the database."""
    return FileKeys(store.file) if store.file else SigningKeys(database, registry, store.secret)
