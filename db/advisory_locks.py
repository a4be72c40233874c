"""The advisory locks of the database: one table, so that no two jobs share a key by accident."""

from enum import IntEnum

from sqlalchemy import Connection, text


class AdvisoryLock(IntEnum):
    """Jobs that may be locked. PostgreSQL knows a lock by its number alone, so the numbers never change."""

    MIGRATIONS = 0x1_4E7E_4AC7
    PARTITIONS = 0x1_4E7E_4AC8
    EVENT_TYPES = 0x1_4E7E_4AC9
    SIGNING_KEYS = 0x1_4E7E_4ACA
    DELETIONS = 0x1_4E7E_4ACB
    EVENT_TYPE_DAYS = 0x1_4E7E_4ACC
    GENERATED_CLIENTS = 0x1_4E7E_4ACD
    ADMINS = 0x1_4E7E_4ACE
    ADMIN_CHANGES = 0x1_4E7E_4ACF
    REPLAYS = 0x1_4E7E_4AD0
    REHEARSALS = 0x1_4E7E_4AD1


_HOLDERS = text("""
    SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND classid::bigint = :high AND objid::bigint = :low
""")


def lock(connection: Connection, job: AdvisoryLock) -> None:
    """Wait for the lock of `job`, and hold it until the end of the transaction."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": job.value})


def try_lock(connection: Connection, job: AdvisoryLock) -> bool:
    """Take the lock of `job` until the end of the transaction; False, without waiting, if another holds it."""
    return bool(connection.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": job.value}))


def try_session_lock(connection: Connection, job: AdvisoryLock) -> bool:
    """Take the lock of `job` until the end of the session; False, without waiting, if another holds it."""
    return bool(connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": job.value}))


def holders(connection: Connection, job: AdvisoryLock) -> list[int]:
    """The numbers of the server processes whose session or transaction holds the lock of `job`."""
    high, low = divmod(job.value, 1 << 32)
    return list(connection.scalars(_HOLDERS, {"high": high, "low": low}))
