"""How much of a connection's output has reached its client, and the end of a connection that delivers no more."""

import asyncio
import socket
import struct
from collections.abc import Callable
from contextlib import suppress

CHECK_SECONDS = 1.0
"""The time between two looks at how much has reached a client."""
_BYTES_ACKED = 120
"""The offset of `tcpi_bytes_acked` (RFC 4898), 8 bytes, in Linux's `struct tcp_info`."""
_NO_LINGER = struct.pack("ii", 1, 0)
"""For SO_LINGER: what is not acknowledged yet is dropped, and the client receives a reset."""
_TCP_INFO = getattr(socket, "TCP_INFO", None)  # elsewhere than on Linux there is none


class DeliveryWatch:
    """Calls `cut` when a client has acknowledged nothing for `timeout` seconds while output waits for it."""

    def __init__(self, transport: asyncio.Transport, timeout: float, cut: Callable[[], None]) -> None:
        self._transport = transport
        self._timeout = timeout
        self._cut = cut
        self._next: asyncio.TimerHandle | None = None
        self._delivered = 0
        self._delivered_at = 0.0

    def begin(self) -> None:
        """Watch, because output waits."""
        if self._next is None:
            loop = asyncio.get_running_loop()
            self._delivered, self._delivered_at = delivered(self._transport), loop.time()
            self._next = loop.call_later(CHECK_SECONDS, self._check)

    def end(self) -> None:
        """Watch no longer."""
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def _check(self) -> None:
        loop = asyncio.get_running_loop()
        progress, now = delivered(self._transport), loop.time()
        if progress > self._delivered:
            self._delivered, self._delivered_at = progress, now
        if now - self._delivered_at >= self._timeout:
            self._cut()
        else:
            self._next = loop.call_later(CHECK_SECONDS, self._check)


def delivered(transport: asyncio.Transport) -> int:
    """A number that grows as long as the client acknowledges bytes; two of them are compared.

    The buffer of the transport alone would not tell: the kernel holds megabytes, and takes more only when much of them
    is acknowledged, which may be minutes later for a slow client.
    """
    connection = transport.get_extra_info("socket")
    if _TCP_INFO is not None and connection is not None:
        with suppress(OSError, struct.error):
            information = connection.getsockopt(socket.IPPROTO_TCP, _TCP_INFO, _BYTES_ACKED + 8)
            acknowledged: int = struct.unpack_from("=Q", information, _BYTES_ACKED)[0]
            return acknowledged
    return -transport.get_write_buffer_size()


def reset(transport: asyncio.Transport) -> None:
    """End a connection at once; its client gets an error instead of an end, and nothing that it has not received."""
    connection = transport.get_extra_info("socket")
    if connection is not None:
        with suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    transport.abort()
