"""The server of a worker: its delay before a drain, and its end during a start."""

import asyncio
import signal
from types import SimpleNamespace
from typing import Any

import pytest
import uvicorn

from handlers.site.draining import DRAINING, ON_DRAIN
from scripts.service.supervision.server import DelayedServer


def started(delay: float) -> DelayedServer:
    """A server that has started, without an application."""
    server = DelayedServer(uvicorn.Config("none"), delay)
    server.started = True
    server.lifespan = SimpleNamespace(state={})  # its state is all that counts here
    return server


@pytest.mark.parametrize(
    ("delay", "signals", "drains_at_once"),
    [
        pytest.param(60, [signal.SIGTERM], False, id="after the delay"),
        pytest.param(0, [signal.SIGTERM], True, id="no delay"),
        pytest.param(60, [signal.SIGINT], True, id="Ctrl-C"),
        pytest.param(60, [signal.SIGTERM, signal.SIGTERM], True, id="a second signal"),
    ],
)
def test_a_signal_begins_the_drain(delay: float, signals: list[signal.Signals], drains_at_once: bool) -> None:
    """SIGTERM only tells readiness at first, if there is a delay."""

    async def scenario() -> tuple[bool, bool]:
        server = started(delay)
        for number in signals:
            server.handle_exit(number, None)
        return await server.on_tick(1), DRAINING in server.lifespan.state

    ends, is_told = asyncio.run(scenario())
    assert ends is drains_at_once
    assert is_told is (delay > 0 and signals[0] is signal.SIGTERM)


def test_the_delay_ends() -> None:
    """Then the server does."""

    async def scenario() -> list[bool]:
        server = started(0.2)
        server.handle_exit(signal.SIGTERM, None)
        before = await server.on_tick(1)
        await asyncio.sleep(0.3)
        return [before, await server.on_tick(1)]

    assert asyncio.run(scenario()) == [False, True]


@pytest.mark.parametrize("is_stopped", [False, True])
def test_a_signal_ends_a_start(is_stopped: bool, caplog: pytest.LogCaptureFixture) -> None:
    """A start that waits for ever ends with status 0; without a signal it goes on, and the server has started.

    The log has no fault.
    """
    ready = asyncio.Event()

    async def application(scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "lifespan"
        await receive()
        await ready.wait()
        await send({"type": "lifespan.startup.complete"})

    async def scenario() -> bool:
        config = uvicorn.Config(application, lifespan="on", log_config=None)
        config.load()
        server = DelayedServer(config, 0)
        server.lifespan = config.lifespan_class(config)
        if is_stopped:
            asyncio.get_running_loop().call_later(0.2, server.handle_exit, signal.SIGTERM, None)
        else:
            asyncio.get_running_loop().call_later(0.2, ready.set)
        await server.startup(sockets=[])
        return server.started

    if is_stopped:
        with pytest.raises(SystemExit) as ended:
            asyncio.run(scenario())
        assert ended.value.code == 0
    else:
        assert asyncio.run(scenario())
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


def test_endless_responses_end_before_the_others_are_awaited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise a drain would last as long as it may."""
    done: list[str] = []

    async def shutdown(_server: object, _sockets: object = None) -> None:
        done.append("waited")

    async def scenario() -> None:
        server = started(0)
        server.lifespan.state[ON_DRAIN] = lambda: done.append("ended")
        await server.shutdown()

    monkeypatch.setattr(uvicorn.Server, "shutdown", shutdown)
    asyncio.run(scenario())
    assert done == ["ended", "waited"]
