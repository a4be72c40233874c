"""The API key that a hub had before its last rotation, which is accepted until the overlap ends."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
KIND = "before"


def upgrade() -> None:
    # Columns without a default, and the rows are not rewritten: an earlier release goes on reading the table.
    op.add_column("hubs", sa.Column("previous_key", sa.Text, comment="Likewise, of the key before the last rotation"))
    op.add_column(
        "hubs",
        sa.Column(
            "previous_key_until", sa.DateTime(timezone=True), comment="When the overlap ends, and that key is refused"
        ),
    )
    op.create_check_constraint("previous_key_is_digest", "hubs", "previous_key ~ '^[0-9a-f]{64}$'")


def downgrade() -> None:
    op.drop_column("hubs", "previous_key_until")
    op.drop_column("hubs", "previous_key")
