"""A server that answers every request alike, in whatever way a test wants."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field

CREATED = b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}"


def created(*fields: str) -> bytes:
    """An answer that has `fields` in its head, too."""
    return CREATED.replace(b"\r\n\r\n", "".join(f"\r\n{line}" for line in fields).encode() + b"\r\n\r\n")


@dataclass
class Server:
    """What it answers, in `parts` with a pause between them; whether it hangs up then; and what it was sent."""

    parts: tuple[bytes, ...]
    hangs_up: bool = False
    url: str = ""
    received: list[bytes] = field(default_factory=list)
    connections: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer what comes on one connection."""
        self.connections += 1
        with closing(writer), suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                (length,) = [line for line in head.split(b"\r\n") if line.startswith(b"Content-Length: ")]
                self.received.append(head + await reader.readexactly(int(length.split()[1])))
                for part in self.parts:
                    writer.write(part)
                    await writer.drain()
                    await asyncio.sleep(0.001)
                if self.hangs_up:
                    break


@contextmanager
def answering(*parts: bytes, hangs_up: bool = False) -> Iterator[Server]:
    """A running server on a free port; without `parts` it is silent."""
    server = Server(parts, hangs_up)
    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
        server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        stop = asyncio.Event()
        started.set_result((asyncio.get_running_loop(), stop))
        await stop.wait()
        await asyncio.sleep(0.02)  # connections that still wait are accepted, or closing would leak them
        while len(asyncio.all_tasks()) > 1:  # clients are gone, and what serves them notices
            await asyncio.sleep(0.01)
        listening.close()
        await asyncio.sleep(0.01)  # what was closed goes

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    loop, stop = started.result()
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
