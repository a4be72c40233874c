"""`interaction-reporting contract`: the documents that govern the API."""

import dataclasses
import json
from pathlib import Path
from typing import Annotated

import typer

from db import contracts
from handlers.contracts import differences, governing
from openapi.contract import Contract
from openapi.lint import lint as findings_of
from scripts.output import AsJSON, note, show
from scripts.serve import database
from scripts.settings import Settings

app = typer.Typer(no_args_is_help=True, help="The contracts: which version is served, and what it says.")


@app.command("list")
def list_(as_json: AsJSON = False) -> None:
    """List every contract in the database."""
    with database(Settings.read()) as opened, opened.begin() as connection:
        rows = [dataclasses.asdict(row) for row in contracts.all_of_them(connection)]
    show([{name: value for name, value in row.items() if name != "document"} for row in rows], as_json)


@app.command("show")
def show_(version: Annotated[str, typer.Argument(help="For instance 1.0.")], as_json: AsJSON = False) -> None:
    """Print the document of a version, as it was published; with --json, as JSON."""
    with database(Settings.read()) as opened, opened.begin() as connection:
        document = contracts.get(connection, version).document
    print(json.dumps(Contract.read(document).document, indent=2, ensure_ascii=False) if as_json else document, end="")


@app.command()
def status(as_json: AsJSON = False) -> None:
    """Say which contract governs, and where rows and the documents of this release differ."""
    with database(Settings.read()) as opened, opened.begin() as connection:
        contract = governing(connection)
        show(
            {"governs": contract.version, "digest": contract.digest, "differences": differences(connection)},
            as_json,
        )


@app.command()
def lint(
    files: Annotated[
        list[Path], typer.Argument(help="OpenAPI 3.0 documents, YAML or JSON.", exists=True, dir_okay=False)
    ],
    as_json: AsJSON = False,
) -> None:
    """Check documents against the house rules. Exits 1 if one breaks a rule."""
    found = [
        {"file": str(file), **dataclasses.asdict(finding)}
        for file in files
        for finding in findings_of(Contract.of_file(file))
    ]
    show(found, as_json)
    if found:
        note(f"{len(found)} rules broken")
        raise typer.Exit(1)
