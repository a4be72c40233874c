"""The rows of contracts, and which of them serve."""

import pytest
from sqlalchemy import Connection, func, update

from db import contracts, tables
from db.engine import Database
from db.errors import Failed, NotFound


def publish(connection: Connection, *versions: str) -> None:
    """Publish a document of each version."""
    for version in versions:
        contracts.publish(connection, version, f"the document of {version}", f"the digest of {version}")


def set_status(connection: Connection, version: str, status: str) -> None:
    """Give the row of `version` a status."""
    rows = tables.interaction_reporting_contracts
    connection.execute(update(rows).where(rows.c.contract_version == version).values(status=status))


def statuses(connection: Connection) -> dict[str, str]:
    """The status of each version."""
    return {row.contract_version: row.status for row in contracts.all_of_them(connection)}


def serve_both(connection: Connection, status: str) -> None:
    """Let 1.1 be active beside 1.0."""
    publish(connection, "1.0", "1.1")
    set_status(connection, "1.0", status)
    set_status(connection, "1.1", "active")


def activate_beside_deprecated(connection: Connection) -> None:
    """Activate 1.1 where 1.0 is deprecated."""
    publish(connection, "1.0", "1.1")
    set_status(connection, "1.0", "deprecated")
    contracts.activate(connection, "1.1")


def publish_with_status(connection: Connection, status: str) -> None:
    """Publish a contract that has a status from the start."""
    publish(connection, "1.0")
    set_status(connection, "1.0", status)


def test_a_published_contract_is_a_draft(connection: Connection) -> None:
    """The row is as it was published, was never active, and serves nobody."""
    publish(connection, "1.0")
    row = contracts.get(connection, "1.0")
    assert (row.contract_version, row.status, row.activated_at) == ("1.0", "draft", None)
    assert (row.document, row.digest) == ("the document of 1.0", "the digest of 1.0")
    assert row.published_at == connection.execute(func.now().select()).scalar_one()
    assert contracts.serving(connection) == []


def test_an_activated_contract_serves(connection: Connection) -> None:
    """Its row says since when, and no other row changes."""
    publish(connection, "1.0", "2.0")
    contracts.activate(connection, "1.0")
    (row,) = contracts.serving(connection)
    assert row == contracts.get(connection, "1.0")
    assert row.status == "active"
    assert row.activated_at == connection.execute(func.now().select()).scalar_one()
    assert contracts.get(connection, "2.0").status == "draft"


def test_an_activated_contract_takes_the_place_of_another(connection: Connection) -> None:
    """The one that governed the major version is superseded, and no other; activating it again changes the two back."""
    publish(connection, "1.0", "1.1", "1.2", "2.0")
    for version in ("2.0", "1.0", "1.1", "1.1"):
        contracts.activate(connection, version)
    assert statuses(connection) == {"1.0": "superseded", "1.1": "active", "1.2": "draft", "2.0": "active"}
    contracts.activate(connection, "1.0")
    assert statuses(connection) == {"1.0": "active", "1.1": "superseded", "1.2": "draft", "2.0": "active"}


def test_a_deprecated_contract_is_not_superseded(migrated: Database) -> None:
    """Whoever deprecated it retires it first: the database refuses the other, and both rows stay as they are."""
    with pytest.raises(Failed, match="UniqueViolation"), migrated.begin() as connection:
        activate_beside_deprecated(connection)
    with migrated.begin() as connection:
        assert contracts.all_of_them(connection) == []


@pytest.mark.parametrize(
    ("status", "serves"),
    [("draft", False), ("active", True), ("superseded", False), ("deprecated", True), ("retired", False)],
)
def test_a_status_serves_or_not(connection: Connection, status: str, serves: bool) -> None:
    """An active contract and a deprecated one serve, the others do not."""
    publish(connection, "1.0")
    set_status(connection, "1.0", status)
    assert bool(contracts.serving(connection)) is serves


def test_one_contract_of_each_major_version_serves(connection: Connection) -> None:
    """They are given in the order of versions, which is that of numbers."""
    publish(connection, "10.0", "2.0", "1.0", "1.1")
    for version in ("10.0", "2.0", "1.0"):
        contracts.activate(connection, version)
    assert [row.contract_version for row in contracts.serving(connection)] == ["1.0", "2.0", "10.0"]


@pytest.mark.parametrize("status", ["active", "deprecated"])
def test_no_second_contract_of_a_major_version_serves(migrated: Database, status: str) -> None:
    """The database itself refuses it, and the first goes on serving."""
    with pytest.raises(Failed, match="UniqueViolation"), migrated.begin() as connection:
        serve_both(connection, status)
    with migrated.begin() as connection:
        assert contracts.all_of_them(connection) == []


def test_a_contract_that_is_not_there_is_named(connection: Connection) -> None:
    """NotFound says which version it was."""
    publish(connection, "1.0")
    with pytest.raises(NotFound) as raised:
        contracts.get(connection, "1.1")
    assert str(raised.value) == "there is no contract '1.1' in the database"


def test_contracts_are_listed_by_version(connection: Connection) -> None:
    """The order is that of numbers: 1.10 comes after 1.9, and 10.0 after 9.0."""
    publish(connection, "10.0", "1.10", "9.0", "1.9", "1.0")
    assert [row.contract_version for row in contracts.all_of_them(connection)] == ["1.0", "1.9", "1.10", "9.0", "10.0"]


def test_a_version_is_published_once(migrated: Database) -> None:
    """A published document is not replaced by another."""
    with pytest.raises(Failed, match="UniqueViolation"), migrated.begin() as connection:
        publish(connection, "1.0", "1.0")


@pytest.mark.parametrize("version", ["1.0", "9999.9999"])
def test_a_version_has_two_numbers(connection: Connection, version: str) -> None:
    """Both ends of what the database takes."""
    publish(connection, version)
    assert contracts.get(connection, version).contract_version == version


@pytest.mark.parametrize("version", ["0.1", "1", "1.", "1.01", "01.0", "1.0.0", "v1.0", "1.0 ", "1.0\n", "10000.0"])
def test_a_version_is_nothing_else(migrated: Database, version: str) -> None:
    """The database itself refuses it."""
    with pytest.raises(Failed), migrated.begin() as connection:
        publish(connection, version)


def test_a_status_is_one_that_is_known(migrated: Database) -> None:
    """The database itself refuses another."""
    with pytest.raises(Failed, match="CheckViolation"), migrated.begin() as connection:
        publish_with_status(connection, "served")


def test_a_row_does_not_print_its_document(connection: Connection) -> None:
    """A document is long: where a row is printed, it is left out."""
    publish(connection, "1.0")
    printed = repr(contracts.get(connection, "1.0"))
    assert "'1.0'" in printed
    assert "the document of 1.0" not in printed


def test_activating_names_the_contract_that_is_not_there(connection: Connection) -> None:
    """NotFound says which version it was, instead of nothing being done in silence."""
    with pytest.raises(NotFound, match=r"there is no contract '9\.9' in the database"):
        contracts.activate(connection, "9.9")
