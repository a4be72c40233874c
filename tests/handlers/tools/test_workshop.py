"""Processes that work on documents: each ends with its request, and tells nothing of the service."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any
from unittest import mock

import psutil
import pytest
from starlette.requests import ClientDisconnect

from handlers.tools import limits, workshop
from handlers.tools.messages import Task
from handlers.tools.work import CLIENT, DIFF
from handlers.tools.workshop import Room, worked_out
from openapi.problems import Problem
from openapi.rendering.representations import Representation
from tests.handlers.tools.documents import document, pair

JSON = "application/json"
SAME = Task(DIFF, JSON, JSON, pair(document(), document()))
HURRIED = "from handlers.tools import limits, process; limits.CPU_SECONDS = 1; process.main()"
"""A process with a second of processor time, so that tests are fast."""
SLEEP = "import time; time.sleep(600)"
BUSY = json.dumps(
    {
        "openapi": "3.0.3",
        "info": {"title": "Many", "version": "1.0"},
        "paths": {f"/{index}": {"get": {"responses": {"200": {"description": "x"}}}} for index in range(10_000)},
    }
)
"""Takes more than a second to be compared with another description."""


async def stays() -> dict[str, Any]:
    """Receive nothing: the client waits."""
    await asyncio.Event().wait()
    return {}


def outcome(
    task: Task = SAME, code: str = "", receive: Callable[[], Awaitable[dict[str, Any]]] = stays
) -> Representation:
    """The result of `task`, worked out by a process that runs `code`."""
    with mock.patch.object(workshop, "COMMAND", (sys.executable, "-P", "-c", code) if code else workshop.COMMAND):
        try:
            return asyncio.run(worked_out(task, receive))
        finally:
            assert not [child for child in psutil.Process().children() if code and code in child.cmdline()]


def test_a_process_works_out_the_result() -> None:
    """The same as in this process."""
    assert json.loads(outcome().content) == {
        "old": "old",
        "new": "new",
        "class": "none",
        "breaking": False,
        "summary": "no changes",
        "incomplete": None,
        "needed_version": "1.0",
        "only": None,
        "acknowledged": [],
        "expired": [],
        "unused": [],
        "changes": [],
    }


def test_a_refusal_comes_out_as_its_problem() -> None:
    """With the words of the process."""
    with pytest.raises(Problem) as refused:
        outcome(Task(CLIENT, "python", "application/yaml", b"\xff"))
    assert refused.value.error == "the document is refused: byte 0 is not UTF-8"


def test_too_much_work_is_refused() -> None:
    """The words say that it was the time."""
    with pytest.raises(Problem) as refused:
        outcome(Task(DIFF, JSON, JSON, pair(BUSY, BUSY.replace('"x"', '"y"'))), HURRIED)
    assert (refused.value.code, refused.value.status) == ("documents_over_limit", 422)
    assert refused.value.error == "the work on the documents takes more than 10 seconds of processor time"


def test_too_much_memory_is_refused() -> None:
    """The words say that it was the memory."""
    greedy = "from handlers.tools import process; process.work = lambda _: bytearray(10**10); process.main()"
    with pytest.raises(Problem) as refused:
        outcome(code=greedy)
    assert refused.value.error == "the work on the documents takes more than 512 MiB of memory"


def test_a_process_that_hangs_is_ended() -> None:
    """Its worker does not rely on the alarm of the process."""
    with (
        mock.patch.multiple(limits, WALL_SECONDS=0),
        mock.patch.object(workshop, "GRACE_SECONDS", 0.1),
        pytest.raises(Problem) as refused,
    ):
        outcome(code=SLEEP)
    assert refused.value.error == "the work on the documents takes more than 20 seconds"


def test_a_process_ends_with_its_client() -> None:
    """When the client goes away, whatever it sent before."""
    messages = [{"type": "http.request"}, {"type": "http.disconnect"}]

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(0.1)
        return messages.pop(0)

    with pytest.raises(ClientDisconnect):
        outcome(code=SLEEP, receive=receive)
    assert not messages


def test_a_process_ends_with_its_request() -> None:
    """When the request is cancelled, as a worker that stops does."""

    async def cancelled() -> None:
        working = asyncio.create_task(worked_out(SAME, stays))
        await asyncio.sleep(0.2)
        assert [child for child in psutil.Process().children() if SLEEP in child.cmdline()]
        working.cancel()
        with suppress(asyncio.CancelledError):
            await working
        assert not [child for child in psutil.Process().children() if SLEEP in child.cmdline()]

    with mock.patch.object(workshop, "COMMAND", (sys.executable, "-c", SLEEP)):
        asyncio.run(cancelled())


def test_a_process_learns_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some settings are secret."""
    monkeypatch.setenv("IR_OPERATOR_KEY", "0123456789abcdef")
    told = "import json, os; print(json.dumps({'failure': sorted(os.environ.keys() - {'LC_CTYPE'})}))"
    with pytest.raises(RuntimeError) as failed:
        outcome(code=told)
    assert str(failed.value) == "the work on documents failed: ['PYTHONDONTWRITEBYTECODE', 'PYTHONPATH']"


def test_a_process_that_breaks_is_a_fault_of_the_program() -> None:
    """It is no refusal."""
    with pytest.raises(RuntimeError, match=r"^the work on documents ended with status 3$"):
        outcome(code="raise SystemExit(3)")


def test_a_room_takes_so_many_and_no_more() -> None:
    """A request that leaves makes room."""
    room = Room(2)
    with room.entering():
        with room.entering(), pytest.raises(Problem, match="tools_busy") as busy, room.entering():
            pass
        with room.entering():
            pass
    assert (busy.value.status, busy.value.headers) == (503, [(b"retry-after", b"1")])
