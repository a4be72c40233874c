"""`interaction-reporting contract review`: all that a pull request which changes a contract needs, in one command."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from handlers.operations import OPERATIONS
from openapi.contract import Contract, ContractError, Document
from openapi.diff.reports.annotations import command
from openapi.diff.reports.report import Report, json_text
from openapi.diff.terms import Terms
from openapi.lint.rules import Finding, lint, lint_any
from openapi.review.comment import comment, failure
from openapi.review.review import review
from openapi.review.sarif_log import failed_log, sarif_log
from openapi.review.workflow_commands import workflow_commands
from scripts.commands import whole_files
from scripts.commands.arguments import AsJSON
from scripts.commands.contracts.acknowledge import FILE
from scripts.commands.contracts.comparing import DOCUMENT_HELP, documents, ends_with_status, marks_of, places
from scripts.commands.contracts.policies import (
    Acknowledged,
    Severities,
    Sunsets,
    acknowledgements_of,
    policy_of,
    today,
)


def review_command(  # noqa: PLR0913, PLR0917 (the options of a command)
    base: Annotated[str, typer.Argument(help=f"What clients have. {DOCUMENT_HELP}", metavar="BASE")],
    head: Annotated[str, typer.Argument(help="What they would get, likewise.", metavar="HEAD")],
    acknowledged: Acknowledged = None,
    severities: Severities = None,
    sunsets: Sunsets = False,
    fails_on_breaks: Annotated[
        bool, typer.Option("--no-breaks", help="Fail on a break even if info.version announces it.")
    ] = False,
    comment_file: Annotated[
        Path | None, typer.Option("--comment", help="A file for the review as Markdown.", dir_okay=False)
    ] = None,
    sarif_file: Annotated[
        Path | None, typer.Option("--sarif", help="A file for the review as SARIF.", dir_okay=False)
    ] = None,
    is_github: Annotated[
        bool, typer.Option("--github", help="Print annotations for GitHub Actions in place of Markdown.")
    ] = False,
    as_json: AsJSON = False,
) -> None:
    """Review a changed document: new faults, changes with proofs, the version that they need, and what is acknowledged.

    Prints Markdown for a comment on the pull request. Exits 0 if the review passes, 1 if something has to be done, and
    2 if the documents cannot be compared. Acknowledgements are those of .contract-acknowledged.yaml if there is one.
    """

    def told(reason: str) -> None:
        for file, text in ((comment_file, failure(reason)), (sarif_file, failed_log(reason))):
            with suppress(OSError):  # it may be the reason
                _write(file, text)
        if is_github:
            print(command("error", reason, "contract review"))

    with ends_with_status(as_json):
        _require_other_files((comment_file, sarif_file), (base, head, severities, acknowledged))
    with ends_with_status(as_json, told):
        before, after = documents(base, head)
        file = acknowledged or (FILE if FILE.exists() else None)
        terms = Terms(policy_of(severities), acknowledgements_of(file), today(), has_sunsets=sunsets)
        report = Report.of(before, after, (base, head), places(before, after, is_from_top=True), terms)
        done = review(report, (before, after), _lint, marks_of(after, is_from_top=True), fails_on_breaks)
        _write(comment_file, comment(done))
        _write(sarif_file, sarif_log(done))
    if as_json:
        print(json_text(done.as_json), end="")
    else:
        print(workflow_commands(done) if is_github else comment(done), end="")
    if not done.passes:
        raise typer.Exit(1)


def _require_other_files(written: Iterable[Path | None], read: Iterable[Path | str | None]) -> None:
    """Raise BadParameter if a file would take the place of one that is read."""
    taken = {Path(name).resolve() for name in read if name}
    for file in filter(None, written):
        if file.resolve() in taken:
            raise typer.BadParameter(f"{file} is read for the review: choose another file to write")


def _lint(document: Document) -> Sequence[Finding]:
    """The faults of a document: by the house rules, too, if most of its operations are those of this service."""
    try:
        contract = Contract.read(document.text)
        names = [OPERATIONS.name(operation.operation_id) for operation in contract.operations]
    except ContractError:
        return lint_any(document)
    is_ours = 2 * sum(name in OPERATIONS.handlers for name in names) > len(names)
    return lint(contract, OPERATIONS) if is_ours else lint_any(document)


def _write(file: Path | None, text: str) -> None:
    if file:
        whole_files.write(file, text.encode("utf-8", "replace").decode())
