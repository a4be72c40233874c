"""Arguments and options that commands share: names, documents, and the output format."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Protocol, TypeVar
from uuid import UUID

import typer

from db.keys import LONGEST_OVERLAP_HOURS
from openapi.contract import VERSION, Contract, ContractError, Document

D = TypeVar("D", bound=Document)

LONGEST = 200

AsJSON = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


class StoredContracts(Protocol):
    """The contracts of a database."""

    def version(self, version: str) -> Contract:
        """The contract `version`; BadParameter if absent."""


def name_of(text: str) -> str:
    """Return `text` if a list can show it and an operator can type it; raise BadParameter if not."""
    if not 1 <= len(text) <= LONGEST or not text.isprintable() or text != text.strip():
        raise typer.BadParameter(f"it must have 1 to {LONGEST} printable characters, without a space at either end")
    return text


def uuid_of(text: str | UUID) -> UUID:
    """The UUID in `text`, as the API accepts it; BadParameter if it is none."""
    if not re.fullmatch(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", str(text)):
        raise typer.BadParameter("it is not a UUID: 36 characters, such as 5b0e3c9a-6a57-4d0b-8f6f-2b7a1c0d9e11")
    return UUID(str(text))


def version_of(text: str) -> str:
    """Return `text` if it is the version of a contract, MAJOR.MINOR; BadParameter if not."""
    if not VERSION.fullmatch(text):
        raise typer.BadParameter("it is not a version of the form MAJOR.MINOR, such as 1.2")
    return text


def hours_of(text: str | int) -> int:
    """The number of hours in `text`, as `24h` or `24`; BadParameter unless it is 0 to LONGEST_OVERLAP_HOURS."""
    matched = re.fullmatch(r"([0-9]{1,9})h?", str(text))
    if not matched or int(matched[1]) > LONGEST_OVERLAP_HOURS:
        raise typer.BadParameter(
            f"{text!r} is not a whole number of hours from 0 to {LONGEST_OVERLAP_HOURS}, such as 24h or 24"
        )
    return int(matched[1])


Overlap = Annotated[
    int,
    typer.Option(
        help=f"Hours until the old one is refused: 24h or 24, at most {LONGEST_OVERLAP_HOURS}.",
        parser=hours_of,
        metavar="HOURS",
    ),
]


def is_version(name: str) -> bool:
    """True if `name` is that of a stored contract, such as 1.0; a file of that name is given as `./1.0`."""
    return re.fullmatch(r"[0-9]+\.[0-9]+", name) is not None


def document(name: str, of_file: Callable[[Path], D], stored: Callable[[], StoredContracts]) -> D | Contract:
    """Return the stored contract if `name` is a version, else what `of_file` reads; BadParameter if that fails.

    `stored` is called for a version only.
    """
    if is_version(name):
        return stored().version(name)
    try:
        return of_file(Path(name))
    except (ContractError, OSError) as error:
        raise typer.BadParameter(f"{name}: {error}") from None
