"""The order in which lists show the event types of a status."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
KIND = "expand"


def upgrade() -> None:
    op.create_index("event_type_registry_status_name", "event_type_registry", ["status", sa.text('name COLLATE "C"')])


def downgrade() -> None:
    op.drop_index("event_type_registry_status_name", "event_type_registry")
