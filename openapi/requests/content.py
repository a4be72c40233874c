"""The bytes of a body, read within limits of size and time, and decoded within them: a decompression bomb fails."""

import asyncio
import time
import zlib
from collections.abc import AsyncIterator, Iterator

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from openapi import intended_values
from openapi.problems import Problem
from openapi.standards.header_fields import field_text, field_values, quoted

COMPLETE = "interaction_reporting.body"
"""The ASGI extension with the `body` if it has arrived whole: no reader has to wait for it."""
PIECE_BYTES = 64 * 1024
"""The limit of one decoded piece, and the part of a stream that must arrive within the body timeout."""
SLOWEST = 1000
"""The least bytes a second, on average, of a content that is not a stream: 8 kbit/s, as over GPRS."""
_GZIP = zlib.MAX_WBITS | 16


class Content:
    """The content of one request: at most `limit` bytes, in identity or one of the content `codings`.

    Its methods raise Problem, or ClientDisconnect if the client disconnects.
    """

    def __init__(self, scope: Scope, receive: Receive, codings: frozenset[str]) -> None:
        self._scope = scope
        self._receive = receive
        self._decoder = decoder() if (decoder := DECODERS.get(_coding(scope, codings))) else None

    async def whole(self, limit: int, seconds: float) -> bytes:
        """Return the whole content; its pauses may take `seconds` together, in addition to its bytes at `SLOWEST`."""
        complete = self._scope.get("extensions", {}).get(COMPLETE)
        if complete and not self._decoder and len(complete["body"]) <= limit:
            body: bytes = complete["body"]
            return body
        content = bytearray()
        decoded, began = self._decoded(limit), time.monotonic()
        while True:
            left = began + seconds + len(content) / SLOWEST - time.monotonic()
            try:
                async with asyncio.timeout(min(left, seconds)):
                    content += await anext(decoded)
            except StopAsyncIteration:
                return bytes(content)
            except TimeoutError:
                raise Problem("body_timeout", seconds=seconds, rate=SLOWEST) from None

    async def pieces(self, limit: int, seconds: float) -> AsyncIterator[bytes]:
        """Yield the content, piece by piece; each `PIECE_BYTES`, or the rest, must arrive within `seconds`.

        The pieces before a Problem are yielded before it is raised.
        """
        decoded = self._decoded(limit)
        content = bytearray()
        problem = None
        while not problem:
            try:
                async with asyncio.timeout(seconds):
                    async for piece in decoded:
                        content += piece
                        if len(content) >= PIECE_BYTES:
                            break
            except TimeoutError:
                problem = Problem("body_timeout", seconds=seconds, rate=int(PIECE_BYTES / seconds))
            except Problem as error:
                problem = error
            await asyncio.sleep(0)  # a small piece may decode to a lot: other requests run in between
            if content:
                yield bytes(content)
            elif not problem:
                return
            content.clear()
        raise problem

    async def _decoded(self, limit: int) -> AsyncIterator[bytes]:
        """Yield the decoded pieces; raise Problem as soon as they exceed `limit` bytes."""
        if not self._decoder:
            for declared in field_values(self._scope, b"content-length"):
                if int(declared) > limit:
                    raise Problem("content_too_large", size=int(declared), limit=limit)
        size = 0
        async for received in self._received():
            for piece in self._decoder.decode(received) if self._decoder else [received]:
                size += len(piece)
                if size > limit:
                    raise Problem("content_too_large", size=f"at least {size}", limit=limit)
                yield piece
        if self._decoder:
            self._decoder.finish()

    async def _received(self) -> AsyncIterator[bytes]:
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            if body := message.get("body", b""):
                yield body
            if not message.get("more_body", False):
                return


class Gzip:
    """A decoder of the content coding gzip (RFC 9110 section 8.4.1.3, RFC 1952), with any number of members."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP)
        self._is_within = True  # an empty body has no member, so it is not gzip

    def decode(self, data: bytes) -> Iterator[bytes]:
        """Decode `data`, the next piece of the content; yield at most `PIECE_BYTES` at once."""
        while data:
            if self._member.eof:
                self._member = zlib.decompressobj(_GZIP)
            try:
                piece = self._member.decompress(data, PIECE_BYTES)
            except zlib.error:
                raise Problem("malformed_content_coding") from None
            data = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
            self._is_within = not self._member.eof
            if piece:
                yield piece

    def finish(self) -> None:
        """Raise Problem unless the last member is complete."""
        if self._is_within:
            raise Problem("malformed_content_coding")


DECODERS = {"gzip": Gzip}
"""Decoders by content coding in lower case; a contract may allow these."""
_EQUIVALENT = {"x-gzip": "gzip"}
"""The other name of a coding, which is accepted where the coding is (RFC 9110 section 8.4.1.3)."""


def _coding(scope: Scope, codings: frozenset[str]) -> str:
    """The content coding of a request; Problem if it is not one of `codings`."""
    fields = field_values(scope, b"content-encoding")
    if not fields:
        return "identity"
    names = [coding.strip().lower() for coding in b",".join(fields).decode("latin-1").split(",")]
    applied = [_EQUIVALENT.get(coding, coding) for coding in names if coding not in ("", "identity")]
    if len(applied) > 1 or not codings.issuperset(applied):
        accept = ", ".join([*sorted(codings), "identity"]).encode("ascii")
        how = f"with Content-Encoding: {' or '.join(sorted(codings))}, or " if codings else "as it is, "
        value = b", ".join(fields)
        raise Problem(
            "unsupported_content_coding",
            [(b"accept-encoding", accept)],
            hint=intended_values.foreign("Content-Encoding", field_text(value)),
            found=quoted(value),
            how=how,
        )
    return applied[0] if applied else "identity"
