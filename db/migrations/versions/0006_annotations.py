"""Annotations: remarks of people and agents on a widget, in addition to the events on it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0006"
down_revision = "0005"
KIND = "before"


def upgrade() -> None:
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "annotations",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("hub_id", sa.Uuid, nullable=False),
        sa.Column("widget_id", sa.Uuid, nullable=False),
        sa.Column("event_id", sa.Uuid),
        sa.Column("category", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("severity", sa.Text),
        sa.Column("occurred_at", instant, nullable=False),
        sa.Column("actor_id", sa.Uuid),
        sa.Column("actor_type", sa.Text),
        sa.Column("view_context_ref", sa.Text),
        sa.Column("metadata", JSONB),
        sa.Column("additional_fields", JSONB, comment="Fields that the contract declares and no column holds"),
        sa.Column("client_annotation_id", sa.Text),
        sa.Column("contract_version", sa.Text, nullable=False),
        sa.Column("received_at", instant, nullable=False, server_default=sa.func.now()),
        sa.Column("position", sa.BigInteger, nullable=False, server_default=sa.text("nextval('positions')")),
        postgresql_partition_by="RANGE (id)",
    )
    op.create_index("annotations_widget_id_occurred_at", "annotations", ["widget_id", "occurred_at"])
    op.create_index("annotations_hub_id_position", "annotations", ["hub_id", "position"])
    op.execute(
        "CREATE TRIGGER hold_position BEFORE INSERT ON annotations FOR EACH STATEMENT EXECUTE FUNCTION hold_position()"
    )


def downgrade() -> None:
    op.drop_table("annotations")
