"""OAuth clients: issued, rotated, changed, disabled, and kept without their secrets."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, delete, select, text, update

from db import hubs, keys, oauth_clients, tables
from db.driver_errors import translated_errors
from db.errors import Failed, NotFound, Refused

SCOPES = ["events:write", "events:read"]
JWKS: dict[str, Any] = {"keys": [{"kty": "EC", "kid": "one"}]}
ISSUER = "https://issuer.example"


@pytest.fixture
def hub(connection: Connection) -> str:
    """The name of a hub."""
    return hubs.create(connection, "alpha")[0].name


def secrets_of(connection: Connection, client_id: str) -> tuple[Any, ...]:
    """The stored digests of a client's secrets, and the instant when the previous one ends."""
    row = tables.oauth_clients.c
    columns = (row.secret, row.previous_secret, row.previous_secret_until)
    return tuple(connection.execute(select(*columns).where(row.client_id == client_id)).one())


def test_a_client_is_issued_with_a_secret_that_is_not_kept(connection: Connection, hub: str) -> None:
    """The row holds the digest of the secret."""
    client, secret = oauth_clients.issue(connection, hub, SCOPES)
    assert secret is not None
    assert secret.startswith("irs_")
    assert secrets_of(connection, client.client_id) == (keys.digest(secret), None, None)
    assert secret.removeprefix("irs_") not in str(connection.execute(select(tables.oauth_clients)).one())
    assert (client.hub, client.issuer, client.scopes, client.dpop_bound) == (hub, "", sorted(SCOPES), False)
    assert (client.rotated_at, client.disabled_at) == (None, None)
    assert oauth_clients.get(connection, client.client_id) == client


def test_a_client_with_keys_has_no_secret(connection: Connection, hub: str) -> None:
    """None can be made for it later; its keys may be replaced."""
    client, secret = oauth_clients.issue(connection, hub, SCOPES, JWKS, dpop_bound=True)
    assert (secret, client.jwks, client.dpop_bound) == (None, JWKS, True)
    assert secrets_of(connection, client.client_id) == (None, None, None)
    with pytest.raises(Refused, match="has keys instead of a secret"):
        oauth_clients.rotate(connection, client.client_id, timedelta())
    changed = oauth_clients.change(connection, client.client_id, oauth_clients.OURS, None, {"keys": []})
    assert (changed.jwks, changed.scopes) == ({"keys": []}, client.scopes)


def test_a_rotated_secret_overlaps_with_the_one_before(connection: Connection, hub: str) -> None:
    """For the overlap that the caller passes, unless the client is disabled; the secret before that one is gone."""
    client, first = oauth_clients.issue(connection, hub, SCOPES)
    rotated, second = oauth_clients.rotate(connection, client.client_id, timedelta(hours=2))
    assert first is not None
    digest, before, until = secrets_of(connection, client.client_id)
    assert (digest, before) == (keys.digest(second), keys.digest(first))
    assert rotated.rotated_at is not None
    assert rotated.previous_secret_until == until == rotated.rotated_at + timedelta(hours=2)
    assert oauth_clients.disable(connection, client.client_id).previous_secret_until is None
    assert oauth_clients.enable(connection, client.client_id) == rotated
    last, third = oauth_clients.rotate(connection, client.client_id, timedelta())
    assert secrets_of(connection, client.client_id)[:2] == (keys.digest(third), keys.digest(second))
    assert last.previous_secret_until is None


def test_a_client_is_changed_and_disabled(connection: Connection, hub: str) -> None:
    """A second disabling keeps the first instant; keys do not replace a secret."""
    client, _ = oauth_clients.issue(connection, hub, SCOPES)
    changed = oauth_clients.change(connection, client.client_id, oauth_clients.OURS, ["usage:read"], None)
    assert changed.scopes == ["usage:read"]
    with pytest.raises(Refused, match="has no keys"):
        oauth_clients.change(connection, client.client_id, oauth_clients.OURS, None, JWKS)
    disabled = oauth_clients.disable(connection, client.client_id)
    assert disabled.disabled_at is not None
    assert oauth_clients.disable(connection, client.client_id) == disabled
    assert oauth_clients.enable(connection, client.client_id).disabled_at is None


