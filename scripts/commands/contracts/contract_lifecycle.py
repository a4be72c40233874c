"""`interaction-reporting contract publish` and the later stages in the life of a contract."""

import getpass
import sys
from contextlib import redirect_stdout
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from db import contract_changes, contracts
from db.contract_changes import Author
from db.contracts import ContractRow
from db.engine import Database
from db.errors import Refused
from handlers.contracts import lifecycle as governed
from handlers.contracts.publications import instants
from handlers.contracts.rehearsals import NEWLY_FAILS
from handlers.contracts.serving_plan import read
from openapi.contract import Contract
from openapi.standards import date_times
from scripts.commands.arguments import AsJSON, name_of
from scripts.commands.contracts.rehearsals import rehearsal_of, show_rehearsal
from scripts.commands.output import note, show
from scripts.service.databases import database
from scripts.service.settings import Settings


def _instant(text: str) -> datetime:
    """A date, which begins at 00:00 UTC, or an RFC 3339 date-time."""
    try:
        return date_times.parse(text if "T" in text.upper() else f"{text}T00:00:00Z")
    except ValueError:
        raise typer.BadParameter("it is neither a date like 2027-03-31 nor a date-time of RFC 3339") from None


def _login() -> str:
    """The login name of the operator; `unknown` if the system has none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


Version = Annotated[str, typer.Argument(help="For instance 1.0.")]
Why = Annotated[str | None, typer.Option("--why", help="A reason, for the history.", parser=name_of)]
By = Annotated[
    str, typer.Option("--by", help="The author of the change, for the history.", parser=name_of, default_factory=_login)
]


def publish(
    file: Annotated[Path, typer.Argument(help="An OpenAPI 3.0 document, YAML or JSON.", exists=True, dir_okay=False)],
    by: By,
    acknowledge: Annotated[
        list[str] | None,
        typer.Option(help="The fingerprint of a change without a proof that it is compatible; needs --why."),
    ] = None,
    why: Why = None,
    as_json: AsJSON = False,
) -> None:
    """Store a document as a draft, if its version announces all its changes. A published one is never replaced."""
    if acknowledge and why is None:
        raise typer.BadParameter("--acknowledge needs --why")
    contract = Contract.of_file(file)
    with database(Settings.read()) as opened, opened.begin() as connection:
        is_new = governed.publish(connection, contract, Author(by, why), frozenset(acknowledge or ()))
        row = contracts.get(connection, contract.version)
    if not is_new:
        note(f"Contract {contract.version} is published already, with the same content.")
    _show(row, as_json)


def activate(  # noqa: PLR0913, PLR0917 (the options of a command)
    version: Version,
    by: By,
    last: Annotated[int, typer.Option(help="How many of the newest submissions are tried; 0: none.", min=0)] = 100_000,
    despite_failures: Annotated[
        bool, typer.Option("--despite-failures", help="Go on although submissions would newly fail.")
    ] = False,
    why: Why = None,
    as_json: AsJSON = False,
) -> None:
    """Let a contract govern its major version from now on, if no submission of a hub would newly fail."""
    with database(Settings.read()) as opened:
        rehearsed = _rehearsed(opened, version, last, despite_failures) if last else None
        with opened.begin() as connection:
            row = governed.activate(connection, version, Author(by, why), rehearsed)
    _show(row, as_json)


def rollback(
    by: By,
    major: Annotated[
        int | None, typer.Option(help="The major version; needed if several are served.", min=1, max=9999)
    ] = None,
    why: Why = None,
    as_json: AsJSON = False,
) -> None:
    """Let the contract that governed before govern again. A second rollback undoes the first."""
    with database(Settings.read()) as opened, opened.begin() as connection:
        row = governed.rollback(connection, major, Author(by, why))
    _show(row, as_json)


def deprecate(  # noqa: PLR0913, PLR0917 (the options of a command)
    version: Version,
    by: By,
    sunset: Annotated[
        datetime | None, typer.Option(help="When it ends: 2027-03-31, or with a time of day.", parser=_instant)
    ] = None,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="Take a deprecation back.")] = False,
    why: Why = None,
    as_json: AsJSON = False,
) -> None:
    """Announce the end of a contract, and its date, to clients in every answer."""
    if (sunset is None) != withdraw:
        raise typer.BadParameter("either --sunset or --withdraw is needed")
    author = Author(by, why)
    with database(Settings.read()) as opened, opened.begin() as connection:
        if sunset is None:
            row = contracts.withdraw(connection, version, author)
        else:
            row = contracts.deprecate(connection, version, sunset, author)
    _show(row, as_json)


def retire(
    version: Version,
    by: By,
    before_sunset: Annotated[bool, typer.Option("--before-sunset", help="Do not wait for its sunset.")] = False,
    why: Why = None,
    as_json: AsJSON = False,
) -> None:
    """Stop serving a deprecated contract: its clients get 410, and the version to use instead."""
    with database(Settings.read()) as opened, opened.begin() as connection:
        row = contracts.retire(connection, version, before_sunset, Author(by, why))
    _show(row, as_json)


def history(as_json: AsJSON = False) -> None:
    """List every change of a contract: its author, time and reason, and the digests of its text before and after."""
    with database(Settings.read()) as opened, opened.begin() as connection:
        show(contract_changes.history(connection), as_json)


def _rehearsed(opened: Database, version: str, last: int, is_going_on: bool) -> ContractRow:
    """The row of `version`, rehearsed if it is to replace another one; a new major version replaces nothing.

    Prints the submissions that would newly fail; Refused if there are any, unless `is_going_on`.
    """
    with opened.begin() as connection:
        row = contracts.get(connection, version)
        is_replacing = any(major.served and major.number == row.major for major in governed.current_state(connection))
    if not is_replacing or row.status in contracts.SERVING:
        return row
    rehearsal = rehearsal_of(opened, read(row), last)
    if failures := rehearsal.count(NEWLY_FAILS):
        with redirect_stdout(sys.stderr):
            show_rehearsal(rehearsal, as_json=False)
        if not is_going_on:
            raise Refused(
                f"{failures} of what was submitted would newly fail: activate it --despite-failures, or not at all"
            )
    return row


def _show(row: ContractRow, as_json: bool) -> None:
    """Print `row` without its document; a table leaves out an absent instant."""
    fields: dict[str, Any] = {
        "contract_version": row.contract_version,
        "status": row.status,
        "digest": row.digest,
        **instants(row),
    }
    show(fields if as_json else {name: value for name, value in fields.items() if value is not None}, as_json)
