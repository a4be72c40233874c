"""The origins of the pages that may report for a hub from a browser."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
KIND = "expand"
ORIGIN = "https?://[][a-z0-9._:-]+"


def upgrade() -> None:
    op.add_column(
        "hubs",
        sa.Column(
            "origins",
            sa.ARRAY(sa.Text),
            nullable=False,
            server_default="{}",
            comment="Of the pages that may report for it, as browsers send them",
        ),
    )
    op.create_check_constraint("origins_count", "hubs", "cardinality(origins) <= 20")
    op.create_check_constraint(
        "origins_form",
        "hubs",
        f"cardinality(origins) = 0 OR array_to_string(origins, ' ', '*') ~ '^{ORIGIN}( {ORIGIN})*$'",
    )


def downgrade() -> None:
    op.drop_constraint("hubs_origins_form_check", "hubs")
    op.drop_constraint("hubs_origins_count_check", "hubs")
    op.drop_column("hubs", "origins")
