"""Manifests: hubs list what they can report, and entries of the registry name the hub that owns them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0007"
down_revision = "0006"
KIND = "before"

STATUSES = ("active", "deprecated", "pending")


def upgrade() -> None:
    op.add_column("widgets", sa.Column("hub_id", sa.Uuid, comment="Whose manifest registered it; NULL: an operator"))
    op.add_column("widgets", _left_out())
    for column in (
        sa.Column("hub_id", sa.Uuid, comment="Whose manifest registered it; NULL: the framework or an operator"),
        _left_out(),
        sa.Column("version", sa.Integer, nullable=False, server_default="1"),
        sa.Column("metadata_schema", JSONB, comment="A JSON Schema that the metadata of an event satisfies"),
        sa.Column("proposal", JSONB, comment="Another definition, which waits for approval"),
    ):
        op.add_column("event_type_registry", column)
    _replace_status_check(STATUSES)
    op.create_table(
        "hub_capability_manifests",
        sa.Column("hub_id", sa.Uuid, primary_key=True),
        sa.Column("revision", sa.Integer, primary_key=True),
        sa.Column("manifest", JSONB, nullable=False, comment="As it was submitted"),
        sa.Column("contract_version", sa.Text, nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    )


def downgrade() -> None:
    op.drop_table("hub_capability_manifests")
    op.execute("UPDATE event_type_registry SET status = 'deprecated' WHERE status = 'pending'")
    _replace_status_check(STATUSES[:2])
    for column in ("proposal", "metadata_schema", "version", "left_out", "hub_id"):
        op.drop_column("event_type_registry", column)
    for column in ("left_out", "hub_id"):
        op.drop_column("widgets", column)


def _left_out() -> sa.Column[bool]:
    return sa.Column(
        "left_out",
        sa.Boolean,
        nullable=False,
        server_default=sa.false(),
        comment="Whether its hub ended it, by leaving it out of a manifest",
    )


def _replace_status_check(statuses: tuple[str, ...]) -> None:
    op.execute("ALTER TABLE event_type_registry DROP CONSTRAINT event_type_registry_status_check")
    op.create_check_constraint("status", "event_type_registry", f"status IN {statuses}")
