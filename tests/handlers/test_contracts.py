"""The contract between document and row."""

import re

import pytest
from sqlalchemy import Connection, delete, text, update

from db import contracts as rows
from db.engine import Database
from db.tables import interaction_reporting_contracts as table
from handlers import contracts
from openapi.contract import ContractError, published


def change(connection: Connection, version: str, **values: str) -> None:
    """Give columns of the row of `version` other values, as SQL expressions."""
    changed = update(table).where(table.c.contract_version == version)
    connection.execute(changed.values({name: text(value) for name, value in values.items()}))


def test_an_empty_database_gets_the_documents_of_the_release(database: Database) -> None:
    """Each document is a row, with its text as it is in the file, and the newest of each major version is active."""
    with database.begin() as connection:
        connection.execute(delete(table))
        assert contracts.seed(connection) == ["1.1"]
        found = {row.contract_version: (row.document, row.digest) for row in rows.all_of_them(connection)}
        assert found == {contract.version: (contract.text, contract.digest) for contract in published()}
        assert contracts.governing(connection).version == "1.1"
        assert {row.contract_version: row.status for row in rows.all_of_them(connection)}["1.0"] == "superseded"


def test_a_database_with_a_row_is_left_alone(database: Database) -> None:
    """Files are proposals once there is a row, even one that is not active."""
    with database.begin() as connection:
        change(connection, "1.1", status="'retired'")
        assert contracts.seed(connection) == []
        with pytest.raises(ContractError, match="no contract is active"):
            contracts.governing(connection)


def test_rows_and_documents_that_agree_need_no_words(database: Database) -> None:
    """Nothing to say of a database that was seeded by this release; nor of comments and layout alone."""
    with database.begin() as connection:
        assert contracts.differences(connection) == []
        change(connection, "1.1", document="'# A comment.' || chr(10) || document")
        assert contracts.differences(connection) == []


@pytest.mark.parametrize(
    ("made", "words"),
    [
        ({"document": "replace(document, 'Report one', 'Report an')"}, "differ; the row governs"),
        ({"document": "'a: b'"}, "the row cannot be read: the document is not an OpenAPI object"),
        ({"contract_version": "'1.7'"}, "contract 1.7 is in the database and not a document of this release"),
        ({"contract_version": "'1.7'"}, "contract 1.1 is a document of this release and not in the database"),
    ],
    ids=["edited", "broken", "only-row", "only-document"],
)
def test_each_difference_has_its_words(database: Database, made: dict[str, str], words: str) -> None:
    """A person learns what differs, and what is served."""
    with database.begin() as connection:
        change(connection, "1.1", **made)
        assert [said for said in contracts.differences(connection) if re.search(words, said)]


def test_a_row_that_holds_another_version_does_not_govern(database: Database) -> None:
    """The version of the row and that of its document must be one."""
    with database.begin() as connection:
        change(connection, "1.1", contract_version="'1.7'")
        with pytest.raises(ContractError, match=r"the row of contract 1\.7 holds a document of version 1\.1"):
            contracts.governing(connection)
