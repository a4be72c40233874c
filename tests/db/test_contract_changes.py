"""The history of the contracts: commands with author and reason, and plain SQL as well."""

from hashlib import sha256

import pytest
from sqlalchemy import Connection, text

from db import contract_changes, contracts
from db.audit import Author
from db.contract_changes import Change
from db.engine import Database
from db.errors import Failed

ALICE = Author("alice", "the field is needed")


def digest(document: str) -> str:
    """SHA-256 of a text, in hexadecimal."""
    return sha256(document.encode()).hexdigest()


def transition(change: Change) -> tuple[str | None, ...]:
    """Action, version and both statuses of a change, without its instant and digests."""
    return (change.action, change.contract_version, change.status_before, change.status_after)


def test_a_command_records_its_author_and_reason(connection: Connection) -> None:
    """Each row that it changes is one change, with the digests of its text before and after."""
    contracts.publish(connection, "1.0", "döc", "0", ALICE)
    contracts.activate(connection, "1.0", Author("bob"))
    contracts.publish(connection, "1.1", "other", "1", ALICE)
    contracts.activate(connection, "1.1", ALICE)
    changes = contract_changes.history(connection)
    assert [transition(change) for change in changes] == [
        ("publish", "1.0", None, "draft"),
        ("activate", "1.0", "draft", "active"),
        ("publish", "1.1", None, "draft"),
        ("activate", "1.0", "active", "superseded"),
        ("activate", "1.1", "draft", "active"),
    ]
    assert [(change.changed_by, change.reason) for change in changes[:2]] == [("alice", ALICE.reason), ("bob", None)]
    assert [(change.digest_before, change.digest_after) for change in changes[:2]] == [
        (None, digest("döc")),
        (digest("döc"), digest("döc")),
    ]
    assert changes[0].changed_at == contracts.get(connection, "1.0").published_at


def test_plain_sql_is_recorded_as_such(migrated: Database) -> None:
    """By the database's user, without a reason, also after a command on one connection; an unchanged row adds none."""
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
        changes = contract_changes.history(connection)[since:]
    assert {(change.changed_by, change.reason) for change in changes} == {(user, None)}
    assert [transition(change) for change in changes] == [
        ("update in SQL", "1.0", "draft", "draft"),
        ("update in SQL", "1.0", "draft", None),
        ("update in SQL", "1.7", None, "draft"),
        ("delete in SQL", "1.7", "draft", None),
        ("insert in SQL", "3.0", None, "draft"),
        ("truncate in SQL", "3.0", "draft", None),
    ]
    assert (changes[0].digest_before, changes[0].digest_after) == (digest("document"), digest("edited"))


@pytest.mark.parametrize("statement", ["UPDATE {} SET reason = ''", "DELETE FROM {}", "TRUNCATE {}"])
def test_recorded_changes_stay(migrated: Database, statement: str) -> None:
    """The database itself refuses to change or delete them."""
    with pytest.raises(Failed, match="RestrictViolation"), migrated.begin() as connection:
        connection.execute(text(statement.format("interaction_reporting_contract_changes")))
