"""The days that the events of a type are kept, and how far the older ones are deleted."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
KIND = "expand"


def upgrade() -> None:
    op.add_column(
        "event_type_registry",
        sa.Column("keep_days", sa.Integer, comment="Days that its events are kept; NULL: as long as all others"),
    )
    op.create_check_constraint("keep_days", "event_type_registry", "keep_days BETWEEN 1 AND 36500")
    op.create_table(
        "event_type_deletions",
        sa.Column("event_type", sa.Text, primary_key=True),
        sa.Column(
            "done_until", sa.DateTime(timezone=True), nullable=False, comment="Its events from before were looked at"
        ),
        comment="How far the events of a type that are too old were deleted: the next time goes on from there",
    )


def downgrade() -> None:
    op.drop_table("event_type_deletions")
    op.drop_constraint("event_type_registry_keep_days_check", "event_type_registry")
    op.drop_column("event_type_registry", "keep_days")
