"""The replicas of the service that live, between which the rate limits of hubs are divided."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
KIND = "expand"


def upgrade() -> None:
    op.create_table(
        "replicas",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False, comment="Written once a second"),
        comment="The replicas of the service that live or have lived since yesterday",
    )


def downgrade() -> None:
    op.drop_table("replicas")
