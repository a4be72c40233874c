"""Rehearsals: a candidate contract is tried on the submissions of hubs, and compared with the governing contract.

A stored submission is validated as a body that is built from its row. The row has the values of its fields, not their
spelling (instants are in UTC, UUIDs in lower case); an annotation without a time has the time of its receipt. A
rejected submission is validated by its original bytes, as in a replay; if a replay has stored it, it counts as stored.
Only bodies are tried: neither paths, nor parameters, nor keys.

Each stored submission is also tried as an answer: its record, against the candidate's schema of it.

The registry and the keys refuse the same submissions under any contract. So a rejected submission can newly pass only
if it was rejected for its form; its event type and its widget are not looked up in the registry.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import Table

from db import hubs, rehearsals
from db.engine import Database
from db.tables import rejected_submissions
from handlers.contracts.lifecycle import governing_before
from handlers.contracts.rehearsing.records import STORED, Records, Unanswerable, newest_pages
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
"""Accepted by the governing contract and not by the candidate; the reverse; accepted by neither; all others."""
NEWS = frozenset({NEWLY_FAILS, NEWLY_PASSES})
"""Outcomes with examples."""

FORM = frozenset({"malformed_json", "unstorable_value", "content_too_large", "invalid_body"})
"""Codes of rejections for their form, which a contract describes."""
EXAMPLES = 3
"""Examples of each outcome in a group, up to `MOST_EXAMPLES` in all."""
MOST_EXAMPLES = 1000
LONGEST_ERROR = 300
"""Characters of the error of an example."""
LONGEST_NAME = 64
"""Characters of the event type or category that names a group of rejected submissions."""
MOST_GROUPS = 10_000
"""Beyond this, submissions with new names are counted together: a rejected submission may have any name."""
OTHERS = "(others)"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of one submission.

    `name` is its event type or category; if a rejected one has no readable name, the code of its rejection.
    """

    kind: str
    name: str
    outcome: str
    because: Callable[[], Problem | None] = lambda: None


@dataclass(frozen=True, slots=True)
class Example:
    """One submission, by the id of its stored or rejected row, and the error of the contract that refuses it."""

    outcome: str
    id: str
    error: str
    pointer: str | None


@dataclass(slots=True)
class Group:
    """The submissions of one hub, kind and name: the number of each outcome, and examples."""

    hub: str
    kind: str
    name: str
    counts: Counter[str] = field(default_factory=Counter)
    examples: list[Example] = field(default_factory=list)


@dataclass(slots=True)
class Rehearsal:
    """The outcomes of `candidate` compared with those of `governing`; both are versions.

    `unanswerable` are the stored rows that the candidate could not answer with.
    """

    candidate: str
    governing: str
    governing_digest: str = ""
    groups: dict[tuple[str, str, str], Group] = field(default_factory=dict)
    examples: int = 0
    unanswerable: Unanswerable = field(default_factory=Unanswerable)

    def count(self, outcome: str) -> int:
        """The number of submissions with `outcome`."""
        return sum(group.counts[outcome] for group in self.groups.values())

    def add(self, hub: str, identifier: str, verdict: Verdict) -> None:
        """Count one submission of `hub`, and keep it as an example unless there are enough."""
        key = hub, verdict.kind, verdict.name
        if key not in self.groups and len(self.groups) >= MOST_GROUPS:
            key = hub, verdict.kind, OTHERS
        group = self.groups.get(key) or self.groups.setdefault(key, Group(*key))
        group.counts[verdict.outcome] += 1
        is_one_of_few = group.counts[verdict.outcome] <= EXAMPLES and self.examples < MOST_EXAMPLES
        if verdict.outcome in NEWS and is_one_of_few and (problem := verdict.because()):
            self.examples += 1
            error = problem.error if len(problem.error) <= LONGEST_ERROR else problem.error[:LONGEST_ERROR] + "\u2026"
            group.examples.append(Example(verdict.outcome, identifier, error, problem.pointer))


