"""A revision that shows what changed in the registry, so that services can keep a copy of it up to date."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
KIND = "before"

KEYS = {"hubs": "id", "widgets": "id", "event_type_registry": "name"}

FUNCTIONS = """
-- The row lock lets one transaction at a time change the registry, so that revisions are committed in their order.
CREATE FUNCTION registry_begin_revision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE registry_revision SET value = value + 1;
    PERFORM pg_notify('registry', '');
    RETURN NULL;
END $$;

CREATE FUNCTION registry_stamp_revision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.revision := (SELECT value FROM registry_revision);
    RETURN NEW;
END $$;

-- Events name rows of the registry without a foreign key, which would cost three look-ups for each event.
CREATE FUNCTION registry_keep_rows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a row of % is not deleted or renamed, for events name it', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation', HINT = 'Disable, retire or deprecate it.';
END $$;
"""

TRIGGERS = """
CREATE TRIGGER begin_revision BEFORE INSERT OR UPDATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION registry_begin_revision();
CREATE TRIGGER stamp_revision BEFORE INSERT OR UPDATE ON {table}
    FOR EACH ROW EXECUTE FUNCTION registry_stamp_revision();
CREATE TRIGGER keep_rows BEFORE DELETE OR TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION registry_keep_rows();
CREATE TRIGGER keep_key BEFORE UPDATE ON {table}
    FOR EACH ROW WHEN (OLD.{key} IS DISTINCT FROM NEW.{key}) EXECUTE FUNCTION registry_keep_rows();
"""


def upgrade() -> None:
    table = op.create_table(
        "registry_revision",
        sa.Column("singleton", sa.Boolean, primary_key=True, server_default=sa.true()),
        sa.Column("value", sa.BigInteger, nullable=False),
        sa.CheckConstraint("singleton", name="singleton"),
        comment="One row: how often hubs, widgets or event types were changed",
    )
    op.bulk_insert(table, [{"value": 0}])
    op.execute(FUNCTIONS)
    for name, key in KEYS.items():
        op.add_column(name, sa.Column("revision", sa.BigInteger, nullable=False, server_default="0"))
        op.create_index(f"{name}_revision", name, ["revision"])
        op.execute(TRIGGERS.format(table=name, key=key))


def downgrade() -> None:
    for name in KEYS:
        for trigger in ("keep_key", "keep_rows", "stamp_revision", "begin_revision"):
            op.execute(f"DROP TRIGGER {trigger} ON {name}")
        op.drop_column(name, "revision")
    for function in ("registry_keep_rows", "registry_stamp_revision", "registry_begin_revision"):
        op.execute(f"DROP FUNCTION {function}")
    op.drop_table("registry_revision")
