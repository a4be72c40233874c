"""Replays of rejected submissions as jobs, and the order in which pages show rejected submissions."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from db import migration_steps

revision = "0027"
down_revision = "0026"
KIND = "expand"

INDEXES = {
    "rejected_submissions_code_position": ("code, position, hub_id, kind, received_at", "replayed_at IS NULL"),
    "rejected_submissions_waiting_hub_position": ("hub_id, position, kind", "replayed_at IS NULL"),
    "rejected_submissions_waiting_position": ("position, kind", "replayed_at IS NULL"),
    "rejected_submissions_event_type_position": (
        "event_type, position, hub_id, code, kind",
        "event_type IS NOT NULL AND replayed_at IS NULL",
    ),
    "rejected_submissions_replayed_position": ("position, hub_id, code, kind, event_type", "replayed_at IS NOT NULL"),
}
"""The columns and the condition of each index."""


def upgrade() -> None:
    for name, (columns, where) in INDEXES.items():
        migration_steps.create_index(name, "rejected_submissions", columns, where=where)
    instant = sa.DateTime(timezone=True)
    count = sa.text("0")
    op.create_table(
        "replays",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("created_by", sa.Text, nullable=False, comment="admin:NAME or cli:LOGIN"),
        sa.Column("why", sa.Text),
        sa.Column("filter", JSONB, nullable=False, comment="What is replayed: values by column, or ids"),
        sa.Column("state", sa.Text, nullable=False, server_default="waiting"),
        sa.Column("fault", sa.Text, comment="Why it failed"),
        sa.Column("total", sa.BigInteger, nullable=False, comment="Rejections that waited when it was created"),
        sa.Column("stored", sa.BigInteger, nullable=False, server_default=count),
        sa.Column("rejected", sa.BigInteger, nullable=False, server_default=count, comment="Tried, and rejected again"),
        sa.Column(
            "skipped",
            sa.BigInteger,
            nullable=False,
            server_default=count,
            comment="Not tried: the hub is disabled, the version is not served, or the rejection no longer waits",
        ),
        sa.Column("position", sa.BigInteger, nullable=False, server_default=count, comment="The last one looked at"),
        sa.Column("last_position", sa.BigInteger, nullable=False, comment="Later rejections are not replayed"),
        sa.Column("worker", sa.Uuid, comment="The worker that works on it; NULL: any may take it"),
        sa.Column("created_at", instant, nullable=False, server_default=sa.func.now()),
        sa.Column("started_at", instant),
        sa.Column("heartbeat_at", instant, comment="When the worker was last seen"),
        sa.Column("finished_at", instant),
        sa.CheckConstraint("state IN ('waiting', 'running', 'finished', 'cancelled', 'failed')", name="state"),
        sa.CheckConstraint(
            "(finished_at IS NULL) = (state IN ('waiting', 'running'))", name="finished_at_is_of_an_end"
        ),
        sa.Index("replays_created_at", "created_at"),
        sa.Index("replays_unfinished", "created_at", postgresql_where=sa.text("finished_at IS NULL")),
        comment="Replays of rejected submissions that operators have begun: a worker does one after the other",
    )


def downgrade() -> None:
    op.drop_table("replays")
    for name in INDEXES:
        op.drop_index(name, "rejected_submissions")
