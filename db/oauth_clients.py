"""OAuth clients (RFC 6749 section 2), each acting for a hub with its scopes.

A client of this service has a secret, stored as its digest, or public keys. A client of another issuer has neither:
it is known only by the issuer's tokens.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import uuid_utils.compat
from sqlalchemy import Connection, case, func, select, update
from sqlalchemy.dialects.postgresql import insert

from db import keys
from db.errors import NotFound, Refused
from db.tables import hubs
from db.tables import oauth_clients as clients

OURS = ""
"""As an issuer: the authorization server of this service."""


@dataclass(frozen=True, slots=True)
class OAuthClient:
    """One client. The secret before the last rotation is also accepted until `previous_secret_until`, if any.

    `dpop_bound`: its tokens are bound to a key of its own (RFC 9449).
    """

    client_id: str
    issuer: str
    hub: str
    scopes: list[str]
    jwks: dict[str, Any] | None = field(repr=False)
    dpop_bound: bool
    created_at: datetime
    rotated_at: datetime | None
    previous_secret_until: datetime | None
    disabled_at: datetime | None


_COLUMNS = (
    clients.c.client_id,
    clients.c.issuer,
    hubs.c.name,
    clients.c.scopes,
    clients.c.jwks,
    clients.c.dpop_bound,
    clients.c.created_at,
    clients.c.rotated_at,
    case(
        (
            (clients.c.previous_secret_until > func.now()) & clients.c.disabled_at.is_(None),
            clients.c.previous_secret_until,
        )
    ).label("previous_secret_until"),
    clients.c.disabled_at,
)


def issue(
    connection: Connection,
    hub: str,
    scopes: Collection[str],
    jwks: dict[str, Any] | None = None,
    dpop_bound: bool = False,
) -> tuple[OAuthClient, str | None]:
    """A new client of the hub named `hub` and its secret, which is not stored; None with `jwks`.

    NotFound if the hub is absent.
    """
    secret = None if jwks else keys.new(keys.CLIENT_PREFIX)
    identifier = uuid_utils.compat.uuid7()
    _insert(
        connection,
        id=identifier,
        client_id=str(identifier),
        hub_id=_hub_id(connection, hub),
        scopes=sorted(scopes),
        secret=secret and keys.digest(secret),
        jwks=jwks,
        dpop_bound=dpop_bound,
    )
    return get(connection, str(identifier)), secret


def accept(connection: Connection, hub: str, issuer: str, client_id: str, scopes: Collection[str]) -> OAuthClient:
    """Let the client `client_id` of another `issuer` act for the hub named `hub`; Refused if it is already known.

    NotFound if the hub is absent.
    """
    identifier = uuid_utils.compat.uuid7()
    row = {"issuer": issuer, "client_id": client_id, "hub_id": _hub_id(connection, hub), "scopes": sorted(scopes)}
    if not _insert(connection, id=identifier, **row):
        raise Refused(f"the client {client_id!r} of {issuer} is already known")
    return get(connection, client_id, issuer)


def rotate(connection: Connection, client_id: str, overlap: timedelta) -> tuple[OAuthClient, str]:
    """A new secret for a client of this service; the previous one is accepted for `overlap`, older ones no longer.

    Refused if the client has keys instead of a secret.
    """
    secret = keys.new(keys.CLIENT_PREFIX)
    if get(connection, client_id).jwks:
        raise Refused(f"the client {client_id} has keys instead of a secret: replace them with 'hub change-client'")
    client = _changed(
        connection,
        client_id,
        OURS,
        previous_secret=clients.c.secret,
        previous_secret_until=func.now() + overlap,
        secret=keys.digest(secret),
        rotated_at=func.now(),
    )
    return client, secret


def change(
    connection: Connection, client_id: str, issuer: str, scopes: Collection[str] | None, jwks: dict[str, Any] | None
) -> OAuthClient:
    """Replace the scopes or the keys of a client; None leaves them as they are.

    Refused if `jwks` are for a client without keys.
    """
    if jwks and not get(connection, client_id, issuer).jwks:
        raise Refused(f"the client {client_id} has no keys: issue another client with keys")
    values = {"scopes": None if scopes is None else sorted(scopes), "jwks": jwks}
    return _changed(connection, client_id, issuer, **{name: value for name, value in values.items() if value})


def disable(connection: Connection, client_id: str, issuer: str = OURS) -> OAuthClient:
    """Refuse a client and its tokens from now on."""
    return _changed(connection, client_id, issuer, disabled_at=func.coalesce(clients.c.disabled_at, func.now()))


def enable(connection: Connection, client_id: str, issuer: str = OURS) -> OAuthClient:
    """Accept a client again, and its tokens that are still valid."""
    return _changed(connection, client_id, issuer, disabled_at=None)


def hubs_by_id(connection: Connection, client_ids: Collection[str]) -> dict[str, str]:
    """By their ids, the hubs of clients; one whose id clients of several hubs have, at several issuers, is left out."""
    statement = (
        select(clients.c.client_id, func.min(hubs.c.name).label("hub"))
        .join(hubs, hubs.c.id == clients.c.hub_id)
        .where(clients.c.client_id.in_(client_ids))
        .group_by(clients.c.client_id)
        .having(func.count(hubs.c.id.distinct()) == 1)
    )
    return {row.client_id: row.hub for row in connection.execute(statement)}


def get(connection: Connection, client_id: str, issuer: str = OURS) -> OAuthClient:
    """The client `client_id` of `issuer`; NotFound if absent."""
    row = connection.execute(_joined().where(_is(client_id, issuer))).one_or_none()
    if row is None:
        raise NotFound(f"there is no client {client_id!r}" + (f" of {issuer}" if issuer else ""))
    return OAuthClient(*row)


def list_all(connection: Connection) -> list[OAuthClient]:
    """Every client, oldest first."""
    return [OAuthClient(*row) for row in connection.execute(_joined().order_by(clients.c.id))]


def of_hub(connection: Connection, hub: str, limit: int) -> list[OAuthClient]:
    """The newest clients of the hub named `hub`, at most `limit`."""
    statement = _joined().where(hubs.c.name == hub).order_by(clients.c.id.desc()).limit(limit)
    return [OAuthClient(*row) for row in connection.execute(statement)]


def counts(connection: Connection) -> dict[UUID, int]:
    """The number of enabled clients of each hub."""
    statement = select(clients.c.hub_id, func.count()).where(clients.c.disabled_at.is_(None)).group_by(clients.c.hub_id)
    return {row.hub_id: row[1] for row in connection.execute(statement)}


def _joined() -> Any:
    return select(*_COLUMNS).join(hubs, hubs.c.id == clients.c.hub_id)


def _is(client_id: str, issuer: str) -> Any:
    return (clients.c.client_id == client_id) & (clients.c.issuer == issuer)


def _insert(connection: Connection, **values: Any) -> bool:
    """Insert a client; False if it already exists."""
    statement = insert(clients).values(values).on_conflict_do_nothing(index_elements=["issuer", "client_id"])
    return connection.scalar(statement.returning(clients.c.id)) is not None


def _hub_id(connection: Connection, name: str) -> UUID:
    identifier: UUID | None = connection.scalar(select(hubs.c.id).where(hubs.c.name == name))
    if identifier is None:
        raise NotFound(f"there is no hub named {name!r}")
    return identifier


def _changed(connection: Connection, client_id: str, issuer: str, **values: Any) -> OAuthClient:
    """Set `values` in the row of a client; NotFound if absent."""
    if values:
        connection.execute(update(clients).where(_is(client_id, issuer)).values(values))
    return get(connection, client_id, issuer)
