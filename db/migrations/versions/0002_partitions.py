"""Events in partitions of a week each, without foreign keys. `db.partitions` creates those of the coming weeks."""

from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
KIND = "before"

WEEK = 7 * 24 * 3600 * 1000  # milliseconds
MONDAY = -3 * 24 * 3600 * 1000  # since 1970-01-01, a Thursday and the epoch of UUID version 7
FOREIGN_KEYS = (("hub_id", "hubs", "id"), ("widget_id", "widgets", "id"), ("event_type", "event_type_registry", "name"))

WEEKS_WITH_EVENTS = sa.text("""
    SELECT DISTINCT (('x' || substr(replace(id::text, '-', ''), 1, 12))::bit(48)::bigint - :monday) / :week
    FROM interaction_events_before
""")


def upgrade() -> None:
    # Three foreign keys cost each event more than the insert itself. The rows that events refer to are not deleted, so
    # that no reference can dangle; a later migration makes the database enforce that.
    _set_aside("interaction_events_hub_id_received_at")
    _create("PARTITION BY RANGE (id)")
    for week in op.get_bind().scalars(WEEKS_WITH_EVENTS, {"monday": MONDAY, "week": WEEK}).all():
        _create_partition(week)
    _bring_back()
    # Ids are in the order of receipt, so that a second column for it would be redundant.
    op.create_index("interaction_events_hub_id_id", "interaction_events", ["hub_id", "id"])


def downgrade() -> None:
    _set_aside("interaction_events_hub_id_id")
    _create()
    _bring_back()
    op.create_index("interaction_events_hub_id_received_at", "interaction_events", ["hub_id", "received_at"])
    for column, table, referred in FOREIGN_KEYS:
        op.create_foreign_key(f"interaction_events_{column}_fkey", "interaction_events", table, [column], [referred])


def _set_aside(index: str) -> None:
    """Rename the table, and free the names of its key and indexes, including `index`."""
    op.execute("SET LOCAL statement_timeout = 0")  # to copy every event may take long
    op.rename_table("interaction_events", "interaction_events_before")
    op.drop_constraint("interaction_events_pkey", "interaction_events_before")
    op.drop_index("interaction_events_widget_id_occurred_at")
    op.drop_index(index)


def _create(partition_by: str = "") -> None:
    op.execute(
        "CREATE TABLE interaction_events (LIKE interaction_events_before INCLUDING DEFAULTS INCLUDING COMMENTS) "
        + partition_by
    )


def _create_partition(week: int) -> None:
    since, until = (max(0, MONDAY + number * WEEK) for number in (week, week + 1))
    name = f"interaction_events_{datetime(1970, 1, 1) + timedelta(milliseconds=since):%Y_%m_%d}"
    bounds = f"FROM ('{UUID(int=since << 80)}') TO ('{UUID(int=until << 80)}')"
    op.execute(f"CREATE TABLE {name} PARTITION OF interaction_events FOR VALUES {bounds}")


def _bring_back() -> None:
    """Copy every event, and create the key and the index that all revisions have."""
    op.execute("INSERT INTO interaction_events SELECT * FROM interaction_events_before")
    op.drop_table("interaction_events_before")
    op.create_primary_key("interaction_events_pkey", "interaction_events", ["id"])
    op.create_index("interaction_events_widget_id_occurred_at", "interaction_events", ["widget_id", "occurred_at"])
