"""What pages read of many rows: sums of usage by hub, and the ids of rejections that wait for a replay.

Without the ids in the indexes the planner took the index of all positions, and read past every rejection that had been
replayed. The sums of the last days are those of usage; a worker of an earlier release adds none.
"""

import sqlalchemy as sa
from alembic import op

from db import migration_steps

revision = "0029"
down_revision = "0028"
KIND = "expand"

INDEXES = {
    "rejected_submissions_code_position_id": "code, position, hub_id, kind, received_at, id",
    "rejected_submissions_waiting_position_id": "position, kind, id",
}


def upgrade() -> None:
    # First what is outside a transaction: after an interruption each statement finds whether it is done.
    for name, columns in INDEXES.items():
        migration_steps.create_index(name, "rejected_submissions", columns, where="replayed_at IS NULL")
    op.create_table(
        "hub_outcomes",
        sa.Column("hub_id", sa.Uuid, primary_key=True),
        sa.Column("hour", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("outcome", sa.Text, primary_key=True, comment="As in usage"),
        sa.Column("count", sa.BigInteger, nullable=False),
        comment="The sums of usage over kinds and reasons: few rows, however many types a hub sends",
    )
    op.execute(
        "INSERT INTO hub_outcomes SELECT hub_id, hour, outcome, sum(count) FROM usage "
        "WHERE hour >= now() - interval '8 days' GROUP BY 1, 2, 3"
    )


def downgrade() -> None:
    op.drop_table("hub_outcomes")
    for name in INDEXES:
        op.drop_index(name, "rejected_submissions")
