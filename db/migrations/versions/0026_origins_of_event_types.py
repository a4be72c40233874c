"""Indexes for the event types of one hub, or of none, and for those that wait for approval."""

from alembic import op

from db import migration_steps

revision = "0026"
down_revision = "0025"
KIND = "expand"
NAMES = ("event_type_registry_hub_id_status_name", "event_type_registry_waiting")


def upgrade() -> None:
    table = "event_type_registry"
    migration_steps.create_index(NAMES[0], table, 'hub_id, status, name COLLATE "C"')
    waits = "proposal IS NOT NULL OR status = 'pending' AND NOT left_out"
    migration_steps.create_index(NAMES[1], table, 'name COLLATE "C"', where=waits)


def downgrade() -> None:
    for name in NAMES:
        op.drop_index(name)
