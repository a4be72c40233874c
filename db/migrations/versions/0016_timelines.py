"""Timelines: after a restore, a copy or a promotion, positions are beyond all that were given out before."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
KIND = "expand"

# See db.timelines. During the jump the tables are locked, so that no open transaction holds a position from before it:
# a lock of `hold_position` has 31 bits of a position, and beyond the jump a reader would take it for another one.
FUNCTION = """
CREATE FUNCTION note_timeline() RETURNS timelines LANGUAGE plpgsql SET lock_timeout = '250ms' AS $$
DECLARE
    newest timelines;
    here timelines;
BEGIN
    SELECT * INTO newest FROM timelines ORDER BY epoch DESC LIMIT 1;
    SELECT s.system_identifier, ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::bigint,
        d.oid, 'positions'::regclass::oid
    INTO here.system_identifier, here.timeline_id, here.database_oid, here.positions_oid
    FROM pg_control_system() s, pg_database d WHERE d.datname = current_database();
    IF (newest.system_identifier, newest.timeline_id, newest.database_oid, newest.positions_oid)
        = (here.system_identifier, here.timeline_id, here.database_oid, here.positions_oid) THEN
        RETURN newest;
    END IF;
    LOCK TABLE ONLY interaction_events, ONLY annotations, ONLY rejected_submissions IN SHARE ROW EXCLUSIVE MODE;
    SELECT * INTO newest FROM timelines ORDER BY epoch DESC LIMIT 1;  -- another worker may have been faster
    IF (newest.system_identifier, newest.timeline_id, newest.database_oid, newest.positions_oid)
        = (here.system_identifier, here.timeline_id, here.database_oid, here.positions_oid) THEN
        RETURN newest;
    END IF;
    here.epoch := 1;
    here.detected_at := clock_timestamp();
    SELECT CASE WHEN is_called THEN last_value ELSE 0 END INTO here.last_position FROM positions;
    IF newest.epoch IS NOT NULL THEN
        here.epoch := greatest(newest.epoch + 1, floor(extract(epoch FROM here.detected_at))::bigint);
        here.restored_to := greatest(
            (SELECT received_at FROM interaction_events ORDER BY id DESC LIMIT 1),
            (SELECT received_at FROM annotations ORDER BY id DESC LIMIT 1)
        );
        PERFORM setval('positions', greatest(here.last_position + (1::bigint << 40), here.epoch << 28));
    END IF;
    INSERT INTO timelines SELECT here.*;
    RETURN here;
EXCEPTION
    WHEN insufficient_privilege OR feature_not_supported OR undefined_function OR object_not_in_prerequisite_state
        OR read_only_sql_transaction OR lock_not_available THEN
    newest.system_identifier := NULL;
    RETURN newest;
END $$;
"""


def upgrade() -> None:
    op.create_table(
        "timelines",
        sa.Column("epoch", sa.BigInteger, primary_key=True, autoincrement=False, comment="1, then seconds since 1970"),
        sa.Column("system_identifier", sa.BigInteger, nullable=False),
        sa.Column("timeline_id", sa.BigInteger, nullable=False, comment="Of the write-ahead log"),
        sa.Column("database_oid", sa.BigInteger, nullable=False),
        sa.Column("positions_oid", sa.BigInteger, nullable=False, comment="Of the sequence, which a dump makes anew"),
        sa.Column("detected_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("restored_to", sa.DateTime(timezone=True), comment="When the newest row was received that survived"),
        sa.Column("last_position", sa.BigInteger, nullable=False, comment="The one before the jump"),
        comment="Each beginning of the database: where it was created, then each restore, copy and promotion",
    )
    op.execute(FUNCTION)


def downgrade() -> None:
    op.execute("DROP FUNCTION note_timeline")
    op.drop_table("timelines")
