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
    UniqueConstraint("name"),
    UniqueConstraint("api_key"),
    CheckConstraint("rate_limit > 0", name="rate_limit"),
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
    Index("rejected_submissions_hub_id_position", "hub_id", "position"),
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
)

hub_requests = Table(
    "hub_requests",
    metadata,
    Column("hub_id", Uuid, primary_key=True),
    Column("major", Integer, primary_key=True, comment="Of the contract that the requests were sent to"),
    Column("day", Date, primary_key=True, comment="In UTC"),
    Column("count", BigInteger, nullable=False),
    Column("last_seen_at", DateTime(timezone=True), nullable=False),
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
