"""`interaction-reporting contract publish` and the commands for the later stages of a contract."""

import dataclasses
import sys
from contextlib import redirect_stdout
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from db import contract_changes, contracts
from db.audit import Author
from db.contracts import ContractRow
from db.engine import Database
from db.errors import DatabaseError, Refused
from handlers.contracts import lifecycle as governed
from handlers.contracts.publications import instants
from handlers.contracts.rehearsing.records import newest
from handlers.contracts.serving_plan import read
from openapi.contract import Contract, ContractError
from openapi.contract import of_release as contract_of_release
from scripts.commands.arguments import AsJSON, name_of, version_of
from scripts.commands.changes import login
from scripts.commands.contracts.rehearsals import failures_of, rehearsal_of, show_rehearsal
from scripts.commands.output import note, show, with_short_digests
from scripts.service.databases import database
from scripts.service.settings import Settings

COUNTED = 100_000
"""The newest events and annotations each that a rollback looks through afterwards, for a few seconds."""
COUNTING_SECONDS = 10


def _instant(text: str) -> datetime:
    """As `governed.sunset`; BadParameter if it is neither."""
    try:
        return governed.sunset(text)
    except ValueError:
        raise typer.BadParameter("it must be a date like 2027-03-31 or an RFC 3339 date-time") from None


Version = Annotated[str, typer.Argument(help="For instance 1.0.")]
Why = Annotated[str | None, typer.Option("--why", help="The reason, for the history.", parser=name_of)]
By = Annotated[
    str, typer.Option("--by", help="The author of the change, for the history.", parser=name_of, default_factory=login)
]


def publish(  # noqa: PLR0913, PLR0917 (the options of a command)
    by: By,
    file: Annotated[
        Path | None, typer.Argument(help="An OpenAPI 3.0 document, YAML or JSON.", exists=True, dir_okay=False)
    ] = None,
    of_release: Annotated[
        str | None,
        typer.Option(help="The version of a document that comes with this release; omit FILE.", parser=version_of),
    ] = None,
    acknowledge: Annotated[
        list[str] | None,
        typer.Option(help="The fingerprint of a change that is not proven compatible; needs --why."),
    ] = None,
    why: Why = None,
    as_json: AsJSON = False,
) -> None:
    """Store a document as a draft if its version number is high enough. A published document is never replaced."""
    if acknowledge and why is None:
        raise typer.BadParameter("--acknowledge needs --why")
    contract = _chosen(file, of_release)
    with database(Settings.read()) as opened, opened.begin() as connection:
        is_new = governed.publish(connection, contract, Author(by, why), frozenset(acknowledge or ()))
        if of_release and not is_new:
            raise Refused(f"contract {of_release} of this release is published already: `contract list` shows it")
        row = contracts.get(connection, contract.version)
    if not is_new:
        note(f"Contract {contract.version} is already published with the same content.")
    show_row(row, as_json)


def activate(  # noqa: PLR0913, PLR0917 (the options of a command)
    version: Version,
    by: By,
    last: Annotated[int, typer.Option(help="How many of the newest submissions to try; 0: none.", min=0)] = 100_000,
    despite_failures: Annotated[
        bool, typer.Option("--despite-failures", help="Activate it even if submissions would newly fail.")
    ] = False,
    why: Why = None,
    as_json: AsJSON = False,
) -> None:
    """Make a contract govern its major version from now on, unless a hub's submission would newly fail."""
    with database(Settings.read()) as opened:
        rehearsed = _rehearsed(opened, version, last, despite_failures) if last else None
        with opened.begin() as connection:
            row = governed.activate(connection, version, Author(by, why), rehearsed)
    show_row(row, as_json)


def rollback(
    by: By,
    major: Annotated[
        int | None, typer.Option(help="The major version; needed if several are served.", min=1, max=9999)
    ] = None,
    why: Why = None,
    as_json: AsJSON = False,
) -> None:
    """Make the previously governing contract govern again, or an earlier one if it cannot be served.

    A second rollback undoes the first, unless that version was withdrawn meanwhile.
    """
    with database(Settings.read()) as opened:
        with opened.begin() as connection:
            row, passed_over = governed.rollback(connection, major, Author(by, why))
        for error in passed_over:
            note(f"Passed over: {error}.")
        show_row(row, as_json)
        _warn(opened, row)


