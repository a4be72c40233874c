"""Stop notifications of stored documents: storing one changes nothing that is served."""

from alembic import op

revision = "0011"
down_revision = "0010"
KIND = "before"

SERVED = "interaction_reporting_contracts_served"


def upgrade() -> None:
    op.execute(f"DROP TRIGGER notify ON {SERVED}")


def downgrade() -> None:
    op.execute(
        f"CREATE TRIGGER notify AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {SERVED} "
        "FOR EACH STATEMENT EXECUTE FUNCTION contracts_notify()"
    )
