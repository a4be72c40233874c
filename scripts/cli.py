"""The command `interaction-reporting`."""

import os
import signal
import sys
from typing import Annotated

import typer

from db.engine import Database
from db.errors import DatabaseError
from openapi.contract import ContractError
from scripts.commands import clients, event_types, hubs, migration, retention, signing_keys, widgets
from scripts.commands.contracts import contracts
from scripts.commands.output import AsJSON, note, show
from scripts.service import demonstration
from scripts.service.serve import connected, prepare, serve
from scripts.service.settings import Settings, SettingsError, table, variable
from scripts.trials import bench, bench_batches, fuzz

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Hubs report interaction events about governed UI widgets, as a contract says.",
    epilog="Settings, from the environment: "
    + "; ".join(f"{name}: {text} (default: {default or 'unset'})" for name, default, text in table()),
)
clients.add_to(hubs.app)
app.add_typer(hubs.app, name="hub")
app.add_typer(widgets.app, name="widget")
app.add_typer(event_types.app, name="event-type")
app.add_typer(contracts.app, name="contract")
app.add_typer(migration.app, name="migration")
app.add_typer(signing_keys.app, name="signing-key")
app.command("bench")(bench.bench)
app.command("bench-batches")(bench_batches.bench_batches)
app.command("fuzz")(fuzz.fuzz)
app.command("retention")(retention.retention)


@app.command("serve")
def serve_(
    host: Annotated[str | None, typer.Option(help="The address to listen on, instead of IR_HOST.")] = None,
    port: Annotated[
        int | None, typer.Option(help="The port, instead of IR_PORT; 0 takes a free one.", min=0, max=65535)
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Processes that serve, instead of IR_WORKERS.", min=1)] = None,
    demo: Annotated[bool, typer.Option("--demo", help="Make a hub and a widget, and print a command to try.")] = False,
) -> None:
    """Serve the API until SIGTERM or Ctrl-C."""
    options = {"host": host, "port": port, "workers": workers}
    given = {variable(name): str(value) for name, value in options.items() if value is not None}
    settings = Settings.read(os.environ | given)

    def opened(kept: Database, url: str) -> None:
        if demo:
            demonstration.announce(settings, kept, url)

    serve(settings, opened)


@app.command()
def migrate(as_json: AsJSON = False) -> None:
    """Bring the database to the tables of this release, and give an empty one its contract. `serve` does so, too."""
    with connected(Settings.read()) as opened:
        show(prepare(opened), as_json)


def main() -> None:
    """Run the command line; exit 0 when done, 1 when refused, 2 when misused."""
    # What a command has started is ended first, as on Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        app()
    except SettingsError as error:
        sys.exit(_told(error, 2))
    except (DatabaseError, ContractError, OSError) as error:
        sys.exit(_told(error, 1))


def _told(error: Exception, status: int) -> int:
    note(f"error: {error}")
    return status


if __name__ == "__main__":
    main()
