"""Processes that work on documents, from the side of a worker: few at a time, each ended with its request."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from starlette.requests import ClientDisconnect
from starlette.types import Receive

from handlers.tools import limits, messages
from handlers.tools.messages import Task
from openapi.problems import Problem
from openapi.rendering.representations import Representation

COMMAND = (sys.executable, "-P", "-m", "handlers.tools.process")
GRACE_SECONDS = 2
"""How much longer than its own limit a process may take until its worker ends it."""


class Room:
    """Counts the requests in a block; Problem `tools_busy` for one that finds `most` in it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._count = 0

    @contextmanager
    def entering(self) -> Iterator[None]:
        """Count a request during the block."""
        if self._count >= self._most:
            raise Problem("tools_busy")
        self._count += 1
        try:
            yield
        finally:
            self._count -= 1


async def worked_out(task: Task, receive: Receive) -> Representation:
    """The result of `task` from a process of its own.

    Problem if it is refused or exceeds a limit; ClientDisconnect if the client goes away. The process has ended.
    """
    working, gone = asyncio.create_task(_in_process(task)), asyncio.create_task(_disconnected(receive))
    try:
        await asyncio.wait({working, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnect
        return await working
    finally:
        for pending in (working, gone):
            pending.cancel()
        await asyncio.gather(working, gone, return_exceptions=True)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _in_process(task: Task) -> Representation:
    process = await asyncio.create_subprocess_exec(
        *COMMAND, stdin=PIPE, stdout=PIPE, stderr=asyncio.subprocess.DEVNULL, env=_environment()
    )
    try:
        async with asyncio.timeout(limits.WALL_SECONDS + GRACE_SECONDS):
            output, _ = await process.communicate(task.message())
    except TimeoutError:
        raise Problem("documents_over_limit", limit=limits.WALL) from None
    finally:
        await _end(process)
    return _result(process.returncode or 0, output)


def _environment() -> dict[str, str]:
    """The modules of this process, and none of its settings: some are secret, and documents come from anybody."""
    return {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONDONTWRITEBYTECODE": "1"}


async def _end(process: Process) -> None:
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGKILL)
    await process.wait()


def _result(status: int, output: bytes) -> Representation:
    """The result in `output`; Problem if it is a refusal, or `status` says that a limit was reached."""
    if status == 0:
        return messages.result(output)
    if limit := limits.exceeded(status):
        raise Problem("documents_over_limit", limit=limit)
    raise RuntimeError(f"the work on documents ended with status {status}")
