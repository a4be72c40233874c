"""`interaction-reporting contract diff`: the changes between two documents, and the proofs of breaks."""

from collections.abc import Callable
from contextlib import ExitStack
from enum import StrEnum
from functools import cache
from typing import Annotated

import typer

from openapi.contract import ContractError, Document
from openapi.diff.reports.formats import Format, rendered
from openapi.diff.reports.places import Places
from openapi.diff.reports.report import Report
from openapi.diff.rules import Severity
from openapi.sources.loaded import STANDARD_INPUT, LoadedDocument, read
from openapi.sources.marks import Marks
from scripts.commands.arguments import AsJSON, StoredContracts, is_version
from scripts.commands.loading import load

STORED = "scripts.commands.contracts.stored_contracts:open_contracts"
"""Loaded only for a version: two files are compared without the database's libraries."""

OLD_HELP = "A file, `-` for standard input, REV:path of a git repository, or a version in the database such as 1.0."


class FailOn(StrEnum):
    """The lowest class of change that makes the command exit 1; `breaking`: a client of the old document can fail."""

    PATCH = "patch"
    MINOR = "minor"
    MAJOR = "major"
    BREAKING = "breaking"


def diff(  # noqa: PLR0913, PLR0917 (the options of a command)
    old: Annotated[str, typer.Argument(help=OLD_HELP, metavar="OLD")],
    new: Annotated[str | None, typer.Argument(help="Another one, likewise.", metavar="NEW")] = None,
    against_active: Annotated[
        bool, typer.Option("--against-active", help="Compare the document with the served version; omit NEW.")
    ] = False,
    fail_on: Annotated[
        FailOn | None,
        typer.Option(help="Exit 1 on a change of this class or a higher one; `breaking`: if a client can fail."),
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="The format of the report.")] = Format.TEXT,
    with_texts: Annotated[
        bool, typer.Option("--texts", help="List changed texts, too, which are only counted otherwise.")
    ] = False,
    as_json: AsJSON = False,
) -> None:
    """Compare two OpenAPI 3.0 documents by meaning: each change, the version it requires, and the proof of a break."""
    if (new is None) != against_active:
        raise typer.BadParameter("two documents are needed: give NEW, or --against-active instead")
    if old == new == STANDARD_INPUT:
        raise typer.BadParameter("standard input holds one document: `-` can be OLD or NEW")
    with ExitStack() as stack:
        stored = cache(lambda: stack.enter_context(load(STORED)()))
        after = _document(new or old, "new", stored)
        before = stored().governing(after) if new is None else _document(old, "old", stored)
    names = "active" if new is None else old, new or old
    report = Report.of(before, after, names, Places(before, after, (_marks(before), _marks(after))))
    print(rendered(report, Format.JSON if as_json else form, with_texts), end="")
    if fail_on and _fails(report, fail_on):
        raise typer.Exit(1)


def _fails(report: Report, fail_on: FailOn) -> bool:
    return report.is_break if fail_on is FailOn.BREAKING else report.severity >= Severity[fail_on.name]


def _document(name: str, side: str, stored: Callable[[], StoredContracts]) -> Document:
    """The stored contract if `name` is a version, else what it names; BadParameter if that fails."""
    if is_version(name):
        return stored().version(name)
    try:
        return read(name, f"the {side} document")
    except ContractError as error:
        raise typer.BadParameter(str(error)) from None


def _marks(document: Document) -> Marks | None:
    return document.marks if isinstance(document, LoadedDocument) else None