def test_a_client_of_another_issuer_is_known_by_both(connection: Connection, hub: str) -> None:
    """By issuer and id: two issuers may have a client of one name; the same client is not accepted twice."""
    accepted = oauth_clients.accept(connection, hub, ISSUER, "them", SCOPES)
    assert (accepted.issuer, accepted.client_id, accepted.hub) == (ISSUER, "them", hub)
    assert oauth_clients.accept(connection, hub, f"{ISSUER}/other", "them", SCOPES) != accepted
    with pytest.raises(Refused, match=f"'them' of {ISSUER} is already known"):
        oauth_clients.accept(connection, hub, ISSUER, "them", SCOPES)
    assert oauth_clients.disable(connection, "them", ISSUER).disabled_at is not None
    assert oauth_clients.get(connection, "them", f"{ISSUER}/other").disabled_at is None
    assert len(oauth_clients.list_all(connection)) == 2


def test_missing_hubs_and_clients_are_not_found(connection: Connection, hub: str) -> None:
    """NotFound names them."""
    with pytest.raises(NotFound, match="there is no hub named 'beta'"):
        oauth_clients.issue(connection, "beta", SCOPES)
    with pytest.raises(NotFound, match="there is no hub named 'beta'"):
        oauth_clients.accept(connection, "beta", ISSUER, "them", SCOPES)
    for lookup in (oauth_clients.get, oauth_clients.disable, oauth_clients.enable):
        with pytest.raises(NotFound, match=r"there is no client 'missing'$"):
            lookup(connection, "missing")
    with pytest.raises(NotFound, match=f"there is no client 'missing' of {ISSUER}"):
        oauth_clients.change(connection, "missing", ISSUER, SCOPES, None)
    with pytest.raises(NotFound):
        oauth_clients.rotate(connection, "missing", timedelta())
    assert hub


@pytest.mark.parametrize("column", ["secret", "previous_secret"])
def test_a_secret_in_a_row_is_a_digest(connection: Connection, hub: str, column: str) -> None:
    """The database refuses a plain secret that is written in SQL."""
    client, _ = oauth_clients.issue(connection, hub, SCOPES)
    row = tables.oauth_clients
    with pytest.raises(Failed), connection.begin_nested():
        from_sql(connection, update(row).where(row.c.client_id == client.client_id).values({column: "irs_secret"}))


def test_a_client_has_its_hub_unless_others_have_its_id(connection: Connection, hub: str) -> None:
    """An id is unique at its issuer alone; of one hub the same id is no doubt."""
    other, _ = hubs.create(connection, "another hub of clients")
    client, _ = oauth_clients.issue(connection, hub, SCOPES)
    for issuer, name, client_id in (
        ("https://a.example", hub, "one hub"),
        ("https://b.example", hub, "one hub"),
        ("https://a.example", hub, "two hubs"),
        ("https://b.example", other.name, "two hubs"),
    ):
        oauth_clients.accept(connection, name, issuer, client_id, SCOPES)
    names = oauth_clients.hubs_by_id(connection, [client.client_id, "one hub", "two hubs", "none"])
    assert names == {client.client_id: hub, "one hub": hub}


def test_rows_stay(connection: Connection, hub: str) -> None:
    """Services have them in memory, and would not see that one is gone or has another id."""
    oauth_clients.issue(connection, hub, SCOPES)
    row = tables.oauth_clients
    for statement in (delete(row), update(row).values(id=text("gen_random_uuid()")), text("TRUNCATE oauth_clients")):
        with pytest.raises(Failed), connection.begin_nested():
            from_sql(connection, statement)


def test_each_change_is_a_revision(connection: Connection, hub: str) -> None:
    """Services see it by that."""
    revision = select(tables.registry_revision.c.value)
    before = connection.scalar(revision)
    client, _ = oauth_clients.issue(connection, hub, SCOPES)
    oauth_clients.disable(connection, client.client_id)
    assert connection.scalar(revision) == (before or 0) + 2
    assert connection.scalar(select(tables.oauth_clients.c.revision)) == (before or 0) + 2


def from_sql(connection: Connection, statement: Any) -> None:
    """Execute `statement` with translated errors."""
    with translated_errors():
        connection.execute(statement)
