"""Clients that were generated from contracts: each has an archive, or a fault, or is still to be built."""

from collections.abc import Collection
from dataclasses import asdict, astuple, dataclass
from hashlib import sha256

from sqlalchemy import ColumnElement, Connection, delete, func, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from db.tables import generated_clients as clients

_KEY = (clients.c.digest, clients.c.language, clients.c.generator)
_KEPT = text("interval '30 days'")
"""How long a client stays that is not wanted here: a replica of another release, or with another URL, may serve it."""


@dataclass(frozen=True, slots=True)
class ClientKey:
    """What a client is made from: the digest of a prepared document, the language, and the generator's version."""

    digest: str
    language: str
    generator: str


@dataclass(frozen=True, slots=True)
class ClientState:
    """A client: the size in bytes and the SHA-256 of its archive, or its fault, or none of them before it is built."""

    size: int | None = None
    sha256: str | None = None
    fault: str | None = None

    @property
    def is_settled(self) -> bool:
        """Whether no build is to come."""
        return self.sha256 is not None or self.fault is not None


def states(connection: Connection, generator: str) -> dict[ClientKey, ClientState]:
    """The state of each client of a generator that was begun, without its archive."""
    columns = (*_KEY, func.octet_length(clients.c.archive), clients.c.sha256, clients.c.fault)
    rows = connection.execute(select(*columns).where(clients.c.generator == generator))
    return {ClientKey(*row[:3]): ClientState(*row[3:]) for row in rows}


def archive(connection: Connection, key: ClientKey) -> bytes | None:
    """The archive of a client; None if there is none."""
    content: bytes | None = connection.scalar(select(clients.c.archive).where(_in([key])))
    return content


def begin(connection: Connection, key: ClientKey) -> int:
    """Count a build that begins; returns how many have begun, with this one."""
    statement = insert(clients).values(**asdict(key), attempts=1)
    counted = statement.on_conflict_do_update(
        constraint=clients.primary_key, set_={"attempts": clients.c.attempts + 1}
    ).returning(clients.c.attempts)
    return int(connection.execute(counted).scalar_one())


def take_back(connection: Connection, key: ClientKey) -> None:
    """Forget that a build has begun: it was stopped, and is not to blame."""
    connection.execute(update(clients).where(_in([key])).values(attempts=func.greatest(clients.c.attempts - 1, 0)))


def store(connection: Connection, key: ClientKey, content: bytes) -> None:
    """Keep the archive of a client whose build has begun."""
    values = {"archive": content, "sha256": sha256(content).hexdigest(), "fault": None, "made_at": func.now()}
    connection.execute(update(clients).where(_in([key])).values(values))


def refuse(connection: Connection, key: ClientKey, fault: str) -> None:
    """Keep why a client cannot be built; one that has an archive keeps that."""
    values = {"fault": fault, "made_at": func.now()}
    connection.execute(update(clients).where(_in([key]), clients.c.archive.is_(None)).values(values))


def forget(connection: Connection, wanted: Collection[ClientKey]) -> int:
    """Delete old clients that are not `wanted`; returns their number."""
    is_old = clients.c.made_at < func.now() - _KEPT
    return connection.execute(delete(clients).where(is_old, ~_in(wanted))).rowcount


def _in(keys: Collection[ClientKey]) -> ColumnElement[bool]:
    return tuple_(*_KEY).in_([astuple(key) for key in keys])
