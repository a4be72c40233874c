"""`interaction-reporting generate collection`: requests to try a service with, made from its document."""

from pathlib import Path
from typing import Annotated

import typer

from openapi.contract import ContractError
from openapi.generate.collections import http_file, postman
from scripts.commands.generation.files import Check, File, Version, document_of, put


def collection(
    out: Annotated[Path, typer.Option(help="The directory for collection.json and requests.http; created if absent.")],
    version: Version = None,
    file: File = None,
    url: Annotated[str, typer.Option(help="The URL of the service, without a path.")] = "http://127.0.0.1:8080",
    check: Check = False,
) -> None:
    """Write a request for each operation, for Postman, Insomnia, Bruno, Hoppscotch, and REST Client of VS Code."""
    source, origin = document_of(version, file), url.rstrip("/")
    try:
        files = {"collection.json": postman.emit(source, origin), "requests.http": http_file.emit(source, origin)}
    except ContractError as error:
        raise typer.BadParameter(str(error)) from None
    put(out, files, check)
