"""A small service under supervision, whose workers fail as a file says."""

import asyncio
import os
import socket
from pathlib import Path
from typing import Any

import uvicorn

from handlers.site.draining import DRAINING
from scripts.service import logs
from scripts.service.supervision import supervisor
from scripts.service.supervision.supervisor import Supervisor, WorkerOptions

FAULT = "SUPERVISED_FAULT_FILE"
"""The environment variable that names the file: `exit` ends each start, `wait` makes it last for ever."""


def application() -> Any:
    """The application of a worker; it answers after the seconds in the path, with its process id and its state."""
    fault = Path(os.environ[FAULT]).read_text()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            if fault == "exit":
                raise RuntimeError("the fault of the test")
            await asyncio.sleep(600 if fault == "wait" else 0)
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        await asyncio.sleep(float(scope["path"].removeprefix("/")))
        state = "drains" if scope["state"].get(DRAINING) else "serves"
        await send({"type": "http.response.start", "status": 200, "headers": [(b"connection", b"close")]})
        await send({"type": "http.response.body", "body": f"{os.getpid()} {state}".encode()})

    return app


def main(workers: int, drain_delay: float, drain_timeout: int, silence: float) -> None:
    """Supervise on a free port, and print it; a worker may be silent for `silence` seconds."""
    supervisor.SILENCE_SECONDS = silence
    logs.configure("info")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        config = uvicorn.Config(
            f"{__name__}:application",
            factory=True,
            workers=workers,
            log_config=None,
            timeout_graceful_shutdown=drain_timeout,
            lifespan="on",
        )
        Supervisor(config, [listener], WorkerOptions(drain_delay)).run()
