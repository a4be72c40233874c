"""`interaction-reporting mock`."""

import dataclasses
import json
import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Annotated

import typer

from db.engine import Database
from scripts.commands.arguments import name_of
from scripts.mock import credentials
from scripts.mock.control import ACCEPTED, FAULTS, REJECTED, RESET
from scripts.mock.credentials import Credentials
from scripts.service.serve import Program, serve
from scripts.service.settings import Settings, variable

PROGRAM = Program("scripts.mock.worker:application", "scripts.mock.connection:EndableConnection")
DRAIN_SECONDS = 1
"""A request with a long fault must not delay the end."""


def mock(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port; 0 takes a free one.", min=0, max=65535)] = 0,
    event_type: Annotated[
        list[str] | None,
        typer.Option(help="Also register this event type. May be given several times.", parser=name_of, metavar="NAME"),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the URL and the credentials as JSON on one line, for programs.")
    ] = False,
) -> None:
    """Serve the API to tests of a client until SIGTERM or Ctrl-C, with faults to order; then delete all data."""

    def announce(database: Database, url: str) -> None:
        with database.begin() as connection:
            created = credentials.create(connection, url, event_type or ())
        print(json.dumps(dataclasses.asdict(created)) if as_json else _text(created), flush=True)

    with _settings(host, port) as settings:
        serve(settings, announce, program=PROGRAM)


@contextmanager
def _settings(host: str, port: int) -> Iterator[Settings]:
    """The settings of a mock, also in the environment; other settings apply to it as to the service.

    Its data is in a temporary directory, which is removed at the end.
    """
    with tempfile.TemporaryDirectory(prefix="interaction-reporting-mock-") as directory:
        own = {"data_dir": directory, "runtime_dir": directory, "host": host, "port": port, "workers": 1}
        own |= {"drain_delay": 0, "drain_timeout": DRAIN_SECONDS}
        os.environ.pop(variable("database_url"), None)
        os.environ.update({variable(name): str(value) for name, value in own.items()})
        signal.signal(signal.SIGINT, _once)
        try:
            yield Settings.read()
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):  # a second one would leave files behind
                signal.signal(number, signal.SIG_IGN)


def _once(number: int, _frame: FrameType | None) -> None:
    """End the program, and ignore a second signal: it would interrupt what the first one has begun to remove."""
    signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _text(created: Credentials) -> str:
    """`created` for people."""
    return f"""
A mock of the Interaction Reporting API serves at {created.url}
Its data is deleted at the end.

version 1      {created.url}/api/v1
  API key      {created.api_key}
version 2      {created.url}/api/v2
  token URL    {created.token_url}
  client id    {created.client_id}
  secret       {created.client_secret}
widget         {created.widget_id}
event types    {", ".join(created.event_types)}

GET  {created.url}{ACCEPTED} and {REJECTED} show what it was sent
POST {created.url}{RESET} forgets all of it
POST {created.url}{FAULTS} orders faults, such as [{{"kind": "cut_after"}}]

Stop with Ctrl-C.
"""
