"""A peer to measure against: the same operation, written by hand in a few lines, without a contract.

It stores each body with one INSERT and one commit, and does nothing else that the service does: it validates
nothing, keeps no keys, looks nothing up, has no foreign keys and logs no request.
"""

import asyncio
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from psycopg import AsyncConnection
from psycopg.types.json import Jsonb
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from scripts.service.settings import Settings
from scripts.trials.fresh_service import PATIENCE_SECONDS, wait_for_workers

TABLE = "CREATE TABLE IF NOT EXISTS peer_events (LIKE interaction_events INCLUDING ALL)"
INSERT = """
    INSERT INTO peer_events (id, hub_id, widget_id, event_type, occurred_at, actor_id, actor_type, view_context_ref,
        metadata, contract_version)
    VALUES (%(id)s, %(hub_id)s, %(widget_id)s, %(event_type)s, %(occurred_at)s, %(actor_id)s, %(actor_type)s,
        %(view_context_ref)s, %(metadata)s, '1.0')
"""
OPTIONAL = ("actor_id", "actor_type", "view_context_ref")


def application() -> Starlette:
    """The peer in one worker, configured by the environment. uvicorn calls this."""
    expected = f"Bearer {os.environ['PEER_KEY']}"
    hub_id = uuid4()
    free: asyncio.LifoQueue[AsyncConnection[Any]] = asyncio.LifoQueue()

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        url = os.environ["PEER_DATABASE_URL"]
        opened = [await AsyncConnection.connect(url) for _ in range(Settings().connections)]
        for connection in opened:
            free.put_nowait(connection)
        yield
        for connection in opened:
            await connection.close()

    async def create(request: Request) -> JSONResponse:
        if request.headers.get("authorization") != expected:
            return JSONResponse({"error": "the key is not accepted"}, 401)
        event = await request.json()
        required = {"id": uuid4(), **{name: event[name] for name in ("widget_id", "event_type", "occurred_at")}}
        others = {name: event.get(name) for name in OPTIONAL}
        row = {**required, **others, "hub_id": hub_id, "metadata": Jsonb(event.get("metadata"))}
        connection = await free.get()
        try:
            async with connection.transaction():
                await connection.execute(INSERT, row)
        finally:
            free.put_nowait(connection)
        return JSONResponse({**required, "id": str(required["id"])}, 201)

    return Starlette(routes=[Route("/api/v1/interaction-events", create, methods=["POST"])], lifespan=lifespan)


@contextmanager
def running_peer(database_url: str, key: str, workers: int) -> Iterator[str]:
    """The URL of a peer that accepts `key`, in `workers` processes; it creates its table in a service's database."""
    with psycopg.connect(database_url) as connection:
        connection.execute(TABLE)
    environment = os.environ | {"PEER_DATABASE_URL": database_url, "PEER_KEY": key}
    command = [sys.executable, "-m", "uvicorn", "--factory", "scripts.trials.peer:application", "--port", "0"]
    command += ["--workers", str(workers), "--loop", "uvloop", "--http", "httptools", "--no-access-log"]
    command += ["--timeout-worker-healthcheck", "120"]
    with tempfile.TemporaryDirectory(prefix="interaction-reporting-") as directory:
        log = Path(directory, "peer.log")
        with log.open("w") as output:
            process = subprocess.Popen(command, env=environment, stdout=output, stderr=output, text=True)  # noqa: S603
        try:
            wait_for_workers(process, log, workers)
            while not (match := re.search(r"running on (http://\S+)", log.read_text())):  # the last of its first lines
                time.sleep(0.05)
            yield match[1]
        finally:
            process.terminate()
            process.wait(PATIENCE_SECONDS)
