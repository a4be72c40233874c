"""The tables. `migrations/` creates them; a test compares the two."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Date,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Sequence,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    false,
    func,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(column_0_name)s_fkey",
        "uq": "%(table_name)s_%(column_0_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s_check",
    }
)

_now = func.now()

positions = Sequence("positions", metadata=metadata)


def _revision() -> Column[int]:
    """The value of `registry_revision` when the row was last changed: a trigger sets it."""
    return Column("revision", BigInteger, nullable=False, server_default="0")


MOST_ORIGINS = 20
"""Limit on the origins of one hub."""
_ORIGIN = "https?://[][a-z0-9._:-]+"

hubs = Table(
    "hubs",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("api_key", Text, nullable=False, comment="SHA-256 of the key, in hexadecimal; the key itself is not kept"),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=_now),
    Column("rotated_at", DateTime(timezone=True)),
    Column("disabled_at", DateTime(timezone=True)),
    _revision(),
    Column("rate_limit", Integer, comment="Items a second; NULL: the service's default"),
    Column(
        "cut_over_at",
        DateTime(timezone=True),
        comment="Since when its API key is refused, because it has gone on to access tokens",
    ),
    Column("cut_over_why", Text),
    Column("previous_key", Text, comment="Likewise, of the key before the last rotation"),
    Column(
        "previous_key_until",
        DateTime(timezone=True),
        comment="When the overlap ends, and that key is refused",
    ),
    Column(
        "erasures",
        BigInteger,
        nullable=False,
        server_default="0",
        comment="How often rows of the hub were erased: an export that began before breaks off",
    ),
    Column(
        "origins",
        ARRAY(Text),
        nullable=False,
        server_default="{}",
        comment="Of the pages that may report for it, as browsers send them",
    ),
    UniqueConstraint("name"),
    UniqueConstraint("api_key"),
    CheckConstraint("rate_limit > 0", name="rate_limit"),
    CheckConstraint(f"cardinality(origins) <= {MOST_ORIGINS}", name="origins_count"),
    CheckConstraint(
        f"cardinality(origins) = 0 OR array_to_string(origins, ' ', '*') ~ '^{_ORIGIN}( {_ORIGIN})*$'",
        name="origins_form",
    ),
    CheckConstraint("api_key ~ '^[0-9a-f]{64}$'", name="api_key_is_digest"),
    CheckConstraint("previous_key ~ '^[0-9a-f]{64}$'", name="previous_key_is_digest"),
    Index("hubs_revision", "revision"),
)


def _left_out() -> Column[bool]:
    return Column(
        "left_out",
        Boolean,
        nullable=False,
        server_default=false(),
        comment="Whether its hub ended it, by leaving it out of a manifest",
    )


widgets = Table(
    "widgets",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("status", Text, nullable=False, server_default="active"),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=_now),
    _revision(),
    Column("hub_id", Uuid, comment="Whose manifest registered it; NULL: an operator"),
    _left_out(),
    CheckConstraint("status IN ('active', 'retired')", name="status"),
    Index("widgets_revision", "revision"),
)

event_type_registry = Table(
    "event_type_registry",
    metadata,
    Column("name", Text, primary_key=True),
    Column("description", Text, nullable=False, server_default=""),
    Column("status", Text, nullable=False, server_default="active"),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=_now),
    _revision(),
    Column("hub_id", Uuid, comment="Whose manifest registered it; NULL: the framework or an operator"),
    _left_out(),
    Column("version", Integer, nullable=False, server_default="1"),
    Column(
        "metadata_schema", JSONB(none_as_null=True), comment="A JSON Schema that the metadata of an event satisfies"
    ),
    Column("proposal", JSONB(none_as_null=True), comment="Another definition, which waits for approval"),
    Column("keep_days", Integer, comment="Days that its events are kept; NULL: as long as all others"),
    CheckConstraint("keep_days BETWEEN 1 AND 36500", name="keep_days"),
    CheckConstraint("status IN ('active', 'deprecated', 'pending')", name="status"),
    CheckConstraint("length(name) BETWEEN 1 AND 200", name="name_length"),
    Index("event_type_registry_revision", "revision"),
    Index("event_type_registry_status_name", "status", text('name COLLATE "C"')),
    Index("event_type_registry_hub_id_status_name", "hub_id", "status", text('name COLLATE "C"')),
    Index(
        "event_type_registry_waiting",
        text('name COLLATE "C"'),
        postgresql_where=text("proposal IS NOT NULL OR status = 'pending' AND NOT left_out"),
    ),
)

registry_revision = Table(
    "registry_revision",
    metadata,
    Column("singleton", Boolean, primary_key=True, server_default=true()),
    Column("value", BigInteger, nullable=False),
    CheckConstraint("singleton", name="singleton"),
    comment="One row: how often hubs, widgets or event types were changed",
)

# The instants that HTTP headers can express: in POSIX seconds, and with a year of four digits.
_IN_HEADERS = (
    "{} BETWEEN TIMESTAMP WITH TIME ZONE '1970-01-01 00:00:00+00' AND TIMESTAMP WITH TIME ZONE '9999-12-30 00:00:00+00'"
)

interaction_reporting_contracts = Table(
    "interaction_reporting_contracts",
    metadata,
    Column("contract_version", Text, primary_key=True),
    Column("major", Integer, Computed("split_part(contract_version, '.', 1)::integer", persisted=True), nullable=False),
    Column("status", Text, nullable=False, server_default="draft"),
    Column("document", Text, nullable=False, comment="The OpenAPI document as it was published: YAML or JSON"),
    Column("digest", Text, nullable=False, comment="SHA-256 of the document when it was published, in hexadecimal"),
    Column("published_at", DateTime(timezone=True), nullable=False, server_default=_now),
    Column("activated_at", DateTime(timezone=True)),
    Column("deprecated_at", DateTime(timezone=True)),
    Column("sunset_at", DateTime(timezone=True)),
    Column("retired_at", DateTime(timezone=True)),
    Column("withdrawn_at", DateTime(timezone=True), comment="Since then a draft or superseded contract binds nothing"),
    *(CheckConstraint(_IN_HEADERS.format(name), name=name) for name in ("deprecated_at", "sunset_at", "retired_at")),
    CheckConstraint("status IN ('draft', 'active', 'superseded', 'deprecated', 'retired')", name="status"),
    CheckConstraint("contract_version ~ '^[1-9][0-9]{0,3}[.](0|[1-9][0-9]{0,3})$'", name="version"),
    Index(
        "interaction_reporting_contracts_one_serves",
        "major",
        unique=True,
        postgresql_where=text("status IN ('active', 'deprecated')"),
    ),
)

interaction_reporting_contract_changes = Table(
    "interaction_reporting_contract_changes",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("changed_at", DateTime(timezone=True), nullable=False, server_default=_now),
    Column("changed_by", Text, nullable=False),
    Column("reason", Text),
    Column("action", Text, nullable=False, comment="What was done: a command, or what plain SQL did"),
    Column("contract_version", Text, nullable=False),
    Column("status_before", Text, comment="NULL: there was no such row"),
    Column("status_after", Text, comment="NULL: there is no such row any more"),
    Column("digest_before", Text, comment="SHA-256 of the text of the document, in hexadecimal"),
    Column("digest_after", Text),
    comment="Every change of a contract; triggers write it, and keep it as it is",
)

interaction_reporting_contracts_served = Table(
    "interaction_reporting_contracts_served",
    metadata,
    Column("major", Integer, primary_key=True, autoincrement=False),
    Column("contract_version", Text, nullable=False),
    Column("document", Text, nullable=False),
    Column("deprecated_at", DateTime(timezone=True)),
    Column("sunset_at", DateTime(timezone=True)),
    Column("served_at", DateTime(timezone=True), nullable=False, server_default=_now),
    comment="Of each major version what was served last: what is served where its row cannot be",
)


def _position() -> Column[int]:
    """The place of the row in the reading order: see `db.positions`."""
    return Column("position", BigInteger, nullable=False, server_default=text("nextval('positions')"))


# db.partitions creates the partitions. There are no foreign keys: three look-ups for each event would cost more than
# the insert itself, and the rows that events refer to are not deleted, so that no reference can dangle.
interaction_events = Table(
    "interaction_events",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("hub_id", Uuid, nullable=False),
    Column("widget_id", Uuid, nullable=False),
    Column("event_type", Text, nullable=False),
    Column("occurred_at", DateTime(timezone=True), nullable=False),
    Column("actor_id", Uuid),
    Column("actor_type", Text),
    Column("view_context_ref", Text),
    Column("metadata", JSONB(none_as_null=True)),
    Column(
        "additional_fields", JSONB(none_as_null=True), comment="Fields that the contract declares and no column holds"
    ),
    Column("contract_version", Text, nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False, server_default=_now),
    _position(),
    Column("client_event_id", Text),
    Index("interaction_events_widget_id_occurred_at", "widget_id", "occurred_at"),
    Index("interaction_events_hub_id_position", "hub_id", "position"),
    Index("interaction_events_position", "position"),
    postgresql_partition_by="RANGE (id)",
)

annotations = Table(
    "annotations",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("hub_id", Uuid, nullable=False),
    Column("widget_id", Uuid, nullable=False),
    Column("event_id", Uuid),
    Column("category", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("severity", Text),
    Column("occurred_at", DateTime(timezone=True), nullable=False),
    Column("actor_id", Uuid),
    Column("actor_type", Text),
    Column("view_context_ref", Text),
    Column("metadata", JSONB(none_as_null=True)),
    Column(
        "additional_fields", JSONB(none_as_null=True), comment="Fields that the contract declares and no column holds"
    ),
    Column("client_annotation_id", Text),
    Column("contract_version", Text, nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False, server_default=_now),
    _position(),
    Index("annotations_widget_id_occurred_at", "widget_id", "occurred_at"),
    Index("annotations_hub_id_position", "hub_id", "position"),
    Index("annotations_position", "position"),
    postgresql_partition_by="RANGE (id)",
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("hub_id", Uuid, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("digest", Uuid, nullable=False, comment="128 bits of BLAKE2 of what was submitted"),
    Column("id", Uuid, nullable=False, comment="Of the row that was stored, or would have been"),
    Index("idempotency_keys_id", "id", postgresql_using="brin"),
    comment="What was submitted under a key; a key is unique for its hub as long as what it names is kept",
)

hub_capability_manifests = Table(
    "hub_capability_manifests",
    metadata,
    Column("hub_id", Uuid, primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("manifest", JSONB, nullable=False, comment="As it was submitted"),
    Column("contract_version", Text, nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False, server_default=_now),
)


def _waiting_index(name: str, *columns: str) -> Index:
    """An index of the rejections that wait for a replay."""
    return Index(name, *columns, postgresql_where=text("replayed_at IS NULL"))


rejected_submissions = Table(
    "rejected_submissions",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("hub_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False, comment="What was submitted: event, annotation, or a batch of them"),
    Column("batch_index", Integer, comment="Where it stood in a batch, from 0"),
    Column("code", Text, nullable=False, comment="Why it was rejected, for programs"),
    Column("error", Text, nullable=False),
    Column("help", Text, nullable=False, server_default=""),
    Column("pointer", Text),
    Column("raw", LargeBinary, nullable=False, comment="The bytes that were submitted"),
    Column("request_key", Text, comment="The key that its request had, and in a batch its index"),
    Column("contract_version", Text, nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False, server_default=_now),
    Column("attempted_at", DateTime(timezone=True), comment="When a replay last did not store it"),
    Column("replayed_at", DateTime(timezone=True)),
    Column("replayed_as", Uuid, comment="The id of what a replay stored"),
    _position(),
    Column("event_type", Text, comment="As it was sent, cut; NULL: it had none, or was rejected before this column"),
    Index("rejected_submissions_hub_id_position", "hub_id", "position"),
    Index(
        "rejected_submissions_event_type_hub_id",
        "event_type",
        "hub_id",
        postgresql_where=text("event_type IS NOT NULL AND replayed_at IS NULL"),
    ),
    Index("rejected_submissions_position", "position"),
    _waiting_index("rejected_submissions_code_position", "code", "position", "hub_id", "kind", "received_at"),
    _waiting_index("rejected_submissions_code_position_id", "code", "position", "hub_id", "kind", "received_at", "id"),
    _waiting_index("rejected_submissions_waiting_hub_position", "hub_id", "position", "kind"),
    _waiting_index("rejected_submissions_waiting_position", "position", "kind"),
    _waiting_index("rejected_submissions_waiting_position_id", "position", "kind", "id"),
    Index(
        "rejected_submissions_event_type_position",
        "event_type",
        "position",
        "hub_id",
        "code",
        "kind",
        postgresql_where=text("event_type IS NOT NULL AND replayed_at IS NULL"),
    ),
    Index(
        "rejected_submissions_replayed_position",
        "position",
        "hub_id",
        "code",
        "kind",
        "event_type",
        postgresql_where=text("replayed_at IS NOT NULL"),
    ),
)

usage = Table(
    "usage",
    metadata,
    Column("hub_id", Uuid, primary_key=True),
    Column("hour", DateTime(timezone=True), primary_key=True),
    Column("kind", Text, primary_key=True, comment="event or annotation"),
    Column("outcome", Text, primary_key=True, comment="created, duplicate, rejected or throttled"),
    Column("reason", Text, primary_key=True, comment="The type or category; of a rejection, the code of why"),
    Column("count", BigInteger, nullable=False),
    Index("usage_kind_reason_hour", "kind", "reason", "hour"),
)

hub_outcomes = Table(
    "hub_outcomes",
    metadata,
    Column("hub_id", Uuid, primary_key=True),
    Column("hour", DateTime(timezone=True), primary_key=True),
    Column("outcome", Text, primary_key=True, comment="As in usage"),
    Column("count", BigInteger, nullable=False),
    comment="The sums of usage over kinds and reasons: few rows, however many types a hub sends",
)

usage_minutes = Table(
    "usage_minutes",
    metadata,
    Column("minute", DateTime(timezone=True), primary_key=True),
    Column("major", Integer, primary_key=True, comment="Of the contract that the requests were sent to"),
    Column("kind", Text, primary_key=True, comment="event or annotation; request: any request"),
    Column("outcome", Text, primary_key=True, comment="As in usage; of requests only throttled"),
    Column("count", BigInteger, nullable=False),
    comment="Submissions of all hubs in the last two days",
)

latency_minutes = Table(
    "latency_minutes",
    metadata,
    Column("minute", DateTime(timezone=True), primary_key=True),
    Column("major", Integer, primary_key=True, comment="Of the contract that the requests were sent to"),
    Column("bucket", Double, primary_key=True, comment="Its upper bound, in seconds; the last is Infinity"),
    Column("count", BigInteger, nullable=False),
    comment="Durations of requests in the last two days",
)

type_usage = Table(
    "type_usage",
    metadata,
    Column("event_type", Text, primary_key=True),
    Column("hour", DateTime(timezone=True), primary_key=True),
    Column("outcome", Text, primary_key=True, comment="created or duplicate"),
    Column("count", BigInteger, nullable=False),
    comment="Stored events of all hubs, since this table; usage has those of each hub",
)

hub_requests = Table(
    "hub_requests",
    metadata,
    Column("hub_id", Uuid, primary_key=True),
    Column("major", Integer, primary_key=True, comment="Of the contract that the requests were sent to"),
    Column("day", Date, primary_key=True, comment="In UTC"),
    Column("count", BigInteger, nullable=False),
    Column("last_seen_at", DateTime(timezone=True), nullable=False),
    Index("hub_requests_day", "day"),
)

hub_totals = Table(
    "hub_totals",
    metadata,
    Column("hub_id", Uuid, primary_key=True),
    Column("last_seen_at", DateTime(timezone=True), nullable=False, comment="Its last authenticated request"),
)

oauth_clients = Table(
    "oauth_clients",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("issuer", Text, nullable=False, server_default="", comment="Whose client it is; empty: ours"),
    Column("client_id", Text, nullable=False),
    Column("hub_id", Uuid, nullable=False),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("secret", Text, comment="SHA-256 of the secret, in hexadecimal; the secret itself is not kept"),
    Column("previous_secret", Text, comment="Likewise, of the one before"),
    Column("previous_secret_until", DateTime(timezone=True)),
    Column("jwks", JSONB(none_as_null=True), comment="The public keys that its assertions are signed with"),
    Column("dpop_bound", Boolean, nullable=False, server_default=false()),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=_now),
    Column("rotated_at", DateTime(timezone=True)),
    Column("disabled_at", DateTime(timezone=True)),
    _revision(),
    UniqueConstraint("issuer", "client_id"),
    CheckConstraint("secret ~ '^[0-9a-f]{64}$'", name="secret_is_digest"),
    CheckConstraint("previous_secret ~ '^[0-9a-f]{64}$'", name="previous_secret_is_digest"),
    Index("oauth_clients_revision", "revision"),
    comment="Who may act for a hub with which scopes; one that is disabled may not",
)

oauth_signing_keys = Table(
    "oauth_signing_keys",
    metadata,
    Column("kid", Text, primary_key=True),
    Column("key", Text, nullable=False, comment="A private JWK (RFC 7517), or a JWE (RFC 7516) that holds it"),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=_now),
    Column(
        "expires_at",
        DateTime(timezone=True),
        comment="When no token that it signed is valid any more; NULL: it signs",
    ),
    _revision(),
    Index("oauth_signing_keys_revision", "revision"),
    comment="The keys that sign access tokens: the newest one signs, all of them verify until they expire",
)

oauth_revoked_tokens = Table(
    "oauth_revoked_tokens",
    metadata,
    Column("jti", Uuid, primary_key=True),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    _revision(),
    Index("oauth_revoked_tokens_revision", "revision"),
    comment="Access tokens that were revoked, until they would have expired",
)

oauth_used_tokens = Table(
    "oauth_used_tokens",
    metadata,
    Column("digest", LargeBinary, primary_key=True, comment="SHA-256 of whose it is and its jti"),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Index("oauth_used_tokens_expires_at", "expires_at"),
    comment="Assertions and DPoP proofs, each good for one use, until they expire",
)

schema_revisions = Table(
    "schema_revisions",
    metadata,
    Column("revision", Text, primary_key=True),
    Column("kind", Text, nullable=False, comment="expand, contract, or before: of the time before this table"),
    Column("applied_at", DateTime(timezone=True), comment="NULL: before this table"),
    CheckConstraint("kind IN ('before', 'expand', 'contract')", name="kind"),
    comment="The revisions of these tables; an earlier release works on them if all that it does not know expand",
)

timelines = Table(
    "timelines",
    metadata,
    Column("epoch", BigInteger, primary_key=True, autoincrement=False, comment="1, then seconds since 1970"),
    Column("system_identifier", BigInteger, nullable=False),
    Column("timeline_id", BigInteger, nullable=False, comment="Of the write-ahead log"),
    Column("database_oid", BigInteger, nullable=False),
    Column("positions_oid", BigInteger, nullable=False, comment="Of the sequence, which a dump makes anew"),
    Column("detected_at", DateTime(timezone=True), nullable=False),
    Column("restored_to", DateTime(timezone=True), comment="When the newest row was received that survived"),
    Column("last_position", BigInteger, nullable=False, comment="The one before the jump"),
    comment="Each beginning of the database: where it was created, then each restore, copy and promotion",
)

replicas = Table(
    "replicas",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("seen_at", DateTime(timezone=True), nullable=False, comment="Written once a second"),
    comment="The replicas of the service that live or have lived since yesterday",
)

erasures = Table(
    "erasures",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("actor_sha256", Text, nullable=False, comment="Of the actor's UUID, in hexadecimal"),
    Column("why", Text),
    Column("requested_at", DateTime(timezone=True), nullable=False, server_default=_now),
    Column("completed_at", DateTime(timezone=True), comment="NULL: it was interrupted"),
    Column("repeated_at", DateTime(timezone=True), comment="When it was last done again"),
    Column("rows_deleted", JSONB, nullable=False, server_default=text("'{}'"), comment="When first done, by table"),
    CheckConstraint("actor_sha256 ~ '^[0-9a-f]{64}$'", name="actor_sha256_is_digest"),
    comment="What was erased, without the actor's UUID: after a restore it is erased again",
)

event_type_deletions = Table(
    "event_type_deletions",
    metadata,
    Column("event_type", Text, primary_key=True),
    Column("done_until", DateTime(timezone=True), nullable=False, comment="Its events from before were looked at"),
    comment="How far the events of a type that are too old were deleted: the next time goes on from there",
)

generated_clients = Table(
    "generated_clients",
    metadata,
    Column(
        "digest", Text, primary_key=True, comment="SHA-256 of the document that the generator reads, in hexadecimal"
    ),
    Column("language", Text, primary_key=True),
    Column("generator", Text, primary_key=True, comment="Its version, and that of what is done before and after it"),
    Column("attempts", Integer, nullable=False, server_default=text("0"), comment="Builds that have begun"),
    Column("archive", LargeBinary),
    Column("sha256", Text, comment="Of the archive, in hexadecimal"),
    Column("fault", Text, comment="Why there is no archive; NULL beside no archive: it is not built yet"),
    Column("made_at", DateTime(timezone=True), nullable=False, server_default=_now),
    CheckConstraint("(archive IS NULL) = (sha256 IS NULL)", name="archive_digest"),
    CheckConstraint("archive IS NULL OR fault IS NULL", name="one_outcome"),
    comment="Clients of contracts in other languages; deleted rows are made again",
)

admins = Table(
    "admins",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("password", Text, comment="Its hash (Argon2id, in PHC's format); NULL: an issuer signs them in"),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=_now),
    Column("disabled_at", DateTime(timezone=True)),
    UniqueConstraint("name"),
    CheckConstraint("role IN ('viewer', 'editor', 'owner')", name="role"),
    CheckConstraint("password LIKE '$argon2id$%'", name="password_is_hash"),
)

page_sessions = Table(
    "page_sessions",
    metadata,
    Column("digest", Text, primary_key=True, comment="SHA-256 of the cookie, in hexadecimal"),
    Column("admin_id", Uuid, ForeignKey("admins.id", ondelete="CASCADE")),
    Column("hub_id", Uuid),
    Column("credential", Text, comment="SHA-256 of the key or the secret that a hub signed in with"),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=_now),
    Column("seen_at", DateTime(timezone=True), nullable=False, server_default=_now),
    Column("note", JSONB(none_as_null=True), comment="What the next page says"),
    CheckConstraint("num_nonnulls(admin_id, hub_id) = 1", name="one_owner"),
    CheckConstraint("digest ~ '^[0-9a-f]{64}$'", name="digest_is_digest"),
    Index("page_sessions_admin_id", "admin_id"),
    Index("page_sessions_created_at", "created_at"),
    comment="Who is signed in to the pages, as a browser's cookie says",
)

audit = Table(
    "audit",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False, server_default=_now),
    Column("actor", Text, nullable=False, comment="admin:NAME, cli:LOGIN, or the database's user"),
    Column("action", Text, nullable=False),
    Column("kind", Text, nullable=False, comment="Of the subject: hub, event type, ..."),
    Column("subject", Text, nullable=False),
    Column(
        "before",
        JSONB(none_as_null=True),
        comment="The columns that changed, without secrets; NULL: there was no such row",
    ),
    Column("after", JSONB(none_as_null=True)),
    Column("why", Text),
    Column("address", Text, comment="Where the request came from"),
    Index("audit_actor_id", "actor", "id"),
    Index("audit_subject_id", "kind", "subject", "id"),
    comment="What operators changed; triggers write it, and keep it as it is",
)

replays = Table(
    "replays",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("created_by", Text, nullable=False, comment="admin:NAME or cli:LOGIN"),
    Column("why", Text),
    Column("filter", JSONB, nullable=False, comment="What is replayed: values by column, or ids"),
    Column("state", Text, nullable=False, server_default="waiting"),
    Column("fault", Text, comment="Why it failed"),
    Column("total", BigInteger, nullable=False, comment="Rejections that waited when it was created"),
    Column("stored", BigInteger, nullable=False, server_default=text("0")),
    Column("rejected", BigInteger, nullable=False, server_default=text("0"), comment="Tried, and rejected again"),
    Column(
        "skipped",
        BigInteger,
        nullable=False,
        server_default=text("0"),
        comment="Not tried: the hub is disabled, the version is not served, or the rejection no longer waits",
    ),
    Column("position", BigInteger, nullable=False, server_default=text("0"), comment="The last one looked at"),
    Column("last_position", BigInteger, nullable=False, comment="Later rejections are not replayed"),
    Column("worker", Uuid, comment="The worker that works on it; NULL: any may take it"),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=_now),
    Column("started_at", DateTime(timezone=True)),
    Column("heartbeat_at", DateTime(timezone=True), comment="When the worker was last seen"),
    Column("finished_at", DateTime(timezone=True)),
    CheckConstraint("state IN ('waiting', 'running', 'finished', 'cancelled', 'failed')", name="state"),
    CheckConstraint("(finished_at IS NULL) = (state IN ('waiting', 'running'))", name="finished_at_is_of_an_end"),
    Index("replays_created_at", "created_at"),
    Index("replays_unfinished", "created_at", postgresql_where=text("finished_at IS NULL")),
    comment="Replays of rejected submissions that operators have begun: a worker does one after the other",
)

contract_rehearsals = Table(
    "contract_rehearsals",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("contract_version", Text, nullable=False),
    Column("document", Text, nullable=False, comment="Digest of the contract that is tried"),
    Column("last", Integer, nullable=False, comment="How many submissions of each kind to try"),
    Column("begun_by", Text, nullable=False),
    Column("begun_at", DateTime(timezone=True), nullable=False, server_default=_now),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("total", Integer, comment="How many submissions there are to try; NULL: it has not begun"),
    Column("done", Integer, nullable=False, server_default=text("0")),
    Column("ended_at", DateTime(timezone=True), comment="NULL: it waits or runs"),
    Column("fault", Text, comment="Why it ended without a result"),
    Column("governing", Text, comment="The version that it was compared with"),
    Column("governing_document", Text, comment="Digest of that contract"),
    Column("newly_fails", Integer),
    Column("newly_passes", Integer),
    Column("result", JSONB(none_as_null=True), comment="The counts and the examples by hub"),
    Column(
        "unanswerable",
        Integer,
        comment="Stored rows that the contract could not answer with; NULL: none was looked at",
    ),
    Column("newly_unanswerable", Integer, comment="Those that the governing contract could answer with"),
    CheckConstraint("last > 0", name="last"),
    CheckConstraint("(result IS NULL) = (newly_fails IS NULL)", name="outcome"),
    CheckConstraint("ended_at IS NULL OR num_nonnulls(fault, result) = 1", name="end"),
    Index("contract_rehearsals_contract_version", "contract_version", "begun_at"),
    Index("contract_rehearsals_waiting", "begun_at", postgresql_where=text("ended_at IS NULL")),
    comment="Contracts that are tried on the submissions of hubs: a worker does it, and keeps the result",
)
