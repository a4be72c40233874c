"""Connections that the application may end: the service's own, which each request of the mock can reach."""

from typing import Any, cast

from starlette.types import Receive, Scope

from openapi.protocol.connection import HTTPConnection

_CONNECTION = "mock connection"
"""The key of the connection in the state of the scope of each request."""


class EndableConnection(HTTPConnection):
    """The service's connection; `reset_connection` and `close_connection` find it in the scope of its requests."""

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        cycle.scope["state"][_CONNECTION] = self
        super()._start_asgi_task(cycle, app)


async def reset_connection(scope: Scope, receive: Receive) -> None:
    """Drop the connection of `scope` at once, as when a network fails: the client gets a reset."""
    _of(scope).reset()
    await _gone(receive)


async def close_connection(scope: Scope, receive: Receive) -> None:
    """Close the connection of `scope` when all that was sent has left: the client gets an early end."""
    _of(scope).close()
    await _gone(receive)


def _of(scope: Scope) -> EndableConnection:
    return cast("EndableConnection", scope["state"][_CONNECTION])


async def _gone(receive: Receive) -> None:
    """Wait until the connection is closed: before that the server would add an answer of its own."""
    while (await receive())["type"] != "http.disconnect":
        pass
