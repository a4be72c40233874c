"""The connections of one process to the database."""

import asyncio
import os
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, closing, contextmanager, suppress
from typing import Any, Concatenate, ParamSpec, TypeVar

import psycopg
import sqlalchemy
from sqlalchemy import Connection, event, text
from sqlalchemy.pool import NullPool

from db import async_connection, database_url, json_text
from db.async_connection import AsyncConnection
from db.connecting import Hosts
from db.driver_errors import translated_errors
from db.errors import Unavailable
from db.session_settings import require_own_session

P = ParamSpec("P")
T = TypeVar("T")

_PROCESS = text("SELECT pg_catalog.pg_backend_pid()")


class Database:
    """A pool of connections, and as many threads to use them from asyncio. Opens nothing before its first use."""

    def __init__(self, url: str, connections: int = 8, timeout: float = 10) -> None:
        """`url` is a PostgreSQL URL; `timeout`, in seconds, is how long `run` waits."""
        self.url = url
        self._timeout = timeout
        self._threads = ThreadPoolExecutor(connections, thread_name_prefix="database")
        self._connections = connections
        self._calls: set[asyncio.Timeout] = set()  # the time limits of `run`
        self._in_use: dict[int, Connection] = {}  # by thread
        self._hosts = Hosts(database_url.parameters(url))
        self._connect_seconds = min(timeout, database_url.connect_seconds(url) or async_connection.CONNECT_SECONDS)
        options: dict[str, Any] = {
            "hide_parameters": True,
            "json_serializer": _as_text,
            "json_deserializer": json_text.decoded,
        }
        self._engine = sqlalchemy.create_engine(
            "postgresql+psycopg://", pool_size=connections, max_overflow=0, pool_timeout=timeout, **options
        )
        self._sessions = sqlalchemy.create_engine(self._engine.url, poolclass=NullPool, **options)
        for engine in (self._engine, self._sessions):
            event.listen(engine, "do_connect", self._connect)

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A transaction: returning commits, raising rolls back. Raises errors of this room only."""
        with translated_errors(), self._engine.begin() as connection:
            self._in_use[threading.get_ident()] = connection
            try:
                yield connection
            finally:
                del self._in_use[threading.get_ident()]

    @contextmanager
    def session(self) -> Iterator[Connection]:
        """A connection apart from the pool, for several transactions; the session ends with the block."""
        with translated_errors(), self._sessions.connect() as connection:
            yield connection

    async def run(self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `function` in a transaction, on a thread; returns its result. Unavailable after the timeout."""
        thread = 0

        def call() -> T:
            nonlocal thread
            thread = threading.get_ident()
            with self.begin() as connection:
                return function(connection, *args, **kwargs)

        limit = asyncio.timeout(self._timeout)
        self._calls.add(limit)
        try:
            async with limit:
                return await asyncio.get_running_loop().run_in_executor(self._threads, call)
        except TimeoutError:
            self._cut(thread)
            raise Unavailable(f"no answer within {self._timeout:g} seconds") from None
        finally:
            self._calls.discard(limit)

    @property
    def pool_use(self) -> dict[str, int]:
        """The connections of the pool: how many there may be, how many are in use, and how many calls wait for one."""
        return {
            "size": self._connections,
            "in_use": len(self._in_use),
            "waiting": max(0, len(self._calls) - self._connections),
        }

    def connected(self, **options: str) -> AbstractAsyncContextManager[AsyncConnection]:
        """A separate connection for asyncio, outside the pool of `begin` and `run`; `options` are libpq's."""
        hosts = Hosts({**self._hosts.parameters, **options})
        return async_connection.connected(hosts, self._timeout, self._connect_seconds)

    def require_own_sessions(self) -> None:
        """Unsuitable if a pooler lends each transaction another session of the server.

        A session is the server's own if its process is the one that it was opened with. Behind a pooler a second
        session, in a transaction, takes the process of the idle first one, or the first one gets another.
        """
        with translated_errors(), self._engine.connect() as first:
            process = first.execute(_PROCESS).scalar_one()
            first.rollback()
            if process != first.connection.driver_connection.info.backend_pid:  # type: ignore[union-attr]
                with closing(self._hosts.connect()) as second:
                    row = second.execute(_PROCESS.text.encode()).fetchone()
                    require_own_session([process], list(row or ()))
                    require_own_session([process, first.execute(_PROCESS).scalar_one()], [])

    def hurry(self, seconds: float) -> None:
        """From now on let each `run`, also one under way, wait at most so many seconds: the process is about to end."""
        self._timeout = min(self._timeout, seconds)
        for limit in self._calls:
            if (until := limit.when()) is not None and not limit.expired():
                limit.reschedule(min(until, asyncio.get_running_loop().time() + seconds))

    def close(self) -> None:
        """Close every connection, including those that wait for an answer, and end the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for thread in list(self._in_use):
            self._cut(thread)
        self._engine.dispose()

    def _connect(self, _dialect: Any, _record: Any, _arguments: Any, parameters: Mapping[str, Any]) -> Any:
        """A connection for SQLAlchemy, whose `parameters` have the adapters of JSON."""
        return self._hosts.connect(parameters["context"])

    def _cut(self, thread: int) -> None:
        """Shut down the connection that `thread` waits on: a silent server must not block either of them forever."""
        with suppress(KeyError, OSError, psycopg.Error, sqlalchemy.exc.SQLAlchemyError, AttributeError):
            descriptor = os.dup(self._in_use[thread].connection.driver_connection.fileno())  # type: ignore[union-attr]
            with socket.socket(fileno=descriptor) as duplicate:
                duplicate.shutdown(socket.SHUT_RDWR)


def _as_text(value: Any) -> str:
    return json_text.encoded(value).decode()
