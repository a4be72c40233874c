"""The connections of one process to the database."""

import asyncio
import os
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, contextmanager, suppress
from typing import Any, Concatenate, ParamSpec, TypeVar

import sqlalchemy
from sqlalchemy import Connection
from sqlalchemy.engine import URL, make_url

from db import async_connection, json_text
from db.async_connection import AsyncConnection
from db.driver_errors import translated_errors
from db.errors import Failed, Unavailable

P = ParamSpec("P")
T = TypeVar("T")

CONNECT_SECONDS = 5
STATEMENT_SECONDS = 15

_CONNECTION: dict[str, Any] = {
    "connect_timeout": CONNECT_SECONDS,
    "application_name": "interaction-reporting",
    "client_encoding": "utf8",
    # The kernel notices a server that disappears without closing the connection.
    "tcp_user_timeout": STATEMENT_SECONDS * 1000,
    "keepalives_idle": CONNECT_SECONDS,
    "keepalives_interval": CONNECT_SECONDS,
    "keepalives_count": 2,
    # An acknowledged event is durable, whatever the default of the server is.
    "options": f"-c timezone=UTC -c synchronous_commit=on -c statement_timeout={STATEMENT_SECONDS}s",
}


class Database:
    """A pool of connections, and as many threads to use them from asyncio. Opens nothing before its first use."""

    def __init__(self, url: str, connections: int = 8, timeout: float = 10) -> None:
        """`url` is a PostgreSQL URL; `timeout`, in seconds, is how long `run` waits."""
        self.url = url
        self._timeout = timeout
        self._threads = ThreadPoolExecutor(connections, thread_name_prefix="database")
        self._in_use: dict[int, Connection] = {}  # by thread
        self._engine = sqlalchemy.create_engine(
            _with_driver(url),
            pool_size=connections,
            max_overflow=0,
            pool_timeout=timeout,
            hide_parameters=True,
            connect_args=_CONNECTION,
            json_serializer=_as_text,
            json_deserializer=json_text.decoded,
        )

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A transaction: returning commits, raising rolls back. Raises errors of this room only."""
        with translated_errors(), self._engine.begin() as connection:
            self._in_use[threading.get_ident()] = connection
            try:
                yield connection
            finally:
                del self._in_use[threading.get_ident()]

    async def run(self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `function` in a transaction, on a thread; returns its result. Unavailable after the timeout."""
        thread = 0

        def call() -> T:
            nonlocal thread
            thread = threading.get_ident()
            with self.begin() as connection:
                return function(connection, *args, **kwargs)

        try:
            async with asyncio.timeout(self._timeout):
                return await asyncio.get_running_loop().run_in_executor(self._threads, call)
        except TimeoutError:
            self._cut(thread)
            raise Unavailable(f"no answer within {self._timeout:g} seconds") from None

    def connected(self, **options: str) -> AbstractAsyncContextManager[AsyncConnection]:
        """A separate connection for asyncio, outside the pool of `begin` and `run`; `options` are libpq's."""
        _, parameters = self._engine.dialect.create_connect_args(self._engine.url)
        return async_connection.connected({**parameters, **_CONNECTION, **options}, self._timeout)

    def close(self) -> None:
        """Close every connection, including those that wait for an answer, and end the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for thread in list(self._in_use):
            self._cut(thread)
        self._engine.dispose()

    def _cut(self, thread: int) -> None:
        """Shut down the connection that `thread` waits on: a silent server must not block either of them forever."""
        with suppress(KeyError, OSError, sqlalchemy.exc.SQLAlchemyError, AttributeError):
            descriptor = os.dup(self._in_use[thread].connection.driver_connection.fileno())  # type: ignore[union-attr]
            with socket.socket(fileno=descriptor) as duplicate:
                duplicate.shutdown(socket.SHUT_RDWR)


def _as_text(value: Any) -> str:
    return json_text.encoded(value).decode()


def _with_driver(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (sqlalchemy.exc.ArgumentError, ValueError):
        raise Failed("the database URL is not of the form postgresql://user:password@host:port/database") from None
    if parsed.drivername not in ("postgresql", "postgres", "postgresql+psycopg"):
        raise Failed(f"the database URL begins with {parsed.drivername}://; only postgresql:// is supported")
    if "@" in (parsed.host or ""):  # libpq would repeat what it takes for the host, and so a part of the password
        raise Failed("the database URL has one @ too many: write an @ in the user or the password as %40")
    return parsed.set(drivername="postgresql+psycopg")
