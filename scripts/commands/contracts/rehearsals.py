"""`interaction-reporting contract rehearse`: the verdict of a candidate on hubs' submissions."""

import dataclasses
import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn

from db.engine import Database
from handlers.contracts.rehearsing.rehearsals import (
    NEWLY_FAILS,
    OUTCOMES,
    UNCHANGED,
    Example,
    Group,
    Rehearsal,
    rehearse,
    total,
)
from openapi.contract import Contract
from scripts.commands.arguments import AsJSON, document
from scripts.commands.contracts.stored_contracts import StoredContracts
from scripts.commands.output import counted, show
from scripts.service.databases import database
from scripts.service.settings import Settings

Candidate = Annotated[str, typer.Argument(help="A version in the database, such as 1.1, or a file.")]
Last = Annotated[
    int, typer.Option(help="How many to try of each: the newest events, annotations and rejections.", min=1)
]


def rehearse_(candidate: Candidate, last: Last = 100_000, as_json: AsJSON = False) -> None:
    """Try a contract on hubs' stored submissions, and show changed results. Exits 1 on a new failure."""
    with database(Settings.read()) as opened:
        with opened.begin() as connection:
            contract = document(candidate, Contract.of_file, lambda: StoredContracts(connection))
        rehearsal = rehearsal_of(opened, contract, last)
    show_rehearsal(rehearsal, as_json)
    if failures_of(rehearsal):
        raise typer.Exit(1)


def failures_of(rehearsal: Rehearsal) -> list[str]:
    """The reasons against an activation, as clauses of a sentence."""
    failures, unanswerable = rehearsal.count(NEWLY_FAILS), rehearsal.unanswerable.new
    clauses = [f"{counted(failures, 'submission', 'submissions')} would newly fail"] if failures else []
    if unanswerable:
        clauses.append(f"{counted(unanswerable, 'stored row', 'stored rows')} could newly not be answered with")
    return clauses


def rehearsal_of(opened: Database, contract: Contract, last: int) -> Rehearsal:
    """The verdict of `contract` on the `last` submissions; a progress bar shows the progress."""
    gc.freeze()  # present objects stay: collecting garbage while bodies are decoded would take most of the time
    with _progress(total(opened, last)) as advance:
        return rehearse(opened, contract, last, advance)


@contextmanager
def _progress(count: int) -> Iterator[Callable[[int], None]]:
    """Show a bar on standard error if that is a terminal; the yielded function advances it towards `count`."""
    console = Console(stderr=True)
    columns = (*Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("rehearsing", total=count)
        yield lambda done: progress.advance(task, done)


def show_rehearsal(rehearsal: Rehearsal, as_json: bool) -> None:
    """Print every group as JSON, or a table of the groups with a change."""
    in_order = [group for _, group in sorted(rehearsal.groups.items())]
    totals: dict[str, Any] = {"candidate": rehearsal.candidate, "governing": rehearsal.governing}
    totals |= {outcome: rehearsal.count(outcome) for outcome in OUTCOMES}
    unanswerable = rehearsal.unanswerable
    totals |= {"unanswerable": unanswerable.count, "newly_unanswerable": unanswerable.new}
    if as_json:
        groups = [_group(group, [dataclasses.asdict(example) for example in group.examples]) for group in in_order]
        rows = [dataclasses.asdict(example) for example in unanswerable.examples]
        show({**totals, "groups": groups, "unanswerable_rows": rows}, as_json)
        return
    show(totals, as_json)
    if unanswerable.examples:
        show([{"stored rows that it could not answer with": reason} for reason in unanswerable.reasons], as_json)
    differing = [group for group in in_order if set(group.counts) - {UNCHANGED}]
    if differing:
        show([_group(group, [_line(example) for example in group.examples]) for group in differing], as_json)


def _group(group: Group, examples: list[Any]) -> dict[str, Any]:
    counts = {outcome: group.counts[outcome] for outcome in OUTCOMES}
    return {"hub": group.hub, "kind": group.kind, "name": group.name, **counts, "examples": examples}


def _line(example: Example) -> str:
    where = f" ({example.pointer})" if example.pointer else ""
    return f"{example.outcome.replace('_', ' ')}: {example.id}{where}: {example.error}"
