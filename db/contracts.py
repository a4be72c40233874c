"""The rows of `interaction_reporting_contracts`. The active row of a major version governs what is served."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, Integer, cast, func, insert, select, update

from db.errors import NotFound
from db.tables import interaction_reporting_contracts as contracts

SERVING = ("active", "deprecated")


@dataclass(frozen=True, slots=True)
class Row:
    """One published contract. `document` is its text, `digest` that of the document when it was published."""

    contract_version: str
    status: str
    document: str = field(repr=False)
    digest: str
    published_at: datetime
    activated_at: datetime | None


_COLUMNS = (
    contracts.c.contract_version,
    contracts.c.status,
    contracts.c.document,
    contracts.c.digest,
    contracts.c.published_at,
    contracts.c.activated_at,
)
_MINOR = cast(func.split_part(contracts.c.contract_version, ".", 2), Integer)


def publish(connection: Connection, version: str, document: str, digest: str) -> None:
    """Keep a document as a draft."""
    connection.execute(insert(contracts).values(contract_version=version, document=document, digest=digest))


def activate(connection: Connection, version: str) -> None:
    """Let the row of `version` govern its major version in place of the one that does; NotFound without it."""
    major = version.split(".", maxsplit=1)[0]
    connection.execute(
        update(contracts)
        .where(contracts.c.major == cast(major, Integer), contracts.c.status == "active")
        .where(contracts.c.contract_version != version)
        .values(status="superseded")
    )
    changed = connection.execute(
        update(contracts)
        .where(contracts.c.contract_version == version)
        .values(status="active", activated_at=func.now())
    )
    if not changed.rowcount:
        raise NotFound(f"there is no contract {version!r} in the database")


def serving(connection: Connection) -> list[Row]:
    """The rows that govern, one for each major version at most."""
    return [
        Row(*row)
        for row in connection.execute(
            select(*_COLUMNS).where(contracts.c.status.in_(SERVING)).order_by(contracts.c.major)
        )
    ]


def get(connection: Connection, version: str) -> Row:
    """The row of `version`; NotFound if there is none."""
    row = connection.execute(select(*_COLUMNS).where(contracts.c.contract_version == version)).one_or_none()
    if row is None:
        raise NotFound(f"there is no contract {version!r} in the database")
    return Row(*row)


def all_of_them(connection: Connection) -> list[Row]:
    """Every row, in the order of versions."""
    return [Row(*row) for row in connection.execute(select(*_COLUMNS).order_by(contracts.c.major, _MINOR))]
