"""The life of contracts: its instants, an audit log of changes, and the documents that a service falls back to."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
KIND = "before"

CONTRACTS = "interaction_reporting_contracts"
CHANGES = "interaction_reporting_contract_changes"
SERVED = "interaction_reporting_contracts_served"

FUNCTIONS = """
-- The instants follow the status, also if plain SQL sets it.
CREATE FUNCTION contracts_stamp() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status NOT IN ('deprecated', 'retired') THEN
        NEW.deprecated_at := NULL;
        NEW.sunset_at := NULL;
    ELSIF NEW.status = 'deprecated' THEN
        NEW.deprecated_at := coalesce(NEW.deprecated_at, now());
    END IF;
    NEW.retired_at := CASE WHEN NEW.status = 'retired' THEN coalesce(NEW.retired_at, now()) END;
    IF NEW.status IN ('active', 'deprecated') THEN
        IF TG_OP = 'INSERT' THEN
            NEW.activated_at := coalesce(NEW.activated_at, now());
        ELSIF OLD.status NOT IN ('active', 'deprecated') THEN
            NEW.activated_at := now();
        END IF;
    END IF;
    RETURN NEW;
END $$;

-- The author and the reason come from settings of the transaction; a change without them is recorded as plain SQL.
CREATE FUNCTION contracts_keep_change(
    how text, version text, status_before text, status_after text, document_before text, document_after text
) RETURNS void LANGUAGE sql AS $$
    INSERT INTO interaction_reporting_contract_changes
        (changed_by, reason, action, contract_version, status_before, status_after, digest_before, digest_after)
    VALUES (
        coalesce(nullif(current_setting('interaction_reporting.changed_by', true), ''), session_user),
        nullif(current_setting('interaction_reporting.reason', true), ''),
        coalesce(nullif(current_setting('interaction_reporting.action', true), ''), how || ' in SQL'),
        version, status_before, status_after,
        encode(sha256(convert_to(document_before, 'UTF8')), 'hex'),
        encode(sha256(convert_to(document_after, 'UTF8')), 'hex')
    )
$$;

CREATE FUNCTION contracts_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.contract_version = NEW.contract_version THEN
        PERFORM contracts_keep_change(
            'update', NEW.contract_version, OLD.status, NEW.status, OLD.document, NEW.document);
        RETURN NULL;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        PERFORM contracts_keep_change(lower(TG_OP), OLD.contract_version, OLD.status, NULL, OLD.document, NULL);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        PERFORM contracts_keep_change(lower(TG_OP), NEW.contract_version, NULL, NEW.status, NULL, NEW.document);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION contracts_audit_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM contracts_keep_change('truncate', contract_version, status, NULL, document, NULL)
        FROM interaction_reporting_contracts;
    RETURN NULL;
END $$;

CREATE FUNCTION contracts_notify() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('contracts', '');
    RETURN NULL;
END $$;

CREATE FUNCTION contract_changes_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what became of the contracts is not changed or deleted' USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER stamp BEFORE INSERT OR UPDATE ON interaction_reporting_contracts
    FOR EACH ROW EXECUTE FUNCTION contracts_stamp();
CREATE TRIGGER audit AFTER INSERT OR DELETE ON interaction_reporting_contracts
    FOR EACH ROW EXECUTE FUNCTION contracts_audit();
CREATE TRIGGER audit_update AFTER UPDATE ON interaction_reporting_contracts
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION contracts_audit();
CREATE TRIGGER audit_truncate BEFORE TRUNCATE ON interaction_reporting_contracts
    FOR EACH STATEMENT EXECUTE FUNCTION contracts_audit_truncate();
CREATE TRIGGER notify AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON interaction_reporting_contracts
    FOR EACH STATEMENT EXECUTE FUNCTION contracts_notify();
CREATE TRIGGER notify AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON interaction_reporting_contracts_served
    FOR EACH STATEMENT EXECUTE FUNCTION contracts_notify();
CREATE TRIGGER stay BEFORE UPDATE OR DELETE OR TRUNCATE ON interaction_reporting_contract_changes
    FOR EACH STATEMENT EXECUTE FUNCTION contract_changes_stay();
"""

IN_HEADERS = (
    "{} BETWEEN TIMESTAMP WITH TIME ZONE '1970-01-01 00:00:00+00' AND TIMESTAMP WITH TIME ZONE '9999-12-30 00:00:00+00'"
)


def upgrade() -> None:
    instant = sa.DateTime(timezone=True)
    for name in ("deprecated_at", "sunset_at", "retired_at"):
        op.add_column(CONTRACTS, sa.Column(name, instant))
        op.create_check_constraint(name, CONTRACTS, IN_HEADERS.format(name))
    # The time of an earlier deprecation or retirement is unknown: it counts from now on.
    op.execute("UPDATE interaction_reporting_contracts SET deprecated_at = now() WHERE status = 'deprecated'")
    op.execute("UPDATE interaction_reporting_contracts SET retired_at = now() WHERE status = 'retired'")
    op.create_table(
        CHANGES,
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("changed_at", instant, nullable=False, server_default=sa.func.now()),
        sa.Column("changed_by", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("action", sa.Text, nullable=False, comment="What was done: a command, or what plain SQL did"),
        sa.Column("contract_version", sa.Text, nullable=False),
        sa.Column("status_before", sa.Text, comment="NULL: there was no such row"),
        sa.Column("status_after", sa.Text, comment="NULL: there is no such row any more"),
        sa.Column("digest_before", sa.Text, comment="SHA-256 of the text of the document, in hexadecimal"),
        sa.Column("digest_after", sa.Text),
        comment="Every change of a contract; triggers write it, and keep it as it is",
    )
    op.create_table(
        SERVED,
        sa.Column("major", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("contract_version", sa.Text, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("deprecated_at", instant),
        sa.Column("sunset_at", instant),
        sa.Column("served_at", instant, nullable=False, server_default=sa.func.now()),
        comment="Of each major version what was served last: what is served where its row cannot be",
    )
    op.execute(FUNCTIONS)


def downgrade() -> None:
    for table in (SERVED, CHANGES):
        op.drop_table(table)
    for trigger in ("stamp", "audit", "audit_update", "audit_truncate", "notify"):
        op.execute(f"DROP TRIGGER {trigger} ON {CONTRACTS}")
    for name in ("retired_at", "sunset_at", "deprecated_at"):
        op.drop_column(CONTRACTS, name)
    for function in (
        "contract_changes_stay",
        "contracts_notify",
        "contracts_audit_truncate",
        "contracts_audit",
        "contracts_keep_change",
        "contracts_stamp",
    ):
        op.execute(f"DROP FUNCTION {function}")
