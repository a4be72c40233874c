"""`interaction-reporting contract diff`: the changes between two documents, and the proofs of breaks."""

from enum import StrEnum
from typing import Annotated

import typer

from openapi.diff.reports.formats import Format, rendered
from openapi.diff.reports.report import Report
from openapi.diff.rules import Severity
from openapi.diff.selection import Selection
from openapi.diff.terms import Terms
from scripts.commands.arguments import AsJSON
from scripts.commands.contracts.comparing import DOCUMENT_HELP, documents, ends_with_status, places
from scripts.commands.contracts.policies import (
    Acknowledged,
    Operations,
    Paths,
    Severities,
    Sunsets,
    Tags,
    acknowledgements_of,
    policy_of,
    today,
)

OF_REPOSITORIES = (Format.SARIF, Format.GITHUB)
"""Formats with names of files as they are in a repository."""


class FailOn(StrEnum):
    """The lowest class of change that makes the command exit 1; `breaking`: a client of the old document can fail."""

    PATCH = "patch"
    MINOR = "minor"
    MAJOR = "major"
    BREAKING = "breaking"


def diff(  # noqa: PLR0913, PLR0917 (the options of a command)
    old: Annotated[str, typer.Argument(help=DOCUMENT_HELP, metavar="OLD")],
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
    severities: Severities = None,
    acknowledged: Acknowledged = None,
    sunsets: Sunsets = False,
    paths: Paths = None,
    tags: Tags = None,
    operations: Operations = None,
    require_version: Annotated[
        bool,
        typer.Option("--require-version", help="Exit 1 if `info.version` of NEW is lower than the changes need."),
    ] = False,
    as_json: AsJSON = False,
) -> None:
    """Compare two OpenAPI documents by meaning: each change, the version it requires, and the proof of a break.

    Exits 1 if a change fails by --fail-on, 2 if the documents cannot be compared, else 0.
    """
    if as_json:
        form = Format.JSON
    with ends_with_status(form is Format.JSON):
        if (new is None) != against_active:
            raise typer.BadParameter("two documents are needed: give NEW, or --against-active instead")
        if require_version and (paths or tags or operations):
            raise typer.BadParameter("--require-version is of the whole document: omit --path, --tag and --operation")
        before, after = documents(None if new is None else old, new or old)
        selection = Selection(*(tuple(values or ()) for values in (paths, tags, operations)))
        terms = Terms(
            policy_of(severities), acknowledgements_of(acknowledged), today(), selection, sunsets, require_version
        )
        names = "active" if new is None else old, new or old
        report = Report.of(before, after, names, places(before, after, form in OF_REPOSITORIES), terms)
    print(rendered(report, form, with_texts), end="")
    if (fail_on and _fails(report, fail_on)) or report.judged.is_version_too_low:
        raise typer.Exit(1)


def _fails(report: Report, fail_on: FailOn) -> bool:
    return report.is_break if fail_on is FailOn.BREAKING else report.severity >= Severity[fail_on.name]
