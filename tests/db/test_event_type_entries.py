"""The registry as operators see it: pages, what waits, and what was rejected; each reads few blocks."""

from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import Connection, insert

from db import event_type_entries, event_type_traffic, event_types, hubs
from db.engine import Database
from db.errors import NotFound, Refused
from db.event_type_entries import Asked
from db.tables import event_type_registry as registry
from tests.db.read_blocks import vacuum
from tests.db.test_event_type_pages import blocks
from tests.postgresql import fresh_database

SCHEMA = {"type": "object", "minProperties": 1}
MANY = """
    INSERT INTO hubs (id, name, api_key)
    SELECT md5('hub' || n)::uuid, 'hub ' || n, md5(n::text) || md5(n::text) FROM generate_series(1, 1000) AS n;
    INSERT INTO event_type_registry (name, description, status, version, hub_id, proposal)
    SELECT 'acme.area_' || md5(n::text), repeat(md5(n::text), 20),
        CASE WHEN n % 1000 = 0 THEN 'deprecated' WHEN n % 10 = 1 THEN 'pending' ELSE 'active' END, n,
        CASE WHEN n % 2 = 0 THEN md5('hub' || n % 1000 + 1)::uuid END, CASE WHEN n % 500 = 2 THEN '{}'::jsonb END
    FROM generate_series(1, 10000) AS n;
    INSERT INTO rejected_submissions (id, hub_id, kind, code, error, raw, contract_version, event_type, position)
    SELECT gen_random_uuid(), md5('hub' || n % 1000 + 1)::uuid, 'event', 'event_type_not_registered', 'x',
        convert_to(repeat('x', 300), 'UTF8'), '1.1', CASE WHEN n % 2 = 0 THEN 'wrong' ELSE md5(n::text) END, n
    FROM generate_series(1, 100000) AS n
"""
HUB_2 = "hub 2"


@pytest.fixture(scope="module")
def many(any_server: str, partitioned: str) -> Iterator[Database]:
    """10,000 types of 1,000 hubs and the framework, and 100,000 rejections, which were not vacuumed."""
    with fresh_database(any_server, "many_entries", partitioned) as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(MANY)
            vacuum(connection, "event_type_registry", "hubs")
            connection.execute("ANALYZE rejected_submissions")
        with closing(Database(url)) as database:
            yield database


@pytest.mark.slow
@pytest.mark.parametrize(
    "asked",
    [
        Asked(),
        Asked(part="nothing"),
        Asked(part="a", hub=HUB_2),
        Asked(status="pending"),
        Asked(status="deprecated", hub=HUB_2),
        Asked(status="deprecated", only_framework=True),
        Asked(only_framework=True),
        Asked(only_waiting=True),
        Asked(only_waiting=True, hub=HUB_2),
        Asked(only_waiting=True, only_framework=True, part="nothing"),
    ],
    ids=str,
)
def test_a_page_of_many_reads_few_blocks(many: Database, asked: Asked) -> None:
    """Whatever it is limited to."""
    with many.begin() as connection:
        for after in ("", "acme.area_8"):
            assert blocks(connection, partial(event_type_entries.page, connection, asked, after, 50)) <= 2000


def _of_name(connection: Connection) -> None:
    event_type_traffic.rejected_by_hub(connection, "wrong")


def _counts(connection: Connection) -> None:
    event_type_traffic.rejected_with(connection, ["wrong", "acme.area", "x"])


def _waiting(connection: Connection) -> None:
    event_type_entries.waiting(connection, 11)


@pytest.mark.slow
@pytest.mark.parametrize("read", [_of_name, _counts, _waiting])
def test_what_was_rejected_is_counted_in_few_blocks(many: Database, read: Callable[[Connection], None]) -> None:
    """Up to a bound: a hub can send a name as often as it likes."""
    with many.begin() as connection:
        assert blocks(connection, partial(read, connection)) <= 2000


@pytest.mark.slow
def test_counts_end_at_a_bound(many: Database) -> None:
    """Both."""
    with many.begin() as connection:
        bound = event_type_traffic.MOST_COUNTED
        assert event_type_traffic.rejected_with(connection, ["wrong", "right"]) == {"wrong": bound, "right": 0}
        assert sum(each.count for each in event_type_traffic.rejected_by_hub(connection, "wrong")) == bound


