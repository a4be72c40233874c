"""Arguments and options of several commands: names, documents, and the form of the output."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Protocol, TypeVar

import typer

from openapi.contract import Contract, ContractError, Document

D = TypeVar("D", bound=Document)

LONGEST = 200

AsJSON = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


class StoredContracts(Protocol):
    """The contracts of a database."""

    def version(self, version: str) -> Contract:
        """The contract `version`; BadParameter if absent."""


def name_of(text: str) -> str:
    """`text` if a list can show it and an operator can type it again; BadParameter if not."""
    if not 1 <= len(text) <= LONGEST or not text.isprintable() or text != text.strip():
        raise typer.BadParameter(f"it has 1 to {LONGEST} printable characters, and no blank at its ends")
    return text


def document(name: str, of_file: Callable[[Path], D], stored: Callable[[], StoredContracts]) -> D | Contract:
    """The contract of the version `name` in the database, else what `of_file` reads; BadParameter if both fail.

    `stored` is called for a version only. A file that is named like a version, `1.0`, is `./1.0`.
    """
    if re.fullmatch(r"[0-9]+\.[0-9]+", name):
        return stored().version(name)
    try:
        return of_file(Path(name))
    except (ContractError, OSError) as error:
        raise typer.BadParameter(f"{name}: {error}") from None
