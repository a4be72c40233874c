"""The lifecycle of a contract: documents of the release become rows, which the service serves."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, delete, insert, text, update

from db import contracts as rows
from db.audit import Author
from db.engine import Database
from db.errors import Refused
from db.tables import interaction_reporting_contracts as table
from db.tables import interaction_reporting_contracts_served
from handlers.contracts import lifecycle
from handlers.contracts.candidates import examine
from handlers.contracts.serving_plan import warnings
from handlers.operations import OPERATIONS
from openapi.contract import Contract, ContractError, published
from tests.service import CONTRACTS

AUTHOR = Author("alice", "a test")
NEWEST = CONTRACTS["1.1"]

alone = pytest.mark.usefixtures("version_1_alone")


def change(connection: Connection, version: str, **values: str) -> None:
    """Give columns of the row of `version` other values, as SQL expressions."""
    changed = update(table).where(table.c.contract_version == version)
    connection.execute(changed.values({name: text(value) for name, value in values.items()}))


def changed(version: str, title: str = "API", path: str = "/api/v1") -> Contract:
    """The newest contract of version 1 as another version, with another title and at another path."""
    document = NEWEST.copy()
    document["info"] |= {"version": version, "title": title}
    document["servers"] = [{"url": path}]
    return Contract.read(json.dumps(document))


def served(connection: Connection) -> list[str]:
    """The versions that a service would serve if it started now."""
    return [major.served.contract.version for major in lifecycle.current_state(connection) if major.served]


def test_an_empty_database_gets_the_documents_of_the_release(database: Database) -> None:
    """Each document is a row with the text of the file, and the newest of each major version is active."""
    with database.begin() as connection:
        connection.execute(delete(table))
        assert lifecycle.seed(connection) == ["1.1", "2.0"]
        documents = {row.contract_version: (row.document, row.digest) for row in rows.list_all(connection)}
        assert documents == {contract.version: (contract.text, contract.digest) for contract in published()}
        assert served(connection) == ["1.1", "2.0"]
        assert {row.contract_version: row.status for row in rows.list_all(connection)}["1.0"] == "superseded"


@alone
def test_a_database_with_a_row_is_left_alone(database: Database) -> None:
    """Files are only proposals once a row exists, even one that is not active."""
    with database.begin() as connection:
        connection.execute(delete(table).where(table.c.contract_version == "1.0"))
        change(connection, "1.1", status="'draft'")
        assert lifecycle.seed(connection) == []
        with pytest.raises(ContractError, match="no contract is active"):
            lifecycle.require_served(connection)


def test_rows_that_agree_with_documents_have_no_differences(database: Database) -> None:
    """No difference after seeding by this release, nor after a change of comments or layout."""
    with database.begin() as connection:
        assert lifecycle.differences(connection) == []
        change(connection, "1.1", document="'# A comment.' || chr(10) || document")
        assert lifecycle.differences(connection) == []


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"document": "replace(document, 'Report one', 'Report an')"}, "differ; the row governs"),
        ({"document": "'a: b'"}, "the row cannot be read, correct it: the document is not an OpenAPI object"),
        (
            {"document": "replace(document, 'Report one', 'Report an')"},
            r"was edited since it was published as [0-9a-f]",
        ),
        ({"digest": "repeat('0', 64)"}, r"contract 1\.1 was edited since it was published as 000000000000"),
        ({"contract_version": "'1.7'"}, "contract 1.7 is in the database and not a document of this release"),
        (
            {"contract_version": "'1.7'"},
            "this release has contract 1.1, and the database does not: `contract publish --of-release 1.1`",
        ),
    ],
    ids=["differing", "broken", "edited", "other-digest", "only-row", "only-document"],
)
def test_each_difference_is_described(database: Database, values: dict[str, str], words: str) -> None:
    """An operator reads what differs, and what is served."""
    with database.begin() as connection:
        change(connection, "1.1", **values)
        assert [difference for difference in lifecycle.differences(connection) if re.search(words, difference)]


def test_former_operation_ids_are_no_difference(database: Database) -> None:
    """A row published with them is equivalent to the document of the release, and is served."""
    former = {name: former for former, name in OPERATIONS.former_names.items()}
    document = re.sub(r"operationId: (\w+)", lambda match: f"operationId: {former[match[1]]}", NEWEST.text)
    contract = Contract.read(document)
    assert contract.digest != NEWEST.digest
    with database.begin() as connection:
        row = update(table).where(table.c.contract_version == "1.1")
        connection.execute(row.values(document=document, digest=contract.digest))
        assert lifecycle.differences(connection) == []
        assert served(connection) == ["1.1", "2.0"]


@alone
@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"contract_version": "'1.7'"}, r"the row of contract 1\.7 holds a document of version 1\.1"),
        ({"document": "'a: b'"}, r"the row of contract 1\.1 cannot be read: the document is not an OpenAPI object"),
        (
            {"document": "replace(document, 'reportInteractionEvent', 'xyz')"},
            r"1\.1 cannot be served: .*names no operation",
        ),
        ({"status": "'superseded'"}, "no contract of major version 1 is active"),
    ],
    ids=["other-version", "broken", "no-handler", "not-active"],
)
def test_a_row_that_cannot_be_served_is_named(database: Database, values: dict[str, str], words: str) -> None:
    """With the reason, the contract served in its place, and the remedy."""
    help_ = "correct that, or activate or roll back to another"
    last = insert(interaction_reporting_contracts_served)
    with database.begin() as connection:
        change(connection, "1.1", **values)
        with pytest.raises(ContractError, match=rf"{words}.*; nothing is served in its place: {help_}"):
            lifecycle.require_served(connection)
        connection.execute(last.values(major=1, contract_version="1.0", document=published()[0].text))
        lifecycle.require_served(connection)
        (warning,) = warnings(lifecycle.current_state(connection))
        assert re.search(
            rf"{words}.*; contract 1\.0 \([0-9a-f]{{12}}\), which was served last, is still served: {help_}", warning
        )


def test_a_published_document_is_never_replaced(database: Database) -> None:
    """Other content under its version is refused; the same content is no change, whatever its layout."""
    oldest = published()[0]
    with database.begin() as connection:
        assert not lifecycle.publish(connection, Contract.read(json.dumps(oldest.document)), AUTHOR)
        assert lifecycle.publish(connection, changed("1.2"), AUTHOR)
        assert not lifecycle.publish(connection, changed("1.2"), AUTHOR)
        assert rows.get(connection, "1.2").status == "draft"
        with pytest.raises(Refused, match=r"contract 1\.2 is published with other content: give this one another"):
            lifecycle.publish(connection, changed("1.2", title="Other"), AUTHOR)
        assert rows.get(connection, "1.2").document == changed("1.2").text
        change(connection, "1.2", document="replace(document, 'Report one', 'Report an')")
        with pytest.raises(
            Refused, match=r"contract 1\.2 was published with this content, and its row was edited since"
        ):
            lifecycle.publish(connection, changed("1.2"), AUTHOR)


def with_lower_limit(document: dict[str, Any]) -> None:
    """Refuse values that were accepted."""
    document["components"]["schemas"]["InteractionEvent"]["properties"]["view_context_ref"]["maxLength"] = 1000


def without_description(document: dict[str, Any]) -> None:
    """Omit a description that the linter requires."""
    del document["paths"]["/usage"]["get"]["description"]


def with_optional_body(document: dict[str, Any]) -> None:
    """Declare a body optional, which no release serves."""
    document["paths"]["/interaction-events"]["post"]["requestBody"]["required"] = False


@alone
@pytest.mark.parametrize(
    ("version", "change_", "error", "words"),
    [
        (
            "1.2",
            with_lower_limit,
            Refused,
            r"must be 2\.0 and not 1\.2, because of changes from 1\.0: body /view_context_ref has",
        ),
        (
            "1.2",
            with_lower_limit,
            Refused,
            r"because of changes from 1\.1: .*body /view_context_ref has maxLength 1000; it was 2000",
        ),
        ("1.2", without_description, Refused, r"/paths/~1usage/get: .* \[descriptions\]"),
        ("2.0", with_optional_body, ContractError, "an optional body is not served by this release"),
    ],
)
def test_a_document_is_published_only_if_its_version_matches_its_changes(
    database: Database, version: str, change_: Callable[[dict[str, Any]], None], error: type[Exception], words: str
) -> None:
    """Compared with each supported version; it must also pass the linter and be servable. A major version may break."""
    document = changed(version).copy()
    change_(document)
    with database.begin() as connection:
        with pytest.raises(error, match=words):
            lifecycle.publish(connection, Contract.read(json.dumps(document)), AUTHOR)
        assert [row.contract_version for row in rows.list_all(connection)] == ["1.0", "1.1"]
        with_lower_limit(document := changed("2.0", path="/api/v2").copy())
        assert lifecycle.publish(connection, Contract.read(json.dumps(document)), AUTHOR)


def with_bot(version: str, path: str = "/api/v1") -> Contract:
    """A contract that accepts another value than the release, and whose own records can say it."""
    document = changed(version, path=path).copy()
    for name in ("ActorType", "RecordedActorType"):
        document["components"]["schemas"][name]["enum"].append("bot")
    return Contract.read(json.dumps(document))


UNSAYABLE = (
    r'/components/schemas/InteractionEvent/properties/actor_type: contract {0} accepts "bot" as actor_type, and '
    r"contract {1} answers with the same records, but cannot say that: /components/schemas/InteractionEventRecord"
    r"/properties/actor_type forbids it; leave it out until {1} is retired, or let a new major version say it first"
)


@pytest.mark.parametrize(
    ("version", "path", "others"), [("1.18", "/api/v1", ["2.0"]), ("3.0", "/api/v3", ["1.1", "2.0"])]
)
def test_other_served_versions_must_be_able_to_say_what_is_accepted(
    database: Database, version: str, path: str, others: list[str]
) -> None:
    """All major versions answer with the same records, so that publishing is refused, and so is examining."""
    contract = with_bot(version, path)
    with database.begin() as connection:
        with pytest.raises(Refused) as refused:
            lifecycle.publish(connection, contract, AUTHOR)
        for other in others:
            assert re.search(UNSAYABLE.format(version, other), str(refused.value))
        assert len(str(refused.value).splitlines()) == 2 * len(others)
        candidate = examine(contract.text, rows.list_all(connection), [])
    assert candidate.fault == str(refused.value)


def test_only_served_versions_must_be_able_to_say_what_is_accepted(database: Database) -> None:
    """Neither a draft, nor one that is superseded or retired, nor a row that cannot be read stands in the way."""
    contract = with_bot("3.0", "/api/v3")
    with database.begin() as connection:
        change(connection, "1.1", status="'retired'", retired_at="now()")
        change(connection, "2.0", document="'a: b'")
        assert lifecycle.publish(connection, contract, AUTHOR)


@alone
def test_a_contract_that_cannot_be_served_is_not_activated(database: Database) -> None:
    """A draft that is broken, or has the path of another contract, is refused before any change."""
    with database.begin() as connection:
        lifecycle.publish(connection, changed("1.2"), AUTHOR)
        lifecycle.publish(connection, changed("2.0"), AUTHOR)
        change(connection, "1.2", document="replace(document, 'reportInteractionEvent', 'xyz')")
        with pytest.raises(ContractError, match=r"contract 1\.2 cannot be served: .*names no operation"):
            lifecycle.activate(connection, "1.2", AUTHOR)
        with pytest.raises(ContractError, match=r"contract 2\.0 cannot be served: another contract has its path"):
            lifecycle.activate(connection, "2.0", AUTHOR)
        assert served(connection) == ["1.1"]
        assert lifecycle.activate(connection, "1.0", AUTHOR).status == "active"
        assert served(connection) == ["1.0"]


@alone
def test_a_rollback_passes_over_what_cannot_be_served(database: Database) -> None:
    """The operator gets the last contract that can be served, and an error for each later one."""
    with database.begin() as connection:
        lifecycle.publish(connection, changed("1.2"), AUTHOR)
        lifecycle.activate(connection, "1.2", AUTHOR)
        change(connection, "1.1", document="'a: b'")
        restored = lifecycle.rollback(connection, 1, AUTHOR)
        assert (restored.row.contract_version, served(connection)) == ("1.0", ["1.0"])
        (error,) = restored.passed_over
        assert "the row of contract 1.1 cannot be read" in error


@alone
def test_a_rollback_must_name_one_of_several_major_versions(database: Database) -> None:
    """With one major version the argument is optional; it fails only if no contract before can be served."""
    with database.begin() as connection:
        assert lifecycle.rollback(connection, None, AUTHOR).row.contract_version == "1.0"
        lifecycle.publish(connection, changed("2.0", path="/api/v2"), AUTHOR)
        lifecycle.activate(connection, "2.0", AUTHOR)
        with pytest.raises(Refused, match="the major versions 1, 2 are served: choose one with --major"):
            lifecycle.rollback(connection, None, AUTHOR)
        change(connection, "1.1", document="'a: b'")
        with pytest.raises(ContractError, match=r"the row of contract 1\.1 cannot be read"):
            lifecycle.rollback(connection, 1, AUTHOR)
        assert served(connection) == ["1.0", "2.0"]
