"""The documents that an argument of a command names."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import typer
from sqlalchemy import Connection

from db import contracts
from db.errors import NotFound
from handlers.contracts.serving_plan import read
from openapi.contract import Contract, ContractError, Document

D = TypeVar("D", bound=Document)


def named(name: str, of_file: Callable[[Path], D], connection: Callable[[], Connection]) -> D | Contract:
    """The contract of the version `name` in the database, else what `of_file` reads; BadParameter without either.

    A file that is named like a version, `1.0`, is `./1.0`.
    """
    try:
        if re.fullmatch(r"[0-9]+\.[0-9]+", name):
            return read(contracts.get(connection(), name))
        return of_file(Path(name))
    except (NotFound, ContractError, OSError) as error:
        raise typer.BadParameter(f"{name}: {error}") from None
