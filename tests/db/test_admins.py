"""Accounts of admins, and their sessions."""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import Connection, func, text, update

from db import admins, hubs, keys, oauth_clients, page_sessions
from db.admins import Admin
from db.errors import NotFound, Refused
from db.tables import page_sessions as page_sessions_table

HASH = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA"
DIGEST = hashlib.sha256(b"cookie").hexdigest()


@pytest.fixture
def owner(connection: Connection) -> Admin:
    """An owner who is signed in."""
    admin = admins.create(connection, "alice", "owner", HASH)
    page_sessions.begin_of_admin(connection, DIGEST, admin.id)
    return admin


@pytest.mark.usefixtures("owner")
def test_a_name_is_taken_once(connection: Connection) -> None:
    """A second account with the name is refused; an unknown name is not found."""
    with pytest.raises(Refused, match="an admin named 'alice' already exists"):
        admins.create(connection, "alice", "viewer", None)
    with pytest.raises(NotFound, match="there is no admin named 'bob'"):
        admins.set_role(connection, "bob", "owner")


@pytest.mark.parametrize("name", [".", ".."])
def test_a_name_is_part_of_a_path(connection: Connection, name: str) -> None:
    """A browser resolves dots before it asks."""
    with pytest.raises(Refused, match="an admin cannot be named"):
        admins.create(connection, name, "viewer", None)


def test_a_session_leads_to_its_admin(connection: Connection, owner: Admin) -> None:
    """By its digest; another digest leads nowhere."""
    session = page_sessions.of_admin(connection, DIGEST)
    assert session is not None
    assert (session.admin_id, session.name, session.role) == (owner.id, "alice", "owner")
    assert page_sessions.of_admin(connection, "0" * 64) is None
    page_sessions.end(connection, DIGEST)
    assert page_sessions.of_admin(connection, DIGEST) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda connection: admins.set_password(connection, "alice", HASH),
        lambda connection: admins.disable(connection, "alice"),
    ],
)
@pytest.mark.usefixtures("owner")
def test_a_change_of_an_account_ends_its_sessions(
    connection: Connection, change: Callable[[Connection], object]
) -> None:
    """Those of others go on."""
    other = admins.create(connection, "bob", "owner", None)
    page_sessions.begin_of_admin(connection, "0" * 64, other.id)
    change(connection)
    assert page_sessions.of_admin(connection, DIGEST) is None
    assert page_sessions.living(connection, [DIGEST, "0" * 64]) == {"0" * 64}


@pytest.mark.usefixtures("owner")
def test_another_role_counts_at_once(connection: Connection) -> None:
    """The session goes on."""
    admins.create(connection, "bob", "owner", None)
    admins.set_role(connection, "alice", "viewer")
    session = page_sessions.of_admin(connection, DIGEST)
    assert session is not None
    assert session.role == "viewer"


@pytest.mark.usefixtures("owner")
def test_the_last_owner_stays_one(connection: Connection) -> None:
    """Neither another role nor a disabled account is possible before there is another owner."""
    with pytest.raises(Refused, match="'alice' is the last owner"), connection.begin_nested():
        admins.disable(connection, "alice")
    with pytest.raises(Refused, match="'alice' is the last owner"), connection.begin_nested():
        admins.set_role(connection, "alice", "editor")
    admins.create(connection, "bob", "owner", None)
    assert admins.set_role(connection, "alice", "editor").role == "editor"


@pytest.mark.usefixtures("owner")
def test_a_disabled_admin_has_no_password_until_enabled(connection: Connection) -> None:
    """Nor one that an issuer signs in, or that does not exist."""
    admins.create(connection, "bob", "owner", None)
    assert admins.password(connection, "alice") == HASH
    admins.disable(connection, "alice")
    assert [admins.password(connection, name) for name in ("alice", "bob", "eve")] == [None, None, None]
    admins.enable(connection, "alice")
    assert admins.password(connection, "alice") == HASH


@pytest.mark.parametrize(
    ("column", "ago", "lives"),
    [
        ("created_at", timedelta(hours=11, minutes=59), True),
        ("created_at", timedelta(hours=12, seconds=1), False),
        ("seen_at", timedelta(minutes=29, seconds=50), True),
        ("seen_at", timedelta(minutes=30, seconds=1), False),
    ],
)
@pytest.mark.usefixtures("owner")
def test_a_session_ends(connection: Connection, column: str, ago: timedelta, lives: bool) -> None:
    """After twelve hours, and after half an hour in which nothing was asked for."""
    connection.execute(update(page_sessions_table).values({column: func.now() - ago}))
    assert (page_sessions.of_admin(connection, DIGEST) is not None) == lives


