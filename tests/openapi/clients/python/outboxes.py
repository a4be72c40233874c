"""Outboxes of one kind of items, and programs that use them in processes of their own."""

import logging
import os
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Unpack

from openapi.clients.python.batches import Limits
from openapi.clients.python.operations import Caller, Operation
from openapi.clients.python.outbox_files.items import Kind
from openapi.clients.python.outbox_files.kept_items import KeptItems
from openapi.clients.python.outbox_files.options import Options
from openapi.clients.python.wire.connections import Connections
from openapi.clients.python.wire.credentials import Credentials, Key

ROOT = Path(__file__).parents[4]
OPERATION: Operation[Any] = Operation("report", "POST", "/api/events/batch", takes_key=True, takes_gzip=True)
KIND = Kind("events", OPERATION, "client_event_id", "occurred_at", Limits())
LOG = logging.getLogger("openapi.clients.python")
SECONDS = 20
"""The time for a program, or a thread, that would otherwise never end."""
_PRELUDE = """
import logging, os, signal, sys, threading, time
from openapi.clients.python.outbox_files import kept_items
from tests.openapi.clients.python.outboxes import connected, event
signal.signal(signal.SIGINT, signal.default_int_handler)  # it is ignored in what a shell runs in the background
url, path, *arguments = sys.argv[1:]
logging.getLogger().addHandler(logging.NullHandler())
kept_items._AT_EXIT = 0.5
"""


def caller(url: str, timeout: float = 5.0, patience: float = 0.0, credentials: Credentials | None = None) -> Caller:
    """A caller of the service at `url`, with the key `k`."""
    return Caller(Connections(url, timeout), credentials or Key("k"), "test/1", patience, LOG)


def connected(url: str, path: str | Path, timeout: float = 5.0, **options: Unpack[Options]) -> KeptItems:
    """An outbox that sends to the service at `url` at once; `timeout` is that of a request."""
    options.setdefault("linger", 0.0)
    return KeptItems(caller(url, timeout), [KIND], path, **options)


def event(number: int, **fields: Any) -> dict[str, Any]:
    """An item."""
    return {"number": number, **fields}


def add(outbox: KeptItems, *items: Mapping[str, Any]) -> list[str]:
    """Keep `items`; returns their keys."""
    return outbox.keep_all(items, "events")


def send(outbox: KeptItems) -> None:
    """Send what one request may have, if it is time for one."""
    outbox._send()


def started(text: str, *arguments: object, flags: tuple[str, ...] = ("-W", "error")) -> subprocess.Popen[str]:
    """A program that begins with `_PRELUDE`; `arguments` are the URL, the path, and what `arguments` has in it."""
    return subprocess.Popen(
        [sys.executable, "-P", *flags, "-c", _PRELUDE + text, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def output(program: "subprocess.Popen[str]") -> str:
    """What a program prints until it ends, with success and without a word on standard error."""
    try:
        printed, errors = program.communicate(timeout=SECONDS)
    finally:
        program.kill()
    assert (program.returncode, errors) == (0, "")
    return printed


def state(path: Path) -> dict[str, Any]:
    """What the file at `path` notes for all processes."""
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT name, value FROM state").fetchall()
    connection.close()
    return dict(rows)


def balance(outbox: KeptItems) -> int:
    """0 if the counts add up."""
    counts = outbox.counts()
    return counts.added - counts.sent - counts.refused - counts.pending - counts.expired - counts.erased
