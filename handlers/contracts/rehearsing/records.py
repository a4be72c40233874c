"""Stored rows that a contract could not answer with: its schema of their records forbids what they have.

All major versions answer with the same rows, so a row counts whichever version it was stored under.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, Table

from db import rehearsals
from db.contracts import ContractRow
from db.engine import Database
from db.partitions import lowest_id
from handlers.lists import pages
from handlers.operations import OPERATIONS
from handlers.rejected_submissions import KINDS, OPERATION_IDS
from openapi.contract import Contract, ContractError
from openapi.lint.records import record_places
from openapi.problems import Problem
from openapi.schemas.validation import Schemas

EXAMPLES = 5
"""Limit on the rows that a count names."""
LONGEST_ERROR = 300
"""Characters of the error of an example."""
CLOCKS = timedelta(days=1)
"""The clock of a worker that stored a row, by which its id is made, may differ by as much from the database's."""
FIRST_ROWS = 32
"""Rows of the first page; later pages have more if the rows are small."""

STORED = {name: kind.table.table for name, kind in KINDS.items()}


@dataclass(frozen=True, slots=True)
class UnanswerableRow:
    """One stored row, by its id, and the error in its record."""

    kind: str
    id: str
    error: str
    pointer: str | None


@dataclass(slots=True)
class Unanswerable:
    """Stored rows that a contract could not answer with: their number, and the newest ones.

    `new` counts those that the governing contract can answer with. Not all rows were looked at unless `is_complete`.
    """

    count: int = 0
    new: int = 0
    examples: list[UnanswerableRow] = field(default_factory=list)
    is_complete: bool = True

    def add(self, kind: str, identifier: str, problem: Problem, is_new: bool = False) -> None:
        """Count a row, and keep it as an example unless there are enough."""
        self.count += 1
        self.new += is_new
        if len(self.examples) < EXAMPLES:
            error = problem.error if len(problem.error) <= LONGEST_ERROR else problem.error[:LONGEST_ERROR] + "\u2026"
            self.examples.append(UnanswerableRow(kind, identifier, error, problem.pointer))

    @property
    def number(self) -> str:
        """The number in words."""
        least = "" if self.is_complete else "at least "
        return f"{least}{self.count:,} {'row' if self.count == 1 else 'rows'} stored"

    @property
    def reasons(self) -> list[str]:
        """Each example in words."""
        return [f"{each.kind} {each.id}: {each.error}" for each in self.examples]


class Records:
    """The schemas with which contracts describe the records of events and annotations."""

    def __init__(self, contracts: Iterable[Contract]) -> None:
        """ContractError if a schema cannot be compiled."""
        each = list(contracts)
        self._schemas = {
            kind: [schema for contract in each for schema in _schemas(contract, name)]
            for kind, name in OPERATION_IDS.items()
        }
        # Plain strings: the validator refuses the names of SQLAlchemy.
        self._names = {kind: list(map(str, pages.column_names(table))) for kind, table in STORED.items()}

    def problem(self, kind: str, row: Mapping[Any, Any]) -> Problem | None:
        """The Problem of the record of a row, as the API answers it; None if each contract can answer with it."""
        record = pages.present(row, self._names[kind])
        refusing = (schema for schema in self._schemas[kind] if not schema.is_valid(record))
        schema = next(refusing, None)
        return schema.first_problem(record) if schema else None


def newest(
    database: Database,
    contracts: Iterable[Contract],
    last: int,
    seconds: float,
    pause: Callable[[], object] = lambda: None,
) -> Unanswerable:
    """Those among the `last` events and annotations each that `contracts` cannot answer with, found in `seconds`.

    `pause` is called between two pages of rows.
    """
    return _count(contracts, seconds, lambda table: newest_pages(database, table, last), pause)


def stored_under(
    database: Database,
    row: ContractRow,
    contracts: Iterable[Contract],
    seconds: float,
    pause: Callable[[], object] = lambda: None,
) -> Unanswerable:
    """Those among the events and annotations stored under the version of `row` that `contracts` cannot answer with."""
    return _count(contracts, seconds, lambda table: _pages_of(database, table, row), pause)


def newest_pages(database: Database, table: Table, last: int) -> Iterator[Sequence[RowMapping]]:
    """The `last` rows of `table`, newest first, in pages; no connection is held between two pages."""
    before, page_rows = None, FIRST_ROWS
    while last > 0:
        with database.begin() as connection:
            rows = rehearsals.page(connection, table, before, min(last, page_rows))
        if not rows:
            return
        yield rows
        last -= len(rows)
        before = UUID(rows[-1]["id"])
        page_rows = 2 * len(rows)  # the database measures all these rows, also those that do not fit into a page


def _count(
    contracts: Iterable[Contract],
    seconds: float,
    pages_of: Callable[[Table], Iterator[Sequence[RowMapping]]],
    pause: Callable[[], object],
) -> Unanswerable:
    records, found, until = Records(contracts), Unanswerable(), time.monotonic() + seconds
    for kind, table in STORED.items():
        for rows in pages_of(table):
            for row in rows:
                if problem := records.problem(kind, row):
                    found.add(kind, row["id"], problem)
            if time.monotonic() > until:
                found.is_complete = False
                return found
            pause()
    return found


def _pages_of(database: Database, table: Table, row: ContractRow) -> Iterator[Sequence[RowMapping]]:
    """The rows of `table` that were stored under the version of `row`: none is older than its publication.

    No version of a row has an index, so all rows since then are looked through. A page without rows says that a part
    of them was.
    """
    since, end = lowest_id(row.published_at - CLOCKS), None
    while True:
        with database.begin() as connection:
            lowest = rehearsals.stretch(connection, table, end, since)
        if lowest is None:
            return
        before = end
        is_of_version = table.c.contract_version == row.contract_version
        while True:
            with database.begin() as connection:
                rows = rehearsals.page(
                    connection, table, before, rehearsals.PAGE_ROWS, is_of_version, table.c.id >= lowest
                )
            yield rows
            if not rows:
                break
            before = UUID(rows[-1]["id"])
        end = lowest


def _schemas(contract: Contract, submission: str) -> list[Any]:
    try:
        schemas = Schemas(contract)
        return [schemas.compile(*place) for place in record_places(contract, OPERATIONS, submission)]
    except (LookupError, TypeError, AttributeError, ValueError) as error:  # a ContractError is a ValueError
        raise ContractError(f"the records of contract {contract.version} cannot be judged: {error}") from None