def deprecate(  # noqa: PLR0913, PLR0917 (the options of a command)
    version: Version,
    by: By,
    sunset: Annotated[
        datetime | None,
        typer.Option(help="Its end: a date like 2027-03-31, or an RFC 3339 date-time.", parser=_instant),
    ] = None,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="Withdraw the deprecation.")] = False,
    why: Why = None,
    as_json: AsJSON = False,
) -> None:
    """Announce the end date of a contract to clients in every response."""
    if (sunset is None) != withdraw:
        raise typer.BadParameter("either --sunset or --withdraw is needed")
    author = Author(by, why)
    with database(Settings.read()) as opened, opened.begin() as connection:
        if sunset is None:
            row = contracts.withdraw_deprecation(connection, version, author)
        else:
            row = contracts.deprecate(connection, version, sunset, author)
    show_row(row, as_json)


def retire(
    version: Version,
    by: By,
    before_sunset: Annotated[bool, typer.Option("--before-sunset", help="Retire it before its sunset.")] = False,
    why: Why = None,
    as_json: AsJSON = False,
) -> None:
    """Stop serving a deprecated contract. Its clients get 410, which names the version to use instead."""
    with database(Settings.read()) as opened, opened.begin() as connection:
        row = contracts.retire(connection, version, before_sunset, Author(by, why))
    show_row(row, as_json)


def history(as_json: AsJSON = False) -> None:
    """List every change to a contract: author, time, reason, and the digests of the text before and after."""
    with database(Settings.read()) as opened, opened.begin() as connection:
        changes = [dataclasses.asdict(change) for change in contract_changes.history(connection)]
    for change in changes:
        if change["action"] == "withdraw":  # the column stays as it was: an earlier release knows no other value
            change["status_after"] = "withdrawn"
    show(changes if as_json else [with_short_digests(change) for change in changes], as_json)


def _chosen(file: Path | None, of_release: str | None) -> Contract:
    """The contract in `file` or, without one, the one of this release; BadParameter unless exactly one is given."""
    if file is None and of_release is not None:
        return contract_of_release(of_release)
    if file is None or of_release is not None:
        raise typer.BadParameter("give either FILE or --of-release")
    return Contract.of_file(file)


def _rehearsed(opened: Database, version: str, last: int, despite_failures: bool) -> ContractRow:
    """The row of `version`, after a rehearsal if it would replace another; a new major version replaces nothing.

    Prints the submissions that would newly fail, and the rows that it could newly not answer with; Refused if there
    are any, unless `despite_failures`.
    """
    with opened.begin() as connection:
        row = contracts.get(connection, version)
        served = {major.number for major in governed.current_state(connection) if major.served}
    if not governed.is_replacing(served, row):
        return row
    rehearsal = rehearsal_of(opened, read(row), last)
    if failures := failures_of(rehearsal):
        with redirect_stdout(sys.stderr):
            show_rehearsal(rehearsal, as_json=False)
        if not despite_failures:
            raise Refused(f"{' and '.join(failures)}; activate with --despite-failures")
    return row


def _warn(opened: Database, row: ContractRow) -> None:
    """Note how many of the newest stored rows `row`, which governs again, cannot answer with; never an error."""
    try:
        found = newest(opened, [read(row)], COUNTED, COUNTING_SECONDS)
    except (DatabaseError, ContractError) as error:
        note(f"The stored rows that contract {row.contract_version} cannot answer with were not counted: {error}")
        return
    if found.count:
        note(
            f"Warning: the records of contract {row.contract_version} cannot say what is in {found.number} before, "
            f"such as {'; '.join(found.reasons)}."
        )


def show_row(row: ContractRow, as_json: bool) -> None:
    """Print `row` without its document; a table leaves out absent instants."""
    fields: dict[str, Any] = {
        "contract_version": row.contract_version,
        "status": row.status,
        "digest": row.digest,
        **instants(row),
    }
    show(fields if as_json else {name: value for name, value in fields.items() if value is not None}, as_json)
