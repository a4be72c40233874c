"""Rehearsals of contracts that pages began, and an index of the requests by day."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0028"
down_revision = "0027"
KIND = "expand"


def upgrade() -> None:
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "contract_rehearsals",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("contract_version", sa.Text, nullable=False),
        sa.Column("document", sa.Text, nullable=False, comment="Digest of the contract that is tried"),
        sa.Column("last", sa.Integer, nullable=False, comment="How many submissions of each kind to try"),
        sa.Column("begun_by", sa.Text, nullable=False),
        sa.Column("begun_at", instant, nullable=False, server_default=sa.func.now()),
        sa.Column("attempts", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("total", sa.Integer, comment="How many submissions there are to try; NULL: it has not begun"),
        sa.Column("done", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("ended_at", instant, comment="NULL: it waits or runs"),
        sa.Column("fault", sa.Text, comment="Why it ended without a result"),
        sa.Column("governing", sa.Text, comment="The version that it was compared with"),
        sa.Column("governing_document", sa.Text, comment="Digest of that contract"),
        sa.Column("newly_fails", sa.Integer),
        sa.Column("newly_passes", sa.Integer),
        sa.Column("result", JSONB, comment="The counts and the examples by hub"),
        sa.CheckConstraint("last > 0", name="last"),
        sa.CheckConstraint("(result IS NULL) = (newly_fails IS NULL)", name="outcome"),
        sa.CheckConstraint("ended_at IS NULL OR num_nonnulls(fault, result) = 1", name="end"),
        sa.Index("contract_rehearsals_contract_version", "contract_version", "begun_at"),
        sa.Index("contract_rehearsals_waiting", "begun_at", postgresql_where=sa.text("ended_at IS NULL")),
        comment="Contracts that are tried on the submissions of hubs: a worker does it, and keeps the result",
    )
    op.create_index("hub_requests_day", "hub_requests", ["day"])


def downgrade() -> None:
    op.drop_index("hub_requests_day", "hub_requests")
    op.drop_table("contract_rehearsals")
