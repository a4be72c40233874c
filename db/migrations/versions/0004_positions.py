"""A position for each event, in an order that readers can follow without missing a row that is committed late."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
KIND = "before"

# While a statement inserts, it holds a shared lock; the second key is the last position that was taken before its own.
# A reader looks at these locks, and reads no further than the lowest: see db.positions.
FUNCTION = """
CREATE FUNCTION hold_position() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(
        1347375955, ((CASE WHEN is_called THEN last_value ELSE 0 END) & 2147483647)::integer
    ) FROM positions;
    RETURN NULL;
END $$;
"""
TRIGGER = """
CREATE TRIGGER hold_position BEFORE INSERT ON {table} FOR EACH STATEMENT EXECUTE FUNCTION hold_position()
"""


def upgrade() -> None:
    op.execute("SET LOCAL statement_timeout = 0")  # to give every event its position may take long
    op.execute("CREATE SEQUENCE positions")
    op.execute(FUNCTION)
    position = sa.Column("position", sa.BigInteger, nullable=False, server_default=sa.text("nextval('positions')"))
    op.add_column("interaction_events", position)
    op.execute(TRIGGER.format(table="interaction_events"))
    op.drop_index("interaction_events_hub_id_id")
    op.create_index("interaction_events_hub_id_position", "interaction_events", ["hub_id", "position"])


def downgrade() -> None:
    op.execute("SET LOCAL statement_timeout = 0")
    op.drop_index("interaction_events_hub_id_position")
    op.create_index("interaction_events_hub_id_id", "interaction_events", ["hub_id", "id"])
    op.execute("DROP TRIGGER hold_position ON interaction_events")
    op.drop_column("interaction_events", "position")
    op.execute("DROP FUNCTION hold_position")
    op.execute("DROP SEQUENCE positions")
