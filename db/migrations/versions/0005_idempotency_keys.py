"""Keys that hubs give to their submissions, so that a submission sent twice is stored once."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
KIND = "before"


def upgrade() -> None:
    op.create_table(
        "idempotency_keys",
        sa.Column("hub_id", sa.Uuid, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("digest", sa.Uuid, nullable=False, comment="128 bits of BLAKE2 of what was submitted"),
        sa.Column("id", sa.Uuid, nullable=False, comment="Of the row that was stored, or would have been"),
        comment="What was submitted under a key; a key is unique for its hub as long as what it names is kept",
    )
    # Ids grow with time, so that a few bytes for each range of pages suffice to find what retention deletes.
    op.create_index("idempotency_keys_id", "idempotency_keys", ["id"], postgresql_using="brin")
    op.add_column("interaction_events", sa.Column("client_event_id", sa.Text))


def downgrade() -> None:
    op.drop_column("interaction_events", "client_event_id")
    op.drop_table("idempotency_keys")
