"""People who operate the service: their accounts and sessions, and the audit log of what they change."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0023"
down_revision = "0022"
KIND = "expand"

FUNCTIONS = """
-- The arguments: what the rows are called, the column that names a row, its secrets, and columns without meaning.
CREATE FUNCTION audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    old_row jsonb := CASE WHEN TG_OP = 'INSERT' THEN '{}' ELSE to_jsonb(OLD) END;
    new_row jsonb := CASE WHEN TG_OP = 'DELETE' THEN '{}' ELSE to_jsonb(NEW) END;
    secrets text[] := string_to_array(TG_ARGV[2], ' ');
    changed text[];
    digest text;
BEGIN
    IF current_setting('interaction_reporting.audit', true) = 'off' THEN
        RETURN NULL;
    END IF;
    changed := ARRAY(
        SELECT key FROM jsonb_each(old_row || new_row)
        WHERE old_row -> key IS DISTINCT FROM new_row -> key AND key <> ALL (string_to_array(TG_ARGV[3], ' '))
            AND NOT (coalesce(old_row -> key, 'null') = 'null' AND coalesce(new_row -> key, 'null') = 'null')
    );
    IF changed = '{}' THEN
        RETURN NULL;
    END IF;
    INSERT INTO audit (actor, action, kind, subject, before, after, why, address) VALUES (
        coalesce(nullif(current_setting('interaction_reporting.changed_by', true), ''), session_user),
        coalesce(nullif(current_setting('interaction_reporting.action', true), ''), lower(TG_OP) || ' in SQL'),
        TG_ARGV[0],
        coalesce(new_row ->> TG_ARGV[1], old_row ->> TG_ARGV[1]),
        CASE WHEN TG_OP <> 'INSERT' THEN audit_columns(old_row, changed, secrets) END,
        CASE WHEN TG_OP <> 'DELETE' THEN audit_columns(new_row, changed, secrets) END,
        nullif(current_setting('interaction_reporting.reason', true), ''),
        nullif(current_setting('interaction_reporting.address', true), '')
    );
    RETURN NULL;
END $$;

-- The columns of a row that changed: of a secret only whether there is one, of a document its digest.
CREATE FUNCTION audit_columns(given jsonb, changed text[], secrets text[]) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_object_agg(key, CASE
        WHEN value = 'null' THEN value
        WHEN key = ANY (secrets) THEN to_jsonb('(secret)'::text)
        WHEN key = 'document' THEN to_jsonb('sha256:' || encode(sha256(convert_to(value #>> '{}', 'UTF8')), 'hex'))
        ELSE value END)
    FROM jsonb_each(given) WHERE key = ANY (changed)
$$;

CREATE FUNCTION audit_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is not changed or deleted' USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER stay BEFORE UPDATE OR DELETE OR TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_stay();
"""
AUDITED = {
    "admins": ("admin", "name", "password", "id"),
    "event_type_registry": ("event type", "name", "", "revision"),
    "hubs": ("hub", "name", "api_key previous_key", "id revision erasures"),
    "interaction_reporting_contracts": ("contract", "contract_version", "", "id revision"),
    "widgets": ("widget", "id", "", "revision"),
    "oauth_clients": ("client", "client_id", "secret previous_secret", "id revision"),
}
"""The arguments of audit_change, by table."""
TRIGGER = """
CREATE TRIGGER audit_change AFTER INSERT OR UPDATE OR DELETE ON {}
    FOR EACH ROW EXECUTE FUNCTION audit_change('{}', '{}', '{}', '{}')
"""


def upgrade() -> None:
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "admins",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("password", sa.Text, comment="Its hash (Argon2id, in PHC's format); NULL: an issuer signs them in"),
        sa.Column("created_at", instant, nullable=False, server_default=sa.func.now()),
        sa.Column("disabled_at", instant),
        sa.UniqueConstraint("name"),
        sa.CheckConstraint("role IN ('viewer', 'editor', 'owner')", name="role"),
        sa.CheckConstraint("password LIKE '$argon2id$%'", name="password_is_hash"),
    )
    op.create_table(
        "page_sessions",
        sa.Column("digest", sa.Text, primary_key=True, comment="SHA-256 of the cookie, in hexadecimal"),
        sa.Column("admin_id", sa.Uuid, sa.ForeignKey("admins.id", ondelete="CASCADE")),
        sa.Column("hub_id", sa.Uuid),
        sa.Column("credential", sa.Text, comment="SHA-256 of the key or the secret that a hub signed in with"),
        sa.Column("created_at", instant, nullable=False, server_default=sa.func.now()),
        sa.Column("seen_at", instant, nullable=False, server_default=sa.func.now()),
        sa.Column("note", JSONB, comment="What the next page says"),
        sa.CheckConstraint("num_nonnulls(admin_id, hub_id) = 1", name="one_owner"),
        sa.CheckConstraint("digest ~ '^[0-9a-f]{64}$'", name="digest_is_digest"),
        sa.Index("page_sessions_admin_id", "admin_id"),
        sa.Index("page_sessions_created_at", "created_at"),
        comment="Who is signed in to the pages, as a browser's cookie says",
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("at", instant, nullable=False, server_default=sa.func.now()),
        sa.Column("actor", sa.Text, nullable=False, comment="admin:NAME, cli:LOGIN, or the database's user"),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False, comment="Of the subject: hub, event type, ..."),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("before", JSONB, comment="The columns that changed, without secrets; NULL: there was no such row"),
        sa.Column("after", JSONB),
        sa.Column("why", sa.Text),
        sa.Column("address", sa.Text, comment="Where the request came from"),
        sa.Index("audit_actor_id", "actor", "id"),
        sa.Index("audit_subject_id", "kind", "subject", "id"),
        comment="What operators changed; triggers write it, and keep it as it is",
    )
    op.execute(FUNCTIONS)
    for table, arguments in AUDITED.items():
        op.execute(TRIGGER.format(table, *arguments))


def downgrade() -> None:
    for table in AUDITED:
        op.execute(f"DROP TRIGGER audit_change ON {table}")
    for table in ("audit", "page_sessions", "admins"):
        op.drop_table(table)
    for function in (
        "audit_change()",
        "audit_columns(jsonb, text[], text[])",
        "audit_stay()",
    ):
        op.execute(f"DROP FUNCTION {function}")
