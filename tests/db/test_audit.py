"""The audit log: what triggers write of each change, and that it stays."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from db import admins, audit, event_types, hubs, oauth_clients
from db.audit import Author, Entry
from db.engine import Database

ALICE = Author("admin:alice", "they asked", "192.0.2.7")
HASH = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA"


def last(connection: Connection) -> Entry:
    """The newest entry."""
    return audit.entries(connection, 1, None, {})[0]


def test_a_change_names_its_author_and_what_differs(connection: Connection) -> None:
    """Before and after have the columns that changed, and no others."""
    hubs.create(connection, "harbor")
    audit.attribute(connection, "limit", ALICE)
    hubs.limit(connection, "harbor", 50)
    entry = last(connection)
    assert (entry.actor, entry.why, entry.address) == ("admin:alice", "they asked", "192.0.2.7")
    assert (entry.action, entry.kind, entry.subject) == ("limit", "hub", "harbor")
    assert (entry.before, entry.after) == ({"rate_limit": None}, {"rate_limit": 50})


def test_a_new_row_has_no_before(connection: Connection) -> None:
    """And its columns that are null are left out."""
    audit.attribute(connection, "register", ALICE)
    event_types.register(connection, "opened", "A panel was opened.")
    entry = last(connection)
    assert (entry.kind, entry.subject, entry.before) == ("event type", "opened", None)
    assert entry.after is not None
    assert entry.after["status"] == "active"
    assert "metadata_schema" not in entry.after


def test_no_secret_is_in_the_log(connection: Connection) -> None:
    """Neither the key, the secret and the password, nor their digests: only that they changed."""
    _, key = hubs.create(connection, "harbor")
    _, other = hubs.rotate_key(connection, "harbor")
    client, secret = oauth_clients.issue(connection, "harbor", ["events:write"], None, False)
    oauth_clients.rotate(connection, client.client_id, timedelta())
    admins.create(connection, "alice", "owner", HASH)
    entries = audit.entries(connection, 100, None, {})
    assert len(entries) == 5
    stored = text("SELECT api_key, secret FROM hubs JOIN oauth_clients ON hub_id = hubs.id")
    for hidden in (key, other, str(secret), HASH, *connection.execute(stored).one()):
        assert hidden not in repr(entries)
    assert entries[3].after is not None
    assert entries[3].after["api_key"] == "(secret)"


def test_an_unchanged_row_and_a_hub_add_no_entry(connection: Connection) -> None:
    """What a hub changes by its manifest is in the manifests."""
    event_types.register(connection, "opened")
    count = len(audit.entries(connection, 100, None, {}))
    connection.execute(text("UPDATE event_type_registry SET description = description"))
    audit.leave_out(connection)
    event_types.deprecate(connection, "opened")
    assert len(audit.entries(connection, 100, None, {})) == count


def test_plain_sql_is_noted_as_such(migrated: Database) -> None:
    """By the database's user; a deletion, too."""
    with migrated.begin() as connection:
        connection.execute(
            text("INSERT INTO admins (id, name, role) VALUES (:id, 'by hand', 'viewer')"), {"id": uuid4()}
        )
        connection.execute(text("DELETE FROM admins"))
        user = connection.scalar(text("SELECT session_user"))
        deleted, inserted = audit.entries(connection, 2, None, {})
    assert [(entry.actor, entry.action) for entry in (inserted, deleted)] == [
        (user, "insert in SQL"),
        (user, "delete in SQL"),
    ]
    assert deleted.after is None
    assert deleted.before is not None
    assert deleted.before["role"] == "viewer"


def test_entries_are_found_by_actor_kind_and_subject(connection: Connection) -> None:
    """Newest first, and a page goes on before the last entry of the one before."""
    for author, name in ((Author("cli:eve"), "0"), (ALICE, "a"), (Author("cli:bob"), "b"), (ALICE, "c")):
        audit.attribute(connection, "create", author)
        hubs.create(connection, name)
    audit.note(connection, ALICE, "sign in", "admin", "alice")
    assert [entry.subject for entry in audit.entries(connection, 9, None, {"actor": "admin:alice"})] == [
        "alice",
        "c",
        "a",
    ]
    assert [entry.subject for entry in audit.entries(connection, 3, None, {"kind": "hub"})] == ["c", "b", "a"]
    first = audit.entries(connection, 2, None, {})
    assert [entry.subject for entry in audit.entries(connection, 2, first[-1].id, {})] == ["b", "a"]
    assert [entry.actor for entry in audit.entries(connection, 9, None, {"kind": "hub", "subject": "b"})] == ["cli:bob"]


@pytest.mark.parametrize("statement", ["UPDATE audit SET actor = 'x'", "DELETE FROM audit", "TRUNCATE audit"])
def test_the_log_stays(migrated: Database, statement: str) -> None:
    """Plain SQL cannot change it either."""
    with migrated.begin() as connection:
        hubs.create(connection, statement)
        with pytest.raises(IntegrityError, match="the audit log is not changed"), connection.begin_nested():
            connection.execute(text(statement))
