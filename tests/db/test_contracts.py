"""The rows of contracts, and the statuses that serve."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, DateTime, cast, delete, func, select, update

from db import contracts, tables
from db.engine import Database
from db.errors import DatabaseError, Failed, NotFound, Refused

SUNSET = datetime(2999, 12, 31, 23, 59, 59, tzinfo=UTC)


def publish(connection: Connection, *versions: str) -> None:
    """Publish a document of each version."""
    for version in versions:
        contracts.publish(connection, version, f"the document of {version}", f"the digest of {version}")


def set_status(connection: Connection, version: str, status: str) -> None:
    """Set the status of the row of `version`."""
    set_values(connection, version, status=status)


def set_values(connection: Connection, version: str, **values: Any) -> None:
    """Set columns of the row of `version`, as plain SQL does."""
    rows = tables.interaction_reporting_contracts
    connection.execute(update(rows).where(rows.c.contract_version == version).values(values))


def statuses(connection: Connection) -> dict[str, str]:
    """The status of each version."""
    return {row.contract_version: row.status for row in contracts.list_all(connection)}


def serve_both(connection: Connection, status: str) -> None:
    """Make 1.1 active while 1.0 has `status`."""
    publish(connection, "1.0", "1.1")
    set_status(connection, "1.0", status)
    set_status(connection, "1.1", "active")


def deprecate_until(connection: Connection, instant: str) -> None:
    """Publish a contract that is deprecated until an instant, as plain SQL does."""
    publish(connection, "1.0")
    set_values(connection, "1.0", status="deprecated", sunset_at=cast(instant, DateTime(timezone=True)))


def publish_with_status(connection: Connection, status: str) -> None:
    """Publish a contract and set its status."""
    publish(connection, "1.0")
    set_status(connection, "1.0", status)


def test_a_published_contract_is_a_draft(connection: Connection) -> None:
    """The row is as it was published, was never active, and does not serve."""
    publish(connection, "1.0")
    row = contracts.get(connection, "1.0")
    assert (row.contract_version, row.status, row.activated_at) == ("1.0", "draft", None)
    assert (row.document, row.digest) == ("the document of 1.0", "the digest of 1.0")
    assert row.published_at == connection.execute(func.now().select()).scalar_one()
    assert contracts.serving(connection) == []


def test_an_activated_contract_serves(connection: Connection) -> None:
    """Its row has activated_at, and no other row changes."""
    publish(connection, "1.0", "2.0")
    contracts.activate(connection, "1.0")
    (row,) = contracts.serving(connection)
    assert row == contracts.get(connection, "1.0")
    assert row.status == "active"
    assert row.activated_at == connection.execute(func.now().select()).scalar_one()
    assert contracts.get(connection, "2.0").status == "draft"


def test_an_activated_contract_replaces_another(connection: Connection) -> None:
    """Only the one that governed the major version is superseded; activating that one again swaps the two."""
    publish(connection, "1.0", "1.1", "1.2", "2.0")
    for version in ("2.0", "1.0", "1.1", "1.1"):
        contracts.activate(connection, version)
    assert statuses(connection) == {"1.0": "superseded", "1.1": "active", "1.2": "draft", "2.0": "active"}
    contracts.activate(connection, "1.0")
    assert statuses(connection) == {"1.0": "active", "1.1": "superseded", "1.2": "draft", "2.0": "active"}


def test_a_successor_of_a_deprecated_contract_is_deprecated(connection: Connection) -> None:
    """Clients of the major version know its sunset, which stays true, also after a rollback."""
    publish(connection, "1.0", "1.1", "2.0")
    for version in ("1.0", "2.0"):
        contracts.activate(connection, version)
    before = contracts.deprecate(connection, "1.0", SUNSET)
    row = contracts.activate(connection, "1.1")
    assert (row.status, row.deprecated_at, row.sunset_at) == ("deprecated", before.deprecated_at, SUNSET)
    superseded = contracts.get(connection, "1.0")
    assert (superseded.status, superseded.deprecated_at, superseded.sunset_at) == ("superseded", None, None)
    assert contracts.rollback(connection, 1).sunset_at == SUNSET
    assert contracts.get(connection, "2.0").sunset_at is None


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
    """They are listed in the numeric order of versions."""
    publish(connection, "10.0", "2.0", "1.0", "1.1")
    for version in ("10.0", "2.0", "1.0"):
        contracts.activate(connection, version)
    assert [row.contract_version for row in contracts.serving(connection)] == ["1.0", "2.0", "10.0"]


@pytest.mark.parametrize("status", ["active", "deprecated"])
def test_no_second_contract_of_a_major_version_serves(migrated: Database, status: str) -> None:
    """The database itself refuses it, and the first keeps serving."""
    with pytest.raises(Failed, match="UniqueViolation"), migrated.begin() as connection:
        serve_both(connection, status)
    with migrated.begin() as connection:
        assert contracts.list_all(connection) == []


def test_a_missing_contract_is_named(connection: Connection) -> None:
    """NotFound names the version."""
    publish(connection, "1.0")
    with pytest.raises(NotFound) as raised:
        contracts.get(connection, "1.1")
    assert str(raised.value) == "there is no contract '1.1' in the database"


def test_contracts_are_listed_by_version(connection: Connection) -> None:
    """The order is numeric: 1.10 comes after 1.9, and 10.0 after 9.0."""
    publish(connection, "10.0", "1.10", "9.0", "1.9", "1.0")
    assert [row.contract_version for row in contracts.list_all(connection)] == ["1.0", "1.9", "1.10", "9.0", "10.0"]


def test_a_version_is_published_once(migrated: Database) -> None:
    """A published document is not replaced by another."""
    with pytest.raises(Refused, match=r"contract 1\.0 is already published"), migrated.begin() as connection:
        publish(connection, "1.0", "1.0")


@pytest.mark.parametrize("version", ["1.0", "9999.9999"])
def test_a_version_has_two_numbers(connection: Connection, version: str) -> None:
    """The lowest and the highest that the database accepts."""
    publish(connection, version)
    assert contracts.get(connection, version).contract_version == version


@pytest.mark.parametrize("version", ["0.1", "1", "1.", "1.01", "01.0", "1.0.0", "v1.0", "1.0 ", "1.0\n", "10000.0"])
def test_another_form_of_version_is_refused(migrated: Database, version: str) -> None:
    """By the database itself."""
    with pytest.raises(Failed), migrated.begin() as connection:
        publish(connection, version)


def test_an_unknown_status_is_refused(migrated: Database) -> None:
    """By the database itself."""
    with pytest.raises(Failed, match="CheckViolation"), migrated.begin() as connection:
        publish_with_status(connection, "served")


def test_a_row_does_not_print_its_document(connection: Connection) -> None:
    """A document is long: the repr of a row leaves it out."""
    publish(connection, "1.0")
    printed = repr(contracts.get(connection, "1.0"))
    assert "'1.0'" in printed
    assert "the document of 1.0" not in printed


def test_activating_a_missing_contract_names_it(connection: Connection) -> None:
    """NotFound names the version, rather than nothing happening in silence."""
    with pytest.raises(NotFound, match=r"there is no contract '9\.9' in the database"):
        contracts.activate(connection, "9.9")


def test_a_deprecation_is_set_moved_and_withdrawn(connection: Connection) -> None:
    """Its start stays, its sunset may change; a contract whose deprecation is withdrawn is active as before."""
    publish(connection, "1.0")
    contracts.activate(connection, "1.0")
    row = contracts.deprecate(connection, "1.0", SUNSET)
    assert (row.status, row.sunset_at, row.retired_at) == ("deprecated", SUNSET, None)
    assert row.deprecated_at == connection.execute(func.now().select()).scalar_one()
    later = contracts.deprecate(connection, "1.0", SUNSET + timedelta(days=1))
    assert (later.deprecated_at, later.sunset_at) == (row.deprecated_at, SUNSET + timedelta(days=1))
    back = contracts.withdraw_deprecation(connection, "1.0")
    assert (back.status, back.deprecated_at, back.sunset_at) == ("active", None, None)
    assert back.activated_at == row.activated_at


def test_a_contract_is_retired_after_its_sunset(connection: Connection) -> None:
    """Before the sunset this needs `before_sunset`.

    A retired contract keeps its sunset, is not served, and can be activated again.
    """
    publish(connection, "1.0")
    contracts.activate(connection, "1.0")
    contracts.deprecate(connection, "1.0", SUNSET)
    with pytest.raises(Refused, match=r"contract 1\.0 is served until 2999-12-31 23:59 UTC"):
        contracts.retire(connection, "1.0")
    row = contracts.retire(connection, "1.0", before_sunset=True)
    assert (row.status, row.sunset_at) == ("retired", SUNSET)
    assert row.retired_at == connection.execute(func.now().select()).scalar_one()
    assert contracts.serving(connection) == []
    again = contracts.activate(connection, "1.0")
    assert (again.status, again.sunset_at, again.retired_at) == ("active", None, None)
    set_values(connection, "1.0", status="deprecated", sunset_at=func.now() - timedelta(seconds=1))
    assert contracts.retire(connection, "1.0").status == "retired"


def test_a_rollback_activates_the_contract_that_governed_before(connection: Connection) -> None:
    """Not the version before: the superseded contract, and of several the one that was activated last."""
    publish(connection, "1.0", "1.1", "1.2", "1.3", "2.0")
    for number, version in enumerate(("1.1", "1.3", "1.0", "2.0")):
        contracts.activate(connection, version)
        set_values(connection, version, activated_at=datetime(2026, 1, 1 + number, tzinfo=UTC))
    assert contracts.rollback(connection, 1).contract_version == "1.3"
    assert statuses(connection)["1.0"] == "superseded"
    assert contracts.rollback(connection, 1).contract_version == "1.0"


def test_a_version_that_was_rolled_back_is_withdrawn(connection: Connection) -> None:
    """Its row stays, and neither a rollback nor an activation reaches it; the column status is as before."""
    publish(connection, "1.0", "1.1", "1.2")
    for number, version in enumerate(("1.0", "1.1", "1.2")):
        contracts.activate(connection, version)
        set_values(connection, version, activated_at=datetime(2026, 1, 1 + number, tzinfo=UTC))
    assert contracts.rollback(connection, 1).contract_version == "1.1"
    row = contracts.withdraw(connection, "1.2")
    assert (row.status, row.withdrawn_at) == ("withdrawn", connection.execute(func.now().select()).scalar_one())
    table = tables.interaction_reporting_contracts
    column = connection.scalar(select(table.c.status).where(table.c.contract_version == "1.2"))
    assert (row.is_public, column) == (True, "superseded")
    assert contracts.rollback(connection, 1).contract_version == "1.0"
    with pytest.raises(Refused, match=r"contract 1\.2 is withdrawn: publish its document with another version number"):
        contracts.activate(connection, "1.2")
    for refused in (contracts.withdraw, contracts.discard):
        with pytest.raises(Refused, match=r"contract 1\.2 cannot be \w+: it is withdrawn$"):
            refused(connection, "1.2")


def test_a_version_that_was_followed_is_not_withdrawn(connection: Connection) -> None:
    """Clients were made for it, and the higher version that governs promises what it promised."""
    publish(connection, "1.9", "1.10")
    for version in ("1.9", "1.10"):
        contracts.activate(connection, version)
    with pytest.raises(
        Refused, match=r"contract 1\.9 was followed by 1\.10, which governs: its clients stay supported"
    ):
        contracts.withdraw(connection, "1.9")


def test_a_draft_is_discarded_and_its_number_is_free_again(connection: Connection) -> None:
    """One that was withdrawn before it governed, too; only a draft has never been public."""
    publish(connection, "1.0", "1.1")
    assert contracts.discard(connection, "1.0").status == "draft"
    assert (contracts.withdraw(connection, "1.1").status, contracts.get(connection, "1.1").is_public) == (
        "withdrawn",
        False,
    )
    contracts.discard(connection, "1.1")
    publish(connection, "1.0", "1.1")
    contracts.activate(connection, "1.0")
    contracts.activate(connection, "1.1")
    with pytest.raises(
        Refused, match=r"contract 1\.0 cannot be discarded: it is superseded; if it was a mistake, '.* wit"
    ):
        contracts.discard(connection, "1.0")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda connection: contracts.deprecate(connection, "1.1", SUNSET),
            "contract 1.1 is not served: it is draft; 'interaction-reporting contract discard 1.1' deletes it",
        ),
        (
            lambda connection: contracts.deprecate(connection, "1.0", datetime(2000, 1, 1, tzinfo=UTC)),
            "the sunset is not in the future",
        ),
        (
            lambda connection: contracts.withdraw_deprecation(connection, "1.0"),
            "contract 1.0 is not deprecated: it is active",
        ),
        (
            lambda connection: contracts.withdraw(connection, "1.0"),
            "contract 1.0 cannot be withdrawn: it is active; 'interaction-reporting contract rollback --major 1' first",
        ),
        (
            lambda connection: contracts.discard(connection, "2.0"),
            (
                "contract 2.0 cannot be discarded: it is deprecated; "
                "'interaction-reporting contract rollback --major 2' first"
            ),
        ),
        (lambda connection: contracts.retire(connection, "1.0", True), "contract 1.0 is not deprecated: it is active"),
        (lambda connection: contracts.retire(connection, "2.0"), "contract 2.0 has no sunset"),
        (
            lambda connection: contracts.rollback(connection, 1),
            "no other contract of major version 1 was served before",
        ),
        (
            lambda connection: contracts.rollback(connection, 3),
            "no contract of major version 3 is served: activate one",
        ),
        (lambda connection: contracts.retire(connection, "9.9"), "there is no contract '9.9' in the database"),
        (lambda connection: contracts.activate(connection, "x"), "there is no contract 'x' in the database"),
    ],
    ids=[
        "draft",
        "past",
        "not-deprecated",
        "withdraw-active",
        "discard-served",
        "active",
        "no-sunset",
        "nothing-before",
        "not-served",
        "missing",
        "odd",
    ],
)
def test_an_impossible_change_is_refused(connection: Connection, change: Any, words: str) -> None:
    """The message says why, and nothing is changed."""
    publish(connection, "1.0", "1.1", "2.0")
    for version in ("1.0", "2.0"):
        contracts.activate(connection, version)
    set_status(connection, "2.0", "deprecated")
    before = contracts.list_all(connection)
    with pytest.raises((NotFound, Refused)) as raised:
        change(connection)
    assert str(raised.value) == words
    assert contracts.list_all(connection) == before


def test_plain_sql_sets_instants_as_well(connection: Connection) -> None:
    """The database itself sets those of the new status, and clears those of another."""
    publish(connection, "1.0")
    now = connection.execute(func.now().select()).scalar_one()
    for status, instants in (
        ("deprecated", [now, now, None]),
        ("retired", [now, now, now]),
        ("superseded", [now, None, None]),
    ):
        set_status(connection, "1.0", status)
        row = contracts.get(connection, "1.0")
        assert [row.activated_at, row.deprecated_at, row.retired_at] == instants


@pytest.mark.parametrize("instant", ["infinity", "-infinity", "1969-12-31 00:00:00+00", "10000-01-01 00:00:00+00"])
def test_an_instant_that_responses_cannot_express_is_refused(migrated: Database, instant: str) -> None:
    """By the database itself."""
    with pytest.raises(Failed, match="CheckViolation"), migrated.begin() as connection:
        deprecate_until(connection, instant)


def test_operators_take_turns(migrated: Database) -> None:
    """Concurrent activations all succeed, one after the other, and one contract governs in the end."""
    versions = [f"1.{number}" for number in range(6)]
    with migrated.begin() as connection:
        publish(connection, *versions)
    together, failures = threading.Barrier(len(versions)), []

    def activate(version: str) -> None:
        together.wait()
        try:
            with migrated.begin() as connection:
                contracts.activate(connection, version)
        except DatabaseError as error:
            failures.append(error)

    threads = [threading.Thread(target=activate, args=(version,)) for version in versions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with migrated.begin() as connection:
        assert failures == []
        assert sorted(statuses(connection).values()) == ["active", *["superseded"] * 5]
        connection.execute(delete(tables.interaction_reporting_contracts))
