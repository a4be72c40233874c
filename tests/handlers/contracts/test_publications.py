"""The published contracts: read once for all requests, rendered once, and never a draft."""

import asyncio
import json
from collections.abc import Mapping
from contextlib import closing

import pytest
from sqlalchemy import Connection, text, update

from db import contracts
from db.engine import Database
from db.errors import NotFound, Unavailable
from db.tables import interaction_reporting_contracts as table
from handlers.contracts import publications, shared_reading
from handlers.contracts.publications import (
    MEDIA_TYPES,
    Publication,
    Publications,
    card,
    changelog_until,
    summary,
)
from openapi.contract import Contract, ContractError
from openapi.problems import Problem
from openapi.rendering.card import card as card_of
from tests.service import CONTRACTS

SERVED = CONTRACTS["1.1"]


def change(database: Database, version: str, **values: str) -> None:
    """Give columns of the row of `version` other values, as SQL expressions."""
    with database.begin() as connection:
        changed = update(table).where(table.c.contract_version == version)
        connection.execute(changed.values({name: text(value) for name, value in values.items()}))


def row(connection: Connection, document: str, version: str = "1.7") -> contracts.ContractRow:
    """A new row with the status draft."""
    contracts.publish(connection, version, document, "0" * 64)
    return contracts.get(connection, version)


def read_twice(database: Database, **values: str) -> list[Mapping[str, Publication]]:
    """The published contracts before and after the row of 1.0 was changed."""

    async def read() -> list[Mapping[str, Publication]]:
        publications = Publications()
        before = await publications.read(database)
        change(database, "1.0", **values)
        return [before, await publications.read(database)]

    return asyncio.run(read())


def test_publications_are_listed_in_the_order_of_versions(database: Database) -> None:
    """Each version with its status, the digest of the row's current document, and its instants."""
    change(database, "1.0", document="replace(document, 'Report one', 'Report an')")
    published = asyncio.run(Publications().read(database))
    assert list(published) == ["1.0", "1.1", "2.0"]
    entry = summary(published["1.0"])
    edited = Contract.read(CONTRACTS["1.0"].text.replace("Report one", "Report an"))
    assert (entry["version"], entry["status"], entry["digest"]) == ("1.0", "superseded", edited.digest)
    assert entry["published_at"].endswith("Z")
    assert "fault" not in entry