def put(connection: Connection, name: str, **values: Any) -> None:
    """Add an entry."""
    connection.execute(insert(registry).values({"name": name, **values}))


def test_an_entry_has_its_hub(connection: Connection) -> None:
    """Also one that waits; an unknown name has none."""
    hub, _ = hubs.create(connection, "acme")
    put(connection, "asked", status="pending", hub_id=hub.id, metadata_schema=SCHEMA)
    entry = event_type_entries.get(connection, "asked")
    assert entry is not None
    assert (entry.hub, entry.metadata_schema, entry.is_pending, entry.waits) == ("acme", SCHEMA, True, True)
    assert event_type_entries.get(connection, "nothing") is None


def test_what_waits_is_listed_by_name(connection: Connection) -> None:
    """Pending types that their hub still lists, and proposals."""
    put(connection, "c", status="pending")
    put(connection, "left", status="pending", left_out=True)
    put(connection, "a", status="active", proposal={"version": 2})
    put(connection, "b", status="deprecated")
    assert [entry.name for entry in event_type_entries.waiting(connection, 9)] == ["a", "c"]
    assert [entry.name for entry in event_type_entries.waiting(connection, 1)] == ["a"]


def test_a_refusal_discards_what_waits(connection: Connection) -> None:
    """A pending type is deprecated, as an operator does it; an approved one stays as it is."""
    put(connection, "asked", status="pending")
    put(connection, "changed", status="active", proposal={"version": 2}, version=1)
    put(connection, "ended", status="deprecated", left_out=True, proposal={"version": 2})
    assert event_types.refuse(connection, "asked").status == "deprecated"
    for name, status in (("changed", "active"), ("ended", "deprecated")):
        refused = event_types.refuse(connection, name)
        assert (refused.status, refused.proposal, refused.version) == (status, None, 1)
        with pytest.raises(Refused, match="nothing that waits"):
            event_types.refuse(connection, name)
    with pytest.raises(NotFound):
        event_types.refuse(connection, "nothing")
    put(connection, "left", status="pending", left_out=True)
    with pytest.raises(Refused, match="nothing that waits"):
        event_types.refuse(connection, "left")


def test_a_proposal_waits_until_it_is_approved(connection: Connection) -> None:
    """Then it is in force."""
    event_types.register(connection, "rated", "Rated.")
    entry = event_types.propose(connection, "rated", "Rated again.", 2, SCHEMA)
    assert (entry.description, entry.version) == ("Rated.", 1)
    assert entry.proposal == {"description": "Rated again.", "version": 2, "metadata_schema": SCHEMA}
    approved = event_types.approve(connection, "rated")
    assert (approved.description, approved.version, approved.proposal) == ("Rated again.", 2, None)
    stored = event_type_entries.get(connection, "rated")
    assert stored is not None
    assert stored.metadata_schema == SCHEMA


def test_proposals_that_are_refused(connection: Connection) -> None:
    """Of a hub's type, of one that is not active, of a lower version, of what is in force or waits; True is not 1."""
    put(connection, "own", status="active", hub_id=UUID(int=1))
    put(connection, "ended", status="deprecated")
    put(connection, "rated", status="active", version=3, metadata_schema={"type": "object", "const": {"a": 1}})
    for name, words in {"own": "belongs to a hub", "ended": "not active"}.items():
        with pytest.raises(Refused, match=words):
            event_types.propose(connection, name, "x", 9, None)
    with pytest.raises(Refused, match="has version 3"):
        event_types.propose(connection, "rated", "x", 2, None)
    with pytest.raises(Refused, match="like this already"):
        event_types.propose(connection, "rated", "", 3, {"const": {"a": 1}, "type": "object"})
    other = {"type": "object", "const": {"a": True}}
    event_types.propose(connection, "rated", "", 3, other)
    with pytest.raises(Refused, match="like this already"):
        event_types.propose(connection, "rated", "", 3, other)
    with pytest.raises(NotFound):
        event_types.propose(connection, "nothing", "", 3, None)
