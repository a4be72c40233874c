"""The first tables, and the event types that the framework itself registers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
KIND = "before"

FRAMEWORK_TYPES = {
    "viewed": "The widget came into view.",
    "focused": "The widget received the focus.",
    "clicked": "The widget was clicked.",
    "submitted": "A form or dialog of the widget was submitted.",
    "abandoned": "The interaction was begun and not finished.",
    "retried": "The interaction was tried again.",
    "failed": "The interaction ended in an error.",
    "commented": "A comment was left on the widget.",
    "flagged_confusing": "The widget was marked as confusing.",
    "flagged_helpful": "The widget was marked as helpful.",
    "blocked_by_policy": "A policy kept the interaction from happening.",
    "escalated": "The matter was passed on to someone else.",
    "accepted_recommendation": "A recommendation was accepted.",
    "rejected_recommendation": "A recommendation was rejected.",
}


def upgrade() -> None:
    now = sa.func.now()
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "hubs",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column(
            "api_key", sa.Text, nullable=False, comment="SHA-256 of the key, in hexadecimal; the key itself is not kept"
        ),
        sa.Column("created_at", instant, nullable=False, server_default=now),
        sa.Column("rotated_at", instant),
        sa.Column("disabled_at", instant),
        sa.UniqueConstraint("name"),
        sa.UniqueConstraint("api_key"),
        sa.CheckConstraint("api_key ~ '^[0-9a-f]{64}$'", name="api_key_is_digest"),
    )
    op.create_table(
        "widgets",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False, server_default="active"),
        sa.Column("created_at", instant, nullable=False, server_default=now),
        sa.CheckConstraint("status IN ('active', 'retired')", name="status"),
    )
    registry = op.create_table(
        "event_type_registry",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("description", sa.Text, nullable=False, server_default=""),
        sa.Column("status", sa.Text, nullable=False, server_default="active"),
        sa.Column("created_at", instant, nullable=False, server_default=now),
        sa.CheckConstraint("status IN ('active', 'deprecated')", name="status"),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 200", name="name_length"),
    )
    op.create_table(
        "interaction_reporting_contracts",
        sa.Column("contract_version", sa.Text, primary_key=True),
        sa.Column(
            "major",
            sa.Integer,
            sa.Computed("split_part(contract_version, '.', 1)::integer", persisted=True),
            nullable=False,
        ),
        sa.Column("status", sa.Text, nullable=False, server_default="draft"),
        sa.Column(
            "document", sa.Text, nullable=False, comment="The OpenAPI document as it was published: YAML or JSON"
        ),
        sa.Column(
            "digest", sa.Text, nullable=False, comment="SHA-256 of the document when it was published, in hexadecimal"
        ),
        sa.Column("published_at", instant, nullable=False, server_default=now),
        sa.Column("activated_at", instant),
        sa.CheckConstraint("status IN ('draft', 'active', 'superseded', 'deprecated', 'retired')", name="status"),
        sa.CheckConstraint("contract_version ~ '^[1-9][0-9]{0,3}[.](0|[1-9][0-9]{0,3})$'", name="version"),
    )
    op.create_index(
        "interaction_reporting_contracts_one_serves",
        "interaction_reporting_contracts",
        ["major"],
        unique=True,
        postgresql_where=sa.text("status IN ('active', 'deprecated')"),
    )
    op.create_table(
        "interaction_events",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("hub_id", sa.Uuid, sa.ForeignKey("hubs.id"), nullable=False),
        sa.Column("widget_id", sa.Uuid, sa.ForeignKey("widgets.id"), nullable=False),
        sa.Column("event_type", sa.Text, sa.ForeignKey("event_type_registry.name"), nullable=False),
        sa.Column("occurred_at", instant, nullable=False),
        sa.Column("actor_id", sa.Uuid),
        sa.Column("actor_type", sa.Text),
        sa.Column("view_context_ref", sa.Text),
        sa.Column("metadata", JSONB),
        sa.Column("additional_fields", JSONB, comment="Fields that the contract declares and no column holds"),
        sa.Column("contract_version", sa.Text, nullable=False),
        sa.Column("received_at", instant, nullable=False, server_default=now),
    )
    op.create_index("interaction_events_widget_id_occurred_at", "interaction_events", ["widget_id", "occurred_at"])
    op.create_index("interaction_events_hub_id_received_at", "interaction_events", ["hub_id", "received_at"])
    op.bulk_insert(
        registry, [{"name": name, "description": description} for name, description in FRAMEWORK_TYPES.items()]
    )


def downgrade() -> None:
    for table in ("interaction_events", "interaction_reporting_contracts", "event_type_registry", "widgets", "hubs"):
        op.drop_table(table)
