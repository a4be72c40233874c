"""`interaction-reporting serve` and `migrate`."""

import os
from typing import Annotated

import typer

from db.engine import Database
from scripts.commands.arguments import AsJSON
from scripts.commands.output import show
from scripts.service import demonstration
from scripts.service.databases import connected, remedied
from scripts.service.serve import prepare, warn_of_revisions
from scripts.service.serve import serve as serve_with
from scripts.service.settings import Settings, variable


def serve(
    host: Annotated[str | None, typer.Option(help="The address to listen on, instead of IR_HOST.")] = None,
    port: Annotated[
        int | None, typer.Option(help="The port, instead of IR_PORT; 0 takes a free one.", min=0, max=65535)
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="The number of worker processes, instead of IR_WORKERS.", min=1)
    ] = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="Create a hub and a widget, and print a command to try.")
    ] = False,
    no_migrate: Annotated[
        bool, typer.Option("--no-migrate", help="Do not migrate; refuse a database that lacks a revision.")
    ] = False,
) -> None:
    """Serve the API until SIGTERM or Ctrl-C."""
    options = {"host": host, "port": port, "workers": workers}
    overrides = {variable(name): str(value) for name, value in options.items() if value is not None}
    settings = Settings.read(os.environ | overrides)

    def announce(database: Database, url: str) -> None:
        if demo:
            demonstration.announce(settings, database, url)

    serve_with(settings, announce, with_migrations=not no_migrate)


def migrate(
    as_json: AsJSON = False,
    contract: Annotated[
        bool,
        typer.Option(
            "--contract",
            help="Also remove what this release no longer needs. No replica of an earlier release may run then.",
        ),
    ] = False,
) -> None:
    """Migrate the database to this release, and add the contracts to an empty one. `serve` does the same."""
    settings = Settings.read()
    with connected(settings) as database, remedied(settings):
        summary = prepare(database, contract=contract)
    show(summary, as_json)
    warn_of_revisions(summary)
