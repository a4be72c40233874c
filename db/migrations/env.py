"""Alembic's entry: runs the migrations on the connection that `db.migrate` passes."""

from alembic import context

from db.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
