"""Opens connections: to the first of several hosts that serves, with every setting in force."""

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Any, TypeVar, cast

import psycopg
from psycopg.abc import AdaptContext
from psycopg.conninfo import conninfo_attempts, conninfo_attempts_async

from db import session_settings
from db.errors import Unsuitable

T = TypeVar("T")
Connection = psycopg.Connection[tuple[Any, ...]]
AsyncConnection = psycopg.AsyncConnection[tuple[Any, ...]]

HEAD_START_SECONDS = 0.2
"""How long one host is tried before the next one is tried as well: a silent host delays a connection by this."""
_NO_DATABASE = "another service than PostgreSQL answers there: correct host and port"
_UNSUITABLE = {
    "server is in hot standby mode": "the server is a standby, which takes no writes: name the primary, or all hosts "
    "(host1,host2), so that the service finds it",
    "unsupported startup parameter": "a pooler such as PgBouncer answers there, and refuses settings: connect to "
    "PostgreSQL itself",
    "expected authentication request": _NO_DATABASE,
    "received invalid response": _NO_DATABASE,
}
"""By words in libpq's errors: what no later attempt changes, as long as one host alone is named."""


class Hosts:
    """The hosts that `parameters`, those of libpq, name."""

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        self.parameters = parameters
        self._last: Mapping[str, Any] = {}

    def connect(self, context: AdaptContext | None = None) -> Connection:
        """A connection with every setting in force, for a thread; raises psycopg's errors, or Unsuitable.

        `context` has the adapters of values.

        The hosts are tried one after another, and the last one that served is the first: a silent host costs its time
        only once.
        """
        errors: list[psycopg.Error] = []
        attempts = conninfo_attempts(self.parameters)
        for attempt in sorted(attempts, key=lambda attempt: attempt != self._last):
            try:
                connection = psycopg.connect(**cast("Any", attempt), autocommit=True, context=context)
            except psycopg.Error as error:
                errors.append(error)
            else:
                self._last = attempt
                return _set_up(connection)
        raise self._joined(errors)

    async def connect_async(self, seconds: float) -> AsyncConnection:
        """A connection in autocommit mode with every setting in force; raises psycopg's errors, or Unsuitable.

        Each host has so many `seconds`. The first connection counts.
        """
        attempts = await _limited(conninfo_attempts_async(self.parameters), seconds)
        race = _Race()
        try:
            for attempt in attempts:
                if await race.joined_by(_limited(_connected(attempt), seconds)):
                    break
            connection, errors = await race.result()
            if connection is None:
                raise self._joined(errors)
            return connection
        finally:
            await race.end()

    def _joined(self, errors: list[psycopg.Error]) -> psycopg.Error | Unsuitable:
        """One error for those of all addresses. Of several hosts one may become the primary at any time."""
        text = "; ".join(dict.fromkeys(str(error) for error in errors))
        hosts = f"{self.parameters.get('host', '')}{self.parameters.get('hostaddr', '')}"
        for words, reason in _UNSUITABLE.items():
            if words in text and "," not in hosts:
                return Unsuitable(reason)
        return errors[0] if len(errors) == 1 else psycopg.OperationalError(text)


class _Race:
    """Attempts that run at once: the first connection wins."""

    def __init__(self) -> None:
        self._attempts: list[asyncio.Task[AsyncConnection]] = []
        self._won: asyncio.Task[AsyncConnection] | None = None

    async def joined_by(self, attempt: Awaitable[AsyncConnection]) -> bool:
        """Start `attempt`, and wait for its end or for HEAD_START_SECONDS; True if it has succeeded."""
        task = asyncio.ensure_future(attempt)
        self._attempts.append(task)
        await asyncio.wait([task], timeout=HEAD_START_SECONDS)
        return task.done() and task.exception() is None

    async def result(self) -> tuple[AsyncConnection | None, list[psycopg.Error]]:
        """The first connection, None if there is none, and the errors before it; raises Unsuitable."""
        errors: list[psycopg.Error] = []
        running = set(self._attempts)
        while running:
            done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                error = task.exception()
                if error is None:
                    self._won = task
                    return task.result(), errors
                if not isinstance(error, psycopg.Error):
                    raise error
                errors.append(error)
        return None, errors

    async def end(self) -> None:
        """End the other attempts, and close their connections."""
        for task in self._attempts:
            task.cancel()
        for outcome in await asyncio.gather(*self._attempts, return_exceptions=True):
            if not isinstance(outcome, BaseException) and not (self._won and self._won.result() is outcome):
                await outcome.close()


async def _connected(attempt: Mapping[str, Any]) -> AsyncConnection:
    connection = cast("AsyncConnection", await psycopg.AsyncConnection.connect(**attempt, autocommit=True))
    try:
        session_settings.require_version(connection.info.server_version)
        row = await (await connection.execute(session_settings.READ)).fetchone()
        if change := session_settings.correction(row or ()):
            await connection.execute(change)
    except BaseException:
        await connection.close()
        raise
    return connection


def _set_up(connection: Connection) -> Connection:
    """`connection` with every setting in force, no longer in autocommit mode; closed if that fails."""
    try:
        session_settings.require_version(connection.info.server_version)
        row = connection.execute(session_settings.READ).fetchone()
        if change := session_settings.correction(row or ()):
            connection.execute(change)
        connection.autocommit = False
    except BaseException:
        connection.close()
        raise
    return connection


async def _limited(awaitable: Awaitable[T], seconds: float) -> T:
    """The result of `awaitable`; an error of psycopg after so many `seconds`."""
    try:
        async with asyncio.timeout(seconds):
            return await awaitable
    except TimeoutError:
        raise psycopg.errors.ConnectionTimeout(f"no connection within {seconds:g} seconds") from None
