"""What the resources of a worker say of themselves, read once a second."""

from collections.abc import Iterator
from datetime import UTC, datetime

from db.replicas import Replicas
from db.write_counts import WriteCounts
from handlers.resources import Resources
from scripts.metrics.values import Sample

REJECTIONS = "rejection"
"""The kind of the writer of rejected submissions; the others are those of submissions."""


def readings(resources: Resources, replicas: Replicas) -> Iterator[Sample]:
    """The values of the writers, the registry and the pool of connections."""
    writers = {**resources.writers, REJECTIONS: resources.rejections.writer}
    for kind, writer in writers.items():
        yield "write_queue_rows", (kind,), writer.waiting_rows
        yield "write_queue_bytes", (kind,), writer.waiting_bytes
        yield from _counted(kind, writer.counts)
    # A writer without rows does not notice; the row of the replica is written all the time.
    away = [replicas.away_seconds, *(writer.away_seconds for writer in writers.values())]
    yield "database_away_seconds", (), max(away)
    yield "registry_age_seconds", (), resources.registry.age
    for state, count in resources.database.pool_use.items():
        yield "database_connections", (state,), count
    yield "revoked_tokens", (), resources.registry.oauth.revoked_count
    if signing_since := resources.registry.oauth.signing_since:
        yield "signing_key_age_seconds", (), (datetime.now(UTC) - signing_since).total_seconds()


def _counted(kind: str, counts: WriteCounts) -> Iterator[Sample]:
    yield "write_wait_seconds", (kind,), counts.waits.parts
    yield "write_batch_rows", (kind,), counts.batches.parts
    yield "commit_seconds", (kind,), counts.commits.parts
    for sqlstate_class, count in counts.errors.items():
        yield "write_errors", (kind, sqlstate_class), count