def test_each_section_of_a_changelog_is_made_once(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """For any number of versions and readers."""
    sections: list[str] = []

    def section(old: Contract, new: Contract) -> str:
        sections.append(f"{old.version} to {new.version}")
        return sections[-1]

    monkeypatch.setattr(publications, "section", section)
    with database.begin() as connection:
        contracts.publish(connection, "1.2", SERVED.text.replace('"1.1"', '"1.2"', 1), "0" * 64)
        contracts.activate(connection, "1.2")
    published = asyncio.run(Publications().read(database))
    for version in ("1.2", "1.1", "1.2"):
        changelog = changelog_until(published[version], published).content.decode()
    assert sections == ["1.0 to 1.1", "1.1 to 1.2"]
    assert changelog.index(sections[1]) < changelog.index(sections[0])


def test_no_activation_changes_the_changelog_of_another_version(database: Database) -> None:
    """1.4 became public before 1.2, so it is not compared with 1.2, which is withdrawn later."""

    def headings(version: str | None) -> list[str]:
        with database.begin() as connection:
            text = publications.changelog(connection, version)
        return [line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")]

    def publish(version: str) -> None:
        with database.begin() as connection:
            document = SERVED.text.replace('"1.1"', f'"{version}"', 1)
            contracts.publish(connection, version, document, "0" * 64)

    def activate(version: str) -> None:
        with database.begin() as connection:
            contracts.activate(connection, version)

    for version in ("1.2", "1.4"):
        publish(version)
    activate("1.4")
    line = ["1.1: minor change from 1.0", "1.0"]
    before = {version: headings(version) for version in ("1.4", "1.1", "2.0")}
    assert before["1.4"] == ["1.4: no change from 1.1", *line]
    activate("1.2")
    assert {version: headings(version) for version in before} == before
    published = asyncio.run(Publications().read(database))
    assert changelog_until(published["1.4"], published).content.decode().count("## ") == len(before["1.4"])
    publish("1.3")
    assert headings("1.3") == ["1.3: no change from 1.2", "1.2: no change from 1.1", *line]
    with database.begin() as connection:
        contracts.activate(connection, "1.1")
        contracts.withdraw(connection, "1.2")
    assert headings("1.3") == ["1.3: no change from 1.1", *line]
    assert headings("1.2") == ["1.2: no change from 1.1", *line]
    publish("1.5")
    assert headings("1.5") == ["1.5: no change from 1.4", "1.4: no change from 1.1", *line]
    whole = ["2.0: major change from 1.1", "1.4: no change from 1.1", *line]
    assert headings(None) == whole


def test_a_row_that_cannot_be_compared_does_not_break_other_changelogs(database: Database) -> None:
    """A row with a contract that is no OpenAPI document; command and page print the same."""
    change(database, "1.0", document='\'{"info": {"version": "1.0"}, "paths": 7}\'')
    published = asyncio.run(Publications().read(database))
    changelog = changelog_until(published["1.1"], published).content.decode()
    assert "It cannot be compared with 1.0: " in changelog
    with database.begin() as connection:
        assert publications.changelog(connection, "1.1") == changelog


def test_a_draft_is_not_published(database: Database) -> None:
    """No list contains it."""
    change(database, "1.0", status="'draft'")
    assert list(asyncio.run(Publications().read(database))) == ["1.1", "2.0"]


def test_requests_share_one_reading(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as it is fresh it is reused, whatever changes in the rows."""
    monkeypatch.setattr(shared_reading, "MAX_AGE_SECONDS", 60)
    before, after = read_twice(database, status="'retired'")
    assert after is before


def test_an_unchanged_row_keeps_its_publication(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new reading builds only the publications of changed rows."""
    monkeypatch.setattr(shared_reading, "MAX_AGE_SECONDS", -1)
    before, after = read_twice(database, status="'retired'")
    assert after["1.1"] is before["1.1"]
    assert after["1.0"].row.status == "retired"


def test_many_requests_at_once_cost_one_reading(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request during a reading waits for its rows; one that is cancelled leaves them to the others."""
    monkeypatch.setattr(shared_reading, "MAX_AGE_SECONDS", -1)

    async def ask() -> set[int]:
        publications = Publications()
        requests = [asyncio.create_task(publications.read(database)) for _ in range(20)]
        await asyncio.sleep(0)
        requests.pop(0).cancel()
        return {id(published) for published in await asyncio.gather(*requests)}

    assert len(asyncio.run(ask())) == 1


def test_without_a_database_nothing_is_read() -> None:
    """The error is that of the database layer."""
    with closing(Database("postgresql://nobody@/none?host=/nowhere")) as unreachable, pytest.raises(Unavailable):
        asyncio.run(Publications().read(unreachable))


@pytest.mark.parametrize("media_type", MEDIA_TYPES)
def test_a_representation_is_made_once(database: Database, media_type: str) -> None:
    """The same object is returned again, and its tag differs from all others."""
    with database.begin() as connection:
        publication = Publication(contracts.get(connection, "1.1"))
    representation = publication.representation(media_type)
    assert representation is publication.representation(media_type)
    assert representation.media_type == media_type
    assert [publication.representation(other).etag for other in MEDIA_TYPES].count(representation.etag) == 1


@pytest.mark.parametrize(
    "document",
    ["a: [", "a: b", 'info: {version: "1.8"}', 'info: {version: "1.7"}\npaths: 7\n'],
    ids=["no YAML", "no contract", "another version", "no OpenAPI"],
)
def test_a_row_without_a_contract_has_no_card(database: Database, document: str) -> None:
    """A client gets a Problem, the log the reason, and a command a ContractError."""
    with database.begin() as connection:
        publication = Publication(row(connection, document))
        with pytest.raises(ContractError, match=r"1\.7"):
            card(connection, "1.7")
    for _ in range(2):
        with pytest.raises(Problem) as raised:
            publication.representation("text/markdown")
        assert (raised.value.code, bool(raised.value.reason)) == ("contract_unreadable", True)


def test_a_list_names_a_row_that_cannot_be_read(database: Database) -> None:
    """It has a fault in place of a digest."""
    with database.begin() as connection:
        entry = summary(Publication(row(connection, "a: [")))
    assert (entry["digest"], entry["fault"]) == (None, "the document of this contract cannot be read")
    assert json.dumps(entry)


def test_the_logged_fault_of_a_broken_row_is_bounded(database: Database) -> None:
    """A row may hold megabytes, but its fault is short."""
    with database.begin() as connection:
        publication = Publication(row(connection, f"info: {{version: '1.7'}}\na: {{$ref: {'x' * 10_000}}}"))
    assert publication.fault
    assert len(publication.fault) <= 300


def test_a_card_is_made_from_the_row(database: Database) -> None:
    """Of a draft too, with the row's content; the error for a missing row names it."""
    change(database, "1.1", status="'draft'", document="replace(document, 'Interaction Reporting API', 'Another name')")
    with database.begin() as connection:
        text = card(connection, "1.1")
        row = contracts.get(connection, "1.1")
        with pytest.raises(NotFound, match=r"9\.9"):
            card(connection, "9.9")
    edited = Contract.read(SERVED.text.replace("Interaction Reporting API", "Another name"))
    instants = {"published_at": row.published_at, "activated_at": row.activated_at}
    assert text == card_of(edited, "draft", instants)
    assert text.startswith("# Another name\n")
