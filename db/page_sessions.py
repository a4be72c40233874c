"""The sessions of the pages: who is signed in, by the digest of a cookie."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, delete, exists, func, insert, select, update

from db.admins import Role
from db.tables import admins, hubs, oauth_clients, page_sessions

LASTS = timedelta(hours=12)
IDLE = timedelta(minutes=30)
"""A session ends when nothing was asked for so long."""
MOST_OF_OWNER = 20
"""Sessions that one admin or one hub may have at once."""
_NOTED_EVERY = timedelta(minutes=1)
_LIVES = (page_sessions.c.created_at > func.now() - LASTS) & (page_sessions.c.seen_at > func.now() - IDLE)


@dataclass(frozen=True, slots=True)
class AdminSession:
    """The session of an admin; `note` is what its next page says, None if nothing."""

    digest: str
    admin_id: UUID
    name: str
    role: Role
    note: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class HubSession:
    """The session of a hub; `note` is what its next page says, None if nothing.

    `scopes` are those that its client has now; None stands for all, because it began with an API key.
    """

    digest: str
    hub_id: UUID
    hub_name: str
    note: dict[str, Any] | None
    scopes: frozenset[str] | None


def begin_of_admin(connection: Connection, digest: str, admin_id: UUID) -> None:
    """Begin the session of an admin, and forget those that have ended."""
    _begin(connection, {"digest": digest, "admin_id": admin_id})


def begin_of_hub(connection: Connection, digest: str, credential: str) -> str | None:
    """Begin the session of the hub whose key, or whose client's secret, has the digest `credential`.

    Returns the name of the hub; None if the credential is not accepted.
    """
    is_key = (hubs.c.api_key == credential) | (hubs.c.previous_key == credential)
    of_client = select(oauth_clients.c.hub_id).where(
        (oauth_clients.c.secret == credential) | (oauth_clients.c.previous_secret == credential)
    )
    candidates = select(hubs.c.id, hubs.c.name).where(is_key | hubs.c.id.in_(of_client), _is_accepted(credential))
    hub = connection.execute(candidates).one_or_none()
    if hub is None:
        return None
    _begin(connection, {"digest": digest, "hub_id": hub.id, "credential": credential})
    return str(hub.name)


def of_admin(connection: Connection, digest: str) -> AdminSession | None:
    """The living session of an admin who is not disabled, which is in use from now on; None if absent."""
    columns = page_sessions.c.digest, admins.c.id, admins.c.name, admins.c.role, page_sessions.c.note
    joined = select(*columns).join(admins, admins.c.id == page_sessions.c.admin_id)
    row = connection.execute(joined.where(_is(digest), admins.c.disabled_at.is_(None))).one_or_none()
    _note_use(connection, digest)
    return AdminSession(*row) if row else None


def of_hub(connection: Connection, digest: str) -> HubSession | None:
    """The living session of a hub that is not disabled, and whose credential is still accepted; likewise."""
    scopes = select(oauth_clients.c.scopes).where(_is_client(page_sessions.c.credential)).limit(1).scalar_subquery()
    columns = page_sessions.c.digest, hubs.c.id, hubs.c.name, page_sessions.c.note, scopes.label("scopes")
    joined = select(*columns).join(hubs, hubs.c.id == page_sessions.c.hub_id)
    statement = joined.where(_is(digest), _is_accepted(page_sessions.c.credential))
    row = connection.execute(statement).one_or_none()
    _note_use(connection, digest)
    if row is None:
        return None
    return HubSession(*row[:-1], None if row.scopes is None else frozenset(row.scopes))


def living(connection: Connection, digests: Collection[str]) -> set[str]:
    """Those of `digests` that are sessions of admins who are not disabled, although nothing was asked for lately."""
    statement = select(page_sessions.c.digest).join(admins, admins.c.id == page_sessions.c.admin_id)
    is_enabled = admins.c.disabled_at.is_(None) & (page_sessions.c.created_at > func.now() - LASTS)
    return set(connection.scalars(statement.where(page_sessions.c.digest.in_(digests), is_enabled)))


def say(connection: Connection, digest: str, note: dict[str, Any] | None) -> None:
    """Let the next page of a session say `note`."""
    connection.execute(update(page_sessions).where(page_sessions.c.digest == digest).values(note=note))


def end(connection: Connection, digest: str) -> None:
    """End a session, if there is one."""
    connection.execute(delete(page_sessions).where(page_sessions.c.digest == digest))


def end_all(connection: Connection) -> None:
    """End every session, as after a restore, which would bring back those that were ended."""
    connection.execute(delete(page_sessions))


def _is_accepted(credential: Any) -> Any:
    """Whether the hub is enabled, and `credential` is the digest of its key or of a secret of its client, as of now."""
    by_key = (hubs.c.api_key == credential) | (
        (hubs.c.previous_key == credential) & (hubs.c.previous_key_until > func.now())
    )
    by_client = exists().where(_is_client(credential))
    return hubs.c.disabled_at.is_(None) & (by_client | (hubs.c.cut_over_at.is_(None) & by_key))


def _is_client(credential: Any) -> Any:
    """Whether a client of the hub is enabled, and has `credential` as the digest of its secret, as of now."""
    is_previous = oauth_clients.c.previous_secret == credential
    return (
        (oauth_clients.c.hub_id == hubs.c.id)
        & oauth_clients.c.disabled_at.is_(None)
        & (
            (oauth_clients.c.secret == credential)
            | (is_previous & (oauth_clients.c.previous_secret_until > func.now()))
        )
    )


def _begin(connection: Connection, values: dict[str, Any]) -> None:
    """Begin a session; those that have ended are forgotten, and of the same owner all but the newest."""
    connection.execute(delete(page_sessions).where(~_LIVES))
    owner = page_sessions.c.admin_id if "admin_id" in values else page_sessions.c.hub_id
    is_theirs = owner == values[owner.name]
    newest = select(page_sessions.c.digest).where(is_theirs).order_by(page_sessions.c.created_at.desc())
    older = newest.offset(MOST_OF_OWNER - 1)
    connection.execute(delete(page_sessions).where(page_sessions.c.digest.in_(older)))
    connection.execute(insert(page_sessions).values(values))


def _is(digest: str) -> Any:
    return (page_sessions.c.digest == digest) & _LIVES


def _note_use(connection: Connection, digest: str) -> None:
    """Note, once a minute, that a session is in use."""
    is_due = page_sessions.c.seen_at < func.now() - _NOTED_EVERY
    connection.execute(update(page_sessions).where(_is(digest), is_due).values(seen_at=func.now()))
