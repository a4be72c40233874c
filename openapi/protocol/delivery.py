"""How much of a connection's output has reached its client."""

import asyncio
import socket
import struct
from contextlib import suppress

_BYTES_ACKED = 120
"""The offset of `tcpi_bytes_acked` (RFC 4898), 8 bytes, in Linux's `struct tcp_info`."""
_TCP_INFO = getattr(socket, "TCP_INFO", None)  # elsewhere than on Linux there is none


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
