"""`interaction-reporting generate client`: a client of a service, made from its document."""

from pathlib import Path
from typing import Annotated

import typer

from openapi.contract import ContractError
from openapi.generate.client_operations import client_model
from openapi.generate.languages import packages
from scripts.commands.generation.files import Check, File, Version, document_of, put_bytes


def client(
    out: Annotated[Path, typer.Option(help="The directory for the packages; created if absent.")],
    version: Version = None,
    file: File = None,
    check: Check = False,
) -> None:
    """Write clients for Python (a wheel) and TypeScript (a tarball for npm): one method for each operation.

    Each has an outbox that loses nothing.
    """
    source = document_of(version, file)
    try:
        model = client_model(source)
        made = [packages.python_wheel(model), packages.npm_tarball(model)]
    except ContractError as error:
        raise typer.BadParameter(str(error)) from None
    put_bytes(out, {package.file_name: package.content for package in made}, check)
