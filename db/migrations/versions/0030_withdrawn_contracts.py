"""Contracts that were withdrawn: the column status keeps its values, so an earlier release goes on with such a row."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
KIND = "expand"

CONTRACTS = "interaction_reporting_contracts"


def upgrade() -> None:
    op.add_column(
        CONTRACTS,
        sa.Column(
            "withdrawn_at",
            sa.DateTime(timezone=True),
            comment="Since then a draft or superseded contract binds nothing",
        ),
    )


def downgrade() -> None:
    op.drop_column(CONTRACTS, "withdrawn_at")
