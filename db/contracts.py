"""The rows of `interaction_reporting_contracts`. The active row of a major version governs what is served.

A trigger sets the instants of a row, for plain SQL too. A row has `deprecated_at` and `sunset_at` while it is
deprecated or retired, and `retired_at` while it is retired; `activated_at` is when it last began to govern.

A draft or a superseded row with `withdrawn_at` is withdrawn. That is no value of the column `status`, so that an
earlier release goes on with such a row as with any other of its status.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Integer, case, cast, delete, func, insert, select, text, update

from db.audit import Author, attribute
from db.errors import NotFound, Refused
from db.tables import interaction_reporting_contracts as contracts

SERVING = ("active", "deprecated")
LAST_SUNSET = datetime(9999, 12, 30, tzinfo=UTC)
"""The latest sunset that the table accepts: a year in HTTP has four digits, in any time zone."""


@dataclass(frozen=True, slots=True)
class ContractRow:
    """One published contract. `document` is its text, `digest` the digest of the document at publication.

    `status` is draft, active, deprecated, superseded, retired or withdrawn.
    """

    contract_version: str
    status: str
    document: str = field(repr=False)
    digest: str
    published_at: datetime
    activated_at: datetime | None
    deprecated_at: datetime | None = None
    sunset_at: datetime | None = None
    retired_at: datetime | None = None
    withdrawn_at: datetime | None = None

    @property
    def is_public(self) -> bool:
        """True if clients may know it: it governed once, or its status says so."""
        return not self.is_discardable

    @property
    def is_discardable(self) -> bool:
        """True if it is a draft, also a withdrawn one."""
        return self.status == "draft" or (self.status == "withdrawn" and self.activated_at is None)

    def is_withdrawable(self, governing: "ContractRow | None") -> bool:
        """True if it is a draft, or superseded and not followed by the row that is `governing` its major version."""
        is_followed = governing is not None and governing.numbers > self.numbers
        return self.status == "draft" or (self.status == "superseded" and not is_followed)

    @property
    def numbers(self) -> tuple[int, int]:
        """Major and minor version."""
        major, minor = self.contract_version.split(".")
        return int(major), int(minor)

    @property
    def major(self) -> int:
        """The major version; at most one row governs it."""
        return int(self.contract_version.split(".", maxsplit=1)[0])


_IS_WITHDRAWN = contracts.c.withdrawn_at.is_not(None) & contracts.c.status.in_(("draft", "superseded"))
_COLUMNS: tuple[Any, ...] = (
    contracts.c.contract_version,
    case((_IS_WITHDRAWN, "withdrawn"), else_=contracts.c.status).label("status"),
    contracts.c.document,
    contracts.c.digest,
    contracts.c.published_at,
    contracts.c.activated_at,
    contracts.c.deprecated_at,
    contracts.c.sunset_at,
    contracts.c.retired_at,
    contracts.c.withdrawn_at,
)
_MINOR = cast(func.split_part(contracts.c.contract_version, ".", 2), Integer)
_UNNAMED = Author()


def lock(connection: Connection) -> None:
    """Lock the contracts table against writers until the transaction ends."""
    connection.execute(text(f"LOCK TABLE {contracts.name} IN SHARE ROW EXCLUSIVE MODE"))


def publish(connection: Connection, version: str, document: str, digest: str, author: Author = _UNNAMED) -> ContractRow:
    """Store a document as a draft; Refused if a contract of `version` already exists."""
    lock(connection)
    if connection.scalar(select(contracts.c.status).where(contracts.c.contract_version == version)):
        raise Refused(f"contract {version} is already published")
    attribute(connection, "publish", author)
    connection.execute(insert(contracts).values(contract_version=version, document=document, digest=digest))
    return get(connection, version)


def activate(connection: Connection, version: str, author: Author = _UNNAMED) -> ContractRow:
    """Let the row of `version` govern its major version in place of the current row; NotFound if absent.

    It inherits the deprecation of that row: the dates that clients have received stay true. Refused if it is
    withdrawn: later versions were not compared with it.
    """
    lock(connection)
    row = get(connection, version)
    if row.status == "withdrawn":
        raise Refused(f"contract {version} is withdrawn: publish its document with another version number")
    return _activate(connection, row, "activate", author)


def before(connection: Connection, major: int) -> ContractRow:
    """The row that governed `major` before the current row; Refused if either is absent."""
    return earlier(connection, major)[0]


def earlier(connection: Connection, major: int) -> list[ContractRow]:
    """The rows that governed `major` before the current row, the last one first; Refused if there is none."""
    if _serving(connection, major) is None:
        raise Refused(f"no contract of major version {major} is served: activate one")
    rows = connection.execute(
        select(*_COLUMNS)
        .where(contracts.c.major == major, contracts.c.status == "superseded", contracts.c.activated_at.is_not(None))
        .where(~_IS_WITHDRAWN)
        .order_by(contracts.c.activated_at.desc(), _MINOR.desc())
    ).all()
    if not rows:
        raise Refused(f"no other contract of major version {major} was served before")
    return [ContractRow(*row) for row in rows]


def rollback(connection: Connection, major: int, author: Author = _UNNAMED) -> ContractRow:
    """Let the previous row govern `major` again; a second rollback undoes the first.

    Refused without such a row.
    """
    lock(connection)
    return restore(connection, before(connection, major), author)


def restore(connection: Connection, row: ContractRow, author: Author = _UNNAMED) -> ContractRow:
    """Let `row`, one of those that governed before, govern again; the caller has the lock."""
    return _activate(connection, row, "rollback", author)


def deprecate(connection: Connection, version: str, sunset: datetime, author: Author = _UNNAMED) -> ContractRow:
    """Announce to clients of `version` that it ends at `sunset`; replaces an earlier date.

    Refused unless it is served, and if `sunset` has passed or is later than HTTP can express.
    """
    row = _served_row(connection, version)
    if sunset > LAST_SUNSET:
        raise Refused(f"the sunset is after {LAST_SUNSET:%Y-%m-%d}, the latest date allowed")
    if sunset <= connection.execute(select(func.now())).scalar_one():
        raise Refused("the sunset is not in the future")
    attribute(connection, "deprecate", author)
    return _change(connection, row, status="deprecated", sunset_at=sunset)


def withdraw_deprecation(connection: Connection, version: str, author: Author = _UNNAMED) -> ContractRow:
    """Withdraw a deprecation; Refused unless `version` is deprecated."""
    row = _deprecated_row(connection, version)
    attribute(connection, "withdraw deprecation", author)
    return _change(connection, row, status="active")


def withdraw(connection: Connection, version: str, author: Author = _UNNAMED) -> ContractRow:
    """Let a draft, or a version that was rolled back, bind no later version; its row and its number stay.

    Refused as in `require_withdrawable`.
    """
    lock(connection)
    row = get(connection, version)
    require_withdrawable(connection, row)
    attribute(connection, "withdraw", author)
    return _change(connection, row, withdrawn_at=func.now())


def require_withdrawable(connection: Connection, row: ContractRow) -> None:
    """Refused unless `row` is a draft, or superseded by a lower version: a higher one promises what it promised."""
    governing = _serving(connection, row.major)
    if row.is_withdrawable(governing):
        return
    if row.status == "superseded" and governing:
        raise Refused(
            f"contract {row.contract_version} was followed by {governing.contract_version}, which governs: its clients "
            "stay supported until the major version is retired"
        )
    raise Refused(_not_possible(row, "withdrawn"))


def discard(connection: Connection, version: str, author: Author = _UNNAMED) -> ContractRow:
    """Delete a draft, so that its number is free again; returns its last row. Refused unless it is a draft."""
    lock(connection)
    row = get(connection, version)
    if not row.is_discardable:
        raise Refused(_not_possible(row, "discarded"))
    attribute(connection, "discard", author)
    connection.execute(delete(contracts).where(contracts.c.contract_version == version))
    return row


def retire(connection: Connection, version: str, before_sunset: bool = False, author: Author = _UNNAMED) -> ContractRow:
    """Stop serving `version`, and so its major version; Refused unless it is deprecated and its sunset has passed.

    With `before_sunset` a deprecation is enough.
    """
    row = _deprecated_row(connection, version)
    now = connection.execute(select(func.now())).scalar_one()
    if not before_sunset and (row.sunset_at is None or row.sunset_at > now):
        when = "has no sunset" if row.sunset_at is None else f"is served until {row.sunset_at:%Y-%m-%d %H:%M} UTC"
        raise Refused(f"contract {version} {when}")
    attribute(connection, "retire", author)
    return _change(connection, row, status="retired")


def serving(connection: Connection) -> list[ContractRow]:
    """The governing rows, at most one for each major version."""
    return [
        ContractRow(*row)
        for row in connection.execute(
            select(*_COLUMNS).where(contracts.c.status.in_(SERVING)).order_by(contracts.c.major)
        )
    ]


def get(connection: Connection, version: str) -> ContractRow:
    """The row of `version`; NotFound if absent."""
    row = connection.execute(select(*_COLUMNS).where(contracts.c.contract_version == version)).one_or_none()
    if row is None:
        raise NotFound(f"there is no contract {version!r} in the database")
    return ContractRow(*row)


def list_all(connection: Connection) -> list[ContractRow]:
    """Every row, in version order."""
    return [ContractRow(*row) for row in connection.execute(select(*_COLUMNS).order_by(contracts.c.major, _MINOR))]


def _activate(connection: Connection, row: ContractRow, action: str, author: Author) -> ContractRow:
    if row.status in SERVING:
        return row
    attribute(connection, action, author)
    superseded = _serving(connection, row.major)
    inherited: dict[str, Any] = {"status": "active"}
    if superseded is not None:
        _change(connection, superseded, status="superseded")
        if superseded.status == "deprecated":
            inherited = {name: getattr(superseded, name) for name in ("status", "deprecated_at", "sunset_at")}
    return _change(connection, row, **inherited)


def _serving(connection: Connection, major: int) -> ContractRow | None:
    """The row that governs `major`; None if absent."""
    statement = select(*_COLUMNS).where(contracts.c.major == major, contracts.c.status.in_(SERVING))
    row = connection.execute(statement).one_or_none()
    return ContractRow(*row) if row else None


def _served_row(connection: Connection, version: str) -> ContractRow:
    lock(connection)
    row = get(connection, version)
    if row.status not in SERVING:
        raise Refused(f"contract {version} is not served: it is {row.status}{_remedy(row)}")
    return row


def _deprecated_row(connection: Connection, version: str) -> ContractRow:
    lock(connection)
    row = get(connection, version)
    if row.status != "deprecated":
        raise Refused(f"contract {version} is not deprecated: it is {row.status}{_remedy(row)}")
    return row


def _not_possible(row: ContractRow, done: str) -> str:
    """The reason why `row` cannot be `done`, with the command that must come before."""
    first = f"; 'interaction-reporting contract rollback --major {row.major}' first" if row.status in SERVING else ""
    return f"contract {row.contract_version} cannot be {done}: it is {row.status}{first}{_remedy(row)}"


def _remedy(row: ContractRow) -> str:
    """The command that undoes `row` if it does not govern, as the end of a sentence; empty if there is none."""
    version, contract = row.contract_version, "interaction-reporting contract"
    remedies = {
        "draft": f"'{contract} discard {version}' deletes it",
        "superseded": f"if it was a mistake, '{contract} withdraw {version}' lets it bind no later version",
    }
    return f"; {remedies[row.status]}" if row.status in remedies else ""


def _change(connection: Connection, row: ContractRow, **values: Any) -> ContractRow:
    connection.execute(update(contracts).where(contracts.c.contract_version == row.contract_version).values(values))
    return get(connection, row.contract_version)
