"""Authorization for version 2: OAuth clients of hubs, the keys that sign their tokens, and revoked or used tokens."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0012"
down_revision = "0011"
KIND = "before"

FOLLOWED = ("oauth_clients", "oauth_signing_keys", "oauth_revoked_tokens")

FUNCTION = """
-- Services keep these rows in memory; they see changed rows, but not deleted ones.
CREATE FUNCTION oauth_keep_rows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a row of % is not deleted while it may be used', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation', HINT = 'Disable the client, or let the key or token expire.';
END $$;
"""
REVISION = """
CREATE TRIGGER begin_revision BEFORE INSERT OR UPDATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION registry_begin_revision();
CREATE TRIGGER stamp_revision BEFORE INSERT OR UPDATE ON {table}
    FOR EACH ROW EXECUTE FUNCTION registry_stamp_revision();
CREATE TRIGGER keep_all BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION oauth_keep_rows();
CREATE TRIGGER keep_key BEFORE UPDATE ON {table}
    FOR EACH ROW WHEN (OLD.{key} IS DISTINCT FROM NEW.{key}) EXECUTE FUNCTION oauth_keep_rows();
"""
KEPT = """
CREATE TRIGGER keep_rows BEFORE DELETE ON {table}
    FOR EACH ROW {condition} EXECUTE FUNCTION oauth_keep_rows();
"""
UNEXPIRED = "WHEN (OLD.expires_at IS NULL OR OLD.expires_at > now())"


def upgrade() -> None:
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "oauth_clients",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("issuer", sa.Text, nullable=False, server_default="", comment="Whose client it is; empty: ours"),
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("hub_id", sa.Uuid, nullable=False),
        sa.Column("scopes", sa.ARRAY(sa.Text), nullable=False),
        sa.Column("secret", sa.Text, comment="SHA-256 of the secret, in hexadecimal; the secret itself is not kept"),
        sa.Column("previous_secret", sa.Text, comment="Likewise, of the one before"),
        sa.Column("previous_secret_until", instant),
        sa.Column("jwks", JSONB(none_as_null=True), comment="The public keys that its assertions are signed with"),
        sa.Column("dpop_bound", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("created_at", instant, nullable=False, server_default=sa.func.now()),
        sa.Column("rotated_at", instant),
        sa.Column("disabled_at", instant),
        sa.Column("revision", sa.BigInteger, nullable=False, server_default="0"),
        sa.UniqueConstraint("issuer", "client_id"),
        sa.CheckConstraint("secret ~ '^[0-9a-f]{64}$'", name="secret_is_digest"),
        sa.CheckConstraint("previous_secret ~ '^[0-9a-f]{64}$'", name="previous_secret_is_digest"),
        comment="Who may act for a hub with which scopes; one that is disabled may not",
    )
    op.create_table(
        "oauth_signing_keys",
        sa.Column("kid", sa.Text, primary_key=True),
        sa.Column(
            "key", sa.Text, nullable=False, comment="A private JWK (RFC 7517), or a JWE (RFC 7516) that holds it"
        ),
        sa.Column("created_at", instant, nullable=False, server_default=sa.func.now()),
        sa.Column("expires_at", instant, comment="When no token that it signed is valid any more; NULL: it signs"),
        sa.Column("revision", sa.BigInteger, nullable=False, server_default="0"),
        comment="The keys that sign access tokens: the newest one signs, all of them verify until they expire",
    )
    op.create_table(
        "oauth_revoked_tokens",
        sa.Column("jti", sa.Uuid, primary_key=True),
        sa.Column("expires_at", instant, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False, server_default="0"),
        comment="Access tokens that were revoked, until they would have expired",
    )
    op.create_table(
        "oauth_used_tokens",
        sa.Column("digest", sa.LargeBinary, primary_key=True, comment="SHA-256 of whose it is and its jti"),
        sa.Column("expires_at", instant, nullable=False),
        comment="Assertions and DPoP proofs, each good for one use, until they expire",
    )
    op.create_index("oauth_used_tokens_expires_at", "oauth_used_tokens", ["expires_at"])
    op.execute(FUNCTION)
    for table, key in zip(FOLLOWED, ("id", "kid", "jti"), strict=True):
        op.create_index(f"{table}_revision", table, ["revision"])
        op.execute(REVISION.format(table=table, key=key))
        op.execute(KEPT.format(table=table, condition="" if key == "id" else UNEXPIRED))


def downgrade() -> None:
    for table in (*FOLLOWED, "oauth_used_tokens"):
        op.drop_table(table)
    op.execute("DROP FUNCTION oauth_keep_rows")
