"""Alembic's entry: runs the migrations on the connection that `db.migrate` passes, each in a transaction of its own."""

from collections.abc import Collection, Mapping
from typing import Any

from alembic import context
from alembic.runtime.migration import MigrationContext, MigrationInfo
from sqlalchemy import Connection

from db.release import RELEASE, Release
from db.revisions import record
from db.tables import metadata

connection: Connection = context.config.attributes["connection"]
release: Release = context.config.attributes.get("release", RELEASE)


def record_step(
    ctx: MigrationContext,  # noqa: ARG001 (Alembic passes all four by name)
    step: MigrationInfo,
    heads: Collection[Any],  # noqa: ARG001
    run_args: Mapping[str, Any],  # noqa: ARG001
) -> None:
    """Record `step` in its transaction."""
    revision = str(step.up_revision_id)
    record(connection, revision, release.kinds[revision], step.is_upgrade)


context.configure(
    connection=connection, target_metadata=metadata, transaction_per_migration=True, on_version_apply=record_step
)
with context.begin_transaction():
    context.run_migrations()
