"""The version that each version is compared with in a changelog. It is settled when a version becomes public.

It is the highest lower version that was public then, and not withdrawn: neither a later activation nor a later
withdrawal of another version changes it. What was public before the history began was so from the beginning.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from db.contract_changes import Change
from db.contracts import ContractRow

_NOT_YET = (None, "draft")
"""Statuses of a version that is not public."""


@dataclass(frozen=True, slots=True)
class _Debut:
    """When a version became public: its place in the history, and the instant; None for before the history."""

    place: int
    at: datetime | None


def predecessors(rows: Sequence[ContractRow], history: Iterable[Change]) -> dict[str, str | None]:
    """The version before that of each of the `rows`; None for a first one. A draft's may change until it is public."""
    debuts = _debuts(history)
    before_all = _Debut(-1, None)
    public = {row: debuts.get(row.contract_version, before_all) for row in rows if row.is_public}
    return {row.contract_version: _predecessor(row, public.get(row), public) for row in rows}


def _debuts(history: Iterable[Change]) -> dict[str, _Debut]:
    debuts: dict[str, _Debut] = {}
    for place, change in enumerate(history):
        version = change.contract_version
        if version not in debuts and change.status_before not in _NOT_YET:
            debuts[version] = _Debut(-1, None)
        elif version not in debuts and change.status_after not in _NOT_YET:
            debuts[version] = _Debut(place, change.changed_at)
    return debuts


def _predecessor(row: ContractRow, debut: _Debut | None, public: Mapping[ContractRow, _Debut]) -> str | None:
    lower = [
        other
        for other, first in public.items()
        if other.numbers < row.numbers
        and (debut is None or first.place <= debut.place)
        and not _is_withdrawn(other, debut)
    ]
    return max(lower, key=lambda other: other.numbers).contract_version if lower else None


def _is_withdrawn(row: ContractRow, debut: _Debut | None) -> bool:
    """True if `row` was withdrawn at `debut`, or is now if there was none."""
    if row.status != "withdrawn" or row.withdrawn_at is None:
        return False
    return debut is None or (debut.at is not None and row.withdrawn_at <= debut.at)
