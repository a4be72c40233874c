"""What became of the contracts is kept: of commands with who and why, of plain SQL as well."""

from hashlib import sha256

import pytest
from sqlalchemy import Connection, text

from db import contract_changes, contracts
from db.contract_changes import Author, Change
from db.engine import Database
from db.errors import Failed

ALICE = Author("alice", "the field is needed")


def digest(document: str) -> str:
    """SHA-256 of a text, in hexadecimal."""
    return sha256(document.encode()).hexdigest()


def told(change: Change) -> tuple[str | None, ...]:
    """A change without its instant and digests."""
    return (change.action, change.contract_version, change.status_before, change.status_after)


def test_a_command_says_who_and_why(connection: Connection) -> None:
    """Each row that it changes is one change, with the digests of its text before and after."""
    contracts.publish(connection, "1.0", "döc", "0", ALICE)
    contracts.activate(connection, "1.0", Author("bob"))
    contracts.publish(connection, "1.1", "other", "1", ALICE)
    contracts.activate(connection, "1.1", ALICE)
    found = contract_changes.history(connection)
    assert [told(change) for change in found] == [
        ("publish", "1.0", None, "draft"),
        ("activate", "1.0", "draft", "active"),
        ("publish", "1.1", None, "draft"),
        ("activate", "1.0", "active", "superseded"),
        ("activate", "1.1", "draft", "active"),
    ]
    assert [(change.changed_by, change.reason) for change in found[:2]] == [("alice", ALICE.reason), ("bob", None)]
    assert [(change.digest_before, change.digest_after) for change in found[:2]] == [
        (None, digest("döc")),
        (digest("döc"), digest("döc")),
    ]
    assert found[0].changed_at == contracts.get(connection, "1.0").published_at


def test_plain_sql_is_told_as_what_it_is(migrated: Database) -> None:
    """By the database's user, without a reason, also after a command on the same connection; no change is none."""
    with migrated.begin() as connection:
        contracts.publish(connection, "1.0", "document", "0", ALICE)
        user = connection.scalar(text("SELECT session_user"))
    with migrated.begin() as connection:
        since = len(contract_changes.history(connection))
        for statement in (
            "UPDATE interaction_reporting_contracts SET document = 'edited'",
            "UPDATE interaction_reporting_contracts SET document = 'edited'",
            "UPDATE interaction_reporting_contracts SET contract_version = '1.7'",
            "DELETE FROM interaction_reporting_contracts",
            "INSERT INTO interaction_reporting_contracts (contract_version, document, digest) VALUES ('3.0', '', '')",
            "TRUNCATE interaction_reporting_contracts",
        ):
            connection.execute(text(statement))
        found = contract_changes.history(connection)[since:]
    assert {(change.changed_by, change.reason) for change in found} == {(user, None)}
    assert [told(change) for change in found] == [
        ("update in SQL", "1.0", "draft", "draft"),
        ("update in SQL", "1.0", "draft", None),
        ("update in SQL", "1.7", None, "draft"),
        ("delete in SQL", "1.7", "draft", None),
        ("insert in SQL", "3.0", None, "draft"),
        ("truncate in SQL", "3.0", "draft", None),
    ]
    assert (found[0].digest_before, found[0].digest_after) == (digest("document"), digest("edited"))


@pytest.mark.parametrize("statement", ["UPDATE {} SET reason = ''", "DELETE FROM {}", "TRUNCATE {}"])
def test_what_was_kept_stays(migrated: Database, statement: str) -> None:
    """The database itself refuses to change or delete it."""
    with pytest.raises(Failed, match="RestrictViolation"), migrated.begin() as connection:
        connection.execute(text(statement.format("interaction_reporting_contract_changes")))
