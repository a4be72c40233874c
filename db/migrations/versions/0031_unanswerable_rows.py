"""What a rehearsal found among the stored rows: those that the contract could not answer with."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
KIND = "expand"

REHEARSALS = "contract_rehearsals"


def upgrade() -> None:
    op.add_column(
        REHEARSALS,
        sa.Column(
            "unanswerable",
            sa.Integer,
            comment="Stored rows that the contract could not answer with; NULL: none was looked at",
        ),
    )
    op.add_column(
        REHEARSALS,
        sa.Column("newly_unanswerable", sa.Integer, comment="Those that the governing contract could answer with"),
    )


def downgrade() -> None:
    op.drop_column(REHEARSALS, "newly_unanswerable")
    op.drop_column(REHEARSALS, "unanswerable")
