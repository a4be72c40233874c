"""The kinds of the revisions, for a release that does not know them: it works on those that only expand."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
KIND = "expand"


def upgrade() -> None:
    table = op.create_table(
        "schema_revisions",
        sa.Column("revision", sa.Text, primary_key=True),
        sa.Column(
            "kind", sa.Text, nullable=False, comment="expand, contract, or before: of the time before this table"
        ),
        sa.Column("applied_at", sa.DateTime(timezone=True), comment="NULL: before this table"),
        sa.CheckConstraint("kind IN ('before', 'expand', 'contract')", name="kind"),
        comment="The revisions of these tables; an earlier release works on them if all that it does not know expand",
    )
    op.bulk_insert(table, [{"revision": f"{number:04}", "kind": "before"} for number in range(1, 15)])


def downgrade() -> None:
    op.drop_table("schema_revisions")
