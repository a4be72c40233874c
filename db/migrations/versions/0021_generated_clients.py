"""Clients that were generated from contracts: their archives, or what was wrong."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
KIND = "expand"


def upgrade() -> None:
    op.create_table(
        "generated_clients",
        sa.Column(
            "digest",
            sa.Text,
            primary_key=True,
            comment="SHA-256 of the document that the generator reads, in hexadecimal",
        ),
        sa.Column("language", sa.Text, primary_key=True),
        sa.Column(
            "generator",
            sa.Text,
            primary_key=True,
            comment="Its version, and that of what is done before and after it",
        ),
        sa.Column(
            "attempts", sa.Integer, nullable=False, server_default=sa.text("0"), comment="Builds that have begun"
        ),
        sa.Column("archive", sa.LargeBinary),
        sa.Column("sha256", sa.Text, comment="Of the archive, in hexadecimal"),
        sa.Column("fault", sa.Text, comment="Why there is no archive; NULL beside no archive: it is not built yet"),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.CheckConstraint("(archive IS NULL) = (sha256 IS NULL)", name="archive_digest"),
        sa.CheckConstraint("archive IS NULL OR fault IS NULL", name="one_outcome"),
        comment="Clients of contracts in other languages; deleted rows are made again",
    )


def downgrade() -> None:
    op.drop_table("generated_clients")