@pytest.mark.usefixtures("owner")
def test_use_is_noted_once_a_minute(connection: Connection) -> None:
    """So that a request seldom writes."""
    seen = text("SELECT now() - seen_at FROM page_sessions")
    for ago, after in ((50, 50), (70, 0)):
        connection.execute(text("UPDATE page_sessions SET seen_at = now() - make_interval(secs => :s)"), {"s": ago})
        page_sessions.of_admin(connection, DIGEST)
        assert connection.scalar(seen) == timedelta(seconds=after)


def test_a_session_of_a_hub_is_none_of_an_admin(connection: Connection) -> None:
    """And ends when the hub is disabled."""
    hub, key = hubs.create(connection, "harbor")
    assert page_sessions.begin_of_hub(connection, DIGEST, keys.digest(key)) == "harbor"
    assert page_sessions.of_admin(connection, DIGEST) is None
    session = page_sessions.of_hub(connection, DIGEST)
    assert session is not None
    assert (session.hub_id, session.hub_name) == (hub.id, "harbor")
    hubs.disable(connection, "harbor")
    assert page_sessions.of_hub(connection, DIGEST) is None


@pytest.mark.parametrize("is_client", [False, True])
@pytest.mark.parametrize("overlap", [timedelta(), timedelta(hours=1)])
def test_a_session_of_a_hub_ends_with_its_credential(
    connection: Connection, is_client: bool, overlap: timedelta
) -> None:
    """When it is rotated, at once or after the overlap; and nobody signs in with it any more."""
    _, secret = hubs.create(connection, "harbor")
    if is_client:
        client, issued = oauth_clients.issue(connection, "harbor", ["events:write"], None, False)
        secret = str(issued)
    credential = keys.digest(secret)
    assert page_sessions.begin_of_hub(connection, DIGEST, credential) == "harbor"
    if is_client:
        oauth_clients.rotate(connection, client.client_id, overlap)
    else:
        hubs.rotate_key(connection, "harbor", overlap)
    assert (page_sessions.of_hub(connection, DIGEST) is not None) == bool(overlap)
    connection.execute(text("UPDATE hubs SET previous_key_until = now() - interval '1 second'"))
    connection.execute(text("UPDATE oauth_clients SET previous_secret_until = now() - interval '1 second'"))
    assert page_sessions.of_hub(connection, DIGEST) is None
    assert page_sessions.begin_of_hub(connection, "1" * 64, credential) is None


def test_a_hub_that_has_moved_on_signs_in_with_its_client_alone(connection: Connection) -> None:
    """Its key is refused, as by the API; a disabled client is, too."""
    _, key = hubs.create(connection, "harbor")
    client, secret = oauth_clients.issue(connection, "harbor", ["events:write"], None, False)
    hubs.cut_over(connection, "harbor", None)
    assert page_sessions.begin_of_hub(connection, "1" * 64, keys.digest(key)) is None
    assert page_sessions.begin_of_hub(connection, DIGEST, keys.digest(str(secret))) == "harbor"
    oauth_clients.disable(connection, client.client_id)
    assert page_sessions.of_hub(connection, DIGEST) is None


def test_a_session_has_the_scopes_of_its_client_as_they_are_now(connection: Connection) -> None:
    """Also during the overlap of its secret; a session of a key has no limit."""
    _, key = hubs.create(connection, "harbor")
    client, secret = oauth_clients.issue(connection, "harbor", ["events:write"])
    oauth_clients.issue(connection, "harbor", ["usage:read"])
    page_sessions.begin_of_hub(connection, DIGEST, keys.digest(str(secret)))
    page_sessions.begin_of_hub(connection, "1" * 64, keys.digest(key))
    oauth_clients.rotate(connection, client.client_id, timedelta(hours=1))
    for scopes in (["events:write"], ["rejections:read", "usage:read"]):
        oauth_clients.change(connection, client.client_id, oauth_clients.OURS, scopes, None)
        session = page_sessions.of_hub(connection, DIGEST)
        assert session is not None
        assert session.scopes == frozenset(scopes)
    session = page_sessions.of_hub(connection, "1" * 64)
    assert session is not None
    assert session.scopes is None


@pytest.mark.usefixtures("owner")
def test_ended_sessions_are_forgotten(connection: Connection) -> None:
    """When another begins; a note is said by the session that has it."""
    connection.execute(text("UPDATE page_sessions SET created_at = now() - interval '13 hours'"))
    owner_id: UUID = admins.get(connection, "alice").id
    page_sessions.begin_of_admin(connection, "1" * 64, owner_id)
    page_sessions.say(connection, "1" * 64, {"text": "Done."})
    assert connection.execute(text("SELECT digest, note FROM page_sessions")).all() == [("1" * 64, {"text": "Done."})]
