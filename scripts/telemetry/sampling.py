"""Which requests are traced, by W3C Trace Context (level 1) and by chance; decided before anything is made for them."""

import re
from collections.abc import Awaitable, Callable, Iterable
from random import random
from typing import NamedTuple

from starlette.types import ASGIApp, Receive, Scope, Send

_TRACEPARENT = re.compile(rb"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_UNSAMPLED = b"02468ace"
"""The last digit of the flags of a request that its caller does not trace."""
USUAL = 55
"""Bytes of a traceparent of version 00."""
LONGEST = 512
"""Bytes of a traceparent: later versions may have more than the first."""


class Parent(NamedTuple):
    """The span of a caller."""

    trace_id: int
    span_id: int


class Sampling:
    """The layer of the service that hands the traced requests to `traced`, and all others to `app`."""

    def __init__(
        self,
        app: ASGIApp,
        ratio: float,
        traced: Callable[[Parent | None, Scope, Receive, Send], Awaitable[None]],
    ) -> None:
        """The caller's flag decides; of the requests without a valid traceparent, a share of `ratio` is traced."""
        self._app = app
        self._ratio = ratio
        self._traced = traced

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """The serving of one request; a coroutine of its own would cost each request."""
        if scope["type"] != "http":
            return self._app(scope, receive, send)
        for name, value in scope["headers"]:
            if name == b"traceparent":
                if not self._ratio and len(value) == USUAL and value[-1] in _UNSAMPLED:
                    break  # valid or not, it is not sampled: this is the usual case, and must be cheap
                return self._by_caller(scope, receive, send)
        if self._ratio and random() < self._ratio:  # noqa: S311 (no secret)
            return self._traced(None, scope, receive, send)
        return self._app(scope, receive, send)

    def _by_caller(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        parent, is_sampled = parent_in(scope["headers"])
        if is_sampled or (parent is None and random() < self._ratio):  # noqa: S311 (no secret)
            return self._traced(parent, scope, receive, send)
        return self._app(scope, receive, send)


def parent_in(headers: Iterable[tuple[bytes, bytes]]) -> tuple[Parent | None, bool]:
    """The caller's span and its sampled flag; None and False unless there is exactly one valid traceparent."""
    values = [value for name, value in headers if name == b"traceparent"]
    match = _TRACEPARENT.fullmatch(values[0]) if len(values) == 1 and len(values[0]) <= LONGEST else None
    if match is None or (match[1] == b"00" and match[5]):
        return None, False
    return Parent(int(match[2], 16), int(match[3], 16)), bool(int(match[4], 16) & 1)
