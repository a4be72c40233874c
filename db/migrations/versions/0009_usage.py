"""The usage of each hub, and its rate limit."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
KIND = "before"


def upgrade() -> None:
    op.create_table(
        "usage",
        sa.Column("hub_id", sa.Uuid, primary_key=True),
        sa.Column("hour", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True, comment="event or annotation"),
        sa.Column("outcome", sa.Text, primary_key=True, comment="created, duplicate, rejected or throttled"),
        sa.Column("reason", sa.Text, primary_key=True, comment="The type or category; of a rejection, the code of why"),
        sa.Column("count", sa.BigInteger, nullable=False),
    )
    op.add_column("hubs", sa.Column("rate_limit", sa.Integer, comment="Items a second; NULL: the service's default"))
    op.create_check_constraint("rate_limit", "hubs", "rate_limit > 0")


def downgrade() -> None:
    op.drop_column("hubs", "rate_limit")
    op.drop_table("usage")
