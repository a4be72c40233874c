"""The tables. `migrations/` makes them; a test compares the two."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    DateTime,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
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
    UniqueConstraint("name"),
    UniqueConstraint("api_key"),
    CheckConstraint("api_key ~ '^[0-9a-f]{64}$'", name="api_key_is_digest"),
    Index("hubs_revision", "revision"),
)

widgets = Table(
    "widgets",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("status", Text, nullable=False, server_default="active"),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=_now),
    _revision(),
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
    CheckConstraint("status IN ('active', 'deprecated')", name="status"),
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
    CheckConstraint("status IN ('draft', 'active', 'superseded', 'deprecated', 'retired')", name="status"),
    CheckConstraint("contract_version ~ '^[1-9][0-9]{0,3}[.](0|[1-9][0-9]{0,3})$'", name="version"),
    Index(
        "interaction_reporting_contracts_one_serves",
        "major",
        unique=True,
        postgresql_where=text("status IN ('active', 'deprecated')"),
    ),
)

# db.partitions makes the partitions. There are no foreign keys: three look-ups for each event would cost more than the
# insert itself, and the rows that events refer to are not deleted, so that nothing can dangle.
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
    Index("interaction_events_widget_id_occurred_at", "widget_id", "occurred_at"),
    Index("interaction_events_hub_id_id", "hub_id", "id"),  # ids are in the order of receipt
    postgresql_partition_by="RANGE (id)",
)
