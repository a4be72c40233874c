"""The accounts of the pages for people: minutes, latencies, types by hour, hubs, and the event types of rejections."""

import sqlalchemy as sa
from alembic import op

from db import migration_steps

revision = "0024"
down_revision = "0023"
KIND = "expand"


def upgrade() -> None:
    # First what is outside a transaction: after an interruption each statement finds whether it is done.
    migration_steps.create_index("usage_kind_reason_hour", "usage", "kind, reason, hour")
    op.execute("ALTER TABLE rejected_submissions ADD COLUMN IF NOT EXISTS event_type text")
    op.execute(
        "COMMENT ON COLUMN rejected_submissions.event_type IS "
        "'As it was sent, cut; NULL: it had none, or was rejected before this column'"
    )
    migration_steps.create_index(
        "rejected_submissions_event_type_hub_id",
        "rejected_submissions",
        "event_type, hub_id",
        where="event_type IS NOT NULL AND replayed_at IS NULL",
    )
    _create_tables()


def _create_tables() -> None:
    op.create_table(
        "usage_minutes",
        sa.Column("minute", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("major", sa.Integer, primary_key=True, comment="Of the contract that the requests were sent to"),
        sa.Column("kind", sa.Text, primary_key=True, comment="event or annotation; request: any request"),
        sa.Column("outcome", sa.Text, primary_key=True, comment="As in usage; of requests only throttled"),
        sa.Column("count", sa.BigInteger, nullable=False),
        comment="Submissions of all hubs in the last two days",
    )
    op.create_table(
        "latency_minutes",
        sa.Column("minute", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("major", sa.Integer, primary_key=True, comment="Of the contract that the requests were sent to"),
        sa.Column("bucket", sa.Double, primary_key=True, comment="Its upper bound, in seconds; the last is Infinity"),
        sa.Column("count", sa.BigInteger, nullable=False),
        comment="Durations of requests in the last two days",
    )
    hub_totals = op.create_table(
        "hub_totals",
        sa.Column("hub_id", sa.Uuid, primary_key=True),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False, comment="Its last authenticated request"),
    )
    requests = sa.table("hub_requests", sa.column("hub_id"), sa.column("last_seen_at"))
    seen_at = sa.func.least(sa.func.max(requests.c.last_seen_at), sa.func.now())
    seen = sa.select(requests.c.hub_id, seen_at).group_by(requests.c.hub_id)
    op.execute(sa.insert(hub_totals).from_select(["hub_id", "last_seen_at"], seen))
    op.create_table(
        "type_usage",
        sa.Column("event_type", sa.Text, primary_key=True),
        sa.Column("hour", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("outcome", sa.Text, primary_key=True, comment="created or duplicate"),
        sa.Column("count", sa.BigInteger, nullable=False),
        comment="Stored events of all hubs, since this table; usage has those of each hub",
    )


def downgrade() -> None:
    for table in ("type_usage", "hub_totals", "latency_minutes", "usage_minutes"):
        op.drop_table(table)
    op.drop_index("rejected_submissions_event_type_hub_id", "rejected_submissions")
    op.drop_column("rejected_submissions", "event_type")
    op.drop_index("usage_kind_reason_hour", "usage")
