"""The migration of hubs between major versions: the versions that they use, and the hubs that are cut over."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
KIND = "before"


def upgrade() -> None:
    op.create_table(
        "hub_requests",
        sa.Column("hub_id", sa.Uuid, primary_key=True),
        sa.Column("major", sa.Integer, primary_key=True, comment="Of the contract that the requests were sent to"),
        sa.Column("day", sa.Date, primary_key=True, comment="In UTC"),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.add_column(
        "hubs",
        sa.Column(
            "cut_over_at",
            sa.DateTime(timezone=True),
            comment="Since when its API key is refused, because it has gone on to access tokens",
        ),
    )
    op.add_column("hubs", sa.Column("cut_over_why", sa.Text))


def downgrade() -> None:
    op.drop_column("hubs", "cut_over_why")
    op.drop_column("hubs", "cut_over_at")
    op.drop_table("hub_requests")