class Trial:
    """Compares, on rows, the governing contract and the candidate that would replace it."""

    def __init__(self, governing: Contract, candidate: Contract) -> None:
        """ContractError if one of them has a body schema that cannot be validated."""
        self._versions = f"{governing.major}."
        self._governing, self._candidate = (
            {kind: BodyValidator(contract, OPERATIONS.name_in(contract, name)) for kind, name in OPERATION_IDS.items()}
            for contract in (governing, candidate)
        )
        self._records_before, self._records = Records([governing]), Records([candidate])

    def answered(self, kind: str, row: Mapping[Any, Any], unanswerable: Unanswerable) -> None:
        """Add the stored `row`, of any major version, to those that are `unanswerable` if the candidate's record is."""
        if problem := self._records.problem(kind, row):
            unanswerable.add(kind, row["id"], problem, self._records_before.problem(kind, row) is None)

    def stored(self, kind: SubmissionType, row: Mapping[Any, Any]) -> Verdict | None:
        """The outcome of the stored `row`; None if it is of another major version."""
        if not row["contract_version"].startswith(self._versions):
            return None
        name = kind.table.kind
        body, candidate = pages.present(row, kind.fields), self._candidate[name]
        if candidate.is_valid(body):
            return Verdict(name, row[kind.type_field], UNCHANGED)
        outcome = NEWLY_FAILS if self._governing[name].is_valid(body) else REFUSED_BY_BOTH
        return Verdict(name, row[kind.type_field], outcome, partial(candidate.problem, body))

    def rejected(self, row: Mapping[Any, Any]) -> Verdict | None:
        """The outcome of the rejected `row`; None if of another major version, replayed, or a whole batch."""
        is_of_major = row["contract_version"].startswith(self._versions)
        if not is_of_major or row["kind"] not in KINDS or row["replayed_at"]:
            return None
        content = bytes(row["raw"])
        before, after = (side[row["kind"]].problem_of(content) for side in (self._governing, self._candidate))
        outcome = _outcome(before, after)
        if outcome == NEWLY_PASSES and row["code"] not in FORM:
            outcome = UNCHANGED
        name = _name(content, KINDS[row["kind"]].type_field) or row["code"]
        return Verdict(f"rejected {row['kind']}", name, outcome, lambda: after or before)


def rehearse(database: Database, candidate: Contract, last: int, progress: Callable[[int], None]) -> Rehearsal:
    """Try `candidate` on the last submissions of all hubs: `last` events, annotations and rejected submissions each.

    `progress` receives the number of rows of each page. ContractError if no governing contract can be compared.
    """
    with database.begin() as connection:
        governing = governing_before(connection, candidate)
        names = {str(hub.id): hub.name for hub in hubs.list_all(connection)}
    trial = Trial(governing, candidate)
    rehearsal = Rehearsal(candidate.version, governing.version, governing.digest)
    kinds = {table: kind for kind, table in STORED.items()}
    for table, verdict_of in _sources(trial):
        for rows in newest_pages(database, table, last):
            for row in rows:
                if table in kinds:
                    trial.answered(kinds[table], row, rehearsal.unanswerable)
                if verdict := verdict_of(row):
                    rehearsal.add(names.get(row["hub_id"], row["hub_id"]), row["id"], verdict)
            progress(len(rows))
    return rehearsal


def total(database: Database, last: int) -> int:
    """The number of submissions that `rehearse` tries."""
    with database.begin() as connection:
        return sum(rehearsals.count(connection, table, last) for table in (*STORED.values(), rejected_submissions))


def _sources(trial: Trial) -> Iterator[tuple[Table, Callable[[Mapping[Any, Any]], Verdict | None]]]:
    for name, table in STORED.items():
        yield table, partial(trial.stored, KINDS[name])
    yield rejected_submissions, trial.rejected


def _name(content: bytes, field: str) -> str | None:
    """The event type or category in a body; None unless it is readable and printable."""
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
