"""Hubs and their keys."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, func, insert, select, update

from db import hubs, keys, tables
from db.engine import Database
from db.errors import Failed, NotFound, Refused


def test_a_new_hub_is_known_by_its_key(connection: Connection) -> None:
    """The issued key leads to the new hub."""
    hub, key = hubs.create(connection, "alpha")
    assert hubs.of_key(connection, key) == hub
    assert (hub.name, hub.rotated_at, hub.disabled_at) == ("alpha", None, None)
    assert hub.id.version == 7
    assert hub.created_at.utcoffset() == timedelta(0)


def test_the_digest_is_kept_and_the_key_is_not(connection: Connection) -> None:
    """The row has the SHA-256 of the key, and the key nowhere."""
    _, key = hubs.create(connection, "alpha")
    row = connection.execute(select(tables.hubs)).one()
    assert key.removeprefix("irk_") not in str(row)
    assert row.api_key == keys.digest(key)


def test_a_name_is_taken_once(connection: Connection) -> None:
    """A second hub with the name is refused, and the first keeps its key."""
    hub, key = hubs.create(connection, "alpha")
    with pytest.raises(Refused) as raised:
        hubs.create(connection, "alpha")
    assert str(raised.value) == "a hub named 'alpha' already exists"
    assert hubs.of_key(connection, key) == hub
    assert hubs.list_all(connection) == [hub]


def test_an_unknown_key_leads_to_no_hub(connection: Connection) -> None:
    """Neither a made-up key nor the digest of one that exists."""
    _, key = hubs.create(connection, "alpha")
    assert hubs.of_key(connection, keys.new()) is None
    assert hubs.of_key(connection, keys.digest(key)) is None


def test_a_rotated_key_replaces_the_old_one(connection: Connection) -> None:
    """The new key leads to the same hub, with rotated_at; the old key leads nowhere; other hubs keep theirs."""
    hub, old = hubs.create(connection, "alpha")
    other, others_key = hubs.create(connection, "beta")
    rotated, new = hubs.rotate_key(connection, "alpha")
    assert (rotated.id, rotated.name) == (hub.id, "alpha")
    assert rotated.rotated_at is not None
    assert hubs.of_key(connection, new) == rotated
    assert hubs.of_key(connection, old) is None
    assert hubs.of_key(connection, others_key) == other


def test_a_rotated_key_overlaps_with_the_one_before(connection: Connection) -> None:
    """For the overlap that the caller passes; a second rotation drops the oldest key, and its overlap is its own."""
    _, first = hubs.create(connection, "alpha")
    rotated, second = hubs.rotate_key(connection, "alpha", timedelta(hours=2))
    assert rotated.rotated_at is not None
    assert rotated.previous_key_until == rotated.rotated_at + timedelta(hours=2)
    assert hubs.of_key(connection, first) == hubs.of_key(connection, second) == rotated
    _, third = hubs.rotate_key(connection, "alpha", timedelta(hours=1))
    assert [known(connection, key) for key in (first, second, third)] == [None, "alpha", "alpha"]
    last, fourth = hubs.rotate_key(connection, "alpha")
    assert [known(connection, key) for key in (first, second, third, fourth)] == [None, None, None, "alpha"]
    assert last.previous_key_until is None


def test_an_overlap_that_has_ended_is_not_shown(connection: Connection) -> None:
    """The key before is refused from that instant on, and the hub is listed without it."""
    _, first = hubs.create(connection, "alpha")
    _, second = hubs.rotate_key(connection, "alpha", timedelta(hours=2))
    connection.execute(update(tables.hubs).values(previous_key_until=func.now()))
    assert [known(connection, key) for key in (first, second)] == [None, "alpha"]
    assert hubs.get(connection, "alpha").previous_key_until is None


def test_no_previous_key_is_shown_while_the_hub_is_refused(connection: Connection) -> None:
    """A disabled hub and one that is cut over have no accepted key; after the return the overlap is shown again."""
    _, first = hubs.create(connection, "alpha")
    rotated, second = hubs.rotate_key(connection, "alpha", timedelta(hours=2))
    assert hubs.disable(connection, "alpha").previous_key_until is None
    assert [known(connection, key) for key in (first, second)] == [None, None]
    assert hubs.enable(connection, "alpha") == rotated
    assert hubs.cut_over(connection, "alpha", None).previous_key_until is None
    assert hubs.restore_key(connection, "alpha") == rotated
    assert [known(connection, key) for key in (first, second)] == ["alpha", "alpha"]


def known(connection: Connection, key: str) -> str | None:
    """The name of the hub that `key` belongs to, if it is accepted."""
    hub = hubs.of_key(connection, key)
    return hub.name if hub else None


def test_a_disabled_hub_is_not_known_by_its_key(connection: Connection) -> None:
    """Its key leads nowhere; other hubs keep theirs."""
    _, key = hubs.create(connection, "alpha")
    other, others_key = hubs.create(connection, "beta")
    assert hubs.disable(connection, "alpha").disabled_at is not None
    assert hubs.of_key(connection, key) is None
    assert hubs.of_key(connection, others_key) == other


def test_a_hub_stays_disabled_since_the_first_time(connection: Connection) -> None:
    """Disabling it again does not move the instant."""
    hubs.create(connection, "alpha")
    first = datetime(2026, 3, 31, 12, tzinfo=UTC)
    connection.execute(update(tables.hubs).values(disabled_at=first))
    assert hubs.disable(connection, "alpha").disabled_at == first


def test_a_disabled_hub_stays_disabled_with_a_new_key(connection: Connection) -> None:
    """A new key is not accepted before the hub is enabled again; then it is, and the old one is not."""
    _, old = hubs.create(connection, "alpha")
    hubs.disable(connection, "alpha")
    _, new = hubs.rotate_key(connection, "alpha")
    assert hubs.of_key(connection, new) is None
    assert hubs.enable(connection, "alpha").disabled_at is None
    assert hubs.of_key(connection, new) is not None
    assert hubs.of_key(connection, old) is None


def test_a_hub_is_cut_over_since_the_first_time_until_it_is_back(connection: Connection) -> None:
    """Repeating it does not move the instant, and only a new reason replaces the old; other hubs are not cut over."""
    before, key = hubs.create(connection, "alpha")
    other, _ = hubs.create(connection, "beta")
    first = datetime(2026, 3, 31, 12, tzinfo=UTC)
    cut = hubs.cut_over(connection, "alpha", "It is ready.")
    connection.execute(update(tables.hubs).where(tables.hubs.c.name == "alpha").values(cut_over_at=first))
    again = hubs.cut_over(connection, "alpha", None)
    assert (again.cut_over_at, again.cut_over_why) == (first, cut.cut_over_why) == (first, "It is ready.")
    assert hubs.cut_over(connection, "alpha", "Again.").cut_over_why == "Again."
    assert hubs.of_key(connection, key) == hubs.get(connection, "alpha")
    assert hubs.restore_key(connection, "alpha") == before
    assert hubs.list_all(connection) == [before, other]


@pytest.mark.parametrize(
    "change", [hubs.rotate_key, hubs.enable, hubs.restore_key, hubs.get], ids=["rotate_key", "enable", "back", "get"]
)
def test_a_change_names_a_missing_hub(connection: Connection, change: Callable[[Connection, str], object]) -> None:
    """NotFound has its name."""
    with pytest.raises(NotFound, match="there is no hub named 'missing'"):
        change(connection, "missing")


def test_disabling_names_a_missing_hub(connection: Connection) -> None:
    """NotFound has its name."""
    with pytest.raises(NotFound) as raised:
        hubs.disable(connection, "missing")
    assert str(raised.value) == "there is no hub named 'missing'"


def test_hubs_are_listed_oldest_first(connection: Connection) -> None:
    """The order is that of creation, not that of names."""
    created = [hubs.create(connection, name)[0] for name in ("gamma", "alpha", "beta")]
    assert hubs.list_all(connection) == created


@pytest.mark.parametrize("kept", ["irk_a-key-as-it-is", "A" * 64, "a" * 63], ids=["key", "upper case", "too short"])
def test_the_table_takes_nothing_but_digests(migrated: Database, kept: str) -> None:
    """The database itself refuses anything else as a key."""
    row = insert(tables.hubs).values(id=func.gen_random_uuid(), name="by hand")
    for values in ({"api_key": kept}, {"api_key": "0" * 64, "previous_key": kept}):
        with pytest.raises(Failed, match="CheckViolation"), migrated.begin() as connection:
            connection.execute(row.values(values))
