"""`interaction-reporting generate handlers`: beginnings of the handlers that a document needs."""

from pathlib import Path
from typing import Annotated

import typer

from handlers.operations import OPERATIONS
from openapi.contract import ContractError
from openapi.generate.languages.handler_modules import beginnings
from scripts.commands.generation.files import Check, File, Version, document_of, put
from scripts.commands.output import note


def handlers(
    out: Annotated[Path, typer.Option(help="The directory of the project.")] = Path(),
    version: Version = None,
    file: File = None,
    check: Check = False,
) -> None:
    """Begin a module and a failing test for each operation that no handler serves. Overwrites nothing."""
    source = document_of(version, file)
    paths = [path for folder in ("handlers", "tests") for path in sorted((out / folder).rglob("*.py"))]
    existing = {str(path.relative_to(out)): path.read_text("utf-8") for path in paths}
    try:
        made = beginnings(source, {*OPERATIONS.handlers, *OPERATIONS.former_names}, existing)
    except ContractError as error:
        raise typer.BadParameter(str(error)) from None
    put(out, made.files, check)
    if made.rows:
        note("Add to the table in handlers/operations.py:\n" + "\n".join(made.rows))
    else:
        print("Every operation of the document has a handler, or the beginning of one.")
