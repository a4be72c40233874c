"""Erasures of what is stored of an actor: their receipts, and how many a hub's rows have seen."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0018"
down_revision = "0017"
KIND = "expand"


def upgrade() -> None:
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "erasures",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("actor_sha256", sa.Text, nullable=False, comment="Of the actor's UUID, in hexadecimal"),
        sa.Column("why", sa.Text),
        sa.Column("requested_at", instant, nullable=False, server_default=sa.func.now()),
        sa.Column("completed_at", instant, comment="NULL: it was interrupted"),
        sa.Column("repeated_at", instant, comment="When it was last done again"),
        sa.Column(
            "rows_deleted", JSONB, nullable=False, server_default=sa.text("'{}'"), comment="When first done, by table"
        ),
        sa.CheckConstraint("actor_sha256 ~ '^[0-9a-f]{64}$'", name="actor_sha256_is_digest"),
        comment="What was erased, without the actor's UUID: after a restore it is erased again",
    )
    op.add_column(
        "hubs",
        sa.Column(
            "erasures",
            sa.BigInteger,
            nullable=False,
            server_default="0",
            comment="How often rows of the hub were erased: an export that began before breaks off",
        ),
    )


def downgrade() -> None:
    op.drop_column("hubs", "erasures")
    op.drop_table("erasures")
