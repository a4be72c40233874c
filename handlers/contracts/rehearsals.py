"""Rehearsals: what would become of what hubs have submitted if a candidate governed in place of the contract that does.

What was stored is judged as the body that its row makes: of its fields the values are there, and not how they were
spelled (instants are in UTC, UUIDs in lower case), and an annotation that did not say when it was has the time of its
receipt. What was rejected is judged by the bytes that were sent, as a replay would; what a replay has stored is among
the stored. Only bodies are tried: neither paths, nor parameters, nor keys.

What the registry or a key has refused it refuses under any contract. So of what was rejected only that can newly pass
which was rejected for its form; whether the registry knows its event type and its widget is not asked.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, Table

from db import hubs, rehearsals
from db.engine import Database
from db.tables import rejected_submissions
from handlers.contracts.lifecycle import governing_before
from handlers.lists import pages
from handlers.operations import OPERATIONS
from handlers.rejected_submissions import KINDS, OPERATION_IDS
from handlers.submissions.single import SubmissionType
from openapi.contract import Contract
from openapi.problems import Problem
from openapi.requests.body_validator import BodyValidator
from openapi.standards import ijson

NEWLY_FAILS, NEWLY_PASSES = "newly_fails", "newly_passes"
REFUSED_BY_BOTH, UNCHANGED = "refused_by_both", "unchanged"
OUTCOMES = (NEWLY_FAILS, NEWLY_PASSES, REFUSED_BY_BOTH, UNCHANGED)
"""Accepted by the contract that governs and not by the candidate; the reverse; by neither; and all the rest."""
NEWS = frozenset({NEWLY_FAILS, NEWLY_PASSES})
"""Of these there are examples."""

FORM = frozenset({"malformed_json", "unstorable_value", "content_too_large", "invalid_body"})
"""Codes of what is rejected for its form, which is what a contract describes."""
EXAMPLES = 3
"""Of each outcome in a group, until there are `MOST_EXAMPLES` in all."""
MOST_EXAMPLES = 1000
LONGEST_ERROR = 300
"""Characters of what is told of an example."""
LONGEST_NAME = 64
"""Characters of an event type, or category, that was rejected and is told by its name."""
MOST_GROUPS = 10_000
"""Beyond which what has a new name is counted together: whoever is rejected may send any."""
OTHERS = "(others)"
FIRST_ROWS = 32
"""How many are read at first; then more, as long as they are small."""

_STORED = {name: kind.table.table for name, kind in KINDS.items()}


@dataclass(frozen=True, slots=True)
class Judged:
    """What becomes of one submission.

    `name` is its event type or category; where none can be read of a rejected one, the code of why it was rejected.
    """

    kind: str
    name: str
    outcome: str
    because: Callable[[], Problem | None] = lambda: None


@dataclass(frozen=True, slots=True)
class Example:
    """One submission, by the id of what was stored or rejected, and what the contract that refuses it says."""

    outcome: str
    id: str
    error: str
    pointer: str | None


@dataclass(slots=True)
class Group:
    """What one hub has submitted of one kind and name: how often each outcome was met, and examples of it."""

    hub: str
    kind: str
    name: str
    counts: Counter[str] = field(default_factory=Counter)
    examples: list[Example] = field(default_factory=list)


@dataclass(slots=True)
class Rehearsal:
    """What `candidate` would make of what was submitted under `governing`; both are versions."""

    candidate: str
    governing: str
    groups: dict[tuple[str, str, str], Group] = field(default_factory=dict)
    examples: int = 0

    def count(self, outcome: str) -> int:
        """How many submissions have met `outcome`."""
        return sum(group.counts[outcome] for group in self.groups.values())

    def add(self, hub: str, identifier: str, judged: Judged) -> None:
        """Count one submission of `hub`, and keep it as an example unless there are enough of them."""
        key = hub, judged.kind, judged.name
        if key not in self.groups and len(self.groups) >= MOST_GROUPS:
            key = hub, judged.kind, OTHERS
        group = self.groups.get(key) or self.groups.setdefault(key, Group(*key))
        group.counts[judged.outcome] += 1
        is_one_of_few = group.counts[judged.outcome] <= EXAMPLES and self.examples < MOST_EXAMPLES
        if judged.outcome in NEWS and is_one_of_few and (problem := judged.because()):
            self.examples += 1
            error = problem.error if len(problem.error) <= LONGEST_ERROR else problem.error[:LONGEST_ERROR] + "\u2026"
            group.examples.append(Example(judged.outcome, identifier, error, problem.pointer))


class Trial:
    """The contract that governs, and a candidate for its place: what the two make of rows."""

    def __init__(self, governing: Contract, candidate: Contract) -> None:
        """ContractError if what one of them accepts cannot be judged."""
        self._versions = f"{governing.major}."
        self._governing, self._candidate = (
            {kind: BodyValidator(contract, OPERATIONS.name_in(contract, name)) for kind, name in OPERATION_IDS.items()}
            for contract in (governing, candidate)
        )

    def stored(self, kind: SubmissionType, row: Mapping[Any, Any]) -> Judged | None:
        """What becomes of what was stored as `row`; None if it is none of this major version."""
        if not row["contract_version"].startswith(self._versions):
            return None
        name = kind.table.kind
        body, candidate = pages.present(row, kind.fields), self._candidate[name]
        if candidate.is_valid(body):
            return Judged(name, row[kind.type_field], UNCHANGED)
        outcome = NEWLY_FAILS if self._governing[name].is_valid(body) else REFUSED_BY_BOTH
        return Judged(name, row[kind.type_field], outcome, partial(candidate.problem, body))

    def rejected(self, row: Mapping[Any, Any]) -> Judged | None:
        """What becomes of what was rejected as `row`; None likewise, and of what was replayed or is a whole batch."""
        is_of_major = row["contract_version"].startswith(self._versions)
        if not is_of_major or row["kind"] not in KINDS or row["replayed_at"]:
            return None
        content = bytes(row["raw"])
        before, after = (of[row["kind"]].problem_of(content) for of in (self._governing, self._candidate))
        outcome = _outcome(before, after)
        if outcome == NEWLY_PASSES and row["code"] not in FORM:
            outcome = UNCHANGED
        name = _name(content, KINDS[row["kind"]].type_field) or row["code"]
        return Judged(f"rejected {row['kind']}", name, outcome, lambda: after or before)


def rehearse(database: Database, candidate: Contract, last: int, progress: Callable[[int], None]) -> Rehearsal:
    """Try `candidate` on the `last` events, annotations and rejected submissions, so many of each, of all hubs.

    `progress` is called with how many more of the `total` were looked at. ContractError if there is nothing to compare
    with.
    """
    with database.begin() as connection:
        governing = governing_before(connection, candidate)
        names = {str(hub.id): hub.name for hub in hubs.list_all(connection)}
    trial, rehearsal = Trial(governing, candidate), Rehearsal(candidate.version, governing.version)
    for table, judge in _sources(trial):
        for rows in _pages(database, table, last):
            for row in rows:
                if judged := judge(row):
                    rehearsal.add(names.get(row["hub_id"], row["hub_id"]), row["id"], judged)
            progress(len(rows))
    return rehearsal


def total(database: Database, last: int) -> int:
    """How many submissions `rehearse` looks at."""
    with database.begin() as connection:
        return sum(rehearsals.count(connection, table, last) for table in (*_STORED.values(), rejected_submissions))


def _sources(trial: Trial) -> Iterator[tuple[Table, Callable[[Mapping[Any, Any]], Judged | None]]]:
    for name, table in _STORED.items():
        yield table, partial(trial.stored, KINDS[name])
    yield rejected_submissions, trial.rejected


def _pages(database: Database, table: Table, last: int) -> Iterator[Sequence[RowMapping]]:
    """The `last` rows of `table`, newest first, some at a time; between two of them no connection is held."""
    before, asked = None, FIRST_ROWS
    while last > 0:
        with database.begin() as connection:
            rows = rehearsals.page(connection, table, before, min(last, asked))
        if not rows:
            return
        yield rows
        last -= len(rows)
        before = UUID(rows[-1]["id"])
        asked = 2 * len(rows)  # all that is asked for is measured, also what a page has no room for


def _name(content: bytes, field: str) -> str | None:
    """The event type or category that stands in a body, if it can be read and shown."""
    try:
        value = ijson.loads(content)
    except ValueError:
        return None
    name = value.get(field) if isinstance(value, dict) else None
    return name if isinstance(name, str) and 0 < len(name) <= LONGEST_NAME and name.isprintable() else None


def _outcome(before: Problem | None, after: Problem | None) -> str:
    if before:
        return REFUSED_BY_BOTH if after else NEWLY_PASSES
    return NEWLY_FAILS if after else UNCHANGED
