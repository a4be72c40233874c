"""The versions that hubs use now, as pages list them."""

from dataclasses import dataclass
from datetime import datetime

from db.contracts import ContractRow
from openapi.contract import Contract

SERVED = ("active", "deprecated")
"""The states of a version that hubs use."""


@dataclass(frozen=True, slots=True)
class ServedVersion:
    """A version that is served. Its instants are unknown while its row cannot be read."""

    number: str
    status: str
    path: str
    since: datetime | None = None
    deprecated: datetime | None = None
    until: datetime | None = None

    @classmethod
    def of(cls, contract: Contract, row: ContractRow | None) -> "ServedVersion":
        """The version of `contract`, with what its row says; None if that cannot be read."""
        if row is None:
            return cls(contract.version, "served", contract.server_path)
        instants = row.activated_at, row.deprecated_at, row.sunset_at
        return cls(contract.version, row.status, contract.server_path, *instants)
