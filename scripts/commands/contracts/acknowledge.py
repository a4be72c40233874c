"""`interaction-reporting contract acknowledge`: the file of changes that a reviewer lets pass."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from openapi.diff import acknowledgements
from openapi.diff.acknowledgements import LONGEST, Acknowledgement, AcknowledgementError
from openapi.diff.findings import Finding
from openapi.diff.reports.report import Report
from openapi.diff.rules import Severity
from openapi.diff.sentences import sentence
from scripts.commands import whole_files
from scripts.commands.contracts.comparing import DOCUMENT_HELP, documents, ends_with_status
from scripts.commands.contracts.policies import acknowledgements_of, read, today
from scripts.commands.output import counted, note

FILE = Path(".contract-acknowledged.yaml")
"""The file of acknowledgements, unless a command names another one."""


def _day(text: str | date) -> date:
    """The day that `text` names, today or later; BadParameter if it is none."""
    try:
        until = acknowledgements.day(str(text))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    if until < today():
        raise typer.BadParameter(f"{until} is in the past")
    return until


def acknowledge(  # noqa: PLR0913, PLR0917 (the options of a command)
    old: Annotated[str, typer.Argument(help=DOCUMENT_HELP, metavar="OLD")],
    new: Annotated[str, typer.Argument(help="Another one, likewise.", metavar="NEW")],
    reason: Annotated[str, typer.Option(help="Why the changes may pass, for readers of the file.")],
    fingerprints: Annotated[
        list[str] | None, typer.Option("--fingerprint", help="The fingerprint of a change; repeatable.")
    ] = None,
    is_for_all: Annotated[
        bool, typer.Option("--all", help="Every change that breaks a client or needs a major version.")
    ] = False,
    until: Annotated[
        date | None,
        typer.Option(help="The last day: after it the changes count again.", parser=_day, metavar="YYYY-MM-DD"),
    ] = None,
    is_for_ever: Annotated[bool, typer.Option("--for-ever", help="Without a last day.")] = False,
    file: Annotated[Path, typer.Option(help="The file to add to.", dir_okay=False)] = FILE,
) -> None:
    """Let changes between two documents pass: write their fingerprints into a file, with a reason and a last day."""
    if bool(fingerprints) == is_for_all:
        raise typer.BadParameter("changes are needed: either --fingerprint, once for each, or --all")
    if (until is None) != is_for_ever:
        raise typer.BadParameter("a last day is needed: either --until or --for-ever")
    if not reason.strip() or len(reason) > LONGEST:
        raise typer.BadParameter(f"--reason must have 1 to {LONGEST} characters")
    known = acknowledgements_of(file) if file.exists() else {}
    with ends_with_status(as_json=False):
        report = Report.of(*documents(old, new), (old, new))
    chosen = _chosen(report, fingerprints, {name for name, entry in known.items() if not entry.is_expired(today())})
    added = [Acknowledgement(finding.fingerprint, reason.strip(), until, _sentence(finding)) for finding in chosen]
    if added:
        _add(file, added)
    changes = counted(len(added), "change is", "changes are")
    note(f"{changes} acknowledged in {file}{f' until {until}' if until else ''}.")


def _chosen(report: Report, fingerprints: Iterable[str] | None, known: set[str]) -> list[Finding]:
    """The findings with `fingerprints`, or all that matter and are not `known`; BadParameter if one is absent."""
    if fingerprints is None or not fingerprints:
        return [
            finding
            for finding in report.findings
            if (finding.is_break or finding.severity is Severity.MAJOR) and finding.fingerprint not in known
        ]
    by_fingerprint = {finding.fingerprint: finding for finding in report.findings}
    if absent := [fingerprint for fingerprint in fingerprints if fingerprint not in by_fingerprint]:
        raise typer.BadParameter(f"the comparison has no change with the fingerprint {', '.join(absent)}")
    return [by_fingerprint[fingerprint] for fingerprint in fingerprints]


def _sentence(finding: Finding) -> str:
    """The change in words, with the first of its operations."""
    operation = "".join(f"{name}: " for name in finding.change.operations[:1])
    return f"{operation}{sentence(finding.change)}."[:LONGEST].encode("utf-8", "replace").decode()


def _add(file: Path, added: list[Acknowledgement]) -> None:
    """Add to the file; BadParameter if that fails."""
    try:
        text = read(file, acknowledgements.MAX_BYTES, str) if file.exists() else ""
        whole_files.write(file, acknowledgements.written(text, added))
    except (AcknowledgementError, OSError) as error:
        raise typer.BadParameter(f"{file}: {error}") from None
