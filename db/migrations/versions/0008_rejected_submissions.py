"""Rejected submissions of hubs."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
KIND = "before"


def upgrade() -> None:
    op.create_table(
        "rejected_submissions",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("hub_id", sa.Uuid, nullable=False),
        sa.Column("kind", sa.Text, nullable=False, comment="What was submitted: event, annotation, or a batch of them"),
        sa.Column("batch_index", sa.Integer, comment="Where it stood in a batch, from 0"),
        sa.Column("code", sa.Text, nullable=False, comment="Why it was rejected, for programs"),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("help", sa.Text, nullable=False, server_default=""),
        sa.Column("pointer", sa.Text),
        sa.Column("raw", sa.LargeBinary, nullable=False, comment="The bytes that were submitted"),
        sa.Column("request_key", sa.Text, comment="The key that its request had, and in a batch its index"),
        sa.Column("contract_version", sa.Text, nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("attempted_at", sa.DateTime(timezone=True), comment="When a replay last did not store it"),
        sa.Column("replayed_at", sa.DateTime(timezone=True)),
        sa.Column("replayed_as", sa.Uuid, comment="The id of what a replay stored"),
        sa.Column("position", sa.BigInteger, nullable=False, server_default=sa.text("nextval('positions')")),
    )
    op.create_index("rejected_submissions_hub_id_position", "rejected_submissions", ["hub_id", "position"])
    op.execute(
        "CREATE TRIGGER hold_position BEFORE INSERT ON rejected_submissions "
        "FOR EACH STATEMENT EXECUTE FUNCTION hold_position()"
    )


def downgrade() -> None:
    op.drop_table("rejected_submissions")
